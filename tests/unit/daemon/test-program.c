/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that end well, badly, and not at all, without a job. */
#include "daemon/host/program.h"

#include "cmocka-glib.h"

#include <unistd.h>

static void
program_says_how_it_ended (void **state)
{
  static const struct {
    const char *script;
    guint seconds;
    virErrorNumber code; /* VIR_ERR_OK: it succeeds */
    const char *text;
  } rows[] = {
    { "exit 0", 0, VIR_ERR_OK, NULL },
    { "echo nothing wrong >&2", 10, VIR_ERR_OK, NULL },
    { "echo first >&2; echo no such bridge >&2; exit 3", 10, VIR_ERR_OPERATION_FAILED,
      "first\nno such bridge" },
    { "exit 3", 10, VIR_ERR_OPERATION_FAILED, "it ended with status 3" },
    { "kill -KILL $$", 10, VIR_ERR_OPERATION_FAILED, "it was ended by signal 9" },
    { "exec sleep 1000", 1, VIR_ERR_OPERATION_TIMEOUT, "the work on 'sh' took too long" },
    /* What it leaves behind keeps its words open, and nobody waits for that. */
    { "sleep 5 & exit 0", 10, VIR_ERR_OK, NULL },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *const arguments[] = { "sh", "-c", rows[i].script, NULL };
    g_autoptr (GError) error = NULL;
    gboolean good =
        program_succeeds (&(ProgramRun){ .arguments = arguments, .seconds = rows[i].seconds }, &error);

    if (good != (rows[i].code == VIR_ERR_OK)
        || (!good
            && (virt_error_code (error) != rows[i].code
                || !g_str_equal (virt_error_detail (error), rows[i].text))))
      fail_msg ("%s: %s", rows[i].script, good ? "it succeeded" : error->message);
  }
}

static void
program_gets_its_descriptor_and_nothing_else (void **state)
{
  static const char *const arguments[] = { "sh", "-c", "echo here >&3; test ! -e /proc/self/fd/4", NULL };
  int pair[2];
  char text[8] = "";

  (void)state;
  assert_int_equal (pipe (pair), 0);
  assert_true (
      program_succeeds (&(ProgramRun){ .arguments = arguments, .files = &pair[1], .file_count = 1 }, NULL));
  assert_int_equal (read (pair[0], text, sizeof text - 1), 5);
  assert_string_equal (text, "here\n");
  close (pair[0]);
  close (pair[1]);
}

static void
missing_program_is_named (void **state)
{
  static const char *const arguments[] = { "no-such-program-here", NULL };
  g_autoptr (GError) error = NULL;

  (void)state;
  assert_false (program_succeeds (&(ProgramRun){ .arguments = arguments }, &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_OPERATION_UNSUPPORTED);
  assert_non_null (strstr (error->message, "the program 'no-such-program-here' is not installed"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (program_says_how_it_ended),
    cmocka_unit_test (program_gets_its_descriptor_and_nothing_else),
    cmocka_unit_test (missing_program_is_named),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
