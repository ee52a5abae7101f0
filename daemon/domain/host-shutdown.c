/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two of the host's services say that it ends. logind announces it before anything is stopped, and waits for
 * those who have asked it to (a delay lock), but only for a few seconds. systemd stops the daemon before the
 * machines' scopes (see qemu/scope.c) and waits as long as the daemon says; that it is for the host's sake,
 * and not a restart of the daemon, is what its state tells. A user's own manager tells the same of the end of
 * the session.
 *
 * Machines are told by the same calls a client would make, answered into the log: what their policies say, or
 * the setting. One that others start after is told when those have ended: it may be what they are writing to.
 */
#include "daemon/domain/host-shutdown.h"

#include "daemon/call/operation.h"
#include "daemon/core/service.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/machine-asked.h"
#include "daemon/domain/machine.h"
#include "daemon/domain/restart-policy.h"
#include "daemon/drivers/qemu/agent.h"
#include "domain/devices/channel.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

#define LOGIND_NAME        "org.freedesktop.login1"
#define LOGIND_PATH        "/org/freedesktop/login1"
#define LOGIND_MANAGER     "org.freedesktop.login1.Manager"
#define SYSTEMD_NAME       "org.freedesktop.systemd1"
#define SYSTEMD_PATH       "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER    "org.freedesktop.systemd1.Manager"
#define QUESTION_TIMEOUT   2000 /* ms: a bus or a service that is silent does not hold up the daemon's end */
#define SHUTDOWN_PROCEDURE 258  /* DOMAIN_SHUTDOWN_FLAGS */
#define SAVE_PROCEDURE     182  /* DOMAIN_MANAGED_SAVE */
#define MICROSECONDS       G_GUINT64_CONSTANT (1000000)
#define MARGIN             10 /* seconds more than the machines have, for the daemon itself */

struct HostShutdown {
  Manager *manager;
  GCancellable *cancellable;
  GDBusConnection *system; /* where logind is; NULL: not connected */
  guint prepare;           /* subscription to its signal */
  int lock;                /* a delay lock of logind's; -1: none */
  gboolean begun;
  gboolean over;      /* the daemon ends: nothing is done any more */
  guint question;     /* source: the time systemd has to answer */
  guint pending;      /* machines that have not ended, of those that were told */
  guint reading;      /* their definitions */
  GPtrArray *leaving; /* Leaving: machines that are to end */
  void (*done) (gpointer data);
  gpointer data;
};

/* Connections, each our own: the shared one of GIO would end the daemon with the bus. */

static void
connect_to (GBusType bus, HostShutdown *shutdown, GAsyncReadyCallback then)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (bus, NULL, NULL);

  if (address != NULL)
    g_dbus_connection_new_for_address (address,
                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                           | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                       NULL, shutdown->cancellable, then, shutdown);
  else
    then (NULL, NULL, shutdown);
}

/* NULL: it failed, or @data is no more. */
static GDBusConnection *
connected (GAsyncResult *result, gboolean *ret_gone)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection =
      result != NULL ? g_dbus_connection_new_for_address_finish (result, &error) : NULL;

  *ret_gone = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (connection != NULL)
    g_dbus_connection_set_exit_on_close (connection, FALSE);
  return connection;
}

/* The end of it all. */

static void
let_go (HostShutdown *shutdown)
{
  if (shutdown->lock >= 0)
    close (shutdown->lock);
  shutdown->lock = -1;
}

static void tell_next (HostShutdown *shutdown);

static void
check_over (HostShutdown *shutdown)
{
  tell_next (shutdown);
  if (shutdown->reading > 0 || shutdown->pending > 0 || shutdown->over)
    return;
  let_go (shutdown);
  if (shutdown->done != NULL)
    shutdown->done (shutdown->data);
}

/* Machines. */

typedef struct {
  HostShutdown *shutdown;
  char *uuid;
  guint seconds;   /* it has */
  gboolean ending; /* its time is over */
} Farewell;

static void
farewell_free (gpointer data)
{
  Farewell *farewell = data;

  g_free (farewell->uuid);
  g_free (farewell);
}

