/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call's answer and arguments. Answering frees the call, so that it cannot be answered twice and nothing
 * of it is used afterwards; the wire hears of it through `respond`, also when a call is dropped unanswered.
 */
#include "daemon/call/call.h"

#include "daemon/core/main-loop.h"

#include "base/scalars.h"
#include "daemon/call/libvirt-names.h"
#include "daemon/call/operation.h"
#include "daemon/core/work.h"

#include <unistd.h>

#include <string.h>

/* The bytes of each member that has them; they are in one place, the wires having copied none. */
static void
clear_bytes (GVariant *tuple)
{
  for (gsize i = 0; i < g_variant_n_children (tuple); i++) {
    g_autoptr (GVariant) member = g_variant_get_child_value (tuple, i);
    gsize length = g_variant_get_size (member);

    if (g_variant_is_of_type (member, G_VARIANT_TYPE_BYTESTRING) && length > 0)
      explicit_bzero ((gpointer)g_variant_get_data (member), length);
  }
}

static void
call_finish (Call *call, GVariant *answer, const GError *error)
{
  call->answered = TRUE;
  call->respond (call, answer, error);
  if (call->operation != NULL && call->operation->sensitive && call->arguments != NULL)
    clear_bytes (call->arguments);
  if (call->user_free != NULL)
    call->user_free (call->user_data);
  if (call->wire_free != NULL)
    call->wire_free (call->wire_data);
  g_clear_pointer (&call->arguments, g_variant_unref);
  g_clear_object (&call->files);
  g_clear_object (&call->descriptors);
  g_free (call->terminal);
  if (call->lock != NULL) {
    lock_release (call->lock, call);
    lock_unref (call->lock);
  }
  g_free (call->domain_uuid);
  g_free (call);
}

void
call_answer (Call *call, GVariant *answer)
{
  MAIN_LOOP_ONLY ();

  g_autoptr (GVariant) sunk = g_variant_ref_sink (answer);

  call_finish (call, sunk, NULL);
}

KeptAnswer *
kept_answer_new (GVariant *value)
{
  KeptAnswer *kept = g_new0 (KeptAnswer, 1);

  kept->value = g_variant_ref_sink (value);
  return kept;
}

void
kept_answer_free (KeptAnswer *kept)
{
  g_variant_unref (kept->value);
  g_clear_pointer (&kept->encoded, g_byte_array_unref);
  g_free (kept);
}

void
call_answer_kept (Call *call, KeptAnswer *kept)
{
  call->kept = kept;
  call_answer (call, kept->value);
}

void
call_answer_nothing (Call *call)
{
  call_answer (call, g_variant_new_tuple (NULL, 0));
}

void
call_fail (Call *call, GError *error)
{
  MAIN_LOOP_ONLY ();

  g_autoptr (GError) owned = error;

  g_debug ("%s: %s: %s", call->client != NULL ? call->client->who : "-",
           call->operation != NULL ? call->operation->name : "-", error->message);
  call_finish (call, NULL, owned);
}

void
call_fail_with (Call *call, virErrorNumber code, const char *format, ...)
{
  g_autofree char *detail = NULL;
  GError *error = NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (&error, code, "%s", detail);
  call_fail (call, error);
}

void
call_fail_from (Call *call, virErrorDomain origin, virErrorNumber code, const char *format, ...)
{
  g_autofree char *detail = NULL;
  GError *error = NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set_from (&error, origin, code, "%s", detail);
  call_fail (call, error);
}

void
call_fail_plain (Call *call, virErrorDomain origin, virErrorNumber code, const char *format, ...)
{
  g_autofree char *detail = NULL;
  GError *error = NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set_plain (&error, origin, code, "%s", detail);
  call_fail (call, error);
}

void
call_free (Call *call)
{
  if (call != NULL)
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "%s was not answered", call->operation->name);
}

GVariant *
call_uuid_value (const char *uuid)
{
  guint8 bytes[UUID_BYTES] = { 0 };

  uuid_parse (uuid, bytes);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, UUID_BYTES, 1);
}

GVariant *
call_domain_value (Domain *domain)
{
  if (domain->value == NULL) {
    domain->value = g_variant_ref_sink (
        g_variant_new ("(s@ayi)", domain->name, call_uuid_value (domain->uuid), domain->id));
    g_variant_get_data (domain->value); /* in one piece, which is smaller and faster to copy */
  }
  return domain->value;
}

typedef struct {
  Call *call;
  void (*begin) (Call *call);
} Locking;

static void
locking_begin (gpointer data)
{
  g_autofree Locking *locking = data;

  locking->call->lock = lock_ref (locking->call->object->lock);
  locking->begin (locking->call);
}

static void
locking_fail (gpointer data, GError *error)
{
  g_autofree Locking *locking = data;

  call_fail (locking->call, error);
}

