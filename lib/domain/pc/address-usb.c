/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * USB addresses: a bus, which is a controller's index, and a port, which is a path through hubs ("2.5"). The
 * ports of each controller are the root of a tree whose inner nodes are the hubs. A device without an address
 * takes the first free port nearest to the first controller; where the machine has more devices than ports,
 * hubs are added first, as libvirt adds them.
 */
#include "domain/devices/disk.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/hub.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/serial.h"
#include "domain/devices/sound.h"
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"

#define USB_PORTS_MAX 32 /* of one controller or hub; xHCI's own limit is 15 */
#define USB_DEPTH_MAX 4  /* ports in a path: libvirt's limit */
#define USB_HUBS_MAX  64 /* hubs we add to one machine */

typedef struct UsbPorts UsbPorts;
struct UsbPorts {
  guint count;
  const Device *users[USB_PORTS_MAX + 1]; /* ports begin at 1 */
  UsbPorts *hubs[USB_PORTS_MAX + 1];
  gboolean full; /* these and all below: ports are only ever taken */
};

typedef struct {
  guint64 index;
  UsbPorts *ports;
} UsbBus;

typedef struct {
  guint ports[USB_DEPTH_MAX];
  guint depth;
} UsbPath;

typedef struct {
  Completion *completion;
  GPtrArray *buses; /* UsbBus */
} UsbMap;

static UsbPorts *
usb_ports_new (guint count)
{
  UsbPorts *ports = g_new0 (UsbPorts, 1);

  ports->count = MIN (count, USB_PORTS_MAX);
  return ports;
}

static void
usb_ports_free (UsbPorts *ports)
{
  if (!ports)
    return;
  for (guint port = 1; port <= ports->count; port++)
    usb_ports_free (ports->hubs[port]);
  g_free (ports);
}

static void
usb_bus_free (gpointer data)
{
  UsbBus *bus = data;

  usb_ports_free (bus->ports);
  g_free (bus);
}

/* The ports of a controller; 0 for what has no ports of its own: a companion, or no controller at all. */
static guint
controller_ports (const DeviceController *controller)
{
  switch (controller->model) {
    case USB_PIIX3_UHCI:
    case USB_PIIX4_UHCI:
    case USB_VT82C686B_UHCI:
      return 2;
    case USB_PCI_OHCI:
      return 3;
    case USB_EHCI:
    case USB_ICH9_EHCI1:
      return 6;
    case USB_NEC_XHCI:
    case USB_QEMU_XHCI:
      return controller->ports.set ? (guint)MIN (controller->ports.value, USB_PORTS_MAX) : 4;
    case USB_ICH9_UHCI1:
    case USB_ICH9_UHCI2:
    case USB_ICH9_UHCI3:
      return controller->master_startport.set ? 0 : 2;
    default:
      return 0;
  }
}

static UsbBus *
find_bus (const UsbMap *map, guint64 index)
{
  for (guint i = 0; i < map->buses->len; i++) {
    UsbBus *bus = g_ptr_array_index (map->buses, i);

    if (bus->index == index)
      return bus;
  }
  return NULL;
}

static gint
compare_buses (gconstpointer a, gconstpointer b)
{
  const UsbBus *one = *(UsbBus *const *)a, *other = *(UsbBus *const *)b;

  return one->index < other->index ? -1 : one->index > other->index;
}

/* Lowest first, whichever the document names first: a device goes to the first with a free port. */
static void
add_buses (UsbMap *map)
{
  DOMAIN_FOREACH_DEVICE (map->completion->def, controller_kind, DeviceController, controller) {
    guint count = controller->type == CONTROLLER_USB ? controller_ports (controller) : 0;

    if (count == 0 && controller->type == CONTROLLER_USB
        && completion_is_invalid (map->completion, controller))
      count = USB_PORTS_MAX; /* whichever ports it was meant to have */
    if (count > 0 && !find_bus (map, controller->index.value)) {
      UsbBus *bus = g_new0 (UsbBus, 1);

      bus->index = controller->index.value;
      bus->ports = usb_ports_new (count);
      g_ptr_array_add (map->buses, bus);
    }
  }
  g_ptr_array_sort (map->buses, compare_buses);
}

/* "1.2": FALSE unless it is one to four numbers from 1 on. */
static gboolean
parse_path (const char *text, UsbPath *ret)
{
  g_auto (GStrv) parts = g_strsplit (text, ".", USB_DEPTH_MAX + 1);
  UsbPath path = { 0 };

  for (guint i = 0; parts[i]; i++) {
    guint64 port;

    if (i == USB_DEPTH_MAX || !parse_uint (parts[i], G_MAXUINT8, &port) || port == 0)
      return FALSE;
    path.ports[path.depth++] = (guint)port;
  }
  *ret = path;
  return path.depth > 0;
}

