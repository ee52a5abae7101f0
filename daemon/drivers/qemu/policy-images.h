/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/start-plan.h"

/*
 * The images that a machine's policy describes (man/domaind-policy.5.rst), before anything looks at its
 * disks: those that are missing are made, and seeds whose inputs have changed are made anew. A check makes
 * none: it looks at what they would be made of, and goes on without the disks that have none yet.
 */
gboolean policy_images_make (StartPlan *plan, GError **error);
