/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The status file: one JSON object. What is read back is checked member by member, as the file may be
 * anything. */
#include "daemon/drivers/qemu/machine-status.h"

#include "base/scalars.h"
#include "base/untrusted-json.h"
#include <json-glib/json-glib.h>

#define STATUS_FORMAT     1 /* a later daemon that writes otherwise counts up */
#define STATUS_REASON_MAX 64

void
end_asked_clear (EndAsked *asked)
{
  g_clear_pointer (&asked->wire, g_free);
  g_clear_pointer (&asked->call, g_free);
}

void
end_asked_copy (EndAsked *asked, const EndAsked *from)
{
  const EndAsked copy = { g_strdup (from->wire), g_strdup (from->call), from->uid, from->pid, from->at };

  end_asked_clear (asked);
  *asked = copy;
}

MachineStatus *
machine_status_copy (const MachineStatus *status)
{
  MachineStatus *copy = g_new (MachineStatus, 1);

  *copy = *status;
  copy->name = g_strdup (status->name);
  copy->uuid = g_strdup (status->uuid);
  copy->save_path = g_strdup (status->save_path);
  copy->save_id = g_strdup (status->save_id);
  copy->restored_path = g_strdup (status->restored_path);
  copy->asked = (EndAsked){ 0 };
  end_asked_copy (&copy->asked, &status->asked);
  copy->migration_phase = g_strdup (status->migration_phase);
  copy->migration_peer = g_strdup (status->migration_peer);
  return copy;
}

void
machine_status_free (MachineStatus *status)
{
  if (status == NULL)
    return;
  g_free (status->name);
  g_free (status->uuid);
  g_free (status->save_path);
  g_free (status->save_id);
  g_free (status->restored_path);
  end_asked_clear (&status->asked);
  g_free (status->migration_phase);
  g_free (status->migration_peer);
  g_free (status);
}

/* The numbers and the switches of the file; each is required and has a range. */
typedef struct {
  const char *name;
  gint64 minimum, maximum;
} StatusNumber;

enum {
  NUMBER_FORMAT,
  NUMBER_ID,
  NUMBER_PID,
  NUMBER_START_TIME,
  NUMBER_STATE,
  NUMBER_REASON,
  NUMBER_STARTED,
  NUMBER_CHANGED,
  NUMBERS
};

static const StatusNumber numbers[NUMBERS] = {
  [NUMBER_FORMAT] = { "format", STATUS_FORMAT, STATUS_FORMAT },
  [NUMBER_ID] = { "id", 1, G_MAXINT },
  [NUMBER_PID] = { "pid", 2, G_MAXINT },
  [NUMBER_START_TIME] = { "start-time", 1, G_MAXINT64 },
  [NUMBER_STATE] = { "state", VIR_DOMAIN_NOSTATE, VIR_DOMAIN_PMSUSPENDED },
  [NUMBER_REASON] = { "reason", 0, STATUS_REASON_MAX },
  [NUMBER_STARTED] = { "started", 0, G_MAXINT64 },
  [NUMBER_CHANGED] = { "state-changed", 0, G_MAXINT64 },
};

/* What need not be in the file: a daemon that did not know it has written it, or the machine was starting. */
#define TAINTED       "tainted"
#define AUTO_DESTROY  "auto-destroy"
#define AGENT_TIMEOUT "agent-timeout"

#define MIGRATION_PHASE "migration-phase"
#define MIGRATION_PEER  "migration-peer"
#define MIGRATION_RAN   "migration-ran"

static const StatusNumber migration_flags = { "migration-flags", 0, G_MAXUINT32 };
static const StatusNumber agent_timeout = { AGENT_TIMEOUT, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK,
                                            G_MAXINT };

enum { SWITCH_STARTING, SWITCH_TRANSIENT, SWITCH_SHUTDOWN_SEEN, SWITCH_RESTART, SWITCHES };

