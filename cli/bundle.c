/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl export` and `domctl import`: a machine as one file. The file is opened here, with the user's own
 * rights, and given to the daemon, which does all the rest; a file that is being written has its name only
 * when it is whole.
 */
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/import-document.h"
#include "cli/import-quickemu.h"
#include "cli/signature.h"
#include "cli/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_SUFFIX   ".part"
#define EXPORT_MEMORY 1
#define EXPORT_FLAT   2
#define EXPORT_OVA    4
#define IMPORT_CHECK  1
#define IMPORT_ANEW   2
#define IMPORT_FORCE  4
#define VERIFIED      "good"

static gboolean with_memory, flatten, new_identity, check_only, force;
static char *format, *signing_key, *new_name, *directory, *allowed_signers, *signer;
static char **maps;

/* Export. */

static char *
sign (const char *text, gsize length, gpointer data)
{
  g_autoptr (GError) error = NULL;
  char *signature = signature_make (text, length, signing_key, &error);

  if (signature != NULL)
    return signature;
  *(char **)data = g_strdup (error->message);
  return g_strdup ("");
}

/* Where the archive goes: *@ret_part is its name meanwhile. -1 after an error was printed. */
static int
open_for_writing (const char *file, char **ret_part)
{
  int fd;

  *ret_part = NULL;
  if (g_str_equal (file, "-")) {
    if (isatty (STDOUT_FILENO)) {
      command_error (_ ("an archive is nothing for a terminal"));
      return -1;
    }
    return dup (STDOUT_FILENO);
  }
  if (g_access (file, F_OK) == 0) {
    command_error (_ ("'%s' is there already"), file);
    return -1;
  }
  *ret_part = g_strconcat (file, PART_SUFFIX, NULL);
  fd = g_open (*ret_part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    command_error (_ ("cannot write '%s': %s"), *ret_part, g_strerror (errno));
  return fd;
}

/* It is whole: on the disk, and called as it should be. */
static gboolean
keep (int fd, const char *part, const char *file)
{
  if (part == NULL || (fsync (fd) == 0 && rename (part, file) == 0))
    return TRUE;
  command_error (_ ("cannot write '%s': %s"), file, g_strerror (errno));
  return FALSE;
}

static void
print_notes (CommandLine *line, GVariant *answer)
{
  g_autoptr (GVariantIter) notes = NULL;
  const char *text;

  g_variant_get (answer, "(as)", &notes);
  while (!line->json && g_variant_iter_next (notes, "&s", &text))
    fprintf (stderr, _ ("note: %s\n"), text);
}

static int
export_to (CommandLine *line, const char *path, const char *name, const char *file)
{
  g_autofree char *part = NULL, *refusal = NULL;
  gboolean is_ova = g_strcmp0 (format, "ova") == 0;
  int fd = open_for_writing (file, &part);
  Transfer transfer = { .line = line,
                        .path = path,
                        .interface = OWN_DOMAIN_INTERFACE,
                        .method = "Export",
                        .archive = fd,
                        .flags = (with_memory ? EXPORT_MEMORY : 0) | (flatten ? EXPORT_FLAT : 0)
                                 | (is_ova ? EXPORT_OVA : 0),
                        .talk = signing_key != NULL ? sign : NULL,
                        .talk_data = &refusal };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  int status = EXIT_FAILED;

  if (fd < 0)
    return EXIT_FAILED;
  g_variant_dict_init (&transfer.parameters, NULL);
  answer = transfer_run (&transfer, &error);
  if (answer == NULL) {
    command_error (_ ("Failed to export domain '%s'"), name);
    command_error ("%s", refusal != NULL ? refusal : error->message);
  } else if (keep (fd, part, file)) {
    print_notes (line, answer);
    status =
        part == NULL ? EXIT_OK : command_done (line, name, _ ("Domain '%s' exported to '%s'"), name, file);
  }
  if (status != EXIT_OK && part != NULL)
    g_unlink (part);
  close (fd);
  return status;
}

static int
export_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL, *name = NULL;

  if (format != NULL && !g_str_equal (format, "ova") && !g_str_equal (format, "domaind"))
    return command_usage_error (line, _ ("unknown format '%s': expected domaind or ova"), format);
  if (g_strcmp0 (format, "ova") == 0 && (with_memory || signing_key != NULL))
    return command_usage_error (line, _ ("an OVA has no place for memory or a signature"));
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = connection_find_domain (line->connection, line->arguments[0], &error);
  if (path == NULL) {
    command_error (_ ("failed to get domain '%s'"), line->arguments[0]);
    return command_error ("%s", error->message);
  }
  name = connection_domain_name (line->connection, path, NULL);
  return export_to (line, path, name != NULL ? name : line->arguments[0], line->arguments[1]);
}

/* Import. */

/* The daemon's question: the manifest's length, a line's end, the manifest, the signature. */
static char *
verify (const char *text, gsize length, gpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  const char *manifest = memchr (text, '\n', length);
  guint64 size = 0;
  g_autofree char *number = manifest != NULL ? g_strndup (text, (gsize)(manifest - text)) : NULL;

  if (number == NULL || !g_ascii_string_to_unsigned (number, 10, 0, length, &size, NULL)
      || size > length - (gsize)(manifest + 1 - text))
    return g_strdup (_ ("the daemon's question cannot be read"));
  manifest++;
  if (signature_check (manifest, (gsize)size, manifest + size, allowed_signers, signer, &error))
    return g_strdup (VERIFIED);
  return g_strdup (error->message);
}

static int
open_for_reading (const char *file)
{
  int fd = g_str_equal (file, "-") ? dup (STDIN_FILENO) : g_open (file, O_RDONLY | O_CLOEXEC, 0);

  if (fd < 0)
    command_error (_ ("cannot open '%s': %s"), file, g_strerror (errno));
  return fd;
}

/* Whether what was found lets the machine be. */
static gboolean
print_findings (const CommandLine *line, GVariantIter *findings, JsonBuilder *json)
{
  const char *kind, *text;
  gboolean fits = TRUE;

  json_builder_begin_array (json);
  while (g_variant_iter_next (findings, "(&s&s)", &kind, &text)) {
    fits = fits && !g_str_equal (kind, "refused") && (force || !g_str_equal (kind, "problem"));
    command_print (line, "%s: %s\n", kind, text);
    json_builder_begin_object (json);
    json_builder_set_member_name (json, "kind");
    json_builder_add_string_value (json, kind);
    json_builder_set_member_name (json, "message");
    json_builder_add_string_value (json, text);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  return fits;
}

/* (transfer full) */
static char *
name_of (CommandLine *line, const char *uuid)
{
  g_autofree char *path = connection_find_domain (line->connection, uuid, NULL);
  char *name = path != NULL ? connection_domain_name (line->connection, path, NULL) : NULL;

  return name != NULL ? name : g_strdup (uuid);
}

static int
import_done (CommandLine *line, GVariant *answer)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (GVariantIter) findings = NULL;
  g_autofree char *name = NULL;
  const char *uuid;
  gboolean fits;

  g_variant_get (answer, "(&sa(ss))", &uuid, &findings);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "findings");
  fits = print_findings (line, findings, json);
  if (!check_only) {
    name = name_of (line, uuid);
    command_print (line, _ ("Domain '%s' imported\n"), name);
    json_builder_set_member_name (json, "domain");
    json_builder_add_string_value (json, name);
    json_builder_set_member_name (json, "uuid");
    json_builder_add_string_value (json, uuid);
  }
  json_builder_end_object (json);
  command_print_json (line, json_builder_get_root (json));
  return check_only && !fits ? EXIT_FAILED : EXIT_OK;
}

static void
set_parameters (Transfer *transfer, const char *where)
{
  g_variant_dict_init (&transfer->parameters, NULL);
  if (new_name != NULL)
    g_variant_dict_insert (&transfer->parameters, "name", "s", new_name);
  if (where != NULL)
    g_variant_dict_insert (&transfer->parameters, "directory", "s", where);
}

static int
import_run (CommandLine *line)
{
  static const char *const none[] = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *where = directory != NULL ? g_canonicalize_filename (directory, NULL) : NULL;
  Transfer transfer = { .line = line,
                        .path = LIBVIRT_ROOT,
                        .interface = OWN_CONNECT_INTERFACE,
                        .method = "Import",
                        .maps = maps != NULL ? (const char *const *)maps : none,
                        .flags = (check_only ? IMPORT_CHECK : 0) | (new_identity ? IMPORT_ANEW : 0)
                                 | (force ? IMPORT_FORCE : 0),
                        .talk = allowed_signers != NULL ? verify : NULL };

  if ((allowed_signers == NULL) != (signer == NULL))
    return command_usage_error (line, _ ("--verify and --signer go together"));
  if (import_quickemu_is (line->arguments[0]) || import_document_is (line->arguments[0])) {
    if (maps != NULL || directory != NULL || new_identity || force || allowed_signers != NULL)
      return command_usage_error (line, _ ("a document is imported with --name and --check alone"));
    if (command_connect (line) == NULL)
      return EXIT_FAILED;
    return import_quickemu_is (line->arguments[0])
               ? import_quickemu_run (line, line->arguments[0], new_name, check_only)
               : import_document_run (line, line->arguments[0], new_name, check_only);
  }
  if (command_connect (line) == NULL || (transfer.archive = open_for_reading (line->arguments[0])) < 0)
    return EXIT_FAILED;
  set_parameters (&transfer, where);
  answer = transfer_run (&transfer, &error);
  close (transfer.archive);
  if (answer != NULL)
    return import_done (line, answer);
  command_error (_ ("Failed to import '%s'"), line->arguments[0]);
  return command_document_error (NULL, error->message);
}

static const GOptionEntry export_options[] = {
  { "memory", 0, 0, G_OPTION_ARG_NONE, &with_memory,
    N_ ("With what it has in memory: it goes on from there elsewhere"), NULL },
  { "flatten", 0, 0, G_OPTION_ARG_NONE, &flatten, N_ ("Each disk as one image, without those below it"),
    NULL },
  { "format", 0, 0, G_OPTION_ARG_STRING, &format,
    N_ ("domaind, or ova for other hypervisors: of the disks alone"), N_ ("FORMAT") },
  { "sign", 0, 0, G_OPTION_ARG_FILENAME, &signing_key, N_ ("Sign it with this key of ssh-keygen's"),
    N_ ("KEY") },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry import_options[] = {
  { "check", 0, 0, G_OPTION_ARG_NONE, &check_only, N_ ("Only say whether it fits and what would change"),
    NULL },
  { "name", 0, 0, G_OPTION_ARG_STRING, &new_name, N_ ("Call the machine so"), N_ ("NAME") },
  { "new-identity", 0, 0, G_OPTION_ARG_NONE, &new_identity, N_ ("Give it another UUID and MAC addresses"),
    NULL },
  { "map", 0, 0, G_OPTION_ARG_STRING_ARRAY, &maps, N_ ("OLD=NEW: put files that were below OLD below NEW"),
    N_ ("MAP") },
  { "directory", 0, 0, G_OPTION_ARG_FILENAME, &directory, N_ ("Put images into DIRECTORY"),
    N_ ("DIRECTORY") },
  { "force", 0, 0, G_OPTION_ARG_NONE, &force, N_ ("Also where the machine would not start"), NULL },
  { "verify", 0, 0, G_OPTION_ARG_FILENAME, &allowed_signers,
    N_ ("Only with a signature of one of these allowed signers"), N_ ("FILE") },
  { "signer", 0, 0, G_OPTION_ARG_STRING, &signer, N_ ("Who must have signed it"), N_ ("IDENTITY") },
  G_OPTION_ENTRY_NULL,
};

const Command bundle_commands[] = {
  { "export", "DOMAIN FILE", N_ ("Write a machine with all its files into one archive"), 2, 2, export_options,
    export_run },
  { "import", "FILE", N_ ("Make a machine of such an archive"), 1, 1, import_options, import_run },
  { NULL },
};
