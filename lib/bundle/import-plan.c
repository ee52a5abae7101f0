/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The plan of an import. A path in an archive is data: it is what documents and images call a file, and is
 * only compared. Where a file is written is made of a directory that the client or the daemon's settings name
 * and of the rest of the old path, which bundle_path_check has found to lead nowhere but down.
 */
#include "bundle/import-plan.h"

#include "base/scalars.h"
#include "bundle/bundle-name.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface.h"

#include <string.h>

#define SAME_NAMES_MAX BUNDLE_FILES_MAX

typedef struct {
  const BundleHead *head;
  const ImportOptions *options;
  const char *name; /* the machine's, as it will be */
  GHashTable *used; /* char *: targets so far */
  ImportPlan *plan;
} Planning;

static void
values_free (ImportValues *values)
{
  g_free (values->name);
  g_free (values->uuid);
  g_free (values->genid);
  g_clear_pointer (&values->paths, g_hash_table_unref);
  g_clear_pointer (&values->addresses, g_hash_table_unref);
  g_free (values);
}

void
import_plan_free (ImportPlan *plan)
{
  if (plan == NULL)
    return;
  g_clear_pointer (&plan->def, domain_def_unref);
  values_free (plan->values);
  g_free (plan->source);
  g_ptr_array_unref (plan->targets);
  g_ptr_array_unref (plan->changes);
  g_free (plan);
}

static void tell (ImportPlan *plan, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
tell (ImportPlan *plan, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (plan->changes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* Where things go. */

static gboolean
check_maps (const char *const *maps, GError **error)
{
  for (guint i = 0; maps != NULL && maps[i] != NULL; i++) {
    const char *to = strchr (maps[i], '=');

    if (i >= IMPORT_MAPS_MAX) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "more than %d directories are mapped", IMPORT_MAPS_MAX);
      return FALSE;
    }
    if (to == NULL || maps[i][0] != '/' || to[1] != '/') {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "'%s' maps nothing: expected /OLD=/NEW", maps[i]);
      return FALSE;
    }
  }
  return TRUE;
}

/* What the most specific map makes of @path; NULL: none speaks of it. (transfer full) */
static char *
mapped (const char *const *maps, const char *path)
{
  gsize best = 0;
  char *found = NULL;

  for (guint i = 0; maps != NULL && maps[i] != NULL; i++) {
    const char *to = strchr (maps[i], '=');
    g_autofree char *old = g_strndup (maps[i], (gsize)(to - maps[i]));
    const char *rest = bundle_path_below (path, old);

    if (rest == NULL || strlen (old) < best)
      continue;
    best = strlen (old);
    g_free (found);
    found = rest[0] != '\0' ? g_build_filename (to + 1, rest, NULL) : g_strdup (to + 1);
  }
  return found;
}

/* In the machine's own directory: two files of one name are told apart by a number. (transfer full) */
static char *
own_target (const Planning *planning, const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  char *target = g_build_filename (planning->options->directory, planning->name, base, NULL);

  for (guint i = 2; g_hash_table_contains (planning->used, target) && i <= SAME_NAMES_MAX; i++) {
    g_autofree char *numbered = g_strdup_printf ("%u-%s", i, base);

    g_free (target);
    target = g_build_filename (planning->options->directory, planning->name, numbered, NULL);
  }
  return target;
}

static char *
variables_target (const Planning *planning, const char *path)
{
  g_autofree char *name =
      g_strconcat (planning->name, "_VARS", g_str_has_suffix (path, ".qcow2") ? ".qcow2" : ".fd", NULL);

  return g_build_filename (planning->options->store_directory, name, NULL);
}

static gboolean
place_file (Planning *planning, const BundleFile *file, GError **error)
{
  char *target = NULL;

  if (file->path != NULL && (target = mapped (planning->options->maps, file->path)) == NULL)
    target = file->role == BUNDLE_NVRAM ? variables_target (planning, file->path)
                                        : own_target (planning, file->path);
  g_ptr_array_add (planning->plan->targets, target);
  if (target == NULL)
    return TRUE;
  if (!bundle_path_check (target, error))
    return FALSE;
  if (!g_hash_table_add (planning->used, target)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "two files of the machine would be '%s'", target);
    return FALSE;
  }
  if (!g_str_equal (target, file->path))
    tell (planning->plan, "'%s' will be '%s'", file->path, target);
  return TRUE;
}

