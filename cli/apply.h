/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/plan.h"

/* Do what @request plans, saying each step. The exit status. */
int apply_request (CommandLine *line, const PlanRequest *request);

/* cli/watch.c: plan and apply whenever the directory changes, and what is defined and running, until it is
 * told to end. The exit status. */
int watch_directory (CommandLine *line);
extern char *watch_drift;
