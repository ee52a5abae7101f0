/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the DHCP servers of virtual networks know of a machine: its addresses and its name. Networks are asked
 * by the MAC addresses of the machine's cards on them, in one job; a card without a lease says nothing.
 */
#include "daemon/domain/machine.h"
#include "daemon/network/networks.h"
#include "daemon/ops/ops.h"

#include "domain/devices/interface.h"

#define LEASES_SECONDS 10
#define CARDS_MAX      2048 /* libvirt's limit of an answer */

typedef struct {
  NetworkInput *input; /* of the network */
  char *device, *mac;
  GPtrArray *leases; /* NetworkLease; NULL until asked */
} Card;

typedef struct {
  Call *call;
  char *name;       /* of the domain */
  GPtrArray *cards; /* Card */
} Question;

static void
card_free (gpointer data)
{
  Card *card = data;

  network_input_free (card->input);
  g_clear_pointer (&card->leases, g_ptr_array_unref);
  g_free (card->device);
  g_free (card->mac);
  g_free (card);
}

static void
question_free (gpointer data)
{
  Question *question = data;

  g_ptr_array_unref (question->cards);
  g_free (question->name);
  g_free (question);
}

static gpointer
ask (Job *job, gpointer data, GError **error)
{
  Question *question = data;

  for (guint i = 0; i < question->cards->len; i++) {
    Card *card = g_ptr_array_index (question->cards, i);

    card->leases = network_run_leases (job, card->input, card->mac, error);
    if (card->leases == NULL)
      return NULL;
  }
  return JOB_OK;
}

static GVariant *
addresses_of (const Card *card)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(isu)"));
  for (guint i = 0; i < card->leases->len && i < CARDS_MAX; i++) {
    const NetworkLease *lease = g_ptr_array_index (card->leases, i);

    g_variant_builder_add (&list, "(isu)", lease->type, lease->ip, lease->prefix);
  }
  return g_variant_builder_end (&list);
}

static void
answer_addresses (gpointer result, const GError *error, gpointer data)
{
  const Question *question = data;
  GVariantBuilder list;

  if (result == NULL) {
    call_fail (question->call, g_error_copy (error));
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(smsa(isu))"));
  for (guint i = 0; i < question->cards->len; i++) {
    const Card *card = g_ptr_array_index (question->cards, i);

    if (card->leases->len > 0)
      g_variant_builder_add (&list, "(sms@a(isu))", card->device, card->mac, addresses_of (card));
  }
  call_answer (question->call, g_variant_new ("(a(smsa(isu)))", &list));
}

static void
answer_hostname (gpointer result, const GError *error, gpointer data)
{
  const Question *question = data;

  if (result == NULL) {
    call_fail (question->call, g_error_copy (error));
    return;
  }
  for (guint i = 0; i < question->cards->len; i++) {
    const Card *card = g_ptr_array_index (question->cards, i);

    for (guint l = 0; l < card->leases->len; l++) {
      const NetworkLease *lease = g_ptr_array_index (card->leases, l);

      if (lease->hostname != NULL) {
        call_answer (question->call, g_variant_new ("(s)", lease->hostname));
        return;
      }
    }
  }
  call_fail_with (question->call, VIR_ERR_NO_HOSTNAME, "no hostname found for domain %s", question->name);
}

/* Of the running machine's cards on networks that run. */
static void
start_asking (Call *call, JobDone done)
{
  Question *question = g_new0 (Question, 1);

  question->call = call;
  question->name = g_strdup (call->domain->name);
  question->cards = g_ptr_array_new_with_free_func (card_free);
  DOMAIN_FOREACH_DEVICE (call->domain->machine->def, interface_kind, DeviceInterface, interface) {
    Network *network =
        interface->network != NULL ? network_find_name (call->manager, interface->network, NULL) : NULL;
    Card *card;

    if (network == NULL || !network->active || interface->target_dev == NULL
        || question->cards->len >= CARDS_MAX)
      continue;
    card = g_new0 (Card, 1);
    card->input = network_input_new (network, network->def);
    card->device = g_strdup (interface->target_dev);
    card->mac = g_strdup (interface->mac);
    g_ptr_array_add (question->cards, card);
  }
  job_start ("leases", ask, question, question_free, LEASES_SECONDS, done, question);
}

void
call_answer_leased_addresses (Call *call)
{
  start_asking (call, answer_addresses);
}

void
call_answer_leased_hostname (Call *call)
{
  GError *error = NULL;

  if (domain_check_active (call->domain, &error))
    start_asking (call, answer_hostname);
  else
    call_fail (call, error);
}
