/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two kinds of things are taken out of a copy: devices that libvirt of any age adds by itself, and that some
 * refuse when they are said (the PS/2 keyboard, the first USB and PCI controllers of a machine of type pc,
 * the watchdog of a q35's chipset, audio that goes nowhere), and values that were chosen when this machine
 * was started (pty paths, sockets, ports, addresses to listen on, what a port of a network is plugged into).
 */
#include "domain/migratable.h"

#include "domain/devices/audio.h"
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/graphics.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/serial.h"
#include "domain/devices/watchdog.h"

#include <string.h>

static guint
count_controllers (const DomainDef *def, int type)
{
  guint count = 0;

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller)
    count += controller->type == type;
  return count;
}

static gboolean
is_implied_controller (const DomainDef *def, const DeviceController *controller)
{
  if (controller->index.value != 0 || count_controllers (def, controller->type) != 1)
    return FALSE;
  return (controller->type == CONTROLLER_USB && controller->model == USB_PIIX3_UHCI)
         || (controller->type == CONTROLLER_PCI && controller->model == PCI_ROOT
             && !controller->pcihole64.set);
}

/* Does every libvirt add this by itself? */
static gboolean
is_implied (const DomainDef *def, const Device *device)
{
  if (device->alias != NULL && g_str_has_prefix (device->alias, USER_ALIAS_PREFIX))
    return FALSE;
  if (device->kind == &controller_kind)
    return is_implied_controller (def, (const DeviceController *)device);
  if (device->kind == &watchdog_kind)
    return ((const DeviceWatchdog *)device)->model == WATCHDOG_ITCO
           && ((const DeviceWatchdog *)device)->action == WATCHDOG_ACTION_RESET;
  if (device->kind == &input_kind)
    return ((const DeviceInput *)device)->bus == INPUT_BUS_PS2
           && ((const DeviceInput *)device)->type == INPUT_KEYBOARD;
  return device->kind == &audio_kind && ((const DeviceAudio *)device)->type == AUDIO_NONE
         && domain_def_count_devices (def, &audio_kind) == 1;
}

static Chardev *
chardev_of (Device *device)
{
  if (device->kind == &serial_kind)
    return &((DeviceSerial *)device)->source;
  if (device->kind == &parallel_kind)
    return &((DeviceParallel *)device)->source;
  if (device->kind == &console_kind)
    return &((DeviceConsole *)device)->source;
  if (device->kind == &channel_kind)
    return &((DeviceChannel *)device)->source;
  return NULL;
}

static void
forget_chosen_path (Chardev *chardev, const char *run_directory)
{
  const char *path = chardev_path (chardev);

  if (chardev->type == CHARDEV_PTY
      || (chardev->type == CHARDEV_UNIX && path != NULL && run_directory != NULL
          && g_str_has_prefix (path, run_directory)))
    chardev_clear_sources (chardev);
}

static const DeviceGraphics *
find_graphics (const DomainDef *def, int type)
{
  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    if (graphics->type == type)
      return graphics;
  }
  return NULL;
}

static void
forget_chosen_display (DeviceGraphics *graphics, const DomainDef *original)
{
  const DeviceGraphics *before = find_graphics (original, graphics->type);
  const GraphicsListen *said = before != NULL ? graphics_first_listen (before) : NULL;
  GraphicsListen *listen = graphics_first_listen (graphics);

  if (before != NULL && graphics->autoport == TRISTATE_YES) {
    graphics->port = before->port;
    graphics->tls_port = before->tls_port;
    graphics->websocket = before->websocket;
  }
  if (said != NULL && said->address == NULL && listen != NULL) {
    g_clear_pointer (&listen->address, g_free);
    g_clear_pointer (&graphics->listen, g_free);
  }
  if (said != NULL && said->socket == NULL && listen != NULL) {
    g_clear_pointer (&listen->socket, g_free);
    g_clear_pointer (&graphics->socket, g_free);
  }
}

/* The processor as it was asked for, not as it came to be here. */
static void
take_back_processor (DomainDef *copy, const DomainDef *original)
{
  g_autoptr (DomainDef) before = domain_def_copy (original);
  DomainCpu *cpu = copy->cpu;

  copy->cpu = before->cpu;
  before->cpu = cpu;
}

/* Firmware that was chosen is said as if it had been named: libvirt 9 refuses both at once. */
static void
forget_choice_of_firmware (DomainOs *os)
{
  if (os->loader == NULL)
    return;
  os->firmware = FIRMWARE_NONE;
  for (guint i = 0; os->firmware_features != NULL && i < os->firmware_features->len; i++)
    field_free (&os_firmware_feature_table, g_ptr_array_index (os->firmware_features, i));
  g_clear_pointer (&os->firmware_features, g_ptr_array_unref);
}

DomainDef *
domain_def_off_networks (DomainDef *def)
{
  gboolean any = FALSE;
  DomainDef *copy;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface)
    any = any || interface_is_on_network (interface);
  if (!any)
    return domain_def_ref (def);
  copy = domain_def_copy (def);
  DOMAIN_FOREACH_DEVICE (copy, interface_kind, DeviceInterface, interface)
    interface_leave_network (interface);
  return copy;
}

DomainDef *
domain_def_migratable (const DomainDef *def, const DomainDef *original, const char *run_directory)
{
  DomainDef *copy = domain_def_copy (def);

  take_back_processor (copy, original);
  forget_choice_of_firmware (&copy->os);
  for (guint i = copy->devices->len; i > 0; i--) {
    Device *device = g_ptr_array_index (copy->devices, i - 1);
    Chardev *chardev = chardev_of (device);

    if (is_implied (def, device))
      g_ptr_array_remove_index (copy->devices, i - 1);
    else if (chardev != NULL)
      forget_chosen_path (chardev, run_directory);
    else if (device->kind == &interface_kind)
      interface_leave_network ((DeviceInterface *)device);
    else if (device->kind == &graphics_kind)
      forget_chosen_display ((DeviceGraphics *)device, original);
  }
  return copy;
}
