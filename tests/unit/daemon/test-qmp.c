/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The QMP conversation with a scripted QEMU: one that answers, stalls, lies, floods and hangs up. */
#include "daemon/drivers/qemu/qmp-private.h"
#include "main-loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define GREETING     "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define CAPABILITIES "{\"execute\":\"qmp_capabilities\",\"id\":0}\n"
#define FLOOD_EVENTS 20000
#define OK           "{\"return\": {}, \"id\": 0}\r\n"

/* One step of the other side: wait for exactly these bytes, then say these. */
typedef struct {
  const char *expect; /* NULL: nothing to wait for */
  const char *say;    /* NULL: nothing */
  gsize pad;          /* so many 'x' more */
  enum { GO_ON, HANG_UP, STALL } then;
} Line;

typedef struct {
  const Line *lines;
  int socket;
  GString *mistake;
} Script;

static gboolean
expect_bytes (int socket, const char *expect, GString *mistake)
{
  for (const char *next = expect; *next != '\0'; next++) {
    char got;
    if (recv (socket, &got, 1, 0) != 1)
      return FALSE; /* the test has gone home */
    if (got != *next) {
      g_string_append_printf (mistake, "expected %s, differs at %s", expect, next);
      return FALSE;
    }
  }
  return TRUE;
}

static gpointer
play (gpointer data)
{
  Script *script = data;

  for (const Line *line = script->lines; line->expect != NULL || line->say != NULL || line->then != GO_ON;
       line++) {
    if (line->expect != NULL && !expect_bytes (script->socket, line->expect, script->mistake))
      break;
    if (line->say != NULL)
      send (script->socket, line->say, strlen (line->say), MSG_NOSIGNAL);
    g_autofree char *padding = g_malloc (line->pad + 1);
    memset (padding, 'x', line->pad);
    for (gsize sent = 0; sent < line->pad;) {
      ssize_t length = send (script->socket, padding + sent, line->pad - sent, MSG_NOSIGNAL);
      if (length <= 0)
        break;
      sent += (gsize)length;
    }
    if (line->then == HANG_UP)
      break;
    if (line->then == STALL) {
      char ignored[256];
      while (recv (script->socket, ignored, sizeof ignored, 0) > 0)
        ;
    }
  }
  shutdown (script->socket, SHUT_RDWR);
  return NULL;
}

/* Our side: what the handlers were told. */
typedef struct {
  GString *told; /* "ready EVENT closed " */
  gboolean closed;
  char *why;
} Told;

static void
told_ready (Qmp *qmp, gpointer data)
{
  (void)qmp;
  g_string_append (((Told *)data)->told, "ready ");
}

static void
told_event (Qmp *qmp, const char *name, JsonObject *arguments, gint64 microseconds, gpointer data)
{
  Told *told = data;

  (void)qmp;
  g_string_append_printf (told->told, "%s@%" G_GINT64_FORMAT " ", name, microseconds);
  if (arguments != NULL && json_object_has_member (arguments, "id"))
    g_string_append_printf (told->told, "id=%s ", json_object_get_string_member (arguments, "id"));
}

static void
told_closed (Qmp *qmp, const GError *error, gpointer data)
{
  Told *told = data;

  assert_false (qmp_is_ready (qmp));
  assert_false (told->closed);
  g_string_append (told->told, "closed ");
  told->why = g_strdup (error->message);
  told->closed = TRUE;
}

static const QmpHandlers handlers = { told_ready, told_event, told_closed };

typedef struct {
  Qmp *qmp;
  const char *const *commands;
  GString *answers; /* "name=ANSWER" or "name!CODE", one a line */
} Talk;

static gpointer
talk (Job *job, gpointer input, GError **error)
{
  Talk *said = input;
  GError *problem = NULL;

  if (!qmp_wait_ready (said->qmp, job, &problem)) {
    g_string_append_printf (said->answers, "ready!%d\n", problem->code);
    g_clear_error (&problem);
  }
  for (guint i = 0; said->commands[i] != NULL; i++) {
    JsonNode *answer = qmp_call (said->qmp, job, said->commands[i], NULL, &problem);
    if (answer != NULL) {
      g_autofree char *text = json_to_string (answer, FALSE);
      g_string_append_printf (said->answers, "%s=%s\n", said->commands[i], text);
      json_node_unref (answer);
    } else {
      g_string_append_printf (said->answers, "%s!%d %s\n", said->commands[i], problem->code,
                              problem->message);
      g_clear_error (&problem);
    }
  }
  (void)error;
  return JOB_OK;
}

