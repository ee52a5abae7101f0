/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signatures of the RPC protocol: what is one, which GVariant type it has, and which values keep its limits.
 */
#include "facts.h"
#include "wire/shape.h"

static const struct {
  const char *signature, *type;
  gsize wire_minimum;
} signatures[] = {
  { "-", "()", 0 },
  { "", "()", 0 },
  { "iuxtd", "(iuxtd)", 32 },
  { "cyq", "(yyq)", 12 },
  { "s", "(s)", 4 },
  { "ay{8}", "(ay)", 4 },
  { "ay[16]", "(ay)", 16 },
  { "ay[5]", "(ay)", 8 },
  { "c[32]tiiiiii", "(aytiiiiii)", 160 },
  { "msu", "(msu)", 8 },
  { "T", "(v)", 8 },
  { "DaP{16}u", "((sayi)a{sv}u)", 32 },
  { "a(DaP{262144}){16384}", "(a((sayi)a{sv}))", 4 },
  { "a(smsa(isu){2048}){2048}", "(a(smsa(isu)))", 4 },
  { "UDNFSOBIVEKCZ", "(ay(sayi)(say)(say)(say)((say)ay)(ss)(ss)(sss)(s)(ayis)(s(sayi))(s(sayi)))", 248 },
  { "imD", "(im(sayi))", 8 },
};

static void
test_types (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (signatures); i++) {
    const Shape *shape = shape_of (signatures[i].signature);
    g_autofree char *type = g_variant_type_dup_string (shape->type);

    assert_string_equal (type, signatures[i].type);
    assert_int_equal (shape->wire_minimum, signatures[i].wire_minimum);
    assert_ptr_equal (shape, shape_of (signatures[i].signature));
  }
}

static const char *const bad_signatures[] = {
  "z",
  "a",
  "ai",
  "ai{}",
  "ai{0}",
  "ai{-1}",
  "ai{5",
  "ai{4294967296}",
  "ay",
  "ay[0]",
  "(",
  "(i",
  ")",
  "i)",
  "m",
  "a(){5}",
  "{sv}",
  "mmmmmmmmmmmmmmmmi",
  "((((((((((((((i))))))))))))))",
  "i-",
  "i i",
};

static void
test_bad_signatures (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_signatures); i++) {
    g_autoptr (GError) error = NULL;

    assert_null (shape_parse (bad_signatures[i], &error));
    assert_non_null (strstr (error->message, bad_signatures[i]));
    assert_non_null (strstr (error->message, "character"));
  }
}

static const struct {
  const char *signature, *value, *mistake; /* NULL: none */
} values[] = {
  { "-", "()", NULL },
  { "ai{3}", "(@ai [],)", NULL },
  { "ai{3}", "([1, 2, 3],)", NULL },
  { "ai{3}", "([1, 2, 3, 4],)", "argument 1: 4 items where at most 3 are allowed" },
  { "iay{2}", "(1, b'a')", NULL },
  { "iay{2}", "(1, [byte 1, 2, 3])", "argument 2: 3 bytes where at most 2 are allowed" },
  { "ay[2]", "([byte 1],)", "argument 1: 1 bytes where exactly 2 are allowed" },
  { "c[3]", "([byte 1, 2],)", "argument 1: 2 items where exactly 3 are allowed" },
  { "Du", "(('web', [byte 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], -1), uint32 0)", NULL },
  { "Du", "(('web', [byte 0], -1), uint32 0)", "argument 1, member 2: 1 bytes where exactly 16 are allowed" },
  { "mai{1}", "(@mai nothing,)", NULL },
  { "mai{1}", "(just [1, 2],)", "argument 1: 2 items where at most 1 are allowed" },
  { "aP{2}", "({'a': <1>, 'b': <true>},)", NULL },
  { "aP{2}", "({'a': <1>, 'a': <'again'>},)", NULL },
  { "aP{2}", "({'a': <byte 1>},)",
    "argument 1, item 1: a value of type 'y' where one of i, u, x, t, d, b, s is expected" },
  { "a(ii){2}", "([(1, 2), (3, 4), (5, 6)],)", "argument 1: 3 items where at most 2 are allowed" },
  { "s", "(1,)", "a value of type '(i)' where '(s)' is expected" },
  { "T", "(<@as []>,)", "argument 1: a value of type 'as' where one of i, u, x, t, d, b, s is expected" },
};

static void
test_values (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) value = g_variant_parse (NULL, values[i].value, NULL, NULL, &error);

    g_assert_no_error (error);
    assert_int_equal (shape_check (shape_of (values[i].signature), value, &error), values[i].mistake == NULL);
    if (values[i].mistake != NULL) {
      assert_int_equal (virt_error_code (error), VIR_ERR_INVALID_ARG);
      assert_non_null (strstr (error->message, values[i].mistake));
    }
  }
}

static void
test_long_texts (G_GNUC_UNUSED void **state)
{
  g_autofree char *longest = g_strnfill (SHAPE_STRING_MAX, 'x');
  g_autofree char *longer = g_strnfill (SHAPE_STRING_MAX + 1, 'x');
  g_autofree char *name = g_strnfill (SHAPE_VALUE_NAME_MAX - 1, 'n');
  g_autofree char *long_name = g_strnfill (SHAPE_VALUE_NAME_MAX, 'n');
  g_autoptr (GVariant) good = g_variant_ref_sink (g_variant_new ("(s)", longest));
  g_autoptr (GVariant) bad = g_variant_ref_sink (g_variant_new ("(s)", longer));
  g_autoptr (GVariant) named = g_variant_ref_sink (g_variant_new_parsed ("({%s: <1>},)", name));
  g_autoptr (GVariant) misnamed = g_variant_ref_sink (g_variant_new_parsed ("({%s: <1>},)", long_name));

  assert_true (shape_check (shape_of ("s"), good, NULL));
  assert_false (shape_check (shape_of ("s"), bad, NULL));
  assert_true (shape_check (shape_of ("aP{1}"), named, NULL));
  assert_false (shape_check (shape_of ("aP{1}"), misnamed, NULL));
}

static void
parse_row (GHashTable *row, gpointer data)
{
  g_autoptr (GError) error = NULL;

  for (const char *const *column = data; *column != NULL; column++) {
    assert_non_null (shape_parse (g_hash_table_lookup (row, *column), &error));
    g_assert_no_error (error);
  }
}

static void
test_every_procedure (G_GNUC_UNUSED void **state)
{
  static const char *const procedures[] = { "args", "reply", NULL };
  static const char *const events[] = { "payload", NULL };

  assert_int_equal (facts_read ("libvirt-rpc.tsv", parse_row, (gpointer)procedures), 461);
  assert_int_equal (facts_read ("libvirt-events.tsv", parse_row, (gpointer)events), 38);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_types),           cmocka_unit_test (test_bad_signatures),
    cmocka_unit_test (test_values),          cmocka_unit_test (test_long_texts),
    cmocka_unit_test (test_every_procedure),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
