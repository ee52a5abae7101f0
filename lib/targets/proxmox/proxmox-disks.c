/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks and drives of a machine of Proxmox VE, with the controllers they are on. "local" is the storage whose
 * directory every installation has; of others only Proxmox knows where they are, so that a pool of the same
 * name is meant.
 */
#include "targets/proxmox/proxmox-import.h"

#include "base/scalars.h"

#include <string.h>

#define CACHE_DEFAULT "none" /* of Proxmox, as its way of asynchronous requests needs */
#define LOCAL         "/var/lib/vz"
#define CDROM_KEY     "ide2" /* "cdrom" is another name of it */
#define IDE_MAX       4
#define SATA_MAX      6
#define SCSI_MAX      31
#define VIRTIO_MAX    16
#define UNUSED_MAX    256
#define MEBI_MAX      ((guint64)1 << 40) /* of a limit in MiB a second */
#define COUNT_MAX     ((guint64)1 << 40)
#define LETTERS       26

static const char *const needless[] = { "size", "backup", "replicate", "shared", "heads",
                                        "secs", "cyls",   "trans",     NULL };

typedef struct {
  ProxmoxSetting *setting;
  const char *file; /* what Proxmox calls the volume */
  const char *bus, *prefix;
  guint number; /* of its key */
  gboolean is_cdrom, has_iothread;
} ProxmoxDisk;

static const char *
option (ProxmoxDisk *disk, const char *name)
{
  return proxmox_option (disk->setting, "file", name);
}

/* "vda", "vdb", ... "vdaa". (transfer full) */
static char *
name_of_number (const char *prefix, guint number)
{
  return number < LETTERS ? g_strdup_printf ("%s%c", prefix, 'a' + (int)number)
                          : g_strdup_printf ("%s%c%c", prefix, 'a' + (int)(number / LETTERS) - 1,
                                             'a' + (int)(number % LETTERS));
}

/*
 * Sources.
 */
static const char *
format_of (ProxmoxDisk *disk)
{
  const char *said = option (disk, "format"), *dot = strrchr (disk->file, '.');

  if (said != NULL)
    return said;
  return dot != NULL && (g_str_equal (dot, ".qcow2") || g_str_equal (dot, ".vmdk")) ? dot + 1 : "raw";
}

/* "local:iso/debian.iso" and "local:100/vm-100-disk-0.qcow2". NULL: it is of another storage. (transfer full)
 */
static char *
local_path (const char *file)
{
  const char *volume = g_str_has_prefix (file, "local:") ? file + strlen ("local:") : NULL;
  g_auto (GStrv) parts = g_strsplit (volume != NULL ? volume : "", "/", -1);

  if (volume == NULL || g_strv_length (parts) != 2 || g_str_equal (parts[0], "..")
      || g_str_equal (parts[1], ".."))
    return NULL;
  return g_str_equal (parts[0], "iso") ? g_build_filename (LOCAL, "template", "iso", parts[1], NULL)
                                       : g_build_filename (LOCAL, "images", parts[0], parts[1], NULL);
}

/* "STORAGE:VOLUME": the pool is of the storage's name, and a volume of a directory is a file in it. */
static gboolean
add_volume (ProxmoxImport *import, ProxmoxDisk *disk, XmlElement *element)
{
  const char *colon = strchr (disk->file, ':'), *slash = strrchr (disk->file, '/');
  g_autofree char *pool = colon != NULL ? g_strndup (disk->file, (gsize)(colon - disk->file)) : NULL;
  const char *volume = slash != NULL && slash > colon ? slash + 1 : colon != NULL ? colon + 1 : "";

  if (pool == NULL || *pool == '\0' || *volume == '\0' || strchr (pool, '/') != NULL) {
    PROXMOX_MISTAKE (import, disk->setting, "'%s' is no disk: expected a path or 'STORAGE:VOLUME'",
                     disk->file);
    return FALSE;
  }
  PROXMOX_LOST (
      import, disk->setting,
      "where the storage '%s' is, Proxmox alone knows: the volume '%s' of a pool of that name is taken", pool,
      volume);
  xml_element_set (element, "type", "volume");
  import_add (element, "source", "pool", pool, "volume", volume, NULL);
  return TRUE;
}

