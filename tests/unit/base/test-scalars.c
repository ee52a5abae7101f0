/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The small values of the format, as text and back. */
#include "base/scalars.h"
#include "cmocka-glib.h"

static const struct {
  const char *text;
  guint64 max;
  gboolean decimal, any_base;
  guint64 value;
} numbers[] = {
  { "0", 0, TRUE, TRUE, 0 },
  { "42", 100, TRUE, TRUE, 42 },
  { "007", 100, TRUE, TRUE, 7 },
  { "18446744073709551615", G_MAXUINT64, TRUE, TRUE, G_MAXUINT64 },
  { "18446744073709551616", G_MAXUINT64, FALSE, FALSE, 0 },
  { "101", 100, FALSE, FALSE, 0 },
  { "0x1f", 100, FALSE, TRUE, 31 },
  { "0XFF", 255, FALSE, TRUE, 255 },
  { "0x", 100, FALSE, FALSE, 0 },
  { "0x10000000000000000", G_MAXUINT64, FALSE, FALSE, 0 },
  { "ff", 255, FALSE, FALSE, 0 },
  { "", 100, FALSE, FALSE, 0 },
  { "-1", 100, FALSE, FALSE, 0 },
  { "+1", 100, FALSE, FALSE, 0 },
  { " 1", 100, FALSE, FALSE, 0 },
  { "1 ", 100, FALSE, FALSE, 0 },
  { "1.5", 100, FALSE, FALSE, 0 },
  { NULL, 100, FALSE, FALSE, 0 },
};

static void
test_numbers (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    guint64 value = 12345;

    assert_int_equal (parse_uint (numbers[i].text, numbers[i].max, &value), numbers[i].decimal);
    assert_true (value == (numbers[i].decimal ? numbers[i].value : 12345));
    value = 12345;
    assert_int_equal (parse_uint_any_base (numbers[i].text, numbers[i].max, &value), numbers[i].any_base);
    assert_true (value == (numbers[i].any_base ? numbers[i].value : 12345));
  }
}

static void
test_uuid (G_GNUC_UNUSED void **state)
{
  static const char *const good[] = {
    "c7a5fdbd-edaf-9455-926a-d65c16db1809",
    "C7A5FDBDEDAF9455926AD65C16DB1809",
    "c7a5fdbded-af9455926ad65c16db18-09",
    " c7a5fdbd-edaf-9455-926a-d65c16db1809\n",
  };
  static const char *const bad[] = {
    "",
    "c7a5fdbd",
    "c7a5fdbd-edaf-9455-926a-d65c16db180",
    "c7a5fdbd-edaf-9455-926a-d65c16db18091",
    "c7a5fdbd-edaf-9455-926a-d65c16db180g",
    "c7a5fdbd-edaf-9455-926a-d65c16db180-9",
    "-c7a5fdbdedaf9455926ad65c16db1809",
    "c7a5fdbd edaf 9455 926a d65c16db1809",
  };
  guint8 uuid[UUID_BYTES], other[UUID_BYTES];
  char text[UUID_TEXT];

  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    assert_true (uuid_parse (good[i], uuid));
    uuid_format (uuid, text);
    assert_string_equal (text, good[0]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_false (uuid_parse (bad[i], uuid));
  assert_false (uuid_parse (NULL, uuid));

  uuid_generate (uuid);
  uuid_generate (other);
  assert_memory_not_equal (uuid, other, UUID_BYTES);
  assert_int_equal (uuid[6] >> 4, 4);
  assert_int_equal (uuid[8] >> 6, 2);
}

static void
test_mac (G_GNUC_UNUSED void **state)
{
  static const char *const bad[] = { "",
                                     "52:54:00:12:34",
                                     "52:54:00:12:34:56:",
                                     "52:54:00:12:34:56:78",
                                     "52-54-00-12-34-56",
                                     "52:54:00:12:34:5g",
                                     "525:4:00:12:34:56",
                                     ":::::",
                                     "52:54:00:12:34:56 " };
  guint8 mac[MAC_BYTES], other[MAC_BYTES];
  char text[MAC_TEXT];

  assert_true (mac_parse ("52:54:0:aB:C:56", mac));
  mac_format (mac, text);
  assert_string_equal (text, "52:54:00:ab:0c:56");
  assert_false (mac_is_multicast (mac));
  assert_true (mac_parse ("01:00:5e:00:00:fb", mac));
  assert_true (mac_is_multicast (mac));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_false (mac_parse (bad[i], mac));
  assert_false (mac_parse (NULL, mac));

  mac_generate (mac);
  mac_format (mac, text);
  assert_true (g_str_has_prefix (text, "52:54:00:"));
  assert_true (mac_parse (text, other));
  assert_memory_equal (mac, other, MAC_BYTES);
}

static const struct {
  const char *unit;
  guint64 bytes; /* 0: no unit */
} units[] = {
  { NULL, 1024 },
  { "", 1024 },
  { "b", 1 },
  { "bytes", 1 },
  { "byte", 1 },
  { "B", 1 },
  { "k", 1024 },
  { "KiB", 1024 },
  { "KB", 1000 },
  { "kb", 1000 },
  { "M", 1024 * 1024 },
  { "MiB", 1024 * 1024 },
  { "MB", 1000 * 1000 },
  { "g", 1024 * 1024 * 1024 },
  { "T", 1ULL << 40 },
  { "PiB", 1ULL << 50 },
  { "EiB", 1ULL << 60 },
  { "EB", 1000000000000000000ULL },
  { "x", 0 },
  { "Kib ", 0 },
  { "KiBi", 0 },
  { "bit", 0 },
};

static void
test_size_unit (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    guint64 bytes = 0;

    assert_int_equal (size_unit (units[i].unit, 1024, &bytes), units[i].bytes != 0);
    assert_true (bytes == units[i].bytes);
  }
}

