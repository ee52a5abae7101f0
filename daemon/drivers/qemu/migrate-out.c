/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine on its way to another QEMU. It is sent while it runs (or stopped first), stops once little is
 * left, and waits before the last of it is sent (pause-before-switchover): the last instant at which disks
 * that are copied can be brought to the same state, and at which it can be kept. What goes wrong before the
 * end is undone here: QEMU lets go of the other side, and its CPUs run again if they did.
 */
#include "daemon/drivers/qemu/migrate-out.h"

#include "daemon/drivers/qemu/migration-address.h"
#include "daemon/drivers/qemu/migration-disks.h"
#include "daemon/drivers/qemu/migration.h"
#include "domain/devices/host-device.h"
#include "targets/qemu/recipe.h"

#include <unistd.h>

#define SOCKET_NAME "migrate"

MigrateOut *
migrate_out_new (Qmp *qmp, DomainDef *def, const MigrationSettings *settings, Progress *progress,
                 guint patience)
{
  MigrateOut *out = g_new0 (MigrateOut, 1);

  out->qmp = qmp_ref (qmp);
  out->def = domain_def_ref (def);
  migration_settings_copy (&out->settings, settings);
  out->progress = progress_ref (progress);
  out->patience = patience;
  return out;
}

void
migrate_out_free (gpointer data)
{
  MigrateOut *out = data;

  if (out == NULL)
    return;
  qmp_unref (out->qmp);
  domain_def_unref (out->def);
  migration_settings_clear (&out->settings);
  progress_unref (out->progress);
  g_free (out->uri);
  g_free (out->disks_uri);
  g_strfreev (out->disks);
  g_free (out);
}

static gboolean
run (MigrateOut *out, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  job_extend_deadline (job, out->patience);
  return qmp_run (out->qmp, job, command, arguments, error);
}

/* One connection is ours to make; where there are more, QEMU makes them. */
static gboolean
begin_transfer (MigrateOut *out, const MigrationAddress *address, Job *job, GError **error)
{
  g_autofree char *uri = migration_address_to_qemu (address);
  gboolean sent;
  int fd;

  if (out->settings.flags & VIR_MIGRATE_PARALLEL)
    return run (out, job, "migrate", props ("uri", "s", uri, NULL), error);
  fd = migration_address_connect (address, job_cancellable (job), error);
  if (fd < 0)
    return FALSE;
  sent = give_descriptor (out->qmp, job, fd, SOCKET_NAME, error)
         && run (out, job, "migrate", props ("uri", "s", "fd:" SOCKET_NAME, NULL), error);
  close (fd);
  return sent;
}

static gboolean
fail_transfer (const char *status, const char *reason, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "job 'migration out' failed: %s%s%s",
                  g_str_equal (status, "cancelled") ? "canceled by client" : status,
                  reason != NULL ? ": " : "", reason != NULL ? reason : "");
  return FALSE;
}

static gboolean
has_stopped_by_error (MigrateOut *out, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  if (!(out->settings.flags & VIR_MIGRATE_ABORT_ON_ERROR))
    return FALSE;
  answer = qmp_call (out->qmp, job, "query-status", NULL, NULL);
  if (answer == NULL || g_strcmp0 (untrusted_text (untrusted_object_of (answer), "status"), "io-error") != 0)
    return FALSE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "job 'migration out' failed due to I/O error");
  return TRUE;
}

/* Until there is nothing more to do here: TRUE, or FALSE when it has failed or is not wanted any more. */
static gboolean
follow_transfer (MigrateOut *out, MigrationDisks *disks, Job *job, GError **error)
{
  gboolean continued = FALSE;
  guint pause = 0;

  for (;;) {
    g_autofree char *status = NULL, *reason = NULL;

    job_extend_deadline (job, out->patience);
    status = migration_ask (out->qmp, job, out->progress, &reason, error);
    if (status == NULL)
      return FALSE;
    out->postcopy = g_str_has_prefix (status, "postcopy-");
    if (out->postcopy || g_str_equal (status, "completed"))
      return TRUE;
    if (migration_is_over (status))
      return fail_transfer (status, reason, error);
    if (!continued
        && (migration_was_given_up (out->progress, error) || has_stopped_by_error (out, job, error)
            || !migration_disks_check (disks, job, error)))
      return FALSE;
    if (g_str_equal (status, "pre-switchover") && !continued) {
      progress_tell_stopped (out->progress);
      if (!migration_disks_finish (disks, job, error)
          || !run (out, job, "migrate-continue", props ("state", "s", "pre-switchover", NULL), error))
        return FALSE;
      continued = TRUE;
      pause = 0;
    }
    pause = migration_next_pause (pause);
    progress_wait (out->progress, pause);
  }
}

static gboolean
transfer (MigrateOut *out, MigrationDisks *disks, Job *job, GError **error)
{
  g_auto (MigrationAddress) address = { 0 };

  if (!migration_address_parse (out->uri, &address, error))
    return FALSE;
  if (out->settings.tls_host == NULL)
    out->settings.tls_host = g_strdup (address.host);
  if (!migration_settings_apply (&out->settings, MIGRATION_SOURCE, out->qmp, job, error))
    return FALSE;
  if (out->ran && !(out->settings.flags & VIR_MIGRATE_LIVE)) {
    if (!run (out, job, "stop", NULL, error))
      return FALSE;
    progress_tell_stopped (out->progress);
  }
  return migration_disks_copy (disks, out, address.host, job, error)
         && !migration_was_given_up (out->progress, error) && begin_transfer (out, &address, job, error)
         && follow_transfer (out, disks, job, error);
}

gboolean
migrate_out_take_back (MigrateOut *out, Job *job, GError **error)
{
  if (!migration_stop (out->qmp, job, out->patience, error))
    return FALSE;
  return !out->ran || run (out, job, "cont", NULL, error);
}

gboolean
migrate_out_perform (MigrateOut *out, Job *job, GError **error)
{
  g_autoptr (MigrationDisks) disks = migration_disks_new (out->qmp, out->progress, out->patience);
  GError *problem = NULL;

  job_extend_deadline (job, out->patience);
  if (!host_devices_can_migrate (out->def, error) || !migration_check (out->qmp, job, error)
      || migration_was_given_up (out->progress, error))
    return FALSE;
  if (transfer (out, disks, job, &problem))
    return TRUE;
  /* The machine's own end needs no more of us: its monitor is gone, and these fail at once. */
  migration_stop (out->qmp, job, out->patience, NULL);
  migration_disks_cancel (disks, job);
  migrate_out_take_back (out, job, NULL);
  g_propagate_error (error, problem);
  return FALSE;
}

gboolean
migrate_out_wait (MigrateOut *out, Job *job, GError **error)
{
  guint pause = 0;

  for (;;) {
    g_autofree char *status = NULL, *reason = NULL;

    job_extend_deadline (job, out->patience);
    status = migration_ask (out->qmp, job, out->progress, &reason, error);
    if (status == NULL)
      return FALSE;
    if (g_str_equal (status, "completed"))
      return TRUE;
    if (migration_is_over (status) || g_str_equal (status, "postcopy-paused"))
      return fail_transfer (status, reason, error);
    pause = migration_next_pause (pause);
    progress_wait (out->progress, pause);
  }
}
