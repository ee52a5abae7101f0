/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <interface>: a network card and what its other end is plugged into. What the guest sees (model, MAC,
 * address) is fields; of the host's side, what is plain attributes is fields too, and policy that other
 * programs enforce (filters, bandwidth, virtual ports) is kept as it stands. A card without a MAC gets one,
 * once: it is part of the completed definition from then on.
 */

#include "domain/devices/interface.h"
#include "base/virt-error.h"
#include "domain/device-match.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface-validate.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

#include <string.h>

const EnumTable interface_types = { "interface type",
                                    { NULL, "user", "ethernet", "vhostuser", "server", "client", "mcast",
                                      "network", "bridge", "internal", "direct", "hostdev", "udp", "vdpa",
                                      "null", "vds" } };

static const EnumTable mac_types = { "MAC address type", { NULL, "generated", "static" } };
static const EnumTable link_states = { "link state", { NULL, "up", "down" } };
static const EnumTable drivers = { "driver name", { NULL, "qemu", "vhost" } };
static const EnumTable backend_types = { "backend type", { NULL, "default", "passt" } };
const EnumTable teaming_types = { "teaming type", { NULL, "persistent", "transient" } };
static const EnumTable protocols = { "protocol", { NULL, "tcp", "udp" } };
static const EnumTable host_address_types = { "host device source address type", { NULL, "pci", "usb" } };
static const EnumTable txmodes = { "transmit mode", { NULL, "iothread", "timer" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 };
static const FieldRange mtu_range = { 0, 65535 };

#define TYPE(name)      FIELD_VALUE (INTERFACE_##name)
#define DEV_TYPES       (TYPE (DIRECT) | TYPE (VDPA) | TYPE (USER) | TYPE (VHOST_USER))
#define SOCKET_TYPES    (TYPE (SERVER) | TYPE (CLIENT) | TYPE (MCAST) | TYPE (UDP))
#define KEPT_TYPES      (TYPE (HOSTDEV) | TYPE (VDS))
#define HOST_TYPE(name) FIELD_VALUE (HOST_ADDRESS_##name)
/* One on a network, and what it has become in a running machine. */
#define NETWORK_TYPES (TYPE (NETWORK) | TYPE (BRIDGE) | TYPE (DIRECT) | TYPE (HOSTDEV))

#define HOST_FIELD(member, path, kind, detail) \
  FIELD_WITH (DeviceInterface, member, path, kind, detail, FIELD_NO_ABI)
#define SOURCE_FIELD(member, path, type_, detail, types)                                 \
  {                                                                                      \
    (path), G_STRUCT_OFFSET (DeviceInterface, member), &(type_), (detail), FIELD_NO_ABI, \
    {                                                                                    \
      G_STRUCT_OFFSET (DeviceInterface, type), (types)                                   \
    }                                                                                    \
  }

static const FieldRange prefix_range = { 0, 128 };
static const Field ip_fields[] = {
  FIELD_WITH (InterfaceIp, address, "@address", field_text, NULL, FIELD_REQUIRED),
  FIELD (InterfaceIp, family, "@family", field_text, NULL),
  FIELD (InterfaceIp, prefix, "@prefix", field_number, &prefix_range),
  FIELD (InterfaceIp, peer, "@peer", field_text, NULL),
  FIELD_END,
};
const FieldTable interface_ip_table = { sizeof (InterfaceIp), ip_fields };

static const Field route_fields[] = {
  FIELD (InterfaceRoute, family, "@family", field_text, NULL),
  FIELD_WITH (InterfaceRoute, address, "@address", field_text, NULL, FIELD_REQUIRED),
  FIELD (InterfaceRoute, netmask, "@netmask", field_text, NULL),
  FIELD (InterfaceRoute, prefix, "@prefix", field_number, &prefix_range),
  FIELD_WITH (InterfaceRoute, gateway, "@gateway", field_text, NULL, FIELD_REQUIRED),
  FIELD (InterfaceRoute, metric, "@metric", field_number, &range_32),
  FIELD_END,
};
const FieldTable interface_route_table = { sizeof (InterfaceRoute), route_fields };

static const FieldRange port_range = { 0, 65535 };
static const Field range_fields[] = {
  FIELD (InterfacePortRange, start, "@start", field_number, &port_range),
  FIELD (InterfacePortRange, end, "@end", field_number, &port_range),
  FIELD (InterfacePortRange, to, "@to", field_number, &port_range),
  FIELD (InterfacePortRange, exclude, "@exclude", field_yes_no, NULL),
  FIELD_END,
};
static const FieldTable range_table = { sizeof (InterfacePortRange), range_fields };
static const Field port_forward_fields[] = {
  FIELD_WITH (InterfacePortForward, protocol, "@proto", field_enum, &protocols, FIELD_REQUIRED),
  FIELD (InterfacePortForward, address, "@address", field_text, NULL),
  FIELD (InterfacePortForward, dev, "@dev", field_text, NULL),
  FIELD (InterfacePortForward, ranges, "range", field_list, &range_table),
  FIELD_END,
};
static const FieldTable port_forward_table = { sizeof (InterfacePortForward), port_forward_fields };

static const Field host_offload_fields[] = {
  FIELD (InterfaceOffloads, csum, "@csum", field_on_off, NULL),
  FIELD (InterfaceOffloads, gso, "@gso", field_on_off, NULL),
  FIELD (InterfaceOffloads, tso4, "@tso4", field_on_off, NULL),
  FIELD (InterfaceOffloads, tso6, "@tso6", field_on_off, NULL),
  FIELD (InterfaceOffloads, ecn, "@ecn", field_on_off, NULL),
  FIELD (InterfaceOffloads, ufo, "@ufo", field_on_off, NULL),
  FIELD (InterfaceOffloads, mrg_rxbuf, "@mrg_rxbuf", field_on_off, NULL),
  FIELD_END,
};
static const FieldTable host_offload_table = { sizeof (InterfaceOffloads), host_offload_fields };
static const Field guest_offload_fields[] = {
  FIELD (InterfaceOffloads, csum, "@csum", field_on_off, NULL),
  FIELD (InterfaceOffloads, tso4, "@tso4", field_on_off, NULL),
  FIELD (InterfaceOffloads, tso6, "@tso6", field_on_off, NULL),
  FIELD (InterfaceOffloads, ecn, "@ecn", field_on_off, NULL),
  FIELD (InterfaceOffloads, ufo, "@ufo", field_on_off, NULL),
  FIELD_END,
};
static const FieldTable guest_offload_table = { sizeof (InterfaceOffloads), guest_offload_fields };

static const Field interface_fields[] = {
  FIELD_WITH (DeviceInterface, type, "@type", field_enum, &interface_types, FIELD_NO_ABI | FIELD_EXPECTED),
  HOST_FIELD (managed, "@managed", field_yes_no, NULL),
  HOST_FIELD (trust_guest_rx_filters, "@trustGuestRxFilters", field_yes_no, NULL),
  FIELD (DeviceInterface, mac, "mac/@address", field_mac, NULL),
  HOST_FIELD (mac_type, "mac/@type", field_enum, &mac_types),
  HOST_FIELD (mac_check, "mac/@check", field_yes_no, NULL),
  { "mac/@currentAddress", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } },

  SOURCE_FIELD (host_driver, "driver/@name", field_enum, &hostdev_drivers, TYPE (HOSTDEV)),
  SOURCE_FIELD (host_driver_model, "driver/@model", field_text, NULL, TYPE (HOSTDEV)),
  SOURCE_FIELD (network, "source/@network", field_text, NULL, NETWORK_TYPES),
  SOURCE_FIELD (portgroup, "source/@portgroup", field_text, NULL, NETWORK_TYPES),
  SOURCE_FIELD (portid, "source/@portid", field_text, NULL, NETWORK_TYPES),
  SOURCE_FIELD (bridge, "source/@bridge", field_text, NULL, TYPE (NETWORK) | TYPE (BRIDGE)),
  SOURCE_FIELD (mac_table_manager, "source/@macTableManager", field_enum, &mac_table_managers,
                TYPE (NETWORK) | TYPE (BRIDGE)),
  SOURCE_FIELD (source_dev, "source/@dev", field_text, NULL, DEV_TYPES),
  SOURCE_FIELD (source_type, "source/@type", field_text, NULL, TYPE (VHOST_USER)),
  SOURCE_FIELD (source_path, "source/@path", field_text, NULL, TYPE (VHOST_USER)),
  SOURCE_FIELD (source_mode, "source/@mode", field_text, NULL, TYPE (DIRECT) | TYPE (VHOST_USER)),
  SOURCE_FIELD (reconnect, "source/reconnect/@enabled", field_yes_no, NULL, TYPE (VHOST_USER)),
  SOURCE_FIELD (reconnect_timeout, "source/reconnect/@timeout", field_number, &range_32, TYPE (VHOST_USER)),
  SOURCE_FIELD (reconnect_delay, "source/reconnect/@delay", field_number, &range_32, TYPE (VHOST_USER)),
  SOURCE_FIELD (source_name, "source/@name", field_text, NULL, TYPE (INTERNAL)),
  SOURCE_FIELD (source_address, "source/@address", field_text, NULL, SOCKET_TYPES),
  SOURCE_FIELD (source_port, "source/@port", field_number, &port_range, SOCKET_TYPES),
  SOURCE_FIELD (local_address, "source/local/@address", field_text, NULL, TYPE (UDP)),
  SOURCE_FIELD (local_port, "source/local/@port", field_number, &port_range, TYPE (UDP)),
  SOURCE_FIELD (host_ips, "source/ip", field_list, &interface_ip_table, ~KEPT_TYPES),
  SOURCE_FIELD (host_routes, "source/route", field_list, &interface_route_table, ~KEPT_TYPES),
  SOURCE_FIELD (host_startup, "source/@startupPolicy", field_enum, &startup_policies, TYPE (HOSTDEV)),
  HOST_SOURCE_FIELD (DeviceInterface, host_missing, "source/@missing", field_yes_no, NULL,
                     FIELD_NO_ABI | FIELD_LIVE, type, TYPE (HOSTDEV)),
  SOURCE_FIELD (host_usb.vendor, "source/vendor/@id", field_hex4, &host_usb_ids, TYPE (HOSTDEV)),
  SOURCE_FIELD (host_usb.product, "source/product/@id", field_hex4, &host_usb_ids, TYPE (HOSTDEV)),
  SOURCE_FIELD (host_type, "source/address/@type", field_enum, &host_address_types, TYPE (HOSTDEV)),
  HOST_PCI_FIELDS (DeviceInterface, host_pci, host_type, HOST_TYPE (PCI)),
  HOST_USB_PLACE (DeviceInterface, host_usb, host_type, HOST_TYPE (USB)),
  SOURCE_FIELD (source, "source", field_verbatim, NULL, TYPE (VDS)),

  HOST_FIELD (vlan, "vlan", field_optional, &interface_vlan_table),
  HOST_FIELD (virtualport, "virtualport", field_optional, &interface_virtual_port_table),
  { "bandwidth/@classID", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } },
  HOST_FIELD (inbound, "bandwidth/inbound", field_optional, &interface_rate_table),
  HOST_FIELD (outbound, "bandwidth/outbound", field_optional, &interface_rate_table),
  HOST_FIELD (port_isolated, "port/@isolated", field_yes_no, NULL),
  HOST_FIELD (ips, "ip", field_list, &interface_ip_table),
  HOST_FIELD (routes, "route", field_list, &interface_route_table),
  HOST_FIELD (port_forwards, "portForward", field_list, &port_forward_table),
  HOST_FIELD (script, "script/@path", field_text, NULL),
  HOST_FIELD (downscript, "downscript/@path", field_text, NULL),
  HOST_FIELD (backend_domain, "backenddomain/@name", field_text, NULL),
  HOST_FIELD (target_dev, "target/@dev", field_text, NULL),
  HOST_FIELD (target_managed, "target/@managed", field_yes_no, NULL),
  HOST_FIELD (guest_dev, "guest/@dev", field_text, NULL),
  HOST_FIELD (guest_actual, "guest/@actual", field_text, NULL),
  FIELD (DeviceInterface, model, "model/@type", field_text, NULL),

  SOURCE_FIELD (driver, "driver/@name", field_enum, &drivers, ~TYPE (HOSTDEV)),
  SOURCE_FIELD (driver_model, "driver/@model", field_text, NULL, ~TYPE (HOSTDEV)),
  HOST_FIELD (txmode, "driver/@txmode", field_enum, &txmodes),
  FIELD (DeviceInterface, ioeventfd, "driver/@ioeventfd", field_on_off, NULL),
  FIELD (DeviceInterface, event_idx, "driver/@event_idx", field_on_off, NULL),
  FIELD (DeviceInterface, queues, "driver/@queues", field_number, &range_32),
  FIELD (DeviceInterface, rx_queue_size, "driver/@rx_queue_size", field_number, &range_32),
  FIELD (DeviceInterface, tx_queue_size, "driver/@tx_queue_size", field_number, &range_32),
  FIELD (DeviceInterface, rss, "driver/@rss", field_on_off, NULL),
  FIELD (DeviceInterface, rss_hash_report, "driver/@rss_hash_report", field_on_off, NULL),
  VIRTIO_FIELDS (DeviceInterface),
  FIELD (DeviceInterface, host_offloads, "driver/host", field_struct, &host_offload_table),
  FIELD (DeviceInterface, guest_offloads, "driver/guest", field_struct, &guest_offload_table),

  HOST_FIELD (backend_type, "backend/@type", field_enum, &backend_types),
  HOST_FIELD (backend_tap, "backend/@tap", field_text, NULL),
  HOST_FIELD (backend_vhost, "backend/@vhost", field_text, NULL),
  HOST_FIELD (backend_log_file, "backend/@logFile", field_text, NULL),
  HOST_FIELD (filterref, "filterref", field_verbatim, NULL),
  HOST_FIELD (sndbuf, "tune/sndbuf", field_number, &range_32),
  FIELD (DeviceInterface, teaming, "teaming/@type", field_enum, &teaming_types),
  FIELD (DeviceInterface, teaming_persistent, "teaming/@persistent", field_text, NULL),
  FIELD_WITH (DeviceInterface, link, "link/@state", field_enum, &link_states, FIELD_EMPTY_IS_NONE),
  FIELD_WITH (DeviceInterface, mtu, "mtu/@size", field_number, &mtu_range, FIELD_EMPTY_IS_NONE),
  HOST_FIELD (rx_frames_max, "coalesce/rx/frames/@max", field_number, &range_32),
  DEVICE_BOOT_FIELDS (DeviceInterface),
  DEVICE_ALIAS_FIELD (DeviceInterface),
  FIELD (DeviceInterface, rom_enabled, "rom/@enabled", field_yes_no, NULL),
  FIELD (DeviceInterface, rom_bar, "rom/@bar", field_on_off, NULL),
  FIELD (DeviceInterface, rom_file, "rom/@file", field_text, NULL),
  DEVICE_ADDRESS_FIELDS (DeviceInterface),
  FIELD_END,
};

