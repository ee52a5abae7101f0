/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/drivers/qemu/qmp.h"
#include "domain/devices/disk.h"
#include "domain/domain-def.h"

/*
 * What becomes true of a definition when its machine starts: number, aliases, ports, paths, images. All in
 * the start's own copy of the definition, which becomes the live one.
 */
typedef struct {
  GHashTable *images; /* path → ImageInfo */
  GArray *ports;      /* guint: taken, until QEMU listens on them */
} LiveValues;

void live_values_clear (LiveValues *values); /* releases the ports */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LiveValues, live_values_clear)

/* Before the launch. @socket_directory: where QEMU can make sockets. */
gboolean
live_choose (DomainDef *def, int id, const char *socket_directory, LiveValues *values, GError **error);

/* After it: what QEMU has to be told and asked before its CPUs run, in as few bytes as can be. Job's thread.
 */
gboolean live_first_conversation (DomainDef *def, Qmp *qmp, Job *job, GError **error);

/* The parts of the two that a device plugged in later needs as well: where channels without a path listen; an
 * image, read into @images (path → ImageInfo, from live_images_new); the terminals QEMU got;
 * the displays' passwords; a disk's limits. */
void live_choose_sockets (DomainDef *def, const char *directory);
GHashTable *live_images_new (void);
gboolean live_read_image (DeviceDisk *disk, GHashTable *images, GError **error);
/* The numbers of the disk's block nodes, from @node on, and what its document shows of the chain; the number
 * after them. */
guint live_number_images (DeviceDisk *disk, GHashTable *images, guint node);
gboolean live_ask_ptys (DomainDef *def, Qmp *qmp, Job *job, GError **error);
gboolean live_tell_limits (const DeviceDisk *disk, Qmp *qmp, Job *job, GError **error);
gboolean live_tell_passwords (const DomainDef *def, Qmp *qmp, Job *job, GError **error);

/* Does a display of the machine need a render node? */
gboolean live_wants_render_node (const DomainDef *def);
