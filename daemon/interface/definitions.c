/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The documents are what is true; the files of the host's configuration follow from all of them and are
 * written anew with each change, so that what a crash left half written is right after the next one. Files
 * of other people are not touched: an interface that somebody else has configured is theirs.
 */
#include "daemon/interface/definitions.h"

#include "daemon/core/file.h"
#include "daemon/core/tree.h"
#include "daemon/host/program.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX    (1024 * 1024)
#define COMMAND_WORDS_MAX 8

static char *
documents_directory (const Settings *settings)
{
  return g_build_filename (settings->state_directory, "interfaces", NULL);
}

/* The documents as they were when a change began. */
static char *
begun_directory (const Settings *settings)
{
  return g_build_filename (settings->state_directory, "interfaces-before", NULL);
}

static char *
host_path (const Settings *settings, const char *path)
{
  return g_build_filename (settings->host_directory, path, NULL);
}

const NetworkConfig *
interface_config_find (const Settings *settings, const char *function, GError **error)
{
  if (settings->session) {
    virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_NO_SUPPORT,
                         "%s: a session's daemon may not configure the host's network", function);
    return NULL;
  }
  for (const NetworkConfig *const *config = network_configs; *config != NULL; config++)
    for (const char *const *sign = (*config)->signs; *sign != NULL; sign++) {
      g_autofree char *path = host_path (settings, *sign);

      if (access (path, F_OK) == 0)
        return *config;
    }
  virt_error_set_from (
      error, VIR_FROM_INTERFACE, VIR_ERR_NO_SUPPORT,
      "%s: neither NetworkManager nor systemd-networkd nor ifupdown configures this host's network",
      function);
  return NULL;
}

static void
def_unref (gpointer def)
{
  document_unref (&host_interface_document, def);
}

static int
compare_defs (gconstpointer a, gconstpointer b)
{
  return strverscmp ((*(HostInterfaceDef *const *)a)->name, (*(HostInterfaceDef *const *)b)->name);
}

static HostInterfaceDef *
read_document (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autofree char *text = store_read_file (path, FILE_BYTES_MAX, NULL, &error);
  HostInterfaceDef *def =
      text != NULL ? document_read (&host_interface_document, text, -1, DOCUMENT_LAX, diagnostics) : NULL;

  if (def == NULL && error == NULL)
    diagnostics_check (diagnostics, &error);
  if (def == NULL)
    g_warning ("the definition of an interface is left out: %s", error->message);
  return def;
}

static GPtrArray *
read_directory (const char *directory, GError **error)
{
  g_autoptr (GPtrArray) defs = g_ptr_array_new_with_free_func (def_unref);
  GDir *listing = g_dir_open (directory, 0, NULL);
  const char *name;

  if (listing == NULL)
    return g_steal_pointer (&defs);
  while ((name = g_dir_read_name (listing)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    HostInterfaceDef *def;

    if (!g_str_has_suffix (name, ".xml") || g_str_has_prefix (name, STORE_ASIDE_PREFIX))
      continue;
    if (defs->len >= INTERFACE_DEFINITIONS_MAX) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "more than %d interfaces are defined in '%s'",
                      INTERFACE_DEFINITIONS_MAX, directory);
      g_dir_close (listing);
      return NULL;
    }
    if ((def = read_document (path)) != NULL)
      g_ptr_array_add (defs, def);
  }
  g_dir_close (listing);
  g_ptr_array_sort (defs, compare_defs);
  return g_steal_pointer (&defs);
}

GPtrArray *
interface_definitions_read (const Settings *settings, GError **error)
{
  g_autofree char *directory = documents_directory (settings);

  return read_directory (directory, error);
}

HostInterfaceDef *
interface_definitions_find (GPtrArray *defs, const char *name)
{
  for (guint i = 0; i < defs->len; i++) {
    HostInterfaceDef *def = g_ptr_array_index (defs, i);

    if (g_str_equal (def->name, name))
      return def;
  }
  return NULL;
}

/* Files. */

static gboolean
is_among (GPtrArray *files, const Settings *settings, const char *path)
{
  for (guint i = 0; i < files->len; i++) {
    g_autofree char *other = host_path (settings, ((ConfigFile *)g_ptr_array_index (files, i))->path);

    if (g_str_equal (other, path))
      return TRUE;
  }
  return FALSE;
}

