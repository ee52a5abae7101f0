/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * When a machine counts as started for those that come after it: what its policy's <ready> names
 * (domaind-policy(5)) is looked for from its start on, whoever started it, until all of it is there. One that
 * is late is looked at further, less often: its others are told by then that it is not ready, and who asks
 * later is told how it is then. One for the one manager of the process; main loop only.
 */
typedef enum {
  READY_NOT_RUNNING,
  READY_WAITING, /* it has time left */
  READY_LATE,    /* its time is over */
  READY_YES,
} ReadyState;

/* Before the manager loads, and before it is freed. */
void readiness_start (Manager *manager);
void readiness_stop (void);

/* Its machine runs: begun now, afresh or (@goes_on) with a state that it has had; or found again. */
void readiness_machine_started (const Domain *domain, gboolean goes_on);
void readiness_machine_found (const Domain *domain);

ReadyState readiness_state (const Domain *domain);
/* What is missing, "port 80 at 10.0.0.2 takes no connection", and with READY_LATE the time it has had; NULL:
 * nothing. (transfer full) */
char *readiness_missing (const Domain *domain);

/* @changed: a machine has become ready, is late, or has ended before either. */
typedef struct ReadinessSubscription ReadinessSubscription;
ReadinessSubscription *readiness_subscribe (void (*changed) (gpointer data), gpointer data);
void readiness_unsubscribe (ReadinessSubscription *subscription);
