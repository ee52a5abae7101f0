/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A guest may have written any header into its disk, and an image's header names the files below it. Left to
 * itself qemu-img would open those, over the network as well; so it is told the whole chain in QEMU's own
 * words, a block driver for each format and one for each file, and that there is no further backing file. The
 * files are opened here, and qemu-img gets their descriptors.
 */
#include "daemon/storage/image-source.h"

#include <json-glib/json-glib.h>

/* The images from @image down. @opened: its path if it is open already. FALSE with @error. */
static gboolean
add_image (JsonBuilder *builder, const ImageInfo *image, const char *opened, ToolFiles *files, GError **error)
{
  g_autofree char *path = opened != NULL ? g_strdup (opened) : tool_files_open (files, image->path, error);

  if (path == NULL)
    return FALSE;
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "driver");
  json_builder_add_string_value (builder, image->format);
  json_builder_set_member_name (builder, "file");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "driver");
  json_builder_add_string_value (builder, image->is_device ? "host_device" : "file");
  json_builder_set_member_name (builder, "filename");
  json_builder_add_string_value (builder, path);
  json_builder_end_object (builder);
  if (image->backing != NULL) {
    json_builder_set_member_name (builder, "backing");
    if (!add_image (builder, image->backing, NULL, files, error))
      return FALSE;
  } else if (g_str_equal (image->format, "qcow2")) { /* other formats' chains are not read, and not opened */
    json_builder_set_member_name (builder, "backing");
    json_builder_add_null_value (builder);
  }
  json_builder_end_object (builder);
  return TRUE;
}

char *
image_source (const ImageInfo *chain, const char *top, ToolFiles *files, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  if (!add_image (builder, chain, top, files, error))
    return NULL;
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  return g_strconcat ("json:", text, NULL);
}
