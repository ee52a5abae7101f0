/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ports of virtio-serial controllers. Port 0 is the guest's console and given to nobody else; a channel
 * without a port gets the lowest free one, and when every controller is full there comes another controller.
 *
 * A virtio console without an address is left without: QEMU puts it on a free port itself, and libvirt lets
 * it.
 */
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"

#define DEFAULT_PORTS 31 /* of a controller that does not say */
#define PORTS_MAX     512

/* The ports of one controller: who has each. */
typedef struct {
  guint64 index;
  guint count;
  const Device *users[PORTS_MAX];
} PortMap;

static PortMap *
port_map_new (const DeviceController *controller)
{
  PortMap *map = g_new0 (PortMap, 1);

  map->index = controller->index.value;
  map->count = (guint)MIN (controller->ports.set ? controller->ports.value : DEFAULT_PORTS, PORTS_MAX);
  return map;
}

/* In the order of their indexes, whatever the order of the document. */
static PortMap *
add_map (GPtrArray *maps, const DeviceController *controller)
{
  PortMap *map = port_map_new (controller);
  guint place = 0;

  while (place < maps->len && ((const PortMap *)g_ptr_array_index (maps, place))->index < map->index)
    place++;
  g_ptr_array_insert (maps, (int)place, map);
  return map;
}

static PortMap *
find_map (GPtrArray *maps, guint64 index)
{
  for (guint i = 0; i < maps->len; i++) {
    PortMap *map = g_ptr_array_index (maps, i);

    if (map->index == index)
      return map;
  }
  return NULL;
}

static int
free_port (const PortMap *map)
{
  for (guint port = 1; port < map->count; port++) {
    if (!map->users[port])
      return (int)port;
  }
  return -1;
}

static gboolean
is_on_virtio_serial (const Device *device)
{
  return (device->kind == &channel_kind && ((const DeviceChannel *)device)->target == CHANNEL_VIRTIO)
         || (device->kind == &console_kind && ((const DeviceConsole *)device)->target == CONSOLE_VIRTIO);
}

/* A channel's port 0 means "any", as it does in libvirt. */
static gboolean
has_port (const Device *device)
{
  return device->address.type == ADDRESS_VIRTIO_SERIAL && device->address.port.set
         && (device->address.port.value != 0 || device->kind == &console_kind);
}

static char *
free_port_text (const PortMap *map)
{
  int port = free_port (map);

  return port < 0 ? g_strdup ("all its ports are taken") : g_strdup_printf ("port %d is free", port);
}

static void
reserve (Completion *completion, GPtrArray *maps, const Device *device)
{
  const DeviceAddress *address = &device->address;
  PortMap *map = find_map (maps, address->controller.value);
  g_autofree char *user = assign_describe (completion, device);
  g_autofree char *instead = NULL;

  if (!map || (address->port.value >= map->count && completion_may_miss (completion, &controller_kind)))
    return; /* refused when the controller could not be made, or not understood */
  instead = free_port_text (map);

  if (address->bus.set && address->bus.value != 0) {
    address_error (completion, device,
                   "virtio serial controller %" G_GUINT64_FORMAT
                   " has bus 0 only, but %s asks for bus %" G_GUINT64_FORMAT,
                   map->index, user, address->bus.value);
  } else if (address->port.value >= map->count) {
    address_error (completion, device,
                   "virtio serial controller %" G_GUINT64_FORMAT " does not have port %" G_GUINT64_FORMAT
                   ", which %s asks for: its ports are 0 to %u, and %s",
                   map->index, address->port.value, user, map->count ? map->count - 1 : 0, instead);
  } else if (map->users[address->port.value]) {
    g_autofree char *other = assign_describe (completion, map->users[address->port.value]);

    address_clash (completion, device,
                   "virtio serial port %" G_GUINT64_FORMAT " on controller %" G_GUINT64_FORMAT
                   " is already occupied: it is used by %s and %s; %s",
                   address->port.value, map->index, other, user, instead);
  } else {
    map->users[address->port.value] = device;
  }
}

/* The first controller with a free port; a new one when there is none. */
static PortMap *
map_with_room (Completion *completion, GPtrArray *maps, const Device *device)
{
  DeviceController *controller;

  for (guint i = 0; i < maps->len; i++) {
    if (free_port (g_ptr_array_index (maps, i)) > 0)
      return g_ptr_array_index (maps, i);
  }
  controller =
      controllers_require (completion, CONTROLLER_VIRTIO_SERIAL,
                           controllers_unused_index (completion->def, CONTROLLER_VIRTIO_SERIAL), device);
  return controller ? add_map (maps, controller) : NULL;
}

static void
assign (Completion *completion, GPtrArray *maps, Device *device)
{
  DeviceAddress *address = &device->address;
  gboolean controller_said = address->type == ADDRESS_VIRTIO_SERIAL;
  PortMap *map =
      controller_said ? find_map (maps, address->controller.value) : map_with_room (completion, maps, device);
  int port;

  if (!map)
    return;
  port = free_port (map);
  if (port < 0) {
    g_autofree char *user = device_describe (device);

    if (completion_may_miss (completion, &controller_kind))
      return;
    address_error (completion, device,
                   "Unable to find a free virtio-serial port on controller %" G_GUINT64_FORMAT
                   " for %s: it has %u ports",
                   map->index, user, map->count);
    return;
  }
  address->type = ADDRESS_VIRTIO_SERIAL;
  address->controller = NUMBER (map->index);
  address->bus = NUMBER (0);
  address->port = NUMBER ((guint64)port);
  map->users[port] = device;
}

void
assign_virtio_serial_addresses (Completion *completion)
{
  g_autoptr (GPtrArray) maps = g_ptr_array_new_with_free_func (g_free);
  GPtrArray *devices = completion->def->devices;

  DOMAIN_FOREACH_DEVICE (completion->def, controller_kind, DeviceController, controller) {
    if (controller->type == CONTROLLER_VIRTIO_SERIAL)
      add_map (maps, controller);
  }

  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (is_on_virtio_serial (device) && has_port (device))
      reserve (completion, maps, device);
  }

  /* A new controller moves the channels along in the list: meeting one twice does no harm. */
  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (device->kind == &channel_kind && is_on_virtio_serial (device) && !has_port (device)
        && (device->address.type == ADDRESS_NONE || device->address.type == ADDRESS_VIRTIO_SERIAL))
      assign (completion, maps, device);
  }
}
