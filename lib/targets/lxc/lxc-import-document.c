/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a config of LXC has said as the elements of a document, in libvirt's order. Mounts of what the kernel
 * shows of itself are left out, as every container of libvirt's has them.
 */
#include "targets/lxc/lxc-import.h"

#include "targets/container.h"

#include <string.h>

#define MEMORY_DEFAULT ((guint64)64 << 20) /* bytes, as libvirt takes it where no limit is said */

/* LXC cuts it at each blank, and knows no quotes. */
static void
add_command (const LxcImport *import, XmlElement *os)
{
  g_auto (GStrv) words = g_strsplit (import->init != NULL ? import->init->value : "/sbin/init", " ", -1);
  gboolean has_program = FALSE;

  for (guint i = 0; words[i] != NULL; i++) {
    if (words[i][0] == '\0')
      continue;
    import_add_text (os, has_program ? "initarg" : "init", "%s", words[i]);
    has_program = TRUE;
  }
  if (!has_program)
    MISTAKE (import, import->init, "the command is empty");
}

static void
add_os (const LxcImport *import, XmlElement *domain)
{
  XmlElement *os = xml_element_add (domain, "os");

  import_add_text (os, "type", "exe");
  if (import->arch != NULL)
    xml_element_set (xml_element_ensure (os, "type"), "arch", import->arch);
  add_command (import, os);
  for (guint i = 0; i < import->environment->len; i++) {
    const ImportLine *line = g_ptr_array_index (import->environment, i);
    const char *equals = strchr (line->value, '=');
    g_autofree char *name = equals != NULL ? g_strndup (line->value, (gsize)(equals - line->value)) : NULL;

    if (equals == NULL) /* it is the caller's own */
      lxc_import_warn_lost (import, line);
    else
      xml_element_set_text (import_add (os, "initenv", "name", name, NULL), equals + 1);
  }
  if (import->directory != NULL)
    import_add_text (os, "initdir", "%s", import->directory);
  if (import->user != NULL)
    import_add_text (os, "inituser", "%s", import->user);
  if (import->group != NULL)
    import_add_text (os, "initgroup", "%s", import->group);
}

static void
add_mappings (const LxcImport *import, XmlElement *domain)
{
  XmlElement *idmap = import->mappings->len > 0 ? xml_element_add (domain, "idmap") : NULL;

  for (guint i = 0; i < import->mappings->len; i++) {
    const ImportLine *line = g_ptr_array_index (import->mappings, i);
    g_auto (GStrv) words = g_strsplit_set (line->value, " \t", -1);
    guint64 ignored;

    if (g_strv_length (words) != 4 || (!g_str_equal (words[0], "u") && !g_str_equal (words[0], "g"))
        || !parse_uint (words[1], G_MAXUINT32, &ignored) || !parse_uint (words[2], G_MAXUINT32, &ignored)
        || !parse_uint (words[3], G_MAXUINT32, &ignored))
      MISTAKE (import, line, "'%s' maps no accounts: expected 'u' or 'g' and three numbers", line->value);
    else
      import_add (idmap, words[0][0] == 'u' ? "uid" : "gid", "start", words[1], "target", words[2], "count",
                  words[3], NULL);
  }
}

static void
add_capabilities (const LxcImport *import, const GPtrArray *lines, const char *state,
                  XmlElement *capabilities)
{
  for (guint i = 0; i < lines->len; i++) {
    const ImportLine *line = g_ptr_array_index (lines, i);
    g_auto (GStrv) words = g_strsplit_set (line->value, " \t", -1);

    for (guint k = 0; words[k] != NULL; k++) {
      g_autofree char *name = g_ascii_strdown (words[k], -1);
      const char *plain = g_str_has_prefix (name, "cap_") ? name + strlen ("cap_") : name;

      if (*plain == '\0' || g_str_equal (plain, "none"))
        continue;
      if (g_strv_contains (container_capability_names, plain))
        import_add (capabilities, plain, "state", state, NULL);
      else
        MISTAKE (import, line, "'%s' is no capability: expected one such as 'sys_time'", words[k]);
    }
  }
}

static void
add_features (const LxcImport *import, XmlElement *domain, gboolean lxc_import_has_own_network)
{
  XmlElement *features;

  if (import->dropped->len == 0 && import->kept->len == 0 && !lxc_import_has_own_network)
    return;
  features = xml_element_add (domain, "features");
  if (lxc_import_has_own_network)
    xml_element_add (features, "privnet");
  if (import->kept->len > 0)
    add_capabilities (import, import->kept, "on",
                      import_add (features, "capabilities", "policy", "deny", NULL));
  else if (import->dropped->len > 0)
    add_capabilities (import, import->dropped, "off",
                      import_add (features, "capabilities", "policy", "allow", NULL));
}

