/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of device QEMU can be given, in the order in which their options stand on libvirt's command line.
 * A new kind is a file beside this one and a row here.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/audio.h"
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/crypto.h"
#include "domain/devices/disk.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/graphics.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/hub.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/iommu.h"
#include "domain/devices/lease.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/memory.h"
#include "domain/devices/nvram.h"
#include "domain/devices/panic.h"
#include "domain/devices/pstore.h"
#include "domain/devices/redirdev.h"
#include "domain/devices/redirfilter.h"
#include "domain/devices/rng.h"
#include "domain/devices/serial.h"
#include "domain/devices/shmem.h"
#include "domain/devices/smartcard.h"
#include "domain/devices/sound.h"
#include "domain/devices/tpm.h"
#include "domain/devices/video.h"
#include "domain/devices/vsock.h"
#include "domain/devices/watchdog.h"

/* What the host or other devices are told of, and QEMU is not. */
static gboolean
recipe_add_nothing (Recipe *recipe G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED,
                    GError **error G_GNUC_UNUSED)
{
  return TRUE;
}

static gboolean
has_no_device (const Device *device G_GNUC_UNUSED)
{
  return TRUE;
}

/* A row: its steps; can it be attached, detached; has it nothing that the guest sees. */
const QemuDeviceKind qemu_device_kinds[] = {
  { &iommu_kind, recipe_add_iommu },
  { &controller_kind, recipe_add_controller, controller_can_attach, controller_can_detach },
  { &memory_kind, recipe_add_memory_device, can_always_attach, can_always_detach },
  { &hub_kind, recipe_add_hub },
  { &disk_kind, recipe_add_disk, disk_can_attach, disk_can_detach },
  { &filesystem_kind, recipe_add_filesystem, filesystem_can_attach, filesystem_can_detach },
  { &interface_kind, recipe_add_interface, can_always_attach, can_always_detach },
  { &smartcard_kind, recipe_add_smartcard },
  { &serial_kind, recipe_add_serial, serial_can_attach, can_always_detach },
  { &parallel_kind, recipe_add_parallel, parallel_can_attach, can_always_detach },
  { &channel_kind, recipe_add_channel, can_always_attach, can_always_detach, channel_has_no_device },
  { &console_kind, recipe_add_console, console_can_attach, console_can_detach },
  { &tpm_kind, recipe_add_tpm },
  { &input_kind, recipe_add_input, input_can_attach, input_can_detach },
  { &audio_kind, recipe_add_audio },
  { &graphics_kind, recipe_add_graphics },
  { &video_kind, recipe_add_video },
  { &sound_kind, recipe_add_sound },
  { &watchdog_kind, recipe_add_watchdog, can_always_attach, can_always_detach },
  { &redirdev_kind, recipe_add_redirdev, can_always_attach, can_always_detach },
  { &interface_kind, recipe_add_host_interface }, /* where QEMU has one of the host's: with those */
  { &hostdev_kind, recipe_add_hostdev, hostdev_can_attach, can_always_detach, hostdev_has_no_device },
  { &memballoon_kind, recipe_add_memballoon },
  { &rng_kind, recipe_add_rng, can_always_attach, can_always_detach },
  { &nvram_kind, recipe_add_nvram },
  { &panic_kind, recipe_add_panic },
  { &shmem_kind, recipe_add_shmem, can_always_attach, can_always_detach },
  { &vsock_kind, recipe_add_vsock, can_always_attach, can_always_detach },
  { &crypto_kind, recipe_add_crypto, can_always_attach, can_always_detach },
  { &pstore_kind, recipe_add_pstore },
  { &lease_kind, recipe_add_nothing, can_always_attach, can_always_detach, has_no_device },
  { &redirfilter_kind, recipe_add_nothing }, /* the redirected ports are told of it */
  { NULL },
};

static gboolean
not_yet (Recipe *recipe, const Device *device, GError **error G_GNUC_UNUSED)
{
  GError *problem = NULL;

  qemu_unsupported (NULL, &problem, "element <%s> is not supported yet by the QEMU target",
                    device->kind->element);
  return recipe_keep_problem (recipe, device, NULL, problem);
}

static const QemuDeviceKind unknown_kind = { NULL, not_yet };

const QemuDeviceKind *
qemu_device_kind (const DeviceKind *kind)
{
  for (const QemuDeviceKind *row = qemu_device_kinds; row->kind != NULL; row++)
    if (row->kind == kind)
      return row;
  return &unknown_kind;
}

gboolean
recipe_add_device (Recipe *recipe, const Device *device, GError **error)
{
  recipe_add_device_part (recipe, qemu_device_kind (device->kind), device);
  return recipe_check (recipe, NULL, NULL, error);
}
