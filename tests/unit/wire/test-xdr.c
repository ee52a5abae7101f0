/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* XDR: the bytes of each type, every limit, and bytes that are not what they should be. */
#include "facts.h"
#include "wire/xdr.h"

/* "0000 0001" as bytes. */
static GByteArray *
bytes_of (const char *hex)
{
  GByteArray *bytes = g_byte_array_new ();
  int high = -1;

  for (const char *at = hex; *at != '\0'; at++) {
    guint8 byte;
    if (*at == ' ')
      continue;
    assert_true (g_ascii_isxdigit (*at));
    if (high < 0) {
      high = g_ascii_xdigit_value (*at);
      continue;
    }
    byte = (guint8)(high << 4 | g_ascii_xdigit_value (*at));
    g_byte_array_append (bytes, &byte, 1);
    high = -1;
  }
  return bytes;
}

/* Every beginning of @bytes that is not all of them must be refused; each in a block of its own size, so that
 * a read behind its end is seen. */
static void
assert_truncations_refused (const Shape *shape, GByteArray *bytes)
{
  for (guint length = 0; length < bytes->len; length++) {
    g_autofree guint8 *copy = g_memdup2 (bytes->data, length);
    g_autoptr (GError) error = NULL;

    assert_null (xdr_decode (shape, copy, length, &error));
    assert_int_equal (virt_error_code (error), VIR_ERR_RPC);
  }
}

static const struct {
  const char *signature, *value, *bytes;
} pairs[] = {
  { "-", "()", "" },
  { "iu", "(-1, uint32 4294967295)", "ffffffff ffffffff" },
  { "xt", "(int64 -2, uint64 18446744073709551615)", "fffffffffffffffe ffffffffffffffff" },
  { "d", "(1.5,)", "3ff8000000000000" },
  { "cyq", "(byte 0xff, byte 0xff, uint16 65535)", "ffffffff 000000ff 0000ffff" },
  { "s", "('',)", "00000000" },
  { "s", "('abc',)", "00000003 61626300" },
  { "s", "('abcd',)", "00000004 61626364" },
  { "s", "('ö',)", "00000002 c3b60000" },
  { "ay{9}", "(@ay [],)", "00000000" },
  { "ay{9}", "([byte 1, 2, 3, 4, 5],)", "00000005 01020304 05000000" },
  { "ay[3]", "([byte 1, 2, 3],)", "01020300" },
  { "c[3]", "([byte 0x61, 0, 0x80],)", "00000061 00000000 ffffff80" },
  { "ai{9}", "([1, 2],)", "00000002 00000001 00000002" },
  { "as{9}", "(['a', ''],)", "00000002 00000001 61000000 00000000" },
  { "i[2]", "([1, 2],)", "00000001 00000002" },
  { "msmi", "(@ms nothing, just 7)", "00000000 00000001 00000007" },
  { "(i(s))", "((1, ('a',)),)", "00000001 00000001 61000000" },
  { "aP{9}", "({'a': <1>, 'b': <uint32 2>, 'c': <int64 3>},)",
    "00000003 00000001 61000000 00000001 00000001 00000001 62000000 00000002 00000002"
    "00000001 63000000 00000003 0000000000000003" },
  { "aP{9}", "({'d': <uint64 4>, 'e': <1.5>, 'f': <true>, 'g': <'x'>},)",
    "00000004 00000001 64000000 00000004 0000000000000004 00000001 65000000 00000005 3ff8000000000000"
    "00000001 66000000 00000006 00000001 00000001 67000000 00000007 00000001 78000000" },
  { "D", "(('t1', [byte 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], -1),)",
    "00000002 74310000 000102030405060708090a0b0c0d0e0f ffffffff" },
  { "msu", "(just 'qemu:///system', uint32 0)",
    "00000001 0000000e 71656d75 3a2f2f2f 73797374 656d0000 00000000" },
};

static void
test_pairs (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    const Shape *shape = shape_of (pairs[i].signature);
    g_autoptr (GVariant) value = g_variant_parse (shape->type, pairs[i].value, NULL, NULL, NULL);
    g_autoptr (GByteArray) expected = bytes_of (pairs[i].bytes);
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autoptr (GVariant) decoded = NULL;
    g_autoptr (GError) error = NULL;

    assert_non_null (value);
    assert_true (xdr_encode (shape, value, bytes, &error));
    assert_int_equal (bytes->len, expected->len);
    assert_memory_equal (bytes->data, expected->data, bytes->len);
    decoded = xdr_decode (shape, bytes->data, bytes->len, &error);
    g_assert_no_error (error);
    assert_true (g_variant_equal (decoded, value));
    assert_truncations_refused (shape, bytes);
  }
}

