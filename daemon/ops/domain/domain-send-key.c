/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys pressed from outside, by their codes in any of the sets of lib/targets/qemu/key-codes.h.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/ops.h"

#include "targets/qemu/key-codes.h"
#include "targets/qemu/recipe.h"

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
                      key_set_name (call_uint (call, 1)));
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
  if (key_set_name (set) == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "Unsupported codeset '%u'", set);
    return;
  }
  keys = read_keys (call);
  if (keys == NULL)
    return;
  qmp_query (call->domain->machine->qmp, "send-key",
             props ("keys", "a", keys, hold != 0 ? "hold-time" : NULL, "u", hold, NULL),
             call->manager->settings->call_timeout, sent, call);
}
