/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands about definitions: define, create, undefine, dumpxml, edit, autostart. The daemon is asked to be
 * strict: what domctl sends is never taken with unknown elements.
 */

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/editor.h"
#include "cli/trash.h"

#include <libvirt/libvirt.h>

static gboolean paused, autodestroy, with_console;
static gboolean nvram, keep_nvram, managed_save, no_trash;
static gboolean inactive, security_info, migratable, source;
static gboolean disable, once;

static char *
read_document (const char *path, GError **error)
{
  char *text = NULL;

  g_file_get_contents (g_str_equal (path, "-") ? "/dev/stdin" : path, &text, NULL, error);
  return text;
}

/* The domain's path by word, with virsh's first line of error. */
static char *
find_domain (CommandLine *line, const char *word)
{
  g_autoptr (GError) error = NULL;
  char *path;

  if (command_connect (line) == NULL)
    return NULL;
  path = connection_find_domain (line->connection, word, &error);
  if (path == NULL) {
    command_error (_ ("failed to get domain '%s'"), word);
    command_error ("%s", error->message);
  }
  return path;
}

/* Define @text; the new domain's path. Strict: what the schema does not know is refused. */
static char *
define_text (CommandLine *line, const char *text, GError **error)
{
  g_autoptr (GVariant) answer =
      connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "DomainDefineXMLFlags",
                       g_variant_new ("(su)", text, VIR_DOMAIN_DEFINE_VALIDATE), error);
  char *path = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(o)", &path);
  return path;
}

static int
define_run (CommandLine *line)
{
  const char *file = line->arguments[0];
  g_autoptr (GError) error = NULL;
  g_autofree char *text = read_document (file, &error);
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;

  if (text == NULL)
    return command_error ("%s", error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = define_text (line, text, &error);
  if (path == NULL) {
    command_error (_ ("Failed to define domain from %s"), file);
    return command_document_error (file, error->message);
  }
  name = connection_domain_name (line->connection, path, NULL);
  return command_done (line, name, _ ("Domain '%s' defined from %s"), name, file);
}

static int
create_run (CommandLine *line)
{
  const char *file = line->arguments[0];
  guint flags = VIR_DOMAIN_START_VALIDATE | (paused ? VIR_DOMAIN_START_PAUSED : 0)
                | (autodestroy ? VIR_DOMAIN_START_AUTODESTROY : 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *text = read_document (file, &error);
  g_autofree char *name = NULL;
  const char *path;

  if (text == NULL)
    return command_error ("%s", error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "DomainCreateXML",
                            g_variant_new ("(su)", text, flags), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to create domain from %s"), file);
    return command_document_error (file, error->message);
  }
  g_variant_get (answer, "(&o)", &path);
  name = connection_domain_name (line->connection, path, NULL);
  command_done (line, name, _ ("Domain '%s' created from %s"), name, file);
  if (with_console) {
    line->arguments[0] = name;
    return command_find ("console")->run (line);
  }
  return EXIT_OK;
}

static int
undefine_run (CommandLine *line)
{
  guint flags = (nvram ? VIR_DOMAIN_UNDEFINE_NVRAM : 0) | (keep_nvram ? VIR_DOMAIN_UNDEFINE_KEEP_NVRAM : 0)
                | (managed_save ? VIR_DOMAIN_UNDEFINE_MANAGED_SAVE : 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *path = find_domain (line, line->arguments[0]);
  g_autofree char *name = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  name = connection_domain_name (line->connection, path, NULL);
  if (no_trash)
    answer = connection_call (line->connection, path, DOMAIN_INTERFACE, "Undefine",
                              g_variant_new ("(u)", flags), &error);
  else if (name != NULL)
    answer = trash_discard (line->connection, "domain", name, flags, &error);
  if (answer == NULL) {
    command_error (_ ("Failed to undefine domain '%s'"), name);
    return command_error ("%s", error->message);
  }
  return command_done (line, name, _ ("Domain '%s' has been undefined"), name);
}

static char *
get_document (CommandLine *line, const char *path, gboolean own_bytes, guint flags, GError **error)
{
  g_autoptr (GVariant) answer =
      own_bytes ? connection_call (line->connection, path, OWN_DOMAIN_INTERFACE, "GetSource", NULL, error)
                : connection_call (line->connection, path, DOMAIN_INTERFACE, "GetXMLDesc",
                                   g_variant_new ("(u)", flags), error);
  char *text = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(s)", &text);
  return text;
}

static int
dumpxml_run (CommandLine *line)
{
  guint flags = (inactive ? VIR_DOMAIN_XML_INACTIVE : 0) | (security_info ? VIR_DOMAIN_XML_SECURE : 0)
                | (migratable ? VIR_DOMAIN_XML_MIGRATABLE : 0);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line, line->arguments[0]);
  g_autofree char *text = NULL;
  JsonObject *object;
  JsonNode *node;

  if (path == NULL)
    return EXIT_FAILED;
  text = get_document (line, path, source, flags, &error);
  if (text == NULL)
    return command_error ("%s", error->message);
  object = json_object_new ();
  json_object_set_string_member (object, "document", text);
  node = json_node_init_object (json_node_alloc (), object);
  json_object_unref (object);
  command_print (line, "%s", text);
  command_print_json (line, node);
  return EXIT_OK;
}

static int
edit_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line, line->arguments[0]);
  g_autofree char *name = NULL, *text = NULL, *file = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  name = connection_domain_name (line->connection, path, &error);
  if (name != NULL)
    text = get_document (line, path, TRUE, 0, &error);
  if (text == NULL)
    return command_error ("%s", error->message);
  switch (editor_run (line, text, define_text, &file, &error)) {
    case EDIT_UNCHANGED:
      return command_done (line, name, _ ("Domain '%s' XML configuration not changed"), name);
    case EDIT_TAKEN:
      return command_done (line, name, _ ("Domain '%s' XML configuration edited"), name);
    case EDIT_GIVEN_UP:
      return command_error (_ ("the definition of '%s' is as it was; your text is kept in %s"), name, file);
    default:
      return command_error ("%s", error->message);
  }
}

