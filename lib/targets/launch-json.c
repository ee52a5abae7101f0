/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Firecracker and Cloud Hypervisor have in common. Both came from the same code, and their rate limiters
 * still are the same: a bucket of tokens that is filled at a constant rate, from which each byte or operation
 * takes one. libvirt's limits say a rate, and how much may come at once.
 */
#include "targets/launch-json.h"

#include "base/enum-table.h"
#include "domain/devices/controller.h"
#include "domain/devices/memory.h"
#include "domain/devices/vsock.h"

#define TAP_NAME_FORMAT  "vnet%u"
#define DRIVER_PARTS_KIB 1024

static void
lose_controller (const DeviceController *controller, TargetLosses *losses)
{
  if (controller->type == CONTROLLER_PCI)
    return; /* where the devices are is no matter of the document */
  if (controller->type == CONTROLLER_USB && controller->model == CONTROLLER_MODEL_DISABLED)
    return;
  target_lose (losses, &controller->device, NULL, "has no '%s' controllers",
               enum_table_name (&controller_types, controller->type));
}

void
launch_lose_machine (const DomainDef *def, TargetLosses *losses)
{
  if (def->type != VIRT_TYPE_KVM)
    target_lose (losses, NULL, "type=", LAUNCH_RUNS_ONLY_WITH_KVM);
  if (def->os.type != OS_TYPE_HVM)
    target_lose (losses, NULL, "os/type", "runs machines of the type 'hvm' alone");
  if (!g_str_equal (def->os.arch, "x86_64") && !g_str_equal (def->os.arch, "aarch64"))
    target_refuse (losses, NULL, "os/type arch=", "runs x86_64 and aarch64, and not '%s'", def->os.arch);
  if (def->clock.offset != CLOCK_NONE && def->clock.offset != CLOCK_UTC)
    target_lose (losses, NULL, "clock offset=", "has no clock but UTC");
  if (def->pm_suspend_to_mem == TRISTATE_YES || def->pm_suspend_to_disk == TRISTATE_YES)
    target_lose (losses, NULL, "pm", "lets its guest not sleep");
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller)
    lose_controller (controller, losses);
}

guint64
launch_memory (const DomainDef *def)
{
  guint64 devices = memory_devices_size (def);

  return def->memory.value > devices ? def->memory.value - devices : def->memory.value;
}

guint64
launch_balloon (const DomainDef *def)
{
  return def->current_memory.set && def->current_memory.value < def->memory.value
             ? def->memory.value - def->current_memory.value
             : 0;
}

guint64
launch_huge_page (const DomainDef *def, TargetLosses *losses)
{
  const GPtrArray *pages = def->memory_backing.pages;
  guint64 bytes = 2 * 1024 * 1024;

  if (!def->memory_backing.hugepages)
    return 0;
  for (guint i = 0; pages != NULL && i < pages->len; i++) {
    const HugePage *page = g_ptr_array_index (pages, i);

    if (page->nodeset != NULL || i > 0)
      target_lose (losses, NULL, "memoryBacking/hugepages/page", "makes all memory of pages of one size");
    else if (page->size.set)
      bytes = page->size.value * 1024;
  }
  return bytes;
}

guint64
launch_vsock_cid (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, vsock_kind, DeviceVsock, vsock)
    return vsock->cid.set && vsock->auto_cid != TRISTATE_YES ? vsock->cid.value : VSOCK_FIRST_CID;
  return 0;
}

gboolean
launch_can_disk (const DeviceDisk *disk, TargetLosses *losses)
{
  if (disk->device_type != DISK_DEVICE_NONE && disk->device_type != DISK_DEVICE_DISK)
    target_lose (losses, &disk->device, NULL, "has no device='%s'",
                 enum_table_name (&disk_devices, disk->device_type));
  else if (disk->bus != DISK_BUS_VIRTIO)
    target_lose (losses, &disk->device, NULL, "has no bus but virtio for its disks, and no '%s'",
                 enum_table_name (&disk_buses, disk->bus));
  else if (disk->type == DISK_TYPE_VHOST_USER && disk->source.socket != NULL)
    return TRUE;
  else if (disk->type != DISK_TYPE_FILE && disk->type != DISK_TYPE_BLOCK)
    target_lose (losses, &disk->device, NULL,
                 "takes files, block devices and vhost-user sockets for disks, and no type='%s'",
                 enum_table_name (&disk_types, disk->type));
  else if (disk_path (disk) == NULL)
    target_lose (losses, &disk->device, NULL, "has no drive without a medium");
  else
    return TRUE;
  return FALSE;
}

gboolean
launch_is_chained (const DeviceDisk *disk)
{
  return disk->backing != NULL && !disk_backing_is_end (disk->backing);
}

