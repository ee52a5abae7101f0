/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of device QEMU can be given, in the order in which their options stand on libvirt's command line.
 * A new kind is a file beside this one and a row here.
 */
#include "qemu/recipe-private.h"

#include "model/audio.h"
#include "model/channel.h"
#include "model/console.h"
#include "model/controller.h"
#include "model/disk.h"
#include "model/graphics.h"
#include "model/hub.h"
#include "model/input.h"
#include "model/interface.h"
#include "model/memballoon.h"
#include "model/panic.h"
#include "model/redirdev.h"
#include "model/rng.h"
#include "model/serial.h"
#include "model/sound.h"
#include "model/video.h"
#include "model/watchdog.h"

const QemuDeviceKind qemu_device_kinds[] = {
  { &controller_kind, cook_controller },
  { &hub_kind, cook_hub },
  { &disk_kind, cook_disk },
  { &interface_kind, cook_interface },
  { &serial_kind, cook_serial },
  { &parallel_kind, cook_parallel },
  { &channel_kind, cook_channel },
  { &console_kind, cook_console },
  { &input_kind, cook_input },
  { &audio_kind, cook_audio },
  { &graphics_kind, cook_graphics },
  { &video_kind, cook_video },
  { &sound_kind, cook_sound },
  { &watchdog_kind, cook_watchdog },
  { &redirdev_kind, cook_redirdev },
  { &memballoon_kind, cook_memballoon },
  { &rng_kind, cook_rng },
  { &panic_kind, cook_panic },
  { NULL, NULL },
};

gboolean
recipe_add_device (Recipe *recipe, const Device *device, GError **error)
{
  for (const QemuDeviceKind *row = qemu_device_kinds; row->kind != NULL; row++)
    if (row->kind == device->kind)
      return row->cook (recipe, device, error);
  return qemu_unsupported (NULL, error, "element <%s> is not supported yet by the QEMU target",
                           device->kind->element);
}
