/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/runtime-values.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/host/account.h"
#include "daemon/host/files.h"
#include "domain/sysinfo.h"
#include "targets/qemu/recipe.h"

/*
 * The first half of a start: what is chosen for the machine on this host, and what its document becomes.
 * Nothing is made or taken that outlives the plan but the machine's account, and the images that its policy
 * describes (policy-images.h), which a check does not make. A start makes a plan and goes
 * on; a check (start-check.h) makes the same plan and looks at everything that stands in the way. A job's
 * thread.
 */
#define START_MAX_GROUPS \
  (ACCOUNT_MAX_GROUPS + 8) /* and those of /dev/kvm, the render node and other devices */

#define START_PLAN_MEMBERS                                      \
  const StartRequest *request; /* borrowed */                   \
  Job *job;                                                     \
  const char *uuid;                                             \
  char *account_key; /* under which the account is taken */     \
  DomainDef *def;    /* becomes the live one */                 \
  char *emulator;                                               \
  QemuCaps *caps;                                               \
  Account *account;                                             \
  gid_t groups[START_MAX_GROUPS];                               \
  guint group_count;                                            \
  Sysinfo *smbios; /* the host's, where the machine shows it */ \
  char *run_directory, *qemu_directory, *render_node;           \
  LiveValues live;                                              \
  RecipeHost host;                                              \
  Recipe *recipe;                                               \
  Files files;                                                  \
  GPtrArray *missing; /* MissingDisk */

typedef struct {
  START_PLAN_MEMBERS
} StartPlan;

/* One thing that is chosen, or looked at before anything is begun. A start gives up at the first that fails;
 * a check goes on, unless what follows needs what this one gives. */
typedef struct {
  const char *name; /* "kvm": a check's name */
  gboolean (*run) (StartPlan *plan, GError **error);
  gboolean is_needed;
} StartStep;
extern const StartStep start_steps[]; /* in their order; ends with name NULL */

/* @request and @job are borrowed. */
void start_plan_init (StartPlan *plan, const StartRequest *request, Job *job);
gboolean start_plan_choose (StartPlan *plan, GError **error);
/* Make the recipe. FALSE: it has problems (recipe_report_problems), those of the choices among them. */
gboolean start_plan_make_recipe (StartPlan *plan);
/* The same, with everything that cannot be made in @error, with its place in the user's document. */
gboolean start_plan_translate (StartPlan *plan, GError **error);
/* The account is nobody's again: of a plan that was not gone on with. */
void start_plan_release (const StartPlan *plan);
void start_plan_clear (StartPlan *plan);
