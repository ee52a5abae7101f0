/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Answers that are the same for everybody, as the host's capabilities are. Any client may ask for them, they
 * take a while to make, and they cannot simply be kept, since what they tell of may change. So those who ask
 * while one is made share the next: there is at most one job for each question, however many ask it.
 */
#include "daemon/call/shared-answer.h"

#include "daemon/core/main-loop.h"

/* Those who share an answer, and how it is made. */
typedef struct {
  GPtrArray *calls; /* not owned: each is freed by its answer */
  CallMake make;
  gpointer data;
  GDestroyNotify free_data;
} Batch;

typedef struct {
  char *key;
  const char *name; /* of the job */
  Batch *now, *next;
} Question;

static GHashTable *questions; /* by key, those that are being answered */

static void
batch_free (gpointer data)
{
  Batch *batch = data;

  if (batch->free_data != NULL)
    batch->free_data (batch->data);
  g_ptr_array_unref (batch->calls);
  g_free (batch);
}

static Batch *
batch_new (CallMake make, gpointer data, GDestroyNotify free_data)
{
  Batch *batch = g_new0 (Batch, 1);

  *batch = (Batch){ g_ptr_array_new (), make, data, free_data };
  return batch;
}

static gpointer
make_answer (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Batch *batch = input;
  GVariant *answer = batch->make (g_ptr_array_index (batch->calls, 0), batch->data, error);

  if (answer == NULL)
    return NULL;
  g_variant_ref_sink (answer);
  g_variant_get_data (answer); /* in one piece, which is work as well */
  return answer;
}

static void answer_made (gpointer result, const GError *error, gpointer data);

static void
begin (Question *question)
{
  job_start (question->name, make_answer, question->now, batch_free, 0, answer_made, question);
}

static void
answer_made (gpointer result, const GError *error, gpointer data)
{
  Question *question = data;
  g_autoptr (GVariant) answer = result;
  g_autoptr (GPtrArray) calls = g_ptr_array_ref (question->now->calls);

  question->now = g_steal_pointer (&question->next);
  if (question->now != NULL)
    begin (question);
  else
    g_hash_table_remove (questions, question->key);
  for (guint i = 0; i < calls->len; i++)
    if (answer != NULL)
      call_answer (g_ptr_array_index (calls, i), answer);
    else
      call_fail (g_ptr_array_index (calls, i), g_error_copy (error));
}

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->key);
  g_free (question);
}

void
call_make_shared (Call *call, const char *key, const char *name, CallMake make, gpointer data,
                  GDestroyNotify free_data)
{
  MAIN_LOOP_ONLY ();

  Question *question;

  if (questions == NULL)
    questions = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, question_free);
  question = g_hash_table_lookup (questions, key);
  if (question == NULL) {
    question = g_new0 (Question, 1);
    question->key = g_strdup (key);
    question->name = name;
    question->now = batch_new (make, data, free_data);
    g_hash_table_insert (questions, question->key, question);
    g_ptr_array_add (question->now->calls, call);
    begin (question);
    return;
  }
  if (question->next == NULL)
    question->next = batch_new (make, data, free_data);
  else if (free_data != NULL)
    free_data (data);
  g_ptr_array_add (question->next->calls, call);
}
