/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's beginning and end: options, settings, log, registry, wires; then the main loop until somebody
 * ends it. Machines are not its children in spirit: they go on when it ends, and are found again.
 */
#include "cli/i18n.h"
#include "config.h"
#include "daemon/core/blocking.h"
#include "daemon/core/log.h"
#include "daemon/core/main-loop.h"
#include "daemon/core/reload.h"
#include "daemon/core/service.h"
#include "daemon/dbus/server.h"
#include "daemon/domain/auto-destroy.h"
#include "daemon/domain/host-shutdown.h"
#include "daemon/domain/load.h"
#include "daemon/domain/machine-block-jobs.h"
#include "daemon/domain/readiness.h"
#include "daemon/domain/restart-policy.h"
#include "daemon/drivers/qemu/machine-log.h"
#include "daemon/host/process.h"
#include "daemon/ops/domain/migrate.h"
#include "daemon/ops/domain/network-cards.h"
#include "daemon/ops/object/object-trash.h"
#include "daemon/rpc/server.h"
#include "daemon/secret/secrets.h"

#include <glib-unix.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define HEAPS      2 /* of malloc: jobs are many and short, and a heap for each would never be given back */

typedef struct {
  gboolean system, session, version;
  char *root, *config, *log_level;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->root);
  g_free (options->config);
  g_free (options->log_level);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
read_options (Options *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "system", 0, 0, G_OPTION_ARG_NONE, &options->system, N_ ("Serve the system (default as root)"), NULL },
    { "session", 0, 0, G_OPTION_ARG_NONE, &options->session,
      N_ ("Serve the user's session (default otherwise)"), NULL },
    { "root", 0, 0, G_OPTION_ARG_FILENAME, &options->root, N_ ("Keep everything below DIR"), N_ ("DIR") },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config, N_ ("Read the settings from FILE"),
      N_ ("FILE") },
    { "log-level", 0, 0, G_OPTION_ARG_STRING, &options->log_level,
      N_ ("What to log: error, warning, info or debug"), N_ ("LEVEL") },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_ ("Show the version"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_summary (context, _ ("Keeps this host's virtual machines."));
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, _ ("unexpected argument '%s'"), (*argv)[1]);
    return FALSE;
  }
  if (options->system && options->session) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                 _ ("--system and --session exclude each other"));
    return FALSE;
  }
  return TRUE;
}

static Settings *
load_settings (const Options *options, GError **error)
{
  gboolean session = options->session || (!options->system && geteuid () != 0);
  g_autoptr (Settings) settings = settings_load (session, options->root, options->config, error);
  static const char *const levels[] = { "error", "warning", "info", "debug", NULL };

  if (settings == NULL)
    return NULL;
  if (options->log_level != NULL) {
    if (!g_strv_contains (levels, options->log_level)) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "--log-level: '%s' is none of error, warning, info, debug",
                      options->log_level);
      return NULL;
    }
    g_free (settings->log_level);
    settings->log_level = g_strdup (options->log_level);
  }
  return g_steal_pointer (&settings);
}

/* What serves, from the beginning to the end. */
typedef struct {
  const Settings *settings;
  Reload reload;
  GMainLoop *loop;
  int *sockets; /* given by the service manager */
  Manager *manager;
  RpcServer *rpc;
  DbusServer *bus;
  HostShutdown *shutdown;
  GError *error; /* why it cannot serve */
} Service;

static void
quit (gpointer loop)
{
  g_main_loop_quit (loop);
}

