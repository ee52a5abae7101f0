/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics of one part of one running domain: a disk, an interface, its processors; and what is
 * known of a disk's image.
 */
#include "daemon/domain/machine.h"
#include "daemon/host/image.h"
#include "daemon/ops/domain/counters.h"
#include "daemon/ops/ops.h"

#include "domain/devices/disk.h"
#include "domain/devices/interface.h"
#include "domain/vcpus.h"

#include <sched.h>
#include <string.h>

#define COUNTERS_SECONDS 5
#define VCPU_INFO_MAX    4096

static gboolean
must_run (Call *call)
{
  GError *error = NULL;

  if (domain_check_active (call->domain, &error))
    return TRUE;
  call_fail (call, error);
  return FALSE;
}

static void
add_counters (DiskCounters *sum, const DiskCounters *counters)
{
  sum->read_requests += counters->read_requests;
  sum->read_bytes += counters->read_bytes;
  sum->read_time += counters->read_time;
  sum->write_requests += counters->write_requests;
  sum->write_bytes += counters->write_bytes;
  sum->write_time += counters->write_time;
  sum->flush_requests += counters->flush_requests;
  sum->flush_time += counters->flush_time;
  sum->known = sum->known || counters->known;
}

/* Of the disk of that name, or of all together when the name is empty. */
static DiskCounters
count_disks (const Machine *machine, const char *name)
{
  const DeviceDisk *only = name[0] != '\0' ? domain_def_find_disk (machine->def, name) : NULL;
  DiskCounters sum = { 0 };

  DOMAIN_FOREACH_DEVICE (machine->def, disk_kind, DeviceDisk, disk) {
    DiskCounters counters;

    if (disk->device.alias == NULL || (name[0] != '\0' && disk != only))
      continue;
    counters = machine_disk_counters (machine, disk->device.alias);
    add_counters (&sum, &counters);
  }
  return sum;
}

/* FALSE, and the call failed, when there are none to answer with. */
static gboolean
counters_of_call (Call *call, const Machine *machine, DiskCounters *ret)
{
  *ret = machine != NULL ? count_disks (machine, call_string (call, 1)) : (DiskCounters){ 0 };
  if (machine == NULL)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
  else if (!ret->known)
    call_fail_with (call, VIR_ERR_OPERATION_FAILED, "no statistics of disk '%s' are known",
                    call_string (call, 1));
  return machine != NULL && ret->known;
}

static void
answer_block_stats (Machine *machine, gpointer data)
{
  Call *call = data;
  DiskCounters counters;

  if (counters_of_call (call, machine, &counters))
    call_answer (call,
                 g_variant_new ("(xxxxx)", (gint64)counters.read_requests, (gint64)counters.read_bytes,
                                (gint64)counters.write_requests, (gint64)counters.write_bytes, (gint64)-1));
}

static void
ask_counters (Call *call, void (*answer) (Machine *machine, gpointer data))
{
  const char *name = call_string (call, 1);

  if (!must_run (call))
    return;
  if (name[0] != '\0' && domain_def_find_disk (call->domain->machine->def, name) == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid path: %s", name);
  else
    machine_ask_disks (call->domain->machine, COUNTERS_SECONDS, answer, call);
}

void
op_domain_block_stats (Call *call)
{
  ask_counters (call, answer_block_stats);
}

/* The same and more, as parameters: in libvirt's order, which is the order virsh shows them in. */
static void
answer_block_stats_flags (Machine *machine, gpointer data)
{
  Call *call = data;
  gboolean only_count = call_int (call, 2) == 0;
  DiskCounters counters;
  GVariantBuilder list;

  if (!counters_of_call (call, machine, &counters))
    return;
  const struct {
    const char *name;
    guint64 value;
  } values[] = {
    { VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, counters.write_bytes },
    { VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, counters.write_requests },
    { VIR_DOMAIN_BLOCK_STATS_READ_BYTES, counters.read_bytes },
    { VIR_DOMAIN_BLOCK_STATS_READ_REQ, counters.read_requests },
    { VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, counters.flush_requests },
    { VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES, counters.write_time },
    { VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES, counters.read_time },
    { VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES, counters.flush_time },
  };
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (gsize i = 0; i < G_N_ELEMENTS (values) && !only_count; i++)
    g_variant_builder_add (&list, "{sv}", values[i].name, g_variant_new_int64 ((gint64)values[i].value));
  call_answer (call, g_variant_new ("(a{sv}i)", &list, only_count ? (int)G_N_ELEMENTS (values) : 0));
}

void
op_domain_block_stats_flags (Call *call)
{
  if (call_check_flags (call, call_uint (call, 3), VIR_TYPED_PARAM_STRING_OKAY))
    ask_counters (call, answer_block_stats_flags);
}

void
op_domain_interface_stats (Call *call)
{
  const char *device = call_string (call, 1);
  const DeviceInterface *found;
  InterfaceCounters counters;

  if (!must_run (call))
    return;
  found = domain_def_find_interface (call->domain->machine->def, device);
  if (found == NULL)
    call_fail_from (call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "'%s' is not a known interface", device);
  else if (!interface_counters (found, &counters))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "interface '%s' has no end on the host that counts",
                    device);
  else
    call_answer (call,
                 g_variant_new ("(xxxxxxxx)", (gint64)counters.received[0], (gint64)counters.received[1],
                                (gint64)counters.received[2], (gint64)counters.received[3],
                                (gint64)counters.sent[0], (gint64)counters.sent[1], (gint64)counters.sent[2],
                                (gint64)counters.sent[3]));
}