static Domain *
find_running (const Farewell *farewell)
{
  Domain *domain =
      farewell->shutdown->over ? NULL : manager_find_uuid (farewell->shutdown->manager, farewell->uuid, NULL);

  return domain != NULL && domain->machine != NULL && !domain->machine->ended ? domain : NULL;
}

/* A call of ours; what it holds is freed by @respond. */
static Call *
call_new (Manager *manager, int procedure, GVariant *arguments,
          void (*respond) (Call *call, GVariant *answer, const GError *error), gpointer data)
{
  static Client ourselves = { .who = (char *)"host-shutdown" };
  Call *call = g_new0 (Call, 1);

  call->operation = operation_by_procedure (0, procedure);
  call->manager = manager;
  call->client = &ourselves;
  call->arguments = g_variant_ref_sink (arguments);
  call->respond = respond;
  call->wire_data = data;
  call->wire_free = farewell_free;
  return call;
}

static Farewell *
farewell_new (HostShutdown *shutdown, const Domain *domain)
{
  Farewell *farewell = g_new0 (Farewell, 1);

  farewell->shutdown = shutdown;
  farewell->uuid = g_strdup (domain->uuid);
  return farewell;
}

static void wait_for_end (HostShutdown *shutdown, Domain *domain, guint seconds, gboolean ending);

