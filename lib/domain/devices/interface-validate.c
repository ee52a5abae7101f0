/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What must hold of an <interface>, in libvirt's words: what each type needs of its <source>, and which of
 * the card's and the host's settings go with it. What only the host or the emulator can tell is refused
 * later, by the target or at the start.
 */
#include "domain/devices/interface-validate.h"

#include "domain/devices/disk.h"

#include <arpa/inet.h>
#include <string.h>

#define REFUSE(member, ...) validation_error (validation, &interface->member, interface, __VA_ARGS__)
#define REFUSE_XML(member, ...) \
  validation_error_code (validation, VIR_ERR_XML_ERROR, &interface->member, interface, __VA_ARGS__)

static const char *const direct_modes[] = { "vepa", "private", "bridge", "passthrough", NULL };
static const char *const socket_modes[] = { "server", "client", NULL };

#define NEEDS_SOURCE(is_given, member, attribute)                                                      \
  if (!(is_given))                                                                                     \
  REFUSE_XML (member, "Missing required attribute '%s' in element '%s': interface type='%s' needs it", \
              attribute, "source", enum_table_name (&interface_types, interface->type))

static void
validate_mode (Validation *validation, const DeviceInterface *interface, const char *const *modes)
{
  g_autofree char *accepted = g_strjoinv ("', '", (char **)modes);

  if (interface->source_mode != NULL && !g_strv_contains (modes, interface->source_mode))
    REFUSE_XML (source_mode,
                "Invalid value for attribute 'mode' in element 'source': '%s'. Expected one of '%s'",
                interface->source_mode, accepted);
}

/* A document of old, or of the defaults, says no type of socket. */
static void
validate_vhost_user (Validation *validation, const DeviceInterface *interface)
{
  if (interface_uses_passt (interface))
    return;
  if (interface->source_type != NULL && strcmp (interface->source_type, "unix") != 0)
    REFUSE (source_type, "Type='%s' unsupported for <interface type='vhostuser'>; 'unix' is",
            interface->source_type);
  NEEDS_SOURCE (interface->source_path != NULL, source_path, "path");
  validate_mode (validation, interface, socket_modes);
  if (interface->reconnect != TRISTATE_ABSENT && g_strcmp0 (interface->source_mode, "server") == 0)
    REFUSE (
        reconnect,
        "'reconnect' attribute is not supported when source mode='server' for <interface type='vhostuser'>");
  if (interface->reconnect == TRISTATE_YES && !interface->reconnect_timeout.set
      && !interface->reconnect_delay.set)
    REFUSE_XML (reconnect, "Missing required attribute 'timeout' in element 'reconnect'");
}

static void
validate_sockets (Validation *validation, const DeviceInterface *interface)
{
  if (interface->source_address == NULL && !interface->source_port.set) {
    REFUSE_XML (source_address, "interface type='%s' requires a 'source' element",
                enum_table_name (&interface_types, interface->type));
    return;
  }
  NEEDS_SOURCE (interface->source_address != NULL || interface->type == INTERFACE_SERVER, source_address,
                "address");
  NEEDS_SOURCE (interface->source_port.set, source_port, "port");
  if (interface->type != INTERFACE_UDP)
    return;
  if (interface->local_address == NULL && !interface->local_port.set)
    REFUSE_XML (local_address, "'<local>' element missing for 'udp' socket interface");
  else if (interface->local_address == NULL)
    REFUSE_XML (local_address, "Missing required attribute 'address' in element 'local'");
  else if (!interface->local_port.set)
    REFUSE_XML (local_port, "Missing required attribute 'port' in element 'local'");
}

