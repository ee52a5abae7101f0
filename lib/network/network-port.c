/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <networkport>: what one machine's card has of a network. The network makes it out of its own document when
 * the machine starts, so most of it is copied from there.
 */
#include "network/network-port.h"

#include "network/network-forward.h"

const EnumTable network_plug_types = { "plug type", { NULL, "network", "bridge", "direct", "hostdev-pci" } };
const EnumTable network_direct_modes = { "mode", { NULL, "vepa", "bridge", "private", "passthrough" } };
static const EnumTable managers = { "MAC table manager", { NULL, "kernel", "libvirt" } };

#define PLUG(member, path, type_, detail, plugs) \
  FIELD_WHEN (NetworkPortDef, plug.member, path, type_, detail, plug.type, plugs)
#define BRIDGES (FIELD_VALUE (NETWORK_PLUG_NETWORK) | FIELD_VALUE (NETWORK_PLUG_BRIDGE))
#define DIRECT  FIELD_VALUE (NETWORK_PLUG_DIRECT)
#define HOSTDEV FIELD_VALUE (NETWORK_PLUG_HOSTDEV_PCI)

static const FieldRange range_32 = { 0, G_MAXUINT32 }, bus_range = { 0, 0xff }, slot_range = { 0, 0x1f },
                        function_range = { 0, 7 };

static const Field port_fields[] = {
  FIELD (NetworkPortDef, uuid, "uuid", field_uuid, NULL),
  FIELD (NetworkPortDef, owner_name, "owner/name", field_text, NULL),
  FIELD (NetworkPortDef, owner_uuid, "owner/uuid", field_uuid, NULL),
  FIELD (NetworkPortDef, group, "group", field_text, NULL),
  FIELD (NetworkPortDef, mac, "mac/@address", field_mac, NULL),
  FIELD (NetworkPortDef, virtualport, "virtualport", field_optional, &interface_virtual_port_table),
  FIELD (NetworkPortDef, class_id, "bandwidth/@classID", field_number, &range_32),
  FIELD (NetworkPortDef, inbound, "bandwidth/inbound", field_optional, &interface_rate_table),
  FIELD (NetworkPortDef, outbound, "bandwidth/outbound", field_optional, &interface_rate_table),
  FIELD (NetworkPortDef, vlan, "vlan", field_optional, &interface_vlan_table),
  FIELD (NetworkPortDef, isolated, "port/@isolated", field_yes_no, NULL),
  FIELD (NetworkPortDef, trust_guest_rx_filters, "rxfilters/@trustGuest", field_yes_no, NULL),
  FIELD (NetworkPortDef, plug.type, "plug/@type", field_enum, &network_plug_types),
  PLUG (bridge, "plug/@bridge", field_text, NULL, BRIDGES),
  PLUG (mac_table_manager, "plug/@macTableManager", field_enum, &managers, BRIDGES),
  PLUG (dev, "plug/@dev", field_text, NULL, DIRECT),
  PLUG (mode, "plug/@mode", field_enum, &network_direct_modes, DIRECT),
  PLUG (managed, "plug/@managed", field_yes_no, NULL, HOSTDEV),
  PLUG (driver, "plug/driver/@name", field_enum, &network_forward_drivers, HOSTDEV),
  PLUG (driver_model, "plug/driver/@model", field_text, NULL, HOSTDEV),
  PLUG (domain, "plug/address/@domain", field_hex4, &range_32, HOSTDEV),
  PLUG (bus, "plug/address/@bus", field_hex2, &bus_range, HOSTDEV),
  PLUG (slot, "plug/address/@slot", field_hex2, &slot_range, HOSTDEV),
  PLUG (function, "plug/address/@function", field_hex1, &function_range, HOSTDEV),
  { "plug/address/@multifunction", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } },
  FIELD_END,
};

static const FieldTable port_table = { sizeof (NetworkPortDef), port_fields };

static void
refuse (const NetworkPortDef *def, const FieldReader *reader, gconstpointer member, const char *words)
{
  diagnostics_error_from (reader->diagnostics, source_map_find (reader->map, member, def), VIR_FROM_NETWORK,
                          VIR_ERR_XML_ERROR, "%s", words);
}

