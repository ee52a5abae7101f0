/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The beginning of a backup. The stores are files the daemon opens and QEMU gets as descriptors, in a set of
 * their own each; QEMU makes the format on them. Then one transaction begins all jobs, with the bitmaps that
 * say what they copy and those of a checkpoint.
 */
#include "daemon/drivers/qemu/backup-private.h"

#include "daemon/drivers/qemu/backup-server.h"
#include "daemon/drivers/qemu/migration.h"
#include "daemon/host/named-file.h"
#include "snapshot/backup-complete.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_MODE       0600
#define SERVER_NAME      "backup-server" /* of the descriptor */
#define TLS_OBJECT       "libvirt-nbd-tls0"
#define TLS_DIRECTORY    "/etc/pki/qemu" /* libvirt's default */
#define CREATE_PAUSE     5               /* ms between two questions, doubled each time up to: */
#define CREATE_PAUSE_MAX 200

/* Before anything is made. */
static gboolean
check_disk (const Backup *backup, const BackupDisk *disk, GError **error)
{
  const BackupStore *store = *backup_disk_store (backup->request->def, (BackupDisk *)disk);
  const char *path = backup_store_path (disk, store);
  struct stat status;

  if (disk->mode == BACKUP_INCREMENTAL
      && !g_hash_table_contains (backup->request->checkpoints, disk->incremental)) {
    virt_error_set (error, VIR_ERR_NO_DOMAIN_CHECKPOINT,
                    "Checkpoint '%s' for incremental backup of disk '%s' not found", disk->incremental,
                    disk->name);
    return FALSE;
  }
  if (store->encryption != NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "encryption of the store '%s' for backup of '%s' is not supported", path, disk->name);
    return FALSE;
  }
  if (disk->type == BACKUP_STORE_BLOCK || backup->request->reuse || named_file_stat (path, &status) != 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_INVALID_ARG, "store '%s' for backup of '%s' exists", path, disk->name);
  return FALSE;
}

