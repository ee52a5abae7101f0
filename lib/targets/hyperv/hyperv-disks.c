/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks of a machine of Hyper-V: images in Microsoft's format, converted before and laid beside the script.
 * The first generation has two IDE controllers of two places each, which it starts from, and SCSI; the second
 * SCSI alone. A disk on another bus is told as a loss and gets a free place, because a machine without its
 * disk is none.
 */
#include "targets/hyperv/hyperv-private.h"

#include "domain/devices/disk.h"

#include <string.h>

#define IDE_PLACES  4
#define SCSI_PLACES 64 /* of the one controller that is used */

typedef struct {
  HypervScript *script;
  gboolean ide[IDE_PLACES];
  guint scsi; /* places taken */
} Places;

/* "IDE 0 1" or "SCSI 0 3" as options of a command. FALSE: no place is left. */
static gboolean
take_place (Places *places, const DeviceDisk *disk, GString *ret)
{
  gboolean is_ide = disk->bus == DISK_BUS_IDE && places->script->generation == 1;
  guint64 wanted = disk->device.address.bus.value * 2 + disk->device.address.unit.value;

  if (!is_ide && disk->bus != DISK_BUS_SCSI)
    target_lose (places->script->losses, &disk->device, "<target bus=>",
                 places->script->generation == 1 ? "has the buses 'ide' and 'scsi'"
                                                 : "has the bus 'scsi' with UEFI");
  /* One that no bus of Hyper-V's was said of is started from where the firmware can: at IDE. */
  if (!is_ide && disk->bus != DISK_BUS_SCSI && places->script->generation == 1) {
    is_ide = TRUE;
    wanted = IDE_PLACES;
  }
  for (guint i = 0; is_ide && i < IDE_PLACES; i++) {
    guint place = wanted < IDE_PLACES && !places->ide[wanted] ? (guint)wanted : i;

    if (places->ide[place])
      continue;
    places->ide[place] = TRUE;
    g_string_printf (ret, "-ControllerType IDE -ControllerNumber %u -ControllerLocation %u", place / 2,
                     place % 2);
    return TRUE;
  }
  if (places->scsi >= SCSI_PLACES) {
    target_lose (places->script->losses, &disk->device, NULL, "has no more than %d disks at its controller",
                 SCSI_PLACES);
    return FALSE;
  }
  g_string_printf (ret, "-ControllerType SCSI -ControllerNumber 0 -ControllerLocation %u", places->scsi++);
  return TRUE;
}

/* The image beside the script, and how it comes there. NULL: there is none. (transfer full) */
static char *
add_image (HypervScript *script, const DeviceDisk *disk)
{
  const char *path = disk_path (disk);
  gboolean is_vhd = g_strcmp0 (disk->format, "vpc") == 0 && script->generation == 1;
  g_autofree char *name = g_strdup_printf ("%s.%s", disk->target, is_vhd ? "vhd" : "vhdx");
  const char *const convert[] = { "qemu-img", "convert", "-f", disk->format != NULL ? disk->format : "raw",
                                  "-O",       "vhdx",    "-o", "subformat=dynamic",
                                  path,       name,      NULL };
  const char *const copy[] = { "cp", "--", path, name, NULL };

  if (path == NULL)
    return NULL;
  target_config_add_step (script->config, is_vhd ? copy : convert);
  return hyperv_quote_beside (name);
}

static char *
add_medium (HypervScript *script, const DeviceDisk *disk, const char *extension)
{
  const char *path = disk_path (disk);
  g_autofree char *name = g_strdup_printf ("%s.%s", disk->target, extension);
  const char *const copy[] = { "cp", "--", path, name, NULL };

  if (path == NULL)
    return NULL;
  target_config_add_step (script->config, copy);
  return hyperv_quote_beside (name);
}

static void
check_disk (const HypervScript *script, const DeviceDisk *disk)
{
  if (disk->readonly && disk->device_type == DISK_DEVICE_DISK)
    target_lose (script->losses, &disk->device, "<readonly>", "has no disks that cannot be written");
  if (disk->cache != DISK_CACHE_NONE && disk->cache != DISK_CACHE_DEFAULT)
    target_lose (script->losses, &disk->device, "<driver cache=>", "has no choice of caches");
}

