/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "image/guest-wire.h"

/* What is to be run in a machine, as a line for its init (image/guest-wire.h). */
GString *guest_plan_new (void);
void guest_plan_add (GString *plan, const char *key, const char *value);

/*
 * A conversation with a program in such a machine: its output to ours, our input and signals to it.
 */
typedef struct {
  const char *plan;  /* what an exec port is to start; NULL: the main port's program */
  gboolean input;    /* our standard input is the program's */
  gboolean terminal; /* ours is raw meanwhile, and Ctrl-] leaves the program alone */
  int patience;      /* milliseconds until the machine must have said something */
} GuestSession;

typedef enum { GUEST_ENDED, GUEST_LEFT, GUEST_GONE } GuestEnd;

/* Over @port, which stays open. GUEST_ENDED: the program did, with *ret_status; GUEST_LEFT: the user left it;
 * GUEST_GONE: the machine is gone, or said nothing in time. Blocking. */
GuestEnd guest_session_run (const GuestSession *session, int port, int *ret_status);
