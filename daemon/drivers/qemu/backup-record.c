/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The record of a backup job: one JSON object in a file of its own beside the machine's status. The document
 * stands in it as a text, since it is what clients are shown.
 */
#include "daemon/drivers/qemu/backup-record.h"

#include "base/untrusted-json.h"
#include "daemon/core/file.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RECORD_FILE "backup.json"
#define RECORD_MAX  (4 * 1024 * 1024) /* bytes */
#define DISKS_MAX   4096

static const char *const phases[] = { "preparing", "running", "over" }; /* by BackupPhase */

static void
trace_free (gpointer data)
{
  BackupTrace *trace = data;

  g_free (trace->target);
  g_free (trace->node);
  g_free (trace->job);
  g_free (trace->storage);
  g_free (trace->top);
  g_free (trace->bitmap);
  g_free (trace);
}

BackupRecord *
backup_record_new (BackupDef *def)
{
  BackupRecord *record = g_new0 (BackupRecord, 1);

  record->def = def != NULL ? document_ref (&backup_document, def) : NULL;
  record->pull = def != NULL && def->mode == BACKUP_PULL;
  record->started = g_get_real_time ();
  record->made = g_ptr_array_new_with_free_func (g_free);
  record->disks = g_ptr_array_new_with_free_func (trace_free);
  return record;
}

void
backup_record_free (BackupRecord *record)
{
  if (record == NULL)
    return;
  document_unref (&backup_document, record->def);
  g_ptr_array_unref (record->made);
  g_ptr_array_unref (record->disks);
  g_free (record->socket);
  g_free (record->tls);
  g_free (record);
}

void
backup_record_add_disk (BackupRecord *record, const char *target, const char *node, const char *job,
                        const char *storage, const char *top, const char *bitmap)
{
  BackupTrace *trace = g_new0 (BackupTrace, 1);

  *trace = (BackupTrace){ g_strdup (target),  g_strdup (node), g_strdup (job),
                          g_strdup (storage), g_strdup (top),  g_strdup (bitmap) };
  g_ptr_array_add (record->disks, trace);
}

static char *
record_path (const char *directory)
{
  return g_build_filename (directory, RECORD_FILE, NULL);
}

static JsonArray *
texts_to_json (const GPtrArray *texts)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < texts->len; i++)
    json_array_add_string_element (list, g_ptr_array_index (texts, i));
  return list;
}

static JsonArray *
disks_to_json (const GPtrArray *disks)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < disks->len; i++) {
    const BackupTrace *trace = g_ptr_array_index (disks, i);

    json_array_add_object_element (list, props ("target", "s", trace->target, "node", "s", trace->node, "job",
                                                "s", trace->job, "storage", "s", trace->storage, "top", "s",
                                                trace->top, "bitmap", "?s", trace->bitmap, NULL));
  }
  return list;
}

gboolean
backup_record_save (const BackupRecord *record, const char *directory, GError **error)
{
  g_autofree char *path = record_path (directory);
  g_autofree char *xml = document_to_xml (&backup_document, record->def, FIELD_WRITE_LIVE);
  g_autoptr (JsonObject) object =
      props ("document", "s", xml, "phase", "s", phases[record->phase], "pull", "b", record->pull, "made",
             "a", texts_to_json (record->made), "socket", "?s", record->socket, "tls", "?s", record->tls,
             "disks", "a", disks_to_json (record->disks), NULL);
  g_autofree char *text = NULL;

  json_object_set_int_member (object, "started", record->started);
  text = json_object_text (object);
  return store_write_file (path, text, -1, 0600, error);
}

static gboolean
read_phase (BackupRecord *record, JsonObject *object)
{
  const char *phase = untrusted_text (object, "phase");

  for (guint i = 0; i < G_N_ELEMENTS (phases); i++)
    if (g_strcmp0 (phase, phases[i]) == 0) {
      record->phase = (BackupPhase)i;
      return TRUE;
    }
  return FALSE;
}

