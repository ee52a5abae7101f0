/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Disks of a .vmx as <disk>: every place each bus has is asked for, so that nothing depends on the order of
 * the file. Images are names and are not opened here.
 */
#include "targets/vmware/vmware-private.h"

#include <string.h>

static const struct {
  const char *prefix, *bus, *letters;
  guint buses, units;
} buses[] = {
  { "scsi", "scsi", "sd", VMX_SCSI_BUSES, VMX_SCSI_UNITS },
  { "sata", "sata", "sd", VMX_SATA_BUSES, VMX_SATA_UNITS },
  { "ide", "ide", "hd", VMX_IDE_BUSES, VMX_IDE_UNITS },
};

/* 0 is "sda", 26 "sdaa". (transfer full) */
static char *
target_name (const char *letters, guint index)
{
  char text[8];
  gsize at = sizeof text - 1;

  text[at] = '\0';
  for (guint rest = index + 1; rest > 0 && at > 0; rest = (rest - 1) / 26)
    text[--at] = (char)('a' + (rest - 1) % 26);
  return g_strconcat (letters, text + at, NULL);
}

/* SCSI and SATA have their names from one row: what SCSI has taken is behind all of its names on SATA. */
static char *
free_target_name (VmxImport *import, const char *letters, guint index)
{
  g_autofree char *name = target_name (letters, index);

  if (g_hash_table_contains (import->targets, name)) {
    g_free (name);
    name = target_name (letters, index + VMX_SCSI_BUSES * (VMX_SCSI_UNITS - 1));
  }
  g_hash_table_add (import->targets, g_strdup (name));
  return g_steal_pointer (&name);
}

static void
set_number (XmlElement *element, const char *attribute, guint number)
{
  g_autofree char *text = g_strdup_printf ("%u", number);

  xml_element_set (element, attribute, text);
}

static void
add_address (XmlElement *disk, guint controller, guint bus, guint unit)
{
  XmlElement *address = xml_element_add (disk, "address");

  xml_element_set (address, "type", "drive");
  set_number (address, "controller", controller);
  set_number (address, "bus", bus);
  set_number (address, "target", 0);
  set_number (address, "unit", unit);
}

static guint
target_index (guint row, guint bus, guint unit)
{
  if (!g_str_equal (buses[row].prefix, "scsi"))
    return bus * buses[row].units + unit;
  return bus * (VMX_SCSI_UNITS - 1) + unit - (unit > VMX_SCSI_OWN_UNIT);
}

static void
add_source (VmxImport *import, XmlElement *disk, const char *setting, const char *file, gboolean is_device,
            gboolean connected)
{
  gboolean is_auto =
      g_ascii_strcasecmp (file, "auto detect") == 0 || g_ascii_strcasecmp (file, "emptyBackingString") == 0;
  XmlElement *source;

  if (is_auto && connected)
    return;
  source = xml_element_add (disk, "source");
  if (!is_auto) {
    if (!is_device)
      vmx_check_path (import, setting, file);
    xml_element_set (source, is_device ? "dev" : "file", file);
  }
  if (!connected)
    xml_element_set (source, "startupPolicy", "optional");
}

static gboolean
is_cdrom_type (const char *type)
{
  return type != NULL
         && (g_ascii_strcasecmp (type, "cdrom-image") == 0 || g_ascii_strcasecmp (type, "atapi-cdrom") == 0
             || g_ascii_strcasecmp (type, "cdrom-raw") == 0
             || g_ascii_strcasecmp (type, "scsi-passthru") == 0);
}

