/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of a config of LXC: the names of 3.0 and later, and those of 2.x, which a table makes into the
 * new ones. Cards of 2.x follow one another, each begun by lxc.network.type; those of 3.x have a number. What
 * the format has no place for is told with its line, and files that the config includes are refused: what
 * they say is not known here.
 */
#include "targets/lxc/lxc-target.h"

#include "targets/container.h"
#include "targets/import-text.h"

#include <string.h>

#define MEMORY_DEFAULT ((guint64)64 << 20) /* bytes, as libvirt takes it where no limit is said */
#define CARDS_MAX      256
#define TERMINALS_MAX  256

typedef struct {
  GHashTable *keys; /* "type", "link", "ipv4.address" → ImportLine of the last one */
  GPtrArray *ips;   /* ImportLine */
  guint64 index;
  Position where;
} Card;

typedef struct {
  Diagnostics *diagnostics;
  const ImportLine *init;
  char *name, *arch, *directory, *user, *group, *root, *cpus, *nodes;
  gboolean root_readonly;
  GPtrArray *environment, *mounts, *mappings, *cards, *dropped, *kept, *shares; /* ImportLine, but for Card */
  guint64 memory, soft_limit, swap, memory_and_swap, shares_weight, weight, period, terminals;
  gint64 quota;
} Import;

