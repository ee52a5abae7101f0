/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Events as they happen. One row for each kind: virsh's name of it, the D-Bus signal that carries it, and
 * how its arguments read. What a row has no words for is printed as D-Bus prints it.
 */

#include "cli/command.h"
#include "cli/connection.h"

#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>

#define DETAILS_MAX 12

static char *event_name;
static gboolean loop_forever, list_names, timestamps, all_events;
static int timeout_seconds;

typedef struct {
  const char *name;   /* virsh's */
  const char *signal; /* of org.libvirt.Domain, or DomainEvent of the root */
} EventKind;

static const EventKind kinds[] = {
  { "lifecycle", "DomainEvent" },
  { "reboot", "Reboot" },
  { "rtc-change", "RTCChange" },
  { "watchdog", "Watchdog" },
  { "io-error-reason", "IOError" },
  { "graphics", "Graphics" },
  { "control-error", "ControlError" },
  { "disk-change", "DiskChange" },
  { "tray-change", "TrayChange" },
  { "pm-wakeup", "PMWakeup" },
  { "pm-suspend", "PMSuspend" },
  { "balloon-change", "BalloonChange" },
  { "pm-suspend-disk", "PMSuspendDisk" },
  { "device-removed", "DeviceRemoved" },
  { "block-job-2", "BlockJob" },
  { "tunable", "Tunable" },
  { "agent-lifecycle", "AgentEvent" },
  { "device-added", "DeviceAdded" },
  { "migration-iteration", "MigrationIteration" },
  { "job-completed", "JobCompleted" },
  { "device-removal-failed", "DeviceRemovalFailed" },
  { "metadata-change", "MetadataChange" },
  { "block-threshold", "BlockThreshold" },
};

static const char *const lifecycle_names[] = {
  N_ ("Defined"), N_ ("Undefined"), N_ ("Started"),     N_ ("Suspended"), N_ ("Resumed"),
  N_ ("Stopped"), N_ ("Shutdown"),  N_ ("PMSuspended"), N_ ("Crashed"),
};

static const char *const lifecycle_details[][DETAILS_MAX] = {
  { N_ ("Added"), N_ ("Updated"), N_ ("Renamed"), N_ ("Snapshot") },
  { N_ ("Removed"), N_ ("Renamed") },
  { N_ ("Booted"), N_ ("Migrated"), N_ ("Restored"), N_ ("Snapshot"), N_ ("Event wakeup"), N_ ("Recovered") },
  { N_ ("Paused"), N_ ("Migrated"), N_ ("I/O Error"), N_ ("Watchdog"), N_ ("Restored"), N_ ("Snapshot"),
    N_ ("API error"), N_ ("Post-copy"), N_ ("Post-copy Error") },
  { N_ ("Unpaused"), N_ ("Migrated"), N_ ("Snapshot"), N_ ("Post-copy"), N_ ("Post-copy Error") },
  { N_ ("Shutdown"), N_ ("Destroyed"), N_ ("Crashed"), N_ ("Migrated"), N_ ("Saved"), N_ ("Failed"),
    N_ ("Snapshot") },
  { N_ ("Finished"), N_ ("Finished after guest request"), N_ ("Finished after host request") },
  { N_ ("Memory"), N_ ("Disk") },
  { N_ ("Panicked"), N_ ("Crashloaded") },
};

typedef struct {
  CommandLine *line;
  GMainLoop *loop;
  char *path;            /* of the one domain asked for, or NULL */
  const EventKind *kind; /* or NULL: all */
  guint seen;
  gboolean gone, bus_closed;
} Watch;

static const EventKind *
kind_by_signal (const char *signal)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_str_equal (kinds[i].signal, signal))
      return &kinds[i];
  }
  return NULL;
}

static char *
lifecycle_text (int event, int detail)
{
  const char *name = "unknown", *more = NULL;

  if (event >= 0 && event < (int)G_N_ELEMENTS (lifecycle_names)) {
    name = lifecycle_names[event];
    if (detail >= 0 && detail < DETAILS_MAX)
      more = lifecycle_details[event][detail];
  }
  return g_strdup_printf ("%s %s", _ (name), _ (more != NULL ? more : "unknown"));
}

