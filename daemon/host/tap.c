/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Taps are made by opening them, and the kernel removes them with their last descriptor: one that is QEMU's
 * goes with QEMU, whatever becomes of the daemon. Names count up and are not soon used again, so that who
 * still speaks of the last "vnet3" does not meet another's. A macvtap's character device is found without
 * udev and without /sys: in a sysfs of our own network namespace that nobody else sees.
 */
#include "daemon/host/tap.h"

#include "daemon/host/link.h"
#include "daemon/host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NAME_TRIES  1024        /* names of other's links that are passed over */
#define NAME_LAST   0x7fffffffU /* then the count begins again */
#define MAC_KEPT    "domaind "  /* and the parent's MAC address: alias of a macvtap in mode passthrough */
#define DEVICE_TEXT 32

static void
close_all (int *fds, guint count)
{
  for (guint i = 0; i < count; i++)
    close (fds[i]);
}

/* (transfer full) */
static char *
next_name (const char *prefix, gint *counter)
{
  for (guint i = 0; i < NAME_TRIES; i++) {
    guint number = (guint)g_atomic_int_add (counter, 1) & NAME_LAST;
    g_autofree char *name = g_strdup_printf ("%s%u", prefix, number);

    if (!link_exists (name))
      return g_steal_pointer (&name);
  }
  return g_strdup_printf ("%s%u", prefix, (guint)g_atomic_int_add (counter, 1) & NAME_LAST);
}

static gboolean
set_up_queue (int fd, const char *name, guint count, gboolean header)
{
  struct ifreq request = { 0 };

  request.ifr_flags =
      (short)(IFF_TAP | IFF_NO_PI | (header ? IFF_VNET_HDR : 0) | (count > 1 ? IFF_MULTI_QUEUE : 0));
  if (name != NULL)
    g_strlcpy (request.ifr_name, name, sizeof request.ifr_name);
  return ioctl (fd, TUNSETIFF, &request) == 0;
}

static int
open_device (const char *device, GError **error)
{
  int fd = open (device, O_RDWR | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to open %s, is tun module loaded?: %s", device,
                    g_strerror (errno));
  return fd;
}

/* 0, or the errno of what could not be done; -1 with @error set: the device cannot be opened. */
static int
open_queues (const char *name, const char *device, guint count, gboolean header, int *fds, GError **error)
{
  for (guint i = 0; i < count; i++) {
    fds[i] = open_device (device, error);
    if (fds[i] < 0) {
      close_all (fds, i);
      return -1;
    }
    if (!set_up_queue (fds[i], name, count, header)) {
      int problem = errno;

      close_all (fds, i + 1);
      return problem;
    }
  }
  return 0;
}

gboolean
tap_keep (int fd, const char *name, uid_t owner, GError **error)
{
  if (ioctl (fd, TUNSETOWNER, (unsigned long)owner) == 0 && ioctl (fd, TUNSETPERSIST, 1UL) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot keep the tap '%s': %s", name, g_strerror (errno));
  return FALSE;
}

gboolean
tap_open (char **name, const char *device, guint count, gboolean header, int *fds, GError **error)
{
  static gint counter;
  gboolean is_made = *name == NULL;
  int problem = EBUSY;

  for (guint i = 0; i < NAME_TRIES && problem == EBUSY; i++) {
    g_autofree char *chosen = is_made ? next_name (TAP_MADE_PREFIX, &counter) : g_strdup (*name);

    problem = open_queues (chosen, device != NULL ? device : TAP_DEVICE, count, header, fds, error);
    if (problem == 0) {
      g_free (*name);
      *name = g_steal_pointer (&chosen);
      return TRUE;
    }
    if (!is_made)
      break;
  }
  if (problem > 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to create tap device %s: %s",
                    *name != NULL ? *name : TAP_MADE_PREFIX, g_strerror (problem));
  return FALSE;
}

#define BRIDGE_HELPER_FD      "--fd=3" /* PROGRAM_FD */
#define BRIDGE_HELPER_SECONDS 10

static const char *const helpers[] = { "/usr/lib/qemu/qemu-bridge-helper",
                                       "/usr/libexec/qemu-bridge-helper" };

/* The one descriptor that comes with a byte; -1 when the sender ended without it. */
static int
receive_descriptor (int socket)
{
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  char byte;
  struct iovec data = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  struct cmsghdr *header;
  int fd = -1;

  if (recvmsg (socket, &message, MSG_CMSG_CLOEXEC) <= 0)
    return -1;
  header = CMSG_FIRSTHDR (&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
      && header->cmsg_len == CMSG_LEN (sizeof (int)))
    memcpy (&fd, CMSG_DATA (header), sizeof fd);
  return fd;
}

static const char *
helper_program (void)
{
  return access (helpers[0], X_OK) == 0 ? helpers[0] : helpers[1];
}

gboolean
tap_check_helper (const char *bridge, GError **error)
{
  if (access (helper_program (), X_OK) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "a daemon without the rights of root needs qemu-bridge-helper to join bridge '%s', and it "
                  "is not installed (package qemu-system-common)",
                  bridge);
  return FALSE;
}

gboolean
tap_open_by_helper (char **ret_name, const char *bridge, gboolean header, int *ret_fd, GError **error)
{
  const char *program = helper_program ();
  g_autofree char *bridge_option = g_strconcat ("--br=", bridge, NULL);
  const char *const arguments[] = { program, BRIDGE_HELPER_FD, bridge_option, header ? "--use-vnet" : NULL,
                                    NULL };
  g_autoptr (GError) problem = NULL;
  struct ifreq request = { 0 };
  gboolean good;
  int pair[2];

  if (!tap_check_helper (bridge, error))
    return FALSE;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make a socket: %s", g_strerror (errno));
    return FALSE;
  }
  good = program_succeeds (
      &(ProgramRun){
          .arguments = arguments, .files = &pair[1], .file_count = 1, .seconds = BRIDGE_HELPER_SECONDS },
      &problem);
  close (pair[1]);
  *ret_fd = good ? receive_descriptor (pair[0]) : -1;
  close (pair[0]);
  if (*ret_fd >= 0 && ioctl (*ret_fd, TUNGETIFF, &request) == 0) {
    *ret_name = g_strdup (request.ifr_name);
    return TRUE;
  }
  if (*ret_fd >= 0)
    close (*ret_fd);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                  "%s gave no tap on bridge '%s': %s (it has to be setuid root, and /etc/qemu/bridge.conf to "
                  "say 'allow %s')",
                  program, bridge, problem != NULL ? virt_error_detail (problem) : "it said nothing", bridge);
  return FALSE;
}

