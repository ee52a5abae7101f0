/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading and writing the head of a machine's archive. What is read is whoever's: every value has a bound, a
 * name stands once, and an image is above one that comes later, so that no chain comes back to itself. Roles
 * are rows of a table with what is special of each.
 */
#include "bundle/bundle-head.h"

#include "base/scalars.h"
#include "base/untrusted-json.h"
#include "bundle/bundle-name.h"

#include <string.h>

#define HEAD_VALUES_MAX (16 * BUNDLE_FILES_MAX)

static const struct {
  const char *name;
  const char *folder; /* where its files are in the archive; NULL: anywhere */
  gboolean once;      /* no archive has two */
  gboolean has_path;  /* and cannot do without */
  gboolean is_large;
} roles[BUNDLE_ROLES] = {
  [BUNDLE_SOURCE] = { "source", NULL, TRUE, FALSE, FALSE },
  [BUNDLE_DOMAIN] = { "domain", NULL, TRUE, FALSE, FALSE },
  [BUNDLE_NVRAM] = { "nvram", NULL, TRUE, TRUE, FALSE },
  [BUNDLE_TPM] = { "tpm", "tpm/", FALSE, FALSE, FALSE },
  [BUNDLE_SNAPSHOT] = { "snapshot", "snapshot/", FALSE, FALSE, FALSE },
  [BUNDLE_IMAGE] = { "image", "images/", FALSE, TRUE, TRUE },
  [BUNDLE_MEMORY] = { "memory", NULL, TRUE, FALSE, TRUE },
};

static void
file_free (gpointer data)
{
  BundleFile *file = data;

  g_free (file->name);
  g_free (file->path);
  g_free (file->format);
  g_free (file);
}

BundleHead *
bundle_head_new (const char *name, const char *uuid, const char *creator)
{
  BundleHead *head = g_new0 (BundleHead, 1);

  head->name = g_strdup (name);
  head->uuid = g_strdup (uuid);
  head->creator = g_strdup (creator);
  head->files = g_ptr_array_new_with_free_func (file_free);
  return head;
}

void
bundle_head_free (BundleHead *head)
{
  if (head == NULL)
    return;
  g_free (head->name);
  g_free (head->uuid);
  g_free (head->creator);
  g_ptr_array_unref (head->files);
  g_free (head);
}

BundleFile *
bundle_head_add (BundleHead *head, BundleRole role, const char *name)
{
  BundleFile *file = g_new0 (BundleFile, 1);

  file->role = role;
  file->name = g_strdup (name);
  file->backing = -1;
  g_ptr_array_add (head->files, file);
  return file;
}

BundleFile *
bundle_head_find (const BundleHead *head, BundleRole role)
{
  for (guint i = 0; i < head->files->len; i++) {
    BundleFile *file = g_ptr_array_index (head->files, i);

    if (file->role == role)
      return file;
  }
  return NULL;
}

int
bundle_head_find_path (const BundleHead *head, const char *path)
{
  for (guint i = 0; path != NULL && i < head->files->len; i++) {
    const BundleFile *file = g_ptr_array_index (head->files, i);

    if (g_strcmp0 (file->path, path) == 0)
      return (int)i;
  }
  return -1;
}

guint64
bundle_head_stored (const BundleHead *head)
{
  guint64 stored = 0;

  for (guint i = 0; i < head->files->len; i++)
    stored += ((const BundleFile *)g_ptr_array_index (head->files, i))->stored;
  return stored;
}

/* Writing. */

static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
add_number (JsonBuilder *json, const char *name, guint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, (gint64)value);
}

static void
add_file (JsonBuilder *json, const BundleHead *head, const BundleFile *file)
{
  json_builder_begin_object (json);
  add_text (json, "name", file->name);
  add_text (json, "role", roles[file->role].name);
  add_number (json, "size", file->size);
  add_number (json, "stored", file->stored);
  add_text (json, "path", file->path);
  add_text (json, "format", file->format);
  if (file->backing >= 0)
    add_text (json, "backing", ((const BundleFile *)g_ptr_array_index (head->files, file->backing))->name);
  json_builder_end_object (json);
}

char *
bundle_head_to_json (const BundleHead *head)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (json);
  add_text (json, "format", BUNDLE_FORMAT);
  add_number (json, "version", BUNDLE_VERSION);
  add_text (json, "creator", head->creator);
  add_text (json, "name", head->name);
  add_text (json, "uuid", head->uuid);
  json_builder_set_member_name (json, "files");
  json_builder_begin_array (json);
  for (guint i = 0; i < head->files->len; i++)
    add_file (json, head, g_ptr_array_index (head->files, i));
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, TRUE);
}

/* Reading. */

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (error, VIR_ERR_INVALID_ARG, "the archive's %s %s", BUNDLE_HEAD_NAME, text);
  return FALSE;
}

static int
role_of (const char *name)
{
  for (int role = 0; name != NULL && role < BUNDLE_ROLES; role++)
    if (g_str_equal (roles[role].name, name))
      return role;
  return -1;
}

