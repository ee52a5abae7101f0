/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a machine's start to its readiness, in rounds: first its addresses are asked for (leases, the host's
 * neighbours, and the agent, whose answer also tells that it is there), then its ports are tried. Each
 * question has an end, and the next round begins when all of one are answered; a round comes the later the
 * more there were. What its console writes comes by itself (console-watch.h).
 *
 * What a guest says of itself is believed of that guest alone: an address that only its agent tells is tried
 * last.
 */
#include "daemon/domain/readiness.h"

#include "daemon/core/file.h"
#include "daemon/core/main-loop.h"
#include "daemon/domain/machine.h"
#include "daemon/domain/own-call.h"
#include "daemon/domain/ready-ports.h"
#include "daemon/drivers/qemu/agent.h"
#include "daemon/drivers/qemu/console-watch.h"
#include "domain/devices/channel.h"

#include <string.h>
#include <unistd.h>

#define WHO                        "readiness"
#define DOMAIN_INTERFACE_ADDRESSES 353     /* of remote_protocol */
#define FIRST_ROUND                100     /* ms after the start */
#define LAST_ROUND                 1000    /* ms between two rounds at most, while it has time ... */
#define LATE_ROUND                 2000    /* ... and when it has none left */
#define FILE_NAME                  "ready" /* in its run directory: it has been ready */
#define ADDRESS_TYPE               "(isu)"
#define ADDRESSES_TYPE             "(a(smsa" ADDRESS_TYPE "))"

struct ReadinessSubscription {
  void (*changed) (gpointer data);
  gpointer data;
};

/* One in a process, as the manager. */
static struct {
  Manager *manager;
  GHashTable *machines;     /* UUID to Readiness: those that are not ready yet */
  GPtrArray *subscriptions; /* ReadinessSubscription */
} all;

typedef struct {
  int ref_count;
  char *uuid, *name, *ready_file;
  Policy *policy;
  ReadyState state;
  gboolean goes_on; /* what its console wrote before is not known, and counts as written */
  gboolean agent;   /* its agent has answered */
  char *address;    /* that it is known to have; NULL: none */
  char *found;      /* the same, of this round, by leases or neighbours */
  char *by_agent;   /* that only its agent tells of */
  ReadyPorts *ports;
  guint asked;           /* answers of this round that are to come */
  guint wait;            /* ms to the next round */
  guint round, deadline; /* sources */
} Readiness;

static Readiness *
readiness_ref (Readiness *readiness)
{
  readiness->ref_count++;
  return readiness;
}

static void
readiness_unref (gpointer data)
{
  Readiness *readiness = data;

  if (--readiness->ref_count > 0)
    return;
  ready_ports_free (readiness->ports);
  policy_unref (readiness->policy);
  g_free (readiness->uuid);
  g_free (readiness->name);
  g_free (readiness->ready_file);
  g_free (readiness->address);
  g_free (readiness->found);
  g_free (readiness->by_agent);
  g_free (readiness);
}

/* Answers that are still to come find it over. */
static void
readiness_end (gpointer data)
{
  Readiness *readiness = data;

  g_clear_handle_id (&readiness->round, g_source_remove);
  g_clear_handle_id (&readiness->deadline, g_source_remove);
  readiness->state = READY_NOT_RUNNING;
  ready_ports_cancel (readiness->ports);
  console_watch_end (readiness->uuid);
  readiness_unref (readiness);
}

static Readiness *
find (const char *uuid)
{
  return all.machines != NULL ? g_hash_table_lookup (all.machines, uuid) : NULL;
}

static gboolean
wants_address (const Readiness *readiness)
{
  return readiness->policy->ready.address || ready_ports_want_address (readiness->ports);
}

/* What is missing. */

static void G_GNUC_PRINTF (2, 3) add_missing (GString *list, const char *format, ...)
{
  va_list arguments;

  if (list->len > 0)
    g_string_append (list, "; ");
  va_start (arguments, format);
  g_string_append_vprintf (list, format, arguments);
  va_end (arguments);
}

