/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys pressed from outside. QEMU takes its own key numbers: the codes of the first PC keyboards, with the
 * high bit for those that came later. Linux's codes are the same up to F12 and have an order of their own
 * after it.
 */
#include "daemon/machine.h"
#include "daemon/ops/ops.h"

#include "qemu/recipe.h"

#define LINUX_SAME_MAX 88 /* F12 */
#define KEY_NUMBER_MAX 0xff

/* Linux's input event codes beyond it, and QEMU's numbers. */
static const struct {
  guint code, number;
} linux_keys[] = {
  { 96, 0x9c },  /* keypad enter */
  { 97, 0x9d },  /* right control */
  { 98, 0xb5 },  /* keypad slash */
  { 99, 0x54 },  /* system request */
  { 100, 0xb8 }, /* right alt */
  { 102, 0xc7 }, /* home */
  { 103, 0xc8 }, /* up */
  { 104, 0xc9 }, /* page up */
  { 105, 0xcb }, /* left */
  { 106, 0xcd }, /* right */
  { 107, 0xcf }, /* end */
  { 108, 0xd0 }, /* down */
  { 109, 0xd1 }, /* page down */
  { 110, 0xd2 }, /* insert */
  { 111, 0xd3 }, /* delete */
  { 113, 0xa0 }, /* mute */
  { 114, 0xae }, /* volume down */
  { 115, 0xb0 }, /* volume up */
  { 116, 0xde }, /* power */
  { 117, 0x59 }, /* keypad equal */
  { 119, 0xc6 }, /* pause */
  { 125, 0xdb }, /* left meta */
  { 126, 0xdc }, /* right meta */
  { 127, 0xdd }, /* menu */
};

/* 0: no key QEMU has. */
static guint
key_number (guint set, guint code)
{
  if (set == VIR_KEYCODE_SET_QNUM)
    return code <= KEY_NUMBER_MAX ? code : 0;
  if (set == VIR_KEYCODE_SET_XT || set == VIR_KEYCODE_SET_ATSET1) {
    if ((code & 0xff00) == 0xe000)
      return (code & 0x7f) | 0x80;
    return code <= 0x7f ? code : 0;
  }
  if (code <= LINUX_SAME_MAX)
    return code;
  for (gsize i = 0; i < G_N_ELEMENTS (linux_keys); i++)
    if (linux_keys[i].code == code)
      return linux_keys[i].number;
  return 0;
}

static void
sent (JsonNode *answer, const GError *error, gpointer data)
{
  if (answer != NULL)
    call_answer_nothing (data);
  else
    call_fail (data, g_error_copy (error));
}

/* NULL, and the call failed, when one of them is no key. */
static JsonArray *
read_keys (Call *call)
{
  g_autoptr (GVariant) codes = g_variant_get_child_value (call->arguments, 3);
  g_autoptr (JsonArray) keys = json_array_new ();

  for (gsize i = 0; i < g_variant_n_children (codes); i++) {
    guint code, number;

    g_variant_get_child (codes, i, "u", &code);
    number = key_number (call_uint (call, 1), code);
    if (number == 0) {
      call_fail_with (call, VIR_ERR_INTERNAL_ERROR,
                      "cannot translate keycode %u of %s codeset to qnum keycode", code,
                      call_uint (call, 1) == VIR_KEYCODE_SET_LINUX ? "linux" : "the given");
      return NULL;
    }
    json_array_add_object_element (keys, props ("type", "s", "number", "data", "u", number, NULL));
  }
  return g_steal_pointer (&keys);
}

void
op_domain_send_key (Call *call)
{
  guint set = call_uint (call, 1), hold = call_uint (call, 2);
  JsonArray *keys;

  if (!call_check_flags (call, call_uint (call, 4), 0) || !call_check_monitor (call))
    return;
  if (set != VIR_KEYCODE_SET_LINUX && set != VIR_KEYCODE_SET_XT && set != VIR_KEYCODE_SET_ATSET1
      && set != VIR_KEYCODE_SET_QNUM) {
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED,
                    "keys of code set %u cannot be sent; linux, xt, atset1 and qnum can", set);
    return;
  }
  keys = read_keys (call);
  if (keys == NULL)
    return;
  qmp_ask (call->domain->machine->qmp, "send-key",
           props ("keys", "a", keys, hold != 0 ? "hold-time" : NULL, "u", hold, NULL),
           call->manager->settings->call_timeout, sent, call);
}
