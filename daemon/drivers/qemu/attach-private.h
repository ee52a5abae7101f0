/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/attach.h"
#include "daemon/drivers/qemu/runtime-values.h"
#include "daemon/host/files.h"

/*
 * What attach.c, detach.c and running-disk.c share: a device's recipe as a conversation.
 */
typedef struct Plugging {
  Job *job;
  const Hotplug *plug;
  QemuCaps *caps;
  char *directory; /* where QEMU can make sockets */
  LiveValues values;
  RecipeHost host;
  Recipe *recipe;
  Files files;
  guint sets;           /* descriptor sets made so far: the first of the recipe's files */
  GArray *done;         /* guint: steps that were said, in their order */
  gboolean left_behind; /* not everything could be undone */
  gboolean opened;      /* what stands behind the device on the host was made: see RunningKind.open */
} Plugging;

void plugging_init (Plugging *plugging, Job *job, const Hotplug *plug);
void plugging_clear (Plugging *plugging);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Plugging, plugging_clear)

/* One command whose answer says nothing. Takes @arguments. */
gboolean plugging_send (Plugging *plugging, const char *command, JsonObject *arguments, GError **error);
/* Every object of the list that a question is answered with. Takes @arguments. What QEMU says is untrusted.
 */
gboolean plugging_ask_list (Plugging *plugging, const char *command, JsonObject *arguments,
                            void (*each) (JsonObject *item, gpointer data), gpointer data, GError **error);
/* Make a recipe of @def without a step; RECIPE_BY_DESCRIPTOR numbers what is new above what QEMU has, block
 * nodes from values.next_node on. */
gboolean plugging_begin (Plugging *plugging, DomainDef *def, RecipeFiles files, GError **error);
/* Make the recipe of @device of @def; RECIPE_BY_DESCRIPTOR numbers what is new above what QEMU has. */
gboolean plugging_add (Plugging *plugging, DomainDef *def, Device *device, RecipeFiles files, GError **error);
/* Before the first step: see store_save_hotplug. A device without an alias has no steps either. */
gboolean plugging_write_down (const Hotplug *plug, DomainDef *def, const Device *device, GError **error);
/* Pass the files, then say the steps; without the device itself where @device is FALSE. On an error all is
 * undone. */
gboolean plugging_say (Plugging *plugging, gboolean device, GError **error);
/* Undo what was said, last first. Nothing is undone for a cancelled job's sake: the process is ending. FALSE:
 * something stays behind. */
gboolean plugging_undo (Plugging *plugging);
/* Sleep for @milliseconds; a cancelled job: not at all. */
void plugging_pause (Plugging *plugging, guint milliseconds);
/* Say the opposite of one step. A character device that its front-end is just letting go of is waited for. */
gboolean plugging_undo_step (Plugging *plugging, const Step *step, GError **error);

/* The descriptor sets that are @alias's. (transfer full) */
GArray *plugging_sets_of (Plugging *plugging, const char *alias, GError **error);
void plugging_remove_sets (Plugging *plugging, const GArray *sets);

/* The machine's from now on; and the end of one that goes with its device. They wait for the main loop. Takes
 * @helper. */
void plugging_add_helper (Plugging *plugging, Helper *helper);
void plugging_stop_helper (const Plugging *plugging, const char *name);
