/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Container images where they are kept. What an archive has in it is written under numbers in a directory of
 * our own, with its names in a table in memory: they are looked up there and never used as paths. In a
 * directory of the OCI layout, the only names that are opened are fixed or made of a digest's digits, and
 * only if they are regular files.
 */
#include "cli/image-source.h"

#include "base/virt-error.h"
#include "image/image-digest.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES       (256 * 1024)
#define ARCHIVE_BYTES_MAX (G_GUINT64_CONSTANT (64) << 30)
#define LINKS_MAX         8 /* symbolic links in an archive, which `docker save` made for layers said twice */

struct ImageSource {
  char *directory;   /* of the OCI layout, or of the archive's numbered files */
  GHashTable *files; /* of an archive: name → path; NULL of a directory */
  GHashTable *links; /* of an archive: name → name */
  char *tag;         /* or NULL */
};

void
image_source_free (ImageSource *source)
{
  if (source == NULL)
    return;
  g_free (source->directory);
  g_clear_pointer (&source->files, g_hash_table_unref);
  g_clear_pointer (&source->links, g_hash_table_unref);
  g_free (source->tag);
  g_free (source);
}

void
image_free (Image *image)
{
  if (image == NULL)
    return;
  g_free (image->digest);
  g_free (image->text);
  image_config_free (image->config);
  image_manifest_free (image->manifest);
  g_free (image);
}

/* Archives. */

static gboolean
archive_error (const char *path, struct archive *archive, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot read the archive '%s': %s", path,
                  archive_error_string (archive));
  return FALSE;
}

/* "./a/../b" → "b". (transfer full) */
static char *
plain_name (const char *name)
{
  g_autofree char *canonical = g_canonicalize_filename (name, "/");

  return g_strdup (canonical + 1);
}

static gboolean
unpack_file (ImageSource *source, struct archive *archive, struct archive_entry *entry, const char *from,
             guint64 *left, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/%u", source->directory, g_hash_table_size (source->files));
  g_autofree char *name = plain_name (archive_entry_pathname (entry));
  gint64 size = archive_entry_size (entry);
  int fd, status;

  if (size < 0 || (guint64)size > *left || g_hash_table_size (source->files) >= IMAGE_ARCHIVE_FILES_MAX) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "the archive '%s' has more in it than an image: at most %d files and 64 GiB are read",
                    from, IMAGE_ARCHIVE_FILES_MAX);
    return FALSE;
  }
  *left -= (guint64)size;
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", path, g_strerror (errno));
    return FALSE;
  }
  status = archive_read_data_into_fd (archive, fd);
  close (fd);
  if (status != ARCHIVE_OK)
    return archive_error (from, archive, error);
  g_hash_table_replace (source->files, g_steal_pointer (&name), g_steal_pointer (&path));
  return TRUE;
}

static void
note_link (ImageSource *source, struct archive_entry *entry)
{
  g_autofree char *name = plain_name (archive_entry_pathname (entry));
  g_autofree char *folder = g_path_get_dirname (name);
  const char *target = archive_entry_symlink (entry);
  g_autofree char *joined = target != NULL ? g_build_filename ("/", folder, target, NULL) : NULL;

  if (joined != NULL && g_hash_table_size (source->links) < IMAGE_ARCHIVE_FILES_MAX)
    g_hash_table_replace (source->links, g_steal_pointer (&name), plain_name (joined));
}

