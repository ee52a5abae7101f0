/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Typed parameters, read by name: what is not known is refused, as libvirt does. */
#include "daemon/ops/domain/parameters.h"

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

static const char *
type_name (char type)
{
  switch (type) {
    case 'i':
      return "int";
    case 'u':
      return "uint";
    case 'x':
      return "llong";
    case 't':
      return "ullong";
    case 'd':
      return "double";
    case 'b':
      return "boolean";
    default:
      return "string";
  }
}

static const CallParameter *
find_parameter (const CallParameter *known, const char *name)
{
  for (; known->name != NULL; known++)
    if (g_str_equal (known->name, name))
      return known;
  return NULL;
}

static gboolean
check_parameter (Call *call, const char *name, GVariant *value, const CallParameter *known, GHashTable *seen)
{
  const CallParameter *parameter = find_parameter (known, name);
  char type = g_variant_get_type_string (value)[0];

  if (parameter == NULL)
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED, "parameter '%s' not supported", name);
  else if (type != parameter->type)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid type '%s' for parameter '%s', expected '%s'",
                    type_name (type), name, type_name (parameter->type));
  else if (!g_hash_table_add (seen, (gpointer)parameter))
    call_fail_with (call, VIR_ERR_INVALID_ARG, "parameter '%s' occurs multiple times", name);
  else
    return TRUE;
  return FALSE;
}

gboolean
call_check_parameters (Call *call, GVariant *parameters, const CallParameter *known)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, parameters);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) held = value;

    if (!check_parameter (call, name, held, known, seen))
      return FALSE;
  }
  return TRUE;
}

void
call_answer_parameters (Call *call, GVariant *list, int room, gboolean with_count)
{
  g_autoptr (GVariant) all = g_variant_ref_sink (list);
  int count = (int)g_variant_n_children (all), told = CLAMP (room, 0, count);
  GVariantBuilder some;

  g_variant_builder_init (&some, G_VARIANT_TYPE ("a{sv}"));
  for (int i = 0; i < told; i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (all, (gsize)i);

    g_variant_builder_add_value (&some, entry);
  }
  if (with_count)
    call_answer (call, g_variant_new ("(a{sv}i)", &some, room == 0 ? count : told));
  else
    call_answer (call, g_variant_new ("(a{sv})", &some));
}
