/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/image-source.h"

/*
 * What runs of images keep below the state directory, in "run":
 *
 *   images/HEX.squashfs, HEX.json   an image's file system and configuration, by the digest of the latter
 *   names/REFERENCE                 the digest that a reference meant when it was last looked at
 *   kernels/KEY.initrd              made for a kernel
 *   machines/NAME/                  of one run: its writable disk, its output, its exit status
 */
typedef struct {
  char *digest; /* "sha256:HEX" */
  char *file;   /* the squashfs */
  ImageConfig *config;
} CachedImage;

void cached_image_free (CachedImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CachedImage, cached_image_free)

/* The directory above, for the machines of the system's daemon or of the user's own. (transfer full) */
char *image_cache_directory (gboolean is_session);
/* "amd64": this host's, in OCI's words. */
const char *image_architecture (void);
/*
 * The image that @reference means, unpacked if it was not; @again: one in a registry is asked for even when
 * it is here. Says on stderr what takes long. Blocking.
 */
CachedImage *image_cache_get (const char *directory, const char *reference, gboolean again, GError **error);
