/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/interface.h"

/*
 * Limits of a tap's traffic, by the kernel's traffic control. As the machine sees it: @inbound is what it
 * receives, so what the host sends. NULL: no limit; what was there before goes.
 */
gboolean
traffic_set (const char *name, const InterfaceRate *inbound, const InterfaceRate *outbound, GError **error);

/* Some of what a bridge sends, which has its share of the whole: packets whose priority is class 1:@id. */
#define TRAFFIC_SHARE_FIRST 3 /* the numbers before are the bridge's own */
typedef struct {
  guint id;      /* 3 to 65534 */
  guint64 floor; /* thousands of bytes a second, which it has for sure */
} TrafficShare;
/* The same as traffic_set(), with @count shares of @inbound's average; what is not theirs has the rest. */
gboolean traffic_set_shared (const char *name, const InterfaceRate *inbound, const InterfaceRate *outbound,
                             const TrafficShare *shares, guint count, GError **error);
