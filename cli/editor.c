/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Editing a document: $VISUAL, $EDITOR or vi, again and again while the daemon refuses what comes out. A text
 * that was refused stays in its file. */
#include "cli/editor.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

static gboolean
run_editor (const char *file, GError **error)
{
  const char *editor = g_getenv ("VISUAL") != NULL ? g_getenv ("VISUAL") : g_getenv ("EDITOR");
  g_autofree char *quoted = g_shell_quote (file);
  g_autofree char *command = g_strdup_printf ("%s %s", editor != NULL ? editor : "vi", quoted);
  const char *argv[] = { "/bin/sh", "-c", command, NULL };
  int status;

  return g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                       &status, error)
         && g_spawn_check_wait_status (status, error);
}

static gboolean
ask_again (const char *file, const char *message)
{
  char answer[16] = "";

  command_document_error (file, message);
  if (!isatty (STDIN_FILENO))
    return FALSE;
  fprintf (stderr, _ ("Edit again? [y/n]: "));
  return fgets (answer, sizeof answer, stdin) != NULL
         && (answer[0] == 'y' || answer[0] == 'Y' || answer[0] == '\n');
}

static gboolean
write_file (const char *text, char **ret_file, GError **error)
{
  int fd = g_file_open_tmp ("domctl-XXXXXX.xml", ret_file, error);

  return fd >= 0 && g_close (fd, error) && g_file_set_contents (*ret_file, text, -1, error);
}

EditOutcome
editor_run (CommandLine *line, const char *old_text, EditorTake take, char **ret_file, GError **error)
{
  g_autofree char *file = NULL;

  if (!write_file (old_text, &file, error))
    return EDIT_FAILED;
  for (;;) {
    g_autoptr (GError) refusal = NULL;
    g_autofree char *text = NULL, *taken = NULL;

    if (!run_editor (file, error) || !g_file_get_contents (file, &text, NULL, error))
      return EDIT_FAILED;
    if (g_str_equal (text, old_text)) {
      g_unlink (file);
      return EDIT_UNCHANGED;
    }
    taken = take (line, text, &refusal);
    if (taken != NULL) {
      g_unlink (file);
      return EDIT_TAKEN;
    }
    if (!ask_again (file, refusal->message)) {
      *ret_file = g_steal_pointer (&file);
      return EDIT_GIVEN_UP;
    }
  }
}
