/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host-facts.h"

/* What the capabilities document says of this host, read from /proc and /sys and asked of the processor,
 * whose model is one @caps knows. Any thread; the first call takes some milliseconds. */
typedef struct NodeFacts NodeFacts;
NodeFacts *node_facts_read (const QemuCaps *caps);
void node_facts_free (NodeFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NodeFacts, node_facts_free)

const HostFacts *node_facts_get (const NodeFacts *facts);