static gboolean
console_has (const Readiness *readiness, guint index)
{
  return readiness->goes_on || console_watch_has (readiness->uuid, index);
}

static void
add_console (GString *list, const Readiness *readiness)
{
  const GPtrArray *texts = readiness->policy->ready.console;

  for (guint i = 0; texts != NULL && i < texts->len; i++)
    if (!console_has (readiness, i))
      add_missing (list, "its console%s has not written '%s'",
                   console_watch_is_there (readiness->uuid) ? "" : ", which cannot be read here,",
                   (const char *)g_ptr_array_index (texts, i));
}

/* "": nothing. */
static char *
missing (const Readiness *readiness)
{
  GString *list = g_string_new (NULL);

  if (readiness->policy->ready.agent && !readiness->agent)
    add_missing (list, "its guest agent does not answer");
  if (wants_address (readiness) && readiness->address == NULL)
    add_missing (list, "no address of it is known");
  ready_ports_add_missing (readiness->ports, list);
  add_console (list, readiness);
  return g_string_free (list, FALSE);
}

/* Changes. */

/* One that is told may unsubscribe others. */
static void
tell_changed (void)
{
  g_autoptr (GPtrArray) now = g_ptr_array_new ();

  for (guint i = 0; i < all.subscriptions->len; i++)
    g_ptr_array_add (now, g_ptr_array_index (all.subscriptions, i));
  for (guint i = 0; i < now->len; i++) {
    const ReadinessSubscription *subscription = g_ptr_array_index (now, i);

    if (g_ptr_array_find (all.subscriptions, subscription, NULL))
      subscription->changed (subscription->data);
  }
}

static void
keep_ready (const Readiness *readiness)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PreparedFile) file = prepared_file_new (readiness->ready_file, "", 0, 0600, FALSE, &error);

  if (file == NULL || !prepared_file_commit (file, &error))
    g_warning ("%s: %s", readiness->ready_file, error->message);
}

/* Is all there that it takes? Then it is over. */
static gboolean
judge (Readiness *readiness)
{
  g_autofree char *what = missing (readiness);

  if (what[0] != '\0')
    return FALSE;
  if (readiness->state == READY_LATE)
    g_message ("domain '%s' is ready now, after its policy's time of %u seconds", readiness->name,
               policy_ready_timeout (readiness->policy));
  else
    g_debug ("domain '%s' is ready", readiness->name);
  keep_ready (readiness);
  g_hash_table_remove (all.machines, readiness->uuid);
  tell_changed ();
  return TRUE;
}

static gboolean
is_late (gpointer data)
{
  Readiness *readiness = data;
  g_autofree char *what = missing (readiness);

  readiness->deadline = 0;
  if (judge (readiness))
    return G_SOURCE_REMOVE;
  readiness->state = READY_LATE;
  g_warning ("domain '%s' is not ready after %u seconds: %s", readiness->name,
             policy_ready_timeout (readiness->policy), what);
  tell_changed ();
  return G_SOURCE_REMOVE;
}

static void
console_wrote (const char *uuid)
{
  Readiness *readiness = find (uuid);

  if (readiness != NULL)
    judge (readiness);
}

/* Rounds. */

static gboolean begin_round (gpointer data);

static void
end_round (Readiness *readiness)
{
  if (readiness->state == READY_NOT_RUNNING || judge (readiness))
    return;
  readiness->round = g_timeout_add (readiness->wait, begin_round, readiness);
  readiness->wait = readiness->state == READY_LATE ? LATE_ROUND : MIN (readiness->wait * 3 / 2, LAST_ROUND);
}

static void
ports_tried (gpointer data)
{
  Readiness *readiness = data;

  end_round (readiness);
  readiness_unref (readiness);
}

