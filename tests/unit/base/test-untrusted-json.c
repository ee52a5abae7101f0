/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON from outside: what bounds its nesting reads it as the parser does. */
#include "base/untrusted-json.h"

#include "cmocka-glib.h"

#include <string.h>

static char *
nested (const char *before, guint depth)
{
  g_autoptr (GString) text = g_string_new (before);

  g_string_append (text, "{\"a\":");
  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, '[');
  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, ']');
  g_string_append_c (text, '}');
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
is_read (const char *text)
{
  g_autoptr (JsonObject) object = untrusted_json_object (text, strlen (text));

  return object != NULL;
}

/* The parser would complain of a caller's mistake. */
static void
nothing_is_no_object (G_GNUC_UNUSED void **state)
{
  GLogLevelFlags before = g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  assert_null (untrusted_json_object (NULL, 0));
  assert_false (is_read (""));
  g_log_set_always_fatal (before);
}

/* Of several values the parser would lose all but the last: the leak checker looks. */
static void
there_is_one_value (G_GNUC_UNUSED void **state)
{
  static const char *const others[] = { "1{}", "{}{}", "{\"a\":1}[]", "[]{}", "\"a\"{}",
                                        "}{}", "{}}",  "{} 1",        "1" };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    assert_false (is_read (others[i]));
  assert_true (is_read (" {\"a\":\"}{\"} \r\n"));
}

static void
nesting_has_an_end (G_GNUC_UNUSED void **state)
{
  g_autofree char *deepest = nested ("", UNTRUSTED_JSON_MAX_DEPTH);
  g_autofree char *deeper = nested ("", UNTRUSTED_JSON_MAX_DEPTH + 1);

  assert_true (is_read (deepest));
  assert_false (is_read (deeper));
}

/* {"a":[ITEM,ITEM,...]} of @count items. */
static char *
list_of (const char *item, guint count)
{
  g_autoptr (GString) text = g_string_new ("{\"a\":[");

  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "," : "", item);
  g_string_append (text, "]}");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* An item costs its comma, and an object its bracket too; what a string holds costs nothing. */
static void
values_have_an_end (G_GNUC_UNUSED void **state)
{
  const guint frame = 2; /* {"a":[ has one more than the commas, which are one less than the items */
  g_autofree char *most = list_of ("1", UNTRUSTED_JSON_MAX_VALUES - frame);
  g_autofree char *more = list_of ("1", UNTRUSTED_JSON_MAX_VALUES - frame + 1);
  g_autofree char *objects = list_of ("{}", UNTRUSTED_JSON_MAX_VALUES / 2 + 1);
  g_autofree char *commas = g_strnfill (2 * UNTRUSTED_JSON_MAX_VALUES, ',');
  g_autofree char *string = g_strdup_printf ("{\"a\":\"%s\"}", commas);

  assert_true (is_read (most));
  assert_false (is_read (more));
  assert_false (is_read (objects));
  assert_true (is_read (string));
}

/* Comments and other strings than JSON's, in which a quote would begin no string for the parser. */
static void
nothing_hides_brackets (G_GNUC_UNUSED void **state)
{
  static const char *const hiding[] = { "/* \" */", "// \"\n", "'\"'", "var x = ", "# \"\n" };

  for (guint i = 0; i < G_N_ELEMENTS (hiding); i++) {
    g_autofree char *flat = g_strconcat (hiding[i], "{}", NULL);
    g_autofree char *deep = nested (hiding[i], 100000);

    assert_false (is_read (flat));
    assert_false (is_read (deep));
  }
  assert_false (is_read ("{'a':1}"));
}

static void
values_are_read (G_GNUC_UNUSED void **state)
{
  assert_true (is_read ("{\"a\": [1, -2.5e+3, true, false, null, \"/* '[{ \\\" \"]}\r\n"));
  assert_false (is_read ("[]"));
  assert_false (is_read (""));
}

/* A member is what was asked for, or nothing. */
static void
members_have_their_type (G_GNUC_UNUSED void **state)
{
  static const char *const values[] = { "null", "7", "-7", "1.5", "true", "\"x\"", "{}", "[]" };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autofree char *text = g_strdup_printf ("{\"a\":%s}", values[i]);
    g_autoptr (JsonObject) object = untrusted_json_object (text, strlen (text));
    gint64 number = 3;

    assert_int_equal (untrusted_number (object, "a", &number), i == 1 || i == 2);
    assert_int_equal (number, i == 1 ? 7 : i == 2 ? -7 : 3);
    assert_int_equal (untrusted_count (object, "a"), i == 1 ? 7 : 0);
    assert_int_equal (untrusted_switch (object, "a"), i == 4);
    assert_int_equal (untrusted_text (object, "a") != NULL, i == 5);
    assert_int_equal (untrusted_object (object, "a") != NULL, i == 6);
    assert_int_equal (untrusted_list (object, "a") != NULL, i == 7);
    assert_null (untrusted_text (object, "b"));
  }
  assert_null (untrusted_text (NULL, "a"));
}

static void
texts_have_an_end (G_GNUC_UNUSED void **state)
{
  for (guint more = 0; more < 2; more++) {
    g_autofree char *long_text = g_strnfill (UNTRUSTED_TEXT_MAX + more, 'x');
    g_autofree char *text = g_strdup_printf ("{\"a\":\"%s\"}", long_text);
    g_autoptr (JsonObject) object = untrusted_json_object (text, strlen (text));

    assert_int_equal (untrusted_text (object, "a") == NULL, more);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (members_have_their_type), cmocka_unit_test (texts_have_an_end),
    cmocka_unit_test (nothing_is_no_object),    cmocka_unit_test (there_is_one_value),
    cmocka_unit_test (nesting_has_an_end),      cmocka_unit_test (values_have_an_end),
    cmocka_unit_test (nothing_hides_brackets),  cmocka_unit_test (values_are_read),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