static const struct {
  const char *signature, *bytes, *value; /* NULL: refused */
  const char *mistake;
} readings[] = {
  /* What does not matter. */
  { "i", "00000001 ffff", "(1,)", NULL },
  { "s", "00000001 61ffffff", "('a',)", NULL },
  { "ms", "01000000 00000001 61000000", "(just 'a',)", NULL },
  { "T", "00000006 80000000", "(<true>,)", NULL },
  { "yq", "000001ff 0001ffff", "(byte 255, uint16 65535)", NULL },
  /* Counts: 0, 1, the limit, one more, and absurd ones. */
  { "ai{2}", "00000000", "(@ai [],)", NULL },
  { "ai{2}", "00000001 00000005", "([5],)", NULL },
  { "ai{2}", "00000002 00000005 00000006", "([5, 6],)", NULL },
  { "ai{2}", "00000003 00000005 00000006 00000007", NULL,
    "argument 1: a length of 3 where at most 2 is allowed" },
  { "ai{2}", "80000000 00000005", NULL, "a length of 2147483648" },
  { "ai{2}", "ffffffff 00000005", NULL, "a length of 4294967295" },
  { "ai{2147483647}", "7fffffff 00000005", NULL, "a length of 2147483647 in the last 4 bytes" },
  { "ai{2147483647}", "40000000 00000005", NULL, "a length of 1073741824 in the last 4 bytes" },
  { "aD{16384}", "00000001 00000000 00000000", NULL, "a length of 1 in the last 8 bytes" },
  { "ay{2}", "00000002 01020000", "([byte 1, 2],)", NULL },
  { "ay{2}", "00000003 01020300", NULL, "a length of 3 where at most 2 is allowed" },
  { "ay{2}", "80000000", NULL, "a length of 2147483648" },
  { "ay{2147483647}", "7fffffff 01020300", NULL, "in the last 4 bytes" },
  { "s", "00400001", NULL, "a length of 4194305 where at most 4194304 is allowed" },
  { "s", "80000000", NULL, "a length of 2147483648" },
  { "s", "ffffffff", NULL, "a length of 4294967295" },
  { "is", "00000001 00000004 616263", NULL, "argument 2: a length of 4 in the last 3 bytes" },
  /* Contents. */
  { "s", "00000001 ff000000", NULL, "argument 1: the text is not valid UTF-8" },
  { "s", "00000003 61006200", NULL, "the text is not valid UTF-8" },
  { "iT", "00000001 00000000 00000000", NULL, "argument 2: 0 is no type of a typed parameter" },
  { "iT", "00000001 00000008 00000000", NULL, "argument 2: 8 is no type of a typed parameter" },
  { "a(is){5}", "00000002 00000001 00000001 61000000 00000001 00000001 ff000000", NULL,
    "argument 1, item 2, member 2: the text" },
};

static void
test_readings (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (readings); i++) {
    const Shape *shape = shape_of (readings[i].signature);
    g_autoptr (GByteArray) bytes = bytes_of (readings[i].bytes);
    g_autofree guint8 *exact = g_memdup2 (bytes->data, bytes->len);
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) value = xdr_decode (shape, exact, bytes->len, &error);

    if (readings[i].value != NULL) {
      g_autoptr (GVariant) expected = g_variant_parse (shape->type, readings[i].value, NULL, NULL, NULL);
      g_assert_no_error (error);
      assert_true (g_variant_equal (value, expected));
    } else {
      assert_null (value);
      assert_int_equal (virt_error_code (error), VIR_ERR_RPC);
      assert_non_null (strstr (error->message, readings[i].mistake));
    }
  }
}