static void
print_event (Watch *watch, const EventKind *kind, const char *domain, const char *text)
{
  CommandLine *line = watch->line;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *stamp = g_date_time_format (now, "%Y-%m-%d %H:%M:%S");
  g_autofree char *whole = g_strdup_printf ("%s.%03d+0000", stamp, g_date_time_get_microsecond (now) / 1000);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (timestamps)
    command_print (line, "%s: ", whole);
  command_print (line, _ ("event '%s' for domain '%s'"), kind->name, domain);
  command_print (line, text[0] != '\0' ? ": %s\n" : "%s\n", text);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "time");
  json_builder_add_string_value (builder, whole);
  json_builder_set_member_name (builder, "event");
  json_builder_add_string_value (builder, kind->name);
  json_builder_set_member_name (builder, "domain");
  json_builder_add_string_value (builder, domain);
  json_builder_set_member_name (builder, "detail");
  json_builder_add_string_value (builder, text);
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  fflush (stdout);
}

/* A name for the domain at @path: itself may be gone by now, and then its UUID must do. */
static char *
name_of (Watch *watch, const char *path)
{
  char *name = connection_domain_name (watch->line->connection, path, NULL);

  if (name == NULL) {
    const char *element = strrchr (path, '/');

    name = g_strdelimit (g_strdup (element != NULL && element[1] == '_' ? element + 2 : path), "_", '-');
  }
  return name;
}

static void
on_signal (GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED, const char *path,
           const char *interface G_GNUC_UNUSED, const char *signal, GVariant *parameters, gpointer data)
{
  Watch *watch = data;
  const EventKind *kind = kind_by_signal (signal);
  g_autofree char *text = NULL;
  g_autofree char *name = NULL;

  if (kind == NULL || (watch->kind != NULL && watch->kind != kind))
    return;
  if (g_str_equal (signal, "DomainEvent")) {
    int event, detail;

    if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(oii)")))
      return;
    g_variant_get (parameters, "(&oii)", &path, &event, &detail);
    text = lifecycle_text (event, detail);
  } else {
    g_autofree char *printed = g_variant_print (parameters, FALSE);
    gsize length = strlen (printed);

    /* Without the tuple's own parentheses. */
    text = length >= 2 ? g_strndup (printed + 1, length - 2) : g_strdup ("");
    if (g_str_has_suffix (text, ","))
      text[strlen (text) - 1] = '\0';
  }
  if (watch->path != NULL && !g_str_equal (watch->path, path))
    return;

  name = name_of (watch, path);
  print_event (watch, kind, name, text);
  watch->seen++;
  if (!loop_forever)
    g_main_loop_quit (watch->loop);
}

static gboolean
stop_watching (gpointer data)
{
  g_main_loop_quit (((Watch *)data)->loop);
  return G_SOURCE_REMOVE;
}

/* Its machines go on without it, and so does the wait: the next daemon's signals come by the same name. */
static void
daemon_gone (GDBusConnection *bus G_GNUC_UNUSED, const char *name G_GNUC_UNUSED, gpointer data)
{
  Watch *watch = data;

  if (!watch->gone)
    fprintf (stderr, _ ("the daemon has gone away; waiting for it to come back\n"));
  watch->gone = TRUE;
}

static void
daemon_there (GDBusConnection *bus G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
              const char *owner G_GNUC_UNUSED, gpointer data)
{
  Watch *watch = data;

  if (watch->gone)
    fprintf (stderr, _ ("the daemon is back\n"));
  watch->gone = FALSE;
}

static void
bus_closed (GDBusConnection *bus G_GNUC_UNUSED, gboolean vanished G_GNUC_UNUSED, GError *error G_GNUC_UNUSED,
            gpointer data)
{
  Watch *watch = data;

  watch->bus_closed = TRUE;
  g_main_loop_quit (watch->loop);
}

