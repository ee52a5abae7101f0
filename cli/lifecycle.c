/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands that start, stop and steer machines. They differ in the method, its flags and the words of
 * success and failure (virsh's own), so they are rows of one table around one function.
 */

#include "cli/command.h"
#include "cli/connection.h"

#include <libvirt/libvirt.h>
#include <string.h>

static gboolean paused, autodestroy, force_boot, graceful, with_console;
static char *mode;

typedef struct {
  const char *command;
  const char *method;
  gboolean has_flags;
  guint (*flags) (CommandLine *line, GError **error);
  const char *done;   /* N_(), one %s for the name */
  const char *failed; /* N_(), one %s for the name */
} Action;

static guint
start_flags (CommandLine *line G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return (paused ? VIR_DOMAIN_START_PAUSED : 0) | (autodestroy ? VIR_DOMAIN_START_AUTODESTROY : 0)
         | (force_boot ? VIR_DOMAIN_START_FORCE_BOOT : 0);
}

static guint
destroy_flags (CommandLine *line G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return graceful ? VIR_DOMAIN_DESTROY_GRACEFUL : 0;
}

/* "acpi,agent" → flags; shutdown's and reboot's have the same numbers. */
static guint
mode_flags (CommandLine *line G_GNUC_UNUSED, GError **error)
{
  static const struct {
    const char *name;
    guint flag;
  } modes[] = {
    { "acpi", VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN }, { "agent", VIR_DOMAIN_SHUTDOWN_GUEST_AGENT },
    { "initctl", VIR_DOMAIN_SHUTDOWN_INITCTL },     { "signal", VIR_DOMAIN_SHUTDOWN_SIGNAL },
    { "paravirt", VIR_DOMAIN_SHUTDOWN_PARAVIRT },
  };
  g_auto (GStrv) words = g_strsplit (mode != NULL ? mode : "", ",", -1);
  guint flags = 0;

  for (guint i = 0; words[i] != NULL; i++) {
    guint known = 0;

    for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
      if (g_str_equal (modes[m].name, words[i]))
        known = modes[m].flag;
    }
    if (known == 0) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   _ ("unknown mode '%s': expected acpi, agent, initctl, signal or paravirt"), words[i]);
      return 0;
    }
    flags |= known;
  }
  return flags;
}

static const Action actions[] = {
  { "start", "Create", TRUE, start_flags, N_ ("Domain '%s' started"), N_ ("Failed to start domain '%s'") },
  { "shutdown", "Shutdown", TRUE, mode_flags, N_ ("Domain '%s' is being shutdown"),
    N_ ("Failed to shutdown domain '%s'") },
  { "reboot", "Reboot", TRUE, mode_flags, N_ ("Domain '%s' is being rebooted"),
    N_ ("Failed to reboot domain '%s'") },
  { "reset", "Reset", TRUE, NULL, N_ ("Domain '%s' was reset"), N_ ("Failed to reset domain '%s'") },
  { "suspend", "Suspend", FALSE, NULL, N_ ("Domain '%s' suspended"), N_ ("Failed to suspend domain '%s'") },
  { "resume", "Resume", FALSE, NULL, N_ ("Domain '%s' resumed"), N_ ("Failed to resume domain '%s'") },
  { "destroy", "Destroy", TRUE, destroy_flags, N_ ("Domain '%s' destroyed"),
    N_ ("Failed to destroy domain '%s'") },
};

/* A row's words with the name in its place. */
static char *
with_name (const char *words, const char *name)
{
  g_auto (GStrv) parts = g_strsplit (_ (words), "%s", 2);

  return g_strjoinv (name, parts);
}

static int
action_run (CommandLine *line)
{
  const Action *action = NULL;
  const char *word = line->arguments[0];
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  guint flags = 0;

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++) {
    if (g_str_equal (actions[i].command, line->command))
      action = &actions[i];
  }
  if (with_console && line->several != NULL)
    return command_usage_error (line, _ ("--console is for one machine"));
  if (action->flags != NULL)
    flags = action->flags (line, &error);
  if (error != NULL)
    return command_usage_error (line, "%s", error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;

  path = connection_find_domain (line->connection, word, &error);
  if (path == NULL) {
    command_error (_ ("failed to get domain '%s'"), word);
    return command_error ("%s", error->message);
  }
  name = connection_domain_name (line->connection, path, NULL);
  answer = connection_call (line->connection, path, DOMAIN_INTERFACE, action->method,
                            action->has_flags ? g_variant_new ("(u)", flags) : NULL, &error);
  if (answer == NULL) {
    g_autofree char *failed = with_name (action->failed, name != NULL ? name : word);

    command_error ("%s", failed);
    return command_document_error (NULL, error->message);
  }
  g_autofree char *done = with_name (action->done, name != NULL ? name : word);
  command_done (line, name != NULL ? name : word, "%s", done);

  if (with_console) {
    line->arguments[0] = name != NULL ? name : (char *)word;
    return command_find ("console")->run (line);
  }
  return EXIT_OK;
}

static const GOptionEntry start_options[] = {
  { "paused", 0, 0, G_OPTION_ARG_NONE, &paused, N_ ("Leave the machine's CPUs stopped"), NULL },
  { "autodestroy", 0, 0, G_OPTION_ARG_NONE, &autodestroy, N_ ("End the machine when the client goes"), NULL },
  { "force-boot", 0, 0, G_OPTION_ARG_NONE, &force_boot, N_ ("Boot anew, discarding a managed save"), NULL },
  { "console", 0, 0, G_OPTION_ARG_NONE, &with_console, N_ ("Attach to the console after the start"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry mode_options[] = {
  { "mode", 0, 0, G_OPTION_ARG_STRING, &mode,
    N_ ("How to ask the guest: acpi, agent, initctl, signal, paravirt"), N_ ("MODE") },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry destroy_options[] = {
  { "graceful", 0, 0, G_OPTION_ARG_NONE, &graceful, N_ ("End the process by SIGTERM only"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command lifecycle_commands[] = {
  { "start", "DOMAIN...", N_ ("Start a defined machine"), 1, 1, start_options, action_run, TRUE },
  { "shutdown", "DOMAIN...", N_ ("Ask the guest to shut down"), 1, 1, mode_options, action_run, TRUE },
  { "reboot", "DOMAIN...", N_ ("Ask the guest to reboot"), 1, 1, mode_options, action_run, TRUE },
  { "reset", "DOMAIN...", N_ ("Reset the machine as its button would"), 1, 1, NULL, action_run, TRUE },
  { "suspend", "DOMAIN...", N_ ("Stop the machine's CPUs"), 1, 1, NULL, action_run, TRUE },
  { "resume", "DOMAIN...", N_ ("Let the machine's CPUs go on"), 1, 1, NULL, action_run, TRUE },
  { "destroy", "DOMAIN...", N_ ("End the machine at once"), 1, 1, destroy_options, action_run, TRUE },
  { NULL },
};
