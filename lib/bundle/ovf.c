/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * OVF documents, out and in. The format describes hardware as numbered items that point at one another; of
 * those this knows the few that a machine is made of: processors, memory, controllers, disks and network
 * cards. What others write is read by local names, for their prefixes differ.
 */
#include "bundle/ovf.h"

#include "base/xml-writer.h"
#include "domain/devices/interface.h"

#include <string.h>

#define ENVELOPE    "http://schemas.dmtf.org/ovf/envelope/1"
#define CIM         "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
#define VMWARE      "http://www.vmware.com/schema/ovf"
#define VMDK        "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
#define MIB         ((guint64)1024 * 1024)
#define IDE_PER_BUS 2

/* ResourceType of an item. */
enum { ITEM_CPU = 3, ITEM_MEMORY = 4, ITEM_IDE = 5, ITEM_CARD = 10, ITEM_DISK = 17, ITEM_SATA = 20 };

static void
disk_free (gpointer data)
{
  g_free (((OvfDisk *)data)->file);
  g_free (data);
}

static void
card_free (gpointer data)
{
  OvfCard *card = data;

  g_free (card->mac);
  g_free (card->model);
  g_free (card);
}

Ovf *
ovf_empty (void)
{
  Ovf *ovf = g_new0 (Ovf, 1);

  ovf->disks = g_ptr_array_new_with_free_func (disk_free);
  ovf->cards = g_ptr_array_new_with_free_func (card_free);
  return ovf;
}

void
ovf_free (Ovf *ovf)
{
  if (ovf == NULL)
    return;
  g_ptr_array_unref (ovf->disks);
  g_ptr_array_unref (ovf->cards);
  g_free (ovf->name);
  g_free (ovf);
}

void
ovf_add_card (Ovf *ovf, const char *mac, const char *model)
{
  OvfCard *card = g_new0 (OvfCard, 1);

  *card = (OvfCard){ g_strdup (mac), g_strdup (model) };
  g_ptr_array_add (ovf->cards, card);
}

void
ovf_add_disk (Ovf *ovf, const char *file, guint64 size, guint64 capacity, gboolean is_ide)
{
  OvfDisk *disk = g_new0 (OvfDisk, 1);

  *disk = (OvfDisk){ g_strdup (file), size, capacity, is_ide };
  g_ptr_array_add (ovf->disks, disk);
}

Ovf *
ovf_new (const DomainDef *def)
{
  Ovf *ovf = ovf_empty ();

  ovf->name = g_strdup (def->name);
  ovf->vcpus = (guint)def->vcpus.value;
  ovf->memory = def->memory.value * 1024;
  ovf->is_efi = def->os.firmware == FIRMWARE_EFI || def->os.loader_type == LOADER_TYPE_PFLASH;
  DOMAIN_FOREACH_DEVICE (def, interface_kind, const DeviceInterface, interface) {
    ovf_add_card (ovf, interface->mac, "E1000");
  }
  return ovf;
}

/* Writing. */

static void
add_text (XmlElement *parent, const char *name, const char *text)
{
  xml_element_set_text (xml_element_add (parent, name), text);
}

static void
add_number (XmlElement *parent, const char *name, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  add_text (parent, name, text);
}

static void
set_number (XmlElement *element, const char *name, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  xml_element_set (element, name, text);
}

static void
write_files (const Ovf *ovf, XmlElement *envelope)
{
  XmlElement *references = xml_element_add (envelope, "References");
  XmlElement *section = xml_element_add (envelope, "DiskSection");

  add_text (section, "Info", "Virtual disks");
  for (guint i = 0; i < ovf->disks->len; i++) {
    const OvfDisk *disk = g_ptr_array_index (ovf->disks, i);
    g_autofree char *file_id = g_strdup_printf ("file%u", i + 1);
    g_autofree char *disk_id = g_strdup_printf ("vmdisk%u", i + 1);
    XmlElement *file = xml_element_add (references, "File"), *one = xml_element_add (section, "Disk");

    xml_element_set (file, "ovf:href", disk->file);
    xml_element_set (file, "ovf:id", file_id);
    set_number (file, "ovf:size", disk->size);
    set_number (one, "ovf:capacity", disk->capacity);
    xml_element_set (one, "ovf:capacityAllocationUnits", "byte");
    xml_element_set (one, "ovf:diskId", disk_id);
    xml_element_set (one, "ovf:fileRef", file_id);
    xml_element_set (one, "ovf:format", VMDK);
  }
}

/* The elements of an item stand in the order of their names, as the format wants it. */
typedef struct {
  guint id, type, parent, place; /* parent 0: none */
  guint64 quantity;              /* 0: none */
  const char *units, *name, *address, *subtype, *connection;
  char *resource; /* taken */
} Item;

