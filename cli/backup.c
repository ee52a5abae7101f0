/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands about backups, and about the long job that a domain has, whichever it is. Who waits for a backup
 * sees how far it is; Ctrl-C gives it up.
 */
#include "cli/backup.h"

#include "cli/connection.h"

#include <glib-unix.h>
#include <inttypes.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <unistd.h>

#define ASK_MS 200 /* between two questions after the progress */

static gboolean reuse_external, wait_for_end, completed, keep_completed;
static char *checkpoint_file;

char *
backup_find_domain (CommandLine *line, const char *word)
{
  g_autoptr (GError) error = NULL;
  char *path;

  if (command_connect (line) == NULL)
    return NULL;
  path = connection_find_domain (line->connection, word, &error);
  if (path == NULL) {
    command_error (_ ("failed to get domain '%s'"), word);
    command_error ("%s", error->message);
  }
  return path;
}

char *
backup_read_document (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  if (!g_file_get_contents (g_str_equal (path, "-") ? "/dev/stdin" : path, &text, NULL, &error))
    command_error ("%s", error->message);
  return text;
}

/* The job's figures (a{sv}), and its virDomainJobType in @ret_type. NULL with @error. */
static GVariant *
ask_job (CommandLine *line, const char *path, guint flags, int *ret_type, GError **error)
{
  g_autoptr (GVariant) answer = connection_call (line->connection, path, DOMAIN_INTERFACE, "GetJobStats",
                                                 g_variant_new ("(u)", flags), error);
  GVariant *figures = NULL;

  if (answer != NULL)
    g_variant_get (answer, "((i@a{sv}))", ret_type, &figures);
  return figures;
}

static guint64
figure (GVariant *figures, const char *name)
{
  guint64 value = 0;

  g_variant_lookup (figures, name, "t", &value);
  return value;
}

/* On one line of a terminal. */
static void
show_progress (GVariant *figures)
{
  guint64 total = figure (figures, VIR_DOMAIN_JOB_DISK_TOTAL);
  guint64 processed = figure (figures, VIR_DOMAIN_JOB_DISK_PROCESSED);

  if (!isatty (STDERR_FILENO))
    return;
  if (total > 0)
    fprintf (stderr, _ ("\rBackup: [ %3u %% ]"), (guint)((double)processed * 100 / (double)total));
  else
    fprintf (stderr, _ ("\rBackup: %" PRIu64 " bytes of scratch space"),
             figure (figures, VIR_DOMAIN_JOB_DISK_TEMP_USED));
}

static gboolean
give_up (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_CONTINUE;
}

static gboolean
look_again (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_CONTINUE;
}

/* Until no job runs any more; the figures of the one that ended. NULL after an error was printed. */
static GVariant *
follow (CommandLine *line, const char *path, int *ret_type)
{
  gboolean given_up = FALSE, again = FALSE, aborted = FALSE;
  guint signal = g_unix_signal_add (SIGINT, give_up, &given_up);
  guint timer = g_timeout_add (ASK_MS, look_again, &again);
  g_autoptr (GError) error = NULL;
  GVariant *figures = NULL;

  while (error == NULL) {
    g_clear_pointer (&figures, g_variant_unref);
    figures = ask_job (line, path, 0, ret_type, &error);
    if (figures == NULL || *ret_type != VIR_DOMAIN_JOB_UNBOUNDED)
      break;
    show_progress (figures);
    do
      g_main_context_iteration (NULL, TRUE);
    while (!again && (!given_up || aborted));
    again = FALSE;
    if (given_up && !aborted) {
      GVariant *answer = connection_call (line->connection, path, DOMAIN_INTERFACE, "AbortJob", NULL, NULL);

      g_clear_pointer (&answer, g_variant_unref);
      aborted = TRUE;
    }
  }
  g_source_remove (signal);
  g_source_remove (timer);
  if (isatty (STDERR_FILENO))
    fputc ('\n', stderr);
  g_clear_pointer (&figures, g_variant_unref);
  if (error == NULL)
    figures = ask_job (line, path, VIR_DOMAIN_JOB_STATS_COMPLETED, ret_type, &error);
  if (error != NULL)
    command_error ("%s", error->message);
  return figures;
}

static int
wait_run (CommandLine *line, const char *path)
{
  int type = VIR_DOMAIN_JOB_NONE;
  g_autoptr (GVariant) figures = follow (line, path, &type);
  const char *problem = NULL;

  if (figures == NULL)
    return EXIT_FAILED;
  g_variant_lookup (figures, VIR_DOMAIN_JOB_ERRMSG, "&s", &problem);
  if (type != VIR_DOMAIN_JOB_COMPLETED)
    return command_error (_ ("Backup of domain '%s' failed: %s"), line->arguments[0],
                          problem != NULL ? problem : _ ("it did not complete"));
  return command_done (line, line->arguments[0], _ ("Backup of domain '%s' completed"), line->arguments[0]);
}

