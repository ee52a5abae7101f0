/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices of Firecracker's config: disks, network cards, and of the others one each. The guest finds
 * disks in the order in which they stand, so that /dev/vda is the document's first, unless another one is the
 * root.
 */
#include "domain/devices/console.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/memory.h"
#include "domain/devices/rng.h"
#include "domain/devices/serial.h"
#include "domain/devices/vsock.h"
#include "targets/firecracker/firecracker-target.h"
#include "targets/launch-json.h"

#define KIB_PER_MIB  1024
#define HOTPLUG_SLOT 128 /* MiB: the steps in which memory comes and goes */
#define MTU_MIN      68
#define MTU_MAX      65535
#define RNG_PERIOD   1000 /* ms: libvirt's where the document does not say one */

static void
lose_disk_values (const DeviceDisk *disk, TargetLosses *losses)
{
  if (disk->format != NULL && !g_str_equal (disk->format, "raw"))
    target_refuse (losses, &disk->device, "driver type=",
                   "reads raw images alone, and no '%s': qemu-img "
                   "convert -O raw makes one",
                   disk->format);
  if (launch_is_chained (disk))
    target_refuse (losses, &disk->device, "backingStore", "reads no image that lies upon another");
  if (disk->cache == DISK_CACHE_DISABLE || disk->cache == DISK_CACHE_DIRECTSYNC
      || disk->cache == DISK_CACHE_WRITETHROUGH)
    target_lose (losses, &disk->device, "driver cache=", "writes through the host's cache, and no other way");
  if (disk->io == DISK_IO_NATIVE)
    target_lose (losses, &disk->device, "driver io=", "has io_uring and threads, and no 'native'");
  if (disk->discard == DISK_DISCARD_UNMAP)
    target_lose (losses, &disk->device, "driver discard=", "hands no discarded blocks on");
}

static JsonObject *
drive (const DeviceDisk *disk, gboolean is_root, TargetLosses *losses)
{
  JsonObject *object = json_object_new (), *limiter = launch_disk_limiter (disk);

  json_object_set_string_member (object, "drive_id", disk->target);
  json_object_set_boolean_member (object, "is_root_device", is_root);
  json_object_set_string_member (object, "cache_type",
                                 disk->cache == DISK_CACHE_UNSAFE ? "Unsafe" : "Writeback");
  if (disk->type == DISK_TYPE_VHOST_USER) {
    json_object_set_string_member (object, "socket", disk->source.socket);
    g_clear_pointer (&limiter, json_object_unref);
    return object;
  }
  lose_disk_values (disk, losses);
  json_object_set_string_member (object, "path_on_host", disk_path (disk));
  json_object_set_boolean_member (object, "is_read_only", disk->readonly);
  if (disk->io != DISK_IO_NONE)
    json_object_set_string_member (object, "io_engine", disk->io == DISK_IO_URING ? "Async" : "Sync");
  if (limiter != NULL)
    json_object_set_object_member (object, "rate_limiter", limiter);
  return object;
}

/* The one that is to be booted first, or the first there is; NULL: nothing is chosen. */
static const DeviceDisk *
find_root (const DomainDef *def)
{
  const DeviceDisk *root = NULL;

  if (!firecracker_chooses_root (def))
    return NULL;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (disk->bus != DISK_BUS_VIRTIO)
      continue;
    if (root == NULL
        || (disk->device.boot_order.set
            && (!root->device.boot_order.set
                || disk->device.boot_order.value < root->device.boot_order.value)))
      root = disk;
  }
  return root;
}

static void
add_drives (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  JsonArray *drives = json_array_new ();
  const DeviceDisk *root = find_root (def);

  if (root != NULL && launch_can_disk (root, losses))
    json_array_add_object_element (drives, drive (root, TRUE, losses));
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk)
    if (disk != root && launch_can_disk (disk, losses))
      json_array_add_object_element (drives, drive (disk, FALSE, losses));
  json_object_set_array_member (object, "drives", drives);
}

