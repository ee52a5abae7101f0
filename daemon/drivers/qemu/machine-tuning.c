/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tuning from a definition. Only what is asked for is done: a machine whose document says nothing of this
 * costs nothing here, and gets no thread moved.
 */
#include "daemon/drivers/qemu/machine-tuning.h"

#include "daemon/host/limits.h"
#include "domain/devices/host-device.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#define VFIO_EXTRA (1024 * 1024)              /* KiB */
#define NODES      "/sys/devices/system/node" /* not there where the kernel knows of one node only */

/* Before exec. */

/* How many devices of the host reach into the guest's memory. */
static guint
count_vfio (const DomainDef *def)
{
  guint count = 0;

  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);
    HostdevType type = device_host_type (device);

    count += (type == HOSTDEV_PCI || type == HOSTDEV_MDEV) && device->address.type != ADDRESS_UNASSIGNED;
  }
  return count;
}

/* Then each of them has a space of its own, and all of the memory in it. */
static gboolean
has_iommu (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++)
    if (g_str_equal (((const Device *)g_ptr_array_index (def->devices, i))->kind->element, "iommu"))
      return TRUE;
  return FALSE;
}

guint64
tuning_lock_limit (const DomainDef *def)
{
  const Number *hard = &def->memtune.hard_limit;
  guint64 memory = def->max_memory.set ? def->max_memory.value : def->memory.value;
  guint count = count_vfio (def);

  if (!def->memory_backing.locked && count == 0)
    return 0;
  if (hard->set)
    return hard->value * 1024;
  if (def->memory_backing.locked)
    return RLIM_INFINITY;
  return (memory * (has_iommu (def) ? count : 1) + VFIO_EXTRA) * 1024;
}

gboolean
tuning_allow_locking (const DomainDef *def, GPid pid, GError **error)
{
  rlim_t most = tuning_lock_limit (def);
  struct rlimit limit = { most, most };

  if (most == 0 || prlimit (pid, RLIMIT_MEMLOCK, &limit, NULL) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot limit locked memory of process %d: %s", pid,
                  g_strerror (errno));
  return FALSE;
}