/* Those of ours that no definition has any more. */
static gboolean
remove_others (const Settings *settings, const NetworkConfig *config, GPtrArray *files, GError **error)
{
  g_autofree char *prefix_path = host_path (settings, config->file_prefix);
  g_autofree char *directory = g_path_get_dirname (prefix_path);
  g_autofree char *prefix = g_path_get_basename (prefix_path);
  GDir *listing = g_dir_open (directory, 0, NULL);
  const char *name;
  gboolean removed = TRUE;

  while (removed && listing != NULL && (name = g_dir_read_name (listing)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);

    if (g_str_has_prefix (name, prefix) && !is_among (files, settings, path))
      removed = store_remove_file (path, error);
  }
  if (listing != NULL)
    g_dir_close (listing);
  return removed;
}

static gboolean
write_files (const Settings *settings, const NetworkConfig *config, GPtrArray *defs, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify)config_file_free);
  g_autoptr (GPtrArray) prepared = g_ptr_array_new_with_free_func ((GDestroyNotify)prepared_file_free);
  g_autofree char *prefix = host_path (settings, config->file_prefix);
  g_autofree char *directory = g_path_get_dirname (prefix);

  if (!config->write (defs, files, error) || !store_make_directory (directory, 0755, error))
    return FALSE;
  for (guint i = 0; i < files->len; i++) {
    const ConfigFile *file = g_ptr_array_index (files, i);
    g_autofree char *path = host_path (settings, file->path);
    PreparedFile *aside = prepared_file_new (path, file->text, -1, file->mode, TRUE, error);

    if (aside == NULL)
      return FALSE;
    g_ptr_array_add (prepared, aside);
  }
  for (guint i = 0; i < prepared->len; i++)
    if (!prepared_file_commit (g_ptr_array_index (prepared, i), error))
      return FALSE;
  return remove_others (settings, config, files, error);
}

/* A program of the list, with the interface's name where it says "%s". NULL list: nothing to do. */
static gboolean
run_command (const char *const *command, const char *name, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  ProgramRun run = { .seconds = INTERFACE_COMMAND_SECONDS };

  if (command == NULL)
    return TRUE;
  for (guint i = 0; command[i] != NULL && i < COMMAND_WORDS_MAX; i++) {
    g_auto (GStrv) halves = g_strsplit (command[i], "%s", 2);

    g_ptr_array_add (words, g_strjoinv (name != NULL ? name : "", halves));
  }
  g_ptr_array_add (words, NULL);
  run.arguments = (const char *const *)words->pdata;
  return program_succeeds (&run, error);
}

/* The files after @defs; what runs is told of them. */
static gboolean
write_configuration (const Settings *settings, const NetworkConfig *config, GPtrArray *defs, GError **error)
{
  return write_files (settings, config, defs, error) && run_command (config->reload, NULL, error);
}

/* Changes of definitions. */

static void
add_names (GHashTable *names, const HostInterfaceDef *def)
{
  g_autoptr (GPtrArray) masters = NULL;
  g_autoptr (GPtrArray) parts = config_parts (def, &masters);

  for (guint i = 0; i < parts->len; i++)
    g_hash_table_insert (names, ((HostInterfaceDef *)g_ptr_array_index (parts, i))->name, (gpointer)def);
}

/* No interface may stand in two definitions. */
static gboolean
check_parts (GPtrArray *defs, const HostInterfaceDef *added, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) masters = NULL;
  g_autoptr (GPtrArray) parts = config_parts (added, &masters);

  for (guint i = 0; i < defs->len; i++) {
    const HostInterfaceDef *def = g_ptr_array_index (defs, i);

    if (!g_str_equal (def->name, added->name))
      add_names (names, def);
  }
  for (guint i = 0; i < parts->len; i++) {
    const HostInterfaceDef *part = g_ptr_array_index (parts, i);
    const HostInterfaceDef *other = g_hash_table_lookup (names, part->name);

    if (other != NULL) {
      virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_OPERATION_FAILED,
                           "interface '%s' is in the definition of '%s' already", part->name, other->name);
      return FALSE;
    }
  }
  return TRUE;
}