/* "248:3", of the macvtap, read in a sysfs of this network namespace. */
static gboolean
read_device_number (const char *name, guint index, dev_t *ret_device)
{
  g_autofree char *path = g_strdup_printf ("class/net/%s/tap%u/dev", name, index);
  int context = fsopen ("sysfs", FSOPEN_CLOEXEC), tree, file;
  char text[DEVICE_TEXT] = "";
  guint major_number, minor_number;
  gboolean good = FALSE;

  if (context < 0)
    return FALSE;
  tree = fsconfig (context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0
             ? fsmount (context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY)
             : -1;
  close (context);
  if (tree < 0)
    return FALSE;
  file = openat (tree, path, O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    good =
        read (file, text, sizeof text - 1) > 0 && sscanf (text, "%u:%u", &major_number, &minor_number) == 2;
    close (file);
  }
  close (tree);
  if (good)
    *ret_device = makedev (major_number, minor_number);
  return good;
}

/* Where udev has not made one: a node that is gone again once it is open. */
static int
open_by_number (dev_t device)
{
  g_autofree char *directory = g_dir_make_tmp ("domaind-tap-XXXXXX", NULL);
  g_autofree char *path = directory != NULL ? g_build_filename (directory, "tap", NULL) : NULL;
  int fd = -1;

  if (directory == NULL)
    return -1;
  if (mknod (path, S_IFCHR | 0600, device) == 0) {
    fd = open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    unlink (path);
  }
  rmdir (directory);
  return fd;
}

static int
open_macvtap_queue (const char *name, guint index, gboolean header, guint count, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/dev/tap%u", index);
  dev_t device = 0;
  struct stat status;
  int fd = -1;

  if (read_device_number (name, index, &device))
    fd = stat (path, &status) == 0 && S_ISCHR (status.st_mode) && status.st_rdev == device
             ? open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
             : open_by_number (device);
  else
    fd = open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0 && set_up_queue (fd, name, count, header))
    return fd;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open macvtap tap device %s of '%s': %s", path, name,
                  g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/* The parent is what the machine's card is: its own MAC address is kept for later. */
static gboolean
lend_mac (const char *name, const char *parent, const guint8 mac[MAC_BYTES], GError **error)
{
  g_autofree char *kept = NULL;
  char text[MAC_TEXT];
  LinkInfo info;

  if (!link_query (parent, "get interface MAC on", &info, error))
    return FALSE;
  mac_format (info.mac, text);
  kept = g_strconcat (MAC_KEPT, text, NULL);
  return link_set_alias (name, kept, error) && link_set_mac (parent, mac, error);
}

void
macvtap_remove (const char *name)
{
  g_autofree char *parent = NULL;
  g_autoptr (GError) error = NULL;
  guint8 mac[MAC_BYTES];
  LinkInfo info;

  if (!link_query (name, "find interface", &info, NULL))
    return;
  parent = link_name_of (info.parent);
  if (!link_delete (name, &error))
    g_warning ("%s", error->message);
  else if (parent != NULL && g_str_has_prefix (info.alias, MAC_KEPT)
           && mac_parse (info.alias + strlen (MAC_KEPT), mac) && !link_set_mac (parent, mac, &error))
    g_warning ("%s", error->message);
}

gboolean
macvtap_open (char **name, const char *parent, const char *mode, const guint8 mac[MAC_BYTES], guint group,
              guint count, gboolean header, int *fds, GError **error)
{
  static gint counter;
  gboolean is_made = *name == NULL, good;
  LinkInfo info;

  if (is_made)
    *name = next_name ("macvtap", &counter);
  if (!link_add_macvtap (*name, parent, mode, mac, group, error)) {
    if (is_made)
      g_clear_pointer (name, g_free);
    return FALSE;
  }
  good = (strcmp (mode, "passthrough") != 0 || lend_mac (*name, parent, mac, error))
         && link_set_up (*name, TRUE, error) && link_query (*name, "find interface", &info, error);
  for (guint i = 0; good && i < count; i++) {
    fds[i] = open_macvtap_queue (*name, info.index, header, count, error);
    good = fds[i] >= 0;
    if (!good)
      close_all (fds, i);
  }
  if (!good)
    macvtap_remove (*name);
  return good;
}

gboolean
vhost_net_is_there (const char *device)
{
  return access (device != NULL ? device : VHOST_NET_DEVICE, R_OK | W_OK) == 0;
}

gboolean
vhost_net_open (const char *device, guint count, int *fds, GError **error)
{
  const char *path = device != NULL ? device : VHOST_NET_DEVICE;

  for (guint i = 0; i < count; i++) {
    fds[i] = open (path, O_RDWR | O_CLOEXEC);
    if (fds[i] >= 0)
      continue;
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open %s: %s", path, g_strerror (errno));
    close_all (fds, i);
    return FALSE;
  }
  return TRUE;
}
