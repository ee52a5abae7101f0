/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before a machine leaves: may it, and what is the target told of it? What takes time (documents, QEMU's
 * answers, a look at file systems) is a job; the domain's lock is held all the while.
 */
#include "daemon/ops/domain/migrate-source.h"

#include "daemon/drivers/qemu/migration-disks.h"
#include "daemon/drivers/qemu/migration.h"
#include "daemon/drivers/qemu/restore.h"
#include "daemon/ops/ops.h"
#include "domain/devices/host-device.h"
#include "domain/migratable.h"

#include <linux/magic.h>
#include <sys/vfs.h>

static void
source_free (gpointer data)
{
  MigrateSource *source = data;

  migrate_arguments_clear (&source->arguments);
  g_clear_pointer (&source->live, domain_def_unref);
  g_clear_pointer (&source->original, domain_def_unref);
  g_clear_pointer (&source->qmp, qmp_unref);
  migration_cookie_free (source->cookie);
  migrate_out_free (source->out);
  g_clear_pointer (&source->answered, g_variant_unref);
  g_free (source->uuid);
  g_free (source->name);
  g_free (source->document);
  g_free (source->persistent);
  g_free (source);
}

MigrateSource *
migrate_source_new (Call *call, MigrateArguments *arguments)
{
  MigrateSource *source = g_new0 (MigrateSource, 1);

  source->call = call;
  source->manager = call->manager;
  source->arguments = *arguments;
  *arguments = (MigrateArguments){ 0 };
  source->uuid = g_strdup (call->domain->uuid);
  source->name = g_strdup (call->domain->name);
  call->user_data = source;
  call->user_free = source_free;
  return source;
}

/* File systems that other hosts have as well. */
static gboolean
is_shared_file_system (const char *path)
{
  static const guint32 shared[] = {
    NFS_SUPER_MAGIC,         0x7461636f /* OCFS2 */,
    AFS_SUPER_MAGIC,         0xff534d42 /* CIFS */,
    0xfe534d42 /* SMB2 */,   0x01161970 /* GFS2 */,
    0x00c36400 /* CEPH */,   0x47504653 /* GPFS */,
    0x0bd00bd0 /* Lustre */, 0x65735546 /* FUSE, as of GlusterFS */,
  };
  struct statfs facts;

  if (statfs (path, &facts) != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (shared); i++)
    if ((guint32)facts.f_type == shared[i])
      return TRUE;
  return FALSE;
}

/* Would the guest find its disks on the other side? */
static gboolean
check_storage (const MigrateSource *source, GError **error)
{
  guint64 flags = source->arguments.flags;
  gboolean copies = (flags & (VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC)) != 0;
  const char *const *targets = (const char *const *)source->arguments.disks;

  if (flags & (VIR_MIGRATE_UNSAFE | VIR_MIGRATE_OFFLINE))
    return TRUE;
  DOMAIN_FOREACH_DEVICE (source->live, disk_kind, DeviceDisk, disk) {
    const char *path = disk->type == DISK_TYPE_FILE ? disk_path (disk) : NULL;

    if (path == NULL || disk_is_readonly (disk) || (copies && migration_disk_is_copied (disk, targets))
        || is_shared_file_system (path))
      continue;
    virt_error_set (error, VIR_ERR_MIGRATE_UNSAFE,
                    "Migration without shared storage is unsafe: disk '%s' is '%s' of this host",
                    disk->target != NULL ? disk->target : "", path);
    return FALSE;
  }
  return TRUE;
}

/* What goes with every machine that runs. */
static gboolean
check_machine (const MigrateSource *source, Job *job, GError **error)
{
  return host_devices_can_migrate (source->live, error) && migration_check (source->qmp, job, error)
         && migration_disks_check_names (source->live, (const char *const *)source->arguments.disks, error)
         && check_storage (source, error);
}