static const char *const switches[SWITCHES] = {
  [SWITCH_STARTING] = "starting",
  [SWITCH_TRANSIENT] = "transient",
  [SWITCH_SHUTDOWN_SEEN] = "shutdown-seen",
  [SWITCH_RESTART] = "restart-on-shutdown",
};

static void
add_asked (JsonObject *object, const EndAsked *asked)
{
  json_object_set_string_member (object, "asked-wire", asked->wire);
  if (asked->call != NULL)
    json_object_set_string_member (object, "asked-call", asked->call);
  json_object_set_int_member (object, "asked-uid", asked->uid);
  json_object_set_int_member (object, "asked-pid", asked->pid);
  json_object_set_int_member (object, "asked-at", asked->at);
}

/* It is for people: what is missing or wrong is left out. */
static void
get_asked (JsonObject *object, EndAsked *asked)
{
  asked->wire = g_strdup (untrusted_text (object, "asked-wire"));
  asked->call = g_strdup (untrusted_text (object, "asked-call"));
  untrusted_number (object, "asked-uid", &asked->uid);
  untrusted_number (object, "asked-pid", &asked->pid);
  untrusted_number (object, "asked-at", &asked->at);
}

static void
add_migration (JsonObject *object, const MachineStatus *status)
{
  json_object_set_string_member (object, MIGRATION_PHASE, status->migration_phase);
  json_object_set_int_member (object, migration_flags.name, status->migration_flags);
  json_object_set_boolean_member (object, MIGRATION_RAN, status->migration_ran);
  if (status->migration_peer != NULL)
    json_object_set_string_member (object, MIGRATION_PEER, status->migration_peer);
}

char *
machine_status_to_json (const MachineStatus *status)
{
  const gint64 values[NUMBERS] = { STATUS_FORMAT, status->id,     status->pid,     (gint64)status->start_time,
                                   status->state, status->reason, status->started, status->state_changed };
  const gboolean on[SWITCHES] = { status->starting, status->transient, status->shutdown_seen,
                                  status->restart_on_shutdown };
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", status->name);
  json_object_set_string_member (object, "uuid", status->uuid);
  for (guint i = 0; i < NUMBERS; i++)
    json_object_set_int_member (object, numbers[i].name, values[i]);
  for (guint i = 0; i < SWITCHES; i++)
    json_object_set_boolean_member (object, switches[i], on[i]);
  json_object_set_boolean_member (object, TAINTED, status->tainted);
  json_object_set_boolean_member (object, AUTO_DESTROY, status->auto_destroy);
  if (!status->starting)
    json_object_set_int_member (object, AGENT_TIMEOUT, status->agent_timeout);
  if (status->save_path != NULL)
    json_object_set_string_member (object, "save-path", status->save_path);
  if (status->save_id != NULL)
    json_object_set_string_member (object, "save-id", status->save_id);
  if (status->restored_path != NULL)
    json_object_set_string_member (object, "restored-path", status->restored_path);
  if (status->asked.wire != NULL)
    add_asked (object, &status->asked);
  if (status->migration_phase != NULL)
    add_migration (object, status);

  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (root, object);
  return json_to_string (root, TRUE);
}

static gboolean
bad_status (GError **error, const char *member)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "the machine's status file is damaged: member '%s' is missing or out of range", member);
  return FALSE;
}

static gboolean
get_value (JsonObject *object, const char *name, GType type, GValue *ret, GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || json_node_get_value_type (node) != type)
    return bad_status (error, name);
  json_node_get_value (node, ret);
  return TRUE;
}

static gboolean
get_text (JsonObject *object, const char *name, char **ret, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (!get_value (object, name, G_TYPE_STRING, &value, error))
    return FALSE;
  *ret = g_value_dup_string (&value);
  return TRUE;
}

/* One that need not be there. */
static gboolean
get_text_if_any (JsonObject *object, const char *name, char **ret, GError **error)
{
  return !json_object_has_member (object, name) || get_text (object, name, ret, error);
}

