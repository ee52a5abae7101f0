/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Serial and parallel ports, consoles and channels: a character back-end and the device in front of it.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/redirdev.h"
#include "domain/devices/redirfilter.h"
#include "domain/devices/serial.h"

#include <string.h>

#define FIRST_CONVENTIONAL_PORTS 4 /* COM1 to COM4: the ISA ports QEMU knows by index */

static gboolean
is_isa (const DeviceSerial *serial)
{
  return serial->target == SERIAL_ISA;
}

static char *
chardev_id (const Device *device)
{
  return g_strconcat ("char", device->alias, NULL);
}

/* The back-end of @device and its front, whose @properties get the back-end's name. */
static gboolean
add_pair (Recipe *recipe, const Device *device, const Chardev *source, JsonObject *properties, GError **error)
{
  g_autoptr (JsonObject) front = properties;
  g_autofree char *id = chardev_id (device);

  if (!recipe_chardev (recipe, device, source, id, error))
    return FALSE;
  props_add (front, "chardev", "s", id, NULL);
  return recipe_device (recipe, device, g_steal_pointer (&front), error);
}

/* QEMU knows the ISA ports by their index, of which each is one port's. */
static gboolean
check_isa_port (Recipe *recipe, const DeviceSerial *serial, GError **error)
{
  if (serial->port.value >= FIRST_CONVENTIONAL_PORTS) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Maximum supported number of ISA serial ports is '%d'",
                    FIRST_CONVENTIONAL_PORTS);
    return FALSE;
  }
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), serial_kind, DeviceSerial, other) {
    if (other == serial)
      break;
    if (is_isa (other) && other->port.value == serial->port.value) {
      virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "target port '%d' already allocated",
                      (int)serial->port.value);
      return FALSE;
    }
  }
  return TRUE;
}

/* One that the board has: QEMU gives it the next back-end. */
static gboolean
add_built_in (Recipe *recipe, const DeviceSerial *serial, GError **error)
{
  g_autofree char *id = chardev_id (&serial->device);

  if (!recipe_chardev (recipe, &serial->device, &serial->source, id, error))
    return FALSE;
  recipe_option (recipe, "-serial", "chardev:%s", id);
  return TRUE;
}

/* QEMU's device is called as the document's model. */
static const char *
serial_driver (const DeviceSerial *serial)
{
  return serial->model != SERIAL_MODEL_NONE ? enum_table_name (&serial_models, serial->model)
         : serial->target == SERIAL_SCLP    ? "sclpconsole"
                                            : "spapr-vty";
}

gboolean
recipe_add_serial (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceSerial *serial = (const DeviceSerial *)device;

  switch (serial->target) {
    case SERIAL_NONE:
    case SERIAL_SYSTEM:
      return add_built_in (recipe, serial, error);
    case SERIAL_SPAPR_VIO:
    case SERIAL_SCLP:
      return add_pair (recipe, device, &serial->source, props ("driver", "s", serial_driver (serial), NULL),
                       error);
    case SERIAL_ISA:
      if (!check_isa_port (recipe, serial, error))
        return FALSE;
      return add_pair (recipe, device, &serial->source,
                       props ("driver", "s", "isa-serial", "index", "N", &serial->port, NULL), error);
    case SERIAL_USB:
      return add_pair (recipe, device, &serial->source, props ("driver", "s", "usb-serial", NULL), error);
    case SERIAL_PCI:
      return add_pair (recipe, device, &serial->source, props ("driver", "s", "pci-serial", NULL), error);
    case SERIAL_ISA_DEBUG:
      return add_pair (recipe, device, &serial->source, props ("driver", "s", "isa-debugcon", NULL), error);
    default:
      return qemu_unsupported (device, error, "serial ports of target type '%s' do not exist on this machine",
                               enum_table_name (&serial_targets, serial->target));
  }
}

static void
append_rule (GString *text, const Number *number, int digits)
{
  if (number->set)
    g_string_append_printf (text, "0x%0*X:", digits, (guint)number->value);
  else
    g_string_append (text, "-1:");
}

/* "class:vendor:product:version:allow|..."; NULL where the document filters nothing. */
static char *
redirfilter_text (const Recipe *recipe)
{
  g_autoptr (GString) text = g_string_new (NULL);

  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), redirfilter_kind, const DeviceRedirfilter, filter) {
    for (guint i = 0; filter->rules != NULL && i < filter->rules->len; i++) {
      const RedirfilterRule *rule = g_ptr_array_index (filter->rules, i);

      g_string_append (text, i > 0 ? "|" : "");
      append_rule (text, &rule->class_code, 2);
      append_rule (text, &rule->vendor, 4);
      append_rule (text, &rule->product, 4);
      append_rule (text, &rule->version, 4);
      g_string_append_c (text, rule->allow == TRISTATE_YES ? '1' : '0');
    }
  }
  return text->len > 0 ? g_strdup (text->str) : NULL;
}

