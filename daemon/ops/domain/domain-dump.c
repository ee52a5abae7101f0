/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dumping a machine into a file of a client's. The job is daemon/drivers/qemu/dump.h's; what becomes of the
 * machine afterwards (it goes on, or has crashed) is committed here.
 */
#include "daemon/domain/machine-asked.h"
#include "daemon/domain/machine-backup.h"
#include "daemon/drivers/qemu/dump.h"
#include "daemon/ops/ops.h"

#define DUMP_FORMATS (VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP + 1)
#define DUMP_KNOWN_FLAGS \
  (VIR_DUMP_CRASH | VIR_DUMP_LIVE | VIR_DUMP_BYPASS_CACHE | VIR_DUMP_RESET | VIR_DUMP_MEMORY_ONLY)

typedef struct {
  char *path;
  guint format; /* virDomainCoreDumpFormat */
  guint flags;
} Dump;

static void
dump_free (gpointer data)
{
  Dump *dump = data;

  g_free (dump->path);
  g_free (dump);
}

static void
dump_done (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;
  const Dump *dump = call->user_data;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);
  Machine *machine = domain != NULL ? domain->machine : NULL;

  if (domain != NULL) {
    domain->job = NULL;
    domain_end_progress (domain, error);
  }
  if (result == NULL) {
    call_fail (call, g_error_copy (error));
  } else if (machine != NULL && (dump->flags & VIR_DUMP_CRASH)) {
    machine_note_asked (machine, call, NULL);
    machine_answer_at_end (machine, call, DESTROY_SECONDS);
    machine_end (machine, FALSE, VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_CRASHED);
  } else {
    call_answer_nothing (call);
  }
}

static void
dump_now (Call *call, Domain *domain)
{
  Machine *machine = domain->machine;
  const Dump *dump = call->user_data;
  guint patience = call->manager->settings->call_timeout;
  gboolean memory_only = (dump->flags & VIR_DUMP_MEMORY_ONLY) != 0;
  Progress *progress = dump_progress_new (memory_only);
  DumpRequest *request = dump_request_new (machine->qmp, dump->path, progress, patience);

  request->memory_only = memory_only;
  request->format = (virDomainCoreDumpFormat)dump->format;
  request->running = domain->state == VIR_DOMAIN_RUNNING;
  request->live = (dump->flags & VIR_DUMP_LIVE) != 0;
  request->reset = (dump->flags & VIR_DUMP_RESET) != 0;
  request->leave_stopped = (dump->flags & VIR_DUMP_CRASH) != 0;
  request->drop_cache = (dump->flags & VIR_DUMP_BYPASS_CACHE) != 0;
  if (request->running)
    machine_events_expect_pause (machine->events, VIR_DOMAIN_PAUSED_DUMP, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
  progress_unref (domain->progress); /* a crashed guest's dump, which QEMU does not let be two */
  domain->progress = progress;
  domain->job = job_start ("dump", dump_job, request, dump_request_free, patience, dump_done, call);
}

static void
dump_begin (Domain *domain, Call *call)
{
  GError *error = NULL;

  if (!call_check_monitor (call))
    return;
  if (domain_check_no_backup (domain, &error))
    dump_now (call, domain);
  else
    call_fail (call, error);
}

/* FALSE, and the call failed, when the flags or the format cannot be. */
static gboolean
check_request (Call *call, guint format, guint flags)
{
  static const struct {
    guint one, other;
    const char *names;
  } exclusive[] = {
    { VIR_DUMP_CRASH, VIR_DUMP_LIVE, "Flags 'VIR_DUMP_CRASH' and 'VIR_DUMP_LIVE'" },
    { VIR_DUMP_CRASH, VIR_DUMP_RESET, "Flags 'VIR_DUMP_CRASH' and 'VIR_DUMP_RESET'" },
    { VIR_DUMP_LIVE, VIR_DUMP_RESET, "Flags 'VIR_DUMP_LIVE' and 'VIR_DUMP_RESET'" },
  };

  if (!call_check_flags (call, flags, DUMP_KNOWN_FLAGS))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (exclusive); i++)
    if ((flags & exclusive[i].one) && (flags & exclusive[i].other)) {
      call_fail_with (call, VIR_ERR_INVALID_ARG, "%s are mutually exclusive", exclusive[i].names);
      return FALSE;
    }
  if (format >= DUMP_FORMATS) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "dumpformat '%u' is not supported", format);
    return FALSE;
  }
  if (format != VIR_DOMAIN_CORE_DUMP_FORMAT_RAW && !(flags & VIR_DUMP_MEMORY_ONLY)) {
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                    "kdump-compressed format is only supported with memory-only dump");
    return FALSE;
  }
  return TRUE;
}

static void
dump_call (Call *call, guint format, guint flags)
{
  GError *error = NULL;
  Dump *dump;

  if (!check_request (call, format, flags))
    return;
  if (!domain_check_active (call->domain, &error)) {
    call_fail (call, error);
    return;
  }
  dump = g_new0 (Dump, 1);
  dump->path = g_strdup (call_string (call, 1));
  dump->format = format;
  dump->flags = flags;
  call->user_data = dump;
  call->user_free = dump_free;
  domain_lock (call->domain, "dump", call, dump_begin);
}

void
op_domain_core_dump (Call *call)
{
  dump_call (call, VIR_DOMAIN_CORE_DUMP_FORMAT_RAW, call_uint (call, 2));
}

void
op_domain_core_dump_with_format (Call *call)
{
  dump_call (call, call_uint (call, 2), call_uint (call, 3));
}
