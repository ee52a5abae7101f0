/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "domain/policy.h"

/*
 * What a machine's restart policy has done so far, and what it does next. Pure: times are given, microseconds
 * of one clock (g_get_monotonic_time). Restarts older than the policy's interval count no more, so that a
 * machine that ran well for so long begins anew.
 */
#define RESTART_HISTORY_MAX  4096 /* restarts that are remembered: a greater limit is never reached */
#define RESTART_HISTORY_FILE (1024 * 1024) /* bytes of one as text */

typedef struct {
  GArray *restarts; /* gint64: when each was made, the oldest first */
  gint64 due;       /* when the next will be; 0: none is */
  gboolean given_up;
  guint counted, limit, interval; /* as they were when it was last planned: for messages */
} RestartHistory;

RestartHistory *restart_history_new (void);
void restart_history_free (RestartHistory *history); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RestartHistory, restart_history_free)

/* How a machine ended. */
typedef enum {
  ENDED_WANTED,   /* somebody asked for it, or it goes on elsewhere or later */
  ENDED_SHUTDOWN, /* its guest has shut down */
  ENDED_FAILURE,  /* its process failed or was killed, or its guest panicked; a restart that failed */
} EndedHow;
gboolean restart_is_wanted (const Policy *policy, EndedHow how);

/* A restart is wanted at @now: sets when it is due, or that it is given up. */
void restart_history_plan (RestartHistory *history, const Policy *policy, gint64 now);
/* It is made at @now. */
void restart_history_made (RestartHistory *history, gint64 now);

char *restart_history_to_json (const RestartHistory *history); /* (transfer full) */
/* Untrusted. NULL with @error: damaged. */
RestartHistory *restart_history_from_json (const char *json, gsize length, GError **error);
