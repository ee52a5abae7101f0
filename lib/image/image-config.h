/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * What a container image says of its program: the "config" of the OCI image specification, which is also
 * Docker's. Untrusted: every text is bounded and free of NUL, every list counted.
 */
#define IMAGE_CONFIG_BYTES_MAX (4 * 1024 * 1024)
#define IMAGE_WORDS_MAX        1024 /* of environment, entrypoint and command, each */
#define IMAGE_LAYERS_MAX       512  /* Docker stops at 127, overlayfs at 500 */

typedef struct {
  char *architecture; /* "amd64" */
  char *os;           /* "linux" */
  char **environment; /* "NAME=VALUE"; the lists are never NULL */
  char **entrypoint;
  char **command;
  char *directory;   /* absolute; NULL: none was said */
  char *user;        /* "USER[:GROUP]", names or numbers; NULL: none was said */
  char *stop_signal; /* "SIGTERM", "15"; NULL: none was said */
  char **diff_ids;   /* digests of the unpacked layers, the lowest first */
} ImageConfig;

/* NULL with @error when @text is no image's configuration, or has more than the limits above. */
ImageConfig *image_config_parse (const char *text, gsize length, GError **error);
void image_config_free (ImageConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImageConfig, image_config_free)

/* The program and its arguments: @entrypoint (NULL: the image's) and behind it @command (the image's where it
 * is empty and the entrypoint is the image's). NULL with @error when that is nothing. (transfer full) */
char **
image_config_program (const ImageConfig *config, const char *entrypoint, char **command, GError **error);
