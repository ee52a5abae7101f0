/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two lists in JSON, as libvirt writes them: the modules are libvirt's, and read nothing else. */
#include "daemon/network/network-names.h"

#include "daemon/core/file.h"
#include "daemon/network/network-dnsmasq.h"
#include "network/dnsmasq-leases.h"
#include <json-glib/json-glib.h>

#include <unistd.h>

#define STATUS_SUFFIX ".status"
#define MACS_SUFFIX   ".macs"

static gboolean
is_wanted (const Settings *settings)
{
  return *settings->lease_directory != '\0';
}

static char *
file_path (const Settings *settings, const char *bridge, const char *suffix)
{
  g_autofree char *name = g_strconcat (bridge, suffix, NULL);

  return g_build_filename (settings->lease_directory, name, NULL);
}

/* Takes @list. */
static void
write_list (const NetworkInput *input, const char *suffix, JsonArray *list)
{
  g_autofree char *path = file_path (input->settings, input->def->bridge, suffix), *text = NULL;
  g_autoptr (JsonNode) node = json_node_init_array (json_node_alloc (), list);
  g_autoptr (GError) error = NULL;
  g_autoptr (PreparedFile) file = NULL;

  json_array_unref (list);
  text = json_to_string (node, TRUE);
  if (store_make_directory (input->settings->lease_directory, 0755, &error))
    file = prepared_file_new (path, text, -1, 0644, FALSE, &error);
  if (file == NULL || !prepared_file_commit (file, &error))
    g_warning ("network '%s' is not known to the host's name service: %s", input->def->name, error->message);
}

static void
set_text (JsonObject *object, const char *name, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (object, name, text);
}

static JsonArray *
list_leases (GPtrArray *leases)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < leases->len; i++) {
    const DnsmasqLease *lease = g_ptr_array_index (leases, i);
    JsonObject *object = json_object_new ();
    char address[IP_TEXT_MAX], mac[MAC_TEXT];

    ip_address_format (&lease->address, address);
    mac_format (lease->mac, mac);
    set_text (object, "iaid", lease->iaid);
    set_text (object, "ip-address", address);
    set_text (object, "mac-address", lease->has_mac ? mac : NULL);
    set_text (object, "hostname", lease->hostname);
    set_text (object, "client-id", lease->client_id);
    json_object_set_int_member (object, "expiry-time", lease->expiry);
    json_array_add_object_element (list, object);
  }
  return list;
}

static JsonArray *
list_machines (const GPtrArray *ports)
{
  JsonArray *list = json_array_new ();
  g_autoptr (GHashTable) known =
      g_hash_table_new (g_str_hash, g_str_equal); /* JsonArray of each, the list's */

  for (guint i = 0; ports != NULL && i < ports->len; i++) {
    const NetworkPortDef *port = g_ptr_array_index (ports, i);
    JsonArray *macs = port->owner_name != NULL ? g_hash_table_lookup (known, port->owner_name) : NULL;

    if (port->owner_name == NULL || port->mac == NULL)
      continue;
    if (macs == NULL) {
      JsonObject *machine = json_object_new ();

      macs = json_array_new ();
      json_object_set_string_member (machine, "domain", port->owner_name);
      json_object_set_array_member (machine, "macs", macs);
      json_array_add_object_element (list, machine);
      g_hash_table_insert (known, port->owner_name, macs);
    }
    json_array_add_string_element (macs, port->mac);
  }
  return list;
}

void
network_names_write (const NetworkInput *input)
{
  g_autoptr (GPtrArray) leases = NULL;
  g_autoptr (GError) error = NULL;

  if (!is_wanted (input->settings) || input->def->bridge == NULL)
    return;
  leases = network_dnsmasq_leases (input->settings, input->def->uuid, &error);
  if (leases == NULL) {
    g_warning ("network '%s': %s", input->def->name, error->message);
    return;
  }
  write_list (input, STATUS_SUFFIX, list_leases (leases));
  write_list (input, MACS_SUFFIX, list_machines (input->ports));
}

void
network_names_begin (const NetworkInput *input, NetworkStatus *status)
{
  if (!is_wanted (input->settings) || status->helper == 0)
    return;
  g_free (status->leases);
  status->leases = network_dnsmasq_leases_path (input->settings, input->def->uuid);
  network_names_write (input);
}

void
network_names_remove (const Settings *settings, const char *bridge)
{
  static const char *const suffixes[] = { STATUS_SUFFIX, MACS_SUFFIX };

  for (guint i = 0; bridge != NULL && is_wanted (settings) && i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *path = file_path (settings, bridge, suffixes[i]);

    unlink (path);
  }
}
