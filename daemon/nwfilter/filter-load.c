/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The beginning: the filters that libvirt's users know by name are defined on a host's first start, by the
 * documents built into the program, unless the host has one of that name; after that they are the host's own,
 * to change or to remove. Then what an earlier daemon has bound is found again.
 */
#include "daemon/nwfilter/filters.h"

#include "daemon/core/file.h"
#include "daemon/core/job.h"
#include "daemon/nwfilter/filter-resources.h"
#include "daemon/nwfilter/filter-rules.h"

#include <unistd.h>

#define STOCK_RESOURCES "/org/domaind/nwfilter"
#define STOCK_MARK      "stock-defined"
#define MARK_MODE       0644

typedef struct {
  Registry *registry;
  RegistrySettled settled;
  gpointer data;
  GHashTable *names; /* of the filters that there are */
  GPtrArray *added;  /* of FilterDef: on disk now */
} Loading;

static void
def_free (gpointer def)
{
  document_unref (&filter_document, def);
}

static void
loading_free (gpointer data)
{
  Loading *loading = data;

  g_hash_table_unref (loading->names);
  g_ptr_array_unref (loading->added);
  g_free (loading);
}

static void
add_stock (Loading *loading, const char *file)
{
  g_autofree char *path = g_strconcat (STOCK_RESOURCES "/", file, NULL), *xml = NULL;
  g_autoptr (GBytes) bytes =
      g_resource_lookup_data (domaind_nwfilter_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (file);
  g_autofree char *source = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  FilterDef *def = document_read (&filter_document, source, -1, 0, diagnostics);
  g_autoptr (GError) error = NULL;

  if (!diagnostics_check (diagnostics, &error)) {
    g_critical ("%s", error->message);
    return;
  }
  if (g_hash_table_contains (loading->names, def->name)) {
    def_free (def);
    return;
  }
  xml = document_to_xml (&filter_document, def, 0);
  if (store_save (loading->registry->store, def->uuid, def->name, source, xml, NULL, &error)) {
    g_ptr_array_add (loading->added, def);
  } else {
    g_warning ("filter '%s': %s", def->name, error->message);
    def_free (def);
  }
}

/* The mark comes last: what a crash cuts short is done at the next start. */
static void
add_all_stock (Loading *loading)
{
  const Settings *settings = loading->registry->settings;
  g_autofree char *mark = g_build_filename (settings->state_directory, filter_kind.folder, STOCK_MARK, NULL);
  g_auto (GStrv) files = NULL;
  g_autoptr (GError) error = NULL;

  if (settings->session || access (mark, F_OK) == 0)
    return;
  files = g_resource_enumerate_children (domaind_nwfilter_get_resource (), STOCK_RESOURCES,
                                         G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  for (guint i = 0; files != NULL && files[i] != NULL; i++)
    add_stock (loading, files[i]);
  if (!store_write_file (mark, "", 0, MARK_MODE, &error))
    g_warning ("%s", error->message);
}

static gpointer
load_job (Job *job G_GNUC_UNUSED, gpointer data, GError **error G_GNUC_UNUSED)
{
  Loading *loading = data;

  add_all_stock (loading);
  for (guint i = 0; i < loading->added->len; i++)
    filter_rules_note (g_ptr_array_index (loading->added, i));
  filter_bindings_adopt (loading->registry->settings);
  return JOB_OK;
}

static void
load_done (gpointer result G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED, gpointer data)
{
  Loading *loading = data;

  for (guint i = 0; i < loading->added->len; i++)
    registry_commit_definition (loading->registry, g_ptr_array_index (loading->added, i));
  loading->settled (loading->data);
}

void
filters_loaded (Registry *registry, RegistrySettled settled, gpointer data)
{
  Loading *loading = g_new0 (Loading, 1);
  g_autoptr (GPtrArray) filters = registry_list (registry);

  loading->registry = registry;
  loading->settled = settled;
  loading->data = data;
  loading->added = g_ptr_array_new_with_free_func (def_free);
  loading->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < filters->len; i++)
    g_hash_table_add (loading->names, g_strdup (((const Object *)g_ptr_array_index (filters, i))->name));
  job_start ("filters", load_job, loading, loading_free, 0, load_done, loading);
}
