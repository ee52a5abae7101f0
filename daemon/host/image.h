/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "qemu/recipe.h"

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
void image_info_free (ImageInfo *info); /* with the whole chain */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImageInfo, image_info_free)
