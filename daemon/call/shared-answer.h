/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/*
 * Main loop only. As call_make, for an answer that is the same for everybody who asks for @key: while one is
 * being made, all who come wait together for the next, so that many clients cost no more than two. Each gets
 * an answer whose making began after it asked. @make looks at the arguments of one of the calls only; @data
 * is freed in the main loop, those of other calls of the same key unused.
 */
void call_make_shared (Call *call, const char *key, const char *name, CallMake make, gpointer data,
                       GDestroyNotify free_data);
