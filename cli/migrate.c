/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine moves to another host, from peer to peer: the daemon here connects to the one there, and this
 * command waits, shows how far it is, and gives it up by Ctrl-C. What an option becomes is a row of a table,
 * a flag or a parameter of libvirt's; what goes together is the daemon's to say.
 */
#include "cli/command.h"
#include "cli/connection.h"

#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <unistd.h>

#define ASK_MS                250 /* between two questions of how far it is */
#define SECONDS_MAX           86400
#define ENDLESS               G_MAXINT
#define ITERATION_OF_POSTCOPY 2 /* the first one is over */

static gboolean live, offline, persistent, undefine_source, suspend, copy_all, copy_incremental, synchronous,
    change_protection, unsafe, compressed, abort_on_error, auto_converge, postcopy, postcopy_after, tls,
    parallel, timeout_suspend, timeout_postcopy;
static char *name_there, *uri, *listen_address, *disks_uri, *tls_host, *document_file, *persistent_file;
static char **disks;
static gint64 bandwidth, postcopy_bandwidth;
static int disks_port, connections, timeout_seconds;

static const struct {
  const gboolean *option;
  guint flag;
} flag_rows[] = {
  { &live, VIR_MIGRATE_LIVE },
  { &offline, VIR_MIGRATE_OFFLINE },
  { &persistent, VIR_MIGRATE_PERSIST_DEST },
  { &undefine_source, VIR_MIGRATE_UNDEFINE_SOURCE },
  { &suspend, VIR_MIGRATE_PAUSED },
  { &copy_all, VIR_MIGRATE_NON_SHARED_DISK },
  { &copy_incremental, VIR_MIGRATE_NON_SHARED_INC },
  { &synchronous, VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES },
  { &change_protection, VIR_MIGRATE_CHANGE_PROTECTION },
  { &unsafe, VIR_MIGRATE_UNSAFE },
  { &compressed, VIR_MIGRATE_COMPRESSED },
  { &abort_on_error, VIR_MIGRATE_ABORT_ON_ERROR },
  { &auto_converge, VIR_MIGRATE_AUTO_CONVERGE },
  { &postcopy, VIR_MIGRATE_POSTCOPY },
  { &postcopy_after, VIR_MIGRATE_POSTCOPY },
  { &timeout_postcopy, VIR_MIGRATE_POSTCOPY },
  { &tls, VIR_MIGRATE_TLS },
  { &parallel, VIR_MIGRATE_PARALLEL },
};

static const struct {
  char *const *option;
  const char *parameter;
} text_rows[] = {
  { &name_there, VIR_MIGRATE_PARAM_DEST_NAME },          { &uri, VIR_MIGRATE_PARAM_URI },
  { &listen_address, VIR_MIGRATE_PARAM_LISTEN_ADDRESS }, { &disks_uri, VIR_MIGRATE_PARAM_DISKS_URI },
  { &tls_host, VIR_MIGRATE_PARAM_TLS_DESTINATION },
};

typedef struct {
  CommandLine *line;
  const char *path; /* of the domain */
  GMainLoop *loop;
  GVariant *answer;
  GError *error;
  gint64 begun;           /* monotonic time */
  gboolean switched;      /* it was told to go on by post-copy */
  gboolean late;          /* the time is over, and what was to be done then is done */
  gboolean shows, asking; /* on a terminal; a question is under way */
} Moving;

static guint
all_flags (void)
{
  guint flags = VIR_MIGRATE_PEER2PEER;

  for (guint i = 0; i < G_N_ELEMENTS (flag_rows); i++)
    flags |= *flag_rows[i].option ? flag_rows[i].flag : 0;
  return flags;
}

static gboolean
add_file (GVariantBuilder *parameters, const char *name, const char *file, GError **error)
{
  g_autofree char *text = NULL;

  if (file == NULL)
    return TRUE;
  if (!g_file_get_contents (file, &text, NULL, error))
    return FALSE;
  if (!g_utf8_validate (text, -1, NULL)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("'%s' is no document: it is not UTF-8"),
                 file);
    return FALSE;
  }
  g_variant_builder_add (parameters, "{sv}", name, g_variant_new_string (text));
  return TRUE;
}

