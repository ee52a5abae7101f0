/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <iothreads> and <iothreadids>: how many threads serve devices beside the main one, and which numbers they
 * go by. Numbers may be given for some of them; the rest take the lowest that are free, as in libvirt.
 */

#include "model/complete-parts.h"

#define IOTHREADS_MAX 4096 /* threads one machine can sensibly have */

static const FieldRange ids = { 1, G_MAXUINT32 };

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

static gboolean
is_taken (const GPtrArray *threads, guint64 id)
{
  for (guint i = 0; i < threads->len; i++) {
    if (((const DomainIothread *)g_ptr_array_index (threads, i))->id.value == id)
      return TRUE;
  }
  return FALSE;
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
  if (def->iothread_ids == NULL)
    return;
  for (; def->iothread_ids->len < def->iothreads.value; id++) {
    DomainIothread *thread;

    if (is_taken (def->iothread_ids, id))
      continue;
    thread = field_new (&domain_iothread_table);
    thread->id = NUMBER (id);
    g_ptr_array_add (def->iothread_ids, thread);
  }
  def->iothreads = NUMBER (def->iothread_ids->len);
}

void
validate_iothreads (Validation *validation)
{
  const GPtrArray *threads = validation->def->iothread_ids;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; threads != NULL && i < threads->len; i++) {
    const DomainIothread *thread = g_ptr_array_index (threads, i);

    if (!g_hash_table_add (seen, (gpointer)&thread->id.value))
      validation_error_code (validation, VIR_ERR_XML_ERROR, &thread->id, thread,
                             "duplicate iothread id '%" G_GUINT64_FORMAT "' found", thread->id.value);
    if (thread->thread_pool_min.set && thread->thread_pool_max.set
        && thread->thread_pool_min.value > thread->thread_pool_max.value)
      validation_error (validation, &thread->thread_pool_min, thread,
                        "thread_pool_min must be smaller or equal to thread_pool_max");
  }
}