/* The words of libvirt, which knows a source that says nothing by its address. */
static void
validate_host_device (Validation *validation, const DeviceInterface *interface)
{
  const HostUsb *usb = &interface->host_usb;

  if (interface->host_type == HOST_ADDRESS_NONE && !usb->vendor.set && !usb->product.set)
    REFUSE (host_type,
            "unknown host device source address type '(null)': <source> needs an <address> of type "
            "'pci' or 'usb'");
  else if (usb->product.set && !usb->vendor.set)
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &usb->vendor, interface, "missing vendor");
  else if (usb->vendor.set && !usb->product.set)
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &usb->product, interface, "missing product");
  if (interface->host_startup != STARTUP_NONE && interface->host_type == HOST_ADDRESS_PCI)
    REFUSE (host_startup, "Setting startupPolicy is only allowed for USB devices");
}

static void
validate_source (Validation *validation, const DeviceInterface *interface)
{
  const char *type = enum_table_name (&interface_types, interface->type);

  switch (interface->type) {
    case INTERFACE_NETWORK:
      if (interface->network == NULL)
        REFUSE_XML (network, "interface type='%s' requires a 'source' element with a 'network'", type);
      break;
    case INTERFACE_BRIDGE:
      if (interface->bridge == NULL)
        REFUSE_XML (bridge, "interface type='%s' requires a 'source' element with a 'bridge'", type);
      break;
    case INTERFACE_DIRECT:
      validate_mode (validation, interface, direct_modes);
      G_GNUC_FALLTHROUGH;
    case INTERFACE_VDPA:
      if (interface->source_dev == NULL)
        REFUSE_XML (source_dev, "interface type='%s' requires a 'source' element with a 'dev'", type);
      break;
    case INTERFACE_INTERNAL:
      if (interface->source_name == NULL)
        REFUSE_XML (source_name, "interface type='%s' requires a 'source' element with a 'name'", type);
      break;
    case INTERFACE_VHOST_USER:
      validate_vhost_user (validation, interface);
      break;
    case INTERFACE_SERVER:
    case INTERFACE_CLIENT:
    case INTERFACE_MCAST:
    case INTERFACE_UDP:
      validate_sockets (validation, interface);
      break;
    case INTERFACE_HOSTDEV:
      validate_host_device (validation, interface);
      break;
    case INTERFACE_VDS:
      if (interface->source == NULL)
        REFUSE_XML (source, "interface type='%s' requires a 'source' element", type);
      break;
    default:
      break;
  }
}

static void
validate_model (Validation *validation, const DeviceInterface *interface)
{
  for (const char *c = interface->model; c != NULL && *c != '\0'; c++) {
    if (g_ascii_isalnum (*c) || *c == '-' || *c == '_')
      continue;
    validation_error_code (
        validation, VIR_ERR_INVALID_ARG, &interface->model, interface,
        "Model name contains invalid characters: '%s'; letters, digits, '-' and '_' are allowed",
        interface->model);
    return;
  }
}

static void
validate_driver (Validation *validation, const DeviceInterface *interface)
{
  gboolean is_virtio = interface_is_virtio (interface);

  virtio_options_validate (validation, &interface->device, &interface->virtio, is_virtio);
  if (is_virtio) {
    if (interface->rx_queue_size.set
        && !((interface->rx_queue_size.value & (interface->rx_queue_size.value - 1)) == 0))
      REFUSE (rx_queue_size, "rx_queue_size has to be a power of two, not %u",
              (guint)interface->rx_queue_size.value);
    if (interface->tx_queue_size.set
        && !((interface->tx_queue_size.value & (interface->tx_queue_size.value - 1)) == 0))
      REFUSE (tx_queue_size, "tx_queue_size has to be a power of two, not %u",
              (guint)interface->tx_queue_size.value);
    return;
  }
  if (interface->rss != TRISTATE_ABSENT || interface->rss_hash_report != TRISTATE_ABSENT)
    REFUSE (rss, "rss and rss_hash_report are only supported for virtio devices, not '%s'", interface->model);
}

static gboolean
has_mtu (int type)
{
  return type == INTERFACE_NETWORK || type == INTERFACE_BRIDGE || type == INTERFACE_ETHERNET
         || type == INTERFACE_VHOST_USER;
}

