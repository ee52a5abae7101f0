/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images that were unpacked. A file system is made under a name of its own and renamed when it is whole, so
 * two that unpack the same image at once only do the work twice, and what is there is complete. Files and
 * directories are looked at again each time (a digest decides), a registry only when it is asked for or
 * nothing is here.
 */
#include "cli/image-cache.h"

#include "base/virt-error.h"
#include "cli/i18n.h"
#include "cli/image-layers.h"
#include "image/image-digest.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define STATE_DIRECTORY "/var/lib/domaind"
#define REFERENCE_MAX   200

void
cached_image_free (CachedImage *image)
{
  if (image == NULL)
    return;
  g_free (image->digest);
  g_free (image->file);
  image_config_free (image->config);
  g_free (image);
}

char *
image_cache_directory (gboolean is_session)
{
  return is_session || geteuid () != 0 ? g_build_filename (g_get_user_state_dir (), "domaind", "run", NULL)
                                       : g_build_filename (STATE_DIRECTORY, "run", NULL);
}

const char *
image_architecture (void)
{
  static struct utsname host;

  if (uname (&host) < 0)
    return "";
  return g_str_equal (host.machine, "x86_64")    ? "amd64"
         : g_str_equal (host.machine, "aarch64") ? "arm64"
                                                 : host.machine;
}

/* Its file there: "images/HEX.json". (transfer full) */
static char *
image_file (const char *directory, const char *digest, const char *suffix)
{
  g_autofree char *name = g_strconcat (digest + strlen (IMAGE_DIGEST_PREFIX), suffix, NULL);

  return g_build_filename (directory, "images", name, NULL);
}

static gboolean
make_directory (const char *directory, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);

  if (g_mkdir_with_parents (path, 0755) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", path, g_strerror (errno));
  return FALSE;
}

/* What is unpacked already. NULL: it is not. */
static CachedImage *
find (const char *directory, const char *digest)
{
  g_autoptr (CachedImage) image = g_new0 (CachedImage, 1);
  g_autofree char *json = image_file (directory, digest, ".json");
  g_autofree char *text = NULL;
  gsize length;

  image->digest = g_strdup (digest);
  image->file = image_file (directory, digest, ".squashfs");
  if (!g_file_test (image->file, G_FILE_TEST_IS_REGULAR) || !g_file_get_contents (json, &text, &length, NULL))
    return NULL;
  image->config = image_config_parse (text, length, NULL);
  return image->config != NULL ? g_steal_pointer (&image) : NULL;
}

/* The file that remembers what a reference means; a path's is not remembered. (transfer full) */
static char *
name_file (const char *directory, const char *reference)
{
  g_autofree char *name = g_uri_escape_string (reference, NULL, FALSE);

  if (strlen (name) > REFERENCE_MAX || name[0] == '.' || g_file_test (reference, G_FILE_TEST_EXISTS)
      || g_str_has_prefix (reference, "oci:") || g_str_has_prefix (reference, "oci-archive:")
      || g_str_has_prefix (reference, "docker-archive:"))
    return NULL;
  return g_build_filename (directory, "names", name, NULL);
}

static CachedImage *
find_by_name (const char *directory, const char *reference)
{
  g_autofree char *file = name_file (directory, reference);
  g_autofree char *digest = NULL;

  if (file == NULL || !g_file_get_contents (file, &digest, NULL, NULL)
      || image_digest_hex (digest, NULL) == NULL)
    return NULL;
  return find (directory, digest);
}

static gboolean
unpack (ImageSource *source, const Image *image, const char *directory, const char *work, GError **error)
{
  g_autofree char *made = g_build_filename (work, "made.squashfs", NULL);
  g_autofree char *file = image_file (directory, image->digest, ".squashfs");
  g_autofree char *json = image_file (directory, image->digest, ".json");

  fprintf (stderr, _ ("Unpacking the image %.19s, which is done once\n"), image->digest);
  if (!image_layers_write (source, image, made, error))
    return FALSE;
  if (g_chmod (made, 0644) < 0 || g_rename (made, file) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", file, g_strerror (errno));
    return FALSE;
  }
  return g_file_set_contents (json, image->text, (gssize)image->text_length, error);
}

static CachedImage *
get (const char *directory, const char *reference, const char *work, GError **error)
{
  g_autofree char *fetched = g_build_filename (work, "fetched", NULL);
  g_autofree char *name = name_file (directory, reference);
  g_autoptr (ImageSource) source = NULL;
  g_autoptr (Image) image = NULL;
  CachedImage *found;

  if (!make_directory (work, "fetched", error))
    return NULL;
  source = image_source_open (reference, fetched, error);
  image = source != NULL ? image_source_read (source, image_architecture (), error) : NULL;
  if (image == NULL)
    return NULL;
  found = find (directory, image->digest);
  if (found == NULL && unpack (source, image, directory, work, error))
    found = find (directory, image->digest);
  if (found != NULL && name != NULL)
    g_file_set_contents (name, image->digest, -1, NULL);
  return found;
}

/* All that is in it: our own, one folder deep and the OCI layout below it. */
static void
remove_tree (const char *path)
{
  GDir *directory = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);

  for (const char *name; directory != NULL && (name = g_dir_read_name (directory)) != NULL;) {
    g_autofree char *below = g_build_filename (path, name, NULL);

    remove_tree (below);
  }
  g_clear_pointer (&directory, g_dir_close);
  g_remove (path);
}

CachedImage *
image_cache_get (const char *directory, const char *reference, gboolean again, GError **error)
{
  g_autofree char *work = g_build_filename (directory, "work-XXXXXX", NULL);
  CachedImage *found;

  if (!make_directory (directory, "images", error) || !make_directory (directory, "names", error))
    return NULL;
  found = again ? NULL : find_by_name (directory, reference);
  if (found != NULL)
    return found;
  if (g_mkdtemp (work) == NULL) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", work, g_strerror (errno));
    return NULL;
  }
  found = get (directory, reference, work, error);
  remove_tree (work);
  return found;
}
