/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The status file of a network: one JSON object. What is read back is checked member by member, as the file
 * may be anything. */
#include "daemon/network/network-status.h"

#include "base/untrusted-json.h"
#include "daemon/core/file.h"
#include "network/network-firewall.h"

#include <string.h>
#include <unistd.h>

#define STATUS_FORMAT 1  /* a later daemon that writes otherwise counts up */
#define ZONE_MAX      64 /* bytes */

static const char *const stages[NETWORK_STAGES] = {
  [NETWORK_STARTING] = "starting",
  [NETWORK_RUNNING] = "running",
  [NETWORK_STOPPING] = "stopping",
};

NetworkStatus *
network_status_new (void)
{
  NetworkStatus *status = g_new0 (NetworkStatus, 1);

  status->ref_count = 1;
  return status;
}

NetworkStatus *
network_status_copy (const NetworkStatus *status)
{
  NetworkStatus *copy = g_new (NetworkStatus, 1);

  *copy = *status;
  copy->ref_count = 1;
  copy->bridge = g_strdup (status->bridge);
  copy->zone = g_strdup (status->zone);
  copy->leases = g_strdup (status->leases);
  copy->def = status->def != NULL ? network_def_ref (status->def) : NULL;
  return copy;
}

NetworkStatus *
network_status_ref (NetworkStatus *status)
{
  g_atomic_int_inc (&status->ref_count);
  return status;
}

void
network_status_unref (NetworkStatus *status)
{
  if (status == NULL || !g_atomic_int_dec_and_test (&status->ref_count))
    return;
  g_free (status->bridge);
  g_free (status->zone);
  g_free (status->leases);
  g_clear_pointer (&status->def, network_def_unref);
  g_free (status);
}

const NetworkDef *
network_status_def (const NetworkStatus *status)
{
  return status->def;
}

gboolean
network_status_save (const NetworkStatus *status, const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, NETWORK_STATUS_FILE, NULL), *text = NULL;
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (PreparedFile) file = NULL;
  char mac[MAC_TEXT];

  json_object_set_int_member (object, "format", STATUS_FORMAT);
  json_object_set_string_member (object, "stage", stages[status->stage]);
  json_object_set_int_member (object, "steps", status->steps);
  json_object_set_int_member (object, "helper", status->helper);
  if (status->bridge != NULL) {
    mac_format (status->mac, mac);
    json_object_set_string_member (object, "bridge", status->bridge);
    json_object_set_string_member (object, "mac", mac);
  }
  if (status->zone != NULL)
    json_object_set_string_member (object, "zone", status->zone);
  text = json_object_text (object);
  file = prepared_file_new (path, text, -1, 0600, FALSE, error);
  return file != NULL && prepared_file_commit (file, error);
}

static gboolean
read_members (JsonObject *object, NetworkStatus *status)
{
  const char *stage = untrusted_text (object, "stage"), *bridge = untrusted_text (object, "bridge");
  const char *mac = untrusted_text (object, "mac"), *zone = untrusted_text (object, "zone");
  guint64 steps = untrusted_count (object, "steps"), helper = untrusted_count (object, "helper");
  guint number = 0;

  while (number < NETWORK_STAGES && g_strcmp0 (stage, stages[number]) != 0)
    number++;
  if (untrusted_count (object, "format") != STATUS_FORMAT || number == NETWORK_STAGES || steps > G_MAXUINT32
      || helper > G_MAXINT32
      || (bridge != NULL
          && (!network_link_name_is_plain (bridge) || mac == NULL || !mac_parse (mac, status->mac)))
      || (zone != NULL && strlen (zone) > ZONE_MAX))
    return FALSE;
  status->stage = number;
  status->steps = (guint)steps;
  status->helper = (guint)helper;
  status->bridge = g_strdup (bridge);
  status->zone = g_strdup (zone);
  return TRUE;
}

NetworkStatus *
network_status_load (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, NETWORK_STATUS_FILE, NULL);
  g_autofree char *text = NULL;
  g_autoptr (NetworkStatus) status = network_status_new ();
  g_autoptr (JsonObject) object = NULL;

  if (access (path, F_OK) != 0)
    return NULL;
  text = store_read_file (path, NETWORK_STATUS_MAX, NULL, error);
  if (text == NULL)
    return NULL;
  object = untrusted_json_object (text, strlen (text));
  if (object != NULL && read_members (object, status))
    return g_steal_pointer (&status);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the network's status file '%s' is damaged", path);
  return NULL;
}

void
network_status_remove (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, NETWORK_STATUS_FILE, NULL);

  unlink (path);
}
