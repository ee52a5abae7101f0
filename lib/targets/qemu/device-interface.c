/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Network interfaces: a back-end on the host and the card the guest sees. Taps, macvtaps, vhost-net and the
 * sockets of helpers are made by the daemon and passed as descriptors, one for each queue; the others QEMU
 * makes itself. A network is a tap by the time it is started.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/interface.h"

#include <string.h>

#define QUEUES_MAX 256 /* what the kernel gives a tap */

/* What the document allows and this hypervisor, or this type, has not: libvirt, too, says so at the start. */
static gboolean
check_supported (Recipe *recipe, const DeviceInterface *interface, GError **error)
{
  const Device *device = &interface->device;
  const char *type = enum_table_name (&interface_types, interface->type);
  guint queues = interface_queues (interface);
  gboolean is_tap = interface_has_tap (interface) || interface->type == INTERFACE_DIRECT;

  if (interface->type == INTERFACE_NULL || interface->type == INTERFACE_VDS)
    return recipe_refuse (recipe, device,
                          "type=", "network device type '%s' is not supported by this hypervisor", type);
  if (interface->vlan != NULL && interface->type != INTERFACE_BRIDGE && interface->type != INTERFACE_NETWORK
      && interface->type != INTERFACE_HOSTDEV)
    return qemu_unsupported (device, error, "interface %s - vlan tag not supported for this connection type",
                             interface->mac);
  if (queues > 1 && !is_tap && interface->type != INTERFACE_VHOST_USER && interface->type != INTERFACE_VDPA)
    return qemu_unsupported (device, error,
                             "interface %s - multiqueue is not supported for network interfaces of type %s",
                             interface->mac, type);
  if (queues > QUEUES_MAX)
    return qemu_unsupported (device, error, "interface %s - %u queues are more than the %d of a tap device",
                             interface->mac, queues, QUEUES_MAX);
  if (interface->type == INTERFACE_VHOST_USER && interface_uses_passt (interface))
    return qemu_unsupported (device, error,
                             "the 'passt' backend of interface type='vhostuser' is not supported yet by the "
                             "QEMU target; that of type='user' is");
  if (interface->type == INTERFACE_VHOST_USER && !interface_is_virtio (interface))
    return qemu_unsupported (device, error, "invalid model for interface of type '%s': '%s'", type,
                             interface->model);
  if (interface->script != NULL && !interface_has_tap (interface) && interface->type != INTERFACE_DIRECT)
    return qemu_unsupported (device, error, "scripts are not supported on interfaces of type %s", type);
  if (interface->filterref != NULL && interface_is_openvswitch (interface))
    return qemu_unsupported (device, error,
                             "interface %s - filterref is not supported for network interfaces with "
                             "virtualport type openvswitch",
                             interface->mac);
  if (interface->driver == INTERFACE_DRIVER_VHOST && is_tap && recipe_def (recipe)->type == VIRT_TYPE_KVM
      && recipe_by_descriptor (recipe) && !recipe_host (recipe)->vhost_net)
    return qemu_unsupported (device, error,
                             "vhost-net was requested for an interface, but is unavailable: this host has no "
                             "/dev/vhost-net that can be opened");
  return TRUE;
}

/* Every queue has its own descriptor; several are told of in one string. (transfer full) */
static char *
pass_queues (Recipe *recipe, const DeviceInterface *interface, const char *what)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < interface_queues (interface); i++) {
    g_autofree char *name = g_strdup_printf ("%s%u", what, i);

    g_string_append_printf (list, "%s%s", i == 0 ? "" : ":",
                            recipe_passed (recipe, &interface->device, g_intern_string (name)));
  }
  return g_string_free (list, FALSE);
}

static JsonObject *
tap_backend (Recipe *recipe, const DeviceInterface *interface)
{
  gboolean many = interface_queues (interface) > 1;
  g_autofree char *taps = pass_queues (recipe, interface, "tap");
  JsonObject *backend = props ("type", "s", "tap", many ? "fds" : "fd", "s", taps, NULL);

  if (interface_uses_vhost (recipe_def (recipe), interface, recipe_host (recipe)->vhost_net)) {
    g_autofree char *vhosts = pass_queues (recipe, interface, "vhost");

    props_add (backend, "vhost", "b", TRUE, many ? "vhostfds" : "vhostfd", "s", vhosts, NULL);
  }
  props_add (backend, "sndbuf", "N", &interface->sndbuf, NULL);
  return backend;
}

