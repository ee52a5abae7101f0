/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Typed parameters between clients and operations. Operations make and read them as a plain "a{sv}"; only the
 * D-Bus wire has two spellings of it, one for each direction, and both are history: libvirt-dbus wraps the
 * values it sends twice, takes them wrapped once, and its clients rely on both.
 */
#include "wire/typed-parameters.h"

#include <string.h>

gboolean
typed_parameters_check (GVariant *parameters, guint limit, GError **error)
{
  GVariantIter entries;
  const char *name;
  GVariant *value;

  if (g_variant_n_children (parameters) > limit) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "%" G_GSIZE_FORMAT " parameters where at most %u are allowed",
                    g_variant_n_children (parameters), limit);
    return FALSE;
  }

  g_variant_iter_init (&entries, parameters);
  while (g_variant_iter_next (&entries, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) owned = value;
    gsize length = strlen (name);

    if (length == 0 || length >= SHAPE_VALUE_NAME_MAX) {
      virt_error_set (error, VIR_ERR_INVALID_ARG,
                      "a parameter's name has 1 to %d bytes, not %" G_GSIZE_FORMAT, SHAPE_VALUE_NAME_MAX - 1,
                      length);
      return FALSE;
    }
    if (!shape_is_tagged_type (g_variant_get_type (owned))) {
      virt_error_set (error, VIR_ERR_INVALID_ARG,
                      "parameter '%s' has type '%s' where one of i, u, x, t, d, b, s is expected", name,
                      g_variant_get_type_string (owned));
      return FALSE;
    }
    if (g_variant_is_of_type (owned, G_VARIANT_TYPE_STRING)
        && g_variant_get_size (owned) > SHAPE_STRING_MAX) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "parameter '%s' is longer than %d bytes", name,
                      SHAPE_STRING_MAX);
      return FALSE;
    }
  }
  return TRUE;
}

GVariant *
typed_parameters_wrap (GVariant *parameters)
{
  GVariantBuilder wrapped;
  GVariantIter entries;
  const char *name;
  GVariant *value;

  g_variant_builder_init (&wrapped, G_VARIANT_TYPE_VARDICT);
  g_variant_iter_init (&entries, parameters);
  while (g_variant_iter_next (&entries, "{&s@v}", &name, &value)) {
    g_variant_builder_add (&wrapped, "{sv}", name, value);
    g_variant_unref (value);
  }
  return g_variant_builder_end (&wrapped);
}