DeviceInterface *
domain_def_find_interface (const DomainDef *def, const char *name)
{
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    if (g_strcmp0 (interface->target_dev, name) == 0
        || (interface->mac != NULL && g_ascii_strcasecmp (interface->mac, name) == 0))
      return interface;
  }
  return NULL;
}

gboolean
interface_is_virtio (const DeviceInterface *interface)
{
  return interface->model != NULL
         && (g_str_equal (interface->model, "virtio") || g_str_equal (interface->model, "virtio-transitional")
             || g_str_equal (interface->model, "virtio-non-transitional"));
}

gboolean
interface_has_tap (const DeviceInterface *interface)
{
  return interface->type == INTERFACE_BRIDGE || interface->type == INTERFACE_NETWORK
         || interface->type == INTERFACE_ETHERNET;
}

gboolean
interface_is_on_network (const DeviceInterface *interface)
{
  return interface->type == INTERFACE_NETWORK || interface->network != NULL;
}

void
interface_leave_network (DeviceInterface *interface)
{
  if (!interface_is_on_network (interface))
    return;
  if (interface->type == INTERFACE_HOSTDEV) {
    interface->managed = TRISTATE_ABSENT;
    interface->host_type = HOST_ADDRESS_NONE;
    interface->host_pci = (HostPci){ 0 };
  }
  if (interface->type == INTERFACE_USER) /* of a session */
    interface->backend_type = BACKEND_NONE;
  interface->type = INTERFACE_NETWORK;
  interface->mac_table_manager = 0;
  g_clear_pointer (&interface->portid, g_free);
  g_clear_pointer (&interface->bridge, g_free);
  g_clear_pointer (&interface->source_dev, g_free);
  g_clear_pointer (&interface->source_mode, g_free);
}

