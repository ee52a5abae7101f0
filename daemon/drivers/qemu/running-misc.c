/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The devices that need little while QEMU runs: where a channel listens, the state of a link, the size of a
 * balloon and how often it is asked, and who needs a render node.
 */
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/attach.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/drivers/qemu/runtime-values.h"
#include "daemon/host/account.h"
#include "domain/devices/channel.h"
#include "domain/devices/interface.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/video.h"
#include "targets/qemu/recipe.h"

/* A channel's socket is the machine's own unless the document names one. No guest has opened its end yet. */
gboolean
running_channel_choose (Device *device, LiveValues *values, GError **error G_GNUC_UNUSED)
{
  DeviceChannel *channel = (DeviceChannel *)device;
  ChardevSource *source;

  if (channel->target == CHANNEL_VIRTIO)
    channel->state = CHANNEL_STATE_DISCONNECTED;
  if (channel->source.type != CHARDEV_UNIX || chardev_path (&channel->source) != NULL)
    return TRUE;
  source = chardev_ensure_source (&channel->source);
  g_free (source->path);
  source->path = g_build_filename (values->directory, device->alias, NULL);
  source->mode = CHARDEV_MODE_BIND;
  return TRUE;
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

/* A card's end on the host; its descriptors wait for the recipe that asks for them. */
gboolean
running_interface_open (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const Settings *settings = plugging->plug->settings;
  g_autofree char *run = store_run_directory (plugging->plug->store, def->uuid);
  g_autoptr (Account) account = account_for_machine (settings, def->uuid, (int)def->id.value, error);

  return account != NULL
         && interface_open (&(InterfacePlace){ plugging->job, def, settings, run, account },
                            (DeviceInterface *)device, &plugging->files, error);
}

void
running_interface_close (const DomainDef *def, const Device *device)
{
  interface_close (def, (const DeviceInterface *)device, NULL);
}

gboolean
running_interface_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device,
                          Device *updated_device, gboolean force G_GNUC_UNUSED, GError **error)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;
  const DeviceInterface *updated = (const DeviceInterface *)updated_device;

  if (!interface_change (def, interface, updated, error))
    return FALSE;
  if ((interface->link == LINK_DOWN) == (updated->link == LINK_DOWN)
      || set_link (updated_device, plug->qmp, job, error))
    return TRUE;
  interface_change (def, updated, interface, NULL);
  return FALSE;
}

static gboolean
tell_period (const DeviceMemballoon *balloon, Qmp *qmp, Job *job, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", balloon->device.alias);

  return qmp_run (qmp, job, "qom-set",
                  props ("path", "s", path, "property", "s", "guest-stats-polling-interval", "value", "t",
                         balloon->stats_period.value, NULL),
                  error);
}

gboolean
running_memballoon_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error)
{
  const DeviceMemballoon *balloon = (const DeviceMemballoon *)device;
  gboolean smaller =
      def->current_memory.set && def->memory.set && def->current_memory.value < def->memory.value;

  if (balloon->model == BALLOON_NONE || balloon->model == BALLOON_UNSET || balloon->model == BALLOON_XEN)
    return TRUE;
  return (!smaller
          || qmp_run (qmp, job, "balloon", props ("value", "t", def->current_memory.value * 1024, NULL),
                      error))
         && (balloon->stats_period.value == 0 || tell_period (balloon, qmp, job, error));
}

gboolean
running_video_wants_render_node (const Device *device)
{
  return ((const DeviceVideo *)device)->accel3d == TRISTATE_YES;
}
