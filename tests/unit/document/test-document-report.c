/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mistakes for programs and on a terminal: paths, values, the line with its caret. */
#include "cmocka-glib.h"
#include "document/document-report.h"

#include <json-glib/json-glib.h>
#include <string.h>

static const char document[] = "<a>\n\t<b c='x'>\xc3\xa4</b>\n\t<b c='y'/>\n</a>\n";

static Diagnostics *
mistakes (void)
{
  static const char *const accepted[] = { "y", "z", NULL };
  Diagnostics *diagnostics = diagnostics_new ("dir/a file.xml");

  diagnostics_error (diagnostics, (Position){ 2, 5 }, VIR_ERR_XML_ERROR, "wrong");
  diagnostics_offer (diagnostics, accepted, "y");
  diagnostics_warning (diagnostics, (Position){ 3, 2 }, VIR_ERR_XML_INVALID_SCHEMA, "odd");
  diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_OPERATION_FAILED, "nowhere");
  return diagnostics;
}

static void
test_marked_text (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = mistakes ();
  g_autofree char *text = diagnostics_to_marked_text (diagnostics, document);

  assert_string_equal (text, "dir/a file.xml: error: nowhere\n"
                             "dir/a file.xml:2:5: error: wrong\n  \t<b c='x'>\xc3\xa4</b>\n  \t   ^\n"
                             "dir/a file.xml:3:2: warning: odd\n  \t<b c='y'/>\n  \t^\n");
}

/* A place far out in a long line is shown, and a terminal's own language is not. */
static void
test_long_lines (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
  g_autofree char *line = g_strnfill (100000, 'x');
  g_autofree char *text = NULL;

  line[4999] = '\033';
  diagnostics_error (diagnostics, (Position){ 1, 5001 }, VIR_ERR_XML_ERROR, "m");
  text = diagnostics_to_marked_text (diagnostics, line);
  assert_true (strlen (text) < 300);
  assert_null (strchr (text, '\033'));
  assert_non_null (strstr (text, "x?x"));
}

static JsonNode *
parsed (const char *text)
{
  JsonNode *node = json_from_string (text, NULL);

  assert_non_null (node);
  return node;
}

static void
test_json (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = mistakes ();
  g_autoptr (DocumentReport) report = document_report_new ();
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *row;

  document_report_add (report, diagnostics, document, -1);
  text = document_report_to_json (report);
  root = parsed (text);
  row = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (root), "dir/a file.xml"), 1);
  assert_string_equal (json_object_get_string_member (row, "path"), "/a/b[1]/@c");
  assert_string_equal (json_object_get_string_member (row, "value"), "x");
  assert_string_equal (json_object_get_string_member (row, "nearest"), "y");
  assert_int_equal (json_array_get_length (json_object_get_array_member (row, "accepted")), 2);
  row = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (root), "dir/a file.xml"), 0);
  assert_false (json_object_has_member (row, "path"));
}

static void
test_sarif (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = mistakes ();
  g_autoptr (DocumentReport) report = document_report_new ();
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;

  document_report_add (report, diagnostics, NULL, -1);
  text = document_report_to_sarif (report, "1");
  root = parsed (text);
  assert_string_equal (json_object_get_string_member (json_node_get_object (root), "version"), "2.1.0");
  assert_non_null (strstr (text, "\"dir/a%20file.xml\""));
}

/* A vague mistake gets the words of who knows more; one that is clear keeps its own. */
static void
test_explained (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) told = diagnostics_new ("f"), further = diagnostics_new ("f");
  g_autofree char *text = NULL;

  diagnostics_error (told, (Position){ 1, 1 }, VIR_ERR_XML_ERROR, "unknown");
  diagnostics_mark_vague (told);
  diagnostics_error (told, (Position){ 2, 1 }, VIR_ERR_XML_ERROR, "clear");
  diagnostics_error (further, (Position){ 1, 1 }, VIR_ERR_XML_INVALID_SCHEMA, "it belongs elsewhere");
  diagnostics_error (further, (Position){ 2, 1 }, VIR_ERR_XML_INVALID_SCHEMA, "refused");
  diagnostics_error (further, (Position){ 3, 1 }, VIR_ERR_XML_INVALID_SCHEMA, "new");
  diagnostics_explain (told, further);
  text = diagnostics_to_text (told);
  assert_string_equal (text, "f:1:1: error: it belongs elsewhere\nf:2:1: error: clear\nf:3:1: error: new\n");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_marked_text), cmocka_unit_test (test_long_lines), cmocka_unit_test (test_json),
    cmocka_unit_test (test_sarif),       cmocka_unit_test (test_explained),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
