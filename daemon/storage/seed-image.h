/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * The image in which cloud-init finds its NoCloud form: an ISO 9660 file system named "cidata" with a few
 * small files. It says itself what it was made of, by a checksum in its volume descriptor, so that it is
 * known again when it is there and made anew when anything of it has changed. In a job's thread.
 */
#define SEED_FILE_MAX ((gsize)1 << 20) /* bytes of one file in it */

typedef struct {
  const char *name; /* "user-data" */
  const char *bytes;
  gsize length; /* at most SEED_FILE_MAX */
} SeedFile;

/* The image @path with these files. Left alone where it is there and was made of the same; a file there that
 * is no such image is never replaced, which is an error. FALSE: what was at @path still is. */
gboolean seed_image_make (const char *path, const SeedFile *files, guint count, GError **error);
/* May it be made there: is there nothing, or an image that was made here? */
gboolean seed_image_check (const char *path, GError **error);