static void
set_flag (gpointer result, const GError *error, gpointer data)
{
  (void)result;
  (void)error;
  *(gboolean *)data = TRUE;
}

typedef struct {
  Qmp *qmp;
  GThread *thread;
  Script script;
  Told told;
} Scene;

static void
scene_begin (Scene *scene, const Line *lines, const QmpHandlers *with)
{
  int ends[2];

  assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  *scene =
      (Scene){ .script = { lines, ends[1], g_string_new (NULL) }, .told = { .told = g_string_new (NULL) } };
  scene->qmp = qmp_new (ends[0], 0, with, &scene->told);
  scene->thread = g_thread_new ("qemu", play, &scene->script);
}

static void
scene_end (Scene *scene)
{
  qmp_close (scene->qmp);
  g_thread_join (scene->thread);
  assert_string_equal (scene->script.mistake->str, "");
  close (scene->script.socket);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  qmp_unref (scene->qmp);
  g_string_free (scene->script.mistake, TRUE);
  g_string_free (scene->told.told, TRUE);
  g_free (scene->told.why);
}

/* The answers a job gets. (transfer full) */
static char *
scene_talk (Scene *scene, const char *const *commands, guint deadline)
{
  Talk said = { scene->qmp, commands, g_string_new (NULL) };
  gboolean done = FALSE;

  job_start ("talk", talk, &said, NULL, deadline, set_flag, &done);
  assert_true (run_main_loop_until (&done));
  return g_string_free (said.answers, FALSE);
}

static void
commands_are_answered_by_number (void **state)
{
  static const Line lines[] = {
    { NULL, GREETING },
    { CAPABILITIES, OK },
    { "{\"execute\":\"query-status\",\"id\":1}\n", "{\"return\": {\"status\": \"running\"}, \"id\": 1}\r\n" },
    { "{\"execute\":\"query-nothing\",\"id\":2}\n",
      "{\"return\": {}, \"id\": 99}\r\n" /* an answer to nobody */
      "{\"id\": 2, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command query-nothing has not "
      "been found\"}}\r\n" },
    { 0 },
  };
  Scene scene;

  (void)state;
  scene_begin (&scene, lines, &handlers);
  g_autofree char *answers =
      scene_talk (&scene, (const char *const[]){ "query-status", "query-nothing", NULL }, 10);
  g_autofree char *expected =
      g_strdup_printf ("query-status={\"status\":\"running\"}\nquery-nothing!%d internal error: unable to "
                       "execute QEMU command "
                       "'query-nothing': The command query-nothing has not been found\n",
                       VIR_ERR_INTERNAL_ERROR);
  assert_string_equal (answers, expected);
  assert_true (run_main_loop_until (&scene.told.closed));
  assert_string_equal (scene.told.told->str, "ready closed ");
  scene_end (&scene);
}

/* A daemon that ended left commands behind: QEMU answers them to the next. */
static void
answers_to_a_daemon_before_are_not_ours (void **state)
{
  static const Line lines[] = {
    { NULL, "{\"return\": {\"status\": \"old\"}, \"id\": 7}\n" GREETING },
    { CAPABILITIES,
      "{\"error\": {\"class\": \"GenericError\", \"desc\": \"old\"}, \"id\": 8}\n"
      "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Capabilities negotiation is already "
      "complete, command ignored\"}, \"id\": 0}\n" },
    { "{\"execute\":\"query-status\",\"id\":1}\n",
      "{\"return\": {\"status\": \"old\"}, \"id\": 9}\n{\"return\": {\"status\": \"running\"}, \"id\": "
      "1}\n" },
    { 0 },
  };
  Scene scene;

  (void)state;
  scene_begin (&scene, lines, &handlers);
  g_autofree char *answers = scene_talk (&scene, (const char *const[]){ "query-status", NULL }, 10);
  assert_string_equal (answers, "query-status={\"status\":\"running\"}\n");
  assert_true (run_main_loop_until (&scene.told.closed));
  assert_string_equal (scene.told.told->str, "ready closed ");
  scene_end (&scene);
}

