/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads, by their names in /proc and by the kernel's calls. A name is not to be trusted: QEMU may be in the
 * guest's hands. What it could gain is another place for a thread that is its own anyway.
 */
#include "daemon/host/threads.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX    65536 /* of one process */
#define COMM_MAX_BYTES 64
#define ONLINE_CPUS    "/sys/devices/system/cpu/online"

static gboolean
read_name (const char *directory, const char *thread, char name[COMM_MAX_BYTES])
{
  g_autofree char *path = g_build_filename (directory, thread, "comm", NULL);
  FILE *file = fopen (path, "re");
  gsize length = file != NULL ? fread (name, 1, COMM_MAX_BYTES - 1, file) : 0;

  if (file != NULL)
    fclose (file);
  name[length] = '\0';
  return length > 0;
}

static int
compare_threads (gconstpointer a, gconstpointer b)
{
  const MachineThread *one = a, *other = b;

  if (one->kind != other->kind)
    return (int)one->kind - (int)other->kind;
  if (one->number != other->number)
    return one->number < other->number ? -1 : 1;
  return one->id - other->id;
}

GArray *
machine_threads (GPid pid)
{
  GArray *threads = g_array_new (FALSE, TRUE, sizeof (MachineThread));
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  char name[COMM_MAX_BYTES];
  const char *id;

  while (directory != NULL && threads->len < THREADS_MAX && (id = g_dir_read_name (directory)) != NULL) {
    MachineThread thread = { .id = (pid_t)atoi (id) };

    if (!read_name (path, id, name))
      continue;
    if (sscanf (name, "CPU %u/", &thread.number) == 1)
      thread.kind = THREAD_VCPU;
    else if (sscanf (name, "IO iothread%u", &thread.number) == 1)
      thread.kind = THREAD_IOTHREAD;
    g_array_append_val (threads, thread);
  }
  g_array_sort (threads, compare_threads);
  return threads;
}

const MachineThread *
machine_thread_find (const GArray *threads, ThreadKind kind, guint number)
{
  for (guint i = 0; i < threads->len; i++) {
    const MachineThread *thread = &g_array_index (threads, MachineThread, i);

    if (thread->kind == kind && thread->number == number)
      return thread;
  }
  return NULL;
}

CpuSet *
host_cpus (void)
{
  g_autofree char *text = NULL;
  CpuSet *set =
      g_file_get_contents (ONLINE_CPUS, &text, NULL, NULL) ? cpu_set_parse (g_strchomp (text), NULL) : NULL;

  if (set != NULL)
    return set;
  set = cpu_set_new ();
  for (guint cpu = 0; cpu < host_cpu_count (); cpu++)
    cpu_set_add (set, cpu);
  return set;
}

guint
host_cpu_count (void)
{
  long count = sysconf (_SC_NPROCESSORS_CONF);

  return (guint)CLAMP (count, 1, CPU_SET_MAX);
}

CpuSet *
thread_get_affinity (pid_t thread)
{
  gsize size = CPU_ALLOC_SIZE (CPU_SET_MAX);
  g_autofree cpu_set_t *bits = g_malloc0 (size);
  CpuSet *set;

  if (sched_getaffinity (thread, size, bits) < 0)
    return NULL;
  set = cpu_set_new ();
  for (guint cpu = 0; cpu < CPU_SET_MAX; cpu++)
    if (CPU_ISSET_S (cpu, size, bits))
      cpu_set_add (set, cpu);
  return set;
}

gboolean
thread_set_affinity (pid_t thread, const CpuSet *cpus, GError **error)
{
  gsize size = CPU_ALLOC_SIZE (CPU_SET_MAX);
  g_autofree cpu_set_t *bits = g_malloc0 (size);

  for (guint cpu = 0; cpu < CPU_SET_MAX; cpu++)
    if (cpu_set_contains (cpus, cpu))
      CPU_SET_S (cpu, size, bits);
  if (sched_setaffinity (thread, size, bits) == 0 || errno == ESRCH)
    return TRUE; /* a worker thread may have ended meanwhile */
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot set CPU affinity on process %d: %s", thread,
                  g_strerror (errno));
  return FALSE;
}

gboolean
thread_set_scheduler (pid_t thread, const CpuScheduler *scheduler, GError **error)
{
  static const int policies[] = { [CPU_SCHEDULER_NONE] = SCHED_OTHER,
                                  [CPU_SCHEDULER_BATCH] = SCHED_BATCH,
                                  [CPU_SCHEDULER_IDLE] = SCHED_IDLE,
                                  [CPU_SCHEDULER_FIFO] = SCHED_FIFO,
                                  [CPU_SCHEDULER_RR] = SCHED_RR };
  int policy = policies[scheduler->kind];
  int lowest = sched_get_priority_min (policy), highest = sched_get_priority_max (policy);
  struct sched_param parameters = { 0 };

  if (policy == SCHED_FIFO || policy == SCHED_RR) {
    if (scheduler->priority.value < lowest || scheduler->priority.value > highest) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "Scheduler priority %" G_GINT64_FORMAT " out of range [%d, %d]",
                      scheduler->priority.value, lowest, highest);
      return FALSE;
    }
    parameters.sched_priority = (int)scheduler->priority.value;
  }
  if (sched_setscheduler (thread, policy, &parameters) == 0 || errno == ESRCH)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot set scheduler parameters for pid %d: %s", thread,
                  g_strerror (errno));
  return FALSE;
}