static void
read_disk (VmxImport *import, guint row, guint bus, guint unit)
{
  g_autofree char *prefix = g_strdup_printf ("%s%u:%u", buses[row].prefix, bus, unit), *name = NULL;
  g_autofree char *setting = g_strdup_printf ("%s.filename", prefix);
  const char *file, *type;
  gboolean is_cdrom, is_device, writes_through, connected;
  XmlElement *disk, *target;

  if (!vmx_find_flag (import, FALSE, "%s.present", prefix))
    return;
  file = vmx_find (import, "%s.fileName", prefix);
  type = vmx_find (import, "%s.deviceType", prefix);
  writes_through = vmx_find_flag (import, FALSE, "%s.writeThrough", prefix);
  connected = vmx_find_flag (import, TRUE, "%s.startConnected", prefix);
  vmx_find (import, "%s.clientDevice", prefix);
  vmx_find (import, "%s.mode", prefix);
  if (file == NULL) {
    vmx_mistake (import, setting, "expected the file of the disk");
    return;
  }
  is_cdrom = is_cdrom_type (type);
  is_device = is_cdrom && g_ascii_strcasecmp (type, "cdrom-image") != 0;
  disk = xml_element_add (import->devices, "disk");
  xml_element_set (disk, "type", is_device ? "block" : "file");
  xml_element_set (disk, "device", is_cdrom ? "cdrom" : "disk");
  if (writes_through)
    xml_element_set (xml_element_add (disk, "driver"), "cache", "writethrough");
  add_source (import, disk, setting, file, is_device, connected);
  name = free_target_name (import, buses[row].letters, target_index (row, bus, unit));
  target = xml_element_add (disk, "target");
  xml_element_set (target, "dev", name);
  xml_element_set (target, "bus", buses[row].bus);
  if (is_cdrom)
    xml_element_add (disk, "readonly");
  if (g_str_equal (buses[row].prefix, "ide"))
    add_address (disk, 0, bus, unit);
  else
    add_address (disk, bus, 0, unit);
}

static void
read_floppy (VmxImport *import, guint number)
{
  g_autofree char *setting = g_strdup_printf ("floppy%u.filename", number);
  const char *type, *file;
  gboolean is_device;
  XmlElement *disk, *target;

  if (!vmx_find_flag (import, FALSE, "floppy%u.present", number))
    return;
  type = vmx_find (import, "floppy%u.fileType", number);
  file = vmx_find (import, "floppy%u.fileName", number);
  if (file == NULL)
    return;
  is_device = type != NULL && g_ascii_strcasecmp (type, "device") == 0;
  disk = xml_element_add (import->devices, "disk");
  xml_element_set (disk, "type", is_device ? "block" : "file");
  xml_element_set (disk, "device", "floppy");
  add_source (import, disk, setting, file, is_device, TRUE);
  target = xml_element_add (disk, "target");
  xml_element_set (target, "dev", number == 0 ? "fda" : "fdb");
  xml_element_set (target, "bus", "fdc");
  add_address (disk, 0, 0, number);
}

static void
add_controller (VmxImport *import, const char *type, guint index, const char *model)
{
  XmlElement *controller = xml_element_add (import->devices, "controller");

  xml_element_set (controller, "type", type);
  set_number (controller, "index", index);
  if (model != NULL)
    xml_element_set (controller, "model", model);
}

static void
read_controllers (VmxImport *import)
{
  static const char *const models[][2] = { { "buslogic", "buslogic" },
                                           { "lsilogic", "lsilogic" },
                                           { "lsisas1068", "lsisas1068" },
                                           { "pvscsi", "vmpvscsi" } };

  for (guint bus = 0; bus < VMX_SCSI_BUSES; bus++) {
    const char *model = vmx_find (import, "scsi%u.virtualDev", bus), *word = NULL;
    g_autofree char *setting = g_strdup_printf ("scsi%u.virtualdev", bus);

    if (!vmx_find_flag (import, FALSE, "scsi%u.present", bus))
      continue;
    for (guint i = 0; model != NULL && i < G_N_ELEMENTS (models); i++)
      if (g_ascii_strcasecmp (model, models[i][0]) == 0)
        word = models[i][1];
    if (model != NULL && word == NULL)
      vmx_mistake (import, setting, "'%s' is none: expected buslogic, lsilogic, lsisas1068 or pvscsi", model);
    add_controller (import, "scsi", bus, word);
  }
  for (guint bus = 0; bus < VMX_SATA_BUSES; bus++)
    if (vmx_find_flag (import, FALSE, "sata%u.present", bus))
      add_controller (import, "sata", bus, NULL);
}

void
vmx_read_disks (VmxImport *import)
{
  g_autoptr (GHashTable) targets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  import->targets = targets;
  for (guint row = 0; row < G_N_ELEMENTS (buses); row++)
    for (guint bus = 0; bus < buses[row].buses; bus++) {
      gboolean present = g_str_equal (buses[row].prefix, "ide")
                         || vmx_find_flag (import, FALSE, "%s%u.present", buses[row].prefix, bus);

      for (guint unit = 0; present && unit < buses[row].units; unit++)
        if (row != 0 || unit != VMX_SCSI_OWN_UNIT)
          read_disk (import, row, bus, unit);
    }
  for (guint i = 0; i < VMX_FLOPPIES; i++)
    read_floppy (import, i);
  read_controllers (import);
  import->targets = NULL;
}
