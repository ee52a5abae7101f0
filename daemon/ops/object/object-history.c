/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What definitions were before, for every kind that is kept as a text. An object is named by the element of
 * its document and its name or UUID, so that one operation is for all kinds. To revert is to define the old
 * document again: it is read, checked and written as any other, and is the newest revision then. What it
 * leaves open, such as MAC addresses and where devices sit, stays as it is now, so that a guest finds the
 * hardware it knows.
 */
#include "daemon/domain/domain-kind.h"
#include "daemon/object/store-history.h"
#include "daemon/object/store-private.h"
#include "daemon/ops/domain/domain-define.h"
#include "daemon/ops/object/object-define.h"
#include "daemon/ops/object/object-named.h"
#include "daemon/ops/ops.h"
#include "document/kept-choices.h"

/* What a job needs of the object. */
typedef struct {
  Call *call;
  const ObjectKind *kind;
  Store *store;
  char *uuid, *name;
  guint number;
  char *text;
  char *completing; /* @text with what it leaves open as it is now; NULL where that does not go together */
  gboolean says_uuid;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->uuid);
  g_free (request->name);
  g_free (request->text);
  g_free (request->completing);
  g_free (request);
}

/* NULL after the call was answered: there is no such object, or it has no definition. */
static Request *
request_new (Call *call)
{
  g_autoptr (GError) error = NULL;
  Object *object = object_named (call, &error);
  Request *request;

  if (object != NULL && !object->persistent)
    virt_error_set (&error, VIR_ERR_OPERATION_INVALID, "%s '%s' is transient: it has no definition",
                    object->kind->name, object->name);
  if (error != NULL) {
    call_fail (call, g_steal_pointer (&error));
    return NULL;
  }
  request = g_new0 (Request, 1);
  request->call = call;
  request->kind = object->kind;
  request->store = object->registry->store;
  request->uuid = g_strdup (object->uuid);
  request->name = g_strdup (object->name);
  return request;
}

static gpointer
list_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  const Request *request = data;

  return store_list_revisions (request->store, request->uuid, request->name, error);
}

static void
listed (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (GPtrArray) revisions = result;
  const Request *request = data;
  GVariantBuilder list;

  if (revisions == NULL) {
    call_fail (request->call, g_error_copy (error));
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(uxxssst)"));
  for (guint i = 0; i < revisions->len; i++) {
    const Revision *revision = g_ptr_array_index (revisions, i);

    g_variant_builder_add (&list, "(uxxssst)", revision->number, revision->time, revision->uid,
                           revision->client, revision->call, revision->sum, (guint64)revision->length);
  }
  call_answer (request->call, g_variant_new ("(a(uxxssst))", &list));
}

void
op_object_list_revisions (Call *call)
{
  Request *request = request_new (call);

  if (request != NULL)
    job_start ("history", list_job, request, request_free, 0, listed, request);
}

static gpointer
load_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Request *request = data;
  g_autofree char *name = NULL, *uuid = NULL;

  request->text = store_load_revision (request->store, request->uuid, request->name, request->number, error);
  if (request->text == NULL)
    return NULL;
  request->says_uuid =
      store_identify (request->kind, request->text, request->name, &name, &uuid, NULL) && uuid != NULL;
  return JOB_OK;
}

static void
answer_text (gpointer result, const GError *error, gpointer data)
{
  const Request *request = data;

  if (result == NULL)
    call_fail (request->call, g_error_copy (error));
  else
    call_answer (request->call, g_variant_new ("(s)", request->text));
}

static void
load (Call *call, JobFunction job, JobDone done)
{
  Request *request = request_new (call);

  if (request == NULL)
    return;
  request->number = call_uint (call, 2);
  job_start ("history", job, request, request_free, 0, done, request);
}

void
op_object_get_revision (Call *call)
{
  load (call, load_job, answer_text);
}

/* A machine's own reading finds out whether it goes together. */
static gboolean
goes_together (const ObjectKind *kind, const char *text)
{
  g_autoptr (Diagnostics) unsaid = diagnostics_new (NULL);
  gpointer def;

  if (kind == &domain_kind)
    return TRUE;
  def = document_read (kind->document, text, -1, DOCUMENT_LAX, unsaid);
  document_unref (kind->document, def);
  return !diagnostics_has_errors (unsaid);
}

static gpointer
revert_job (Job *job, gpointer data, GError **error)
{
  Request *request = data;
  g_autoptr (Diagnostics) unsaid = diagnostics_new (NULL);
  g_autofree char *completed = NULL, *completing = NULL;

  if (load_job (job, data, error) == NULL)
    return NULL;
  completed = store_load_completed (request->store, request->uuid, request->name, NULL, NULL);
  /* As if what is now had been made of that document: whoever wrote since what was chosen for it once, as an
   * editor of the whole document does, has chosen nothing else. */
  if (completed != NULL)
    completing = choices_keep (request->text, NULL, completed, unsaid);
  if (completing != NULL && goes_together (request->kind, completing))
    request->completing = g_steal_pointer (&completing);
  return JOB_OK;
}

/* It was accepted once, perhaps from a client that is not strict. */
static void
define_again (gpointer result, const GError *error, gpointer data)
{
  const Request *request = data;
  const char *uuid = request->says_uuid ? NULL : request->uuid;

  if (result == NULL)
    call_fail (request->call, g_error_copy (error));
  else if (request->kind == &domain_kind)
    domain_define_text (request->call, request->text, request->completing, uuid, FALSE);
  else
    object_define_text (request->call, request->kind, request->text, request->completing, uuid, FALSE);
}

void
op_object_revert (Call *call)
{
  load (call, revert_job, define_again);
}