static void
events_wait_for_their_handlers (void **state)
{
  static const Line lines[] = {
    { NULL, GREETING },
    { CAPABILITIES,
      OK "{\"event\": \"RESUME\", \"timestamp\": {\"seconds\": 2, \"microseconds\": 7}}\n"
         "{\"event\": \"TRAY\", \"data\": {\"id\": \"cd0\"}, \"timestamp\": {\"seconds\": -5}}\n"
         "{\"event\": \"ODD\", \"data\": [], \"timestamp\": 3}\n",
      0, HANG_UP },
    { 0 },
  };
  Scene scene;

  (void)state;
  scene_begin (&scene, lines, NULL);
  g_autofree char *answers = scene_talk (&scene, (const char *const[]){ "query-status", NULL }, 10);
  assert_non_null (strstr (answers, "QEMU closed its monitor"));
  assert_string_equal (scene.told.told->str, "");
  qmp_set_handlers (scene.qmp, &handlers, &scene.told);
  assert_string_equal (scene.told.told->str, "ready RESUME@2000007 TRAY@0 id=cd0 ODD@0 closed ");
  scene_end (&scene);
}

/* Whatever comes that is no QMP ends the conversation, and everybody who waits. */
static void
nonsense_ends_the_conversation (void **state)
{
  static const struct {
    Line lines[4];
    const char *why;
  } rows[] = {
    { { { NULL, "HTTP/1.1 200 OK\r\n" } }, "no JSON" },
    { { { NULL, "[1, 2]\r\n" } }, "no JSON object" },
    { { { NULL, "\xff\xfe{}\r\n" } }, "no JSON" },
    { { { NULL, "{\"QMP\": 1}\r\n" } }, "is not QEMU" },
    { { { NULL, "{\"return\": {}}\r\n" } }, "closed its monitor" }, /* said to a daemon before us */
    { { { NULL, GREETING }, { CAPABILITIES, "{\"error\": {\"desc\": \"no\"}, \"id\": 0}\n" } },
      "refused to begin" },
    { { { NULL, GREETING }, { CAPABILITIES, OK "{\"hello\": 1}\n" } }, "no answer and no event" },
    { { { NULL, GREETING, 0, HANG_UP } }, "closed its monitor" },
    { { { NULL, NULL, 0, HANG_UP } }, "closed its monitor" },
    { { { NULL, GREETING "{\"return\": \"", QMP_MAX_LINE + 2, STALL } }, "message of more than" },
    { { { NULL, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                "[[[[[[[[[[[[[\n" } },
      "nested deeper than" },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Scene scene;
    scene_begin (&scene, rows[i].lines, &handlers);
    g_autofree char *answers = scene_talk (&scene, (const char *const[]){ "stop", NULL }, 15);
    assert_non_null (strstr (answers, "stop!9 operation failed: QEMU did not answer 'stop'"));
    assert_true (run_main_loop_until (&scene.told.closed));
    assert_non_null (strstr (scene.told.why, rows[i].why));
    scene_end (&scene);
  }
}

static void
silent_qemu_costs_only_its_deadline (void **state)
{
  static const Line mute[] = { { NULL, NULL, 0, STALL }, { 0 } };
  static const Line silent[] = { { NULL, GREETING }, { CAPABILITIES, OK, 0, STALL }, { 0 } };
  Scene scene;

  (void)state;
  scene_begin (&scene, mute, &handlers);
  g_autofree char *unready = scene_talk (&scene, (const char *const[]){ NULL }, 1);
  g_autofree char *late = g_strdup_printf ("ready!%d\n", VIR_ERR_OPERATION_TIMEOUT);
  assert_string_equal (unready, late);
  scene_end (&scene);

  scene_begin (&scene, silent, &handlers);
  g_autofree char *answers = scene_talk (&scene, (const char *const[]){ "stop", NULL }, 1);
  assert_non_null (strstr (answers, "QEMU has not answered 'stop' in time"));
  scene_end (&scene);
}