#define MISTAKE(import, line, ...) \
  diagnostics_error ((import)->diagnostics, (line)->value_where, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

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

static void
set_text (char **member, const char *text)
{
  g_free (*member);
  *member = g_strdup (text);
}

static void
warn_lost (const Import *import, const ImportLine *line)
{
  diagnostics_warning (import->diagnostics, line->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s' has no place in the format and is left out", line->key);
}

static void
read_number (const Import *import, const ImportLine *line, guint64 max, guint64 *ret)
{
  if (!parse_uint (line->value, max, ret))
    MISTAKE (import, line, "'%s' of '%s' is no number: expected 0 to %" G_GUINT64_FORMAT, line->value,
             line->key, max);
}

/* Bytes: "512M" and "max". */
static void
read_bytes (const Import *import, const ImportLine *line, guint64 *ret)
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
 * Cards.
 */
static Card *
card_new (Import *import, guint64 index, Position where)
{
  Card *card;

  if (import->cards->len >= CARDS_MAX) {
    diagnostics_error (import->diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "there are more than %d cards",
                       CARDS_MAX);
    return g_ptr_array_index (import->cards, 0);
  }
  card = g_new0 (Card, 1);
  card->keys = g_hash_table_new (g_str_hash, g_str_equal);
  card->ips = g_ptr_array_new ();
  card->index = index;
  card->where = where;
  g_ptr_array_add (import->cards, card);
  return card;
}

static void
card_free (gpointer data)
{
  Card *card = data;

  g_hash_table_unref (card->keys);
  g_ptr_array_unref (card->ips);
  g_free (card);
}

static Card *
find_card (Import *import, guint64 index, Position where)
{
  for (guint i = 0; i < import->cards->len; i++) {
    Card *card = g_ptr_array_index (import->cards, i);

    if (card->index == index)
      return card;
  }
  return card_new (import, index, where);
}

static void
add_to_card (Card *card, const char *key, ImportLine *line)
{
  if (g_str_equal (key, "ipv4.address") || g_str_equal (key, "ipv6.address") || g_str_equal (key, "ipv4")
      || g_str_equal (key, "ipv6"))
    g_ptr_array_add (card->ips, line);
  else
    g_hash_table_insert (card->keys, (gpointer)key, line);
}

/* "lxc.net.0.type" */
static void
read_card_key (Import *import, ImportLine *line)
{
  const char *number = line->key + strlen ("lxc.net."), *key = strchr (number, '.');
  g_autofree char *index_text = key != NULL ? g_strndup (number, (gsize)(key - number)) : NULL;
  guint64 index;

  if (index_text == NULL || !parse_uint (index_text, G_MAXINT32, &index))
    diagnostics_error (import->diagnostics, line->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s' is no key of a card: expected one such as 'lxc.net.0.type'", line->key);
  else
    add_to_card (find_card (import, index, line->where), key + 1, line);
}

/* "lxc.network.type", which begins a card */
static void
read_old_card_key (Import *import, ImportLine *line)
{
  const char *key = line->key + strlen ("lxc.network.");

  if (g_str_equal (key, "type") || import->cards->len == 0)
    card_new (import, import->cards->len, line->where);
  add_to_card (g_ptr_array_index (import->cards, import->cards->len - 1), key, line);
}

/*
 * Settings.
 */
static void
read_name (Import *import, ImportLine *line)
{
  if (line->value[0] == '\0' || strchr (line->value, '/') != NULL)
    MISTAKE (import, line, "'%s' is no name of a machine", line->value);
  set_text (&import->name, line->value);
}

/* LXC knows the kernel's name of an architecture, and Debian's. */
static void
read_arch (Import *import, ImportLine *line)
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
      set_text (&import->arch, archs[i].arch);
      return;
    }
  MISTAKE (import, line, "'%s' is no architecture: expected one such as 'x86_64' or 'aarch64'", line->value);
}

static void
read_root (Import *import, ImportLine *line)
{
  if (g_str_has_prefix (line->value, "dir:"))
    set_text (&import->root, line->value + strlen ("dir:"));
  else if (line->value[0] == '/' || g_str_has_prefix (line->value, "loop:/"))
    set_text (&import->root, line->value);
  else
    MISTAKE (
        import, line,
        "the root '%s' has no place in the format: expected a directory, a block device or an image file",
        line->value);
}

static void
read_init (Import *import, ImportLine *line)
{
  import->init = line;
}

static void
read_root_options (Import *import, ImportLine *line)
{
  g_auto (GStrv) options = g_strsplit (line->value, ",", -1);

  import->root_readonly = g_strv_contains ((const char *const *)options, "ro");
}

static void
read_quota (Import *import, ImportLine *line)
{
  guint64 quota = 0;

  if (g_str_equal (line->value, "-1"))
    return;
  read_number (import, line, CPU_QUOTA_MAX, &quota);
  import->quota = (gint64)quota;
}

/* "QUOTA [PERIOD]" */
static void
read_cpu_max (Import *import, ImportLine *line)
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
read_weight (Import *import, ImportLine *line)
{
  if (g_str_has_prefix (line->value, "default "))
    memmove (line->value, line->value + strlen ("default "), strlen (line->value + strlen ("default ")) + 1);
  read_number (import, line, 10000, &import->weight);
}

#define TEXT_READER(function, member)                     \
  static void function (Import *import, ImportLine *line) \
  {                                                       \
    set_text (&import->member, line->value);              \
  }
#define LIST_READER(function, member)                     \
  static void function (Import *import, ImportLine *line) \
  {                                                       \
    g_ptr_array_add (import->member, line);               \
  }
#define BYTES_READER(function, member)                    \
  static void function (Import *import, ImportLine *line) \
  {                                                       \
    read_bytes (import, line, &import->member);           \
  }
#define NUMBER_READER(function, member, max)              \
  static void function (Import *import, ImportLine *line) \
  {                                                       \
    read_number (import, line, max, &import->member);     \
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
  void (*read) (Import *import, ImportLine *line);
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
read_setting (Import *import, ImportLine *line)
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
    read_card_key (import, line);
  else if (g_str_has_prefix (key, "lxc.network."))
    read_old_card_key (import, line);
  else if (g_str_has_prefix (key, "lxc.namespace.share."))
    g_ptr_array_add (import->shares, line);
  else if (!g_str_has_prefix (key, "lxc."))
    diagnostics_error (import->diagnostics, line->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s' is no setting of LXC: expected one that begins with 'lxc.'", line->key);
  else if (!g_strv_contains (needless, key))
    warn_lost (import, line);
}

/*
 * The document.
 */

/* LXC cuts it at each blank, and knows no quotes. */
static void
add_command (const Import *import, XmlElement *os)
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
add_os (const Import *import, XmlElement *domain)
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
      warn_lost (import, line);
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
add_mappings (const Import *import, XmlElement *domain)
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
add_capabilities (const Import *import, const GPtrArray *lines, const char *state, XmlElement *capabilities)
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
add_features (const Import *import, XmlElement *domain, gboolean has_own_network)
{
  XmlElement *features;

  if (import->dropped->len == 0 && import->kept->len == 0 && !has_own_network)
    return;
  features = xml_element_add (domain, "features");
  if (has_own_network)
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
add_mount (const Import *import, const ImportLine *line, XmlElement *devices)
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
add_root (const Import *import, XmlElement *devices)
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

static const char *
find_value (const Card *card, const char *key)
{
  const ImportLine *line = g_hash_table_lookup (card->keys, key);

  return line != NULL && line->value[0] != '\0' ? line->value : NULL;
}

static void
add_addresses (const Card *card, XmlElement *element)
{
  const char *const gateways[] = { "ipv4.gateway", "ipv6.gateway" }, *const families[] = { "ipv4", "ipv6" };

  for (guint i = 0; i < card->ips->len; i++) {
    const ImportLine *line = g_ptr_array_index (card->ips, i);
    g_auto (GStrv) words = g_strsplit_set (line->value, " \t", 2); /* a broadcast address may follow */
    const char *slash = strchr (words[0], '/');
    g_autofree char *address =
        slash != NULL ? g_strndup (words[0], (gsize)(slash - words[0])) : g_strdup (words[0]);

    import_add (element, "ip", "address", address, "family", strchr (address, ':') != NULL ? "ipv6" : "ipv4",
                "prefix", slash != NULL ? slash + 1 : NULL, NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (gateways); i++) {
    const char *gateway = find_value (card, gateways[i]);

    if (gateway != NULL && strpbrk (gateway, ".:") != NULL)
      import_add (element, "route", "family", families[i], "address", i == 0 ? "0.0.0.0" : "::", "prefix",
                  "0", "gateway", gateway, NULL);
  }
}

/* "macvlan" and "veth"; of "vlan" the host's interface of that number moves into the container. */
static void
add_host_card (const Card *card, const char *type, XmlElement *devices)
{
  const char *link = find_value (card, "link"), *vlan = find_value (card, "vlan.id");
  g_autofree char *name = NULL;
  XmlElement *hostdev = import_add (devices, "hostdev", "mode", "capabilities", "type", "net", NULL);

  if (g_str_equal (type, "vlan"))
    name = g_strdup_printf ("%s.%s", link != NULL ? link : "eth0", vlan != NULL ? vlan : "1");
  else
    name = g_strdup (link != NULL ? link : "eth0");
  import_add_text (xml_element_add (hostdev, "source"), "interface", "%s", name);
}

static void
add_virtual_card (const Import *import, const Card *card, const char *type, XmlElement *devices)
{
  gboolean is_macvlan = g_str_equal (type, "macvlan");
  const char *link = find_value (card, "link"), *flags = find_value (card, "flags");
  const ImportLine *mac = g_hash_table_lookup (card->keys, "hwaddr");
  const char *pair = find_value (card, "veth.pair"), *mode = find_value (card, "macvlan.mode");
  guint8 bytes[MAC_BYTES];
  XmlElement *interface = import_add (devices, "interface", "type",
                                      is_macvlan     ? "direct"
                                      : link != NULL ? "bridge"
                                                     : "ethernet",
                                      NULL);

  if (mac != NULL && mac_parse (mac->value, bytes))
    import_add (interface, "mac", "address", mac->value, NULL);
  else if (mac != NULL && strchr (mac->value, 'x') == NULL) /* with 'x' LXC makes it up */
    MISTAKE (import, mac, "'%s' is no MAC address", mac->value);
  if (is_macvlan)
    import_add (interface, "source", "dev", link != NULL ? link : "eth0", "mode",
                mode != NULL ? mode : "private", NULL);
  else if (link != NULL)
    import_add (interface, "source", "bridge", link, NULL);
  if (pair != NULL)
    import_add (interface, "target", "dev", pair, NULL);
  if (find_value (card, "name") != NULL)
    import_add (interface, "guest", "dev", find_value (card, "name"), NULL);
  if (flags == NULL)
    import_add (interface, "link", "state", "down", NULL);
  if (find_value (card, "mtu") != NULL)
    import_add (interface, "mtu", "size", find_value (card, "mtu"), NULL);
  add_addresses (card, interface);
}

/* What its other keys are: nothing of them is passed over. */
static void
warn_of_keys (const Import *import, const Card *card)
{
  static const char *const known[] = { "type",    "link",         "hwaddr",       "name",
                                       "flags",   "mtu",          "veth.pair",    "macvlan.mode",
                                       "vlan.id", "ipv4.gateway", "ipv6.gateway", NULL };
  GHashTableIter iter;
  gpointer key, line;

  g_hash_table_iter_init (&iter, card->keys);
  while (g_hash_table_iter_next (&iter, &key, &line))
    if (!g_strv_contains (known, key))
      warn_lost (import, line);
}

static void
add_card (const Import *import, const Card *card, XmlElement *devices)
{
  const ImportLine *line = g_hash_table_lookup (card->keys, "type");
  const char *type = line != NULL ? line->value : NULL;

  warn_of_keys (import, card);
  if (type == NULL)
    diagnostics_error (import->diagnostics, card->where, VIR_ERR_CONFIG_UNSUPPORTED, "the card has no type");
  else if (g_str_equal (type, "veth") || g_str_equal (type, "macvlan"))
    add_virtual_card (import, card, type, devices);
  else if (g_str_equal (type, "phys") || g_str_equal (type, "vlan"))
    add_host_card (card, type, devices);
  else if (!g_str_equal (type, "empty") && !g_str_equal (type, "none"))
    MISTAKE (import, line,
             "'%s' is no card of the format: expected 'veth', 'macvlan', 'vlan', 'phys', 'empty' or 'none'",
             type);
}

/* Is the network the container's own, though it may have no card? That is LXC's default. */
static gboolean
has_own_network (const Import *import)
{
  for (guint i = 0; i < import->cards->len; i++)
    if (g_strcmp0 (find_value (g_ptr_array_index (import->cards, i), "type"), "none") == 0)
      return FALSE;
  return TRUE;
}

static void
add_limits (const Import *import, XmlElement *domain)
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
add_devices (const Import *import, XmlElement *domain)
{
  XmlElement *devices = xml_element_add (domain, "devices");

  if (import->root != NULL)
    add_root (import, devices);
  for (guint i = 0; i < import->mounts->len; i++)
    add_mount (import, g_ptr_array_index (import->mounts, i), devices);
  for (guint i = 0; i < import->cards->len; i++)
    add_card (import, g_ptr_array_index (import->cards, i), devices);
  for (guint i = 0; i < import->terminals; i++)
    import_add (import_add (devices, "console", "type", "pty", NULL), "target", "type", "lxc", NULL);
}

/* "lxc.namespace.share.net = /run/netns/red" */
static void
add_shares (const Import *import, XmlElement *domain)
{
  XmlElement *namespace = NULL;

  for (guint i = 0; i < import->shares->len; i++) {
    const ImportLine *line = g_ptr_array_index (import->shares, i);
    const char *kind = line->key + strlen ("lxc.namespace.share."), *value = line->value;
    g_autofree char *name = g_strconcat ("lxc:share", kind, NULL);
    gboolean is_file = g_str_has_prefix (value, "/run/netns/");
    guint64 pid;

    if (!g_str_equal (kind, "net") && !g_str_equal (kind, "ipc") && !g_str_equal (kind, "uts")) {
      warn_lost (import, line);
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

static char *
write_document (const Import *import)
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
  add_features (import, domain, has_own_network (import));
  add_devices (import, domain);
  add_shares (import, domain);
  return diagnostics_has_errors (import->diagnostics) ? NULL : xml_element_to_string (domain);
}

static void
import_init (Import *import)
{
  GPtrArray **const lists[] = { &import->environment, &import->mounts, &import->mappings,
                                &import->dropped,     &import->kept,   &import->shares };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    *lists[i] = g_ptr_array_new ();
  import->cards = g_ptr_array_new_with_free_func (card_free);
}

static void
import_clear (Import *import)
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
  g_autoptr (GPtrArray) lines = NULL;
  Import import = { .diagnostics = diagnostics };
  char *document;

  if (!import_check_text (text, diagnostics))
    return NULL;
  lines = import_read_lines (text, '=', diagnostics);
  if (lines == NULL)
    return NULL;
  import_init (&import);
  for (guint i = 0; i < lines->len; i++) {
    ImportLine *line = g_ptr_array_index (lines, i);

    unquote (line->value);
    read_setting (&import, line);
  }
  document = write_document (&import); /* it finds further mistakes */
  import_clear (&import);
  return document;
}