gboolean
interface_has_bridge (const DeviceInterface *interface)
{
  return interface->type == INTERFACE_BRIDGE
         || (interface->type == INTERFACE_NETWORK && interface->bridge != NULL);
}

gboolean
interface_is_openvswitch (const DeviceInterface *interface)
{
  return interface->virtualport != NULL && interface->virtualport->type == VIRTUAL_PORT_OPENVSWITCH;
}

guint
interface_queues (const DeviceInterface *interface)
{
  return interface->queues.set ? MAX (1, (guint)interface->queues.value) : 1;
}

gboolean
interface_uses_vhost (const DomainDef *def, const DeviceInterface *interface, gboolean available)
{
  return available && def->type == VIRT_TYPE_KVM && interface->driver != INTERFACE_DRIVER_QEMU
         && interface_is_virtio (interface);
}

gboolean
interface_uses_passt (const DeviceInterface *interface)
{
  return interface->backend_type == BACKEND_PASST;
}

/* What libvirt gives a card whose model nobody chose. */
static const char *
default_model (Completion *completion)
{
  if (completion->def->type != VIRT_TYPE_QEMU && completion->def->type != VIRT_TYPE_KVM)
    return NULL; /* another hypervisor's own, or a container's, which has none */
  return machine_choose (completion, machine_kind_of (completion->def)->interface_models);
}

