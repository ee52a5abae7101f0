/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The note is one file: a line of JSON, and behind it the documents that it speaks of, each after a line with
 * its length. They hold domains' definitions, which are longer than a value of untrusted JSON may be.
 */
#include "daemon/drivers/qemu/checkpoint-note.h"

#include "base/untrusted-json.h"
#include "daemon/core/file.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NOTE_FILE "checkpoint.note"
#define NOTE_MAX  (64 * 1024 * 1024) /* bytes */
#define NAMES_MAX 65536

static void
unref_def (gpointer def)
{
  document_unref (&checkpoint_document, def);
}

CheckpointNote *
checkpoint_note_new (void)
{
  CheckpointNote *note = g_new0 (CheckpointNote, 1);

  note->removed = g_ptr_array_new_with_free_func (g_free);
  note->followers = g_ptr_array_new_with_free_func (unref_def);
  return note;
}

void
checkpoint_note_free (CheckpointNote *note)
{
  if (note == NULL)
    return;
  document_unref (&checkpoint_document, note->created);
  g_ptr_array_unref (note->removed);
  g_ptr_array_unref (note->followers);
  g_free (note->current);
  g_free (note);
}

static void
add_document (GString *text, const CheckpointDef *def)
{
  g_autofree char *xml = document_to_xml (&checkpoint_document, def, FIELD_WRITE_SECURE);

  g_string_append_printf (text, "%zu\n%s\n", strlen (xml), xml);
}

gboolean
checkpoint_note_save (const CheckpointNote *note, const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, NOTE_FILE, NULL);
  JsonArray *removed = json_array_new ();
  g_autoptr (JsonObject) object = NULL;
  g_autofree char *line = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < note->removed->len; i++)
    json_array_add_string_element (removed, g_ptr_array_index (note->removed, i));
  object = props ("create", "b", note->created != NULL, "backup", "b", note->with_backup, "remove", "a",
                  removed, "bitmaps", "b", note->bitmaps, "current", "?s", note->current, NULL);
  line = json_object_text (object);
  g_string_append_printf (text, "%s\n", line);
  if (note->created != NULL)
    add_document (text, note->created);
  for (guint i = 0; i < note->followers->len; i++)
    add_document (text, g_ptr_array_index (note->followers, i));
  return store_write_file (path, text->str, (gssize)text->len, 0600, error);
}

/* NULL at the end, or where what follows is no document. */
static CheckpointDef *
read_document (const char **at, const char *end)
{
  char *begin = NULL;
  guint64 length = *at < end ? g_ascii_strtoull (*at, &begin, 10) : 0;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NOTE_FILE);

  if (length == 0 || *begin != '\n' || length >= (guint64)(end - begin))
    return NULL;
  *at = begin + 1 + length + 1;
  return document_read (&checkpoint_document, begin + 1, (gssize)length, DOCUMENT_LAX, diagnostics);
}

static gboolean
read_names (CheckpointNote *note, JsonArray *names)
{
  if (names == NULL || json_array_get_length (names) > NAMES_MAX)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (names); i++) {
    const char *name = untrusted_text_of (json_array_get_element (names, i));

    if (name == NULL)
      return FALSE;
    g_ptr_array_add (note->removed, g_strdup (name));
  }
  return TRUE;
}

static gboolean
read_note (CheckpointNote *note, const char *text, gsize length)
{
  const char *line_end = memchr (text, '\n', length), *at = line_end != NULL ? line_end + 1 : NULL;
  g_autoptr (JsonObject) object =
      line_end != NULL ? untrusted_json_object (text, (gsize)(line_end - text)) : NULL;
  CheckpointDef *def;

  if (object == NULL || !read_names (note, untrusted_list (object, "remove")))
    return FALSE;
  note->with_backup = untrusted_switch (object, "backup");
  note->bitmaps = untrusted_switch (object, "bitmaps");
  note->current = g_strdup (untrusted_text (object, "current"));
  if (untrusted_switch (object, "create")) {
    note->created = read_document (&at, text + length);
    return note->created != NULL && note->created->name != NULL;
  }
  while ((def = read_document (&at, text + length)) != NULL)
    g_ptr_array_add (note->followers, def);
  return TRUE;
}

CheckpointNote *
checkpoint_note_load (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, NOTE_FILE, NULL);
  g_autoptr (CheckpointNote) note = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  if (access (path, F_OK) != 0 && errno == ENOENT)
    return NULL;
  text = store_read_file (path, NOTE_MAX, &length, error);
  if (text == NULL)
    return NULL;
  note = checkpoint_note_new ();
  if (read_note (note, text, length))
    return g_steal_pointer (&note);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "'%s' is not a note of checkpoints", path);
  return NULL;
}

gboolean
checkpoint_note_remove (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, NOTE_FILE, NULL);

  return store_remove_file (path, error);
}
