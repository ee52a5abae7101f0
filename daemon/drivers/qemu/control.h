/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/qmp.h"
#include "daemon/host/process.h"

/*
 * What a person does to a running machine. Each but the end is a job function whose input is a
 * ControlRequest and whose result is JOB_OK. State changes are not made here: QEMU's events bring them,
 * before the job's own end (see machine-events.h, machine_events_expect_*).
 */
typedef struct {
  Qmp *qmp;
} ControlRequest;

/* @qmp is referenced. */
ControlRequest *control_request_new (Qmp *qmp);
void control_request_free (gpointer request);

gpointer control_shutdown (Job *job, gpointer request,
                           GError **error); /* ACPI power button; the guest may ignore it */
gpointer control_reset (Job *job, gpointer request, GError **error);
gpointer control_suspend (Job *job, gpointer request, GError **error);
gpointer control_resume (Job *job, gpointer request, GError **error);
gpointer
control_wakeup (Job *job, gpointer request, GError **error); /* from the guest's own suspend to memory */
gpointer control_nmi (Job *job, gpointer request, GError **error);
/* A reboot without a new QEMU process, after the guest has shut down: reset, then run. */
gpointer control_restart (Job *job, gpointer request, GError **error);

/* Main loop, never queued, never waits: SIGTERM now, SIGKILL when the process is still there after
 * CONTROL_END_GRACE. @graceful: no SIGKILL. The end itself is told by process_watch. */
#define CONTROL_END_GRACE 2000 /* ms: time for QEMU to flush its images; a wedged one has no use for more */
void control_end (Process *process, gboolean graceful);
/* Any thread: SIGKILL, and wait until it is gone (bounded: a process in the kernel's hands can linger). */
void control_kill_and_wait (Process *process);
