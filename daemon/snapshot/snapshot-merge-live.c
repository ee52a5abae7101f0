/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From one block job to the next. Each is owned (machine-block-jobs.h), so that clients see it and its
 * events, it is found again by the next daemon, and nobody else can end it. Where one fails the rest is not
 * tried: what is merged then stays merged, and the caller says what that means for the snapshot.
 */
#include "daemon/snapshot/snapshot-merge-live.h"

#include "daemon/domain/machine-block-jobs.h"
#include "domain/devices/disk-chain.h"
#include "targets/qemu/throttle.h"

#define OWNER "snapshot-delete" /* in records */

typedef struct {
  Manager *manager;
  char *uuid;
  int id; /* of the machine's domain */
  GPtrArray *merges;
  guint at;         /* the one that goes on */
  gboolean resumed; /* its job was found again */
  SnapshotMerged then;
  gpointer data;
} Merging;

static void next (Merging *merging);

/* NULL: it has ended. */
static Machine *
machine_of (const Merging *merging)
{
  Domain *domain = manager_find_uuid (merging->manager, merging->uuid, NULL);

  return domain != NULL && domain->id == merging->id ? domain->machine : NULL;
}

static SnapshotMerge *
current (const Merging *merging)
{
  return g_ptr_array_index (merging->merges, merging->at);
}

/* Takes @error; NULL: all are merged. */
static void
end (Merging *merging, GError *error)
{
  merging->then (error, merging->data);
  g_clear_error (&error);
  g_free (merging->uuid);
  g_free (merging);
}

static void
fail (Merging *merging, const char *problem)
{
  GError *error = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_FAILED,
                  "the image '%s' of disk '%s' cannot be merged into '%s': %s", current (merging)->top,
                  current (merging)->disk, current (merging)->base, problem);
  end (merging, error);
}

/* The image of @disk that is the file; 0: none. */
static guint64
image_at (const DeviceDisk *disk, const char *path)
{
  if (g_strcmp0 (disk_path (disk), path) == 0)
    return disk->source_index.value;
  for (const DiskBacking *below = disk->backing; below != NULL; below = below->backing)
    if (g_strcmp0 (disk_backing_path (below), path) == 0)
      return below->index.value;
  return 0;
}

/* A job's thread. */
static gboolean
prepare (G_GNUC_UNUSED Job *thread, BlockJobRequest *request, GError **error)
{
  const SnapshotMerge *merge = request->data;
  BlockJobStart *start = &request->start;
  DeviceDisk *disk = (DeviceDisk *)start->disk;
  guint64 top = image_at (disk, merge->top);
  g_autoptr (QemuCaps) caps = caps_cache_get (request->plug.caps, start->def->emulator, error);
  g_autofree char *node = caps != NULL ? qemu_image_node (caps, disk, top) : NULL;
  gboolean active = top == disk->source_index.value;
  DiskBacking *image;

  if (caps == NULL)
    return FALSE;
  start->job = block_job_new (active ? &block_job_active_commit : &block_job_commit, disk, node);
  start->job->owner = g_strdup (OWNER);
  start->job->top = top;
  start->job->base = image_at (disk, merge->base);
  start->job->overlay = disk_index_above (disk, top);
  start->job->opened_base = TRUE;
  start->job->opened_overlay = !active && start->job->overlay != disk->source_index.value;
  if (!active) {
    start->backing = g_strdup (merge->base);
    return TRUE;
  }
  image = disk_backing_copy (disk_find_backing (disk, start->job->base));
  g_clear_pointer (&image->backing, disk_backing_free);
  disk->mirror = disk_mirror_new (image, MIRROR_JOB_ACTIVE_COMMIT);
  return TRUE;
}

static void
job_ended (G_GNUC_UNUSED Machine *machine, G_GNUC_UNUSED const BlockJob *job, BlockJobOutcome outcome,
           const char *problem, gpointer data)
{
  Merging *merging = data;

  if (outcome == BLOCK_JOB_COMPLETED) {
    current (merging)->merged = TRUE;
    merging->at++;
    next (merging);
  } else if (merging->resumed && outcome == BLOCK_JOB_CANCELED && problem == NULL) {
    next (merging); /* it had not begun when its daemon ended */
  } else {
    fail (merging, problem != NULL ? problem : "it was cancelled");
  }
}

static void
begun (BlockJobRequest *request, const GError *error)
{
  Merging *merging = request->ended_data;
  const Machine *machine = machine_of (merging);

  if (error != NULL)
    fail (merging, error->message);
  else if (machine == NULL || machine_find_block_job (machine, request->target) == NULL)
    fail (merging, "domain is no longer running");
}

static void
free_merge (gpointer merge)
{
  snapshot_merge_free (merge);
}

static void
begin (Merging *merging, Machine *machine)
{
  const SnapshotMerge *merge = current (merging);
  BlockJobRequest *request = g_new0 (BlockJobRequest, 1);

  request->target = g_strdup (merge->disk);
  request->prepare = prepare;
  request->begin = block_job_start_commit;
  request->done = begun;
  request->ended = job_ended;
  request->ended_data = merging;
  request->data = snapshot_merge_copy (merge);
  request->free_data = free_merge;
  machine_block_job_begin (machine, request);
}

static void
merge_one (Merging *merging, Machine *machine)
{
  SnapshotMerge *merge = current (merging);
  const DeviceDisk *disk = domain_def_find_disk (machine->def, merge->disk);
  MachineBlockJob *job = machine_find_block_job (machine, merge->disk);

  if (disk == NULL) {
    fail (merging, "the machine has that disk no more");
  } else if (job != NULL && g_strcmp0 (machine_block_job_record (job)->owner, OWNER) == 0) {
    merging->resumed = TRUE;
    machine_block_job_resume (job, job_ended, merging);
  } else if (job != NULL) {
    fail (merging, "the disk has a block job already");
  } else if (image_at (disk, merge->top) == 0) {
    merge->merged = TRUE;
    merging->at++;
    next (merging);
  } else {
    merging->resumed = FALSE;
    begin (merging, machine);
  }
}

static void
next (Merging *merging)
{
  Machine *machine = machine_of (merging);

  while (merging->at < merging->merges->len && !current (merging)->in_qemu)
    merging->at++;
  if (merging->at == merging->merges->len)
    end (merging, NULL);
  else if (machine == NULL)
    fail (merging, "domain is no longer running");
  else
    merge_one (merging, machine);
}

void
snapshot_merge_live (Domain *domain, GPtrArray *merges, SnapshotMerged then, gpointer data)
{
  Merging *merging = g_new0 (Merging, 1);

  merging->manager = domain->manager;
  merging->uuid = g_strdup (domain->uuid);
  merging->id = domain->id;
  merging->merges = merges;
  merging->then = then;
  merging->data = data;
  next (merging);
}
