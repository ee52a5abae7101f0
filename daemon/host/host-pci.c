/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PCI devices by way of /sys. The kernel is told by driver_override which driver is to have a device and then
 * asked to look for one: so no ids are added to vfio-pci, which would make it take every other device of the
 * kind that is plugged in later. What the kernel was told is looked at afterwards, for a probe that fails
 * says nothing.
 */
#include "daemon/host/host-pci.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FUNCTIONS_MAX 4096 /* virtual functions of one */
#define GROUP_MAX     256  /* devices of one IOMMU group */
#define TEXT_MAX      64   /* bytes of a file of /sys that is read here */
#define CLASS_BRIDGE  0x0604
#define TAKE_TRIES    3 /* of a device that another driver was quicker to have */
#define POLL_WAIT     5 /* ms between two looks at a driver */

static char *
device_file (const char *host, const char *name, const char *file)
{
  return g_build_filename (host, "sys/bus/pci/devices", name, file, NULL);
}

gboolean
host_pci_check (const char *host, const char *name, GError **error)
{
  g_autofree char *config = device_file (host, name, "config");

  if (access (config, F_OK) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Device %s not found: could not access %s: %s", name, config,
                  g_strerror (errno));
  return FALSE;
}

/* A number of a file of /sys, which is short; -1: it is not there. */
static gint64
read_number (const char *path)
{
  char text[TEXT_MAX];
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;

  if (fd >= 0)
    close (fd);
  if (length <= 0)
    return -1;
  text[length] = '\0';
  return (gint64)g_ascii_strtoull (text, NULL, 0);
}

/* "0x060400": class, subclass, interface. */
gboolean
host_pci_is_bridge (const char *host, const char *name)
{
  g_autofree char *path = device_file (host, name, "class");

  return read_number (path) >> 8 == CLASS_BRIDGE;
}

/* The last word of what a link points at; NULL: there is no such link. */
static char *
link_end (const char *path)
{
  g_autofree char *target = g_file_read_link (path, NULL);

  return target != NULL ? g_path_get_basename (target) : NULL;
}

char *
host_pci_driver (const char *host, const char *name)
{
  g_autofree char *path = device_file (host, name, "driver");

  return link_end (path);
}

gboolean
host_pci_is_vfio (const char *driver)
{
  return driver != NULL && strstr (driver, "vfio") != NULL;
}

char *
host_pci_physical_function (const char *host, const char *name)
{
  g_autofree char *path = device_file (host, name, "physfn");

  return link_end (path);
}

char *
host_pci_net_device (const char *host, const char *name)
{
  g_autofree char *path = device_file (host, name, "net");
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);

  return directory != NULL ? g_strdup (g_dir_read_name (directory)) : NULL;
}

gboolean
host_pci_function_number (const char *host, const char *physical, const char *name, guint *ret_number)
{
  for (guint number = 0; number < FUNCTIONS_MAX; number++) {
    g_autofree char *file = g_strdup_printf ("virtfn%u", number);
    g_autofree char *path = device_file (host, physical, file), *function = link_end (path);

    if (function == NULL)
      return FALSE;
    *ret_number = number;
    if (g_str_equal (function, name))
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
host_pci_group (const char *host, const char *name, guint *ret_group, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *link = device_file (host, name, "iommu_group"), *group = link_end (link);
  g_autofree char *path = device_file (host, name, "iommu_group/devices");
  g_autoptr (GDir) directory = group != NULL ? g_dir_open (path, 0, NULL) : NULL;
  const char *entry;
  guint64 number;

  if (directory == NULL || !g_ascii_string_to_unsigned (group, 10, 0, G_MAXUINT, &number, NULL)) {
    virt_error_set (
        error, VIR_ERR_CONFIG_UNSUPPORTED,
        "host doesn't support passthrough of host PCI devices: %s is in no IOMMU group; the IOMMU "
        "may be turned off in the firmware, or by the kernel (intel_iommu=on)",
        name);
    return NULL;
  }
  while ((entry = g_dir_read_name (directory)) != NULL && names->len < GROUP_MAX)
    g_ptr_array_add (names, g_strdup (entry));
  *ret_group = (guint)number;
  return g_steal_pointer (&names);
}

/* Files of /sys take one write. */
static gboolean
tell (const char *path, const char *text, GError **error)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean told = fd >= 0 && write (fd, text, strlen (text)) == (ssize_t)strlen (text);
  int problem = errno;

  if (fd >= 0)
    close (fd);
  if (!told) {
    g_autofree char *word = g_strchomp (g_strdup (text));

    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s' to %s: %s", word, path,
                    g_strerror (problem));
  }
  return told;
}

