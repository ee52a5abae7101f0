/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <hub>: more USB ports. How many are needed is found when USB addresses are assigned; a document seldom
 * says.
 */

#include "domain/devices/hub.h"

static const EnumTable hub_types = { "hub type", { NULL, "usb" } };

static const Field hub_fields[] = {
  FIELD_WITH (DeviceHub, type, "@type", field_enum, &hub_types, FIELD_REQUIRED),
  DEVICE_FIELDS (DeviceHub),
  FIELD_END,
};

static DevicePlace
hub_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_USB;
}

const DeviceKind hub_kind = { .element = "hub",
                              .table = { sizeof (DeviceHub), hub_fields },
                              .place = hub_place };
