/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of block job: what each asks of QEMU, and what the disk's images are after it. A pull keeps the
 * image on top and drops those it took the data from; a commit drops those whose data went down; a commit of
 * the topmost image and a copy make another image the disk's own, when they pivot.
 *
 * Backing files are named for QEMU by what the document says: QEMU itself knows them as descriptors, which
 * mean nothing in a header.
 */
#include "daemon/drivers/qemu/block-job-kinds.h"

#include "daemon/drivers/qemu/block-bitmaps.h"

#include "daemon/drivers/qemu/image-nodes.h"
#include "targets/qemu/throttle.h"

#include <libvirt/libvirt.h>

#define BLOCK_JOB_MASK_QEMU 9000000 /* "backing-mask-protocol": a raw image's header format stays "raw" */

/* What the images are afterwards. */

static void
apply_pull (const BlockJob *job, BlockJobOutcome outcome, DeviceDisk *disk)
{
  if (outcome == BLOCK_JOB_COMPLETED)
    disk_drop_images (disk, disk->source_index.value, job->base);
}

static void
apply_commit (const BlockJob *job, BlockJobOutcome outcome, DeviceDisk *disk)
{
  if (outcome == BLOCK_JOB_COMPLETED)
    disk_drop_images (disk, job->overlay, job->base);
}

static void
apply_active_commit (const BlockJob *job, BlockJobOutcome outcome, DeviceDisk *disk)
{
  if (outcome == BLOCK_JOB_COMPLETED)
    disk_drop_above (disk, job->base);
}

static void
apply_copy (const BlockJob *job G_GNUC_UNUSED, BlockJobOutcome outcome, DeviceDisk *disk)
{
  DiskBacking *old, *image;

  if (outcome != BLOCK_JOB_COMPLETED || disk->mirror == NULL)
    return;
  image = disk_mirror_take_image (disk->mirror);
  old = disk_take_image (disk);
  if (image->backing == NULL) /* it shares the images below */
    image->backing = g_steal_pointer (&old->backing);
  disk_backing_free (old);
  disk_put_image (disk, image);
}

/* What was opened for writing and is below another image again. */
static gboolean
settle_commit (Job *thread, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk, const BlockJob *job,
               G_GNUC_UNUSED BlockJobOutcome outcome, GError **error)
{
  gboolean good = TRUE;

  if (job->opened_base && disk_find_backing (disk, job->base) != NULL)
    good = image_nodes_reopen (thread, plug, def, disk, job->base, FALSE, error);
  if (good && job->opened_overlay && disk_find_backing (disk, job->overlay) != NULL)
    good = image_nodes_reopen (thread, plug, def, disk, job->overlay, FALSE, error);
  return good;
}

const BlockJobKind block_job_pull = {
  .name = "pull", .prefix = "pull", .type = VIR_DOMAIN_BLOCK_JOB_TYPE_PULL, .apply = apply_pull
};
const BlockJobKind block_job_commit = { .name = "commit",
                                        .prefix = "commit",
                                        .type = VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT,
                                        .apply = apply_commit,
                                        .settle = settle_commit };
const BlockJobKind block_job_active_commit = { .name = "active-commit",
                                               .prefix = "commit",
                                               .type = VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT,
                                               .pivots = TRUE,
                                               .apply = apply_active_commit,
                                               .settle = settle_commit };
const BlockJobKind block_job_copy = { .name = "copy",
                                      .prefix = "copy",
                                      .type = VIR_DOMAIN_BLOCK_JOB_TYPE_COPY,
                                      .pivots = TRUE,
                                      .apply = apply_copy };

static const BlockJobKind *const kinds[] = { &block_job_pull, &block_job_commit, &block_job_active_commit,
                                             &block_job_copy };

const BlockJobKind *
block_job_find_kind (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i]->name, name))
      return kinds[i];
  return NULL;
}

/* Beginning. */

/* Names of nodes for one start. */
typedef struct {
  char *root; /* what the device is connected to */
  char *own;  /* the topmost image's */
  char *top, *base, *mirror;
} Names;

static void
names_clear (Names *names)
{
  g_free (names->root);
  g_free (names->own);
  g_free (names->top);
  g_free (names->base);
  g_free (names->mirror);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Names, names_clear)

static gboolean
names_init (Names *names, const Hotplug *plug, const BlockJobStart *start, QemuCaps **ret_caps,
            GError **error)
{
  QemuCaps *caps = caps_cache_get (plug->caps, start->def->emulator, error);

  if (caps == NULL)
    return FALSE;
  names->root = qemu_disk_node (caps, start->disk);
  names->own = qemu_image_node (caps, start->disk, start->disk->source_index.value);
  names->top = qemu_image_node (caps, start->disk, start->job->top);
  names->base = qemu_image_node (caps, start->disk, start->job->base);
  *ret_caps = caps;
  return TRUE;
}

static void
add_mask (JsonObject *arguments, const QemuCaps *caps)
{
  if (!qemu_caps_is_lacked (caps, "blockjob.backing-mask-protocol")
      && qemu_caps_version (caps) >= BLOCK_JOB_MASK_QEMU)
    props_add (arguments, "backing-mask-protocol", "b", TRUE, NULL);
}

gboolean
block_job_start_pull (Job *thread, const Hotplug *plug, const BlockJobStart *start, GError **error)
{
  g_auto (Names) names = { 0 };
  g_autoptr (QemuCaps) caps = NULL;
  JsonObject *arguments;

  if (!names_init (&names, plug, start, &caps, error)
      || !block_bitmaps_gather (thread, plug, start->def, start->disk, error))
    return FALSE;
  arguments = props ("device", "s", names.own, "job-id", "s", start->job->id, "base-node", "?s", names.base,
                     "backing-file", "?s", start->backing, "speed", "?t", start->bytes_per_second,
                     "auto-finalize", "b", FALSE, "auto-dismiss", "b", FALSE, NULL);
  add_mask (arguments, caps);
  return qmp_run (plug->qmp, thread, "block-stream", arguments, error);
}

