/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl why`: how and when a machine last stopped, or why it did not start, from the daemon's record of it.
 */
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/states.h"

#include <inttypes.h>
#include <libvirt/libvirt.h>
#include <pwd.h>
#include <string.h>

#define HOST_SHUTDOWN "host-shutdown" /* who asks then */

static gint64
number_of (GVariant *end, const char *name)
{
  gint64 value = 0;

  g_variant_lookup (end, name, "x", &value);
  return value;
}

static gboolean
is_set (GVariant *end, const char *name)
{
  gboolean value = FALSE;

  return g_variant_lookup (end, name, "b", &value) && value;
}

/* "2026-11-30 07:10:11+0100" (transfer full) */
static char *
time_text (gint64 microseconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (microseconds / G_USEC_PER_SEC);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S%z") : g_strdup ("?");
}

/* What it comes to, the clearest first. */
static const char *
verdict (GVariant *end)
{
  gint32 reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
  const char *wire = "";

  g_variant_lookup (end, "reason", "i", &reason);
  g_variant_lookup (end, "asked-wire", "&s", &wire);
  if (is_set (end, "host"))
    return _ ("the host was restarted, or lost its power, while it ran");
  if (is_set (end, "memory"))
    return _ ("the kernel ended it, as the host had no memory left");
  if (is_set (end, "panicked"))
    return _ ("the guest's kernel has crashed");
  if (is_set (end, "unseen"))
    return _ ("it ended while no daemon ran");
  if (reason == VIR_DOMAIN_SHUTOFF_FAILED)
    return _ ("it could not be started");
  if (g_str_equal (wire, HOST_SHUTDOWN) && reason != VIR_DOMAIN_SHUTOFF_CRASHED)
    return _ ("the host shut down");
  if (reason == VIR_DOMAIN_SHUTOFF_SAVED)
    return _ ("it was saved");
  if (reason == VIR_DOMAIN_SHUTOFF_DESTROYED)
    return _ ("it was destroyed");
  if (is_set (end, "off"))
    return _ ("the guest switched itself off");
  if (reason == VIR_DOMAIN_SHUTOFF_SHUTDOWN)
    return _ ("it was shut down");
  return reason == VIR_DOMAIN_SHUTOFF_CRASHED ? _ ("its process ended by itself")
                                              : state_reason (VIR_DOMAIN_SHUTOFF, reason);
}

static void
print_exit (const CommandLine *line, GVariant *end)
{
  gint32 code;

  if (g_variant_lookup (end, "signal", "i", &code))
    command_print (line, _ ("  process: ended by signal %d (%s)\n"), code, g_strsignal (code));
  else if (g_variant_lookup (end, "status", "i", &code))
    command_print (line, _ ("  process: exit status %d\n"), code);
}

static void
print_asked (const CommandLine *line, GVariant *end)
{
  g_autofree char *when = time_text (number_of (end, "asked-at"));
  const char *wire, *call = NULL;
  const struct passwd *user;
  gint64 uid = 0;

  if (!g_variant_lookup (end, "asked-wire", "&s", &wire))
    return;
  if (!g_variant_lookup (end, "asked-call", "&s", &call)) {
    command_print (line, _ ("  asked for by: %s, %s\n"), wire, when);
    return;
  }
  g_variant_lookup (end, "asked-uid", "x", &uid);
  user = getpwuid ((uid_t)uid);
  command_print (line, _ ("  asked for by: user %s (process %" PRId64 ") over %s: %s, %s\n"),
                 user != NULL ? user->pw_name : "?", number_of (end, "asked-pid"), wire, call, when);
}

/* Each of its lines, indented. */
static void
print_lines (const CommandLine *line, const char *title, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  command_print (line, "  %s\n", title);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      command_print (line, "    %s\n", lines[i]);
}

static void
print_words (const CommandLine *line, GVariant *end)
{
  const char *words;
  gint32 reason = 0;

  g_variant_lookup (end, "reason", "i", &reason);
  if (g_variant_lookup (end, "words", "&s", &words))
    print_lines (line, reason == VIR_DOMAIN_SHUTOFF_FAILED ? _ ("why:") : _ ("QEMU's last words:"), words);
  for (guint i = 0;; i++) {
    g_autofree char *name = g_strdup_printf ("helper.%u", i);

    if (!g_variant_lookup (end, name, "&s", &words))
      return;
    print_lines (line, _ ("a process beside it:"), words);
  }
}

static void
print_restart (const CommandLine *line, GVariant *end)
{
  const char *text;

  if (g_variant_lookup (end, "restart", "&s", &text))
    command_print (line, _ ("  restart: %s\n"), text);
}

static void
print_end (const CommandLine *line, const char *name, gboolean runs, GVariant *end)
{
  g_autofree char *ended = time_text (number_of (end, "ended"));
  g_autofree char *started = time_text (number_of (end, "started"));

  if (runs)
    command_print (line, _ ("%s runs; before that:\n"), name);
  if (g_variant_n_children (end) == 0) {
    command_print (line, _ ("%s: no end of it is known\n"), name);
    return;
  }
  if (number_of (end, "ended") != 0)
    command_print (line, _ ("%s: %s, %s\n"), name, verdict (end), ended);
  else
    command_print (line, "%s: %s\n", name, verdict (end));
  if (number_of (end, "started") != 0)
    command_print (line, _ ("  started: %s\n"), started);
  print_exit (line, end);
  print_asked (line, end);
  print_restart (line, end);
  print_words (line, end);
}

static JsonNode *
end_to_json (const char *name, gboolean runs, GVariant *end)
{
  JsonNode *node = json_gvariant_serialize (end);
  JsonObject *object = json_node_get_object (node);

  json_object_set_string_member (object, "domain", name);
  json_object_set_boolean_member (object, "running", runs);
  if (g_variant_n_children (end) > 0)
    json_object_set_string_member (object, "verdict", verdict (end));
  return node;
}

/* Typed values are boxed twice on the bus, as libvirt-dbus does it. (transfer full) */
static GVariant *
unboxed (GVariant *answer)
{
  g_autoptr (GVariant) boxed = g_variant_get_child_value (answer, 0);
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (gsize i = 0; i < g_variant_n_children (boxed); i++) {
    g_autoptr (GVariant) value = NULL;
    const char *name;

    g_variant_get_child (boxed, i, "{&sv}", &name, &value);
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT)) {
      GVariant *inner = g_variant_get_variant (value);

      g_variant_unref (value);
      value = inner;
    }
    g_variant_builder_add (&list, "{sv}", name, value);
  }
  return g_variant_ref_sink (g_variant_builder_end (&list));
}

static int
why_run (CommandLine *line)
{
  const char *word = line->arguments[0];
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL, end = NULL, active = NULL;
  g_autofree char *path = NULL, *name = NULL;
  gboolean runs;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = connection_find_domain (line->connection, word, &error);
  if (path != NULL)
    name = connection_domain_name (line->connection, path, &error);
  if (name != NULL)
    active = connection_property (line->connection, path, DOMAIN_INTERFACE, "Active", &error);
  if (active != NULL)
    answer = connection_call (line->connection, path, OWN_DOMAIN_INTERFACE, "GetLastEnd", NULL, &error);
  if (answer == NULL) {
    command_error (_ ("failed to get domain '%s'"), word);
    return command_error ("%s", error->message);
  }
  runs = g_variant_get_boolean (active);
  end = unboxed (answer);
  print_end (line, name, runs, end);
  command_print_json (line, end_to_json (name, runs, end));
  return EXIT_OK;
}

const Command why_commands[] = {
  { "why", "DOMAIN...", N_ ("Say how and when a machine last stopped, or why it did not start"), 1, 1, NULL,
    why_run, TRUE },
  { NULL },
};
