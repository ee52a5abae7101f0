/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/policy.h"

/*
 * Ports of a machine that are tried until each has taken a connection, which is closed at once: nothing is
 * read from it and nothing written. Main loop only, which waits for none of it.
 */
#define READY_CONNECT_SECONDS 3 /* for one connection */

typedef struct ReadyPorts ReadyPorts;

ReadyPorts *ready_ports_new (const GPtrArray *ports); /* PolicyPort, borrowed; NULL: none */
void ready_ports_cancel (ReadyPorts *ports);          /* what is being tried is given up */
void ready_ports_free (ReadyPorts *ports);            /* when nothing is tried any more */

/* Is there one at the machine's own address that has not taken a connection? */
gboolean ready_ports_want_address (const ReadyPorts *ports);
/* Try those that have not, at the machine's address (NULL: not known) where they have none of their own.
 * @done is called once, perhaps at once. */
void ready_ports_try (ReadyPorts *ports, const char *address, void (*done) (gpointer data), gpointer data);
/* Those that have not: "port 80 at 10.0.0.2 takes no connection: Connection refused", after "; " where @list
 * has something. */
void ready_ports_add_missing (const ReadyPorts *ports, GString *list);
