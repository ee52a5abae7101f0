/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The listening sockets of the RPC wire and the list of its clients. Who may connect is mostly the sockets'
 * own business: without polkit the read-write one is open to root and a group, the read-only one to
 * everybody; with polkit both are open, and polkit is asked.
 */

#include "daemon/rpc/server.h"

#include "daemon/core/watch.h"
#include "daemon/rpc/client.h"
#include "daemon/rpc/socket-file.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPTS_IN_A_ROW 64
#define FULL_PAUSE_MS    100 /* before more are accepted when descriptors or places have run out */

typedef struct {
  RpcServer *server;
  int fd;
  char *path;
  SocketFile *file; /* removed at the end; NULL: a service manager's */
  gboolean read_only;
  gboolean full; /* there was no place at the last turn */
  guint source;
} Listener;

struct RpcServer {
  Manager *manager;
  GPtrArray *listeners;
  GHashTable *clients; /* RpcClient → itself; each holds a reference */
};

static void
listener_free (gpointer data)
{
  Listener *listener = data;

  g_clear_handle_id (&listener->source, g_source_remove);
  close (listener->fd);
  socket_file_free (listener->file);
  g_free (listener->path);
  g_free (listener);
}

static gboolean on_connection (gint fd, GIOCondition condition, gpointer data);

static gboolean
listen_again (gpointer data)
{
  Listener *listener = data;

  listener->source = watch_fd (listener->fd, G_IO_IN, on_connection, listener, NULL);
  return G_SOURCE_REMOVE;
}

typedef enum { ACCEPTED, NOBODY_WAITS, NO_PLACE } Accepted;

