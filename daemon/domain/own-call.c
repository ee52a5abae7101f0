/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon as its own client: nothing here knows what an operation does. */
#include "daemon/domain/own-call.h"

#include "daemon/call/operation.h"
#include "daemon/core/main-loop.h"

typedef struct {
  Client client;
  OwnCallDone done;
  gpointer data;
} OwnCall;

static void
respond (Call *call, GVariant *answer, const GError *error)
{
  OwnCall *own = call->wire_data;

  own->done (answer, error, own->data);
}

Call *
own_call_new (Manager *manager, const char *who, int procedure, OwnCallDone done, gpointer data)
{
  Call *call = g_new0 (Call, 1);
  OwnCall *own = g_new0 (OwnCall, 1);

  MAIN_LOOP_ONLY ();
  *own = (OwnCall){ { .who = (char *)who }, done, data };
  call->operation = operation_by_procedure (0, procedure);
  call->manager = manager;
  call->client = &own->client;
  call->respond = respond;
  call->wire_data = own;
  call->wire_free = g_free;
  return call;
}

void
own_call (Domain *domain, const char *who, int procedure, GVariant *rest, OwnCallDone done, gpointer data)
{
  Call *call = own_call_new (domain->manager, who, procedure, done, data);
  GVariantBuilder arguments;

  g_variant_builder_init (&arguments, G_VARIANT_TYPE_TUPLE);
  g_variant_builder_add_value (&arguments, call_domain_value (domain));
  if (rest != NULL) {
    g_autoptr (GVariant) more = g_variant_ref_sink (rest);

    for (gsize i = 0; i < g_variant_n_children (more); i++) {
      g_autoptr (GVariant) one = g_variant_get_child_value (more, i);

      g_variant_builder_add_value (&arguments, one);
    }
  }
  call->arguments = g_variant_ref_sink (g_variant_builder_end (&arguments));
  operation_dispatch (call);
}
