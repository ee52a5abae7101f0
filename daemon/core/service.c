/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few lines of service protocol a daemon needs: readiness as a datagram, sockets by descriptor number,
 * and one instance a run directory. Small enough to be said here rather than to depend on a library for it.
 */
#include "daemon/core/service.h"

#include "base/scalars.h"
#include "daemon/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FIRST 3 /* the protocol's first descriptor */
#define LISTEN_MAX   64
#define MARK_MODE    0600

void
service_notify (const char *state)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gsize length = path != NULL ? strlen (path) : 0;
  int fd;

  if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
    return;
  memcpy (address.sun_path, path, length);
  if (path[0] == '@')
    address.sun_path[0] = '\0'; /* a name that is in no directory */
  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  if (sendto (fd, state, strlen (state), MSG_NOSIGNAL, (struct sockaddr *)&address,
              (socklen_t)(offsetof (struct sockaddr_un, sun_path) + length))
      < 0)
    g_warning ("cannot tell '%s' that we are ready: %s", path, g_strerror (errno));
  close (fd);
}

int *
service_listen_sockets (void)
{
  const char *pid_text = g_getenv ("LISTEN_PID"), *count_text = g_getenv ("LISTEN_FDS");
  guint64 pid = 0, count = 0;
  int *sockets;

  if (pid_text == NULL || count_text == NULL || !parse_uint (pid_text, G_MAXINT32, &pid)
      || (pid_t)pid != getpid () || !parse_uint (count_text, LISTEN_MAX, &count))
    count = 0;
  sockets = g_new (int, count + 1);
  for (guint64 i = 0; i < count; i++) {
    sockets[i] = LISTEN_FIRST + (int)i;
    fcntl (sockets[i], F_SETFD, FD_CLOEXEC);
  }
  sockets[count] = -1;
  return sockets;
}

gboolean
service_lock (const char *run_directory, GError **error)
{
  g_autofree char *path = g_build_filename (run_directory, "domaind.pid", NULL);
  g_autofree char *text = g_strdup_printf ("%d\n", getpid ());
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int fd;

  if (!store_make_directory (run_directory, 0755, error))
    return FALSE;
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0644); /* stays open: closing it would give the lock up */
  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s': %s", path, g_strerror (errno));
    return FALSE;
  }
  if (fcntl (fd, F_SETLK, &lock) == 0) {
    if (ftruncate (fd, 0) < 0 || write (fd, text, strlen (text)) < 0)
      g_debug ("%s: %s", path, g_strerror (errno));
    return TRUE;
  }
  if (fcntl (fd, F_GETLK, &lock) < 0)
    lock.l_pid = 0;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "another domaind (process %d) already serves '%s'",
                  (int)lock.l_pid, run_directory);
  close (fd);
  return FALSE;
}

gboolean
service_first_since_boot (const char *run_directory, const char *part)
{
  g_autofree char *name = g_strconcat (part, ".autostarted", NULL);
  g_autofree char *mark = g_build_filename (run_directory, name, NULL);
  g_autoptr (GError) error = NULL;

  if (g_file_test (mark, G_FILE_TEST_EXISTS))
    return FALSE;
  if (!g_file_set_contents_full (mark, "", 0, G_FILE_SET_CONTENTS_NONE, MARK_MODE, &error))
    g_warning ("what is marked for autostart will start again with the next daemon: %s", error->message);
  return TRUE;
}
