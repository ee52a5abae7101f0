/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Networks when the daemon starts: those that ran are taken up again, and the first daemon since the host's
 * start makes those run that are marked for it. Each is a job of its own; clients, and machines that start by
 * themselves and need them, wait until they are settled, but never long.
 */
#include "daemon/core/service.h"
#include "daemon/network/network-files.h"
#include "daemon/network/networks.h"

#define LOAD_SECONDS 20

typedef struct {
  Registry *registry;
  RegistrySettled settled; /* NULL: said already */
  gpointer data;
  guint pending, late;
  GPtrArray *found; /* NetworkFound */
  char **links;     /* of the host */
} Settling;

static void
say_settled (Settling *settling)
{
  RegistrySettled settled = settling->settled;

  settling->settled = NULL;
  if (settled != NULL)
    settled (settling->data);
}

static void
one_less (gpointer data)
{
  Settling *settling = data;

  if (--settling->pending > 0)
    return;
  say_settled (settling);
  g_clear_handle_id (&settling->late, g_source_remove);
  g_clear_pointer (&settling->found, g_ptr_array_unref);
  g_strfreev (settling->links);
  g_free (settling);
}

static gboolean
is_late (gpointer data)
{
  Settling *settling = data;

  settling->late = 0;
  g_warning ("%u networks are not settled yet; clients are served", settling->pending);
  say_settled (settling);
  return G_SOURCE_REMOVE;
}

static gpointer
read_running (G_GNUC_UNUSED Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  Settling *settling = data;
  g_autofree char *parent = g_build_filename (settling->registry->settings->run_directory, "networks", NULL);
  g_autoptr (NetworkDef) any = document_new (&network_document);

  settling->links = networks_host_links (any);
  settling->found = network_files_load (parent);
  return JOB_OK;
}

/* A network that ran, as it was then: its definition is the stored one. One without a definition comes back
 * as well. NULL: it is skipped. */
static Network *
take_up (Manager *manager, NetworkFound *found)
{
  g_autoptr (GError) error = NULL;
  Network *network;

  if (!networks_check_create (manager, found->def, &network, &error)) {
    g_warning ("network '%s' does not run any more: %s", found->def->name, error->message);
    return NULL;
  }
  if (network == NULL)
    network = network_add (manager, network_def_ref (found->def));
  else {
    network->next = g_steal_pointer (&network->def);
    network->def = network_def_ref (found->def);
  }
  for (guint i = 0; i < found->ports->len; i++)
    network_put_port (network, network_port_def_ref (g_ptr_array_index (found->ports, i)));
  return network;
}

/* A document that was put there by hand may have left the bridge's name open. */
static void
choose_bridge (Settling *settling, Network *network)
{
  NetworkDef *def;
  g_autoptr (GError) error = NULL;

  if (network->def == NULL || !network_def_needs_bridge_name (network->def))
    return;
  def = network_def_copy (network->def);
  if (!networks_choose_bridge (settling->registry, &network->object, def,
                               (const char *const *)settling->links, &error))
    g_warning ("network '%s': %s", network->name, error->message);
  network_def_unref (network->def);
  network->def = def;
}

static void
running_read (G_GNUC_UNUSED gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Settling *settling = data;
  Registry *registry = settling->registry;
  gboolean autostart = service_first_since_boot (registry->settings->run_directory, "networks");
  g_autoptr (GPtrArray) all = NULL;

  for (guint i = 0; i < settling->found->len; i++) {
    Network *network = take_up (registry->manager, g_ptr_array_index (settling->found, i));

    if (network == NULL)
      continue;
    settling->pending++;
    network_adopt_alone (network, one_less, settling);
  }
  all = network_list (registry->manager);
  for (guint i = 0; i < all->len; i++) {
    Network *network = g_ptr_array_index (all, i);

    choose_bridge (settling, network);
    if (!autostart || !network->autostart || network->active || network->starting)
      continue;
    settling->pending++;
    network_start_alone (network, one_less, settling);
  }
  one_less (settling);
}

void
networks_loaded (Registry *registry, RegistrySettled settled, gpointer data)
{
  Settling *settling = g_new0 (Settling, 1);

  settling->registry = registry;
  settling->settled = settled;
  settling->data = data;
  settling->pending = 1;
  settling->late = g_timeout_add_seconds (LOAD_SECONDS, is_late, settling);
  job_start ("networks", read_running, settling, NULL, 0, running_read, settling);
}
