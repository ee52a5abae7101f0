/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/bundle-head.h"
#include "bundle/import-source.h"

/*
 * What becomes of a machine's archive on this host: where each file goes, and the documents as they will be.
 * Files go into one directory, under the machine's name, unless the client has said where else: what an
 * archive says of paths leads nowhere else. Pure; any thread.
 */
#define IMPORT_MAPS_MAX 64

typedef struct {
  const char *directory;       /* of images: a directory of the machine's name is in it */
  const char *store_directory; /* of the firmware's variables */
  const char *const *maps; /* "OLD=NEW": what was in directory OLD goes to NEW; NULL-terminated, or NULL */
  const char *name;        /* the machine's new one; NULL: as before */
  gboolean new_identity;   /* another UUID, generation id and MAC addresses */
} ImportOptions;

typedef struct {
  ImportValues *values; /* what is exchanged; its texts are the plan's */
  DomainDef *def;       /* as it will be defined */
  char *source;         /* the user's document of it */
  GPtrArray *targets;   /* char *: where each file of the head goes; NULL: it has no path of its own */
  GPtrArray *changes;   /* char *: what is not as it was, for people */
} ImportPlan;

/* @def: the definition in the archive, @source: the user's document. NULL with VIR_ERR_INVALID_ARG for an
 * option or an archive that makes no sense. */
ImportPlan *import_plan_new (const BundleHead *head, const char *source, const DomainDef *def,
                             const ImportOptions *options, GError **error);
void import_plan_free (ImportPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImportPlan, import_plan_free)
