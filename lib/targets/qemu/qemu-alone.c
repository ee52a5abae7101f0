/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a machine needs a daemon, for the forms of a launch config that run without one. A recipe by path
 * says most of it: each descriptor, secret and made file in it is something that somebody would have to hand
 * to QEMU. What the daemon does besides (limits, labels, words to the monitor after the start) no recipe
 * knows, and is asked for here.
 */
#include "targets/qemu/qemu-alone.h"

#include "domain/devices/filesystem.h"
#include "domain/devices/graphics.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/interface.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/tpm.h"
#include "targets/qemu/qemu-target.h"

#include <string.h>

const TargetPart alone_parts[] = {
  CARRIED (""),
  LOST ("blkiotune", "sets no limits of a control group"),
  LOST ("cputune", "pins no threads and sets no limits of a control group"),
  LOST ("iothreadids/iothread/poll@shares", "sets no limits of a control group"),
  LOST ("memtune", "sets no limits of a control group"),
  LOST ("on_lockfailure", "asks no lock manager"),
  LOST ("perf", "counts no events of the host"),
  LOST ("resource", "is put into no partition of control groups"),
  LOST ("vcpu@cpuset", "pins no threads"),
  LOST ("devices/disk/iotune", "is told no limits of a disk"),
  LOST ("devices/disk/source/seclabel", "is labelled by nobody"),
  LOST ("devices/graphics@passwd", "is told no password: its monitor takes it, by set_password"),
  LOST ("devices/graphics@passwdValidTo", "is told no password"),
  LOST ("devices/interface/bandwidth", "limits no bandwidth"),
  LOST ("devices/interface/filterref", "filters nothing"),
  { NULL, TARGET_LOST, NULL },
};

/* A descriptor is made by who starts QEMU: of a tap, of vhost, of a helper that is started beside it. */
static void
refuse_passed (const RecipeFile *file, TargetLosses *losses)
{
  if (file->device->kind == &interface_kind && g_str_equal (file->purpose, "passt"))
    target_refuse (losses, file->device, "<backend type='passt'>",
                   "has nobody to start passt: without <backend>, type='user' is QEMU's own");
  else if (file->device->kind == &interface_kind)
    target_refuse (losses, file->device, NULL,
                   "has nobody to make a tap: expected type 'user', 'server', 'client', 'mcast', 'udp' or "
                   "'vdpa'");
  else
    target_refuse (losses, file->device, NULL, "has nobody to open %s for it", file->purpose);
}

/* Each device is named once, however many queues and images it has. */
static void
refuse_files (const Recipe *recipe, TargetLosses *losses)
{
  const Device *told = NULL;

  for (guint i = 0; i < recipe_file_count (recipe); i++) {
    const RecipeFile *file = recipe_get_file (recipe, i);

    if (file->device == NULL || file->device == told || (!file->passed && !file->made))
      continue;
    told = file->device;
    if (file->passed)
      refuse_passed (file, losses);
    else if (file->is_secret)
      target_refuse (losses, file->device, NULL, "has no secret: they are the daemon's");
    else
      target_refuse (losses, file->device, "<transient>", "has nobody to make a file for its changes");
  }
}

static void
refuse_helpers (const DomainDef *def, TargetLosses *losses)
{
  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, const DeviceFilesystem, filesystem) {
    if (filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS && filesystem->source_socket == NULL)
      target_refuse (losses, &filesystem->device, "<driver type='virtiofs'>",
                     "has nobody to start virtiofsd: <source socket=> is one that runs, and type='path' is "
                     "QEMU's own");
  }
  DOMAIN_FOREACH_DEVICE (def, tpm_kind, const DeviceTpm, tpm) {
    if (tpm->type == TPM_EMULATOR)
      target_refuse (losses, &tpm->device, "<backend type='emulator'>",
                     "has nobody to start swtpm: <backend type='external'> takes the socket of one that "
                     "runs");
  }
  if (domain_def_wants_pr_helper (def))
    target_refuse (losses, NULL, "<reservations managed='yes'>",
                   "has nobody to start a helper for persistent reservations: managed='no' takes the socket "
                   "of one that runs");
}

static gboolean
is_labelled (const DomainDef *def)
{
  for (guint i = 0; def->seclabels != NULL && i < def->seclabels->len; i++)
    if (((const Seclabel *)g_ptr_array_index (def->seclabels, i))->type != SECLABEL_OFF)
      return TRUE;
  return FALSE;
}

