/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Disks of an xl.cfg as <disk>. A text has positions (target, format, vdev, access), names with values and
 * flags, mixed, and the prefixes of xend ("phy:", "tap:qcow2:"), whose texts have no format at its position;
 * target= takes the rest of the text, commas and all.
 */
#include "targets/xen/xen-private.h"

#include <string.h>

#define TARGET_NAME_MAX 16

typedef struct {
  const XlValue *value;
  char *target, *format, *vdev, *access, *backend, *domain;
  gboolean is_cdrom, has_prefix;
  const char *discard;
} Disk;

static void
disk_clear (Disk *disk)
{
  g_free (disk->target);
  g_free (disk->format);
  g_free (disk->vdev);
  g_free (disk->access);
  g_free (disk->backend);
  g_free (disk->domain);
}

static void
set (char **member, const char *value)
{
  g_free (*member);
  *member = g_strdup (value);
}

/* xend's prefixes, which say back-end or format. */
static const char *
take_prefixes (Disk *disk, const char *target)
{
  static const struct {
    const char *prefix, *format, *backend;
  } prefixes[] = {
    { "phy:", "raw", "phy" },  { "file:", "raw", "qdisk" }, { "tap2:", NULL, "tap" },
    { "tap:", NULL, "tap" },   { "aio:", "raw", NULL },     { "qcow2:", "qcow2", NULL },
    { "qcow:", "qcow", NULL }, { "vhd:", "vhd", NULL },     { "raw:", "raw", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (target, prefixes[i].prefix)) {
      disk->has_prefix = TRUE;
      if (prefixes[i].format != NULL)
        set (&disk->format, prefixes[i].format);
      if (prefixes[i].backend != NULL)
        set (&disk->backend, prefixes[i].backend);
      target += strlen (prefixes[i].prefix);
      i = G_MAXUINT; /* from the first one again: prefixes follow prefixes */
    }
  return target;
}

static void
take_position (Disk *disk, const char *word)
{
  if (disk->target == NULL)
    disk->target = g_strdup (take_prefixes (disk, word));
  else if (disk->format == NULL && !disk->has_prefix)
    disk->format = g_strdup (word);
  else if (disk->vdev == NULL)
    disk->vdev = g_strdup (word);
  else if (disk->access == NULL)
    disk->access = g_strdup (word);
}

static void
take_name (XlImport *import, Disk *disk, const char *name, const char *value)
{
  if (g_str_equal (name, "format"))
    set (&disk->format, value);
  else if (g_str_equal (name, "vdev"))
    set (&disk->vdev, value);
  else if (g_str_equal (name, "access"))
    set (&disk->access, value);
  else if (g_str_equal (name, "backendtype"))
    set (&disk->backend, value);
  else if (g_str_equal (name, "backend"))
    set (&disk->domain, value);
  else if (g_str_equal (name, "devtype"))
    disk->is_cdrom = g_str_equal (value, "cdrom");
  else
    xl_without_place (import, disk->value->where, "disk: '%s=' has no place in the format", name);
}

static gboolean
take_flag (XlImport *import, Disk *disk, const char *word)
{
  if (g_str_equal (word, "cdrom"))
    disk->is_cdrom = TRUE;
  else if (g_str_equal (word, "discard"))
    disk->discard = "unmap";
  else if (g_str_equal (word, "no-discard"))
    disk->discard = "ignore";
  else if (g_str_equal (word, "direct-io-safe"))
    xl_without_place (import, disk->value->where, "disk: 'direct-io-safe' has no place in the format");
  else
    return FALSE;
  return TRUE;
}

static void
read_words (XlImport *import, Disk *disk)
{
  g_autofree char *text = g_strdup (disk->value->text);

  for (char *at = text, *next; at != NULL; at = next) {
    char *equals;

    while (g_ascii_isspace (*at))
      at++;
    if (g_str_has_prefix (at, "target=")) {
      set (&disk->target, take_prefixes (disk, at + strlen ("target=")));
      return;
    }
    next = strchr (at, ',');
    if (next != NULL)
      *next++ = '\0';
    g_strchomp (at);
    equals = strchr (at, '=');
    if (equals != NULL && strspn (at, "abcdefghijklmnopqrstuvwxyz_-") == (gsize)(equals - at)
        && equals > at) {
      *equals = '\0';
      take_name (import, disk, g_strchomp (at), g_strchug (equals + 1));
    } else if (!take_flag (import, disk, at)) {
      take_position (disk, at);
    }
  }
}

/* "hdc:cdrom" is xend's. NULL: it is no name of a disk. */
static const char *
bus_of (Disk *disk)
{
  static const char *const buses[][2] = {
    { "xvd", "xen" }, { "hd", "ide" }, { "sd", "scsi" }, { "vd", "virtio" }
  };
  char *colon = disk->vdev != NULL ? strchr (disk->vdev, ':') : NULL;

  if (colon != NULL) {
    *colon = '\0';
    disk->is_cdrom = disk->is_cdrom || g_str_equal (colon + 1, "cdrom");
  }
  for (guint i = 0; disk->vdev != NULL && strlen (disk->vdev) <= TARGET_NAME_MAX && i < G_N_ELEMENTS (buses);
       i++) {
    gsize length = strlen (buses[i][0]);

    if (g_str_has_prefix (disk->vdev, buses[i][0]) && g_ascii_islower (disk->vdev[length])
        && strspn (disk->vdev + length, "abcdefghijklmnopqrstuvwxyz0123456789")
               == strlen (disk->vdev + length))
      return buses[i][1];
  }
  return NULL;
}

/* "h1\:6789\;h2" */
static void
add_hosts (XmlElement *source, const char *text)
{
  g_auto (GStrv) hosts = g_strsplit (text, ";", -1);

  for (guint i = 0; hosts[i] != NULL; i++) {
    char *colon = strrchr (hosts[i], ':'), *bracket = strchr (hosts[i], ']');
    XmlElement *host = xml_element_add (source, "host");
    gboolean has_port = colon != NULL && (bracket == NULL || bracket < colon);

    if (has_port)
      *colon = '\0';
    if (bracket != NULL)
      *bracket = '\0';
    xml_element_set (host, "name", hosts[i] + (hosts[i][0] == '['));
    if (has_port)
      xml_element_set (host, "port", colon + 1);
  }
}

/* The words between colons; a backslash takes the meaning from what follows it. */
static GPtrArray *
split_escaped (const char *text)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) word = g_string_new (NULL);

  for (; *text != '\0'; text++) {
    if (*text == ':') {
      g_ptr_array_add (words, g_strdup (word->str));
      g_string_truncate (word, 0);
      continue;
    }
    if (*text == '\\' && text[1] != '\0')
      text++;
    g_string_append_c (word, *text);
  }
  g_ptr_array_add (words, g_strdup (word->str));
  return words;
}

