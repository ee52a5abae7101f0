/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Networks as a kind of object, with their ports. An active network has two definitions: the one that runs,
 * which an update can change, and the one that is stored.
 */
#include "daemon/network/networks.h"

#include "daemon/core/main-loop.h"

#include <net/if.h>
#include <string.h>

#define BRIDGE_NUMBERS_MAX 32768 /* names that are tried */

static Registry *
registry_of (Manager *manager)
{
  return manager_registry (manager, &network_kind);
}

Network *
network_find_name (Manager *manager, const char *name, GError **error)
{
  MAIN_LOOP_ONLY ();

  return (Network *)registry_find_name (registry_of (manager), name, error);
}

Network *
network_find_uuid (Manager *manager, const char *uuid, GError **error)
{
  MAIN_LOOP_ONLY ();

  return (Network *)registry_find_uuid (registry_of (manager), uuid, error);
}

GPtrArray *
network_list (Manager *manager)
{
  MAIN_LOOP_ONLY ();

  return registry_list (registry_of (manager));
}

NetworkDef *
network_config (const Network *network)
{
  if (!network->persistent)
    return NULL;
  return network->next != NULL ? network->next : network->def;
}

/* Bridges. */

static gboolean
has_bridge (const NetworkDef *def, const char *name)
{
  return def != NULL && g_strcmp0 (def->bridge, name) == 0;
}

/* Another network's, be it stored or live. */
static const Network *
owner_of_bridge (Registry *registry, const Object *same, const char *name)
{
  g_autoptr (GPtrArray) all = registry_list (registry);

  for (guint i = 0; i < all->len; i++) {
    const Network *other = g_ptr_array_index (all, i);

    if (&other->object != same && (has_bridge (other->def, name) || has_bridge (other->next, name)))
      return other;
  }
  return NULL;
}

/* Names that cannot be chosen. */
static GHashTable *
taken_bridges (Registry *registry, const Object *same, const char *const *links)
{
  GHashTable *taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) all = registry_list (registry);

  for (guint i = 0; links != NULL && links[i] != NULL; i++)
    g_hash_table_add (taken, g_strdup (links[i]));
  for (guint i = 0; i < all->len; i++) {
    const Network *other = g_ptr_array_index (all, i);
    const NetworkDef *defs[] = { other->def, other->next };

    for (guint d = 0; d < G_N_ELEMENTS (defs) && &other->object != same; d++)
      if (defs[d] != NULL && defs[d]->bridge != NULL)
        g_hash_table_add (taken, g_strdup (defs[d]->bridge));
  }
  return taken;
}

/* What was chosen for it before, stays. */
static const char *
earlier_choice (const Object *same, const NetworkDef *def)
{
  const NetworkDef *before = same != NULL ? network_config ((const Network *)same) : NULL;

  return def->bridge == NULL && before != NULL && network_forward_has_own_bridge (before->forward.mode)
             ? before->bridge
             : NULL;
}

gboolean
networks_choose_bridge (Registry *registry, const Object *same, NetworkDef *def, const char *const *links,
                        GError **error)
{
  g_autoptr (GHashTable) taken = NULL;
  const char *earlier = earlier_choice (same, def);

  if (!network_def_needs_bridge_name (def))
    return TRUE;
  if (earlier != NULL) {
    def->bridge = g_strdup (earlier);
    return TRUE;
  }
  taken = taken_bridges (registry, same, links);
  for (guint number = 0; number < BRIDGE_NUMBERS_MAX; number++) {
    g_autofree char *name = network_def_bridge_name (def, number);

    if (g_hash_table_contains (taken, name))
      continue;
    g_free (def->bridge);
    def->bridge = g_steal_pointer (&name);
    return TRUE;
  }
  virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_INTERNAL_ERROR,
                       "Bridge generation exceeded max id %d", BRIDGE_NUMBERS_MAX);
  return FALSE;
}

char **
networks_host_links (gconstpointer data)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  struct if_nameindex *links = network_def_needs_bridge_name (data) ? if_nameindex () : NULL;

  for (guint i = 0; links != NULL && links[i].if_index != 0; i++)
    g_strv_builder_add (names, links[i].if_name);
  if (links != NULL)
    if_freenameindex (links);
  return g_strv_builder_end (names);
}

static gboolean
choose (Registry *registry, const Object *same, gpointer def, const char *const *links, GError **error)
{
  return networks_choose_bridge (registry, same, def, links, error);
}

/* Two networks of ours cannot have one bridge; a bridge of the host can serve several. */
static gboolean
check (Registry *registry, const Object *same, gconstpointer data, GError **error)
{
  const NetworkDef *def = data;

  if (def->bridge == NULL || !network_forward_has_own_bridge (def->forward.mode)
      || network_def_needs_bridge_name (def) || owner_of_bridge (registry, same, def->bridge) == NULL)
    return TRUE;
  virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_INTERNAL_ERROR, "bridge name '%s' already in use.",
                       def->bridge);
  return FALSE;
}

