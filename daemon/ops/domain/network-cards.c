/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a card on a network becomes, and when its port goes. That a machine ends, or lets go of a card, is
 * told by events; then ports of that machine which no card of it has are deleted, whichever way it was lost.
 * The same is done when the daemon starts, so that a daemon or a machine that was killed leaves no port
 * behind. While a job makes ports for a machine (network-card-ports.c) they are in no definition yet, and
 * nothing of that machine is deleted.
 */
#include "daemon/ops/domain/network-cards.h"

#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/host/link.h"
#include "daemon/network/network-files.h"
#include "daemon/network/network-plug.h"
#include "daemon/network/networks.h"
#include "daemon/ops/domain/network-card-ports.h"

#include <string.h>

#define DEFAULT_NETWORK "default"

/* The port that a card asks for, and the card that a port makes. */

static gpointer
copy_part (const FieldTable *table, gconstpointer part)
{
  return part != NULL ? field_copy (table, part) : NULL;
}

/* @uuid: of the port. (transfer full) */
static NetworkPortDef *
wanted_port (const DomainDef *def, const DeviceInterface *interface, const char *uuid)
{
  NetworkPortDef *port = document_new (&network_port_document);

  port->uuid = g_strdup (uuid);
  port->owner_name = g_strdup (def->name);
  port->owner_uuid = g_strdup (def->uuid);
  port->group = g_strdup (interface->portgroup);
  port->mac = g_strdup (interface->mac);
  port->virtualport = copy_part (&interface_virtual_port_table, interface->virtualport);
  port->inbound = copy_part (&interface_rate_table, interface->inbound);
  port->outbound = copy_part (&interface_rate_table, interface->outbound);
  port->vlan = copy_part (&interface_vlan_table, interface->vlan);
  port->isolated = interface->port_isolated;
  port->trust_guest_rx_filters = interface->trust_guest_rx_filters;
  return port;
}

static void
replace_part (gpointer member, const FieldTable *table, gconstpointer part)
{
  gpointer *place = member;

  if (*place != NULL)
    field_free (table, *place);
  *place = copy_part (table, part);
}

static void
replace_text (char **member, const char *text)
{
  g_free (*member);
  *member = g_strdup (text);
}

/* What a switch is told is the port's to say: the network and its portgroup have had their say in it. */
static void
take_settings (DeviceInterface *interface, const NetworkPortDef *port)
{
  replace_part (&interface->virtualport, &interface_virtual_port_table, port->virtualport);
  replace_part (&interface->vlan, &interface_vlan_table, port->vlan);
  replace_part (&interface->inbound, &interface_rate_table, port->inbound);
  replace_part (&interface->outbound, &interface_rate_table, port->outbound);
  interface->port_isolated = port->isolated;
  interface->trust_guest_rx_filters = port->trust_guest_rx_filters;
}

static gboolean
take_plug (DeviceInterface *interface, const NetworkPlug *plug, GError **error)
{
  switch (plug->type) {
    case NETWORK_PLUG_NETWORK:
    case NETWORK_PLUG_BRIDGE:
      interface->type = plug->type == NETWORK_PLUG_NETWORK ? INTERFACE_NETWORK : INTERFACE_BRIDGE;
      replace_text (&interface->bridge, plug->bridge);
      interface->mac_table_manager = plug->mac_table_manager;
      return TRUE;
    case NETWORK_PLUG_DIRECT:
      interface->type = INTERFACE_DIRECT;
      replace_text (&interface->source_dev, plug->dev);
      replace_text (&interface->source_mode, enum_table_name (&network_direct_modes, plug->mode));
      return TRUE;
    case NETWORK_PLUG_HOSTDEV_PCI:
      interface->type = INTERFACE_HOSTDEV;
      interface->managed = plug->managed;
      interface->host_type = HOST_ADDRESS_PCI;
      interface->host_pci.domain = plug->domain;
      interface->host_pci.bus = plug->bus;
      interface->host_pci.slot = plug->slot;
      interface->host_pci.function = plug->function;
      return TRUE;
    default:
      virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_INTERNAL_ERROR,
                           "the port of network '%s' is plugged into nothing", interface->network);
      return FALSE;
  }
}

