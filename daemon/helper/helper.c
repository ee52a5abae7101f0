/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Helpers. What one says goes into a FIFO in its owner's run directory that the helper itself holds open at
 * both ends and that never blocks: so it outlives the daemon, a later one can read it, and of a flood the
 * kernel keeps what a pipe holds and refuses the rest. The daemon reads along while it watches, keeps the
 * last words, and stops reading one that says too much.
 */
#include "daemon/helper/helper.h"

#include "base/untrusted-json.h"
#include "daemon/core/file.h"
#include "daemon/host/isolation.h"
#include <json-glib/json-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RECORD_PREFIX    "helper-"
#define RECORD_SUFFIX    ".json"
#define OUTPUT_SUFFIX    ".out"
#define RECORD_FORMAT    1
#define RECORD_MAX       4096          /* bytes of a record */
#define OUTPUT_MAX       (1024 * 1024) /* bytes read of one that talks; then its pipe is left to fill */
#define READY_FIRST_STEP 1             /* ms between the first two looks at its socket or its words, ... */
#define READY_STEP       20            /* ... which grow to so many */
#define LISTENERS_FILE   "/proc/net/unix"
#define LISTENERS_MAX    (16 * 1024 * 1024)
#define LISTENS_FLAG     0x10000 /* __SO_ACCEPTCON, as the kernel prints a socket's flags */
#define GONE_TIMEOUT     2000    /* ms a killed one has to go */

struct Helper {
  char *name, *directory;
  Process *process;       /* NULL: found ended */
  int output;             /* the pipe's reading end; -1: none */
  GString *words;         /* the last of what it said */
  gsize heard;            /* bytes so far */
  guint reading, telling; /* sources */
  HelperEnded ended;
  gpointer data;
};

static char *
helper_file (const char *directory, const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (RECORD_PREFIX, name, suffix, NULL);

  return g_build_filename (directory, file, NULL);
}

static Helper *
helper_new (const char *directory, const char *name)
{
  Helper *helper = g_new0 (Helper, 1);

  helper->name = g_strdup (name);
  helper->directory = g_strdup (directory);
  helper->output = -1;
  helper->words = g_string_new (NULL);
  return helper;
}

static void
remove_files (const char *directory, const char *name)
{
  g_autofree char *record = helper_file (directory, name, RECORD_SUFFIX);
  g_autofree char *output = helper_file (directory, name, OUTPUT_SUFFIX);

  unlink (record);
  unlink (output);
}

void
helper_free (Helper *helper)
{
  if (helper == NULL)
    return;
  g_clear_handle_id (&helper->reading, g_source_remove);
  g_clear_handle_id (&helper->telling, g_source_remove);
  process_free (helper->process);
  if (helper->output >= 0)
    close (helper->output);
  g_string_free (helper->words, TRUE);
  g_free (helper->name);
  g_free (helper->directory);
  g_free (helper);
}

const char *
helper_name (const Helper *helper)
{
  return helper->name;
}

GPid
helper_pid (const Helper *helper)
{
  return helper->process != NULL && process_is_alive (helper->process) ? process_pid (helper->process) : 0;
}

/* What it says. */

/* FALSE when nothing more is to be had now, or it has said too much. */
static gboolean
read_some (Helper *helper)
{
  char buffer[HELPER_LAST_WORDS];
  ssize_t got = helper->output >= 0 ? read (helper->output, buffer, sizeof buffer) : 0;

  if (got <= 0)
    return FALSE;
  helper->heard += (gsize)got;
  g_string_append_len (helper->words, buffer, got);
  if (helper->words->len > HELPER_LAST_WORDS)
    g_string_erase (helper->words, 0, (gssize)(helper->words->len - HELPER_LAST_WORDS));
  return helper->heard < OUTPUT_MAX;
}

/* (transfer full) */
static char *
last_words (Helper *helper)
{
  g_autofree char *text = NULL;

  while (read_some (helper))
    ;
  text = g_utf8_make_valid (helper->words->str, (gssize)helper->words->len);
  return g_strdup (g_strstrip (text));
}

static gboolean
on_output (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Helper *helper = data;

  if (read_some (helper) || helper->heard < OUTPUT_MAX)
    return G_SOURCE_CONTINUE;
  g_debug ("helper '%s' says too much: it is listened to no more", helper->name);
  helper->reading = 0;
  return G_SOURCE_REMOVE;
}