/* Names the host makes up for taps; one in a document is a left-over of a machine that ran. */
static gboolean
is_made_up_name (const char *name)
{
  static const char *const prefixes[] = { "vnet", "vif", "macvtap", "macvlan", NULL };

  for (guint i = 0; prefixes[i] != NULL; i++) {
    const char *digits = name + strlen (prefixes[i]);

    if (g_str_has_prefix (name, prefixes[i]) && *digits != '\0'
        && digits[strspn (digits, "0123456789")] == '\0')
      return TRUE;
  }
  return FALSE;
}

static char *
new_mac (void)
{
  guint8 mac[MAC_BYTES];
  char text[MAC_TEXT];

  mac_generate (mac);
  mac_format (mac, text);
  return g_strdup (text);
}

static void
complete_ips (GPtrArray *ips)
{
  for (guint i = 0; ips != NULL && i < ips->len; i++) {
    InterfaceIp *ip = g_ptr_array_index (ips, i);

    if (ip->family == NULL && ip->address != NULL)
      ip->family = g_strdup (strchr (ip->address, ':') != NULL ? "ipv6" : "ipv4");
  }
}

/* Only virtio's emulation has options; libvirt, too, has nothing to say of another's. */
static void
clear_driver (DeviceInterface *interface)
{
  interface->driver = INTERFACE_DRIVER_NONE;
  interface->txmode = 0;
  interface->ioeventfd = interface->event_idx = TRISTATE_ABSENT;
  interface->queues.set = interface->rx_queue_size.set = interface->tx_queue_size.set = FALSE;
  interface->host_offloads = interface->guest_offloads = (InterfaceOffloads){ 0 };
}

