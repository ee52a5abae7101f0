/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/attach-private.h"
#include "domain/devices/disk-chain.h"

/*
 * The block nodes of single images of a running QEMU: made, opened in another mode, taken away. What block
 * jobs, snapshots and backups have in common. Conversations of a job's thread; the daemon opens all local
 * files, and QEMU gets their descriptors. An image is named by its index (disk-chain.h).
 */
#define IMAGE_NODES_MAX 1024 /* images of one conversation */

/* The number the next new image is to have. FALSE with @error: QEMU does not say. */
gboolean image_nodes_next (Job *job, const Hotplug *plug, guint64 *ret_index, GError **error);

/* The nodes of @disk's own image, which has its number (source_index). @disk is no device of @def, but a copy
 * of one that QEMU has, with another image. @backing: the node it stands on; NULL: nothing is below it. On an
 * error nothing is left of it. */
gboolean image_nodes_add (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk,
                          const char *backing, GError **error);
/* The same with all that its <backingStore> has below it, each with its number. */
gboolean
image_nodes_add_chain (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk, GError **error);

/* Open image @index of @disk, a device of @def, for writing, or for reading only again, while it is used: its
 * node that fetches the bytes; whoever writes opens the one that knows the format. Nothing happens where it
 * is open so, or is no local file, which QEMU opens as it needs it. */
gboolean image_nodes_reopen (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk,
                             guint64 index, gboolean writable, GError **error);

/* Take away the nodes of images (guint64: indexes), whichever there are, and the descriptors of the device
 * @alias that no node uses then. One that is in use stays, and is no error. */
gboolean
image_nodes_remove (Job *job, const Hotplug *plug, const char *alias, const GArray *indexes, GError **error);
/* The second half alone. */
gboolean image_nodes_close_unused (Job *job, const Hotplug *plug, const char *alias, GError **error);

/* What is below @info's image, numbered from @next on, which is the next number then. (transfer full) */
DiskBacking *image_chain_below (const ImageInfo *info, guint64 *next);

/* Bytes a guest sees of the image that the node @name stands for. */
gboolean
image_nodes_size (Job *job, const Hotplug *plug, const char *name, guint64 *ret_size, GError **error);

/* Make an image file: of @format ("raw", "qcow2") and @size bytes, on top of @backing (a path or what else a
 * header may say; NULL: nothing), which is not opened. The file must not exist, or be empty, or be a block
 * device: VIR_ERR_CONFIG_UNSUPPORTED; a file that was made and could not be filled is removed again. */
gboolean image_file_make (const char *path, const char *format, guint64 size, const char *backing,
                          const char *backing_format, GError **error);
