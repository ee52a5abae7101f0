/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/helper/helper.h"

/*
 * The helpers of one owner while it runs: watched, and ended with it. One that dies under its owner is said
 * in the log and remembered as a message; the owner goes on without what it gave. Main loop only.
 */
typedef struct HelperSet HelperSet;

#define HELPER_MESSAGES_MAX 16 /* of dead helpers, for one owner */

/* @owner: for messages, "domain 'web'". @owner_lives: does it still run? Its own end is no news of its
 * helpers'. */
HelperSet *helper_set_new (const char *owner, gboolean (*owner_lives) (gpointer data), gpointer data);
void helper_set_free (HelperSet *set); /* the processes go on */

/* Takes it, and watches it. */
void helper_set_add (HelperSet *set, Helper *helper);
/* Takes all of @helpers (Helper); NULL: none. */
void helper_set_add_all (HelperSet *set, GPtrArray *helpers);
/* Stops the one of that name; nothing happens when there is none. */
void helper_set_stop (HelperSet *set, const char *name);
void helper_set_stop_all (HelperSet *set);
/* What is to be said of those that died (char *). */
const GPtrArray *helper_set_messages (const HelperSet *set);
