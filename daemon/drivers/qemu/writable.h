/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/recipe.h"

/* The Landlock ruleset of a machine (isolation.h): its QEMU can change files in its own directory, below
 * /dev, and where its document names what QEMU makes or opens itself. -1: no Landlock here, or the job is
 * late. In a job. */
int writable_ruleset (const DomainDef *def, const Recipe *recipe, const char *qemu_directory);
