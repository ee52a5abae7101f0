/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <input>: what a person moves and types on. A PC has a PS/2 mouse and keyboard whether or not its document
 * says so; those are added where the whole machine is seen.
 */

#include "domain/devices/input.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

const EnumTable input_types = { "input type",
                                { NULL, "mouse", "tablet", "keyboard", "passthrough", "evdev" } };
const EnumTable input_buses = { "input bus", { NULL, "ps2", "usb", "xen", "parallels", "virtio" } };
const EnumTable input_grab_toggles = {
  "grab toggle", { NULL, "ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock" }
};
static const EnumTable grabs = { "grab", { NULL, "all" } };

#define TYPES(name) FIELD_VALUE (INPUT_##name)

static const Field input_fields[] = {
  FIELD_WITH (DeviceInput, type, "@type", field_enum, &input_types, FIELD_REQUIRED),
  FIELD (DeviceInput, bus, "@bus", field_enum, &input_buses),
  FIELD (DeviceInput, model, "@model", field_enum, &virtio_models),
  VIRTIO_FIELDS (DeviceInput),
  FIELD_WHEN (DeviceInput, evdev, "source/@evdev", field_text, NULL, type, TYPES (PASSTHROUGH)),
  FIELD_WHEN (DeviceInput, source_dev, "source/@dev", field_text, NULL, type, TYPES (EVDEV)),
  FIELD_WHEN (DeviceInput, grab, "source/@grab", field_enum, &grabs, type, TYPES (EVDEV)),
  FIELD_WHEN (DeviceInput, grab_toggle, "source/@grabToggle", field_enum, &input_grab_toggles, type,
              TYPES (EVDEV)),
  FIELD_WHEN (DeviceInput, repeat, "source/@repeat", field_on_off, NULL, type, TYPES (EVDEV)),
  DEVICE_FIELDS (DeviceInput),
  FIELD_END,
};

static InputBus
default_bus (Completion *completion, const DeviceInput *input)
{
  const MachineKind *machine = machine_kind_of (completion->def);
  InputBus without_ps2 = machine->has_virtio_inputs ? INPUT_BUS_VIRTIO : INPUT_BUS_USB;

  switch (input->type) {
    case INPUT_MOUSE:
    case INPUT_KEYBOARD:
      return machine->has_ps2 ? INPUT_BUS_PS2 : without_ps2;
    case INPUT_TABLET:
      return without_ps2;
    case INPUT_PASSTHROUGH:
      return INPUT_BUS_VIRTIO;
    default:
      return INPUT_BUS_NONE;
  }
}

static void
input_complete (Completion *completion, Device *device)
{
  DeviceInput *input = (DeviceInput *)device;

  input->bus_was_open = input->bus == INPUT_BUS_NONE;
  if (input->bus_was_open)
    input->bus = default_bus (completion, input);
}

#define REFUSE(member, ...) validation_error (validation, &input->member, input, __VA_ARGS__)

static void
validate_bus (Validation *validation, const DeviceInput *input)
{
  const char *type = enum_table_name (&input_types, input->type);
  const char *bus = enum_table_name (&input_buses, input->bus);

  switch (input->bus) {
    case INPUT_BUS_PS2:
      if (input->type != INPUT_MOUSE && input->type != INPUT_KEYBOARD)
        REFUSE (bus, "ps2 bus does not support %s input device; expected 'usb' or 'virtio'", type);
      else if (!machine_kind_of (validation->def)->has_ps2)
        REFUSE (bus, "ps2 is not supported by this QEMU binary: expected 'usb' or 'virtio'");
      break;
    case INPUT_BUS_USB:
      if (input->type == INPUT_PASSTHROUGH)
        REFUSE (bus, "usb bus does not support %s input device; expected 'virtio'", type);
      break;
    case INPUT_BUS_XEN:
    case INPUT_BUS_PARALLELS:
      validation_host_error (validation, &input->bus, input,
                             "unsupported input bus %s; expected 'ps2', 'usb' or 'virtio'", bus);
      break;
    default:
      break;
  }
}

static void
input_validate (Validation *validation, const Device *device)
{
  const DeviceInput *input = (const DeviceInput *)device;
  const char *model = enum_table_name (&virtio_models, input->model);

  if (input->type == INPUT_EVDEV && input->bus != INPUT_BUS_NONE)
    REFUSE (bus, "input evdev doesn't support bus element");
  else
    validate_bus (validation, input);
  if (input->model != VIRTIO_MODEL_NONE && input->bus != INPUT_BUS_VIRTIO)
    REFUSE (model, "only bus 'virtio' is supported for input model '%s'", model);
  else if (input->model > VIRTIO_MODEL_VIRTIO && input->type != INPUT_PASSTHROUGH)
    REFUSE (model, "virtio (non-)transitional models are not supported for input type=%s",
            enum_table_name (&input_types, input->type));
  if (input->type == INPUT_PASSTHROUGH && input->evdev == NULL)
    REFUSE (evdev, "input passthrough needs <source evdev='/dev/input/event…'/>");
  if (input->type == INPUT_EVDEV && input->source_dev == NULL)
    REFUSE (source_dev, "input evdev needs <source dev='/dev/input/event…'/>");
}

static DevicePlace
input_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  switch (((const DeviceInput *)device)->bus) {
    case INPUT_BUS_USB:
      return PLACE_USB;
    case INPUT_BUS_VIRTIO:
      return PLACE_PCI;
    default:
      return PLACE_NONE;
  }
}

static guint
input_pci_connect (const DomainDef *def, const Device *device)
{
  const DeviceInput *input = (const DeviceInput *)device;

  return input->bus == INPUT_BUS_VIRTIO ? pci_connect_virtio (def, input->model) : 0;
}

static char *
input_describe (const Device *device)
{
  return g_strdup_printf ("input '%s'", enum_table_name (&input_types, ((const DeviceInput *)device)->type));
}

static gboolean
input_is_virtio (const Device *device)
{
  return ((const DeviceInput *)device)->bus == INPUT_BUS_VIRTIO;
}

const DeviceKind input_kind = {
  .element = "input",
  .table = { sizeof (DeviceInput), input_fields },
  .complete = input_complete,
  .validate = input_validate,
  .place = input_place,
  .pci_connect = input_pci_connect,
  .is_virtio = input_is_virtio,
  .describe = input_describe,
  .pci_order = PCI_ORDER_INPUT,
  .missing = "matching input device not found",
  .attachable = TRUE,
};
