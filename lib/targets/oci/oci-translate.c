/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's document as the config.json of an OCI runtime's bundle. The runtime makes no network: cards
 * are its caller's, and lost here. What every container of libvirt's has without a word (the kernel's own
 * filesystems, an empty /dev, a hidden part of /proc) has to be said.
 */
#include "targets/oci/oci-target.h"

#include "base/translate-mark.h"
#include "domain/devices/console.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/hostdev.h"
#include "targets/container.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_TERM "TERM=linux"

static const TargetPart parts[] = {
  CONTAINER_COMMON_PARTS,
  NEEDLESS ("on_poweroff"),
  NEEDLESS ("on_crash"),
  LOST ("devices/disk", "has no disks: only directories, memory and block devices that are mounted"),
  LOST ("devices/interface", "has no network cards: whoever calls the runtime makes them"),
  CARRIED ("devices/console"),
  LOST ("devices/console/log", "keeps no log of its terminal"),
  LOST ("devices/hostdev", "needs the numbers of a device's node, which only the host knows"),
  { NULL, TARGET_LOST, NULL },
};

/*
 * JSON.
 */
static void
set_text (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
set_number (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
set_flag (JsonBuilder *json, const char *name, gboolean value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_boolean_value (json, value);
}

static void
begin_object (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
}

static void
begin_array (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
}

/* @words: separated by one blank */
static void
set_words (JsonBuilder *json, const char *name, const char *words)
{
  g_auto (GStrv) list = g_strsplit (words, " ", -1);

  begin_array (json, name);
  for (guint i = 0; list[i] != NULL; i++)
    json_builder_add_string_value (json, list[i]);
  json_builder_end_array (json);
}

/*
 * The process.
 */
static gboolean
has_variable (const Container *container, const char *name)
{
  for (guint i = 0; i < container->variables->len; i++)
    if (g_str_equal (((const ContainerVariable *)g_ptr_array_index (container->variables, i))->name, name))
      return TRUE;
  return FALSE;
}

static void
add_environment (JsonBuilder *json, const Container *container)
{
  begin_array (json, "env");
  if (!has_variable (container, "PATH"))
    json_builder_add_string_value (json, DEFAULT_PATH);
  if (!has_variable (container, "TERM"))
    json_builder_add_string_value (json, DEFAULT_TERM);
  for (guint i = 0; i < container->variables->len; i++) {
    const ContainerVariable *variable = g_ptr_array_index (container->variables, i);
    g_autofree char *text = g_strdup_printf ("%s=%s", variable->name, variable->value);

    json_builder_add_string_value (json, text);
  }
  json_builder_end_array (json);
}

static void
set_account (JsonBuilder *json, const char *name, const char *account, const char *part, TargetLosses *losses)
{
  guint64 number = 0;

  container_read_account (account, part, losses, &number);
  set_number (json, name, (gint64)number);
}

static void
set_capabilities (JsonBuilder *json, const Container *container, const char *set)
{
  begin_array (json, set);
  for (guint i = 0; container_capability_names[i] != NULL; i++) {
    g_autofree char *upper = g_ascii_strup (container_capability_names[i], -1);
    g_autofree char *name = g_strconcat ("CAP_", upper, NULL);

    if (container_has_capability (container, container_capability_names[i]))
      json_builder_add_string_value (json, name);
  }
  json_builder_end_array (json);
}

static void
add_process (JsonBuilder *json, const DomainDef *def, const Container *container, TargetLosses *losses)
{
  const DomainOs *os = &def->os;

  begin_object (json, "process");
  set_flag (json, "terminal", domain_def_count_devices (def, &console_kind) > 0);
  begin_object (json, "user");
  set_account (json, "uid", os->init_user, "<os><inituser>", losses);
  set_account (json, "gid", os->init_group, "<os><initgroup>", losses);
  json_builder_end_object (json);
  begin_array (json, "args");
  json_builder_add_string_value (json, os->init);
  for (guint i = 0; os->init_arguments != NULL && i < os->init_arguments->len; i++)
    json_builder_add_string_value (json, g_ptr_array_index (os->init_arguments, i));
  json_builder_end_array (json);
  add_environment (json, container);
  set_text (json, "cwd", os->init_directory != NULL ? os->init_directory : "/");
  begin_object (json, "capabilities");
  set_capabilities (json, container, "bounding");
  set_capabilities (json, container, "effective");
  set_capabilities (json, container, "permitted");
  json_builder_end_object (json);
  json_builder_end_object (json);
}

/*
 * Files.
 */
static void
add_root (JsonBuilder *json, const DomainDef *def, TargetLosses *losses)
{
  const DeviceFilesystem *root = NULL;

  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, DeviceFilesystem, filesystem) {
    if (container_is_root (filesystem) && root == NULL)
      root = filesystem;
    else if (container_is_root (filesystem))
      target_lose (losses, &filesystem->device, "<target dir=>", "has one root");
  }
  if (root != NULL && (root->type != FILESYSTEM_MOUNT || root->source_dir == NULL))
    target_refuse (losses, &root->device, "type=", "takes a directory for its root");
  begin_object (json, "root");
  set_text (json, "path", root != NULL && root->source_dir != NULL ? root->source_dir : "/");
  set_flag (json, "readonly", root != NULL && root->readonly);
  json_builder_end_object (json);
}

static void
add_mount (JsonBuilder *json, const char *target, const char *type, const char *source, const char *options)
{
  json_builder_begin_object (json);
  set_text (json, "destination", target);
  set_text (json, "type", type);
  set_text (json, "source", source);
  set_words (json, "options", options);
  json_builder_end_object (json);
}

static void
add_filesystem (JsonBuilder *json, const DeviceFilesystem *filesystem, TargetLosses *losses)
{
  const char *access = filesystem->readonly ? "ro" : "rw";
  g_autofree char *bound = g_strconcat ("rbind ", access, NULL);
  guint64 unit = 1;

  if (filesystem->target == NULL || filesystem->target[0] != '/') {
    target_lose (losses, &filesystem->device, "<target dir=>", "mounts at a path from '/'");
  } else if ((filesystem->type == FILESYSTEM_MOUNT || filesystem->type == FILESYSTEM_BIND)
             && filesystem->source_dir != NULL) {
    add_mount (json, filesystem->target, "bind", filesystem->source_dir, bound);
  } else if (filesystem->type == FILESYSTEM_RAM && filesystem->source_usage != NULL
             && size_unit (filesystem->source_units, 1024, &unit)) {
    g_autofree char *options = g_strdup_printf ("nosuid nodev %s size=%" G_GUINT64_FORMAT, access,
                                                g_ascii_strtoull (filesystem->source_usage, NULL, 10) * unit);

    add_mount (json, filesystem->target, "tmpfs", "tmpfs", options);
  } else {
    target_lose (losses, &filesystem->device, "type=",
                 "mounts directories and memory: which filesystem an image or a device has, the document "
                 "does not say");
  }
}

static void
add_mounts (JsonBuilder *json, const DomainDef *def, TargetLosses *losses)
{
  begin_array (json, "mounts");
  add_mount (json, "/proc", "proc", "proc", "nosuid noexec nodev");
  add_mount (json, "/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k");
  add_mount (json, "/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620");
  add_mount (json, "/dev/shm", "tmpfs", "shm", "nosuid noexec nodev mode=1777 size=65536k");
  add_mount (json, "/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev");
  add_mount (json, "/sys", "sysfs", "sysfs", "nosuid noexec nodev ro");
  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, DeviceFilesystem, filesystem) {
    if (filesystem->driver != FILESYSTEM_DRIVER_NONE && filesystem->driver != FILESYSTEM_DRIVER_PATH)
      target_lose (losses, &filesystem->device, "<driver type=>", "mounts by the kernel alone");
    else if (!container_is_root (filesystem))
      add_filesystem (json, filesystem, losses);
  }
  json_builder_end_array (json);
}