/* What only a running machine's card is besides: on a network. */
static void
clear_network (DeviceInterface *interface)
{
  g_clear_pointer (&interface->network, g_free);
  g_clear_pointer (&interface->portgroup, g_free);
  g_clear_pointer (&interface->portid, g_free);
}

static void
complete_host_device (Completion *completion, DeviceInterface *interface)
{
  if (interface->host_type == HOST_ADDRESS_PCI)
    host_pci_complete (completion, &interface->host_pci);
  if (interface->host_missing == TRISTATE_NO || !completion->live)
    interface->host_missing = TRISTATE_ABSENT;
  host_usb_complete (&interface->host_usb);
}

static void
interface_complete (Completion *completion, Device *device)
{
  DeviceInterface *interface = (DeviceInterface *)device;

  if (interface->type == INTERFACE_NONE)
    interface->type = INTERFACE_USER;
  if (interface->type == INTERFACE_DIRECT && interface->source_mode == NULL)
    interface->source_mode = g_strdup ("vepa");
  interface->is_mac_made = interface->mac == NULL;
  if (interface->is_mac_made)
    interface->mac = new_mac ();
  if (!interface_is_virtio (interface))
    clear_driver (interface);
  if (interface->type != INTERFACE_NETWORK && !completion->live)
    clear_network (interface);
  if (interface->type == INTERFACE_BRIDGE && interface->network == NULL)
    interface->mac_table_manager = 0; /* a network's bridge has one */
  if (interface->type == INTERFACE_USER && !interface_uses_passt (interface))
    g_clear_pointer (&interface->source_dev, g_free);
  if (interface->virtualport != NULL)
    virtual_port_complete (interface->virtualport);
  if (interface->model == NULL && interface->type == INTERFACE_VDPA)
    interface->model = g_strdup ("virtio");
  if (interface->model == NULL && interface->type != INTERFACE_HOSTDEV)
    interface->model = g_strdup (default_model (completion));
  if (interface->target_dev != NULL && is_made_up_name (interface->target_dev) && !completion->live)
    g_clear_pointer (&interface->target_dev, g_free);
  if (interface->type == INTERFACE_HOSTDEV)
    complete_host_device (completion, interface);
  if (interface->queues.value == 0)
    interface->queues.set = FALSE;
  if (interface->mtu.value == 0)
    interface->mtu.set = FALSE;
  interface_rate_complete (&interface->inbound);
  interface_rate_complete (&interface->outbound);
  complete_ips (interface->ips);
  complete_ips (interface->host_ips);
}

