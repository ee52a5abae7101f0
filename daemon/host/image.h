/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "domain/devices/disk.h"
#include "targets/qemu/recipe.h"

/*
 * What an image file says of itself, from its header: format, virtual size, backing file. Headers are
 * untrusted: sizes are bounded, chains are cut at IMAGE_CHAIN_MAX, and a chain that comes back to itself is
 * refused.
 */
#define IMAGE_CHAIN_MAX 64

/* The chain of @path. @format: what the document says it is, or NULL: go by the file. A document that says
 * "raw" is taken at its word (a guest could write a qcow2 header into a raw disk to reach the host's files);
 * one that says another format must be right. */
ImageInfo *image_info_read (const char *path, const char *format, GError **error);
/* The same, where a document may spell out the chain below: its images are taken at its word, formats and
 * all, and what is below the last that it names is read. @said NULL or detected: all is read. */
ImageInfo *
image_info_read_chain (const char *path, const char *format, const DiskBacking *said, GError **error);
void image_info_free (ImageInfo *info); /* with the whole chain */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImageInfo, image_info_free)

/* What one file says of itself; nothing it names is opened. */
typedef struct {
  char *format;         /* "raw" when it is no other that is known */
  guint64 virtual_size; /* bytes; the file's own size where the format says nothing that can be believed */
  char *backing;        /* absolute path; as it stands when it is no local file; NULL: none */
  char *backing_name;   /* the same as it stands, and perhaps relative */
  char *backing_format; /* NULL: not stated */
  char *compat;         /* qcow2: "0.10" or "1.1"; NULL: another format */
  guint64 cluster_size; /* qcow2: bytes; 0: another format */
  gboolean lazy_refcounts, extended_l2;
} ImageHeader;

/* Bytes: what is taken on the host, what a guest sees, and the file's or device's own size. */
typedef struct {
  guint64 allocation, capacity, physical;
} ImageSizes;
/* @format: what the document says it is; NULL: raw. */
gboolean image_sizes_read (const char *path, const char *format, ImageSizes *ret, GError **error);

/* @fd is a regular file or block device, @path where it is (backing files are named from there). A damaged
 * header is no error: its format is all that is told of it. NULL: it cannot be read. */
ImageHeader *image_header_read (int fd, const char *path, GError **error);
void image_header_free (ImageHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImageHeader, image_header_free)
