/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Typed parameters, read by name: what is not known is refused, as libvirt does. */
#include "daemon/ops/parameters.h"

static const CallString *
find_string (const CallString *known, const char *name)
{
  for (; known->name != NULL; known++)
    if (g_str_equal (known->name, name))
      return known;
  return NULL;
}

gboolean
call_take_strings (Call *call, GVariant *parameters, const CallString *known)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, parameters);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) held = value;
    const CallString *parameter = find_string (known, name);

    if (parameter == NULL) {
      call_fail_with (call, VIR_ERR_INVALID_ARG, "parameter '%s' not supported", name);
      return FALSE;
    }
    if (*parameter->ret != NULL || !g_variant_is_of_type (held, G_VARIANT_TYPE_STRING)) {
      call_fail_with (call, VIR_ERR_INVALID_ARG,
                      *parameter->ret != NULL ? "parameter '%s' occurs multiple times"
                                              : "invalid type for parameter '%s', expected string",
                      name);
      return FALSE;
    }
    *parameter->ret = g_variant_get_string (held, NULL);
  }
  return TRUE;
}
