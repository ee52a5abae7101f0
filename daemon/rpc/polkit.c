/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Asks polkit whether a peer may use a socket. The peer is named by its pid with its start time, so that
 * another process that got the same pid meanwhile is not mistaken for it, and by its uid. The actions are
 * libvirt's own, so that rules written for libvirt hold here too.
 */

#include "daemon/rpc/polkit.h"

#include "daemon/core/process-stat.h"

#define ANSWER_SECONDS         120 /* a person may have to type a password */
#define ALLOW_USER_INTERACTION 1

typedef struct {
  PolkitChecked answered;
  gpointer data;
} Question;

const char *
polkit_action (gboolean read_only)
{
  return read_only ? "org.libvirt.unix.monitor" : "org.libvirt.unix.manage";
}

static void
on_answer (GObject *bus, GAsyncResult *result, gpointer data)
{
  g_autofree Question *question = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (bus), result, &error);
  gboolean allowed = FALSE, challenge = FALSE;

  if (answer == NULL)
    g_warning ("polkit cannot be asked: %s", error->message);
  else
    g_variant_get (answer, "((bba{ss}))", &allowed, &challenge, NULL);
  question->answered (allowed     ? POLKIT_ALLOWED
                      : challenge ? POLKIT_NEEDS_AGENT
                                  : POLKIT_REFUSED,
                      question->data);
}

typedef struct {
  Question *question;
  GVariant *arguments;
} Waiting;

static void
on_bus (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data)
{
  g_autofree Waiting *waiting = data;
  g_autoptr (GVariant) arguments = waiting->arguments;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_finish (result, &error);

  if (bus == NULL) {
    g_warning ("polkit cannot be asked: %s", error->message);
    waiting->question->answered (POLKIT_REFUSED, waiting->question->data);
    g_free (waiting->question);
    return;
  }
  g_dbus_connection_call (bus, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                          "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization", arguments,
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, ANSWER_SECONDS * 1000, NULL,
                          on_answer, waiting->question);
}

void
polkit_check (const char *action, pid_t pid, uid_t uid, PolkitChecked answered, gpointer data)
{
  Question *question = g_new0 (Question, 1);
  Waiting *waiting = g_new0 (Waiting, 1);
  GVariantBuilder subject;

  *question = (Question){ answered, data };
  g_variant_builder_init (&subject, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&subject, "{sv}", "pid", g_variant_new_uint32 ((guint32)pid));
  g_variant_builder_add (&subject, "{sv}", "start-time",
                         g_variant_new_uint64 (process_stat_start_time (pid)));
  g_variant_builder_add (&subject, "{sv}", "uid", g_variant_new_int32 ((gint32)uid));
  waiting->question = question;
  waiting->arguments = g_variant_ref_sink (g_variant_new ("((sa{sv})sa{ss}us)", "unix-process", &subject,
                                                          action, NULL, ALLOW_USER_INTERACTION, ""));
  g_bus_get (G_BUS_TYPE_SYSTEM, NULL, on_bus, waiting);
}
