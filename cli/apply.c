/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl apply`: the plan is shown, agreed to, and done, by its digest: what the daemon does is what was
 * shown, or nothing. While it is done each step is told by a line through a pipe.
 */
#include "cli/apply.h"
#include "cli/connection.h"

#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define APPLY_WAITS 4 /* in the flags of ApplyDocuments */

static gboolean yes, watches, waits;
static int parallel;

typedef struct {
  CommandLine *line;
  GMainLoop *loop;
  GVariant *answer;
  GError *error;
  GString *rest; /* of a line of progress */
} Applying;

static void
print_step (const CommandLine *line, const char *text)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  JsonObject *step = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  if (step == NULL || json_object_has_member (step, "error"))
    return;
  command_print (line, "%s %s: %s\n", json_object_get_string_member_with_default (step, "kind", ""),
                 json_object_get_string_member_with_default (step, "name", ""),
                 json_object_get_string_member_with_default (step, "did", ""));
  fflush (stdout);
}

static gboolean
progress_readable (int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  Applying *applying = data;
  char buffer[4096];
  gssize length = read (fd, buffer, sizeof buffer);
  char *end;

  if (length <= 0)
    return G_SOURCE_REMOVE;
  g_string_append_len (applying->rest, buffer, length);
  while ((end = strchr (applying->rest->str, '\n')) != NULL) {
    *end = '\0';
    print_step (applying->line, applying->rest->str);
    g_string_erase (applying->rest, 0, end + 1 - applying->rest->str);
  }
  return G_SOURCE_CONTINUE;
}

static void
applied (GObject *source, GAsyncResult *result, gpointer data)
{
  Applying *applying = data;

  applying->answer = g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source), NULL,
                                                                      result, &applying->error);
  g_main_loop_quit (applying->loop);
}

/* The results, or NULL with @error. (transfer full) */
static char *
call_apply (CommandLine *line, const PlanRequest *request, GError **error)
{
  g_autoptr (GUnixFDList) files = g_unix_fd_list_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GString) rest = g_string_new (NULL);
  Applying applying = { line, loop, NULL, NULL, rest };
  int ends[2], index;
  guint watch;
  char *text = NULL;

  if (!g_unix_open_pipe (ends, FD_CLOEXEC, error))
    return NULL;
  index = g_unix_fd_list_append (files, ends[1], error);
  close (ends[1]);
  if (index >= 0) {
    watch = g_unix_fd_add (ends[0], G_IO_IN | G_IO_HUP, progress_readable, &applying);
    g_dbus_connection_call_with_unix_fd_list (
        connection_bus (line->connection), DAEMON_BUS_NAME, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE,
        "ApplyDocuments",
        g_variant_new ("(@a(sss)suush)", request->documents, request->source,
                       request->flags | (waits ? APPLY_WAITS : 0), (guint32)parallel, request->digest, index),
        G_VARIANT_TYPE ("(s)"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, files, NULL, applied, &applying);
    g_main_loop_run (loop);
    /* What was said before the answer is there. */
    g_clear_object (&files);
    while (g_main_context_iteration (NULL, FALSE))
      ;
    if (g_main_context_find_source_by_id (NULL, watch) != NULL)
      g_source_remove (watch);
  }
  close (ends[0]);
  if (applying.answer != NULL)
    g_variant_get (applying.answer, "(s)", &text);
  g_clear_pointer (&applying.answer, g_variant_unref);
  if (applying.error != NULL) {
    g_dbus_error_strip_remote_error (applying.error);
    g_propagate_error (error, applying.error);
  }
  return text;
}

static void
print_outcome (JsonObject *object)
{
  const char *error = json_object_get_string_member_with_default (object, "error", NULL);
  const char *note = json_object_get_string_member_with_default (object, "note", NULL);
  const char *unready = json_object_get_string_member_with_default (object, "notReady", NULL);
  const char *kind = json_object_get_string_member (object, "kind");
  const char *name = json_object_get_string_member (object, "name");

  if (error != NULL)
    command_error ("%s %s: %s", kind, name, error);
  if (unready != NULL)
    command_error ("%s %s: %s", kind, name, unready);
  if (note != NULL)
    fprintf (stderr, _ ("warning: %s %s: %s\n"), kind, name, note);
}

static int
print_results (CommandLine *line, const char *text)
{
  g_autoptr (JsonNode) root = json_from_string (text, NULL);
  JsonObject *results = root != NULL ? json_node_get_object (root) : NULL;
  JsonArray *objects = results != NULL ? json_object_get_array_member (results, "objects") : NULL;
  gint64 failed = results != NULL ? json_object_get_int_member (results, "failed") : 1;
  gint64 unready = results != NULL ? json_object_get_int_member_with_default (results, "notReady", 0) : 0;
  guint waiting = 0;

  for (guint i = 0; objects != NULL && i < json_array_get_length (objects); i++) {
    print_outcome (json_array_get_object_element (objects, i));
    waiting += json_object_has_member (json_array_get_object_element (objects, i), "waitsForStart");
  }
  if (waiting > 0)
    command_print (line,
                   _ ("Of %u machines that run, something changes with their next start; --restart restarts "
                      "them.\n"),
                   waiting);
  if (failed > 0)
    command_print (line,
                   _ ("%u objects failed and are as they were; apply again when what is wrong is mended.\n"),
                   (guint)failed);
  else if (unready > 0)
    command_print (line, _ ("Applied, but of the machines that run %u are not ready.\n"), (guint)unready);
  else
    command_print (line, _ ("Applied.\n"));
  if (root != NULL)
    command_print_json (line, json_node_copy (root));
  return failed > 0 || unready > 0 ? EXIT_FAILED : EXIT_OK;
}

int
apply_request (CommandLine *line, const PlanRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *placed = NULL;

  if (line->connection == NULL && command_connect (line) == NULL)
    return EXIT_FAILED;
  text = call_apply (line, request, &error);
  if (text != NULL)
    return print_results (line, text);
  placed =
      request->set != NULL ? document_set_place (request->set, error->message) : g_strdup (error->message);
  return command_error ("%s", placed);
}

/* There is no change, but comments, or another place of the files, to be kept. */
static int
apply_quietly (CommandLine *line, const PlanRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = call_apply (line, request, &error);
  g_autoptr (JsonNode) root = text != NULL ? json_from_string (text, NULL) : NULL;

  if (root == NULL)
    return command_error ("%s", error != NULL ? error->message : "");
  command_print_json (line, json_node_copy (root));
  return EXIT_OK;
}

/* Is it to be done? Programs say so beforehand. */
static gboolean
agreed (CommandLine *line)
{
  char answer[16] = "";

  if (yes)
    return TRUE;
  if (line->json || !isatty (STDIN_FILENO)) {
    command_error (_ ("nothing was done: nobody can be asked here whether to do it; --yes does it"));
    return FALSE;
  }
  printf (_ ("Do it? [y/N] "));
  fflush (stdout);
  if (fgets (answer, sizeof answer, stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y')) {
    command_error (_ ("nothing was done"));
    return FALSE;
  }
  return TRUE;
}

static int
apply_run (CommandLine *line)
{
  g_auto (PlanRequest) request = { 0 };
  gboolean kept = line->argument_count == 1 && plan_is_kept (line->arguments[0]);

  if (parallel < 0 || parallel > 64)
    return command_usage_error (line, _ ("--parallel %d: a number from 1 to 64 is needed"), parallel);
  if (watches)
    return watch_directory (line);
  if (kept ? !plan_request_load (line->arguments[0], &request)
           : !plan_request_read (line, line->arguments, line->argument_count, &request))
    return EXIT_FAILED;
  plan_print_objects (line, request.plan);
  if (plan_count_changes (&request) == 0 && !kept && !waits)
    return apply_quietly (line, &request);
  if ((plan_count_changes (&request) > 0 || kept) && !agreed (line))
    return EXIT_FAILED;
  return apply_request (line, &request);
}

static const GOptionEntry apply_options[] = {
  PLAN_OPTIONS,
  { "yes", 'y', 0, G_OPTION_ARG_NONE, &yes, N_ ("Do it without asking"), NULL },
  { "parallel", 0, 0, G_OPTION_ARG_INT, &parallel, N_ ("Do N things at a time (default: 8)"), N_ ("N") },
  { "wait", 0, 0, G_OPTION_ARG_NONE, &waits, N_ ("Wait until the machines that run are ready"), NULL },
  { "watch", 0, 0, G_OPTION_ARG_NONE, &watches, N_ ("Follow the directory: apply whenever it changes"),
    NULL },
  { "drift", 0, 0, G_OPTION_ARG_STRING, &watch_drift,
    N_ ("With --watch, what changed here and not there: report (default) or revert"), N_ ("WHAT") },
  G_OPTION_ENTRY_NULL,
};

const Command apply_commands[] = {
  { "apply", "FILE|DIR...", N_ ("Make the host what documents say"), 1, G_MAXUINT, apply_options, apply_run },
  { NULL },
};
