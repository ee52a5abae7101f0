/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a block job is and how it ends, for all kinds alike. Its end is the difference of two documents: the
 * images that the disk had or was to have, without those that it has then, are taken away. That makes the end
 * the same whether the daemon saw it or comes back later, and it can be done again when it was cut short.
 */
#include "daemon/drivers/qemu/block-job.h"

#include "daemon/drivers/qemu/block-job-kinds.h"
#include "daemon/drivers/qemu/image-nodes.h"

#include <string.h>

#define RECORD_FORMAT    1 /* a later daemon that writes otherwise counts up */
#define RECORD_INDEX_MAX G_MAXUINT32

static const char *const state_names[] = { "starting", "running", "ready", "pivoting", "aborting", "ended" };
static const char *const outcome_names[] = { "completed", "failed", "canceled" };

BlockJob *
block_job_new (const BlockJobKind *kind, const DeviceDisk *disk, const char *node)
{
  BlockJob *job = g_new0 (BlockJob, 1);

  job->kind = kind;
  job->id = g_strdup_printf ("%s-%s-%s", kind->prefix, disk->target, node);
  job->alias = g_strdup (disk->device.alias);
  job->target = g_strdup (disk->target);
  job->images = disk_list_indexes (disk);
  return job;
}

BlockJob *
block_job_copy_of (const BlockJob *job)
{
  BlockJob *copy = g_new (BlockJob, 1);

  *copy = *job;
  copy->id = g_strdup (job->id);
  copy->alias = g_strdup (job->alias);
  copy->target = g_strdup (job->target);
  copy->owner = g_strdup (job->owner);
  copy->images = g_array_copy (job->images);
  return copy;
}

void
block_job_free (BlockJob *job)
{
  if (job == NULL)
    return;
  g_free (job->id);
  g_free (job->alias);
  g_free (job->target);
  g_free (job->owner);
  g_clear_pointer (&job->images, g_array_unref);
  g_free (job);
}

/* The record. */

static const struct {
  const char *name;
  gsize offset;
} indexes[] = {
  { "top", G_STRUCT_OFFSET (BlockJob, top) },
  { "base", G_STRUCT_OFFSET (BlockJob, base) },
  { "overlay", G_STRUCT_OFFSET (BlockJob, overlay) },
}, switches[] = {
  { "opened-base", G_STRUCT_OFFSET (BlockJob, opened_base) },
  { "opened-overlay", G_STRUCT_OFFSET (BlockJob, opened_overlay) },
};

char *
block_job_to_json (const BlockJob *job)
{
  g_autoptr (JsonObject) object =
      props ("format", "i", RECORD_FORMAT, "kind", "s", job->kind->name, "id", "s", job->id, "alias", "s",
             job->alias, "target", "s", job->target, "owner", "?s", job->owner, "state", "s",
             state_names[job->state], "outcome", "?s",
             job->state == BLOCK_JOB_ENDED ? outcome_names[job->outcome] : NULL, NULL);
  JsonArray *images = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (indexes); i++)
    props_add (object, indexes[i].name, "t", G_STRUCT_MEMBER (guint64, job, indexes[i].offset), NULL);
  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    props_add (object, switches[i].name, "b", G_STRUCT_MEMBER (gboolean, job, switches[i].offset), NULL);
  for (guint i = 0; i < job->images->len; i++)
    json_array_add_int_element (images, (gint64)g_array_index (job->images, guint64, i));
  props_add (object, "images", "a", images, NULL);
  return json_object_text (object);
}

static gboolean
read_images (JsonObject *object, GArray *images)
{
  JsonArray *list = untrusted_list (object, "images");

  if (list == NULL || json_array_get_length (list) > IMAGE_NODES_MAX)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (list); i++) {
    gint64 index = json_array_get_int_element (list, i);

    if (index < 0 || index > RECORD_INDEX_MAX)
      return FALSE;
    g_array_append_val (images, index);
  }
  return TRUE;
}

/* The place of @word among @words; -1: it is none of them. */
static int
find_word (const char *word, const char *const *words, guint count)
{
  for (guint i = 0; word != NULL && i < count; i++)
    if (g_str_equal (word, words[i]))
      return (int)i;
  return -1;
}

static gboolean
read_record (JsonObject *object, BlockJob *job)
{
  const char *kind = untrusted_text (object, "kind");
  int state = find_word (untrusted_text (object, "state"), state_names, G_N_ELEMENTS (state_names));
  int outcome = find_word (untrusted_text (object, "outcome"), outcome_names, G_N_ELEMENTS (outcome_names));

  job->kind = kind != NULL ? block_job_find_kind (kind) : NULL;
  job->id = g_strdup (untrusted_text (object, "id"));
  job->alias = g_strdup (untrusted_text (object, "alias"));
  job->target = g_strdup (untrusted_text (object, "target"));
  job->owner = g_strdup (untrusted_text (object, "owner"));
  for (guint i = 0; i < G_N_ELEMENTS (indexes); i++)
    G_STRUCT_MEMBER (guint64, job, indexes[i].offset) = untrusted_count (object, indexes[i].name);
  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    G_STRUCT_MEMBER (gboolean, job, switches[i].offset) = untrusted_switch (object, switches[i].name);
  if (state < 0 || (state == BLOCK_JOB_ENDED && outcome < 0))
    return FALSE;
  job->state = (BlockJobState)state;
  job->outcome = (BlockJobOutcome)MAX (outcome, 0);
  return job->kind != NULL && job->id != NULL && job->alias != NULL && job->target != NULL
         && untrusted_count (object, "format") == RECORD_FORMAT && read_images (object, job->images);
}