/* Without the rights of root there is no network of ours: a card on one whose bridge is the host's gets a tap
 * from QEMU's helper, and the others reach the world as the user does. */

typedef struct {
  Manager *manager;
  const char *name;
  NetworkDef *def; /* NULL: none is defined */
} Looking;

static void
look_for_network (gpointer data)
{
  Looking *looking = data;
  Network *network = network_find_name (looking->manager, looking->name, NULL);

  looking->def = network != NULL ? network_def_ref (network->def) : NULL;
}

static gboolean
resolve_for_user (Job *job, Manager *manager, DeviceInterface *interface, GError **error)
{
  Looking looking = { .manager = manager, .name = interface->network };
  g_autoptr (NetworkDef) def = NULL;
  g_autofree char *passt = NULL;

  job_in_main_loop (job, look_for_network, &looking);
  def = looking.def;
  if (def == NULL && !g_str_equal (interface->network, DEFAULT_NETWORK)) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no network with matching name '%s'",
                         interface->network);
    return FALSE;
  }
  if (def != NULL && def->forward.mode == NETWORK_FORWARD_BRIDGE && def->bridge != NULL) {
    interface->type = INTERFACE_BRIDGE;
    replace_text (&interface->bridge, def->bridge);
    return TRUE;
  }
  if (def != NULL && def->forward.mode != NETWORK_FORWARD_NAT && def->forward.mode != NETWORK_FORWARD_ROUTE
      && def->forward.mode != NETWORK_FORWARD_OPEN) {
    virt_error_set_from (
        error, VIR_FROM_NETWORK, VIR_ERR_CONFIG_UNSUPPORTED,
        "interface %s: without the rights of root a network with <forward mode='%s'> cannot be used",
        interface->mac, network_forward_name (def->forward.mode));
    return FALSE;
  }
  interface->type = INTERFACE_USER;
  passt = interface->backend_type == BACKEND_NONE ? g_find_program_in_path ("passt") : NULL;
  if (passt != NULL)
    interface->backend_type = BACKEND_PASST;
  return TRUE;
}

/* A card that stays on its network. */
static void
keep_port (DeviceInterface *interface, const DeviceInterface *before)
{
  interface->type = before->type;
  replace_text (&interface->portid, before->portid);
  replace_text (&interface->bridge, before->bridge);
  replace_text (&interface->source_dev, before->source_dev);
  replace_text (&interface->source_mode, before->source_mode);
  interface->mac_table_manager = before->mac_table_manager;
  interface->managed = before->managed;
  interface->host_type = before->host_type;
  interface->host_pci = before->host_pci;
  replace_part (&interface->vlan, &interface_vlan_table, before->vlan);
  replace_part (&interface->virtualport, &interface_virtual_port_table, before->virtualport);
}

static char *
new_uuid (void)
{
  guint8 bytes[UUID_BYTES];
  char text[UUID_TEXT];

  uuid_generate (bytes);
  uuid_format (bytes, text);
  return g_strdup (text);
}

gboolean
network_card_change_rates (Job *job, Manager *manager, const DeviceInterface *interface,
                           const InterfaceRate *inbound, const InterfaceRate *outbound, GError **error)
{
  g_autoptr (NetworkPortDef) before = NULL;

  if (interface->portid == NULL
      || (interface_rate_equal (inbound, interface->inbound)
          && interface_rate_equal (outbound, interface->outbound)))
    return TRUE;
  before = network_card_port_change_rates (job, manager, interface->network, interface->portid, inbound,
                                           outbound, error);
  return before != NULL;
}

