/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host as /proc and /sys describe it. Everything is read when asked: the kernel answers faster than a
 * cache would age. */
#include "daemon/host/node.h"

#include "base/scalars.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#define NODE_MODEL_MAX            31
#define NODE_CPUS_MAX             4096
#define KVM_GET_API_VERSION_IOCTL 0xAE00
#define KVM_API_VERSION_KNOWN     12
#define CPU_DIRECTORY             "/sys/devices/system/cpu"

static char *
read_text (const char *path)
{
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  return g_strstrip (text);
}

/* The value of the first "NAME : value" line; NULL when there is none. (transfer full) */
static char *
cpuinfo_value (const char *name)
{
  g_autofree char *text = read_text ("/proc/cpuinfo");
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    char *colon = strchr (lines[i], ':');
    if (colon == NULL || !g_str_has_prefix (lines[i], name))
      continue;
    *colon = '\0';
    if (g_str_equal (g_strchomp (lines[i]), name))
      return g_strdup (g_strstrip (colon + 1));
  }
  return NULL;
}

char *
node_cpu_model (void)
{
  return cpuinfo_value ("model name");
}

char *
node_cpu_microcode (void)
{
  return cpuinfo_value ("microcode");
}

char *
node_cpus_present (void)
{
  return read_text (CPU_DIRECTORY "/present");
}

char *
node_cpus_online (void)
{
  return read_text (CPU_DIRECTORY "/online");
}

static gboolean
cpu_topology_text (guint cpu, const char *what, char **ret)
{
  g_autofree char *path = g_strdup_printf (CPU_DIRECTORY "/cpu%u/topology/%s", cpu, what);

  *ret = read_text (path);
  return *ret != NULL;
}

static guint
count_nodes (void)
{
  g_autofree char *text = read_text ("/sys/devices/system/node/online");
  g_autoptr (CpuSet) set = text != NULL ? cpu_set_parse (text, NULL) : NULL;

  return set != NULL ? MAX (cpu_set_count (set), 1) : 1;
}

/* Sockets, cores and threads as virNodeInfo wants them: their product with the nodes is the CPUs', or the
 * host is described as one socket of so many cores. */
static void
read_topology (NodeInfo *info, const CpuSet *online)
{
  g_autoptr (GHashTable) packages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) cores = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint cpu = 0; cpu < NODE_CPUS_MAX; cpu++) {
    g_autofree char *package = NULL, *core = NULL;
    if (!cpu_set_contains (online, cpu) || !cpu_topology_text (cpu, "physical_package_id", &package)
        || !cpu_topology_text (cpu, "core_id", &core))
      continue;
    g_hash_table_add (cores, g_strconcat (package, "/", core, NULL));
    g_hash_table_add (packages, g_steal_pointer (&package));
  }

  guint sockets = g_hash_table_size (packages), all_cores = g_hash_table_size (cores);
  if (sockets > 0 && sockets % info->nodes == 0 && all_cores % sockets == 0 && info->cpus % all_cores == 0) {
    info->sockets = sockets / info->nodes;
    info->cores = all_cores / sockets;
    info->threads = info->cpus / all_cores;
  } else {
    info->nodes = info->sockets = info->threads = 1;
    info->cores = info->cpus;
  }
}

void
node_info_read (NodeInfo *ret)
{
  g_autofree char *online_text = node_cpus_online ();
  g_autoptr (CpuSet) online = online_text != NULL ? cpu_set_parse (online_text, NULL) : NULL;
  g_autofree char *mhz = cpuinfo_value ("cpu MHz");
  NodeMemoryStats memory = { 0 };
  struct utsname name;

  memset (ret, 0, sizeof *ret);
  ret->model = g_strndup (uname (&name) == 0 ? name.machine : "unknown", NODE_MODEL_MAX);
  node_memory_stats (&memory, NULL);
  ret->memory = memory.total;
  ret->mhz = mhz != NULL ? (guint)g_ascii_strtod (mhz, NULL) : 0;
  ret->nodes = count_nodes ();
  ret->cpus = online != NULL ? cpu_set_count (online) : (guint)g_get_num_processors ();
  if (online == NULL)
    online = cpu_set_new ();
  read_topology (ret, online);
}

void
node_info_clear (NodeInfo *info)
{
  g_clear_pointer (&info->model, g_free);
}

