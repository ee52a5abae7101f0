/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Conversations with a scripted agent: one that answers, one that lies, one that says too much, one that is
 * silent. */
#include "daemon/drivers/qemu/agent.h"

#include "cmocka-glib.h"
#include "main-loop.h"
#include "temporary.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
  const char *before; /* said before the greeting is answered */
  const char *delimiter;
  int id_off_by;        /* the greeting's number is answered with one that is off */
  const char *answer;   /* to the command; NULL: it is heard, and the connection closed */
  const char *contains; /* of the error, or of the answer */
  virErrorNumber code;  /* VIR_ERR_OK: it is answered */
} Script;

typedef struct {
  const Script *script;
  int listening;
} Scripted;

/* One line of the client's. */
static gboolean
hear (int fd, char *line, gsize size)
{
  gsize length = 0;

  while (length + 1 < size && read (fd, line + length, 1) == 1)
    if (line[length++] == '\n') {
      line[length] = '\0';
      return TRUE;
    }
  return FALSE;
}

static void
say (int fd, const char *text)
{
  for (gsize left = strlen (text); left > 0;) {
    ssize_t count = send (fd, text, left, MSG_NOSIGNAL);

    if (count <= 0)
      return;
    text += count;
    left -= (gsize)count;
  }
}

static gpointer
play (gpointer data)
{
  const Scripted *scripted = data;
  const Script *script = scripted->script;
  int fd = accept (scripted->listening, NULL, NULL);
  char line[4096];

  if (hear (fd, line, sizeof line)) {
    const char *id = strstr (line, "\"id\":");
    g_autofree char *greeting = g_strdup_printf ("%s%s{\"return\": %d}\n", script->before, script->delimiter,
                                                 atoi (id + strlen ("\"id\":")) + script->id_off_by);

    say (fd, greeting);
  }
  if (hear (fd, line, sizeof line) && script->answer != NULL) {
    say (fd, script->answer);
    while (hear (fd, line, sizeof line))
      ;
  }
  close (fd);
  return NULL;
}

static gpointer
ask (Job *job, gpointer path, GError **error)
{
  g_autoptr (Agent) agent = agent_open (path, getpid (), job, 2, error);
  g_autoptr (JsonNode) answer = agent != NULL ? agent_call (agent, "guest-ping", NULL, error) : NULL;

  return answer != NULL ? json_to_string (answer, FALSE) : NULL;
}

typedef struct {
  gboolean done;
  char *answer;
  GError *error;
} Outcome;

static void
asked (gpointer result, const GError *error, gpointer data)
{
  Outcome *outcome = data;

  outcome->answer = result;
  outcome->error = error != NULL ? g_error_copy (error) : NULL;
  outcome->done = TRUE;
}

static void
check (const Script *script)
{
  char *directory = temporary_directory ();
  g_autofree char *path = g_build_filename (directory, "agent", NULL);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  Scripted scripted = { script, socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
  Outcome outcome = { FALSE, NULL, NULL };
  GThread *thread;

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  assert_int_equal (bind (scripted.listening, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal (listen (scripted.listening, 1), 0);
  thread = g_thread_new ("agent", play, &scripted);
  job_start ("ask", ask, path, NULL, 30, asked, &outcome);
  while (!outcome.done)
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
  close (scripted.listening);

  assert_int_equal (virt_error_code (outcome.error), script->code);
  assert_non_null (
      strstr (outcome.error != NULL ? outcome.error->message : outcome.answer, script->contains));
  g_clear_error (&outcome.error);
  g_free (outcome.answer);
  temporary_remove (directory);
}

static void
agents_are_heard_and_not_trusted (void **state G_GNUC_UNUSED)
{
  g_autofree char *brackets = g_strnfill (1000, '['), *deep = g_strconcat (brackets, "\n", NULL);
  g_autofree char *filler = g_strnfill (AGENT_MAX_LINE + 1024, 'x'),
                  *endless = g_strconcat (filler, "\n", NULL);
  g_autofree char *commas = g_strnfill (2 * AGENT_MAX_VALUES, ','), *many = NULL;
  for (guint i = 0; i < 2 * AGENT_MAX_VALUES; i += 2)
    commas[i] = '1';
  many = g_strdup_printf ("{\"return\": [%s1]}\n", commas);
  const Script scripts[] = {
    { "", "\xff", 0, "{\"return\": {\"up\": 1}}\n", "{\"up\":1}", VIR_ERR_OK },
    { "{\"return\": 7}\nnonsense\n", "left over\xff", 0, "{\"return\": []}\n", "[]", VIR_ERR_OK },
    { "", "\xff", 0, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"not today\"}}\n",
      "unable to execute QEMU agent command 'guest-ping': not today", VIR_ERR_INTERNAL_ERROR },
    { "", "\xff", 0, "{\"surprise\": 1}\n", "nothing that is an answer", VIR_ERR_INTERNAL_ERROR },
    { "", "\xff", 0, deep, "nothing that is an answer", VIR_ERR_INTERNAL_ERROR },
    { "", "\xff", 0, many, "nothing that is an answer", VIR_ERR_INTERNAL_ERROR },
    { "", "\xff", 0, endless, "longer than is allowed", VIR_ERR_AGENT_UNRESPONSIVE },
    { "", "\xff", 0, NULL, "disappeared while executing command", VIR_ERR_AGENT_UNRESPONSIVE },
    { "", "\xff", 0, "", "Guest agent not available for now", VIR_ERR_AGENT_UNRESPONSIVE },
    { "", "\xff", 1, "", "Guest agent not available for now", VIR_ERR_AGENT_UNRESPONSIVE },
    { "", "", 0, "", "Guest agent not available for now", VIR_ERR_AGENT_UNRESPONSIVE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (scripts); i++)
    check (&scripts[i]);
}

static void
no_agent_is_no_answer (void **state G_GNUC_UNUSED)
{
  Outcome outcome = { FALSE, NULL, NULL };

  job_start ("ask", ask, (gpointer) "/nowhere/agent", NULL, 30, asked, &outcome);
  while (!outcome.done)
    g_main_context_iteration (NULL, TRUE);
  assert_int_equal (virt_error_code (outcome.error), VIR_ERR_AGENT_UNRESPONSIVE);
  g_clear_error (&outcome.error);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (agents_are_heard_and_not_trusted),
    cmocka_unit_test (no_agent_is_no_answer),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