/* The host's processors that a vCPU's thread may run on, a bit each. */
static void
fill_affinity (const Process *process, const VcpuTime *vcpu, guint8 *map, guint length)
{
  g_autofree cpu_set_t *set = g_malloc0 (CPU_ALLOC_SIZE (VCPU_INFO_MAX * 8));
  pid_t thread = vcpu != NULL ? vcpu->thread : process_pid (process);

  if (sched_getaffinity (thread, CPU_ALLOC_SIZE (VCPU_INFO_MAX * 8), set) < 0)
    return;
  for (guint cpu = 0; cpu < length * 8; cpu++)
    if (CPU_ISSET_S (cpu, CPU_ALLOC_SIZE (VCPU_INFO_MAX * 8), set))
      map[cpu / 8] |= (guint8)(1 << cpu % 8);
}

void
op_domain_get_vcpus (Call *call)
{
  Domain *domain = call->domain;
  g_autoptr (GArray) times = NULL;
  g_autofree guint8 *maps = NULL;
  int maximum = call_int (call, 1), map_length = call_int (call, 2);
  GVariantBuilder list;
  guint count;

  if (!domain_is_active (domain)) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot retrieve vcpu information for inactive domain");
    return;
  }
  if (maximum < 0 || maximum > VCPU_INFO_MAX || map_length < 0 || map_length > VCPU_INFO_MAX) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "maxinfo %d, maplen %d: at most %d each", maximum, map_length,
                    VCPU_INFO_MAX);
    return;
  }
  times = vcpu_times (domain->machine->process);
  count = MIN (domain_vcpus_online (domain->machine->def), (guint)maximum);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(uiti)"));
  for (guint i = 0; i < count; i++) {
    const VcpuTime *vcpu = i < times->len ? &g_array_index (times, VcpuTime, i) : NULL;

    g_variant_builder_add (&list, "(uiti)", i, VIR_VCPU_RUNNING, vcpu != NULL ? vcpu->time : (guint64)0,
                           vcpu != NULL ? vcpu->cpu : VIR_VCPU_INFO_CPU_UNAVAILABLE);
  }
  maps = g_malloc0 (count * (guint)map_length + 1);
  for (guint i = 0; i < count; i++)
    fill_affinity (domain->machine->process, i < times->len ? &g_array_index (times, VcpuTime, i) : NULL,
                   maps + i * (guint)map_length, (guint)map_length);
  call_answer (call, g_variant_new ("(a(uiti)@ay)", &list,
                                    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, maps,
                                                               count * (guint)map_length, 1)));
}

typedef struct {
  Call *call;
  char *path, *format;
  ImageSizes sizes;
} ImageRequest;

static void
image_request_free (gpointer data)
{
  ImageRequest *request = data;

  g_free (request->path);
  g_free (request->format);
  g_free (request);
}

static gpointer
read_image (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  ImageRequest *request = input;

  return image_sizes_read (request->path, request->format, &request->sizes, error) ? JOB_OK : NULL;
}

static void
answer_image (gpointer result, const GError *error, gpointer data)
{
  ImageRequest *request = data;

  if (result == NULL)
    call_fail (request->call, g_error_copy (error));
  else
    call_answer (request->call, g_variant_new ("(ttt)", request->sizes.allocation, request->sizes.capacity,
                                               request->sizes.physical));
}

#define ASK_SECONDS 5 /* for QEMU to tell the sizes of its disks */

/* What has no path on the host: as QEMU knows it. */
static void
answer_from_machine (Machine *machine, gpointer data)
{
  Call *call = data;
  const DeviceDisk *disk =
      machine != NULL ? domain_def_find_disk (machine->def, call_string (call, 1)) : NULL;
  guint64 capacity = 0, physical = 0;

  if (disk == NULL || disk->device.alias == NULL
      || !disk_sizes (machine->disks, disk->device.alias, 0, &capacity, &physical))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "the size of disk '%s' is not known",
                    call_string (call, 1));
  else
    call_answer (call,
                 g_variant_new ("(ttt)", disk_highest_offset (machine->statistics, disk->device.alias, 0),
                                capacity, physical));
}

static void
block_info_with (Call *call, DomainDef *def)
{
  const DeviceDisk *disk = domain_def_find_disk (def, call_string (call, 1));
  ImageRequest *request;

  if (disk == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid path %s not assigned to domain",
                    call_string (call, 1));
    return;
  }
  if (disk_path (disk) == NULL && disk_has_nodes (disk)) {
    if (domain_is_active (call->domain))
      machine_ask_disks (call->domain->machine, ASK_SECONDS, answer_from_machine, call);
    else
      call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                      "the size of disk '%s', which is no file and no block device, is known only while the "
                      "domain runs",
                      disk->target);
    return;
  }
  if (disk_path (disk) == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "disk '%s' does not currently have a source assigned",
                    call_string (call, 1));
    return;
  }
  request = g_new0 (ImageRequest, 1);
  request->call = call;
  request->path = g_strdup (disk_path (disk));
  request->format = g_strdup (disk->format);
  job_start ("image", read_image, request, image_request_free, 0, answer_image, request);
}

void
op_domain_get_block_info (Call *call)
{
  if (call_check_flags (call, call_uint (call, 2), 0))
    call_with_definition (call, DEFINITION_CURRENT, block_info_with);
}
