/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a QEMU that lies may say its consoles and sockets are, and what is opened of it. The test is the QEMU.
 */
#include "daemon/host/endpoint.h"

#include "cmocka-glib.h"
#include "temporary.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
only_a_pty_has_the_name_of_one (void **state)
{
  static const char *const others[] = {
    "/dev/pts/",   "/dev/pts/ptmx", "/dev/pts/../../etc/x",   "/dev/pts/1/",
    "/dev/pts/-1", "/dev/pts/+1",   "/dev/pts/1/../ptmx",     "/dev/pts/ 1",
    "/dev/pts0",   "dev/pts/0",     "/dev/pts/9999999999999", ""
  };

  (void)state;
  assert_true (endpoint_is_pty_path ("/dev/pts/0"));
  assert_true (endpoint_is_pty_path ("/dev/pts/1048575"));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    assert_false (endpoint_is_pty_path (others[i]));
}

static void
assert_no_pty (const char *path, pid_t owner, virErrorNumber code)
{
  g_autoptr (GError) error = NULL;

  assert_int_equal (endpoint_open_pty (path, owner, &error), -1);
  assert_int_equal (error->code, code);
  assert_non_null (strstr (error->message, path));
}

static void
a_pty_is_opened_for_who_holds_its_master (void **state)
{
  int master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC), fd;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  char byte = 0;

  (void)state;
  assert_true (master >= 0 && grantpt (master) == 0 && unlockpt (master) == 0);
  name = g_strdup (ptsname (master));
  fd = endpoint_open_pty (name, getpid (), &error);
  g_assert_no_error (error);
  assert_int_equal (write (master, "x\n", 2), 2);
  while (read (fd, &byte, 1) != 1)
    ;
  assert_int_equal (byte, 'x');
  close (fd);
  assert_no_pty (name, getppid (), VIR_ERR_OPERATION_FAILED); /* somebody else's terminal */
  assert_no_pty ("/dev/pts/../../etc/hostname", getpid (), VIR_ERR_OPERATION_FAILED);
  close (master);
  assert_no_pty (name, getpid (), VIR_ERR_SYSTEM_ERROR);
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  assert_true (strlen (path) < sizeof address.sun_path);
  memcpy (address.sun_path, path, strlen (path) + 1);
  assert_int_equal (bind (fd, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal (listen (fd, 4), 0);
  return fd;
}

static void
a_socket_is_connected_to_where_its_owner_listens (void **state)
{
  char *directory = temporary_directory ();
  g_autofree char *path = g_build_filename (directory, "socket", NULL);
  g_autofree char *link = g_build_filename (directory, "link", NULL);
  g_autofree char *file = g_build_filename (directory, "file", NULL);
  g_autoptr (GError) error = NULL;
  int listening = listen_at (path);
  int fd = endpoint_connect (path, getpid (), 0, &error);

  (void)state;
  g_assert_no_error (error);
  close (fd);
  assert_int_equal (endpoint_connect (path, getppid (), 0, &error), -1); /* another program's socket */
  assert_int_equal (error->code, VIR_ERR_SYSTEM_ERROR);
  assert_int_equal (symlink (path, link), 0);
  assert_int_equal (endpoint_connect (link, getpid (), 0, NULL), -1);
  fd = endpoint_connect (link, 0, 0, NULL); /* a name of the document's may be a link */
  assert_true (fd >= 0);
  close (fd);
  assert_true (g_file_set_contents (file, "", 0, NULL));
  assert_int_equal (endpoint_connect (file, getpid (), 0, NULL), -1);
  close (listening);
  temporary_remove (directory);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (only_a_pty_has_the_name_of_one),
    cmocka_unit_test (a_pty_is_opened_for_who_holds_its_master),
    cmocka_unit_test (a_socket_is_connected_to_where_its_owner_listens),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
