/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Secrets: what they are for, and their values. A value comes from its file, and goes there, in a job; it is
 * handed on as the bytes of a call's arguments or answer, which are cleared with the call
 * (Operation.sensitive).
 */
#include "daemon/ops/ops.h"

#include "daemon/ops/object/object-define.h"
#include "daemon/ops/object/object-list.h"
#include "daemon/secret/secrets.h"

#define VALUE_SECONDS 60

void
op_connect_num_of_secrets (Call *call)
{
  object_answer_count (call, &secret_kind, 0);
}

void
op_connect_list_secrets (Call *call)
{
  object_answer_names (call, &secret_kind, 0);
}

void
op_secret_define_xml (Call *call)
{
  guint flags = call_uint (call, 1);

  if (call_check_flags (call, flags, VIR_SECRET_DEFINE_VALIDATE))
    object_define (call, &secret_kind, (flags & VIR_SECRET_DEFINE_VALIDATE) != 0);
}

void
op_secret_lookup_by_usage (Call *call)
{
  GError *error = NULL;
  Secret *secret = secrets_find_usage (call->manager, call_int (call, 0), call_string (call, 1), &error);

  object_answer (call, secret != NULL ? &secret->object : NULL, error);
}

static const SecretDef *
def_of (const Call *call)
{
  return ((const Secret *)call->object)->def;
}

void
op_secret_get_xml_desc (Call *call)
{
  g_autofree char *xml = NULL;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  xml = document_to_xml (&secret_document, def_of (call), 0);
  call_answer (call, g_variant_new ("(s)", xml));
}

void
op_secret_usage_type (Call *call)
{
  call_answer (call, g_variant_new ("(i)", secret_def_usage_type (def_of (call))));
}

void
op_secret_usage_id (Call *call)
{
  const char *id = secret_def_usage_id (def_of (call));

  call_answer (call, g_variant_new ("(s)", id != NULL ? id : ""));
}

/* A value on its way. */
typedef struct {
  Call *call;
  char *uuid;
  SecretCell *cell;
  SecretValue *value; /* to be set */
} ValueWork;

static void
work_free (gpointer data)
{
  ValueWork *work = data;

  g_free (work->uuid);
  secret_cell_unref (work->cell);
  secret_value_unref (work->value);
  g_free (work);
}

static ValueWork *
work_new (Call *call)
{
  ValueWork *work = g_new0 (ValueWork, 1);

  work->call = call;
  work->uuid = g_strdup (call->object->uuid);
  work->cell = secret_cell_ref (((Secret *)call->object)->cell);
  return work;
}

static gpointer
get_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  return secret_cell_read (((ValueWork *)input)->cell, error);
}

static void
get_done (gpointer result, const GError *error, gpointer data)
{
  ValueWork *work = data;
  g_autoptr (SecretValue) value = result;
  GVariant *bytes;

  if (error != NULL) {
    call_fail (work->call, g_error_copy (error));
    return;
  }
  /* The bytes stay where they are: the answer is read from the value's own memory. */
  bytes = g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, secret_value_bytes (value),
                                   secret_value_length (value), TRUE, (GDestroyNotify)secret_value_unref,
                                   secret_value_ref (value));
  call_answer (work->call, g_variant_new_tuple (&bytes, 1));
}

void
op_secret_get_value (Call *call)
{
  ValueWork *work;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  if (def_of (call)->private == TRISTATE_YES) {
    call_fail_from (call, VIR_FROM_SECRET, VIR_ERR_INVALID_SECRET, "secret is private");
    return;
  }
  work = work_new (call);
  job_start ("secret-get", get_job, work, work_free, VALUE_SECONDS, get_done, work);
}

static gpointer
set_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  ValueWork *work = input;

  return secret_cell_write (work->cell, work->value, error) ? JOB_OK : NULL;
}

static void
set_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  ValueWork *work = data;
  Object *object =
      registry_find_uuid (manager_registry (work->call->manager, &secret_kind), work->uuid, NULL);

  if (error != NULL) {
    call_fail (work->call, g_error_copy (error));
    return;
  }
  if (object != NULL)
    object_event (object, VIR_SECRET_EVENT_ID_VALUE_CHANGED, g_variant_new_tuple (NULL, 0));
  call_answer_nothing (work->call);
}

/* It has the lock: who undefines the secret waits, so that no file is left of it. */
static void
set_begin (Call *call)
{
  g_autoptr (GVariant) given = g_variant_get_child_value (call->arguments, 1);
  ValueWork *work = work_new (call);
  gsize length;
  const guint8 *bytes = g_variant_get_fixed_array (given, &length, 1);

  work->value = secret_value_new (bytes, length);
  job_start ("secret-set", set_job, work, work_free, VALUE_SECONDS, set_done, work);
}

void
op_secret_set_value (Call *call)
{
  g_autoptr (GVariant) given = g_variant_get_child_value (call->arguments, 1);

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (g_variant_n_children (given) == 0) {
    call_fail_plain (call, VIR_FROM_SECRET, VIR_ERR_INVALID_ARG,
                     "value in virSecretSetValue must not be NULL");
    return;
  }
  call_lock (call, "secret-set-value", set_begin);
}
