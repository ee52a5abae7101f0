/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/network/network-input.h"

/*
 * The steps of which a running network is made, in their order: a bridge, its addresses, the packet filter
 * and so on. Jobs' threads. Who runs them writes each down first.
 */
typedef struct {
  Job *job;
  const NetworkInput *input;
  NetworkStatus *status; /* being made */
} NetworkRun;

typedef struct {
  const char *name; /* in the log */
  /* Is there something to do for the definition? */
  gboolean (*is_needed) (const NetworkDef *def);
  gboolean (*make) (NetworkRun *run, GError **error);
  /* What is gone already is no error, nor is what was never made. By what @run->status says, as the
   * definition may be another by now. NULL: it goes with the bridge, or stays as it may be others' need as
   * well. */
  gboolean (*undo) (NetworkRun *run, GError **error);
} NetworkStep;

#define NETWORK_STEPS_MAX 32 /* their numbers are bits of a status */
extern const NetworkStep network_steps[];
extern const guint network_step_count;

/* Is what the first step makes there, as ours? TRUE where there is nothing of ours. */
gboolean network_steps_hold (const NetworkStatus *status);
/* The rules of its packet filter, anew. */
gboolean network_step_filter (const NetworkDef *def, GError **error);
