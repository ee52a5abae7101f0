/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of a config of LXC: the names of 3.0 and later, and those of 2.x, which a table makes into the
 * new ones. What the format has no place for is told with its line, and files that the config includes are
 * refused: what they say is not known here.
 */
#include "targets/lxc/lxc-import.h"

#include "targets/container.h"
#include "targets/lxc/lxc-target.h"

#include <string.h>

#define TERMINALS_MAX 256

/* Names of LXC 2.x beside those they have now. */
static const struct {
  const char *old, *name;
} old_names[] = {
  { "lxc.utsname", "lxc.uts.name" },
  { "lxc.rootfs", "lxc.rootfs.path" },
  { "lxc.mount", "lxc.mount.fstab" },
  { "lxc.id_map", "lxc.idmap" },
  { "lxc.tty", "lxc.tty.max" },
  { "lxc.pts", "lxc.pty.max" },
  { "lxc.init_cmd", "lxc.init.cmd" },
  { "lxc.init_uid", "lxc.init.uid" },
  { "lxc.init_gid", "lxc.init.gid" },
  { "lxc.aa_profile", "lxc.apparmor.profile" },
  { "lxc.se_context", "lxc.selinux.context" },
  { "lxc.seccomp", "lxc.seccomp.profile" },
};

/* What every container of libvirt's has anyway, or means nothing to one. */
static const char *const needless[] = { "lxc.mount.auto", "lxc.pty.max", "lxc.autodev", "lxc.tty.dir", NULL };