static void
write_item (XmlElement *hardware, Item item)
{
  XmlElement *element = xml_element_add (hardware, "Item");
  g_autofree char *resource = item.resource;

  if (item.address != NULL)
    add_text (element, "rasd:Address", item.address);
  if (item.parent > 0)
    add_number (element, "rasd:AddressOnParent", item.place);
  if (item.units != NULL)
    add_text (element, "rasd:AllocationUnits", item.units);
  if (item.connection != NULL) {
    add_text (element, "rasd:AutomaticAllocation", "true");
    add_text (element, "rasd:Connection", item.connection);
  }
  add_text (element, "rasd:ElementName", item.name);
  if (resource != NULL)
    add_text (element, "rasd:HostResource", resource);
  add_number (element, "rasd:InstanceID", item.id);
  if (item.parent > 0)
    add_number (element, "rasd:Parent", item.parent);
  if (item.subtype != NULL)
    add_text (element, "rasd:ResourceSubType", item.subtype);
  add_number (element, "rasd:ResourceType", item.type);
  if (item.quantity > 0)
    add_number (element, "rasd:VirtualQuantity", item.quantity);
}

static void
write_disks (const Ovf *ovf, XmlElement *hardware, guint *id)
{
  guint sata = (*id)++, ide = 0, sata_place = 0, ide_place = 0;

  write_item (hardware, (Item){ .id = sata,
                                .type = ITEM_SATA,
                                .name = "SATA controller",
                                .address = "0",
                                .subtype = "vmware.sata.ahci" });
  for (guint i = 0; i < ovf->disks->len; i++) {
    const OvfDisk *disk = g_ptr_array_index (ovf->disks, i);
    gboolean is_ide = disk->is_ide && ide_place < IDE_PER_BUS;

    if (is_ide && ide == 0) {
      ide = (*id)++;
      write_item (hardware, (Item){ .id = ide, .type = ITEM_IDE, .name = "IDE controller", .address = "0" });
    }
    write_item (hardware, (Item){ .id = (*id)++,
                                  .type = ITEM_DISK,
                                  .parent = is_ide ? ide : sata,
                                  .place = is_ide ? ide_place++ : sata_place++,
                                  .name = "Disk",
                                  .resource = g_strdup_printf ("ovf:/disk/vmdisk%u", i + 1) });
  }
}

static void
write_hardware (const Ovf *ovf, XmlElement *system)
{
  XmlElement *hardware = xml_element_add (system, "VirtualHardwareSection"), *kind, *config;
  guint id = 1;

  add_text (hardware, "Info", "Virtual hardware");
  kind = xml_element_add (hardware, "System");
  add_text (kind, "vssd:ElementName", "Virtual hardware family");
  add_number (kind, "vssd:InstanceID", 0);
  add_text (kind, "vssd:VirtualSystemIdentifier", ovf->name);
  add_text (kind, "vssd:VirtualSystemType", "vmx-13");
  write_item (hardware, (Item){ .id = id++,
                                .type = ITEM_CPU,
                                .name = "Processors",
                                .quantity = ovf->vcpus,
                                .units = "hertz * 10^6" });
  write_item (hardware, (Item){ .id = id++,
                                .type = ITEM_MEMORY,
                                .name = "Memory",
                                .quantity = MAX (ovf->memory / MIB, 1),
                                .units = "byte * 2^20" });
  write_disks (ovf, hardware, &id);
  for (guint i = 0; i < ovf->cards->len; i++) {
    const OvfCard *card = g_ptr_array_index (ovf->cards, i);

    write_item (hardware, (Item){ .id = id++,
                                  .type = ITEM_CARD,
                                  .name = "Network card",
                                  .address = card->mac,
                                  .subtype = card->model,
                                  .connection = "default" });
  }
  config = xml_element_add (hardware, "vmw:Config");
  xml_element_set (config, "ovf:required", "false");
  xml_element_set (config, "vmw:key", "firmware");
  xml_element_set (config, "vmw:value", ovf->is_efi ? "efi" : "bios");
}

char *
ovf_to_xml (const Ovf *ovf)
{
  g_autoptr (XmlElement) envelope = xml_element_new ("Envelope");
  XmlElement *networks, *network, *system, *os;
  g_autofree char *text = NULL;

  xml_element_set (envelope, "xmlns", ENVELOPE);
  xml_element_set (envelope, "xmlns:ovf", ENVELOPE);
  xml_element_set (envelope, "xmlns:rasd", CIM "CIM_ResourceAllocationSettingData");
  xml_element_set (envelope, "xmlns:vssd", CIM "CIM_VirtualSystemSettingData");
  xml_element_set (envelope, "xmlns:vmw", VMWARE);
  write_files (ovf, envelope);
  networks = xml_element_add (envelope, "NetworkSection");
  add_text (networks, "Info", "Networks");
  network = xml_element_add (networks, "Network");
  xml_element_set (network, "ovf:name", "default");
  add_text (network, "Description", "The network of its cards");
  system = xml_element_add (envelope, "VirtualSystem");
  xml_element_set (system, "ovf:id", ovf->name);
  add_text (system, "Info", "A virtual machine");
  add_text (system, "Name", ovf->name);
  os = xml_element_add (system, "OperatingSystemSection");
  xml_element_set (os, "ovf:id", "1");
  add_text (os, "Info", "The guest's operating system");
  write_hardware (ovf, system);
  text = xml_element_to_string (envelope);
  return g_strconcat ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", text, NULL);
}
