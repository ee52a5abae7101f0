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
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

#include <string.h>

const EnumTable interface_types = { "interface type",
                                    { NULL, "user", "ethernet", "vhostuser", "server", "client", "mcast",
                                      "network", "bridge", "internal", "direct", "hostdev", "udp", "vdpa",
                                      "null", "vds" } };

static const EnumTable mac_types = { "MAC address type", { NULL, "generated", "static" } };
static const EnumTable mac_table_managers = { "MAC table manager", { NULL, "kernel", "libvirt" } };
static const EnumTable link_states = { "link state", { NULL, "up", "down" } };
static const EnumTable txmodes = { "transmit mode", { NULL, "iothread", "timer" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 };
static const FieldRange mtu_range = { 0, 65535 };

#define TYPE(name)  FIELD_VALUE (INTERFACE_##name)
#define DEV_TYPES   (TYPE (DIRECT) | TYPE (VDPA) | TYPE (USER))
#define PLAIN_TYPES (TYPE (NONE) | TYPE (NETWORK) | TYPE (BRIDGE) | TYPE (INTERNAL) | TYPE (NULL) | DEV_TYPES)

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
static const FieldTable ip_table = { sizeof (InterfaceIp), ip_fields };

static const Field rate_fields[] = {
  FIELD (InterfaceRate, average, "@average", field_number, &range_32),
  FIELD (InterfaceRate, peak, "@peak", field_number, &range_32),
  FIELD (InterfaceRate, floor, "@floor", field_number, &range_32),
  FIELD (InterfaceRate, burst, "@burst", field_number, &range_32),
  FIELD_END,
};
const FieldTable interface_rate_table = { sizeof (InterfaceRate), rate_fields };

static const Field interface_fields[] = {
  HOST_FIELD (type, "@type", field_enum, &interface_types),
  HOST_FIELD (managed, "@managed", field_yes_no, NULL),
  HOST_FIELD (trust_guest_rx_filters, "@trustGuestRxFilters", field_yes_no, NULL),
  FIELD (DeviceInterface, mac, "mac/@address", field_mac, NULL),
  HOST_FIELD (mac_type, "mac/@type", field_enum, &mac_types),
  HOST_FIELD (mac_check, "mac/@check", field_yes_no, NULL),
  { "mac/@currentAddress", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } },

  SOURCE_FIELD (network, "source/@network", field_text, NULL, TYPE (NETWORK)),
  SOURCE_FIELD (portgroup, "source/@portgroup", field_text, NULL, TYPE (NETWORK)),
  SOURCE_FIELD (portid, "source/@portid", field_text, NULL, TYPE (NETWORK)),
  SOURCE_FIELD (bridge, "source/@bridge", field_text, NULL, TYPE (NETWORK) | TYPE (BRIDGE)),
  SOURCE_FIELD (mac_table_manager, "source/@macTableManager", field_enum, &mac_table_managers,
                TYPE (NETWORK) | TYPE (BRIDGE)),
  SOURCE_FIELD (source_dev, "source/@dev", field_text, NULL, DEV_TYPES),
  SOURCE_FIELD (source_mode, "source/@mode", field_text, NULL, TYPE (DIRECT)),
  SOURCE_FIELD (source_name, "source/@name", field_text, NULL, TYPE (INTERNAL)),
  SOURCE_FIELD (source, "source", field_verbatim, NULL, ~PLAIN_TYPES),

  HOST_FIELD (vlan, "vlan", field_verbatim, NULL),
  HOST_FIELD (virtualport, "virtualport", field_verbatim, NULL),
  { "bandwidth/@classID", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } },
  HOST_FIELD (inbound, "bandwidth/inbound", field_optional, &interface_rate_table),
  HOST_FIELD (outbound, "bandwidth/outbound", field_optional, &interface_rate_table),
  HOST_FIELD (port_isolated, "port/@isolated", field_yes_no, NULL),
  HOST_FIELD (ips, "ip", field_list, &ip_table),
  HOST_FIELD (routes, "route", field_verbatims, NULL),
  HOST_FIELD (port_forwards, "portForward", field_verbatims, NULL),
  HOST_FIELD (script, "script/@path", field_text, NULL),
  HOST_FIELD (downscript, "downscript/@path", field_text, NULL),
  HOST_FIELD (backend_domain, "backenddomain/@name", field_text, NULL),
  HOST_FIELD (target_dev, "target/@dev", field_text, NULL),
  HOST_FIELD (target_managed, "target/@managed", field_yes_no, NULL),
  HOST_FIELD (guest, "guest", field_verbatim, NULL),
  FIELD (DeviceInterface, model, "model/@type", field_text, NULL),

  HOST_FIELD (driver, "driver/@name", field_text, NULL),
  HOST_FIELD (driver_model, "driver/@model", field_text, NULL),
  HOST_FIELD (txmode, "driver/@txmode", field_enum, &txmodes),
  FIELD (DeviceInterface, ioeventfd, "driver/@ioeventfd", field_on_off, NULL),
  FIELD (DeviceInterface, event_idx, "driver/@event_idx", field_on_off, NULL),
  FIELD (DeviceInterface, queues, "driver/@queues", field_number, &range_32),
  FIELD (DeviceInterface, rx_queue_size, "driver/@rx_queue_size", field_number, &range_32),
  FIELD (DeviceInterface, tx_queue_size, "driver/@tx_queue_size", field_number, &range_32),
  FIELD (DeviceInterface, rss, "driver/@rss", field_on_off, NULL),
  FIELD (DeviceInterface, rss_hash_report, "driver/@rss_hash_report", field_on_off, NULL),
  VIRTIO_FIELDS (DeviceInterface),
  FIELD (DeviceInterface, driver_host, "driver/host", field_verbatim, NULL),
  FIELD (DeviceInterface, driver_guest, "driver/guest", field_verbatim, NULL),

  HOST_FIELD (backend_type, "backend/@type", field_text, NULL),
  HOST_FIELD (backend_tap, "backend/@tap", field_text, NULL),
  HOST_FIELD (backend_vhost, "backend/@vhost", field_text, NULL),
  HOST_FIELD (backend_log_file, "backend/@logFile", field_text, NULL),
  HOST_FIELD (filterref, "filterref", field_verbatim, NULL),
  HOST_FIELD (sndbuf, "tune/sndbuf", field_number, &range_32),
  FIELD (DeviceInterface, teaming, "teaming", field_verbatim, NULL),
  FIELD_WITH (DeviceInterface, link, "link/@state", field_enum, &link_states, FIELD_EMPTY_IS_NONE),
  FIELD_WITH (DeviceInterface, mtu, "mtu/@size", field_number, &mtu_range, FIELD_EMPTY_IS_NONE),
  HOST_FIELD (coalesce, "coalesce", field_verbatim, NULL),
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

