/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Event registrations of one connection, and events turned into messages. Libvirt grew three ways to ask for
 * domain events (lifecycle only; any, without a number; any, with a callback number) and one for each other
 * kind of object; all end in one list here. Which procedure carries an event, and where in its message
 * the domain stands, is a table.
 */

#include "daemon/object/object.h"
#include "daemon/rpc/client.h"
#include "wire/xdr.h"

#define REGISTRATIONS_MAX 1024 /* of one connection */
#define LEGACY            (-1) /* callback number of the registrations that have none */

typedef struct {
  int callback;
  EventFamily family;
  int number;
  char *key; /* the UUID or name of the one object it is about, or NULL: all */
} Registration;

struct RpcEvents {
  RpcClient *client;
  GPtrArray *registrations;
  int next_callback;
  guint subscription; /* to the hub, while there are registrations; 0 otherwise */
};

typedef struct {
  EventFamily family;
  int number;
  int procedure, legacy_procedure; /* 0: none */
  const char *payload;             /* shape behind the domain */
  gboolean payload_first;          /* the payload stands before the domain */
} EventMessage;

static const EventMessage messages[] = {
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_LIFECYCLE, 318, 107, "ii", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_REBOOT, 319, 169, "-", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_RTC_CHANGE, 320, 170, "x", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_WATCHDOG, 321, 171, "i", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_IO_ERROR, 322, 172, "ssi", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_GRAPHICS, 323, 173, "i(iss)(iss)sa(ss){20}", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, 324, 195, "ssis", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, 325, 224, "-", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_BLOCK_JOB, 326, 241, "sii", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DISK_CHANGE, 327, 248, "msmssi", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, 328, 268, "si", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_PMWAKEUP, 329, 269, "i", TRUE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_PMSUSPEND, 330, 270, "i", TRUE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, 331, 276, "t", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, 332, 292, "i", TRUE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, 333, 311, "s", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, 339, 0, "sii", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_TUNABLE, 346, 0, "aP{2048}", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, 348, 0, "ii", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, 354, 0, "s", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, 359, 0, "i", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, 363, 0, "aP{64}", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, 367, 0, "s", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, 379, 0, "ims", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD, 385, 0, "smstt", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE, 423, 0, "iiu", FALSE },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE, 438, 0, "st", FALSE },
  { EVENT_DOMAIN, 27 /* VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE, libvirt 11.2 */, 453, 0, "sss", FALSE },
  { EVENT_NETWORK, 0, 315, 0, "ii", FALSE },
  { EVENT_NETWORK, 1, 446, 0, "ims", FALSE },
  { EVENT_STORAGE_POOL, 0, 370, 0, "ii", FALSE },
  { EVENT_STORAGE_POOL, 1, 373, 0, "-", FALSE },
  { EVENT_NODE_DEVICE, 0, 376, 0, "ii", FALSE },
  { EVENT_NODE_DEVICE, 1, 377, 0, "-", FALSE },
  { EVENT_SECRET, 0, 382, 0, "ii", FALSE },
  { EVENT_SECRET, 1, 383, 0, "-", FALSE },
};

static const EventMessage *
find_message (EventFamily family, int number)
{
  for (guint i = 0; i < G_N_ELEMENTS (messages); i++) {
    if (messages[i].family == family && messages[i].number == number)
      return &messages[i];
  }
  return NULL;
}

static void
registration_free (gpointer data)
{
  Registration *registration = data;

  g_free (registration->key);
  g_free (registration);
}

RpcEvents *
rpc_events_new (RpcClient *client)
{
  RpcEvents *events = g_new0 (RpcEvents, 1);

  events->client = client;
  events->registrations = g_ptr_array_new_with_free_func (registration_free);
  return events;
}

void
rpc_events_free (RpcEvents *events)
{
  if (events->subscription != 0)
    events_unsubscribe (events->client->manager->events, events->subscription);
  g_ptr_array_unref (events->registrations);
  g_free (events);
}

/* Events out. */

static const char *
object_shape (EventFamily family)
{
  const char letter[] = { object_kind_of_family (family)->letter, '\0' };

  return g_intern_string (letter);
}

