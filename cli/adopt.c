/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl adopt-libvirt`: what libvirt has on this host becomes domaind's, by the same calls that any client
 * defines things with. Libvirt's own files are read and never changed, so nothing is lost by it, and it can
 * be run again: what is there already stays as it is. Kinds are rows; one that the daemon does not define yet
 * says so itself.
 */
#include "cli/beside.h"
#include "cli/command.h"
#include "kinds/document-kinds.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES_MAX  65536
#define NVRAM_BYTES_MAX   (64 * 1024 * 1024)
#define LIBVIRT_NVRAM     "/var/lib/libvirt/qemu/nvram/"
#define GENERATED_COMMENT "AUTO-GENERATED"

typedef struct {
  const char *name;             /* in messages and JSON */
  const char *folder;           /* of libvirt's documents, below the root */
  const char *autostart_folder; /* of links; NULL: there are none */
  const char *interface, *define;
  gboolean has_flags; /* the call takes flags behind the document */
  const char *lookup; /* by UUID */
  const char *object_interface;
} AdoptedKind;

/* In an order in which nothing is defined before what it needs. */
static const AdoptedKind kinds[] = {
  { "secret", "etc/libvirt/secrets", NULL, CONNECT_INTERFACE, "SecretDefineXML", TRUE, "SecretLookupByUUID",
    "org.libvirt.Secret" },
  { "nwfilter", "etc/libvirt/nwfilter", NULL, CONNECT_INTERFACE, "NWFilterDefineXML", FALSE,
    "NWFilterLookupByUUID", "org.libvirt.NWFilter" },
  { "network", "etc/libvirt/qemu/networks", "etc/libvirt/qemu/networks/autostart", CONNECT_INTERFACE,
    "NetworkDefineXML", FALSE, "NetworkLookupByUUID", "org.libvirt.Network" },
  { "pool", "etc/libvirt/storage", "etc/libvirt/storage/autostart", CONNECT_INTERFACE, "StoragePoolDefineXML",
    TRUE, "StoragePoolLookupByUUID", "org.libvirt.StoragePool" },
  { "domain", "etc/libvirt/qemu", "etc/libvirt/qemu/autostart", OWN_CONNECT_INTERFACE, "DomainDefineXMLFlags",
    TRUE, "DomainLookupByUUID", DOMAIN_INTERFACE },
};

/* What else libvirt keeps, which is not taken. */
static const struct {
  const char *folder, *suffix, *what;
} left_behind[] = {
  { "var/lib/libvirt/qemu/save", ".save",
    N_ ("a saved machine stays where it is: 'virsh restore FILE' takes it up here") },
  { "var/lib/libvirt/qemu/snapshot", "", N_ ("what libvirt notes of snapshots stays with libvirt") },
  { "var/lib/libvirt/qemu/checkpoint", "", N_ ("what libvirt notes of checkpoints stays with libvirt") },
  { "var/lib/libvirt/swtpm", "", N_ ("the state of a TPM stays with libvirt") },
};

static char *libvirt_root;
static gboolean dry_run;

typedef struct {
  CommandLine *line;
  JsonBuilder *results;
  int status;
} Adoption;

/* One line about one thing. @result: "taken", "present", "refused", "left". */
static void
tell (Adoption *adoption, const char *kind, const char *name, const char *result, const char *text)
{
  command_print (adoption->line, "%s '%s': %s\n", kind, name, text);
  json_builder_begin_object (adoption->results);
  json_builder_set_member_name (adoption->results, "kind");
  json_builder_add_string_value (adoption->results, kind);
  json_builder_set_member_name (adoption->results, "name");
  json_builder_add_string_value (adoption->results, name);
  json_builder_set_member_name (adoption->results, "result");
  json_builder_add_string_value (adoption->results, result);
  json_builder_set_member_name (adoption->results, "message");
  json_builder_add_string_value (adoption->results, text);
  json_builder_end_object (adoption->results);
  if (g_str_equal (result, "refused"))
    adoption->status = EXIT_FAILED;
}

static char *
path_below_root (const char *folder, const char *name)
{
  return g_build_filename (libvirt_root != NULL ? libvirt_root : "/", folder, name, NULL);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* The names in a folder that end with @suffix, sorted. (transfer full) */
static GPtrArray *
names_in (const char *folder, const char *suffix)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = path_below_root (folder, NULL);
  GDir *directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, suffix) && name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_clear_pointer (&directory, g_dir_close);
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* What a document calls itself: texts of two children of the root. FALSE when it is none. */
static gboolean
read_identity (const char *text, char **ret_name, char **ret_uuid)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);

  if (document == NULL)
    return FALSE;
  for (xmlNode *child = xml_document_root (document)->children; child != NULL; child = child->next) {
    if (xmlStrEqual (child->name, BAD_CAST "name") && *ret_name == NULL)
      *ret_name = xml_node_text (child);
    else if (xmlStrEqual (child->name, BAD_CAST "uuid") && *ret_uuid == NULL)
      *ret_uuid = xml_node_text (child);
  }
  if (*ret_name == NULL)
    *ret_name = xml_node_attribute (xml_document_root (document), "name");
  return TRUE;
}

/* Without libvirt's warning that the file is libvirt's, which this copy is not. */
static const char *
skip_generated_comment (const char *text)
{
  const char *start = text + strspn (text, " \t\r\n");
  const char *end = g_str_has_prefix (start, "<!--") ? strstr (start, "-->") : NULL;
  const char *word = end != NULL ? g_strstr_len (start, end - start, GENERATED_COMMENT) : NULL;

  if (word == NULL)
    return text;
  end += strlen ("-->");
  return end + strspn (end, " \t\r\n");
}

/* The firmware's variables are copied to where domaind keeps them: *@ret_old is where libvirt has them, NULL
 * when it has none of its own. (transfer full) */
static char *
take_out_nvram (const char *text, char **ret_old)
{
  g_autoptr (GRegex) expression =
      g_regex_new ("(<nvram\\b(?:[^>]*[^>/])?)>\\s*([^<]*?)\\s*</nvram>", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *old = NULL;

  if (!g_regex_match (expression, text, 0, &match))
    return g_strdup (text);
  old = g_match_info_fetch (match, 2);
  if (!g_str_has_prefix (old, LIBVIRT_NVRAM) || strstr (old, "/../") != NULL)
    return g_strdup (text);
  *ret_old = g_steal_pointer (&old);
  return g_regex_replace (expression, text, -1, 0, "\\1/>", 0, NULL);
}

static gboolean
copy_file (const char *from, const char *to, GError **error)
{
  g_autofree char *contents = NULL;
  struct stat found;
  gsize length;

  if (g_access (to, F_OK) == 0)
    return TRUE;
  if (g_stat (from, &found) < 0 || !S_ISREG (found.st_mode) || found.st_size > NVRAM_BYTES_MAX) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s' is no file of at most %d bytes", from,
                 NVRAM_BYTES_MAX);
    return FALSE;
  }
  return g_file_get_contents (from, &contents, &length, error)
         && g_file_set_contents_full (to, contents, (gssize)length,
                                      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                      error);
}

/* Copy libvirt's variables of a machine to the file that was chosen for it. */
static gboolean
adopt_nvram (Adoption *adoption, const char *path, const char *old, GError **error)
{
  g_autofree char *from = path_below_root (old, NULL);
  g_autoptr (GVariant) answer = connection_call (adoption->line->connection, path, DOMAIN_INTERFACE,
                                                 "GetXMLDesc", g_variant_new ("(u)", 0), error);
  g_autoptr (GRegex) expression = g_regex_new ("<nvram\\b[^>]*>([^<]+)</nvram>", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *to = NULL, *folder = NULL;
  const char *text;

  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(&s)", &text);
  if (g_access (from, F_OK) < 0 || !g_regex_match (expression, text, 0, &match))
    return TRUE; /* it has never run */
  to = g_match_info_fetch (match, 1);
  folder = g_path_get_dirname (to);
  if (g_mkdir_with_parents (folder, 0711) < 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot make '%s': %s", folder, g_strerror (errno));
    return FALSE;
  }
  return copy_file (from, to, error);
}

/* The value of a secret, which libvirt keeps beside its document. */
static gboolean
adopt_value (Adoption *adoption, const AdoptedKind *kind, const char *path, const char *uuid, GError **error)
{
  g_autofree char *name = g_strconcat (uuid, ".base64", NULL);
  g_autofree char *file = path_below_root (kind->folder, name);
  g_autofree char *encoded = NULL;
  g_autofree guchar *value = NULL;
  g_autoptr (GVariant) answer = NULL;
  gsize length;

  if (g_access (file, F_OK) < 0)
    return TRUE;
  if (!g_file_get_contents (file, &encoded, NULL, error))
    return FALSE;
  value = g_base64_decode (encoded, &length);
  if (length > SECRET_BYTES_MAX) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s' is larger than %d bytes", file,
                 SECRET_BYTES_MAX);
    return FALSE;
  }
  answer = connection_call (
      adoption->line->connection, path, kind->object_interface, "SetValue",
      g_variant_new ("(@ayu)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, value, length, 1), 0), error);
  return answer != NULL;
}

static gboolean
adopt_autostart (Adoption *adoption, const AdoptedKind *kind, const char *path, const char *file,
                 GError **error)
{
  g_autofree char *link =
      kind->autostart_folder != NULL ? path_below_root (kind->autostart_folder, file) : NULL;

  return link == NULL || !g_file_test (link, G_FILE_TEST_IS_SYMLINK)
         || connection_set_property (adoption->line->connection, path, kind->object_interface, "Autostart",
                                     g_variant_new_boolean (TRUE), error);
}

/* Define it and what belongs to it. */
static gboolean
define (Adoption *adoption, const AdoptedKind *kind, const char *text, const char *uuid, const char *file,
        GError **error)
{
  g_autofree char *nvram = NULL;
  g_autofree char *document = take_out_nvram (skip_generated_comment (text), &nvram);
  g_autoptr (GVariant) answer = connection_call (
      adoption->line->connection, LIBVIRT_ROOT, kind->interface, kind->define,
      kind->has_flags ? g_variant_new ("(su)", document, 0) : g_variant_new ("(s)", document), error);
  const char *path;

  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(&o)", &path);
  if (nvram != NULL && !adopt_nvram (adoption, path, nvram, error))
    return FALSE;
  if (g_str_equal (kind->name, "secret") && uuid != NULL && !adopt_value (adoption, kind, path, uuid, error))
    return FALSE;
  return adopt_autostart (adoption, kind, path, file, error);
}

static gboolean
is_present (Adoption *adoption, const AdoptedKind *kind, const char *uuid)
{
  g_autoptr (GVariant) answer =
      uuid != NULL ? connection_call (adoption->line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE,
                                      kind->lookup, g_variant_new ("(s)", uuid), NULL)
                   : NULL;

  return answer != NULL;
}

static void
adopt_file (Adoption *adoption, const AdoptedKind *kind, const char *file)
{
  g_autofree char *path = path_below_root (kind->folder, file);
  g_autofree char *text = NULL, *name = NULL, *uuid = NULL, *refusal = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error) || !read_identity (text, &name, &uuid)) {
    refusal = g_strdup_printf (_ ("not taken: %s"), error != NULL ? error->message : _ ("it is no document"));
    tell (adoption, kind->name, file, "refused", refusal);
    return;
  }
  if (name == NULL)
    name = g_strdup (uuid != NULL ? uuid : file);
  if (is_present (adoption, kind, uuid)) {
    tell (adoption, kind->name, name, "present", _ ("is there already"));
  } else if (dry_run) {
    tell (adoption, kind->name, name, "taken", _ ("would be taken"));
  } else if (define (adoption, kind, text, uuid, file, &error)) {
    tell (adoption, kind->name, name, "taken", _ ("taken"));
  } else {
    refusal = g_strdup_printf (_ ("not taken: %s"), error->message);
    tell (adoption, kind->name, name, "refused", refusal);
  }
}

static void
tell_left_behind (Adoption *adoption)
{
  for (guint i = 0; i < G_N_ELEMENTS (left_behind); i++) {
    g_autoptr (GPtrArray) names = names_in (left_behind[i].folder, left_behind[i].suffix);

    for (guint k = 0; k < names->len; k++)
      tell (adoption, "file", g_ptr_array_index (names, k), "left", _ (left_behind[i].what));
  }
}

/* While libvirt runs it may change its files, and run the same machines. */
static gboolean
check_stopped (const CommandLine *line)
{
  g_autoptr (GPtrArray) neighbours = libvirt_root == NULL ? beside_find (line->connection) : NULL;
  const Neighbour *neighbour;

  if (neighbours == NULL || neighbours->len == 0 || dry_run)
    return TRUE;
  neighbour = g_ptr_array_index (neighbours, 0);
  command_error (_ ("libvirt runs (%s, process %u): stop it first"), neighbour->program, neighbour->pid);
  return FALSE;
}

static int
adopt_run (CommandLine *line)
{
  g_autoptr (JsonBuilder) results = json_builder_new ();
  Adoption adoption = { line, results, EXIT_OK };

  if (command_connect (line) == NULL || !check_stopped (line))
    return EXIT_FAILED;
  json_builder_begin_array (results);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autoptr (GPtrArray) files = names_in (kinds[i].folder, ".xml");

    for (guint k = 0; k < files->len; k++)
      adopt_file (&adoption, &kinds[i], g_ptr_array_index (files, k));
  }
  tell_left_behind (&adoption);
  json_builder_end_array (results);
  command_print_json (line, json_builder_get_root (results));
  return adoption.status;
}

static const GOptionEntry adopt_options[] = {
  { "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, N_ ("Only say what would be taken"), NULL },
  { "root", 0, 0, G_OPTION_ARG_FILENAME, &libvirt_root, N_ ("Where libvirt's directories are, instead of /"),
    N_ ("DIRECTORY") },
  G_OPTION_ENTRY_NULL,
};

const Command adopt_commands[] = {
  { "adopt-libvirt", "", N_ ("Take over what libvirt has on this host"), 0, 0, adopt_options, adopt_run },
  { NULL },
};
