/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The small devices: balloon, random numbers and ciphers, watchdog, panic notifier and what it leaves behind,
 * sockets without a network, and the guest's own IOMMU.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/crypto.h"
#include "domain/devices/iommu.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/panic.h"
#include "domain/devices/pstore.h"
#include "domain/devices/rng.h"
#include "domain/devices/vsock.h"
#include "domain/devices/watchdog.h"

gboolean
recipe_add_memballoon (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceMemballoon *balloon = (const DeviceMemballoon *)device;
  int model = balloon->model == BALLOON_VIRTIO_TRANSITIONAL       ? VIRTIO_MODEL_TRANSITIONAL
              : balloon->model == BALLOON_VIRTIO_NON_TRANSITIONAL ? VIRTIO_MODEL_NON_TRANSITIONAL
                                                                  : VIRTIO_MODEL_VIRTIO;
  JsonObject *properties;

  if (balloon->model == BALLOON_NONE)
    return TRUE;
  if (balloon->model == BALLOON_XEN)
    return qemu_unsupported (device, error,
                             "a balloon of model 'xen' is not supported; 'virtio' and 'none' are");
  properties = props ("driver", "s", virtio_driver ("virtio-balloon-pci", model), NULL);
  props_add_virtio (properties, &balloon->virtio);
  props_add (properties, "deflate-on-oom", "T", balloon->autodeflate, "free-page-reporting", "T",
             balloon->free_page_reporting, NULL);
  return recipe_device (recipe, device, properties, error);
}

/* The object bytes come from. */
static gboolean
add_rng_backend (Recipe *recipe, const DeviceRng *rng, const char *id, GError **error)
{
  const Device *device = &rng->device;
  Chardev source = { .type = rng->egd_type,
                     .sources = rng->egd_sources,
                     .protocol = rng->egd_protocol,
                     .log_file = rng->egd_log_file,
                     .log_append = rng->egd_log_append };
  g_autofree char *chardev = g_strconcat ("char", device->alias, NULL);
  const char *path;

  switch (rng->backend) {
    case RNG_BACKEND_BUILTIN:
      recipe_step (recipe, STEP_OBJECT, props ("qom-type", "s", "rng-builtin", "id", "s", id, NULL));
      return TRUE;
    case RNG_BACKEND_EGD:
      if (!recipe_chardev (recipe, device, &source, chardev, error))
        return FALSE;
      recipe_step (recipe, STEP_OBJECT,
                   props ("qom-type", "s", "rng-egd", "id", "s", id, "chardev", "s", chardev, NULL));
      return TRUE;
    default:
      path = recipe_file (recipe, rng->path != NULL ? rng->path : "/dev/urandom", FALSE, device,
                          "source of randomness");
      recipe_step (recipe, STEP_OBJECT,
                   props ("qom-type", "s", "rng-random", "id", "s", id, "filename", "s", path, NULL));
      return TRUE;
  }
}

gboolean
recipe_add_rng (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceRng *rng = (const DeviceRng *)device;
  g_autofree char *id = g_strconcat ("obj", device->alias, NULL);
  JsonObject *properties;

  if (!add_rng_backend (recipe, rng, id, error))
    return FALSE;
  properties = props ("driver", "s", virtio_driver ("virtio-rng-pci", rng->model), "rng", "s", id, NULL);
  props_add_virtio (properties, &rng->virtio);
  if (rng->rate_bytes.set)
    props_add (properties, "max-bytes", "N", &rng->rate_bytes, "period", "i",
               rng->rate_period.set ? (int)rng->rate_period.value : 1000, NULL);
  return recipe_device (recipe, device, properties, error);
}

static gboolean
is_last_watchdog (const Recipe *recipe, const DeviceWatchdog *watchdog)
{
  const DeviceWatchdog *last = watchdog;

  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), watchdog_kind, const DeviceWatchdog, other) {
    last = other;
  }
  return last == watchdog;
}

/* QEMU has one action for all watchdogs; libvirt sees to it that they agree. "dump" is a pause the daemon
 * acts on. */
gboolean
recipe_add_watchdog (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceWatchdog *watchdog = (const DeviceWatchdog *)device;
  const char *action = watchdog->action == WATCHDOG_ACTION_DUMP ? "pause"
                       : watchdog->action == WATCHDOG_ACTION_UNSET
                           ? "reset"
                           : enum_table_name (&watchdog_actions, watchdog->action);

  switch (watchdog->model) {
    case WATCHDOG_I6300ESB:
    case WATCHDOG_IB700:
    case WATCHDOG_DIAG288:
      if (!recipe_device (recipe, device,
                          props ("driver", "s", enum_table_name (&watchdog_models, watchdog->model), NULL),
                          error))
        return FALSE;
      break;
    case WATCHDOG_ITCO: /* part of a q35's chipset; this lets it reset the machine */
      recipe_option (recipe, "-global", "ICH9-LPC.noreboot=off");
      break;
    default:
      return qemu_unsupported (device, error, "a watchdog of model '%s' does not exist on this machine",
                               enum_table_name (&watchdog_models, watchdog->model));
  }
  if (recipe_host (recipe)->plugging || is_last_watchdog (recipe, watchdog))
    recipe_option (recipe, "-watchdog-action", "%s", action);
  return TRUE;
}