/* As it is asked for on the other side: with the processor the guest has here. */
static DomainDef *
def_for_target (const MigrateSource *source, GError **error)
{
  const Manager *manager = source->manager;
  g_autofree char *run_directory = store_run_directory (manager->store, source->uuid);
  gboolean runs = source->live != NULL && !(source->arguments.flags & VIR_MIGRATE_OFFLINE);
  DomainDef *def = runs ? source->live : source->original;
  g_autoptr (DomainDef) replacement = NULL, original = NULL;

  if (source->arguments.document != NULL) {
    replacement = restore_replacement (source->arguments.document, def, manager->platform, error);
    if (replacement == NULL)
      return NULL;
    def = replacement;
  }
  original = domain_def_copy (source->original);
  if (runs) {
    g_autoptr (DomainDef) with_processor = domain_def_copy (def);
    DomainCpu *cpu = original->cpu;

    original->cpu = with_processor->cpu;
    with_processor->cpu = cpu;
  }
  return domain_def_migratable (def, original, run_directory);
}

static char *
persistent_for_target (const MigrateSource *source, GError **error)
{
  const Manager *manager = source->manager;
  g_autoptr (DomainDef) def = NULL;

  if (!(source->arguments.flags & VIR_MIGRATE_PERSIST_DEST))
    return NULL;
  if (source->arguments.persistent != NULL) {
    g_autoptr (DomainDef) said =
        definition_parse (manager->platform, source->arguments.persistent, FALSE, NULL, error);

    def = said != NULL ? domain_def_migratable (said, said, NULL) : NULL;
  } else {
    def = domain_def_migratable (source->original, source->original, NULL);
  }
  return def != NULL ? domain_def_to_xml (def, DOMAIN_WRITE_SECURE) : NULL;
}

static gpointer
prepare_job (Job *job, gpointer input, GError **error)
{
  MigrateSource *source = input;
  gboolean copies =
      (source->arguments.flags & (VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC)) != 0;
  gboolean runs = source->live != NULL && !(source->arguments.flags & VIR_MIGRATE_OFFLINE);
  g_autoptr (DomainDef) def = NULL;
  g_autoptr (GError) problem = NULL;

  job_extend_deadline (job, source->manager->settings->call_timeout);
  if (runs && !check_machine (source, job, error))
    return NULL;
  def = def_for_target (source, error);
  if (def == NULL)
    return NULL;
  source->document = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  source->persistent = persistent_for_target (source, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  source->cookie = migrate_cookie_new (source->manager->settings, source->name, source->uuid);
  if (!runs)
    return JOB_OK;
  source->cookie->capabilities = migration_capabilities (source->qmp, job, error);
  if (source->cookie->capabilities == NULL
      || (copies
          && !migration_disks_measure (source->live, (const char *const *)source->arguments.disks,
                                       source->qmp, job, source->cookie, error)))
    return NULL;
  return JOB_OK;
}

static void
prepared (gpointer result, const GError *error, gpointer data)
{
  MigrateSource *source = data;
  Call *call = source->call;

  if (result == NULL)
    call_fail (call, g_error_copy (error));
  else if (call_find_domain_again (call) != NULL)
    source->then (source);
}

static gboolean
may_leave (const MigrateSource *source, const Domain *domain, GError **error)
{
  gboolean offline = (source->arguments.flags & VIR_MIGRATE_OFFLINE) != 0;

  if (offline && !domain->persistent) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "cannot migrate the definition of transient domain '%s'", domain->name);
    return FALSE;
  }
  if (offline)
    return TRUE;
  if (!domain_check_active (domain, error) || !domain_check_monitor (domain, error))
    return FALSE;
  if (domain->machine->owner != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "domain is marked for auto destroy");
  return domain->machine->owner == NULL;
}

static void
with_definition (Call *call, DomainDef *def)
{
  MigrateSource *source = call->user_data;
  Domain *domain = call->domain;
  GError *error = NULL;

  if (!may_leave (source, domain, &error)) {
    call_fail (call, error);
    return;
  }
  source->active = domain_is_active (domain);
  source->running = domain->state == VIR_DOMAIN_RUNNING;
  source->original = domain_def_ref (def);
  if (source->active) {
    source->live = domain_def_ref (domain->machine->def);
    source->qmp = domain->machine->qmp != NULL ? qmp_ref (domain->machine->qmp) : NULL;
  }
  job_start ("migrate-begin", prepare_job, source, NULL, call->manager->settings->call_timeout, prepared,
             source);
}

