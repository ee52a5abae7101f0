/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The documents that lead to a container image's parts. In an OCI directory or archive: index.json names
 * manifests, perhaps through more indexes; a manifest names the configuration and the layers, by digest. In
 * an archive of `docker save`: manifest.json names them by file.
 */
#define IMAGE_DOCUMENT_BYTES_MAX (4 * 1024 * 1024)
#define IMAGE_INDEX_ENTRIES_MAX  1024
#define IMAGE_INDEX_DEPTH_MAX    4 /* indexes that lead to indexes */

typedef struct {
  char *config;  /* a digest; for Docker's the name of a file in the archive */
  char **layers; /* the same, the lowest first */
  gboolean by_name;
} ImageManifest;

void image_manifest_free (ImageManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImageManifest, image_manifest_free)

/*
 * The manifest that an index names for @tag (NULL: the only one there is) and @architecture ("amd64"): its
 * digest, and whether it is an index again. (transfer full) NULL with @error: there is none, or more than
 * one.
 */
char *image_index_choose (const char *text, gsize length, const char *tag, const char *architecture,
                          gboolean *ret_is_index, GError **error);
ImageManifest *image_manifest_parse (const char *text, gsize length, GError **error);
/* Docker's manifest.json; @tag as above: "busybox:latest". */
ImageManifest *image_manifest_parse_docker (const char *text, gsize length, const char *tag, GError **error);