static gboolean
read_disk (BackupRecord *record, JsonObject *object)
{
  const char *target = untrusted_text (object, "target"), *node = untrusted_text (object, "node");
  const char *job = untrusted_text (object, "job"), *storage = untrusted_text (object, "storage");
  const char *top = untrusted_text (object, "top");

  if (target == NULL || node == NULL || job == NULL || storage == NULL || top == NULL)
    return FALSE;
  backup_record_add_disk (record, target, node, job, storage, top, untrusted_text (object, "bitmap"));
  return TRUE;
}

static gboolean
read_lists (BackupRecord *record, JsonObject *object)
{
  JsonArray *made = untrusted_list (object, "made"), *disks = untrusted_list (object, "disks");

  if (made == NULL || disks == NULL || json_array_get_length (made) > DISKS_MAX
      || json_array_get_length (disks) > DISKS_MAX)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (made); i++) {
    const char *path = untrusted_text_of (json_array_get_element (made, i));

    if (path == NULL || *path != '/')
      return FALSE;
    g_ptr_array_add (record->made, g_strdup (path));
  }
  for (guint i = 0; i < json_array_get_length (disks); i++)
    if (!read_disk (record, untrusted_object_of (json_array_get_element (disks, i))))
      return FALSE;
  return TRUE;
}

/* All but its document. */
static BackupRecord *
read_record (JsonObject *object)
{
  g_autoptr (BackupRecord) record = backup_record_new (NULL);
  gint64 started = 0;

  record->pull = untrusted_switch (object, "pull");
  record->socket = g_strdup (untrusted_text (object, "socket"));
  record->tls = g_strdup (untrusted_text (object, "tls"));
  if (!read_phase (record, object) || !read_lists (record, object)
      || !untrusted_number (object, "started", &started))
    return NULL;
  record->started = started;
  return g_steal_pointer (&record);
}

static gboolean
read_document (BackupRecord *record, JsonObject *object)
{
  const char *xml = untrusted_text (object, "document");
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (RECORD_FILE);

  record->def = xml != NULL ? document_read (&backup_document, xml, -1, DOCUMENT_LAX, diagnostics) : NULL;
  return record->def != NULL;
}

static BackupRecord *
load (const char *directory, gboolean with_document, GError **error)
{
  g_autofree char *path = record_path (directory);
  g_autofree char *text = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (BackupRecord) record = NULL;
  gsize length = 0;

  if (access (path, F_OK) != 0 && errno == ENOENT)
    return NULL;
  text = store_read_file (path, RECORD_MAX, &length, error);
  if (text == NULL)
    return NULL;
  object = untrusted_json_object (text, length);
  record = object != NULL ? read_record (object) : NULL;
  if (record != NULL && (!with_document || read_document (record, object)))
    return g_steal_pointer (&record);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "'%s' is not the record of a backup job", path);
  return NULL;
}

BackupRecord *
backup_record_load (const char *directory, GError **error)
{
  return load (directory, TRUE, error);
}

gboolean
backup_record_remove (const char *directory, GError **error)
{
  g_autofree char *path = record_path (directory);

  return store_remove_file (path, error);
}

gboolean
backup_record_is_scratch (const BackupRecord *record)
{
  return record->pull || record->phase != BACKUP_OVER;
}

void
backup_record_remove_files (const BackupRecord *record)
{
  for (guint i = 0; backup_record_is_scratch (record) && i < record->made->len; i++) {
    const char *path = g_ptr_array_index (record->made, i);

    if (unlink (path) != 0 && errno != ENOENT)
      g_warning ("cannot remove '%s', which a backup has left: %s", path, g_strerror (errno));
  }
  if (record->socket != NULL)
    unlink (record->socket);
}

void
backup_clean_up (const char *directory)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BackupRecord) record = load (directory, FALSE, &error);

  if (error != NULL)
    g_warning ("what a backup has left stays: %s", error->message);
  if (record != NULL)
    backup_record_remove_files (record);
}