static char *
path_to_text (const UsbPath *path)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < path->depth; i++)
    g_string_append_printf (text, "%s%u", i ? "." : "", path->ports[i]);
  return g_string_free (text, FALSE);
}

/* A free port of @ports itself, or of the hubs below it. @path holds the way to @ports and is completed. */
static gboolean
find_free_port (UsbPorts *ports, UsbPath *path)
{
  guint level = path->depth;

  if (level == USB_DEPTH_MAX || ports->full)
    return FALSE;
  for (guint port = 1; port <= ports->count; port++) {
    if (!ports->users[port]) {
      path->ports[path->depth++] = port;
      return TRUE;
    }
  }
  for (guint port = 1; port <= ports->count; port++) {
    if (!ports->hubs[port])
      continue;
    path->depth = level + 1;
    path->ports[level] = port;
    if (find_free_port (ports->hubs[port], path))
      return TRUE;
  }
  path->depth = level;
  ports->full = TRUE;
  return FALSE;
}

/* Put @device on a port of @ports; a hub opens ports of its own there. */
static void
occupy (UsbPorts *ports, guint port, const Device *device)
{
  ports->users[port] = device;
  if (device->kind == &hub_kind)
    ports->hubs[port] = usb_ports_new (USB_HUB_PORTS);
}

/* The ports @path ends on; NULL, with the number of good steps in @ret_steps, when there is no hub on the
 * way. */
static UsbPorts *
walk (UsbPorts *ports, const UsbPath *path, guint *ret_steps)
{
  for (guint i = 0; i + 1 < path->depth; i++) {
    guint port = path->ports[i];

    *ret_steps = i;
    if (port > ports->count || !ports->hubs[port])
      return NULL;
    ports = ports->hubs[port];
  }
  return ports;
}

/* Might a port that is not there be one of a hub or a controller that was not understood? */
static gboolean
may_miss_port (const UsbMap *map)
{
  return completion_may_miss (map->completion, &hub_kind)
         || completion_may_miss (map->completion, &controller_kind);
}

static char *
free_port_text (const UsbBus *bus)
{
  UsbPath path = { 0 };
  g_autofree char *text = NULL;

  if (!find_free_port (bus->ports, &path))
    return g_strdup_printf ("bus %" G_GUINT64_FORMAT " has no free port", bus->index);
  text = path_to_text (&path);
  return g_strdup_printf ("port %s of bus %" G_GUINT64_FORMAT " is free", text, bus->index);
}

static void
reserve_on_bus (UsbMap *map, UsbBus *bus, const Device *device, const UsbPath *path)
{
  const DeviceAddress *address = &device->address;
  g_autofree char *user = assign_describe (map->completion, device);
  g_autofree char *instead = free_port_text (bus);
  guint steps = 0;
  guint last = path->ports[path->depth - 1];
  UsbPorts *ports = walk (bus->ports, path, &steps);

  if ((!ports || last > ports->count) && may_miss_port (map))
    return;
  if (!ports) {
    address_error (map->completion, device,
                   "there is no hub at port %u in USB address bus: %" G_GUINT64_FORMAT
                   " port: %s, which %s asks for; %s",
                   path->ports[steps], bus->index, address->usb_port, user, instead);
  } else if (last > ports->count) {
    address_error (map->completion, device,
                   "requested USB port %s not present on USB bus %" G_GUINT64_FORMAT
                   ": %s asks for it, and the last one is %u; %s",
                   address->usb_port, bus->index, user, ports->count, instead);
  } else if (ports->users[last]) {
    g_autofree char *other = assign_describe (map->completion, ports->users[last]);

    address_clash (map->completion, device,
                   "Duplicate USB address bus %" G_GUINT64_FORMAT " port %s: it is used by %s and %s; %s",
                   bus->index, address->usb_port, other, user, instead);
  } else {
    occupy (ports, last, device);
  }
}

static gboolean
has_port (const Device *device)
{
  return device->address.type == ADDRESS_USB && device->address.usb_port && *device->address.usb_port;
}

static void
reserve (UsbMap *map, Device *device)
{
  const DeviceAddress *address = &device->address;
  UsbBus *bus;
  UsbPath path;

  if (!has_port (device))
    return;
  bus = find_bus (map, address->bus.value);
  if (!bus && may_miss_port (map))
    return;
  if (!bus) {
    g_autofree char *user = device_describe (device);

    address_error (map->completion, device,
                   "Missing USB bus %" G_GUINT64_FORMAT
                   ": %s asks for it; a <controller type='usb' index='%" G_GUINT64_FORMAT "'/> would make it",
                   address->bus.value, user, address->bus.value);
    return;
  }
  if (!parse_path (address->usb_port, &path)) {
    address_error (map->completion, device,
                   "Cannot parse USB port '%s': one to %d numbers with '.' between are expected",
                   address->usb_port, USB_DEPTH_MAX);
    return;
  }
  reserve_on_bus (map, bus, device, &path);
}