static void
test_parameter_names (G_GNUC_UNUSED void **state)
{
  const Shape *shape = shape_of ("aP{1}");
  g_autoptr (GByteArray) longest = bytes_of ("00000001 0000004f");
  g_autoptr (GByteArray) longer = bytes_of ("00000001 00000050");
  g_autoptr (GByteArray) value = bytes_of ("00000001 00000007");
  g_autoptr (GVariant) decoded = NULL;

  for (guint i = 0; i < 80; i++) {
    g_byte_array_append (longest, (const guint8 *)"n", 1);
    g_byte_array_append (longer, (const guint8 *)"n", 1);
  }
  g_byte_array_append (longest, value->data, value->len);
  g_byte_array_append (longer, value->data, value->len);
  decoded = xdr_decode (shape, longest->data, longest->len, NULL);
  assert_non_null (decoded);
  assert_null (xdr_decode (shape, longer->data, longer->len, NULL));
}

static void
test_prefix (G_GNUC_UNUSED void **state)
{
  g_autoptr (GByteArray) bytes = bytes_of ("00000001 61000000 deadbeef");
  gsize taken = 0;
  g_autoptr (GVariant) value = xdr_decode_prefix (shape_of ("s"), bytes->data, bytes->len, &taken, NULL);

  assert_non_null (value);
  assert_int_equal (taken, 8);
}

static const struct {
  const char *signature, *value, *mistake;
} refusals[] = {
  { "ai{2}", "([1, 2, 3],)", "argument 1: a length of 3 where at most 2 is allowed" },
  { "sc[2]", "('a', b'')", "argument 2: a length of 1 where exactly 2 is allowed" },
  { "ay[2]", "([byte 1, 2, 3],)", "argument 1: a length of 3 where exactly 2 is allowed" },
  { "T", "(<byte 1>,)", "argument 1: a typed parameter of type 'y'" },
  { "i", "('text',)", "a value of type '(s)' where '(i)' is expected" },
};

static void
test_refused_values (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autoptr (GVariant) value = g_variant_parse (NULL, refusals[i].value, NULL, NULL, NULL);
    g_autoptr (GByteArray) bytes = bytes_of ("cafe");
    g_autoptr (GError) error = NULL;

    assert_non_null (value);
    assert_false (xdr_encode (shape_of (refusals[i].signature), value, bytes, &error));
    assert_int_equal (virt_error_code (error), VIR_ERR_RPC);
    assert_non_null (strstr (error->message, refusals[i].mistake));
    assert_int_equal (bytes->len, 2);
  }
}

static void
test_message_limit (G_GNUC_UNUSED void **state)
{
  g_autofree char *text = g_strnfill (SHAPE_STRING_MAX, 'x');
  const char *texts[] = { text, text, text, text, text, text, text, text, NULL };
  g_autoptr (GVariant) seven = g_variant_ref_sink (g_variant_new ("(@as)", g_variant_new_strv (texts, 7)));
  g_autoptr (GVariant) eight = g_variant_ref_sink (g_variant_new ("(@as)", g_variant_new_strv (texts, 8)));
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  assert_true (xdr_encode (shape_of ("as{8}"), seven, bytes, &error));
  g_byte_array_set_size (bytes, 0);
  assert_false (xdr_encode (shape_of ("as{8}"), eight, bytes, &error));
  assert_non_null (strstr (error->message, "longer than 33554408 bytes"));
  assert_int_equal (bytes->len, 0);
}

/* The ends of GVariant's items take one, two and four bytes, as the whole allows. */
static void
test_many_items (G_GNUC_UNUSED void **state)
{
  static const guint counts[] = { 0, 1, 2, 20, 50, 51, 52, 53, 54, 300, 13000, 20000 };
  const Shape *shape = shape_of ("a(sas{9}aP{9}y){65536}");

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autoptr (GVariant) value = NULL, decoded = NULL;
    GVariantBuilder items;

    g_variant_builder_init (&items, G_VARIANT_TYPE ("a(sasa{sv}y)"));
    for (guint item = 0; item < counts[i]; item++)
      g_variant_builder_add_parsed (&items, "('n', ['', %s], {'p': <%t>}, %y)", item % 3 == 0 ? "" : "text",
                                    (guint64)item, (guint8)item);
    value = g_variant_ref_sink (g_variant_new ("(a(sasa{sv}y))", &items));
    assert_true (xdr_encode (shape, value, bytes, NULL));
    decoded = xdr_decode (shape, bytes->data, bytes->len, NULL);
    assert_non_null (decoded);
    assert_true (g_variant_equal (decoded, value));
  }
}

