/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the daemon knows when it begins. A job reads the disk: documents of domains are opened for their names
 * and UUIDs only, those of the other kinds and of machines that run are read whole. What it has found the
 * main loop takes into its registries; then each kind settles (pools become active again), and clients can be
 * served.
 */
#include "daemon/domain/load.h"

#include "daemon/core/main-loop.h"
#include "daemon/domain/domain-migration.h"
#include "daemon/domain/import-journal.h"
#include "daemon/domain/last-end-record.h"
#include "daemon/domain/machine.h"
#include "daemon/domain/readiness.h"
#include "daemon/domain/restart-policy.h"
#include "daemon/drivers/qemu/adopt.h"
#include "daemon/drivers/qemu/host-devices.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/drivers/qemu/monitor-socket.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/helper/helper.h"
#include "daemon/host/account.h"
#include "daemon/object/child-store.h"
#include "daemon/object/trash.h"

/* A state file, and what became of its machine. */
typedef struct {
  char *uuid;
  MachineStatus *status; /* NULL: it cannot be read */
  Process *process;      /* NULL: it has ended */
  DomainDef *live;       /* NULL: it has ended, or cannot be read */
  GError *error;
} FoundMachine;

typedef struct {
  Manager *manager;
  ManagerLoaded then;
  gpointer data;
  GPtrArray *found;     /* FoundMachine */
  GPtrArray *saved;     /* UUIDs of managed saves */
  GPtrArray *marked;    /* UUIDs of machines that ran when they were last heard of */
  GPtrArray **contents; /* of each registry */
  GPtrArray *families;  /* GPtrArray of ChildFamily: of each kind whose parent is an object */
  guint pending;        /* kinds that settle, and the taking */
} Load;

static void
found_machine_free (gpointer data)
{
  FoundMachine *found = data;

  g_free (found->uuid);
  machine_status_free (found->status);
  process_free (found->process);
  g_clear_pointer (&found->live, domain_def_unref);
  g_clear_error (&found->error);
  g_free (found);
}

/* In the job. */

static FoundMachine *
find_machine (Manager *manager, const char *uuid)
{
  FoundMachine *found = g_new0 (FoundMachine, 1);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("live.xml");
  g_autofree char *json = NULL, *xml = NULL;

  found->uuid = g_strdup (uuid);
  if (store_load_status (manager->store, uuid, &json, &xml, &found->error))
    found->status = machine_status_from_json (json, &found->error);
  if (found->status != NULL && g_str_equal (found->status->uuid, uuid))
    found->process = adopt_process (found->status);
  if (found->process == NULL)
    return found;
  found->live =
      domain_def_parse (xml, -1, DOMAIN_READ_LIVE | DOMAIN_READ_NO_SCHEMA, manager->platform, diagnostics);
  if (!diagnostics_check (diagnostics, &found->error))
    g_clear_pointer (&found->live, domain_def_unref);
  return found;
}

static gboolean
is_defined (const char *uuid, gpointer uuids)
{
  return g_hash_table_contains (uuids, uuid);
}

/* Of the domains' children: one without a domain may be a machine's that has no definition. */
typedef struct {
  GHashTable *defined, *running; /* UUIDs */
} KnownDomains;

static gboolean
is_known (const char *uuid, gpointer data)
{
  const KnownDomains *known = data;

  return g_hash_table_contains (known->defined, uuid) || g_hash_table_contains (known->running, uuid);
}

/* What was cut short is ended before it is read, unless a machine that runs has to be asked. */
static GPtrArray *
read_kind (Manager *manager, const ObjectKind *kind, KnownDomains *known)
{
  GPtrArray *families;

  child_store_recover (kind, manager->settings, is_known, known);
  families = child_store_read_all (kind, manager->settings);
  for (guint i = 0; i < families->len; i++) {
    ChildFamily *family = g_ptr_array_index (families, i);
    const char *name = g_hash_table_lookup (known->defined, family->uuid);

    if (kind->child->is_unfinished == NULL || !kind->child->is_unfinished (manager, family->uuid))
      continue;
    family->unfinished = g_hash_table_contains (known->running, family->uuid);
    if (family->unfinished || name == NULL)
      continue;
    kind->child->finish (manager, family->uuid, name);
    families->pdata[i] = child_store_read (kind, manager->settings, family->uuid);
    child_family_free (family);
  }
  return families;
}

static void
read_children (Load *load, GHashTable *defined)
{
  g_autoptr (GHashTable) running = g_hash_table_new (g_str_hash, g_str_equal);
  KnownDomains known = { defined, running };

  for (guint i = 0; i < load->found->len; i++) {
    const FoundMachine *found = g_ptr_array_index (load->found, i);

    if (found->process != NULL)
      g_hash_table_add (running, found->uuid);
  }
  load->families = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref);
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->child != NULL)
      g_ptr_array_add (load->families, read_kind (load->manager, *kind, &known));
}