gboolean
network_card_resolve (Job *job, Manager *manager, const DomainDef *def, DeviceInterface *interface,
                      const DeviceInterface *before, GError **error)
{
  g_autoptr (NetworkPortDef) wanted = NULL, port = NULL;
  g_autofree char *uuid = NULL;

  if (interface->type != INTERFACE_NETWORK)
    return TRUE;
  if (manager->settings->session)
    return resolve_for_user (job, manager, interface, error);
  if (before != NULL && before->portid != NULL && g_strcmp0 (before->network, interface->network) == 0
      && g_strcmp0 (before->portgroup, interface->portgroup) == 0) {
    keep_port (interface, before);
    return network_card_change_rates (job, manager, before, interface->inbound, interface->outbound, error);
  }
  uuid = new_uuid ();
  wanted = wanted_port (def, interface, uuid);
  port = network_card_port_make (job, manager, interface->network, wanted, FALSE, error);
  if (port == NULL)
    return FALSE;
  replace_text (&interface->portid, port->uuid);
  take_settings (interface, port);
  return take_plug (interface, &port->plug, error);
}

typedef struct {
  Manager *manager;
  const char *name; /* of the network */
  const NetworkPortDef *wanted;
  NetworkPortDef *port;
  NetworkInput *input;
  GError *error;
} Preview;

static void
preview_port (gpointer data)
{
  Preview *preview = data;
  Network *network = network_find_name (preview->manager, preview->name, &preview->error);

  if (network == NULL || !network_check_active (network, &preview->error))
    return;
  preview->port = network_plug (network, preview->wanted, FALSE, &preview->error);
  preview->input = network_input_new (network, network->def);
}

gboolean
network_card_preview (Job *job, Manager *manager, const DomainDef *def, DeviceInterface *interface,
                      GPtrArray **ret_findings, GError **error)
{
  g_autoptr (NetworkPortDef) wanted = NULL;
  g_autofree char *uuid = new_uuid ();
  Preview preview = { .manager = manager, .name = interface->network };
  gboolean fine;

  if (interface->type != INTERFACE_NETWORK)
    return TRUE;
  if (manager->settings->session)
    return resolve_for_user (job, manager, interface, error);
  preview.wanted = wanted = wanted_port (def, interface, uuid);
  job_in_main_loop (job, preview_port, &preview);
  if (preview.input != NULL && ret_findings != NULL)
    *ret_findings = network_run_check (job, preview.input, NULL);
  fine = preview.port != NULL;
  if (fine) {
    take_settings (interface, preview.port);
    fine = take_plug (interface, &preview.port->plug, error);
  } else {
    g_propagate_error (error, g_steal_pointer (&preview.error));
  }
  g_clear_pointer (&preview.port, network_port_def_unref);
  g_clear_pointer (&preview.input, network_input_free);
  return fine;
}

DomainDef *
network_cards_resolve (Job *job, Manager *manager, DomainDef *def, GError **error)
{
  g_autoptr (DomainDef) resolved = NULL;
  gboolean any = FALSE;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface)
    any = any || interface->type == INTERFACE_NETWORK;
  if (!any)
    return domain_def_ref (def);
  resolved = domain_def_copy (def);
  DOMAIN_FOREACH_DEVICE (resolved, interface_kind, DeviceInterface, interface)
    if (!network_card_resolve (job, manager, resolved, interface, NULL, error))
      return NULL;
  return g_steal_pointer (&resolved);
}

/* Deleting. */

typedef struct {
  Manager *manager;
  char *network, *port; /* UUIDs */
  Lock *lock;
  NetworkInput *input;
  NetworkPortDef *def;
} Deletion;

static void
deletion_free (gpointer data)
{
  Deletion *deletion = data;

  if (deletion->input != NULL)
    lock_release (deletion->lock, deletion);
  lock_unref (deletion->lock);
  if (deletion->input != NULL)
    network_input_free (deletion->input);
  if (deletion->def != NULL)
    network_port_def_unref (deletion->def);
  g_free (deletion->network);
  g_free (deletion->port);
  g_free (deletion);
}

static gpointer
delete_job (Job *job, gpointer data, GError **error)
{
  const Deletion *deletion = data;
  gboolean has_class = deletion->def->class_id.set && deletion->def->class_id.value != 0;

  if (has_class && !network_run_remove_port (job, deletion->input, deletion->def, error))
    return NULL;
  network_files_remove_port (deletion->input->directory, deletion->port);
  return JOB_OK;
}