static gboolean
add_source (ProxmoxImport *import, ProxmoxDisk *disk, XmlElement *element)
{
  g_autofree char *path = disk->file[0] == '/' ? g_strdup (disk->file) : local_path (disk->file);

  if (disk->is_cdrom && g_str_equal (disk->file, "none"))
    xml_element_set (element, "type", "file");
  else if (disk->is_cdrom && g_str_equal (disk->file, "cdrom")) {
    xml_element_set (element, "type", "block");
    import_add (element, "source", "dev", "/dev/cdrom", NULL);
  } else if (path == NULL)
    return add_volume (import, disk, element);
  else {
    gboolean is_block = g_str_has_prefix (path, "/dev/");

    xml_element_set (element, "type", is_block ? "block" : "file");
    import_add (element, "source", is_block ? "dev" : "file", path, NULL);
  }
  return TRUE;
}

/*
 * What stands beside it.
 */
static void
add_driver (ProxmoxImport *import, ProxmoxDisk *disk, XmlElement *element)
{
  const char *discard = option (disk, "discard"), *cache = option (disk, "cache");
  XmlElement *driver = import_add (element, "driver", "name", "qemu", "type", format_of (disk), "cache",
                                   cache != NULL || disk->is_cdrom ? cache : CACHE_DEFAULT, "error_policy",
                                   option (disk, "werror"), "rerror_policy", option (disk, "rerror"), "io",
                                   option (disk, "aio"), NULL);

  if (discard != NULL)
    xml_element_set (driver, "discard", g_str_equal (discard, "on") ? "unmap" : "ignore");
  if (proxmox_option_flag (disk->setting, "file", "detect_zeroes", FALSE))
    xml_element_set (driver, "detect_zeroes",
                     discard != NULL && g_str_equal (discard, "on") ? "unmap" : "on");
  if (disk->has_iothread && g_str_equal (disk->bus, "virtio")) {
    g_autofree char *thread = g_strdup_printf ("%u", ++import->iothreads);

    xml_element_set (driver, "iothread", thread);
  }
}