/*
 * Linux's part.
 */
static void
add_namespace (JsonBuilder *json, const char *type, const char *path)
{
  json_builder_begin_object (json);
  set_text (json, "type", type);
  if (path != NULL)
    set_text (json, "path", path);
  json_builder_end_object (json);
}

/* The file of a namespace that is another's. NULL: the document shares none of that kind; or it is lost. */
static char *
find_shared (const Container *container, const char *kind, TargetLosses *losses)
{
  for (guint i = 0; i < container->shares->len; i++) {
    const ContainerShare *share = g_ptr_array_index (container->shares, i);
    guint64 pid;

    if (!g_str_equal (share->kind, kind))
      continue;
    if (g_str_equal (share->type, "netns"))
      return g_build_filename ("/run/netns", share->value, NULL);
    if (g_str_equal (share->type, "pid") && parse_uint (share->value, G_MAXINT32, &pid))
      return g_strdup_printf ("/proc/%s/ns/%s", share->value, kind);
    target_lose (losses, NULL, "<lxc:namespace>",
                 "knows no containers by their names: type='pid' or 'netns'");
  }
  return NULL;
}

static void
add_namespaces (JsonBuilder *json, const DomainDef *def, const Container *container, TargetLosses *losses)
{
  g_autofree char *net = find_shared (container, "net", losses),
                  *ipc = find_shared (container, "ipc", losses);
  g_autofree char *uts = find_shared (container, "uts", losses);

  begin_array (json, "namespaces");
  add_namespace (json, "pid", NULL);
  add_namespace (json, "mount", NULL);
  add_namespace (json, "ipc", ipc);
  add_namespace (json, "uts", uts);
  if (net != NULL || def->features.privnet)
    add_namespace (json, "network", net); /* otherwise it is the host's, as libvirt's is */
  if (container->mappings->len > 0)
    add_namespace (json, "user", NULL);
  json_builder_end_array (json);
}