/* @rate tokens a second, of which @at_once may go in a burst; 0: those of a second. */
static JsonObject *
token_bucket (guint64 rate, guint64 at_once)
{
  JsonObject *bucket = json_object_new ();
  guint64 size = at_once != 0 ? at_once : rate;
  guint64 refill = (guint64)((double)size * 1000 / (double)rate);

  json_object_set_int_member (bucket, "size", (gint64)MIN (size, G_MAXINT64));
  json_object_set_int_member (bucket, "refill_time", (gint64)CLAMP (refill, 1, G_MAXINT32));
  return bucket;
}

static void
add_disk_bucket (JsonObject *limiter, const char *name, Number rate, Number most, Number seconds)
{
  if (rate.value == 0)
    return;
  json_object_set_object_member (limiter, name,
                                 token_bucket (rate.value, most.value * MAX (seconds.value, 1)));
}

static JsonObject *
unless_empty (JsonObject *object)
{
  if (json_object_get_size (object) > 0)
    return object;
  json_object_unref (object);
  return NULL;
}

JsonObject *
launch_disk_limiter (const DeviceDisk *disk)
{
  const DiskIotune *tune = disk->iotune;
  JsonObject *limiter;

  if (tune == NULL)
    return NULL;
  limiter = json_object_new ();
  add_disk_bucket (limiter, "bandwidth", tune->total_bytes_sec, tune->total_bytes_sec_max,
                   tune->total_bytes_sec_max_length);
  add_disk_bucket (limiter, "ops", tune->total_iops_sec, tune->total_iops_sec_max,
                   tune->total_iops_sec_max_length);
  return unless_empty (limiter);
}

JsonObject *
launch_interface_limiter (const DeviceInterface *interface, const InterfaceRate *rate, TargetLosses *losses)
{
  JsonObject *limiter;

  if (rate == NULL || rate->average.value == 0)
    return NULL;
  if (rate->peak.value != 0)
    target_lose (losses, &interface->device, "bandwidth", "knows an average and a burst, and no peak");
  if (rate->floor.value != 0)
    target_lose (losses, &interface->device, "bandwidth", "promises no least bandwidth");
  limiter = json_object_new ();
  json_object_set_object_member (
      limiter, "bandwidth",
      token_bucket (rate->average.value * DRIVER_PARTS_KIB, rate->burst.value * DRIVER_PARTS_KIB));
  return limiter;
}

gboolean
launch_can_tap (const DeviceInterface *interface, TargetLosses *losses)
{
  if (!interface_is_virtio (interface)) {
    target_lose (losses, &interface->device, "model", "has no network card but virtio, and no '%s'",
                 interface->model != NULL ? interface->model : "");
  }
  if (interface->link == LINK_DOWN)
    target_lose (losses, &interface->device, "link", "cannot unplug a cable");
  if (interface_has_tap (interface))
    return TRUE;
  target_lose (
      losses, &interface->device, NULL,
      "has only taps for its network cards, which type='bridge', 'network' and 'ethernet' are, and no "
      "'%s'",
      enum_table_name (&interface_types, interface->type));
  return FALSE;
}

static void
add_tap_steps (TargetConfig *config, const DeviceInterface *interface, const char *tap)
{
  const char *const make[] = { "ip", "tuntap", "add", "dev", tap, "mode", "tap", NULL };
  const char *const join[] = { "ip", "link", "set", "dev", tap, "master", interface->bridge, NULL };
  const char *const up[] = { "ip", "link", "set", "dev", tap, "up", NULL };

  target_config_add_step (config, make);
  if (interface->bridge != NULL)
    target_config_add_step (config, join);
  else if (interface->type == INTERFACE_NETWORK)
    target_config_warn (config, "the tap '%s' has to be joined to the bridge of the network '%s'", tap,
                        interface->network);
  target_config_add_step (config, up);
}

char *
launch_tap (TargetConfig *config, const DeviceInterface *interface, guint index)
{
  char *tap = interface->target_dev != NULL && strchr (interface->target_dev, '%') == NULL
                  ? g_strdup (interface->target_dev)
                  : g_strdup_printf (TAP_NAME_FORMAT, index);

  if (interface->type != INTERFACE_ETHERNET || interface->target_managed != TRISTATE_NO)
    add_tap_steps (config, interface, tap);
  return tap;
}

gboolean
launch_is_program (const char *path)
{
  g_autofree char *name = path != NULL ? g_path_get_basename (path) : NULL;

  return name != NULL
         && (g_str_has_prefix (name, "firecracker") || g_str_has_prefix (name, "cloud-hypervisor"));
}

const char *
launch_program (const DomainDef *def, const char *program)
{
  g_autofree char *name = def->emulator != NULL ? g_path_get_basename (def->emulator) : NULL;

  return name != NULL && g_str_has_prefix (name, program) ? def->emulator : program;
}

void
launch_add_file (TargetConfig *config, const char *name, JsonObject *object)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  json_node_take_object (root, object);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  json_generator_set_indent (generator, 2);
  text = json_generator_to_data (generator, NULL);
  target_config_add_file (config, name, g_strconcat (text, "\n", NULL));
}
