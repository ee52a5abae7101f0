/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One key in each set of codes, and what is none. */

#include "cmocka-glib.h"
#include "targets/qemu/key-codes.h"

#include <libvirt/libvirt.h>

static void
a_key_has_a_number_in_every_set (void **state)
{
  static const struct {
    guint set;
    guint enter, right_control, left_meta, f12;
  } rows[] = {
    { VIR_KEYCODE_SET_LINUX, 28, 97, 125, 88 },
    { VIR_KEYCODE_SET_XT, 0x1c, 0xe01d, 0xe05b, 0x58 },
    { VIR_KEYCODE_SET_ATSET1, 0x1c, 0xe01d, 0xe05b, 0x58 },
    { VIR_KEYCODE_SET_ATSET2, 0x5a, 0xe014, 0xe01f, 0x07 },
    { VIR_KEYCODE_SET_ATSET3, 0x5a, 0x58, 0x8b, 0x5e },
    { VIR_KEYCODE_SET_OSX, 0x24, 0x3e, 0x37, 0x6f },
    { VIR_KEYCODE_SET_XT_KBD, 0x1c, 0x11d, 0x15b, 0x58 },
    { VIR_KEYCODE_SET_USB, 0x28, 0xe4, 0xe3, 0x45 },
    { VIR_KEYCODE_SET_WIN32, 0x0d, 0xa3, 0x5b, 0x7b },
    { VIR_KEYCODE_SET_QNUM, 0x1c, 0x9d, 0xdb, 0x58 },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    assert_non_null (key_set_name (rows[i].set));
    assert_int_equal (key_number (rows[i].set, rows[i].enter), 0x1c);
    assert_int_equal (key_number (rows[i].set, rows[i].right_control), 0x9d);
    assert_int_equal (key_number (rows[i].set, rows[i].left_meta), 0xdb);
    assert_int_equal (key_number (rows[i].set, rows[i].f12), 0x58);
  }
}

static void
what_is_no_key_has_none (void **state)
{
  (void)state;
  assert_int_equal (key_number (VIR_KEYCODE_SET_LINUX, 240), 0);
  assert_int_equal (key_number (VIR_KEYCODE_SET_WIN32, 1), 0); /* a button of the mouse */
  assert_int_equal (key_number (VIR_KEYCODE_SET_ATSET1, 0xe11d), 0);
  assert_int_equal (key_number (VIR_KEYCODE_SET_XT_KBD, 0x21d), 0);
  assert_int_equal (key_number (VIR_KEYCODE_SET_QNUM, 0x100), 0);
  assert_null (key_set_name (VIR_KEYCODE_SET_QNUM + 1));
  for (guint set = 0; set <= VIR_KEYCODE_SET_QNUM + 1; set++) {
    assert_int_equal (key_number (set, G_MAXUINT32), 0);
    for (guint code = 0; code <= G_MAXUINT16; code++)
      assert_true (key_number (set, code) <= KEY_NUMBER_MAX);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (a_key_has_a_number_in_every_set),
    cmocka_unit_test (what_is_no_key_has_none),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
