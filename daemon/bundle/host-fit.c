/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The questions that an import asks of its host before it takes a byte. What QEMU here can make is asked of
 * the recipe that a start would follow, which names every element that it cannot; what is left is what a
 * start would find missing only then: room, files, links.
 */
#include "daemon/bundle/host-fit.h"

#include "cpu/cpu-document.h"
#include "daemon/host/host-cpu.h"
#include "daemon/host/link.h"
#include "daemon/host/named-file.h"
#include "daemon/host/node.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/interface.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void add (GPtrArray *problems, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
add (GPtrArray *problems, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (problems, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* Files. */

/* The nearest directory of @path that is there. (transfer full) */
static char *
existing_directory (const char *path)
{
  char *directory = g_path_get_dirname (path);
  struct stat status;

  while (directory[1] != '\0' && (named_file_stat (directory, &status) < 0 || !S_ISDIR (status.st_mode))) {
    char *parent = g_path_get_dirname (directory);

    g_free (directory);
    directory = parent;
  }
  return directory;
}

/* Bytes wanted of each file system, by its number. */
typedef struct {
  guint64 wanted;
  char *directory;
} Wanted;

static void
wanted_free (gpointer data)
{
  g_free (((Wanted *)data)->directory);
  g_free (data);
}

static void
add_wanted (GHashTable *systems, const char *path, guint64 bytes)
{
  g_autofree char *directory = existing_directory (path);
  gint64 number;
  struct stat status;
  Wanted *wanted;

  if (named_file_stat (directory, &status) < 0)
    return;
  number = (gint64)status.st_dev;
  wanted = g_hash_table_lookup (systems, &number);
  if (wanted == NULL) {
    wanted = g_new0 (Wanted, 1);
    wanted->directory = g_strdup (directory);
    g_hash_table_insert (systems, g_memdup2 (&number, sizeof number), wanted);
  }
  wanted->wanted += MIN (bytes, G_MAXUINT64 - wanted->wanted);
}

static void
check_room (GHashTable *systems, GPtrArray *problems)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, systems);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Wanted *wanted = value;
    struct statvfs system;
    guint64 free_bytes;

    if (statvfs (wanted->directory, &system) < 0)
      continue;
    free_bytes = (guint64)system.f_bavail * system.f_frsize;
    if (free_bytes < wanted->wanted) {
      g_autofree char *needed = g_format_size (wanted->wanted), *left = g_format_size (free_bytes);

      add (problems, "'%s' has %s free, and %s are needed there", wanted->directory, left, needed);
    }
  }
}

void
host_fit_files (const BundleHead *head, const ImportPlan *plan, const FitHost *host, GPtrArray *problems)
{
  g_autoptr (GHashTable) systems = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, wanted_free);
  g_autofree char *tpm = g_build_filename (host->settings->state_directory, "tpm", plan->def->uuid, NULL);
  g_autofree char *snapshots =
      g_build_filename (host->settings->state_directory, "snapshot", plan->def->uuid, NULL);
  struct stat status;

  for (guint i = 0; i < head->files->len; i++) {
    const BundleFile *file = g_ptr_array_index (head->files, i);
    const char *target = g_ptr_array_index (plan->targets, i);

    add_wanted (systems, target != NULL ? target : tpm, file->stored);
    if (target != NULL && named_file_stat (target, &status) == 0)
      add (problems, "'%s' is there already", target);
  }
  if (bundle_head_find (head, BUNDLE_TPM) != NULL && access (tpm, F_OK) == 0)
    add (problems, "the state of a TPM of this UUID is there already: '%s'", tpm);
  if (bundle_head_find (head, BUNDLE_SNAPSHOT) != NULL && access (snapshots, F_OK) == 0)
    add (problems, "there are snapshots of a machine of this UUID already: '%s'", snapshots);
  check_room (systems, problems);
}

/* The machine. */

