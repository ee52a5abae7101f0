/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Applications' elements in <metadata>, and small edits of a document that leave every other byte alone.
 */
#include "document/metadata.h"
#include "document/source-edit.h"

#include "cmocka-glib.h"

static void
test_set_and_get (G_GNUC_UNUSED void **state)
{
  g_autofree char *one = NULL, *two = NULL, *three = NULL, *got = NULL;
  g_autoptr (GError) error = NULL;

  assert_true (metadata_set (NULL, "<a b='1'><c/>text</a>", "k", "http://x/1", &one, &error));
  assert_string_equal (one, "<metadata><k:a xmlns:k=\"http://x/1\" b=\"1\"><k:c/>text</k:a></metadata>");
  assert_true (metadata_set (one, "<e/>", "k2", "http://x/2", &two, &error));
  got = metadata_get (two, "http://x/1", &error);
  assert_string_equal (got, "<a b=\"1\"><c/>text</a>");

  assert_true (metadata_set (two, "<z/>", "k", "http://x/1", &three, &error)); /* in its place */
  assert_null (strstr (three, "text"));
  assert_non_null (strstr (three, "<k2:e"));
  assert_null (metadata_get (three, "http://x/3", &error));
  assert_true (g_error_matches (error, VIRT_ERROR, VIR_ERR_NO_DOMAIN_METADATA));
}

static void
test_last_one_taken_out (G_GNUC_UNUSED void **state)
{
  g_autofree char *left = g_strdup ("not touched");
  char *ret = left;

  assert_true (metadata_set ("<metadata><k:a xmlns:k='u'/></metadata>", NULL, "k", "u", &ret, NULL));
  assert_null (ret);
}

static void
test_bad_metadata (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *xml, *key, *uri;
  } bad[] = {
    { "<a", "k", "u" },
    { "", "k", "u" },
    { "<a/>", "two words", "u" },
    { "<a/>", "", "u" },
    { "<a/>", "k", "" },
    { "<a/><b/>", "k", "u" },
    { "<k:a xmlns:k='other'/>", "k", "u" },
    { "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "k", "u" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    char *ret = NULL;

    if (metadata_set (NULL, bad[i].xml, bad[i].key, bad[i].uri, &ret, &error))
      fail_msg ("'%s' was taken with key '%s', uri '%s'", bad[i].xml, bad[i].key, bad[i].uri);
    assert_non_null (error);
  }
}

static void
test_other_namespaces_stay (G_GNUC_UNUSED void **state)
{
  g_autofree char *got =
      metadata_get ("<metadata><p:a xmlns:p='u' xmlns:z='v' b='1'><z:c/><p:d/></p:a></metadata>", "u", NULL);

  assert_non_null (strstr (got, "<a xmlns:z=\"v\" b=\"1\">"));
  assert_non_null (strstr (got, "<z:c/>"));
  assert_non_null (strstr (got, "<d/>"));
}

/* A namespace is any text: what is written can be read again. */
static void
test_odd_namespaces (G_GNUC_UNUSED void **state)
{
  static const char *const uris[] = { "a<b", "a>b", "a&b", "a\"b", "a'b\"c", "a b", "&lt;", "a\tb\nc" };

  for (gsize i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autofree char *one = NULL, *two = NULL, *got = NULL;

    assert_true (metadata_set (NULL, "<x>1</x>", "k", uris[i], &one, NULL));
    assert_true (metadata_set (one, "<y/>", "l", "other", &two, NULL));
    got = metadata_get (two, uris[i], NULL);
    if (g_strcmp0 (got, "<x>1</x>") != 0)
      fail_msg ("'%s': %s", uris[i], two);
  }
}

static void
test_edits (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *source, *element, *replacement, *edited;
  } edits[] = {
    /* replaced, with everything around it as it was */
    { "<!-- <name>no</name> -->\n<domain>\n\t<name >old</name ><!--x-->\n</domain>\n", "name",
      "<name>new</name>", "<!-- <name>no</name> -->\n<domain>\n\t<name>new</name><!--x-->\n</domain>\n" },
    /* added behind what comes before it */
    { "<domain>\n    <name>a</name>\n    <memory>1</memory>\n</domain>", "title", "<title>t</title>",
      "<domain>\n    <name>a</name>\n    <title>t</title>\n    <memory>1</memory>\n</domain>" },
    { "<domain>\n  <name>a</name>\n  <title>t</title>\n  <uuid>u</uuid>\n</domain>", "metadata",
      "<metadata/>",
      "<domain>\n  <name>a</name>\n  <title>t</title>\n  <metadata/>\n  <uuid>u</uuid>\n</domain>" },
    { "<domain type='a>b'><x/></domain>", "title", "<title/>",
      "<domain type='a>b'>\n  <title/><x/></domain>" },
    /* taken out with its line */
    { "<domain>\n  <name>a</name>\n  <title>t</title>\n  <os/>\n</domain>", "title", NULL,
      "<domain>\n  <name>a</name>\n  <os/>\n</domain>" },
    { "<domain><name>a</name></domain>", "title", NULL, "<domain><name>a</name></domain>" },
    /* what looks like tags inside */
    { "<domain><metadata><a b='/metadata>'/><!-- </metadata> --><![CDATA[</metadata>]]><?p </metadata>?>"
      "<metadata/></metadata><os/></domain>",
      "metadata", "<metadata><n/></metadata>", "<domain><metadata><n/></metadata><os/></domain>" },
    /* a nested element of that name is not the one */
    { "<domain><devices><title>x</title></devices></domain>", "title", NULL,
      "<domain><devices><title>x</title></devices></domain>" },
    { "<domain><!-- \xc3\xa4\xc3\xb6 --><name>\xc3\xbc</name><os/></domain>", "name", "<name>b</name>",
      "<domain><!-- \xc3\xa4\xc3\xb6 --><name>b</name><os/></domain>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (edits); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *edited = source_edit (edits[i].source, edits[i].element, edits[i].replacement, &error);

    if (edited == NULL)
      fail_msg ("%s: %s", edits[i].source, error->message);
    assert_string_equal (edited, edits[i].edited);
  }
}

static void
test_edits_that_would_spoil (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *source, *replacement;
  } edits[] = {
    { "<domain><name>a</name></domain>", "<name>" },
    { "<domain><name>a</name></domain>", "</domain>" },
    { "<domain><name>a</name>", "<name>b</name>" },
    { "\xff\xfe", "<name>b</name>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (edits); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *edited = source_edit (edits[i].source, "name", edits[i].replacement, &error);

    assert_null (edited);
    assert_true (g_error_matches (error, VIRT_ERROR, VIR_ERR_OPERATION_FAILED));
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_set_and_get),
    cmocka_unit_test (test_last_one_taken_out),
    cmocka_unit_test (test_bad_metadata),
    cmocka_unit_test (test_other_namespaces_stay),
    cmocka_unit_test (test_odd_namespaces),
    cmocka_unit_test (test_edits),
    cmocka_unit_test (test_edits_that_would_spoil),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
