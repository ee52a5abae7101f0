/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The devices that need little while QEMU runs: where a channel listens, the state of a link, the size of a
 * balloon and how often it is asked, and who needs a render node.
 */
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/drivers/qemu/attach.h"
#include "daemon/drivers/qemu/runtime-values.h"
#include "domain/devices/channel.h"
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
