/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kinds of device that need more than their recipe while QEMU runs, in the order in which they are seen
 * to at a start. Those with a story of their own have a file; the others are here.
 */
#include "daemon/drivers/qemu/running-kinds.h"

#include "domain/devices/channel.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/interface.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/video.h"

/* A channel's socket is the machine's own unless the document names one. No guest has opened its end yet. */
static gboolean
channel_choose (Device *device, LiveValues *values, GError **error G_GNUC_UNUSED)
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

static gboolean
interface_started (const DomainDef *def G_GNUC_UNUSED, const Device *device, Qmp *qmp, Job *job,
                   GError **error)
{
  return ((const DeviceInterface *)device)->link != LINK_DOWN || set_link (device, qmp, job, error);
}

static gboolean
interface_update (Job *job, const Hotplug *plug, DomainDef *def G_GNUC_UNUSED,
                  const Device *device G_GNUC_UNUSED, Device *updated, gboolean force G_GNUC_UNUSED,
                  GError **error)
{
  return set_link (updated, plug->qmp, job, error);
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

static gboolean
memballoon_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error)
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

static gboolean
video_wants_render_node (const Device *device)
{
  return ((const DeviceVideo *)device)->accel3d == TRISTATE_YES;
}

const RunningKind running_kinds[] = {
  { &channel_kind, .choose = channel_choose },
  { &graphics_kind, .choose = running_graphics_choose, .started = running_graphics_started,
    .update = running_graphics_update, .wants_render_node = running_graphics_wants_render_node },
  { &disk_kind, .choose = running_disk_choose, .number = running_disk_number, .started = running_disk_started,
    .update = running_disk_update, .remove_rest = running_disk_remove_rest },
  { &interface_kind, .started = interface_started, .update = interface_update },
  { &memballoon_kind, .started = memballoon_started },
  { &video_kind, .wants_render_node = video_wants_render_node },
  { NULL },
};

const RunningKind *
running_kind (const DeviceKind *kind)
{
  const RunningKind *row = running_kinds;

  while (row->kind != NULL && row->kind != kind)
    row++;
  return row;
}