static const struct {
  const char *text, *printed; /* NULL: a mistake */
} cpu_sets[] = {
  { "0", "0" },           { "0-3,^2,8", "0-1,3,8" },
  { "8,1,0,2", "0-2,8" }, { " 1 - 3 , 5 ", "1-3,5" },
  { "^2,2", "2" },        { "4095", "4095" },
  { "0-4095", "0-4095" }, { "62-65", "62-65" },
  { "", NULL },           { ",", NULL },
  { "1,", NULL },         { "1,,2", NULL },
  { "3-1", NULL },        { "0-3,^1-2", NULL },
  { "4096", NULL },       { "99999999999999999999", NULL },
  { "1,^1", NULL },       { "a", NULL },
  { "1 2", NULL },        { "-1", NULL },
};

static void
test_cpu_set (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (cpu_sets); i++) {
    const char *mistake = NULL;
    g_autoptr (CpuSet) set = cpu_set_parse (cpu_sets[i].text, &mistake);

    if (cpu_sets[i].printed != NULL) {
      g_autofree char *text = NULL;

      assert_non_null (set);
      text = cpu_set_to_string (set);
      assert_string_equal (text, cpu_sets[i].printed);
    } else {
      assert_null (set);
      assert_non_null (mistake);
    }
  }
}

static void
test_cpu_set_members (G_GNUC_UNUSED void **state)
{
  g_autoptr (CpuSet) set = cpu_set_new ();

  assert_int_equal (cpu_set_count (set), 0);
  cpu_set_add (set, 64);
  cpu_set_add (set, 64);
  cpu_set_add (set, 3);
  assert_int_equal (cpu_set_count (set), 2);
  assert_true (cpu_set_contains (set, 64));
  assert_false (cpu_set_contains (set, 0));
  assert_false (cpu_set_contains (set, G_MAXUINT));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_numbers), cmocka_unit_test (test_uuid),
    cmocka_unit_test (test_mac),     cmocka_unit_test (test_size_unit),
    cmocka_unit_test (test_cpu_set), cmocka_unit_test (test_cpu_set_members),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
