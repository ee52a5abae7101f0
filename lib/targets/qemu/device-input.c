/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mice, tablets and keyboards, and USB hubs between them. The PS/2 ones are part of a PC and are not added.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/hub.h"
#include "domain/devices/input.h"

static gboolean
recipe_add_evdev (Recipe *recipe, const DeviceInput *input)
{
  const char *path = recipe_file (recipe, input->source_dev, TRUE, &input->device, "input device");

  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", "input-linux", "id", "s", input->device.alias, "evdev", "s", path,
                      "repeat", "T", input->repeat, "grab_all", "?b", input->grab != 0, "grab-toggle", "?s",
                      enum_table_name (&input_grab_toggles, input->grab_toggle), NULL));
  return TRUE;
}

static gboolean
recipe_add_virtio_input (Recipe *recipe, const DeviceInput *input, GError **error)
{
  static const char *const drivers[] = { [INPUT_MOUSE] = "virtio-mouse-pci",
                                         [INPUT_TABLET] = "virtio-tablet-pci",
                                         [INPUT_KEYBOARD] = "virtio-keyboard-pci",
                                         [INPUT_PASSTHROUGH] = "virtio-input-host-pci" };
  const char *driver = virtio_driver (drivers[input->type], input->model);
  JsonObject *properties;

  if (!qemu_needs_type (recipe, &input->device, driver, error))
    return FALSE;
  properties = props ("driver", "s", driver, NULL);
  props_add_virtio (properties, &input->virtio);
  if (input->type == INPUT_PASSTHROUGH)
    props_add (properties, "evdev", "s",
               recipe_file (recipe, input->evdev, TRUE, &input->device, "input device"), NULL);
  return recipe_device (recipe, &input->device, properties, error);
}

gboolean
recipe_add_input (Recipe *recipe, const Device *device, GError **error)
{
  static const char *const usb_drivers[] = { [INPUT_MOUSE] = "usb-mouse",
                                             [INPUT_TABLET] = "usb-tablet",
                                             [INPUT_KEYBOARD] = "usb-kbd",
                                             [INPUT_PASSTHROUGH] = NULL };
  const DeviceInput *input = (const DeviceInput *)device;

  if (input->type == INPUT_EVDEV)
    return input->source_dev != NULL
               ? recipe_add_evdev (recipe, input)
               : qemu_unsupported (device, error, "an evdev input needs a <source dev=>");
  if (input->type == INPUT_PASSTHROUGH && input->evdev == NULL)
    return qemu_unsupported (device, error, "a passthrough input needs a <source evdev=>");
  if (input->type <= INPUT_NONE || input->type > INPUT_PASSTHROUGH)
    return qemu_unsupported (device, error, "an input without a type is not supported");
  switch (input->bus) {
    case INPUT_BUS_PS2:
      return TRUE;
    case INPUT_BUS_USB:
      if (usb_drivers[input->type] != NULL)
        return recipe_device (recipe, device, props ("driver", "s", usb_drivers[input->type], NULL), error);
      return qemu_unsupported (device, error, "passthrough is possible on the bus 'virtio' only");
    case INPUT_BUS_VIRTIO:
      return recipe_add_virtio_input (recipe, input, error);
    default:
      return qemu_unsupported (device, error, "the bus '%s' is not supported by the QEMU target",
                               enum_table_name (&input_buses, input->bus));
  }
}

gboolean
recipe_add_hub (Recipe *recipe, const Device *device, GError **error)
{
  return recipe_device (recipe, device, props ("driver", "s", "usb-hub", NULL), error);
}

static gboolean
can_be_plugged (const Device *device)
{
  int bus = ((const DeviceInput *)device)->bus;

  return bus == INPUT_BUS_USB || bus == INPUT_BUS_VIRTIO;
}

gboolean
input_can_attach (const Device *device, GError **error)
{
  if (can_be_plugged (device))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "input device on bus '%s' cannot be hot plugged.",
                  enum_table_name (&input_buses, ((const DeviceInput *)device)->bus));
  return FALSE;
}

gboolean
input_can_detach (const DomainDef *def G_GNUC_UNUSED, const Device *device, GError **error)
{
  if (can_be_plugged (device))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "input device on bus '%s' cannot be detached",
                  enum_table_name (&input_buses, ((const DeviceInput *)device)->bus));
  return FALSE;
}
