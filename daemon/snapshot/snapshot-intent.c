/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The note of what is being done: one JSON object in a file of its own. */
#include "daemon/snapshot/snapshot-intent.h"

#include "base/untrusted-json.h"
#include "daemon/core/file.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define FILE_NAME  "intent.json"
#define INTENT_MAX (32 * 1024 * 1024) /* bytes */
#define FILES_MAX  4096

static const EnumTable kinds = { "what is done to snapshots", { NULL, "create", "revert", "delete" } };

void
snapshot_merge_free (SnapshotMerge *merge)
{
  if (merge == NULL)
    return;
  g_free (merge->disk);
  g_free (merge->base);
  g_free (merge->top);
  g_free (merge->format);
  g_free (merge);
}

SnapshotMerge *
snapshot_merge_copy (const SnapshotMerge *merge)
{
  SnapshotMerge *copy = g_new (SnapshotMerge, 1);

  *copy = *merge;
  copy->disk = g_strdup (merge->disk);
  copy->base = g_strdup (merge->base);
  copy->top = g_strdup (merge->top);
  copy->format = g_strdup (merge->format);
  return copy;
}

static void
merge_free (gpointer data)
{
  snapshot_merge_free (data);
}

SnapshotIntent *
snapshot_intent_new (int kind, const char *name)
{
  SnapshotIntent *intent = g_new0 (SnapshotIntent, 1);

  intent->kind = kind;
  intent->name = g_strdup (name);
  intent->files = g_ptr_array_new_with_free_func (g_free);
  return intent;
}

void
snapshot_intent_free (SnapshotIntent *intent)
{
  if (intent == NULL)
    return;
  g_free (intent->name);
  g_free (intent->document);
  g_ptr_array_unref (intent->files);
  g_clear_pointer (&intent->merges, g_ptr_array_unref);
  g_free (intent);
}

static char *
intent_path (const char *directory)
{
  return g_build_filename (directory, FILE_NAME, NULL);
}

static JsonArray *
merges_to_json (const GPtrArray *merges)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < merges->len; i++) {
    const SnapshotMerge *merge = g_ptr_array_index (merges, i);
    JsonObject *object = json_object_new ();

    json_object_set_string_member (object, "disk", merge->disk);
    json_object_set_string_member (object, "base", merge->base);
    json_object_set_string_member (object, "top", merge->top);
    json_object_set_string_member (object, "format", merge->format);
    json_object_set_boolean_member (object, "in-qemu", merge->in_qemu);
    json_object_set_boolean_member (object, "active", merge->is_active);
    json_array_add_object_element (array, object);
  }
  return array;
}

static char *
to_json (const SnapshotIntent *intent)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  JsonArray *files = json_array_new ();

  for (guint i = 0; i < intent->files->len; i++)
    json_array_add_string_element (files, g_ptr_array_index (intent->files, i));
  json_object_set_string_member (object, "operation", enum_table_name (&kinds, intent->kind));
  json_object_set_string_member (object, "name", intent->name);
  json_object_set_boolean_member (object, "made", intent->made);
  json_object_set_boolean_member (object, "keeps", intent->keeps);
  json_object_set_boolean_member (object, "running", intent->running);
  if (intent->document != NULL)
    json_object_set_string_member (object, "document", intent->document);
  json_object_set_array_member (object, "files", files);
  if (intent->merges != NULL)
    json_object_set_array_member (object, "merges", merges_to_json (intent->merges));
  json_node_take_object (root, object);
  return json_to_string (root, TRUE);
}

gboolean
snapshot_intent_write (const SnapshotIntent *intent, const char *directory, GError **error)
{
  g_autofree char *path = intent_path (directory), *json = to_json (intent);
  g_autofree char *above = g_path_get_dirname (directory);

  return store_make_directory (above, 0700, error) && store_make_directory (directory, 0700, error)
         && store_sync_directory (above, error) && store_write_file (path, json, -1, 0600, error);
}

/* NULL: it is none. */
static SnapshotMerge *
merge_from_json (JsonObject *object)
{
  const char *disk = untrusted_text (object, "disk"), *format = untrusted_text (object, "format");
  const char *base = untrusted_text (object, "base"), *top = untrusted_text (object, "top");
  SnapshotMerge *merge;

  if (disk == NULL || format == NULL || base == NULL || !g_path_is_absolute (base) || top == NULL
      || !g_path_is_absolute (top))
    return NULL;
  merge = g_new0 (SnapshotMerge, 1);
  merge->disk = g_strdup (disk);
  merge->base = g_strdup (base);
  merge->top = g_strdup (top);
  merge->format = g_strdup (format);
  merge->in_qemu = untrusted_switch (object, "in-qemu");
  merge->is_active = untrusted_switch (object, "active");
  return merge;
}

static GPtrArray *
merges_from_json (JsonArray *array)
{
  GPtrArray *merges = g_ptr_array_new_with_free_func (merge_free);

  for (guint i = 0; i < MIN (json_array_get_length (array), FILES_MAX); i++) {
    SnapshotMerge *merge = merge_from_json (untrusted_object_of (json_array_get_element (array, i)));

    if (merge != NULL)
      g_ptr_array_add (merges, merge);
  }
  return merges;
}

static SnapshotIntent *
from_json (JsonObject *object)
{
  const char *operation = untrusted_text (object, "operation"), *name = untrusted_text (object, "name");
  const char *document = untrusted_text (object, "document");
  JsonArray *files = untrusted_list (object, "files"), *merges = untrusted_list (object, "merges");
  int kind = operation != NULL ? enum_table_value (&kinds, operation) : 0;
  SnapshotIntent *intent;

  if (kind == SNAPSHOT_INTENT_NONE || name == NULL || *name == '\0')
    return NULL;
  intent = snapshot_intent_new (kind, name);
  intent->made = untrusted_switch (object, "made");
  intent->keeps = untrusted_switch (object, "keeps");
  intent->running = untrusted_switch (object, "running");
  intent->document = g_strdup (document);
  for (guint i = 0; files != NULL && i < MIN (json_array_get_length (files), FILES_MAX); i++) {
    const char *file = untrusted_text_of (json_array_get_element (files, i));

    if (file != NULL && g_path_is_absolute (file))
      g_ptr_array_add (intent->files, g_strdup (file));
  }
  if (merges != NULL)
    intent->merges = merges_from_json (merges);
  return intent;
}

SnapshotIntent *
snapshot_intent_read (const char *directory, GError **error)
{
  g_autofree char *path = intent_path (directory), *json = NULL;
  g_autoptr (JsonObject) object = NULL;
  SnapshotIntent *intent;
  gsize length;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  json = store_read_file (path, INTENT_MAX, &length, error);
  if (json == NULL)
    return NULL;
  object = untrusted_json_object (json, length);
  intent = object != NULL ? from_json (object) : NULL;
  if (intent == NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "'%s' is damaged: it does not say which snapshot was being made, gone back to or deleted",
                    path);
  return intent;
}

gboolean
snapshot_intent_remove (const char *directory, GError **error)
{
  g_autofree char *path = intent_path (directory);

  return store_remove_file (path, error);
}

SnapshotDef *
snapshot_intent_def (const SnapshotIntent *intent, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("the snapshot in the note");
  SnapshotDef *def;

  if (intent->document == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the note of snapshot '%s' has no document",
                    intent->name);
    return NULL;
  }
  def = document_read (&snapshot_document, intent->document, -1, DOCUMENT_LAX, diagnostics);
  if (diagnostics_check (diagnostics, error))
    return def;
  document_unref (&snapshot_document, def);
  return NULL;
}