static gboolean
unpack_entries (ImageSource *source, struct archive *archive, const char *from, GError **error)
{
  guint64 left = ARCHIVE_BYTES_MAX;
  struct archive_entry *entry;
  int status;

  while ((status = archive_read_next_header (archive, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
    if (archive_entry_pathname (entry) == NULL)
      continue;
    if (archive_entry_filetype (entry) == AE_IFLNK)
      note_link (source, entry);
    else if (archive_entry_filetype (entry) == AE_IFREG && archive_entry_hardlink (entry) == NULL
             && !unpack_file (source, archive, entry, from, &left, error))
      return FALSE;
  }
  return status == ARCHIVE_EOF || archive_error (from, archive, error);
}

static gboolean
unpack (ImageSource *source, const char *from, GError **error)
{
  struct archive *archive = archive_read_new ();
  gboolean done;

  source->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  source->links = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  archive_read_support_filter_gzip (archive);
  archive_read_support_filter_zstd (archive);
  archive_read_support_filter_xz (archive);
  archive_read_support_filter_bzip2 (archive);
  archive_read_support_format_tar (archive);
  done = archive_read_open_filename (archive, from, BLOCK_BYTES) == ARCHIVE_OK
             ? unpack_entries (source, archive, from, error)
             : archive_error (from, archive, error);
  archive_read_free (archive);
  return done;
}

/* Registries. */

static gboolean
fetch (const char *reference, const char *work, GError **error)
{
  g_autofree char *from = g_str_has_prefix (reference, "docker://")
                              ? g_strdup (reference)
                              : g_strconcat ("docker://", reference, NULL);
  g_autofree char *to = g_strconcat ("oci:", work, ":fetched", NULL);
  g_autofree char *skopeo = g_find_program_in_path ("skopeo");
  g_autofree char *said = NULL;
  const char *argv[] = { skopeo, "copy", "--quiet", from, to, NULL };
  int status;

  if (skopeo == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "there is no file '%s', and to fetch an image from a registry 'skopeo' must be installed",
                    reference);
    return FALSE;
  }
  if (!g_spawn_sync (NULL, (char **)argv, NULL, 0, NULL, NULL, NULL, &said, &status, error))
    return FALSE;
  if (g_spawn_check_wait_status (status, NULL))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "there is no file '%s', and skopeo cannot fetch it: %s",
                  reference, g_strstrip (said));
  return FALSE;
}

/* "PATH[:TAG]" behind a prefix. */
static void
split_tag (const char *text, char **ret_path, char **ret_tag)
{
  const char *tag = strchr (text, ':');

  *ret_path = tag != NULL ? g_strndup (text, (gsize)(tag - text)) : g_strdup (text);
  *ret_tag = tag != NULL ? g_strdup (tag + 1) : NULL;
}

ImageSource *
image_source_open (const char *reference, const char *work, GError **error)
{
  static const char *const prefixes[] = { "oci:", "oci-archive:", "docker-archive:" };
  g_autoptr (ImageSource) source = g_new0 (ImageSource, 1);
  g_autofree char *path = NULL;

  for (guint i = 0; path == NULL && i < G_N_ELEMENTS (prefixes); i++) {
    if (g_str_has_prefix (reference, prefixes[i]))
      split_tag (reference + strlen (prefixes[i]), &path, &source->tag);
  }
  if (path == NULL && !g_str_has_prefix (reference, "docker://")
      && g_file_test (reference, G_FILE_TEST_EXISTS))
    path = g_strdup (reference);
  if (path != NULL && g_file_test (path, G_FILE_TEST_IS_DIR)) {
    source->directory = g_steal_pointer (&path);
    return g_steal_pointer (&source);
  }
  source->directory = g_strdup (work);
  if (path != NULL ? unpack (source, path, error) : fetch (reference, work, error))
    return g_steal_pointer (&source);
  return NULL;
}

/* Files. */

/* The path of the file that is called @name in the source. (transfer full) NULL: there is none. */
static char *
find_file (ImageSource *source, const char *name)
{
  g_autofree char *plain = NULL;

  if (source->files == NULL)
    return g_build_filename (source->directory, name, NULL);
  plain = plain_name (name);
  for (guint i = 0; i < LINKS_MAX && g_hash_table_contains (source->links, plain); i++) {
    char *next = g_strdup (g_hash_table_lookup (source->links, plain));

    g_free (plain);
    plain = next;
  }
  return g_strdup (g_hash_table_lookup (source->files, plain));
}

static int
open_file (ImageSource *source, const char *name, GError **error)
{
  g_autofree char *path = find_file (source, name);
  int fd = path != NULL ? open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
  struct stat status;

  if (path == NULL)
    errno = ENOENT;
  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    return fd;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the image's '%s' cannot be read: %s", name,
                  fd >= 0 ? "it is no regular file" : g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

static char *
read_file (ImageSource *source, const char *name, gsize limit, gsize *ret_length, GError **error)
{
  int fd = open_file (source, name, error);
  g_autofree char *text = fd >= 0 ? g_malloc (limit + 2) : NULL;
  gsize length = 0;
  ssize_t count = 1;

  if (fd < 0)
    return NULL;
  while (count > 0 && length <= limit) {
    count = read (fd, text + length, limit + 1 - length);
    length += count > 0 ? (gsize)count : 0;
  }
  close (fd);
  if (count < 0 || length > limit) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the image's '%s' cannot be read: %s", name,
                    count < 0 ? g_strerror (errno) : "it is too large");
    return NULL;
  }
  text[length] = '\0';
  *ret_length = length;
  return g_steal_pointer (&text);
}

