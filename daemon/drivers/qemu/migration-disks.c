/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Disks that are copied by QEMU's own mirror. A mirror that is cancelled once it is ready leaves a copy that
 * is what the disk was at that instant: with the machine standing still, that is the end of a migration. A
 * mirror that has failed is seen because it is not dismissed by itself, and ends the migration.
 */
#include "daemon/drivers/qemu/migration-disks.h"

#include "daemon/drivers/qemu/migration-address.h"
#include "daemon/drivers/qemu/migration.h"
#include "targets/qemu/recipe.h"

#include <string.h>

#define JOB_PREFIX "migrate-"
#define LIST_MAX   4096 /* read of one answer */

typedef struct {
  char *job, *node;  /* "migrate-vda" */
  gboolean has_node; /* node is there */
  gboolean runs;     /* and its job, or what is left of it */
  gboolean ready;
  gboolean ended;
  char *problem;
  guint64 done, length;
} Mirror;

struct MigrationDisks {
  Qmp *qmp;
  Progress *progress;
  guint patience;
  GPtrArray *mirrors; /* Mirror */
};

gboolean
migration_disk_is_copied (const DeviceDisk *disk, const char *const *targets)
{
  if (!disk_has_nodes (disk) || !disk_has_source (disk))
    return FALSE;
  if (targets != NULL)
    return disk->target != NULL && g_strv_contains (targets, disk->target);
  return !disk->shareable && !disk_is_readonly (disk);
}

gboolean
migration_disks_check_names (const DomainDef *def, const char *const *targets, GError **error)
{
  for (guint i = 0; targets != NULL && targets[i] != NULL; i++) {
    const DeviceDisk *disk = domain_def_find_disk (def, targets[i]);

    if (disk == NULL || g_strcmp0 (disk->target, targets[i]) != 0) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "disk target %s not found", targets[i]);
      return FALSE;
    }
  }
  return TRUE;
}

char *
migration_disk_export (const DeviceDisk *disk)
{
  return g_strconcat ("drive-", disk->device.alias, NULL);
}

static void
mirror_free (gpointer data)
{
  Mirror *mirror = data;

  g_free (mirror->job);
  g_free (mirror->node);
  g_free (mirror->problem);
  g_free (mirror);
}

MigrationDisks *
migration_disks_new (Qmp *qmp, Progress *progress, guint patience)
{
  MigrationDisks *disks = g_new0 (MigrationDisks, 1);

  disks->qmp = qmp_ref (qmp);
  disks->progress = progress_ref (progress);
  disks->patience = patience;
  disks->mirrors = g_ptr_array_new_with_free_func (mirror_free);
  return disks;
}

void
migration_disks_free (MigrationDisks *disks)
{
  if (disks == NULL)
    return;
  qmp_unref (disks->qmp);
  progress_unref (disks->progress);
  g_ptr_array_unref (disks->mirrors);
  g_free (disks);
}

/* What QEMU has in the drives. */

/* "qdev" is the device's id, or its path with the id as one part. */
static gboolean
is_drive_of (const char *qdev, const char *alias)
{
  const char *part = strstr (qdev, alias);
  gsize length = strlen (alias);

  return part != NULL && (part == qdev || part[-1] == '/') && (part[length] == '\0' || part[length] == '/');
}

/* query-block: [{ "qdev": "...", "inserted": { "node-name": "...", "image": { "virtual-size": N } } }] */
static JsonObject *
find_drive (JsonNode *answer, const DeviceDisk *disk)
{
  JsonArray *list = untrusted_list_of (answer);

  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), LIST_MAX); i++) {
    JsonObject *drive = untrusted_object_of (json_array_get_element (list, i));
    const char *qdev = untrusted_text (drive, "qdev");

    if (qdev != NULL && disk->device.alias != NULL && is_drive_of (qdev, disk->device.alias))
      return untrusted_object (drive, "inserted");
  }
  return NULL;
}

const char *
migration_disk_node (JsonNode *drives, const DeviceDisk *disk)
{
  return untrusted_text (find_drive (drives, disk), "node-name");
}

gboolean
migration_disks_measure (const DomainDef *def, const char *const *targets, Qmp *qmp, Job *job,
                         MigrationCookie *cookie, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "query-block", NULL, error);

  if (answer == NULL)
    return FALSE;
  cookie->has_nbd = TRUE;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (migration_disk_is_copied (disk, targets))
      migration_cookie_add_disk (
          cookie, disk->target,
          untrusted_count (untrusted_object (find_drive (answer, disk), "image"), "virtual-size"));
  }
  return TRUE;
}

/* Mirrors. */

static gboolean
run (const MigrationDisks *disks, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  job_extend_deadline (job, disks->patience);
  return qmp_run (disks->qmp, job, command, arguments, error);
}

