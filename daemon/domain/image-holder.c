/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has an image open that another machine wants. QEMU only knows that its lock is taken ("Is another
 * process using the image [/srv/a.qcow2]?"); a person wants to know by which machine.
 */
#include "daemon/domain/image-holder.h"

#include "daemon/domain/manager.h"
#include "domain/devices/disk.h"

#include <string.h>

#define LOCKED "Is another process using the image ["

/* (transfer full) */
static char *
locked_image (const char *message)
{
  const char *path = strstr (message, LOCKED), *end;

  if (path == NULL)
    return NULL;
  path += strlen (LOCKED);
  end = strstr (path, "]?");
  return end != NULL ? g_strndup (path, (gsize)(end - path)) : NULL;
}

static const Domain *
find_holder (Manager *manager, const char *path)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, manager->by_id);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Domain *domain = value;

    if (domain->machine == NULL)
      continue;
    DOMAIN_FOREACH_DEVICE (domain->machine->def, disk_kind, DeviceDisk, disk) {
      if (g_strcmp0 (disk_path (disk), path) == 0)
        return domain;
    }
  }
  return NULL;
}

GError *
image_holder_explain (Manager *manager, const GError *error)
{
  g_autofree char *path = locked_image (error->message);
  const Domain *holder = path != NULL ? find_holder (manager, path) : NULL;
  GError *explained = g_error_copy (error);

  if (holder != NULL) {
    g_autofree char *said = explained->message;

    explained->message = g_strdup_printf ("%s: domain '%s' uses '%s'", g_strchomp (said), holder->name, path);
  }
  return explained;
}
