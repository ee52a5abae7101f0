/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who else serves this host's libvirt clients. The bus and the kernel are asked, not the daemon: it may have
 * been there first, and knows only of the places that it has lost.
 */

#include "cli/beside.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSTEM_SOCKETS    "/run/libvirt"
#define BUS_TIMEOUT       (5 * 1000) /* milliseconds; it is the bus itself that answers */
#define PROGRAM_NAME_FILE "/proc/%u/comm"

static void
neighbour_free (gpointer data)
{
  Neighbour *neighbour = data;

  g_free (neighbour->place);
  g_free (neighbour->program);
  g_free (neighbour);
}

/* The process that owns @name on the bus; 0: nobody does. */
static guint32
name_owner (GDBusConnection *bus, const char *name)
{
  g_autoptr (GVariant) answer = g_dbus_connection_call_sync (
      bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "GetConnectionUnixProcessID", g_variant_new ("(s)", name), G_VARIANT_TYPE ("(u)"),
      G_DBUS_CALL_FLAGS_NONE, BUS_TIMEOUT, NULL, NULL);
  guint32 pid = 0;

  if (answer != NULL)
    g_variant_get (answer, "(u)", &pid);
  return pid;
}

/* The process that listens at @path; 0: nobody does. */
static guint32
socket_owner (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct ucred credentials = { 0 };
  socklen_t length = sizeof credentials;
  int fd;

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    return 0;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return 0;
  if (connect (fd, (const struct sockaddr *)&address, sizeof address) < 0
      || getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
    credentials.pid = 0;
  close (fd);
  return (guint32)credentials.pid;
}

static char *
program_name (guint32 pid)
{
  g_autofree char *path = g_strdup_printf (PROGRAM_NAME_FILE, pid);
  char *name = NULL;

  return g_file_get_contents (path, &name, NULL, NULL) ? g_strchomp (name) : g_strdup ("?");
}

static void
look (GPtrArray *neighbours, const char *place, guint32 pid, guint32 own)
{
  g_autofree char *program = pid != 0 && pid != own ? program_name (pid) : NULL;
  Neighbour *neighbour;

  /* A service manager listens for whom it will start. */
  if (program == NULL || g_str_equal (program, "systemd"))
    return;
  neighbour = g_new0 (Neighbour, 1);
  *neighbour = (Neighbour){ g_strdup (place), g_steal_pointer (&program), pid };
  g_ptr_array_add (neighbours, neighbour);
}

GPtrArray *
beside_find (Connection *connection)
{
  static const char *const names[] = { "virtqemud-sock", "libvirt-sock" };
  GPtrArray *neighbours = g_ptr_array_new_with_free_func (neighbour_free);
  guint32 own = name_owner (connection_bus (connection), DAEMON_BUS_NAME);
  g_autofree char *directory = connection_is_session (connection)
                                   ? g_build_filename (g_get_user_runtime_dir (), "libvirt", NULL)
                                   : g_strdup (SYSTEM_SOCKETS);

  look (neighbours, LIBVIRT_BUS_NAME, name_owner (connection_bus (connection), LIBVIRT_BUS_NAME), own);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (directory, names[i], NULL);

    look (neighbours, path, socket_owner (path), own);
  }
  return neighbours;
}
