/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Block jobs: begun, shown, ended. A command that waits listens to the daemon's signals from before it
 * begins, so that it misses no end, and asks how far the job is for the line it shows; ctrl-C gives the job
 * up. What differs between the three that begin one is a row of a table.
 */
#include "cli/command.h"
#include "cli/connection.h"

#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <unistd.h>

#define PROGRESS_INTERVAL 250 /* ms between two questions of how far it is */

static gboolean wait_for_it, pivot, keep, shallow, active, relative, is_async, bytes, reuse, is_device,
    synchronous, do_abort, raw;
static char *base, *top, *destination, *format, *xml_file, *bandwidth;

typedef enum { JOB_COMPLETED, JOB_FAILED, JOB_CANCELED, JOB_READY, JOB_STATUSES } JobStatus;

typedef struct {
  CommandLine *line;
  GMainLoop *loop;
  const char *what; /* translated: "Block Pull" */
  char *path;       /* of the domain */
  const char *disk;
  int status; /* JobStatus; -1: it goes on */
  gboolean interrupted, until_ready;
} Waiting;

static GVariant *
ask_info (CommandLine *line, const char *path, const char *disk, GError **error)
{
  return connection_call (line->connection, path, DOMAIN_INTERFACE, "GetBlockJobInfo",
                          g_variant_new ("(su)", disk, bytes ? VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES : 0),
                          error);
}

static gboolean
end_job (CommandLine *line, const char *path, const char *disk, guint flags, GError **error)
{
  g_autoptr (GVariant) answer = connection_call (line->connection, path, DOMAIN_INTERFACE, "BlockJobAbort",
                                                 g_variant_new ("(su)", disk, flags), error);

  return answer != NULL;
}

/* Waiting. */

static void
job_signal (GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
            const char *path G_GNUC_UNUSED, const char *interface G_GNUC_UNUSED,
            const char *signal G_GNUC_UNUSED, GVariant *arguments, gpointer data)
{
  Waiting *waiting = data;
  const char *disk;
  int type, status;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(sii)")))
    return;
  g_variant_get (arguments, "(&sii)", &disk, &type, &status);
  if (!g_str_equal (disk, waiting->disk) || status < 0 || status >= JOB_STATUSES)
    return;
  if (status == JOB_READY && !waiting->until_ready)
    return;
  waiting->status = status;
  g_main_loop_quit (waiting->loop);
}

static gboolean
show_progress (gpointer data)
{
  Waiting *waiting = data;
  g_autoptr (GVariant) info = ask_info (waiting->line, waiting->path, waiting->disk, NULL);
  guint64 speed, current, end;
  int type = 0;

  if (info == NULL) { /* it is gone, and nobody is left to say how it ended */
    g_main_loop_quit (waiting->loop);
    return G_SOURCE_CONTINUE;
  }
  g_variant_get (info, "((ittt))", &type, &speed, &current, &end);
  if (type != 0 && isatty (STDERR_FILENO) && !waiting->line->json)
    g_printerr ("\r%s: [%6.2f %%]", waiting->what, end > 0 ? 100.0 * (double)current / (double)end : 100.0);
  return G_SOURCE_CONTINUE;
}

static gboolean
interrupted (gpointer data)
{
  Waiting *waiting = data;

  waiting->interrupted = TRUE;
  end_job (waiting->line, waiting->path, waiting->disk, VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC, NULL);
  return G_SOURCE_CONTINUE;
}

static void
wait_on (Waiting *waiting)
{
  guint timer = g_timeout_add (PROGRESS_INTERVAL, show_progress, waiting);
  guint interrupt = g_unix_signal_add (SIGINT, interrupted, waiting);

  if (waiting->status < 0)
    g_main_loop_run (waiting->loop);
  g_source_remove (timer);
  g_source_remove (interrupt);
  if (isatty (STDERR_FILENO) && !waiting->line->json)
    g_printerr ("\n");
}

static int
report_end (Waiting *waiting)
{
  switch (waiting->status) {
    case JOB_COMPLETED:
      return command_done (waiting->line, waiting->line->arguments[0], _ ("%s complete"), waiting->what);
    case JOB_READY:
      return command_done (waiting->line, waiting->line->arguments[0], _ ("Now in mirroring phase"));
    case JOB_CANCELED:
      return command_error (_ ("%s aborted"), waiting->what);
    default:
      return command_error (_ ("%s failed"), waiting->what);
  }
}

/* It is ready: what was asked for then. */
static int
finish (Waiting *waiting)
{
  g_autoptr (GError) error = NULL;

  if (waiting->status != JOB_READY || (!pivot && !keep))
    return report_end (waiting);
  if (!end_job (waiting->line, waiting->path, waiting->disk, pivot ? VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT : 0,
                &error))
    return command_error ("%s", error->message);
  return command_done (waiting->line, waiting->line->arguments[0],
                       pivot ? _ ("Successfully pivoted") : _ ("Successfully copied"));
}

