/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commits: the data of some images of a disk's chain goes into the one below them. With the topmost image
 * among them the job becomes ready and waits for its pivot; otherwise it ends by itself. No file is removed:
 * what was committed may stand below other images.
 */
#include "daemon/ops/domain/block-job-call.h"

typedef struct {
  char *base_name, *top_name; /* NULL: not said */
  guint64 bytes_per_second;
  guint flags;
  guint64 top, base, overlay;
} Commit;

static void
commit_free (gpointer data)
{
  Commit *commit = data;

  g_free (commit->base_name);
  g_free (commit->top_name);
  g_free (commit);
}

static gboolean
prepare_commit (G_GNUC_UNUSED Job *thread, BlockJobRequest *request, GError **error)
{
  const Commit *commit = request->data;
  BlockJobStart *start = &request->start;
  DeviceDisk *disk = (DeviceDisk *)start->disk;
  gboolean active = commit->overlay == 0;

  if (!block_job_call_prepare (request, active ? &block_job_active_commit : &block_job_commit, commit->top,
                               error))
    return FALSE;
  start->job->top = commit->top;
  start->job->base = commit->base;
  start->job->overlay = commit->overlay;
  start->job->opened_base = TRUE;
  if (active) {
    DiskBacking *image = disk_backing_copy (disk_find_backing (disk, commit->base));

    g_clear_pointer (&image->backing, disk_backing_free);
    disk->mirror = disk_mirror_new (image, MIRROR_JOB_ACTIVE_COMMIT);
    return TRUE;
  }
  /* The topmost image is open for writing anyway. */
  start->job->opened_overlay = commit->overlay != disk->source_index.value;
  return block_job_call_backing (request, commit->overlay, commit->base,
                                 (commit->flags & VIR_DOMAIN_BLOCK_COMMIT_RELATIVE) != 0, error);
}

/* What is committed; FALSE with @error in libvirt's words. */
static gboolean
find_top (Commit *commit, const DeviceDisk *disk, GError **error)
{
  gboolean wants_active = (commit->flags & VIR_DOMAIN_BLOCK_COMMIT_ACTIVE) != 0;

  if (commit->top_name == NULL || g_str_equal (commit->top_name, disk->target))
    commit->top = disk->source_index.value;
  else
    commit->top = disk_find_image (disk, 0, commit->top_name, error);
  if (commit->top == 0)
    return FALSE;
  commit->overlay = disk_index_above (disk, commit->top);
  if (commit->overlay == 0 && !wants_active)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "commit of '%s' active layer requires active flag",
                    disk->target);
  else if (commit->overlay != 0 && wants_active)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "active commit requested but '%s' is not active",
                    disk_image_text (disk, commit->top));
  else
    return TRUE;
  return FALSE;
}

/* Where it goes. */
static gboolean
find_base (Commit *commit, const DeviceDisk *disk, GError **error)
{
  gboolean shallow = (commit->flags & VIR_DOMAIN_BLOCK_COMMIT_SHALLOW) != 0;
  guint64 below = disk_index_below (disk, commit->top);

  if (commit->base_name != NULL) {
    commit->base = disk_find_image (disk, commit->top, commit->base_name, error);
    if (commit->base == 0)
      return FALSE;
  } else {
    for (commit->base = below; !shallow && disk_index_below (disk, commit->base) != 0;)
      commit->base = disk_index_below (disk, commit->base);
  }
  if (commit->base == 0)
    virt_error_set_from (error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "could not find base image in chain for '%s'", disk->target);
  else if (shallow && commit->base != below)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "base '%s' is not immediately below '%s' in chain for '%s'",
                    disk_image_text (disk, commit->base), disk_image_text (disk, commit->top),
                    disk_source_text (disk));
  else
    return TRUE;
  return FALSE;
}

static void
commit_begin (Call *call, Machine *machine, const DeviceDisk *disk, gpointer data)
{
  Commit *commit = data;
  BlockJobRequest *request;
  GError *error = NULL;

  if (!find_top (commit, disk, &error) || !find_base (commit, disk, &error)) {
    call_fail (call, error);
    return;
  }
  request = block_job_call_request (call, disk);
  request->prepare = prepare_commit;
  request->begin = block_job_start_commit;
  request->start.bytes_per_second = commit->bytes_per_second;
  machine_block_job_begin (machine, request);
}

static char *
text_or_null (const char *text)
{
  return text != NULL && *text != '\0' ? g_strdup (text) : NULL;
}

void
op_domain_block_commit (Call *call)
{
  guint flags = call_uint (call, 5);
  guint64 speed;
  Commit *commit;

  if (!call_check_flags (call, flags,
                         VIR_DOMAIN_BLOCK_COMMIT_SHALLOW | VIR_DOMAIN_BLOCK_COMMIT_ACTIVE
                             | VIR_DOMAIN_BLOCK_COMMIT_RELATIVE | VIR_DOMAIN_BLOCK_COMMIT_DELETE
                             | VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES)
      || !block_job_call_speed (call, call_ulong (call, 4),
                                (flags & VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES) != 0, &speed))
    return;
  if (flags & VIR_DOMAIN_BLOCK_COMMIT_DELETE) {
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                    "committed images are not removed: another image may stand on them. Commit without "
                    "VIR_DOMAIN_BLOCK_COMMIT_DELETE, and remove the files that nothing refers to");
    return;
  }
  commit = g_new0 (Commit, 1);
  commit->base_name = text_or_null (call_maybe_string (call, 2));
  commit->top_name = text_or_null (call_maybe_string (call, 3));
  commit->bytes_per_second = speed;
  commit->flags = flags;
  block_job_call (call, "block-commit", commit_begin, commit, commit_free);
}
