/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Events as signals. Each libvirt event that libvirt-dbus exports is one row: its number, its signal, and its
 * payload's shape, from which the codec makes the signal's arguments as introspected.
 */
#include "daemon/dbus/codec.h"
#include "daemon/dbus/private.h"

const DbusSignalRow dbus_signal_rows[] = {
  { VIR_DOMAIN_EVENT_ID_REBOOT, "Reboot", "-" },
  { VIR_DOMAIN_EVENT_ID_RTC_CHANGE, "RTCChange", "x" },
  { VIR_DOMAIN_EVENT_ID_WATCHDOG, "Watchdog", "i" },
  { VIR_DOMAIN_EVENT_ID_GRAPHICS, "Graphics", "i(iss)(iss)sa(ss){20}" },
  { VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, "IOError", "ssis" },
  { VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, "ControlError", "-" },
  { VIR_DOMAIN_EVENT_ID_DISK_CHANGE, "DiskChange", "msmssi" },
  { VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, "TrayChange", "si" },
  { VIR_DOMAIN_EVENT_ID_PMWAKEUP, "PMWakeup", "i" },
  { VIR_DOMAIN_EVENT_ID_PMSUSPEND, "PMSuspend", "i" },
  { VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, "BalloonChange", "t" },
  { VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, "PMSuspendDisk", "i" },
  { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, "DeviceRemoved", "s" },
  { VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, "BlockJob", "sii" },
  { VIR_DOMAIN_EVENT_ID_TUNABLE, "Tunable", "aP{2048}" },
  { VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, "AgentEvent", "ii" },
  { VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, "DeviceAdded", "s" },
  { VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, "MigrationIteration", "i" },
  { VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, "JobCompleted", "aP{64}" },
  { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, "DeviceRemovalFailed", "s" },
  { VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, "MetadataChange", "ims" },
  { VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD, "BlockThreshold", "smstt" },
  { 0, NULL, NULL },
};

static void
emit (DbusServer *server, const char *path, const char *interface, const char *signal, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;

  if (!g_dbus_connection_emit_signal (server->connection, NULL, path, interface, signal, arguments, &error))
    g_warning ("D-Bus signal %s: %s", signal, error->message);
}

static void
emit_row (DbusServer *server, const DbusSignalRow *row, const Event *event)
{
  GDBusInterfaceInfo *interface = dbus_interface_info (dbus_domain_interfaces[0]);
  const GDBusSignalInfo *signal = g_dbus_interface_info_lookup_signal (interface, row->member);
  g_autoptr (GVariantType) type = dbus_arguments_type (signal->args);
  g_autofree char *path = dbus_path_of_domain (event->uuid);
  g_autoptr (GVariant) arguments = NULL;
  g_autoptr (GError) error = NULL;

  arguments = dbus_codec_payload (row->payload, event->payload, type, &error);
  if (arguments == NULL)
    g_warning ("D-Bus signal %s: %s", row->member, error->message);
  else
    emit (server, path, interface->name, row->member, arguments);
}

static void
emit_lifecycle (DbusServer *server, const Event *event)
{
  g_autofree char *path = dbus_path_of_domain (event->uuid);
  gint32 what, detail;

  g_variant_get (event->payload, "(ii)", &what, &detail);
  emit (server, DBUS_ROOT, dbus_root_interfaces[0], "DomainEvent",
        g_variant_new ("(oii)", path, what, detail));
}

static void
emit_storage_pool (DbusServer *server, const Event *event)
{
  g_autofree char *path = dbus_path_of_storage_pool (event->uuid);
  gint32 what, detail;

  if (event->number == VIR_STORAGE_POOL_EVENT_ID_REFRESH) {
    emit (server, path, dbus_storage_pool_interfaces[0], "Refresh", NULL);
  } else {
    g_variant_get (event->payload, "(ii)", &what, &detail);
    emit (server, DBUS_ROOT, dbus_root_interfaces[0], "StoragePoolEvent",
          g_variant_new ("(oii)", path, what, detail));
  }
}

void
dbus_signals_event (const Event *event, gpointer data)
{
  DbusServer *server = data;

  if (event->family == EVENT_STORAGE_POOL && server->connection != NULL)
    emit_storage_pool (server, event);
  if (event->family != EVENT_DOMAIN)
    return;
  dbus_announce_soon (server, event->uuid);
  if (server->connection == NULL)
    return;
  if (event->number == VIR_DOMAIN_EVENT_ID_LIFECYCLE)
    emit_lifecycle (server, event);
  for (const DbusSignalRow *row = dbus_signal_rows; row->member != NULL; row++)
    if (row->number == event->number)
      emit_row (server, row, event);
}
