/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device is plugged in by the part of the config that it would have had at the start, which is found in it
 * by its id. Once it is gone from the
 * hypervisor's tree of devices, and only then, the guest has let go of it: the config that it tells forgets a
 * device as soon as that was asked for.
 */
#include "daemon/drivers/cloud-hypervisor/cloud-hypervisor-plug.h"

#include "base/untrusted-json.h"
#include "daemon/drivers/api-config.h"
#include "daemon/drivers/api-machine.h"
#include "domain/devices/disk.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/interface.h"
#include "domain/devices/memory.h"
#include "targets/cloud-hypervisor/cloud-hypervisor-target.h"

#define API CLOUD_HYPERVISOR_API

/* The kinds it takes while its guest runs: where they are in its config, and the call. */
static const struct {
  const DeviceKind *kind;
  const char *list, *call;
} pluggable[] = {
  { &disk_kind, "disks", API "vm.add-disk" },
  { &interface_kind, "net", API "vm.add-net" },
  { &filesystem_kind, "fs", API "vm.add-fs" },
  { &memory_kind, "pmem", API "vm.add-pmem" },
};

/* Of memory devices the persistent ones: what can be resized is a part of the machine's own memory. */
static guint
row_of (const Device *device)
{
  guint row = 0;

  if (device->kind == &memory_kind && ((const DeviceMemory *)device)->model != MEMORY_VIRTIO_PMEM)
    return G_N_ELEMENTS (pluggable);
  while (row < G_N_ELEMENTS (pluggable) && pluggable[row].kind != device->kind)
    row++;
  return row;
}

const char *
cloud_hypervisor_device_id (const Device *device)
{
  return device->kind == &disk_kind ? ((const DeviceDisk *)device)->target : device->alias;
}

static void
remove_member (JsonObject *object, const char *name)
{
  if (json_object_has_member (object, name))
    json_object_remove_member (object, name);
}

void
cloud_hypervisor_forget_addresses (JsonObject *config)
{
  JsonArray *cards = untrusted_list (config, "net");

  for (guint i = 0; cards != NULL && i < json_array_get_length (cards); i++) {
    remove_member (json_array_get_object_element (cards, i), "ip");
    remove_member (json_array_get_object_element (cards, i), "mask");
  }
}

gboolean
cloud_hypervisor_can_plug (const Driver *driver, const Device *device, GError **error)
{
  if (row_of (device) < G_N_ELEMENTS (pluggable))
    return TRUE;
  virt_error_set (
      error, VIR_ERR_OPERATION_UNSUPPORTED,
      "%s attaches and detaches <disk>, <interface>, <filesystem> and <memory model='virtio-pmem'> "
      "while its guest runs, and no such <%s>",
      driver->title, device->kind->element);
  return FALSE;
}

/* (borrowed) */
static JsonObject *
find_part (JsonObject *config, const char *list_name, const char *id)
{
  JsonArray *list = untrusted_list (config, list_name);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *part = json_array_get_object_element (list, i);

    if (g_strcmp0 (untrusted_text (part, "id"), id) == 0)
      return part;
  }
  return NULL;
}

gboolean
cloud_hypervisor_plug (const DriverMachine *machine, Job *job, const DomainDef *def, const Device *device,
                       const char *text, const Settings *settings, GError **error)
{
  guint row = row_of (device);
  g_autoptr (JsonObject) config =
      api_config_of_device (machine->driver, def, device, text, machine->directory, settings, error);
  JsonObject *part;

  if (config == NULL)
    return FALSE;
  cloud_hypervisor_forget_addresses (config);
  part = find_part (config, pluggable[row].list, cloud_hypervisor_device_id (device));
  if (part != NULL)
    return api_machine_order (machine, CLOUD_HYPERVISOR_API_SOCKET, job, "PUT", pluggable[row].call,
                              json_object_ref (part), error);
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "%s has no such <%s> as '%s'", machine->driver->title,
                  device->kind->element, device->alias);
  return FALSE;
}

gboolean
cloud_hypervisor_unplug (const DriverMachine *machine, Job *job, const Device *device, GError **error)
{
  JsonObject *body = json_object_new ();

  json_object_set_string_member (body, "id", cloud_hypervisor_device_id (device));
  return api_machine_order (machine, CLOUD_HYPERVISOR_API_SOCKET, job, "PUT", API "vm.remove-device", body,
                            error);
}

/* (transfer full) */
static JsonObject *
ask (const DriverMachine *machine, Job *job, const char *path, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, CLOUD_HYPERVISOR_API_SOCKET, &socket);
  JsonObject *answer = NULL;

  if (api_ask (&place, job, "GET", path, NULL, &answer, error) && answer == NULL)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s answers '%s' with nothing", place.title, path);
  return answer;
}

static void
add_listed (JsonObject *config, const char *list_name, GHashTable *ids)
{
  JsonArray *list = untrusted_list (config, list_name);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *part = untrusted_object_of (json_array_get_element (list, i));
    const char *id = part != NULL ? untrusted_text (part, "id") : NULL;

    if (id != NULL)
      g_hash_table_add (ids, g_strdup (id));
  }
}

gboolean
cloud_hypervisor_list_devices (const DriverMachine *machine, Job *job, GHashTable *ids, GError **error)
{
  g_autoptr (JsonObject) info = ask (machine, job, API "vm.info", error);
  JsonObject *tree = info != NULL ? untrusted_object (info, "device_tree") : NULL;
  g_autoptr (GList) names = tree != NULL ? json_object_get_members (tree) : NULL;

  if (info == NULL)
    return FALSE;
  for (GList *name = names; name != NULL; name = name->next)
    g_hash_table_add (ids, g_strdup (name->data));
  /* One that is not booted has a config, and no devices yet. */
  for (guint row = 0; tree == NULL && row < G_N_ELEMENTS (pluggable); row++)
    add_listed (untrusted_object (info, "config"), pluggable[row].list, ids);
  return TRUE;
}

gboolean
cloud_hypervisor_count_disks (const DriverMachine *machine, Job *job, GHashTable *counters, GError **error)
{
  g_autoptr (JsonObject) answer = ask (machine, job, API "vm.counters", error);

  if (answer == NULL)
    return FALSE;
  DOMAIN_FOREACH_DEVICE (machine->def, disk_kind, DeviceDisk, disk) {
    JsonObject *counted = untrusted_object (answer, disk->target);
    DiskCounters *figures;

    if (counted == NULL || disk->device.alias == NULL)
      continue;
    figures = g_new0 (DiskCounters, 1);
    *figures = (DiskCounters){ .known = TRUE,
                               .read_requests = untrusted_count (counted, "read_ops"),
                               .read_bytes = untrusted_count (counted, "read_bytes"),
                               .write_requests = untrusted_count (counted, "write_ops"),
                               .write_bytes = untrusted_count (counted, "write_bytes") };
    g_hash_table_insert (counters, g_strdup (disk->device.alias), figures);
  }
  return TRUE;
}