static void
add_rbd (XlImport *import, const Disk *disk, XmlElement *element)
{
  g_autoptr (GPtrArray) words = split_escaped (disk->target + strlen ("rbd:"));
  XmlElement *auth = NULL, *source;

  for (guint i = 1; i < words->len && auth == NULL; i++)
    if (g_str_has_prefix (g_ptr_array_index (words, i), "id=")) {
      auth = xml_element_add (element, "auth");
      xml_element_set (auth, "username", (const char *)g_ptr_array_index (words, i) + strlen ("id="));
      xl_without_place (import, disk->value->where,
                        "disk: the secret of Ceph's user is not in the file: <auth> needs a <secret>");
    }
  source = xml_element_add (element, "source");
  xml_element_set (source, "protocol", "rbd");
  xml_element_set (source, "name", g_ptr_array_index (words, 0));
  for (guint i = 1; i < words->len; i++) {
    const char *word = g_ptr_array_index (words, i);

    if (g_str_has_prefix (word, "mon_host="))
      add_hosts (source, word + strlen ("mon_host="));
    else if (g_str_has_prefix (word, "conf="))
      xml_element_set (xml_element_add (source, "config"), "file", word + strlen ("conf="));
    else if (!g_str_has_prefix (word, "auth_supported=") && !g_str_has_prefix (word, "id="))
      xl_without_place (import, disk->value->where, "disk: '%s' has no place in the format", word);
  }
}