/* In ifupdown's own file an interface may stand that is not ours. */
static gboolean
check_foreign (const Settings *settings, const NetworkConfig *config, const HostInterfaceDef *def,
               GError **error)
{
  g_autofree char *path = host_path (settings, "/etc/network/interfaces");
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (config != &config_ifupdown || (text = store_read_file (path, FILE_BYTES_MAX, NULL, NULL)) == NULL)
    return TRUE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) words = g_strsplit_set (g_strstrip (lines[i]), " \t", 3);

    if (words[0] != NULL && words[1] != NULL && g_str_equal (words[0], "iface")
        && g_str_equal (words[1], def->name)) {
      virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_OPERATION_FAILED,
                           "interface '%s' is configured in '%s', line %u, by somebody else", def->name, path,
                           i + 1);
      return FALSE;
    }
  }
  return TRUE;
}

static char *
document_path (const char *directory, const char *name)
{
  return g_strconcat (directory, "/", name, ".xml", NULL);
}

/* @def NULL: there is none of that name. */
static gboolean
write_document (const char *directory, const char *name, const HostInterfaceDef *def, GError **error)
{
  g_autofree char *path = document_path (directory, name);
  g_autofree char *xml = def != NULL ? document_to_xml (&host_interface_document, def, 0) : NULL;

  if (def == NULL)
    return store_remove_file (path, error);
  return store_make_directory (directory, 0700, error) && store_write_file (path, xml, -1, 0600, error);
}

/* @defs with @def in the place of the one of that name, or without it. (transfer full) */
static GPtrArray *
replace (GPtrArray *defs, const char *name, HostInterfaceDef *def)
{
  GPtrArray *changed = g_ptr_array_new_with_free_func (def_unref);

  for (guint i = 0; i < defs->len; i++) {
    HostInterfaceDef *other = g_ptr_array_index (defs, i);

    if (!g_str_equal (other->name, name))
      g_ptr_array_add (changed, document_ref (&host_interface_document, other));
  }
  if (def != NULL)
    g_ptr_array_add (changed, document_ref (&host_interface_document, def));
  g_ptr_array_sort (changed, compare_defs);
  return changed;
}

static gboolean
change (const Settings *settings, const NetworkConfig *config, GPtrArray *defs, const char *name,
        HostInterfaceDef *def, GError **error)
{
  g_autofree char *directory = documents_directory (settings);
  g_autoptr (GPtrArray) changed = replace (defs, name, def);
  g_autoptr (GError) problem = NULL;

  if (!write_document (directory, name, def, error))
    return FALSE;
  if (write_configuration (settings, config, changed, error))
    return TRUE;
  if (!write_document (directory, name, interface_definitions_find (defs, name), &problem)
      || !write_configuration (settings, config, defs, &problem))
    g_warning ("the definition of interface '%s' could not be taken back: %s", name, problem->message);
  return FALSE;
}

gboolean
interface_define (const Settings *settings, const NetworkConfig *config, HostInterfaceDef *def,
                  GError **error)
{
  g_autoptr (GPtrArray) defs = interface_definitions_read (settings, error);

  return defs != NULL && check_parts (defs, def, error) && check_foreign (settings, config, def, error)
         && change (settings, config, defs, def->name, def, error);
}

gboolean
interface_undefine (const Settings *settings, const NetworkConfig *config, const char *name, GError **error)
{
  g_autoptr (GPtrArray) defs = interface_definitions_read (settings, error);

  if (defs == NULL)
    return FALSE;
  if (interface_definitions_find (defs, name) != NULL)
    return change (settings, config, defs, name, NULL, error);
  virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_OPERATION_INVALID,
                       "interface '%s' has no definition that was made here", name);
  return FALSE;
}

gboolean
interface_start (const Settings *settings G_GNUC_UNUSED, const NetworkConfig *config, const char *name,
                 GError **error)
{
  return run_command (config->start, name, error);
}

gboolean
interface_stop (const Settings *settings G_GNUC_UNUSED, const NetworkConfig *config, const char *name,
                GError **error)
{
  return run_command (config->stop, name, error);
}

/* A change of several. */

static gboolean
is_begun (const Settings *settings)
{
  g_autofree char *begun = begun_directory (settings);

  return access (begun, F_OK) == 0;
}