/* Till @wanted has it; NULL: nobody. */
static gboolean
wait_for_driver (const char *host, const char *name, const char *wanted)
{
  gint64 end = g_get_monotonic_time () + HOST_PCI_WAIT * G_TIME_SPAN_MILLISECOND;

  for (;;) {
    g_autofree char *driver = host_pci_driver (host, name);

    if (g_strcmp0 (driver, wanted) == 0)
      return TRUE;
    if (g_get_monotonic_time () > end)
      return FALSE;
    g_usleep (POLL_WAIT * G_TIME_SPAN_MILLISECOND);
  }
}

static gboolean
unbind (const char *host, const char *name, GError **error)
{
  g_autofree char *driver = host_pci_driver (host, name), *path = device_file (host, name, "driver/unbind");

  if (driver == NULL)
    return TRUE;
  if (!tell (path, name, error))
    return FALSE;
  if (wait_for_driver (host, name, NULL))
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Failed to unbind PCI device '%s' from %s", name, driver);
  return FALSE;
}

/* @driver: the one that is to have it; "\n" stands for none in particular. */
static gboolean
probe (const char *host, const char *name, const char *driver, GError **error)
{
  g_autofree char *override = device_file (host, name, "driver_override");
  g_autofree char *drivers = g_build_filename (host, "sys/bus/pci/drivers_probe", NULL);

  return tell (override, driver, error) && unbind (host, name, error) && tell (drivers, name, error);
}

/* Another driver may be quicker: one that is just being loaded, or the host's own, to which it was given back
 * a moment ago. It is taken from that one, too. */
gboolean
host_pci_take (const char *host, const char *name, const char *driver, GError **error)
{
  g_autofree char *line = g_strconcat (driver, "\n", NULL), *has_it = NULL;
  GError *problem = NULL;

  for (guint i = 0; i < TAKE_TRIES && probe (host, name, line, &problem); i++) {
    if (wait_for_driver (host, name, driver))
      return TRUE;
    g_free (has_it);
    has_it = host_pci_driver (host, name);
    if (has_it == NULL)
      break;
  }
  if (problem == NULL)
    virt_error_set (&problem, VIR_ERR_INTERNAL_ERROR,
                    "Failed to bind PCI device '%s' to %s: the driver does not take it, or its module is not "
                    "loaded",
                    name, driver);
  g_propagate_error (error, problem);
  host_pci_give_back (host, name, NULL);
  return FALSE;
}

gboolean
host_pci_give_back (const char *host, const char *name, GError **error)
{
  return probe (host, name, "\n", error);
}

char *
host_vfio_node (const char *host, guint group)
{
  return g_strdup_printf ("%s%sdev/vfio/%u", host, g_str_has_suffix (host, "/") ? "" : "/", group);
}

char *
host_vfio_problem (const char *host)
{
  g_autofree char *groups = g_build_filename (host, "sys/kernel/iommu_groups", NULL);
  g_autofree char *node = g_build_filename (host, "dev/vfio/vfio", NULL);
  g_autoptr (GDir) directory = g_dir_open (groups, 0, NULL);

  if (directory == NULL || g_dir_read_name (directory) == NULL)
    return g_strdup ("the kernel knows of no IOMMU; it may be turned off in the firmware, or need "
                     "intel_iommu=on");
  if (access (node, F_OK) != 0)
    return g_strdup_printf ("there is no %s; the kernel's module vfio-pci is not loaded", node);
  return NULL;
}
