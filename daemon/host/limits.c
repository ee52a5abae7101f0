/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of both versions of control groups, behind one set of values. They differ in names, in what a
 * number means and in how "no limit" is written; nobody else needs to know.
 */
#include "daemon/host/limits.h"

#include "daemon/host/named-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SHARES_DEFAULT 1024
#define WEIGHT_DEFAULT 100
#define WEIGHT_MAX     10000
#define BYTES_PER_KIB  1024

static guint64
read_number (const Cgroup *cgroup, CgroupController controller, const char *part, const char *file,
             guint64 otherwise)
{
  g_autofree char *text = cgroup_read (cgroup, controller, part, file);
  guint64 value;

  return text != NULL && parse_uint (text, G_MAXUINT64, &value) ? value : otherwise;
}

static gboolean
write_number (const Cgroup *cgroup, CgroupController controller, const char *part, const char *file,
              gint64 value, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, value);

  return cgroup_write (cgroup, controller, part, file, text, error);
}

/* Processors. */

gboolean
limits_set_shares (const Cgroup *cgroup, guint64 shares, GError **error)
{
  gboolean v2 = cgroup_is_v2 (cgroup, CGROUP_CPU);
  guint64 minimum = v2 ? 1 : CPU_SHARES_MIN, maximum = v2 ? WEIGHT_MAX : CPU_SHARES_MAX;

  if (!cgroup_check (cgroup, CGROUP_CPU, error))
    return FALSE;
  if (shares < minimum || shares > maximum) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "shares '%" G_GUINT64_FORMAT "' must be in range [%" G_GUINT64_FORMAT
                    ", %" G_GUINT64_FORMAT "]",
                    shares, minimum, maximum);
    return FALSE;
  }
  return write_number (cgroup, CGROUP_CPU, NULL, v2 ? "cpu.weight" : "cpu.shares", (gint64)shares, error);
}

guint64
limits_get_shares (const Cgroup *cgroup)
{
  if (cgroup_is_v2 (cgroup, CGROUP_CPU))
    return read_number (cgroup, CGROUP_CPU, NULL, "cpu.weight", WEIGHT_DEFAULT);
  return read_number (cgroup, CGROUP_CPU, NULL, "cpu.shares", SHARES_DEFAULT);
}

/* "QUOTA PERIOD", in which QUOTA may be "max". */
static gboolean
set_bandwidth_v2 (const Cgroup *cgroup, const char *part, guint64 period, gint64 quota, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 old_period;
  gint64 old_quota;

  limits_get_bandwidth (cgroup, part, &old_period, &old_quota);
  quota = quota != 0 ? quota : old_quota;
  if (quota < 0)
    g_string_append (text, "max");
  else
    g_string_append_printf (text, "%" G_GINT64_FORMAT, quota);
  g_string_append_printf (text, " %" G_GUINT64_FORMAT, period != 0 ? period : old_period);
  return cgroup_write (cgroup, CGROUP_CPU, part, "cpu.max", text->str, error);
}

gboolean
limits_set_bandwidth (const Cgroup *cgroup, const char *part, guint64 period, gint64 quota, GError **error)
{
  if (period == 0 && quota == 0)
    return TRUE;
  if (!cgroup_check (cgroup, CGROUP_CPU, error))
    return FALSE;
  if (cgroup_is_v2 (cgroup, CGROUP_CPU))
    return set_bandwidth_v2 (cgroup, part, period, quota, error);
  if (period != 0 && !write_number (cgroup, CGROUP_CPU, part, "cpu.cfs_period_us", (gint64)period, error))
    return FALSE;
  return quota == 0
         || write_number (cgroup, CGROUP_CPU, part, "cpu.cfs_quota_us", MAX (quota, CPU_QUOTA_NONE), error);
}

void
limits_get_bandwidth (const Cgroup *cgroup, const char *part, guint64 *ret_period, gint64 *ret_quota)
{
  gboolean v2 = cgroup_is_v2 (cgroup, CGROUP_CPU);
  g_autofree char *text = cgroup_read (cgroup, CGROUP_CPU, part, v2 ? "cpu.max" : "cpu.cfs_quota_us");
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", " ", 2);
  guint64 value;

  *ret_period = CPU_PERIOD_DEFAULT;
  *ret_quota = CPU_QUOTA_NONE;
  if (words[0] != NULL && parse_uint (words[0], G_MAXINT64, &value))
    *ret_quota = (gint64)value;
  if (!v2)
    *ret_period = read_number (cgroup, CGROUP_CPU, part, "cpu.cfs_period_us", CPU_PERIOD_DEFAULT);
  else if (words[0] != NULL && words[1] != NULL && parse_uint (words[1], G_MAXUINT64, &value))
    *ret_period = value;
}

