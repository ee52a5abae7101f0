/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a call to a conversation with the guest's agent, and back. An agent is there when the guest has opened
 * its channel; that is known from QEMU's events, so who asks for one that is not there need not wait to be
 * told.
 */
#include "daemon/ops/domain/agent-call.h"

#include "domain/devices/channel.h"

typedef struct {
  Call *call;
  AgentWork work;
  int timeout;
  char *path;
  pid_t process;
  DomainDef *def;
  Qmp *qmp;
  GVariant *arguments;
} AgentRequest;

static void
agent_request_free (gpointer data)
{
  AgentRequest *request = data;

  g_free (request->path);
  domain_def_unref (request->def);
  qmp_unref (request->qmp);
  g_variant_unref (request->arguments);
  g_free (request);
}

static gpointer
talk (Job *job, gpointer input, GError **error)
{
  const AgentRequest *request = input;
  const AgentContext context = { request->def, request->qmp, request->arguments, job };
  g_autoptr (Agent) agent = agent_open (request->path, request->process, job, request->timeout, error);
  GVariant *answer = agent != NULL ? request->work (agent, &context, error) : NULL;

  return answer != NULL ? g_variant_ref_sink (answer) : NULL;
}

static void
talked (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (GVariant) answer = result;
  Call *call = data;

  if (answer == NULL)
    call_fail (call, g_error_copy (error));
  else
    call_answer (call, answer);
}

/* Those that look for the agent first, and for a machine that runs only with it: to libvirt's clients the
 * error is then the QEMU driver's. */
static gboolean
looks_for_agent_first (const Operation *operation)
{
  static const char *const names[] = { "DOMAIN_FSTRIM",
                                       "DOMAIN_GET_GUEST_INFO",
                                       "DOMAIN_SET_GUEST_VCPUS",
                                       "DOMAIN_AUTHORIZED_SSH_KEYS_GET",
                                       "DOMAIN_AUTHORIZED_SSH_KEYS_SET",
                                       "DOMAIN_PM_SUSPEND_FOR_DURATION",
                                       "DOMAIN_REBOOT",
                                       "DOMAIN_SHUTDOWN_FLAGS",
                                       NULL };

  return g_strv_contains (names, operation->name);
}

const DeviceChannel *
call_find_agent (Call *call)
{
  GError *error = NULL;

  if (!looks_for_agent_first (call->operation) && !domain_check_active (call->domain, &error)) {
    call_fail (call, error);
    return NULL;
  }
  if (call->domain->state != VIR_DOMAIN_RUNNING) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return NULL;
  }
  DOMAIN_FOREACH_DEVICE (call->domain->machine->def, channel_kind, DeviceChannel, channel) {
    if (g_strcmp0 (channel->name, CHANNEL_OF_AGENT) != 0 || channel->source.type != CHARDEV_UNIX
        || chardev_path (&channel->source) == NULL)
      continue;
    if (channel->state == CHANNEL_STATE_CONNECTED)
      return channel;
    call_fail_with (call, VIR_ERR_AGENT_UNRESPONSIVE, "QEMU guest agent is not connected");
    return NULL;
  }
  call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not configured");
  return NULL;
}

void
agent_call_begin (Call *call, AgentWork work, int timeout, guint seconds)
{
  const DeviceChannel *channel = call_find_agent (call);
  Machine *machine;
  AgentRequest *request;

  if (channel == NULL)
    return;
  machine = call->domain->machine;
  if (!call_check_monitor (call))
    return;
  request = g_new0 (AgentRequest, 1);
  request->work = work;
  request->timeout = timeout;
  request->path = g_strdup (chardev_path (&channel->source));
  request->process = process_pid (machine->process);
  request->def = domain_def_ref (machine->def);
  request->qmp = qmp_ref (machine->qmp);
  request->arguments = g_variant_ref (call->arguments);
  job_start ("agent", talk, request, agent_request_free, seconds, talked, call);
}

void
agent_call_query (Call *call, AgentWork work)
{
  agent_call_begin (call, work, call->domain->agent_timeout, call->manager->settings->call_timeout);
}

/* Reading. */

/* Reading. */

gint64
agent_number (JsonObject *object, const char *name)
{
  gint64 value = 0;

  untrusted_number (object, name, &value);
  return value;
}

JsonObject *
agent_item (JsonArray *list, guint index)
{
  return untrusted_object_of (json_array_get_element (list, index));
}

JsonArray *
agent_ask_list (Agent *agent, const char *command, guint limit, GError **error)
{
  g_autoptr (JsonNode) answer = agent_call (agent, command, NULL, error);

  if (answer == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_ARRAY (answer) && json_array_get_length (json_node_get_array (answer)) <= limit)
    return json_node_dup_array (answer);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "the guest agent answered '%s' with no list of at most %u",
                  command, limit);
  return NULL;
}