/* "address:port" */
static void
add_endpoint (JsonObject *backend, const char *name, const char *address, const Number *port)
{
  g_autofree char *text = g_strdup_printf ("%s:%u", address != NULL ? address : "", (guint)port->value);

  props_add (backend, name, "s", text, NULL);
}

static JsonObject *
socket_backend (const DeviceInterface *interface)
{
  JsonObject *backend = props ("type", "s", "socket", NULL);
  const char *word = interface->type == INTERFACE_SERVER   ? "listen"
                     : interface->type == INTERFACE_CLIENT ? "connect"
                     : interface->type == INTERFACE_MCAST  ? "mcast"
                                                           : "udp";

  add_endpoint (backend, word, interface->source_address, &interface->source_port);
  if (interface->type == INTERFACE_UDP)
    add_endpoint (backend, "localaddr", interface->local_address, &interface->local_port);
  return backend;
}

static JsonObject *
user_backend (const DeviceInterface *interface)
{
  JsonObject *backend = props ("type", "s", "user", NULL);

  for (guint i = 0; interface->ips != NULL && i < interface->ips->len; i++) {
    const InterfaceIp *ip = g_ptr_array_index (interface->ips, i);
    gboolean has_prefix = ip->prefix.set && ip->prefix.value != 0;
    g_autofree char *net =
        has_prefix ? g_strdup_printf ("%s/%u", ip->address, (guint)ip->prefix.value) : g_strdup (ip->address);

    if (strchr (ip->address, ':') == NULL)
      props_add (backend, "net", "s", net, NULL);
    else
      props_add (backend, "ipv6-prefix", "s", ip->address, "ipv6-prefixlen", "?u",
                 has_prefix ? (guint)ip->prefix.value : 0, NULL);
  }
  return backend;
}

static JsonObject *
passt_backend (Recipe *recipe, const DeviceInterface *interface)
{
  const char *descriptor = recipe_passed (recipe, &interface->device, "passt");

  return props ("type", "s", "stream", "addr", "o", props ("type", "s", "fd", "str", "s", descriptor, NULL),
                "server", "b", FALSE, NULL);
}

static JsonObject *
vhost_user_backend (Recipe *recipe, const DeviceInterface *interface)
{
  g_autofree char *chardev = g_strconcat ("char", interface->device.alias, NULL);
  gboolean is_server = g_strcmp0 (interface->source_mode, "server") == 0;
  guint queues = interface_queues (interface);
  JsonObject *address =
      props ("type", "s", "unix", "data", "o", props ("path", "s", interface->source_path, NULL), NULL);
  JsonObject *data = props ("addr", "o", address, "server", "b", is_server, NULL);

  props_add_reconnect (data, recipe_caps (recipe), interface->reconnect, &interface->reconnect_timeout);
  recipe_step (recipe, STEP_CHARDEV,
               props ("id", "s", chardev, "backend", "o",
                      props ("type", "s", "socket", "data", "o", data, NULL), NULL));
  return props ("type", "s", "vhost-user", "chardev", "s", chardev, "queues", "?u", queues > 1 ? queues : 0,
                NULL);
}

static JsonObject *
vdpa_backend (Recipe *recipe, const DeviceInterface *interface)
{
  guint queues = interface_queues (interface);

  return props ("type", "s", "vhost-vdpa", "vhostdev", "s",
                recipe_file (recipe, interface->source_dev, TRUE, &interface->device, "vDPA device"),
                "queues", "?u", queues > 1 ? queues : 0, NULL);
}

static JsonObject *
make_backend (Recipe *recipe, const DeviceInterface *interface)
{
  switch (interface->type) {
    case INTERFACE_BRIDGE:
    case INTERFACE_NETWORK:
    case INTERFACE_ETHERNET:
    case INTERFACE_DIRECT:
      return tap_backend (recipe, interface);
    case INTERFACE_SERVER:
    case INTERFACE_CLIENT:
    case INTERFACE_MCAST:
    case INTERFACE_UDP:
      return socket_backend (interface);
    case INTERFACE_VHOST_USER:
      return vhost_user_backend (recipe, interface);
    case INTERFACE_VDPA:
      return vdpa_backend (recipe, interface);
    default:
      return interface_uses_passt (interface) ? passt_backend (recipe, interface) : user_backend (interface);
  }
}

