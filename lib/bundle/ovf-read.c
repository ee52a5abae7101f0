/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading an OVF document of whoever's, and making a document of ours of it. Ids are followed one step and
 * never round: from an item to a disk to a file. Names of files are held to a form that leads nowhere.
 */
#include "bundle/ovf-read.h"

#include "base/scalars.h"
#include "base/xml-document.h"
#include "base/xml-writer.h"
#include "bundle/bundle-name.h"

#include <string.h>

#define MIB            ((guint64)1024 * 1024)
#define VCPUS_MAX      4096
#define MEMORY_MAX_MIB (64 * MIB)

static xmlNode *
child_named (const xmlNode *parent, const char *name)
{
  for (xmlNode *child = parent != NULL ? parent->children : NULL; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && xmlStrEqual (child->name, BAD_CAST name))
      return child;
  return NULL;
}

/* The text of a child, or NULL. (transfer full) */
static char *
text_of (const xmlNode *parent, const char *name)
{
  const xmlNode *child = child_named (parent, name);

  return child != NULL ? xml_node_text (child) : NULL;
}

/* An attribute by its local name, whatever its prefix. (transfer full) */
static char *
attribute_of (const xmlNode *element, const char *name)
{
  for (const xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    if (xmlStrEqual (attribute->name, BAD_CAST name)) {
      xmlChar *value = xmlNodeGetContent ((const xmlNode *)attribute);
      char *copy = g_strdup ((const char *)value);

      xmlFree (value);
      return copy;
    }
  return NULL;
}

/* The child of that name whose attribute has the value; NULL: none. */
static xmlNode *
child_with (const xmlNode *parent, const char *name, const char *attribute, const char *value)
{
  for (xmlNode *child = parent != NULL ? parent->children : NULL; child != NULL; child = child->next) {
    g_autofree char *said = child->type == XML_ELEMENT_NODE && xmlStrEqual (child->name, BAD_CAST name)
                                ? attribute_of (child, attribute)
                                : NULL;

    if (said != NULL && g_strcmp0 (said, value) == 0)
      return child;
  }
  return NULL;
}

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (error, VIR_ERR_XML_ERROR, "the OVF document %s", text);
  return FALSE;
}

static guint64
number_of (const char *text)
{
  guint64 number = 0;

  return text != NULL && parse_uint (text, G_MAXINT64, &number) ? number : 0;
}

/* Bytes of one unit: "byte * 2^20", "MegaBytes", "MB", ... */
static guint64
unit_of (const char *units)
{
  static const struct {
    const char *word;
    guint shift;
  } known[] = { { "2^10", 10 }, { "2^20", 20 }, { "2^30", 30 }, { "2^40", 40 }, { "Kilo", 10 },
                { "Mega", 20 }, { "Giga", 30 }, { "KB", 10 },   { "MB", 20 },   { "GB", 30 } };

  for (guint i = 0; units != NULL && i < G_N_ELEMENTS (known); i++)
    if (strstr (units, known[i].word) != NULL)
      return (guint64)1 << known[i].shift;
  return 1;
}

/* The controller of an item: is it an IDE one? */
static gboolean
is_on_ide (const xmlNode *hardware, const xmlNode *item)
{
  g_autofree char *parent = text_of (item, "Parent");

  for (const xmlNode *other = hardware->children; parent != NULL && other != NULL; other = other->next) {
    g_autofree char *id = other->type == XML_ELEMENT_NODE ? text_of (other, "InstanceID") : NULL;
    g_autofree char *type = id != NULL && g_str_equal (id, parent) ? text_of (other, "ResourceType") : NULL;

    if (type != NULL)
      return g_str_equal (type, "5");
  }
  return FALSE;
}

