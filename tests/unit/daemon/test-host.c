/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host: what is asked of it, and what is opened and removed on it. */
#include "daemon/core/tree.h"
#include "daemon/host/account.h"
#include "daemon/host/node.h"
#include "daemon/host/ports.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char *directory;

static char *
in_directory (const char *name)
{
  return g_build_filename (directory, name, NULL);
}

static void
node_numbers_fit_together (void **state)
{
  g_auto (NodeInfo) info;
  NodeMemoryStats memory;
  NodeCpuStats all, first, none;
  g_autoptr (GError) error = NULL;

  (void)state;
  node_info_read (&info);
  assert_true (info.cpus >= 1 && info.cpus == (guint)sysconf (_SC_NPROCESSORS_ONLN));
  assert_int_equal (info.nodes * info.sockets * info.cores * info.threads, info.cpus);
  assert_true (node_memory_stats (&memory, NULL));
  assert_int_equal (memory.total, info.memory);
  assert_true (memory.free > 0 && memory.free < memory.total && memory.cached < memory.total);
  assert_true (node_cpu_stats (0, &first, NULL));
  assert_true (node_cpu_stats (-1, &all, NULL));
  assert_true (all.idle >= first.idle && all.user >= first.user && all.kernel >= first.kernel);
  assert_false (node_cpu_stats (100000, &none, &error));
  assert_int_equal (error->code, VIR_ERR_INVALID_ARG);

  g_autofree char *uuid = node_uuid (), *again = node_uuid (), *name = node_hostname ();
  assert_int_equal (strlen (uuid), 36);
  assert_string_equal (uuid, again);
  assert_true (*name != '\0');
}

static void
ports_are_given_once (void **state)
{
  g_autoptr (GError) error = NULL;

  (void)state;
  guint first = ports_take ("127.0.0.1", PORTS_VNC_FIRST, NULL);
  guint second = ports_take ("127.0.0.1", PORTS_VNC_FIRST, NULL);
  assert_true (first >= PORTS_VNC_FIRST && second > first);
  ports_release (second);
  assert_int_equal (ports_take ("127.0.0.1", PORTS_VNC_FIRST, NULL), second);
  ports_release (first);
  ports_release (second);

  /* One that somebody listens on is passed over. */
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", first);
  assert_true (g_socket_listener_add_address (listener, address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                              NULL, NULL, NULL));
  guint third = ports_take ("127.0.0.1", PORTS_VNC_FIRST, NULL);
  assert_true (third > first);
  ports_release (third);

  assert_int_equal (ports_take ("192.0.2.77", 65530, &error), 0); /* an address this host does not have */
  assert_non_null (strstr (error->message, "192.0.2.77"));
}

static void
account_opens_what_modes_allow (void **state)
{
  static const struct {
    mode_t directory, file;
    gboolean readable, writable;
  } rows[] = { { 0755, 0644, TRUE, FALSE }, { 0755, 0640, FALSE, FALSE }, { 0700, 0666, FALSE, FALSE },
               { 0711, 0604, TRUE, FALSE }, { 0711, 0606, TRUE, TRUE },   { 0755, 0662, FALSE, FALSE } };
  g_autoptr (Account) account = NULL;
  Settings settings = { .qemu_user = (char *)"nobody" };

  (void)state;
  if (geteuid () != 0)
    skip ();
  account = account_for_qemu (&settings, NULL);
  assert_string_equal (account->name, "nobody");
  g_autofree char *file = in_directory ("file"), *link = in_directory ("link"), *loop = in_directory ("loop");
  assert_true (g_file_set_contents (file, "x", 1, NULL));
  assert_int_equal (symlink (file, link), 0);
  assert_int_equal (symlink ("loop", loop), 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    assert_int_equal (g_chmod (directory, (int)rows[i].directory) | g_chmod (file, (int)rows[i].file), 0);
    assert_int_equal (account_can_read (account, file), rows[i].readable);
    assert_int_equal (account_can_read (account, link), rows[i].readable);
    assert_int_equal (account_can_write (account, file), rows[i].writable);
    assert_int_equal (account_can_write (account, link), rows[i].writable);
  }
  assert_false (account_can_read (account, "/nonexistent/file"));
  assert_false (account_can_read (account, loop));
  assert_false (account_can_write (account, "/nonexistent/file"));
}

static void
devices_are_open_to_their_group (void **state)
{
  static const struct {
    mode_t mode;
    gid_t group;
    gboolean usable;
  } rows[] = {
    { 0600, 0, FALSE }, { 0660, 0, FALSE }, { 0660, 12345, TRUE }, { 0640, 12345, FALSE }, { 0666, 0, TRUE }
  };
  g_autofree char *node = in_directory ("node");
  Settings settings = { .qemu_user = (char *)"nobody" };

  (void)state;
  if (geteuid () != 0)
    skip ();
  g_autoptr (Account) account = account_for_qemu (&settings, NULL);
  assert_true (g_file_set_contents (node, "", 0, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    assert_int_equal (chown (node, 0, rows[i].group) | g_chmod (node, (int)rows[i].mode), 0);
    g_autofree char *problem = account_device_problem (account, node);
    assert_int_equal (problem == NULL, rows[i].usable);
  }
  g_autofree char *absent = account_device_problem (account, "/nonexistent/kvm");
  assert_string_equal (absent, "/nonexistent/kvm: No such file or directory");
}

static void
missing_account_is_an_error (void **state)
{
  Settings settings = { .qemu_user = (char *)"no-such-user" };
  g_autoptr (GError) error = NULL;

  (void)state;
  if (geteuid () != 0)
    skip ();
  assert_null (account_for_qemu (&settings, &error));
  assert_non_null (strstr (error->message, "'no-such-user'"));

  settings.session = TRUE;
  g_autoptr (Account) own = account_for_qemu (&settings, NULL);
  assert_null (own->name);
  assert_int_equal (own->uid, geteuid ());
}

static void
trees_go_and_links_are_not_followed (void **state)
{
  g_autofree char *tree = in_directory ("tree"), *inner = in_directory ("tree/a/b"),
                  *link = in_directory ("tree/out");
  g_autofree char *file = in_directory ("tree/a/b/file"), *kept = in_directory ("kept"),
                  *inside = in_directory ("kept/file");

  (void)state;
  assert_int_equal (g_mkdir_with_parents (inner, 0700) | g_mkdir (kept, 0700), 0);
  assert_true (g_file_set_contents (file, "x", 1, NULL) && g_file_set_contents (inside, "x", 1, NULL));
  assert_int_equal (symlink (kept, link), 0);
  tree_remove (tree);
  assert_false (g_file_test (tree, G_FILE_TEST_EXISTS));
  assert_true (g_file_test (inside, G_FILE_TEST_EXISTS));
}

static int
make_directory (void **state)
{
  (void)state;
  directory = g_dir_make_tmp ("test-host-XXXXXX", NULL);
  return directory != NULL ? 0 : -1;
}

static int
remove_directory (void **state)
{
  (void)state;
  tree_remove (directory);
  g_free (directory);
  return 0;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (node_numbers_fit_together),      cmocka_unit_test (ports_are_given_once),
    cmocka_unit_test (account_opens_what_modes_allow), cmocka_unit_test (devices_are_open_to_their_group),
    cmocka_unit_test (missing_account_is_an_error),    cmocka_unit_test (trees_go_and_links_are_not_followed),
  };

  return cmocka_run_group_tests (tests, make_directory, remove_directory);
}