/* Memory. */

static gboolean
write_limit (const Cgroup *cgroup, const char *file, guint64 kib, GError **error)
{
  gboolean v2 = cgroup_is_v2 (cgroup, CGROUP_MEMORY);

  if (kib >= MEMORY_UNLIMITED)
    return cgroup_write (cgroup, CGROUP_MEMORY, NULL, file, v2 ? "max" : "-1", error);
  return write_number (cgroup, CGROUP_MEMORY, NULL, file, (gint64)(kib * BYTES_PER_KIB), error);
}

/* Version 2 counts swap by itself. */
static gboolean
set_memory_v2 (const Cgroup *cgroup, const MemoryLimits *limits, GError **error)
{
  MemoryLimits now;
  guint64 hard, swap_hard, swap;

  limits_get_memory (cgroup, &now);
  hard = limits->hard.set ? limits->hard.value : now.hard.value;
  swap_hard = limits->swap_hard.set ? limits->swap_hard.value : now.swap_hard.value;
  swap = swap_hard >= MEMORY_UNLIMITED || hard >= swap_hard ? MEMORY_UNLIMITED : swap_hard - hard;
  if (swap_hard == hard && hard < MEMORY_UNLIMITED)
    swap = 0;
  return (!limits->hard.set || write_limit (cgroup, "memory.max", hard, error))
         && (!limits->soft.set || write_limit (cgroup, "memory.high", limits->soft.value, error))
         && ((!limits->swap_hard.set && swap_hard >= MEMORY_UNLIMITED)
             || write_limit (cgroup, "memory.swap.max", swap, error));
}

/* Version 1 wants the limit of memory and swap together never to be below that of memory. */
static gboolean
set_memory_v1 (const Cgroup *cgroup, const MemoryLimits *limits, GError **error)
{
  MemoryLimits now;
  gboolean swap_first;

  limits_get_memory (cgroup, &now);
  swap_first = limits->swap_hard.set && limits->swap_hard.value >= now.swap_hard.value;
  return (!swap_first || write_limit (cgroup, "memory.memsw.limit_in_bytes", limits->swap_hard.value, error))
         && (!limits->hard.set || write_limit (cgroup, "memory.limit_in_bytes", limits->hard.value, error))
         && (!limits->soft.set
             || write_limit (cgroup, "memory.soft_limit_in_bytes", limits->soft.value, error))
         && (!limits->swap_hard.set || swap_first
             || write_limit (cgroup, "memory.memsw.limit_in_bytes", limits->swap_hard.value, error));
}

gboolean
limits_set_memory (const Cgroup *cgroup, const MemoryLimits *limits, GError **error)
{
  if (!limits->hard.set && !limits->soft.set && !limits->swap_hard.set)
    return TRUE;
  if (!cgroup_check (cgroup, CGROUP_MEMORY, error))
    return FALSE;
  return cgroup_is_v2 (cgroup, CGROUP_MEMORY) ? set_memory_v2 (cgroup, limits, error)
                                              : set_memory_v1 (cgroup, limits, error);
}

static guint64
read_limit (const Cgroup *cgroup, const char *file)
{
  guint64 bytes = read_number (cgroup, CGROUP_MEMORY, NULL, file, G_MAXUINT64);

  return MIN (bytes / BYTES_PER_KIB, MEMORY_UNLIMITED);
}

/* "No limit" of version 1 is the largest number of whole pages. */
static Number
limit_of (guint64 kib)
{
  return NUMBER (kib >= G_MAXINT64 / BYTES_PER_KIB - BYTES_PER_KIB ? MEMORY_UNLIMITED : kib);
}

void
limits_get_memory (const Cgroup *cgroup, MemoryLimits *ret)
{
  gboolean v2 = cgroup_is_v2 (cgroup, CGROUP_MEMORY);
  guint64 hard = read_limit (cgroup, v2 ? "memory.max" : "memory.limit_in_bytes");
  guint64 swap = read_limit (cgroup, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes");

  ret->hard = limit_of (hard);
  ret->soft = limit_of (read_limit (cgroup, v2 ? "memory.high" : "memory.soft_limit_in_bytes"));
  if (v2 && hard < MEMORY_UNLIMITED && swap < MEMORY_UNLIMITED)
    swap += hard;
  else if (v2)
    swap = MEMORY_UNLIMITED;
  ret->swap_hard = limit_of (swap);
}

/* Disks. */

/* The first of the files that is there. */
static const char *
first_file (const Cgroup *cgroup, const char *const *files)
{
  for (; *files != NULL; files++)
    if (cgroup_has_file (cgroup, CGROUP_BLKIO, *files))
      return *files;
  return NULL;
}

static const char *
weight_file (const Cgroup *cgroup)
{
  static const char *const v1[] = { "blkio.bfq.weight", "blkio.weight", NULL };
  static const char *const v2[] = { "io.bfq.weight", "io.weight", NULL };

  return first_file (cgroup, cgroup_is_v2 (cgroup, CGROUP_BLKIO) ? v2 : v1);
}

gboolean
limits_set_weight (const Cgroup *cgroup, guint64 weight, GError **error)
{
  const char *file = weight_file (cgroup);

  if (!cgroup_check (cgroup, CGROUP_BLKIO, error))
    return FALSE;
  if (file == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "blkio weight is valid only for cfq or bfq scheduler");
    return FALSE;
  }
  return write_number (cgroup, CGROUP_BLKIO, NULL, file, (gint64)weight, error);
}

