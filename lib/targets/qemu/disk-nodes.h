/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/recipe-private.h"

/*
 * One image of a disk while its nodes are made: what the document says of it, and the names of what has to
 * exist before the node that fetches its bytes.
 */
typedef struct {
  Recipe *recipe;
  const DeviceDisk *disk;
  DiskImage image;
  guint number;
  gboolean readonly;
  char *tls, *auth_secret, *cookie_secret; /* ids of objects; NULL: it needs none */
  GPtrArray *encryption_secrets;           /* char *: the same */
  char *pr_manager;
} DiskNode;

void disk_node_clear (DiskNode *node);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DiskNode, disk_node_clear)

#define VDPA_OLDEST_QEMU 8001000 /* the driver virtio-blk-vhost-vdpa with descriptors */

/* Does that engine decrypt it? */
gboolean disk_has_engine (const DiskImage *image, DiskEngine engine);
/* Has it a node that knows its format, above the one that fetches its bytes? */
gboolean disk_has_format_node (const QemuCaps *caps, const DiskImage *image);
/* "libvirt-3-format": what stands for the whole image. (transfer full) */
char *disk_top_node_name (const QemuCaps *caps, const DiskImage *image, guint number);

/* disk-keys.c: the objects the image needs, with their ids in @node. */
gboolean disk_add_objects (DiskNode *node, GError **error);
/* disk-protocols.c: what is the source's own of the node that fetches the bytes; NULL with @error. */
JsonObject *disk_storage_node (DiskNode *node, GError **error);
