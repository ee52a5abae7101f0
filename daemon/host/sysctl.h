/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * Values of the kernel below /proc/sys, of the network namespace of the thread that asks. @name is written
 * with slashes ("net/ipv4/ip_forward"): a link's name may have dots. Jobs' threads.
 */
#define SYSCTL_MAX_VALUE 64 /* bytes of one value; those asked for are numbers */

/* What it is, without the line's end; NULL: there is no such value. (transfer full) */
char *sysctl_get (const char *name);

/* Make it @value. It is written only when it is something else, and then *ret_changed (may be NULL) is TRUE.
 * VIR_ERR_SYSTEM_ERROR with the name, the value and the kernel's reason, as where /proc/sys cannot be written
 * to. */
gboolean sysctl_set (const char *name, const char *value, gboolean *ret_changed, GError **error);