/* A number, or "default 100" and devices of their own below. */
guint64
limits_get_weight (const Cgroup *cgroup)
{
  const char *file = weight_file (cgroup);
  g_autofree char *text = file != NULL ? cgroup_read (cgroup, CGROUP_BLKIO, NULL, file) : NULL;

  if (text == NULL)
    return 0;
  return g_ascii_strtoull (g_str_has_prefix (text, "default ") ? text + strlen ("default ") : text, NULL, 10);
}

static gboolean
device_number (const char *path, dev_t *ret, GError **error)
{
  struct stat status;

  if (named_file_stat (path, &status) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Path '%s' is not accessible: %s", path, g_strerror (errno));
    return FALSE;
  }
  if (!S_ISBLK (status.st_mode)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Path '%s' must be a block device: %s", path,
                    g_strerror (EINVAL));
    return FALSE;
  }
  *ret = status.st_rdev;
  return TRUE;
}

static gboolean
set_device_weight (const Cgroup *cgroup, const char *number, guint64 weight, GError **error)
{
  static const char *const v1[] = { "blkio.weight_device", "blkio.bfq.weight_device", NULL };
  gboolean v2 = cgroup_is_v2 (cgroup, CGROUP_BLKIO);
  const char *file = v2 ? weight_file (cgroup) : first_file (cgroup, v1);
  g_autofree char *text = NULL;

  if (file == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "blkio device weight is valid only for cfq or bfq scheduler");
    return FALSE;
  }
  text = v2 && weight == 0 ? g_strdup_printf ("%s default", number)
                           : g_strdup_printf ("%s %" G_GUINT64_FORMAT, number, weight);
  return cgroup_write (cgroup, CGROUP_BLKIO, NULL, file, text, error);
}

gboolean
limits_set_device (const Cgroup *cgroup, BlkioLimit limit, const char *path, guint64 value, GError **error)
{
  static const char *const v1[] = { NULL, "blkio.throttle.read_iops_device",
                                    "blkio.throttle.write_iops_device", "blkio.throttle.read_bps_device",
                                    "blkio.throttle.write_bps_device" };
  static const char *const v2[] = { NULL, "riops", "wiops", "rbps", "wbps" };
  g_autofree char *number = NULL, *text = NULL, *amount = NULL;
  dev_t device;

  if (!cgroup_check (cgroup, CGROUP_BLKIO, error) || !device_number (path, &device, error))
    return FALSE;
  number = g_strdup_printf ("%u:%u", major (device), minor (device));
  if (limit == BLKIO_DEVICE_WEIGHT)
    return set_device_weight (cgroup, number, value, error);
  amount = g_strdup_printf ("%" G_GUINT64_FORMAT, value);
  if (!cgroup_is_v2 (cgroup, CGROUP_BLKIO)) {
    text = g_strdup_printf ("%s %s", number, amount);
    return cgroup_write (cgroup, CGROUP_BLKIO, NULL, v1[limit], text, error);
  }
  text = g_strdup_printf ("%s %s=%s", number, v2[limit], value == 0 ? "max" : amount);
  return cgroup_write (cgroup, CGROUP_BLKIO, NULL, "io.max", text, error);
}

/* Nodes. */

gboolean
limits_set_nodes (const Cgroup *cgroup, const char *nodeset, GError **error)
{
  if (!cgroup_check (cgroup, CGROUP_CPUSET, error))
    return FALSE;
  if (!cgroup_is_v2 (cgroup, CGROUP_CPUSET)
      && !cgroup_write (cgroup, CGROUP_CPUSET, NULL, "cpuset.memory_migrate", "1", error))
    return FALSE;
  return cgroup_write (cgroup, CGROUP_CPUSET, NULL, "cpuset.mems", nodeset, error);
}