void
lxc_import_warn_lost (const LxcImport *import, const ImportLine *line)
{
  diagnostics_warning (import->diagnostics, line->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s' has no place in the format and is left out", line->key);
}

static void
read_number (const LxcImport *import, const ImportLine *line, guint64 max, guint64 *ret)
{
  if (!parse_uint (line->value, max, ret))
    MISTAKE (import, line, "'%s' of '%s' is no number: expected 0 to %" G_GUINT64_FORMAT, line->value,
             line->key, max);
}

/* Bytes: "512M" and "max". */
static void
read_bytes (const LxcImport *import, const ImportLine *line, guint64 *ret)
{
  gsize digits = strspn (line->value, G_CSET_DIGITS);
  g_autofree char *number = g_strndup (line->value, digits);
  guint64 count, unit;

  if (g_str_equal (line->value, "max") || g_str_equal (line->value, "-1"))
    *ret = 0;
  else if (parse_uint (number, G_MAXINT64, &count) && size_unit (line->value + digits, 1, &unit)
           && count <= G_MAXINT64 / unit)
    *ret = count * unit;
  else
    MISTAKE (import, line, "'%s' of '%s' is no size: expected bytes, or one such as '512M'", line->value,
             line->key);
}

/*
 * Settings.
 */
static void
read_name (LxcImport *import, ImportLine *line)
{
  if (line->value[0] == '\0' || strchr (line->value, '/') != NULL)
    MISTAKE (import, line, "'%s' is no name of a machine", line->value);
  import_set_text (&import->name, line->value);
}

/* LXC knows the kernel's name of an architecture, and Debian's. */
static void
read_arch (LxcImport *import, ImportLine *line)
{
  static const struct {
    const char *said, *arch;
  } archs[] = { { "x86_64", "x86_64" },   { "amd64", "x86_64" },    { "x86", "i686" },
                { "i386", "i686" },       { "i486", "i686" },       { "i586", "i686" },
                { "i686", "i686" },       { "linux32", "i686" },    { "linux64", "x86_64" },
                { "aarch64", "aarch64" }, { "arm64", "aarch64" },   { "armhf", "armv7l" },
                { "armv7l", "armv7l" },   { "ppc64le", "ppc64le" }, { "ppc64", "ppc64" },
                { "s390x", "s390x" },     { "riscv64", "riscv64" }, { "mips", "mips" } };

  for (guint i = 0; i < G_N_ELEMENTS (archs); i++)
    if (g_str_equal (line->value, archs[i].said)) {
      import_set_text (&import->arch, archs[i].arch);
      return;
    }
  MISTAKE (import, line, "'%s' is no architecture: expected one such as 'x86_64' or 'aarch64'", line->value);
}

static void
read_root (LxcImport *import, ImportLine *line)
{
  if (g_str_has_prefix (line->value, "dir:"))
    import_set_text (&import->root, line->value + strlen ("dir:"));
  else if (line->value[0] == '/' || g_str_has_prefix (line->value, "loop:/"))
    import_set_text (&import->root, line->value);
  else
    MISTAKE (
        import, line,
        "the root '%s' has no place in the format: expected a directory, a block device or an image file",
        line->value);
}

static void
read_init (LxcImport *import, ImportLine *line)
{
  import->init = line;
}

static void
read_root_options (LxcImport *import, ImportLine *line)
{
  g_auto (GStrv) options = g_strsplit (line->value, ",", -1);

  import->root_readonly = g_strv_contains ((const char *const *)options, "ro");
}

static void
read_quota (LxcImport *import, ImportLine *line)
{
  guint64 quota = 0;

  if (g_str_equal (line->value, "-1"))
    return;
  read_number (import, line, CPU_QUOTA_MAX, &quota);
  import->quota = (gint64)quota;
}

/* "QUOTA [PERIOD]" */
static void
read_cpu_max (LxcImport *import, ImportLine *line)
{
  g_auto (GStrv) words = g_strsplit_set (line->value, " \t", 2);
  guint64 quota = 0;

  if (words[0] == NULL || g_str_equal (words[0], "max"))
    return;
  import->period = 100000;
  if (!parse_uint (words[0], CPU_QUOTA_MAX, &quota)
      || (words[1] != NULL && !parse_uint (g_strstrip (words[1]), CPU_PERIOD_MAX, &import->period)))
    MISTAKE (import, line, "'%s' is no limit of processor time: expected 'QUOTA PERIOD' in microseconds",
             line->value);
  import->quota = (gint64)quota;
}

static void
read_weight (LxcImport *import, ImportLine *line)
{
  if (g_str_has_prefix (line->value, "default "))
    memmove (line->value, line->value + strlen ("default "), strlen (line->value + strlen ("default ")) + 1);
  read_number (import, line, 10000, &import->weight);
}

#define TEXT_READER(function, member)                        \
  static void function (LxcImport *import, ImportLine *line) \
  {                                                          \
    import_set_text (&import->member, line->value);          \
  }
#define LIST_READER(function, member)                        \
  static void function (LxcImport *import, ImportLine *line) \
  {                                                          \
    g_ptr_array_add (import->member, line);                  \
  }
#define BYTES_READER(function, member)                       \
  static void function (LxcImport *import, ImportLine *line) \
  {                                                          \
    read_bytes (import, line, &import->member);              \
  }
#define NUMBER_READER(function, member, max)                 \
  static void function (LxcImport *import, ImportLine *line) \
  {                                                          \
    read_number (import, line, max, &import->member);        \
  }

TEXT_READER (read_directory, directory)
TEXT_READER (read_user, user)
TEXT_READER (read_group, group)
TEXT_READER (read_cpus, cpus)
TEXT_READER (read_nodes, nodes)
LIST_READER (read_variable, environment)
LIST_READER (read_mount, mounts)
LIST_READER (read_mapping, mappings)
LIST_READER (read_dropped, dropped)
LIST_READER (read_kept, kept)
BYTES_READER (read_memory, memory)
BYTES_READER (read_soft_limit, soft_limit)
BYTES_READER (read_swap, swap)
BYTES_READER (read_memory_and_swap, memory_and_swap)
NUMBER_READER (read_shares_weight, shares_weight, CPU_SHARES_MAX)
NUMBER_READER (read_period, period, CPU_PERIOD_MAX)
NUMBER_READER (read_terminals, terminals, TERMINALS_MAX)

static const struct {
  const char *key;
  void (*read) (LxcImport *import, ImportLine *line);
} readers[] = {
  { "lxc.uts.name", read_name },
  { "lxc.arch", read_arch },
  { "lxc.rootfs.path", read_root },
  { "lxc.rootfs.options", read_root_options },
  { "lxc.init.cmd", read_init },
  { "lxc.init.cwd", read_directory },
  { "lxc.init.uid", read_user },
  { "lxc.init.gid", read_group },
  { "lxc.environment", read_variable },
  { "lxc.mount.entry", read_mount },
  { "lxc.idmap", read_mapping },
  { "lxc.cap.drop", read_dropped },
  { "lxc.cap.keep", read_kept },
  { "lxc.tty.max", read_terminals },
  { "lxc.cgroup.memory.limit_in_bytes", read_memory },
  { "lxc.cgroup.memory.soft_limit_in_bytes", read_soft_limit },
  { "lxc.cgroup.memory.memsw.limit_in_bytes", read_memory_and_swap },
  { "lxc.cgroup.cpu.shares", read_shares_weight },
  { "lxc.cgroup.cpu.cfs_period_us", read_period },
  { "lxc.cgroup.cpu.cfs_quota_us", read_quota },
  { "lxc.cgroup.cpuset.cpus", read_cpus },
  { "lxc.cgroup.cpuset.mems", read_nodes },
  { "lxc.cgroup.blkio.weight", read_weight },
  { "lxc.cgroup2.memory.max", read_memory },
  { "lxc.cgroup2.memory.high", read_soft_limit },
  { "lxc.cgroup2.memory.swap.max", read_swap },
  { "lxc.cgroup2.cpu.weight", read_shares_weight },
  { "lxc.cgroup2.cpu.max", read_cpu_max },
  { "lxc.cgroup2.cpuset.cpus", read_cpus },
  { "lxc.cgroup2.cpuset.mems", read_nodes },
  { "lxc.cgroup2.io.weight", read_weight },
};

/* A value in quotes is what stands within them. */
static void
unquote (char *value)
{
  gsize length = strlen (value);

  if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
    memmove (value, value + 1, length - 2);
    value[length - 2] = '\0';
  }
}