static JsonObject *
network_card (const DeviceInterface *interface, const char *id, char *tap, TargetLosses *losses)
{
  JsonObject *object = json_object_new ();
  JsonObject *rx = launch_interface_limiter (interface, interface->inbound, losses);
  JsonObject *tx = launch_interface_limiter (interface, interface->outbound, losses);

  if (interface_queues (interface) > 1)
    target_lose (losses, &interface->device, "driver queues=", "has one pair of queues a card");
  json_object_set_string_member (object, "iface_id", id);
  json_object_set_string_member (object, "host_dev_name", tap);
  json_object_set_string_member (object, "guest_mac", interface->mac);
  if (interface->mtu.set && (interface->mtu.value < MTU_MIN || interface->mtu.value > MTU_MAX))
    target_lose (losses, &interface->device, "mtu", "takes %d to %d bytes", MTU_MIN, MTU_MAX);
  else if (interface->mtu.set)
    json_object_set_int_member (object, "mtu", (gint64)interface->mtu.value);
  if (rx != NULL)
    json_object_set_object_member (object, "rx_rate_limiter", rx);
  if (tx != NULL)
    json_object_set_object_member (object, "tx_rate_limiter", tx);
  return object;
}

static void
add_network_cards (JsonObject *object, const DomainDef *def, TargetConfig *config, TargetLosses *losses)
{
  JsonArray *cards = json_array_new ();
  guint index = 0;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    g_autofree char *tap = NULL, *id = NULL;

    if (!launch_can_tap (interface, losses))
      continue;
    tap = launch_tap (config, interface, index);
    id = g_strdup_printf ("net%u", index++);
    json_array_add_object_element (cards, network_card (interface, id, tap, losses));
  }
  if (json_array_get_length (cards) > 0)
    json_object_set_array_member (object, "network-interfaces", g_steal_pointer (&cards));
  else
    json_array_unref (cards);
}

static void
add_vsock (JsonObject *object, const TargetRequest *request)
{
  g_autofree char *path = g_build_filename (request->run_directory, FIRECRACKER_VSOCK, NULL);
  JsonObject *vsock;

  if (domain_def_count_devices (request->def, &vsock_kind) == 0)
    return;
  vsock = json_object_new ();
  json_object_set_int_member (vsock, "guest_cid", (gint64)launch_vsock_cid (request->def));
  json_object_set_string_member (vsock, "uds_path", path);
  json_object_set_object_member (object, "vsock", vsock);
}

static void
add_balloon (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  guint64 held = launch_balloon (def);

  DOMAIN_FOREACH_DEVICE (def, memballoon_kind, DeviceMemballoon, balloon) {
    JsonObject *one;

    if (balloon->model == BALLOON_NONE)
      continue;
    one = json_object_new ();
    json_object_set_int_member (one, "amount_mib", (gint64)(held / KIB_PER_MIB));
    json_object_set_boolean_member (one, "deflate_on_oom", balloon->autodeflate == TRISTATE_YES);
    if (balloon->free_page_reporting == TRISTATE_YES)
      json_object_set_boolean_member (one, "free_page_reporting", TRUE);
    if (balloon->stats_period.value != 0)
      json_object_set_int_member (one, "stats_polling_interval_s", (gint64)balloon->stats_period.value);
    json_object_set_object_member (object, "balloon", one);
    if (held % KIB_PER_MIB != 0)
      target_lose (losses, NULL, "currentMemory", "counts its balloon in MiB");
    return;
  }
  if (held != 0)
    target_lose (losses, NULL, "currentMemory", "has all its memory without a balloon");
}

static void
add_entropy (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  DOMAIN_FOREACH_DEVICE (def, rng_kind, DeviceRng, rng) {
    JsonObject *entropy, *limiter, *bucket;

    if (json_object_has_member (object, "entropy")) {
      target_lose (losses, &rng->device, NULL, "has one source of entropy");
      continue;
    }
    if (rng->backend == RNG_BACKEND_EGD) {
      target_lose (losses, &rng->device, NULL, "takes its entropy from the host alone");
      continue;
    }
    entropy = json_object_new ();
    if (rng->rate_bytes.value != 0) {
      limiter = json_object_new ();
      bucket = json_object_new ();
      json_object_set_int_member (bucket, "size", (gint64)rng->rate_bytes.value);
      json_object_set_int_member (
          bucket, "refill_time", (gint64)(rng->rate_period.value != 0 ? rng->rate_period.value : RNG_PERIOD));
      json_object_set_object_member (limiter, "bandwidth", bucket);
      json_object_set_object_member (entropy, "rate_limiter", limiter);
    }
    json_object_set_object_member (object, "entropy", entropy);
  }
}

