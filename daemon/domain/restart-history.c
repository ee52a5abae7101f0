/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Restarts counted: a window as long as the policy's interval, which moves on with the time. How many are in
 * it says how long the next one waits, and whether there is one.
 */
#include "daemon/domain/restart-history.h"

#include "base/untrusted-json.h"

RestartHistory *
restart_history_new (void)
{
  RestartHistory *history = g_new0 (RestartHistory, 1);

  history->restarts = g_array_new (FALSE, FALSE, sizeof (gint64));
  return history;
}

void
restart_history_free (RestartHistory *history)
{
  if (history == NULL)
    return;
  g_array_unref (history->restarts);
  g_free (history);
}

gboolean
restart_is_wanted (const Policy *policy, EndedHow how)
{
  RestartWhen when = policy_restart_when (policy);

  return (how == ENDED_FAILURE && when != RESTART_NO) || (how == ENDED_SHUTDOWN && when == RESTART_ALWAYS);
}

void
restart_history_plan (RestartHistory *history, const Policy *policy, gint64 now)
{
  gint64 delay;
  guint old = 0;

  history->limit = policy_restart_limit (policy);
  history->interval = policy_restart_interval (policy);
  while (old < history->restarts->len
         && g_array_index (history->restarts, gint64, old)
                <= now - (gint64)history->interval * G_USEC_PER_SEC)
    old++;
  g_array_remove_range (history->restarts, 0, old);
  history->counted = history->restarts->len;
  history->given_up = history->counted >= history->limit;
  delay = policy_restart_delay (policy, history->counted);
  history->due = history->given_up ? 0 : now + delay * G_USEC_PER_SEC;
}

void
restart_history_made (RestartHistory *history, gint64 now)
{
  history->due = 0;
  history->counted++;
  if (history->restarts->len == RESTART_HISTORY_MAX)
    g_array_remove_index (history->restarts, 0);
  g_array_append_val (history->restarts, now);
}

char *
restart_history_to_json (const RestartHistory *history)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *restarts = json_array_new ();

  for (guint i = 0; i < history->restarts->len; i++)
    json_array_add_int_element (restarts, g_array_index (history->restarts, gint64, i));
  json_object_set_array_member (object, "restarts", restarts);
  json_object_set_int_member (object, "due", history->due);
  json_object_set_boolean_member (object, "given-up", history->given_up);
  json_object_set_int_member (object, "counted", history->counted);
  json_object_set_int_member (object, "limit", history->limit);
  json_object_set_int_member (object, "interval", history->interval);
  return json_object_text (object);
}

static guint
read_count (JsonObject *object, const char *name)
{
  return (guint)MIN (untrusted_count (object, name), G_MAXINT);
}

RestartHistory *
restart_history_from_json (const char *json, gsize length, GError **error)
{
  g_autoptr (JsonObject) object =
      length <= RESTART_HISTORY_FILE ? untrusted_json_object (json, length) : NULL;
  g_autoptr (RestartHistory) history = restart_history_new ();
  JsonArray *restarts = object != NULL ? untrusted_list (object, "restarts") : NULL;

  if (restarts == NULL || json_array_get_length (restarts) > RESTART_HISTORY_MAX) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "what is kept of its restarts is damaged");
    return NULL;
  }
  for (guint i = 0; i < json_array_get_length (restarts); i++) {
    JsonNode *node = json_array_get_element (restarts, i);
    gint64 made = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64
                      ? json_node_get_int (node)
                      : 0;

    if (made > 0)
      g_array_append_val (history->restarts, made);
  }
  untrusted_number (object, "due", &history->due);
  history->due = CLAMP (history->due, 0, G_MAXINT64 / 2);
  history->given_up = untrusted_switch (object, "given-up");
  history->counted = read_count (object, "counted");
  history->limit = read_count (object, "limit");
  history->interval = read_count (object, "interval");
  return g_steal_pointer (&history);
}