static gboolean
get_number (JsonObject *object, const StatusNumber *number, gint64 *ret, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (!get_value (object, number->name, G_TYPE_INT64, &value, error))
    return FALSE;
  *ret = g_value_get_int64 (&value);
  return (*ret >= number->minimum && *ret <= number->maximum) || bad_status (error, number->name);
}

static gboolean
get_switch (JsonObject *object, const char *name, gboolean *ret, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (!get_value (object, name, G_TYPE_BOOLEAN, &value, error))
    return FALSE;
  *ret = g_value_get_boolean (&value);
  return TRUE;
}

static gboolean
get_later_members (JsonObject *object, MachineStatus *status, GError **error)
{
  gint64 seconds = VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK;

  if (json_object_has_member (object, TAINTED) && !get_switch (object, TAINTED, &status->tainted, error))
    return FALSE;
  if (json_object_has_member (object, AUTO_DESTROY)
      && !get_switch (object, AUTO_DESTROY, &status->auto_destroy, error))
    return FALSE;
  if (json_object_has_member (object, AGENT_TIMEOUT) && !get_number (object, &agent_timeout, &seconds, error))
    return FALSE;
  status->agent_timeout = (int)seconds;
  return TRUE;
}

static gboolean
get_migration (JsonObject *object, MachineStatus *status, GError **error)
{
  return !json_object_has_member (object, MIGRATION_PHASE)
         || (get_text (object, MIGRATION_PHASE, &status->migration_phase, error)
             && get_text_if_any (object, MIGRATION_PEER, &status->migration_peer, error)
             && get_number (object, &migration_flags, &status->migration_flags, error)
             && get_switch (object, MIGRATION_RAN, &status->migration_ran, error));
}

MachineStatus *
machine_status_from_json (const char *json, GError **error)
{
  g_autoptr (MachineStatus) status = g_new0 (MachineStatus, 1);
  g_autoptr (JsonObject) object = untrusted_json_object (json, strlen (json));
  gint64 values[NUMBERS];
  gboolean on[SWITCHES];
  guint8 uuid[UUID_BYTES];

  if (object == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "the machine's status file is damaged: it is no JSON object");
    return NULL;
  }
  if (!get_text (object, "name", &status->name, error) || !get_text (object, "uuid", &status->uuid, error))
    return NULL;
  if (!uuid_parse (status->uuid, uuid) || *status->name == '\0') {
    bad_status (error, "uuid");
    return NULL;
  }
  if (!get_text_if_any (object, "save-path", &status->save_path, error)
      || !get_text_if_any (object, "save-id", &status->save_id, error)
      || !get_text_if_any (object, "restored-path", &status->restored_path, error)
      || !get_migration (object, status, error))
    return NULL;
  for (guint i = 0; i < NUMBERS; i++)
    if (!get_number (object, &numbers[i], &values[i], error))
      return NULL;
  for (guint i = 0; i < SWITCHES; i++)
    if (!get_switch (object, switches[i], &on[i], error))
      return NULL;
  if (!get_later_members (object, status, error))
    return NULL;
  get_asked (object, &status->asked);

  status->id = (int)values[NUMBER_ID];
  status->pid = (GPid)values[NUMBER_PID];
  status->start_time = (guint64)values[NUMBER_START_TIME];
  status->state = (int)values[NUMBER_STATE];
  status->reason = (int)values[NUMBER_REASON];
  status->started = values[NUMBER_STARTED];
  status->state_changed = values[NUMBER_CHANGED];
  status->starting = on[SWITCH_STARTING];
  status->transient = on[SWITCH_TRANSIENT];
  status->shutdown_seen = on[SWITCH_SHUTDOWN_SEEN];
  status->restart_on_shutdown = on[SWITCH_RESTART];
  return g_steal_pointer (&status);
}
