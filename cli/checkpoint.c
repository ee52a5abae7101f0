/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands about a domain's checkpoints. What is shown of one is read from its document, as virsh does.
 */
#include "cli/backup.h"
#include "cli/connection.h"
#include "cli/table.h"
#include "snapshot/checkpoint-document.h"

#include <libvirt/libvirt.h>

#define CHECKPOINT_INTERFACE "org.domaind1.DomainCheckpoint"

static gboolean redefine, validate;
static gboolean roots, leaves, no_leaves;
static gboolean no_domain, size, security_info;
static gboolean children, children_only, metadata;
static char **diskspecs;

/* The checkpoint's path; NULL after an error was printed. */
static char *
find_checkpoint (CommandLine *line)
{
  g_autofree char *domain = backup_find_domain (line, line->arguments[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  char *path = NULL;

  if (domain == NULL)
    return NULL;
  answer = connection_call (line->connection, domain, OWN_DOMAIN_INTERFACE, "CheckpointLookupByName",
                            g_variant_new ("(su)", line->arguments[1], 0), &error);
  if (answer != NULL)
    g_variant_get (answer, "(o)", &path);
  else
    command_error ("%s", error->message);
  return path;
}

static char *
load_xml (CommandLine *line, const char *path, guint flags, GError **error)
{
  g_autoptr (GVariant) answer = connection_call (line->connection, path, CHECKPOINT_INTERFACE, "GetXMLDesc",
                                                 g_variant_new ("(u)", flags), error);
  char *xml = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(s)", &xml);
  return xml;
}

static CheckpointDef *
load (CommandLine *line, const char *path, GError **error)
{
  g_autofree char *xml = load_xml (line, path, VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN, error);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  CheckpointDef *def =
      xml != NULL ? document_read (&checkpoint_document, xml, -1, DOCUMENT_LAX, diagnostics) : NULL;

  if (xml == NULL || diagnostics_check (diagnostics, error))
    return def;
  document_unref (&checkpoint_document, def);
  return NULL;
}

static int
create (CommandLine *line, const char *text, guint flags)
{
  g_autofree char *domain = backup_find_domain (line, line->arguments[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  CheckpointDef *def;
  const char *path;
  int status;

  if (domain == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, domain, OWN_DOMAIN_INTERFACE, "CheckpointCreateXML",
                            g_variant_new ("(su)", text, flags), &error);
  if (answer == NULL)
    return command_document_error (NULL, error->message);
  g_variant_get (answer, "(&o)", &path);
  def = load (line, path, &error);
  if (def == NULL)
    return command_error ("%s", error->message);
  status = command_done (line, line->arguments[0], _ ("Domain checkpoint %s created"), def->name);
  document_unref (&checkpoint_document, def);
  return status;
}

static int
create_run (CommandLine *line)
{
  g_autofree char *text =
      line->argument_count > 1 ? backup_read_document (line->arguments[1]) : g_strdup ("<domaincheckpoint/>");
  guint flags = (redefine ? VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE : 0)
                | (validate ? VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE : 0);

  return text != NULL ? create (line, text, flags) : EXIT_FAILED;
}

/* "vda" or "vda,checkpoint=no". */
static void
add_disk (GPtrArray *disks, const char *spec)
{
  g_auto (GStrv) words = g_strsplit (spec, ",", -1);
  gboolean out = g_strv_contains ((const char *const *)words, "checkpoint=no");

  g_ptr_array_add (
      disks, checkpoint_disk_new (words[0] != NULL ? words[0] : "", out ? CHECKPOINT_NO : CHECKPOINT_BITMAP));
}

static int
create_as_run (CommandLine *line)
{
  CheckpointDef *def = document_new (&checkpoint_document);
  g_autofree char *text = NULL;

  def->name = g_strdup (line->argument_count > 1 ? line->arguments[1] : NULL);
  def->description = g_strdup (line->argument_count > 2 ? line->arguments[2] : NULL);
  if (diskspecs != NULL) {
    GPtrArray *disks = g_ptr_array_new ();

    for (char **spec = diskspecs; *spec != NULL; spec++)
      add_disk (disks, *spec);
    checkpoint_def_set_disks (def, disks);
  }
  text = document_to_xml (&checkpoint_document, def, 0);
  document_unref (&checkpoint_document, def);
  return create (line, text, 0);
}

/* Listing. */

static void
add_text (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static char *
time_text (const CheckpointDef *def, const char *format)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local ((gint64)def->created.value);

  return time != NULL ? g_date_time_format (time, format) : g_strdup ("-");
}

static void
add_row (const CheckpointDef *def, Table *table, JsonBuilder *builder)
{
  g_autofree char *shown = time_text (def, "%F %T %z"), *exact = time_text (def, "%FT%T%:z");

  table_add (table, def->name, shown, def->parent != NULL ? def->parent : "-", NULL);
  json_builder_begin_object (builder);
  add_text (builder, "name", def->name);
  add_text (builder, "created", exact);
  add_text (builder, "parent", def->parent);
  add_text (builder, "description", def->description);
  json_builder_end_object (builder);
}

static int
list_run (CommandLine *line)
{
  g_autofree char *domain = backup_find_domain (line, line->arguments[0]), *text = NULL;
  guint flags = (roots ? VIR_DOMAIN_CHECKPOINT_LIST_ROOTS : 0)
                | (leaves ? VIR_DOMAIN_CHECKPOINT_LIST_LEAVES : 0)
                | (no_leaves ? VIR_DOMAIN_CHECKPOINT_LIST_NO_LEAVES : 0);
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("Creation Time"), _ ("Parent"), NULL);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GVariantIter) paths = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;
  const char *path;

  if (domain == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, domain, OWN_DOMAIN_INTERFACE, "ListDomainCheckpoints",
                            g_variant_new ("(u)", flags), &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  json_builder_begin_array (builder);
  g_variant_get (answer, "(ao)", &paths);
  while (g_variant_iter_next (paths, "&o", &path)) {
    CheckpointDef *def = load (line, path, &error);

    if (def == NULL)
      return command_error ("%s", error->message);
    add_row (def, table, builder);
    document_unref (&checkpoint_document, def);
  }
  json_builder_end_array (builder);
  text = table_to_string (table);
  command_print (line, "%s", text);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static int
dumpxml_run (CommandLine *line)
{
  g_autofree char *path = find_checkpoint (line), *xml = NULL;
  guint flags = (no_domain ? VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN : 0)
                | (size ? VIR_DOMAIN_CHECKPOINT_XML_SIZE : 0)
                | (security_info ? VIR_DOMAIN_CHECKPOINT_XML_SECURE : 0);
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  xml = load_xml (line, path, flags, &error);
  if (xml == NULL)
    return command_error ("%s", error->message);
  command_print (line, "%s", xml);
  command_print_json (line, json_node_init_string (json_node_alloc (), xml));
  return EXIT_OK;
}

static int
parent_run (CommandLine *line)
{
  g_autofree char *path = find_checkpoint (line);
  g_autoptr (GError) error = NULL;
  CheckpointDef *def = path != NULL ? load (line, path, &error) : NULL;
  int status = EXIT_OK;

  if (path == NULL)
    return EXIT_FAILED;
  if (def == NULL)
    return command_error ("%s", error->message);
  if (def->parent == NULL) {
    status = command_error (_ ("checkpoint '%s' has no parent"), line->arguments[1]);
  } else {
    command_print (line, "%s\n", def->parent);
    command_print_json (line, json_node_init_string (json_node_alloc (), def->parent));
  }
  document_unref (&checkpoint_document, def);
  return status;
}

static int
delete_run (CommandLine *line)
{
  g_autofree char *path = find_checkpoint (line);
  guint flags = (children ? VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN : 0)
                | (children_only ? VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY : 0)
                | (metadata ? VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY : 0);
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, path, CHECKPOINT_INTERFACE, "Delete",
                            g_variant_new ("(u)", flags), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to delete checkpoint %s"), line->arguments[1]);
    return command_error ("%s", error->message);
  }
  if (children_only)
    return command_done (line, line->arguments[0], _ ("Domain checkpoint %s children deleted"),
                         line->arguments[1]);
  return command_done (line, line->arguments[0], _ ("Domain checkpoint %s deleted"), line->arguments[1]);
}

#define FLAG(name_, variable, text)                             \
  {                                                             \
    (name_), 0, 0, G_OPTION_ARG_NONE, &(variable), (text), NULL \
  }

static const GOptionEntry create_options[] = {
  FLAG ("redefine", redefine, N_ ("It was there before: everything is said by the document")),
  FLAG ("redefine-validate", validate, N_ ("And its bitmaps are looked for")), G_OPTION_ENTRY_NULL
};
static const GOptionEntry create_as_options[] = {
  { "diskspec", 0, 0, G_OPTION_ARG_STRING_ARRAY, &diskspecs,
    N_ ("A disk that is part of it, or DISK,checkpoint=no; may be given again"), N_ ("DISK") },
  G_OPTION_ENTRY_NULL
};
static const GOptionEntry list_options[] = {
  FLAG ("roots", roots, N_ ("Only those that follow none")),
  FLAG ("leaves", leaves, N_ ("Only those that none follows")),
  FLAG ("no-leaves", no_leaves, N_ ("Only those that others follow")), G_OPTION_ENTRY_NULL
};
static const GOptionEntry dumpxml_options[] = {
  FLAG ("no-domain", no_domain, N_ ("Without the domain's document of its time")),
  FLAG ("size", size, N_ ("With what has changed on each disk since")),
  FLAG ("security-info", security_info, N_ ("Include passwords")), G_OPTION_ENTRY_NULL
};
static const GOptionEntry delete_options[] = {
  FLAG ("children", children, N_ ("And all that follow it")),
  FLAG ("children-only", children_only, N_ ("Only those that follow it")),
  FLAG ("metadata", metadata, N_ ("Only what is known of it: bitmaps stay")), G_OPTION_ENTRY_NULL
};

const Command checkpoint_commands[] = {
  { "checkpoint-create", "DOMAIN [FILE]", N_ ("Create a checkpoint from a document"), 1, 2, create_options,
    create_run },
  { "checkpoint-create-as", "DOMAIN [NAME [DESCRIPTION]]", N_ ("Create a checkpoint"), 1, 3,
    create_as_options, create_as_run },
  { "checkpoint-list", "DOMAIN", N_ ("List a domain's checkpoints"), 1, 1, list_options, list_run },
  { "checkpoint-dumpxml", "DOMAIN CHECKPOINT", N_ ("Print a checkpoint's document"), 2, 2, dumpxml_options,
    dumpxml_run },
  { "checkpoint-parent", "DOMAIN CHECKPOINT", N_ ("Print which checkpoint one follows"), 2, 2, NULL,
    parent_run },
  { "checkpoint-delete", "DOMAIN CHECKPOINT", N_ ("Delete a checkpoint"), 2, 2, delete_options, delete_run },
  { NULL },
};