static void
add_virtio_mem (JsonObject *object, const DeviceMemory *memory, TargetLosses *losses)
{
  guint64 size = memory->size.value / KIB_PER_MIB;
  JsonObject *hotplug;

  if (json_object_has_member (object, "memory-hotplug")) {
    target_lose (losses, &memory->device, NULL, "has one device of the model 'virtio-mem'");
    return;
  }
  if (size == 0 || memory->size.value % ((guint64)HOTPLUG_SLOT * KIB_PER_MIB) != 0)
    target_refuse (losses, &memory->device, "target/size", "adds memory in steps of %d MiB", HOTPLUG_SLOT);
  if (memory->requested.value != 0)
    target_lose (losses, &memory->device, "target/requested", "starts with nothing of it plugged in");
  hotplug = json_object_new ();
  json_object_set_int_member (hotplug, "total_size_mib", (gint64)size);
  json_object_set_int_member (hotplug, "slot_size_mib", HOTPLUG_SLOT);
  json_object_set_int_member (hotplug, "block_size_mib", (gint64)MAX (memory->block.value / KIB_PER_MIB, 2));
  json_object_set_object_member (object, "memory-hotplug", hotplug);
}

static void
add_pmem (JsonArray *list, const DeviceMemory *memory)
{
  g_autofree char *id = g_strdup_printf ("pmem%u", json_array_get_length (list));
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "path_on_host", memory->path);
  json_object_set_boolean_member (object, "root_device", FALSE);
  json_object_set_boolean_member (object, "read_only", memory->readonly);
  json_array_add_object_element (list, object);
}

static void
add_memory_devices (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  JsonArray *pmem = json_array_new ();

  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, memory) {
    if (memory->model == MEMORY_VIRTIO_MEM)
      add_virtio_mem (object, memory, losses);
    else if (memory->model == MEMORY_VIRTIO_PMEM)
      add_pmem (pmem, memory);
    else
      target_lose (losses, &memory->device, NULL,
                   "has memory devices of the models 'virtio-mem' and "
                   "'virtio-pmem', and no '%s'",
                   enum_table_name (&memory_models, memory->model));
  }
  if (json_array_get_length (pmem) > 0)
    json_object_set_array_member (object, "pmem", g_steal_pointer (&pmem));
  else
    json_array_unref (pmem);
}

/* The one serial port is the process's standard input and output: whoever starts it decides where that goes.
 */
static void
lose_serials (const DomainDef *def, TargetConfig *config, TargetLosses *losses)
{
  guint count = 0;

  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial) {
    if (count++ > 0)
      target_lose (losses, &serial->device, NULL, "has one serial port");
    else if (serial->source.log_file != NULL)
      target_lose (losses, &serial->device, "log", "keeps no log of its serial port");
    else if (serial->source.type == CHARDEV_FILE)
      target_config_warn (config,
                          "the serial port is the standard output of the process: whoever starts it has to "
                          "send that to '%s'",
                          chardev_path (&serial->source));
    else if (serial->source.type != CHARDEV_PTY && serial->source.type != CHARDEV_STDIO
             && serial->source.type != CHARDEV_NULL)
      target_lose (losses, &serial->device, NULL,
                   "has its serial port on its standard input and output, and no "
                   "type='%s'",
                   enum_table_name (&chardev_types, serial->source.type));
  }
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console)
    if (console->target != CONSOLE_SERIAL)
      target_lose (losses, &console->device, NULL, "has no console but the serial port");
}

void
firecracker_add_devices (JsonObject *object, const TargetRequest *request, TargetConfig *config,
                         TargetLosses *losses)
{
  const DomainDef *def = request->def;

  add_drives (object, def, losses);
  add_network_cards (object, def, config, losses);
  add_vsock (object, request);
  add_balloon (object, def, losses);
  add_entropy (object, def, losses);
  add_memory_devices (object, def, losses);
  lose_serials (def, config, losses);
}
