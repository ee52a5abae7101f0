/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The devices that need little while QEMU runs: where a character device listens, the number of a vsock, the
 * size of a balloon and how often it is asked, where memory devices lie, and who needs a render node.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/listening.h"
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/drivers/qemu/runtime-values.h"
#include "domain/devices/channel.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/memory.h"
#include "domain/devices/video.h"
#include "domain/devices/vsock.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VHOST_VSOCK "/dev/vhost-vsock"
#define CID_TRIES   65536 /* numbers of other guests that are passed over */

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

/* The account that the machine was started with: its socket is QEMU's, as one that QEMU had made. */
gboolean
running_chardev_open (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  g_autoptr (Account) account = NULL;

  if (qemu_listening_socket (device, plugging->directory) == NULL)
    return TRUE;
  account = account_for_machine (plugging->plug->settings, def->uuid, (int)def->id.value, error);
  return account != NULL
         && listening_open (def, device, plugging->directory, account, &plugging->files, error);
}

void
running_chardev_close (const Plugging *plugging, const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  listening_close (device, plugging->directory);
}

static gboolean
take_cid (int fd, guint64 cid)
{
  return ioctl (fd, VHOST_VSOCK_SET_GUEST_CID, &cid) == 0;
}

/* The number is taken by saying it to the kernel, and kept by the descriptor, which becomes QEMU's. */
gboolean
running_vsock_choose (Device *device, LiveValues *values, GError **error)
{
  DeviceVsock *vsock = (DeviceVsock *)device;
  g_autofree char *name = g_strconcat (device->alias, "-" VSOCK_DESCRIPTOR, NULL);
  guint64 cid = vsock->auto_cid == TRISTATE_YES ? VSOCK_FIRST_CID : vsock->cid.value;
  guint64 last = vsock->auto_cid == TRISTATE_YES ? VSOCK_FIRST_CID + CID_TRIES : cid;
  gboolean taken;
  int fd = open (VHOST_VSOCK, O_RDWR | O_CLOEXEC);

  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "unable to open vhost-vsock device: " VHOST_VSOCK ": %s%s",
                    g_strerror (errno),
                    errno == ENOENT || errno == ENODEV ? "; it comes with the kernel's module vhost_vsock"
                                                       : "");
    return FALSE;
  }
  while (!(taken = take_cid (fd, cid)) && errno == EADDRINUSE && cid < last)
    cid++;
  if (!taken) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "unable to set guest cid %" G_GUINT64_FORMAT ": %s", cid,
                    g_strerror (errno));
    close (fd);
    return FALSE;
  }
  vsock->cid = NUMBER (cid);
  files_offer (values->files, name, fd);
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

/* FALSE, and @error, where QEMU does not say a number. */
static gboolean
get_number (const Device *device, const char *property, Qmp *qmp, Job *job, guint64 *ret, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", device->alias);
  g_autoptr (JsonNode) answer =
      qmp_call (qmp, job, "qom-get", props ("path", "s", path, "property", "s", property, NULL), error);

  if (answer == NULL)
    return FALSE;
  if (json_node_get_value_type (answer) != G_TYPE_INT64) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "QEMU says no number for '%s' of %s", property,
                    device->alias);
    return FALSE;
  }
  *ret = (guint64)json_node_get_int (answer);
  return TRUE;
}

/* Where it lies in the guest, and how much of it the guest has, are QEMU's to say. */
gboolean
running_memory_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error)
{
  DeviceMemory *memory = (DeviceMemory *)domain_def_find_alias (def, device->alias);
  guint64 value = 0;

  if (memory_is_dimm (memory)) {
    if (!get_number (device, "addr", qmp, job, &value, error))
      return FALSE;
    memory->device.address.base = NUMBER (value);
    return TRUE;
  }
  if (!get_number (device, "memaddr", qmp, job, &value, error))
    return FALSE;
  memory->base = NUMBER (value);
  if (memory->model != MEMORY_VIRTIO_MEM)
    return TRUE;
  if (!get_number (device, "size", qmp, job, &value, error))
    return FALSE;
  memory->current = NUMBER (value / 1024);
  return TRUE;
}

gboolean
running_memory_update (Job *job, const Hotplug *plug, DomainDef *def G_GNUC_UNUSED,
                       const Device *device G_GNUC_UNUSED, Device *updated, gboolean force G_GNUC_UNUSED,
                       GError **error)
{
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", updated->alias);

  return qmp_run (plug->qmp, job, "qom-set",
                  props ("path", "s", path, "property", "s", "requested-size", "value", "t",
                         ((const DeviceMemory *)updated)->requested.value * 1024, NULL),
                  error);
}

gboolean
running_video_wants_render_node (const Device *device)
{
  return ((const DeviceVideo *)device)->accel3d == TRISTATE_YES;
}