void
migrate_source_prepare (MigrateSource *source, MigrateSourceThen then)
{
  source->then = then;
  call_with_definition (source->call, DEFINITION_CONFIG, with_definition);
}

static void
begin_locked (Domain *domain, Call *call)
{
  MigrateSource *source = call->user_data;
  GError *error = NULL;

  if (may_leave (source, domain, &error))
    call_with_definition (call, DEFINITION_CONFIG, with_definition);
  else
    call_fail (call, error);
}

void
migrate_source_begin (MigrateSource *source, MigrateSourceThen then)
{
  source->then = then;
  domain_lock (source->call->domain, "migration", source->call, begin_locked);
}

void
migrate_source_set_out (MigrateSource *source, Domain *domain)
{
  Machine *machine = domain->machine;
  const MigrateArguments *arguments = &source->arguments;
  Progress *progress = progress_new (VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);

  progress_unref (domain->progress);
  domain->progress = progress;
  if (source->arguments.settings.bandwidth == 0)
    source->arguments.settings.bandwidth = domain->migration_speed;
  source->out = migrate_out_new (machine->qmp, machine->def, &arguments->settings, progress,
                                 source->manager->settings->call_timeout);
  source->out->uri = g_strdup (arguments->uri);
  source->out->disks_uri = g_strdup (arguments->disks_uri);
  source->out->disks = g_strdupv (arguments->disks);
  source->out->ran = source->running;
  if (source->running) {
    machine_events_expect_pause (machine->events, VIR_DOMAIN_PAUSED_MIGRATION,
                                 VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED);
    machine_events_expect_run (machine->events, VIR_DOMAIN_RUNNING_MIGRATION_CANCELED,
                               VIR_DOMAIN_EVENT_RESUMED_MIGRATED);
  }
}

MigrationCookie *
migrate_source_last_cookie (const MigrateSource *source)
{
  MigrationCookie *cookie = migrate_cookie_new (source->manager->settings, source->name, source->uuid);
  ProgressFigures figures = { 0 };

  cookie->document = g_strdup (source->persistent);
  if (source->out == NULL)
    return cookie;
  progress_get (source->out->progress, &figures);
  cookie->has_statistics = TRUE;
  cookie->statistics[MIGRATION_TIME_ELAPSED] = progress_milliseconds (source->out->progress);
  cookie->statistics[MIGRATION_DOWNTIME] =
      progress_milliseconds_stopped (source->out->progress, figures.downtime);
  cookie->statistics[MIGRATION_SETUP_TIME] = figures.setup_time;
  cookie->statistics[MIGRATION_MEMORY_TOTAL] = figures.total;
  cookie->statistics[MIGRATION_MEMORY_PROCESSED] = figures.processed;
  cookie->statistics[MIGRATION_MEMORY_REMAINING] = figures.remaining;
  cookie->statistics[MIGRATION_MEMORY_BPS] = figures.bytes_per_second;
  cookie->statistics[MIGRATION_MEMORY_CONSTANT] = figures.constant;
  cookie->statistics[MIGRATION_MEMORY_NORMAL] = figures.normal;
  cookie->statistics[MIGRATION_MEMORY_NORMAL_BYTES] = figures.normal_bytes;
  cookie->statistics[MIGRATION_MEMORY_DIRTY_RATE] = figures.dirty_pages_per_second;
  cookie->statistics[MIGRATION_MEMORY_ITERATION] = figures.iteration;
  cookie->statistics[MIGRATION_MEMORY_POSTCOPY_REQS] = figures.postcopy_requests;
  cookie->statistics[MIGRATION_MEMORY_PAGE_SIZE] = figures.page_size;
  return cookie;
}
