/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Network cards of a running machine: their ends on the host come and go with them, and change: another
 * bridge, another bandwidth, the link pulled out.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/host-devices.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/drivers/qemu/passt.h"
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/host/account.h"
#include "domain/devices/host-device.h"

gboolean
running_interface_open (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const Settings *settings = plugging->plug->settings;
  g_autofree char *run = store_run_directory (plugging->plug->store, def->uuid);
  g_autoptr (Account) account = account_for_machine (settings, def->uuid, (int)def->id.value, error);
  g_autoptr (GPtrArray) helpers = g_ptr_array_new ();

  if (account == NULL)
    return FALSE;
  if (device_host_type (device) != HOSTDEV_NONE)
    return host_device_take (settings, def, device, account, error);
  if (!interface_open (&(InterfacePlace){ plugging->job, def, settings, run, account, helpers },
                       (DeviceInterface *)device, &plugging->files, error))
    return FALSE;
  for (guint i = 0; i < helpers->len; i++)
    plugging_add_helper (plugging, g_ptr_array_index (helpers, i));
  return TRUE;
}

/* QEMU 7.2 does not close its end of passt's socket: its end is told here. */
void
running_interface_release (const Plugging *plugging, const Device *device)
{
  g_autofree char *name = passt_helper_name (device);

  if (interface_uses_passt ((const DeviceInterface *)device))
    plugging_stop_helper (plugging, name);
}

void
running_interface_close (const Plugging *plugging, const DomainDef *def, const Device *device)
{
  running_interface_release (plugging, device);
  host_device_give_back (plugging->plug->settings, def, device);
  interface_close (plugging->plug->settings, def, (const DeviceInterface *)device);
}

static gboolean
set_link (const Device *device, Qmp *qmp, Job *job, GError **error)
{
  gboolean up = ((const DeviceInterface *)device)->link != LINK_DOWN;

  return qmp_run (qmp, job, "set_link", props ("name", "s", device->alias, "up", "b", up, NULL), error);
}

gboolean
running_interface_started (const DomainDef *def G_GNUC_UNUSED, const Device *device, Qmp *qmp, Job *job,
                           GError **error)
{
  return ((const DeviceInterface *)device)->link != LINK_DOWN || set_link (device, qmp, job, error);
}

gboolean
running_interface_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device,
                          Device *updated, gboolean force G_GNUC_UNUSED, GError **error)
{
  const DeviceInterface *old = (const DeviceInterface *)device;
  const DeviceInterface *new = (const DeviceInterface *)updated;

  if (!interface_change (plug->settings, def, old, new, error))
    return FALSE;
  if ((old->link == LINK_DOWN) == (new->link == LINK_DOWN) || set_link (updated, plug->qmp, job, error))
    return TRUE;
  interface_change (plug->settings, def, new, old, NULL);
  return FALSE;
}
