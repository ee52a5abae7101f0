/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands that clients write for QEMU's monitor themselves. What they do to the machine is nobody's to know,
 * so the machine is marked as tainted for as long as it runs.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/ops.h"

#include <libvirt/libvirt-qemu.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  Qmp *qmp;
  char *line;          /* for people's monitor, or: */
  JsonObject *command; /* of QMP */
  int file;            /* to go with it, or -1 */
} MonitorCommand;

static void
monitor_command_free (gpointer data)
{
  MonitorCommand *request = data;

  qmp_unref (request->qmp);
  g_free (request->line);
  g_clear_pointer (&request->command, json_object_unref);
  if (request->file >= 0)
    close (request->file);
  g_free (request);
}

static char *
run_line (const MonitorCommand *request, Job *job, GError **error)
{
  JsonObject *arguments = json_object_new ();
  g_autoptr (JsonNode) answer = NULL;

  json_object_set_string_member (arguments, "command-line", request->line);
  answer = qmp_call_with_fd (request->qmp, job, "human-monitor-command", arguments, request->file, error);
  if (answer == NULL)
    return NULL;
  if (json_node_get_value_type (answer) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (answer));
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "human-monitor-command answered no text");
  return NULL;
}

static gpointer
run_command (Job *job, gpointer input, GError **error)
{
  MonitorCommand *request = input;

  if (request->line != NULL)
    return run_line (request, job, error);
  return qmp_call_verbatim (request->qmp, job, g_steal_pointer (&request->command), request->file, error);
}

static void
command_done (gpointer result, const GError *error, gpointer data)
{
  g_autofree char *text = result;
  Call *call = data;

  if (text == NULL)
    call_fail (call, g_error_copy (error));
  else
    call_answer (call, g_variant_new ("(s)", text));
}

void
op_domain_monitor_command (Call *call)
{
  const char *text = call_string (call, 1);
  guint32 flags = call_uint (call, 2);
  MonitorCommand *request;

  if (!call_check_flags (call, flags, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) || !call_check_monitor (call))
    return;
  if (call_file_count (call) > 1) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "at most 1 fd can be passed to qemu along with a command");
    return;
  }
  request = g_new0 (MonitorCommand, 1);
  request->qmp = qmp_ref (call->domain->machine->qmp);
  request->file = call_file_count (call) == 1 ? g_unix_fd_list_get (call->files, 0, NULL) : -1;
  if (flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
    request->line = g_strdup (text);
  else
    request->command = untrusted_json_object (text, strlen (text));
  if (request->line == NULL && request->command == NULL) {
    monitor_command_free (request);
    call_fail_from (call, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                    "cannot parse json %s: a command of QMP is one JSON object, such as "
                    "{\"execute\":\"query-status\"}",
                    text);
    return;
  }
  machine_taint_by_monitor (call->domain->machine);
  job_start ("monitor-command", run_command, request, monitor_command_free,
             call->manager->settings->call_timeout, command_done, call);
}
