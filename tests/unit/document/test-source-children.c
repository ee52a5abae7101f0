/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What changed between two completed documents, in the user's own text. */
#include "document/source-children.h"

#include "cmocka-glib.h"

static void
only_what_differs_is_exchanged (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *source, *before, *after, *changed;
  } rows[] = {
    /* One of several of a name; comments and quotes stay. */
    { "<r>\n  <!-- c -->\n  <a x=\"1\"/>\n  <a x=\"2\"/>\n</r>\n", "<r><a x='1'/><a x='2'/></r>",
      "<r><a x='1'/><a x='3'/></r>", "<r>\n  <!-- c -->\n  <a x=\"1\"/>\n  <a x='3'/>\n</r>\n" },
    /* What is chosen for the user is not in the text, and stays out of it. */
    { "<r>\n  <a/>\n</r>\n", "<r><u>7</u><a/></r>", "<r><u>7</u><a><b/></a></r>",
      "<r>\n  <a>\n    <b/>\n  </a>\n</r>\n" },
    { "<r>\n  <a/>\n</r>\n", "<r><a/></r>", "<r><a/><d e='f'/></r>", "<r>\n  <a/>\n  <d e='f'/>\n</r>\n" },
    { "<r>\n  <a/>\n  <d/>\n</r>\n", "<r><a/><d/></r>", "<r><a/></r>", "<r>\n  <a/>\n</r>\n" },
    { "<r>\n  <a n='1'/> <!-- one -->\n  <b/>\n  <a n='2'/>\n</r>\n", "<r><a n='1'/><a n='2'/><b/></r>",
      "<r><a n='1'/><a n='2'/><a n='3'/><b/></r>",
      "<r>\n  <a n='1'/>\n  <a n='2'/>\n  <a n='3'/> <!-- one -->\n  <b/>\n</r>\n" },
    { "<r xmlns:o='urn:o'>\n  <o:a/>\n</r>", "<r xmlns:o='urn:o'><o:a/></r>",
      "<r xmlns:o='urn:o'><o:a/><b/></r>", "<r xmlns:o='urn:o'>\n  <o:a/>\n  <b/>\n</r>" },
    /* An end tag of its own is no difference. */
    { "<r>\n  <a/>\n</r>\n", "<r>\n  <a>\n  </a>\n</r>", "<r>\n  <a>\n  </a>\n  <b>\n  </b>\n</r>",
      "<r>\n  <a/>\n  <b/>\n</r>\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *changed = source_change_children (rows[i].source, rows[i].before, rows[i].after);

    g_assert_cmpstr (changed, ==, rows[i].changed);
  }
}

static void
a_text_that_cannot_be_edited_is_left (G_GNUC_UNUSED void **state)
{
  assert_null (source_change_children ("<r", "<r/>", "<r><a/></r>"));
  assert_null (source_change_children ("<r/>", "<r/>", "<r><a/></r>")); /* it has no end tag */
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (only_what_differs_is_exchanged),
    cmocka_unit_test (a_text_that_cannot_be_edited_is_left),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
