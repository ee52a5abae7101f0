/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Directories that a running machine gets and loses: virtiofsd comes and goes with them.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/machine-virtiofs.h"
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/helper/helper-set.h"
#include "daemon/host/account.h"

typedef struct {
  HelperSet *set;
  Helper *helper;
  const char *name;
} Change;

static void
add_to_set (gpointer data)
{
  Change *change = data;

  helper_set_add (change->set, change->helper);
}

static void
stop_in_set (gpointer data)
{
  Change *change = data;

  helper_set_stop (change->set, change->name);
}

gboolean
running_filesystem_open (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const Hotplug *plug = plugging->plug;
  g_autofree char *run = store_run_directory (plug->store, def->uuid);
  g_autoptr (Account) account = NULL;
  Change change = { .set = plug->helpers };

  if (!virtiofs_is_needed ((DeviceFilesystem *)device))
    return TRUE;
  account = account_for_machine (plug->settings, def->uuid, (int)def->id.value, error);
  if (account == NULL)
    return FALSE;
  change.helper = virtiofs_start_device ((DeviceFilesystem *)device, account, run, plugging->directory,
                                         plugging->job, error);
  if (change.helper == NULL)
    return FALSE;
  job_in_main_loop (plugging->job, add_to_set, &change);
  return TRUE;
}

/* It ends with its connection, which is no news then. */
void
running_filesystem_release (const Plugging *plugging, const Device *device)
{
  g_autofree char *name = virtiofs_helper_name (device);
  Change change = { .set = plugging->plug->helpers, .name = name };

  if (change.set != NULL && virtiofs_is_needed ((const DeviceFilesystem *)device))
    job_in_main_loop (plugging->job, stop_in_set, &change);
}

void
running_filesystem_close (const Plugging *plugging, const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  running_filesystem_release (plugging, device);
}
