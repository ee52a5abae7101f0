/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * The kernel's pool of pages of one size, of one NUMA node (-1: of the whole host). The kernel takes its time
 * to find memory that is whole: not for the main loop.
 */
/* @size in KiB; @add: so many more, otherwise so many. VIR_ERR_OPERATION_FAILED when the host has no such
 * pages or node, or not as many. */
gboolean hugepages_set (int node, guint size, guint64 count, gboolean add, GError **error);
