/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Registrations for QEMU's own events, as its monitor tells them (the QEMU program's procedures 4 to 6).
 * Beside a domain, a registration may name the event: exactly, in any case, or by a regular expression. The
 * expression is a client's, so its length and its matching are bounded.
 */
#include "base/scalars.h"
#include "daemon/rpc/client.h"
#include "wire/xdr.h"

#include <libvirt/libvirt-qemu.h>
#include <string.h>

#define REGISTER   4
#define DEREGISTER 5
#define MESSAGE    6

#define REGISTRATIONS_MAX 256 /* of one connection */
#define PATTERN_MAX       1024
#define MATCH_LIMIT       "(*LIMIT_MATCH=10000)" /* steps of one try, as PCRE counts them */

#define KNOWN_FLAGS                                     \
  (VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX \
   | VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE)

typedef struct {
  int callback;
  char *uuid;    /* NULL: all domains */
  char *name;    /* NULL: all events */
  GRegex *regex; /* instead of the name, or NULL */
  gboolean any_case;
} Registration;

struct RpcMonitorEvents {
  RpcClient *client;
  GPtrArray *registrations;
  int next_callback;
  guint subscription; /* to the hub, while there are registrations; 0 otherwise */
};

static void
registration_free (gpointer data)
{
  Registration *registration = data;

  g_free (registration->uuid);
  g_free (registration->name);
  g_clear_pointer (&registration->regex, g_regex_unref);
  g_free (registration);
}

RpcMonitorEvents *
rpc_monitor_events_new (RpcClient *client)
{
  RpcMonitorEvents *events = g_new0 (RpcMonitorEvents, 1);

  events->client = client;
  events->registrations = g_ptr_array_new_with_free_func (registration_free);
  return events;
}

void
rpc_monitor_events_free (RpcMonitorEvents *events)
{
  if (events->subscription != 0)
    events_unsubscribe (events->client->manager->events, events->subscription);
  g_ptr_array_unref (events->registrations);
  g_free (events);
}

static gboolean
matches (const Registration *registration, const Event *event, const char *name)
{
  if (registration->uuid != NULL && !g_str_equal (registration->uuid, event->uuid))
    return FALSE;
  if (registration->regex != NULL)
    return g_regex_match (registration->regex, name, 0, NULL);
  if (registration->name == NULL)
    return TRUE;
  return registration->any_case ? g_ascii_strcasecmp (registration->name, name) == 0
                                : g_str_equal (registration->name, name);
}

static void
send_event (RpcClient *client, const Registration *registration, const Event *event)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) object = NULL;
  guint8 uuid[UUID_BYTES] = { 0 };

  uuid_parse (event->uuid, uuid);
  object = g_variant_ref_sink (
      g_variant_new ("((s@ayi))", event->name,
                     g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, uuid, UUID_BYTES, 1), event->id));
  rpc_append_word (payload, (guint32)registration->callback);
  if (xdr_encode (shape_of ("D"), object, payload, &error)
      && xdr_encode (shape_of (MONITOR_EVENT_SHAPE), event->payload, payload, &error))
    rpc_client_send_message (client, RPC_PROGRAM_QEMU, MESSAGE, payload);
  else
    g_warning ("a monitor event of '%s' cannot be sent: %s", event->name, error->message);
}

static void
on_event (const Event *event, gpointer data)
{
  RpcMonitorEvents *events = data;
  const char *name;

  if (event->family != EVENT_MONITOR)
    return;
  g_variant_get_child (event->payload, 0, "&s", &name);
  for (guint i = 0; i < events->registrations->len; i++) {
    const Registration *registration = g_ptr_array_index (events->registrations, i);

    if (matches (registration, event, name))
      send_event (events->client, registration, event);
  }
}