static void
late_answer_is_dropped_and_others_go_on (void **state)
{
  static const Line lines[] = {
    { NULL, GREETING },
    { CAPABILITIES, OK },
    { "{\"execute\":\"first\",\"id\":1}\n", NULL },
    { "{\"execute\":\"second\",\"id\":2}\n", "{\"return\": 1, \"id\": 1}\n{\"return\": 2, \"id\": 2}\n", 0,
      STALL },
    { 0 },
  };
  Scene scene;

  (void)state;
  scene_begin (&scene, lines, &handlers);
  g_autofree char *late = scene_talk (&scene, (const char *const[]){ "first", NULL }, 1);
  assert_non_null (strstr (late, "in time"));
  g_autofree char *answers = scene_talk (&scene, (const char *const[]){ "second", NULL }, 10);
  assert_string_equal (answers, "second=2\n");
  scene_end (&scene);
}

static gboolean
cancel_job (gpointer data)
{
  job_cancel (data);
  return G_SOURCE_REMOVE;
}

static void
cancelled_job_does_not_wait_for_qemu (void **state)
{
  static const Line lines[] = { { NULL, GREETING }, { CAPABILITIES, OK, 0, STALL }, { 0 } };
  Scene scene;
  gboolean done = FALSE;

  (void)state;
  scene_begin (&scene, lines, &handlers);
  Talk said = { scene.qmp, (const char *const[]){ "stop", NULL }, g_string_new (NULL) };
  Job *job = job_start ("talk", talk, &said, NULL, 0, set_flag, &done);
  g_timeout_add (50, cancel_job, job);
  assert_true (run_main_loop_until (&done));
  g_autofree char *expected = g_strdup_printf ("stop!%d ", VIR_ERR_OPERATION_ABORTED);
  assert_true (g_str_has_prefix (said.answers->str, expected));
  g_string_free (said.answers, TRUE);
  scene_end (&scene);
}

typedef struct {
  guint count;
  guint wanted;
  gboolean all;
  int code;
  char *text;
} Replies;

static void
note_reply (JsonNode *answer, const GError *error, gpointer data)
{
  Replies *replies = data;

  g_clear_pointer (&replies->text, g_free);
  replies->text = answer != NULL ? json_to_string (answer, FALSE) : g_strdup (error->message);
  replies->code = error != NULL ? error->code : 0;
  replies->all = ++replies->count == replies->wanted;
}

static void
main_loop_asks_too (void **state)
{
  static const Line lines[] = {
    { NULL, GREETING },
    { CAPABILITIES "{\"execute\":\"balloon\",\"arguments\":{\"value\":7},\"id\":1}\n",
      OK "{\"return\": {}, \"id\": 1}\n" },
    { "{\"execute\":\"query-balloon\",\"id\":2}\n", NULL, 0, STALL },
    { 0 },
  };
  Scene scene;
  Replies first = { .wanted = 1 }, second = { .wanted = 1 }, third = { .wanted = 1 };
  JsonObject *arguments = json_object_new ();

  (void)state;
  json_object_set_int_member (arguments, "value", 7);
  scene_begin (&scene, lines, &handlers);
  qmp_query (scene.qmp, "balloon", arguments, 10, note_reply, &first);
  assert_true (run_main_loop_until (&first.all));
  assert_string_equal (first.text, "{}");
  qmp_query (scene.qmp, "query-balloon", NULL, 1, note_reply, &second);
  assert_true (run_main_loop_until (&second.all));
  assert_int_equal (second.code, VIR_ERR_OPERATION_TIMEOUT);
  qmp_close (scene.qmp);
  qmp_query (scene.qmp, "query-balloon", NULL, 1, note_reply, &third);
  assert_int_equal (third.count, 0); /* never from inside qmp_query */
  assert_true (run_main_loop_until (&third.all));
  assert_int_equal (third.code, VIR_ERR_OPERATION_FAILED);
  scene_end (&scene);
  g_free (first.text);
  g_free (second.text);
  g_free (third.text);
}

