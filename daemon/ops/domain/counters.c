/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counters, read where they are. QEMU names its vCPU threads "CPU 0/KVM" (-name debug-threads=on), so the
 * kernel can be asked for their times and a stopped guest need not be.
 */
#include "daemon/ops/domain/counters.h"

#include "base/scalars.h"
#include "base/untrusted-json.h"
#include "daemon/core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NETWORK_DEVICES     "/proc/self/net/dev"
#define PROC_FILE_MAX       4096
#define KVM_DEBUG_DIRECTORY "/sys/kernel/debug/kvm"
#define DISKS_MAX           1024 /* read of one answer */

/* /proc and /sys say 0 for the size of their files, so they are read without asking. */
static gboolean
read_small (const char *path, char text[PROC_FILE_MAX])
{
  FILE *file = fopen (path, "re");
  gsize length;

  if (file == NULL)
    return FALSE;
  length = fread (text, 1, PROC_FILE_MAX - 1, file);
  fclose (file);
  text[length] = '\0';
  return length > 0;
}

/* The second number of schedstat; 0 where the kernel does not keep it. */
static guint64
read_delay (const char *directory, const char *thread)
{
  g_autofree char *path = g_build_filename (directory, thread, "schedstat", NULL);
  char text[PROC_FILE_MAX];
  guint64 delay;

  return read_small (path, text) && sscanf (text, "%*u %" G_GUINT64_FORMAT, &delay) == 1 ? delay : 0;
}

/* "wait_sum : 12.345678" of sched, milliseconds; 0 where the kernel does not keep it. */
static guint64
read_wait (const char *directory, const char *thread)
{
  g_autofree char *path = g_build_filename (directory, thread, "sched", NULL);
  char text[PROC_FILE_MAX];
  const char *place, *colon;

  if (!read_small (path, text) || (place = strstr (text, "wait_sum")) == NULL
      || (colon = strchr (place, ':')) == NULL)
    return 0;
  return (guint64)(g_ascii_strtod (colon + 1, NULL) * 1e6);
}

/* Fields 14 and 15 of stat are its CPU times in clock ticks, 39 the processor; counted behind the name's ')'.
 */
static gboolean
read_thread (const char *directory, const char *thread, VcpuTime *ret)
{
  g_autofree char *comm_path = g_build_filename (directory, thread, "comm", NULL);
  g_autofree char *stat_path = g_build_filename (directory, thread, "stat", NULL);
  char comm[PROC_FILE_MAX], stat[PROC_FILE_MAX];
  g_auto (GStrv) fields = NULL;
  guint64 user, system, cpu;
  const char *rest;

  if (!read_small (comm_path, comm) || sscanf (comm, "CPU %u/", &ret->number) != 1
      || !read_small (stat_path, stat) || (rest = strrchr (stat, ')')) == NULL)
    return FALSE;
  fields = g_strsplit (rest + 1, " ", 40); /* [0] is empty, [1] is field 3 */
  if (g_strv_length (fields) < 38 || !parse_uint (fields[12], G_MAXUINT64, &user)
      || !parse_uint (fields[13], G_MAXUINT64, &system) || !parse_uint (fields[37], G_MAXINT, &cpu))
    return FALSE;
  ret->time = (user + system) * (G_GUINT64_CONSTANT (1000000000) / (guint64)sysconf (_SC_CLK_TCK));
  ret->cpu = (int)cpu;
  ret->thread = (pid_t)atoi (thread);
  ret->wait = read_wait (directory, thread);
  ret->delay = read_delay (directory, thread);
  return TRUE;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const VcpuTime *one = a, *other = b;

  return one->number < other->number ? -1 : one->number > other->number;
}

GArray *
vcpu_times (const Process *process)
{
  GArray *times = g_array_new (FALSE, FALSE, sizeof (VcpuTime));
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", process_pid (process));
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *thread;
  VcpuTime time;

  while (directory != NULL && (thread = g_dir_read_name (directory)) != NULL)
    if (read_thread (path, thread, &time))
      g_array_append_val (times, time);
  g_array_sort (times, compare_numbers);
  return times;
}

/* KVM's debug directory has one for each machine, "PID-FD". */
void
halt_poll_times (const Process *process, guint64 *ret_success, guint64 *ret_fail)
{
  g_autofree char *prefix = g_strdup_printf ("%d-", process_pid (process));
  g_autoptr (GDir) directory = g_dir_open (KVM_DEBUG_DIRECTORY, 0, NULL);
  const char *name;

  *ret_success = *ret_fail = 0;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *success = g_build_filename (KVM_DEBUG_DIRECTORY, name, "halt_poll_success_ns", NULL);
    g_autofree char *fail = g_build_filename (KVM_DEBUG_DIRECTORY, name, "halt_poll_fail_ns", NULL);
    char text[PROC_FILE_MAX];

    if (!g_str_has_prefix (name, prefix))
      continue;
    if (read_small (success, text))
      parse_uint (g_strchomp (text), G_MAXUINT64, ret_success);
    if (read_small (fail, text))
      parse_uint (g_strchomp (text), G_MAXUINT64, ret_fail);
  }
}