BlockJob *
block_job_from_json (const char *json, GError **error)
{
  g_autoptr (JsonObject) object = untrusted_json_object (json, strlen (json));
  g_autoptr (BlockJob) job = g_new0 (BlockJob, 1);

  job->images = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (object != NULL && read_record (object, job))
    return g_steal_pointer (&job);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the record of a block job is damaged");
  return NULL;
}

/* The documents. */

static DeviceDisk *
disk_of (const BlockJob *job, const DomainDef *def)
{
  Device *device = domain_def_find_alias ((DomainDef *)def, job->alias);

  return device != NULL && device->kind == &disk_kind ? (DeviceDisk *)device : NULL;
}

DomainDef *
block_job_apply (const BlockJob *job, BlockJobOutcome outcome, const DomainDef *def)
{
  DomainDef *changed = domain_def_copy (def);
  DeviceDisk *disk = disk_of (job, changed);

  if (disk == NULL)
    return changed;
  job->kind->apply (job, outcome, disk);
  field_free (&disk_mirror_table, disk->mirror);
  disk->mirror = NULL;
  return changed;
}

/* Talking to QEMU. */

void
block_job_report_clear (BlockJobReport *report)
{
  g_clear_pointer (&report->status, g_free);
  g_clear_pointer (&report->error, g_free);
}

void
block_job_report_read (JsonNode *answer, const char *id, BlockJobReport *ret)
{
  JsonArray *list = untrusted_list_of (answer);

  *ret = (BlockJobReport){ 0 };
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *item = untrusted_object_of (json_array_get_element (list, i));

    if (g_strcmp0 (untrusted_text (item, "id"), id) != 0)
      continue;
    ret->exists = TRUE;
    ret->status = g_strdup (untrusted_text (item, "status"));
    ret->error = g_strdup (untrusted_text (item, "error"));
    ret->current = untrusted_count (item, "current-progress");
    ret->total = untrusted_count (item, "total-progress");
    return;
  }
}

gboolean
block_job_ask (Job *thread, const Hotplug *plug, const char *id, BlockJobReport *ret, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (plug->qmp, thread, "query-jobs", NULL, error);

  block_job_report_read (answer, id, ret);
  return answer != NULL;
}

gboolean
block_job_tell (Job *thread, const Hotplug *plug, const char *command, const char *id, GError **error)
{
  return qmp_run (plug->qmp, thread, command, props ("id", "s", id, NULL), error);
}

gboolean
block_job_cancel (Job *thread, const Hotplug *plug, const BlockJob *job, GError **error)
{
  return qmp_run (plug->qmp, thread, "block-job-cancel", props ("device", "s", job->id, NULL), error);
}

static BlockJobOutcome
outcome_of (const BlockJob *job, const BlockJobReport *report)
{
  if (job->state == BLOCK_JOB_ENDED)
    return job->outcome;
  if (!report->exists || job->state == BLOCK_JOB_ABORTING)
    return BLOCK_JOB_CANCELED; /* it never was, or was given up */
  if (report->error != NULL)
    return BLOCK_JOB_FAILED;
  return job->kind->pivots && job->state != BLOCK_JOB_PIVOTING ? BLOCK_JOB_CANCELED : BLOCK_JOB_COMPLETED;
}

static gboolean
contains (const GArray *list, guint64 index)
{
  for (guint i = 0; list != NULL && i < list->len; i++)
    if (g_array_index (list, guint64, i) == index)
      return TRUE;
  return FALSE;
}

/* Those of the job that @disk, as it is after it, does not have. */
static GArray *
left_over (const BlockJob *job, const DeviceDisk *disk)
{
  g_autoptr (GArray) kept = disk_list_indexes (disk);
  GArray *gone = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint i = 0; i < job->images->len; i++)
    if (!contains (kept, g_array_index (job->images, guint64, i)))
      g_array_append_val (gone, g_array_index (job->images, guint64, i));
  return gone;
}

/* QEMU forgets it, and lets go of its nodes; what it said of the end is written first. */
static gboolean
dismiss (Job *thread, const Hotplug *plug, const char *uuid, BlockJob *job, char **ret_problem,
         GError **error)
{
  g_auto (BlockJobReport) report = { 0 };
  g_autofree char *json = NULL;

  if (!block_job_ask (thread, plug, job->id, &report, error))
    return FALSE;
  job->outcome = outcome_of (job, &report);
  job->state = BLOCK_JOB_ENDED;
  *ret_problem = job->outcome == BLOCK_JOB_FAILED ? g_strdup (report.error) : NULL;
  if (!report.exists)
    return TRUE;
  json = block_job_to_json (job);
  return store_save_record (plug->store, uuid, BLOCK_JOB_RECORD, job->id, json, error)
         && block_job_tell (thread, plug, "job-dismiss", job->id, error);
}

gboolean
block_job_conclude (Job *thread, const Hotplug *plug, const DomainDef *def, BlockJob *job, char **ret_problem,
                    GError **error)
{
  g_autoptr (DomainDef) after = NULL;
  g_autoptr (GArray) gone = NULL;
  g_autoptr (GError) problem = NULL;
  const DeviceDisk *disk;

  if (!dismiss (thread, plug, def->uuid, job, ret_problem, error))
    return FALSE;
  after = block_job_apply (job, job->outcome, def);
  disk = disk_of (job, after);
  if (disk == NULL)
    return image_nodes_remove (thread, plug, job->alias, job->images, error);
  /* An image that stays open for writing is a lock that is kept, and no harm to anything. */
  if (job->kind->settle != NULL
      && !job->kind->settle (thread, plug, after, disk, job, job->outcome, &problem))
    g_warning ("an image of disk '%s' stays open for writing: %s", job->target, problem->message);
  gone = left_over (job, disk);
  return image_nodes_remove (thread, plug, job->alias, gone, error);
}
