/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/untrusted-json.h"
#include "daemon/core/job.h"

/*
 * The QMP conversation with one QEMU: greeting, capabilities, commands answered in any order, events, and
 * the end. The socket belongs to the main loop; the only thing shared with jobs is the mailbox of waiting
 * commands inside. On hang-up every waiting command fails once, with QEMU's last words.
 * What QEMU says is untrusted: line length and nesting are bounded.
 */
#define QMP_MAX_LINE \
  (16 * 1024 * 1024) /* bytes of one message; query-qmp-schema is the largest known, 0.3 MB */
#define QMP_MAX_WAITING 256

typedef struct Qmp Qmp;

typedef struct {
  /* All in the main loop. */
  void (*ready) (Qmp *qmp, gpointer data); /* greeting done */
  void (*event) (Qmp *qmp, const char *name, JsonObject *arguments, gint64 microseconds, gpointer data);
  void (*closed) (Qmp *qmp, const GError *error, gpointer data); /* once, the last call */
} QmpHandlers;

#define QMP_MAX_DEPTH  UNTRUSTED_JSON_MAX_DEPTH
#define QMP_MAX_EVENTS 4096 /* kept while there are no handlers yet */

/* Main loop only. Takes the socket, connected to QEMU or to one it will accept on; @data is passed to
 * @handlers. NULL @handlers: what happens is kept inside until qmp_set_handlers, which then tells it in
 * order. Commands are numbered from @first_id on: QEMU answers what a daemon that ended has asked on whatever
 * connection comes next, so one that speaks to a QEMU found again begins where that daemon's numbers are not
 * (qmp_any_id). */
Qmp *qmp_new (int connected_fd, guint first_id, const QmpHandlers *handlers, gpointer data);
guint qmp_any_id (void);
void qmp_set_handlers (Qmp *qmp, const QmpHandlers *handlers, gpointer data);
Qmp *qmp_ref (Qmp *qmp);
void qmp_unref (Qmp *qmp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Qmp, qmp_unref)
void qmp_close (Qmp *qmp); /* main loop; waiting commands fail; no handler is called any more */
gboolean qmp_is_ready (const Qmp *qmp);

/* In a job's thread: ask and wait until the job's deadline. Takes @arguments (may be NULL). The value of
 * "return" (transfer full), or NULL with VIR_ERR_INTERNAL_ERROR (QEMU's own text),
 * VIR_ERR_OPERATION_TIMEOUT or VIR_ERR_OPERATION_FAILED (hung up). @fd: a descriptor sent along with
 * SCM_RIGHTS, or -1; stays the caller's. */
JsonNode *qmp_call (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error);
/* The same for a command whose answer says nothing. */
gboolean qmp_run (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error);
JsonNode *
qmp_call_with_fd (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, int fd, GError **error);
/* The same in two halves, for questions that need not wait for each other's answers. Every question is
 * awaited, once, before the job ends: qmp_await takes it, also where the wait fails. */
typedef struct QmpCommand QmpQuestion;
QmpQuestion *qmp_send (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error);
JsonNode *qmp_await (Qmp *qmp, Job *job, QmpQuestion *question, GError **error);
/* The same for a command that somebody else wrote, @command a whole QMP object (taken): all that QEMU says to
 * it, an error too, as text with the command's own "id" or one of ours. @error only when QEMU says nothing.
 */
char *qmp_call_verbatim (Qmp *qmp, Job *job, JsonObject *command, int fd, GError **error);
/* Wait for the greeting to be done. */
gboolean qmp_wait_ready (Qmp *qmp, Job *job, GError **error);

/* In the main loop: ask; @reply is called once with the answer or the error, within @timeout_seconds. */
typedef void (*QmpReply) (JsonNode *answer, const GError *error, gpointer data);
void qmp_query (Qmp *qmp, const char *command, JsonObject *arguments, guint timeout_seconds, QmpReply reply,
                gpointer data);
