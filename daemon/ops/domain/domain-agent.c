/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the guest's agent does: commands that clients write themselves, the guest's clock, file systems,
 * passwords, and its end or sleep. What it tells of the guest is in domain-agent-info.c.
 */
#include "daemon/domain/machine-asked.h"
#include "daemon/ops/domain/agent-call.h"

#include <libvirt/libvirt-qemu.h>
#include <string.h>

/* Commands as clients write them. */

static JsonObject *
written_command (const AgentContext *context, GError **error)
{
  JsonObject *command;
  const char *text;

  g_variant_get_child (context->arguments, 1, "&s", &text);
  command = untrusted_json_object (text, strlen (text));
  if (command == NULL)
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "cannot parse json %s: a command for the guest agent is one JSON object, such as "
                         "{\"execute\":\"guest-ping\"}",
                         text);
  return command;
}

static GVariant *
ask_verbatim (Agent *agent, const AgentContext *context, GError **error)
{
  JsonObject *command = written_command (context, error);
  g_autofree char *answer = command != NULL ? agent_call_verbatim (agent, command, error) : NULL;

  return answer != NULL ? g_variant_new ("(ms)", answer) : NULL;
}

static GVariant *
send_verbatim (Agent *agent, const AgentContext *context, GError **error)
{
  JsonObject *command = written_command (context, error);

  return command != NULL && agent_send_verbatim (agent, command, error) ? g_variant_new ("(ms)", "") : NULL;
}

void
op_domain_agent_command (Call *call)
{
  int timeout = call_int (call, 2);

  if (!call_check_flags (call, call_uint (call, 3), 0))
    return;
  if (timeout < VIR_DOMAIN_QEMU_AGENT_COMMAND_MIN)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "guest agent timeout '%d' is less than the minimum '%d'",
                    timeout, VIR_DOMAIN_QEMU_AGENT_COMMAND_MIN);
  else if (timeout == VIR_DOMAIN_QEMU_AGENT_COMMAND_NOWAIT)
    agent_call_begin (call, send_verbatim, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT,
                      call->manager->settings->call_timeout);
  else
    agent_call_begin (call, ask_verbatim, timeout, 0);
}

void
op_domain_agent_set_response_timeout (Call *call)
{
  int timeout = call_int (call, 1);

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (timeout < VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "guest agent timeout '%d' is less than the minimum '%d'",
                    timeout, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK);
  } else {
    call->domain->agent_timeout = timeout;
    if (domain_is_active (call->domain))
      machine_save_status (call->domain->machine);
    call_answer (call, g_variant_new ("(i)", 0));
  }
}

/* The guest's clock. */

static GVariant *
get_time (Agent *agent, const AgentContext *context G_GNUC_UNUSED, GError **error)
{
  g_autoptr (JsonNode) answer = agent_call (agent, "guest-get-time", NULL, error);
  gint64 nanoseconds;

  if (answer == NULL)
    return NULL;
  nanoseconds = json_node_get_value_type (answer) == G_TYPE_INT64 ? json_node_get_int (answer) : 0;
  return g_variant_new ("(xu)", nanoseconds / 1000000000, (guint32)ABS (nanoseconds % 1000000000));
}

void
op_domain_get_time (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    agent_call_query (call, get_time);
}

static GVariant *
set_time (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (JsonNode) set = NULL, reinjected = NULL;
  JsonObject *arguments = NULL;
  guint32 nanoseconds, flags;
  gint64 seconds;

  g_variant_get (context->arguments, "(@(sayi)xuu)", NULL, &seconds, &nanoseconds, &flags);
  if (!(flags & VIR_DOMAIN_TIME_SYNC)) {
    if (seconds > G_MAXINT64 / 1000000000 - 1 || seconds < -(G_MAXINT64 / 1000000000 - 1)) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "Time '%" G_GINT64_FORMAT "' is too big for guest agent",
                      seconds);
      return NULL;
    }
    arguments = json_object_new ();
    json_object_set_int_member (arguments, "time", seconds * 1000000000 + nanoseconds);
  }
  set = agent_call (agent, "guest-set-time", arguments, error);
  /* Ticks that the guest missed are not to move its clock once more. */
  reinjected =
      set != NULL ? qmp_call (context->qmp, context->job, "rtc-reset-reinjection", NULL, error) : NULL;
  return reinjected != NULL ? g_variant_new ("()") : NULL;
}

void
op_domain_set_time (Call *call)
{
  if (call_check_flags (call, call_uint (call, 3), VIR_DOMAIN_TIME_SYNC))
    agent_call_query (call, set_time);
}

/* File systems. */