/* Beginning. */

typedef struct {
  const char *command;
  const char *method;
  const char *what; /* N_(): in its words */
  /* The arguments of the method; NULL with @error. (floating) */
  GVariant *(*arguments) (CommandLine *line, guint64 speed, GError **error);
} Beginning;

static GVariant *
pull_arguments (CommandLine *line, guint64 speed, GError **error G_GNUC_UNUSED)
{
  guint flags = (relative ? VIR_DOMAIN_BLOCK_REBASE_RELATIVE : 0)
                | (bytes ? VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES : 0);

  return g_variant_new ("(sstu)", line->arguments[1], base != NULL ? base : "", speed, flags);
}

static GVariant *
commit_arguments (CommandLine *line, guint64 speed, GError **error G_GNUC_UNUSED)
{
  guint flags = (shallow ? VIR_DOMAIN_BLOCK_COMMIT_SHALLOW : 0)
                | (active || pivot || keep ? VIR_DOMAIN_BLOCK_COMMIT_ACTIVE : 0)
                | (relative ? VIR_DOMAIN_BLOCK_COMMIT_RELATIVE : 0)
                | (bytes ? VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES : 0);

  return g_variant_new ("(ssstu)", line->arguments[1], base != NULL ? base : "", top != NULL ? top : "",
                        speed, flags);
}

/* The destination as a document. (transfer full) */
static char *
destination_xml (GError **error)
{
  g_autofree char *form = NULL, *xml = NULL;

  if (xml_file != NULL)
    return g_file_get_contents (xml_file, &xml, NULL, error) ? g_steal_pointer (&xml) : NULL;
  form = format != NULL ? g_markup_printf_escaped ("<driver type='%s'/>", format) : g_strdup ("");
  xml = g_markup_printf_escaped (is_device ? "<source dev='%s'/>" : "<source file='%s'/>", destination);
  return g_strdup_printf ("<disk type='%s'>%s%s</disk>", is_device ? "block" : "file", form, xml);
}

/* A job of domaind's ends with its machine, and is not begun anew: that is known here. */
static GVariant *
copy_arguments (CommandLine *line, guint64 speed, GError **error)
{
  guint flags = VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB | (shallow ? VIR_DOMAIN_BLOCK_COPY_SHALLOW : 0)
                | (reuse ? VIR_DOMAIN_BLOCK_COPY_REUSE_EXT : 0)
                | (synchronous ? VIR_DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES : 0);
  g_autofree char *xml = destination_xml (error);
  GVariantBuilder parameters;

  if (xml == NULL)
    return NULL;
  g_variant_builder_init (&parameters, G_VARIANT_TYPE ("a{sv}"));
  if (speed != 0)
    g_variant_builder_add (&parameters, "{sv}", VIR_DOMAIN_BLOCK_COPY_BANDWIDTH,
                           g_variant_new_uint64 (bytes ? speed : speed << 20));
  return g_variant_new ("(ssa{sv}u)", line->arguments[1], xml, &parameters, flags);
}

static const Beginning beginnings[] = {
  { "blockpull", "BlockRebase", N_ ("Block Pull"), pull_arguments },
  { "blockcommit", "BlockCommit", N_ ("Block Commit"), commit_arguments },
  { "blockcopy", "BlockCopy", N_ ("Block Copy"), copy_arguments },
};

static gboolean
parse_speed (guint64 *ret_speed, GError **error)
{
  *ret_speed = 0;
  return bandwidth == NULL
         || g_ascii_string_to_unsigned (bandwidth, 10, 0, G_MAXINT64 >> (bytes ? 0 : 20), ret_speed, error);
}

static int
begin (CommandLine *line, const Beginning *row, char *path, guint64 speed)
{
  Waiting waiting = {
    .line = line, .what = _ (row->what), .path = path, .disk = line->arguments[1], .status = -1
  };
  GDBusConnection *bus = connection_bus (line->connection);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  GVariant *arguments = row->arguments (line, speed, &error);
  g_autoptr (GVariant) answer = NULL;
  guint subscription;
  int status;

  if (arguments == NULL)
    return command_error ("%s", error->message);
  waiting.loop = loop;
  waiting.until_ready = row->arguments != pull_arguments;
  subscription = g_dbus_connection_signal_subscribe (bus, NULL, DOMAIN_INTERFACE, "BlockJob", path, NULL,
                                                     G_DBUS_SIGNAL_FLAGS_NONE, job_signal, &waiting, NULL);
  answer = connection_call (line->connection, path, DOMAIN_INTERFACE, row->method, arguments, &error);
  if (answer == NULL) {
    status = command_error ("%s", error->message);
  } else if (!wait_for_it && !pivot && !keep) {
    status = command_done (line, line->arguments[0], _ ("%s started"), waiting.what);
  } else {
    wait_on (&waiting);
    status = finish (&waiting);
  }
  g_dbus_connection_signal_unsubscribe (bus, subscription);
  return status;
}

