/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mistakes come out in the order of the document, each once, and become one error. */
#include "base/diagnostics.h"
#include "cmocka-glib.h"

#include <string.h>

static void
test_order_and_once (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
  g_autofree char *text = NULL;

  diagnostics_error (diagnostics, (Position){ 9, 2 }, VIR_ERR_XML_ERROR, "third %d", 3);
  diagnostics_warning (diagnostics, (Position){ 2, 7 }, VIR_ERR_XML_ERROR, "first");
  diagnostics_error (diagnostics, (Position){ 2, 10 }, VIR_ERR_XML_ERROR, "second");
  diagnostics_error (diagnostics, (Position){ 9, 2 }, VIR_ERR_XML_ERROR, "third 3");
  diagnostics_error (diagnostics, (Position){ 9, 2 }, VIR_ERR_XML_ERROR,
                     "fourth, found later at the same place");
  diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_XML_ERROR, "nowhere");

  text = diagnostics_to_text (diagnostics);
  assert_string_equal (text, "web.xml: error: nowhere\n"
                             "web.xml:2:7: warning: first\n"
                             "web.xml:2:10: error: second\n"
                             "web.xml:9:2: error: third 3\n"
                             "web.xml:9:2: error: fourth, found later at the same place\n");
  assert_int_equal (diagnostics_count (diagnostics), 5);
}

static void
test_warnings_are_no_errors (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (GError) error = NULL;

  diagnostics_warning (diagnostics, (Position){ 1, 1 }, VIR_ERR_XML_ERROR, "odd");
  assert_false (diagnostics_has_errors (diagnostics));
  assert_true (diagnostics_check (diagnostics, &error));
  assert_null (error);
  assert_string_equal (diagnostics_file_name (diagnostics), "(document)");
}

static void
test_check_makes_one_error (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
  g_autoptr (GError) error = NULL;

  diagnostics_error (diagnostics, (Position){ 5, 3 }, VIR_ERR_XML_ERROR, "b");
  diagnostics_warning (diagnostics, (Position){ 1, 1 }, VIR_ERR_XML_ERROR, "odd");
  diagnostics_error (diagnostics, (Position){ 4, 3 }, VIR_ERR_CONFIG_UNSUPPORTED, "a");

  assert_false (diagnostics_check (diagnostics, &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_CONFIG_UNSUPPORTED);
  assert_string_equal (error->message, "unsupported configuration: web.xml:4:3: a\nweb.xml:5:3: b");
}

static void
test_bounded (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autofree char *text = NULL;

  for (guint i = 0; i < DIAGNOSTICS_MAX; i++)
    diagnostics_warning (diagnostics, (Position){ i + 1, 1 }, VIR_ERR_XML_ERROR, "odd");
  assert_false (diagnostics_has_errors (diagnostics));
  diagnostics_error (diagnostics, (Position){ 1, 2 }, VIR_ERR_XML_ERROR, "wrong");
  assert_int_equal (diagnostics_count (diagnostics), DIAGNOSTICS_MAX);
  assert_true (diagnostics_has_errors (diagnostics));
  assert_false (diagnostics_check (diagnostics, NULL));
  text = diagnostics_to_text (diagnostics);
  assert_true (g_str_has_suffix (text, "(document): error: 1 more mistakes are not shown\n"));
}

static void
test_messages_are_tidy (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
  g_autofree char *huge = g_strnfill (100000, 'x');
  g_autofree char *text = NULL;

  diagnostics_error (diagnostics, (Position){ 1, 1 }, VIR_ERR_XML_ERROR, "'%s'",
                     "a\nf:2:2: error: \x1b[1m\xff");
  text = diagnostics_to_text (diagnostics);
  assert_string_equal (text, "f:1:1: error: 'a f:2:2: error:  [1m\xef\xbf\xbd'\n");
  diagnostics_error (diagnostics, (Position){ 2, 1 }, VIR_ERR_XML_ERROR, "%s", huge);
  assert_true (strlen (diagnostics_get (diagnostics, 1)->message) < 5000);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_order_and_once),        cmocka_unit_test (test_warnings_are_no_errors),
    cmocka_unit_test (test_check_makes_one_error), cmocka_unit_test (test_bounded),
    cmocka_unit_test (test_messages_are_tidy),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
