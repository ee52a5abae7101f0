/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking into a domain's disks, running or not, and into its memory. Neither takes the domain's lock: a look
 * changes nothing.
 */
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/peek.h"
#include "daemon/ops/ops.h"

#include "domain/devices/disk.h"

/* FALSE, and the call failed, when that is more than an answer can hold. */
static gboolean
check_size (Call *call, guint64 size)
{
  if (size <= PEEK_MAX_BYTES)
    return TRUE;
  call_fail_with (call, VIR_ERR_INTERNAL_ERROR,
                  "size %" G_GUINT64_FORMAT " exceeds maximum buffer size of %d bytes", size, PEEK_MAX_BYTES);
  return FALSE;
}

static void
answer_bytes (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;
  g_autoptr (GBytes) bytes = result;
  gconstpointer start;
  gsize length;

  if (bytes == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  start = g_bytes_get_data (bytes, &length);
  call_answer (call,
               g_variant_new ("(@ay)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, start, length, 1)));
}

static void
peek_disk (Call *call, DomainDef *def)
{
  const char *name = call_string (call, 1);
  const DeviceDisk *disk = domain_def_find_disk (def, name);
  const char *path = disk != NULL ? disk_path (disk) : NULL;
  const char *format = path == NULL ? "none" : disk->format != NULL ? disk->format : "raw";
  DiskPeek *peek;

  if (disk == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "disk '%s' not found in domain", name);
    return;
  }
  if (!g_str_equal (format, "raw")) {
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                    "peeking is only supported for disk with 'raw' format not '%s'", format);
    return;
  }
  peek = g_new0 (DiskPeek, 1);
  peek->path = g_strdup (path);
  peek->name = g_strdup (name);
  peek->offset = call_ulong (call, 2);
  peek->size = call_uint (call, 3);
  job_start ("disk-peek", disk_peek_job, peek, disk_peek_free, 0, answer_bytes, call);
}

void
op_domain_block_peek (Call *call)
{
  const char *name = call_string (call, 1);

  if (!call_check_flags (call, call_uint (call, 4), 0) || !check_size (call, call_uint (call, 3)))
    return;
  if (name[0] == '\0')
    call_fail_with (call, VIR_ERR_INVALID_ARG, "string disk in virDomainBlockPeek must not be empty");
  else
    call_with_definition (call, DEFINITION_CURRENT, peek_disk);
}

void
op_domain_memory_peek (Call *call)
{
  guint flags = call_uint (call, 3);
  MemoryPeek *peek;

  if (!call_check_flags (call, flags, VIR_MEMORY_VIRTUAL | VIR_MEMORY_PHYSICAL)
      || !check_size (call, call_uint (call, 2)))
    return;
  if (flags != VIR_MEMORY_VIRTUAL && flags != VIR_MEMORY_PHYSICAL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "%s",
                    flags == 0
                        ? "flags parameter must be VIR_MEMORY_VIRTUAL or VIR_MEMORY_PHYSICAL"
                        : "Flags 'VIR_MEMORY_VIRTUAL' and 'VIR_MEMORY_PHYSICAL' are mutually exclusive");
    return;
  }
  if (!call_check_monitor (call))
    return;
  peek = g_new0 (MemoryPeek, 1);
  peek->qmp = qmp_ref (call->domain->machine->qmp);
  peek->directory = machine_qemu_directory (call->domain->machine);
  peek->physical = flags == VIR_MEMORY_PHYSICAL;
  peek->offset = call_ulong (call, 1);
  peek->size = call_uint (call, 2);
  job_start ("memory-peek", memory_peek_job, peek, memory_peek_free, call->manager->settings->call_timeout,
             answer_bytes, call);
}
