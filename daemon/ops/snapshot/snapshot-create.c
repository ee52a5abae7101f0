/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A new snapshot, or one that is told of again. The document is read, the snapshot made in a job
 * (snapshot-make.h), and what is then on disk taken into memory.
 */
#include "daemon/domain/machine-backup.h"
#include "daemon/domain/machine-devices.h"
#include "daemon/domain/machine.h"
#include "daemon/object/change.h"
#include "daemon/object/child-store.h"
#include "daemon/ops/domain/agent-call.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/ops/snapshot/snapshot-end.h"
#include "daemon/ops/snapshot/snapshot-make.h"
#include "daemon/ops/snapshot/snapshot-redefine.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "snapshot/snapshot-complete.h"

#include <string.h>

#define CREATE_KNOWN_FLAGS                                                       \
  (VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT      \
   | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | VIR_DOMAIN_SNAPSHOT_CREATE_HALT    \
   | VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT \
   | VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC      \
   | VIR_DOMAIN_SNAPSHOT_CREATE_LIVE | VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE)

/* Flags that go together, or do not, in libvirt's words. */
static const struct {
  guint flag;
  const char *name;
  guint other;
  const char *other_name;
  gboolean needs; /* the other one; FALSE: excludes it */
} rules[] = {
#define RULE(flag_, other_, needs_)                                                          \
  {                                                                                          \
    VIR_DOMAIN_SNAPSHOT_CREATE_##flag_, "VIR_DOMAIN_SNAPSHOT_CREATE_" #flag_,                \
        VIR_DOMAIN_SNAPSHOT_CREATE_##other_, "VIR_DOMAIN_SNAPSHOT_CREATE_" #other_, (needs_) \
  }
  RULE (CURRENT, REDEFINE, TRUE),  RULE (REDEFINE, NO_METADATA, FALSE), RULE (REDEFINE, HALT, FALSE),
  RULE (QUIESCE, DISK_ONLY, TRUE), RULE (LIVE, REDEFINE, FALSE),
};

static gboolean
check_flags (Call *call, guint flags)
{
  if (!call_check_flags (call, flags, CREATE_KNOWN_FLAGS))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++) {
    if ((flags & rules[i].flag) == 0 || ((flags & rules[i].other) != 0) == rules[i].needs)
      continue;
    if (rules[i].needs)
      call_fail_with (call, VIR_ERR_INVALID_ARG, "Flag '%s' is required by flag '%s'", rules[i].other_name,
                      rules[i].name);
    else
      call_fail_with (call, VIR_ERR_INVALID_ARG, "Flags '%s' and '%s' are mutually exclusive", rules[i].name,
                      rules[i].other_name);
    return FALSE;
  }
  return TRUE;
}

typedef struct {
  Call *call;
  SnapshotMake *make; /* taken when the change begins */
  gboolean active;
  guint definition_count;
} Create;

static void
create_free (gpointer data)
{
  Create *create = data;

  if (create == NULL)
    return;
  if (create->make != NULL && create->make->plug.qmp != NULL)
    machine_hotplug_clear (&create->make->plug);
  snapshot_make_free (create->make);
  g_free (create);
}

/* Commit. */

static gboolean
finish_check (Manager *manager, gpointer data, GError **error)
{
  Create *create = data;
  SnapshotMake *make = create->make;
  Domain *domain = manager_find_uuid (manager, make->place->uuid, error);

  /* Somebody defined it anew meanwhile: that definition stays. */
  if (domain != NULL && make->config_after != NULL && domain->definition_count != create->definition_count) {
    domain_def_unref (make->config_after);
    make->config_after = NULL;
  }
  return domain != NULL;
}

static gboolean
finish_write (Store *store G_GNUC_UNUSED, gpointer data, GError **error)
{
  const SnapshotMake *make = ((Create *)data)->make;

  return snapshot_finish (make->place, make->intent, make->def, make->config,
                          make->config != NULL ? make->config_after : NULL, error);
}

static void
answer_named (Call *call, const Domain *domain)
{
  GError *error = NULL;
  const Child *child = child_find (domain->snapshots, call->user_data, &error);

  child_answer (call, child, error);
}

/* The machine is over, as the client wanted. */
static void
halted (gpointer data, const GError *error)
{
  Call *call = data;
  Domain *domain = error == NULL ? call_find_domain_again (call) : NULL;

  if (error != NULL)
    call_fail (call, g_error_copy (error));
  else if (domain != NULL)
    answer_named (call, domain);
}

static void
finish_done (Manager *manager, gpointer data, const GError *error)
{
  Create *create = data;
  SnapshotMake *make = create->make;
  Call *call = create->call;
  Domain *domain = manager_find_uuid (manager, make->place->uuid, NULL);
  Child *child;

  if (error != NULL || domain == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  if (make->config_after != NULL && make->config != NULL)
    definition_replace (domain, make->config_after);
  if (!make->intent->keeps) {
    /* Nobody can look it up: libvirt's clients get a handle of its name all the same. */
    call_answer (call, g_variant_new ("((s@(sayi)))", make->def->name, call_domain_value (domain)));
    return;
  }
  child = child_tree_put (domain->snapshots, make->def);
  domain->snapshots->current = child;
  if ((make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_HALT) && domain->machine != NULL) {
    call->user_data = g_strdup (make->def->name);
    call->user_free = g_free;
    snapshot_end_machine (call, domain->machine, halted, call);
    return;
  }
  child_answer (call, child, NULL);
}

static const ChangeKind finish_change = { "snapshot", finish_check, finish_write, finish_done };

static void
made (gpointer result, const GError *error, gpointer data)
{
  Create *create = data;
  SnapshotMake *make = create->make;
  Call *call = create->call;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);

  if (domain != NULL) {
    domain->job = NULL;
    if (make->progress != NULL)
      domain_end_progress (domain, error);
  }
  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    create_free (create);
    return;
  }
  if (domain != NULL && domain->machine != NULL && make->live_after != NULL)
    machine_replace_def (domain->machine, domain_def_ref (make->live_after));
  change_start (call->manager, &finish_change, create, create_free);
}