static void
try_ports (Readiness *readiness)
{
  if (readiness->state == READY_NOT_RUNNING)
    return;
  /* The one it was known by may have been of its life before. */
  g_free (readiness->address);
  readiness->address =
      readiness->found != NULL ? g_steal_pointer (&readiness->found) : g_steal_pointer (&readiness->by_agent);
  ready_ports_try (readiness->ports, readiness->address, ports_tried, readiness_ref (readiness));
}

static void
answered (Readiness *readiness)
{
  if (--readiness->asked == 0)
    try_ports (readiness);
  readiness_unref (readiness);
}

/* The first address by which others can reach it; NULL: there is none. (transfer full) */
static char *
first_address (GVariant *answer)
{
  g_autoptr (GVariantIter) interfaces = NULL;
  GVariantIter *addresses;

  if (!g_variant_is_of_type (answer, G_VARIANT_TYPE (ADDRESSES_TYPE)))
    return NULL;
  g_variant_get (answer, "(a(smsa" ADDRESS_TYPE "))", &interfaces);
  while (g_variant_iter_next (interfaces, "(smsa" ADDRESS_TYPE ")", NULL, NULL, &addresses)) {
    g_autoptr (GVariantIter) list = addresses;
    const char *text;

    while (g_variant_iter_next (list, "(i&su)", NULL, &text, NULL)) {
      g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

      if (address != NULL && !g_inet_address_get_is_loopback (address)
          && !g_inet_address_get_is_link_local (address) && !g_inet_address_get_is_any (address)
          && !g_inet_address_get_is_multicast (address))
        return g_strdup (text);
    }
  }
  return NULL;
}

static void
addresses_known (GVariant *answer, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Readiness *readiness = data;

  if (answer != NULL && readiness->found == NULL)
    readiness->found = first_address (answer);
  answered (readiness);
}

/* An agent that answers that it cannot say has answered. */
static void
agent_answered (GVariant *answer, const GError *error, gpointer data)
{
  Readiness *readiness = data;

  readiness->agent = readiness->agent || answer != NULL || virt_error_code (error) == VIR_ERR_INTERNAL_ERROR;
  readiness->by_agent = answer != NULL ? first_address (answer) : NULL;
  answered (readiness);
}

static void
ask (Readiness *readiness, Domain *domain, guint source, OwnCallDone done)
{
  readiness->asked++;
  own_call (domain, WHO, DOMAIN_INTERFACE_ADDRESSES, g_variant_new ("(uu)", source, 0), done,
            readiness_ref (readiness));
}

/* Has it an agent's channel that the guest has opened? */
static gboolean
has_agent (const Domain *domain)
{
  DOMAIN_FOREACH_DEVICE (domain->machine->def, channel_kind, DeviceChannel, channel)
    if (g_strcmp0 (channel->name, CHANNEL_OF_AGENT) == 0)
      return channel->state == CHANNEL_STATE_CONNECTED;
  return FALSE;
}

static gboolean
begin_round (gpointer data)
{
  Readiness *readiness = data;
  Domain *domain = manager_find_uuid (all.manager, readiness->uuid, NULL);

  readiness->round = 0;
  if (domain == NULL || domain->machine == NULL)
    return G_SOURCE_REMOVE;
  g_clear_pointer (&readiness->found, g_free);
  g_clear_pointer (&readiness->by_agent, g_free);
  readiness->asked = 1; /* this one */
  if (wants_address (readiness)) {
    ask (readiness, domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, addresses_known);
    ask (readiness, domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, addresses_known);
  }
  if (has_agent (domain)
      && (wants_address (readiness) || (readiness->policy->ready.agent && !readiness->agent)))
    ask (readiness, domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, agent_answered);
  answered (readiness_ref (readiness));
  return G_SOURCE_REMOVE;
}

/* Machines. */

static char *
ready_file_of (const Domain *domain)
{
  g_autofree char *directory = store_run_directory (domain->manager->store, domain->uuid);

  return g_build_filename (directory, FILE_NAME, NULL);
}

