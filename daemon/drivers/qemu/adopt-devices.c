/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices that were on their way in or out when the last daemon ended. Each has a note that was written
 * before the first step, with the definition it was to belong to. What QEMU says it has decides: a device
 * that is there is finished, and what was to be behind one that is not is taken away, step by step as its
 * recipe names it, whether that step had been done or not. And a device the guest has let go of meanwhile is
 * told.
 */
#include "daemon/drivers/qemu/adopt.h"
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/running-medium.h"

#include "domain/device-list.h"
#include "domain/vcpus.h"

#include <string.h>

#define PERIPHERALS "/machine/peripheral" /* where QEMU keeps the devices that have an id */

typedef struct {
  Job *job;
  const Hotplug *plug;
  const DomainDef *live;
  const Platform *platform;
  GHashTable *present; /* the ids */
  AdoptedMachine *adopted;
} Search;

static void
note_present (JsonObject *item, gpointer data)
{
  const char *name = untrusted_text (item, "name");

  if (name != NULL)
    g_hash_table_add (data, g_strdup (name));
}

static gboolean
ask_present (Job *job, const Hotplug *plug, GHashTable *present, GError **error)
{
  g_auto (Plugging) plugging = { 0 };

  plugging_init (&plugging, job, plug);
  return plugging_ask_list (&plugging, "qom-list", props ("path", "s", PERIPHERALS, NULL), note_present,
                            present, error);
}

DomainDef *
hotplug_load_note (const Hotplug *plug, const char *uuid, const char *alias, const Platform *platform,
                   GError **error)
{
  g_autofree char *xml = store_load_hotplug (plug->store, uuid, alias, error);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (alias);
  g_autoptr (DomainDef) def = NULL;

  if (xml == NULL)
    return NULL;
  def = domain_def_parse (xml, -1, DOMAIN_READ_LIVE | DOMAIN_READ_NO_SCHEMA, platform, diagnostics);
  return diagnostics_check (diagnostics, error) ? g_steal_pointer (&def) : NULL;
}

static DomainDef *
load_note (const Search *search, const char *alias, GError **error)
{
  return hotplug_load_note (search->plug, search->live->uuid, alias, search->platform, error);
}

static gboolean
is_drive (const Device *device)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  return device->kind == &disk_kind
         && (disk->device_type == DISK_DEVICE_CDROM || disk->device_type == DISK_DEVICE_FLOPPY);
}

/* FALSE: the note is still needed. */
static gboolean
settle_medium (Search *search, const DeviceDisk *disk, GError **error)
{
  g_autoptr (DomainDef) def = load_note (search, disk->device.alias, error);
  Device *updated = def != NULL ? domain_def_find_alias (def, disk->device.alias) : NULL;
  gboolean changed = FALSE;

  if (def == NULL)
    return FALSE;
  if (updated == NULL || !is_drive (updated) || disk_has_same_source (disk, (const DeviceDisk *)updated))
    return TRUE; /* it had been written down */
  if (!running_medium_settle (search->job, search->plug, def->emulator, disk, (const DeviceDisk *)updated,
                              &changed, error))
    return FALSE;
  g_message ("domain '%s': the medium of disk '%s' was being changed when the daemon ended; it is %s",
             def->name, disk->target, changed ? "the new one" : "the old one");
  if (changed)
    g_ptr_array_add (search->adopted->updated, device_copy (updated));
  return !changed; /* whoever writes it down removes the note */
}

/* FALSE: the note is still needed. */
static gboolean
settle (Search *search, const char *alias, GError **error)
{
  g_autoptr (DomainDef) def = NULL;
  Device *device;

  device = domain_def_find_alias ((DomainDef *)search->live, alias);
  if (device != NULL) /* it had been written down, or is not gone yet; or is a drive and stays */
    return !is_drive (device) || settle_medium (search, (const DeviceDisk *)device, error);
  def = load_note (search, alias, error);
  if (def == NULL)
    return FALSE;
  device = domain_def_find_alias (def, alias);
  if (device == NULL)
    return TRUE;
  if (!g_hash_table_contains (search->present, alias)) {
    g_message ("domain '%s': device '%s' was on its way when the daemon ended; it is undone", def->name,
               alias);
    return detach_remove_backend (search->job, search->plug, def, device, TRUE, error);
  }
  g_message ("domain '%s': device '%s' was attached when the daemon ended", def->name, alias);
  g_ptr_array_add (search->adopted->added, device_copy (device));
  attach_finish (search->job, search->plug, def, device, error);
  return FALSE; /* whoever writes it down removes the note */
}

static void
find_removed (Search *search)
{
  const DomainDef *live = search->live;

  for (guint i = 0; i < live->devices->len; i++) {
    const Device *device = g_ptr_array_index (live->devices, i);

    if (device->alias != NULL && !g_hash_table_contains (search->present, device->alias)
        && qemu_can_detach (live, device, NULL) && qemu_has_guest_device (device)
        && detach_has_peripheral (search->job, search->plug, live, device))
      g_ptr_array_add (search->adopted->removed, g_strdup (device->alias));
  }
}

gboolean
adopt_devices (Job *job, const Hotplug *plug, const DomainDef *live, const Platform *platform,
               AdoptedMachine *adopted, GError **error)
{
  g_autoptr (GHashTable) present = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) noted = store_list_hotplug (plug->store, live->uuid);
  Search search = { job, plug, live, platform, present, adopted };

  if (!ask_present (job, plug, present, error))
    return FALSE;
  for (guint i = 0; i < noted->len; i++) {
    g_autoptr (GError) problem = NULL;

    if (settle (&search, g_ptr_array_index (noted, i), &problem))
      store_remove_hotplug (plug->store, live->uuid, g_ptr_array_index (noted, i));
    else if (problem != NULL)
      g_warning ("domain '%s': device '%s' was on its way when the daemon ended: %s", live->name,
                 (const char *)g_ptr_array_index (noted, i), problem->message);
  }
  find_removed (&search);
  return TRUE;
}

/* {"id": "iothread3", ...} */
static void
note_iothread (JsonObject *item, gpointer data)
{
  const char *name = untrusted_text (item, "id");
  guint64 number;

  if (name != NULL && g_str_has_prefix (name, "iothread")
      && g_ascii_string_to_unsigned (name + strlen ("iothread"), 10, 1, G_MAXUINT32, &number, NULL))
    g_array_append_val (data, number);
}

gboolean
adopt_processors (Job *job, const Hotplug *plug, const DomainDef *live, AdoptedMachine *adopted,
                  GError **error)
{
  g_autoptr (GHashTable) present = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) iothreads = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_auto (Plugging) plugging = { 0 };

  plugging_init (&plugging, job, plug);
  if (!ask_present (job, plug, present, error)
      || !plugging_ask_list (&plugging, "query-iothreads", NULL, note_iothread, iothreads, error))
    return FALSE;
  for (guint i = 0; i < domain_vcpus_maximum (live); i++) {
    g_autofree char *alias = domain_vcpu_alias (i);
    gboolean is_there = g_hash_table_contains (present, alias);

    if (is_there && !domain_vcpu_is_online (live, i))
      g_array_append_val (adopted->vcpus, i);
    else if (!is_there && domain_vcpu_is_online (live, i) && !domain_vcpu_is_fixed (live, i))
      g_ptr_array_add (adopted->removed, g_steal_pointer (&alias));
  }
  adopted->iothreads = g_steal_pointer (&iothreads);
  return TRUE;
}