/* FALSE after an error was answered. */
static gboolean
compile (RpcClient *client, const RpcHeader *header, Registration *registration, guint32 flags)
{
  gboolean any_case = (flags & VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE) != 0;
  g_autofree char *pattern = NULL;
  g_autoptr (GError) error = NULL;

  registration->any_case = any_case;
  if (registration->name == NULL || !(flags & VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX))
    return TRUE;
  if (strlen (registration->name) <= PATTERN_MAX) {
    pattern = g_strconcat (MATCH_LIMIT, registration->name, NULL);
    registration->regex = g_regex_new (pattern, any_case ? G_REGEX_CASELESS : 0, 0, &error);
  }
  if (registration->regex != NULL)
    return TRUE;
  rpc_client_reply_error_in (client, header, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                             "invalid argument: failed to compile regex '%.64s': %s", registration->name,
                             error != NULL ? error->message : "it is too long");
  return FALSE;
}

static Registration *
registration_new (GVariant *arguments)
{
  Registration *registration = g_new0 (Registration, 1);
  g_autoptr (GVariant) domain = NULL, bytes = NULL;
  char text[UUID_TEXT];
  gsize length;

  g_variant_get_child (arguments, 0, "m@(sayi)", &domain);
  g_variant_get_child (arguments, 1, "ms", &registration->name);
  if (domain != NULL) {
    bytes = g_variant_get_child_value (domain, 1);
    uuid_format (g_variant_get_fixed_array (bytes, &length, 1), text);
    registration->uuid = g_strdup (text);
  }
  return registration;
}

static void
add (RpcClient *client, const RpcHeader *header, GVariant *arguments)
{
  RpcMonitorEvents *events = client->monitor_events;
  Registration *registration;
  g_autoptr (GByteArray) payload = NULL;
  guint32 flags;

  g_variant_get_child (arguments, 2, "u", &flags);
  if ((flags & ~(guint32)KNOWN_FLAGS) != 0) {
    rpc_client_reply_error_in (client, header, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                               "invalid argument: unsupported flags (0x%x)", flags & ~(guint32)KNOWN_FLAGS);
    return;
  }
  if (events->registrations->len >= REGISTRATIONS_MAX) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC,
                               "more than %d monitor event registrations on one connection",
                               REGISTRATIONS_MAX);
    return;
  }
  registration = registration_new (arguments);
  if (!compile (client, header, registration, flags)) {
    registration_free (registration);
    return;
  }
  registration->callback = events->next_callback;
  events->next_callback = events->next_callback < G_MAXINT ? events->next_callback + 1 : 0;
  g_ptr_array_add (events->registrations, registration);
  if (events->subscription == 0)
    events->subscription = events_subscribe (client->manager->events, on_event, events);
  payload = g_byte_array_new ();
  rpc_append_word (payload, (guint32)registration->callback);
  rpc_client_reply (client, header, payload, NULL, 0);
}

static void
remove_callback (RpcClient *client, const RpcHeader *header, int callback)
{
  GPtrArray *registrations = client->monitor_events->registrations;

  for (guint i = 0; i < registrations->len; i++)
    if (((const Registration *)g_ptr_array_index (registrations, i))->callback == callback) {
      g_ptr_array_remove_index (registrations, i);
      rpc_client_reply (client, header, NULL, NULL, 0);
      return;
    }
  rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                             "internal error: qemu monitor event callback %d not registered", callback);
}

gboolean
rpc_monitor_events_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length)
{
  g_autoptr (GVariant) arguments = NULL;
  g_autoptr (GError) error = NULL;
  gint32 callback;

  if (header->program != RPC_PROGRAM_QEMU
      || (header->procedure != REGISTER && header->procedure != DEREGISTER))
    return FALSE;
  if (client->client.read_only) {
    rpc_client_reply_error_in (
        client, header, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_DENIED,
        "operation forbidden: read only access prevents registering for monitor events");
    return TRUE;
  }
  arguments = xdr_decode (shape_of (header->procedure == REGISTER ? "mDmsu" : "i"), payload, length, &error);
  if (arguments == NULL) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "%s", error->message);
  } else if (header->procedure == REGISTER) {
    add (client, header, arguments);
  } else {
    g_variant_get_child (arguments, 0, "i", &callback);
    remove_callback (client, header, callback);
  }
  return TRUE;
}