/* It has ended; or its time is over, and it is ended. */
static void
end_or_over (Call *call, G_GNUC_UNUSED GVariant *answer, const GError *error)
{
  const Farewell *farewell = call->wire_data;
  HostShutdown *shutdown = farewell->shutdown;
  Domain *domain = error != NULL ? find_running (farewell) : NULL;

  if (domain != NULL && !farewell->ending) {
    g_warning ("domain '%s' did not shut down within %u seconds and is ended", domain->name,
               farewell->seconds);
    wait_for_end (shutdown, domain, DESTROY_SECONDS, TRUE);
    machine_note_asked (domain->machine, NULL, "host-shutdown");
    machine_end (domain->machine, FALSE, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
  }
  shutdown->pending--;
  check_over (shutdown);
}

static void
wait_for_end (HostShutdown *shutdown, Domain *domain, guint seconds, gboolean ending)
{
  Farewell *farewell = farewell_new (shutdown, domain);

  farewell->seconds = seconds;
  farewell->ending = ending;
  shutdown->pending++;
  machine_answer_at_end (domain->machine,
                         call_new (shutdown->manager, SHUTDOWN_PROCEDURE,
                                   g_variant_new ("(@(sayi)u)", call_domain_value (domain), 0), end_or_over,
                                   farewell),
                         seconds);
}

static void
dispatch (HostShutdown *shutdown, Domain *domain, int procedure, guint flags,
          void (*respond) (Call *call, GVariant *answer, const GError *error))
{
  operation_dispatch (call_new (shutdown->manager, procedure,
                                g_variant_new ("(@(sayi)u)", call_domain_value (domain), flags), respond,
                                farewell_new (shutdown, domain)));
}

static void
button_pressed (Call *call, G_GNUC_UNUSED GVariant *answer, const GError *error)
{
  const Farewell *farewell = call->wire_data;

  if (error != NULL && find_running (farewell) != NULL)
    g_warning ("domain %s cannot be asked to shut down: %s", farewell->uuid, error->message);
}

/* What was tried first (the agent, saving) could not be: the power button. */
static void
press_button_unless_good (Call *call, G_GNUC_UNUSED GVariant *answer, const GError *error)
{
  const Farewell *farewell = call->wire_data;
  Domain *domain = error != NULL ? find_running (farewell) : NULL;

  if (domain == NULL)
    return;
  g_message ("domain '%s': %s; its power button is pressed", domain->name, error->message);
  dispatch (farewell->shutdown, domain, SHUTDOWN_PROCEDURE, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
            button_pressed);
}

static gboolean
has_agent (const Machine *machine)
{
  DOMAIN_FOREACH_DEVICE (machine->def, channel_kind, DeviceChannel, channel) {
    if (g_strcmp0 (channel->name, CHANNEL_OF_AGENT) == 0 && channel->state == CHANNEL_STATE_CONNECTED)
      return TRUE;
  }
  return FALSE;
}

/* A machine that is to end, and those before it. */
typedef struct {
  HostShutdown *shutdown;
  char *uuid, *name;
  Policy *policy; /* of its definition as it is now; NULL: none */
  gboolean told;
} Leaving;

static void
leaving_free (gpointer data)
{
  Leaving *leaving = data;

  policy_unref (leaving->policy);
  g_free (leaving->uuid);
  g_free (leaving->name);
  g_free (leaving);
}

static ShutdownAction
action_for (const HostShutdown *shutdown, const Policy *policy)
{
  const char *setting = shutdown->manager->settings->on_host_shutdown;

  if (policy != NULL && policy->shutdown.action != SHUTDOWN_ACTION_UNSET)
    return (ShutdownAction)policy->shutdown.action;
  return g_str_equal (setting, "save")   ? SHUTDOWN_ACTION_SAVE
         : g_str_equal (setting, "none") ? SHUTDOWN_ACTION_LEAVE
                                         : SHUTDOWN_ACTION_SHUTDOWN;
}

static guint
seconds_for (const HostShutdown *shutdown, const Policy *policy)
{
  return policy != NULL && policy->shutdown.timeout.set ? (guint)policy->shutdown.timeout.value
                                                        : shutdown->manager->settings->host_shutdown_timeout;
}

/* A guest that does not run cannot follow: what is in its memory is kept, where that can be. */
static gboolean
is_to_be_saved (const HostShutdown *shutdown, const Domain *domain, const Policy *policy)
{
  return domain->persistent
         && (action_for (shutdown, policy) == SHUTDOWN_ACTION_SAVE || domain->state == VIR_DOMAIN_PAUSED);
}

/* systemd waits from now on for so long. */
static void
ask_for_time (guint seconds)
{
  g_autofree char *more = g_strdup_printf ("EXTEND_TIMEOUT_USEC=%" G_GUINT64_FORMAT,
                                           (seconds + DESTROY_SECONDS + MARGIN) * MICROSECONDS);

  service_notify (more);
}

static void
say_farewell (HostShutdown *shutdown, Domain *domain, const Policy *policy)
{
  guint seconds = seconds_for (shutdown, policy);

  ask_for_time (seconds);
  wait_for_end (shutdown, domain, seconds, FALSE);
  if (is_to_be_saved (shutdown, domain, policy))
    dispatch (shutdown, domain, SAVE_PROCEDURE, 0, press_button_unless_good);
  else if (has_agent (domain->machine))
    dispatch (shutdown, domain, SHUTDOWN_PROCEDURE, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
              press_button_unless_good);
  else
    dispatch (shutdown, domain, SHUTDOWN_PROCEDURE, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, button_pressed);
}

/* NULL: it has ended. */
static Domain *
running (const Leaving *leaving)
{
  Domain *domain = manager_find_uuid (leaving->shutdown->manager, leaving->uuid, NULL);

  return domain != NULL && domain->machine != NULL && !domain->machine->ended ? domain : NULL;
}

static gboolean
has_name (const GPtrArray *names, const char *name)
{
  return names != NULL && g_ptr_array_find_with_equal_func ((GPtrArray *)names, name, g_str_equal, NULL);
}

/* Does a machine of that policy start after the one of that name? */
static gboolean
starts_after (const Policy *policy, const char *name)
{
  return policy != NULL && (has_name (policy->start.after, name) || has_name (policy->start.requires, name));
}

/* Has everything ended that starts after it? */
static gboolean
is_next (const HostShutdown *shutdown, const Leaving *leaving)
{
  for (guint i = 0; i < shutdown->leaving->len; i++) {
    const Leaving *other = g_ptr_array_index (shutdown->leaving, i);

    if (other != leaving && starts_after (other->policy, leaving->name) && running (other) != NULL)
      return FALSE;
  }
  return TRUE;
}

/* Tell those whose turn it is; with @all, every one that is left. FALSE: none. */
static gboolean
tell (HostShutdown *shutdown, gboolean all)
{
  gboolean any = FALSE;

  for (guint i = 0; i < shutdown->leaving->len; i++) {
    Leaving *leaving = g_ptr_array_index (shutdown->leaving, i);
    Domain *domain = leaving->told ? NULL : running (leaving);

    if (domain == NULL || !(all || is_next (shutdown, leaving)))
      continue;
    leaving->told = any = TRUE;
    say_farewell (shutdown, domain, leaving->policy);
  }
  return any;
}

/* Machines that wait for each other wait no longer when nothing else is waited for. */
static void
tell_next (HostShutdown *shutdown)
{
  if (!shutdown->begun || shutdown->over || shutdown->reading > 0)
    return;
  if (!tell (shutdown, FALSE) && shutdown->pending == 0)
    tell (shutdown, TRUE);
}

/* One whose definition cannot be read does what the setting says. */
static void
policy_known (Domain *domain, DomainDef *def, G_GNUC_UNUSED const GError *error, gpointer data)
{
  HostShutdown *shutdown = data;
  const Policy *policy = def != NULL ? def->policy : NULL;
  Leaving *leaving;

  shutdown->reading--;
  if (domain != NULL && domain->machine != NULL && shutdown->begun
      && action_for (shutdown, policy) != SHUTDOWN_ACTION_LEAVE) {
    leaving = g_new0 (Leaving, 1);
    *leaving = (Leaving){ shutdown, g_strdup (domain->uuid), g_strdup (domain->name),
                          policy != NULL ? policy_ref ((Policy *)policy) : NULL, FALSE };
    g_ptr_array_add (shutdown->leaving, leaving);
  }
  if (shutdown->reading == 0)
    check_over (shutdown);
}

static void
begin (HostShutdown *shutdown)
{
  g_autoptr (GPtrArray) domains = manager_list (shutdown->manager);

  if (shutdown->begun)
    return;
  shutdown->begun = TRUE;
  restart_policies_hold (TRUE);
  g_ptr_array_set_size (shutdown->leaving, 0);
  g_message ("the host is shutting down, and so are its machines");
  ask_for_time (shutdown->manager->settings->host_shutdown_timeout);
  shutdown->reading++; /* one that is known at once is not the last */
  for (guint i = 0; i < domains->len; i++) {
    Domain *domain = g_ptr_array_index (domains, i);

    if (domain->machine == NULL || domain->machine->ended)
      continue;
    shutdown->reading++;
    definition_request (domain, DEFINITION_CONFIG, policy_known, shutdown);
  }
  if (--shutdown->reading == 0)
    check_over (shutdown);
}

/* logind. */

static void take_lock (HostShutdown *shutdown);

static void
on_prepare (G_GNUC_UNUSED GDBusConnection *connection, G_GNUC_UNUSED const char *sender,
            G_GNUC_UNUSED const char *path, G_GNUC_UNUSED const char *interface,
            G_GNUC_UNUSED const char *member, GVariant *arguments, gpointer data)
{
  HostShutdown *shutdown = data;
  gboolean coming = FALSE;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(b)")))
    return;
  g_variant_get (arguments, "(b)", &coming);
  if (coming) {
    begin (shutdown);
  } else if (shutdown->begun) { /* it was called off */
    shutdown->begun = FALSE;
    restart_policies_hold (FALSE);
    take_lock (shutdown);
  }
}

static void
lock_taken (GObject *source, GAsyncResult *result, gpointer data)
{
  HostShutdown *shutdown = data;
  g_autoptr (GUnixFDList) files = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source), &files, result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (answer == NULL || files == NULL)
    g_info ("logind does not wait for the machines: %s", error != NULL ? error->message : "it gave no lock");
  else if (shutdown->lock < 0)
    shutdown->lock = g_unix_fd_list_get (files, 0, NULL);
  if (shutdown->begun && shutdown->reading == 0 && shutdown->pending == 0)
    let_go (shutdown);
}

