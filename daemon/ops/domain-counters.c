/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics of one part of one running domain: a disk, an interface, its memory, its processors; and what is
 * known of a disk's image.
 */
#include "daemon/host/image.h"
#include "daemon/machine.h"
#include "daemon/ops/counters.h"
#include "daemon/ops/ops.h"

#include "model/disk.h"
#include "model/interface.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define COUNTERS_SECONDS 5
#define VCPU_INFO_MAX    4096

static const DeviceDisk *
find_disk (const DomainDef *def, const char *name)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk->target, name) == 0 || g_strcmp0 (disk_path (disk), name) == 0)
      return disk;
  }
  return NULL;
}

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
answer_block_stats (Machine *machine, gpointer data)
{
  Call *call = data;
  const DeviceDisk *disk = machine != NULL ? find_disk (machine->def, call_string (call, 1)) : NULL;
  DiskCounters counters = { 0 };

  if (disk != NULL && disk->device.alias != NULL)
    counters = disk_counters (machine->statistics, disk->device.alias);
  if (machine == NULL)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
  else if (!counters.known)
    call_fail_with (call, VIR_ERR_OPERATION_FAILED, "no statistics of disk '%s' are known",
                    call_string (call, 1));
  else
    call_answer (call,
                 g_variant_new ("(xxxxx)", (gint64)counters.read_requests, (gint64)counters.read_bytes,
                                (gint64)counters.write_requests, (gint64)counters.write_bytes, (gint64)-1));
}

void
op_domain_block_stats (Call *call)
{
  if (!must_run (call))
    return;
  if (find_disk (call->domain->machine->def, call_string (call, 1)) == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid path: %s", call_string (call, 1));
  else
    machine_ask_disks (call->domain->machine, COUNTERS_SECONDS, answer_block_stats, call);
}

void
op_domain_interface_stats (Call *call)
{
  const char *device = call_string (call, 1);
  const DeviceInterface *found = NULL;
  InterfaceCounters counters;

  if (!must_run (call))
    return;
  DOMAIN_FOREACH_DEVICE (call->domain->machine->def, interface_kind, DeviceInterface, interface) {
    if (g_strcmp0 (interface->target_dev, device) == 0
        || (interface->mac != NULL && g_ascii_strcasecmp (interface->mac, device) == 0))
      found = interface;
  }
  if (found == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid path, '%s' is not a known interface", device);
  else if (!interface_counters (found->target_dev, &counters))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "interface '%s' has no end on the host that counts",
                    device);
  else
    call_answer (call,
                 g_variant_new ("(xxxxxxxx)", (gint64)counters.received[0], (gint64)counters.received[1],
                                (gint64)counters.received[2], (gint64)counters.received[3],
                                (gint64)counters.sent[0], (gint64)counters.sent[1], (gint64)counters.sent[2],
                                (gint64)counters.sent[3]));
}

void
op_domain_memory_stats (Call *call)
{
  guint64 time, user, system, resident;
  guint room = call_uint (call, 1);
  Domain *domain = call->domain;
  GVariantBuilder list;

  if (!call_check_flags (call, call_uint (call, 2), 0) || !must_run (call))
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(it)"));
  if (room > 0)
    g_variant_builder_add (&list, "(it)", VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON,
                           domain_memory_now (domain, domain->machine->def));
  if (room > 1 && process_usage (domain->machine->process, &time, &user, &system, &resident))
    g_variant_builder_add (&list, "(it)", VIR_DOMAIN_MEMORY_STAT_RSS, resident);
  call_answer (call, g_variant_new ("(a(it))", &list));
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
  count = MIN (domain_vcpus_now (domain->machine->def), (guint)maximum);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(uiti)"));
  for (guint i = 0; i < count; i++) {
    const VcpuTime *vcpu = i < times->len ? &g_array_index (times, VcpuTime, i) : NULL;

    g_variant_builder_add (&list, "(uiti)", i, VIR_VCPU_RUNNING, vcpu != NULL ? vcpu->time : (guint64)0,
                           vcpu != NULL ? vcpu->cpu : VIR_VCPU_INFO_CPU_UNAVAILABLE);
  }
  /* Nothing pins them: each may run anywhere. */
  maps = g_malloc (count * (guint)map_length + 1);
  memset (maps, 0xff, count * (guint)map_length);
  call_answer (call, g_variant_new ("(a(uiti)@ay)", &list,
                                    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, maps,
                                                               count * (guint)map_length, 1)));
}

typedef struct {
  Call *call;
  char *path, *format;
  guint64 allocation, capacity, physical;
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
  g_autoptr (ImageInfo) info = image_info_read (request->path, request->format, error);
  struct stat status;

  if (info == NULL)
    return NULL;
  if (stat (request->path, &status) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot stat file '%s': %s", request->path,
                    g_strerror (errno));
    return NULL;
  }
  request->capacity = info->virtual_size;
  request->physical = S_ISREG (status.st_mode) ? (guint64)status.st_size : info->virtual_size;
  request->allocation = S_ISREG (status.st_mode) ? (guint64)status.st_blocks * 512 : request->physical;
  return JOB_OK;
}

static void
answer_image (gpointer result, const GError *error, gpointer data)
{
  ImageRequest *request = data;

  if (result == NULL)
    call_fail (request->call, g_error_copy (error));
  else
    call_answer (request->call,
                 g_variant_new ("(ttt)", request->allocation, request->capacity, request->physical));
}

static void
block_info_with (Call *call, DomainDef *def)
{
  const DeviceDisk *disk = find_disk (def, call_string (call, 1));
  ImageRequest *request;

  if (disk == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid path %s not assigned to domain",
                    call_string (call, 1));
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