static gboolean
read_disk (const xmlNode *root, const xmlNode *hardware, const xmlNode *item, Ovf *ovf, GError **error)
{
  g_autofree char *resource = text_of (item, "HostResource");
  const char *id = resource != NULL ? strrchr (resource, '/') : NULL;
  const xmlNode *disk =
      id != NULL ? child_with (child_named (root, "DiskSection"), "Disk", "diskId", id + 1) : NULL;
  g_autofree char *reference = disk != NULL ? attribute_of (disk, "fileRef") : NULL;
  const xmlNode *file =
      reference != NULL ? child_with (child_named (root, "References"), "File", "id", reference) : NULL;
  g_autofree char *name = file != NULL ? attribute_of (file, "href") : NULL;
  g_autofree char *size = file != NULL ? attribute_of (file, "size") : NULL;
  g_autofree char *capacity = disk != NULL ? attribute_of (disk, "capacity") : NULL;
  g_autofree char *units = disk != NULL ? attribute_of (disk, "capacityAllocationUnits") : NULL;
  g_autofree char *compression = file != NULL ? attribute_of (file, "compression") : NULL;
  guint64 unit = unit_of (units), count = number_of (capacity);

  if (name == NULL)
    return refuse (error, "has a disk without a file");
  if (!bundle_name_check (name, error))
    return FALSE;
  if (compression != NULL && !g_str_equal (compression, "identity"))
    return refuse (error, "has a file in '%s', which is not read: '%s'", compression, name);
  if (ovf->disks->len >= OVF_DISKS_MAX || count > G_MAXINT64 / unit)
    return refuse (error, "has more than %d disks, or one that is too large", OVF_DISKS_MAX);
  for (guint i = 0; i < ovf->disks->len; i++)
    if (g_str_equal (((const OvfDisk *)g_ptr_array_index (ovf->disks, i))->file, name))
      return refuse (error, "has two disks of the file '%s'", name);
  ovf_add_disk (ovf, name, number_of (size), count * unit, is_on_ide (hardware, item));
  return TRUE;
}

static gboolean
read_card (const xmlNode *item, Ovf *ovf, GError **error)
{
  g_autofree char *mac = text_of (item, "Address");
  g_autofree char *model = text_of (item, "ResourceSubType");
  guint8 bytes[MAC_BYTES];

  ovf_add_card (ovf, mac != NULL && mac_parse (mac, bytes) ? mac : NULL, model);
  return ovf->cards->len <= OVF_CARDS_MAX || refuse (error, "has more than %d network cards", OVF_CARDS_MAX);
}

static gboolean
read_item (const xmlNode *root, const xmlNode *hardware, const xmlNode *item, Ovf *ovf, GError **error)
{
  g_autofree char *type = text_of (item, "ResourceType");
  g_autofree char *quantity = text_of (item, "VirtualQuantity");
  g_autofree char *units = text_of (item, "AllocationUnits");
  guint64 count = number_of (quantity);

  switch (number_of (type)) {
    case 3:
      ovf->vcpus = (guint)MIN (count, VCPUS_MAX);
      return TRUE;
    case 4:
      ovf->memory = count <= MEMORY_MAX_MIB ? count * unit_of (units != NULL ? units : "MB") : 0;
      return TRUE;
    case 10:
      return read_card (item, ovf, error);
    case 17:
      return read_disk (root, hardware, item, ovf, error);
    default:
      return TRUE;
  }
}

static gboolean
read_hardware (const xmlNode *root, const xmlNode *hardware, Ovf *ovf, GError **error)
{
  const xmlNode *firmware = child_with (hardware, "Config", "key", "firmware");
  g_autofree char *value = firmware != NULL ? attribute_of (firmware, "value") : NULL;

  ovf->is_efi = g_strcmp0 (value, "efi") == 0;
  for (const xmlNode *item = hardware->children; item != NULL; item = item->next)
    if (item->type == XML_ELEMENT_NODE
        && (xmlStrEqual (item->name, BAD_CAST "Item") || xmlStrEqual (item->name, BAD_CAST "StorageItem")
            || xmlStrEqual (item->name, BAD_CAST "EthernetPortItem"))
        && !read_item (root, hardware, item, ovf, error))
      return FALSE;
  return (ovf->vcpus > 0 && ovf->memory > 0) || refuse (error, "says no processors or no memory");
}