/* "blobs/sha256/HEX" of a digest that was checked. (transfer full) */
static char *
blob_name (const char *digest)
{
  return g_strconcat ("blobs/sha256/", digest + strlen (IMAGE_DIGEST_PREFIX), NULL);
}

static char *
read_blob (ImageSource *source, const char *digest, gsize limit, gsize *ret_length, GError **error)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *name = blob_name (digest);
  g_autofree char *text = read_file (source, name, limit, ret_length, error);

  if (text == NULL)
    return NULL;
  g_checksum_update (sum, (const guchar *)text, (gssize)*ret_length);
  return image_digest_check (digest, sum, name, error) ? g_steal_pointer (&text) : NULL;
}

/* The image. */

static ImageManifest *
read_oci_manifest (ImageSource *source, const char *architecture, GError **error)
{
  gsize length = 0;
  g_autofree char *text = read_file (source, "index.json", IMAGE_DOCUMENT_BYTES_MAX, &length, error);
  const char *tag = source->tag;
  gboolean is_index = TRUE;

  for (guint depth = 0; text != NULL && is_index; depth++) {
    g_autofree char *digest = NULL;

    if (depth == IMAGE_INDEX_DEPTH_MAX) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the image's index leads through more than %d others",
                      IMAGE_INDEX_DEPTH_MAX);
      return NULL;
    }
    is_index = FALSE;
    digest = image_index_choose (text, length, tag, architecture, &is_index, error);
    tag = NULL;
    g_clear_pointer (&text, g_free);
    if (digest != NULL)
      text = read_blob (source, digest, IMAGE_DOCUMENT_BYTES_MAX, &length, error);
  }
  return text != NULL ? image_manifest_parse (text, length, error) : NULL;
}

static ImageManifest *
read_docker_manifest (ImageSource *source, GError **error)
{
  gsize length = 0;
  g_autofree char *text = read_file (source, "manifest.json", IMAGE_DOCUMENT_BYTES_MAX, &length, error);

  return text != NULL ? image_manifest_parse_docker (text, length, source->tag, error) : NULL;
}

/* A docker archive of today has both; only Docker's knows its tags by their whole name. */
static gboolean
is_dockers (ImageSource *source)
{
  g_autofree char *docker = source->files != NULL ? find_file (source, "manifest.json") : NULL;
  g_autofree char *oci = find_file (source, "index.json");

  return docker != NULL && (oci == NULL || source->tag != NULL);
}

Image *
image_source_read (ImageSource *source, const char *architecture, GError **error)
{
  g_autoptr (Image) image = g_new0 (Image, 1);
  g_autofree char *text = NULL;
  gsize length = 0;

  image->manifest = is_dockers (source) ? read_docker_manifest (source, error)
                                        : read_oci_manifest (source, architecture, error);
  if (image->manifest == NULL)
    return NULL;
  text = image->manifest->by_name
             ? read_file (source, image->manifest->config, IMAGE_CONFIG_BYTES_MAX, &length, error)
             : read_blob (source, image->manifest->config, IMAGE_CONFIG_BYTES_MAX, &length, error);
  if (text == NULL)
    return NULL;
  image->digest = image_digest_of (text, length);
  image->config = image_config_parse (text, length, error);
  if (image->config == NULL)
    return NULL;
  if (g_strv_length (image->config->diff_ids) != g_strv_length (image->manifest->layers)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "the image's manifest has %u layers, and its configuration %u",
                    g_strv_length (image->manifest->layers), g_strv_length (image->config->diff_ids));
    return NULL;
  }
  if (image->config->architecture != NULL && !g_str_equal (image->config->architecture, architecture)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "the image is for '%s': this host runs '%s'",
                    image->config->architecture, architecture);
    return NULL;
  }
  image->text = g_steal_pointer (&text);
  image->text_length = length;
  return g_steal_pointer (&image);
}

int
image_source_layer (ImageSource *source, const Image *image, guint layer, GError **error)
{
  const char *name = image->manifest->layers[layer];
  g_autofree char *blob = image->manifest->by_name ? NULL : blob_name (name);

  return open_file (source, blob != NULL ? blob : name, error);
}