static gboolean
assign_from_bus (UsbBus *bus, Device *device)
{
  UsbPath path = { 0 };
  UsbPorts *ports;
  guint steps;

  if (!find_free_port (bus->ports, &path))
    return FALSE;
  ports = walk (bus->ports, &path, &steps);
  occupy (ports, path.ports[path.depth - 1], device);
  device->address.type = ADDRESS_USB;
  device->address.bus = NUMBER (bus->index);
  g_free (device->address.usb_port);
  device->address.usb_port = path_to_text (&path);
  return TRUE;
}

static void
assign (UsbMap *map, Device *device)
{
  DeviceAddress *address = &device->address;
  gboolean bus_said = address->type == ADDRESS_USB;
  g_autofree char *user = device_describe (device);

  if (has_port (device) || (address->type != ADDRESS_NONE && !bus_said))
    return;
  for (guint i = 0; i < map->buses->len; i++) {
    UsbBus *bus = g_ptr_array_index (map->buses, i);

    if ((!bus_said || bus->index == address->bus.value) && assign_from_bus (bus, device))
      return;
  }
  if (may_miss_port (map))
    return;
  if (bus_said && !find_bus (map, address->bus.value))
    address_error (map->completion, device, "Missing USB bus %" G_GUINT64_FORMAT ": %s asks for it",
                   address->bus.value, user);
  else
    address_error (map->completion, device,
                   "No free USB ports: %s finds none; another USB controller or a hub would bring more",
                   user);
}

static void
report_disabled (UsbMap *map, Device *device)
{
  g_autofree char *user = device_describe (device);

  if (device->kind == &hostdev_kind)
    completion_error (map->completion, device, device,
                      "Can't add host USB device: USB is disabled in this host: %s needs a <controller "
                      "type='usb'/> with a model other than 'none'",
                      user);
  else
    completion_error (
        map->completion, device, device,
        "Can't add USB %s device. USB bus is disabled: %s needs a <controller type='usb'/> with "
        "a model other than 'none'",
        device->kind->element, user);
}

static gboolean
is_usb_device (const DomainDef *def, const Device *device)
{
  return device->kind->place && device->kind->place (def, device) == PLACE_USB;
}

/* Every USB device, hubs first and then in libvirt's order of kinds, that of 11.3. */
static void
for_each_device (UsbMap *map, void (*visit) (UsbMap *map, Device *device))
{
  const DeviceKind *const order[] = { &hub_kind,     &disk_kind,       &interface_kind, &sound_kind,
                                      &hostdev_kind, &controller_kind, &serial_kind,    &input_kind };
  GPtrArray *devices = map->completion->def->devices;

  for (guint k = 0; k <= G_N_ELEMENTS (order); k++) {
    for (guint i = 0; i < devices->len; i++) {
      Device *device = g_ptr_array_index (devices, i);
      gboolean is_turn = FALSE;

      if (!is_usb_device (map->completion->def, device))
        continue;
      if (k < G_N_ELEMENTS (order)) {
        is_turn = device->kind == order[k];
      } else {
        is_turn = TRUE;
        for (guint j = 0; j < G_N_ELEMENTS (order); j++)
          is_turn = is_turn && device->kind != order[j];
      }
      if (is_turn)
        visit (map, device);
    }
  }
}

/* Hubs for the devices that the ports there are will not hold; each takes a port and gives eight. As libvirt
 * counts: every device, whether or not it has its port already, and one port to spare. */
static void
add_hubs (UsbMap *map)
{
  const DomainDef *def = map->completion->def;
  guint devices = 0, ports = 0, taken = 0;
  guint needed;

  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);

    if (is_usb_device (def, device)) {
      devices++;
      taken += has_port (device);
    }
    if (device->kind == &hub_kind)
      ports += USB_HUB_PORTS;
  }
  for (guint i = 0; i < map->buses->len; i++)
    ports += ((const UsbBus *)g_ptr_array_index (map->buses, i))->ports->count;

  if (devices <= ports || taken >= ports) /* nothing to add, or nowhere to plug a hub in */
    return;
  needed = (devices - ports + USB_HUB_PORTS - 1) / (USB_HUB_PORTS - 1);
  for (guint i = 0; i < MIN (needed, USB_HUBS_MAX); i++)
    ((DeviceHub *)completion_add (map->completion, &hub_kind))->type = HUB_USB;
}

void
assign_usb_addresses (Completion *completion)
{
  g_autoptr (GPtrArray) buses = g_ptr_array_new_with_free_func (usb_bus_free);
  UsbMap map = { completion, buses };

  add_buses (&map);
  if (buses->len == 0) {
    if (!may_miss_port (&map))
      for_each_device (&map, report_disabled);
    return;
  }
  add_hubs (&map);
  for_each_device (&map, reserve);
  for_each_device (&map, assign);
}