static Accepted
accept_one (Listener *listener)
{
  RpcServer *server = listener->server;
  RpcClient *client;
  int fd;

  if (rpc_server_count (server) >= server->manager->settings->max_clients)
    return NO_PLACE;
  fd = accept4 (listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
    return ACCEPTED;
  if (fd < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK ? NOBODY_WAITS : NO_PLACE;
  client = rpc_client_new (server, server->manager, fd, listener->read_only);
  if (client != NULL)
    g_hash_table_add (server->clients, client);
  return ACCEPTED;
}

/* Whoever waits is not forgotten, and nobody else waits for it. */
static gboolean
pause_accepting (Listener *listener)
{
  if (!listener->full)
    g_warning ("no place for another client: %u are connected", rpc_server_count (listener->server));
  listener->full = TRUE;
  listener->source = g_timeout_add (FULL_PAUSE_MS, listen_again, listener);
  return G_SOURCE_REMOVE;
}

static gboolean
on_connection (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Listener *listener = data;

  for (guint i = 0; i < ACCEPTS_IN_A_ROW; i++) {
    Accepted accepted = accept_one (listener);

    if (accepted == NO_PLACE)
      return pause_accepting (listener);
    listener->full = FALSE;
    if (accepted == NOBODY_WAITS)
      break;
  }
  return G_SOURCE_CONTINUE;
}

static void
add_listener (RpcServer *server, int fd, const char *path, SocketFile *file, gboolean read_only)
{
  Listener *listener = g_new0 (Listener, 1);

  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  *listener = (Listener){ server, fd, g_strdup (path), file, read_only, FALSE, 0 };
  listener->source = watch_fd (fd, G_IO_IN, on_connection, listener, NULL);
  g_ptr_array_add (server->listeners, listener);
}

/* Is somebody listening on @address? One who accepts nobody is as alive, and is not waited for. */
static gboolean
is_alive (const struct sockaddr_un *address)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean alive = connect (fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;

  close (fd);
  return alive;
}

static void
give_to_group (const Settings *settings, const char *path, gboolean read_only)
{
  gboolean open_to_all = read_only || g_str_equal (settings->authentication, "polkit");
  struct group *group = settings->socket_group[0] != '\0' ? getgrnam (settings->socket_group) : NULL;

  if (settings->session)
    chmod (path, 0700);
  else if (open_to_all)
    chmod (path, 0777);
  else if (group != NULL && chown (path, (uid_t)-1, group->gr_gid) == 0)
    chmod (path, 0770);
  else
    chmod (path, 0700);
}

/* Is @path one of those that a service manager has given us? */
static gboolean
is_listened_at (const RpcServer *server, const char *path)
{
  for (guint i = 0; i < server->listeners->len; i++) {
    const Listener *listener = g_ptr_array_index (server->listeners, i);

    if (g_strcmp0 (listener->path, path) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
listen_at (RpcServer *server, const char *path, gboolean read_only, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  mode_t mask;
  int fd, bound;

  if (is_listened_at (server, path))
    return TRUE;
  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                    "socket path '%s' is longer than %zu bytes: choose a shorter run directory", path,
                    sizeof address.sun_path - 1);
    return FALSE;
  }
  if (is_alive (&address)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "socket '%s' is held by another daemon", path);
    return FALSE;
  }
  unlink (path);
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* Nobody gets in between the socket's making and its permissions. */
  mask = umask (0077);
  bound = bind (fd, (struct sockaddr *)&address, sizeof address);
  umask (mask);
  if (bound == 0)
    give_to_group (server->manager->settings, path, read_only);
  if (bound < 0 || listen (fd, (int)server->manager->settings->max_queued_clients) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot listen on '%s': %s", path, g_strerror (errno));
    close (fd);
    return FALSE;
  }
  add_listener (server, fd, path, socket_file_new (path), read_only);
  return TRUE;
}

static gboolean
listen_in (RpcServer *server, const char *directory, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *read_only = g_strconcat (path, "-ro", NULL);

  if (g_mkdir_with_parents (directory, 0755) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make directory '%s': %s", directory,
                    g_strerror (errno));
    return FALSE;
  }
  /* Session daemons have no second socket: their clients say read-only when they open. */
  return listen_at (server, path, FALSE, error)
         && (server->manager->settings->session || listen_at (server, read_only, TRUE, error));
}

/* "auto" means yes where no libvirt daemon could want the places for itself. */
static gboolean
wants_libvirt_sockets (const Settings *settings)
{
  static const char *const daemons[] = { "/usr/sbin/libvirtd", "/usr/sbin/virtqemud" };

  if (!g_str_equal (settings->libvirt_sockets, "auto"))
    return g_str_equal (settings->libvirt_sockets, "yes");
  for (guint i = 0; i < G_N_ELEMENTS (daemons); i++) {
    if (settings->root == NULL && g_file_test (daemons[i], G_FILE_TEST_IS_EXECUTABLE))
      return FALSE;
  }
  return TRUE;
}

/* Where libvirt's clients look: beside our own run directory, under libvirt's name. */
static gboolean
listen_for_libvirt (RpcServer *server, GError **error)
{
  const Settings *settings = server->manager->settings;
  g_autofree char *parent = g_path_get_dirname (settings->run_directory);
  g_autofree char *directory = g_build_filename (parent, "libvirt", NULL);
  guint before = server->listeners->len;
  g_autoptr (GError) refused = NULL;

  if (!wants_libvirt_sockets (settings))
    return TRUE;
  if (listen_in (server, directory, "virtqemud-sock", &refused)
      && listen_in (server, directory, "libvirt-sock", &refused))
    return TRUE;
  /* All of the places or none: which of them a client tries first is its own affair. */
  g_ptr_array_set_size (server->listeners, (int)before);
  if (g_str_equal (settings->libvirt_sockets, "auto")) {
    g_warning ("not listening where libvirt's clients look by default: %s", refused->message);
    return TRUE;
  }
  g_propagate_prefixed_error (error, g_steal_pointer (&refused),
                              "the setting libvirt-sockets=yes cannot be followed: stop and disable the "
                              "libvirt daemon, or set it to no: ");
  return FALSE;
}

/* A service manager's sockets are told apart by their names. */
static void
take_activated (RpcServer *server, const int *activated)
{
  for (guint i = 0; activated != NULL && activated[i] >= 0; i++) {
    struct sockaddr_un address = { 0 };
    socklen_t length = sizeof address;
    g_autofree char *path = NULL;

    if (getsockname (activated[i], (struct sockaddr *)&address, &length) < 0 || address.sun_family != AF_UNIX)
      continue;
    path = g_strndup (address.sun_path, sizeof address.sun_path);
    add_listener (server, activated[i], path, NULL, g_str_has_suffix (path, "-ro"));
  }
}

RpcServer *
rpc_server_new (Manager *manager, const int *activated, GError **error)
{
  g_autoptr (RpcServer) server = g_new0 (RpcServer, 1);

  server->manager = manager;
  server->listeners = g_ptr_array_new_with_free_func (listener_free);
  server->clients = g_hash_table_new (NULL, NULL);
  take_activated (server, activated);
  if (server->listeners->len == 0
      && !listen_in (server, manager->settings->run_directory, "libvirt-sock", error))
    return NULL;
  if (!listen_for_libvirt (server, error))
    return NULL;
  return g_steal_pointer (&server);
}

void
rpc_server_free (RpcServer *server)
{
  g_autoptr (GList) clients = NULL;

  if (server == NULL)
    return;
  g_ptr_array_unref (server->listeners);
  clients = g_hash_table_get_keys (server->clients);
  for (GList *item = clients; item != NULL; item = item->next)
    rpc_client_abandon (item->data);
  g_hash_table_unref (server->clients);
  g_free (server);
}

gboolean
rpc_server_uses_polkit (const RpcServer *server)
{
  return !server->manager->settings->session
         && g_str_equal (server->manager->settings->authentication, "polkit");
}

void
rpc_server_forget (RpcServer *server, RpcClient *client)
{
  g_hash_table_remove (server->clients, client);
}

guint
rpc_server_count (const RpcServer *server)
{
  return g_hash_table_size (server->clients);
}
