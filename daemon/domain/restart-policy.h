/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * Machines that have ended are started again where their policy says so (domaind-policy(5), <restart>). What
 * is due is in run_directory/restarts/UUID.json, so that the next daemon does it. One for the one manager of
 * the process; main loop only.
 */

/* Before the manager loads, and before it is freed; what is due stays so for the next daemon. */
void restart_policies_start (Manager *manager);
void restart_policies_stop (void);
/* Everything is loaded: what an earlier daemon left, and what ended while there was none, is gone on with. */
void restart_policies_begin (void);
/* The host ends, and with it every machine: none is started again. Or it does not, after all. */
void restart_policies_hold (gboolean host_ends);

#define RESTART_POLICY_WHO "restart policy" /* Client.who of its starts */
/* It runs, for that client: where that is somebody else, what was before counts no more. */
void restart_policies_started (const Domain *domain, const char *who);
/* It ended while no daemon ran: a failure. Before restart_policies_begin. */
void restart_policies_ended_unseen (const Domain *domain);
/* Somebody does not want it started again. FALSE: it was not going to be. */
gboolean restart_policies_cancel (const Domain *domain);

/* For people: what its policy has done, and will do; NULL: nothing. (transfer full) */
char *restart_policies_message (const Domain *domain);
