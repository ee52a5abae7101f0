/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words, values, and what someone probably meant. */
#include "base/enum-table.h"
#include "cmocka-glib.h"

static const EnumTable buses = { "disk bus", { NULL, "virtio", "sata", "scsi", "ide", "usb", "fdc" } };

static void
test_values (G_GNUC_UNUSED void **state)
{
  assert_int_equal (enum_table_value (&buses, "virtio"), 1);
  assert_int_equal (enum_table_value (&buses, "fdc"), 6);
  assert_int_equal (enum_table_value (&buses, "Virtio"), 0);
  assert_int_equal (enum_table_value (&buses, ""), 0);
  assert_int_equal (enum_table_value (&buses, NULL), 0);
  assert_string_equal (enum_table_name (&buses, 2), "sata");
  assert_null (enum_table_name (&buses, 0));
  assert_null (enum_table_name (&buses, 7));
  assert_null (enum_table_name (&buses, -1));
  assert_null (enum_table_name (&buses, 100000));
  assert_int_equal (enum_table_value (&yes_no_table, "yes"), TRISTATE_YES);
  assert_int_equal (enum_table_value (&on_off_table, "off"), TRISTATE_NO);
}

static void
test_choices (G_GNUC_UNUSED void **state)
{
  g_autofree char *many = enum_table_choices (&buses);
  g_autofree char *two = enum_table_choices (&on_off_table);

  assert_string_equal (many, "'virtio', 'sata', 'scsi', 'ide', 'usb' or 'fdc'");
  assert_string_equal (two, "'on' or 'off'");
}

static const struct {
  const char *word, *nearest;
} spellings[] = {
  { "virtoi", "virtio" }, /* neighbours swapped */
  { "virtioo", "virtio" }, { "virio", "virtio" }, { "VirtIO", "virtio" },
  { "vrtoi", "virtio" },   { "stata", "sata" },   { "ids", "ide" },
  { "SATA", "sata" },      { "x", NULL },         { "", NULL },
  { "nvme", NULL },        { "xen", NULL },       { "something-else", NULL },
};

static void
test_nearest (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (spellings); i++) {
    const char *nearest = enum_table_nearest (&buses, spellings[i].word);

    if (spellings[i].nearest == NULL)
      assert_null (nearest);
    else
      assert_string_equal (nearest, spellings[i].nearest);
  }
}

static void
test_nearest_takes_the_nearest (G_GNUC_UNUSED void **state)
{
  const char *const words[] = { "memtune", "memory", "memoryBacking", "memoryBackin", NULL };
  g_autofree char *huge = g_strnfill (100000, 'm');

  assert_string_equal (nearest_word ("memroy", words), "memory");
  assert_string_equal (nearest_word ("memorybaking", words), "memoryBacking");
  assert_string_equal (nearest_word ("memoryBacking", words), "memoryBacking");
  assert_null (nearest_word (huge, words));
  assert_null (nearest_word (NULL, words));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_values),
    cmocka_unit_test (test_choices),
    cmocka_unit_test (test_nearest),
    cmocka_unit_test (test_nearest_takes_the_nearest),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