static gboolean
read_sizes (JsonObject *said, BundleFile *file, GError **error)
{
  gint64 size = -1, stored = -1;

  if (!untrusted_number (said, "size", &size) || !untrusted_number (said, "stored", &stored) || stored < 0
      || size < stored)
    return refuse (error, "says no size of '%s', or less than its data", file->name);
  if (!roles[file->role].is_large && size > BUNDLE_SMALL_MAX)
    return refuse (error, "says that '%s' has %" G_GINT64_FORMAT " bytes: at most %d are expected",
                   file->name, size, BUNDLE_SMALL_MAX);
  file->size = (guint64)size;
  file->stored = (guint64)stored;
  return TRUE;
}

static gboolean
read_file (JsonObject *said, BundleHead *head, GHashTable *names, GError **error)
{
  const char *name = untrusted_text (said, "name");
  const char *path = untrusted_text (said, "path");
  int role = role_of (untrusted_text (said, "role"));
  BundleFile *file;

  if (name == NULL || role < 0)
    return refuse (error, "has a file without a name or a known role");
  if (!bundle_name_check (name, error) || (path != NULL && !bundle_path_check (path, error)))
    return FALSE;
  if (roles[role].folder != NULL && !g_str_has_prefix (name, roles[role].folder))
    return refuse (error, "has '%s' outside of '%s'", name, roles[role].folder);
  if (g_hash_table_contains (names, name))
    return refuse (error, "has '%s' twice", name);
  if (roles[role].once && bundle_head_find (head, (BundleRole)role) != NULL)
    return refuse (error, "has a second file of the role '%s': '%s'", roles[role].name, name);
  if (roles[role].has_path != (path != NULL))
    return refuse (error, "says %s path of '%s'", path != NULL ? "a" : "no", name);
  if (path != NULL && bundle_head_find_path (head, path) >= 0)
    return refuse (error, "has two files that were at '%s'", path);
  file = bundle_head_add (head, (BundleRole)role, name);
  file->path = g_strdup (path);
  file->format = g_strdup (untrusted_text (said, "format"));
  g_hash_table_insert (names, file->name, GUINT_TO_POINTER (head->files->len));
  if (file->format != NULL && !bundle_name_check (file->format, error))
    return FALSE;
  return read_sizes (said, file, error);
}

/* Which image is below which: all names are known by now. */
static gboolean
read_backing (JsonObject *said, BundleHead *head, guint index, GHashTable *names, GError **error)
{
  const char *backing = untrusted_text (said, "backing");
  BundleFile *file = g_ptr_array_index (head->files, index);
  guint number;

  if (backing == NULL)
    return TRUE;
  number = GPOINTER_TO_UINT (g_hash_table_lookup (names, backing));
  if (number <= index + 1 || file->role != BUNDLE_IMAGE
      || ((BundleFile *)g_ptr_array_index (head->files, number - 1))->role != BUNDLE_IMAGE)
    return refuse (error, "says that '%s' is above '%s', which is no image behind it", file->name, backing);
  file->backing = (int)number - 1;
  return TRUE;
}

static gboolean
read_files (JsonArray *said, BundleHead *head, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint count = said != NULL ? json_array_get_length (said) : 0;
  const BundleFile *first, *second;

  if (count > BUNDLE_FILES_MAX)
    return refuse (error, "has %u files: at most %d are expected", count, BUNDLE_FILES_MAX);
  for (guint i = 0; i < count; i++)
    if (!read_file (untrusted_object_of (json_array_get_element (said, i)), head, names, error))
      return FALSE;
  for (guint i = 0; i < count; i++)
    if (!read_backing (untrusted_object_of (json_array_get_element (said, i)), head, i, names, error))
      return FALSE;
  first = count > 1 ? g_ptr_array_index (head->files, 0) : NULL;
  second = count > 1 ? g_ptr_array_index (head->files, 1) : NULL;
  if (first == NULL || first->role != BUNDLE_SOURCE || second->role != BUNDLE_DOMAIN)
    return refuse (error, "does not begin with the machine's documents");
  return TRUE;
}

static gboolean
check_version (JsonObject *said, GError **error)
{
  gint64 version = 0;

  if (said == NULL || g_strcmp0 (untrusted_text (said, "format"), BUNDLE_FORMAT) != 0)
    return refuse (error, "is none of a machine");
  if (!untrusted_number (said, "version", &version) || version < 1)
    return refuse (error, "says no version");
  if (version <= BUNDLE_VERSION)
    return TRUE;
  virt_error_set (error, VIR_ERR_NO_SUPPORT,
                  "the archive is of version %" G_GINT64_FORMAT ": this domaind reads up to version %d",
                  version, BUNDLE_VERSION);
  return FALSE;
}

BundleHead *
bundle_head_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonObject) said =
      length <= BUNDLE_HEAD_BYTES_MAX ? untrusted_json_object_of (text, length, HEAD_VALUES_MAX) : NULL;
  g_autoptr (BundleHead) head = NULL;
  const char *name, *uuid;
  guint8 bytes[UUID_BYTES];

  if (!check_version (said, error))
    return NULL;
  name = untrusted_text (said, "name");
  uuid = untrusted_text (said, "uuid");
  if (name == NULL || name[0] == '\0' || strchr (name, '/') != NULL || uuid == NULL
      || !uuid_parse (uuid, bytes)) {
    refuse (error, "has no name or no UUID of a machine");
    return NULL;
  }
  head = bundle_head_new (name, uuid, untrusted_text (said, "creator"));
  return read_files (untrusted_list (said, "files"), head, error) ? g_steal_pointer (&head) : NULL;
}
