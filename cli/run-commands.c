/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Machines that run images, once they are there: the list, what the program said, another program beside it,
 * and their end. Each is a domain as well, and every other command takes it by the same name.
 */
#include "cli/run.h"

#include "cli/connection.h"
#include "cli/guest-session.h"
#include "cli/run-machine.h"
#include "cli/table.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EXEC_PATIENCE 10000 /* ms until the init answers */
#define STEP          100   /* ms between looks at a machine that ends */
#define FOLLOW_STEP   500   /* ms between looks whether a machine that is followed has ended */
#define GRACE_DEFAULT 10    /* s */
#define GRACE_MAX     86400
#define READ_BYTES    16384

static gboolean exec_interactive, exec_terminal, follow, all_machines, force;
static char *exec_directory, *exec_user, **exec_environment;
static int grace = GRACE_DEFAULT;

char *
run_cache (CommandLine *line)
{
  return image_cache_directory (connection_is_session (line->connection));
}

char *
run_find (CommandLine *line, const char *name)
{
  g_autoptr (GError) error = NULL;
  char *path;

  if (command_connect (line) == NULL)
    return NULL;
  path = connection_find_domain (line->connection, name, &error);
  if (path == NULL) {
    command_error (_ ("failed to get domain '%s'"), name);
    command_error ("%s", error->message);
  }
  return path;
}

gboolean
run_is_active (CommandLine *line, const char *name)
{
  g_autofree char *path = connection_find_domain (line->connection, name, NULL);
  g_autoptr (GVariant) active =
      path != NULL ? connection_property (line->connection, path, DOMAIN_INTERFACE, "Active", NULL) : NULL;

  return active != NULL && g_variant_is_of_type (active, G_VARIANT_TYPE_BOOLEAN)
         && g_variant_get_boolean (active);
}

gboolean
run_await_end (CommandLine *line, const char *name, int seconds)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_TIME_SPAN_SECOND;

  while (run_is_active (line, name)) {
    if (g_get_monotonic_time () > deadline)
      return FALSE;
    g_usleep (STEP * G_TIME_SPAN_MILLISECOND);
  }
  return TRUE;
}

void
run_remove (CommandLine *line, const char *cache, const char *name)
{
  g_autofree char *path = connection_find_domain (line->connection, name, NULL);
  g_autoptr (GVariant) ended = NULL;
  g_autoptr (GVariant) removed = NULL;

  if (path != NULL && run_is_active (line, name))
    ended =
        connection_call (line->connection, path, DOMAIN_INTERFACE, "Destroy", g_variant_new ("(u)", 0), NULL);
  if (path != NULL)
    removed = connection_call (line->connection, path, DOMAIN_INTERFACE, "Undefine", g_variant_new ("(u)", 0),
                               NULL);
  run_machine_remove_files (cache, name);
}

static int
compare_names (gconstpointer one, gconstpointer other)
{
  return strcmp (*(const char *const *)one, *(const char *const *)other);
}

GPtrArray *
run_machines (const char *cache)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *place = g_build_filename (cache, "machines", NULL);
  GDir *directory = g_dir_open (place, 0, NULL);

  for (const char *name; directory != NULL && (name = g_dir_read_name (directory)) != NULL;)
    g_ptr_array_add (names, g_strdup (name));
  if (directory != NULL)
    g_dir_close (directory);
  g_ptr_array_sort (names, compare_names);
  return names;
}

void
run_sweep (CommandLine *line, const char *cache)
{
  g_autoptr (GPtrArray) names = run_machines (cache);

  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *mark = run_machine_file (cache, name, "ephemeral");

    if (g_file_test (mark, G_FILE_TEST_EXISTS) && !run_is_active (line, name))
      run_machine_remove_files (cache, name);
  }
}

gboolean
run_check_machine (const char *cache, const char *name)
{
  g_autofree char *place = run_machine_file (cache, name, "image");

  if (strchr (name, '/') == NULL && g_file_test (place, G_FILE_TEST_EXISTS))
    return TRUE;
  command_error (_ ("there is no machine '%s' that runs an image: 'domctl ps -a' lists them"), name);
  return FALSE;
}

/* ps */

typedef struct {
  const char *name;
  char *image, *state;
  gboolean active;
  int status; /* -1: none */
} Row;

static void
row_clear (Row *row)
{
  g_free (row->image);
  g_free (row->state);
}

static Row
row_of (CommandLine *line, const char *cache, const char *name)
{
  Row row = { .name = name,
              .active = run_is_active (line, name),
              .status = run_machine_status (cache, name) };
  g_autofree char *file = run_machine_file (cache, name, "image");

  if (!g_file_get_contents (file, &row.image, NULL, NULL))
    row.image = g_strdup ("?");
  row.state = row.active        ? g_strdup (_ ("running"))
              : row.status >= 0 ? g_strdup_printf (_ ("exited (%d)"), row.status)
                                : g_strdup (_ ("ended"));
  return row;
}