/* "qdev" is the device's id, or its path with the id as one part. */
static gboolean
is_device (JsonObject *entry, const char *alias)
{
  const char *path = untrusted_text (entry, "qdev");
  gsize length = strlen (alias);

  for (const char *part = path; part != NULL; part = strchr (part, '/')) {
    part += *part == '/';
    if (strncmp (part, alias, length) == 0 && (part[length] == '/' || part[length] == '\0'))
      return TRUE;
  }
  return FALSE;
}

static JsonObject *
find_device (JsonNode *answer, const char *alias)
{
  JsonArray *entries = untrusted_list_of (answer);
  guint count = entries != NULL ? MIN (json_array_get_length (entries), DISKS_MAX) : 0;

  for (guint i = 0; i < count; i++) {
    JsonObject *entry = untrusted_object_of (json_array_get_element (entries, i));

    if (is_device (entry, alias))
      return entry;
  }
  return NULL;
}

DiskCounters
machine_disk_counters (const Machine *machine, const char *alias)
{
  const DiskCounters *told = machine->driver_counters != NULL && alias != NULL
                                 ? g_hash_table_lookup (machine->driver_counters, alias)
                                 : NULL;
  JsonObject *device = told == NULL ? find_device (machine->statistics, alias) : NULL;
  JsonObject *stats = device != NULL ? untrusted_object (device, "stats") : NULL;

  if (told != NULL)
    return *told;
  return (DiskCounters){
    .known = stats != NULL,
    .read_requests = untrusted_count (stats, "rd_operations"),
    .read_bytes = untrusted_count (stats, "rd_bytes"),
    .read_time = untrusted_count (stats, "rd_total_time_ns"),
    .write_requests = untrusted_count (stats, "wr_operations"),
    .write_bytes = untrusted_count (stats, "wr_bytes"),
    .write_time = untrusted_count (stats, "wr_total_time_ns"),
    .flush_requests = untrusted_count (stats, "flush_operations"),
    .flush_time = untrusted_count (stats, "flush_total_time_ns"),
  };
}

guint64
disk_highest_offset (JsonNode *answer, const char *alias, guint depth)
{
  JsonObject *device = find_device (answer, alias);

  for (; device != NULL && depth > 0; depth--)
    device = untrusted_object (device, "backing");

  return untrusted_count (untrusted_object (untrusted_object (device, "parent"), "stats"),
                          "wr_highest_offset");
}

virDomainDiskErrorCode
disk_error (JsonNode *answer, const char *alias)
{
  JsonObject *device = find_device (answer, alias);
  const char *status = untrusted_text (device, "io-status");

  return g_strcmp0 (status, "nospace") == 0  ? VIR_DOMAIN_DISK_ERROR_NO_SPACE
         : g_strcmp0 (status, "failed") == 0 ? VIR_DOMAIN_DISK_ERROR_UNSPEC
                                             : VIR_DOMAIN_DISK_ERROR_NONE;
}

JsonObject *
disk_inserted (JsonNode *answer, const char *alias)
{
  return untrusted_object (find_device (answer, alias), "inserted");
}

gboolean
disk_sizes (JsonNode *answer, const char *alias, guint depth, guint64 *ret_capacity, guint64 *ret_physical)
{
  JsonObject *image = untrusted_object (disk_inserted (answer, alias), "image");

  for (; image != NULL && depth > 0; depth--)
    image = untrusted_object (image, "backing-image");

  if (image == NULL)
    return FALSE;
  *ret_capacity = untrusted_count (image, "virtual-size");
  *ret_physical = untrusted_count (image, "actual-size");
  return TRUE;
}

/* A line of the kernel's table: 8 numbers received, then 8 sent; the first 4 of each are ours. */
static gboolean
parse_counters (const char *line, guint64 *rx, guint64 *tx)
{
  g_auto (GStrv) words = g_strsplit_set (line, " ", -1);
  guint count = 0;

  for (guint i = 0; words[i] != NULL; i++) {
    guint64 number;

    if (*words[i] == '\0')
      continue;
    if (!parse_uint (words[i], G_MAXUINT64, &number))
      return FALSE;
    if (count % 8 < 4)
      (count < 8 ? rx : tx)[count % 8] = number;
    count++;
  }
  return count >= 12;
}

gboolean
interface_counters (const DeviceInterface *interface, InterfaceCounters *ret)
{
  g_autofree char *table = NULL;
  g_autofree char *head = NULL;
  gboolean is_seen_alike = interface->type == INTERFACE_DIRECT;
  const char *line;

  if (interface->target_dev == NULL || !g_file_get_contents (NETWORK_DEVICES, &table, NULL, NULL))
    return FALSE;
  head = g_strconcat (interface->target_dev, ":", NULL);
  for (line = table; line != NULL; line = strchr (line, '\n') != NULL ? strchr (line, '\n') + 1 : NULL) {
    line += strspn (line, " ");
    if (g_str_has_prefix (line, head)) {
      g_autofree char *numbers = g_strndup (line + strlen (head), strcspn (line, "\n") - strlen (head));

      return parse_counters (numbers, is_seen_alike ? ret->received : ret->sent,
                             is_seen_alike ? ret->sent : ret->received);
    }
  }
  return FALSE;
}