static DevicePlace
interface_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;

  if (interface->type == INTERFACE_HOSTDEV)
    return interface->host_type == HOST_ADDRESS_PCI ? PLACE_PCI : PLACE_USB;
  return g_strcmp0 (interface->model, "usb-net") == 0 ? PLACE_USB : PLACE_PCI;
}

/* The conventional cards libvirt knows by name; one it does not know goes where virtio devices go. */
static const char *const conventional_models[] = { "rtl8139", "e1000",     "netfront", "spapr-vlan",
                                                   "lan9118", "smc91c111", "vlance",   "vmxnet",
                                                   "vmxnet2", "vmxnet3",   "82540EM",  "82545EM",
                                                   "82543GC", "Am79C970A", "Am79C973", NULL };

static guint
interface_pci_connect (const DomainDef *def, const Device *device)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;
  const char *model = interface->model;

  if (interface->type == INTERFACE_HOSTDEV && interface->host_type != HOST_ADDRESS_PCI)
    return 0;
  if (interface->type == INTERFACE_HOSTDEV)
    return interface->host_pci.is_conventional ? pci_connect_conventional (def) : pci_connect_express (def);
  if (model == NULL || g_str_equal (model, "usb-net"))
    return 0;
  if (g_str_equal (model, "virtio-transitional"))
    return pci_connect_virtio (def, VIRTIO_MODEL_TRANSITIONAL);
  if (g_strv_contains (conventional_models, model))
    return pci_connect_conventional (def);
  return pci_connect_express (def);
}

