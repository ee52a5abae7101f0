/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/* For the operations of each kind; those that are the same for all are in daemon/ops/ops.h. */

/* Answered with the object, or with @error (taken) when it is NULL. */
void object_answer (Call *call, const Object *object, GError *error);
/* The old calls: how many pass the filters @flags, and the names of the first that do (the first argument
 * says how many). */
void object_answer_count (Call *call, const ObjectKind *kind, guint flags);
void object_answer_names (Call *call, const ObjectKind *kind, guint flags);