/* NULL with @error. (floating) */
static GVariant *
all_parameters (GError **error)
{
  g_auto (GVariantBuilder) parameters = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sv}"));

  for (guint i = 0; i < G_N_ELEMENTS (text_rows); i++)
    if (*text_rows[i].option != NULL)
      g_variant_builder_add (&parameters, "{sv}", text_rows[i].parameter,
                             g_variant_new_string (*text_rows[i].option));
  for (guint i = 0; disks != NULL && disks[i] != NULL; i++)
    g_variant_builder_add (&parameters, "{sv}", VIR_MIGRATE_PARAM_MIGRATE_DISKS,
                           g_variant_new_string (disks[i]));
  if (bandwidth > 0)
    g_variant_builder_add (&parameters, "{sv}", VIR_MIGRATE_PARAM_BANDWIDTH,
                           g_variant_new_uint64 ((guint64)bandwidth));
  if (postcopy_bandwidth > 0)
    g_variant_builder_add (&parameters, "{sv}", VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY,
                           g_variant_new_uint64 ((guint64)postcopy_bandwidth));
  if (disks_port > 0)
    g_variant_builder_add (&parameters, "{sv}", VIR_MIGRATE_PARAM_DISKS_PORT,
                           g_variant_new_int32 (disks_port));
  if (connections > 0)
    g_variant_builder_add (&parameters, "{sv}", VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS,
                           g_variant_new_int32 (connections));
  if (!add_file (&parameters, VIR_MIGRATE_PARAM_DEST_XML, document_file, error)
      || !add_file (&parameters, VIR_MIGRATE_PARAM_PERSIST_XML, persistent_file, error))
    return NULL;
  return g_variant_builder_end (&parameters);
}

/* Waiting. */

static GDBusConnection *
bus_of (const Moving *moving)
{
  return connection_bus (moving->line->connection);
}

/* A method of the domain's of which nobody waits for the answer: the migration's own tells. */
static void
tell (const Moving *moving, const char *method, GVariant *arguments)
{
  g_dbus_connection_call (bus_of (moving), DAEMON_BUS_NAME, moving->path, DOMAIN_INTERFACE, method, arguments,
                          NULL, G_DBUS_CALL_FLAGS_NONE, ENDLESS, NULL, NULL, NULL);
}

static void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Moving *moving = data;

  moving->answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &moving->error);
  g_main_loop_quit (moving->loop);
}

static gboolean
give_up (gpointer data)
{
  tell (data, "AbortJob", NULL);
  return G_SOURCE_CONTINUE;
}

static guint64
figure (GVariant *figures, const char *name)
{
  guint64 value = 0;

  g_variant_lookup (figures, name, "t", &value);
  return value;
}

static void
show_progress (GVariant *figures)
{
  guint64 total = figure (figures, VIR_DOMAIN_JOB_DATA_TOTAL);
  guint64 left = figure (figures, VIR_DOMAIN_JOB_DATA_REMAINING);

  if (total > 0 && left <= total)
    fprintf (stderr, _ ("\rMigration: [ %3u %% ]"), (guint)((double)(total - left) * 100 / (double)total));
}

static void
figures_told (GObject *source, GAsyncResult *result, gpointer data)
{
  Moving *moving = data;
  g_autoptr (GVariant) answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) figures = NULL;
  int type;

  moving->asking = FALSE;
  if (answer == NULL || !g_variant_is_of_type (answer, G_VARIANT_TYPE ("((ia{sv}))")))
    return;
  g_variant_get (answer, "((i@a{sv}))", &type, &figures);
  if (moving->shows)
    show_progress (figures);
  if (postcopy_after && !moving->switched
      && figure (figures, VIR_DOMAIN_JOB_MEMORY_ITERATION) >= ITERATION_OF_POSTCOPY) {
    moving->switched = TRUE;
    tell (moving, "MigrateStartPostCopy", g_variant_new ("(u)", 0));
  }
}