gboolean
recipe_add_redirdev (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceRedirdev *redirdev = (const DeviceRedirdev *)device;

  g_autofree char *filter = redirfilter_text (recipe);

  return qemu_needs_type (recipe, device, "usb-redir", error)
         && add_pair (recipe, device, &redirdev->source,
                      props ("driver", "s", "usb-redir", "filter", "?s", filter, NULL), error);
}

gboolean
recipe_add_parallel (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceParallel *parallel = (const DeviceParallel *)device;

  return add_pair (recipe, device, &parallel->source, props ("driver", "s", "isa-parallel", NULL), error);
}

gboolean
recipe_add_console (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceConsole *console = (const DeviceConsole *)device;

  switch (console->target) {
    case CONSOLE_NONE:
    case CONSOLE_SERIAL:
      return TRUE; /* the first serial port, seen from the other side */
    case CONSOLE_SCLP:
      return add_pair (recipe, device, &console->source, props ("driver", "s", "sclpconsole", NULL), error);
    case CONSOLE_SCLPLM:
      return add_pair (recipe, device, &console->source, props ("driver", "s", "sclplmconsole", NULL), error);
    case CONSOLE_VIRTIO:
      return add_pair (recipe, device, &console->source, props ("driver", "s", "virtconsole", NULL), error);
    default:
      return qemu_unsupported (device, error, "consoles of target type '%s' do not exist on this machine",
                               enum_table_name (&console_targets, console->target));
  }
}

/* A unix channel without a path listens beside the monitor, under its own name. */
static gboolean
add_channel_backend (Recipe *recipe, const DeviceChannel *channel, const char *id, GError **error)
{
  g_autofree char *name = NULL, *path = NULL;
  JsonObject *address;

  if (channel->source.type != CHARDEV_UNIX || chardev_path (&channel->source) != NULL
      || channel->name == NULL)
    return recipe_chardev (recipe, &channel->device, &channel->source, id, error);
  name = g_strdelimit (g_strdup (channel->name), "/", '_');
  path = g_strdup_printf ("%s/channel-%s", recipe_host (recipe)->run_directory, name);
  address = props ("type", "s", "unix", "data", "o", props ("path", "s", path, NULL), NULL);
  recipe_step (
      recipe, STEP_CHARDEV,
      props ("id", "s", id, "backend", "o",
             props ("type", "s", "socket", "data", "o",
                    props ("addr", "o", address, "server", "b", TRUE, "wait", "b", FALSE, NULL), NULL),
             NULL));
  return TRUE;
}

/* A guest's connection to an address of its user network arrives at the back-end. */
static void
add_guest_forward (Recipe *recipe, const DeviceChannel *channel, const char *id)
{
  g_autofree char *rule = g_strdup_printf ("tcp:%s:%u-chardev:%s", channel->forward_address,
                                           (guint)channel->forward_port.value, id);
  JsonArray *rules = json_array_new ();

  json_array_add_object_element (rules, props ("str", "s", rule, NULL));
  recipe_step (recipe, STEP_NETDEV,
               props ("type", "s", "user", "guestfwd", "a", rules, "id", "s", channel->device.alias, NULL));
}

gboolean
recipe_add_channel (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceChannel *channel = (const DeviceChannel *)device;
  g_autofree char *id = chardev_id (device);
  const char *name = channel->name;

  if (channel->target == CHANNEL_XEN)
    return qemu_unsupported (device, error, "channels of target type 'xen' do not exist on this machine");
  if (!add_channel_backend (recipe, channel, id, error))
    return FALSE;
  if (channel->target == CHANNEL_GUESTFWD) {
    add_guest_forward (recipe, channel, id);
    return TRUE;
  }
  if (name == NULL
      && (channel->source.type == CHARDEV_SPICEVMC || channel->source.type == CHARDEV_QEMU_VDAGENT))
    name = "com.redhat.spice.0";
  return recipe_device (recipe, device,
                        props ("driver", "s", "virtserialport", "chardev", "s", id, "name", "?s", name, NULL),
                        error);
}

gboolean
channel_has_no_device (const Device *device)
{
  return ((const DeviceChannel *)device)->target == CHANNEL_GUESTFWD;
}

gboolean
console_can_attach (const Device *device, GError **error)
{
  if (((const DeviceConsole *)device)->target == CONSOLE_VIRTIO)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "attaching serial console is not supported");
  return FALSE;
}

gboolean
console_can_detach (const DomainDef *def G_GNUC_UNUSED, const Device *device, GError **error)
{
  if (((const DeviceConsole *)device)->target == CONSOLE_VIRTIO)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "detaching serial console is not supported");
  return FALSE;
}

gboolean
parallel_can_attach (const Device *device, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "Hotplug unsupported for char device type '%s'",
                  device->kind->element);
  return FALSE;
}

gboolean
serial_can_attach (const Device *device, GError **error)
{
  int target = ((const DeviceSerial *)device)->target;

  if (target == SERIAL_USB || target == SERIAL_PCI)
    return TRUE;
  return parallel_can_attach (device, error);
}
