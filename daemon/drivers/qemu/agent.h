/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/untrusted-json.h"
#include "daemon/core/job.h"

/*
 * A conversation with the agent inside a guest, on the host's end of its channel. Used in a job's thread,
 * which waits; one conversation at a time with each agent, the others wait for their turn. What the agent
 * says is untrusted: length and nesting are bounded, and every wait has a deadline.
 */
#define AGENT_SYNC_SECONDS 5 /* an agent that lives answers a greeting in that time, as in libvirt */
/* An agent's word is the guest's. What is meant is small but for the bytes of a file or a program's output,
 * which are one value. */
#define AGENT_MAX_LINE   (4 * 1024 * 1024)  /* bytes of one answer */
#define AGENT_MAX_VALUES 16384              /* of one answer */
#define AGENT_MAX_PASSED (16 * 1024 * 1024) /* bytes of others' answers passed over before our greeting's */

typedef struct Agent Agent;

/* Connect to the socket at @path, on which the process @qemu listens, and greet the agent. @timeout: seconds
 * it has for each answer, or one of virDomainAgentResponseTimeoutValues (BLOCK: as long as the job has). NULL
 * with VIR_ERR_AGENT_UNRESPONSIVE when it does not answer. @job must outlive the agent. */
Agent *agent_open (const char *path, pid_t qemu, Job *job, int timeout, GError **error);
void agent_close (Agent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Agent, agent_close)

/* Ask; @arguments is taken and may be NULL. The value of "return", or NULL with VIR_ERR_INTERNAL_ERROR (the
 * agent's own text) or VIR_ERR_AGENT_UNRESPONSIVE. */
JsonNode *agent_call (Agent *agent, const char *command, JsonObject *arguments, GError **error);
/* The same for a command somebody else wrote, whole (taken): the whole answer as text. */
char *agent_call_verbatim (Agent *agent, JsonObject *command, GError **error);
/* Send a command that somebody else wrote, and wait for nothing. Takes @command. */
gboolean agent_send_verbatim (Agent *agent, JsonObject *command, GError **error);
/* A command that is answered only when it fails (guest-shutdown): obeyed when the agent then still greets, or
 * is gone, or does not speak any more. */
gboolean agent_order (Agent *agent, const char *command, JsonObject *arguments, GError **error);