static void
take_lock (HostShutdown *shutdown)
{
  g_dbus_connection_call_with_unix_fd_list (
      shutdown->system, LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER, "Inhibit",
      g_variant_new ("(ssss)", "shutdown", "domaind", "Virtual machines are asked to shut down", "delay"),
      G_VARIANT_TYPE ("(h)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, shutdown->cancellable, lock_taken,
      shutdown);
}

static void
system_connected (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
  HostShutdown *shutdown = data;
  gboolean gone;
  GDBusConnection *connection = connected (result, &gone);

  if (gone || connection == NULL)
    return;
  shutdown->system = connection;
  shutdown->prepare = g_dbus_connection_signal_subscribe (
      connection, LOGIND_NAME, LOGIND_MANAGER, "PrepareForShutdown", LOGIND_PATH, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, on_prepare, shutdown, NULL);
  take_lock (shutdown);
}

HostShutdown *
host_shutdown_new (Manager *manager)
{
  HostShutdown *shutdown = g_new0 (HostShutdown, 1);

  shutdown->manager = manager;
  shutdown->cancellable = g_cancellable_new ();
  shutdown->lock = -1;
  shutdown->leaving = g_ptr_array_new_with_free_func (leaving_free);
  connect_to (G_BUS_TYPE_SYSTEM, shutdown, system_connected);
  return shutdown;
}

/* systemd. */

/* Then it is not known to be for the host's sake. */
static gboolean
no_answer (gpointer data)
{
  HostShutdown *shutdown = data;

  g_clear_handle_id (&shutdown->question, g_source_remove);
  g_cancellable_cancel (shutdown->cancellable);
  shutdown->done (shutdown->data);
  return G_SOURCE_REMOVE;
}

static void
state_sent (GObject *source, GAsyncResult *result, gpointer data)
{
  HostShutdown *shutdown = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariant) state = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_handle_id (&shutdown->question, g_source_remove);
  if (answer != NULL)
    g_variant_get (answer, "(v)", &state);
  if (state != NULL && g_variant_is_of_type (state, G_VARIANT_TYPE_STRING)
      && g_str_equal (g_variant_get_string (state, NULL), "stopping"))
    begin (shutdown);
  else
    shutdown->done (shutdown->data);
}

