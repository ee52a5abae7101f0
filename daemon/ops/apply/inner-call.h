/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/operation.h"

/*
 * Calls that a call makes for its client: the same as the client would make them, with its rights, answered
 * to a function here. Main loop only; @outer must not be answered before they are.
 */
typedef void (*InnerDone) (const GError *error, gpointer data); /* error NULL: it was done */

/* A call that nothing has begun yet, for functions that take one. It is by the name of @outer's operation. */
Call *inner_call_new (Call *outer, InnerDone done, gpointer data);
/* The procedure of remote_protocol about @object, with the members of the tuple @rest (floating;
 * NULL: none) after it. */
void
inner_call (Call *outer, int procedure, const Object *object, GVariant *rest, InnerDone done, gpointer data);
/* The same about what is no object of a registry: @handle (floating) is how it stands in arguments. */
void inner_call_about (Call *outer, int procedure, GVariant *handle, GVariant *rest, InnerDone done,
                       gpointer data);
/* @object is removed to the trash. */
void inner_discard (Call *outer, const Object *object, InnerDone done, gpointer data);
