/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

/*
 * How far a long job (save, restore, dump) has come, and whether somebody wants it given up. Shared between
 * the job's thread and the main loop; reference counted, any thread.
 *
 * Giving up is not cancelling: a cancelled job is one whose machine is being ended, a job that is given up
 * puts the machine back as it was.
 */
typedef struct Progress Progress;

/* As libvirt's job statistics have them. Bytes, unless said otherwise. */
typedef struct {
  guint64 total, processed, remaining;
  guint64 constant, normal; /* pages that were all one byte, and others */
  guint64 normal_bytes;
  guint64 page_size;
  guint64 iteration;
  guint64 bytes_per_second, dirty_pages_per_second;
  guint64 downtime, setup_time; /* ms */
  guint64 postcopy_requests;
  guint64 temporary_used, temporary_total; /* of a backup's scratch files */
  gboolean is_memory;                      /* the figures are the guest's memory; otherwise a file's */
} ProgressFigures;

Progress *progress_new (virDomainJobOperation operation);
Progress *progress_ref (Progress *progress);
void progress_unref (Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Progress, progress_unref)

/* It has begun earlier, in another daemon: g_get_real_time. Before it is shared. */
void progress_set_started (Progress *progress, gint64 started);
virDomainJobOperation progress_operation (const Progress *progress);
void progress_set (Progress *progress, const ProgressFigures *figures);
void progress_get (Progress *progress, ProgressFigures *ret);
/* It is over: its time stands still. @type: VIR_DOMAIN_JOB_COMPLETED, _FAILED, _CANCELLED. */
void progress_end (Progress *progress, virDomainJobType type);
virDomainJobType progress_type (Progress *progress); /* VIR_DOMAIN_JOB_UNBOUNDED while it runs */
guint64 progress_milliseconds (Progress *progress);
/* The guest stands still from now on, for this job. */
void progress_tell_stopped (Progress *progress);
/* How long it has stood still, in ms; @otherwise when nobody told. */
guint64 progress_milliseconds_stopped (Progress *progress, guint64 otherwise);

/* It cannot be given up, and @why (static) is what whoever asks is told. Before the job starts. */
void progress_forbid_giving_up (Progress *progress, const char *why);
const char *progress_why_not_give_up (const Progress *progress); /* NULL: it can */
void progress_give_up (Progress *progress);
gboolean progress_is_given_up (Progress *progress);
/* Sleep, at most so long; woken by progress_give_up. */
void progress_wait (Progress *progress, guint milliseconds);
/* What went wrong, when it is told apart from the job's own conversation: by an event of QEMU's. */
void progress_tell_problem (Progress *progress, const char *problem);
/* Waits for it, at most so long. (transfer full) NULL: nothing was told. */
char *progress_wait_for_problem (Progress *progress, guint milliseconds);
