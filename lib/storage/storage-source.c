/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <source> of a pool: the servers, devices and names that pools of the different types have. One table has
 * them all, as libvirt writes them in one order; which go together the schema says.
 */
#include "storage/storage-source.h"

static const EnumTable adapter_types = { "adapter type", { NULL, "scsi_host", "fc_host" } };
static const EnumTable auth_types = { "kind of authentication", { NULL, "chap", "ceph" } };

static const Field host_fields[] = {
  FIELD_WITH (StorageHost, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD (StorageHost, port, "@port", field_signed, NULL),
  FIELD_END,
};

static const FieldTable host_table = { sizeof (StorageHost), host_fields };

static const Field extent_fields[] = {
  FIELD_WITH (StorageExtent, start, "@start", field_number, NULL, FIELD_REQUIRED),
  FIELD_WITH (StorageExtent, end, "@end", field_number, NULL, FIELD_REQUIRED),
  FIELD_END,
};

const FieldTable storage_extent_table = { sizeof (StorageExtent), extent_fields };

static const Field device_fields[] = {
  FIELD_WITH (StorageDevice, path, "@path", field_text, NULL, FIELD_REQUIRED),
  FIELD (StorageDevice, part_separator, "@part_separator", field_yes_no, NULL),
  FIELD (StorageDevice, extents, "freeExtent", field_list, &storage_extent_table),
  FIELD_END,
};

static const FieldTable device_table = { sizeof (StorageDevice), device_fields };

static const Field adapter_fields[] = {
  FIELD (StorageAdapter, type, "@type", field_enum, &adapter_types),
  FIELD (StorageAdapter, name, "@name", field_text, NULL),
  FIELD (StorageAdapter, parent, "@parent", field_text, NULL),
  FIELD (StorageAdapter, parent_wwnn, "@parent_wwnn", field_text, NULL),
  FIELD (StorageAdapter, parent_wwpn, "@parent_wwpn", field_text, NULL),
  FIELD (StorageAdapter, parent_fabric_wwn, "@parent_fabric_wwn", field_text, NULL),
  FIELD (StorageAdapter, managed, "@managed", field_yes_no, NULL),
  FIELD (StorageAdapter, wwnn, "@wwnn", field_text, NULL),
  FIELD (StorageAdapter, wwpn, "@wwpn", field_text, NULL),
  FIELD (StorageAdapter, unique_id, "parentaddr/@unique_id", field_number, NULL),
  FIELD (StorageAdapter, has_address, "parentaddr/address", field_flag, NULL),
  FIELD (StorageAdapter, domain, "parentaddr/address/@domain", field_hex4, NULL),
  FIELD (StorageAdapter, bus, "parentaddr/address/@bus", field_hex2, NULL),
  FIELD (StorageAdapter, slot, "parentaddr/address/@slot", field_hex2, NULL),
  FIELD (StorageAdapter, function, "parentaddr/address/@function", field_hex1, NULL),
  FIELD (StorageAdapter, multifunction, "parentaddr/address/@multifunction", field_on_off, NULL),
  FIELD_END,
};

static const FieldTable adapter_table = { sizeof (StorageAdapter), adapter_fields };

static const Field auth_fields[] = {
  FIELD_WITH (StorageAuth, type, "@type", field_enum, &auth_types, FIELD_REQUIRED),
  FIELD_WITH (StorageAuth, username, "@username", field_text, NULL, FIELD_REQUIRED),
  FIELD (StorageAuth, uuid, "secret/@uuid", field_text, NULL),
  FIELD (StorageAuth, usage, "secret/@usage", field_text, NULL),
  FIELD_END,
};

static const FieldTable auth_table = { sizeof (StorageAuth), auth_fields };

static const Field source_fields[] = {
  FIELD (StoragePoolSource, hosts, "host", field_list, &host_table),
  FIELD (StoragePoolSource, devices, "device", field_list, &device_table),
  FIELD (StoragePoolSource, directory, "dir/@path", field_text, NULL),
  FIELD (StoragePoolSource, adapter, "adapter", field_optional, &adapter_table),
  FIELD (StoragePoolSource, name, "name", field_text, NULL),
  FIELD (StoragePoolSource, initiator, "initiator/iqn/@name", field_text, NULL),
  FIELD (StoragePoolSource, format, "format/@type", field_text, NULL),
  FIELD_WITH (StoragePoolSource, vendor, "format/vendor/@name", field_text, NULL, FIELD_IGNORED),
  FIELD_WITH (StoragePoolSource, product, "format/product/@name", field_text, NULL, FIELD_IGNORED),
  FIELD (StoragePoolSource, auth, "auth", field_optional, &auth_table),
  FIELD (StoragePoolSource, protocol_version, "protocol/@ver", field_text, NULL),
  FIELD (StoragePoolSource, vendor, "vendor/@name", field_text, NULL),
  FIELD (StoragePoolSource, product, "product/@name", field_text, NULL),
  FIELD_END,
};

const FieldTable storage_source_table = { sizeof (StoragePoolSource), source_fields };

static const Field mount_option_fields[] = {
  FIELD_WITH (StorageOption, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD_END,
};

const FieldTable storage_mount_option_table = { sizeof (StorageOption), mount_option_fields };

static const Field option_fields[] = {
  FIELD_WITH (StorageOption, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD (StorageOption, value, "@value", field_text, NULL),
  FIELD_END,
};

const FieldTable storage_option_table = { sizeof (StorageOption), option_fields };