/* Without it, it is nobody's port. */
static void
refuse_missing (const NetworkPortDef *def, const FieldReader *reader, gconstpointer member, const char *words)
{
  diagnostics_error_from (reader->diagnostics, source_map_find (reader->map, member, def), VIR_FROM_NETWORK,
                          VIR_ERR_INTERNAL_ERROR, "%s", words);
}

static void
validate_plug (const NetworkPortDef *def, const FieldReader *reader)
{
  switch (def->plug.type) {
    case NETWORK_PLUG_NETWORK:
    case NETWORK_PLUG_BRIDGE:
      if (def->plug.bridge == NULL)
        refuse (def, reader, &def->plug.type, "Missing network port bridge name");
      break;
    case NETWORK_PLUG_DIRECT:
      if (def->plug.dev == NULL)
        refuse (def, reader, &def->plug.type, "Missing network port link device name");
      break;
    case NETWORK_PLUG_HOSTDEV_PCI:
      if (!def->plug.domain.set && !def->plug.bus.set && !def->plug.slot.set && !def->plug.function.set)
        refuse (def, reader, &def->plug.type, "Missing network port PCI address");
      break;
    default:
      break;
  }
}

static void
validate (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  const NetworkPortDef *def = data;

  if (def->uuid == NULL)
    refuse_missing (def, reader, &def->uuid, "network port has no uuid");
  if (def->owner_name == NULL)
    refuse_missing (def, reader, &def->owner_name, "network port has no owner name");
  if (def->owner_uuid == NULL)
    refuse_missing (def, reader, &def->owner_uuid, "network port has no owner UUID");
  if (def->mac == NULL)
    refuse_missing (def, reader, &def->mac, "network port has no mac");
  validate_plug (def, reader);
}

static void
complete (gpointer data)
{
  NetworkPortDef *def = data;

  if (def->class_id.value == 0)
    def->class_id.set = FALSE;
  interface_rate_complete (&def->inbound);
  interface_rate_complete (&def->outbound);
  if (def->plug.type == NETWORK_PLUG_DIRECT && def->plug.mode == NETWORK_DIRECT_NONE)
    def->plug.mode = NETWORK_DIRECT_VEPA;
  if (def->plug.type == NETWORK_PLUG_HOSTDEV_PCI) {
    if (def->plug.managed != TRISTATE_YES)
      def->plug.managed = TRISTATE_NO;
    def->plug.domain.set = def->plug.bus.set = def->plug.slot.set = def->plug.function.set = TRUE;
  }
}

static const ValueError value_errors[] = {
  { "uuid", NULL, VIR_ERR_INTERNAL_ERROR, VIR_FROM_NETWORK, "Unable to parse UUID '{value}'" },
  { "plug", "mode", VIR_ERR_XML_ERROR, VIR_FROM_NETWORK, "Invalid mode setting '{value}' in network port" },
  { "plug", "macTableManager", VIR_ERR_XML_ERROR, VIR_FROM_NETWORK,
    "Invalid macTableManager setting '{value}' in network port" },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE, NULL },
};

const DocumentKind network_port_document = {
  .root = "networkport",
  .schema = SCHEMA_NETWORK_PORT,
  .table = &port_table,
  .value_errors = value_errors,
  .ref_count = G_STRUCT_OFFSET (NetworkPortDef, ref_count),
  .name = DOCUMENT_NO_MEMBER,
  .uuid = G_STRUCT_OFFSET (NetworkPortDef, uuid),
  .validate = validate,
  .complete = complete,
};

NetworkPortDef *
network_port_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics)
{
  return document_read (&network_port_document, text, length, flags, diagnostics);
}

NetworkPortDef *
network_port_def_ref (NetworkPortDef *def)
{
  return document_ref (&network_port_document, def);
}

void
network_port_def_unref (NetworkPortDef *def)
{
  document_unref (&network_port_document, def);
}

NetworkPortDef *
network_port_def_copy (const NetworkPortDef *def)
{
  return document_copy (&network_port_document, def);
}

char *
network_port_def_to_xml (const NetworkPortDef *def)
{
  return document_to_xml (&network_port_document, def, 0);
}
