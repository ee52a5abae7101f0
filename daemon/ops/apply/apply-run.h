/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/domain/readiness.h"
#include "daemon/ops/apply/plan.h"

/*
 * A plan being done. Its steps are taken in stages (apply-run.c): those of one stage so many at a time, and
 * the next stage when all of one are over. A step that fails is told of, and what needs it is left; all else
 * goes on, and a second apply finds what is left to do. Main loop only.
 */
#define APPLY_PARALLEL_DEFAULT 8
#define APPLY_PARALLEL_MAX     64

typedef struct ApplyRun ApplyRun;
typedef struct {
  ApplyRun *run;
  PlanItem *item;
} ApplyStep;

struct ApplyRun {
  Call *call;
  PlanInput *input;
  Plan *plan;
  guint parallel;
  int progress;   /* descriptor that gets a line for each step; -1: none */
  guint stage;    /* row of the stages */
  GQueue waiting; /* PlanItem: whose step of this stage has not begun */
  guint taken;    /* steps that have begun and are not over */
  gboolean advancing;
  guint resting;       /* machines whose delay before their start is not over */
  gboolean over;       /* nothing more is changed: another apply may begin */
  gboolean waits;      /* until what runs is ready */
  GHashTable *rested;  /* PlanItem: those whose delay is over */
  GHashTable *unready; /* PlanItem to char *: what is missing of those that are not ready */
  ReadinessSubscription *ready;
  GHashTable *failures; /* PlanItem to GError: what failed first */
  GHashTable *notes;    /* PlanItem to GString: what was left for its next start, and why */
  GHashTable *machines; /* char * to PlanItem */
  GHashTable *begun;    /* PlanItem: machines whose start is not over or has not begun */
};

/* Takes all but @call, which is answered with what became of each object. @parallel 0: the default. @waits:
 * also until the machines that run are ready, or their client does not wait any more. */
void apply_run_start (Call *call, PlanInput *input, Plan *plan, guint parallel, gboolean waits, int progress);

/* For the steps, each of which ends with the first of these, exactly once. @error is borrowed; NULL: done. */
void apply_step_over (ApplyStep *step, const GError *error);
/* The same for an item that is one of many of its stage. @did: "defined"; NULL: nothing to tell of. */
void apply_item_over (ApplyRun *run, PlanItem *item, const char *did, const GError *error);
void apply_note (ApplyRun *run, const PlanItem *item, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The object as it is now; NULL with @error when it is not there. */
Object *apply_object (ApplyRun *run, const PlanItem *item, GError **error);

/* One line for who reads the progress. @what NULL: none. */
void apply_report (const ApplyRun *run, const PlanItem *item, const char *what, const GError *error);

/* apply-ready.c: does it wait for a machine of the plan or of the host that runs, and may still become ready?
 */
gboolean apply_must_wait (const ApplyRun *run, const PlanItem *item);
/* Why one that it requires and that runs is of no use to it: it is late. NULL: it has all. (transfer full) */
char *apply_late_requirement (const ApplyRun *run, const PlanItem *item);
/* Wait until those that run are ready; what is not is in run->unready. */
void apply_wait_ready (ApplyRun *run, void (*done) (ApplyRun *run));
/* apply-define.c */
void apply_define_object (ApplyStep *step);
void apply_define_machines (ApplyRun *run, void (*done) (ApplyRun *run));
void apply_keep_sources (ApplyRun *run, void (*done) (ApplyRun *run));
/* apply-steps.c */
void apply_remove (ApplyStep *step);
void apply_mark (ApplyStep *step);
void apply_start_or_stop (ApplyStep *step);
/* apply-volume.c */
void apply_volume (ApplyStep *step);
/* apply-live.c */
void apply_live (ApplyStep *step);
/* Has the item differences that a running machine takes now? */
gboolean apply_is_live (const PlanItem *item);