static void
validate_rates (Validation *validation, const DeviceInterface *interface)
{
  const InterfaceRate *in = interface->inbound, *out = interface->outbound;

  if (in != NULL && !in->average.set && !in->floor.set)
    validation_error_code (validation, VIR_ERR_XML_DETAIL, in, interface,
                           "Missing mandatory average or floor attributes");
  if (in != NULL && in->floor.set && interface->type != INTERFACE_NETWORK)
    validation_error (validation, &in->floor, interface, "floor attribute is not supported for this config");
  if (out != NULL && out->floor.set)
    validation_error (validation, &out->floor, interface,
                      "'floor' attribute allowed only in <inbound> element");
  else if (out != NULL && !out->average.set)
    validation_error_code (validation, VIR_ERR_XML_DETAIL, out, interface,
                           "Missing mandatory average or floor attributes");
  if (interface->mtu.set && !has_mtu (interface->type))
    REFUSE (mtu, "setting MTU on interface type %s is not supported yet",
            enum_table_name (&interface_types, interface->type));
}

static void
validate_rom (Validation *validation, const DeviceInterface *interface)
{
  if (interface->rom_enabled == TRISTATE_NO
      && (interface->rom_bar != TRISTATE_ABSENT || interface->rom_file != NULL))
    REFUSE (rom_enabled, "ROM tuning is not supported when ROM is disabled");
}

/* Addresses. */

#define IPV4_PREFIX_MIN 4 /* QEMU's user network needs room for its own hosts */
#define IPV4_PREFIX_MAX 27
#define IPV6_PREFIX     64
#define IPV4_BITS       32

/* 4, 6, or 0 for what is no address. */
static guint
address_version (const char *address)
{
  guint8 bytes[sizeof (struct in6_addr)];

  if (address == NULL)
    return 0;
  return inet_pton (AF_INET, address, bytes) == 1 ? 4 : inet_pton (AF_INET6, address, bytes) == 1 ? 6 : 0;
}

static gboolean
is_of_family (const char *address, const char *family)
{
  guint version = address_version (address);

  return version != 0 && (family == NULL || family[strlen (family) - 1] == (char)('0' + version));
}

static gboolean
check_ip (Validation *validation, const InterfaceIp *ip)
{
  if (!is_of_family (ip->address, ip->family))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &ip->address, ip, "Invalid address '%s' in <ip>",
                           ip->address);
  else if (ip->peer != NULL && !is_of_family (ip->peer, ip->family))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &ip->peer, ip, "Invalid peer '%s' in <ip>",
                           ip->peer);
  else if (ip->prefix.set && ip->prefix.value > IPV4_BITS && address_version (ip->address) == 4)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &ip->prefix, ip,
                           "Invalid prefix value '%u' in <ip>", (guint)ip->prefix.value);
  else
    return TRUE;
  return FALSE;
}

static void
check_user_ip (Validation *validation, const InterfaceIp *ip)
{
  guint prefix = (guint)ip->prefix.value;

  if (!check_ip (validation, ip))
    return;
  if (ip->peer != NULL)
    validation_error (validation, &ip->peer, ip, "Invalid attempt to set peer IP for guest");
  if (!ip->prefix.set || prefix == 0)
    return;
  if (address_version (ip->address) == 4 && (prefix < IPV4_PREFIX_MIN || prefix > IPV4_PREFIX_MAX))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &ip->prefix, ip,
                           "invalid prefix, must be in range of %d-%d", IPV4_PREFIX_MIN, IPV4_PREFIX_MAX);
  if (address_version (ip->address) == 6 && prefix != IPV6_PREFIX)
    validation_error (validation, &ip->prefix, ip, "unsupported IPv6 address prefix='%u' - must be %d",
                      prefix, IPV6_PREFIX);
}

