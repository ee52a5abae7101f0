/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices of a running machine, as they come and go. What a job has plugged in joins the definition that is
 * true now, not the one the job began with: the guest may have let go of another device meanwhile. A device
 * that the guest lets go of leaves the definition at once, whoever asked and however long ago; what was
 * behind it is taken away by a job, and only then is the asker told, so that its image is free for the next
 * user.
 */
#include "daemon/domain/machine-devices.h"

#include "daemon/drivers/driver-devices.h"
#include "domain/device-change.h"
#include "domain/device-match.h"
#include "domain/devices/disk.h"
#include "domain/vcpus.h"

typedef struct {
  char *alias;
  RemovalDone end;
  gpointer data;
} Removal;

static void
removal_free (gpointer data)
{
  Removal *removal = data;

  g_free (removal->alias);
  g_free (removal);
}

void
machine_hotplug_init (Machine *machine, Hotplug *plug)
{
  Manager *manager = machine->domain->manager;

  *plug = (Hotplug){ machine->qmp != NULL ? qmp_ref (machine->qmp) : NULL,
                     manager->settings,
                     manager->store,
                     manager->caps,
                     machine->helpers,
                     manager->secrets };
}

void
machine_hotplug_clear (Hotplug *plug)
{
  g_clear_pointer (&plug->qmp, qmp_unref);
}

char *
machine_qemu_directory (const Machine *machine)
{
  const Domain *domain = machine->domain;
  g_autofree char *run = store_run_directory (domain->manager->store, domain->uuid);

  return g_build_filename (run, START_QEMU_DIRECTORY, NULL);
}

void
machine_devices_added (Machine *machine, const GPtrArray *devices)
{
  machine_replace_def (machine, domain_def_with_devices (machine->def, devices));
  for (guint i = 0; i < devices->len; i++) {
    const Device *device = g_ptr_array_index (devices, i);

    if (device->alias != NULL)
      events_domain (machine->domain->manager->events, machine->domain, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                     g_variant_new ("(s)", device->alias));
  }
}

static gboolean
find_in_copy (Machine *machine, const Device *device, DomainDef **ret_def, guint *ret_index)
{
  if (device == NULL)
    return FALSE;
  *ret_index = domain_def_device_index (machine->def, device);
  *ret_def = domain_def_copy (machine->def);
  return TRUE;
}

void
machine_device_updated (Machine *machine, const Device *device)
{
  /* A display has no alias: its type tells. */
  const Device *old = device->alias != NULL ? domain_def_find_alias (machine->def, device->alias)
                                            : device_match (machine->def, device, NULL);
  DomainDef *def = NULL;
  guint index = 0;

  if (!find_in_copy (machine, old, &def, &index))
    return;
  device_free (g_ptr_array_index (def->devices, index));
  def->devices->pdata[index] = device_copy (device);
  machine_replace_def (machine, def);
}

void
machine_expect_removal (Machine *machine, const char *alias, RemovalDone end, gpointer data)
{
  Removal *removal = g_new0 (Removal, 1);

  removal->alias = g_strdup (alias);
  removal->end = end;
  removal->data = data;
  if (machine->removals == NULL)
    machine->removals = g_ptr_array_new_with_free_func (removal_free);
  g_ptr_array_add (machine->removals, removal);
}

void
machine_forget_removal (Machine *machine, gpointer data)
{
  for (guint i = 0; machine->removals != NULL && i < machine->removals->len; i++)
    if (((Removal *)g_ptr_array_index (machine->removals, i))->data == data) {
      g_ptr_array_remove_index (machine->removals, i);
      return;
    }
}

/* Tell those who wait for @alias; NULL: all. */
static void
tell_removal (Machine *machine, const char *alias, RemovalEnd how)
{
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func (removal_free);

  for (guint i = machine->removals != NULL ? machine->removals->len : 0; i > 0; i--) {
    const Removal *removal = g_ptr_array_index (machine->removals, i - 1);

    if (alias == NULL || g_str_equal (removal->alias, alias))
      g_ptr_array_add (told, g_ptr_array_steal_index (machine->removals, i - 1));
  }
  for (guint i = 0; i < told->len; i++) {
    const Removal *removal = g_ptr_array_index (told, i);

    removal->end (how, removal->data);
  }
}

void
machine_removals_end (Machine *machine)
{
  tell_removal (machine, NULL, REMOVAL_ENDED);
  g_clear_pointer (&machine->removals, g_ptr_array_unref);
}

void
machine_device_refused (Machine *machine, const char *alias)
{
  tell_removal (machine, alias, REMOVAL_REFUSED);
}

/* What was behind a device that is gone, being taken away. */
typedef struct {
  Manager *manager;
  char *uuid;
  int id;
  Hotplug plug;
  DriverMachine *driven; /* NULL: it is QEMU's */
  DomainDef *def;        /* with the device still in it */
  Device *device;        /* in def */
} BackendRemoval;