static int
autostart_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line, line->arguments[0]);
  g_autofree char *name = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  name = connection_domain_name (line->connection, path, NULL);
  if (!connection_set_property (line->connection, path, once ? OWN_DOMAIN_INTERFACE : DOMAIN_INTERFACE,
                                once ? "AutostartOnce" : "Autostart", g_variant_new_boolean (!disable),
                                &error)) {
    command_error (disable ? _ ("Failed to unmark domain '%s' as autostarted")
                           : _ ("Failed to mark domain '%s' as autostarted"),
                   name);
    return command_error ("%s", error->message);
  }
  return command_done (line, name,
                       disable ? _ ("Domain '%s' unmarked as autostarted")
                       : once  ? _ ("Domain '%s' marked as autostarted once")
                               : _ ("Domain '%s' marked as autostarted"),
                       name);
}

static const GOptionEntry create_options[] = {
  { "paused", 0, 0, G_OPTION_ARG_NONE, &paused, N_ ("Leave the machine's CPUs stopped"), NULL },
  { "autodestroy", 0, 0, G_OPTION_ARG_NONE, &autodestroy, N_ ("End the machine when the client goes"), NULL },
  { "console", 0, 0, G_OPTION_ARG_NONE, &with_console, N_ ("Attach to the console after the start"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry undefine_options[] = {
  { "nvram", 0, 0, G_OPTION_ARG_NONE, &nvram, N_ ("Remove the NVRAM file too"), NULL },
  { "keep-nvram", 0, 0, G_OPTION_ARG_NONE, &keep_nvram, N_ ("Keep the NVRAM file"), NULL },
  { "managed-save", 0, 0, G_OPTION_ARG_NONE, &managed_save, N_ ("Remove the managed save image too"), NULL },
  NO_TRASH_OPTION (no_trash),
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry dumpxml_options[] = {
  { "inactive", 0, 0, G_OPTION_ARG_NONE, &inactive, N_ ("What the next start will use"), NULL },
  { "security-info", 0, 0, G_OPTION_ARG_NONE, &security_info, N_ ("With passwords"), NULL },
  { "migratable", 0, 0, G_OPTION_ARG_NONE, &migratable, N_ ("As another host needs it"), NULL },
  { "source", 0, 0, G_OPTION_ARG_NONE, &source, N_ ("The document as it was written, byte for byte"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry autostart_options[] = {
  { "disable", 0, 0, G_OPTION_ARG_NONE, &disable, N_ ("No longer start it with the host"), NULL },
  { "once", 0, 0, G_OPTION_ARG_NONE, &once, N_ ("With its next start only"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command definition_commands[] = {
  { "define", "FILE...", N_ ("Define machines, or change their definitions"), 1, 1, NULL, define_run, TRUE },
  { "create", "FILE", N_ ("Start a machine that is not defined"), 1, 1, create_options, create_run },
  { "undefine", "DOMAIN...", N_ ("Remove a definition"), 1, 1, undefine_options, undefine_run, TRUE },
  { "dumpxml", "DOMAIN", N_ ("Print a machine's document"), 1, 1, dumpxml_options, dumpxml_run },
  { "edit", "DOMAIN", N_ ("Edit a machine's document"), 1, 1, NULL, edit_run },
  { "autostart", "DOMAIN...", N_ ("Start a machine with the host"), 1, 1, autostart_options, autostart_run,
    TRUE },
  { NULL },
};