/* NULL: nothing is waited for. */
static Readiness *
add (const Domain *domain, gboolean goes_on)
{
  const Machine *machine = domain->machine;
  Policy *policy = machine->def->policy;
  gint64 gone = MAX (g_get_real_time () - machine->started, 0) / G_USEC_PER_SEC;
  Readiness *readiness;
  guint time;

  if (all.machines == NULL || !policy_waits_ready (policy))
    return NULL;
  time = policy_ready_timeout (policy);
  readiness = g_new0 (Readiness, 1);
  *readiness = (Readiness){ .ref_count = 1,
                            .uuid = g_strdup (domain->uuid),
                            .name = g_strdup (domain->name),
                            .ready_file = ready_file_of (domain),
                            .policy = policy_ref (policy),
                            .state = READY_WAITING,
                            .goes_on = goes_on,
                            .ports = ready_ports_new (policy->ready.ports),
                            .wait = FIRST_ROUND };
  g_hash_table_replace (all.machines, readiness->uuid, readiness);
  readiness->round = g_timeout_add (FIRST_ROUND, begin_round, readiness);
  readiness->deadline = g_timeout_add_seconds (gone < time ? (guint)(time - gone) : 0, is_late, readiness);
  return readiness;
}

void
readiness_machine_started (const Domain *domain, gboolean goes_on)
{
  g_autofree char *file = ready_file_of (domain);

  MAIN_LOOP_ONLY ();
  unlink (file);
  add (domain, goes_on);
}

void
readiness_machine_found (const Domain *domain)
{
  g_autofree char *file = ready_file_of (domain);
  g_autofree char *directory = store_run_directory (domain->manager->store, domain->uuid);

  MAIN_LOOP_ONLY ();
  if (access (file, F_OK) == 0)
    return;
  console_watch_find (domain->machine->def, directory);
  add (domain, FALSE);
}

static void
ended (Machine *machine)
{
  if (find (machine->def->uuid) == NULL)
    return;
  g_hash_table_remove (all.machines, machine->def->uuid);
  tell_changed ();
}

static const MachineWatcher watcher = { .ended = ended };

void
readiness_start (Manager *manager)
{
  MAIN_LOOP_ONLY ();
  all.manager = manager;
  all.machines = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, readiness_end);
  all.subscriptions = g_ptr_array_new_with_free_func (g_free);
  console_watch_set_handler (console_wrote);
  machine_add_watcher (&watcher);
}

void
readiness_stop (void)
{
  g_clear_pointer (&all.machines, g_hash_table_unref);
  g_clear_pointer (&all.subscriptions, g_ptr_array_unref);
}

ReadyState
readiness_state (const Domain *domain)
{
  const Readiness *readiness = find (domain->uuid);

  if (!domain_is_active (domain))
    return READY_NOT_RUNNING;
  return readiness != NULL ? readiness->state : READY_YES;
}

char *
readiness_missing (const Domain *domain)
{
  const Readiness *readiness = find (domain->uuid);
  g_autofree char *what = readiness != NULL ? missing (readiness) : NULL;

  if (readiness == NULL)
    return NULL;
  return readiness->state == READY_LATE ? g_strdup_printf ("not ready after %u seconds: %s",
                                                           policy_ready_timeout (readiness->policy), what)
                                        : g_strdup_printf ("not ready yet: %s", what);
}

ReadinessSubscription *
readiness_subscribe (void (*changed) (gpointer data), gpointer data)
{
  ReadinessSubscription *subscription = g_new0 (ReadinessSubscription, 1);

  *subscription = (ReadinessSubscription){ changed, data };
  g_ptr_array_add (all.subscriptions, subscription);
  return subscription;
}

void
readiness_unsubscribe (ReadinessSubscription *subscription)
{
  g_ptr_array_remove (all.subscriptions, subscription);
}
