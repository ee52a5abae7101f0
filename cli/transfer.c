/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Waiting for an export or an import. The call's answer comes when all is done; meanwhile a timer asks how
 * far it is, and a signal gives it up. Signing is a conversation through a socket that goes with the call:
 * all that is asked, its end, and the answer.
 */
#include "cli/transfer.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_EVERY 200 /* ms */
#define BAR_WIDTH  40  /* characters */
#define TALK_MAX   (8 * 1024 * 1024)
#define TALK_PIECE 65536
#define ENDLESS    G_MAXINT /* ms */

typedef struct {
  const Transfer *transfer;
  char *name; /* by which the daemon knows it */
  GMainLoop *loop;
  GVariant *answer;
  GError *error;
  int talk; /* our end of the second descriptor; -1: none */
  GString *asked;
  gboolean has_bar;
} Waiting;

static GDBusConnection *
bus_of (const Waiting *waiting)
{
  return connection_bus (waiting->transfer->line->connection);
}

/* Progress. */

static void
show_bar (Waiting *waiting, guint64 done, guint64 total)
{
  guint percent = total > 0 ? (guint)((double)done * 100 / (double)total) : 0;
  guint filled = percent * BAR_WIDTH / 100;
  g_autofree char *of = g_format_size (total);

  fprintf (stderr, "\r[");
  for (guint i = 0; i < BAR_WIDTH; i++)
    fputc (i < filled ? '#' : ' ', stderr);
  fprintf (stderr, "] %3u%% %s ", percent, of);
  fflush (stderr);
  waiting->has_bar = TRUE;
}

static void
progress_told (GObject *source, GAsyncResult *result, gpointer data)
{
  Waiting *waiting = data;
  g_autoptr (GVariant) answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  guint64 done, total;

  if (answer == NULL || waiting->answer != NULL || waiting->error != NULL)
    return;
  g_variant_get (answer, "(tt)", &done, &total);
  if (total > 0)
    show_bar (waiting, done, total);
}

static gboolean
look (gpointer data)
{
  Waiting *waiting = data;

  g_dbus_connection_call (bus_of (waiting), DAEMON_BUS_NAME, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE,
                          "TransferProgress", g_variant_new ("(s)", waiting->name), NULL,
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, progress_told, waiting);
  return G_SOURCE_CONTINUE;
}

static gboolean
give_up (gpointer data)
{
  Waiting *waiting = data;

  g_dbus_connection_call (bus_of (waiting), DAEMON_BUS_NAME, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE,
                          "TransferAbort", g_variant_new ("(s)", waiting->name), NULL, G_DBUS_CALL_FLAGS_NONE,
                          -1, NULL, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* The conversation. */

static void
answer_talk (Waiting *waiting)
{
  g_autofree char *answer =
      waiting->transfer->talk (waiting->asked->str, waiting->asked->len, waiting->transfer->talk_data);

  for (gsize at = 0, length = strlen (answer); at < length;) {
    gssize sent = send (waiting->talk, answer + at, length - at, MSG_NOSIGNAL);

    if (sent <= 0)
      break; /* the daemon says why it hung up */
    at += (gsize)sent;
  }
}

static gboolean
hear (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Waiting *waiting = data;
  char piece[TALK_PIECE];
  gssize got = read (fd, piece, sizeof piece);

  if (got > 0 && waiting->asked->len + (gsize)got <= TALK_MAX) {
    g_string_append_len (waiting->asked, piece, got);
    return G_SOURCE_CONTINUE;
  }
  if (got == 0 && waiting->asked->len > 0)
    answer_talk (waiting);
  close (waiting->talk);
  waiting->talk = -1;
  return G_SOURCE_REMOVE;
}

/* The call. */

static void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Waiting *waiting = data;

  waiting->answer = g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source), NULL, result,
                                                                     &waiting->error);
  g_main_loop_quit (waiting->loop);
}

static GVariant *
arguments_of (Waiting *waiting, guint count)
{
  Transfer *transfer = (Transfer *)waiting->transfer;
  GVariantBuilder handles;
  GVariant *parameters;

  g_variant_builder_init (&handles, G_VARIANT_TYPE ("ah"));
  for (guint i = 0; i < count; i++)
    g_variant_builder_add (&handles, "h", (gint32)i);
  g_variant_dict_insert (&transfer->parameters, "transfer", "s", waiting->name);
  parameters = g_variant_dict_end (&transfer->parameters);
  if (transfer->maps != NULL)
    return g_variant_new ("(ah@a{sv}^asu)", &handles, parameters, transfer->maps, transfer->flags);
  return g_variant_new ("(ah@a{sv}u)", &handles, parameters, transfer->flags);
}

static gboolean
begin (Waiting *waiting, GError **error)
{
  const Transfer *transfer = waiting->transfer;
  g_autoptr (GUnixFDList) files = g_unix_fd_list_new ();
  int ends[2];

  if (g_unix_fd_list_append (files, transfer->archive, error) < 0)
    return FALSE;
  if (transfer->talk != NULL) {
    gboolean added;

    if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", g_strerror (errno));
      return FALSE;
    }
    added = g_unix_fd_list_append (files, ends[1], error) >= 0;
    close (ends[1]);
    waiting->talk = ends[0];
    if (!added)
      return FALSE;
    g_unix_fd_add (waiting->talk, G_IO_IN | G_IO_HUP, hear, waiting);
  }
  g_dbus_connection_call_with_unix_fd_list (bus_of (waiting), DAEMON_BUS_NAME, transfer->path,
                                            transfer->interface, transfer->method,
                                            arguments_of (waiting, transfer->talk != NULL ? 2 : 1), NULL,
                                            G_DBUS_CALL_FLAGS_NONE, ENDLESS, files, NULL, answered, waiting);
  return TRUE;
}

GVariant *
transfer_run (Transfer *transfer, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree char *name = g_uuid_string_random ();
  Waiting waiting = { .transfer = transfer, .name = name, .loop = loop, .talk = -1 };
  gboolean shows = !transfer->line->json && isatty (STDERR_FILENO);
  guint sources[] = { g_unix_signal_add (SIGINT, give_up, &waiting),
                      g_unix_signal_add (SIGTERM, give_up, &waiting),
                      shows ? g_timeout_add (LOOK_EVERY, look, &waiting) : 0 };

  waiting.asked = g_string_new (NULL);
  if (begin (&waiting, &waiting.error))
    g_main_loop_run (loop);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (sources[i] != 0)
      g_source_remove (sources[i]);
  if (waiting.talk >= 0)
    close (waiting.talk);
  if (waiting.has_bar)
    fputc ('\n', stderr);
  g_string_free (waiting.asked, TRUE);
  if (waiting.error != NULL) {
    connection_explain (transfer->line->connection, &waiting.error);
    g_propagate_error (error, waiting.error);
  }
  return waiting.answer;
}
