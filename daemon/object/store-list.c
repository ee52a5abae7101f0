/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is defined, found fast: the directory is read and each file's identity compared with the index; only
 * a document the index does not know is opened. So a thousand definitions cost a thousand stat calls.
 */
#include "daemon/object/store-private.h"

#include "base/scalars.h"
#include "base/xml-document.h"
#include "daemon/core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  Store *store;
  void (*broken) (const char *path, const GError *error, gpointer data);
  gpointer data;
  GPtrArray *entries;
  GHashTable *by_uuid;        /* uuid → StoreEntry */
  GHashTable *present;        /* encoded names */
  GHashTable *completed_uuid; /* name → uuid of the completed texts, read when first needed */
} Listing;

void
store_entry_free (StoreEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->name);
  g_free (entry->uuid);
  g_free (entry);
}

static xmlNode *
child_element (xmlNode *parent, const char *name)
{
  for (xmlNode *child = parent->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && g_str_equal (child->name, name))
      return child;
  return NULL;
}

/* The text of a child; NULL when there is no such element, or an empty one. (transfer full) */
static char *
child_text (xmlNode *parent, const char *name)
{
  xmlNode *element = child_element (parent, name);
  g_autofree char *text = element != NULL ? xml_node_text (element) : NULL;

  return text != NULL && text[0] != '\0' ? g_steal_pointer (&text) : NULL;
}

gboolean
store_identify (const ObjectKind *kind, const char *text, const char *path, char **ret_name, char **ret_uuid,
                GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);
  xmlNode *root = document != NULL ? xml_document_root (document) : NULL;
  g_autofree char *name = NULL, *uuid_text = NULL;
  guint8 bytes[UUID_BYTES];
  char uuid[UUID_TEXT];

  if (root == NULL)
    return diagnostics_check (diagnostics, error);
  if (!kind->unnamed)
    name = kind->name_is_attribute ? xml_node_attribute (root, "name") : child_text (root, "name");
  if (!g_str_equal (root->name, kind->document->root) || (name == NULL && !kind->unnamed)) {
    virt_error_set (error, VIR_ERR_XML_ERROR, "%s: no <%s>%s", path, kind->document->root,
                    kind->unnamed             ? ""
                    : kind->name_is_attribute ? " with a name"
                                              : " with a <name>");
    return FALSE;
  }
  uuid_text = child_text (root, "uuid");
  if (uuid_text != NULL && !uuid_parse (uuid_text, bytes)) {
    virt_error_set (error, VIR_ERR_XML_ERROR, "%s: '%s' is no UUID", path, uuid_text);
    return FALSE;
  }
  if (uuid_text != NULL)
    uuid_format (bytes, uuid);
  if (ret_uuid != NULL)
    *ret_uuid = uuid_text != NULL ? g_strdup (uuid) : NULL;
  *ret_name = kind->unnamed && uuid_text != NULL ? g_strdup (uuid) : g_steal_pointer (&name);
  return TRUE;
}

static char *
name_of_completed (Store *store, const char *uuid)
{
  g_autofree char *path = g_strconcat (store->completed, "/", uuid, ".xml", NULL);
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, NULL);
  char *name = NULL;

  return text != NULL && store_identify (store->kind, text, path, &name, NULL, NULL) ? name : NULL;
}

/* The UUID that was chosen for a document which says none: its completed text knows. */
static char *
uuid_chosen_before (Listing *listing, const char *name)
{
  if (listing->completed_uuid == NULL) {
    g_autoptr (GDir) directory = g_dir_open (listing->store->completed, 0, NULL);
    const char *file;

    listing->completed_uuid = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    while (directory != NULL && (file = g_dir_read_name (directory)) != NULL) {
      g_autofree char *uuid = g_strndup (file, UUID_TEXT - 1);
      char *owner;

      if (strlen (file) == UUID_TEXT - 1 + strlen (".xml") && g_str_has_suffix (file, ".xml")
          && (owner = name_of_completed (listing->store, uuid)) != NULL)
        g_hash_table_replace (listing->completed_uuid, owner, g_steal_pointer (&uuid));
    }
  }
  return g_strdup (g_hash_table_lookup (listing->completed_uuid, name));
}

/* The UUID of a document that says none: the one chosen before, or a new one. An unnamed one is called by it.
 */
static char *
choose_uuid (Listing *listing, const char *name)
{
  char *uuid = listing->store->kind->unnamed ? g_strdup (name) : uuid_chosen_before (listing, name);
  guint8 bytes[UUID_BYTES];

  if (uuid != NULL)
    return uuid;
  uuid = g_malloc (UUID_TEXT);
  uuid_generate (bytes);
  uuid_format (bytes, uuid);
  return uuid;
}

/* Of an unnamed kind, the file's name is to be a UUID as it is printed. */
static gboolean
check_file_name (const ObjectKind *kind, const char *path, const char *name, GError **error)
{
  guint8 bytes[UUID_BYTES];
  char uuid[UUID_TEXT] = "";

  if (!kind->unnamed)
    return TRUE;
  if (uuid_parse (name, bytes))
    uuid_format (bytes, uuid);
  if (g_str_equal (uuid, name))
    return TRUE;
  virt_error_set (error, VIR_ERR_XML_ERROR, "%s: the file of a %s is called by its UUID, not '%s'", path,
                  kind->name, name);
  return FALSE;
}

