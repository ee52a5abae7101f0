/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What libvirt does on the host for a card of a machine: a tap on a bridge, an ethernet one with its script,
 * a macvtap. A tap is gone with QEMU, which has the last descriptor of it, so that nothing has to be
 * remembered of it; a macvtap and a port of Open vSwitch are taken away by name, which is in the live
 * definition. A macvtap is of a link group that is this daemon's from its first instant: one that no running
 * machine has is found at the next start.
 */
#include "daemon/drivers/qemu/interfaces.h"

#include "daemon/drivers/qemu/interface-check.h"
#include "daemon/drivers/qemu/interface-filter.h"
#include "daemon/drivers/qemu/passt.h"
#include "daemon/host/link.h"
#include "daemon/host/openvswitch.h"
#include "daemon/host/program.h"
#include "daemon/host/tap.h"
#include "daemon/host/traffic.h"

#include <string.h>
#include <unistd.h>

#define QUEUES_MAX     256
#define TAP_MAC_PREFIX 0xfe /* so high that a bridge does not take its own address from it */
#define GROUP_BIT      0x80000000U
#define IPV4_BITS      32
#define IPV6_BITS      128
#define SCRIPT_SECONDS 30 /* that a card's script may take */

/* The descriptors of one interface while it is made. */
typedef struct {
  int fds[QUEUES_MAX];
  guint count;
} Queues;

static guint
group_of (const Settings *settings)
{
  return g_str_hash (settings->run_directory) | GROUP_BIT;
}

static void
queues_close (Queues *queues)
{
  for (guint i = 0; i < queues->count; i++)
    close (queues->fds[i]);
  queues->count = 0;
}

/* They have the names that the recipe asks for: "net0-tap0". Takes them. */
static void
queues_offer (Queues *queues, const DeviceInterface *interface, const char *what, Files *files)
{
  for (guint i = 0; i < queues->count; i++) {
    g_autofree char *name = g_strdup_printf ("%s-%s%u", interface->device.alias, what, i);

    files_offer (files, name, queues->fds[i]);
  }
  queues->count = 0;
}

/* The host's end has the card's address, but for its first byte. */
static gboolean
set_tap_mac (const char *name, const DeviceInterface *interface, GError **error)
{
  guint8 mac[MAC_BYTES];

  if (!mac_parse (interface->mac, mac))
    return TRUE;
  if (mac[0] == TAP_MAC_PREFIX) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Unable to use MAC address starting with reserved value 0xFE - '%s' - ", interface->mac);
    return FALSE;
  }
  mac[0] = TAP_MAC_PREFIX;
  return link_set_mac (name, mac, error);
}

/* Bridges. */

static gboolean
set_vlans (const char *name, const InterfaceVlan *vlan, GError **error)
{
  g_autofree guint16 *tags = NULL;
  guint16 untagged = 0;
  gboolean is_trunk;

  if (vlan == NULL || vlan->tags == NULL)
    return TRUE;
  is_trunk = vlan->trunk == TRISTATE_YES || vlan->tags->len > 1;
  tags = g_new0 (guint16, vlan->tags->len);
  for (guint i = 0; i < vlan->tags->len; i++) {
    const InterfaceVlanTag *tag = g_ptr_array_index (vlan->tags, i);

    tags[i] = (guint16)tag->id.value;
    if (!is_trunk || tag->native_mode == 2)
      untagged = tags[i];
  }
  return link_set_vlans (name, tags, vlan->tags->len, untagged, error);
}

/* Nothing is learned from the port's packets, and what is for an address that the bridge does not know is not
 * sent there: the card's own address is all it gets. */
static gboolean
set_mac_table (const char *name, const DeviceInterface *interface, GError **error)
{
  guint8 mac[MAC_BYTES];

  if (interface->mac_table_manager != MAC_TABLE_LIBVIRT)
    return TRUE;
  return link_set_learning (name, interface->bridge, FALSE, error)
         && (!mac_parse (interface->mac, mac) || link_add_forwarding (name, mac, error));
}

gboolean
interface_join_bridge (const char *name, const DeviceInterface *interface, const char *uuid, GError **error)
{
  const char *bridge = interface->bridge;

  if (interface_is_openvswitch (interface))
    return openvswitch_add_port (bridge, name, interface, uuid, error);
  return link_set_bridge (name, bridge, error)
         && (interface->port_isolated == TRISTATE_ABSENT
             || link_set_isolated (name, bridge, interface->port_isolated == TRISTATE_YES, error))
         && set_vlans (name, interface->vlan, error) && set_mac_table (name, interface, error);
}