static gboolean
look (gpointer data)
{
  Moving *moving = data;

  if (timeout_seconds > 0 && !moving->late
      && g_get_monotonic_time () - moving->begun >= (gint64)timeout_seconds * G_USEC_PER_SEC) {
    moving->late = TRUE;
    if (timeout_postcopy)
      tell (moving, "MigrateStartPostCopy", g_variant_new ("(u)", 0));
    else
      tell (moving, "Suspend", NULL);
  }
  if (moving->asking || (!moving->shows && !postcopy_after))
    return G_SOURCE_CONTINUE;
  moving->asking = TRUE;
  g_dbus_connection_call (bus_of (moving), DAEMON_BUS_NAME, moving->path, DOMAIN_INTERFACE, "GetJobStats",
                          g_variant_new ("(u)", 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, figures_told,
                          moving);
  return G_SOURCE_CONTINUE;
}

/* A question that is under way has the stack's @moving: its answer is waited for. */
static void
end_questions (Moving *moving)
{
  while (moving->asking)
    g_main_context_iteration (NULL, TRUE);
}

static int
move (CommandLine *line, const char *path, GVariant *parameters)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Moving moving = { .line = line, .path = path, .loop = loop, .begun = g_get_monotonic_time () };
  guint sources[] = { g_unix_signal_add (SIGINT, give_up, &moving),
                      g_unix_signal_add (SIGTERM, give_up, &moving), g_timeout_add (ASK_MS, look, &moving) };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  moving.shows = !line->json && isatty (STDERR_FILENO);
  g_dbus_connection_call (bus_of (&moving), DAEMON_BUS_NAME, path, DOMAIN_INTERFACE, "MigrateToURI3",
                          g_variant_new ("(s@a{sv}u)", line->arguments[1], parameters, all_flags ()), NULL,
                          G_DBUS_CALL_FLAGS_NONE, ENDLESS, NULL, answered, &moving);
  g_main_loop_run (loop);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
  end_questions (&moving);
  if (moving.shows)
    fputc ('\n', stderr);
  answer = moving.answer;
  error = moving.error;
  if (error != NULL) {
    connection_explain (line->connection, &error);
    return command_error ("%s", error->message);
  }
  return command_done (line, line->arguments[0], _ ("Domain '%s' migrated to '%s'"), line->arguments[0],
                       line->arguments[1]);
}

static int
migrate_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GVariant) parameters = NULL;

  if (timeout_seconds < 0 || timeout_seconds > SECONDS_MAX)
    return command_usage_error (line, _ ("--timeout: '%d' is not between 0 and %d"), timeout_seconds,
                                SECONDS_MAX);
  if (timeout_suspend && timeout_postcopy)
    return command_usage_error (line, _ ("--timeout-suspend and --timeout-postcopy exclude each other"));
  if ((timeout_suspend || timeout_postcopy) && timeout_seconds == 0)
    return command_usage_error (line, _ ("--timeout-suspend and --timeout-postcopy need --timeout"));
  if (bandwidth < 0 || postcopy_bandwidth < 0 || disks_port < 0 || connections < 0)
    return command_usage_error (line, _ ("bandwidths, ports and numbers of connections are not negative"));
  parameters = all_parameters (&error);
  if (parameters == NULL)
    return command_error ("%s", error->message);
  g_variant_ref_sink (parameters);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = connection_find_domain (line->connection, line->arguments[0], &error);
  if (path == NULL)
    return command_error ("%s", error->message);
  return move (line, path, parameters);
}

#define FLAG(option, variable, words)                         \
  {                                                           \
    option, 0, 0, G_OPTION_ARG_NONE, &(variable), words, NULL \
  }