static void
manager_connected (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
  HostShutdown *shutdown = data;
  gboolean gone;
  g_autoptr (GDBusConnection) connection = connected (result, &gone);

  if (connection != NULL)
    g_dbus_connection_call (connection, SYSTEMD_NAME, SYSTEMD_PATH, "org.freedesktop.DBus.Properties", "Get",
                            g_variant_new ("(ss)", SYSTEMD_MANAGER, "SystemState"), G_VARIANT_TYPE ("(v)"),
                            G_DBUS_CALL_FLAGS_NO_AUTO_START, QUESTION_TIMEOUT, shutdown->cancellable,
                            state_sent, shutdown);
  else if (!gone)
    no_answer (shutdown);
}

void
host_shutdown_request (HostShutdown *shutdown, void (*done) (gpointer data), gpointer data)
{
  gboolean again = shutdown->done != NULL;

  shutdown->done = done;
  shutdown->data = data;
  if (again)
    done (data);
  else if (shutdown->begun)
    check_over (shutdown);
  else {
    shutdown->question = g_timeout_add (QUESTION_TIMEOUT, no_answer, shutdown);
    connect_to (shutdown->manager->settings->session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, shutdown,
                manager_connected);
  }
}

void
host_shutdown_stop (HostShutdown *shutdown)
{
  shutdown->over = TRUE;
  g_cancellable_cancel (shutdown->cancellable);
  g_clear_handle_id (&shutdown->question, g_source_remove);
  if (shutdown->prepare != 0)
    g_dbus_connection_signal_unsubscribe (shutdown->system, shutdown->prepare);
  let_go (shutdown);
}

void
host_shutdown_free (HostShutdown *shutdown)
{
  if (shutdown == NULL)
    return;
  g_ptr_array_unref (shutdown->leaving);
  g_clear_object (&shutdown->system);
  g_object_unref (shutdown->cancellable);
  g_free (shutdown);
}
