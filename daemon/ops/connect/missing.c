/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking up what cannot be there: of the kinds of objects that are not kept yet there are none, so the
 * truthful answer to a name is that nothing has it. Tools tell "not found", upon which they make one or go
 * on without, from "not supported", upon which they give up.
 */
#include "daemon/call/operation.h"
#include "daemon/ops/ops.h"

#include "base/scalars.h"

static const struct {
  const char *operation;
  virErrorNumber code;
  const char *format; /* with one %s, for @argument */
  guint argument;
} lookups[] = {
  { "NODE_DEVICE_LOOKUP_BY_NAME", VIR_ERR_NO_NODE_DEVICE, "no node device with matching name '%s'", 0 },
  { "NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN", VIR_ERR_NO_NODE_DEVICE, "no node device with matching wwnn '%s'",
    0 },
};

/* An argument that says which object: a text, or the sixteen bytes of a UUID. (transfer full) */
static char *
describe_argument (const Call *call, guint index)
{
  g_autoptr (GVariant) argument = g_variant_get_child_value (call->arguments, index);
  const guint8 *bytes;
  char text[UUID_TEXT];
  gsize length;

  if (g_variant_is_of_type (argument, G_VARIANT_TYPE_STRING))
    return g_variant_dup_string (argument, NULL);
  bytes = g_variant_get_fixed_array (argument, &length, 1);
  if (length != UUID_BYTES)
    return g_strdup ("");
  uuid_format (bytes, text);
  return g_strdup (text);
}

void
op_lookup_finds_none (Call *call)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lookups); i++) {
    if (g_str_equal (lookups[i].operation, call->operation->name)) {
      g_autofree char *which = describe_argument (call, lookups[i].argument);
      g_auto (GStrv) parts = g_strsplit (lookups[i].format, "%s", 2);

      call_fail_with (call, lookups[i].code, "%s%s%s", parts[0], which, parts[1]);
      return;
    }
  }
  call_fail_with (call, VIR_ERR_NO_SUPPORT, "%s", call->operation->name);
}