static gboolean
check_exports (const BackupDef *def, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < def->disks->len; i++) {
    const BackupDisk *disk = g_ptr_array_index (def->disks, i);

    if (disk->export_name == NULL || g_hash_table_add (names, disk->export_name))
      continue;
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "unable to execute QEMU command 'block-export-add': NBD server already has export named "
                    "'%s'",
                    disk->export_name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
plan (Backup *backup, GError **error)
{
  const BackupRequest *request = backup->request;
  g_autoptr (QemuCaps) caps = NULL;
  g_autoptr (NodeStates) states = NULL;

  for (guint i = 0; i < request->def->disks->len; i++) {
    const BackupDisk *disk = g_ptr_array_index (request->def->disks, i);

    if (backup_disk_is_copied (disk) && !check_disk (backup, disk, error))
      return FALSE;
  }
  if (!check_exports (request->def, error))
    return FALSE;
  caps = caps_cache_get (request->host.caps, request->host.live->emulator, error);
  states = caps != NULL ? checkpoint_ask_nodes (backup->job, &request->host, error) : NULL;
  if (states == NULL)
    return FALSE;
  backup->nodes = backup_nodes_new (request->def, request->host.live, caps, states,
                                    node_states_highest (states) + 1, error);
  return backup->nodes != NULL;
}

/* All files that will be made, before the first one is. */
static gboolean
record (Backup *backup, GError **error)
{
  const BackupRequest *request = backup->request;
  BackupDef *def = request->def;

  backup->record = backup_record_new (def);
  for (guint i = 0; i < backup->nodes->len; i++) {
    const BackupNode *node = g_ptr_array_index (backup->nodes, i);
    BackupDisk *disk = backup_def_find_disk (def, node->target);

    backup_record_add_disk (backup->record, node->target, node->node, node->job, node->storage, node->top,
                            def->mode == BACKUP_PUSH ? node->bitmap : NULL);
    if (disk->type == BACKUP_STORE_FILE && !request->reuse)
      g_ptr_array_add (backup->record->made, g_strdup ((*backup_disk_store (def, disk))->file));
  }
  if (def->server != NULL && def->server->transport == BACKUP_TRANSPORT_UNIX)
    backup->record->socket = g_strdup (def->server->socket);
  if (def->server != NULL && def->server->tls == TRISTATE_YES)
    backup->record->tls = g_strdup (TLS_OBJECT);
  return backup_write_down (backup, BACKUP_PREPARING, error);
}

/* A file of somebody else's that has come meanwhile is not ours to remove. */
static void
disown (const Backup *backup, const char *path)
{
  for (guint i = 0; i < backup->record->made->len; i++)
    if (g_str_equal (g_ptr_array_index (backup->record->made, i), path)) {
      g_ptr_array_remove_index (backup->record->made, i);
      return;
    }
}

static int
open_store (const Backup *backup, const BackupDisk *disk, const BackupNode *node, GError **error)
{
  const char *path = backup_store_path (disk, *backup_disk_store (backup->record->def, (BackupDisk *)disk));
  gboolean make = disk->type == BACKUP_STORE_FILE && !backup->request->reuse;
  int fd = named_file_open (path, O_RDWR | O_CLOEXEC | O_NOCTTY | (make ? O_CREAT | O_EXCL : 0), STORE_MODE);

  if (fd < 0) {
    int problem = errno;

    if (make)
      disown (backup, path);
    virt_error_set_plain (error, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s",
                          make ? "failed to create image file" : "unable to open", path,
                          g_strerror (problem));
    return -1;
  }
  /* QEMU writes a raw copy as it comes, and makes no file longer for it. */
  if (make && node->top != NULL && g_str_equal (node->top, node->storage)
      && ftruncate (fd, (off_t)node->size) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot give '%s' its size: %s", path, g_strerror (errno));
    close (fd);
    return -1;
  }
  return fd;
}

/* What stands for the file in QEMU. (transfer full) */
static char *
pass_store (const Backup *backup, const BackupNode *node, int fd, GError **error)
{
  JsonObject *arguments = props ("opaque", "s", node->job, NULL);
  g_autoptr (JsonNode) answer = NULL;

  job_extend_deadline (backup->job, backup->request->host.patience);
  answer = qmp_call_with_fd (backup->request->host.qmp, backup->job, "add-fd", arguments, fd, error);
  if (answer == NULL)
    return NULL;
  return g_strdup_printf ("/dev/fdset/%" G_GUINT64_FORMAT,
                          untrusted_count (untrusted_object_of (answer), "fdset-id"));
}

static gboolean
wait_for_creation (const Backup *backup, const char *id, GError **error)
{
  for (guint pause = CREATE_PAUSE;; pause = MIN (pause * 2, CREATE_PAUSE_MAX)) {
    g_autoptr (JsonNode) answer = backup_ask (backup, "query-jobs", NULL, error);
    g_auto (BackupJobState) state = { 0 };

    if (answer == NULL)
      return FALSE;
    backup_find_job (answer, id, &state);
    if (state.found && !state.over) {
      progress_wait (backup->request->progress, pause);
      if (!job_check (backup->job, error))
        return FALSE;
      continue;
    }
    if (state.problem != NULL)
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "failed to format image: '%s'", state.problem);
    return backup_tell (backup, "job-dismiss", props ("id", "s", id, NULL),
                        state.problem == NULL ? error : NULL)
           && state.problem == NULL;
  }
}

static gboolean
format_store (const Backup *backup, const BackupDisk *disk, const BackupNode *node, GError **error)
{
  const BackupDef *def = backup->record->def;
  JsonObject *create = backup->request->reuse ? NULL : backup_create_arguments (def, disk, node);
  JsonObject *format;

  if (create != NULL) {
    g_autofree char *id = g_strdup (untrusted_text (create, "job-id"));

    if (!backup_tell (backup, "blockdev-create", create, error) || !wait_for_creation (backup, id, error))
      return FALSE;
  }
  format = backup_format_arguments (def, disk, node);
  return format == NULL || backup_tell (backup, "blockdev-add", format, error);
}

static gboolean
make_store (const Backup *backup, const BackupNode *node, GError **error)
{
  const BackupDisk *disk = backup_def_find_disk (backup->record->def, node->target);
  int fd = open_store (backup, disk, node, error);
  g_autofree char *file = fd >= 0 ? pass_store (backup, node, fd, error) : NULL;

  if (fd >= 0)
    close (fd);
  return file != NULL
         && backup_tell (backup, "blockdev-add", backup_storage_arguments (disk, node, file), error)
         && format_store (backup, disk, node, error);
}

