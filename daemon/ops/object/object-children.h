/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/object/child.h"

/* For the operations of the kinds whose parent is an object; those that are the same for all are in
 * daemon/ops/ops.h. Those whose shapes do not say which kind they are about have a function of the kind's
 * own, which calls one of these. */

/* How many the flags (argument 1) let pass, the names of the first (argument 1 says how many, 2 the flags),
 * and whether there is a current one. */
void children_answer_count (Call *call, const ObjectKind *kind);
void children_answer_names (Call *call, const ObjectKind *kind);
void children_answer_has_current (Call *call, const ObjectKind *kind);
/* Answered with the child, or with @error (taken) when it is NULL. */
void child_answer (Call *call, const Child *child, GError *error);
/* The call's child again after a wait; NULL, and the call failed, when it or its owner has gone. */
Child *call_find_child_again (Call *call);