/* A field of fstab: "\040" is a blank. */
static void
decode_field (char *field)
{
  char *to = field;

  for (const char *from = field; *from != '\0'; from++)
    if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7'
        && from[3] >= '0' && from[3] <= '7' && !g_str_has_prefix (from, "\\000")) {
      *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 3;
    } else {
      *to++ = *from;
    }
  *to = '\0';
}

static const char *
find_option (char **options, const char *name)
{
  for (guint i = 0; options[i] != NULL; i++)
    if (g_str_has_prefix (options[i], name))
      return options[i] + strlen (name);
  return NULL;
}

static void
add_ram (XmlElement *filesystem, char **options)
{
  const char *size = find_option (options, "size=");
  gsize digits = size != NULL ? strspn (size, G_CSET_DIGITS) : 0;
  g_autofree char *number = size != NULL ? g_strndup (size, digits) : NULL;
  guint64 count, unit;
  g_autofree char *usage = NULL;

  if (size != NULL && parse_uint (number, G_MAXINT64, &count) && size_unit (size + digits, 1, &unit)
      && count <= G_MAXINT64 / unit)
    usage = g_strdup_printf ("%" G_GUINT64_FORMAT, count * unit);
  import_add (filesystem, "source", "usage", usage != NULL ? usage : "65536", "units",
              usage != NULL ? "bytes" : "KiB", NULL);
}

/* "SOURCE TARGET TYPE OPTIONS DUMP PASS": what the kernel shows of itself is in every container. */
static void
add_mount (const LxcImport *import, const ImportLine *line, XmlElement *devices)
{
  static const char *const kernels[] = { "proc",    "sysfs",  "devpts",     "cgroup",
                                         "cgroup2", "mqueue", "securityfs", NULL };
  g_auto (GStrv) fields = g_strsplit_set (line->value, " \t", 6);
  guint count = g_strv_length (fields);
  g_auto (GStrv) options = count >= 4 ? g_strsplit (fields[3], ",", -1) : NULL;
  g_autofree char *target = NULL;
  gboolean is_bind;
  XmlElement *filesystem;

  if (count < 4) {
    MISTAKE (import, line, "'%s' mounts nothing: expected 'SOURCE TARGET TYPE OPTIONS'", line->value);
    return;
  }
  is_bind = g_strv_contains ((const char *const *)options, "bind")
            || g_strv_contains ((const char *const *)options, "rbind");
  decode_field (fields[0]);
  decode_field (fields[1]);
  if (!g_utf8_validate (fields[0], -1, NULL) || !g_utf8_validate (fields[1], -1, NULL)) {
    MISTAKE (import, line, "the path is no UTF-8");
    return;
  }
  if (g_strv_contains (kernels, fields[2]))
    return;
  target = g_strconcat ("/", fields[1] + strspn (fields[1], "/"), NULL);
  if (is_bind && g_str_has_prefix (fields[0], "/dev/")) {
    filesystem = import_add (devices, "hostdev", "mode", "capabilities", "type", "misc", NULL);
    import_add_text (xml_element_add (filesystem, "source"), "char", "%s", fields[0]);
    return;
  }
  filesystem = import_add (devices, "filesystem", "type",
                           g_str_equal (fields[2], "tmpfs") ? "ram"
                           : is_bind                        ? "mount"
                                                            : "block",
                           NULL);
  if (g_str_equal (fields[2], "tmpfs"))
    add_ram (filesystem, options);
  else
    import_add (filesystem, "source", is_bind ? "dir" : "dev", fields[0], NULL);
  import_add (filesystem, "target", "dir", target, NULL);
  if (g_strv_contains ((const char *const *)options, "ro"))
    xml_element_add (filesystem, "readonly");
}

static void
add_root (const LxcImport *import, XmlElement *devices)
{
  gboolean is_block = g_str_has_prefix (import->root, "/dev/"),
           is_file = g_str_has_prefix (import->root, "loop:");
  XmlElement *filesystem = import_add (devices, "filesystem", "type",
                                       is_block  ? "block"
                                       : is_file ? "file"
                                                 : "mount",
                                       NULL);

  if (is_file)
    import_add (filesystem, "driver", "type", "loop", "format", "raw", NULL);
  import_add (filesystem, "source",
              is_block  ? "dev"
              : is_file ? "file"
                        : "dir",
              is_file ? import->root + strlen ("loop:") : import->root, NULL);
  import_add (filesystem, "target", "dir", "/", NULL);
  if (import->root_readonly)
    xml_element_add (filesystem, "readonly");
}

