/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Documents in one form: what is moved, what is not touched. */
#include "document/format.h"

#include "cmocka-glib.h"
#include <string.h>

#define WRITTEN                                                                                     \
  "<d>\n  <name>n</name>\n  <memory>1</memory>\n  <devices>\n    <disk><driver/><target/></disk>\n" \
  "    <disk><driver/><source/><target/></disk>\n    <net/>\n  </devices>\n  <f><a/><b/><a/></f>\n</d>\n"

static const struct {
  const char *source, *formatted;
} rows[] = {
  { "<d/>", "<d/>\n" },
  { "<d></d>", "<d></d>\n" },
  /* Order, by what is written; what is not known goes with what it follows. */
  { "<d><memory>1</memory><x/><name>n</name></d>",
    "<d>\n  <name>n</name>\n  <memory>1</memory>\n  <x/>\n</d>\n" },
  { "<d><devices><net/><disk><target/><source/></disk><disk/></devices></d>",
    "<d>\n  <devices>\n    <disk>\n      <source/>\n      <target/>\n    </disk>\n    <disk/>\n    <net/>\n"
    "  </devices>\n</d>\n" },
  /* Where names are mixed in what is written, the order means something. */
  { "<d><f><b/><a/></f></d>", "<d>\n  <f>\n    <b/>\n    <a/>\n  </f>\n</d>\n" },
  /* Comments go with the element they are before, or behind on its line. */
  { "<d>\n<!-- m -->\n<memory>1</memory> <!-- beside -->\n<name>n</name>\n<!-- end -->\n</d>",
    "<d>\n  <name>n</name>\n  <!-- m -->\n  <memory>1</memory> <!-- beside -->\n  <!-- end -->\n</d>\n" },
  { "<!-- a\n   b -->\n<d/>\n<!-- c -->", "<!-- a\n   b -->\n<d/>\n<!-- c -->\n" },
  { "<?xml version='1.0'?><!-- <x> --><d/>", "<?xml version='1.0'?>\n<!-- <x> -->\n<d/>\n" },
  /* Bytes that are somebody's. */
  { "<d  a='1'\n   b=\"x > 'y'\"  ><name> n &amp; &#65; </name></d>",
    "<d a='1' b=\"x > 'y'\">\n  <name> n &amp; &#65; </name>\n</d>\n" },
  { "<d ><name a = 'b' /></d>", "<d>\n  <name a='b'/>\n</d>\n" },
  { "<d><metadata> <a:b  c='d'/>\n</metadata><description>\n  x\n</description></d>",
    "<d>\n  <metadata> <a:b  c='d'/>\n</metadata>\n  <description>\n  x\n</description>\n</d>\n" },
  { "<d><x><![CDATA[ </x> ]]></x></d>", "<d>\n  <x><![CDATA[ </x> ]]></x>\n</d>\n" },
  /* One empty line is a paragraph; more are one. */
  { "<d>\n\n<name>n</name>\n\n\n\n<memory>1</memory>\n</d>",
    "<d>\n  <name>n</name>\n\n  <memory>1</memory>\n</d>\n" },
};

static void
test_rows (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *once = document_format (rows[i].source, WRITTEN, NULL);
    g_autofree char *twice = document_format (once, WRITTEN, NULL);

    assert_string_equal (once, rows[i].formatted);
    assert_string_equal (twice, once);
  }
}

static void
test_without_order (G_GNUC_UNUSED void **state)
{
  g_autofree char *text = document_format ("<d><b/><a/></d>", NULL, NULL);

  assert_string_equal (text, "<d>\n  <b/>\n  <a/>\n</d>\n");
}

static void
test_depth (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i <= FORMAT_MAX_DEPTH; i++)
    g_string_append (text, "<a>");
  assert_null (document_format (text->str, NULL, &error));
  assert_non_null (strstr (error->message, "levels"));
}

/* What the reader would not have let pass ends all the same. */
static void
test_broken (G_GNUC_UNUSED void **state)
{
  static const char *const broken[] = { "",         "<",    "<d",          "<d a='", "<!--",
                                        "<d><!-- ", "</d>", "<d></d></d>", "<![",    "<!DOCTYPE x [",
                                        "<?",       "text", "<d><a></d>" };

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autofree char *text = document_format (broken[i], broken[i], NULL);

    assert_non_null (text);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_rows),
    cmocka_unit_test (test_without_order),
    cmocka_unit_test (test_depth),
    cmocka_unit_test (test_broken),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
