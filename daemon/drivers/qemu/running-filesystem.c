/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Directories that a running machine gets and loses: virtiofsd comes and goes with them.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/machine-virtiofs.h"
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/host/account.h"

gboolean
running_filesystem_open (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const Hotplug *plug = plugging->plug;
  g_autofree char *run = store_run_directory (plug->store, def->uuid);
  g_autoptr (Account) account = NULL;
  Helper *helper;

  if (!virtiofs_is_needed ((DeviceFilesystem *)device))
    return TRUE;
  account = account_for_machine (plug->settings, def->uuid, (int)def->id.value, error);
  if (account == NULL)
    return FALSE;
  helper = virtiofs_start_device ((DeviceFilesystem *)device, account, run, plugging->directory,
                                  plugging->job, error);
  if (helper == NULL)
    return FALSE;
  plugging_add_helper (plugging, helper);
  return TRUE;
}

/* It ends with its connection, which is no news then. */
void
running_filesystem_release (const Plugging *plugging, const Device *device)
{
  g_autofree char *name = virtiofs_helper_name (device);

  if (virtiofs_is_needed ((const DeviceFilesystem *)device))
    plugging_stop_helper (plugging, name);
}

void
running_filesystem_close (const Plugging *plugging, const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  running_filesystem_release (plugging, device);
}