static void
deleted (gpointer result, const GError *error, gpointer data)
{
  const Deletion *deletion = data;
  Network *network = network_find_uuid (deletion->manager, deletion->network, NULL);

  if (result == NULL)
    g_warning ("a port of network '%s' could not be taken away: %s",
               network != NULL ? network->name : deletion->network, error->message);
  else if (network != NULL)
    network_drop_port (network, deletion->port);
}

static void
deletion_begin (gpointer data)
{
  Deletion *deletion = data;
  Network *network = network_find_uuid (deletion->manager, deletion->network, NULL);
  NetworkPortDef *port = network != NULL ? network_find_port (network, deletion->port, NULL) : NULL;

  if (port == NULL || !network_check_active (network, NULL)) {
    lock_release (deletion->lock, deletion);
    deletion_free (deletion);
    return;
  }
  deletion->def = network_port_def_ref (port);
  deletion->input = network_input_new (network, network->def);
  job_start ("net-port", delete_job, deletion, deletion_free, NETWORK_CARD_PORT_SECONDS, deleted, deletion);
}

static void
deletion_fail (gpointer data, GError *error)
{
  g_warning ("a port of a network could not be taken away: %s", error->message);
  g_error_free (error);
  deletion_free (data);
}

static void
delete_port (const Network *network, const NetworkPortDef *port)
{
  Deletion *deletion = g_new0 (Deletion, 1);
  LockRequest request = {
    .name = "port", .holder = deletion, .begin = deletion_begin, .fail = deletion_fail, .data = deletion
  };

  deletion->manager = network->manager;
  deletion->network = g_strdup (network->uuid);
  deletion->port = g_strdup (port->uuid);
  deletion->lock = lock_ref (network->lock);
  lock_acquire (deletion->lock, &request);
}

static gboolean
has_card (const Domain *domain, const char *port)
{
  if (domain == NULL || domain->machine == NULL)
    return FALSE;
  DOMAIN_FOREACH_DEVICE (domain->machine->def, interface_kind, DeviceInterface, interface)
    if (g_strcmp0 (interface->portid, port) == 0)
      return TRUE;
  return FALSE;
}

/* Clients may make ports for what is no domain here: those are not ours to delete. */
static gboolean
is_ours (Manager *manager, const NetworkPortDef *port)
{
  return port->owner_uuid != NULL
         && (manager_find_uuid (manager, port->owner_uuid, NULL) != NULL
             || g_hash_table_contains (manager->ended, port->owner_uuid));
}

/* @uuid NULL: of all domains. */
static void
delete_strays (Manager *manager, const char *uuid)
{
  g_autoptr (GPtrArray) networks = network_list (manager);

  for (guint i = 0; i < networks->len; i++) {
    const Network *network = g_ptr_array_index (networks, i);
    g_autoptr (GPtrArray) strays = g_ptr_array_new_with_free_func ((GDestroyNotify)network_port_def_unref);

    for (guint p = 0; p < network->ports->len; p++) {
      NetworkPortDef *port = g_ptr_array_index (network->ports, p);

      if ((uuid != NULL ? g_strcmp0 (port->owner_uuid, uuid) == 0 : is_ours (manager, port))
          && !network_card_ports_are_made_for (port->owner_uuid)
          && !has_card (manager_find_uuid (manager, port->owner_uuid, NULL), port->uuid))
        g_ptr_array_add (strays, network_port_def_ref (port));
    }
    for (guint p = 0; p < strays->len; p++)
      delete_port (network, g_ptr_array_index (strays, p));
  }
}

void
network_cards_settle (Manager *manager, const char *uuid)
{
  network_card_ports_made (uuid);
  delete_strays (manager, uuid);
}

/* It was shut off, or has let go of a device. */
static void
domain_event (const Event *event, gpointer manager)
{
  int number = -1;

  if (event->family != EVENT_DOMAIN)
    return;
  if (event->number == EVENT_LIFECYCLE)
    g_variant_get_child (event->payload, 0, "i", &number);
  if (event->number == VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED
      || (event->number == EVENT_LIFECYCLE && number == VIR_DOMAIN_EVENT_STOPPED))
    delete_strays (manager, event->uuid);
}