static int
begin_run (CommandLine *line)
{
  const Beginning *row = beginnings;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  guint64 speed;

  while (!g_str_equal (row->command, line->command))
    row++;
  if (!parse_speed (&speed, &error))
    return command_usage_error (line, _ ("--bandwidth: %s"), error->message);
  if (row->arguments == copy_arguments && (destination == NULL) == (xml_file == NULL))
    return command_usage_error (line, _ ("one of --dest and --xml is needed"));
  if (pivot && keep)
    return command_usage_error (line, _ ("--pivot and --finish exclude each other"));
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = connection_find_domain (line->connection, line->arguments[0], &error);
  return path != NULL ? begin (line, row, path, speed) : command_error ("%s", error->message);
}

/* One that runs. */

static void
print_info (CommandLine *line, int type, guint64 speed, guint64 current, guint64 end)
{
  static const char *const types[] = { N_ ("No current block job"), N_ ("Block Pull"),
                                       N_ ("Block Copy"),           N_ ("Block Commit"),
                                       N_ ("Active Block Commit"),  N_ ("Backup") };
  const char *name = type >= 0 && type < (int)G_N_ELEMENTS (types) ? types[type] : N_ ("Unknown job");
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (raw)
    command_print (line,
                   " type=%s\n bandwidth=%" G_GUINT64_FORMAT "\n cur=%" G_GUINT64_FORMAT
                   "\n end=%" G_GUINT64_FORMAT "\n",
                   _ (name), speed, current, end);
  else if (type == 0)
    command_print (line, "%s\n", _ (name));
  else
    command_print (line, "%s: [%6.2f %%]\n", _ (name),
                   end > 0 ? 100.0 * (double)current / (double)end : 100.0);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "type");
  json_builder_add_string_value (builder, type == 0 ? "none" : name);
  json_builder_set_member_name (builder, "bandwidth");
  json_builder_add_int_value (builder, (gint64)speed);
  json_builder_set_member_name (builder, "current");
  json_builder_add_int_value (builder, (gint64)current);
  json_builder_set_member_name (builder, "end");
  json_builder_add_int_value (builder, (gint64)end);
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
}

static int
set_speed (CommandLine *line, const char *path, guint64 speed)
{
  guint flags = bytes ? VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES : 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      connection_call (line->connection, path, DOMAIN_INTERFACE, "BlockJobSetSpeed",
                       g_variant_new ("(stu)", line->arguments[1], speed, flags), &error);

  if (answer == NULL)
    return command_error ("%s", error->message);
  return command_done (line, line->arguments[0], _ ("The job's bandwidth is set"));
}

static int
job_run (CommandLine *line)
{
  guint flags =
      (pivot ? VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT : 0) | (is_async ? VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC : 0);
  guint64 speed, current, end;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) info = NULL;
  g_autofree char *path = NULL;
  int type;

  if (!parse_speed (&speed, &error))
    return command_usage_error (line, _ ("--bandwidth: %s"), error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = connection_find_domain (line->connection, line->arguments[0], &error);
  if (path == NULL)
    return command_error ("%s", error->message);
  if (bandwidth != NULL)
    return set_speed (line, path, speed);
  if (do_abort || pivot) {
    if (!end_job (line, path, line->arguments[1], flags, &error))
      return command_error ("%s", error->message);
    return command_done (line, line->arguments[0],
                         pivot ? _ ("Successfully pivoted") : _ ("The job is aborted"));
  }
  info = ask_info (line, path, line->arguments[1], &error);
  if (info == NULL)
    return command_error ("%s", error->message);
  g_variant_get (info, "((ittt))", &type, &speed, &current, &end);
  print_info (line, type, speed, current, end);
  return EXIT_OK;
}

#define SPEED_OPTIONS                                                                                      \
  {                                                                                                        \
    "bandwidth", 0, 0, G_OPTION_ARG_STRING, &bandwidth, N_ ("MiB a second at most; 0: any"), N_ ("NUMBER") \
  },                                                                                                       \
  {                                                                                                        \
    "bytes", 0, 0, G_OPTION_ARG_NONE, &bytes, N_ ("Bandwidths are bytes a second"), NULL                   \
  }