static gboolean
start_server (Backup *backup, GError **error)
{
  const BackupServer *server = backup->record->def->server;
  const char *tls = backup->record->tls;
  JsonObject *data = props ("str", "s", SERVER_NAME, NULL);
  JsonObject *address = props ("type", "s", "fd", "data", "o", data, NULL);
  g_autoptr (JsonObject) arguments = props ("addr", "o", address, "tls-creds", "?s", tls, NULL);
  gboolean passed;
  int fd;

  if (tls != NULL
      && !backup_tell (backup, "object-add",
                       props ("qom-type", "s", "tls-creds-x509", "id", "s", tls, "dir", "s", TLS_DIRECTORY,
                              "endpoint", "s", "server", "verify-peer", "b", TRUE, NULL),
                       error))
    return FALSE;
  fd = backup_server_listen (server, backup->request->owner, error);
  if (fd < 0) {
    g_clear_pointer (&backup->record->socket, g_free); /* what is there is somebody else's */
    return FALSE;
  }
  passed = give_descriptor (backup->request->host.qmp, backup->job, fd, SERVER_NAME, error);
  close (fd);
  backup->server = passed && backup_tell (backup, "nbd-server-start", json_object_ref (arguments), error);
  return backup->server;
}

/* The instant. */
static gboolean
begin_jobs (const Backup *backup, GError **error)
{
  const BackupRequest *request = backup->request;
  const char *checkpoint = request->checkpoint != NULL ? request->checkpoint->name : NULL;
  g_autoptr (GPtrArray) nodes = NULL;

  if (checkpoint != NULL) {
    g_autoptr (CheckpointNote) note = checkpoint_note_new ();

    note->created = document_ref (&checkpoint_document, request->checkpoint);
    note->with_backup = TRUE;
    nodes = checkpoint_nodes (&request->host, request->checkpoint, error);
    if (nodes == NULL || !checkpoint_note_save (note, request->host.run_directory, error))
      return FALSE;
  }
  if (backup_tell (backup, "transaction",
                   backup_begin_arguments (backup->record->def, backup->nodes, checkpoint, nodes), error))
    return TRUE;
  if (checkpoint != NULL)
    checkpoint_note_remove (request->host.run_directory, NULL);
  return FALSE;
}

static gboolean
add_exports (const Backup *backup, GError **error)
{
  const BackupDef *def = backup->record->def;

  for (guint i = 0; def->mode == BACKUP_PULL && i < backup->nodes->len; i++) {
    const BackupNode *node = g_ptr_array_index (backup->nodes, i);
    const BackupDisk *disk = backup_def_find_disk (def, node->target);

    if (!backup_tell (backup, "block-export-add", backup_export_arguments (disk, node), error))
      return FALSE;
  }
  return TRUE;
}

/* It has begun, but is not what was asked for: its checkpoint goes with it. */
static void
undo_checkpoint (const Backup *backup)
{
  const BackupRequest *request = backup->request;
  CheckpointNote *finished = NULL;
  g_autoptr (GError) problem = NULL;

  if (request->checkpoint != NULL
      && !checkpoint_settle (backup->job, &request->host, FALSE, &finished, &problem))
    g_warning ("checkpoint '%s', which was not made, may have left a bitmap: %s", request->checkpoint->name,
               problem->message);
  checkpoint_note_free (finished);
}

static gboolean
make_all (Backup *backup, GError **error)
{
  for (guint i = 0; i < backup->nodes->len; i++)
    if (!make_store (backup, g_ptr_array_index (backup->nodes, i), error))
      return FALSE;
  return (backup->record->def->mode != BACKUP_PULL || start_server (backup, error))
         && begin_jobs (backup, error);
}

gboolean
backup_begin (Backup *backup, GError **error)
{
  const BackupRequest *request = backup->request;

  if (!plan (backup, error) || !record (backup, error))
    return FALSE;
  if (!make_all (backup, error)) {
    backup_take_apart (backup);
    return FALSE;
  }
  if (add_exports (backup, error) && backup_write_down (backup, BACKUP_RUNNING, error)
      && (request->checkpoint == NULL || checkpoint_keep (&request->host, request->checkpoint, error)))
    return TRUE;
  backup->record->phase = BACKUP_PREPARING;
  undo_checkpoint (backup);
  backup_take_apart (backup);
  return FALSE;
}