static int
begin_run (CommandLine *line)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  g_autofree char *checkpoint = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;

  text = line->argument_count > 1 ? backup_read_document (line->arguments[1]) : g_strdup ("<domainbackup/>");
  checkpoint = checkpoint_file != NULL ? backup_read_document (checkpoint_file) : g_strdup ("");
  if (text == NULL || checkpoint == NULL)
    return EXIT_FAILED;
  path = backup_find_domain (line, line->arguments[0]);
  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (
      line->connection, path, OWN_DOMAIN_INTERFACE, "BackupBegin",
      g_variant_new ("(ssu)", text, checkpoint, reuse_external ? VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL : 0),
      &error);
  if (answer == NULL) {
    command_error (_ ("Failed to begin a backup of domain '%s'"), line->arguments[0]);
    return command_document_error (line->argument_count > 1 ? line->arguments[1] : NULL, error->message);
  }
  if (wait_for_end)
    return wait_run (line, path);
  return command_done (line, line->arguments[0], _ ("Backup of domain '%s' started"), line->arguments[0]);
}

static int
dumpxml_run (CommandLine *line)
{
  g_autofree char *path = backup_find_domain (line, line->arguments[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  const char *xml;

  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, path, OWN_DOMAIN_INTERFACE, "BackupGetXMLDesc",
                            g_variant_new ("(u)", 0), &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  g_variant_get (answer, "(&s)", &xml);
  command_print (line, "%s", xml);
  command_print_json (line, json_node_init_string (json_node_alloc (), xml));
  return EXIT_OK;
}

/* Of a domain's long job. */

static const char *
type_word (int type)
{
  static const char *const words[] = { "none", "bounded", "unbounded", "completed", "failed", "cancelled" };

  return type >= 0 && type < (int)G_N_ELEMENTS (words) ? words[type] : "none";
}

static int
info_run (CommandLine *line)
{
  g_autofree char *path = backup_find_domain (line, line->arguments[0]);
  guint flags = (completed ? VIR_DOMAIN_JOB_STATS_COMPLETED : 0)
                | (keep_completed ? VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED : 0);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GVariant) figures = NULL;
  g_autoptr (GError) error = NULL;
  GVariantIter iterator;
  GVariant *value;
  const char *name;
  int type = VIR_DOMAIN_JOB_NONE;

  if (path == NULL)
    return EXIT_FAILED;
  figures = ask_job (line, path, flags, &type, &error);
  if (figures == NULL)
    return command_error ("%s", error->message);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "type");
  json_builder_add_string_value (builder, type_word (type));
  command_print (line, "type: %s\n", type_word (type));
  g_variant_iter_init (&iterator, figures);
  while (g_variant_iter_loop (&iterator, "{&sv}", &name, &value)) {
    g_autofree char *text = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
                                ? g_variant_dup_string (value, NULL)
                                : g_variant_print (value, FALSE);

    command_print (line, "%s: %s\n", name, text);
    json_builder_set_member_name (builder, name);
    json_builder_add_value (builder, json_gvariant_serialize (value));
  }
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static int
abort_run (CommandLine *line)
{
  g_autofree char *path = backup_find_domain (line, line->arguments[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, path, DOMAIN_INTERFACE, "AbortJob", NULL, &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  return command_done (line, line->arguments[0], _ ("The job of domain '%s' is given up"),
                       line->arguments[0]);
}

static const GOptionEntry begin_options[] = {
  { "checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &checkpoint_file,
    N_ ("Begin a checkpoint with it, of which this is the document"), N_ ("FILE") },
  { "reuse-external", 0, 0, G_OPTION_ARG_NONE, &reuse_external, N_ ("What is written to is there already"),
    NULL },
  { "wait", 0, 0, G_OPTION_ARG_NONE, &wait_for_end, N_ ("Wait for its end; Ctrl-C gives it up"), NULL },
  G_OPTION_ENTRY_NULL
};

static const GOptionEntry info_options[] = {
  { "completed", 0, 0, G_OPTION_ARG_NONE, &completed,
    N_ ("Of the last one that ended, which is then forgotten"), NULL },
  { "keep-completed", 0, 0, G_OPTION_ARG_NONE, &keep_completed, N_ ("And not forgotten"), NULL },
  G_OPTION_ENTRY_NULL
};

const Command backup_commands[] = {
  { "backup-begin", "DOMAIN [FILE]", N_ ("Copy the disks of a running machine"), 1, 2, begin_options,
    begin_run },
  { "backup-dumpxml", "DOMAIN", N_ ("Print the document of the backup that runs"), 1, 1, NULL, dumpxml_run },
  { "domjobinfo", "DOMAIN", N_ ("Print how far a long job is"), 1, 1, info_options, info_run },
  { "domjobabort", "DOMAIN", N_ ("Give up the long job that runs"), 1, 1, NULL, abort_run },
  { NULL },
};
