/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/operation.h"

/* Typed parameters in the arguments of calls: a{sv}, see wire/typed-parameters.h. */

/* One text parameter; the list ends with name NULL. The text lives as long as the call. */
typedef struct {
  const char *name;
  const char **ret;
} CallString;
/* FALSE, and the call failed, for a name that is none of @known, one that comes twice or is no text. */
gboolean call_take_strings (Call *call, GVariant *parameters, const CallString *known);

/* A parameter that a call takes; the list ends with name NULL. */
typedef struct {
  const char *name;
  char type; /* i u x t d b s */
} CallParameter;
/* FALSE, and the call failed in libvirt's words, for a name that is none of @known or comes twice, or a value
 * of another type. */
gboolean call_check_parameters (Call *call, GVariant *parameters, const CallParameter *known);
/* Answers "(a{sv})" with the first @room of @list, or, @with_count, "(a{sv}i)": with no room how many there
 * are, and otherwise how many are told. Sinks @list. */
void call_answer_parameters (Call *call, GVariant *list, int room, gboolean with_count);
