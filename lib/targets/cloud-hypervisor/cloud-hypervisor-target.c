/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine as Cloud Hypervisor's vm.create takes it: what boots, what it says of itself, and the rest from
 * the files beside this one. Members that have a newer name ("system_uuid") have the older one, which all
 * versions know. Both consoles are always written: left out, one of them would be the terminal of the daemon.
 */
#include "targets/cloud-hypervisor/cloud-hypervisor-target.h"

#include "base/translate-mark.h"
#include "domain/devices/iommu.h"
#include "domain/devices/panic.h"
#include "domain/devices/watchdog.h"
#include "domain/sysinfo.h"
#include "targets/launch-json.h"

static const TargetPart parts[] = {
  LAUNCH_COMMON_PARTS,
  { "uuid", TARGET_CARRIED, NULL },
  { "os/type@machine", TARGET_NEEDLESS, NULL }, /* it has one machine */
  { "genid", TARGET_LOST, "has no generation id" },
  { "sysinfo@type", TARGET_CARRIED, NULL },
  { "sysinfo/system/entry", TARGET_CARRIED, NULL },
  { "sysinfo/chassis/entry", TARGET_CARRIED, NULL },
  { "sysinfo/oemStrings/entry", TARGET_CARRIED, NULL },
  { "sysinfo/bios", TARGET_LOST, "has no BIOS to speak of" },
  { "sysinfo/baseBoard", TARGET_LOST, "has no board to speak of" },
  { "os/smbios@mode", TARGET_CARRIED, NULL },
  { "maxMemory", TARGET_CARRIED, NULL },
  { "memoryBacking/hugepages", TARGET_CARRIED, NULL },
  { "memoryBacking/access@mode", TARGET_CARRIED, NULL },
  { "memoryBacking/allocation@mode", TARGET_CARRIED, NULL },
  { "memoryBacking/locked", TARGET_LOST, "does not lock its memory" },
  { "vcpu", TARGET_CARRIED, NULL },
  { "vcpu@cpuset", TARGET_CARRIED, NULL },
  { "vcpus", TARGET_LOST, "chooses itself which processors are plugged in" },
  { "cputune/vcpupin", TARGET_CARRIED, NULL },
  { "numatune/memory", TARGET_CARRIED, NULL },
  { "numatune/memnode", TARGET_CARRIED, NULL },
  { "os/loader", TARGET_CARRIED, NULL },
  { "os/loader@secure", TARGET_LOST, "has no Secure Boot" },
  { "os/boot", TARGET_CARRIED, NULL },
  { "os/nvram", TARGET_LOST, "keeps no variables of its firmware" },
  { "os/firmware", TARGET_LOST, "chooses no firmware: <loader> has to name one made for it" },
  { "os@firmware", TARGET_LOST, "chooses no firmware: <loader> has to name one made for it" },
  { "features/hyperv", TARGET_CARRIED, NULL },
  { "cpu/cache", TARGET_LOST, "gives its guest the host's caches" },
  { "cpu/maxphysaddr", TARGET_CARRIED, NULL },
  { "cpu/numa/cell@id", TARGET_CARRIED, NULL },
  { "cpu/numa/cell@cpus", TARGET_CARRIED, NULL },
  { "cpu/numa/cell@memory", TARGET_CARRIED, NULL },
  { "cpu/numa/cell@unit", TARGET_CARRIED, NULL },
  { "cpu/numa/cell@memAccess", TARGET_CARRIED, NULL },
  { "cpu/numa/cell/distances", TARGET_CARRIED, NULL },
  { "devices/crypto", TARGET_LOST, "has no crypto device" },
  { "devices/pstore", TARGET_LOST, "has no persistent store" },
  { "devices/disk/driver@iommu", TARGET_CARRIED, NULL },
  { "devices/disk/driver@queues", TARGET_CARRIED, NULL },
  { "devices/disk/driver@queue_size", TARGET_CARRIED, NULL },
  { "devices/disk/serial", TARGET_CARRIED, NULL },
  { "devices/disk/boot", TARGET_LOST, "leaves it to its firmware what is booted" },
  { "devices/disk/shareable", TARGET_LOST, "locks each image for itself" },
  { "devices/interface/driver@name", TARGET_LOST, "moves packets itself" },
  { "devices/interface/driver@queues", TARGET_CARRIED, NULL },
  { "devices/interface/driver@rx_queue_size", TARGET_CARRIED, NULL },
  { "devices/interface/driver@tx_queue_size", TARGET_CARRIED, NULL },
  { "devices/interface/driver@iommu", TARGET_CARRIED, NULL },
  { "devices/interface/source/ip", TARGET_CARRIED, NULL },
  { "devices/interface/source/address", TARGET_CARRIED, NULL },
  { "devices/interface@managed", TARGET_CARRIED, NULL },
  { "devices/filesystem@type", TARGET_CARRIED, NULL },
  { "devices/filesystem@accessmode", TARGET_NEEDLESS, NULL },
  { "devices/filesystem/driver", TARGET_CARRIED, NULL },
  { "devices/filesystem/binary", TARGET_NEEDLESS, NULL },
  { "devices/filesystem/source", TARGET_CARRIED, NULL },
  { "devices/filesystem/target", TARGET_CARRIED, NULL },
  { "devices/filesystem/readonly", TARGET_CARRIED, NULL },
  { "devices/hostdev@mode", TARGET_CARRIED, NULL },
  { "devices/hostdev@type", TARGET_CARRIED, NULL },
  { "devices/hostdev@managed", TARGET_CARRIED, NULL },
  { "devices/hostdev/source", TARGET_CARRIED, NULL },
  { "devices/hostdev/driver@name", TARGET_CARRIED, NULL },
  { "devices/hostdev/rom", TARGET_LOST, "has no option ROMs" },
  { "devices/hostdev/boot", TARGET_LOST, "leaves it to its firmware what is booted" },
  { "devices/tpm", TARGET_CARRIED, NULL },
  { "devices/watchdog", TARGET_CARRIED, NULL },
  { "devices/panic@model", TARGET_CARRIED, NULL },
  { "devices/iommu@model", TARGET_CARRIED, NULL },
  { "devices/rng/rate", TARGET_LOST, "sets no limit to its entropy" },
  { "devices/rng/driver@iommu", TARGET_CARRIED, NULL },
  { "devices/memballoon/stats", TARGET_LOST, "asks its guest for no statistics" },
  { "devices/vsock/driver@iommu", TARGET_CARRIED, NULL },
  { NULL, 0, NULL },
};

