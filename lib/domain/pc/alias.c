/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Aliases: the names under which the devices of a running machine are known to QEMU and to clients. The kinds
 * know how theirs are formed; here they are only counted out. One the user gave ("ua-...") stays.
 */
#include "domain/devices/controller.h"
#include "domain/domain-def.h"

#include <string.h>

static char *
alias_for (const DomainDef *def, const Device *device, guint index)
{
  if (device->kind->alias)
    return device->kind->alias (def, device, index);
  return g_strdup_printf ("%s%u", device->kind->element, index);
}

/* graphics, audio and the kinds kept as they stand have none in the format, nor in QEMU. */
static gboolean
has_alias (const DeviceKind *kind)
{
  for (const Field *field = kind->table.fields; field->path != NULL; field++)
    if (strcmp (field->path, "alias/@name") == 0)
      return TRUE;
  return FALSE;
}

void
domain_def_assign_aliases (DomainDef *def)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal); /* element → next index */

  def->controllers = controller_table_new (def);
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);
    const char *kind = device_counted_as (device);
    guint index = GPOINTER_TO_UINT (g_hash_table_lookup (counts, kind));

    if (!device->alias || !device->kind->skips_user_aliases)
      g_hash_table_insert (counts, (gpointer)kind, GUINT_TO_POINTER (index + 1));
    if (!device->alias && has_alias (device->kind))
      device->alias = alias_for (def, device, index);
  }
  g_clear_pointer (&def->controllers, g_hash_table_unref);
}

/* The number @alias ends with, -1 when it is not @prefix and a number. */
static int
number_behind (const char *alias, const char *prefix)
{
  guint64 number;

  if (alias == NULL || !g_str_has_prefix (alias, prefix)
      || !parse_uint (alias + strlen (prefix), G_MAXINT / 2, &number))
    return -1;
  return (int)number;
}

void
domain_def_assign_alias (DomainDef *def, Device *device)
{
  g_autofree char *first = NULL, *second = NULL, *prefix = NULL;
  int next = 0;

  if (device->alias != NULL || !has_alias (device->kind))
    return;
  first = alias_for (def, device, 0);
  second = alias_for (def, device, 1);
  if (first == NULL || second == NULL || g_str_equal (first, second)) { /* its place or index is its name */
    device->alias = g_steal_pointer (&first);
    return;
  }
  prefix = g_strndup (first, strlen (first) - 1);
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *other = g_ptr_array_index (def->devices, i);

    if (g_str_equal (device_counted_as (other), device_counted_as (device)))
      next = MAX (next, number_behind (other->alias, prefix) + 1);
  }
  device->alias = alias_for (def, device, (guint)next);
}