/* What the daemon does at the start and the document can be without. */
static void
lose_values (const DomainDef *def, TargetLosses *losses)
{
  DOMAIN_FOREACH_DEVICE (def, interface_kind, const DeviceInterface, interface) {
    if (interface->link == LINK_DOWN)
      target_lose (losses, &interface->device, "<link state='down'>", "is told of no link that is down");
  }
  DOMAIN_FOREACH_DEVICE (def, hostdev_kind, const DeviceHostdev, hostdev) {
    if (hostdev->type == HOSTDEV_PCI && hostdev->managed == TRISTATE_YES)
      target_lose (losses, &hostdev->device, "managed=",
                   "has nobody to take the device from the host's driver: bind it to vfio-pci yourself, with "
                   "managed='no'");
  }
  DOMAIN_FOREACH_DEVICE (def, memballoon_kind, const DeviceMemballoon, balloon) {
    if (balloon->model != BALLOON_NONE && def->current_memory.set && def->memory.set
        && def->current_memory.value < def->memory.value)
      target_lose (losses, NULL, "<currentMemory>", "has all its memory: nobody tells its balloon");
  }
  if (is_labelled (def))
    target_lose (losses, NULL, "<seclabel>", "is labelled by nobody");
  if (def->vcpu_placement == VCPU_PLACEMENT_AUTO)
    target_lose (losses, NULL, "<vcpu placement='auto'>", "asks nobody for a place");
  for (guint i = 0; def->vcpu_list != NULL && i < def->vcpu_list->len; i++) {
    const DomainVcpu *vcpu = g_ptr_array_index (def->vcpu_list, i);

    if (vcpu->enabled == TRISTATE_YES && vcpu->hotpluggable == TRISTATE_YES) {
      target_lose (losses, NULL, "<vcpus>", "starts without vCPUs that are plugged in");
      break;
    }
  }
}

gboolean
alone_recipe (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, Recipe **ret,
              GError **error)
{
  TargetRequest alone = *request;
  g_autoptr (Recipe) recipe = NULL;
  const char *emulator;

  alone.run_directory = ALONE_DIRECTORY;
  if (!qemu_target_recipe (&alone, losses, &recipe, error))
    return FALSE;
  if (recipe == NULL)
    return TRUE;
  emulator = request->def->emulator != NULL ? request->def->emulator : qemu_caps_binary (request->caps);
  if (strchr (emulator, '=') != NULL)
    target_refuse (losses, NULL, "<emulator>", "is not found by a path with a '=' in it");
  refuse_files (recipe, losses);
  refuse_helpers (request->def, losses);
  lose_values (request->def, losses);
  for (const char *const *warning = recipe_warnings (recipe); *warning != NULL; warning++)
    target_config_warn (config, "%s", *warning);
  *ret = g_steal_pointer (&recipe);
  return TRUE;
}

/* A store that is there is kept, and one that was half copied is never taken for one. */
static void
append_store (GString *text, const RecipeFile *file)
{
  g_autofree char *path = g_shell_quote (file->path), *directory = g_path_get_dirname (file->path);
  g_autofree char *parent = g_shell_quote (directory), *from = NULL;

  if (file->problem != NULL) {
    g_autofree char *problem = g_shell_quote (file->problem);

    g_string_append_printf (text, "[ -e %s ] || { printf '%%s\\n' %s >&2; exit 1; }\n", path, problem);
    return;
  }
  from = g_shell_quote (file->made_from);
  g_string_append_printf (text,
                          "[ -e %s ] || { mkdir -p -- %s && cp -- %s %s.part && mv -- %s.part %s; } || "
                          "exit 1\n",
                          path, parent, from, path, path, path);
}

char *
alone_preparations (const Recipe *recipe)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < recipe_file_count (recipe); i++) {
    const RecipeFile *file = recipe_get_file (recipe, i);

    if (file->is_store)
      append_store (text, file);
    else if (file->content != NULL) {
      g_autofree char *path = g_shell_quote (file->path), *content = g_shell_quote (file->content);

      g_string_append_printf (text, "printf %%s %s > %s || exit 1\n", content, path);
    }
  }
  return g_string_free (text, FALSE);
}

const char *
alone_path_below (const char *variable)
{
  const char *value = strchr (variable, '=') + 1;

  if (g_str_equal (value, ALONE_DIRECTORY))
    return "";
  return g_str_has_prefix (value, ALONE_PREFIX) ? value + strlen (ALONE_DIRECTORY) : NULL;
}

char *
alone_file_name (const DomainDef *def)
{
  char *name = g_strdup (def->name);

  return g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '_');
}

char *
alone_title (const DomainDef *def)
{
  char *title = g_strdup (def->name);

  for (char *c = title; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c) || *c == '\\')
      *c = '_';
  return title;
}
