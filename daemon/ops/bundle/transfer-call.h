/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/operation.h"

/* What exports and imports share. ops/bundle/domain-import.c */

/* The call's descriptor of that position, to be closed by whoever asks; -1: it came with fewer. */
int transfer_descriptor (Call *call, guint index);
/* Is it one that an archive can be written to or read from, and a socket the second, where there is one?
 * FALSE, and the call failed, when not. */
gboolean transfer_check_descriptors (Call *call);