#define WAIT_OPTION                                                             \
  {                                                                             \
    "wait", 0, 0, G_OPTION_ARG_NONE, &wait_for_it,                              \
        N_ ("Wait for the job, and show how far it is; ctrl-C aborts it"), NULL \
  }
#define READY_OPTIONS                                                                                      \
  { "pivot", 0, 0, G_OPTION_ARG_NONE, &pivot, N_ ("Wait until it is ready, and use the other image then"), \
    NULL },                                                                                                \
  {                                                                                                        \
    "finish", 0, 0, G_OPTION_ARG_NONE, &keep, N_ ("Wait until it is ready, and keep the image then"), NULL \
  }

static const GOptionEntry pull_options[] = {
  { "base", 0, 0, G_OPTION_ARG_STRING, &base, N_ ("The image that stays below, as a path or \"vda[2]\""),
    N_ ("IMAGE") },
  { "keep-relative", 0, 0, G_OPTION_ARG_NONE, &relative, N_ ("Keep the relative name of the backing file"),
    NULL },
  SPEED_OPTIONS,
  WAIT_OPTION,
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static const GOptionEntry commit_options[] = {
  { "base", 0, 0, G_OPTION_ARG_STRING, &base, N_ ("Where the data goes; default: the last image"),
    N_ ("IMAGE") },
  { "top", 0, 0, G_OPTION_ARG_STRING, &top, N_ ("What is committed; default: the disk's own image"),
    N_ ("IMAGE") },
  { "shallow", 0, 0, G_OPTION_ARG_NONE, &shallow, N_ ("Into the image just below"), NULL },
  { "active", 0, 0, G_OPTION_ARG_NONE, &active,
    N_ ("The disk's own image is meant; its job ends with --pivot"), NULL },
  { "keep-relative", 0, 0, G_OPTION_ARG_NONE, &relative, N_ ("Keep the relative name of the backing file"),
    NULL },
  READY_OPTIONS,
  SPEED_OPTIONS,
  WAIT_OPTION,
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static const GOptionEntry copy_options[] = {
  { "dest", 0, 0, G_OPTION_ARG_FILENAME, &destination, N_ ("The file the disk is copied to"), N_ ("PATH") },
  { "xml", 0, 0, G_OPTION_ARG_FILENAME, &xml_file, N_ ("A <disk> that says where to"), N_ ("FILE") },
  { "format", 0, 0, G_OPTION_ARG_STRING, &format, N_ ("Its format; default: that of the disk"),
    N_ ("FORMAT") },
  { "blockdev", 0, 0, G_OPTION_ARG_NONE, &is_device, N_ ("--dest is a block device"), NULL },
  { "shallow", 0, 0, G_OPTION_ARG_NONE, &shallow, N_ ("Share the images below"), NULL },
  { "reuse-external", 0, 0, G_OPTION_ARG_NONE, &reuse, N_ ("The destination exists"), NULL },
  { "synchronous-writes", 0, 0, G_OPTION_ARG_NONE, &synchronous, N_ ("The guest's writes go to both at once"),
    NULL },
  READY_OPTIONS,
  SPEED_OPTIONS,
  WAIT_OPTION,
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static const GOptionEntry job_options[] = {
  { "abort", 0, 0, G_OPTION_ARG_NONE, &do_abort, N_ ("End it; the disk keeps its image"), NULL },
  { "pivot", 0, 0, G_OPTION_ARG_NONE, &pivot, N_ ("End it; the disk has the other image then"), NULL },
  { "async", 0, 0, G_OPTION_ARG_NONE, &is_async, N_ ("Do not wait for its end"), NULL },
  { "raw", 0, 0, G_OPTION_ARG_NONE, &raw, N_ ("The numbers, one a line"), NULL },
  SPEED_OPTIONS,
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

const Command block_job_commands[] = {
  { .name = "blockcommit",
    .arguments = "DOMAIN DISK",
    .summary = N_ ("Commit the data of images into one below"),
    .minimum = 2,
    .maximum = 2,
    .options = commit_options,
    .run = begin_run },
  { .name = "blockcopy",
    .arguments = "DOMAIN DISK",
    .summary = N_ ("Copy a disk to another image while it is used"),
    .minimum = 2,
    .maximum = 2,
    .options = copy_options,
    .run = begin_run },
  { .name = "blockjob",
    .arguments = "DOMAIN DISK",
    .summary = N_ ("Show, slow down or end a block job"),
    .minimum = 2,
    .maximum = 2,
    .options = job_options,
    .run = job_run },
  { .name = "blockpull",
    .arguments = "DOMAIN DISK",
    .summary = N_ ("Pull the data of images below into the disk's own"),
    .minimum = 2,
    .maximum = 2,
    .options = pull_options,
    .run = begin_run },
  { .name = NULL },
};
