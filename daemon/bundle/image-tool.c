/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs of qemu-img. Images name one another by paths, which it must not follow: each image of a chain is
 * opened here and told to it as a descriptor, all of them in one description of the chain.
 */
#include "daemon/bundle/image-tool.h"

#include "daemon/storage/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <unistd.h>

int
image_tool_temporary (const char *directory, GError **error)
{
  int fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0) {
    g_autofree char *path = g_build_filename (directory, ".aside-XXXXXX", NULL);

    fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
      unlink (path);
  }
  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make a file in '%s': %s", directory,
                    g_strerror (errno));
  return fd;
}

static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

/* The file below a format. */
static void
describe_file (JsonBuilder *json, const ImageInfo *image, const char *path)
{
  json_builder_begin_object (json);
  add_text (json, "driver", image->is_device ? "host_device" : "file");
  add_text (json, "filename", path);
  add_text (json, "locking", "off"); /* a machine that stands still for it may have it open */
  json_builder_end_object (json);
}

/* The images from @image on down, opened for the tool. */
static gboolean
describe_chain (JsonBuilder *json, const ImageInfo *image, ToolFiles *files, GError **error)
{
  guint depth = 0;
  gboolean opened = TRUE;

  for (; opened && image != NULL; image = image->backing, depth++) {
    g_autofree char *path = tool_files_open (files, image->path, error);
    gboolean raw = g_strcmp0 (image->format, "raw") == 0;

    json_builder_begin_object (json);
    add_text (json, "driver", image->format);
    json_builder_set_member_name (json, "file");
    describe_file (json, image, path != NULL ? path : "");
    opened = path != NULL;
    if (!raw)
      json_builder_set_member_name (json, "backing");
    if (!raw && image->backing == NULL)
      json_builder_add_null_value (json);
  }
  while (depth-- > 0)
    json_builder_end_object (json);
  return opened;
}

gboolean
image_tool_flatten (const ImageInfo *chain, int out, const char *format, const char *options, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL, *source = NULL, *target = NULL;
  int copy;

  if (!describe_chain (json, chain, files, error))
    return FALSE;
  root = json_builder_get_root (json);
  text = json_to_string (root, FALSE);
  source = g_strconcat ("json:", text, NULL);
  copy = fcntl (out, F_DUPFD_CLOEXEC, 0);
  target = tool_files_add (files, copy, "the flattened image");
  if (options != NULL)
    return tool_run (
        (const char *const[]){ "qemu-img", "convert", "-O", format, "-o", options, source, target, NULL },
        files, NULL, error);
  return tool_run ((const char *const[]){ "qemu-img", "convert", "-O", format, source, target, NULL }, files,
                   NULL, error);
}

gboolean
image_tool_convert (int in, const char *in_format, int out, const char *out_format, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *source = tool_files_add (files, fcntl (in, F_DUPFD_CLOEXEC, 0), "the disk");
  g_autofree char *target = tool_files_add (files, fcntl (out, F_DUPFD_CLOEXEC, 0), "the image");

  return tool_run (
      (const char *const[]){ "qemu-img", "convert", "-f", in_format, "-O", out_format, source, target, NULL },
      files, NULL, error);
}

gboolean
image_tool_set_backing (int file, const char *path, const char *format, const char *backing,
                        const char *backing_format, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *image = tool_files_add (files, fcntl (file, F_DUPFD_CLOEXEC, 0), path);

  return tool_run ((const char *const[]){ "qemu-img", "rebase", "-u", "-f", format, "-b", backing, "-F",
                                          backing_format, image, NULL },
                   files, NULL, error);
}
