/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kinds of device that need more than their recipe while QEMU runs, in the order in which they are seen
 * to at a start. What they do is in the files running-NAME.c beside it.
 */
#include "daemon/drivers/qemu/running-kinds.h"

#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/disk.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/graphics.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/interface.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/memory.h"
#include "domain/devices/serial.h"
#include "domain/devices/video.h"
#include "domain/devices/vsock.h"

const RunningKind running_kinds[] = {
  { &channel_kind, .choose = running_channel_choose, .open = running_chardev_open,
    .close = running_chardev_close },
  { &serial_kind, .open = running_chardev_open, .close = running_chardev_close },
  { &console_kind, .open = running_chardev_open, .close = running_chardev_close },
  { &graphics_kind, .choose = running_graphics_choose, .started = running_graphics_started,
    .update = running_graphics_update, .wants_render_node = running_graphics_wants_render_node },
  { &disk_kind, .choose = running_disk_choose, .problem_waits = TRUE, .number = running_disk_number,
    .open = running_disk_open, .close = running_disk_close, .started = running_disk_started,
    .update = running_disk_update, .remove_rest = running_disk_remove_rest },
  { &interface_kind, .open = running_interface_open, .release = running_interface_release,
    .close = running_interface_close, .started = running_interface_started,
    .update = running_interface_update },
  { &filesystem_kind, .open = running_filesystem_open, .release = running_filesystem_release,
    .close = running_filesystem_close },
  { &hostdev_kind, .choose = running_hostdev_choose, .open = running_hostdev_open,
    .close = running_hostdev_close },
  { &vsock_kind, .choose = running_vsock_choose },
  { &memory_kind, .started = running_memory_started, .update = running_memory_update },
  { &memballoon_kind, .started = running_memballoon_started },
  { &video_kind, .wants_render_node = running_video_wants_render_node },
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