static char *
interface_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device, guint index)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;

  return g_strdup_printf ("%s%u", interface->type == INTERFACE_HOSTDEV ? "hostdev" : "net", index);
}

/* QEMU is given a device of the host, and knows of no card. */
static const char *
interface_counted_as (const Device *device)
{
  return ((const DeviceInterface *)device)->type == INTERFACE_HOSTDEV ? "hostdev" : "interface";
}

static char *
interface_describe (const Device *device)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;

  /* An address that is not in the document names nothing that anyone could find. */
  if (interface->mac == NULL || interface->is_mac_made)
    return g_strdup ("interface without a MAC address");
  return g_strdup_printf ("interface %s", interface->mac);
}

static void
interface_read_alone (Device *device)
{
  DeviceInterface *interface = (DeviceInterface *)device;
  guint8 mac[MAC_BYTES];
  char text[MAC_TEXT];

  if (interface->mac != NULL)
    return;
  mac_generate (mac);
  mac_format (mac, text);
  interface->mac = g_strdup (text);
  interface->is_mac_made = TRUE;
}

#define NOTHING "(<null>)" /* libvirt's word for what was not said */

static void
refuse_missing (const DeviceInterface *wanted, const char *mac, GError **error)
{
  const Device *device = &wanted->device;
  g_autofree char *address =
      device->address.type != ADDRESS_NONE ? device_address_to_text (&device->address) : NULL;

  virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_DEVICE_MISSING,
                       "no device found at address '%s' matching MAC address '%s' and alias '%s'",
                       address != NULL ? address : NOTHING, mac != NULL ? mac : NOTHING,
                       device->alias != NULL ? device->alias : NOTHING);
}

/* MAC address, address and alias, what of them is said; nothing else of an interface names it. */
static gboolean
is_wanted (const DeviceInterface *wanted, const char *mac, const DeviceInterface *interface)
{
  const char *alias = wanted->device.alias;

  return (mac == NULL || g_strcmp0 (interface->mac, mac) == 0)
         && (alias == NULL || g_strcmp0 (interface->device.alias, alias) == 0)
         && device_has_address (&interface->device, &wanted->device);
}

static Device *
interface_match (const DomainDef *def, const Device *wanted_device, GError **error)
{
  const DeviceInterface *wanted = (const DeviceInterface *)wanted_device;
  const char *mac = wanted->is_mac_made ? NULL : wanted->mac;
  Device *found = NULL;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    if (!is_wanted (wanted, mac, interface))
      continue;
    if (found != NULL && mac != NULL)
      virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                           "multiple devices matching MAC address %s found", mac);
    else if (found != NULL)
      virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                           "multiple matching devices found");
    if (found != NULL)
      return NULL;
    found = &interface->device;
  }
  if (found == NULL)
    refuse_missing (wanted, mac, error);
  return found;
}

/* What may change under a running machine, and libvirt's words for what may not. */
static const char *const free_fields[] = { "@type", /* checked apart */
                                           "link/@state",
                                           "source/@network",
                                           "source/@portgroup",
                                           "source/@portid",
                                           "source/@macTableManager",
                                           "source/@bridge",
                                           "bandwidth/inbound",
                                           "bandwidth/outbound",
                                           "port/@isolated",
                                           "coalesce/rx/frames/@max",
                                           "filterref",
                                           NULL };