static void
add_json (JsonBuilder *json, const Row *row)
{
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "name");
  json_builder_add_string_value (json, row->name);
  json_builder_set_member_name (json, "image");
  json_builder_add_string_value (json, row->image);
  json_builder_set_member_name (json, "running");
  json_builder_add_boolean_value (json, row->active);
  if (!row->active && row->status >= 0) {
    json_builder_set_member_name (json, "status");
    json_builder_add_int_value (json, row->status);
  }
  json_builder_end_object (json);
}

static int
ps_run (CommandLine *line)
{
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("Image"), _ ("State"), NULL);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (GPtrArray) names = NULL;
  g_autofree char *cache = NULL, *text = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  cache = run_cache (line);
  run_sweep (line, cache);
  names = run_machines (cache);
  json_builder_begin_array (json);
  for (guint i = 0; i < names->len; i++) {
    Row row = row_of (line, cache, g_ptr_array_index (names, i));

    if (row.active || all_machines) {
      table_add (table, row.name, row.image, row.state, NULL);
      add_json (json, &row);
    }
    row_clear (&row);
  }
  json_builder_end_array (json);
  text = table_to_string (table);
  command_print (line, "%s", text);
  command_print_json (line, json_builder_get_root (json));
  return EXIT_OK;
}

/* logs */

static void
copy_new (int fd)
{
  char bytes[READ_BYTES];
  ssize_t count;

  while ((count = read (fd, bytes, sizeof bytes)) > 0)
    fwrite (bytes, 1, (gsize)count, stdout);
  fflush (stdout);
}

/* Until the machine ends: what it wrote last was written before that is seen. */
static void
follow_file (CommandLine *line, const char *name, const char *file, int fd)
{
  int watch = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  gboolean active = TRUE;

  if (watch < 0 || inotify_add_watch (watch, file, IN_MODIFY) < 0)
    command_error (_ ("cannot watch '%s': %s"), file, g_strerror (errno));
  while (active) {
    struct pollfd wait = { .fd = watch, .events = POLLIN };
    char events[4096];

    if (poll (&wait, 1, FOLLOW_STEP) == 0)
      active = run_is_active (line, name);
    while (read (watch, events, sizeof events) > 0)
      ;
    copy_new (fd);
  }
  close (watch);
}

