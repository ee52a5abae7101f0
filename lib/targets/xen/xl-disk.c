/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Disks of an xl.cfg. `target=` takes the rest of its text and stands last, so that a path may have commas in
 * it; whatever stands before it may not. Image formats are those that Xen's back-ends read: another one is
 * refused and not called raw, which would give the guest the container's bytes for its disk.
 */
#include "targets/xen/xen-private.h"

#include "domain/devices/disk.h"

#include <string.h>

static const char *const formats[] = { "raw", "qcow2", "qcow", "vhd", "qed", NULL };

/* "aio" is what old documents call raw, "vpc" what QEMU calls vhd. */
static const char *
format_of (const DeviceDisk *disk)
{
  if (disk->format == NULL || g_str_equal (disk->format, "aio"))
    return "raw";
  if (g_str_equal (disk->format, "vpc"))
    return "vhd";
  return disk->format;
}

/* A colon ends an option of QEMU's, unless a backslash stands before it. */
static char *
escape_colons (const char *text)
{
  GString *escaped = g_string_new (NULL);

  for (; *text != '\0'; text++)
    g_string_append_printf (escaped, *text == ':' ? "\\%c" : "%c", *text);
  return g_string_free (escaped, FALSE);
}

/* QEMU's words for a pool of Ceph; xl hands them to it. */
static char *
rbd_target (const DeviceDisk *disk)
{
  const DiskSource *source = &disk->source;
  const DiskAuth *auth = disk_auth (disk);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "rbd:%s", source->name);
  if (source->snapshot != NULL)
    g_string_append_printf (text, "@%s", source->snapshot);
  if (auth != NULL && auth->user != NULL)
    g_string_append_printf (text, ":id=%s:auth_supported=cephx\\;none", auth->user);
  else
    g_string_append (text, ":auth_supported=none");
  for (guint i = 0; source->hosts != NULL && i < source->hosts->len; i++) {
    const DiskHost *host = g_ptr_array_index (source->hosts, i);

    g_autofree char *escaped = escape_colons (host->name);

    g_string_append (text, i == 0 ? ":mon_host=" : "\\;");
    g_string_append_printf (text, strchr (host->name, ':') != NULL ? "[%s]" : "%s", escaped);
    if (host->port != NULL)
      g_string_append_printf (text, "\\:%s", host->port);
  }
  if (source->config != NULL)
    g_string_append_printf (text, ":conf=%s", source->config);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* NULL with a loss, or for an empty drive; *@ret_lost says which. */
static char *
target_of (XlWriter *writer, const DeviceDisk *disk, gboolean *ret_lost)
{
  const char *type = enum_table_name (&disk_types, disk->type);

  *ret_lost = FALSE;
  if (disk->type == DISK_TYPE_NETWORK && disk->source.protocol == DISK_PROTOCOL_RBD
      && disk->source.name != NULL)
    return rbd_target (disk);
  if (disk->type == DISK_TYPE_FILE || disk->type == DISK_TYPE_BLOCK || disk->type == DISK_TYPE_NONE)
    return g_strdup (disk_path (disk));
  *ret_lost = TRUE;
  if (disk->type == DISK_TYPE_NETWORK)
    type = enum_table_name (&disk_protocols, disk->source.protocol);
  target_lose (writer->losses, &disk->device, NULL,
               "opens files, block devices and images of Ceph ('rbd'), and no disk of '%s'", type);
  return NULL;
}

static const char *
backend_of (const DeviceDisk *disk)
{
  if (disk->driver == NULL)
    return NULL;
  if (g_str_equal (disk->driver, "qemu"))
    return "qdisk";
  return g_str_equal (disk->driver, "tap2") ? "tap" : disk->driver;
}

/* The name by which the guest knows it: of virtio's, which Xen has none, the same letter on its own bus. */
static char *
name_of (XlWriter *writer, const DeviceDisk *disk)
{
  if (disk->bus == DISK_BUS_FDC) {
    target_lose (writer->losses, &disk->device, NULL, "has no floppy drives");
    return NULL;
  }
  if (disk->bus == DISK_BUS_VIRTIO || disk->bus == DISK_BUS_SATA || disk->bus == DISK_BUS_USB
      || disk->bus == DISK_BUS_SD) {
    g_autofree char *own = g_strdup_printf ("xvd%c", 'a' + MAX (disk_target_index (disk->target), 0) % 26);

    target_lose (writer->losses, &disk->device, "<target bus=>",
                 "has the buses 'xen', 'ide' and 'scsi': dropped, the disk is '%s' on 'xen'", own);
    if (domain_def_find_disk (writer->def, own) != NULL)
      return NULL;
    return g_steal_pointer (&own);
  }
  return g_strdup (disk->target);
}

static void
add_disk (XlWriter *writer, GPtrArray *disks, const DeviceDisk *disk)
{
  const Device *device = &disk->device;
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean is_cdrom = disk->device_type == DISK_DEVICE_CDROM, lost;
  g_autofree char *target = target_of (writer, disk, &lost);
  g_autofree char *name = lost ? NULL : name_of (writer, disk);

  if (name == NULL)
    return;
  if (!g_strv_contains (formats, format_of (disk))) {
    target_refuse (writer->losses, device, "<driver type=>",
                   "reads images of the formats raw, qcow2, qcow, vhd and qed, not '%s'", format_of (disk));
    return;
  }
  if (target == NULL && !is_cdrom) {
    target_lose (writer->losses, device, NULL, "has no disk without an image");
    return;
  }
  if (disk->device_type == DISK_DEVICE_LUN)
    target_lose (writer->losses, device,
                 "device=", "passes no SCSI commands through: it is an ordinary disk there");
  xl_append_option (writer, text, device, "format", format_of (disk));
  xl_append_option (writer, text, device, "vdev", name);
  xl_append_option (writer, text, device, "access", is_cdrom || disk->readonly ? "ro" : "rw");
  if (disk->discard != DISK_DISCARD_NONE)
    g_string_append (text, disk->discard == DISK_DISCARD_UNMAP ? ",discard" : ",no-discard");
  xl_append_option (writer, text, device, "backendtype", backend_of (disk));
  if (is_cdrom)
    xl_append_option (writer, text, device, "devtype", "cdrom");
  if (disk->backend_domain != NULL) {
    g_autofree char *domain = xl_verbatim_attribute (disk->backend_domain, "name");

    xl_append_option (writer, text, device, "backend", domain);
  }
  if (target != NULL)
    g_string_append_printf (text, ",target=%s", target);
  g_ptr_array_add (disks, g_strdup (text->str));
}

void
xl_add_disks (XlWriter *writer)
{
  GPtrArray *disks = g_ptr_array_new_with_free_func (g_free);

  DOMAIN_FOREACH_DEVICE (writer->def, disk_kind, DeviceDisk, disk)
    add_disk (writer, disks, disk);
  xl_add_list (writer, "disk", disks);
}