/* The name in the document, or a new one: those are the daemon's to choose. */
static char *
wanted_name (const DeviceInterface *interface)
{
  return g_strdup (interface->target_dev);
}

static void
take_name (DeviceInterface *interface, char **name)
{
  g_free (interface->target_dev);
  interface->target_dev = g_steal_pointer (name);
}

static gboolean
has_limits (const DeviceInterface *interface)
{
  return interface->inbound != NULL || interface->outbound != NULL;
}

static gboolean
set_limits (const char *name, const DeviceInterface *interface, GError **error)
{
  return !has_limits (interface) || traffic_set (name, interface->inbound, interface->outbound, error);
}

/* A daemon without rights: QEMU's helper has them, for the bridges that its own file names. */
static gboolean
open_by_helper (DeviceInterface *interface, Queues *queues, GError **error)
{
  g_autofree char *name = NULL;

  if (!tap_open_by_helper (&name, interface->bridge, interface_is_virtio (interface), queues->fds, error))
    return FALSE;
  queues->count = 1;
  take_name (interface, &name);
  return TRUE;
}

static gboolean
open_bridge (const InterfacePlace *place, DeviceInterface *interface, Queues *queues, GError **error)
{
  g_autofree char *name = wanted_name (interface);
  LinkInfo bridge;
  guint count = interface_queues (interface);

  if (geteuid () != 0)
    return open_by_helper (interface, queues, error);
  if ((!interface->mtu.set && !link_query (interface->bridge, "get interface MTU on", &bridge, error))
      || !tap_open (&name, interface->backend_tap, count, interface_is_virtio (interface), queues->fds,
                    error))
    return FALSE;
  queues->count = count;
  if (!set_tap_mac (name, interface, error)
      || !link_set_mtu (name, interface->mtu.set ? (guint)interface->mtu.value : bridge.mtu, error)
      || !interface_filter_bind (place->settings, place->def, interface, name, error)
      || !interface_join_bridge (name, interface, place->def->uuid, error) || !link_set_up (name, TRUE, error)
      || !set_limits (name, interface, error)) {
    interface_filter_unbind (place->settings, place->def, interface, name);
    if (interface_is_openvswitch (interface))
      openvswitch_remove_port (name, NULL);
    return FALSE;
  }
  take_name (interface, &name);
  return TRUE;
}

/* A tap of its own, set up by a script or by hand. */

static gboolean
run_script (const char *script, const char *name, GError **error)
{
  const char *const arguments[] = { script, name, NULL };
  g_autoptr (GError) problem = NULL;

  if (program_succeeds (&(ProgramRun){ .arguments = arguments, .seconds = SCRIPT_SECONDS }, &problem))
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "the script (%s %s) has failed: %s", script, name,
                  virt_error_detail (problem));
  return FALSE;
}