/* What the guest is told by QEMU's own network. */
static void
validate_guest_ips (Validation *validation, const DeviceInterface *interface)
{
  gboolean has[2] = { FALSE, FALSE };
  gboolean is_user = interface->type == INTERFACE_USER
                     || (interface->type == INTERFACE_VHOST_USER && interface_uses_passt (interface));

  if (interface->routes != NULL && interface->routes->len > 0)
    REFUSE (routes, "Invalid attempt to set network interface guest-side IP route, not supported by QEMU");
  if (interface->ips == NULL || interface->ips->len == 0)
    return;
  if (!is_user) {
    REFUSE (ips,
            "Invalid attempt to set network interface guest-side IP address info, not supported by QEMU");
    return;
  }
  for (guint i = 0; i < interface->ips->len; i++) {
    const InterfaceIp *ip = g_ptr_array_index (interface->ips, i);
    gboolean is_ipv6 = address_version (ip->address) == 6;

    check_user_ip (validation, ip);
    if (has[is_ipv6])
      validation_error (validation, ip, interface, "Only one %s address per interface is allowed",
                        is_ipv6 ? "IPv6" : "IPv4");
    has[is_ipv6] = TRUE;
  }
}

static void
validate_host_ips (Validation *validation, const DeviceInterface *interface)
{
  gboolean is_given = (interface->host_ips != NULL && interface->host_ips->len > 0)
                      || (interface->host_routes != NULL && interface->host_routes->len > 0);

  if (is_given && interface->type != INTERFACE_ETHERNET) {
    REFUSE (host_ips,
            "Invalid attempt to set network interface host-side IP route and/or address info on interface of "
            "type '%s'. This is only supported on interfaces of type 'ethernet'",
            enum_table_name (&interface_types, interface->type));
    return;
  }
  for (guint i = 0; interface->host_ips != NULL && i < interface->host_ips->len; i++)
    check_ip (validation, g_ptr_array_index (interface->host_ips, i));
}

/* passt. */

static void
check_range (Validation *validation, const InterfacePortRange *range)
{
  if (!range->start.set && (range->end.set || range->to.set || range->exclude != TRISTATE_ABSENT))
    validation_error (validation, &range->start, range,
                      "The 'range' of a 'portForward' requires 'start' attribute if 'end', 'to', or "
                      "'exclude' is specified");
}

static void
validate_passt (Validation *validation, const DeviceInterface *interface)
{
  GPtrArray *forwards = interface->port_forwards;
  gboolean can_be = interface->type == INTERFACE_USER || interface->type == INTERFACE_VHOST_USER;

  if (interface_uses_passt (interface) && !can_be)
    REFUSE (backend_type,
            "The 'passt' backend can only be used with interface type='user' or type='vhostuser'");
  if (forwards == NULL || forwards->len == 0)
    return;
  if (!interface_uses_passt (interface) || !can_be)
    REFUSE (port_forwards, "The <portForward> element can only be used with the 'passt' backend of interface "
                           "type='user' or type='vhostuser'");
  for (guint i = 0; i < forwards->len; i++) {
    const InterfacePortForward *forward = g_ptr_array_index (forwards, i);

    if (forward->address != NULL && address_version (forward->address) == 0)
      validation_error_code (validation, VIR_ERR_XML_ERROR, &forward->address, forward,
                             "Invalid address '%s' in <portForward>", forward->address);
    for (guint j = 0; forward->ranges != NULL && j < forward->ranges->len; j++)
      check_range (validation, g_ptr_array_index (forward->ranges, j));
  }
}

/* Ports of switches. */

static gboolean
can_have_virtual_port (int type)
{
  return type == INTERFACE_NETWORK || type == INTERFACE_BRIDGE || type == INTERFACE_DIRECT
         || type == INTERFACE_HOSTDEV;
}

