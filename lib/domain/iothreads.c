/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <iothreads> and <iothreadids>: how many threads serve devices beside the main one, and which numbers they
 * go by. Numbers may be given for some of them; the rest take the lowest that are free, as in libvirt.
 */

#include "domain/iothreads.h"

#include "domain/complete-parts.h"

#define IOTHREADS_MAX 4096 /* threads one machine can sensibly have */

static const FieldRange ids = { 1, G_MAXUINT32 };

const FieldTable default_iothread_table = {
  sizeof (DefaultIothread),
  (const Field[]){
      FIELD (DefaultIothread, thread_pool_min, "@thread_pool_min", field_number, NULL),
      FIELD (DefaultIothread, thread_pool_max, "@thread_pool_max", field_number, NULL),
      FIELD_END,
  },
};

const FieldTable domain_iothread_table = {
  sizeof (DomainIothread),
  (const Field[]){
      FIELD_WITH (DomainIothread, id, "@id", field_number, &ids, FIELD_REQUIRED),
      FIELD (DomainIothread, thread_pool_min, "@thread_pool_min", field_number, NULL),
      FIELD (DomainIothread, thread_pool_max, "@thread_pool_max", field_number, NULL),
      FIELD (DomainIothread, poll_max, "poll/@max", field_number, NULL),
      FIELD (DomainIothread, poll_grow, "poll/@grow", field_number, NULL),
      FIELD (DomainIothread, poll_shrink, "poll/@shrink", field_number, NULL),
      FIELD_END,
  },
};

guint
domain_count_iothreads (const DomainDef *def)
{
  return def->iothread_ids != NULL ? def->iothread_ids->len : (guint)def->iothreads.value;
}

guint64
domain_iothread_id (const DomainDef *def, guint index)
{
  if (def->iothread_ids == NULL)
    return index + 1;
  return ((const DomainIothread *)g_ptr_array_index (def->iothread_ids, index))->id.value;
}

gboolean
domain_has_iothread (const DomainDef *def, guint64 id)
{
  for (guint i = 0; i < domain_count_iothreads (def); i++)
    if (domain_iothread_id (def, i) == id)
      return TRUE;
  return FALSE;
}

/* Each by itself, and not only how many. */
static void
list_iothreads (DomainDef *def)
{
  if (def->iothread_ids != NULL)
    return;
  def->iothread_ids = g_ptr_array_new ();
  for (guint64 id = 1; id <= def->iothreads.value; id++) {
    DomainIothread *thread = field_new (&domain_iothread_table);

    thread->id = NUMBER (id);
    g_ptr_array_add (def->iothread_ids, thread);
  }
}

void
domain_add_iothread (DomainDef *def, guint64 id)
{
  DomainIothread *thread = field_new (&domain_iothread_table);

  list_iothreads (def);
  thread->id = NUMBER (id);
  g_ptr_array_add (def->iothread_ids, thread);
  def->iothreads = NUMBER (def->iothread_ids->len);
}

void
domain_remove_iothread (DomainDef *def, guint64 id)
{
  list_iothreads (def);
  for (guint i = 0; i < def->iothread_ids->len; i++) {
    DomainIothread *thread = g_ptr_array_index (def->iothread_ids, i);

    if (thread->id.value != id)
      continue;
    g_ptr_array_remove_index (def->iothread_ids, i);
    field_free (&domain_iothread_table, thread);
    break;
  }
  cputune_forget_iothread (&def->cputune, id);
  def->iothreads = (Number){ def->iothread_ids->len > 0, def->iothread_ids->len };
}

DomainIothread *
domain_find_iothread (DomainDef *def, guint64 id)
{
  list_iothreads (def);
  for (guint i = 0; i < def->iothread_ids->len; i++)
    if (((DomainIothread *)g_ptr_array_index (def->iothread_ids, i))->id.value == id)
      return g_ptr_array_index (def->iothread_ids, i);
  return NULL;
}

void
complete_iothreads (Completion *completion)
{
  DomainDef *def = completion->def;
  guint64 id = 1;

  if (def->iothreads.value > IOTHREADS_MAX) {
    completion_error (completion, &def->iothreads, def,
                      "%" G_GUINT64_FORMAT " I/O threads are too many: at most %d", def->iothreads.value,
                      IOTHREADS_MAX);
    return;
  }
  if (def->iothreads.value == 0 && def->iothread_ids == NULL)
    def->iothreads = (Number){ 0 };
  if (def->iothread_ids == NULL)
    return;
  for (; def->iothread_ids->len < def->iothreads.value; id++) {
    DomainIothread *thread;

    if (domain_has_iothread (def, id))
      continue;
    thread = field_new (&domain_iothread_table);
    thread->id = NUMBER (id);
    g_ptr_array_add (def->iothread_ids, thread);
  }
  def->iothreads = NUMBER (def->iothread_ids->len);
}

gboolean
iothreads_may_miss (const Validation *validation)
{
  return validation_may_miss (validation, &validation->def->iothreads)
         || validation_may_miss (validation, &validation->def->iothread_ids);
}

static void
validate_pool (Validation *validation, const Number *minimum, const Number *maximum, gconstpointer object)
{
  if (maximum->set && maximum->value == 0)
    validation_error (validation, maximum, object, "thread_pool_max must be a positive integer");
  else if (minimum->set && (!maximum->set || minimum->value > maximum->value))
    validation_error (validation, minimum, object,
                      "thread_pool_min must be smaller or equal to thread_pool_max");
}

void
validate_iothreads (Validation *validation)
{
  const DefaultIothread *main_thread = &validation->def->default_iothread;
  const GPtrArray *threads = validation->def->iothread_ids;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; threads != NULL && i < threads->len; i++) {
    const DomainIothread *thread = g_ptr_array_index (threads, i);

    if (!g_hash_table_add (seen, (gpointer)&thread->id.value))
      validation_error_code (validation, VIR_ERR_XML_ERROR, &thread->id, thread,
                             "duplicate iothread id '%" G_GUINT64_FORMAT "' found", thread->id.value);
    validate_pool (validation, &thread->thread_pool_min, &thread->thread_pool_max, thread);
  }
  validate_pool (validation, &main_thread->thread_pool_min, &main_thread->thread_pool_max, validation->def);
}
