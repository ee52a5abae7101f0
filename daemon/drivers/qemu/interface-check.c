/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A card's end on the host, looked at and not made: first what its document alone tells, which every start
 * looks at too, then what the kernel would say of it.
 */
#include "daemon/drivers/qemu/interface-check.h"

#include "daemon/drivers/qemu/passt.h"
#include "daemon/host/link.h"
#include "daemon/host/tap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The document. */

static gboolean
check_name (const char *name, GError **error)
{
  if (name == NULL || strlen (name) <= LINK_NAME_MAX)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                  "Network interface name '%s' is too long: it has at most %d bytes", name, LINK_NAME_MAX);
  return FALSE;
}

static gboolean
check_unmanaged (const DeviceInterface *interface, GError **error)
{
  if (interface->target_dev == NULL)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "target dev must be supplied when managed='no'");
  else if (!link_exists (interface->target_dev))
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "target managed='no' but specified dev doesn't exist: there is no '%s'",
                    interface->target_dev);
  else
    return TRUE;
  return FALSE;
}

static gboolean
has_limits (const DeviceInterface *interface)
{
  return interface->inbound != NULL || interface->outbound != NULL;
}

/* What QEMU's helper, which makes a tap for a daemon without rights, can do. */
static gboolean
check_helper (const DeviceInterface *interface, GError **error)
{
  if (interface_queues (interface) <= 1 && !interface_is_openvswitch (interface) && !has_limits (interface)
      && !interface->mtu.set && interface->target_dev == NULL && interface->port_isolated == TRISTATE_ABSENT)
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "interface %s: without the rights of root, a tap comes from QEMU's bridge helper: it has "
                  "one queue, no name or MTU of its own, no bandwidth, isolation or virtual port",
                  interface->mac);
  return FALSE;
}

static gboolean
check_direct (const DeviceInterface *interface, GError **error)
{
  if (interface->virtualport == NULL || interface->virtualport->type == VIRTUAL_PORT_NONE)
    return check_name (interface->target_dev, error);
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "interface %s: a virtual port of a direct interface is told to the switch by lldpad, "
                  "which is not supported",
                  interface->mac);
  return FALSE;
}

/* Only what passes a tap can be filtered, and only by who may change the host's filters. */
gboolean
interface_check_filter (const DeviceInterface *interface, GError **error)
{
  if (interface->filterref == NULL)
    return TRUE;
  if (interface->type == INTERFACE_DIRECT)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "filterref is not supported for network interfaces of type direct");
  else if (geteuid () != 0)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "interface %s: its traffic is to be filtered (<filterref>), which takes the rights of "
                    "root: it is not started unfiltered",
                    interface->mac);
  else
    return TRUE;
  return FALSE;
}

gboolean
interface_check_document (const DeviceInterface *interface, GError **error)
{
  if (interface->type == INTERFACE_NETWORK && interface->bridge == NULL) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no network with matching name '%s'",
                         interface->network);
    return FALSE;
  }
  if (interface_uses_passt (interface)
      || (!interface_has_tap (interface) && interface->type != INTERFACE_DIRECT))
    return TRUE;
  if (!interface_check_filter (interface, error))
    return FALSE;
  if (interface_has_bridge (interface))
    return geteuid () != 0 ? check_helper (interface, error) : check_name (interface->target_dev, error);
  if (interface->type == INTERFACE_ETHERNET)
    return (interface->target_managed != TRISTATE_NO || check_unmanaged (interface, error))
           && check_name (interface->target_dev, error);
  return check_direct (interface, error);
}

/* The host. */

static gboolean
check_device (const char *path, GError **error)
{
  if (access (path, R_OK | W_OK) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to open %s: %s", path, g_strerror (errno));
  return FALSE;
}

/* A tap that nobody has open may be taken; nothing else may have its name. */
static gboolean
check_name_is_free (const char *name, GError **error)
{
  g_autofree char *flags = NULL, *carrier_path = NULL, *carrier = NULL;

  if (name == NULL || !link_exists (name))
    return TRUE;
  flags = g_build_filename ("/sys/class/net", name, "tun_flags", NULL);
  carrier_path = g_build_filename ("/sys/class/net", name, "carrier", NULL);
  if (!g_file_test (flags, G_FILE_TEST_EXISTS)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                    "Unable to create tap device %s: a network device that is no tap has this name", name);
    return FALSE;
  }
  if (!g_file_get_contents (carrier_path, &carrier, NULL, NULL) || *carrier != '1')
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to create tap device %s: another process has it open",
                  name);
  return FALSE;
}

gboolean
interface_check_host (const DeviceInterface *interface, GError **error)
{
  LinkInfo info;

  if (interface_uses_passt (interface))
    return passt_check (error);
  if (interface->type == INTERFACE_DIRECT)
    return link_query (interface->source_dev, "find link", &info, error)
           && check_name_is_free (interface->target_dev, error);
  if (!interface_has_tap (interface))
    return TRUE;
  if (interface_has_bridge (interface) && !interface_is_openvswitch (interface)
      && !link_query (interface->bridge, "get interface MTU on", &info, error))
    return FALSE;
  if (geteuid () != 0 && interface_has_bridge (interface))
    return tap_check_helper (interface->bridge, error);
  return check_device (interface->backend_tap != NULL ? interface->backend_tap : TAP_DEVICE, error)
         && check_name_is_free (interface->target_dev, error);
}