static int
logs_run (CommandLine *line)
{
  const char *name = line->arguments[0];
  g_autofree char *cache = NULL, *file = NULL;
  int fd;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  cache = run_cache (line);
  if (!run_check_machine (cache, name))
    return EXIT_FAILED;
  file = run_machine_file (cache, name, "output");
  fd = open (file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return command_error (_ ("cannot read '%s': %s"), file, g_strerror (errno));
  copy_new (fd);
  if (follow)
    follow_file (line, name, file, fd);
  close (fd);
  return EXIT_OK;
}

/* exec */

/* A port is talked to by one client at a time; QEMU would let a second one wait. TRUE: it is ours as long as
 * *ret is open. */
static gboolean
lock_port (const char *cache, const char *name, guint number, int *ret)
{
  g_autofree char *file = g_strdup_printf ("port%u", number);
  g_autofree char *path = run_machine_file (cache, name, file);

  *ret = open (path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (*ret >= 0 && flock (*ret, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (*ret >= 0)
    close (*ret);
  return FALSE;
}

/* The first exec port that nobody is at; -1 after an error was printed. */
static int
open_exec_port (CommandLine *line, const char *path, const char *cache, int *ret_lock)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < GUEST_EXEC_PORTS; i++) {
    g_autofree char *port_name = g_strdup_printf (GUEST_EXEC_PORT "%u", i);
    int port;

    if (!lock_port (cache, line->arguments[0], i, ret_lock))
      continue;
    g_clear_error (&error);
    port = connection_call_for_fd (line->connection, path, OWN_DOMAIN_INTERFACE, "OpenChannel",
                                   g_variant_new ("(su)", port_name, 0), &error);
    if (port >= 0)
      return port;
    close (*ret_lock);
  }
  if (error != NULL)
    command_error ("%s", error->message);
  else
    command_error (_ ("%d programs run beside the image's already: no more can"), GUEST_EXEC_PORTS);
  return -1;
}

static GString *
exec_plan (char **words)
{
  GString *plan = guest_plan_new ();

  for (; *words != NULL; words++)
    guest_plan_add (plan, "arg", *words);
  for (guint i = 0; exec_environment != NULL && exec_environment[i] != NULL; i++)
    guest_plan_add (plan, "env", exec_environment[i]);
  if (exec_directory != NULL)
    guest_plan_add (plan, "dir", exec_directory);
  if (exec_user != NULL)
    guest_plan_add (plan, "user", exec_user);
  if (exec_interactive)
    guest_plan_add (plan, "stdin", "1");
  if (exec_terminal)
    guest_plan_add (plan, "tty", "1");
  return plan;
}

static int
exec_run (CommandLine *line)
{
  const char *name = line->arguments[0];
  g_autofree char *path = run_find (line, name);
  g_autofree char *cache = path != NULL ? run_cache (line) : NULL;
  GString *plan;
  GuestSession session = { .input = exec_interactive, .terminal = exec_terminal, .patience = EXEC_PATIENCE };
  int port, lock = -1, status = RUN_FAILED;
  GuestEnd end;

  if (path == NULL || !run_check_machine (cache, name))
    return RUN_FAILED;
  port = open_exec_port (line, path, cache, &lock);
  if (port < 0)
    return RUN_FAILED;
  plan = exec_plan (line->arguments + 1);
  session.plan = plan->str;
  if (plan->len > GUEST_PLAN_MAX) {
    command_error (_ ("the command is too long: at most %d bytes"), GUEST_PLAN_MAX);
    end = GUEST_LEFT;
  } else {
    end = guest_session_run (&session, port, &status);
  }
  g_string_free (plan, TRUE);
  close (port);
  close (lock);
  if (end == GUEST_GONE) {
    command_error (_ ("the machine '%s' ended, or does not answer"), name);
    status = RUN_FAILED;
  }
  return status;
}

/* stop, rm */

static int
stop_run (CommandLine *line)
{
  const char *name = line->arguments[0];
  g_autofree char *path = run_find (line, name);
  g_autofree char *cache = path != NULL ? run_cache (line) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) asked = NULL, ended = NULL;

  if (path == NULL || !run_check_machine (cache, name))
    return EXIT_FAILED;
  if (grace < 0 || grace > GRACE_MAX)
    return command_usage_error (line, _ ("--time: %d is no number of seconds from 0 to %d"), grace,
                                GRACE_MAX);
  if (run_is_active (line, name) && grace > 0) {
    asked = connection_call (line->connection, path, DOMAIN_INTERFACE, "Shutdown",
                             g_variant_new ("(u)", VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN), &error);
    if (asked == NULL)
      return command_error ("%s", error->message);
  }
  if (!run_await_end (line, name, grace)) {
    ended = connection_call (line->connection, path, DOMAIN_INTERFACE, "Destroy", g_variant_new ("(u)", 0),
                             &error);
    if (ended == NULL && run_is_active (line, name))
      return command_error ("%s", error->message);
  }
  run_sweep (line, cache);
  return command_done (line, name, _ ("Machine '%s' stopped"), name);
}

static int
rm_run (CommandLine *line)
{
  const char *name = line->arguments[0];
  g_autofree char *cache = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  cache = run_cache (line);
  if (!run_check_machine (cache, name))
    return EXIT_FAILED;
  if (!force && run_is_active (line, name))
    return command_error (_ ("the machine '%s' runs: stop it first, or say --force"), name);
  run_remove (line, cache, name);
  return command_done (line, name, _ ("Machine '%s' removed"), name);
}

static const GOptionEntry ps_options[] = {
  { "all", 'a', 0, G_OPTION_ARG_NONE, &all_machines, N_ ("Those that have ended as well"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry logs_options[] = {
  { "follow", 'f', 0, G_OPTION_ARG_NONE, &follow, N_ ("Go on until the machine ends"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry exec_options[] = {
  { "interactive", 'i', 0, G_OPTION_ARG_NONE, &exec_interactive, N_ ("Standard input is the program's"),
    NULL },
  { "tty", 't', 0, G_OPTION_ARG_NONE, &exec_terminal, N_ ("Give the program a terminal; Ctrl-] ends it"),
    NULL },
  { "env", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &exec_environment, N_ ("A variable of the environment"),
    N_ ("NAME=VALUE") },
  { "workdir", 'w', 0, G_OPTION_ARG_STRING, &exec_directory, N_ ("The program's working directory"),
    N_ ("DIR") },
  { "user", 'u', 0, G_OPTION_ARG_STRING, &exec_user, N_ ("Whom the program runs as, by name or number"),
    N_ ("USER[:GROUP]") },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry stop_options[] = {
  { "time", 't', 0, G_OPTION_ARG_INT, &grace, N_ ("Seconds until it is ended by force (10)"),
    N_ ("SECONDS") },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry rm_options[] = {
  { "force", 'f', 0, G_OPTION_ARG_NONE, &force, N_ ("End it first, if it runs"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command run_more_commands[] = {
  { "ps", "", N_ ("List machines that run images"), 0, 0, ps_options, ps_run },
  { "logs", "MACHINE", N_ ("What an image's program said"), 1, 1, logs_options, logs_run },
  { "exec", "MACHINE COMMAND [ARGUMENT...]", N_ ("Run another program in an image's machine"), 2, G_MAXUINT,
    exec_options, exec_run, .usage = RUN_FAILED, .words_follow = TRUE },
  { "stats", "[MACHINE...]", N_ ("What images' machines take of the host"), 0, G_MAXUINT, stats_options,
    stats_run },
  { "stop", "MACHINE...", N_ ("Ask an image's program to end, then end its machine"), 1, 1, stop_options,
    stop_run, TRUE },
  { "rm", "MACHINE...", N_ ("Remove an image's machine and its files"), 1, 1, rm_options, rm_run, TRUE },
  { NULL },
};