gboolean
node_cpu_stats (int cpu, NodeCpuStats *ret, GError **error)
{
  g_autofree char *text = read_text ("/proc/stat");
  g_autofree char *wanted = cpu < 0 ? g_strdup ("cpu ") : g_strdup_printf ("cpu%d ", cpu);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  guint64 tick = 1000000000 / (guint64)sysconf (_SC_CLK_TCK);

  for (guint i = 0; lines[i] != NULL; i++) {
    /* user nice system idle iowait irq softirq, as proc(5) has them */
    guint64 value[7] = { 0 };
    if (!g_str_has_prefix (lines[i], wanted))
      continue;
    char *next = lines[i] + strlen (wanted);
    for (guint k = 0; k < G_N_ELEMENTS (value); k++)
      value[k] = g_ascii_strtoull (next, &next, 10);
    ret->user = (value[0] + value[1]) * tick;
    ret->kernel = (value[2] + value[5] + value[6]) * tick;
    ret->idle = value[3] * tick;
    ret->iowait = value[4] * tick;
    return TRUE;
  }
  virt_error_set_plain (error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Invalid cpuNum in %s: there is no CPU %d",
                        "virHostCPUGetStatsLinux", cpu);
  return FALSE;
}

gboolean
node_memory_stats (NodeMemoryStats *ret, GError **error)
{
  g_autofree char *text = read_text ("/proc/meminfo");
  const struct {
    const char *name;
    guint64 *value;
  } rows[] = {
    { "MemTotal:", &ret->total },
    { "MemFree:", &ret->free },
    { "Buffers:", &ret->buffers },
    { "\nCached:", &ret->cached },
  };

  memset (ret, 0, sizeof *ret);
  if (text == NULL) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read /proc/meminfo");
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *found = strstr (text, rows[i].name);
    if (found != NULL)
      *rows[i].value = g_ascii_strtoull (found + strlen (rows[i].name), NULL, 10);
  }
  return TRUE;
}

guint64
node_free_memory (void)
{
  NodeMemoryStats memory;

  return node_memory_stats (&memory, NULL) ? memory.free * 1024 : 0;
}

/* /etc/hosts is asked, the network is not: a resolver that does not answer would hold up the caller. */
static char *
full_name_from_hosts (const char *short_name)
{
  g_autofree char *text = read_text ("/etc/hosts");
  g_autofree char *prefix = g_strconcat (short_name, ".", NULL);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    char *comment = strchr (lines[i], '#');
    if (comment != NULL)
      *comment = '\0';
    g_auto (GStrv) words = g_strsplit_set (lines[i], " \t", -1);
    for (guint k = 1; words[0] != NULL && words[k] != NULL; k++)
      if (g_str_has_prefix (words[k], prefix))
        return g_strdup (words[k]);
  }
  return NULL;
}

char *
node_hostname (void)
{
  char name[256] = "localhost";

  if (gethostname (name, sizeof name - 1) != 0 || strchr (name, '.') != NULL)
    return g_strdup (name);
  char *full = full_name_from_hosts (name);
  return full != NULL ? full : g_strdup (name);
}

char *
node_uuid (void)
{
  static const char *const places[] = { "/sys/class/dmi/id/product_uuid", "/etc/machine-id" };
  char text[UUID_TEXT];

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree char *found = read_text (places[i]);
    guint8 uuid[UUID_BYTES];
    if (found != NULL && uuid_parse (found, uuid)) {
      uuid_format (uuid, text);
      return g_strdup (text);
    }
  }
  /* Neither: the same for as long as the host runs. */
  g_autofree char *boot = read_text ("/proc/sys/kernel/random/boot_id");
  return g_strdup (boot != NULL ? boot : "00000000-0000-0000-0000-000000000000");
}

char *
node_render_node (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/dev/dri", 0, NULL);
  g_autofree char *first = NULL;
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_prefix (name, "renderD") && (first == NULL || strcmp (name, first) < 0)) {
      g_free (first);
      first = g_strdup (name);
    }
  return first != NULL ? g_build_filename ("/dev/dri", first, NULL) : NULL;
}

char *
node_kvm_problem (void)
{
  int fd = open ("/dev/kvm", O_RDWR | O_CLOEXEC);

  if (fd < 0)
    return g_strdup_printf ("/dev/kvm: %s", g_strerror (errno));
  int version = ioctl (fd, KVM_GET_API_VERSION_IOCTL, 0);
  close (fd);
  return version == KVM_API_VERSION_KNOWN ? NULL : g_strdup ("/dev/kvm is no KVM of version 12");
}