static void
silent_qemu_is_not_asked_for_ever (void **state)
{
  static const Line lines[] = { { NULL, GREETING }, { CAPABILITIES, OK, 0, STALL }, { 0 } };
  Scene scene;
  Replies replies = { .wanted = QMP_MAX_WAITING + 1 };

  (void)state;
  scene_begin (&scene, lines, &handlers);
  for (guint i = 0; i <= QMP_MAX_WAITING; i++)
    qmp_query (scene.qmp, "query-balloon", NULL, 100, note_reply, &replies);
  while (replies.count == 0)
    g_main_context_iteration (NULL, TRUE);
  assert_non_null (strstr (replies.text, "has left 256 commands unanswered"));
  qmp_close (scene.qmp);
  assert_true (replies.all);
  scene_end (&scene);
  g_free (replies.text);
}

/* What a flood comes to. */
typedef struct {
  guint events, turns;
  gboolean runs, open[3], ended, closed;
} Flood;

static void
flood_event (Qmp *qmp, const char *name, JsonObject *arguments, gint64 microseconds, gpointer data)
{
  Flood *flood = data;

  (void)qmp;
  (void)microseconds;
  flood->events++;
  if (g_str_equal (name, "VSERPORT_CHANGE"))
    flood->open[json_object_get_string_member (arguments, "id")[1] - '0'] =
        json_object_get_boolean_member (arguments, "open");
  else if (g_str_equal (name, "SHUTDOWN"))
    flood->ended = TRUE;
  else
    flood->runs = g_str_equal (name, "RESUME");
}

static void
flood_closed (Qmp *qmp, const GError *error, gpointer data)
{
  (void)qmp;
  (void)error;
  ((Flood *)data)->closed = TRUE;
}

static gboolean
count_turn (gpointer data)
{
  ((Flood *)data)->turns++;
  return G_SOURCE_CONTINUE;
}

static const QmpHandlers flood_handlers = { NULL, flood_event, flood_closed };

/* The last word of each is heard, in order; others have their turns meanwhile. */
static void
flood_of_events_is_bounded (void **state)
{
  g_autoptr (GString) text = g_string_new (OK);
  Flood flood = { 0 };
  Scene scene;
  guint idle;

  (void)state;
  for (guint i = 0; i < FLOOD_EVENTS; i++) {
    g_string_append (text, i % 2 == 0 ? "{\"event\": \"STOP\"}\n" : "{\"event\": \"RESUME\"}\n");
    if (i % 100 == 0)
      g_string_append_printf (text,
                              "{\"event\": \"VSERPORT_CHANGE\", \"data\": {\"id\": \"c%u\", \"open\": %s}}\n",
                              i % 3, i < FLOOD_EVENTS - 1000 ? "false" : "true");
  }
  g_string_append (text, "{\"event\": \"SHUTDOWN\"}\n");
  const Line lines[] = { { NULL, GREETING }, { CAPABILITIES, text->str, 0, HANG_UP }, { 0 } };
  scene_begin (&scene, lines, NULL);
  qmp_set_handlers (scene.qmp, &flood_handlers, &flood);
  idle = g_idle_add_full (G_PRIORITY_DEFAULT, count_turn, &flood, NULL);
  assert_true (run_main_loop_until (&flood.closed));
  g_source_remove (idle);
  assert_true (flood.runs && flood.ended && flood.open[0] && flood.open[1] && flood.open[2]);
  assert_in_range (flood.events, QMP_EVENTS_A_SECOND, FLOOD_EVENTS / 4);
  assert_true (flood.turns > 5);
  scene_end (&scene);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (commands_are_answered_by_number),
    cmocka_unit_test (answers_to_a_daemon_before_are_not_ours),
    cmocka_unit_test (events_wait_for_their_handlers),
    cmocka_unit_test (nonsense_ends_the_conversation),
    cmocka_unit_test (silent_qemu_costs_only_its_deadline),
    cmocka_unit_test (late_answer_is_dropped_and_others_go_on),
    cmocka_unit_test (cancelled_job_does_not_wait_for_qemu),
    cmocka_unit_test (main_loop_asks_too),
    cmocka_unit_test (silent_qemu_is_not_asked_for_ever),
    cmocka_unit_test (flood_of_events_is_bounded),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
