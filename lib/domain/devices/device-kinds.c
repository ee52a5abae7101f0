/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of device, in the order libvirt writes them. A new kind is a file beside this one and a row here.
 */
#include "domain/devices/device-kinds.h"

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

const DeviceKind *const device_kinds[] = {
  &disk_kind,      &controller_kind, &lease_kind,       &filesystem_kind,
  &interface_kind, &smartcard_kind,  &serial_kind,      &parallel_kind,
  &console_kind,   &channel_kind,    &input_kind,       &tpm_kind,
  &graphics_kind,  &sound_kind,      &audio_kind,       &video_kind,
  &hostdev_kind,   &redirdev_kind,   &redirfilter_kind, &hub_kind,
  &watchdog_kind,  &memballoon_kind, &rng_kind,         &nvram_kind,
  &panic_kind,     &shmem_kind,      &memory_kind,      &crypto_kind,
  &iommu_kind,     &vsock_kind,      &pstore_kind,      NULL,
};

const DeviceKind *
device_kind_by_element (const char *element)
{
  for (guint i = 0; device_kinds[i] != NULL; i++) {
    if (g_str_equal (device_kinds[i]->element, element))
      return device_kinds[i];
  }
  return NULL;
}
