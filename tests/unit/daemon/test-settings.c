/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings: where everything is by default, what a file changes, and every way a file can be wrong.
 */
#include "daemon/core/settings.h"

#include "cmocka-glib.h"
#include "temporary.h"

static Settings *
load_text (const char *text, const char *root, GError **error)
{
  char *directory = temporary_directory ();
  g_autofree char *file = g_build_filename (directory, "domaind.conf", NULL);
  Settings *settings;

  assert_true (g_file_set_contents (file, text, -1, NULL));
  settings = settings_load (FALSE, root, file, error);
  temporary_remove (directory);
  return settings;
}

static void
test_system_places (G_GNUC_UNUSED void **state)
{
  g_autoptr (Settings) settings = settings_load (FALSE, "/nowhere/at/all", NULL, NULL);

  assert_non_null (settings);
  assert_false (settings->session);
  assert_string_equal (settings->config_directory, "/nowhere/at/all/etc/domaind");
  assert_string_equal (settings->state_directory, "/nowhere/at/all/var/lib/domaind");
  assert_string_equal (settings->run_directory, "/nowhere/at/all/run/domaind");
  assert_string_equal (settings->log_directory, "/nowhere/at/all/var/log/domaind");
  assert_string_equal (settings->cache_directory, "/nowhere/at/all/var/cache/domaind");
  assert_null (settings->emulator);
  assert_string_equal (settings->qemu_user, "auto");
  assert_true (settings->sandbox);
  assert_string_equal (settings->log_level, "info");
}

static void
test_session_places (G_GNUC_UNUSED void **state)
{
  g_autoptr (Settings) settings = NULL;

  g_setenv ("XDG_STATE_HOME", "/home/someone/state", TRUE);
  settings = settings_load (TRUE, NULL, NULL, NULL);
  assert_non_null (settings);
  assert_string_equal (settings->state_directory, "/home/someone/state/domaind");
  assert_string_equal (settings->log_directory, "/home/someone/state/domaind/log");
}

static void
test_file_overrides (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Settings) settings = load_text ("# a comment\n"
                                             "[places]\nrun-directory = /srv/run\n"
                                             "[machines]\nemulator=/opt/qemu\nsandbox = no\ncall-timeout=7\n"
                                             "[clients]\nlibvirt-sockets = no\nsocket-group =\n"
                                             "[log]\nlevel=debug\nformat=text\n",
                                             "/root-directory", &error);

  assert_null (error);
  assert_string_equal (settings->run_directory, "/root-directory/srv/run");
  assert_string_equal (settings->emulator, "/opt/qemu"); /* the host's: not below the root */
  assert_false (settings->sandbox);
  assert_int_equal (settings->call_timeout, 7);
  assert_string_equal (settings->libvirt_sockets, "no");
  assert_string_equal (settings->socket_group, "");
  assert_string_equal (settings->log_level, "debug");
}

static void
test_mistakes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text, *message;
  } mistakes[] = {
    { "[machine]\nuser=a\n", "unknown group 'machine'; did you mean 'machines'?" },
    { "[machines]\nsandbx=yes\n", "[machines] unknown key 'sandbx'; did you mean 'sandbox'?" },
    { "[machines]\nuser=\n", "[machines] user: '' is not accepted; expected a name" },
    { "[machines]\nsandbox=maybe\n", "[machines] sandbox: 'maybe' is not accepted; expected 'yes' or 'no'" },
    { "[machines]\ncall-timeout=0\n", "'0' is not accepted; expected a number of seconds from 1 to 3600" },
    { "[machines]\ncall-timeout=10000\n", "'10000' is not accepted" },
    { "[machines]\ncall-timeout=-1\n", "'-1' is not accepted" },
    { "[places]\nrun-directory=here\n", "'here' is not accepted; expected an absolute path" },
    { "[clients]\nlibvirt-sockets=never\n", "'never' is not accepted; expected one of 'auto', 'yes', 'no'" },
    { "[log]\nlevel=loud\n", "expected one of 'error', 'warning', 'info', 'debug'" },
    { "no group\n", "domaind.conf: " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (Settings) settings = load_text (mistakes[i].text, NULL, &error);

    assert_null (settings);
    assert_true (g_error_matches (error, VIRT_ERROR, VIR_ERR_CONF_SYNTAX));
    if (strstr (error->message, mistakes[i].message) == NULL)
      fail_msg ("'%s' is not in '%s'", mistakes[i].message, error->message);
    assert_non_null (strstr (error->message, "domaind.conf"));
  }
}

static void
test_missing_file (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL;

  assert_null (settings_load (FALSE, NULL, "/nowhere/domaind.conf", &error));
  assert_non_null (strstr (error->message, "/nowhere/domaind.conf"));
}

/* The file that is installed names every key, each with the default it has without the file. */
static void
test_installed_file (G_GNUC_UNUSED void **state)
{
  g_autofree char *text = NULL;
  g_autoptr (GString) uncommented = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (Settings) plain = settings_load (FALSE, NULL, SETTINGS_FILE, &error);
  g_autoptr (Settings) said = NULL;

  assert_null (error);
  assert_true (g_file_get_contents (SETTINGS_FILE, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    g_string_append_printf (uncommented, "%s\n", *line + ((*line)[0] == '#' && g_ascii_islower ((*line)[1])));
  said = load_text (uncommented->str, NULL, &error);
  assert_null (error);
  assert_string_equal (said->config_directory, plain->config_directory);
  assert_string_equal (said->state_directory, plain->state_directory);
  assert_string_equal (said->run_directory, plain->run_directory);
  assert_string_equal (said->log_directory, plain->log_directory);
  assert_string_equal (said->cache_directory, plain->cache_directory);
  assert_string_equal (said->qemu_user, plain->qemu_user);
  assert_int_equal (said->sandbox, plain->sandbox);
  assert_int_equal (said->start_timeout, plain->start_timeout);
  assert_int_equal (said->call_timeout, plain->call_timeout);
  assert_int_equal (said->shutdown_timeout, plain->shutdown_timeout);
  assert_string_equal (said->libvirt_sockets, plain->libvirt_sockets);
  assert_string_equal (said->authentication, plain->authentication);
  assert_string_equal (said->socket_group, plain->socket_group);
  assert_string_equal (said->log_level, plain->log_level);
  assert_string_equal (said->log_format, plain->log_format);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_system_places),  cmocka_unit_test (test_session_places),
    cmocka_unit_test (test_file_overrides), cmocka_unit_test (test_mistakes),
    cmocka_unit_test (test_missing_file),   cmocka_unit_test (test_installed_file),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
