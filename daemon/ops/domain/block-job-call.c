/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a call to a block job: the disk, the lock, the speed, and names for headers. */
#include "daemon/ops/domain/block-job-call.h"

#include "daemon/domain/machine-backup.h"
#include "daemon/host/image.h"
#include "daemon/host/named-file.h"
#include "targets/qemu/throttle.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MIB_SHIFT 20

typedef struct {
  BlockJobCallBegin begin;
  gpointer data;
  GDestroyNotify free_data;
} BlockJobCall;

static void
state_free (gpointer data)
{
  BlockJobCall *state = data;

  if (state->data != NULL)
    state->free_data (state->data);
  g_free (state);
}

gboolean
block_job_call_speed (Call *call, guint64 bandwidth, gboolean is_bytes, guint64 *ret_bytes)
{
  guint64 most = is_bytes ? G_MAXINT64 : G_MAXINT64 >> MIB_SHIFT;

  if (bandwidth > most) {
    call_fail_with (call, VIR_ERR_OVERFLOW, "bandwidth must be less than %" G_GUINT64_FORMAT, most);
    return FALSE;
  }
  *ret_bytes = is_bytes ? bandwidth : bandwidth << MIB_SHIFT;
  return TRUE;
}

static gboolean
check_disk (const DeviceDisk *disk, const char *name, GError **error)
{
  if (disk == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "disk '%s' not found in domain", name);
  else if (!disk_has_source (disk))
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "disk '%s' has no source: there is nothing to work on",
                    disk->target);
  else if (!disk_has_nodes (disk) || !disk->source_index.set)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "block jobs are not supported on disk '%s': QEMU does not read it by itself",
                    disk->target);
  else if (disk->transient)
    virt_error_set (
        error, VIR_ERR_OPERATION_UNSUPPORTED,
        "block jobs are not supported on disk '%s': it is transient, and its changes have no file",
        disk->target);
  else
    return TRUE;
  return FALSE;
}

static void
locked (Domain *domain, Call *call)
{
  const BlockJobCall *state = call->user_data;
  const DeviceDisk *disk;
  GError *error = NULL;

  if (!call_check_monitor (call))
    return;
  disk = domain_def_find_disk (domain->machine->def, call_string (call, 1));
  if (!check_disk (disk, call_string (call, 1), &error)
      || !machine_check_no_block_job (domain->machine, disk->target, &error))
    call_fail (call, error);
  else
    state->begin (call, domain->machine, disk, state->data);
}

void
block_job_call (Call *call, const char *name, BlockJobCallBegin begin, gpointer data,
                GDestroyNotify free_data)
{
  BlockJobCall *state = g_new0 (BlockJobCall, 1);
  GError *error = NULL;

  *state = (BlockJobCall){ begin, data, free_data };
  call->user_data = state;
  call->user_free = state_free;
  if (!domain_check_active (call->domain, &error))
    call_fail (call, error);
  else
    domain_lock (call->domain, name, call, locked);
}

static void
begun (BlockJobRequest *request, const GError *error)
{
  Call *call = request->call;

  if (error != NULL)
    call_fail (call, g_error_copy (error));
  else
    call_answer_nothing (call);
}

BlockJobRequest *
block_job_call_request (Call *call, const DeviceDisk *disk)
{
  BlockJobRequest *request = g_new0 (BlockJobRequest, 1);
  BlockJobCall *state = call->user_data;

  request->data = g_steal_pointer (&state->data);
  request->free_data = state->free_data;
  request->target = g_strdup (disk->target);
  request->done = begun;
  request->call = call;
  return request;
}

gboolean
block_job_call_prepare (BlockJobRequest *request, const BlockJobKind *kind, guint64 named, GError **error)
{
  g_autoptr (QemuCaps) caps = caps_cache_get (request->plug.caps, request->start.def->emulator, error);
  g_autofree char *node = caps != NULL ? qemu_image_node (caps, request->start.disk, named) : NULL;

  if (caps == NULL)
    return FALSE;
  request->start.job = block_job_new (kind, request->start.disk, node);
  request->start.job->top = request->start.disk->source_index.value;
  return TRUE;
}

/* What the header of the image at @path says, where that is a name relative to it. (transfer full) */
static char *
relative_name (const char *path)
{
  int fd = path != NULL ? named_file_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0) : -1;
  g_autoptr (ImageHeader) header = fd >= 0 ? image_header_read (fd, path, NULL) : NULL;
  const char *name = header != NULL ? header->backing_name : NULL;

  if (fd >= 0)
    close (fd);
  return name != NULL && !g_path_is_absolute (name) && strchr (name, ':') == NULL ? g_strdup (name) : NULL;
}

/* @base as seen from @above, if every image between them names the next one so. (transfer full) */
static char *
relative_path (const DeviceDisk *disk, guint64 above, guint64 base)
{
  g_autofree char *path = NULL;

  for (guint64 index = above; index != base && index != 0; index = disk_index_below (disk, index)) {
    g_autofree char *name = relative_name (disk_image_text (disk, index));
    g_autofree char *before = g_steal_pointer (&path), *directory = NULL;

    if (name == NULL)
      return NULL;
    directory = before != NULL ? g_path_get_dirname (before) : NULL;
    path = directory == NULL || g_str_equal (directory, ".") ? g_steal_pointer (&name)
                                                             : g_build_filename (directory, name, NULL);
  }
  return g_steal_pointer (&path);
}

gboolean
block_job_call_backing (BlockJobRequest *request, guint64 above, guint64 base, gboolean relative,
                        GError **error)
{
  const DeviceDisk *disk = request->start.disk;
  DiskImage image;

  if (relative) {
    request->start.backing = relative_path (disk, above, base);
    if (request->start.backing == NULL)
      virt_error_set (error, VIR_ERR_OPERATION_INVALID, "can't keep relative backing relationship");
    return request->start.backing != NULL;
  }
  if (disk_image_of (disk, base, &image))
    request->start.backing = g_strdup (image.path);
  return TRUE;
}