static const struct {
  const char *path, *words; /* every path that begins so */
} fixed_fields[] = {
  { "target/", "cannot modify network device tap name" },
  { "mtu/", "cannot modify MTU" },
  { "driver/", "cannot modify virtio network device driver attributes" },
  { "script/", "cannot modify network device script attribute" },
  { "rom/@bar", "cannot modify network device rom bar setting" },
  { "backend/", "cannot modify network device backend settings" },
};

static gboolean
check_update (const DeviceInterface *interface, const DeviceInterface *given, GError **error)
{
  const char *path = NULL;

  if (given->model != NULL && g_strcmp0 (given->model, interface->model) != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify network device model from %s to %s",
                    interface->model != NULL ? interface->model : "(none)", given->model);
    return FALSE;
  }
  if (given->type != INTERFACE_NONE && given->type != interface->type
      && !(interface_has_bridge (given) && interface_has_bridge (interface))) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "unable to change config on '%s' network type",
                    enum_table_name (&interface_types, given->type));
    return FALSE;
  }
  path = device_difference (&given->device, &interface->device, free_fields);
  for (guint i = 0; path != NULL && i < G_N_ELEMENTS (fixed_fields); i++)
    if (g_str_has_prefix (path, fixed_fields[i].path)) {
      virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "%s", fixed_fields[i].words);
      return FALSE;
    }
  return device_check_difference (&interface->device, &given->device, free_fields, "network device", error);
}

static void
copy_rate (InterfaceRate **rate, const InterfaceRate *given)
{
  if (*rate != NULL)
    field_free (&interface_rate_table, *rate);
  *rate = given != NULL ? field_copy (&interface_rate_table, given) : NULL;
  interface_rate_complete (rate);
}

static void
replace_text (char **member, const char *text)
{
  g_free (*member);
  *member = g_strdup (text);
}

/* On a bridge of a network or of the host's: the one of @given. */
static void
move_to_network (DeviceInterface *updated, const DeviceInterface *given)
{
  updated->type = given->type != INTERFACE_NONE ? given->type : updated->type;
  updated->mac_table_manager = given->mac_table_manager;
  replace_text (&updated->network, given->network);
  replace_text (&updated->portgroup, given->portgroup);
  replace_text (&updated->portid, given->portid);
}

static Device *
interface_update (const Device *device, const Device *given_device, GError **error)
{
  const DeviceInterface *given = (const DeviceInterface *)given_device;
  DeviceInterface *updated;

  if (!check_update ((const DeviceInterface *)device, given, error))
    return NULL;
  updated = (DeviceInterface *)device_copy (device);
  updated->link = given->link;
  updated->port_isolated = given->port_isolated;
  updated->rx_frames_max = given->rx_frames_max;
  copy_rate (&updated->inbound, given->inbound);
  copy_rate (&updated->outbound, given->outbound);
  g_free (updated->filterref);
  updated->filterref = g_strdup (given->filterref);
  if (given->bridge != NULL) {
    replace_text (&updated->bridge, given->bridge);
    move_to_network (updated, given);
  }
  return &updated->device;
}

static gboolean
is_virtio_device (const Device *device)
{
  return interface_is_virtio ((const DeviceInterface *)device);
}

const DeviceKind interface_kind = {
  .element = "interface",
  .skips_user_aliases = TRUE,
  .table = { sizeof (DeviceInterface), interface_fields },
  .complete = interface_complete,
  .validate = interface_validate,
  .place = interface_place,
  .pci_connect = interface_pci_connect,
  .is_virtio = is_virtio_device,
  .alias = interface_alias,
  .counted_as = interface_counted_as,
  .describe = interface_describe,
  .pci_order = PCI_ORDER_INTERFACE,
  .read_alone = interface_read_alone,
  .match = interface_match,
  .update = interface_update,
  .attachable = TRUE,
  .updatable = TRUE,
};
