/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl apply --watch DIR`. Two things are watched: the directory, by inotify, and the daemon's own events.
 * Either only says that something may have changed: what has, the next plan tells. A change of the directory
 * is applied; a change on the host alone is drift, which is reported, or undone. What fails is tried again
 * when something changes, and now and then.
 */
#include "cli/apply.h"
#include "cli/connection.h"
#include "cli/document-files.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

#define SETTLE_MILLISECONDS 500 /* an editor or git writes more than one file */
#define AGAIN_SECONDS       30  /* after a failure */
#define DIRECTORIES_MAX     1024
#define DRIFT_REPORT        "report"
#define DRIFT_REVERT        "revert"

char *watch_drift;

typedef struct {
  CommandLine *line;
  GMainLoop *loop;
  GPtrArray *monitors; /* GFileMonitor, one for each directory */
  gboolean files_changed;
  guint settling; /* source */
  char *reported; /* digest of the drift that was reported last */
} Watch;

static void look (Watch *watch);

static gboolean
settled (gpointer data)
{
  Watch *watch = data;

  watch->settling = 0;
  look (watch);
  return G_SOURCE_REMOVE;
}

static void
look_soon (Watch *watch, guint milliseconds)
{
  if (watch->settling != 0)
    g_source_remove (watch->settling);
  watch->settling = g_timeout_add (milliseconds, settled, watch);
}

static void
file_changed (G_GNUC_UNUSED GFileMonitor *monitor, GFile *file, G_GNUC_UNUSED GFile *other,
              G_GNUC_UNUSED GFileMonitorEvent event, gpointer data)
{
  Watch *watch = data;
  g_autofree char *name = g_file_get_basename (file);

  if (name[0] == '.')
    return;
  watch->files_changed = TRUE;
  look_soon (watch, SETTLE_MILLISECONDS);
}

static void
add_monitor (Watch *watch, const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GFileMonitor *monitor = g_file_monitor_directory (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);

  if (monitor == NULL)
    return;
  g_file_monitor_set_rate_limit (monitor, 100);
  g_signal_connect (monitor, "changed", G_CALLBACK (file_changed), watch);
  g_ptr_array_add (watch->monitors, monitor);
}

/* The directory and all below it, as documents are found in them. */
static void
monitor_below (Watch *watch, const char *path, guint depth)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  if (directory == NULL || depth > DOCUMENT_FILES_DEPTH_MAX || watch->monitors->len >= DIRECTORIES_MAX)
    return;
  add_monitor (watch, path);
  while ((name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *below = g_build_filename (path, name, NULL);

    if (name[0] != '.' && g_file_test (below, G_FILE_TEST_IS_DIR)
        && !g_file_test (below, G_FILE_TEST_IS_SYMLINK))
      monitor_below (watch, below, depth + 1);
  }
}

/* New directories have come, or old ones gone. */
static void
monitor_again (Watch *watch)
{
  g_ptr_array_set_size (watch->monitors, 0);
  monitor_below (watch, watch->line->arguments[0], 1);
  if (document_set_values != NULL) {
    g_autofree char *directory = g_path_get_dirname (document_set_values);

    add_monitor (watch, directory);
  }
}

static void
host_changed (G_GNUC_UNUSED GDBusConnection *bus, G_GNUC_UNUSED const char *sender,
              G_GNUC_UNUSED const char *path, G_GNUC_UNUSED const char *interface,
              G_GNUC_UNUSED const char *signal, G_GNUC_UNUSED GVariant *arguments, gpointer data)
{
  look_soon (data, SETTLE_MILLISECONDS);
}

/* What differs is not of the directory's making. */
static void
report_drift (Watch *watch, const PlanRequest *request)
{
  if (g_strcmp0 (watch->reported, request->digest) == 0)
    return;
  g_free (watch->reported);
  watch->reported = g_strdup (request->digest);
  command_print (watch->line, _ ("Not as the documents say any more:\n"));
  plan_print_objects (watch->line, request->plan);
  command_print_json (watch->line, json_node_copy (request->plan));
  fflush (stdout);
}

static void
look (Watch *watch)
{
  g_auto (PlanRequest) request = { 0 };
  gboolean files_changed = watch->files_changed;

  watch->files_changed = FALSE;
  if (files_changed)
    monitor_again (watch);
  if (!plan_request_read (watch->line, watch->line->arguments, watch->line->argument_count, &request)) {
    watch->files_changed = files_changed;
    look_soon (watch, AGAIN_SECONDS * 1000);
    return;
  }
  if (plan_count_changes (&request) == 0) {
    g_clear_pointer (&watch->reported, g_free);
    return;
  }
  if (!files_changed && g_strcmp0 (watch_drift, DRIFT_REVERT) != 0) {
    report_drift (watch, &request);
    return;
  }
  plan_print_objects (watch->line, request.plan);
  if (apply_request (watch->line, &request) != EXIT_OK) {
    watch->files_changed = files_changed;
    look_soon (watch, AGAIN_SECONDS * 1000);
  }
  fflush (stdout);
}

static gboolean
end (gpointer data)
{
  g_main_loop_quit (((Watch *)data)->loop);
  return G_SOURCE_CONTINUE;
}

/* The daemon has come back: what it has may be something else. */
static void
daemon_appeared (G_GNUC_UNUSED GDBusConnection *bus, G_GNUC_UNUSED const char *name,
                 G_GNUC_UNUSED const char *owner, gpointer data)
{
  look_soon (data, SETTLE_MILLISECONDS);
}

int
watch_directory (CommandLine *line)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GPtrArray) monitors = g_ptr_array_new_with_free_func (g_object_unref);
  Watch watch = { line, loop, monitors, TRUE, 0, NULL };
  guint signals, name, ends[2];

  if (line->argument_count != 1 || !g_file_test (line->arguments[0], G_FILE_TEST_IS_DIR))
    return command_usage_error (line, _ ("--watch needs one directory"));
  if (watch_drift != NULL && !g_str_equal (watch_drift, DRIFT_REPORT)
      && !g_str_equal (watch_drift, DRIFT_REVERT))
    return command_usage_error (line, _ ("--drift '%s': expected 'report' or 'revert'"), watch_drift);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  signals = g_dbus_connection_signal_subscribe (connection_bus (line->connection), DAEMON_BUS_NAME,
                                                CONNECT_INTERFACE, NULL, LIBVIRT_ROOT, NULL,
                                                G_DBUS_SIGNAL_FLAGS_NONE, host_changed, &watch, NULL);
  name = g_bus_watch_name_on_connection (connection_bus (line->connection), DAEMON_BUS_NAME,
                                         G_BUS_NAME_WATCHER_FLAGS_NONE, daemon_appeared, NULL, &watch, NULL);
  ends[0] = g_unix_signal_add (SIGTERM, end, &watch);
  ends[1] = g_unix_signal_add (SIGINT, end, &watch);
  look_soon (&watch, 0);
  g_main_loop_run (loop);
  g_bus_unwatch_name (name);
  g_dbus_connection_signal_unsubscribe (connection_bus (line->connection), signals);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    g_source_remove (ends[i]);
  if (watch.settling != 0)
    g_source_remove (watch.settling);
  g_free (watch.reported);
  return EXIT_OK;
}
