/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Aliases: the names under which the devices of a running machine are known to QEMU and to clients. The kinds
 * know how theirs are formed; here they are only counted out. One the user gave ("ua-...") stays.
 */
#include "model/domain.h"

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
  g_autoptr (GHashTable) counts = g_hash_table_new (NULL, NULL); /* DeviceKind → next index */

  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);
    guint index = GPOINTER_TO_UINT (g_hash_table_lookup (counts, device->kind));

    if (!device->alias || !device->kind->skips_user_aliases)
      g_hash_table_insert (counts, (gpointer)device->kind, GUINT_TO_POINTER (index + 1));
    if (!device->alias && has_alias (device->kind))
      device->alias = alias_for (def, device, index);
  }
}