/* What libvirt gives a card whose model nobody chose. */
static const char *
default_model (Completion *completion)
{
  const char *arch = completion->def->os.arch;

  if (g_strcmp0 (arch, "x86_64") != 0 && g_strcmp0 (arch, "i686") != 0)
    return "virtio";
  if (completion_has_device (completion, "rtl8139"))
    return "rtl8139";
  return completion_has_device (completion, "e1000") ? "e1000" : "virtio";
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
complete_ips (DeviceInterface *interface)
{
  for (guint i = 0; interface->ips != NULL && i < interface->ips->len; i++) {
    InterfaceIp *ip = g_ptr_array_index (interface->ips, i);

    if (ip->family == NULL && ip->address != NULL)
      ip->family = g_strdup (strchr (ip->address, ':') != NULL ? "ipv6" : "ipv4");
  }
}

/* A rate of 0 is no limit. */
static void
complete_rate (InterfaceRate **rate)
{
  Number *numbers[] = { &(*rate)->average, &(*rate)->peak, &(*rate)->floor, &(*rate)->burst };
  gboolean is_said = (*rate)->average.set || (*rate)->floor.set;

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (numbers[i]->value == 0)
      numbers[i]->set = FALSE;
  if (is_said && !(*rate)->average.set && !(*rate)->floor.set) {
    field_free (&interface_rate_table, *rate);
    *rate = NULL;
  }
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
  if (interface->model == NULL && interface->type == INTERFACE_VDPA)
    interface->model = g_strdup ("virtio");
  if (interface->model == NULL && interface->type != INTERFACE_HOSTDEV)
    interface->model = g_strdup (default_model (completion));
  if (interface->target_dev != NULL && is_made_up_name (interface->target_dev) && !completion->live)
    g_clear_pointer (&interface->target_dev, g_free);
  if (interface->queues.value == 0)
    interface->queues.set = FALSE;
  if (interface->mtu.value == 0)
    interface->mtu.set = FALSE;
  if (interface->inbound != NULL)
    complete_rate (&interface->inbound);
  if (interface->outbound != NULL)
    complete_rate (&interface->outbound);
  complete_ips (interface);
}

#define REFUSE(member, ...) validation_error (validation, &interface->member, interface, __VA_ARGS__)
#define REFUSE_XML(member, ...) \
  validation_error_code (validation, VIR_ERR_XML_ERROR, &interface->member, interface, __VA_ARGS__)

static const char *const source_modes[] = { "vepa", "private", "bridge", "passthrough", NULL };

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
    case INTERFACE_VDPA:
      if (interface->source_dev == NULL)
        REFUSE_XML (source_dev, "interface type='%s' requires a 'source' element with a 'dev'", type);
      break;
    case INTERFACE_INTERNAL:
      if (interface->source_name == NULL)
        REFUSE_XML (source_name, "interface type='%s' requires a 'source' element with a 'name'", type);
      break;
    case INTERFACE_VHOST_USER:
    case INTERFACE_SERVER:
    case INTERFACE_CLIENT:
    case INTERFACE_MCAST:
    case INTERFACE_UDP:
    case INTERFACE_HOSTDEV:
    case INTERFACE_VDS:
      if (interface->source == NULL)
        REFUSE_XML (source, "interface type='%s' requires a 'source' element", type);
      break;
    default:
      break;
  }
  if (interface->source_mode != NULL && !g_strv_contains (source_modes, interface->source_mode))
    REFUSE (source_mode,
            "Unknown mode '%s' of a direct interface; expected 'vepa', 'private', 'bridge' or 'passthrough'",
            interface->source_mode);
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