/* Limits in MiB and in requests a second; libvirt has bytes. */
static void
add_limits (ProxmoxImport *import, ProxmoxDisk *disk, XmlElement *element)
{
  static const struct {
    const char *option, *element;
    guint64 unit;
  } limits[] = {
    { "mbps", "total_bytes_sec", 1 << 20 },
    { "mbps_rd", "read_bytes_sec", 1 << 20 },
    { "mbps_wr", "write_bytes_sec", 1 << 20 },
    { "iops", "total_iops_sec", 1 },
    { "iops_rd", "read_iops_sec", 1 },
    { "iops_wr", "write_iops_sec", 1 },
    { "mbps_max", "total_bytes_sec_max", 1 << 20 },
    { "mbps_rd_max", "read_bytes_sec_max", 1 << 20 },
    { "mbps_wr_max", "write_bytes_sec_max", 1 << 20 },
    { "iops_max", "total_iops_sec_max", 1 },
    { "iops_rd_max", "read_iops_sec_max", 1 },
    { "iops_wr_max", "write_iops_sec_max", 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++) {
    const char *value = option (disk, limits[i].option);
    char *end = NULL;
    double number = value != NULL ? g_ascii_strtod (value, &end) : 0;

    if (value == NULL)
      continue;
    if (*end != '\0' || !(number >= 0) || number > (double)(limits[i].unit > 1 ? MEBI_MAX : COUNT_MAX))
      PROXMOX_MISTAKE (import, disk->setting, "'%s' of '%s': expected a number", value, limits[i].option);
    else if (number > 0)
      import_add_text (xml_element_ensure (element, "iotune"), limits[i].element, "%.0f",
                       number * (double)limits[i].unit);
  }
}

static void
add_names (ProxmoxImport *import, ProxmoxDisk *disk, XmlElement *element)
{
  const char *serial = option (disk, "serial"), *wwn = option (disk, "wwn");
  g_autofree char *plain = serial != NULL ? g_uri_unescape_string (serial, NULL) : NULL;

  if (serial != NULL)
    import_add_text (element, "serial", "%s", plain != NULL && import_is_text (plain) ? plain : serial);
  if (wwn != NULL && !g_str_equal (disk->bus, "ide") && !g_str_equal (disk->bus, "scsi"))
    PROXMOX_LOST (import, disk->setting, "'wwn' of '%s' is left out: disks of IDE and SCSI alone have one",
                  disk->setting->line->key);
  else if (wwn != NULL)
    import_add_text (element, "wwn", "%s", g_str_has_prefix (wwn, "0x") ? wwn + 2 : wwn);
  if (option (disk, "vendor") != NULL)
    import_add_text (element, "vendor", "%s", option (disk, "vendor"));
  if (option (disk, "product") != NULL)
    import_add_text (element, "product", "%s", option (disk, "product"));
}

/* @controller, @unit: its place, where its name does not say it. */
static void
add_disk (ProxmoxImport *import, ProxmoxDisk *disk, guint controller, guint unit)
{
  gboolean is_sd = g_str_equal (disk->prefix, "sd");
  g_autofree char *name = name_of_number (disk->prefix, is_sd ? import->sd_names : disk->number);
  XmlElement *element = xml_element_add (import->devices, "disk"), *target;

  xml_element_set (element, "type", "file");
  xml_element_set (element, "device", disk->is_cdrom ? "cdrom" : "disk");
  if (!disk->is_cdrom || !g_str_equal (disk->file, "none"))
    add_driver (import, disk, element);
  if (!add_source (import, disk, element))
    return;
  import->sd_names += is_sd;
  target = import_add (element, "target", "dev", name, "bus", disk->bus, NULL);
  if (proxmox_option_flag (disk->setting, "file", "ssd", FALSE))
    xml_element_set (target, "rotation_rate", "1");
  add_limits (import, disk, element);
  if (disk->is_cdrom || proxmox_option_flag (disk->setting, "file", "ro", FALSE))
    xml_element_add (element, "readonly");
  if (proxmox_option_flag (disk->setting, "file", "snapshot", FALSE))
    xml_element_add (element, "transient");
  add_names (import, disk, element);
  proxmox_add_boot (import, disk->setting->line->key, element);
  if (is_sd) {
    g_autofree char *controller_text = g_strdup_printf ("%u", controller),
                    *unit_text = g_strdup_printf ("%u", unit);

    import_add (element, "address", "type", "drive", "controller", controller_text, "bus", "0", "target", "0",
                "unit", unit_text, NULL);
  }
}

/* FALSE: there is none, or it is no disk of this document. */
static gboolean
read_disk (ProxmoxImport *import, const char *bus, guint number, ProxmoxDisk *ret)
{
  g_autofree char *key = g_strdup_printf ("%s%u", bus, number);
  ProxmoxSetting *setting = proxmox_find (import, key);
  gboolean is_alias = setting == NULL && g_str_equal (key, CDROM_KEY);
  const char *media;

  if (is_alias)
    setting = proxmox_find (import, "cdrom");
  if (setting == NULL)
    return FALSE;
  *ret = (ProxmoxDisk){ .setting = setting, .bus = bus, .number = number };
  ret->file = option (ret, "file");
  if (ret->file == NULL) {
    PROXMOX_MISTAKE (import, setting, "'%s' names no disk: expected a path or 'STORAGE:VOLUME'", key);
    return FALSE;
  }
  media = option (ret, "media");
  ret->is_cdrom = is_alias || (media != NULL && g_str_equal (media, "cdrom"));
  ret->has_iothread = proxmox_option_flag (setting, "file", "iothread", FALSE);
  proxmox_ignore (setting, "file", needless);
  if (strstr (ret->file, "cloudinit") == NULL)
    return TRUE;
  PROXMOX_LOST (import, setting,
                "'%s': the seed for cloud-init is made by Proxmox: write a <seed> into the metadata", key);
  return FALSE;
}

/*
 * Buses.
 */
static const char *
scsi_model (ProxmoxImport *import)
{
  static const struct {
    const char *said, *model;
  } models[] = {
    { "lsi", "lsilogic" },    { "lsi53c810", "lsilogic" },          { "megasas", "lsisas1078" },
    { "pvscsi", "vmpvscsi" }, { "virtio-scsi-pci", "virtio-scsi" }, { "virtio-scsi-single", "virtio-scsi" }
  };
  ProxmoxSetting *setting = proxmox_find (import, "scsihw");
  const char *said = setting != NULL ? setting->line->value : "lsi";

  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    if (g_str_equal (models[i].said, said))
      return models[i].model;
  PROXMOX_MISTAKE (import, setting, "'%s' is no SCSI controller: expected one such as 'virtio-scsi-single'",
                   said);
  return NULL;
}

static void
add_controller (ProxmoxImport *import, const char *model, guint index, gboolean has_iothread)
{
  g_autofree char *text = g_strdup_printf ("%u", index);
  XmlElement *controller =
      import_add (import->devices, "controller", "type", "scsi", "index", text, "model", model, NULL);

  if (has_iothread) {
    g_autofree char *thread = g_strdup_printf ("%u", ++import->iothreads);

    import_add (controller, "driver", "iothread", thread, NULL);
  }
}

/* Each on a controller of its own, or all on the first. */
static void
add_scsi (ProxmoxImport *import)
{
  const char *hardware = proxmox_value (import, "scsihw"), *model = scsi_model (import);
  gboolean single = hardware != NULL && g_str_equal (hardware, "virtio-scsi-single"), has_controller = FALSE;
  ProxmoxDisk disk;

  for (guint i = 0; model != NULL && i < SCSI_MAX; i++) {
    if (!read_disk (import, "scsi", i, &disk))
      continue;
    disk.prefix = "sd";
    if (disk.has_iothread && !single)
      PROXMOX_LOST (import, disk.setting, "'iothread' of '%s' needs 'scsihw: virtio-scsi-single'",
                    disk.setting->line->key);
    if (single || !has_controller)
      add_controller (import, model, single ? i : 0, single && disk.has_iothread);
    has_controller = TRUE;
    add_disk (import, &disk, single ? i : 0, single ? 0 : i);
  }
}

/* The IDE drives of a q35 are on its SATA controller, beside which SATA disks are on one of their own. */
static void
add_ide_and_sata (ProxmoxImport *import)
{
  gboolean has_ide = FALSE;
  ProxmoxDisk disk;

  for (guint i = 0; i < IDE_MAX; i++) {
    if (!read_disk (import, "ide", i, &disk))
      continue;
    has_ide = TRUE;
    disk.prefix = import->is_q35 ? "sd" : "hd";
    disk.bus = import->is_q35 ? "sata" : "ide";
    add_disk (import, &disk, 0, i);
  }
  for (guint i = 0; i < SATA_MAX; i++) {
    if (!read_disk (import, "sata", i, &disk))
      continue;
    disk.prefix = "sd";
    add_disk (import, &disk, import->is_q35 && has_ide ? 1 : 0, i);
  }
}

static void
report_unattached (ProxmoxImport *import)
{
  for (guint i = 0; i < UNUSED_MAX; i++) {
    g_autofree char *key = g_strdup_printf ("unused%u", i);
    const ProxmoxSetting *setting = proxmox_find (import, key);

    if (setting != NULL)
      PROXMOX_LOST (import, setting, "'%s' is attached to nothing, and left out", setting->line->value);
  }
}

void
proxmox_add_disks (ProxmoxImport *import)
{
  ProxmoxDisk disk;

  for (guint i = 0; i < VIRTIO_MAX; i++)
    if (read_disk (import, "virtio", i, &disk)) {
      disk.prefix = "vd";
      add_disk (import, &disk, 0, 0);
    }
  add_scsi (import);
  add_ide_and_sata (import);
  report_unattached (import);
}
