/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/drivers/qemu/save-image.h"
#include "domain/domain-def.h"

/*
 * A saved machine on its way back. The start of it is start.h's; here is what differs from a fresh one: the
 * document comes from the image, and so do memory and devices, before the CPUs run.
 */
typedef struct {
  SaveImage *image;    /* NULL: the state is a snapshot inside of the disks, ... */
  char *snapshot;      /* ... with this name */
  GPtrArray *targets;  /* char *: of those disks */
  DomainDef *def;      /* of the image, or what took its place */
  gboolean drop_cache; /* leave nothing of the file in the host's cache */
  Progress *progress;
} Restore;

/* Any thread. The image at @path and its definition. @replacement (may be NULL): a document to start it with,
 * which has to describe the same machine. */
Restore *restore_open (const char *path, const char *replacement, const Platform *platform, GError **error);
/* The same from a snapshot called @snapshot inside of the disks of @def with these targets (char *, owned by
 * the array, which is referenced). */
Restore *restore_of_snapshot (const char *snapshot, GPtrArray *targets, DomainDef *def);
void restore_free (Restore *restore);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Restore, restore_free)

/* Any thread. The definition in a saved machine's document. */
DomainDef *restore_parse (const char *xml, const Platform *platform, GError **error);
/* A client's document for a saved machine: VIR_ERR_CONFIG_UNSUPPORTED unless its guest would find the machine
 * it knows. */
DomainDef *
restore_replacement (const char *xml, const DomainDef *saved, const Platform *platform, GError **error);

/* @processor: the <cpu> that a guest was seen to have, as libvirt tells it beside a document; or NULL. @def
 * gets its model and features. Untrusted. */
gboolean restore_take_processor (DomainDef *def, const char *processor, GError **error);

/* Job's thread: the state in the image into a QEMU that waits for it. */
gboolean restore_state (Restore *restore, Qmp *qmp, Job *job, guint patience, GError **error);
