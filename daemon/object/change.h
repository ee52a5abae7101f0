/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * A change of what is defined: one at a time in the whole daemon, so that two defines of one name cannot both
 * find it free. The disk is written in a job between two steps in the main loop; a slow disk holds up those
 * who define, and nobody else.
 */
typedef struct {
  const char *name; /* of the thread */
  gboolean (*check) (Manager *manager, gpointer data,
                     GError **error);                              /* all before it are done: may it be? */
  gboolean (*write) (Store *store, gpointer data, GError **error); /* in a job; NULL: nothing to write */
  void (*done) (Manager *manager, gpointer data, const GError *error); /* commit, or say why not */
} ChangeKind;

/* @kind is static; @data belongs to the change and is freed after done. */
void change_start (Manager *manager, const ChangeKind *kind, gpointer data, GDestroyNotify free_data);
