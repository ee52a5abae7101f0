/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a domain last ended, from its record: read in a job, as all that is on disk. */
#include "daemon/domain/last-end.h"
#include "daemon/domain/restart-policy.h"
#include "daemon/ops/ops.h"

typedef struct {
  const Settings *settings;
  char *uuid;
  char *restart; /* what its policy does about it; or NULL */
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->uuid);
  g_free (question->restart);
  g_free (question);
}

static void
add_text (GVariantBuilder *list, const char *name, const char *text)
{
  if (text != NULL && *text != '\0')
    g_variant_builder_add (list, "{sv}", name, g_variant_new_string (text));
}

static void
add_number (GVariantBuilder *list, const char *name, gint64 number)
{
  if (number != 0)
    g_variant_builder_add (list, "{sv}", name, g_variant_new_int64 (number));
}

static void
add_switch (GVariantBuilder *list, const char *name, gboolean on)
{
  if (on)
    g_variant_builder_add (list, "{sv}", name, g_variant_new_boolean (TRUE));
}

static void
add_asked (GVariantBuilder *list, const EndAsked *asked)
{
  if (asked->wire == NULL)
    return;
  add_text (list, "asked-wire", asked->wire);
  add_text (list, "asked-call", asked->call);
  add_number (list, "asked-pid", asked->pid);
  add_number (list, "asked-at", asked->at);
  if (asked->call != NULL)
    g_variant_builder_add (list, "{sv}", "asked-uid", g_variant_new_int64 (asked->uid));
}

static GVariant *
load (G_GNUC_UNUSED const Call *call, gpointer data, GError **error)
{
  const Question *question = data;
  GError *problem = NULL;
  g_autoptr (LastEnd) end = last_end_load (question->settings, question->uuid, &problem);
  GVariantBuilder list;

  if (problem != NULL) {
    g_propagate_error (error, problem);
    return NULL;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  if (end != NULL) {
    add_number (&list, "ended", end->ended);
    add_number (&list, "started", end->started);
    g_variant_builder_add (&list, "{sv}", "reason", g_variant_new_int32 (end->reason));
    if (end->exit.known)
      g_variant_builder_add (&list, "{sv}", end->exit.signalled ? "signal" : "status",
                             g_variant_new_int32 (end->exit.code));
    add_switch (&list, "panicked", end->panicked);
    add_switch (&list, "off", end->off);
    add_switch (&list, "unseen", end->unseen);
    add_switch (&list, "host", end->host);
    add_switch (&list, "memory", end->memory);
    add_asked (&list, &end->asked);
    add_text (&list, "words", end->words);
    for (guint i = 0; i < end->helpers->len; i++) {
      g_autofree char *name = g_strdup_printf ("helper.%u", i);

      add_text (&list, name, g_ptr_array_index (end->helpers, i));
    }
    add_text (&list, "restart", question->restart);
  }
  return g_variant_new ("(a{sv})", &list);
}

void
op_domain_get_last_end (Call *call)
{
  Question *question = g_new0 (Question, 1);

  *question = (Question){ call->manager->settings, g_strdup (call->domain->uuid),
                          restart_policies_message (call->domain) };
  call_make (call, 0, "last-end", load, question, question_free);
}