gboolean
block_job_start_commit (Job *thread, const Hotplug *plug, BlockJobStart *start, GError **error)
{
  g_auto (Names) names = { 0 };
  g_autoptr (QemuCaps) caps = NULL;
  BlockJob *job = start->job;
  JsonObject *arguments;

  if (!names_init (&names, plug, start, &caps, error))
    return FALSE;
  if (!image_nodes_reopen (thread, plug, start->def, start->disk, job->base, TRUE, error))
    return FALSE;
  if (job->opened_overlay
      && !image_nodes_reopen (thread, plug, start->def, start->disk, job->overlay, TRUE, error))
    return FALSE;
  if (job->kind->pivots ? !block_bitmaps_commit (thread, plug, start->def, start->disk, job->base, error)
                        : !block_bitmaps_gather (thread, plug, start->def, start->disk, error))
    return FALSE;
  arguments = props ("device", "s", names.root, "job-id", "s", job->id, "top-node", "s", names.top,
                     "base-node", "s", names.base, "backing-file", "?s", start->backing, "speed", "?t",
                     start->bytes_per_second, "auto-finalize", "b", FALSE, "auto-dismiss", "b", FALSE, NULL);
  if (!job->kind->pivots)
    add_mask (arguments, caps);
  return qmp_run (plug->qmp, thread, "block-commit", arguments, error);
}

/* The disk as it would be with the mirror as its image. (transfer full) */
static DeviceDisk *
disk_of_mirror (const DeviceDisk *disk)
{
  DeviceDisk *copy = (DeviceDisk *)device_copy (&disk->device);
  const BlockJob none = { 0 };

  apply_copy (&none, BLOCK_JOB_COMPLETED, copy);
  return copy;
}

static gboolean
add_mirror (Job *thread, const Hotplug *plug, const BlockJobStart *start, const QemuCaps *caps,
            char **ret_node, GError **error)
{
  DeviceDisk *disk = disk_of_mirror (start->disk);
  const DeviceDisk *own = start->disk;
  guint64 below = disk_index_below (own, own->source_index.value);
  g_autofree char *shared = start->shallow && !start->own_chain ? qemu_image_node (caps, own, below) : NULL;
  gboolean good = start->own_chain ? image_nodes_add_chain (thread, plug, start->def, disk, error)
                                   : image_nodes_add (thread, plug, start->def, disk, shared, error);

  *ret_node = good ? qemu_image_node (caps, disk, disk->source_index.value) : NULL;
  device_free (&disk->device);
  return good;
}

void
block_job_before_pivot (Job *thread, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                        const BlockJob *job)
{
  g_autoptr (GError) problem = NULL;
  DeviceDisk *mirror;

  if (job->kind != &block_job_copy)
    return;
  mirror = disk_of_mirror (disk);
  if (!block_bitmaps_copy (thread, plug, def, disk, mirror, &problem))
    g_warning ("the copy of disk '%s' has no bitmaps of its checkpoints: %s", disk->target, problem->message);
  device_free (&mirror->device);
}

gboolean
block_job_flush (Job *thread, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                 const BlockJob *job, GError **error)
{
  g_autoptr (QemuCaps) caps = caps_cache_get (plug->caps, def->emulator, error);
  guint64 written = job->kind == &block_job_commit ? job->base : disk->source_index.value;
  g_autofree char *node = NULL, *command = NULL;
  g_autoptr (JsonNode) answer = NULL;
  const char *text;

  if (job->kind->pivots)
    return TRUE; /* the mirror itself flushes before it is ready, and as it ends */
  if (caps == NULL)
    return FALSE;
  node = qemu_image_node (caps, disk, written);
  command = g_strdup_printf ("qemu-io %s flush", node);
  answer = qmp_call (plug->qmp, thread, "human-monitor-command", props ("command-line", "s", command, NULL),
                     error);
  text = answer != NULL ? untrusted_text_of (answer) : NULL;
  if (answer != NULL && (text == NULL || *text != '\0'))
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' cannot be written to its file: %s", node,
                    text != NULL ? text : "no answer");
  return text != NULL && *text == '\0';
}

gboolean
block_job_start_copy (Job *thread, const Hotplug *plug, const BlockJobStart *start, GError **error)
{
  g_auto (Names) names = { 0 };
  g_autoptr (QemuCaps) caps = NULL;
  const char *replaces;
  JsonObject *arguments;

  if (!names_init (&names, plug, start, &caps, error)
      || !add_mirror (thread, plug, start, caps, &names.mirror, error))
    return FALSE;
  replaces = g_str_equal (names.root, names.own) ? NULL : names.own;
  arguments =
      props ("job-id", "s", start->job->id, "device", "s", names.root, "target", "s", names.mirror,
             "replaces", "?s", replaces, "speed", "?t", start->bytes_per_second, "granularity", "?t",
             start->granularity, "buf-size", "?t", start->buffer, "sync", "s",
             start->shallow ? "top" : "full", "copy-mode", "?s", start->synchronous ? "write-blocking" : NULL,
             "auto-finalize", "b", FALSE, "auto-dismiss", "b", FALSE, NULL);
  return qmp_run (plug->qmp, thread, "blockdev-mirror", arguments, error);
}