gboolean
networks_check_create (Manager *manager, const NetworkDef *def, Network **ret_network, GError **error)
{
  Registry *registry = registry_of (manager);
  Object *same;

  if (!registry_check_identity (registry, def->name, def->uuid, &same, error))
    return FALSE;
  if (same != NULL && (same->active || lock_is_held (same->lock))) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
                         "network is already active as '%s'", def->name);
    return FALSE;
  }
  *ret_network = (Network *)same;
  return check (registry, same, def, error);
}

Network *
network_add (Manager *manager, NetworkDef *def)
{
  MAIN_LOOP_ONLY ();

  Network *network = (Network *)registry_add (registry_of (manager), def->name, def->uuid);

  network->def = def;
  return network;
}

/* The kind. */

static void
init (Object *object)
{
  Network *network = (Network *)object;

  network->ports = g_ptr_array_new_with_free_func ((GDestroyNotify)network_port_def_unref);
}

static void
clear (Object *object)
{
  Network *network = (Network *)object;

  network_watch_free (network->watch);
  network_status_unref (network->status);
  network_def_unref (network->def);
  network_def_unref (network->next);
  g_ptr_array_unref (network->ports);
}

static void
define (Object *object, gpointer def)
{
  network_commit_config ((Network *)object, network_def_ref (def));
}

void
network_commit_config (Network *network, NetworkDef *def)
{
  gboolean is_used = network->def != NULL && (network->active || network->starting);
  NetworkDef **place = is_used ? &network->next : &network->def;

  network_def_unref (*place);
  *place = def;
}

static GVariant *
handle (const Object *object)
{
  return g_variant_new ("(s@ay)", object->name, call_uuid_value (object->uuid));
}

#define LIST_FLAGS                                                              \
  (VIR_CONNECT_LIST_NETWORKS_INACTIVE | VIR_CONNECT_LIST_NETWORKS_ACTIVE        \
   | VIR_CONNECT_LIST_NETWORKS_PERSISTENT | VIR_CONNECT_LIST_NETWORKS_TRANSIENT \
   | VIR_CONNECT_LIST_NETWORKS_AUTOSTART | VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART)

static gboolean
passes (const Object *object, guint flags)
{
  return object_flag_passes (flags, VIR_CONNECT_LIST_NETWORKS_ACTIVE, VIR_CONNECT_LIST_NETWORKS_INACTIVE,
                             object->active)
         && object_flag_passes (flags, VIR_CONNECT_LIST_NETWORKS_PERSISTENT,
                                VIR_CONNECT_LIST_NETWORKS_TRANSIENT, object->persistent)
         && object_flag_passes (flags, VIR_CONNECT_LIST_NETWORKS_AUTOSTART,
                                VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART, object->autostart);
}

/* What it has besides its definition: the addresses that were given. They go when the network does. */
typedef struct {
  const Settings *settings;
  char *uuid; /* NULL: it runs, and forgets them when it stops */
} GivenAddresses;

static gpointer
hold_given (Registry *registry, const char *uuid, Object *same)
{
  GivenAddresses *given = g_new0 (GivenAddresses, 1);

  given->settings = registry->settings;
  given->uuid = same != NULL && !same->active ? g_strdup (uuid) : NULL;
  return given;
}

static void
release_given (gpointer data)
{
  GivenAddresses *given = data;

  g_free (given->uuid);
  g_free (given);
}

static gboolean
keep_given (G_GNUC_UNUSED gpointer given, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static gboolean
erase_given (gpointer data, G_GNUC_UNUSED GError **error)
{
  const GivenAddresses *given = data;

  if (given->uuid != NULL)
    network_run_forget (given->settings, given->uuid);
  return TRUE;
}

static const char *const interfaces[] = { "org.libvirt.Network", "org.domaind1.Network", NULL };

const ObjectKind network_kind = {
  .letter = 'N',
  .name = "network",
  .short_name = "network",
  .missing = VIR_ERR_NO_NETWORK,
  .origin = VIR_FROM_NETWORK,
  .family = EVENT_NETWORK,
  .path_element = "network",
  .interfaces = interfaces,
  .lifecycle_signal = "NetworkEvent",
  .lifecycle_plain = TRUE,
  .key = 1,
  .defined = VIR_NETWORK_EVENT_DEFINED,
  .undefined = VIR_NETWORK_EVENT_UNDEFINED,
  .transient = VIR_ERR_OPERATION_INVALID,
  .no_undefine = "can't undefine transient network",
  .folder = "networks",
  .autostart_folders = { "networks/autostart", NULL },
  .run_folder = "networks",
  .document = &network_document,
  .size = sizeof (Network),
  .init = init,
  .clear = clear,
  .handle = handle,
  .list_flags = LIST_FLAGS,
  .passes = passes,
  .look = networks_host_links,
  .choose = choose,
  .check = check,
  .define = define,
  .hold_rest = hold_given,
  .release_rest = release_given,
  .keep_rest = keep_given,
  .unkeep_rest = keep_given,
  .erase_rest = erase_given,
  .loaded = networks_loaded,
};

gboolean
network_check_active (const Network *network, GError **error)
{
  if (!network->active)
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID, "network '%s' is not active",
                         network->name);
  return network->active;
}