void
call_lock (Call *call, const char *name, void (*begin) (Call *call))
{
  Locking locking = { call, begin };
  LockRequest request = { .name = name,
                          .holder = call,
                          .seconds = call->manager->settings->call_timeout,
                          .begin = locking_begin,
                          .fail = locking_fail,
                          .data = g_memdup2 (&locking, sizeof locking) };

  lock_acquire (call->object->lock, &request);
}

static GVariant *
argument (const Call *call, guint index)
{
  return g_variant_get_child_value (call->arguments, index);
}

/* The program's name helps people; who it is says the wire. */
Author *
call_author (const Call *call)
{
  const Client *client = call->client;
  g_autofree char *path = g_strdup_printf ("/proc/%d/comm", (int)client->pid);
  g_autofree char *program = NULL;
  g_autofree char *who = NULL;

  if (client->pid > 0 && g_file_get_contents (path, &program, NULL, NULL) && *g_strchomp (program) != '\0')
    who = g_strdup_printf ("%s (%s)", client->who, program);
  return author_new (client->id != NULL ? (gint64)client->uid : (gint64)geteuid (),
                     who != NULL ? who : client->who, call->operation->name);
}

guint32
call_uint (const Call *call, guint index)
{
  g_autoptr (GVariant) value = argument (call, index);

  return g_variant_get_uint32 (value);
}

gint32
call_int (const Call *call, guint index)
{
  g_autoptr (GVariant) value = argument (call, index);

  return g_variant_get_int32 (value);
}

guint64
call_ulong (const Call *call, guint index)
{
  g_autoptr (GVariant) value = argument (call, index);

  return g_variant_get_uint64 (value);
}

const char *
call_string (const Call *call, guint index)
{
  const char *text;

  /* A string inside a serialised tuple lives as long as the tuple does. */
  g_variant_get_child (call->arguments, index, "&s", &text);
  return text;
}

char *
call_uuid (const Call *call, guint index)
{
  g_autoptr (GVariant) value = argument (call, index);
  gsize length;
  const guint8 *bytes = g_variant_get_fixed_array (value, &length, 1);
  char *text = NULL;

  if (length == UUID_BYTES) {
    text = g_malloc (UUID_TEXT);
    uuid_format (bytes, text);
  }
  return text;
}

const char *
call_maybe_string (const Call *call, guint index)
{
  const char *text;

  g_variant_get_child (call->arguments, index, "m&s", &text);
  return text;
}

guint
call_file_count (const Call *call)
{
  return call->files != NULL ? (guint)g_unix_fd_list_get_length (call->files) : 0;
}

gboolean
call_check_flags (Call *call, guint32 flags, guint32 known)
{
  g_autofree char *function = NULL;
  virErrorDomain origin;

  if ((flags & ~known) == 0)
    return TRUE;
  function = libvirt_driver_function (call->operation->name, &origin);
  call_fail_plain (call, origin, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x) in function %s",
                   flags & ~known, function);
  return FALSE;
}

/* A call on its way to a thread or a queue outlives the domain it is about: it keeps the UUID only. */
Domain *
call_find_domain_again (Call *call)
{
  GError *error = NULL;

  call->domain = manager_find_uuid (call->manager, call->domain_uuid, &error);
  if (call->domain == NULL)
    call_fail (call, error);
  return call->domain;
}

void
call_work (Call *call, gsize bytes, const char *name, JobFunction function, gpointer input,
           GDestroyNotify free_input, JobDone done)
{
  MAIN_LOOP_ONLY ();

  const Client *client = call->client;
  gboolean known = client != NULL && client->uid != (uid_t)-1;
  g_autofree char *user =
      known ? g_strdup_printf ("uid %u", client->uid) : g_strdup (client != NULL ? client->who : "");
  gboolean owner = client == NULL || client->uid == 0 || client->uid == geteuid ();

  work_start (user, owner, bytes, name, function, input, free_input, done, input);
}

typedef struct {
  Call *call;
  CallMake make;
  gpointer data;
  GDestroyNotify free_data;
} Making;

static void
making_free (gpointer data)
{
  Making *making = data;

  if (making->free_data != NULL)
    making->free_data (making->data);
  g_free (making);
}

static gpointer
make_answer (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Making *making = input;
  GVariant *answer = making->make (making->call, making->data, error);

  if (answer == NULL)
    return NULL;
  g_variant_ref_sink (answer);
  g_variant_get_data (answer); /* in one piece, which is work as well */
  return answer;
}

static void
answer_made (gpointer result, const GError *error, gpointer data)
{
  const Making *making = data;
  g_autoptr (GVariant) answer = result;

  if (answer != NULL)
    call_answer (making->call, answer);
  else
    call_fail (making->call, g_error_copy (error));
}

void
call_make (Call *call, gsize bytes, const char *name, CallMake make, gpointer data, GDestroyNotify free_data)
{
  Making *making = g_new0 (Making, 1);

  *making = (Making){ call, make, data, free_data };
  call_work (call, bytes, name, make_answer, making, making_free, answer_made);
}
