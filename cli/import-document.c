/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl import` of a document with images beside it, as people pass machines of virt-manager's on: an XML
 * file and an image. The document says where the image was; where it is no longer there, and one of its name
 * lies beside the document, that is what is meant. Nothing is copied.
 */
#include "cli/import-document.h"

#include "base/xml-document.h"
#include "bundle/import-source.h"
#include "cli/connection.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_BYTES 64 /* white space in front of a document, at most */

gboolean
import_document_is (const char *file)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  char start[LOOK_BYTES + 1] = "";
  struct stat status;
  gboolean is = fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode)
                && pread (fd, start, LOOK_BYTES, 0) > 0 && g_strchug (start)[0] == '<';

  if (fd >= 0)
    close (fd);
  return is;
}

/* What lies beside the document instead of @path. */
static void
look_beside (const char *path, const char *directory, GHashTable *paths)
{
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *beside = g_build_filename (directory, base, NULL);

  if (path[0] == '/' && access (path, F_OK) != 0 && access (beside, F_OK) == 0)
    g_hash_table_insert (paths, g_strdup (path), g_steal_pointer (&beside));
}

/* Below <devices>: the sources of disks. */
static void
look_at_disks (const xmlNode *devices, const char *directory, GHashTable *paths)
{
  for (const xmlNode *disk = devices->children; disk != NULL; disk = disk->next) {
    if (disk->type != XML_ELEMENT_NODE || !xmlStrEqual (disk->name, BAD_CAST "disk"))
      continue;
    for (const xmlNode *child = disk->children; child != NULL; child = child->next) {
      g_autofree char *path = child->type == XML_ELEMENT_NODE && xmlStrEqual (child->name, BAD_CAST "source")
                                  ? xml_node_attribute (child, "file")
                                  : NULL;

      if (path != NULL)
        look_beside (path, directory, paths);
    }
  }
}

/* The paths that change; NULL when @text is no document. (transfer full) */
static GHashTable *
paths_beside (const char *text, const char *file)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (file);
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);
  g_autofree char *place = g_path_get_dirname (file);
  g_autofree char *directory = g_canonicalize_filename (place, NULL);
  GHashTable *paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  if (document == NULL)
    return paths; /* the daemon says what is wrong with it */
  for (const xmlNode *child = xml_document_root (document)->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && xmlStrEqual (child->name, BAD_CAST "devices"))
      look_at_disks (child, directory, paths);
  return paths;
}

static void
print_change (const CommandLine *line, const char *message, JsonBuilder *json)
{
  command_print (line, "change: %s\n", message);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "kind");
  json_builder_add_string_value (json, "change");
  json_builder_set_member_name (json, "message");
  json_builder_add_string_value (json, message);
  json_builder_end_object (json);
}

static void
print_changes (const CommandLine *line, const GPtrArray *changes, GHashTable *paths, JsonBuilder *json)
{
  GHashTableIter iter;
  gpointer from, to;

  json_builder_set_member_name (json, "findings");
  json_builder_begin_array (json);
  for (guint i = 0; changes != NULL && i < changes->len; i++)
    print_change (line, g_ptr_array_index (changes, i), json);
  g_hash_table_iter_init (&iter, paths);
  while (g_hash_table_iter_next (&iter, &from, &to)) {
    g_autofree char *message = g_strdup_printf ("'%s' will be '%s'", (char *)from, (char *)to);

    print_change (line, message, json);
  }
  json_builder_end_array (json);
}

static int
define (CommandLine *line, const char *file, const char *document, JsonBuilder *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "DomainDefineXMLFlags",
                       g_variant_new ("(su)", document, VIR_DOMAIN_DEFINE_VALIDATE), &error);
  g_autofree char *name = NULL;
  const char *path;

  if (answer == NULL) {
    command_error (_ ("Failed to import '%s'"), file);
    return command_document_error (file, error->message);
  }
  g_variant_get (answer, "(&o)", &path);
  name = connection_domain_name (line->connection, path, NULL);
  command_print (line, _ ("Domain '%s' imported\n"), name != NULL ? name : path);
  json_builder_set_member_name (json, "domain");
  json_builder_add_string_value (json, name != NULL ? name : path);
  return EXIT_OK;
}

int
import_document_run (CommandLine *line, const char *file, const char *name, gboolean check)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (file, &text, NULL, &error))
    return command_error ("%s", error->message);
  return import_text_run (line, file, text, NULL, name, check);
}

int
import_text_run (CommandLine *line, const char *file, const char *text, const GPtrArray *changes,
                 const char *name, gboolean check)
{
  g_autoptr (GHashTable) paths = NULL, addresses = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char *edited = NULL;
  int status = EXIT_OK;

  paths = paths_beside (text, file);
  edited = import_values_edit (
      &(ImportValues){ .name = (char *)name, .paths = paths, .addresses = addresses }, text);
  json_builder_begin_object (json);
  print_changes (line, changes, paths, json);
  if (!check)
    status = define (line, file, edited != NULL ? edited : text, json);
  json_builder_end_object (json);
  if (status == EXIT_OK)
    command_print_json (line, json_builder_get_root (json));
  return status;
}
