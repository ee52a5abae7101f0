/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding a device by a description of it. Clients describe by what they have: the whole element of a dump,
 * or the three lines a person typed. So only what is said is compared; a kind that has a name of its own
 * (target, MAC, index) goes by that alone, in its row of device_kinds.
 */
#include "domain/device-match.h"

#include "base/virt-error.h"

/* One that ends with a slash frees all that is in the element. */
static gboolean
is_below (const Field *field, const char *const *free_paths)
{
  for (; *free_paths != NULL; free_paths++)
    if (g_str_has_suffix (*free_paths, "/") && g_str_has_prefix (field->path, *free_paths))
      return TRUE;
  return FALSE;
}

static gboolean
is_free (const Field *field, const char *const *free_paths)
{
  return (field->flags & (FIELD_LIVE | FIELD_IGNORED)) != 0
         || (free_paths != NULL
             && (g_strv_contains (free_paths, field->path) || is_below (field, free_paths)));
}

/* One field of two structs of the same table. */
static gboolean
is_same (const FieldTable *table, const Field *field, gconstpointer a, gconstpointer b)
{
  const Field alone[] = { *field, FIELD_END };
  const FieldTable part = { table->size, alone };
  g_autofree char *difference = field_compare (&part, a, b, 0);

  return difference == NULL;
}

const char *
device_difference (const Device *said, const Device *device, const char *const *free_paths)
{
  const FieldTable *table = &said->kind->table;

  for (const Field *field = table->fields; field->path != NULL; field++) {
    if (field->type == NULL || is_free (field, free_paths) || !field_applies (field, said)
        || !field_is_set (field, said))
      continue;
    if (!is_same (table, field, said, device))
      return field->path;
  }
  return NULL;
}

gboolean
device_check_difference (const Device *device, const Device *given, const char *const *free_paths,
                         const char *what, GError **error)
{
  const char *path = device_difference (given, device, free_paths);

  if (path != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify field '%s' of the %s", path, what);
  return path == NULL;
}

gboolean
device_has_address (const Device *device, const Device *wanted)
{
  static const Field fields[] = { FIELD (Device, address, "address", field_address, NULL), FIELD_END };
  static const FieldTable table = { sizeof (Device), fields };

  return wanted->address.type == ADDRESS_NONE || is_same (&table, &fields[0], wanted, device);
}

static void
refuse_missing (const DeviceKind *kind, GError **error)
{
  if (kind->missing != NULL)
    virt_error_set (error, VIR_ERR_DEVICE_MISSING, "%s", kind->missing);
  else
    virt_error_set (error, VIR_ERR_DEVICE_MISSING,
                    kind->chardev != NULL ? "chr type '%s' device not present in domain configuration"
                                          : "%s device not present in domain configuration",
                    kind->element);
}

Device *
device_match (const DomainDef *def, const Device *wanted, GError **error)
{
  const DeviceKind *kind = wanted->kind;

  if (kind->match != NULL)
    return kind->match (def, wanted, error);
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->kind == kind && device_difference (wanted, device, NULL) == NULL)
      return device;
  }
  refuse_missing (kind, error);
  return NULL;
}

Device *
device_match_alias (const DomainDef *def, const char *alias, GError **error)
{
  Device *device = domain_def_find_alias (def, alias);

  if (device == NULL)
    virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "no device found with alias %s",
                         alias);
  return device;
}
