/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device plugged into a running machine of another hypervisor: what it needs of the host is made as for
 * QEMU (the rows of running-kinds.c), but opened by the hypervisor itself, by name; then the driver says it.
 *
 * These hypervisors send no events. That the guest has let go of a device is found by asking until the
 * hypervisor has it no more, for as long as a client can be left waiting; a guest that lets go later is found
 * by the next detach, or by the next daemon. As with QEMU, a note is written before the first step and stays
 * until the definition says the same.
 */
#include "daemon/drivers/driver-devices.h"

#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/drivers/qemu/running-kinds.h"
#include "daemon/host/account.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface.h"

#define UNPLUG_SECONDS 5   /* a guest has to let go of a device */
#define UNPLUG_PAUSE   100 /* ms between two looks whether it has */

gboolean
driver_can_plug (const Driver *driver, const Device *device, GError **error)
{
  if (driver->can_plug != NULL)
    return driver->can_plug (driver, device, error);
  driver_fail_unsupported (driver, "attach and detach", error);
  return FALSE;
}

/* The rows of QEMU's kinds open images and offer descriptors, which nobody takes here. */
static const RunningKind *
kind_on_host (const Device *device)
{
  return device->kind != &disk_kind ? running_kind (device->kind) : running_kind (NULL);
}

static void
begin (Plugging *plugging, const DriverMachine *machine, const Hotplug *plug, Job *job)
{
  plugging_init (plugging, job, plug);
  plugging->directory = g_strdup (machine->directory);
}

static gboolean
keep_tap (Plugging *plugging, DomainDef *def, const Account *account, GError **error)
{
  const InterfacePlace place = {
    .job = plugging->job, .def = def, .settings = plugging->plug->settings, .account = account
  };

  return interfaces_keep_taps (&place, def, &plugging->files, error);
}

static gboolean
open_on_host (Plugging *plugging, const DriverMachine *machine, DomainDef *def, Device *device,
              GError **error)
{
  g_autoptr (Account) account =
      account_for_machine (plugging->plug->settings, def->uuid, (int)def->id.value, error);
  const RunningKind *row = kind_on_host (device);

  if (account == NULL)
    return FALSE;
  if (device->kind == &disk_kind) {
    const DeviceDisk *disk = (const DeviceDisk *)device;

    return disk_path (disk) == NULL
           || driver_check_file (machine->driver, account, "disk", disk_path (disk), !disk->readonly, error);
  }
  if (row->open != NULL && !row->open (plugging, def, device, error))
    return FALSE;
  plugging->opened = TRUE;
  return device->kind != &interface_kind || keep_tap (plugging, def, account, error);
}

static void
close_on_host (const Plugging *plugging, const DomainDef *def, const Device *device)
{
  const RunningKind *row = kind_on_host (device);

  if (row->close != NULL)
    row->close (plugging, def, device);
}

gboolean
driver_attach (const DriverMachine *machine, const Hotplug *plug, Job *job, DomainDef *def, Device *device,
               const char *text, GError **error)
{
  g_auto (Plugging) plugging = { 0 };

  begin (&plugging, machine, plug, job);
  if (!plugging_write_down (plug, def, device, error))
    return FALSE;
  if (open_on_host (&plugging, machine, def, device, error)
      && machine->driver->plug (machine, job, def, device, text, plug->settings, error))
    return TRUE;
  if (plugging.opened)
    close_on_host (&plugging, def, device);
  attach_published (plug, def, device);
  return FALSE;
}

static gboolean
has_device (const DriverMachine *machine, Job *job, const Device *device, gboolean *ret_has, GError **error)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (!machine->driver->list_devices (machine, job, ids, error))
    return FALSE;
  *ret_has = g_hash_table_contains (ids, machine->driver->device_id (device));
  return TRUE;
}