static void
add_limits (const LxcImport *import, XmlElement *domain)
{
  guint64 swap = import->memory_and_swap != 0 ? import->memory_and_swap
                                              : (import->swap != 0 ? import->memory + import->swap : 0);
  XmlElement *tune;

  if (import->soft_limit != 0 || swap != 0) {
    tune = xml_element_add (domain, "memtune");
    if (import->soft_limit != 0)
      import_add_text (tune, "soft_limit", "%" G_GUINT64_FORMAT, import->soft_limit >> 10);
    if (swap != 0)
      import_add_text (tune, "swap_hard_limit", "%" G_GUINT64_FORMAT, swap >> 10);
  }
  if (import->weight != 0)
    import_add_text (xml_element_add (domain, "blkiotune"), "weight", "%" G_GUINT64_FORMAT, import->weight);
  if (import->shares_weight != 0 || import->quota > 0) {
    tune = xml_element_add (domain, "cputune");
    if (import->shares_weight != 0)
      import_add_text (tune, "shares", "%" G_GUINT64_FORMAT, import->shares_weight);
    if (import->quota > 0 && import->period != 0)
      import_add_text (tune, "period", "%" G_GUINT64_FORMAT, import->period);
    if (import->quota > 0)
      import_add_text (tune, "quota", "%" G_GINT64_FORMAT, import->quota);
  }
  if (import->nodes != NULL)
    import_add (xml_element_add (domain, "numatune"), "memory", "mode", "strict", "nodeset", import->nodes,
                NULL);
}

static void
add_devices (const LxcImport *import, XmlElement *domain)
{
  XmlElement *devices = xml_element_add (domain, "devices");

  if (import->root != NULL)
    add_root (import, devices);
  for (guint i = 0; i < import->mounts->len; i++)
    add_mount (import, g_ptr_array_index (import->mounts, i), devices);
  for (guint i = 0; i < import->cards->len; i++)
    lxc_import_add_card (import, g_ptr_array_index (import->cards, i), devices);
  for (guint i = 0; i < import->terminals; i++)
    import_add (import_add (devices, "console", "type", "pty", NULL), "target", "type", "lxc", NULL);
}

/* "lxc.namespace.share.net = /run/netns/red" */
static void
add_shares (const LxcImport *import, XmlElement *domain)
{
  XmlElement *namespace = NULL;

  for (guint i = 0; i < import->shares->len; i++) {
    const ImportLine *line = g_ptr_array_index (import->shares, i);
    const char *kind = line->key + strlen ("lxc.namespace.share."), *value = line->value;
    g_autofree char *name = g_strconcat ("lxc:share", kind, NULL);
    gboolean is_file = g_str_has_prefix (value, "/run/netns/");
    guint64 pid;

    if (!g_str_equal (kind, "net") && !g_str_equal (kind, "ipc") && !g_str_equal (kind, "uts")) {
      lxc_import_warn_lost (import, line);
      continue;
    }
    if (namespace == NULL) {
      xml_element_set (domain, "xmlns:lxc", "http://libvirt.org/schemas/domain/lxc/1.0");
      namespace = xml_element_add (domain, "lxc:namespace");
    }
    import_add (namespace, name, "type",
                is_file                                ? "netns"
                : parse_uint (value, G_MAXINT32, &pid) ? "pid"
                                                       : "name",
                "value", is_file ? value + strlen ("/run/netns/") : value, NULL);
  }
}

char *
lxc_import_document (const LxcImport *import)
{
  g_autoptr (XmlElement) domain = xml_element_new ("domain");

  xml_element_set (domain, "type", "lxc");
  import_add_text (domain, "name", "%s", import->name != NULL ? import->name : "unnamed");
  import_add_text (domain, "memory", "%" G_GUINT64_FORMAT,
                   MAX ((import->memory != 0 ? import->memory : MEMORY_DEFAULT) >> 10, 1));
  add_limits (import, domain);
  import_add_text (domain, "vcpu", "1");
  if (import->cpus != NULL)
    xml_element_set (xml_element_ensure (domain, "vcpu"), "cpuset", import->cpus);
  add_os (import, domain);
  add_mappings (import, domain);
  add_features (import, domain, lxc_import_has_own_network (import));
  add_devices (import, domain);
  add_shares (import, domain);
  return diagnostics_has_errors (import->diagnostics) ? NULL : xml_element_to_string (domain);
}
