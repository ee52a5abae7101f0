/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A socket is bound under its own path, so that QEMU shows that path to who asks, and belongs to the
 * machine's account, as one that QEMU had made. Only a socket is ever removed: a file that somebody keeps
 * under the name is an error, and stays. Paths may be on a file system that does not answer.
 */
#include "daemon/drivers/qemu/listening.h"

#include "daemon/core/blocking.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENING_BACKLOG 1    /* QEMU takes one client at a time, and asks for as much */
#define LISTENING_MODE    0775 /* as of one that QEMU makes under libvirt's umask */

typedef struct {
  char *path;
  uid_t owner; /* -1: whose it becomes */
  gid_t group;
} Wanted;

static void
wanted_free (gpointer data)
{
  Wanted *wanted = data;

  g_free (wanted->path);
  g_free (wanted);
}

static gboolean
remove_socket (const char *path)
{
  struct stat status;

  return lstat (path, &status) != 0 || !S_ISSOCK (status.st_mode) || unlink (path) == 0 || errno == ENOENT;
}

static gboolean
check_length (const char *path, GError **error)
{
  const struct sockaddr_un address;

  if (strlen (path) < sizeof address.sun_path)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "UNIX socket path '%s' too long", path);
  return FALSE;
}

/* A result is never NULL: the descriptor and one. */
static gpointer
listen_at (gpointer input, GError **error)
{
  const Wanted *wanted = input;
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  if (!check_length (wanted->path, error))
    return NULL;
  memcpy (address.sun_path, wanted->path, strlen (wanted->path) + 1);
  if (!remove_socket (wanted->path)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to unlink %s: %s", wanted->path, g_strerror (errno));
    return NULL;
  }
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && bind (fd, (const struct sockaddr *)&address, sizeof address) == 0
      && chmod (wanted->path, LISTENING_MODE) == 0 && lchown (wanted->path, wanted->owner, wanted->group) == 0
      && listen (fd, LISTENING_BACKLOG) == 0)
    return GINT_TO_POINTER (fd + 1);
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to bind to UNIX socket path '%s': %s", wanted->path,
                  g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return NULL;
}

static void
close_unwanted (gpointer result)
{
  close (GPOINTER_TO_INT (result) - 1);
}

static gboolean
open_one (const Device *device, const char *run_directory, const Account *account, Files *files,
          GError **error)
{
  const char *path = qemu_listening_socket (device, run_directory);
  g_autofree char *name = NULL;
  Wanted *wanted;
  gpointer opened;

  if (path == NULL)
    return TRUE;
  wanted = g_new0 (Wanted, 1);
  *wanted = (Wanted){ g_strdup (path), (uid_t)-1, (gid_t)-1 };
  if (account->name != NULL) {
    wanted->owner = account->uid;
    wanted->group = account->gid;
  }
  opened = blocking_run (listen_at, wanted, wanted_free, close_unwanted, error);
  if (opened == NULL)
    return FALSE;
  name = g_strconcat (device->alias, "-", QEMU_LISTENING, NULL);
  files_offer (files, name, GPOINTER_TO_INT (opened) - 1);
  return TRUE;
}

static gpointer
look_at_place (gpointer data, GError **error)
{
  const char *path = data;
  g_autofree char *directory = g_path_get_dirname (path);
  struct stat status;
  int problem = access (directory, W_OK | X_OK) != 0                       ? errno
                : lstat (path, &status) == 0 && !S_ISSOCK (status.st_mode) ? EADDRINUSE
                                                                           : 0;

  if (!check_length (path, error))
    return NULL;
  if (problem == 0)
    return GINT_TO_POINTER (TRUE);
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to bind to UNIX socket path '%s': %s", path,
                  g_strerror (problem));
  return NULL;
}

gboolean
listening_check (const Device *device, const char *run_directory, GError **error)
{
  const char *path = qemu_listening_socket (device, run_directory);

  return path == NULL || blocking_run (look_at_place, g_strdup (path), g_free, NULL, error) != NULL;
}

gboolean
listening_open (const DomainDef *def, const Device *device, const char *run_directory, const Account *account,
                Files *files, GError **error)
{
  if (device != NULL)
    return open_one (device, run_directory, account, files, error);
  for (guint i = 0; i < def->devices->len; i++)
    if (!open_one (g_ptr_array_index (def->devices, i), run_directory, account, files, error))
      return FALSE;
  return TRUE;
}

void
listening_close (const Device *device, const char *run_directory)
{
  const char *path = qemu_listening_socket (device, run_directory);

  if (path != NULL && !remove_socket (path))
    g_warning ("cannot remove the socket '%s': %s", path, g_strerror (errno));
}

static gpointer
close_paths (gpointer data)
{
  g_auto (GStrv) paths = data;

  for (guint i = 0; paths[i] != NULL; i++)
    remove_socket (paths[i]);
  return NULL;
}

void
listening_close_later (DomainDef *def, const char *run_directory)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  gboolean any = FALSE;

  for (guint i = 0; def != NULL && i < def->devices->len; i++) {
    const char *path = qemu_listening_socket (g_ptr_array_index (def->devices, i), run_directory);

    if (path != NULL)
      g_strv_builder_add (paths, path);
    any = any || path != NULL;
  }
  if (any) {
    GThread *thread = g_thread_try_new ("sockets", close_paths, g_strv_builder_end (paths), NULL);

    if (thread != NULL)
      g_thread_unref (thread);
  }
}
