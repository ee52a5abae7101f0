/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What can be done about a refusal. The refusals themselves say what is wrong, in libvirt's words where it
 * has some; what helps on a Debian host is here, one row for each kind of words, so that a start's refusal
 * and a check's stay one text. A test looks for the words of each row in the sources.
 */
#include "daemon/drivers/qemu/start-check.h"

#include "daemon/host/path-obstacle.h"

#include <string.h>

/* The first part of @message in @pattern's only group. (transfer full) */
static char *
part_of (const char *message, const char *pattern)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  return g_regex_match (regex, message, 0, &match) ? g_match_info_fetch (match, 1) : NULL;
}

static char *
cure_package (const char *message)
{
  g_autofree char *package = part_of (message, "package ([a-z0-9][a-z0-9.+-]*)");

  return package != NULL ? g_strdup_printf ("apt install %s", package) : NULL;
}

static char *
cure_missing_file (const char *message)
{
  g_autofree char *path = part_of (message, "Cannot access [^']*'([^']*)': No such");

  if (path == NULL)
    return NULL;
  if (strstr (message, "disk image") == NULL && strstr (message, "(disk ") == NULL)
    return g_strdup ("put the file there, or correct its path");
  if (strstr (message, "in the backing chain of") != NULL)
    return g_strdup (
        "put the backing file back, or name its new place: qemu-img rebase -u -b FILE -F FORMAT IMAGE");
  return g_strdup_printf ("qemu-img create -f qcow2 '%s' SIZE makes an empty one; or correct its path", path);
}

static char *
cure_closed_file (const char *message)
{
  g_autofree char *path = part_of (message, "Cannot access [^']*'([^']*)': Permission");

  return path != NULL ? path_obstacle_cure (path, strstr (message, "cannot be written") != NULL) : NULL;
}

static char *
cure_format (const char *message)
{
  g_autofree char *format = part_of (message, ": it is '([a-z0-9]+)'");

  return format != NULL ? g_strdup_printf ("<driver type='%s'/>", format) : NULL;
}

static char *
cure_network (const char *message)
{
  g_autofree char *name = part_of (message, "network '([^']*)' is not active");

  return name != NULL ? g_strdup_printf ("domctl net-start %s", name) : NULL;
}

static char *
cure_pool (const char *message)
{
  g_autofree char *name = part_of (message, "storage pool '([^']*)'");

  return name != NULL ? g_strdup_printf ("virsh pool-start %s", name) : NULL;
}

static char *
cure_used_device (const char *message)
{
  g_autofree char *name = part_of (message, "in use by driver QEMU, domain (.*)");

  return name != NULL ? g_strdup_printf ("domctl shutdown %s", name) : NULL;
}

typedef struct {
  const char *words, *cure;
  char *(*make) (const char *message);
} Cure;

static const Cure cures[] = {
  { "(package ", NULL, cure_package },
  { "is in package ", NULL, cure_package },
  { "the package ", NULL, cure_package },
  { "No such file or directory", NULL, cure_missing_file },
  { "Permission denied", NULL, cure_closed_file },
  { "is not in format", NULL, cure_format },
  { "' is not active", NULL, cure_network },
  { "' is not active", NULL, cure_pool },
  { "in use by driver QEMU", NULL, cure_used_device },
  { "firmware that is compatible", "apt install ovmf (aarch64: qemu-efi-aarch64)", NULL },
  { "no network with matching name", "domctl net-define FILE; domctl net-list --all names those there are",
    NULL },
  { "get interface MTU on",
    "ip link add NAME type bridge && ip link set NAME up; or take a network of "
    "domaind's (domctl net-list)",
    NULL },
  { "find link", "ip link names the links there are", NULL },
  { "Unable to open /dev/net/tun", "modprobe tun", NULL },
  { "unable to open vhost-vsock device", "modprobe vhost_vsock", NULL },
  { "passthrough of host PCI devices",
    "modprobe vfio-pci, and start the kernel with intel_iommu=on (AMD: its "
    "IOMMU is on unless the firmware's setup says otherwise)",
    NULL },
  { "must be manually detached from the host", "<hostdev managed='yes'>", NULL },
  { "Unable to create tap device", "another name in <target dev=.../>, or none", NULL },
  { "needs a render node",
    "apt install qemu-system-modules-opengl (Debian 12: qemu-system-gui), and a "
    "graphics driver that makes /dev/dri/renderD128",
    NULL },
  { "the machine type '", "domctl domcapabilities names the emulator's; 'pc' and 'q35' are its newest ones",
    NULL },
  { "guest CPU doesn't match specification", "<cpu mode='host-model'/>, or check='none' for what is missing",
    NULL },
  { "is not supported by hypervisor", "domctl cpu-models x86_64 names those there are", NULL },
  { "no secret with matching", "virsh secret-define FILE, and virsh secret-set-value", NULL },
  { "vhost-scsi device file", "modprobe vhost_scsi", NULL },
};

char *
check_cure (const char *message)
{
  for (guint i = 0; i < G_N_ELEMENTS (cures); i++) {
    char *made;

    if (strstr (message, cures[i].words) == NULL)
      continue;
    if (cures[i].make == NULL)
      return g_strdup (cures[i].cure);
    made = cures[i].make (message);
    if (made != NULL)
      return made;
  }
  return NULL;
}