/* A network that was started anew while the daemon was away has lost its ports: as with libvirt, the cards of
 * running machines get them back, and their taps join the bridge again. */

typedef struct {
  Manager *manager;
  DomainDef *def; /* of the running machine */
} Reconnection;

static void
reconnection_free (gpointer data)
{
  Reconnection *reconnection = data;

  domain_def_unref (reconnection->def);
  g_free (reconnection);
}

static void
rejoin_bridge (const DeviceInterface *interface, const char *uuid)
{
  g_autoptr (GError) error = NULL;
  LinkInfo tap;

  if (interface_has_bridge (interface) && !interface_is_openvswitch (interface)
      && interface->target_dev != NULL && link_query (interface->target_dev, "get the bridge of", &tap, NULL)
      && tap.master == 0 && !interface_join_bridge (interface->target_dev, interface, uuid, &error))
    g_warning ("%s", error->message);
}

static gpointer
reconnect (Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  const Reconnection *reconnection = data;

  DOMAIN_FOREACH_DEVICE (reconnection->def, interface_kind, DeviceInterface, interface) {
    g_autoptr (NetworkPortDef) wanted = NULL, port = NULL;
    g_autoptr (GError) problem = NULL;

    if (interface->portid == NULL)
      continue;
    wanted = wanted_port (reconnection->def, interface, interface->portid);
    wanted->plug.type = interface->type == INTERFACE_NETWORK  ? NETWORK_PLUG_NETWORK
                        : interface->type == INTERFACE_BRIDGE ? NETWORK_PLUG_BRIDGE
                        : interface->type == INTERFACE_DIRECT ? NETWORK_PLUG_DIRECT
                                                              : NETWORK_PLUG_HOSTDEV_PCI;
    wanted->plug.bridge = g_strdup (interface->bridge);
    wanted->plug.dev = g_strdup (interface->source_dev);
    wanted->plug.mode = interface->source_mode != NULL
                            ? MAX (enum_table_value (&network_direct_modes, interface->source_mode), 0)
                            : 0;
    wanted->plug.managed = interface->managed;
    wanted->plug.domain = interface->host_pci.domain;
    wanted->plug.bus = interface->host_pci.bus;
    wanted->plug.slot = interface->host_pci.slot;
    wanted->plug.function = interface->host_pci.function;
    port = network_card_port_make (job, reconnection->manager, interface->network, wanted, TRUE, &problem);
    if (port == NULL)
      g_message ("domain '%s': interface %s is not connected: %s", reconnection->def->name, interface->mac,
                 problem->message);
    else
      rejoin_bridge (interface, reconnection->def->uuid);
  }
  return JOB_OK;
}

static void
reconnected (gpointer result G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED, gpointer data)
{
  const Reconnection *reconnection = data;

  network_cards_settle (reconnection->manager, reconnection->def->uuid);
}

/* Has it a port that its network, which runs, does not know? */
static gboolean
has_lost_port (Manager *manager, const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    Network *network = interface->portid != NULL && interface->network != NULL
                           ? network_find_name (manager, interface->network, NULL)
                           : NULL;

    if (network != NULL && network->active && network_find_port (network, interface->portid, NULL) == NULL)
      return TRUE;
  }
  return FALSE;
}

void
network_cards_begin (Manager *manager)
{
  g_autoptr (GPtrArray) domains = manager_list (manager);

  delete_strays (manager, NULL);
  for (guint i = 0; i < domains->len; i++) {
    const Domain *domain = g_ptr_array_index (domains, i);
    Reconnection *reconnection;

    if (domain->machine == NULL || !has_lost_port (manager, domain->machine->def))
      continue;
    reconnection = g_new0 (Reconnection, 1);
    reconnection->manager = manager;
    reconnection->def = domain_def_ref (domain->machine->def);
    job_start ("reconnect", reconnect, reconnection, reconnection_free, 0, reconnected, reconnection);
  }
  events_subscribe (manager->events, domain_event, manager);
}