static JsonObject *
server_of (const MigrateOut *out, const char *host, GError **error)
{
  g_auto (MigrationAddress) address = { 0 };
  g_autofree char *port = NULL;

  if (out->disks_uri != NULL && !migration_address_parse (out->disks_uri, &address, error))
    return NULL;
  if (address.path != NULL)
    return props ("type", "s", "unix", "path", "s", address.path, NULL);
  if (address.host != NULL)
    host = address.host;
  port = g_strdup_printf ("%u", address.port != 0 ? address.port : out->disks_port);
  if (host == NULL || g_str_equal (port, "0")) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "the target does not say where it serves the disks that are to be copied");
    return NULL;
  }
  return props ("type", "s", "inet", "host", "s", host, "port", "s", port, NULL);
}

static gboolean
begin_mirror (MigrationDisks *disks, const MigrateOut *out, const DeviceDisk *disk, const char *source,
              JsonObject *server, Job *job, GError **error)
{
  guint64 flags = out->settings.flags;
  g_autofree char *export = migration_disk_export (disk);
  Mirror *mirror = g_new0 (Mirror, 1);

  mirror->job = g_strconcat (JOB_PREFIX, disk->target, NULL);
  mirror->node = g_strconcat (JOB_PREFIX, disk->target, "-storage", NULL);
  g_ptr_array_add (disks->mirrors, mirror);
  mirror->has_node =
      run (disks, job, "blockdev-add",
           props ("driver", "s", "nbd", "node-name", "s", mirror->node, "server", "o", server, "export", "s",
                  export, "tls-creds", "?s", flags & VIR_MIGRATE_TLS ? "objmigrate_tls0" : NULL, NULL),
           error);
  mirror->runs =
      mirror->has_node
      && run (disks, job, "blockdev-mirror",
              props ("job-id", "s", mirror->job, "device", "s", source, "target", "s", mirror->node, "sync",
                     "s", flags & VIR_MIGRATE_NON_SHARED_INC ? "top" : "full", "speed", "?t",
                     out->settings.bandwidth < MIGRATION_BANDWIDTH_MAX ? out->settings.bandwidth << 20 : 0,
                     "auto-dismiss", "b", FALSE, "copy-mode", "?s",
                     flags & VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES ? "write-blocking" : NULL, NULL),
              error);
  return mirror->runs;
}

static Mirror *
find_mirror (const MigrationDisks *disks, const char *job)
{
  for (guint i = 0; job != NULL && i < disks->mirrors->len; i++) {
    Mirror *mirror = g_ptr_array_index (disks->mirrors, i);

    if (g_str_equal (mirror->job, job))
      return mirror;
  }
  return NULL;
}

/* query-jobs: [{ "id": "migrate-vda", "status": "ready", "current-progress": 1, "total-progress": 1 }] */
static gboolean
look_at_mirrors (MigrationDisks *disks, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  job_extend_deadline (job, disks->patience);
  answer = qmp_call (disks->qmp, job, "query-jobs", NULL, error);
  if (answer == NULL)
    return FALSE;
  JsonArray *list = untrusted_list_of (answer);
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), LIST_MAX); i++) {
    JsonObject *object = untrusted_object_of (json_array_get_element (list, i));
    Mirror *mirror = find_mirror (disks, untrusted_text (object, "id"));
    const char *status = untrusted_text (object, "status");

    if (mirror == NULL || status == NULL)
      continue;
    mirror->ready = g_str_equal (status, "ready");
    mirror->ended = g_str_equal (status, "concluded");
    mirror->done = untrusted_count (object, "current-progress");
    mirror->length = untrusted_count (object, "total-progress");
    if (untrusted_text (object, "error") != NULL && mirror->problem == NULL)
      mirror->problem = g_strdup (untrusted_text (object, "error"));
  }
  return TRUE;
}

static gboolean
has_failed (const Mirror *mirror, gboolean finishing, GError **error)
{
  if (mirror->problem == NULL && (finishing || !mirror->ended))
    return FALSE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "migration of disk %s failed%s%s",
                  mirror->job + strlen (JOB_PREFIX), mirror->problem != NULL ? ": " : "",
                  mirror->problem != NULL ? mirror->problem : "");
  return TRUE;
}

static void
tell_progress (const MigrationDisks *disks)
{
  ProgressFigures figures = { 0 };

  for (guint i = 0; i < disks->mirrors->len; i++) {
    const Mirror *mirror = g_ptr_array_index (disks->mirrors, i);

    figures.total += mirror->length;
    figures.processed += MIN (mirror->done, mirror->length);
  }
  figures.remaining = figures.total - figures.processed;
  progress_set (disks->progress, &figures);
}

/* TRUE: all have come to what @has_come asks of them. */
static gboolean
wait_for_mirrors (MigrationDisks *disks, gboolean ending, Job *job, GError **error)
{
  guint pause = 0;

  for (;;) {
    gboolean all = TRUE;

    if (!look_at_mirrors (disks, job, error))
      return FALSE;
    for (guint i = 0; i < disks->mirrors->len; i++) {
      const Mirror *mirror = g_ptr_array_index (disks->mirrors, i);

      if (has_failed (mirror, ending, error))
        return FALSE;
      all = all && (ending ? mirror->ended : mirror->ready);
    }
    if (!ending)
      tell_progress (disks);
    if (all)
      return TRUE;
    if (!ending && migration_was_given_up (disks->progress, error))
      return FALSE;
    pause = migration_next_pause (pause);
    progress_wait (disks->progress, pause);
  }
}

