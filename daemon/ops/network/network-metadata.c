/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Title, description and applications' own elements of a network. */
#include "daemon/ops/network/network-edit.h"
#include "daemon/ops/ops.h"
#include "document/metadata.h"

#include <string.h>

/* Numbers of libvirt's virNetworkMetadataType and virNetworkEventID, which came after the headers this is
 * built with. */
enum { METADATA_DESCRIPTION, METADATA_TITLE, METADATA_ELEMENT };
#define EVENT_METADATA_CHANGE 1
#define NO_NETWORK_METADATA   ((virErrorNumber)111)

#define KNOWN_FLAGS (VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG)

static gboolean
check_type (Call *call, int type)
{
  if (type >= METADATA_DESCRIPTION && type <= METADATA_ELEMENT)
    return TRUE;
  call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_INVALID_ARG, "unknown metadata type '%d'", type);
  return FALSE;
}

static GVariant *
make_element (const Call *call, gpointer metadata, GError **error)
{
  g_autofree char *text = metadata_get (metadata, call_maybe_string (call, 2), NULL);

  if (text == NULL)
    virt_error_set_from (error, VIR_FROM_NETWORK, NO_NETWORK_METADATA,
                         "Requested metadata element is not present");
  return text != NULL ? g_variant_new ("(s)", text) : NULL;
}

static void
answer (Call *call, const NetworkDef *def)
{
  int type = call_int (call, 1);
  const char *text = type == METADATA_DESCRIPTION ? def->description : def->title;

  if (type == METADATA_ELEMENT)
    call_make (call, def->metadata != NULL ? strlen (def->metadata) : 0, "metadata", make_element,
               g_strdup (def->metadata), g_free);
  else if (text != NULL)
    call_answer (call, g_variant_new ("(s)", text));
  else
    call_fail_from (call, VIR_FROM_NETWORK, NO_NETWORK_METADATA, "Requested metadata element is not present");
}

void
op_network_get_metadata (Call *call)
{
  guint flags = call_uint (call, 3);
  NetworkDef *live = NULL, *config = NULL;

  if (!call_check_flags (call, flags, KNOWN_FLAGS) || !check_type (call, call_int (call, 1)))
    return;
  if ((flags & KNOWN_FLAGS) == KNOWN_FLAGS)
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_NETWORK_UPDATE_AFFECT_LIVE' and 'VIR_NETWORK_UPDATE_AFFECT_CONFIG' are "
                    "mutually exclusive");
  else if (call_int (call, 1) == METADATA_ELEMENT && call_maybe_string (call, 2) == NULL)
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_INVALID_ARG,
                    "uri in virNetworkGetMetadata must not be NULL");
  else if (network_edit_which (call, flags, &live, &config))
    answer (call, live != NULL ? live : config);
}

/* What is meant, and what it becomes: applications' elements are put together in a job. */
typedef struct {
  Call *call;
  NetworkDef *live, *config; /* copies; NULL: not meant */
} Setting;

static void
setting_free (gpointer data)
{
  Setting *setting = data;

  network_def_unref (setting->live);
  network_def_unref (setting->config);
  g_free (setting);
}

static gboolean
set (const Call *call, NetworkDef *def, GError **error)
{
  const char *value = call_maybe_string (call, 2);
  int type = call_int (call, 1);
  char **member, *metadata = NULL;

  if (def == NULL)
    return TRUE;
  member = type == METADATA_DESCRIPTION ? &def->description : &def->title;
  if (type != METADATA_ELEMENT) {
    g_free (*member);
    *member = value != NULL && value[0] != '\0' ? g_strdup (value) : NULL;
    return TRUE;
  }
  if (!metadata_set (def->metadata, value, call_maybe_string (call, 3), call_maybe_string (call, 4),
                     &metadata, error))
    return FALSE;
  g_free (def->metadata);
  def->metadata = metadata;
  return TRUE;
}

static gpointer
set_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  const Setting *setting = data;

  return set (setting->call, setting->live, error) && set (setting->call, setting->config, error) ? JOB_OK
                                                                                                  : NULL;
}

static void
tell (Call *call)
{
  const char *uri = call_int (call, 1) == METADATA_ELEMENT ? call_maybe_string (call, 4) : NULL;

  object_event (call->object, EVENT_METADATA_CHANGE, g_variant_new ("(ims)", call_int (call, 1), uri));
  call_answer_nothing (call);
}

static void
set_done (gpointer result, const GError *error, gpointer data)
{
  Setting *setting = data;

  if (result == NULL)
    call_fail (setting->call, g_error_copy (error));
  else
    network_edit (setting->call, g_steal_pointer (&setting->live), g_steal_pointer (&setting->config), 0,
                  tell);
}

static void
begin (Call *call)
{
  NetworkDef *live, *config;
  const char *value = call_maybe_string (call, 2);
  Setting *setting;

  if (!network_edit_which (call, call_uint (call, 5), &live, &config))
    return;
  setting = g_new0 (Setting, 1);
  setting->call = call;
  setting->live = live != NULL ? network_def_copy (live) : NULL;
  setting->config = config != NULL ? network_def_copy (config) : NULL;
  call_work (call, value != NULL ? strlen (value) : 0, "metadata", set_job, setting, setting_free, set_done);
}

void
op_network_set_metadata (Call *call)
{
  int type = call_int (call, 1);
  const char *value = call_maybe_string (call, 2), *missing = NULL;

  if (!call_check_flags (call, call_uint (call, 5), KNOWN_FLAGS) || !check_type (call, type))
    return;
  if (type == METADATA_TITLE && value != NULL && strchr (value, '\n') != NULL) {
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_INVALID_ARG, "metadata title can't contain newlines");
    return;
  }
  if (type == METADATA_ELEMENT && call_maybe_string (call, 4) == NULL)
    missing = "uri";
  else if (type == METADATA_ELEMENT && value != NULL && call_maybe_string (call, 3) == NULL)
    missing = "key";
  if (missing != NULL)
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_INVALID_ARG,
                    "%s in virNetworkSetMetadata must not be NULL", missing);
  else
    call_lock (call, "metadata", begin);
}
