/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The terminals that clients have open. A pty is locked as well (see ops/domain/domain-console.c), for
 * clients that were given the descriptor itself; here are those whose bytes pass through the daemon, which
 * alone can be cut off.
 */
#include "daemon/core/terminal.h"

struct TerminalSession {
  char *path;
  void (*taken_over) (gpointer data);
  gpointer data;
};

static GList *sessions;

TerminalSession *
terminal_session_new (const char *path, void (*taken_over) (gpointer data), gpointer data)
{
  TerminalSession *session = g_new0 (TerminalSession, 1);

  *session = (TerminalSession){ g_strdup (path), taken_over, data };
  sessions = g_list_prepend (sessions, session);
  return session;
}

void
terminal_session_free (TerminalSession *session)
{
  if (session == NULL)
    return;
  sessions = g_list_remove (sessions, session);
  g_free (session->path);
  g_free (session);
}

static TerminalSession *
find (const char *path)
{
  for (GList *each = sessions; each != NULL; each = each->next) {
    TerminalSession *session = each->data;

    if (g_str_equal (session->path, path))
      return session;
  }
  return NULL;
}

gboolean
terminal_is_open (const char *path)
{
  return find (path) != NULL;
}

void
terminal_take_over (const char *path)
{
  TerminalSession *session;

  while ((session = find (path)) != NULL)
    session->taken_over (session->data);
}
