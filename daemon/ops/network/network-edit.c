/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changing definitions. The stored one is prepared (all that can fail for the want of space has happened),
 * then what runs is changed, and then the stored one is committed: so neither is changed without the other.
 * The user's text is edited where it can be, and keeps its comments.
 */
#include "daemon/ops/network/network-edit.h"

#include "daemon/network/network-files.h"
#include "daemon/object/change.h"
#include "document/source-children.h"

#define EDIT_SECONDS 60

typedef struct {
  Call *call;
  Network *network; /* its lock is held by the call */
  NetworkDef *live, *live_was, *config, *config_was;
  NetworkParts parts;
  Author *author;
  Store *store;
  NetworkInput *input; /* NULL: it does not run */
  NetworkStatus *status;
  void (*done) (Call *call);
} NetworkEdit;

static void
edit_free (gpointer data)
{
  NetworkEdit *edit = data;

  author_free (edit->author);
  network_def_unref (edit->live);
  network_def_unref (edit->live_was);
  network_def_unref (edit->config);
  network_def_unref (edit->config_was);
  network_input_free (edit->input);
  network_status_unref (edit->status);
  g_free (edit);
}

gboolean
network_edit_which (Call *call, guint flags, NetworkDef **ret_live, NetworkDef **ret_config)
{
  const Network *network = (const Network *)call->object;
  guint both = VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG;

  if ((flags & both) == 0)
    flags |= network->active ? VIR_NETWORK_UPDATE_AFFECT_LIVE : VIR_NETWORK_UPDATE_AFFECT_CONFIG;
  if ((flags & VIR_NETWORK_UPDATE_AFFECT_LIVE) != 0 && !network->active)
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID, "network is not running");
  else if ((flags & VIR_NETWORK_UPDATE_AFFECT_CONFIG) != 0 && !network->persistent)
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
                    "cannot change persistent config of a transient network");
  else {
    *ret_live = (flags & VIR_NETWORK_UPDATE_AFFECT_LIVE) != 0 ? network->def : NULL;
    *ret_config = (flags & VIR_NETWORK_UPDATE_AFFECT_CONFIG) != 0 ? network_config (network) : NULL;
    return TRUE;
  }
  return FALSE;
}

/* It was defined again meanwhile: this is not a change of what it is now. */
static gboolean
check (G_GNUC_UNUSED Manager *manager, gpointer data, GError **error)
{
  const NetworkEdit *edit = data;

  if (network_config (edit->network) == edit->config_was)
    return TRUE;
  virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_FAILED,
                       "network '%s' was defined again meanwhile", edit->network->name);
  return FALSE;
}

/* The user's text as it is to be; the completed one where it cannot be edited. */
static char *
changed_source (Store *store, const NetworkEdit *edit, const char *completed, GError **error)
{
  const NetworkDef *was = edit->config_was;
  gboolean stale = FALSE;
  g_autofree char *before = store_load_completed (store, was->uuid, was->name, &stale, error);
  g_autofree char *source = before != NULL ? store_load_source (store, was->name, error) : NULL;
  g_autofree char *canonical = NULL;
  char *changed;

  if (source == NULL)
    return NULL;
  if (stale) {
    virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
                         "the document of network '%s' was changed by hand; define it again first",
                         was->name);
    return NULL;
  }
  canonical = network_def_to_xml (was, FALSE);
  changed = source_change_children (source, canonical, completed);
  return changed != NULL ? changed : g_strdup (completed);
}

static StoreEdit *
prepare_config (Store *store, const NetworkEdit *edit, GError **error)
{
  g_autofree char *completed = network_def_to_xml (edit->config, FALSE);
  g_autofree char *source = changed_source (store, edit, completed, error);

  return source != NULL ? store_prepare (store, edit->config->uuid, edit->config->name, source, completed,
                                         edit->author, error)
                        : NULL;
}

static gboolean
change_live (NetworkEdit *edit, GError **error)
{
  if (edit->live == NULL)
    return TRUE;
  if (!network_files_save_live (edit->input->directory, edit->live, error))
    return FALSE;
  if (edit->parts == 0)
    return TRUE;
  edit->status = network_run_update (job_current (), edit->input, edit->parts, error);
  if (edit->status == NULL)
    network_files_save_live (edit->input->directory, edit->live_was, NULL);
  return edit->status != NULL;
}

static gboolean
write_both (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  NetworkEdit *edit = data;
  g_autoptr (StoreEdit) texts = prepare_config (edit->store, edit, error);

  return texts != NULL && change_live (edit, error) && store_commit (texts, error);
}

static void
finish (NetworkEdit *edit, const GError *error)
{
  if (error != NULL) {
    call_fail (edit->call, g_error_copy (error));
    return;
  }
  if (edit->live != NULL)
    network_commit_live (edit->network, g_steal_pointer (&edit->live), g_steal_pointer (&edit->status));
  if (edit->config != NULL)
    network_commit_config (edit->network, g_steal_pointer (&edit->config));
  edit->done (edit->call);
}

static void
both_written (G_GNUC_UNUSED Manager *manager, gpointer data, const GError *error)
{
  finish (data, error);
}

static const ChangeKind edit_change = { "net-edit", check, write_both, both_written };

static gpointer
live_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  return change_live (data, error) ? JOB_OK : NULL;
}

static void
live_changed (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  finish (data, error);
}

void
network_edit (Call *call, NetworkDef *live, NetworkDef *config, NetworkParts parts, void (*done) (Call *call))
{
  NetworkEdit *edit = g_new0 (NetworkEdit, 1);
  Network *network = (Network *)call->object;

  edit->call = call;
  edit->author = call_author (call);
  edit->network = network;
  edit->live = live;
  edit->config = config;
  edit->parts = parts;
  edit->done = done;
  edit->store = network->registry->store;
  if (live != NULL) {
    edit->input = network_input_new (network, live);
    edit->live_was = network_def_ref (network->def);
  }
  if (config == NULL) {
    job_start ("net-edit", live_job, edit, edit_free, EDIT_SECONDS, live_changed, edit);
    return;
  }
  edit->config_was = network_def_ref (network_config (network));
  change_start (call->manager, &edit_change, edit, edit_free);
}
