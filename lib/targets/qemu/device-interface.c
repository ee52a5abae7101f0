/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Network interfaces: a back-end on the host and the card the guest sees. So far the back-end is QEMU's own
 * user network, which needs nothing of the host.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/interface.h"

#include <string.h>

static gboolean
check_supported (const DeviceInterface *interface, GError **error)
{
  const struct {
    gboolean said;
    const char *what;
  } unsupported[] = {
    { interface->vlan != NULL, "<vlan>" },
    { interface->virtualport != NULL, "<virtualport>" },
    { interface->port_isolated == TRISTATE_YES, "<port isolated=>" },
    { interface->ips != NULL && interface->ips->len > 0, "<ip>" },
    { interface->routes != NULL && interface->routes->len > 0, "<route>" },
    { interface->port_forwards != NULL && interface->port_forwards->len > 0, "<portForward>" },
    { interface->script != NULL || interface->downscript != NULL, "<script>" },
    { interface->guest != NULL, "<guest>" },
    { interface->backend_type != NULL && strcmp (interface->backend_type, "default") != 0,
      "<backend type=>" },
    { interface->backend_tap != NULL || interface->backend_vhost != NULL, "<backend>" },
    { interface->teaming != NULL, "<teaming>" },
    { interface->filterref != NULL, "<filterref>" },
    { interface->sndbuf.set, "<tune><sndbuf>" },
    { interface->coalesce != NULL, "<coalesce>" },
    { interface->driver_host != NULL || interface->driver_guest != NULL,
      "<driver><host> and <driver><guest>" },
    { interface->source_dev != NULL, "<source dev=>" },
  };

  if (interface->type != INTERFACE_USER)
    return qemu_unsupported (&interface->device, error,
                             "interfaces of type '%s' are not supported yet by the QEMU target; 'user' is",
                             enum_table_name (&interface_types, interface->type));
  for (guint i = 0; i < G_N_ELEMENTS (unsupported); i++)
    if (unsupported[i].said)
      return qemu_unsupported (&interface->device, error, "%s is not supported yet by the QEMU target",
                               unsupported[i].what);
  return TRUE;
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
add_virtio (JsonObject *properties, const DeviceInterface *interface)
{
  props_add_virtio (properties, &interface->virtio);
  props_add (properties, "tx", "?s",
             interface->txmode == 0   ? NULL
             : interface->txmode == 1 ? "bh"
                                      : "timer",
             "ioeventfd", "T", interface->ioeventfd, "event_idx", "T", interface->event_idx, "rx_queue_size",
             "N", &interface->rx_queue_size, "tx_queue_size", "N", &interface->tx_queue_size, "host_mtu", "N",
             &interface->mtu, "rss", "T", interface->rss, "hash", "T", interface->rss_hash_report, NULL);
}

gboolean
recipe_add_interface (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;
  const char *driver = card_driver (interface);
  g_autofree char *netdev = g_strconcat ("host", device->alias, NULL);
  JsonObject *properties;

  if (!check_supported (interface, error) || !qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  if (interface->inbound != NULL || interface->outbound != NULL)
    recipe_warn (recipe,
                 "setting bandwidth on interfaces of type '%s' is not implemented yet: %s is not limited",
                 enum_table_name (&interface_types, interface->type), device->alias);
  recipe_step (recipe, STEP_NETDEV, props ("type", "s", "user", "id", "s", netdev, NULL));
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