static void
backend_free (gpointer data)
{
  BackendRemoval *removal = data;

  machine_hotplug_clear (&removal->plug);
  g_clear_pointer (&removal->driven, driver_machine_free);
  domain_def_unref (removal->def);
  g_free (removal->uuid);
  g_free (removal);
}

static gpointer
backend_job (Job *job, gpointer input, GError **error)
{
  BackendRemoval *removal = input;

  if (removal->driven != NULL)
    driver_release (removal->driven, &removal->plug, job, removal->def, removal->device);
  else if (!detach_remove_backend (job, &removal->plug, removal->def, removal->device, FALSE, error))
    return NULL;
  attach_published (&removal->plug, removal->def, removal->device);
  return JOB_OK;
}

static void
backend_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  BackendRemoval *removal = data;
  Domain *domain = manager_find_uuid (removal->manager, removal->uuid, NULL);

  if (error != NULL)
    g_message ("what was behind device '%s' may still be open: %s", removal->device->alias, error->message);
  if (domain != NULL && domain->machine != NULL && domain->id == removal->id)
    tell_removal (domain->machine, removal->device->alias, REMOVAL_DONE);
}

void
machine_vcpu_added (Machine *machine, guint number)
{
  DomainDef *def = domain_def_copy (machine->def);

  domain_vcpus_name (def, def->vcpu_list == NULL);
  if (domain_vcpu_is_online (def, number) || number >= domain_vcpus_maximum (def)) {
    domain_def_unref (def);
    return;
  }
  domain_vcpu_set_online (def, number);
  machine_replace_def (machine, def);
}

static gboolean
contains_id (const GArray *ids, guint64 id)
{
  for (guint i = 0; i < ids->len; i++)
    if (g_array_index (ids, guint64, i) == id)
      return TRUE;
  return FALSE;
}

void
machine_iothreads_found (Machine *machine, const GArray *ids)
{
  DomainDef *def = domain_def_copy (machine->def);
  gboolean changed = FALSE;

  for (guint i = 0; i < ids->len; i++)
    if (!domain_has_iothread (def, g_array_index (ids, guint64, i))) {
      domain_add_iothread (def, g_array_index (ids, guint64, i));
      changed = TRUE;
    }
  for (guint i = domain_count_iothreads (def); i > 0; i--)
    if (!contains_id (ids, domain_iothread_id (def, i - 1))) {
      domain_remove_iothread (def, domain_iothread_id (def, i - 1));
      changed = TRUE;
    }
  if (changed)
    machine_replace_def (machine, def);
  else
    domain_def_unref (def);
}

static void
vcpu_deleted (Machine *machine, const char *alias)
{
  DomainDef *def;
  guint number;

  if (!domain_vcpu_of_alias (alias, &number) || !domain_vcpu_is_online (machine->def, number)
      || domain_vcpu_is_fixed (machine->def, number))
    return;
  def = domain_def_copy (machine->def);
  domain_vcpu_set_offline (def, number);
  machine_replace_def (machine, def);
  tell_removal (machine, alias, REMOVAL_DONE);
}

/* What is behind the device is still to be taken away: the next daemon does it, if it is not this one. */
static void
note_removal (Machine *machine, const char *alias)
{
  g_autofree char *xml = domain_def_to_xml (machine->def, DOMAIN_WRITE_LIVE | DOMAIN_WRITE_SECURE);
  g_autoptr (GError) error = NULL;

  if (!store_save_hotplug (machine->domain->manager->store, machine->domain->uuid, alias, xml, &error))
    g_warning ("domain '%s': %s", machine->domain->name, error->message);
}

void
machine_device_deleted (Machine *machine, const char *alias)
{
  Domain *domain = machine->domain;
  Device *device = domain_def_find_alias (machine->def, alias);
  BackendRemoval *removal;

  if (device == NULL) {
    vcpu_deleted (machine, alias);
    return;
  }
  removal = g_new0 (BackendRemoval, 1);
  removal->manager = domain->manager;
  removal->uuid = g_strdup (domain->uuid);
  removal->id = domain->id;
  removal->def = domain_def_ref (machine->def);
  removal->device = device;
  machine_hotplug_init (machine, &removal->plug);
  removal->driven = machine->driver != NULL ? machine_driver_view (machine) : NULL;
  note_removal (machine, alias);
  machine_replace_def (
      machine, domain_def_without_device (machine->def, domain_def_device_index (machine->def, device)));
  job_start ("unplug", backend_job, removal, backend_free, domain->manager->settings->call_timeout,
             backend_done, removal);
}

void
machine_tray_moved (Machine *machine, const char *alias, gboolean open)
{
  DomainDef *def = NULL;
  guint index = 0;
  DeviceDisk *disk;

  if (!find_in_copy (machine, domain_def_find_alias (machine->def, alias), &def, &index))
    return;
  disk = g_ptr_array_index (def->devices, index);
  if (disk->device.kind != &disk_kind) {
    domain_def_unref (def);
    return;
  }
  disk->tray = open ? TRAY_OPEN : TRAY_NONE; /* closed is not said, as libvirt does not say it */
  machine_replace_def (machine, def);
}
