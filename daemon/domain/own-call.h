/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * Calls that the daemon makes by itself about a domain: the same a client would make, each with its lock, job
 * and events, answered to a function here. Main loop only.
 */
typedef void (*OwnCallDone) (GVariant *answer, const GError *error, gpointer data); /* error NULL: done */

/* @who, static, is what stands for a client in the records: "autostart". The procedure of remote_protocol
 * about @domain, with the members of the tuple @rest (floating; NULL: none) after it. */
void
own_call (Domain *domain, const char *who, int procedure, GVariant *rest, OwnCallDone done, gpointer data);
/* One that nothing has begun, for functions that take a call. */
Call *own_call_new (Manager *manager, const char *who, int procedure, OwnCallDone done, gpointer data);

#define OWN_CALL_START 9 /* DOMAIN_CREATE */