gboolean
migration_disks_copy (MigrationDisks *disks, const MigrateOut *out, const char *host, Job *job,
                      GError **error)
{
  const char *const *targets = (const char *const *)out->disks;
  g_autoptr (JsonNode) answer = NULL;

  if (!(out->settings.flags & (VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC)))
    return TRUE;
  answer = qmp_call (disks->qmp, job, "query-block", NULL, error);
  if (answer == NULL)
    return FALSE;
  DOMAIN_FOREACH_DEVICE (out->def, disk_kind, DeviceDisk, disk) {
    const char *node = migration_disk_node (answer, disk);
    JsonObject *server;

    if (!migration_disk_is_copied (disk, targets) || node == NULL)
      continue;
    server = server_of (out, host, error);
    if (server == NULL || !begin_mirror (disks, out, disk, node, server, job, error))
      return FALSE;
  }
  return wait_for_mirrors (disks, FALSE, job, error);
}

gboolean
migration_disks_check (MigrationDisks *disks, Job *job, GError **error)
{
  if (disks->mirrors->len == 0)
    return TRUE;
  if (!look_at_mirrors (disks, job, error))
    return FALSE;
  for (guint i = 0; i < disks->mirrors->len; i++)
    if (has_failed (g_ptr_array_index (disks->mirrors, i), FALSE, error))
      return FALSE;
  return TRUE;
}

static void
forget_mirrors (MigrationDisks *disks, Job *job)
{
  for (guint i = 0; i < disks->mirrors->len; i++) {
    Mirror *mirror = g_ptr_array_index (disks->mirrors, i);

    if (mirror->runs)
      run (disks, job, "job-dismiss", props ("id", "s", mirror->job, NULL), NULL);
    if (mirror->has_node)
      run (disks, job, "blockdev-del", props ("node-name", "s", mirror->node, NULL), NULL);
  }
  g_ptr_array_set_size (disks->mirrors, 0);
}

gboolean
migration_disks_finish (MigrationDisks *disks, Job *job, GError **error)
{
  for (guint i = 0; i < disks->mirrors->len; i++) {
    const Mirror *mirror = g_ptr_array_index (disks->mirrors, i);

    if (!run (disks, job, "block-job-cancel", props ("device", "s", mirror->job, NULL), error))
      return FALSE;
  }
  if (disks->mirrors->len > 0 && !wait_for_mirrors (disks, TRUE, job, error))
    return FALSE;
  forget_mirrors (disks, job);
  return TRUE;
}

void
migration_disks_cancel (MigrationDisks *disks, Job *job)
{
  for (guint i = 0; i < disks->mirrors->len; i++) {
    const Mirror *mirror = g_ptr_array_index (disks->mirrors, i);

    if (mirror->runs && !mirror->ended)
      run (disks, job, "block-job-cancel", props ("device", "s", mirror->job, "force", "b", TRUE, NULL),
           NULL);
  }
  for (guint i = 0; i < disks->mirrors->len; i++)
    g_clear_pointer (&((Mirror *)g_ptr_array_index (disks->mirrors, i))->problem, g_free);
  for (guint tries = 0, pause = 0; tries < LIST_MAX && look_at_mirrors (disks, job, NULL); tries++) {
    gboolean any = FALSE;

    for (guint i = 0; i < disks->mirrors->len; i++) {
      const Mirror *mirror = g_ptr_array_index (disks->mirrors, i);

      any = any || (mirror->runs && !mirror->ended);
    }
    if (!any)
      break;
    pause = migration_next_pause (pause);
    g_usleep ((gulong)pause * 1000);
  }
  forget_mirrors (disks, job);
}

gboolean
migration_disks_forget (Qmp *qmp, guint patience, Job *job, GError **error)
{
  g_autoptr (Progress) progress = progress_new (VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
  g_autoptr (MigrationDisks) disks = migration_disks_new (qmp, progress, patience);
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "query-jobs", NULL, error);
  JsonArray *list = answer != NULL ? untrusted_list_of (answer) : NULL;

  if (answer == NULL)
    return FALSE;
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), LIST_MAX); i++) {
    const char *id = untrusted_text (untrusted_object_of (json_array_get_element (list, i)), "id");
    Mirror *mirror;

    if (id == NULL || !g_str_has_prefix (id, JOB_PREFIX))
      continue;
    mirror = g_new0 (Mirror, 1);
    mirror->job = g_strdup (id);
    mirror->node = g_strconcat (id, "-storage", NULL);
    mirror->runs = mirror->has_node = TRUE;
    g_ptr_array_add (disks->mirrors, mirror);
  }
  migration_disks_cancel (disks, job);
  return TRUE;
}
