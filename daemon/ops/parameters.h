/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/operation.h"

/* Typed parameters in the arguments of calls: a{sv}, see wire/typed-parameters.h. */

/* One text parameter; the list ends with name NULL. The text lives as long as the call. */
typedef struct {
  const char *name;
  const char **ret;
} CallString;
/* FALSE, and the call failed, for a name that is none of @known, one that comes twice or is no text. */
gboolean call_take_strings (Call *call, GVariant *parameters, const CallString *known);