static void
send_event (RpcClient *client, const EventMessage *message, const Registration *registration,
            const Event *event)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  GVariant *handle = event->handle;
  g_autoptr (GVariant) object = g_variant_ref_sink (g_variant_new_tuple (&handle, 1));
  g_autoptr (GError) error = NULL;
  const Shape *first = shape_of (message->payload_first ? message->payload : object_shape (event->family));
  const Shape *second = shape_of (message->payload_first ? object_shape (event->family) : message->payload);
  GVariant *first_value = message->payload_first ? event->payload : object;
  GVariant *second_value = message->payload_first ? object : event->payload;

  if (registration->callback != LEGACY)
    rpc_append_word (payload, (guint32)registration->callback);
  if (!xdr_encode (first, first_value, payload, &error)
      || !xdr_encode (second, second_value, payload, &error)) {
    g_warning ("event %d of '%s' cannot be sent: %s", event->number, event->name, error->message);
    return;
  }
  rpc_client_send_message (client, RPC_PROGRAM_REMOTE,
                           registration->callback != LEGACY ? message->procedure : message->legacy_procedure,
                           payload);
}

/* As object_handle_key has it. */
static const char *
event_key (const Event *event)
{
  return event->uuid != NULL ? event->uuid : event->name;
}

static void
on_event (const Event *event, gpointer data)
{
  RpcEvents *events = data;
  const EventMessage *message = find_message (event->family, event->number);

  if (message == NULL)
    return;
  for (guint i = 0; i < events->registrations->len; i++) {
    const Registration *registration = g_ptr_array_index (events->registrations, i);

    if (registration->family == event->family && registration->number == event->number
        && (registration->key == NULL || g_str_equal (registration->key, event_key (event))))
      send_event (events->client, message, registration, event);
  }
}

/* Registrations in. */

static void
reply_int (RpcClient *client, const RpcHeader *header, gint32 value)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();

  rpc_append_word (payload, (guint32)value);
  rpc_client_reply (client, header, payload, NULL, 0);
}

static Registration *
find_same (RpcEvents *events, EventFamily family, int number, const char *key, gboolean legacy)
{
  for (guint i = 0; i < events->registrations->len; i++) {
    Registration *registration = g_ptr_array_index (events->registrations, i);

    if (registration->family == family && registration->number == number
        && g_strcmp0 (registration->key, key) == 0 && (registration->callback == LEGACY) == legacy)
      return registration;
  }
  return NULL;
}

/* The callback number, or -1 after an error was answered. */
static int
add (RpcClient *client, const RpcHeader *header, EventFamily family, int number, const char *key,
     gboolean legacy)
{
  RpcEvents *events = client->events;
  const EventMessage *message = find_message (family, number);
  Registration *registration;

  if (message == NULL || (legacy && message->legacy_procedure == 0)) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                               "internal error: unsupported event ID %d", number);
    return -1;
  }
  if (find_same (events, family, number, key, legacy) != NULL) {
    rpc_client_reply_error_in (client, header, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                               "invalid argument: event callback already tracked");
    return -1;
  }
  if (events->registrations->len >= REGISTRATIONS_MAX) {
    rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC,
                               "more than %d event registrations on one connection", REGISTRATIONS_MAX);
    return -1;
  }

  registration = g_new0 (Registration, 1);
  *registration = (Registration){ legacy ? LEGACY : events->next_callback, family, number, g_strdup (key) };
  if (!legacy)
    events->next_callback = events->next_callback < G_MAXINT ? events->next_callback + 1 : 0;
  g_ptr_array_add (events->registrations, registration);
  if (events->subscription == 0)
    events->subscription = events_subscribe (client->manager->events, on_event, events);
  return legacy ? 0 : registration->callback;
}

static gboolean
remove_callback (RpcEvents *events, EventFamily family, int callback)
{
  for (guint i = 0; i < events->registrations->len; i++) {
    const Registration *registration = g_ptr_array_index (events->registrations, i);

    if (registration->callback != LEGACY && registration->callback == callback
        && registration->family == family) {
      g_ptr_array_remove_index (events->registrations, i);
      return TRUE;
    }
  }
  return FALSE;
}

