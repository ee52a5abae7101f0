/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A guest's consoles and channels, as descriptors. The daemon opens what QEMU offers (a pty or a socket) and
 * hands it over; what passes through it is no business of the main loop's. Two readers of one pty would each
 * get half of what the guest says, so a pty is locked for the time the descriptor is open anywhere: the lock
 * goes with it to the client and ends with the client. Force is for who wants it all the same: a client whose
 * stream passes through the daemon is cut off, one that has the descriptor itself shares it.
 */
#include "daemon/core/terminal.h"
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/agent.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/host/endpoint.h"
#include "daemon/ops/ops.h"
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/serial.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

#define OPEN_PATIENCE 5 /* seconds a client waits for QEMU to be done with the one before */

/* @name NULL means the first. */
static gboolean
is_asked_for (const Device *device, const char *channel_name, const char *name)
{
  return name == NULL || g_strcmp0 (device->alias, name) == 0
         || (channel_name != NULL && g_str_equal (channel_name, name));
}

/* A console, which is also called by its place among them: one that shows a serial port has that one's alias.
 * Else a serial or parallel device, which libvirt counts among them. */
static Chardev *
find_console (const DomainDef *def, const char *name)
{
  guint number = 0;

  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console) {
    g_autofree char *place = g_strdup_printf ("console%u", number++);

    if (is_asked_for (&console->device, place, name))
      return &console->source;
  }
  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial)
    if (is_asked_for (&serial->device, NULL, name))
      return &serial->source;
  DOMAIN_FOREACH_DEVICE (def, parallel_kind, DeviceParallel, parallel)
    if (name != NULL && is_asked_for (&parallel->device, NULL, name))
      return &parallel->source;
  return NULL;
}

static Chardev *
find_channel (const DomainDef *def, const char *name)
{
  DOMAIN_FOREACH_DEVICE (def, channel_kind, DeviceChannel, channel)
    if (is_asked_for (&channel->device, channel->name, name))
      return &channel->source;
  return NULL;
}

static int
open_pty (const char *path, pid_t qemu, gboolean force, GError **error)
{
  int fd = endpoint_open_pty (path, qemu, error);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) < 0 && !force) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "Active console session exists for this domain");
    close (fd);
    return -1;
  }
  return fd;
}

/* QEMU talks to one client of a socket at a time: a second one waits in its queue. A socket that QEMU
 * connects to is somebody else's, and one that the document names was made by a daemon, maybe one before
 * this: who wrote the document answers for both. The others QEMU makes, in a directory of its own. */
static pid_t
listener_of (const Domain *domain, const Chardev *chardev)
{
  g_autofree char *own = machine_directory (domain->manager->store, domain->uuid);
  g_autofree char *directory = g_path_get_dirname (chardev_path (chardev));

  return g_str_equal (directory, own) ? process_pid (domain->machine->process) : 0;
}

static gboolean
check_not_open (const char *path, const char *what, GError **error)
{
  if (!terminal_is_open (path))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "Active %s exists for this domain", what);
  return FALSE;
}

static int
open_chardev (const Domain *domain, const Chardev *chardev, const char *what, const char *name,
              gboolean force, GError **error)
{
  const char *path = chardev_path (chardev);

  if (path != NULL && force)
    terminal_take_over (path);
  if (path != NULL && !check_not_open (path, what, error))
    return -1;
  if (path != NULL && chardev->type == CHARDEV_PTY)
    return open_pty (path, process_pid (domain->machine->process), force, error);
  if (path != NULL && chardev->type == CHARDEV_UNIX)
    return endpoint_connect (path, listener_of (domain, chardev), 0, error);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                  "character device %s is not using a PTY or a UNIX socket: it is of type '%s'",
                  name != NULL ? name : "default", enum_table_name (&chardev_types, chardev->type));
  return -1;
}

static void
answer_open (Call *call, int fd, const char *path)
{
  call->descriptors = g_unix_fd_list_new_from_array (&fd, 1);
  call->terminal = g_strdup (path);
  call_answer_nothing (call);
}

