/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Events as signals. Each libvirt event that libvirt-dbus exports is one row: its number, its signal, and its
 * payload's shape, from which the codec makes the signal's arguments as introspected.
 */
#include "daemon/dbus/codec.h"
#include "daemon/dbus/private.h"

const DbusSignalRow dbus_signal_rows[] = {
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_REBOOT, "Reboot", "-" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_RTC_CHANGE, "RTCChange", "x" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_WATCHDOG, "Watchdog", "i" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_GRAPHICS, "Graphics", "i(iss)(iss)sa(ss){20}" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, "IOError", "ssis" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, "ControlError", "-" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DISK_CHANGE, "DiskChange", "msmssi" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, "TrayChange", "si" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_PMWAKEUP, "PMWakeup", "i" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_PMSUSPEND, "PMSuspend", "i" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, "BalloonChange", "t" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, "PMSuspendDisk", "i" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, "DeviceRemoved", "s" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, "BlockJob", "sii" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_TUNABLE, "Tunable", "aP{2048}" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, "AgentEvent", "ii" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, "DeviceAdded", "s" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, "MigrationIteration", "i" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, "JobCompleted", "aP{64}" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, "DeviceRemovalFailed", "s" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, "MetadataChange", "ims" },
  { EVENT_DOMAIN, VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD, "BlockThreshold", "smstt" },
  { EVENT_STORAGE_POOL, VIR_STORAGE_POOL_EVENT_ID_REFRESH, "Refresh", "-" },
  { EVENT_NONE, 0, NULL, NULL },
};

typedef struct {
  char *path, *interface, *signal;
  GVariant *arguments; /* NULL: none */
} HeldSignal;

static void
held_free (HeldSignal *held)
{
  g_free (held->path);
  g_free (held->interface);
  g_free (held->signal);
  g_clear_pointer (&held->arguments, g_variant_unref);
  g_free (held);
}

static void
send (DbusServer *server, const char *path, const char *interface, const char *signal, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;

  if (!g_dbus_connection_emit_signal (server->connection, NULL, path, interface, signal, arguments, &error))
    g_warning ("D-Bus signal %s: %s", signal, error->message);
}

void
dbus_emit (DbusServer *server, const char *path, const char *interface, const char *signal,
           GVariant *arguments)
{
  HeldSignal *held;

  if (server->named) {
    send (server, path, interface, signal, arguments);
    return;
  }
  held = g_new0 (HeldSignal, 1);
  held->path = g_strdup (path);
  held->interface = g_strdup (interface);
  held->signal = g_strdup (signal);
  held->arguments = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  g_queue_push_tail (&server->held, held);
  if (server->held.length > DBUS_HELD_MAX)
    held_free (g_queue_pop_head (&server->held));
}

void
dbus_release_held (DbusServer *server, gboolean send_them)
{
  HeldSignal *held;

  while ((held = g_queue_pop_head (&server->held)) != NULL) {
    if (send_them)
      send (server, held->path, held->interface, held->signal, held->arguments);
    held_free (held);
  }
}

static void
emit_row (DbusServer *server, const DbusSignalRow *row, const ObjectKind *kind, const Event *event)
{
  GDBusInterfaceInfo *interface = dbus_interface_info (kind->interfaces[0]);
  const GDBusSignalInfo *signal = g_dbus_interface_info_lookup_signal (interface, row->member);
  g_autoptr (GVariantType) type = dbus_arguments_type (signal->args);
  g_autofree char *path = dbus_path_of_handle (kind, event->handle);
  g_autoptr (GVariant) arguments = NULL;
  g_autoptr (GError) error = NULL;

  arguments = dbus_codec_payload (row->payload, event->payload, type, &error);
  if (arguments == NULL)
    g_warning ("D-Bus signal %s: %s", row->member, error->message);
  else
    dbus_emit (server, path, interface->name, row->member, arguments);
}

static void
emit_lifecycle (DbusServer *server, const ObjectKind *kind, const Event *event)
{
  g_autofree char *path = dbus_path_of_handle (kind, event->handle);
  gint32 what, detail;

  g_variant_get (event->payload, "(ii)", &what, &detail);
  dbus_emit (server, DBUS_ROOT, dbus_root_interfaces[0], kind->lifecycle_signal,
             kind->lifecycle_plain ? g_variant_new ("(oi)", path, what)
                                   : g_variant_new ("(oii)", path, what, detail));
}

void
dbus_signals_event (const Event *event, gpointer data)
{
  DbusServer *server = data;
  const ObjectKind *kind = object_kind_of_family (event->family);

  if (event->family == EVENT_DOMAIN)
    dbus_announce_soon (server, event->uuid);
  if (kind == NULL || kind->interfaces == NULL)
    return;
  if (event->number == EVENT_LIFECYCLE && kind->lifecycle_signal != NULL)
    emit_lifecycle (server, kind, event);
  for (const DbusSignalRow *row = dbus_signal_rows; row->member != NULL; row++)
    if (row->family == event->family && row->number == event->number)
      emit_row (server, row, kind, event);
}