gboolean
recipe_add_panic (Recipe *recipe, const Device *device, GError **error)
{
  const DevicePanic *panic = (const DevicePanic *)device;
  JsonObject *properties;

  switch (panic->model) {
    case PANIC_NONE:
    case PANIC_ISA:
      properties = props ("driver", "s", "pvpanic", NULL);
      if (device->address.type == ADDRESS_ISA)
        props_add (properties, "ioport", "N", &device->address.iobase, NULL);
      recipe_step (recipe, STEP_DEVICE, properties);
      return TRUE;
    case PANIC_PVPANIC:
      return recipe_device (recipe, device, props ("driver", "s", "pvpanic-pci", NULL), error);
    case PANIC_HYPERV:
      return TRUE; /* a feature of the CPU: see cpu.c */
    case PANIC_PSERIES:
    case PANIC_S390:
      return TRUE; /* part of the machine's firmware */
    default:
      return qemu_unsupported (device, error, "a panic device of model '%s' does not exist on this machine",
                               enum_table_name (&panic_models, panic->model));
  }
}

/* The machine has it; where, is said once for all of its kind. */
gboolean
recipe_add_nvram (Recipe *recipe, const Device *device, GError **error)
{
  if (!qemu_needs_type (recipe, device, "spapr-nvram", error))
    return FALSE;
  recipe_option (recipe, "-global", "spapr-nvram.reg=0x%" G_GINT64_MODIFIER "x", device->address.reg.value);
  return TRUE;
}

gboolean
recipe_add_crypto (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceCrypto *crypto = (const DeviceCrypto *)device;
  g_autofree char *id = g_strconcat ("obj", device->alias, NULL);
  g_autofree char *backend =
      g_strconcat ("cryptodev-backend-", enum_table_name (&crypto_backends, crypto->backend), NULL);
  JsonObject *properties;

  if (!qemu_needs_type (recipe, device, backend, error)
      || !qemu_needs_type (recipe, device, "virtio-crypto-pci", error))
    return FALSE;
  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", backend, "id", "s", id, "queues", "N", &crypto->queues, NULL));
  properties = props ("driver", "s", "virtio-crypto-pci", NULL);
  props_add_virtio (properties, &crypto->virtio);
  props_add (properties, "cryptodev", "s", id, NULL);
  return recipe_device (recipe, device, properties, error);
}

/* The descriptor of /dev/vhost-vsock has the guest's number already: see VSOCK_DESCRIPTOR. */
gboolean
recipe_add_vsock (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceVsock *vsock = (const DeviceVsock *)device;
  const char *driver = virtio_driver ("vhost-vsock-pci", vsock->model);
  JsonObject *properties;

  if (!qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  properties = props ("driver", "s", driver, NULL);
  props_add_virtio (properties, &vsock->virtio);
  props_add (properties, "guest-cid", "t", vsock->cid.value, NULL);
  if (recipe_by_descriptor (recipe))
    props_add (properties, "vhostfd", "s", recipe_passed (recipe, device, VSOCK_DESCRIPTOR), NULL);
  return recipe_device (recipe, device, properties, error);
}

gboolean
recipe_add_iommu (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceIommu *iommu = (const DeviceIommu *)device;
  const char *driver = iommu->model == IOMMU_INTEL ? "intel-iommu" : "virtio-iommu-pci";

  if (iommu->model == IOMMU_SMMUV3)
    return TRUE; /* a property of the machine */
  if (!qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  return recipe_device (recipe, device,
                        props ("driver", "s", iommu->model == IOMMU_INTEL ? driver : "virtio-iommu",
                               "intremap", "O", iommu->intremap, "caching-mode", "T", iommu->caching_mode,
                               "eim", "O", iommu->eim, "device-iotlb", "T", iommu->iotlb, "aw-bits", "N",
                               &iommu->aw_bits, "dma-translation", "T", iommu->dma_translation, NULL),
                        error);
}

gboolean
recipe_add_pstore (Recipe *recipe, const Device *device, GError **error)
{
  const DevicePstore *pstore = (const DevicePstore *)device;
  guint64 size = pstore->size.value * 1024;
  g_autofree char *id = g_strconcat ("mem", device->alias, NULL);

  if (!qemu_needs_type (recipe, device, "acpi-erst", error))
    return FALSE;
  if (pstore->path == NULL)
    return qemu_unsupported (device, error, "no place is known for its file: <path> is missing");
  recipe_memory_file (recipe, pstore->path, size, device, "crash store");
  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", "memory-backend-file", "id", "s", id, "mem-path", "s", pstore->path,
                      "size", "t", size, "share", "b", TRUE, NULL));
  return recipe_device (recipe, device, props ("driver", "s", "acpi-erst", "memdev", "s", id, NULL), error);
}