static void
read_setting (LxcImport *import, ImportLine *line)
{
  const char *key = line->key;

  for (guint i = 0; i < G_N_ELEMENTS (old_names); i++)
    if (g_str_equal (key, old_names[i].old))
      key = old_names[i].name;
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    if (g_str_equal (key, readers[i].key)) {
      readers[i].read (import, line);
      return;
    }
  if (g_str_equal (key, "lxc.include") || g_str_equal (key, "lxc.mount.fstab"))
    MISTAKE (import, line, "'%s' is another file, which is not read: write here what it says", line->value);
  else if (g_str_has_prefix (key, "lxc.net."))
    lxc_import_card_key (import, line);
  else if (g_str_has_prefix (key, "lxc.network."))
    lxc_import_old_card_key (import, line);
  else if (g_str_has_prefix (key, "lxc.namespace.share."))
    g_ptr_array_add (import->shares, line);
  else if (!g_str_has_prefix (key, "lxc."))
    diagnostics_error (import->diagnostics, line->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s' is no setting of LXC: expected one that begins with 'lxc.'", line->key);
  else if (!g_strv_contains (needless, key))
    lxc_import_warn_lost (import, line);
}

static void
import_init (LxcImport *import)
{
  GPtrArray **const lists[] = { &import->environment, &import->mounts, &import->mappings,
                                &import->dropped,     &import->kept,   &import->shares };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    *lists[i] = g_ptr_array_new ();
  import->cards = g_ptr_array_new_with_free_func (lxc_card_free);
}

static void
import_clear (LxcImport *import)
{
  GPtrArray *const lists[] = { import->environment, import->mounts, import->mappings, import->dropped,
                               import->kept,        import->shares, import->cards };
  char *const texts[] = { import->name,  import->arch, import->directory, import->user,
                          import->group, import->root, import->cpus,      import->nodes };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    g_ptr_array_unref (lists[i]);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
}

char *
lxc_import (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (GPtrArray) lines = import_read_lines (text, '=', diagnostics);
  LxcImport import = { .diagnostics = diagnostics };
  char *document;

  if (lines == NULL)
    return NULL;
  import_init (&import);
  for (guint i = 0; i < lines->len; i++) {
    ImportLine *line = g_ptr_array_index (lines, i);

    unquote (line->value);
    read_setting (&import, line);
  }
  document = lxc_import_document (&import); /* it finds further mistakes */
  import_clear (&import);
  return document;
}