static const char *
format_word (XlImport *import, const Disk *disk)
{
  static const char *const formats[] = { "raw", "qcow2", "qcow", "qed", NULL };

  if (disk->format == NULL || disk->format[0] == '\0' || g_str_equal (disk->format, "aio"))
    return "raw";
  if (g_str_equal (disk->format, "vhd"))
    return "vpc";
  if (!g_strv_contains (formats, disk->format))
    xl_mistake (import, disk->value->where,
                "disk: format '%s' is none: expected raw, qcow2, qcow, vhd or qed", disk->format);
  return disk->format;
}

static void
add_driver (XlImport *import, const Disk *disk, XmlElement *element)
{
  XmlElement *driver = xml_element_add (element, "driver");
  gboolean is_qemu = disk->backend == NULL || g_str_equal (disk->backend, "qdisk");

  xml_element_set (driver, "name", is_qemu ? "qemu" : disk->backend);
  xml_element_set (driver, "type", format_word (import, disk));
  if (disk->discard != NULL)
    xml_element_set (driver, "discard", disk->discard);
}

static void
add_disk (XlImport *import, const Disk *disk, const char *bus)
{
  XmlElement *element = xml_element_add (import->devices, "disk"), *target;
  gboolean is_rbd = disk->target != NULL && g_str_has_prefix (disk->target, "rbd:");
  gboolean is_block = g_strcmp0 (disk->backend, "phy") == 0;
  gboolean is_read_only = disk->access != NULL && disk->access[0] == 'r' && !g_str_equal (disk->access, "rw");

  xml_element_set (element, "type", is_rbd ? "network" : is_block ? "block" : "file");
  xml_element_set (element, "device", disk->is_cdrom ? "cdrom" : "disk");
  add_driver (import, disk, element);
  if (is_rbd)
    add_rbd (import, disk, element);
  else if (disk->target != NULL && disk->target[0] != '\0')
    xml_element_set (xml_element_add (element, "source"), is_block ? "dev" : "file", disk->target);
  if (disk->domain != NULL)
    xml_element_set (xml_element_add (element, "backenddomain"), "name", disk->domain);
  target = xml_element_add (element, "target");
  xml_element_set (target, "dev", disk->vdev);
  xml_element_set (target, "bus", bus);
  if (disk->is_cdrom || is_read_only)
    xml_element_add (element, "readonly");
}

static void
read_disk (XlImport *import, const XlValue *value)
{
  static const char *const accesses[] = { "r", "ro", "w", "rw", NULL };
  Disk disk = { .value = value };
  const char *bus;

  read_words (import, &disk);
  bus = bus_of (&disk);
  if (bus == NULL)
    xl_mistake (import, value->where,
                "disk: '%s' is no name of a disk: expected one such as vdev=xvda or vdev=hda",
                disk.vdev != NULL ? disk.vdev : "");
  else if (disk.access != NULL && !g_strv_contains (accesses, disk.access))
    xl_mistake (import, value->where, "disk: access '%s' is none: expected 'rw' or 'ro'", disk.access);
  else if (!disk.is_cdrom && (disk.target == NULL || disk.target[0] == '\0'))
    xl_mistake (import, value->where, "disk: only a CD drive may have no target");
  else
    add_disk (import, &disk, bus);
  disk_clear (&disk);
}

void
xl_read_disks (XlImport *import)
{
  g_autoptr (GPtrArray) disks = xl_find_texts (import, "disk");

  for (guint i = 0; disks != NULL && i < disks->len; i++)
    read_disk (import, g_ptr_array_index (disks, i));
}