static JsonObject *
payload (const DomainDef *def, TargetLosses *losses)
{
  JsonObject *object = json_object_new ();

  if (def->os.kernel != NULL) {
    json_object_set_string_member (object, "kernel", def->os.kernel);
    if (def->os.initrd != NULL)
      json_object_set_string_member (object, "initramfs", def->os.initrd);
    if (def->os.cmdline != NULL)
      json_object_set_string_member (object, "cmdline", def->os.cmdline);
    if (def->os.loader != NULL)
      target_lose (losses, NULL, "os/loader", "boots a kernel or firmware, and not both");
  } else if (def->os.loader != NULL) {
    json_object_set_string_member (object, "firmware", def->os.loader);
  } else {
    target_refuse (losses, NULL, "os",
                   "boots a kernel or firmware made for it: <kernel> or <loader> has to name "
                   "one");
  }
  for (guint i = 0; def->os.boots != NULL && i < def->os.boots->len; i++)
    if (((const OsBoot *)g_ptr_array_index (def->os.boots, i))->device != BOOT_HD)
      target_lose (losses, NULL, "os/boot", "leaves it to its firmware what is booted, which is a disk");
  return object;
}

static void
add_entry (JsonObject *platform, const char *name, const SysinfoTable *table, const char *entry)
{
  const char *value = sysinfo_value (table, entry);

  if (value != NULL)
    json_object_set_string_member (platform, name, value);
}

