/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <console>: where a person looks for the guest's text. The first one is usually the first serial port seen
 * from the other side; which of the two a document wrote and what is added for the other, is decided where
 * all devices are seen at once. A virtio console is a device of its own.
 */

#include "domain/devices/console.h"
#include "domain/report.h"

const EnumTable console_targets = {
  "console target type", { NULL, "serial", "xen", "uml", "virtio", "lxc", "openvz", "sclp", "sclplm" }
};

static const FieldRange range_32 = { 0, G_MAXUINT32 };

static const Field console_fields[] = {
  CHARDEV_FIELDS (DeviceConsole),
  FIELD (DeviceConsole, target, "target/@type", field_enum, &console_targets),
  FIELD (DeviceConsole, port, "target/@port", field_number, &range_32),
  DEVICE_FIELDS (DeviceConsole),
  FIELD_END,
};

/* A console's port is its place among the consoles, whatever the document says. */
static void
console_complete (Completion *completion, Device *device)
{
  DeviceConsole *console = (DeviceConsole *)device;
  guint64 port = 0;

  chardev_complete (completion, &console->source);
  if (console->target == CONSOLE_NONE)
    console->target = completion->def->type == VIRT_TYPE_LXC ? CONSOLE_LXC : CONSOLE_SERIAL;
  DOMAIN_FOREACH_DEVICE (completion->def, console_kind, DeviceConsole, other) {
    if (other == console)
      break;
    port++;
  }
  console->port = NUMBER (port);
}

static gboolean
is_first (const DomainDef *def, const DeviceConsole *console)
{
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, other) {
    return other == console;
  }
  return FALSE;
}

static void
console_validate (Validation *validation, const Device *device)
{
  const DeviceConsole *console = (const DeviceConsole *)device;

  if (!device->implied) /* otherwise it is the serial port's, which says so itself */
    chardev_validate (validation, device, &console->source);
  if (console->target == CONSOLE_SERIAL && !is_first (validation->def, console))
    validation_error (
        validation, &console->target, device,
        "Only the first console can be a serial port; say <target type='virtio'/> for further ones");
  if (console->source.type == CHARDEV_SPICEVMC)
    validation_error (validation, &console->source.type, device, "spicevmc device type only supports virtio");
}

static DevicePlace
console_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  return ((const DeviceConsole *)device)->target == CONSOLE_VIRTIO ? PLACE_VIRTIO_SERIAL : PLACE_NONE;
}

/* The serial port's other side has the port's name. */
static char *
console_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device, guint index)
{
  return g_strdup_printf (
      "%s%u", ((const DeviceConsole *)device)->target == CONSOLE_SERIAL ? "serial" : "console", index);
}

static char *
console_describe (const Device *device)
{
  return g_strdup_printf ("console %u", (guint)((const DeviceConsole *)device)->port.value);
}

static Chardev *
console_chardev (Device *device)
{
  return &((DeviceConsole *)device)->source;
}

const DeviceKind console_kind = {
  .element = "console",
  .table = { sizeof (DeviceConsole), console_fields },
  .complete = console_complete,
  .validate = console_validate,
  .place = console_place,
  .alias = console_alias,
  .describe = console_describe,
  .chardev = console_chardev,
  .shows_tty = TRUE,
  .attachable = TRUE,
};