static void
validate_port (Validation *validation, const DeviceInterface *interface)
{
  const InterfaceVirtualPort *port = interface->virtualport;
  const char *type = enum_table_name (&interface_types, interface->type), *missing;
  gboolean is_bridged = interface->type == INTERFACE_BRIDGE || interface->type == INTERFACE_NETWORK;

  if (port != NULL && !can_have_virtual_port (interface->type))
    REFUSE (virtualport, "<virtualport> element unsupported for <interface type='%s'>", type);
  else if (port != NULL && port->type == VIRTUAL_PORT_NONE && interface->type != INTERFACE_NETWORK)
    REFUSE_XML (virtualport, "missing required virtualport type");
  else if (port != NULL && (missing = virtual_port_missing_parameter (port)) != NULL)
    REFUSE_XML (virtualport, "missing %s in <virtualport type='%s'>", missing,
                enum_table_name (&virtual_port_types, port->type));
  if (interface->port_isolated == TRISTATE_ABSENT)
    return;
  if (!is_bridged)
    REFUSE (port_isolated,
            "interface %s - <port isolated='%s'/> is not supported for network interfaces with type='%s'",
            interface->mac, interface->port_isolated == TRISTATE_YES ? "yes" : "no", type);
  else if (port != NULL && port->type != VIRTUAL_PORT_NONE)
    REFUSE (port_isolated,
            "interface %s - <port isolated='%s'/> is not supported for network interfaces with virtualport "
            "type='%s'",
            interface->mac, interface->port_isolated == TRISTATE_YES ? "yes" : "no",
            enum_table_name (&virtual_port_types, port->type));
}

static void
validate_teaming (Validation *validation, const DeviceInterface *interface)
{
  if (interface->teaming == TEAMING_PERSISTENT) {
    if (interface->teaming_persistent != NULL)
      REFUSE (teaming_persistent, "teaming persistent attribute not allowed if teaming type is 'persistent'");
    else if (g_strcmp0 (interface->model, "virtio") != 0)
      REFUSE (teaming, "virtio-net teaming persistent interface must be <model type='virtio'/>, not '%s'",
              interface->model);
  } else if (interface->teaming == TEAMING_TRANSIENT) {
    if (interface->teaming_persistent == NULL)
      REFUSE (teaming, "teaming persistent attribute must be set if teaming type is 'transient'");
    else if (interface->type != INTERFACE_HOSTDEV)
      REFUSE (teaming, "virtio-net teaming transient interface must be type='hostdev', not '%s'",
              enum_table_name (&interface_types, interface->type));
  }
}

/* What only some ends can do. */
static void
validate_end (Validation *validation, const DeviceInterface *interface)
{
  const char *type = enum_table_name (&interface_types, interface->type);

  if (interface->rx_frames_max.set && interface->type != INTERFACE_BRIDGE
      && interface->type != INTERFACE_NETWORK)
    REFUSE (rx_frames_max, "coalesce settings on interface type %s are not supported", type);
  if (interface->target_managed == TRISTATE_NO && interface->type != INTERFACE_ETHERNET)
    REFUSE (target_managed, "unmanaged target dev is not supported on interfaces of type '%s'", type);
  if (interface->type == INTERFACE_VDPA && !interface_is_virtio (interface))
    REFUSE (model, "invalid model for interface of type '%s': '%s' - must be 'virtio'", type,
            interface->model);
  if (interface->type == INTERFACE_VHOST_USER && !domain_def_shares_memory (validation->def))
    REFUSE (type, "'interface' requires shared memory: interface type='vhostuser' needs <memoryBacking> with "
                  "<access mode='shared'/>");
}

void
interface_validate (Validation *validation, const Device *device)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;
  guint8 mac[MAC_BYTES];

  if (interface->mac != NULL && mac_parse (interface->mac, mac) && mac_is_multicast (mac))
    REFUSE_XML (mac, "expected unicast mac address, found multicast '%s'", interface->mac);
  validate_source (validation, interface);
  validate_model (validation, interface);
  validate_driver (validation, interface);
  validate_rates (validation, interface);
  validate_rom (validation, interface);
  validate_guest_ips (validation, interface);
  validate_host_ips (validation, interface);
  validate_passt (validation, interface);
  validate_port (validation, interface);
  validate_teaming (validation, interface);
  validate_end (validation, interface);
}