static void
check_processor (const DomainDef *def, const QemuCaps *caps, GPtrArray *problems)
{
  g_autofree char *reason = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (CpuDocument) wanted = NULL;
  g_autofree char *text = NULL;
  const char *start, *end;
  DomainCpu *own;

  /* One that is not checked starts with what there is of it, as it does with libvirt. */
  if (def->type != VIRT_TYPE_KVM || def->cpu == NULL || def->cpu->mode != CPU_MODE_CUSTOM
      || def->cpu->check == CPU_CHECK_NONE)
    return;
  g_autofree char *xml = domain_def_to_xml (def, 0);
  start = strstr (xml, "<cpu ");
  end = start != NULL ? strstr (start, "</cpu>") : NULL;
  if (end == NULL)
    return;
  text = g_strndup (start, (gsize)(end - start) + strlen ("</cpu>"));
  wanted = cpu_document_parse (text, 0, NULL);
  own = wanted != NULL ? host_cpu_model (caps, NULL) : NULL;
  if (own == NULL)
    return;
  if (cpu_compare (caps, own, wanted, &reason, &error) == VIR_CPU_COMPARE_INCOMPATIBLE)
    add (problems, "this host's processor cannot give the machine's: %s",
         reason != NULL ? reason : "another model");
  field_free (&domain_cpu_table, own);
}

static void
check_recipe (const ImportPlan *plan, QemuCaps *caps, const FitHost *host, GPtrArray *problems)
{
  g_autoptr (DomainDef) def = domain_def_copy (plan->def);
  const RecipeHost recipe_host = { .run_directory = host->run_directory,
                                   .state_directory = host->settings->state_directory,
                                   .sandbox = host->settings->sandbox,
                                   .paused = TRUE,
                                   .monitor_fd = -1,
                                   .now = g_get_real_time () / G_USEC_PER_SEC };
  g_autoptr (Recipe) recipe = NULL;
  g_autoptr (GError) error = NULL;

  domain_def_assign_aliases (def);
  recipe = recipe_new (def, caps, &recipe_host, RECIPE_BY_PATH);
  recipe_add_domain (recipe, NULL);
  if (!recipe_check (recipe, NULL, NULL, &error))
    add (problems, "%s", virt_error_detail (error));
}

static void
check_emulator (const ImportPlan *plan, const FitHost *host, GPtrArray *problems)
{
  const DomainDef *def = plan->def;
  const char *emulator =
      def->emulator != NULL ? def->emulator : host->platform->default_emulator (host->platform, def->os.arch);
  g_autoptr (QemuCaps) caps = NULL;
  g_autoptr (GError) error = NULL;

  if (emulator == NULL) {
    add (problems, "no emulator for architecture '%s' is installed", def->os.arch);
    return;
  }
  caps = caps_cache_get (host->caps, emulator, &error);
  if (caps == NULL) {
    add (problems, "the emulator '%s' cannot be used: %s", emulator, virt_error_detail (error));
    return;
  }
  if (def->os.machine != NULL && qemu_caps_machine (caps, def->os.machine) == NULL) {
    add (problems, "'%s' has no machine type '%s', which the guest knows", emulator, def->os.machine);
    return;
  }
  if (def->type == VIRT_TYPE_KVM && !host->platform->has_kvm (host->platform)) {
    g_autofree char *why = node_kvm_problem ();

    add (problems, "the machine needs KVM, which this host does not have: %s",
         why != NULL ? why : "its emulator cannot use it");
    return;
  }
  check_processor (def, caps, problems);
  check_recipe (plan, caps, host, problems);
}

static void
check_file (const char *path, const char *what, GPtrArray *problems)
{
  struct stat status;

  if (path != NULL && named_file_stat (path, &status) < 0)
    add (problems, "%s '%s' is missing: %s", what, path, g_strerror (errno));
}

static void
check_links (const DomainDef *def, const FitHost *host, GPtrArray *problems)
{
  DOMAIN_FOREACH_DEVICE (def, interface_kind, const DeviceInterface, interface) {
    if (interface->type == INTERFACE_BRIDGE && interface->bridge != NULL && !link_exists (interface->bridge))
      add (problems, "there is no bridge '%s'", interface->bridge);
    else if (interface->type == INTERFACE_NETWORK && interface->network != NULL
             && !g_strv_contains (host->networks, interface->network))
      add (problems, "there is no network '%s'", interface->network);
  }
}

void
host_fit_machine (const ImportPlan *plan, const FitHost *host, GPtrArray *problems)
{
  const DomainDef *def = plan->def;

  check_emulator (plan, host, problems);
  check_file (def->os.loader, "the firmware", problems);
  check_file (def->os.nvram_template, "the template of the firmware's variables", problems);
  check_links (def, host, problems);
  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, const DeviceFilesystem, filesystem) {
    if (filesystem->type == FILESYSTEM_MOUNT)
      check_file (filesystem->source_dir, "the shared directory", problems);
  }
}