static gboolean
wait_until_gone (const DriverMachine *machine, Job *job, const Device *device, GError **error)
{
  gint64 end = g_get_monotonic_time () + (gint64)UNPLUG_SECONDS * G_USEC_PER_SEC;
  Plugging pausing = { .job = job };
  gboolean has;

  while (job_check (job, error) && has_device (machine, job, device, &has, error)) {
    if (!has)
      return TRUE;
    if (g_get_monotonic_time () >= end) {
      virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                      "the guest of domain '%s' was asked, and has not let go of device '%s' in %d seconds",
                      machine->def->name, device->alias, UNPLUG_SECONDS);
      return FALSE;
    }
    plugging_pause (&pausing, UNPLUG_PAUSE);
  }
  return FALSE;
}

gboolean
driver_detach (const DriverMachine *machine, Job *job, const Device *device, GError **error)
{
  gboolean has;

  return has_device (machine, job, device, &has, error)
         && (!has
             || (machine->driver->unplug (machine, job, device, error)
                 && wait_until_gone (machine, job, device, error)));
}

void
driver_release (const DriverMachine *machine, const Hotplug *plug, Job *job, const DomainDef *def,
                const Device *device)
{
  g_auto (Plugging) plugging = { 0 };

  begin (&plugging, machine, plug, job);
  close_on_host (&plugging, def, device);
}

typedef struct {
  const DriverMachine *machine;
  const Hotplug *plug;
  Job *job;
  const Platform *platform;
  GHashTable *present; /* ids */
  AdoptedMachine *adopted;
} Search;

static gboolean
is_present (const Search *search, const Device *device)
{
  return g_hash_table_contains (search->present, search->machine->driver->device_id (device));
}

/* The note of a device that is not in the live definition. FALSE: it is still needed. */
static gboolean
settle (Search *search, const char *alias, GError **error)
{
  const DriverMachine *machine = search->machine;
  g_autoptr (DomainDef) def =
      hotplug_load_note (search->plug, machine->def->uuid, alias, search->platform, error);
  const Device *device = def != NULL ? domain_def_find_alias (def, alias) : NULL;

  if (device == NULL)
    return def != NULL;
  if (!is_present (search, device)) {
    g_message ("domain '%s': device '%s' was on its way when the daemon ended; it is undone", def->name,
               alias);
    driver_release (machine, search->plug, search->job, def, device);
    return TRUE;
  }
  g_message ("domain '%s': device '%s' was attached when the daemon ended", def->name, alias);
  g_ptr_array_add (search->adopted->added, device_copy (device));
  return FALSE; /* whoever writes it down removes the note */
}

static void
settle_notes (Search *search)
{
  DomainDef *live = search->machine->def;
  g_autoptr (GPtrArray) noted = store_list_hotplug (search->plug->store, live->uuid);

  for (guint i = 0; i < noted->len; i++) {
    const char *alias = g_ptr_array_index (noted, i);
    g_autoptr (GError) problem = NULL;

    if (domain_def_find_alias (live, alias) != NULL || settle (search, alias, &problem))
      store_remove_hotplug (search->plug->store, live->uuid, alias);
    else if (problem != NULL)
      g_warning ("domain '%s': device '%s' was on its way when the daemon ended: %s", live->name, alias,
                 problem->message);
  }
}

static void
find_removed (Search *search)
{
  const DomainDef *live = search->machine->def;

  for (guint i = 0; i < live->devices->len; i++) {
    const Device *device = g_ptr_array_index (live->devices, i);

    if (device->alias != NULL && driver_can_plug (search->machine->driver, device, NULL)
        && !is_present (search, device))
      g_ptr_array_add (search->adopted->removed, g_strdup (device->alias));
  }
}

gboolean
driver_adopt_devices (const DriverMachine *machine, const Hotplug *plug, const Platform *platform, Job *job,
                      AdoptedMachine *adopted, GError **error)
{
  g_autoptr (GHashTable) present = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Search search = { machine, plug, job, platform, present, adopted };

  if (machine->driver->list_devices == NULL)
    return TRUE;
  if (!machine->driver->list_devices (machine, job, present, error))
    return FALSE;
  settle_notes (&search);
  find_removed (&search);
  return TRUE;
}