/* A machine whose start was cut short has no status yet, and its helpers may run. */
static gboolean
has_status (const char *uuid, gpointer running)
{
  return g_hash_table_contains (running, uuid);
}

/* Whole, before any of it is read. */
static void
recover_definitions (Manager *manager)
{
  g_autoptr (GPtrArray) stores = g_ptr_array_new ();

  for (guint i = 0; i < manager->registries->len; i++) {
    Registry *registry = g_ptr_array_index (manager->registries, i);

    store_recover (registry->store);
    g_ptr_array_add (stores, registry->store);
  }
  trash_recover (manager->settings, (Store *const *)stores->pdata, stores->len);
}

static gpointer
read_disk (G_GNUC_UNUSED Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  Load *load = data;
  Manager *manager = load->manager;
  g_autofree char *machines = g_build_filename (manager->settings->run_directory, "machines", NULL);
  g_autoptr (GPtrArray) running = store_list_status (manager->store);
  g_autoptr (GHashTable) uuids = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) runs = g_hash_table_new (g_str_hash, g_str_equal);

  recover_definitions (manager);
  import_journal_recover (manager->settings, manager->store);
  load->contents = g_new0 (GPtrArray *, manager->registries->len + 1);
  for (guint i = 0; i < manager->registries->len; i++) {
    Registry *registry = g_ptr_array_index (manager->registries, i);

    load->contents[i] = registry_read (registry);
    if (registry == manager->domains)
      registry_add_uuids (load->contents[i], uuids);
  }
  managed_save_recover (manager->settings, is_defined, uuids);
  load->saved = managed_save_list (manager->settings);
  load->marked = last_end_list_running (manager->settings);

  for (guint i = 0; i < running->len; i++)
    g_hash_table_add (runs, g_ptr_array_index (running, i));
  helpers_stop_strays (machines, has_status, runs);
  load->found = g_ptr_array_new_with_free_func (found_machine_free);
  for (guint i = 0; i < running->len; i++)
    g_ptr_array_add (load->found, find_machine (manager, g_ptr_array_index (running, i)));
  read_children (load, uuids);
  return JOB_OK;
}

/* In the main loop. */

/* One that has ended meanwhile, or cannot be read, which may run: then it stays, and nothing is started
 * beside it. */
static void
clear_away (Manager *manager, const FoundMachine *found, Domain *domain)
{
  g_autofree char *run_directory = store_run_directory (manager->store, found->uuid);
  const MachineStatus *status = found->status;

  if (found->error != NULL)
    g_warning ("the state of machine %s: %s", found->uuid, found->error->message);
  else
    g_message ("domain '%s' ended while the daemon was away", status != NULL ? status->name : found->uuid);
  /* Nobody has seen how; an orderly end would have waited for the daemon (-no-shutdown). */
  if (domain != NULL && status != NULL && found->process == NULL) {
    const Migration *migration = migration_found (domain, status);

    domain->reason = migration != NULL && migration->phase == MIGRATION_CONFIRM
                         ? (int)VIR_DOMAIN_SHUTOFF_MIGRATED
                     : status->starting ? (int)VIR_DOMAIN_SHUTOFF_FAILED
                                        : (int)VIR_DOMAIN_SHUTOFF_CRASHED;
    migration_machine_ended (domain);
    if (domain->reason == VIR_DOMAIN_SHUTOFF_CRASHED && status->asked.wire == NULL && !status->shutdown_seen)
      restart_policies_ended_unseen (domain);
  }
  if (status != NULL && found->process == NULL)
    last_end_record_unseen (manager->settings, status);
  if (found->process == NULL && !monitor_socket_is_held (run_directory)) {
    helpers_stop_in (run_directory);
    machine_clean_up (manager->settings, manager->store, found->uuid);
    g_hash_table_add (manager->ended, g_strdup (found->uuid));
  }
}

static void
take_machine (Manager *manager, FoundMachine *found)
{
  g_autofree char *directory = machine_directory (manager->store, found->uuid);
  Domain *domain = manager_find_uuid (manager, found->uuid, NULL);
  g_autoptr (GError) error = NULL;

  account_hold (manager->settings, found->uuid, directory);
  if (found->live == NULL) {
    clear_away (manager, found, domain);
    return;
  }
  if (domain == NULL) {
    if (!manager_check_identity (manager, found->status->name, found->uuid, NULL, &error)) {
      g_warning ("a machine that runs: %s", error->message);
      return;
    }
    domain = manager_add (manager, found->status->name, found->uuid);
    domain->transient = domain_def_ref (found->live);
  }
  host_devices_hold (found->live);
  machine_adopt (domain, found->status, found->live, g_steal_pointer (&found->process));
  readiness_machine_found (domain);
}