/* What is called otherwise. */

static GHashTable *
table_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static GHashTable *
changed_paths (const Planning *planning, const DomainDef *def)
{
  GHashTable *paths = table_new ();

  for (guint i = 0; i < planning->head->files->len; i++) {
    const BundleFile *file = g_ptr_array_index (planning->head->files, i);

    if (file->path != NULL)
      g_hash_table_insert (paths, g_strdup (file->path),
                           g_strdup (g_ptr_array_index (planning->plan->targets, i)));
  }
  /* A machine that has never run has no variables yet; where they will be is told all the same. */
  if (def->os.nvram != NULL && !g_hash_table_contains (paths, def->os.nvram)) {
    char *target = mapped (planning->options->maps, def->os.nvram);

    g_hash_table_insert (paths, g_strdup (def->os.nvram),
                         target != NULL ? target : variables_target (planning, def->os.nvram));
  }
  return paths;
}

static GHashTable *
changed_addresses (const Planning *planning, const DomainDef *def)
{
  GHashTable *addresses = table_new ();

  if (!planning->options->new_identity)
    return addresses;
  DOMAIN_FOREACH_DEVICE (def, interface_kind, const DeviceInterface, interface) {
    guint8 bytes[MAC_BYTES];
    char *text = g_malloc (MAC_TEXT);

    mac_generate (bytes);
    mac_format (bytes, text);
    if (interface->mac != NULL) {
      tell (planning->plan, "MAC address %s will be %s", interface->mac, text);
      g_hash_table_insert (addresses, g_ascii_strdown (interface->mac, -1), text);
    } else {
      g_free (text);
    }
  }
  return addresses;
}

/* (transfer full) */
static char *
new_uuid (void)
{
  guint8 bytes[UUID_BYTES];
  char *text = g_malloc (UUID_TEXT);

  uuid_generate (bytes);
  uuid_format (bytes, text);
  return text;
}

static void
change (Planning *planning, const char *source, const DomainDef *def)
{
  ImportPlan *plan = planning->plan;
  ImportValues *values = plan->values;

  values->paths = changed_paths (planning, def);
  values->addresses = changed_addresses (planning, def);
  if (planning->options->name != NULL && !g_str_equal (planning->options->name, def->name)) {
    values->name = g_strdup (planning->options->name);
    tell (plan, "machine '%s' will be '%s'", def->name, values->name);
  }
  if (planning->options->new_identity) {
    values->uuid = new_uuid ();
    values->genid = new_uuid ();
    tell (plan, "UUID %s will be %s", def->uuid, values->uuid);
  }
  plan->def = domain_def_copy (def);
  import_values_set (values, plan->def);
  plan->source = import_values_edit (values, source);
  if (plan->source == NULL) {
    plan->source = domain_def_to_xml (plan->def, DOMAIN_WRITE_SECURE);
    tell (plan, "the document cannot be edited where it stands: the completed one takes its place");
  }
}

ImportPlan *
import_plan_new (const BundleHead *head, const char *source, const DomainDef *def,
                 const ImportOptions *options, GError **error)
{
  g_autoptr (ImportPlan) plan = g_new0 (ImportPlan, 1);
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  Planning planning = { head, options, options->name != NULL ? options->name : def->name, used, plan };

  plan->values = g_new0 (ImportValues, 1);
  plan->targets = g_ptr_array_new_with_free_func (g_free);
  plan->changes = g_ptr_array_new_with_free_func (g_free);
  if (!check_maps (options->maps, error))
    return NULL;
  if (planning.name[0] == '\0' || strchr (planning.name, '/') != NULL || planning.name[0] == '.') {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "a machine with files cannot be called '%s': expected a name without '/' that does not "
                    "begin with a '.'",
                    planning.name);
    return NULL;
  }
  if (!g_str_equal (head->name, def->name) || !g_str_equal (head->uuid, def->uuid)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the archive is said to be of '%s', and is of '%s'",
                    head->name, def->name);
    return NULL;
  }
  for (guint i = 0; i < head->files->len; i++)
    if (!place_file (&planning, g_ptr_array_index (head->files, i), error))
      return NULL;
  change (&planning, source, def);
  return g_steal_pointer (&plan);
}