static const GOptionEntry migrate_options[] = {
  FLAG ("live", live, N_ ("The guest runs on while its memory is sent")),
  FLAG ("offline", offline, N_ ("The definition of a machine that does not run; needs --persistent")),
  FLAG ("persistent", persistent, N_ ("It is defined there")),
  FLAG ("undefinesource", undefine_source, N_ ("Its definition here goes")),
  FLAG ("suspend", suspend, N_ ("It does not go on there by itself")),
  FLAG ("copy-storage-all", copy_all, N_ ("Copy its disks, which are not shared")),
  FLAG ("copy-storage-inc", copy_incremental, N_ ("Copy only the topmost image of each disk")),
  FLAG ("copy-storage-synchronous-writes", synchronous, N_ ("The guest's writes go to both disks at once")),
  FLAG ("change-protection", change_protection, N_ ("Nobody changes it meanwhile")),
  FLAG ("unsafe", unsafe, N_ ("Even where its disks may suffer from it")),
  FLAG ("compressed", compressed, N_ ("Compress memory that was sent before")),
  FLAG ("abort-on-error", abort_on_error, N_ ("Give it up when a disk fails meanwhile")),
  FLAG ("auto-converge", auto_converge, N_ ("Slow the guest down where it writes faster than can be sent")),
  FLAG ("postcopy", postcopy, N_ ("It may be made to go on by post-copy")),
  FLAG ("postcopy-after-precopy", postcopy_after, N_ ("Post-copy once all memory has been sent one time")),
  FLAG ("tls", tls, N_ ("Encrypt what is sent")),
  FLAG ("parallel", parallel, N_ ("Over several connections")),
  { "parallel-connections", 0, 0, G_OPTION_ARG_INT, &connections, N_ ("How many"), N_ ("NUMBER") },
  { "bandwidth", 0, 0, G_OPTION_ARG_INT64, &bandwidth, N_ ("MiB a second at most"), N_ ("NUMBER") },
  { "postcopy-bandwidth", 0, 0, G_OPTION_ARG_INT64, &postcopy_bandwidth,
    N_ ("MiB a second at most, of post-copy"), N_ ("NUMBER") },
  { "dname", 0, 0, G_OPTION_ARG_STRING, &name_there, N_ ("Its name there"), N_ ("NAME") },
  { "migrateuri", 0, 0, G_OPTION_ARG_STRING, &uri, N_ ("Where its memory goes: \"tcp://HOST:PORT\""),
    N_ ("URI") },
  { "listen-address", 0, 0, G_OPTION_ARG_STRING, &listen_address, N_ ("Where the other host listens"),
    N_ ("ADDRESS") },
  { "disks-uri", 0, 0, G_OPTION_ARG_STRING, &disks_uri, N_ ("Where copied disks go"), N_ ("URI") },
  { "disks-port", 0, 0, G_OPTION_ARG_INT, &disks_port, N_ ("The port they go to"), N_ ("PORT") },
  { "migrate-disk", 0, 0, G_OPTION_ARG_STRING_ARRAY, &disks,
    N_ ("Copy this disk; may be given several times; default: all that are written"), N_ ("TARGET") },
  { "tls-destination", 0, 0, G_OPTION_ARG_STRING, &tls_host, N_ ("The name in the other host's certificate"),
    N_ ("NAME") },
  { "xml", 0, 0, G_OPTION_ARG_FILENAME, &document_file, N_ ("Its document there"), N_ ("FILE") },
  { "persistent-xml", 0, 0, G_OPTION_ARG_FILENAME, &persistent_file, N_ ("The definition it has there"),
    N_ ("FILE") },
  { "timeout", 0, 0, G_OPTION_ARG_INT, &timeout_seconds,
    N_ ("After this time, suspend the guest, so that it comes to an end"), N_ ("SECONDS") },
  FLAG ("timeout-suspend", timeout_suspend, N_ ("With --timeout: suspend the guest (default)")),
  FLAG ("timeout-postcopy", timeout_postcopy, N_ ("With --timeout: go on by post-copy")),
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

const Command migrate_commands[] = {
  { .name = "migrate",
    .arguments = "DOMAIN URI",
    .summary = N_ ("Move a machine to another host"),
    .minimum = 2,
    .maximum = 2,
    .options = migrate_options,
    .run = migrate_run },
  { .name = NULL },
};
