/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/host/files.h"
#include "domain/domain-def.h"

/*
 * What becomes true of a definition when its machine starts, or a device when it is plugged in: number,
 * aliases, ports, paths, images. All in the start's own copy of the definition, which becomes the live one.
 */
typedef struct LiveValues {
  const char *directory; /* where QEMU can make sockets; borrowed */
  const char *host;      /* where the host's sys and dev are; borrowed */
  gboolean restoring;    /* a saved machine goes on */
  GHashTable *images;    /* path → ImageInfo */
  GArray *ports;         /* guint: taken, until QEMU listens on them */
  guint next_node;       /* the number of the next block node */
  Files *files;          /* descriptors that are had by choosing are offered here; borrowed */
  /* LiveProblem: devices for which nothing can be chosen, images that cannot be used among them, to be told
   * together with what else stands in the way; NULL: the first one is the choice's error. */
  GPtrArray *problems;
  gboolean keeps_all; /* not only of images, but whatever fails */
} LiveValues;

typedef struct {
  const Device *device;
  GError *error;
} LiveProblem;
void live_problem_free (gpointer data);

void live_values_init (LiveValues *values, const char *directory, const char *host, Files *files);
void live_values_clear (LiveValues *values); /* releases the ports; a zeroed one too */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LiveValues, live_values_clear)

/* Before the launch, for a machine; for a device to be plugged in, whose block nodes are numbered from
 * values->next_node on. Blocking. */
gboolean live_choose (DomainDef *def, int id, LiveValues *values, GError **error);
gboolean live_choose_device (Device *device, LiveValues *values, GError **error);

/* After it: what QEMU has to be told and asked before its CPUs run, in as few bytes as can be; the same for a
 * device of @def that was plugged in. Job's thread. */
gboolean live_first_conversation (DomainDef *def, Qmp *qmp, Job *job, GError **error);
gboolean live_device_conversation (DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error);

/* Does a display of the machine need a render node? */
gboolean live_wants_render_node (const DomainDef *def);