static void
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
}

static DevicePlace
interface_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;

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
  const char *model = ((const DeviceInterface *)device)->model;

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

static Device *
interface_update (const Device *device, const Device *given_device, GError **error)
{
  static const char *const link_fields[] = { "link/@state", NULL };
  const DeviceInterface *interface = (const DeviceInterface *)device;
  const DeviceInterface *given = (const DeviceInterface *)given_device;
  DeviceInterface *updated;

  if (given->model != NULL && g_strcmp0 (given->model, interface->model) != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify network device model from %s to %s",
                    interface->model != NULL ? interface->model : "(none)", given->model);
    return NULL;
  }
  if (!device_check_difference (device, given_device, link_fields, "network device", error))
    return NULL;
  updated = (DeviceInterface *)device_copy (device);
  updated->link = given->link;
  return &updated->device;
}

const DeviceKind interface_kind = {
  .element = "interface",
  .skips_user_aliases = TRUE,
  .table = { sizeof (DeviceInterface), interface_fields },
  .complete = interface_complete,
  .validate = interface_validate,
  .place = interface_place,
  .pci_connect = interface_pci_connect,
  .alias = interface_alias,
  .describe = interface_describe,
  .pci_order = PCI_ORDER_INTERFACE,
  .read_alone = interface_read_alone,
  .match = interface_match,
  .update = interface_update,
  .attachable = TRUE,
  .updatable = TRUE,
};