static const char *
card_driver (const DeviceInterface *interface)
{
  static const struct {
    const char *model, *driver;
  } virtio[] = {
    { "virtio", "virtio-net-pci" },
    { "virtio-transitional", "virtio-net-pci-transitional" },
    { "virtio-non-transitional", "virtio-net-pci-non-transitional" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (virtio); i++)
    if (g_strcmp0 (interface->model, virtio[i].model) == 0)
      return virtio[i].driver;
  return interface->model != NULL ? interface->model : "rtl8139";
}

static void
add_offloads (JsonObject *properties, const DeviceInterface *interface)
{
  const InterfaceOffloads *host = &interface->host_offloads, *guest = &interface->guest_offloads;

  props_add (properties, "csum", "T", host->csum, "gso", "T", host->gso, "host_tso4", "T", host->tso4,
             "host_tso6", "T", host->tso6, "host_ecn", "T", host->ecn, "host_ufo", "T", host->ufo,
             "mrg_rxbuf", "T", host->mrg_rxbuf, "guest_csum", "T", guest->csum, "guest_tso4", "T",
             guest->tso4, "guest_tso6", "T", guest->tso6, "guest_ecn", "T", guest->ecn, "guest_ufo", "T",
             guest->ufo, NULL);
}

/* A queue has two vectors; the configuration and the control queue have one each. */
static void
add_virtio (JsonObject *properties, const DeviceInterface *interface)
{
  guint queues = interface_queues (interface);

  props_add_virtio (properties, &interface->virtio);
  props_add (properties, "tx", "?s",
             interface->txmode == 0   ? NULL
             : interface->txmode == 1 ? "bh"
                                      : "timer",
             "ioeventfd", "T", interface->ioeventfd, "event_idx", "T", interface->event_idx, "rx_queue_size",
             "N", &interface->rx_queue_size, "tx_queue_size", "N", &interface->tx_queue_size, "host_mtu", "N",
             &interface->mtu, "rss", "T", interface->rss, "hash", "T", interface->rss_hash_report, NULL);
  add_offloads (properties, interface);
  if (queues > 1)
    props_add (properties, "mq", "b", TRUE, "vectors", "u", 2 * queues + 2, NULL);
  props_add (properties, "failover", "?b", interface->teaming == TEAMING_PERSISTENT, NULL);
}

gboolean
recipe_add_interface (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;
  const char *driver = card_driver (interface);
  g_autofree char *netdev = g_strconcat ("host", device->alias, NULL);
  JsonObject *properties, *backend;

  if (!check_supported (recipe, interface, error))
    return FALSE;
  if (interface->type == INTERFACE_HOSTDEV) /* at a start it has a row of its own */
    return !recipe_host (recipe)->plugging || recipe_add_host_interface (recipe, device, error);
  if (!qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  if ((interface->inbound != NULL || interface->outbound != NULL) && !interface_has_tap (interface)
      && interface->type != INTERFACE_DIRECT)
    recipe_warn (recipe,
                 "setting bandwidth on interfaces of type '%s' is not implemented yet: %s is not limited",
                 enum_table_name (&interface_types, interface->type), device->alias);
  backend = make_backend (recipe, interface);
  props_add (backend, "id", "s", netdev, NULL);
  recipe_step (recipe, STEP_NETDEV, backend);
  properties = props ("driver", "s", driver, NULL);
  if (interface_is_virtio (interface))
    add_virtio (properties, interface);
  props_add (properties, "netdev", "s", netdev, "mac", "?s", interface->mac, NULL);
  if (interface->rom_bar != TRISTATE_ABSENT)
    props_add (properties, "rombar", "i", interface->rom_bar == TRISTATE_YES, NULL);
  if (interface->rom_enabled == TRISTATE_NO)
    props_add (properties, "romfile", "s", "", NULL);
  else
    props_add (properties, "romfile", "?s",
               interface->rom_file != NULL
                   ? recipe_file_by_name (recipe, interface->rom_file, "network boot ROM")
                   : NULL,
               NULL);
  return recipe_device (recipe, device, properties, error);
}
