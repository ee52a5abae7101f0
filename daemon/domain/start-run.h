/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * Machines that start together, as when the host does: in the order of their policies (domaind-policy(5),
 * <start>), with what they require. What is left to start is in run_directory/autostart, so that the next
 * daemon goes on with it. One at a time; main loop only.
 */

/* @uuids: char *, of domains; those that are gone or run already are left out. @who, static, is what stands
 * for a client in the records. */
void start_run_begin (Manager *manager, const GPtrArray *uuids, const char *who);
/* What an earlier daemon had left to start: UUIDs, none where it was done. (transfer full) */
GPtrArray *start_run_left (const Manager *manager);
