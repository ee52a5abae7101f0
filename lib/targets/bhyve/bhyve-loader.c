/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a machine of bhyve begins: with firmware (an option of bhyve's own), or with a loader, a program that
 * puts the guest's kernel into the memory of a machine bhyve then runs. Without either said it is bhyveload,
 * which loads FreeBSD from one disk; grub-bhyve needs a map of the disks beside it; any other program is run
 * as the document has it.
 */
#include "targets/bhyve/bhyve-private.h"

#include "base/xml-document.h"
#include "domain/devices/console.h"
#include "domain/devices/disk.h"
#include "domain/devices/serial.h"

#include <string.h>

const char *
bhyve_firmware (const DomainDef *def)
{
  if (def->verbatim.bootloader != NULL)
    return NULL;
  if (def->type == VIRT_TYPE_BHYVE && def->os.loader != NULL)
    return def->os.loader;
  return os_wants_firmware (&def->os) && (def->os.firmware != FIRMWARE_BIOS) ? BHYVE_FIRMWARE : NULL;
}

char *
bhyve_verbatim_text (const char *element)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = element != NULL ? xml_document_parse (element, -1, diagnostics) : NULL;

  return document != NULL ? xml_node_text (xml_document_root (document)) : NULL;
}

static gboolean
is_bootable (const DeviceDisk *disk, int boot)
{
  if (disk_path (disk) == NULL)
    return FALSE;
  return disk->device_type == (boot == BOOT_CDROM ? DISK_DEVICE_CDROM : DISK_DEVICE_DISK);
}

/* The one with the first boot order, or the first of the kind that <boot> names. */
static const DeviceDisk *
find_boot_disk (const DomainDef *def, TargetLosses *losses)
{
  const OsBoot *boot =
      def->os.boots != NULL && def->os.boots->len > 0 ? g_ptr_array_index (def->os.boots, 0) : NULL;
  const DeviceDisk *first = NULL;

  if (def->os.boots != NULL && def->os.boots->len > 1)
    target_lose (losses, NULL, "<os><boot>", "boots from one device only");
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (disk->device.boot_order.set && disk_path (disk) != NULL
        && (first == NULL || disk->device.boot_order.value < first->device.boot_order.value))
      first = disk;
  }
  if (first != NULL)
    return first;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (is_bootable (disk, boot != NULL ? boot->device : BOOT_HD))
      return disk;
  }
  return NULL;
}

static void
add_words (GPtrArray *argv, const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t\r\n", -1);

  for (guint i = 0; words[i] != NULL; i++)
    if (words[i][0] != '\0')
      g_ptr_array_add (argv, g_strdup (words[i]));
}

static void
add_memory (const DomainDef *def, GPtrArray *argv, const char *option)
{
  bhyve_add_option (argv, option, "%" G_GUINT64_FORMAT, (def->memory.value + 1023) / 1024);
}

/* The terminal of the first port, which the loader speaks through before the guest does. */
static const char *
find_terminal (const DomainDef *def)
{
  const Chardev *chardev = NULL;
  const ChardevSource *source;

  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial) {
    if (chardev == NULL)
      chardev = &serial->source;
  }
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console) {
    if (chardev == NULL)
      chardev = &console->source;
  }
  source = chardev != NULL && chardev->type == CHARDEV_NMDM ? chardev_first_source (chardev) : NULL;
  return source != NULL ? source->master : NULL;
}

static void
add_grub (const DomainDef *def, const DeviceDisk *disk, GPtrArray *argv, char **ret_map)
{
  const char *terminal = find_terminal (def);
  g_autofree char *path = bhyve_disk_path (&disk->device);

  *ret_map = g_strdup_printf ("(%s) %s\n", disk->device_type == DISK_DEVICE_CDROM ? "cd" : "hd0", path);
  bhyve_add_option (argv, "--root", "%s", disk->device_type == DISK_DEVICE_CDROM ? "cd" : "hd0,msdos1");
  bhyve_add_option (argv, "--device-map", "device.map");
  add_memory (def, argv, "--memory");
  if (terminal != NULL)
    bhyve_add_option (argv, "--cons-dev", "%s", terminal);
  g_ptr_array_add (argv, g_strdup (def->name));
}

GPtrArray *
bhyve_loader (const DomainDef *def, char **ret_map, TargetLosses *losses)
{
  g_autofree char *program = bhyve_verbatim_text (def->verbatim.bootloader);
  g_autofree char *arguments = bhyve_verbatim_text (def->verbatim.bootloader_arguments);
  const DeviceDisk *disk;
  g_autoptr (GPtrArray) argv = NULL;
  g_autofree char *path = NULL;

  if (bhyve_firmware (def) != NULL)
    return NULL;
  argv = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (argv, g_strdup (program != NULL ? program : BHYVE_LOADER));
  if (arguments != NULL && arguments[0] != '\0') {
    add_words (argv, arguments);
    if (program == NULL)
      g_ptr_array_add (argv, g_strdup (def->name));
    return g_steal_pointer (&argv);
  }
  disk = find_boot_disk (def, losses);
  path = disk != NULL ? bhyve_disk_path (&disk->device) : NULL;
  if (path == NULL) {
    target_refuse (losses, NULL, "<os>",
                   "needs a disk to load the guest's kernel from, or firmware: <os firmware='efi'>");
    return NULL;
  }
  if (program != NULL && g_str_has_suffix (program, "grub-bhyve")) {
    add_grub (def, disk, argv, ret_map);
  } else if (program == NULL) {
    add_memory (def, argv, "-m");
    if (def->memory_backing.locked)
      g_ptr_array_add (argv, g_strdup ("-S"));
    bhyve_add_option (argv, "-d", "%s", path);
    g_ptr_array_add (argv, g_strdup (def->name));
  }
  return g_steal_pointer (&argv);
}