/* Bytes that are no serialised value: an error or another value, and nothing read that is not there. */
static void
test_malformed_values (G_GNUC_UNUSED void **state)
{
  static const char *const signatures[] = { "s", "as{9}",    "aP{9}",    "D",        "msmi",
                                            "T", "a(is){5}", "ay{9}iyq", "aay{4}{4}" };
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint round = 0; round < 20000; round++) {
    const Shape *shape = shape_of (signatures[round % G_N_ELEMENTS (signatures)]);
    gsize size = (gsize)g_rand_int_range (random, 0, 40);
    g_autofree guint8 *data = g_malloc (size + 1);
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autoptr (GVariant) value = NULL;
    g_autoptr (GError) error = NULL;

    for (gsize i = 0; i < size; i++)
      data[i] = (guint8)g_rand_int_range (random, 0, round % 2 == 0 ? 256 : 12);
    value = g_variant_ref_sink (g_variant_new_from_data (shape->type, data, size, FALSE, NULL, NULL));
    if (xdr_encode (shape, value, bytes, &error))
      assert_int_equal (bytes->len % 4, 0);
    else
      assert_int_equal (virt_error_code (error), VIR_ERR_RPC);
  }
}

/* Some value of @shape: two of everything that may be many. */
static GVariant *
sample (const Shape *shape)
{
  guint count = shape->exact ? shape->limit : MIN (2, shape->limit);
  GVariantBuilder builder;

  switch (shape->kind) {
    case SHAPE_INT:
      return g_variant_new_int32 (-3);
    case SHAPE_UINT:
      return g_variant_new_uint32 (3);
    case SHAPE_HYPER:
      return g_variant_new_int64 (-4);
    case SHAPE_UHYPER:
      return g_variant_new_uint64 (4);
    case SHAPE_DOUBLE:
      return g_variant_new_double (0.25);
    case SHAPE_CHAR:
    case SHAPE_UCHAR:
      return g_variant_new_byte (7);
    case SHAPE_USHORT:
      return g_variant_new_uint16 (8);
    case SHAPE_STRING:
      return g_variant_new_string ("text");
    case SHAPE_VALUE:
      return g_variant_new_variant (g_variant_new_string ("value"));
    case SHAPE_PARAMETER:
      return g_variant_new_dict_entry (g_variant_new_string ("name"),
                                       g_variant_new_variant (g_variant_new_uint64 (9)));
    case SHAPE_OPTIONAL:
      return g_variant_new_maybe (NULL, sample (shape->members[0]));
    case SHAPE_BYTES:
    case SHAPE_ARRAY:
      g_variant_builder_init (&builder, shape->type);
      for (guint i = 0; i < count; i++)
        g_variant_builder_add_value (&builder, shape->kind == SHAPE_BYTES ? g_variant_new_byte (1)
                                                                          : sample (shape->members[0]));
      return g_variant_builder_end (&builder);
    case SHAPE_STRUCT:
      break;
  }
  g_variant_builder_init (&builder, shape->type);
  for (guint i = 0; i < shape->n_members; i++)
    g_variant_builder_add_value (&builder, sample (shape->members[i]));
  return g_variant_builder_end (&builder);
}

static void
round_trip (GHashTable *row, G_GNUC_UNUSED gpointer data)
{
  static const char *const columns[] = { "args", "reply" };

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    const Shape *shape = shape_of (g_hash_table_lookup (row, columns[i]));
    g_autoptr (GVariant) value = g_variant_ref_sink (sample (shape));
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autoptr (GVariant) decoded = NULL;

    assert_true (shape_check (shape, value, NULL));
    assert_true (xdr_encode (shape, value, bytes, NULL));
    assert_int_equal (bytes->len % 4, 0);
    decoded = xdr_decode (shape, bytes->data, bytes->len, NULL);
    assert_true (g_variant_equal (decoded, value));
    assert_truncations_refused (shape, bytes);
  }
}

static void
test_every_procedure (G_GNUC_UNUSED void **state)
{
  assert_int_equal (facts_read ("libvirt-rpc.tsv", round_trip, NULL), 461);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_pairs),
    cmocka_unit_test (test_readings),
    cmocka_unit_test (test_parameter_names),
    cmocka_unit_test (test_prefix),
    cmocka_unit_test (test_refused_values),
    cmocka_unit_test (test_message_limit),
    cmocka_unit_test (test_every_procedure),
    cmocka_unit_test (test_many_items),
    cmocka_unit_test (test_malformed_values),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