static gboolean
check_nodes (const char *nodeset, GError **error)
{
  g_autoptr (CpuSet) nodes = nodeset != NULL ? cpu_set_parse (nodeset, NULL) : NULL;

  for (guint node = 0; nodes != NULL && node < CPU_SET_MAX; node++) {
    g_autofree char *path = g_strdup_printf (NODES "/node%u", node);

    if (!cpu_set_contains (nodes, node) || (node == 0 && access (NODES, F_OK) != 0)
        || access (path, F_OK) == 0)
      continue;
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "NUMA node %u is unavailable", node);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_all_nodes (const DomainNumatune *tune, GError **error)
{
  if (tune->memory != NULL && !check_nodes (tune->memory->nodeset, error))
    return FALSE;
  for (guint i = 0; tune->memnodes != NULL && i < tune->memnodes->len; i++)
    if (!check_nodes (((const NumaMemnode *)g_ptr_array_index (tune->memnodes, i))->nodeset, error))
      return FALSE;
  return TRUE;
}

gboolean
tuning_prepare (const DomainDef *def, GPid pid, GError **error)
{
  return check_all_nodes (&def->numatune, error) && tuning_allow_locking (def, pid, error);
}

/* The control group. */

char *
tuning_part (ThreadKind kind, guint number)
{
  if (kind == THREAD_EMULATOR)
    return g_strdup ("emulator");
  return g_strdup_printf ("%s%u", kind == THREAD_VCPU ? "vcpu" : "iothread", number);
}

gboolean
tuning_set_bandwidth (const Cgroup *cgroup, const GArray *threads, ThreadKind kind, guint64 period,
                      gint64 quota, GError **error)
{
  if (period == 0 && quota == 0)
    return TRUE;
  if (!cgroup_check (cgroup, CGROUP_CPU, error))
    return FALSE;
  for (guint i = 0; i < threads->len; i++) {
    const MachineThread *thread = &g_array_index (threads, MachineThread, i);
    g_autofree char *part = tuning_part (kind, thread->number);

    if (thread->kind != kind)
      continue;
    if (!cgroup_place_thread (cgroup, CGROUP_CPU, part, thread->id, error)
        || !limits_set_bandwidth (cgroup, part, period, quota, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
limit_processors (const DomainCputune *tune, const Cgroup *cgroup, const GArray *threads, GError **error)
{
  if (tune->shares.value != 0 && !limits_set_shares (cgroup, tune->shares.value, error))
    return FALSE;
  return limits_set_bandwidth (cgroup, NULL, tune->global_period.value, tune->global_quota.value, error)
         && tuning_set_bandwidth (cgroup, threads, THREAD_VCPU, tune->period.value, tune->quota.value, error)
         && tuning_set_bandwidth (cgroup, threads, THREAD_EMULATOR, tune->emulator_period.value,
                                  tune->emulator_quota.value, error)
         && tuning_set_bandwidth (cgroup, threads, THREAD_IOTHREAD, tune->iothread_period.value,
                                  tune->iothread_quota.value, error);
}

static gboolean
limit_memory (const DomainMemtune *tune, const Cgroup *cgroup, GError **error)
{
  const MemoryLimits limits = { tune->hard_limit, tune->soft_limit, tune->swap_hard_limit };

  return limits_set_memory (cgroup, &limits, error);
}

static gboolean
limit_device (const BlkioDevice *device, const Cgroup *cgroup, GError **error)
{
  const Number *values[] = { [BLKIO_DEVICE_WEIGHT] = &device->weight,
                             [BLKIO_READ_IOPS] = &device->read_iops,
                             [BLKIO_WRITE_IOPS] = &device->write_iops,
                             [BLKIO_READ_BYTES] = &device->read_bytes,
                             [BLKIO_WRITE_BYTES] = &device->write_bytes };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    if (values[i]->set && !limits_set_device (cgroup, i, device->path, values[i]->value, error))
      return FALSE;
  return TRUE;
}

static gboolean
limit_disks (const DomainBlkiotune *tune, const Cgroup *cgroup, GError **error)
{
  if (tune->weight.set && !limits_set_weight (cgroup, tune->weight.value, error))
    return FALSE;
  for (guint i = 0; tune->devices != NULL && i < tune->devices->len; i++)
    if (!limit_device (g_ptr_array_index (tune->devices, i), cgroup, error))
      return FALSE;
  return TRUE;
}

/* The stricter modes are the control group's too; a host without the controller has QEMU's own binding. */
static gboolean
limit_nodes (const DomainNumatune *tune, const Cgroup *cgroup, GError **error)
{
  const NumaMemory *memory = tune->memory;

  if (memory == NULL || memory->nodeset == NULL)
    return TRUE;
  if (memory->mode == NUMA_MODE_RESTRICTIVE)
    return limits_set_nodes (cgroup, memory->nodeset, error);
  if (memory->mode == NUMA_MODE_STRICT && tune->memnodes == NULL && cgroup_has (cgroup, CGROUP_CPUSET))
    return limits_set_nodes (cgroup, memory->nodeset, error);
  return TRUE;
}

/* Threads. */

const char *
tuning_cpus_of (const DomainDef *def, ThreadKind kind, guint64 number)
{
  const DomainCputune *tune = &def->cputune;
  const char *own = kind == THREAD_VCPU       ? cputune_find_pin (tune->vcpu_pins, number)
                    : kind == THREAD_IOTHREAD ? cputune_find_pin (tune->iothread_pins, number)
                                              : tune->emulator_pin;

  return own != NULL ? own : def->vcpu_cpuset;
}

static const CpuScheduler *
scheduler_of (const DomainCputune *tune, const MachineThread *thread)
{
  const GPtrArray *list = thread->kind == THREAD_VCPU ? tune->vcpu_schedulers : tune->iothread_schedulers;

  if (thread->kind == THREAD_EMULATOR)
    return tune->emulator_scheduler;
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const CpuScheduler *scheduler = g_ptr_array_index (list, i);

    if (g_ascii_strtoull (scheduler->ids, NULL, 10) == thread->number)
      return scheduler;
  }
  return NULL;
}

static gboolean
place_thread (const DomainDef *def, const MachineThread *thread, GError **error)
{
  const char *cpuset = tuning_cpus_of (def, thread->kind, thread->number);
  const CpuScheduler *scheduler = scheduler_of (&def->cputune, thread);
  g_autoptr (CpuSet) cpus = cpuset != NULL ? cpu_set_parse (cpuset, NULL) : NULL;

  return (cpus == NULL || thread_set_affinity (thread->id, cpus, error))
         && (scheduler == NULL || thread_set_scheduler (thread->id, scheduler, error));
}

static gboolean
place_threads (const DomainDef *def, const GArray *threads, GError **error)
{
  for (guint i = 0; i < threads->len; i++)
    if (!place_thread (def, &g_array_index (threads, MachineThread, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
pin_thread (pid_t thread, const char *cpuset, GError **error)
{
  g_autoptr (CpuSet) cpus = cpuset != NULL ? cpu_set_parse (cpuset, NULL) : host_cpus ();

  return thread_set_affinity (thread, cpus, error);
}

static gboolean
no_thread (GPid pid, ThreadKind kind, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "process %d has no thread of that %s", pid,
                  kind == THREAD_VCPU ? "vCPU" : "I/O thread");
  return FALSE;
}

gboolean
tuning_pin (GPid pid, ThreadKind kind, guint number, const char *cpuset, GError **error)
{
  g_autoptr (GArray) threads = machine_threads (pid);
  gboolean found = FALSE;

  for (guint i = 0; i < threads->len; i++) {
    const MachineThread *thread = &g_array_index (threads, MachineThread, i);

    if (thread->kind != kind || (kind != THREAD_EMULATOR && thread->number != number))
      continue;
    found = TRUE;
    if (!pin_thread (thread->id, cpuset, error))
      return FALSE;
  }
  return found || no_thread (pid, kind, error);
}

gboolean
tuning_place_new (const DomainDef *def, GPid pid, ThreadKind kind, guint number, GError **error)
{
  const DomainCputune *tune = &def->cputune;
  gboolean vcpu = kind == THREAD_VCPU;
  g_autoptr (Cgroup) cgroup = cgroup_find (def->uuid, pid);
  g_autoptr (GArray) threads = machine_threads (pid);
  const MachineThread *thread = machine_thread_find (threads, kind, number);

  if (thread == NULL)
    return no_thread (pid, kind, error);
  return pin_thread (thread->id, tuning_cpus_of (def, kind, number), error)
         && place_thread (def, thread, error)
         && tuning_set_bandwidth (cgroup, threads, kind,
                                  vcpu ? tune->period.value : tune->iothread_period.value,
                                  vcpu ? tune->quota.value : tune->iothread_quota.value, error);
}

/* The whole. */

static gboolean
is_asked_for (const DomainDef *def)
{
  return def->vcpu_cpuset != NULL || !field_table_is_empty (&domain_cputune_table, &def->cputune)
         || !field_table_is_empty (&domain_memtune_table, &def->memtune)
         || !field_table_is_empty (&domain_blkiotune_table, &def->blkiotune)
         || !field_table_is_empty (&domain_numatune_table, &def->numatune);
}

static gboolean
has_bandwidth (const DomainCputune *tune)
{
  return tune->period.set || tune->quota.set || tune->global_period.set || tune->global_quota.set
         || tune->emulator_period.set || tune->emulator_quota.set || tune->iothread_period.set
         || tune->iothread_quota.set;
}

/* A machine that asks for a limit is not run without it. */
static gboolean
check_controllers (const DomainDef *def, const Cgroup *cgroup, GError **error)
{
  const struct {
    gboolean wanted;
    CgroupController controller;
    const char *words;
  } parts[] = {
    { def->cputune.shares.value != 0, CGROUP_CPU, "CPU tuning is not available on this host" },
    { has_bandwidth (&def->cputune), CGROUP_CPU, "cgroup cpu is required for scheduler tuning" },
    { !field_table_is_empty (&domain_memtune_table, &def->memtune), CGROUP_MEMORY,
      "Memory cgroup is not available on this host" },
    { !field_table_is_empty (&domain_blkiotune_table, &def->blkiotune), CGROUP_BLKIO,
      "Block I/O tuning is not available on this host" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i].wanted && !cgroup_has (cgroup, parts[i].controller)) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", parts[i].words);
      return FALSE;
    }
  return TRUE;
}

gboolean
tuning_apply (const DomainDef *def, GPid pid, GError **error)
{
  g_autoptr (Cgroup) cgroup = NULL;
  g_autoptr (GArray) threads = NULL;

  if (!is_asked_for (def))
    return TRUE;
  cgroup = cgroup_find (def->uuid, pid);
  threads = machine_threads (pid);
  return check_controllers (def, cgroup, error) && limit_processors (&def->cputune, cgroup, threads, error)
         && limit_memory (&def->memtune, cgroup, error) && limit_disks (&def->blkiotune, cgroup, error)
         && limit_nodes (&def->numatune, cgroup, error) && place_threads (def, threads, error);
}
