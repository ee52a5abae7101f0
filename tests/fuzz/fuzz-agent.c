/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as what a guest's agent says: behind a greeting that is right (a first byte that is odd), or in
 * place of it.
 */
#include "daemon/drivers/qemu/agent.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CALLS 4
#define LINE  4096

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static char *path;
static int listening;

typedef struct {
  const guint8 *data;
  gsize size;
} Said;

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  g_autofree char *directory = g_dir_make_tmp ("fuzz-agent-XXXXXX", NULL);
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  path = g_build_filename (directory, "agent", NULL);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  listening = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (listening, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listening, 1), ==, 0);
  return 0;
}

static gpointer
play (gpointer data)
{
  const Said *said = data;
  int fd = accept (listening, NULL, NULL);
  char line[LINE] = "", greeting[LINE];
  gsize length = 0;
  const char *id;

  while (length + 1 < sizeof line && read (fd, line + length, 1) == 1 && line[length] != '\n')
    length++;
  id = strstr (line, "\"id\":");
  if ((said->data[0] & 1) && id != NULL) {
    g_snprintf (greeting, sizeof greeting, "\xff{\"return\": %d}\n", atoi (id + strlen ("\"id\":")));
    send (fd, greeting, strlen (greeting), MSG_NOSIGNAL);
  }
  send (fd, said->data + 1, said->size - 1, MSG_NOSIGNAL);
  shutdown (fd, SHUT_WR);
  while (read (fd, line, sizeof line) > 0)
    ;
  close (fd);
  return NULL;
}

static gpointer
converse (Job *job, gpointer input G_GNUC_UNUSED, GError **error)
{
  g_autoptr (Agent) agent = agent_open (path, getpid (), job, 1, error);

  for (guint i = 0; agent != NULL && i < CALLS; i++) {
    g_autoptr (JsonNode) answer = agent_call (agent, "guest-ping", NULL, NULL);
    g_autofree char *text = answer != NULL ? json_to_string (answer, FALSE) : NULL;

    g_assert_true (text == NULL || g_utf8_validate (text, -1, NULL));
  }
  return agent != NULL ? JOB_OK : NULL;
}

static void
ended (gpointer result G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED, gpointer data)
{
  *(gboolean *)data = TRUE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Said said = { data, size };
  gboolean has_ended = FALSE;
  GThread *thread;

  if (size == 0)
    return 0;
  thread = g_thread_new ("agent", play, &said);
  job_start ("converse", converse, NULL, NULL, 0, ended, &has_ended);
  while (!has_ended)
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
  return 0;
}
