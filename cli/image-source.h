/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "image/image-config.h"
#include "image/image-manifest.h"

/*
 * Where a container image is kept: a directory or an archive of the OCI layout, an archive of `docker save`,
 * or a registry, from which skopeo fetches it. Blocking.
 */
#define IMAGE_ARCHIVE_FILES_MAX 4096

typedef struct ImageSource ImageSource;

typedef struct {
  char *digest; /* of the configuration: what Docker calls the image's id */
  char *text;   /* the configuration as it was read */
  gsize text_length;
  ImageConfig *config;
  ImageManifest *manifest;
} Image;

/*
 * @reference: a path, or a word with one of the prefixes "oci:", "oci-archive:", "docker-archive:" and
 * "docker://"; anything else is fetched from a registry. Behind a prefix's path :TAG may follow. Archives are
 * taken apart in @work, a directory that the caller makes and removes.
 */
ImageSource *image_source_open (const char *reference, const char *work, GError **error);
void image_source_free (ImageSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImageSource, image_source_free)

/* The image in it for @architecture, in OCI's words; its documents' digests are checked. (transfer full) */
Image *image_source_read (ImageSource *source, const char *architecture, GError **error);
void image_free (Image *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Image, image_free)

/* A layer of its manifest as it is kept, opened for reading: a descriptor of a regular file, or -1. */
int image_source_layer (ImageSource *source, const Image *image, guint layer, GError **error);