/* A socket in whose queue there is no place: somebody has just closed it, and QEMU has not seen it yet. */
typedef struct {
  Call *call;
  char *path;
  pid_t listener;
  const char *session;
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  g_free (waiting->path);
  g_free (waiting);
}

static gpointer
wait_for_place (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Waiting *waiting = input;
  int fd = endpoint_connect (waiting->path, waiting->listener, OPEN_PATIENCE, error);

  return fd >= 0 ? GINT_TO_POINTER (fd) : NULL; /* 0 is the daemon's own input */
}

static void
place_got (gpointer result, const GError *error, gpointer data)
{
  const Waiting *waiting = data;
  GError *taken = NULL;

  if (result == NULL) {
    call_fail (waiting->call, g_error_copy (error));
  } else if (!check_not_open (waiting->path, waiting->session, &taken)) {
    close (GPOINTER_TO_INT (result));
    call_fail (waiting->call, taken);
  } else {
    answer_open (waiting->call, GPOINTER_TO_INT (result), waiting->path);
  }
}

static void
open_later (Call *call, const Chardev *chardev, const char *session)
{
  Waiting *waiting = g_new0 (Waiting, 1);

  *waiting =
      (Waiting){ call, g_strdup (chardev_path (chardev)), listener_of (call->domain, chardev), session };
  job_start ("open", wait_for_place, waiting, waiting_free, 2 * OPEN_PATIENCE, place_got, waiting);
}

/* @session is what a client has of it, @what what it is. */
static void
open_device (Call *call, Chardev *(*find) (const DomainDef *def, const char *name), const char *session,
             const char *what, gboolean force)
{
  const char *name = call_maybe_string (call, 1);
  GError *error = NULL;
  Chardev *chardev;
  int fd, problem;

  if (!domain_check_active (call->domain, &error)) {
    call_fail (call, error);
    return;
  }
  chardev = find (call->domain->machine->def, name);
  if (chardev == NULL) {
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "cannot find %s %s", what, name != NULL ? name : "<null>");
    return;
  }
  errno = 0;
  fd = open_chardev (call->domain, chardev, session, name, force, &error);
  problem = errno;
  if (fd >= 0) {
    answer_open (call, fd, chardev_path (chardev));
  } else if (chardev->type == CHARDEV_UNIX && problem == EAGAIN) {
    g_error_free (error);
    open_later (call, chardev, session);
  } else {
    call_fail (call, error);
  }
}

void
op_domain_open_console (Call *call)
{
  guint32 flags = call_uint (call, 2);

  if (call_check_flags (call, flags, VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE))
    open_device (call, find_console, "console session", "character device",
                 (flags & VIR_DOMAIN_CONSOLE_FORCE) != 0);
}

/* QEMU would give it to the client alone, and nobody else could ask the agent any more. */
static gboolean
is_the_agents (const Domain *domain, const char *name)
{
  if (domain->machine == NULL)
    return FALSE;
  DOMAIN_FOREACH_DEVICE (domain->machine->def, channel_kind, DeviceChannel, channel)
    if (is_asked_for (&channel->device, channel->name, name))
      return g_strcmp0 (channel->name, CHANNEL_OF_AGENT) == 0;
  return FALSE;
}

void
op_domain_open_channel (Call *call)
{
  guint32 flags = call_uint (call, 2);

  if (!call_check_flags (call, flags, VIR_DOMAIN_CHANNEL_FORCE))
    return;
  if (is_the_agents (call->domain, call_maybe_string (call, 1)))
    call_fail_with (call, VIR_ERR_OPERATION_FAILED,
                    "channel '" CHANNEL_OF_AGENT
                    "' is for the daemon's own talk with the guest agent; name another "
                    "channel, or give the agent a command");
  else
    open_device (call, find_channel, "channel stream", "channel", (flags & VIR_DOMAIN_CHANNEL_FORCE) != 0);
}
