/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of an OCI runtime's config.json. What a bundle's tools write into every container (the
 * kernel's own filesystems, hidden parts of /proc) is in libvirt's without a word; what the format has no
 * place for is told, member by member, with the place of each.
 */
#include "targets/oci/oci-target.h"

#include "base/untrusted-json.h"
#include "targets/container.h"
#include "targets/import-text.h"
#include "targets/json-place.h"

#include <string.h>

#define MEMORY_DEFAULT ((guint64)64 << 20) /* bytes, as libvirt takes it where no limit is said */
#define ENTRIES_MAX    4096                /* of one list */

typedef struct {
  const char *text;
  Diagnostics *diagnostics;
  JsonObject *root, *process, *linux_part, *resources;
} Import;

#define MISTAKE(import, path, ...)                                                  \
  diagnostics_error ((import)->diagnostics, json_place_find ((import)->text, path), \
                     VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

static void
warn_lost (const Import *import, const char *path)
{
  diagnostics_warning (import->diagnostics, json_place_find (import->text, path), VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s' has no place in the format and is left out", path);
}

/* A warning for each member of @object that is none of @known. @path: of the object, with a slash, or "". */
static void
warn_of_members (const Import *import, JsonObject *object, const char *path, const char *const *known)
{
  g_autoptr (GList) members = object != NULL ? json_object_get_members (object) : NULL;

  for (const GList *member = members; member != NULL; member = member->next) {
    g_autofree char *whole = g_strconcat (path, member->data, NULL);

    if (!g_strv_contains (known, member->data))
      warn_lost (import, whole);
  }
}

static JsonArray *
find_list (const Import *import, JsonObject *object, const char *name, const char *path)
{
  JsonArray *list = object != NULL ? untrusted_list (object, name) : NULL;

  if (list != NULL && json_array_get_length (list) > ENTRIES_MAX) {
    MISTAKE (import, path, "'%s' has more than %d elements", path, ENTRIES_MAX);
    return NULL;
  }
  if (object != NULL && list == NULL && json_object_has_member (object, name))
    MISTAKE (import, path, "'%s' is no list", path);
  return list;
}

static guint
list_length (JsonArray *list)
{
  return list != NULL ? json_array_get_length (list) : 0;
}

/*
 * The process.
 */
static void
add_arguments (const Import *import, XmlElement *os)
{
  JsonArray *arguments = find_list (import, import->process, "args", "process/args");

  if (list_length (arguments) == 0)
    MISTAKE (import, "process/args", "the container starts nothing: expected a program in 'process/args'");
  for (guint i = 0; i < list_length (arguments); i++) {
    const char *word = untrusted_text_of (json_array_get_element (arguments, i));

    if (word == NULL || (i == 0 && word[0] == '\0')) {
      g_autofree char *path = g_strdup_printf ("process/args/%u", i);

      MISTAKE (import, path, "'%s' is no word of a command", path);
    } else if (i == 0 && word[0] != '/') { /* a runtime would search for it */
      MISTAKE (import, "process/args/0", "'%s' is no path: write the program's whole path", word);
    } else {
      import_add_text (os, i == 0 ? "init" : "initarg", "%s", word);
    }
  }
}

static void
add_environment (const Import *import, XmlElement *os)
{
  JsonArray *environment = find_list (import, import->process, "env", "process/env");

  for (guint i = 0; i < list_length (environment); i++) {
    const char *variable = untrusted_text_of (json_array_get_element (environment, i));
    const char *equals = variable != NULL ? strchr (variable, '=') : NULL;
    g_autofree char *name = equals != NULL ? g_strndup (variable, (gsize)(equals - variable)) : NULL;

    if (name == NULL || name[0] == '\0') {
      g_autofree char *path = g_strdup_printf ("process/env/%u", i);

      MISTAKE (import, path, "'%s' is no variable: expected 'NAME=VALUE'",
               variable != NULL ? variable : path);
    } else {
      xml_element_set_text (import_add (os, "initenv", "name", name, NULL), equals + 1);
    }
  }
}

static void
add_os (const Import *import, XmlElement *domain)
{
  JsonObject *user = import->process != NULL ? untrusted_object (import->process, "user") : NULL;
  const char *directory = import->process != NULL ? untrusted_text (import->process, "cwd") : NULL;
  guint64 uid = user != NULL ? untrusted_count (user, "uid") : 0,
          gid = user != NULL ? untrusted_count (user, "gid") : 0;
  XmlElement *os = xml_element_add (domain, "os");

  import_add_text (os, "type", "exe");
  add_arguments (import, os);
  add_environment (import, os);
  if (directory != NULL && !g_str_equal (directory, "/"))
    import_add_text (os, "initdir", "%s", directory);
  if (uid != 0 || gid != 0) {
    import_add_text (os, "inituser", "%" G_GUINT64_FORMAT, uid);
    import_add_text (os, "initgroup", "%" G_GUINT64_FORMAT, gid);
  }
}

/* The bounding set is what the container can ever have. */
static void
add_capabilities (const Import *import, XmlElement *features)
{
  JsonObject *sets = import->process != NULL ? untrusted_object (import->process, "capabilities") : NULL;
  JsonArray *names = find_list (import, sets, "bounding", "process/capabilities/bounding");
  XmlElement *capabilities = import_add (features, "capabilities", "policy", "deny", NULL);

  for (guint i = 0; i < list_length (names); i++) {
    const char *said = untrusted_text_of (json_array_get_element (names, i));
    g_autofree char *name = said != NULL ? g_ascii_strdown (said, -1) : NULL;
    const char *plain = name != NULL && g_str_has_prefix (name, "cap_") ? name + strlen ("cap_") : name;
    g_autofree char *path = g_strdup_printf ("process/capabilities/bounding/%u", i);

    if (plain != NULL && g_strv_contains (container_capability_names, plain))
      import_add (capabilities, plain, "state", "on", NULL);
    else if (plain != NULL
             && (g_str_equal (plain, "perfmon") || g_str_equal (plain, "bpf")
                 || g_str_equal (plain, "checkpoint_restore")))
      warn_lost (import, path);
    else
      MISTAKE (import, path, "'%s' is no capability: expected one such as 'CAP_SYS_TIME'",
               said != NULL ? said : path);
  }
}

/*
 * Files.
 */
static void
add_root (const Import *import, XmlElement *devices)
{
  JsonObject *root = untrusted_object (import->root, "root");
  const char *path = root != NULL ? untrusted_text (root, "path") : NULL;
  XmlElement *filesystem;

  if (path == NULL || path[0] != '/') {
    MISTAKE (import, "root/path",
             path == NULL ? "the container has no root: expected its directory in 'root/path'%s"
                          : "the root '%s' is one of the bundle's: write its whole path",
             path != NULL ? path : "");
    return;
  }
  filesystem = import_add (devices, "filesystem", "type", "mount", NULL);
  import_add (filesystem, "source", "dir", path, NULL);
  import_add (filesystem, "target", "dir", "/", NULL);
  if (untrusted_switch (root, "readonly"))
    xml_element_add (filesystem, "readonly");
}

/* The value of "NAME=" or the word NAME among a mount's options; NULL: it is not there. */
static const char *
find_option (JsonObject *mount, const char *name)
{
  JsonArray *options = untrusted_list (mount, "options");

  for (guint i = 0; i < MIN (list_length (options), ENTRIES_MAX); i++) {
    const char *option = untrusted_text_of (json_array_get_element (options, i));

    if (option != NULL && g_str_has_prefix (option, name))
      return option + strlen (name);
  }
  return NULL;
}

static gboolean
has_option (JsonObject *mount, const char *name)
{
  const char *behind = find_option (mount, name);

  return behind != NULL && behind[0] == '\0';
}

static void
add_ram (JsonObject *mount, XmlElement *filesystem)
{
  const char *size = find_option (mount, "size=");
  gsize digits = size != NULL ? strspn (size, G_CSET_DIGITS) : 0;
  g_autofree char *number = size != NULL ? g_strndup (size, digits) : NULL, *usage = NULL;
  guint64 count, unit;

  if (size != NULL && parse_uint (number, G_MAXINT64, &count) && size_unit (size + digits, 1, &unit)
      && count <= G_MAXINT64 / unit)
    usage = g_strdup_printf ("%" G_GUINT64_FORMAT, count * unit);
  import_add (filesystem, "source", "usage", usage != NULL ? usage : "65536", "units",
              usage != NULL ? "bytes" : "KiB", NULL);
}

/* What libvirt's containers have anyway: the kernel's filesystems, and those below /dev. */
static gboolean
is_implied (const char *type, const char *target)
{
  static const char *const kernels[] = { "proc",    "sysfs",   "devpts",     "mqueue",   "cgroup",
                                         "cgroup2", "debugfs", "securityfs", "devtmpfs", NULL };

  return (type != NULL && g_strv_contains (kernels, type)) || g_str_equal (target, "/dev")
         || g_str_equal (target, "/dev/shm");
}

static void
add_mount (const Import *import, JsonObject *mount, const char *path, XmlElement *devices)
{
  const char *target = untrusted_text (mount, "destination"), *source = untrusted_text (mount, "source");
  const char *type = untrusted_text (mount, "type");
  gboolean is_bind =
      has_option (mount, "bind") || has_option (mount, "rbind") || g_strcmp0 (type, "bind") == 0;
  XmlElement *filesystem;

  if (target == NULL || target[0] != '/') {
    MISTAKE (import, path, "'%s' mounts nothing: expected a path from '/' in 'destination'", path);
  } else if (is_implied (type, target)) {
    return;
  } else if (is_bind && source != NULL && source[0] == '/') {
    filesystem = import_add (devices, "filesystem", "type", "mount", NULL);
    import_add (filesystem, "source", "dir", source, NULL);
    import_add (filesystem, "target", "dir", target, NULL);
    if (has_option (mount, "ro"))
      xml_element_add (filesystem, "readonly");
  } else if (g_strcmp0 (type, "tmpfs") == 0) {
    filesystem = import_add (devices, "filesystem", "type", "ram", NULL);
    add_ram (mount, filesystem);
    import_add (filesystem, "target", "dir", target, NULL);
    if (has_option (mount, "ro"))
      xml_element_add (filesystem, "readonly");
  } else if (source != NULL && g_str_has_prefix (source, "/dev/")) {
    filesystem = import_add (devices, "filesystem", "type", "block", NULL);
    import_add (filesystem, "source", "dev", source, NULL);
    import_add (filesystem, "target", "dir", target, NULL);
  } else {
    warn_lost (import, path);
  }
}

static void
add_devices (const Import *import, XmlElement *domain)
{
  XmlElement *devices = xml_element_add (domain, "devices");
  JsonArray *mounts = find_list (import, import->root, "mounts", "mounts");
  JsonArray *nodes = find_list (import, import->linux_part, "devices", "linux/devices");

  add_root (import, devices);
  for (guint i = 0; i < list_length (mounts); i++) {
    JsonObject *mount = untrusted_object_of (json_array_get_element (mounts, i));
    g_autofree char *path = g_strdup_printf ("mounts/%u", i);

    if (mount != NULL)
      add_mount (import, mount, path, devices);
    else
      MISTAKE (import, path, "'%s' is no object", path);
  }
  for (guint i = 0; i < list_length (nodes); i++) {
    JsonObject *node = untrusted_object_of (json_array_get_element (nodes, i));
    const char *path = node != NULL ? untrusted_text (node, "path") : NULL;
    gboolean is_block = node != NULL && g_strcmp0 (untrusted_text (node, "type"), "b") == 0;
    XmlElement *hostdev;

    if (path == NULL || path[0] != '/')
      continue;
    hostdev =
        import_add (devices, "hostdev", "mode", "capabilities", "type", is_block ? "storage" : "misc", NULL);
    import_add_text (xml_element_add (hostdev, "source"), is_block ? "block" : "char", "%s", path);
  }
  if (import->process != NULL && untrusted_switch (import->process, "terminal"))
    import_add (devices, "console", "type", "pty", NULL);
}

/*
 * Linux's part.
 */
static void
add_number (XmlElement *parent, const char *name, JsonObject *object, const char *member, guint64 unit)
{
  gint64 value;

  if (object != NULL && untrusted_number (object, member, &value) && value > 0)
    import_add_text (parent, name, "%" G_GUINT64_FORMAT, (guint64)value / unit);
}

static gboolean
has_positive (JsonObject *object, const char *member)
{
  gint64 value;

  return object != NULL && untrusted_number (object, member, &value) && value > 0;
}

static void
add_limits (const Import *import, XmlElement *domain)
{
  JsonObject *memory = import->resources != NULL ? untrusted_object (import->resources, "memory") : NULL;
  JsonObject *cpu = import->resources != NULL ? untrusted_object (import->resources, "cpu") : NULL;
  JsonObject *disks = import->resources != NULL ? untrusted_object (import->resources, "blockIO") : NULL;
  const char *cpus = cpu != NULL ? untrusted_text (cpu, "cpus") : NULL;
  const char *nodes = cpu != NULL ? untrusted_text (cpu, "mems") : NULL;
  guint64 limit = has_positive (memory, "limit") ? untrusted_count (memory, "limit") : MEMORY_DEFAULT;
  XmlElement *tune;

  import_add_text (domain, "memory", "%" G_GUINT64_FORMAT, MAX (limit >> 10, 1));
  if (has_positive (memory, "reservation") || has_positive (memory, "swap")) {
    tune = xml_element_add (domain, "memtune");
    add_number (tune, "soft_limit", memory, "reservation", 1024);
    add_number (tune, "swap_hard_limit", memory, "swap", 1024);
  }
  if (has_positive (disks, "weight"))
    add_number (xml_element_add (domain, "blkiotune"), "weight", disks, "weight", 1);
  import_add_text (domain, "vcpu", "1");
  if (cpus != NULL && cpus[0] != '\0')
    xml_element_set (xml_element_ensure (domain, "vcpu"), "cpuset", cpus);
  if (has_positive (cpu, "shares") || has_positive (cpu, "quota") || has_positive (cpu, "period")) {
    tune = xml_element_add (domain, "cputune");
    add_number (tune, "shares", cpu, "shares", 1);
    add_number (tune, "period", cpu, "period", 1);
    add_number (tune, "quota", cpu, "quota", 1);
  }
  if (nodes != NULL && nodes[0] != '\0')
    import_add (xml_element_add (domain, "numatune"), "memory", "mode", "strict", "nodeset", nodes, NULL);
}

static void
add_mappings (const Import *import, const char *member, const char *name, XmlElement *domain)
{
  g_autofree char *path = g_strconcat ("linux/", member, NULL);
  JsonArray *mappings = find_list (import, import->linux_part, member, path);

  for (guint i = 0; i < list_length (mappings); i++) {
    JsonObject *mapping = untrusted_object_of (json_array_get_element (mappings, i));
    g_autofree char *start = NULL, *target = NULL, *count = NULL;

    if (mapping == NULL)
      continue;
    start = g_strdup_printf ("%" G_GUINT64_FORMAT, untrusted_count (mapping, "containerID"));
    target = g_strdup_printf ("%" G_GUINT64_FORMAT, untrusted_count (mapping, "hostID"));
    count = g_strdup_printf ("%" G_GUINT64_FORMAT, untrusted_count (mapping, "size"));
    import_add (xml_element_ensure (domain, "idmap"), name, "start", start, "target", target, "count", count,
                NULL);
  }
}

/* <lxc:sharenet> and its like, of a file that names a namespace. FALSE: the format has no word for it. */
static gboolean
add_share (XmlElement *domain, const char *type, const char *file)
{
  const char *kind = g_str_equal (type, "network") ? "net" : type;
  g_autofree char *name = g_strconcat ("lxc:share", kind, NULL), *end = g_strconcat ("/ns/", kind, NULL);
  g_autofree char *process = NULL;
  gboolean is_name = g_str_equal (kind, "net") && g_str_has_prefix (file, "/run/netns/");
  gboolean is_process = g_str_has_prefix (file, "/proc/") && g_str_has_suffix (file, end);
  guint64 pid;

  if (!g_str_equal (kind, "net") && !g_str_equal (kind, "ipc") && !g_str_equal (kind, "uts"))
    return FALSE;
  if (is_process)
    process = g_strndup (file + strlen ("/proc/"), strlen (file) - strlen ("/proc/") - strlen (end));
  if (!is_name && (process == NULL || !parse_uint (process, G_MAXINT32, &pid)))
    return FALSE;
  xml_element_set (domain, "xmlns:lxc", "http://libvirt.org/schemas/domain/lxc/1.0");
  import_add (xml_element_ensure (domain, "lxc:namespace"), name, "type", is_name ? "netns" : "pid", "value",
              is_name ? file + strlen ("/run/netns/") : process, NULL);
  return TRUE;
}

/* Its own network, and namespaces that are another's. */
static void
add_namespaces (const Import *import, XmlElement *domain, XmlElement *features)
{
  JsonArray *namespaces = find_list (import, import->linux_part, "namespaces", "linux/namespaces");

  for (guint i = 0; i < list_length (namespaces); i++) {
    JsonObject *namespace = untrusted_object_of (json_array_get_element (namespaces, i));
    const char *type = namespace != NULL ? untrusted_text (namespace, "type") : NULL;
    const char *file = namespace != NULL ? untrusted_text (namespace, "path") : NULL;
    g_autofree char *path = g_strdup_printf ("linux/namespaces/%u", i);

    if (type == NULL)
      MISTAKE (import, path, "'%s' is no namespace: expected its 'type'", path);
    else if (file != NULL ? !add_share (domain, type, file)
                          : g_str_equal (type, "cgroup") || g_str_equal (type, "time"))
      warn_lost (import, path);
    else if (file == NULL && g_str_equal (type, "network"))
      xml_element_ensure (features, "privnet");
  }
}

static void
warn_of_rest (const Import *import)
{
  static const char *const top[] = { "ociVersion", "process", "root", "hostname", "mounts", "linux", NULL };
  static const char *const process[] = { "terminal", "user",         "args",        "env",
                                         "cwd",      "capabilities", "consoleSize", NULL };
  static const char *const own[] = { "namespaces",  "uidMappings",   "gidMappings", "resources", "devices",
                                     "maskedPaths", "readonlyPaths", "cgroupsPath", NULL };
  static const char *const resources[] = { "memory", "cpu", "blockIO", "devices", NULL };

  warn_of_members (import, import->root, "", top);
  warn_of_members (import, import->process, "process/", process);
  warn_of_members (import, import->linux_part, "linux/", own);
  warn_of_members (import, import->resources, "linux/resources/", resources);
}

static char *
write_document (const Import *import)
{
  g_autoptr (XmlElement) domain = xml_element_new ("domain");
  const char *name = untrusted_text (import->root, "hostname");
  XmlElement *features;

  xml_element_set (domain, "type", "lxc");
  if (name != NULL && (name[0] == '\0' || strchr (name, '/') != NULL))
    MISTAKE (import, "hostname", "'%s' is no name of a machine", name);
  import_add_text (domain, "name", "%s", name != NULL ? name : "unnamed");
  add_limits (import, domain);
  add_os (import, domain);
  add_mappings (import, "uidMappings", "uid", domain);
  add_mappings (import, "gidMappings", "gid", domain);
  features = xml_element_add (domain, "features");
  add_capabilities (import, features);
  add_devices (import, domain);
  add_namespaces (import, domain, features);
  warn_of_rest (import);
  return diagnostics_has_errors (import->diagnostics) ? NULL : xml_element_to_string (domain);
}

char *
oci_import (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (JsonObject) root = NULL;
  Import import = { .text = text, .diagnostics = diagnostics };

  if (!import_check_text (text, diagnostics))
    return NULL;
  root = untrusted_json_object (text, strlen (text));
  if (root == NULL || untrusted_text (root, "ociVersion") == NULL) {
    diagnostics_error (diagnostics, (Position){ 1, 1 }, VIR_ERR_CONFIG_UNSUPPORTED,
                       root == NULL ? "expected one JSON object"
                                    : "expected the config of an OCI bundle, with 'ociVersion'");
    return NULL;
  }
  import.root = root;
  import.process = untrusted_object (root, "process");
  import.linux_part = untrusted_object (root, "linux");
  import.resources = import.linux_part != NULL ? untrusted_object (import.linux_part, "resources") : NULL;
  return write_document (&import);
}