/* Open the document to learn its UUID; a document without one that was never completed gets one now. */
static char *
read_uuid (Listing *listing, const char *path, const char *name, GError **error)
{
  const ObjectKind *kind = listing->store->kind;
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, error);
  g_autofree char *own_name = NULL, *uuid = NULL;

  if (text == NULL || !check_file_name (kind, path, name, error)
      || !store_identify (kind, text, path, &own_name, &uuid, error))
    return NULL;
  if (own_name != NULL && !g_str_equal (own_name, name)) {
    virt_error_set (error, VIR_ERR_XML_ERROR, "%s: the document's %s is '%s', the file's '%s'", path,
                    kind->unnamed ? "uuid" : "name", own_name, name);
    return NULL;
  }
  return uuid != NULL ? g_steal_pointer (&uuid) : choose_uuid (listing, name);
}

static void
report_broken (Listing *listing, const char *path, const GError *error)
{
  if (listing->broken != NULL)
    listing->broken (path, error, listing->data);
}

/* Two documents with one UUID: the one the completed text names is it (a rename was cut short, or someone
 * copied a file), the other is reported. */
static void
report_double (Listing *listing, const char *path, const StoreEntry *kept, const char *uuid)
{
  g_autoptr (GError) error = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "%s: %s '%s' already exists with uuid %s", path,
                  listing->store->kind->short_name, kept->name, uuid);
  report_broken (listing, path, error);
}

static void
add_entry (Listing *listing, const char *path, char *name, char *uuid)
{
  StoreEntry *old = g_hash_table_lookup (listing->by_uuid, uuid);
  StoreEntry *entry;

  if (old != NULL) {
    g_autofree char *owner = name_of_completed (listing->store, uuid);

    if (g_strcmp0 (owner, name) == 0) {
      g_autofree char *loser = store_source_path (listing->store, old->name);
      g_autofree char *old_name G_GNUC_UNUSED = g_steal_pointer (&old->name);

      old->name = g_steal_pointer (&name);
      report_double (listing, loser, old, uuid);
    } else {
      report_double (listing, path, old, uuid);
    }
    g_free (name);
    g_free (uuid);
    return;
  }
  entry = g_new0 (StoreEntry, 1);
  entry->name = name;
  entry->uuid = uuid;
  g_ptr_array_add (listing->entries, entry);
  g_hash_table_insert (listing->by_uuid, entry->uuid, entry);
}

static void
list_file (Listing *listing, int directory, const char *file)
{
  g_autofree char *encoded = g_strndup (file, strlen (file) - strlen (".xml"));
  g_autofree char *path = g_build_filename (listing->store->documents, file, NULL);
  g_autofree char *name = store_decode_name (encoded);
  g_autofree char *uuid = NULL;
  g_autoptr (GError) error = NULL;
  struct stat status;

  if (name == NULL)
    virt_error_set (&error, VIR_ERR_XML_ERROR, "%s: not a file name a %s can have", path,
                    listing->store->kind->short_name);
  else if (fstatat (directory, file, &status, 0) < 0)
    store_system_error (&error, errno, "read", path);
  else if ((uuid = store_index_find (listing->store->index, encoded, &status)) == NULL) {
    uuid = read_uuid (listing, path, name, &error);
    if (uuid != NULL)
      store_index_note (listing->store->index, encoded, uuid, &status);
  }
  if (uuid == NULL) {
    report_broken (listing, path, error);
    return;
  }
  g_hash_table_add (listing->present, g_steal_pointer (&encoded));
  add_entry (listing, path, g_steal_pointer (&name), g_steal_pointer (&uuid));
}

/* The names that have a link there. */
static GHashTable *
marked_names (const char *links)
{
  GHashTable *marked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GDir) directory = links != NULL ? g_dir_open (links, 0, NULL) : NULL;
  const char *file;

  while (directory != NULL && (file = g_dir_read_name (directory)) != NULL)
    if (file[0] != '.' && g_str_has_suffix (file, ".xml")) {
      g_autofree char *encoded = g_strndup (file, strlen (file) - strlen (".xml"));
      char *name = store_decode_name (encoded);

      if (name != NULL)
        g_hash_table_add (marked, name);
    }
  return marked;
}

static void
mark_autostart (Listing *listing)
{
  g_autoptr (GHashTable) always = marked_names (listing->store->autostart[STORE_AUTOSTART]);
  g_autoptr (GHashTable) once = marked_names (listing->store->autostart[STORE_AUTOSTART_ONCE]);

  for (guint i = 0; i < listing->entries->len; i++) {
    StoreEntry *entry = g_ptr_array_index (listing->entries, i);

    entry->autostart = g_hash_table_contains (always, entry->name);
    entry->autostart_once = g_hash_table_contains (once, entry->name);
  }
}

GPtrArray *
store_list (Store *store, void (*broken) (const char *path, const GError *error, gpointer data),
            gpointer data)
{
  g_autoptr (GHashTable) by_uuid = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) present = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify)store_entry_free);
  Listing listing = { store, broken, data, entries, by_uuid, present, NULL };
  DIR *directory = opendir (store->documents);
  struct dirent *file;

  while (directory != NULL && (file = readdir (directory)) != NULL)
    if (file->d_name[0] != '.' && g_str_has_suffix (file->d_name, ".xml"))
      list_file (&listing, dirfd (directory), file->d_name);
  if (directory != NULL)
    closedir (directory);
  mark_autostart (&listing);
  store_index_compact (store->index, present);
  g_clear_pointer (&listing.completed_uuid, g_hash_table_unref);
  return entries;
}