static void
add_floppy (HypervScript *script, const DeviceDisk *disk)
{
  g_autofree char *medium = NULL;

  if (script->generation != 1) {
    target_lose (script->losses, &disk->device, NULL, "has a floppy drive only with a BIOS");
    return;
  }
  medium = add_medium (script, disk, "vfd");
  if (medium != NULL)
    hyperv_add (script, "Set-VMFloppyDiskDrive -VMName %s -Path %s", script->name, medium);
}

static void
add_disk (Places *places, const DeviceDisk *disk)
{
  HypervScript *script = places->script;
  g_autoptr (GString) place = g_string_new (NULL);
  g_autofree char *path = NULL;

  check_disk (script, disk);
  if (disk->device_type == DISK_DEVICE_FLOPPY) {
    add_floppy (script, disk);
    return;
  }
  if (disk->device_type == DISK_DEVICE_LUN)
    target_lose (script->losses, &disk->device, "device=", "passes no SCSI commands through");
  if (disk_path (disk) == NULL && disk_has_source (disk)) {
    target_lose (script->losses, &disk->device, "<source>", "needs an image file or a block device");
    return;
  }
  if (!take_place (places, disk, place))
    return;
  if (disk->device_type == DISK_DEVICE_CDROM) {
    /* A drive has no type of controller: its number says it. */
    const char *numbers = strstr (place->str, "-ControllerNumber");

    path = add_medium (script, disk, "iso");
    hyperv_add (script, "Add-VMDvdDrive -VMName %s %s%s%s", script->name, numbers,
                path != NULL ? " -Path " : "", path != NULL ? path : "");
    return;
  }
  path = add_image (script, disk);
  if (path != NULL)
    hyperv_add (script, "Add-VMHardDiskDrive -VMName %s %s -Path %s", script->name, place->str, path);
}

/* The second generation starts from one device first; the first one has an order of kinds. */
static void
add_boot_order (HypervScript *script)
{
  static const char *const words[] = { NULL, "Floppy", "CD", "IDE", "LegacyNetworkAdapter" };
  static const char *const devices[] = { NULL, NULL, "Get-VMDvdDrive", "Get-VMHardDiskDrive",
                                         "Get-VMNetworkAdapter" };
  const GPtrArray *boots = script->def->os.boots;
  g_autoptr (GString) order = g_string_new (NULL);
  guint first = 0, seen = 0;

  for (guint i = 0; boots != NULL && i < boots->len; i++) {
    guint device = (guint)((const OsBoot *)g_ptr_array_index (boots, i))->device;

    if (device >= G_N_ELEMENTS (words) || words[device] == NULL || (seen & (1U << device)) != 0)
      continue;
    seen |= 1U << device;
    first = first != 0 ? first : device;
    g_string_append_printf (order, "%s'%s'", order->len > 0 ? "," : "", words[device]);
  }
  for (guint i = G_N_ELEMENTS (words) - 1; first != 0 && i > 0; i--) /* all four have to be named */
    if ((seen & (1U << i)) == 0)
      g_string_append_printf (order, ",'%s'", words[i]);
  if (first == 0)
    return;
  if (script->generation == 1)
    hyperv_add (script, "Set-VMBios -VMName %s -StartupOrder @(%s)", script->name, order->str);
  else if (devices[first] != NULL)
    hyperv_add (script, "Set-VMFirmware -VMName %s -FirstBootDevice (%s -VMName %s | Select-Object -First 1)",
                script->name, devices[first], script->name);
}

void
hyperv_add_disks (HypervScript *script)
{
  Places places = { .script = script };

  /* The machine is made with a drive, which would be in the way. */
  if (script->generation == 1)
    hyperv_add (script, "Get-VMDvdDrive -VMName %s | Remove-VMDvdDrive", script->name);
  DOMAIN_FOREACH_DEVICE (script->def, disk_kind, DeviceDisk, disk) {
    add_disk (&places, disk);
  }
  add_boot_order (script);
}
