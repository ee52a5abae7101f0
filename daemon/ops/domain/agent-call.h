/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/untrusted-json.h"
#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/agent.h"
#include "daemon/ops/ops.h"
#include "domain/devices/channel.h"

/*
 * Operations that the agent inside the guest carries out. Each is a plain function in a job's thread, which
 * talks to the agent and returns the call's answer.
 */
typedef struct {
  const DomainDef *def; /* live */
  Qmp *qmp;             /* for what QEMU has to do as well */
  GVariant *arguments;  /* the call's */
  Job *job;
} AgentContext;

/* The answer, a tuple (floating), or NULL with @error. */
typedef GVariant *(*AgentWork) (Agent *agent, const AgentContext *context, GError **error);

/* Takes the call over: failed at once, in libvirt's words, when the domain does not run or has no agent.
 * @timeout: see agent_open; @seconds: the job's time, 0 for no bound. */
void agent_call_begin (Call *call, AgentWork work, int timeout, guint seconds);
/* The same with the domain's own response timeout. */
void agent_call_query (Call *call, AgentWork work);

/* The channel of the agent of the call's domain, which runs; NULL, and the call failed in libvirt's words,
 * when it has none that is connected. */
const DeviceChannel *call_find_agent (Call *call);

/* Reading what an agent says, beside base/untrusted-json.h: 0 for what is missing or no whole number. */
gint64 agent_number (JsonObject *object, const char *name);
/* The object at @index of @list, or NULL. */
JsonObject *agent_item (JsonArray *list, guint index);
/* A list that a command answers, or NULL with @error. At most @limit items. (transfer full) */
JsonArray *agent_ask_list (Agent *agent, const char *command, guint limit, GError **error);