static gboolean
add_addresses (const char *name, const DeviceInterface *interface, GError **error)
{
  for (guint i = 0; interface->host_ips != NULL && i < interface->host_ips->len; i++) {
    const InterfaceIp *ip = g_ptr_array_index (interface->host_ips, i);
    guint whole = strchr (ip->address, ':') != NULL ? IPV6_BITS : IPV4_BITS;

    if (!link_add_address (name, ip->address, ip->prefix.set ? (guint)ip->prefix.value : whole, ip->peer,
                           error))
      return FALSE;
  }
  for (guint i = 0; interface->host_routes != NULL && i < interface->host_routes->len; i++) {
    const InterfaceRoute *route = g_ptr_array_index (interface->host_routes, i);
    guint whole = strchr (route->address, ':') != NULL ? IPV6_BITS : IPV4_BITS;

    if (!link_add_route (name, route->address, route->prefix.set ? (guint)route->prefix.value : whole,
                         route->gateway, (guint)route->metric.value, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
open_ethernet (const InterfacePlace *place, DeviceInterface *interface, Queues *queues, GError **error)
{
  g_autofree char *name = wanted_name (interface);
  gboolean is_managed = interface->target_managed != TRISTATE_NO;
  guint count = interface_queues (interface);

  if (!tap_open (&name, interface->backend_tap, count, interface_is_virtio (interface), queues->fds, error))
    return FALSE;
  queues->count = count;
  if ((is_managed && !set_tap_mac (name, interface, error))
      || (interface->mtu.set && !link_set_mtu (name, (guint)interface->mtu.value, error))
      || !interface_filter_bind (place->settings, place->def, interface, name, error)
      || (interface->script != NULL && !run_script (interface->script, name, error))
      || !link_set_up (name, TRUE, error) || !add_addresses (name, interface, error)
      || !set_limits (name, interface, error)) {
    interface_filter_unbind (place->settings, place->def, interface, name);
    return FALSE;
  }
  take_name (interface, &name);
  return TRUE;
}

/* Above a card of the host's. */
static gboolean
open_direct (const InterfacePlace *place, DeviceInterface *interface, Queues *queues, GError **error)
{
  g_autofree char *name = wanted_name (interface);
  guint count = interface_queues (interface);
  guint8 mac[MAC_BYTES];

  if (!mac_parse (interface->mac, mac)
      || !macvtap_open (&name, interface->source_dev, interface->source_mode, mac, group_of (place->settings),
                        count, TRUE, queues->fds, error))
    return FALSE;
  queues->count = count;
  if (!set_limits (name, interface, error)) {
    macvtap_remove (name);
    return FALSE;
  }
  take_name (interface, &name);
  return TRUE;
}

/* All. */

static gboolean
open_vhost (const InterfacePlace *place, const DeviceInterface *interface, Files *files, GError **error)
{
  Queues queues = { 0 };
  guint count = interface_queues (interface);

  if (!interface_uses_vhost (place->def, interface, vhost_net_is_there (interface->backend_vhost)))
    return TRUE;
  if (!vhost_net_open (interface->backend_vhost, count, queues.fds, error))
    return FALSE;
  queues.count = count;
  queues_offer (&queues, interface, "vhost", files);
  return TRUE;
}

static gboolean
open_passt (const InterfacePlace *place, const DeviceInterface *interface, Files *files, GError **error)
{
  g_autofree char *name = g_strconcat (interface->device.alias, "-passt", NULL);
  Helper *helper;
  int fd;

  helper = passt_start (interface, place->account, place->run_directory, place->job, &fd, error);
  if (helper == NULL)
    return FALSE;
  g_ptr_array_add (place->helpers, helper);
  files_offer (files, name, fd);
  return TRUE;
}

gboolean
interface_open (const InterfacePlace *place, DeviceInterface *interface, Files *files, GError **error)
{
  Queues queues = { 0 };
  gboolean good = FALSE;

  if (!interface_check_document (interface, error))
    return FALSE;
  if (interface_uses_passt (interface))
    return open_passt (place, interface, files, error);
  if (!interface_has_tap (interface) && interface->type != INTERFACE_DIRECT)
    return TRUE;
  if (interface_has_bridge (interface))
    good = open_bridge (place, interface, &queues, error);
  else if (interface->type == INTERFACE_ETHERNET)
    good = open_ethernet (place, interface, &queues, error);
  else
    good = open_direct (place, interface, &queues, error);
  if (good && !open_vhost (place, interface, files, error)) {
    interface_close (place->settings, place->def, interface);
    good = FALSE;
  }
  if (good)
    queues_offer (&queues, interface, "tap", files);
  else
    queues_close (&queues);
  return good;
}

gboolean
interfaces_open (const InterfacePlace *place, DomainDef *def, Files *files, GError **error)
{
  g_autoptr (GPtrArray) opened = g_ptr_array_new ();
  gboolean good = TRUE;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    if (good && (good = job_check (place->job, error) && interface_open (place, interface, files, error)))
      g_ptr_array_add (opened, interface);
  }
  for (guint i = 0; !good && i < opened->len; i++)
    interface_close (place->settings, def, g_ptr_array_index (opened, i));
  return good;
}

gboolean
interfaces_keep_taps (const InterfacePlace *place, DomainDef *def, const Files *files, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    g_autofree char *name = g_strconcat (interface->device.alias, "-tap0", NULL);
    int fd = GPOINTER_TO_INT (g_hash_table_lookup (files->offered, name)) - 1;

    /* One that was there before belongs to who made it. */
    if (!interface_has_tap (interface) || fd < 0 || interface->target_managed == TRISTATE_NO)
      continue;
    if (!tap_keep (fd, interface->target_dev, place->account->uid, error)
        || !link_set_group (interface->target_dev, group_of (place->settings), error))
      return FALSE;
  }
  return TRUE;
}

/* Does it outlive descriptors? */
static gboolean
is_kept_tap (const Settings *settings, const DeviceInterface *interface)
{
  LinkInfo link;

  return interface_has_tap (interface) && interface->target_dev != NULL
         && link_query (interface->target_dev, "look at", &link, NULL) && link.group == group_of (settings);
}

static void
close_host_end (const Settings *settings, const DomainDef *def, const DeviceInterface *interface)
{
  g_autoptr (GError) error = NULL;

  if (interface->target_dev == NULL)
    return;
  if (interface->type == INTERFACE_DIRECT)
    macvtap_remove (interface->target_dev);
  else if (interface_has_bridge (interface) && interface_is_openvswitch (interface))
    openvswitch_remove_port (interface->target_dev, &error);
  else if (interface->type == INTERFACE_ETHERNET && interface->downscript != NULL)
    run_script (interface->downscript, interface->target_dev, &error);
  if (error == NULL && is_kept_tap (settings, interface))
    link_delete (interface->target_dev, &error);
  if (error != NULL)
    g_warning ("domain '%s': %s", def->name, error->message);
}

void
interface_close (const Settings *settings, const DomainDef *def, const DeviceInterface *interface)
{
  interface_filter_unbind (settings, def, interface, interface->target_dev);
  close_host_end (settings, def, interface);
}

/* Of a machine that has ended. Its taps are gone, and their names may be others' by the time this is done: so
 * the filters' bindings are those that were found at once. */
typedef struct {
  const Settings *settings;
  DomainDef *def;
  GPtrArray *bindings;
} Closing;

static gpointer
close_all (gpointer data)
{
  Closing *closing = data;

  DOMAIN_FOREACH_DEVICE (closing->def, interface_kind, DeviceInterface, interface)
    close_host_end (closing->settings, closing->def, interface);
  interface_filters_unbind (closing->settings, closing->bindings);
  g_ptr_array_unref (closing->bindings);
  domain_def_unref (closing->def);
  g_free (closing);
  return NULL;
}

/* Is there anything that outlives QEMU? */
static gboolean
has_remains (const Settings *settings, const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    if (interface->type == INTERFACE_DIRECT || interface->downscript != NULL || interface->filterref != NULL
        || interface_is_openvswitch (interface) || is_kept_tap (settings, interface))
      return TRUE;
  }
  return FALSE;
}

void
interfaces_close_later (const Settings *settings, DomainDef *def)
{
  Closing *closing;
  GThread *thread;

  if (def == NULL || !has_remains (settings, def))
    return;
  closing = g_new0 (Closing, 1);
  closing->settings = settings;
  closing->def = domain_def_ref (def);
  closing->bindings = interface_filters_find (def);
  thread = g_thread_try_new ("interfaces", close_all, closing, NULL);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    close_all (closing);
}

/* Changes while it runs. */

static gboolean
change_bridge (const DeviceInterface *interface, const DeviceInterface *updated, const char *uuid,
               GError **error)
{
  const char *name = interface->target_dev;

  if (g_strcmp0 (interface->bridge, updated->bridge) == 0)
    return interface->port_isolated == updated->port_isolated || interface_is_openvswitch (interface)
           || link_set_isolated (name, updated->bridge, updated->port_isolated == TRISTATE_YES, error);
  if (!interface_is_openvswitch (updated) && !link_exists (updated->bridge)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot add domain a device %s to nonexistent bridge %s",
                    name, updated->bridge);
    return FALSE;
  }
  if (interface_is_openvswitch (interface))
    openvswitch_remove_port (name, NULL);
  if (interface_join_bridge (name, updated, uuid, error))
    return TRUE;
  interface_join_bridge (name, interface, uuid, NULL);
  return FALSE;
}