static void
add_strings (JsonObject *platform, const GPtrArray *strings)
{
  JsonArray *list;

  if (strings == NULL || strings->len == 0)
    return;
  list = json_array_new ();
  for (guint i = 0; i < strings->len; i++)
    json_array_add_string_element (list, g_ptr_array_index (strings, i));
  json_object_set_array_member (platform, "oem_strings", list);
}

static JsonObject *
platform (const DomainDef *def, TargetLosses *losses)
{
  JsonObject *object = json_object_new ();
  const Sysinfo *smbios = def->os.smbios_mode == SMBIOS_MODE_SYSINFO ? domain_def_smbios (def) : NULL;

  json_object_set_string_member (object, "uuid", def->uuid);
  if (def->os.smbios_mode == SMBIOS_MODE_HOST)
    target_lose (losses, NULL, "os/smbios", "does not tell its guest what the host is");
  if (smbios == NULL)
    return object;
  add_entry (object, "serial_number", &smbios->system, "serial");
  add_entry (object, "system_manufacturer", &smbios->system, "manufacturer");
  add_entry (object, "system_product_name", &smbios->system, "product");
  add_entry (object, "system_version", &smbios->system, "version");
  add_entry (object, "system_family", &smbios->system, "family");
  add_entry (object, "system_sku_number", &smbios->system, "sku");
  add_entry (object, "chassis_asset_tag", &smbios->chassis, "asset");
  add_strings (object, smbios->oem_strings);
  return object;
}

/* Its own takes the place of the one that is asked for, but for the chipset's, which every such machine has.
 */
static void
add_watchdog (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  DOMAIN_FOREACH_DEVICE (def, watchdog_kind, DeviceWatchdog, watchdog) {
    target_lose (losses, &watchdog->device, NULL, "has a virtio watchdog, and no '%s'",
                 enum_table_name (&watchdog_models, watchdog->model));
    if (watchdog->model == WATCHDOG_ITCO)
      continue;
    if (watchdog->action != WATCHDOG_ACTION_RESET && watchdog->action != WATCHDOG_ACTION_UNSET)
      target_lose (losses, &watchdog->device,
                   "action=", "resets its guest when the watchdog bites, and knows no other action");
    json_object_set_boolean_member (object, "watchdog", TRUE);
  }
}

static void
add_switches (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  add_watchdog (object, def, losses);
  DOMAIN_FOREACH_DEVICE (def, panic_kind, DevicePanic, panic) {
    if (panic->model == PANIC_ISA || panic->model == PANIC_PVPANIC)
      json_object_set_boolean_member (object, "pvpanic", TRUE);
    else
      target_lose (losses, &panic->device, NULL, "has a pvpanic device, and no '%s'",
                   enum_table_name (&panic_models, panic->model));
  }
  DOMAIN_FOREACH_DEVICE (def, iommu_kind, DeviceIommu, iommu) {
    if (iommu->model == IOMMU_VIRTIO)
      json_object_set_boolean_member (object, "iommu", TRUE);
    else
      target_lose (losses, &iommu->device, NULL, "has a virtio IOMMU, and no '%s'",
                   enum_table_name (&iommu_models, iommu->model));
  }
}

static gboolean
translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
           GError **error G_GNUC_UNUSED)
{
  const DomainDef *def = request->def;
  JsonObject *object = json_object_new ();

  launch_lose_machine (def, losses);
  json_object_set_object_member (object, "payload", payload (def, losses));
  cloud_hypervisor_add_processors (object, def, losses);
  cloud_hypervisor_add_memory (object, def, losses);
  cloud_hypervisor_add_disks (object, def, losses);
  cloud_hypervisor_add_devices (object, request, config, losses);
  add_switches (object, def, losses);
  json_object_set_object_member (object, "platform", platform (def, losses));
  launch_add_file (config, CLOUD_HYPERVISOR_CONFIG_NAME, object);
  return TRUE;
}

const Target cloud_hypervisor_target = {
  .name = "cloud-hypervisor",
  .title = "Cloud Hypervisor",
  .summary = N_ ("the body of Cloud Hypervisor's vm.create"),
  .parts = parts,
  .translate = translate,
};