static void
add_mappings (JsonBuilder *json, const Container *container, const char *name, gboolean is_group)
{
  begin_array (json, name);
  for (guint i = 0; i < container->mappings->len; i++) {
    const ContainerMapping *mapping = g_ptr_array_index (container->mappings, i);

    if (mapping->is_group != is_group)
      continue;
    json_builder_begin_object (json);
    set_number (json, "containerID", (gint64)mapping->start);
    set_number (json, "hostID", (gint64)mapping->target);
    set_number (json, "size", (gint64)mapping->count);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_memory (JsonBuilder *json, const DomainDef *def)
{
  const DomainMemtune *tune = &def->memtune;
  guint64 limit = container_memory_limit (def);

  begin_object (json, "memory");
  set_number (json, "limit", (gint64)(limit * 1024));
  if (tune->soft_limit.set)
    set_number (json, "reservation", (gint64)(tune->soft_limit.value * 1024));
  if (tune->swap_hard_limit.set)
    set_number (json, "swap", (gint64)(tune->swap_hard_limit.value * 1024));
  json_builder_end_object (json);
}

static void
add_processors (JsonBuilder *json, const DomainDef *def)
{
  const DomainCputune *tune = &def->cputune;
  const Number *period;
  const SignedNumber *quota = container_quota (def, &period);
  const char *nodes = def->numatune.memory != NULL ? def->numatune.memory->nodeset : NULL;

  if (!tune->shares.set && !quota->set && !period->set && def->vcpu_cpuset == NULL && nodes == NULL)
    return;
  begin_object (json, "cpu");
  if (tune->shares.set)
    set_number (json, "shares", (gint64)tune->shares.value);
  if (quota->set)
    set_number (json, "quota", quota->value);
  if (period->set)
    set_number (json, "period", (gint64)period->value);
  if (def->vcpu_cpuset != NULL)
    set_text (json, "cpus", def->vcpu_cpuset);
  if (nodes != NULL)
    set_text (json, "mems", nodes);
  json_builder_end_object (json);
}

static void
add_linux (JsonBuilder *json, const DomainDef *def, const Container *container, TargetLosses *losses)
{
  begin_object (json, "linux");
  add_namespaces (json, def, container, losses);
  if (container->mappings->len > 0) {
    add_mappings (json, container, "uidMappings", FALSE);
    add_mappings (json, container, "gidMappings", TRUE);
  }
  begin_object (json, "resources");
  add_memory (json, def);
  add_processors (json, def);
  if (def->blkiotune.weight.set && def->blkiotune.weight.value > 0) {
    begin_object (json, "blockIO");
    set_number (json, "weight", (gint64)def->blkiotune.weight.value);
    json_builder_end_object (json);
  }
  json_builder_end_object (json);
  set_words (json, "maskedPaths",
             "/proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug /proc/scsi "
             "/sys/firmware");
  set_words (json, "readonlyPaths", "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger");
  json_builder_end_object (json);
}

static void
check_domain (const DomainDef *def, TargetLosses *losses)
{
  guint consoles = 0;

  container_check (def, losses);
  if (def->on_reboot != ON_EVENT_RESTART && def->on_reboot != ON_EVENT_DESTROY)
    target_lose (losses, NULL, "<on_reboot>", "leaves a container that ended to its caller");
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console) {
    if (console->source.type != CHARDEV_PTY || ++consoles > 1)
      target_lose (losses, &console->device, NULL, "has one terminal, of the type 'pty'");
  }
}

static char *
print_json (JsonBuilder *json)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  JsonNode *root = json_builder_get_root (json);
  g_autofree char *text = NULL;

  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  json_generator_set_indent (generator, 2);
  text = json_generator_to_data (generator, NULL);
  json_node_unref (root);
  return g_strconcat (text, "\n", NULL);
}

static gboolean
oci_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
               GError **error G_GNUC_UNUSED)
{
  const DomainDef *def = request->def;
  g_autoptr (Container) container = container_read (def);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const char *const argv[] = { "crun", "run", "--bundle", ".", def->name, NULL };

  check_domain (def, losses);
  if (def->os.init == NULL)
    return TRUE; /* it was refused */
  json_builder_begin_object (json);
  set_text (json, "ociVersion", OCI_VERSION);
  add_process (json, def, container, losses);
  add_root (json, def, losses);
  set_text (json, "hostname", def->name);
  add_mounts (json, def, losses);
  add_linux (json, def, container, losses);
  json_builder_end_object (json);
  target_config_add_file (config, "config.json", print_json (json));
  target_config_set_command (config, NULL, g_strdupv ((char **)argv));
  return TRUE;
}

static gboolean
oci_recognize (const char *file_name, const char *text)
{
  return g_str_equal (file_name, "config.json") && strstr (text, "\"ociVersion\"") != NULL;
}

const Target oci_target = {
  .name = "oci",
  .title = "an OCI runtime",
  .summary = N_ ("a container's config.json for crun, runc and other OCI runtimes"),
  .parts = parts,
  .translate = oci_translate,
  .recognize = oci_recognize,
  .import = oci_import,
};
