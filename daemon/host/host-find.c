/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What /sys says of devices that are not known by their address: USB devices move with every plug, generic
 * SCSI devices are numbered as they are found. What is found is true for the moment only, so it is asked at
 * every start.
 */
#include "daemon/host/host-find.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ADAPTER_PREFIX "scsi_host"
#define TEXT_MAX       64 /* bytes of a file of /sys that is read here */

/* A short file of numbers; 0 where it is not there or is none. */
static guint
read_number (const char *directory, const char *file, int base)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);
  char text[TEXT_MAX];
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;
  guint64 value;

  if (fd >= 0)
    close (fd);
  if (length <= 0)
    return 0;
  text[length] = '\0';
  value = g_ascii_strtoull (text, NULL, (guint)base);
  return value <= G_MAXUINT ? (guint)value : 0;
}

static UsbPlace
read_usb (const char *directory)
{
  return (UsbPlace){ read_number (directory, "idVendor", 16), read_number (directory, "idProduct", 16),
                     read_number (directory, "busnum", 10), read_number (directory, "devnum", 10) };
}

static gboolean
fits (const UsbPlace *wanted, const UsbPlace *found, gboolean by_place)
{
  return found->bus != 0 && found->device != 0
         && (wanted->vendor == 0 || (found->vendor == wanted->vendor && found->product == wanted->product))
         && (!by_place || (found->bus == wanted->bus && found->device == wanted->device));
}

static gboolean
refuse_absent (const UsbPlace *wanted, GError **error)
{
  if (wanted->vendor != 0 && wanted->bus != 0)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Did not find USB device %04x:%04x bus:%u device:%u",
                    wanted->vendor, wanted->product, wanted->bus, wanted->device);
  else if (wanted->vendor != 0)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Did not find USB device %04x:%04x", wanted->vendor,
                    wanted->product);
  else
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Did not find USB device bus:%u device:%u", wanted->bus,
                    wanted->device);
  return FALSE;
}

gboolean
host_usb_find (const char *host, UsbPlace *place, gboolean may_miss, GError **error)
{
  g_autofree char *path = g_build_filename (host, "sys/bus/usb/devices", NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  gboolean by_place = place->bus != 0 && place->device != 0;
  UsbPlace found = { 0 };
  const char *entry;
  guint count = 0;

  while (directory != NULL && (entry = g_dir_read_name (directory)) != NULL) {
    g_autofree char *device = g_build_filename (path, entry, NULL);
    UsbPlace one = read_usb (device);

    if (!fits (place, &one, by_place))
      continue;
    found = one;
    count++;
  }
  if (count == 0 && !may_miss)
    return refuse_absent (place, error);
  if (count > 1) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "Multiple USB devices for %x:%x, use <address> to specify one", place->vendor,
                    place->product);
    return FALSE;
  }
  place->bus = found.bus;
  place->device = found.device;
  return TRUE;
}

gboolean
host_scsi_generic (const char *host, const char *adapter, guint bus, guint target, guint64 unit,
                   guint *ret_number, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GDir) directory = NULL;
  g_autoptr (GError) problem = NULL;
  const char *entry;
  guint64 number;

  if (!g_str_has_prefix (adapter, ADAPTER_PREFIX)
      || !g_ascii_string_to_unsigned (adapter + strlen (ADAPTER_PREFIX), 10, 0, G_MAXUINT, &number, NULL)) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "Cannot parse adapter '%s': expected '" ADAPTER_PREFIX "' and a number", adapter);
    return FALSE;
  }
  path = g_strdup_printf ("%s/sys/bus/scsi/devices/%u:%u:%u:%" G_GUINT64_FORMAT "/scsi_generic",
                          g_str_equal (host, "/") ? "" : host, (guint)number, bus, target, unit);
  directory = g_dir_open (path, 0, &problem);
  entry = directory != NULL ? g_dir_read_name (directory) : NULL;
  if (entry != NULL && g_str_has_prefix (entry, "sg")
      && g_ascii_string_to_unsigned (entry + strlen ("sg"), 10, 0, G_MAXUINT, &number, NULL)) {
    *ret_number = (guint)number;
    return TRUE;
  }
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open directory '%s': %s", path,
                  problem != NULL ? g_strerror (ENOENT) : "there is no generic device in it");
  return FALSE;
}

gboolean
host_mdev_group (const char *host, const char *uuid, guint *ret_group, GError **error)
{
  g_autofree char *path = g_build_filename (host, "sys/bus/mdev/devices", uuid, NULL);
  g_autofree char *link = g_build_filename (path, "iommu_group", NULL);
  g_autofree char *target = g_file_read_link (link, NULL), *group = NULL;
  guint64 number;

  if (access (path, F_OK) != 0) {
    virt_error_set (error, VIR_ERR_DEVICE_MISSING, "mediated device '%s' not found", uuid);
    return FALSE;
  }
  group = target != NULL ? g_path_get_basename (target) : NULL;
  if (group == NULL || !g_ascii_string_to_unsigned (group, 10, 0, G_MAXUINT, &number, NULL)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "host doesn't support VFIO PCI interface: mediated device '%s' is in no IOMMU group",
                    uuid);
    return FALSE;
  }
  *ret_group = (guint)number;
  return TRUE;
}