/* Begin. */

static gboolean
prepare_machine (Create *create, Domain *domain)
{
  SnapshotMake *make = create->make;
  Machine *machine = domain->machine;
  const DeviceChannel *channel;
  GError *error = NULL;

  if (!domain_check_monitor (domain, &error) || !domain_check_no_backup (domain, &error)) {
    call_fail (create->call, error);
    return FALSE;
  }
  if (make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE) {
    channel = call_find_agent (create->call);
    if (channel == NULL)
      return FALSE;
    make->agent = g_strdup (chardev_path (&channel->source));
    make->agent_timeout = domain->agent_timeout;
    make->qemu = process_pid (machine->process);
  }
  machine_hotplug_init (machine, &make->plug);
  make->live = domain_def_ref (machine->def);
  if (domain->state == VIR_DOMAIN_RUNNING) {
    machine_events_expect_pause (machine->events, VIR_DOMAIN_PAUSED_SNAPSHOT,
                                 VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    machine_events_expect_run (machine->events, VIR_DOMAIN_RUNNING_UNPAUSED,
                               VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  }
  if (make->def->memory > SNAPSHOT_WHERE_NO) {
    make->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_SNAPSHOT);
    progress_unref (domain->progress);
    domain->progress = progress_ref (make->progress);
  }
  return TRUE;
}

static void
with_config (Call *call, DomainDef *config)
{
  Create *create = call->user_data;
  SnapshotMake *make = create->make;
  Domain *domain = call->domain;
  const Child *current = domain->snapshots->current;
  const Settings *settings = call->manager->settings;

  call->user_data = NULL;
  create->definition_count = domain->definition_count;
  make->place = snapshot_place_new (settings, call->manager->store, call->manager->platform, domain->uuid,
                                    domain->name);
  make->place->author = call_author (call);
  make->state = domain->state;
  make->patience = settings->call_timeout;
  make->def->parent = g_strdup (current != NULL ? current->name : NULL);
  if (domain->persistent)
    make->config = domain_def_ref (config);
  if (domain->machine != NULL && !prepare_machine (create, domain)) {
    create_free (create);
    return;
  }
  domain->job = job_start ("snapshot", snapshot_make_job, make, NULL,
                           domain->machine != NULL ? settings->call_timeout : 0, made, create);
}

static gpointer
parse_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Create *create = data;
  SnapshotMake *make = create->make;
  gboolean strict = (make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE) != 0;
  SnapshotKind kind = create->active && !(make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
                          ? SNAPSHOT_SYSTEM
                          : SNAPSHOT_DISKS;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  make->def = document_read (&snapshot_document, call_string (create->call, 1), -1, strict ? 0 : DOCUMENT_LAX,
                             diagnostics);
  return diagnostics_check (diagnostics, error)
                 && snapshot_complete (make->def, kind, g_get_real_time () / G_USEC_PER_SEC, error)
                 && ((make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)
                     || (snapshot_check_name (make->def, error)
                         && child_store_check_name (&snapshot_kind, make->def->name, error)))
             ? JOB_OK
             : NULL;
}

static gboolean
check (const Create *create, const Domain *domain, GError **error)
{
  const SnapshotMake *make = create->make;

  if (g_hash_table_contains (domain->snapshots->by_name, make->def->name))
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain moment %s already exists", make->def->name);
  else if ((make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_LIVE)
           && (!create->active || make->def->memory != SNAPSHOT_WHERE_EXTERNAL))
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "live snapshot creation is supported only during full system snapshots");
  else if ((make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE) && create->active
           && domain->state != VIR_DOMAIN_RUNNING)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "domain is not running");
  else if (create->active != domain_is_active (domain))
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "domain '%s' has ended meanwhile", domain->name);
  else
    return TRUE;
  return FALSE;
}

static void
parsed (gpointer result, const GError *error, gpointer data)
{
  Create *create = data;
  Call *call = create->call;
  GError *problem = NULL;
  Domain *domain;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  call->domain = domain;
  if (check (create, domain, &problem))
    call_with_definition (call, DEFINITION_CONFIG, with_config);
  else
    call_fail (call, problem);
}

static void
begin (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 2);
  Create *create;

  if (flags & VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE) {
    snapshot_redefine (domain, call);
    return;
  }
  if ((flags & VIR_DOMAIN_SNAPSHOT_CREATE_HALT) && !domain->persistent) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot halt after transient domain snapshot");
    return;
  }
  create = g_new0 (Create, 1);
  create->call = call;
  create->active = domain_is_active (domain);
  create->make = g_new0 (SnapshotMake, 1);
  create->make->flags = flags;
  call->user_data = create;
  call->user_free = create_free;
  call_work (call, strlen (call_string (call, 1)), "snapshot", parse_job, create, NULL, parsed);
}

void
op_domain_snapshot_create_xml (Call *call)
{
  if (check_flags (call, call_uint (call, 2)))
    domain_lock (call->domain, "snapshot", call, begin);
}
