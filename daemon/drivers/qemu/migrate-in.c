/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine that comes from another QEMU. It is started as any other, waits for its state, and serves its
 * disks meanwhile where the other side copies them. QEMU listens itself: more connections than one may come.
 * On a socket it listens in its own directory, and the place the client has asked for is a link to it, so
 * that QEMU's account needs no right there.
 */
#include "daemon/drivers/qemu/migrate-in.h"

#include "daemon/drivers/qemu/migration-disks.h"
#include "daemon/drivers/qemu/migration.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DISKS_SOCKET_NAME "migrate-disks"
#define BACKLOG           64

MigrateIn *
migrate_in_new (const MigrationSettings *settings, guint patience)
{
  MigrateIn *in = g_new0 (MigrateIn, 1);

  migration_settings_copy (&in->settings, settings);
  in->patience = patience;
  return in;
}

void
migrate_in_free (gpointer data)
{
  MigrateIn *in = data;

  if (in == NULL)
    return;
  migration_settings_clear (&in->settings);
  g_free (in->listen);
  g_free (in->link);
  g_strfreev (in->disks);
  g_free (in->disks_address);
  g_free (in->disks_socket);
  g_free (in);
}

/* Disks. */

/* The daemon's own socket at the client's place: QEMU is given it listening. */
static gboolean
give_listening_socket (const char *path, Qmp *qmp, Job *job, GError **error)
{
  struct sockaddr_un place = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean given = FALSE;

  if (strlen (path) >= sizeof place.sun_path)
    errno = ENAMETOOLONG;
  else if (fd >= 0) {
    memcpy (place.sun_path, path, strlen (path) + 1);
    given = bind (fd, (const struct sockaddr *)&place, sizeof place) == 0 && listen (fd, BACKLOG) == 0;
  }
  if (!given)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot listen on the disks' socket '%s': %s", path,
                    g_strerror (errno));
  given = given && give_descriptor (qmp, job, fd, DISKS_SOCKET_NAME, error);
  if (fd >= 0)
    close (fd);
  return given;
}

static gboolean
start_server (const MigrateIn *in, Qmp *qmp, Job *job, GError **error)
{
  const char *credentials = in->settings.flags & VIR_MIGRATE_TLS ? "objmigrate_tls0" : NULL;
  g_autofree char *port = g_strdup_printf ("%u", in->disks_port);
  JsonObject *address;

  if (in->disks_socket != NULL && !give_listening_socket (in->disks_socket, qmp, job, error))
    return FALSE;
  if (in->disks_socket != NULL)
    address = props ("type", "s", "fd", "data", "o", props ("str", "s", DISKS_SOCKET_NAME, NULL), NULL);
  else
    address = props ("type", "s", "inet", "data", "o",
                     props ("host", "s", in->disks_address, "port", "s", port, NULL), NULL);
  return qmp_run (qmp, job, "nbd-server-start",
                  props ("addr", "o", address, "tls-creds", "?s", credentials, NULL), error);
}

/* query-block tells the node of each drive, see migration-disks.c; it is asked for once. */
static gboolean
serve_disks (const MigrateIn *in, const DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (JsonNode) drives = NULL;

  if (!in->serves_disks)
    return TRUE;
  if (!start_server (in, qmp, job, error))
    return FALSE;
  drives = qmp_call (qmp, job, "query-block", NULL, error);
  if (drives == NULL)
    return FALSE;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    g_autofree char *export = NULL;
    const char *node = migration_disk_node (drives, disk);

    if (!migration_disk_is_copied (disk, (const char *const *)in->disks) || node == NULL)
      continue;
    export = migration_disk_export (disk);
    if (!qmp_run (qmp, job, "block-export-add",
                  props ("type", "s", "nbd", "id", "s", export, "node-name", "s", node, "name", "s", export,
                         "writable", "b", TRUE, NULL),
                  error))
      return FALSE;
  }
  return TRUE;
}

gboolean
migrate_in_listen (MigrateIn *in, const DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  if (!migration_settings_apply (&in->settings, MIGRATION_TARGET, qmp, job, error)
      || !serve_disks (in, def, qmp, job, error)
      || !qmp_run (qmp, job, "migrate-incoming", props ("uri", "s", in->listen, NULL), error))
    return FALSE;
  if (in->link == NULL || symlink (in->listen + strlen ("unix:"), in->link) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make the migration's socket '%s': %s", in->link,
                  g_strerror (errno));
  return FALSE;
}

void
migrate_in_close (const MigrateIn *in, Qmp *qmp, Job *job)
{
  if (in->serves_disks)
    qmp_run (qmp, job, "nbd-server-stop", NULL, NULL);
  if (in->disks_socket != NULL)
    unlink (in->disks_socket);
  if (in->link != NULL)
    unlink (in->link);
}

gboolean
migrate_in_wait (const MigrateIn *in, gboolean postcopy, Qmp *qmp, Job *job, GError **error)
{
  for (guint pause = 0;;) {
    g_autofree char *status = NULL, *reason = NULL;

    job_extend_deadline (job, in->patience);
    status = migration_ask (qmp, job, NULL, &reason, error);
    if (status == NULL)
      return FALSE;
    if (g_str_equal (status, "completed") || (postcopy && g_str_has_prefix (status, "postcopy-")))
      return TRUE;
    if (migration_is_over (status)) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "job 'migration in' failed: %s%s%s", status,
                      reason != NULL ? ": " : "", reason != NULL ? reason : "");
      return FALSE;
    }
    pause = migration_next_pause (pause);
    g_usleep ((gulong)pause * 1000);
    if (!job_check (job, error))
      return FALSE;
  }
}
