/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names and paths of an archive that anybody may have made. A name is compared with what the archive's head
 * announces and never becomes a path; a path becomes one only below a directory that the client has named.
 * Both are held to a form in which nothing leads upwards, so that joining is all there is to do with them.
 */
#include "bundle/bundle-name.h"

#include <string.h>

static gboolean
is_name_character (char character)
{
  return g_ascii_isalnum (character) || strchr (".-_", character) != NULL;
}

gboolean
bundle_name_check (const char *name, GError **error)
{
  gsize length = strlen (name);
  gboolean good = length > 0 && length <= BUNDLE_NAME_MAX;
  gboolean at_start = TRUE;

  for (gsize i = 0; good && i < length; i++) {
    if (name[i] == '/')
      good = !at_start && i + 1 < length;
    else
      good = is_name_character (name[i]) && !(at_start && name[i] == '.');
    at_start = name[i] == '/';
  }
  if (!good) {
    g_autofree char *shown = g_strescape (name, NULL);

    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "a file of the archive is called '%.*s': expected letters, digits, '.', '-' and '_', in "
                    "folders, none beginning with a '.'",
                    BUNDLE_NAME_MAX, shown);
  }
  return good;
}

gboolean
bundle_path_check (const char *path, GError **error)
{
  gboolean good = path[0] == '/' && path[1] != '\0' && strlen (path) <= BUNDLE_PATH_MAX
                  && g_utf8_validate (path, -1, NULL) && !g_str_has_suffix (path, "/");
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  for (guint i = 1; good && parts[0] != NULL && parts[i] != NULL; i++)
    good = parts[i][0] != '\0' && !g_str_equal (parts[i], ".") && !g_str_equal (parts[i], "..");
  for (const char *at = path; good && *at != '\0'; at++)
    good = !g_ascii_iscntrl (*at);
  if (!good) {
    g_autofree char *shown = g_strescape (path, NULL);

    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "a file of the machine was at '%.*s': expected an absolute path without '.' and '..'",
                    BUNDLE_NAME_MAX, shown);
  }
  return good;
}

const char *
bundle_path_below (const char *path, const char *prefix)
{
  gsize length = strlen (prefix);

  while (length > 0 && prefix[length - 1] == '/')
    length--;
  if (strncmp (path, prefix, length) != 0 || (path[length] != '\0' && path[length] != '/'))
    return NULL;
  return path + length;
}
