/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host-facts.h"

/* The last-level caches of the host, in the order of level, type and number. The texts are kept in @strings.
 * (transfer full: HostCache) */
GArray *host_caches_read (GStringChunk *strings);