static gboolean
open_output (Helper *helper)
{
  g_autofree char *path = helper_file (helper->directory, helper->name, OUTPUT_SUFFIX);

  helper->output = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  return helper->output >= 0;
}

/* Both ends, for the helper: a writer that is its own reader never meets a broken pipe. */
static int
make_output (Helper *helper, GError **error)
{
  g_autofree char *path = helper_file (helper->directory, helper->name, OUTPUT_SUFFIX);
  int both;

  unlink (path);
  if (mkfifo (path, 0600) == 0 && (both = open (path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)) >= 0) {
    if (open_output (helper))
      return both;
    close (both);
  }
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make the pipe '%s': %s", path, g_strerror (errno));
  return -1;
}

/* Starting. */

typedef struct {
  Helper *helper;
  const HelperPlan *plan;
} Creation;

/* Between fork and exec: from here on a later daemon finds it. */
static gboolean
write_record (GPid pid, guint64 start_time, gpointer data, GError **error)
{
  const Creation *creation = data;
  g_autoptr (JsonObject) object = json_object_new ();
  g_autofree char *text = NULL;
  g_autofree char *path = helper_file (creation->helper->directory, creation->helper->name, RECORD_SUFFIX);
  g_autoptr (PreparedFile) file = NULL;

  json_object_set_int_member (object, "format", RECORD_FORMAT);
  json_object_set_string_member (object, "program", creation->plan->argv[0]);
  json_object_set_int_member (object, "pid", pid);
  json_object_set_int_member (object, "start-time", (gint64)start_time);
  text = json_object_text (object);
  file = prepared_file_new (path, text, -1, 0600, FALSE, error);
  return file != NULL && prepared_file_commit (file, error);
}

static Process *
spawn (Creation *creation, int output, GError **error)
{
  const HelperPlan *plan = creation->plan;
  const Account *account = plan->account;
  int ruleset = plan->writable != NULL ? isolation_ruleset_new (plan->writable) : -1;
  ProcessLaunch launch = {
    .argv = plan->argv,
    .environment = plan->environment,
    .fds = plan->fds,
    .fds_as = plan->fds_as,
    .fd_count = plan->fd_count,
    .output_fd = output,
    .user = account != NULL && !account->own ? account->name : NULL,
    .uid = account != NULL && account->own ? account->uid : 0,
    .gid = account != NULL && account->own ? account->gid : 0,
    .groups = account != NULL ? account->groups : NULL,
    .group_count = account != NULL ? account->group_count : 0,
    .capabilities = plan->capabilities,
    .isolated = plan->isolated,
    .ruleset = ruleset >= 0 ? &ruleset : NULL,
    .created = write_record,
    .created_data = creation,
  };
  Process *process = process_spawn (&launch, error);

  if (ruleset >= 0)
    close (ruleset);
  return process;
}

static void
kill_and_wait (Helper *helper)
{
  process_signal (helper->process, SIGKILL);
  process_wait (helper->process, GONE_TIMEOUT, NULL);
  remove_files (helper->directory, helper->name);
}

static Helper *
begin (const HelperPlan *plan, const char *directory, GError **error)
{
  g_autoptr (Helper) helper = helper_new (directory, plan->name);
  Creation creation = { helper, plan };
  int output;

  g_return_val_if_fail (strlen (plan->name) <= HELPER_NAME_MAX && strchr (plan->name, '/') == NULL, NULL);
  output = make_output (helper, error);
  if (output >= 0) {
    helper->process = spawn (&creation, output, error);
    close (output);
  }
  if (helper->process != NULL)
    return g_steal_pointer (&helper);
  remove_files (directory, plan->name);
  return NULL;
}

static void
report_end (Helper *helper, const char *program, ProcessExit how, GError **error)
{
  g_autofree char *words = last_words (helper);
  g_autofree char *manner = !how.known      ? g_strdup ("it ended")
                            : how.signalled ? g_strdup_printf ("it was ended by signal %d", how.code)
                                            : g_strdup_printf ("it ended with status %d", how.code);

  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Could not start '%s' (%s): %s: %s", program, helper->name,
                  manner, *words != '\0' ? words : "it said nothing");
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x.sock" */
static gboolean
somebody_listens (const char *path)
{
  g_autofree char *text = NULL;
  g_autofree char *end = g_strconcat (" ", path, NULL);
  gsize length = 0;

  if (!g_file_get_contents (LISTENERS_FILE, &text, &length, NULL) || length > LISTENERS_MAX)
    return FALSE;
  for (char *line = text; line != NULL && *line != '\0';) {
    char *next = strchr (line, '\n');
    unsigned flags = 0;

    if (next != NULL)
      *next++ = '\0';
    if (g_str_has_suffix (line, end) && sscanf (line, "%*s %*s %*s %x", &flags) == 1
        && (flags & LISTENS_FLAG) != 0)
      return TRUE;
    line = next;
  }
  return FALSE;
}