static gboolean
choose_kind (CommandLine *line, Watch *watch, int *ret_status)
{
  if (event_name == NULL) {
    *ret_status = command_usage_error (line, _ ("one of --event NAME, --all and --list is needed"));
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_str_equal (kinds[i].name, event_name))
      watch->kind = &kinds[i];
  }
  if (watch->kind == NULL)
    *ret_status =
        command_usage_error (line, _ ("unknown event '%s': 'domctl event --list' names them"), event_name);
  return watch->kind != NULL;
}

static int
print_kinds (CommandLine *line)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    command_print (line, "%s\n", kinds[i].name);
    json_builder_add_string_value (builder, kinds[i].name);
  }
  json_builder_end_array (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static int
watch_events (CommandLine *line, Watch *watch)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GDBusConnection *bus = connection_bus (line->connection);
  guint subscription = g_dbus_connection_signal_subscribe (bus, DAEMON_BUS_NAME, NULL, NULL, NULL, NULL,
                                                           G_DBUS_SIGNAL_FLAGS_NONE, on_signal, watch, NULL);
  guint owner = g_bus_watch_name_on_connection (bus, DAEMON_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                daemon_there, daemon_gone, watch, NULL);
  guint timer = 0;

  watch->loop = loop;
  g_dbus_connection_set_exit_on_close (bus, FALSE);
  g_signal_connect (bus, "closed", G_CALLBACK (bus_closed), watch);
  g_unix_signal_add (SIGINT, stop_watching, watch);
  g_unix_signal_add (SIGTERM, stop_watching, watch);
  if (timeout_seconds > 0)
    timer = g_timeout_add_seconds (timeout_seconds, stop_watching, watch);
  g_main_loop_run (loop);
  if (watch->seen == 0 && timer != 0)
    fprintf (stderr, _ ("event loop timed out\n"));
  command_print (line, _ ("events received: %u\n"), watch->seen);
  g_bus_unwatch_name (owner);
  g_signal_handlers_disconnect_by_data (bus, watch);
  g_dbus_connection_signal_unsubscribe (bus, subscription);
  if (watch->bus_closed)
    return command_error (_ ("the message bus has closed the connection"));
  return watch->seen > 0 || timer == 0 ? EXIT_OK : EXIT_FAILED;
}

static int
event_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) version = NULL;
  g_autofree char *path = NULL;
  Watch watch = { .line = line };
  int status = EXIT_OK;

  if (list_names)
    return print_kinds (line);
  if (!all_events && !choose_kind (line, &watch, &status))
    return status;
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  /* A signal that nobody sends would be waited for without a word. */
  version = connection_property (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "LibVersion", &error);
  if (version == NULL)
    return command_error ("%s", error->message);
  if (line->argument_count > 0) {
    watch.path = path = connection_find_domain (line->connection, line->arguments[0], &error);
    if (path == NULL) {
      command_error (_ ("failed to get domain '%s'"), line->arguments[0]);
      return command_error ("%s", error->message);
    }
  }
  return watch_events (line, &watch);
}

static const GOptionEntry event_options[] = {
  { "event", 0, 0, G_OPTION_ARG_STRING, &event_name, N_ ("Wait for this kind of event"), N_ ("NAME") },
  { "all", 0, 0, G_OPTION_ARG_NONE, &all_events, N_ ("Wait for every kind of event"), NULL },
  { "loop", 0, 0, G_OPTION_ARG_NONE, &loop_forever, N_ ("Go on after the first"), NULL },
  { "timeout", 0, 0, G_OPTION_ARG_INT, &timeout_seconds, N_ ("Stop after SECONDS"), N_ ("SECONDS") },
  { "list", 0, 0, G_OPTION_ARG_NONE, &list_names, N_ ("Name the kinds of event"), NULL },
  { "timestamp", 0, 0, G_OPTION_ARG_NONE, &timestamps, N_ ("With the time of each"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command event_commands[] = {
  { "event", "[DOMAIN]", N_ ("Show events as they happen"), 0, 1, event_options, event_run },
  { NULL },
};
