/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "domain/devices/disk.h"

/*
 * Edits of the chain of images of a running machine's disk: what block jobs and snapshots make of the
 * document. Images are named by their index, the number of their block nodes ("libvirt-3-format" is image 3);
 * an index is given once while a machine runs, so that after an edit they follow in no order. Index 0 is no
 * image: as what is below, it is the end of the chain. Pure: QEMU is told elsewhere.
 */

/* The disk's own image with all that is below, as one that could be below another; the disk is left without
 * one. (transfer full) */
DiskBacking *disk_take_image (DeviceDisk *disk);
/* The opposite: @image (taken) and what is below it become the disk's. */
void disk_put_image (DeviceDisk *disk, DiskBacking *image);

/* A new image on top, as an external snapshot makes one: the one that was there is the first below it. @image
 * (taken) has its index, and nothing below. */
void disk_push_image (DeviceDisk *disk, DiskBacking *image);
/* Take out what is between the images @above and @below, neither of them included; @below 0: to the end of
 * the chain. FALSE, and nothing is changed, where they are not so. */
gboolean disk_drop_images (DeviceDisk *disk, guint64 above, guint64 below);
/* Image @index becomes the disk's own, and all that was above it is gone. FALSE where it is not in the chain.
 */
gboolean disk_drop_above (DeviceDisk *disk, guint64 index);

/* A <mirror> of that image (taken), and its image again (transfer full), of which the mirror is left without.
 */
DiskMirror *disk_mirror_new (DiskBacking *image, MirrorJob job);
DiskBacking *disk_mirror_take_image (DiskMirror *mirror);

/* The image below the top with that index; NULL: none, or the top. (borrowed) */
DiskBacking *disk_find_backing (const DeviceDisk *disk, guint64 index);
/* The index of what is just below image @index; 0: nothing, or there is no such image. */
guint64 disk_index_below (const DeviceDisk *disk, guint64 index);
/* The index of what stands on image @index; 0: nothing. */
guint64 disk_index_above (const DeviceDisk *disk, guint64 index);
/* What a client is told of image @index: its path or name. (borrowed) NULL: none. */
const char *disk_image_text (const DeviceDisk *disk, guint64 index);
/* As it would be opened; everything is borrowed. FALSE: there is no such image. */
gboolean disk_image_of (const DeviceDisk *disk, guint64 index, DiskImage *ret_image);
/* The indexes of all images, data files and what is copied to (guint64), from the top. (transfer full) */
GArray *disk_list_indexes (const DeviceDisk *disk);

/* The image below @start (0: anywhere, the top too) that a client calls @name: "vda[3]", a path, a name as it
 * stands in the header of the image above. 0 with VIR_ERR_INVALID_ARG in libvirt's words. */
guint64 disk_find_image (const DeviceDisk *disk, guint64 start, const char *name, GError **error);