static gboolean
says (Helper *helper, const char *words)
{
  while (read_some (helper))
    ;
  return g_strstr_len (helper->words->str, (gssize)helper->words->len, words) != NULL;
}

static gboolean
is_ready (Helper *helper, const HelperPlan *plan)
{
  return (plan->ready_socket == NULL || somebody_listens (plan->ready_socket))
         && (plan->ready_words == NULL || says (helper, plan->ready_words));
}

static gboolean
wait_ready (Helper *helper, const HelperPlan *plan, Job *job, GError **error)
{
  guint step = READY_FIRST_STEP;

  ProcessExit how;

  if (plan->early_end > 0 && process_wait (helper->process, plan->early_end, &how)) {
    report_end (helper, plan->argv[0], how, error);
    return FALSE;
  }
  while (!is_ready (helper, plan)) {
    g_autofree char *words = NULL;

    if (process_wait (helper->process, step, &how)) {
      report_end (helper, plan->argv[0], how, error);
      return FALSE;
    }
    step = MIN (step * 2, READY_STEP);
    if (job_check (job, NULL))
      continue;
    if (!g_cancellable_is_cancelled (job_cancellable (job))) {
      words = last_words (helper);
      virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT, "'%s' did not %s '%s' in time%s%s", plan->argv[0],
                      plan->ready_socket != NULL ? "listen on" : "say",
                      plan->ready_socket != NULL ? plan->ready_socket : plan->ready_words,
                      *words != '\0' ? "; it said: " : "", words);
    } else
      job_check (job, error);
    return FALSE;
  }
  return TRUE;
}

Helper *
helper_start (const HelperPlan *plan, const char *directory, Job *job, GError **error)
{
  g_autoptr (Helper) helper = job_check (job, error) ? begin (plan, directory, error) : NULL;

  if (helper == NULL)
    return NULL;
  if (wait_ready (helper, plan, job, error))
    return g_steal_pointer (&helper);
  kill_and_wait (helper);
  return NULL;
}

char *
helper_end_words (Helper *helper, guint milliseconds)
{
  return process_wait (helper->process, milliseconds, NULL) ? last_words (helper) : NULL;
}

gboolean
helper_run (const HelperPlan *plan, const char *directory, Job *job, GError **error)
{
  g_autoptr (Helper) helper = job_check (job, error) ? begin (plan, directory, error) : NULL;
  ProcessExit how = { 0 };

  if (helper == NULL)
    return FALSE;
  while (!process_wait (helper->process, READY_STEP, &how)) {
    while (read_some (helper))
      ;
    if (!job_check (job, error)) {
      kill_and_wait (helper);
      return FALSE;
    }
  }
  if (!how.known || how.signalled || how.code != 0)
    report_end (helper, plan->argv[0], how, error);
  remove_files (directory, plan->name);
  return how.known && !how.signalled && how.code == 0;
}

/* Finding. */

static Process *
adopt_record (const char *path)
{
  g_autofree char *text = store_read_file (path, RECORD_MAX, NULL, NULL);
  g_autoptr (JsonObject) object = text != NULL ? untrusted_json_object (text, strlen (text)) : NULL;
  gint64 values[3] = { 0 };
  static const char *const members[] = { "format", "pid", "start-time" };

  for (guint i = 0; object != NULL && i < G_N_ELEMENTS (members); i++) {
    JsonNode *node = json_object_get_member (object, members[i]);

    if (node != NULL && json_node_get_value_type (node) == G_TYPE_INT64)
      values[i] = json_node_get_int (node);
  }
  if (values[0] != RECORD_FORMAT || values[1] < 2 || values[1] > G_MAXINT || values[2] < 1)
    return NULL;
  return process_adopt ((GPid)values[1], (guint64)values[2]);
}