static gboolean
change_link (const DomainDef *def, const DeviceInterface *interface, const DeviceInterface *updated,
             GError **error)
{
  const char *name = interface->target_dev;

  if (name == NULL)
    return TRUE;
  if (interface_has_bridge (interface) && !change_bridge (interface, updated, def->uuid, error))
    return FALSE;
  if ((interface_rate_equal (interface->inbound, updated->inbound)
       && interface_rate_equal (interface->outbound, updated->outbound))
      || traffic_set (name, updated->inbound, updated->outbound, error))
    return TRUE;
  traffic_set (name, interface->inbound, interface->outbound, NULL);
  if (interface_has_bridge (interface))
    change_bridge (updated, interface, def->uuid, NULL);
  return FALSE;
}

gboolean
interface_change (const Settings *settings, const DomainDef *def, const DeviceInterface *interface,
                  const DeviceInterface *updated, GError **error)
{
  if (interface->target_dev == NULL)
    return TRUE;
  if ((updated->filterref != NULL && !interface_check_filter (updated, error))
      || !interface_filter_change (settings, def, interface, updated, error))
    return FALSE;
  if (change_link (def, interface, updated, error))
    return TRUE;
  interface_filter_change (settings, def, updated, interface, NULL);
  return FALSE;
}

void
interfaces_remove_strays (const Settings *settings, GHashTable *used)
{
  g_autoptr (GPtrArray) names = link_list_group (group_of (settings));

  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);

    if (g_hash_table_contains (used, name))
      continue;
    g_message ("interface '%s' was left behind by a machine that is gone: it is removed", name);
    macvtap_remove (name);
  }
}