static gboolean
copy_documents (GPtrArray *defs, const char *directory, GError **error)
{
  if (!store_make_directory (directory, 0700, error))
    return FALSE;
  for (guint i = 0; i < defs->len; i++) {
    const HostInterfaceDef *def = g_ptr_array_index (defs, i);

    if (!write_document (directory, def->name, def, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
interface_change_begin (const Settings *settings, GError **error)
{
  g_autoptr (GPtrArray) defs = interface_definitions_read (settings, error);
  g_autofree char *begun = begun_directory (settings);
  g_autofree char *aside = g_strconcat (begun, ".new", NULL);

  if (defs == NULL)
    return FALSE;
  if (is_begun (settings)) {
    virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_OPERATION_INVALID,
                         "there is another transaction running.");
    return FALSE;
  }
  tree_remove (aside);
  if (!copy_documents (defs, aside, error))
    return FALSE;
  if (g_rename (aside, begun) < 0) {
    store_system_error (error, errno, "keep the definitions in", begun);
    return FALSE;
  }
  return store_sync_directory (settings->state_directory, error);
}

/* @what: "committed", "rollback" */
static gboolean
check_begun (const Settings *settings, const char *what, GError **error)
{
  if (is_begun (settings))
    return TRUE;
  virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_OPERATION_INVALID,
                       "no transaction running, nothing to %s.", what);
  return FALSE;
}

static gboolean
end_change (const Settings *settings, GError **error)
{
  g_autofree char *begun = begun_directory (settings);
  g_autofree char *aside = g_strconcat (begun, ".new", NULL);

  if (g_rename (begun, aside) < 0) {
    store_system_error (error, errno, "end the change in", begun);
    return FALSE;
  }
  tree_remove (aside);
  return store_sync_directory (settings->state_directory, error);
}

gboolean
interface_change_commit (const Settings *settings, GError **error)
{
  return check_begun (settings, "be committed", error) && end_change (settings, error);
}

static gboolean
is_same (const HostInterfaceDef *one, const HostInterfaceDef *other)
{
  g_autofree char *difference = one != NULL && other != NULL
                                    ? field_compare (host_interface_document.table, one, other, 0)
                                    : g_strdup ("");

  return difference == NULL;
}

/* What was made or changed since is stopped first; it may not be running, which is no mistake. */
static void
stop_changed (GPtrArray *defs, GPtrArray *before, const NetworkConfig *config)
{
  for (guint i = 0; i < defs->len; i++) {
    const HostInterfaceDef *def = g_ptr_array_index (defs, i);
    g_autoptr (GError) error = NULL;

    if (!is_same (def, interface_definitions_find (before, def->name))
        && !run_command (config->stop, def->name, &error))
      g_debug ("interface '%s' was not stopped: %s", def->name, error->message);
  }
}

/* What was changed or removed since is as it was, and is started again if it starts with the host. */
static void
start_changed (GPtrArray *defs, GPtrArray *before, const NetworkConfig *config)
{
  for (guint i = 0; i < before->len; i++) {
    const HostInterfaceDef *def = g_ptr_array_index (before, i);
    g_autoptr (GError) error = NULL;

    if (def->start >= HOST_START_ONBOOT && !is_same (def, interface_definitions_find (defs, def->name))
        && !run_command (config->start, def->name, &error))
      g_warning ("interface '%s' was not started again: %s", def->name, error->message);
  }
}

gboolean
interface_change_rollback (const Settings *settings, const NetworkConfig *config, GError **error)
{
  g_autofree char *begun = begun_directory (settings), *directory = documents_directory (settings);
  g_autoptr (GPtrArray) defs = NULL, before = NULL;

  if (!check_begun (settings, "rollback", error)
      || (defs = interface_definitions_read (settings, error)) == NULL
      || (before = read_directory (begun, error)) == NULL)
    return FALSE;
  stop_changed (defs, before, config);
  for (guint i = 0; i < defs->len; i++) {
    const HostInterfaceDef *def = g_ptr_array_index (defs, i);

    if (interface_definitions_find (before, def->name) == NULL
        && !write_document (directory, def->name, NULL, error))
      return FALSE;
  }
  if (!copy_documents (before, directory, error) || !write_configuration (settings, config, before, error))
    return FALSE;
  start_changed (defs, before, config);
  return end_change (settings, error);
}