/* The links that running machines have; others of this daemon's are left-overs. */
static void
remove_stray_links (Manager *manager)
{
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer found;

  g_hash_table_iter_init (&iter, manager->by_id);
  while (g_hash_table_iter_next (&iter, NULL, &found)) {
    const Domain *domain = found;

    if (domain->machine == NULL)
      continue;
    DOMAIN_FOREACH_DEVICE (domain->machine->def, interface_kind, DeviceInterface, interface) {
      if (interface->target_dev != NULL)
        g_hash_table_add (used, interface->target_dev);
    }
  }
  interfaces_remove_strays (manager->settings, used);
}

/* What a start or an end that was cut short left: nobody can know of it any more, unless its QEMU runs on. */
static void
remove_left_runs (Manager *manager)
{
  g_autoptr (GPtrArray) left = store_list_without_status (manager->store);

  for (guint i = 0; i < left->len; i++) {
    g_autofree char *directory = store_run_directory (manager->store, g_ptr_array_index (left, i));

    if (monitor_socket_is_held (directory))
      continue;
    machine_clean_up (manager->settings, manager->store, g_ptr_array_index (left, i));
    g_hash_table_add (manager->ended, g_strdup (g_ptr_array_index (left, i)));
  }
}

static void
take_machines (Manager *manager, const Load *load)
{
  for (guint i = 0; i < load->saved->len; i++) {
    Domain *domain = manager_find_uuid (manager, g_ptr_array_index (load->saved, i), NULL);

    if (domain != NULL)
      domain->managed_save = TRUE;
  }
  for (guint i = 0; i < load->found->len; i++)
    take_machine (manager, g_ptr_array_index (load->found, i));
}

static void
take_children (Manager *manager, const Load *load)
{
  guint place = 0;

  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++) {
    const GPtrArray *families = (*kind)->child != NULL ? g_ptr_array_index (load->families, place++) : NULL;

    for (guint i = 0; families != NULL && i < families->len; i++) {
      const ChildFamily *family = g_ptr_array_index (families, i);
      Object *owner =
          registry_find_uuid (manager_registry (manager, (*kind)->child->owner), family->uuid, NULL);

      if (owner != NULL) {
        child_tree_fill (child_tree_of (*kind, owner), family->defs, family->current);
        if (family->unfinished)
          (*kind)->child->finish_running (owner);
      } else
        g_warning ("there is no %s with UUID %s, and each %s of it stays as it is on disk",
                   (*kind)->child->owner->name, family->uuid, (*kind)->name);
    }
  }
}

/* Those that ran and do not any more, and of whose end nothing is known yet. */
static void
record_unseen_ends (Manager *manager, const GPtrArray *marked)
{
  for (guint i = 0; i < marked->len; i++) {
    const char *uuid = g_ptr_array_index (marked, i);
    const Domain *domain = manager_find_uuid (manager, uuid, NULL);

    if (domain == NULL)
      last_end_forget (manager->settings, uuid);
    else if (domain->machine == NULL)
      last_end_save_unseen (manager->settings, uuid);
  }
}

static const char *
running_name (const char *uuid, gpointer data)
{
  const Domain *domain = manager_find_uuid (data, uuid, NULL);

  return domain != NULL && domain->machine != NULL ? domain->name : NULL;
}

static void
load_free (Load *load)
{
  g_clear_pointer (&load->found, g_ptr_array_unref);
  g_clear_pointer (&load->saved, g_ptr_array_unref);
  g_clear_pointer (&load->marked, g_ptr_array_unref);
  g_clear_pointer (&load->families, g_ptr_array_unref);
  g_free (load->contents);
  g_free (load);
}

static void
one_less (gpointer data)
{
  Load *load = data;
  Manager *manager = load->manager;

  if (--load->pending > 0)
    return;
  manager->loaded = g_get_monotonic_time ();
  g_message ("%u domains, %u of them running", registry_count (manager->domains),
             g_hash_table_size (manager->by_id));
  load->then (NULL, load->data);
  load_free (load);
}

static void
disk_read (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Load *load = data;
  Manager *manager = load->manager;

  if (error != NULL) {
    load->then (error, load->data);
    load_free (load);
    return;
  }
  for (guint i = 0; i < manager->registries->len; i++)
    registry_take (g_ptr_array_index (manager->registries, i), load->contents[i]);
  take_machines (manager, load);
  take_children (manager, load);
  host_devices_recover (manager->settings, running_name, manager);
  remove_stray_links (manager);
  remove_left_runs (manager);
  record_unseen_ends (manager, load->marked);
  load->pending = 1;
  for (guint i = 0; i < manager->registries->len; i++) {
    Registry *registry = g_ptr_array_index (manager->registries, i);

    if (registry->kind->loaded == NULL)
      continue;
    load->pending++;
    registry->kind->loaded (registry, one_less, load);
  }
  one_less (load);
}

void
manager_load (Manager *manager, ManagerLoaded then, gpointer data)
{
  Load *load = g_new0 (Load, 1);

  MAIN_LOOP_ONLY ();
  load->manager = manager;
  load->then = then;
  load->data = data;
  job_start ("load", read_disk, load, NULL, 0, disk_read, load);
}