gboolean
network_check_inactive (const Network *network, GError **error)
{
  if (network->active)
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID, "network is already active");
  return !network->active;
}

/* What jobs get, and what they made. */

static void
add_other (GPtrArray *others, const Network *network)
{
  if (network->active || network->starting)
    g_ptr_array_add (others, network_def_ref (network->def));
}

NetworkInput *
network_input_new (const Network *network, NetworkDef *def)
{
  MAIN_LOOP_ONLY ();

  NetworkInput *input = g_new0 (NetworkInput, 1);
  g_autoptr (GPtrArray) all = network_list (network->manager);

  input->settings = network->manager->settings;
  input->directory = store_run_directory (network->registry->store, network->uuid);
  input->def = network_def_ref (def);
  input->status = network->status != NULL ? network_status_ref (network->status) : NULL;
  input->ports = g_ptr_array_new_with_free_func ((GDestroyNotify)network_port_def_unref);
  for (guint i = 0; i < network->ports->len; i++)
    g_ptr_array_add (input->ports, network_port_def_ref (g_ptr_array_index (network->ports, i)));
  input->others = g_ptr_array_new_with_free_func ((GDestroyNotify)network_def_unref);
  for (guint i = 0; i < all->len; i++)
    if (g_ptr_array_index (all, i) != network)
      add_other (input->others, g_ptr_array_index (all, i));
  return input;
}

static gboolean
uses_dev (const NetworkPortDef *port, const char *dev)
{
  char place[sizeof "ffffffff:ff:ff.f"];

  if (port->plug.type == NETWORK_PLUG_DIRECT)
    return g_strcmp0 (port->plug.dev, dev) == 0;
  if (port->plug.type != NETWORK_PLUG_HOSTDEV_PCI)
    return FALSE;
  g_snprintf (place, sizeof place, "%04x:%02x:%02x.%x", (guint)port->plug.domain.value,
              (guint)port->plug.bus.value, (guint)port->plug.slot.value, (guint)port->plug.function.value);
  return g_str_equal (place, dev);
}

guint
network_count_users (const Network *network, const char *dev)
{
  guint users = 0;

  for (guint i = 0; i < network->ports->len; i++)
    users += uses_dev (g_ptr_array_index (network->ports, i), dev) ? 1 : 0;
  return users;
}

static Number
count (guint users)
{
  return users > 0 ? NUMBER (users) : (Number){ FALSE, 0 };
}

NetworkDef *
network_counted (const Network *network)
{
  NetworkDef *def = network_def_copy (network->def);

  if (network->active)
    def->connections = count (network->ports->len);
  for (guint i = 0; def->forward.interfaces != NULL && i < def->forward.interfaces->len; i++) {
    NetworkForwardInterface *interface = g_ptr_array_index (def->forward.interfaces, i);

    interface->connections = count (network_count_users (network, interface->dev));
  }
  return def;
}

static void
changed (NetworkParts parts, const char *why, gpointer data)
{
  Network *network = data;

  g_warning ("network '%s': %s", network->name, why);
  network_mend (network, parts);
}

static void
watch (Network *network)
{
  g_autofree char *directory = store_run_directory (network->registry->store, network->uuid);

  /* The new one first: they share a socket, and what the kernel has said meanwhile must not go with the old.
   */
  NetworkWatch *before = g_steal_pointer (&network->watch);

  network->watch = network_watch_new (network->status, directory, changed, network);
  network_watch_free (before);
}

/* What was found on the host (a card's functions) is part of the live definition. */
static void
take_status (Network *network, NetworkStatus *status)
{
  const NetworkDef *def = network_status_def (status);

  g_clear_pointer (&network->status, network_status_unref);
  network->status = status;
  if (def == NULL)
    return;
  network_def_unref (network->def);
  network->def = network_def_ref ((NetworkDef *)def);
}

void
network_started (Network *network, NetworkStatus *status)
{
  network->starting = FALSE;
  network->active = TRUE;
  if (network->persistent && network->next == NULL)
    network->next = network_def_ref (network->def);
  take_status (network, status);
  watch (network);
  object_lifecycle_event (&network->object, VIR_NETWORK_EVENT_STARTED);
}

/* What is stored is what there is. */
static void
fall_back (Network *network)
{
  network->starting = network->active = FALSE;
  network->broken = 0;
  g_clear_pointer (&network->watch, network_watch_free);
  g_clear_pointer (&network->status, network_status_unref);
  g_ptr_array_set_size (network->ports, 0);
  if (network->next != NULL) {
    network_def_unref (network->def);
    network->def = g_steal_pointer (&network->next);
  }
}

void
network_start_failed (Network *network)
{
  fall_back (network);
  if (!network->persistent)
    registry_remove (&network->object);
}

void
network_stopped (Network *network)
{
  fall_back (network);
  object_lifecycle_event (&network->object, VIR_NETWORK_EVENT_STOPPED);
  if (!network->persistent)
    registry_remove (&network->object);
}

void
network_commit_live (Network *network, NetworkDef *def, NetworkStatus *status)
{
  network_def_unref (network->def);
  network->def = def;
  if (status == NULL)
    return;
  take_status (network, status);
  watch (network);
}
