/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The elements <vlan>, <virtualport> and <bandwidth>. Three kinds of document have them, so they are said
 * here once, and each kind refuses what it has no use for.
 */
#include "document/switch-port.h"

#include <string.h>

const EnumTable virtual_port_types = { "virtual port type",
                                       { NULL, "802.1Qbg", "802.1Qbh", "openvswitch", "midonet" } };
const EnumTable mac_table_managers = { "MAC table manager", { NULL, "kernel", "libvirt" } };
static const EnumTable native_modes = { "native VLAN mode", { NULL, "tagged", "untagged" } };

static const FieldRange vlan_range = { 0, 4095 };
static const Field tag_fields[] = {
  FIELD_WITH (InterfaceVlanTag, id, "@id", field_number, &vlan_range, FIELD_REQUIRED),
  FIELD (InterfaceVlanTag, native_mode, "@nativeMode", field_enum, &native_modes),
  FIELD_END,
};
static const FieldTable tag_table = { sizeof (InterfaceVlanTag), tag_fields };
static const Field vlan_fields[] = {
  FIELD (InterfaceVlan, trunk, "@trunk", field_yes_no, NULL),
  FIELD (InterfaceVlan, tags, "tag", field_list, &tag_table),
  FIELD_END,
};
const FieldTable interface_vlan_table = { sizeof (InterfaceVlan), vlan_fields };

static const FieldRange range_8 = { 0, 255 }, range_24 = { 0, 0xffffff };
static const Field virtual_port_fields[] = {
  FIELD (InterfaceVirtualPort, type, "@type", field_enum, &virtual_port_types),
  FIELD (InterfaceVirtualPort, manager_id, "parameters/@managerid", field_number, &range_8),
  FIELD (InterfaceVirtualPort, type_id, "parameters/@typeid", field_number, &range_24),
  FIELD (InterfaceVirtualPort, type_id_version, "parameters/@typeidversion", field_number, &range_8),
  FIELD (InterfaceVirtualPort, instance_id, "parameters/@instanceid", field_uuid, NULL),
  FIELD (InterfaceVirtualPort, interface_id, "parameters/@interfaceid", field_uuid, NULL),
  FIELD (InterfaceVirtualPort, profile_id, "parameters/@profileid", field_text, NULL),
  FIELD_END,
};
gboolean
interface_rate_equal (const InterfaceRate *a, const InterfaceRate *b)
{
  const InterfaceRate none = { 0 };

  return memcmp (a != NULL ? a : &none, b != NULL ? b : &none, sizeof none) == 0;
}

guint64
interface_rate_floor (const InterfaceRate *rate)
{
  return rate != NULL && rate->floor.set ? rate->floor.value : 0;
}

const FieldTable interface_virtual_port_table = { sizeof (InterfaceVirtualPort), virtual_port_fields };

static const FieldRange range_32 = { 0, G_MAXUINT32 };
static const Field rate_fields[] = {
  FIELD (InterfaceRate, average, "@average", field_number, &range_32),
  FIELD (InterfaceRate, peak, "@peak", field_number, &range_32),
  FIELD (InterfaceRate, floor, "@floor", field_number, &range_32),
  FIELD (InterfaceRate, burst, "@burst", field_number, &range_32),
  FIELD_END,
};
const FieldTable interface_rate_table = { sizeof (InterfaceRate), rate_fields };

const char *
virtual_port_missing_parameter (const InterfaceVirtualPort *port)
{
  switch (port->type) {
    case VIRTUAL_PORT_802_1QBG:
      return !port->manager_id.set        ? "managerid"
             : !port->type_id.set         ? "typeid"
             : !port->type_id_version.set ? "typeidversion"
                                          : NULL;
    case VIRTUAL_PORT_802_1QBH:
      return port->profile_id == NULL ? "profileid" : NULL;
    case VIRTUAL_PORT_MIDONET:
      return port->interface_id == NULL ? "interfaceid" : NULL;
    default:
      return NULL;
  }
}

static void
make_uuid (char **ret)
{
  guint8 uuid[UUID_BYTES];

  if (*ret != NULL)
    return;
  *ret = g_malloc (UUID_TEXT);
  uuid_generate (uuid);
  uuid_format (uuid, *ret);
}

void
virtual_port_complete (InterfaceVirtualPort *port)
{
  gboolean is_any = port->type == VIRTUAL_PORT_NONE;

  if (port->type == VIRTUAL_PORT_OPENVSWITCH || is_any)
    make_uuid (&port->interface_id);
  if (port->type == VIRTUAL_PORT_802_1QBG || is_any)
    make_uuid (&port->instance_id);
}

void
interface_rate_complete (InterfaceRate **rate)
{
  if (*rate == NULL)
    return;

  Number *numbers[] = { &(*rate)->average, &(*rate)->peak, &(*rate)->floor, &(*rate)->burst };
  gboolean is_given = (*rate)->average.set || (*rate)->floor.set;

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (numbers[i]->value == 0)
      numbers[i]->set = FALSE;
  if (is_given && !(*rate)->average.set && !(*rate)->floor.set) {
    field_free (&interface_rate_table, *rate);
    *rate = NULL;
  }
}

void
interface_vlan_complete (InterfaceVlan *vlan)
{
  if (vlan != NULL && vlan->tags != NULL && vlan->tags->len > 1)
    vlan->trunk = TRISTATE_YES;
}