Ovf *
ovf_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("OVF");
  g_autoptr (XmlDocument) document = g_utf8_validate (text, (gssize)length, NULL)
                                         ? xml_document_parse (text, (gssize)length, diagnostics)
                                         : NULL;
  g_autoptr (Ovf) ovf = ovf_empty ();
  const xmlNode *root, *system, *hardware;

  if (document == NULL) {
    refuse (error, "cannot be read");
    return NULL;
  }
  root = xml_document_root (document);
  system = child_named (root, "VirtualSystem");
  hardware = child_named (system, "VirtualHardwareSection");
  if (hardware == NULL) {
    refuse (error, "has no virtual system with hardware (a collection of several is not read)");
    return NULL;
  }
  ovf->name = text_of (system, "Name");
  if (ovf->name == NULL)
    ovf->name = attribute_of (system, "id");
  if (ovf->name == NULL || ovf->name[0] == '\0') {
    refuse (error, "has no name");
    return NULL;
  }
  return read_hardware (root, hardware, ovf, error) ? g_steal_pointer (&ovf) : NULL;
}

/* A document of it. */

static void
add_disk (XmlElement *devices, const OvfDisk *disk, const char *path, guint index)
{
  XmlElement *element = xml_element_add (devices, "disk"), *child;
  g_autofree char *target = g_strdup_printf ("%s%c", disk->is_ide ? "hd" : "sd", 'a' + (int)index);

  xml_element_set (element, "type", "file");
  xml_element_set (element, "device", "disk");
  child = xml_element_add (element, "driver");
  xml_element_set (child, "name", "qemu");
  xml_element_set (child, "type", "qcow2");
  xml_element_set (xml_element_add (element, "source"), "file", path);
  child = xml_element_add (element, "target");
  xml_element_set (child, "dev", target);
  xml_element_set (child, "bus", disk->is_ide ? "ide" : "sata");
}

/* Cards that QEMU has as well; for all others the one that most guests know. */
static const char *
model_of (const OvfCard *card)
{
  static const struct {
    const char *said, *model;
  } models[] = { { "vmxnet3", "vmxnet3" }, { "e1000e", "e1000e" }, { "virtio", "virtio" } };

  for (guint i = 0; card->model != NULL && i < G_N_ELEMENTS (models); i++)
    if (g_ascii_strcasecmp (card->model, models[i].said) == 0)
      return models[i].model;
  return "e1000";
}

static void
add_card (XmlElement *devices, const OvfCard *card)
{
  XmlElement *element = xml_element_add (devices, "interface");

  xml_element_set (element, "type", "user");
  if (card->mac != NULL)
    xml_element_set (xml_element_add (element, "mac"), "address", card->mac);
  xml_element_set (xml_element_add (element, "model"), "type", model_of (card));
}

char *
ovf_to_domain (const Ovf *ovf, const GPtrArray *paths, gboolean kvm)
{
  g_autoptr (XmlElement) domain = xml_element_new ("domain");
  g_autofree char *memory = g_strdup_printf ("%" G_GUINT64_FORMAT, ovf->memory / 1024);
  g_autofree char *vcpus = g_strdup_printf ("%u", ovf->vcpus);
  XmlElement *element, *os, *devices;
  gboolean has_ide = FALSE;

  for (guint i = 0; i < ovf->disks->len; i++)
    has_ide = has_ide || ((const OvfDisk *)g_ptr_array_index (ovf->disks, i))->is_ide;
  xml_element_set (domain, "type", kvm ? "kvm" : "qemu");
  xml_element_set_text (xml_element_add (domain, "name"), ovf->name);
  xml_element_set_text (xml_element_add (domain, "memory"), memory);
  xml_element_set_text (xml_element_add (domain, "vcpu"), vcpus);
  os = xml_element_add (domain, "os");
  if (ovf->is_efi)
    xml_element_set (os, "firmware", "efi");
  element = xml_element_add (os, "type");
  xml_element_set (element, "arch", "x86_64");
  xml_element_set (element, "machine", has_ide ? "pc" : "q35");
  xml_element_set_text (element, "hvm");
  element = xml_element_add (domain, "features");
  xml_element_add (element, "acpi");
  xml_element_add (element, "apic");
  devices = xml_element_add (domain, "devices");
  for (guint i = 0; i < ovf->disks->len; i++)
    add_disk (devices, g_ptr_array_index (ovf->disks, i), g_ptr_array_index (paths, i), i);
  for (guint i = 0; i < ovf->cards->len; i++)
    add_card (devices, g_ptr_array_index (ovf->cards, i));
  xml_element_set (xml_element_add (devices, "graphics"), "type", "vnc");
  return xml_element_to_string (domain);
}
