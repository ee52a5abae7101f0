/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* LXC, containers as lxc-start runs them: its config file out and in, as lxc.container.conf(5) has it. */
extern const Target lxc_target;

char *lxc_import (const char *text, Diagnostics *diagnostics);