/* The host's end is the machines' end; the daemon's own is not. */
static gboolean
asked_to_end (gpointer data)
{
  const Service *service = data;

  host_shutdown_request (service->shutdown, quit, service->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
reload (gpointer data)
{
  reload_settings (data);
  return G_SOURCE_CONTINUE;
}

static void
ready (gpointer data)
{
  service_notify ("READY=1");
  g_message ("ready");
  trash_watch (data);
  restart_policies_begin ();
  manager_autostart (data);
}

static gpointer
rotate_logs (Job *job G_GNUC_UNUSED, gpointer directory, GError **error G_GNUC_UNUSED)
{
  machine_logs_rotate (directory);
  return JOB_OK;
}

static gboolean
look_at_logs (gpointer data)
{
  const Settings *settings = data;

  job_start ("logs", rotate_logs, g_strdup (settings->log_directory), g_free, 0, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* Everything is known: clients can come. */
static void
loaded (const GError *error, gpointer data)
{
  Service *service = data;

  if (error != NULL) {
    service->error = g_error_copy (error);
  } else {
    network_cards_begin (service->manager);
    service->rpc = rpc_server_new (service->manager, service->sockets, &service->error);
  }
  if (service->rpc == NULL) {
    g_main_loop_quit (service->loop);
    return;
  }
  service->bus = dbus_server_new (service->manager, ready, service->manager);
  g_timeout_add_seconds (MACHINE_LOG_SECONDS, look_at_logs, (gpointer)service->settings);
  service->shutdown = host_shutdown_new (service->manager);
  g_unix_signal_add (SIGTERM, asked_to_end, service);
  g_unix_signal_add (SIGINT, asked_to_end, service);
  g_unix_signal_add (SIGHUP, reload, &service->reload);
}

static gboolean
serve (const Settings *settings, const Options *options, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree int *sockets = service_listen_sockets ();
  Service service = { .settings = settings,
                      .reload = { settings, options->root, options->config, options->log_level },
                      .loop = loop,
                      .sockets = sockets };

  /* The lock first: making the store mends what a crash left, and must not meet another daemon at work. */
  if (!service_lock (settings->run_directory, error)
      || (service.manager = manager_new (settings, error)) == NULL)
    return FALSE;
  service.manager->secrets = secrets_source (service.manager);
  process_become_subreaper ();
  service.manager->resolve_migration = migrate_resolve;
  machine_add_watcher (&machine_block_jobs_watcher);
  restart_policies_start (service.manager);
  readiness_start (service.manager);
  manager_load (service.manager, loaded, &service);
  g_main_loop_run (loop);
  if (service.error != NULL) {
    g_propagate_error (error, service.error);
    return FALSE;
  }

  service_notify ("STOPPING=1");
  g_message ("ending; machines that run go on");
  host_shutdown_stop (service.shutdown);
  auto_destroy_all (service.manager);
  dbus_server_free (service.bus);
  rpc_server_free (service.rpc);
  /* A job that still runs is using what the manager and the settings hold, and nobody waits for it: what is
   * on disk is whole at every instant. So nothing is freed, and nothing runs at exit. */
  if (job_count () > 0 || blocking_stuck () > 0)
    _exit (EXIT_SUCCESS);
  readiness_stop ();
  restart_policies_stop ();
  manager_free (service.manager);
  host_shutdown_free (service.shutdown);
  return TRUE;
}

/* A client is a descriptor: as many as the system allows us, not as many as it gives to those who never ask.
 */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit (RLIMIT_NOFILE, &limit);
  }
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (Settings) settings = NULL;

  i18n_start ();
  main_loop_claim ();
  umask (0022);
  mallopt (M_ARENA_MAX, HEAPS);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGHUP, SIG_IGN);  /* until there is something to reload */
  signal (SIGXFSZ, SIG_IGN); /* a limit on files is an error to report like a full disk */

  raise_descriptor_limit ();
  if (!read_options (&options, &argc, &argv, &error)) {
    fprintf (stderr, "domaind: %s\n", error->message);
    return EXIT_USAGE;
  }
  if (options.version) {
    printf ("domaind %s\n", PACKAGE_VERSION);
    return EXIT_SUCCESS;
  }
  settings = load_settings (&options, &error);
  if (settings != NULL) {
    g_autofree char *log_file = g_build_filename (settings->state_directory, "daemon.log", NULL);

    log_leave_foreign_terminal (log_file);
    log_start (settings->log_level, settings->log_format);
    if (serve (settings, &options, &error))
      return EXIT_SUCCESS;
  }
  fprintf (stderr, "domaind: %s\n", error->message);
  return EXIT_FAILURE;
}