static GVariant *
count_answer (JsonNode *answer)
{
  gint64 count = json_node_get_value_type (answer) == G_TYPE_INT64 ? json_node_get_int (answer) : 0;

  return g_variant_new ("(i)", (gint32)CLAMP (count, 0, G_MAXINT32));
}

static GVariant *
freeze (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (context->arguments, 1);
  JsonObject *arguments = NULL;
  g_autoptr (JsonNode) answer = NULL;

  if (g_variant_n_children (list) > 0) {
    JsonArray *points = json_array_new ();

    for (gsize i = 0; i < g_variant_n_children (list); i++) {
      g_autoptr (GVariant) point = g_variant_get_child_value (list, i);

      json_array_add_string_element (points, g_variant_get_string (point, NULL));
    }
    arguments = json_object_new ();
    json_object_set_array_member (arguments, "mountpoints", points);
  }
  answer = agent_call (agent, arguments != NULL ? "guest-fsfreeze-freeze-list" : "guest-fsfreeze-freeze",
                       arguments, error);
  return answer != NULL ? count_answer (answer) : NULL;
}

void
op_domain_fsfreeze (Call *call)
{
  if (call_check_flags (call, call_uint (call, 2), 0))
    agent_call_query (call, freeze);
}

static GVariant *
thaw (Agent *agent, const AgentContext *context G_GNUC_UNUSED, GError **error)
{
  g_autoptr (JsonNode) answer = agent_call (agent, "guest-fsfreeze-thaw", NULL, error);

  return answer != NULL ? count_answer (answer) : NULL;
}

void
op_domain_fsthaw (Call *call)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 1);

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (g_variant_n_children (list) > 0)
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED, "specifying mountpoints is not supported");
  else
    agent_call_query (call, thaw);
}

static GVariant *
trim (Agent *agent, const AgentContext *context, GError **error)
{
  JsonObject *arguments = json_object_new ();
  g_autoptr (JsonNode) answer = NULL;
  guint64 minimum;

  g_variant_get_child (context->arguments, 2, "t", &minimum);
  json_object_set_int_member (arguments, "minimum", (gint64)MIN (minimum, G_MAXINT64));
  answer = agent_call (agent, "guest-fstrim", arguments, error);
  return answer != NULL ? g_variant_new ("()") : NULL;
}

void
op_domain_fstrim (Call *call)
{
  if (!call_check_flags (call, call_uint (call, 3), 0))
    return;
  if (call_maybe_string (call, 1) != NULL && *call_maybe_string (call, 1) != '\0')
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED, "Specifying mount point is not supported for now");
  else
    agent_call_query (call, trim);
}

/* Its end, and sleep. */

static gboolean
order_shutdown (Agent *agent, const char *mode, GError **error)
{
  JsonObject *arguments = json_object_new ();

  json_object_set_string_member (arguments, "mode", mode);
  return agent_order (agent, "guest-shutdown", arguments, error);
}

static GVariant *
power_down (Agent *agent, const AgentContext *context G_GNUC_UNUSED, GError **error)
{
  return order_shutdown (agent, "powerdown", error) ? g_variant_new ("()") : NULL;
}

static GVariant *
reboot (Agent *agent, const AgentContext *context G_GNUC_UNUSED, GError **error)
{
  return order_shutdown (agent, "reboot", error) ? g_variant_new ("()") : NULL;
}

void
call_order_agent (Call *call, gboolean restart)
{
  if (domain_is_active (call->domain))
    machine_events_restart_on_shutdown (call->domain->machine->events,
                                        FALSE); /* the guest does that itself */
  if (domain_is_active (call->domain) && !restart)
    machine_note_asked (call->domain->machine, call, NULL);
  agent_call_query (call, restart ? reboot : power_down);
}

static GVariant *
suspend (Agent *agent, const AgentContext *context, GError **error)
{
  static const char *const commands[] = { "guest-suspend-ram", "guest-suspend-disk", "guest-suspend-hybrid" };
  guint32 target;

  g_variant_get_child (context->arguments, 1, "u", &target);
  return agent_order (agent, commands[target], NULL, error) ? g_variant_new ("()") : NULL;
}

void
op_domain_pm_suspend_for_duration (Call *call)
{
  guint32 target = call_uint (call, 1);

  if (!call_check_flags (call, call_uint (call, 3), 0))
    return;
  if (call_ulong (call, 2) != 0)
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED, "Duration not supported. Use 0 for now");
  else if (target > VIR_NODE_SUSPEND_TARGET_HYBRID)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "Unknown suspend target: %u", target);
  else
    agent_call_query (call, suspend);
}
