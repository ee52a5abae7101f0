/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/* The kind whose documents have @element for their root, of those that are kept; NULL with
 * VIR_ERR_INVALID_ARG. */
const ObjectKind *object_kind_named (const char *element, GError **error);
/* The object of a call whose first two arguments are the element of its document and its name or UUID; NULL
 * with the kind's error. */
Object *object_named (Call *call, GError **error);
