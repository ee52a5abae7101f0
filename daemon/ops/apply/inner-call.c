/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an apply does, it does by the operations that clients have: each with its access, lock, job and
 * events. Nothing here knows what an operation does.
 */
#include "daemon/ops/apply/inner-call.h"

typedef struct {
  InnerDone done;
  gpointer data;
} Inner;

static void
respond (Call *call, G_GNUC_UNUSED GVariant *answer, const GError *error)
{
  Inner *inner = call->wire_data;

  inner->done (error, inner->data);
}

Call *
inner_call_new (Call *outer, InnerDone done, gpointer data)
{
  Call *call = g_new0 (Call, 1);
  Inner *inner = g_new0 (Inner, 1);

  *inner = (Inner){ done, data };
  call->operation = outer->operation;
  call->manager = outer->manager;
  call->client = outer->client;
  call->respond = respond;
  call->wire_data = inner;
  call->wire_free = g_free;
  return call;
}

void
inner_call_about (Call *outer, int procedure, GVariant *handle, GVariant *rest, InnerDone done, gpointer data)
{
  Call *call = inner_call_new (outer, done, data);
  GVariantBuilder arguments;

  g_variant_builder_init (&arguments, G_VARIANT_TYPE_TUPLE);
  g_variant_builder_add_value (&arguments, handle);
  if (rest != NULL) {
    g_autoptr (GVariant) more = g_variant_ref_sink (rest);

    for (gsize i = 0; i < g_variant_n_children (more); i++) {
      g_autoptr (GVariant) one = g_variant_get_child_value (more, i);

      g_variant_builder_add_value (&arguments, one);
    }
  }
  call->operation = operation_by_procedure (0, procedure);
  call->arguments = g_variant_ref_sink (g_variant_builder_end (&arguments));
  operation_dispatch (call);
}

void
inner_call (Call *outer, int procedure, const Object *object, GVariant *rest, InnerDone done, gpointer data)
{
  inner_call_about (outer, procedure, object->kind->handle (object), rest, done, data);
}

void
inner_discard (Call *outer, const Object *object, InnerDone done, gpointer data)
{
  Call *call = inner_call_new (outer, done, data);

  call->operation = operation_by_member ("org.domaind1.Connect", "Discard");
  call->arguments =
      g_variant_ref_sink (g_variant_new ("(ssu)", object->kind->document->root, object->uuid, 0));
  operation_dispatch (call);
}
