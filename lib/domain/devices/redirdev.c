/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <redirdev>: a USB port whose other end is not on this host: a viewer plugs in what lies on a person's desk,
 * by the display's own connection (spicevmc) or another one.
 */

#include "domain/devices/redirdev.h"

#include "domain/report.h"

static const EnumTable redirdev_buses = { "redirdev bus", { NULL, "usb" } };

static const Field redirdev_fields[] = {
  FIELD (DeviceRedirdev, bus, "@bus", field_enum, &redirdev_buses),
  CHARDEV_FIELDS (DeviceRedirdev),
  DEVICE_BOOT_FIELDS (DeviceRedirdev),
  DEVICE_FIELDS (DeviceRedirdev),
  FIELD_END,
};

static void
redirdev_complete (Completion *completion, Device *device)
{
  DeviceRedirdev *redirdev = (DeviceRedirdev *)device;

  redirdev->bus = REDIRDEV_BUS_USB;
  chardev_complete (completion, &redirdev->source);
}

static void
redirdev_validate (Validation *validation, const Device *device)
{
  chardev_validate (validation, device, &((const DeviceRedirdev *)device)->source);
}

static DevicePlace
redirdev_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_USB;
}

static char *
redirdev_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index)
{
  return g_strdup_printf ("redir%u", index);
}

const DeviceKind redirdev_kind = {
  .element = "redirdev",
  .table = { sizeof (DeviceRedirdev), redirdev_fields },
  .complete = redirdev_complete,
  .validate = redirdev_validate,
  .place = redirdev_place,
  .alias = redirdev_alias,
  .attachable = TRUE,
};