typedef struct {
  int procedure;
  EventFamily family;
  enum {
    REGISTER,
    DEREGISTER,
    LEGACY_REGISTER,
    LEGACY_DEREGISTER,
    LIFECYCLE_REGISTER,
    LIFECYCLE_DEREGISTER
  } what;
  const char *shape;
} Registrar;

static const Registrar registrars[] = {
  { 105, EVENT_DOMAIN, LIFECYCLE_REGISTER, "-" }, { 106, EVENT_DOMAIN, LIFECYCLE_DEREGISTER, "-" },
  { 167, EVENT_DOMAIN, LEGACY_REGISTER, "i" },    { 168, EVENT_DOMAIN, LEGACY_DEREGISTER, "i" },
  { 313, EVENT_NETWORK, REGISTER, "imN" },        { 314, EVENT_NETWORK, DEREGISTER, "i" },
  { 316, EVENT_DOMAIN, REGISTER, "imD" },         { 317, EVENT_DOMAIN, DEREGISTER, "i" },
  { 368, EVENT_STORAGE_POOL, REGISTER, "imS" },   { 369, EVENT_STORAGE_POOL, DEREGISTER, "i" },
  { 374, EVENT_NODE_DEVICE, REGISTER, "imE" },    { 375, EVENT_NODE_DEVICE, DEREGISTER, "i" },
  { 380, EVENT_SECRET, REGISTER, "imK" },         { 381, EVENT_SECRET, DEREGISTER, "i" },
};

/* The key of the object a registration names, or NULL when it names none. (transfer full) */
static char *
named_object (GVariant *arguments, EventFamily family)
{
  g_autoptr (GVariant) maybe = g_variant_get_child_value (arguments, 1);
  g_autoptr (GVariant) object = g_variant_get_maybe (maybe);

  return object != NULL ? object_handle_key (object_kind_of_family (family), object) : NULL;
}

static void
serve (RpcClient *client, const RpcHeader *header, const Registrar *registrar, GVariant *arguments)
{
  RpcEvents *events = client->events;
  g_autofree char *key = NULL;
  gint32 number = VIR_DOMAIN_EVENT_ID_LIFECYCLE;
  Registration *registration;
  int callback;

  if (g_variant_n_children (arguments) > 0)
    g_variant_get_child (arguments, 0, "i", &number);
  switch (registrar->what) {
    case REGISTER:
      key = named_object (arguments, registrar->family);
      callback = add (client, header, registrar->family, number, key, FALSE);
      if (callback >= 0)
        reply_int (client, header, callback);
      return;
    case DEREGISTER:
      if (remove_callback (events, registrar->family, number))
        rpc_client_reply (client, header, NULL, NULL, 0);
      else
        rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                                   "internal error: domain event callback %d not registered", number);
      return;
    case LEGACY_REGISTER:
    case LIFECYCLE_REGISTER:
      if (add (client, header, registrar->family, number, NULL, TRUE) < 0)
        return;
      break;
    case LEGACY_DEREGISTER:
    case LIFECYCLE_DEREGISTER:
      registration = find_same (events, registrar->family, number, NULL, TRUE);
      if (registration == NULL) {
        rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                                   "internal error: domain event %d not registered", number);
        return;
      }
      g_ptr_array_remove (events->registrations, registration);
      break;
  }
  if (registrar->what == LEGACY_REGISTER || registrar->what == LEGACY_DEREGISTER)
    rpc_client_reply (client, header, NULL, NULL, 0);
  else
    reply_int (client, header, registrar->what == LIFECYCLE_REGISTER);
}

gboolean
rpc_events_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length)
{
  for (guint i = 0; i < G_N_ELEMENTS (registrars) && header->program == RPC_PROGRAM_REMOTE; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) arguments = NULL;

    if (registrars[i].procedure != header->procedure)
      continue;
    arguments = xdr_decode (shape_of (registrars[i].shape), payload, length, &error);
    if (arguments == NULL)
      rpc_client_reply_error_in (client, header, VIR_FROM_RPC, VIR_ERR_RPC, "%s", error->message);
    else
      serve (client, header, &registrars[i], arguments);
    return TRUE;
  }
  return FALSE;
}