GPtrArray *
helpers_find (const char *directory)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify)helper_free);
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *file;

  while (files != NULL && found->len < HELPERS_MAX && (file = g_dir_read_name (files)) != NULL)
    if (g_str_has_prefix (file, RECORD_PREFIX) && g_str_has_suffix (file, RECORD_SUFFIX)
        && strlen (file) > strlen (RECORD_PREFIX RECORD_SUFFIX)) {
      g_autofree char *name =
          g_strndup (file + strlen (RECORD_PREFIX), strlen (file) - strlen (RECORD_PREFIX RECORD_SUFFIX));
      g_autofree char *path = g_build_filename (directory, file, NULL);
      Helper *helper = helper_new (directory, name);

      helper->process = adopt_record (path);
      open_output (helper);
      g_ptr_array_add (found, helper);
    }
  return found;
}

/* Watching. */

static void
tell_end (Helper *helper)
{
  g_autofree char *words = last_words (helper);

  g_clear_handle_id (&helper->reading, g_source_remove);
  remove_files (helper->directory, helper->name);
  helper->ended (helper, words, helper->data);
}

static void
process_ended (Process *process G_GNUC_UNUSED, ProcessExit how G_GNUC_UNUSED, gpointer data)
{
  tell_end (data);
}

static gboolean
tell_found_ended (gpointer data)
{
  Helper *helper = data;

  helper->telling = 0;
  tell_end (helper);
  return G_SOURCE_REMOVE;
}

void
helper_watch (Helper *helper, HelperEnded ended, gpointer data)
{
  helper->ended = ended;
  helper->data = data;
  if (helper->output >= 0)
    helper->reading = g_unix_fd_add_full (G_PRIORITY_LOW, helper->output, G_IO_IN, on_output, helper, NULL);
  if (helper->process != NULL)
    process_watch (helper->process, process_ended, helper);
  else
    helper->telling = g_idle_add (tell_found_ended, helper);
}

/* Ending. */

static gboolean
grace_is_over (gpointer data)
{
  int pidfd = GPOINTER_TO_INT (data);

  syscall (SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  close (pidfd);
  return G_SOURCE_REMOVE;
}

/* The descriptor outlives the helper's struct and means that process and nobody else. */
static void
end_process (Process *process)
{
  int pidfd = process_dup_pidfd (process);

  process_signal (process, SIGTERM);
  process_signal (process, SIGCONT); /* a stopped process cannot take the first */
  if (pidfd >= 0)
    g_timeout_add (HELPER_GRACE, grace_is_over, GINT_TO_POINTER (pidfd));
  else
    process_signal (process, SIGKILL);
}

void
helper_stop (Helper *helper)
{
  g_autoptr (Process) process = g_steal_pointer (&helper->process);

  g_clear_handle_id (&helper->reading, g_source_remove);
  g_clear_handle_id (&helper->telling, g_source_remove);
  if (process != NULL && process_is_alive (process))
    end_process (process);
  remove_files (helper->directory, helper->name);
}

void
helper_end (Helper *helper)
{
  g_clear_handle_id (&helper->reading, g_source_remove);
  g_clear_handle_id (&helper->telling, g_source_remove);
  if (helper->process != NULL) {
    process_signal (helper->process, SIGTERM);
    process_signal (helper->process, SIGCONT); /* a stopped process cannot take the first */
    if (!process_wait (helper->process, HELPER_GRACE, NULL)) {
      process_signal (helper->process, SIGKILL);
      process_wait (helper->process, GONE_TIMEOUT, NULL);
    }
  }
  remove_files (helper->directory, helper->name);
}

gboolean
helper_signal (Helper *helper, int number)
{
  return helper->process != NULL && process_is_alive (helper->process)
         && process_signal (helper->process, number);
}

void
helpers_stop_in (const char *directory)
{
  g_autoptr (GPtrArray) found = helpers_find (directory);

  for (guint i = 0; i < found->len; i++)
    helper_stop (g_ptr_array_index (found, i));
}

void
helpers_stop_strays (const char *parent, gboolean (*owned) (const char *name, gpointer data), gpointer data)
{
  g_autoptr (GDir) directories = g_dir_open (parent, 0, NULL);
  const char *name;

  while (directories != NULL && (name = g_dir_read_name (directories)) != NULL)
    if (!owned (name, data)) {
      g_autofree char *directory = g_build_filename (parent, name, NULL);

      helpers_stop_in (directory);
    }
}
