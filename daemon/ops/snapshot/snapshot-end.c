/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a machine as a step of something longer: a call of our own waits for it as a client's would. */
#include "daemon/ops/snapshot/snapshot-end.h"

#include "daemon/call/call.h"

typedef struct {
  void (*then) (gpointer data, const GError *error);
  gpointer data;
} Waiting;

static void
ended (Call *waiting, G_GNUC_UNUSED GVariant *answer, const GError *error)
{
  const Waiting *what = waiting->wire_data;

  what->then (what->data, error);
}

void
snapshot_end_machine (Call *call, Machine *machine, void (*then) (gpointer data, const GError *error),
                      gpointer data)
{
  const Waiting what = { then, data };
  Call *waiting = g_new0 (Call, 1);

  waiting->operation = call->operation;
  waiting->manager = call->manager;
  waiting->client = call->client;
  waiting->arguments = g_variant_ref (call->arguments);
  waiting->respond = ended;
  waiting->wire_data = g_memdup2 (&what, sizeof what);
  waiting->wire_free = g_free;
  machine_answer_at_end (machine, waiting, DESTROY_SECONDS);
  machine_end (machine, FALSE, VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT, VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT);
}
