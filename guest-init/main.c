/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PID 1 of a machine that runs a container image: what is said here is all it does.
 */
#include "init.h"

#include <stddef.h>

int
main (void)
{
  Plan *plan;

  setup_devices ();
  plan = plan_read (setup_read_plan ());
  if (plan == NULL)
    give_up ("the plan names no program");
  setup_root (plan);
  network_start ();
  sessions_run (plan);
}
