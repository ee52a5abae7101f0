/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Layers to a squashfs. They are read twice: first for their names and sums, from which the merged tree comes
 * (image/layer-tree.h), then for their data, as one tar that is written to sqfstar. So nothing is unpacked on
 * the host, owners, modes, devices and attributes are only numbers in a file, and an ordinary user gets them
 * as root does.
 *
 * A layer goes through two of libarchive's readers, the first for its compression, so that what comes out of
 * it can be summed and counted before tar is believed: a bomb ends at its limit.
 */
#include "cli/image-layers.h"

#include "base/virt-error.h"
#include "image/image-digest.h"
#include "image/layer-tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK_BYTES     (256 * 1024)
#define ATTRIBUTES_MAX  64
#define ATTRIBUTE_BYTES (64 * 1024)
#define SAID_MAX        4096 /* bytes of sqfstar's last words */

typedef struct {
  guint number; /* from 0 */
  int fd;
  GChecksum *packed, *unpacked;
  struct archive *filter, *tar;
  guint64 bytes; /* unpacked so far */
  guint8 in[BLOCK_BYTES];
  guint8 out[BLOCK_BYTES];
} Layer;

static la_ssize_t
read_packed (G_GNUC_UNUSED struct archive *archive, void *data, const void **ret_bytes)
{
  Layer *layer = data;
  ssize_t count;

  do {
    count = read (layer->fd, layer->in, sizeof layer->in);
  } while (count < 0 && errno == EINTR);
  if (count > 0)
    g_checksum_update (layer->packed, layer->in, count);
  *ret_bytes = layer->in;
  return count;
}

static la_ssize_t
read_unpacked (struct archive *archive, void *data, const void **ret_bytes)
{
  Layer *layer = data;
  la_ssize_t count = archive_read_data (layer->filter, layer->out, sizeof layer->out);

  if (count < 0) {
    archive_set_error (archive, EINVAL, "%s", archive_error_string (layer->filter));
    return -1;
  }
  layer->bytes += (guint64)count;
  /* Headers and padding come on top of what is in files. */
  if (layer->bytes > 2 * LAYER_BYTES_MAX) {
    archive_set_error (archive, EFBIG, "it unpacks to more than 128 GiB");
    return -1;
  }
  g_checksum_update (layer->unpacked, layer->out, count);
  *ret_bytes = layer->out;
  return count;
}

static void
layer_close (Layer *layer)
{
  if (layer == NULL)
    return;
  g_clear_pointer (&layer->tar, archive_read_free);
  g_clear_pointer (&layer->filter, archive_read_free);
  g_checksum_free (layer->packed);
  g_checksum_free (layer->unpacked);
  close (layer->fd);
  g_free (layer);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Layer, layer_close)

static gboolean
layer_error (const Layer *layer, struct archive *archive, GError **error)
{
  const char *why = archive_error_string (archive);

  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "layer %u of the image cannot be read: %s",
                  layer->number + 1, why != NULL ? why : "it is damaged");
  return FALSE;
}

static Layer *
layer_open (ImageSource *source, const Image *image, guint number, GError **error)
{
  int fd = image_source_layer (source, image, number, error);
  g_autoptr (Layer) layer = NULL;
  struct archive_entry *entry;

  if (fd < 0)
    return NULL;
  layer = g_new0 (Layer, 1);
  layer->number = number;
  layer->fd = fd;
  layer->packed = g_checksum_new (G_CHECKSUM_SHA256);
  layer->unpacked = g_checksum_new (G_CHECKSUM_SHA256);
  layer->filter = archive_read_new ();
  layer->tar = archive_read_new ();
  archive_read_support_filter_gzip (layer->filter);
  archive_read_support_filter_zstd (layer->filter);
  archive_read_support_filter_xz (layer->filter);
  archive_read_support_filter_bzip2 (layer->filter);
  archive_read_support_format_raw (layer->filter);
  archive_read_support_format_tar (layer->tar);
  if (archive_read_open (layer->filter, layer, NULL, read_packed, NULL) != ARCHIVE_OK
      || archive_read_next_header (layer->filter, &entry) != ARCHIVE_OK) {
    layer_error (layer, layer->filter, error);
    return NULL;
  }
  if (archive_read_open (layer->tar, layer, NULL, read_unpacked, NULL) != ARCHIVE_OK) {
    layer_error (layer, layer->tar, error);
    return NULL;
  }
  return g_steal_pointer (&layer);
}

/* The next entry that counts; NULL at the end, or with @error. */
static struct archive_entry *
layer_next (Layer *layer, GError **error)
{
  struct archive_entry *entry;
  int status = archive_read_next_header (layer->tar, &entry);

  if (status == ARCHIVE_OK || status == ARCHIVE_WARN) {
    if (archive_entry_pathname (entry) != NULL)
      return entry;
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "layer %u of the image has a file without a name that can be read", layer->number + 1);
  } else if (status != ARCHIVE_EOF) {
    layer_error (layer, layer->tar, error);
  }
  return NULL;
}

/* What is behind tar's end, which is summed as well, and the sums. */
static gboolean
layer_check (Layer *layer, const Image *image, GError **error)
{
  g_autofree char *what = g_strdup_printf ("layer %u", layer->number + 1);
  g_autofree char *unpacked = g_strconcat (what, ", unpacked,", NULL);
  const void *bytes;
  la_ssize_t count;

  while ((count = read_unpacked (layer->tar, layer, &bytes)) > 0)
    ;
  if (count < 0)
    return layer_error (layer, layer->tar, error);
  while ((count = read_packed (NULL, layer, &bytes)) > 0)
    ;
  if (count < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "%s of the image cannot be read: %s", what,
                    g_strerror (errno));
    return FALSE;
  }
  return (image->manifest->by_name
          || image_digest_check (image->manifest->layers[layer->number], layer->packed, what, error))
         && image_digest_check (image->config->diff_ids[layer->number], layer->unpacked, unpacked, error);
}

/* The first time: names. */

static LayerEntry
describe (struct archive_entry *entry)
{
  LayerEntry described = { .path = archive_entry_pathname (entry), .type = LAYER_SPECIAL };

  if (archive_entry_hardlink (entry) != NULL) {
    described.type = LAYER_HARDLINK;
    described.link = archive_entry_hardlink (entry);
  } else if (archive_entry_filetype (entry) == AE_IFREG) {
    described.type = LAYER_FILE;
    described.size = archive_entry_size (entry) > 0 ? (guint64)archive_entry_size (entry) : 0;
  } else if (archive_entry_filetype (entry) == AE_IFDIR) {
    described.type = LAYER_FOLDER;
  } else if (archive_entry_filetype (entry) == AE_IFLNK) {
    described.type = LAYER_SYMLINK;
    described.link = archive_entry_symlink (entry);
  }
  return described;
}

static gboolean
read_names (ImageSource *source, const Image *image, guint number, LayerTree *tree, GError **error)
{
  g_autoptr (Layer) layer = layer_open (source, image, number, error);
  GError *problem = NULL;
  struct archive_entry *entry;

  if (layer == NULL)
    return FALSE;
  layer_tree_begin (tree);
  while ((entry = layer_next (layer, &problem)) != NULL) {
    const LayerEntry described = describe (entry);

    if (!layer_tree_add (tree, &described, error))
      return FALSE;
  }
  if (problem == NULL)
    return layer_check (layer, image, error);
  g_propagate_error (error, problem);
  return FALSE;
}

/* The second time: data. */

/* What may be kept of a file's attributes. overlayfs and the host's security modules believe others. */
static void
copy_attributes (struct archive_entry *from, struct archive_entry *to)
{
  int count = archive_entry_xattr_reset (from);

  for (int i = 0; i < MIN (count, ATTRIBUTES_MAX); i++) {
    const char *name;
    const void *value;
    size_t size;

    if (archive_entry_xattr_next (from, &name, &value, &size) == ARCHIVE_OK && size <= ATTRIBUTE_BYTES
        && (g_str_has_prefix (name, "user.") || g_str_equal (name, "security.capability")))
      archive_entry_xattr_add_entry (to, name, value, size);
  }
}

static struct archive_entry *
copy_entry (struct archive_entry *from, const char *path)
{
  struct archive_entry *to = archive_entry_new ();

  archive_entry_set_pathname (to, path);
  archive_entry_set_filetype (to, archive_entry_filetype (from));
  archive_entry_set_perm (to, archive_entry_perm (from));
  archive_entry_set_uid (to, archive_entry_uid (from));
  archive_entry_set_gid (to, archive_entry_gid (from));
  archive_entry_set_mtime (to, archive_entry_mtime (from), 0);
  if (archive_entry_filetype (from) == AE_IFLNK)
    archive_entry_set_symlink (to, archive_entry_symlink (from));
  else if (archive_entry_filetype (from) == AE_IFCHR || archive_entry_filetype (from) == AE_IFBLK)
    archive_entry_set_rdev (to, archive_entry_rdev (from));
  archive_entry_set_size (to, archive_entry_filetype (from) == AE_IFREG ? archive_entry_size (from) : 0);
  copy_attributes (from, to);
  return to;
}

static gboolean
write_data (Layer *layer, struct archive *to, GError **error)
{
  static guint8 bytes[BLOCK_BYTES];
  la_ssize_t count;

  while ((count = archive_read_data (layer->tar, bytes, sizeof bytes)) > 0) {
    if (archive_write_data (to, bytes, (size_t)count) < 0)
      return layer_error (layer, to, error);
  }
  return count == 0 || layer_error (layer, layer->tar, error);
}

/* Under its first path with its data, under the others as links to that; what is no file, again. */
static gboolean
write_entry (Layer *layer, struct archive_entry *entry, GPtrArray *paths, struct archive *to, GError **error)
{
  gboolean is_file = archive_entry_filetype (entry) == AE_IFREG;

  for (guint i = 0; i < paths->len; i++) {
    const char *path = g_ptr_array_index (paths, i);
    struct archive_entry *copy;
    int status;

    if (*path == '\0')
      continue;
    copy = copy_entry (entry, path);
    if (i > 0 && is_file) {
      archive_entry_set_hardlink (copy, g_ptr_array_index (paths, 0));
      archive_entry_set_size (copy, 0);
    }
    status = archive_write_header (to, copy);
    archive_entry_free (copy);
    if (status < ARCHIVE_WARN)
      return layer_error (layer, to, error);
    if (i == 0 && is_file && !write_data (layer, to, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_layer (ImageSource *source, const Image *image, guint number, LayerTree *tree, struct archive *to,
             GError **error)
{
  g_autoptr (Layer) layer = layer_open (source, image, number, error);
  GError *problem = NULL;
  struct archive_entry *entry;

  if (layer == NULL)
    return FALSE;
  for (guint i = 0; (entry = layer_next (layer, &problem)) != NULL; i++) {
    GPtrArray *paths = layer_tree_paths (tree, number, i);

    if (paths != NULL && !write_entry (layer, entry, paths, to, error))
      return FALSE;
  }
  if (problem == NULL) /* it may have been exchanged since it was first read */
    return layer_check (layer, image, error);
  g_propagate_error (error, problem);
  return FALSE;
}

static gboolean
write_implied (LayerTree *tree, struct archive *to)
{
  g_autoptr (GPtrArray) paths = layer_tree_implied (tree);
  gboolean good = TRUE;

  for (guint i = 0; good && i < paths->len; i++) {
    struct archive_entry *entry = archive_entry_new ();

    archive_entry_set_pathname (entry, g_ptr_array_index (paths, i));
    archive_entry_set_filetype (entry, AE_IFDIR);
    archive_entry_set_perm (entry, 0755);
    if (*(const char *)g_ptr_array_index (paths, i) != '\0')
      good = archive_write_header (to, entry) >= ARCHIVE_WARN;
    archive_entry_free (entry);
  }
  return good;
}

/* sqfstar. */

static gboolean
write_all (ImageSource *source, const Image *image, LayerTree *tree, int fd, GError **error)
{
  struct archive *to = archive_write_new ();
  gboolean good;

  archive_write_set_format_pax_restricted (to);
  archive_write_set_bytes_in_last_block (to, 1);
  good = archive_write_open_fd (to, fd) == ARCHIVE_OK && write_implied (tree, to);
  if (!good)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "sqfstar cannot be written to: %s",
                    archive_error_string (to));
  for (guint i = 0; good && image->manifest->layers[i] != NULL; i++)
    good = write_layer (source, image, i, tree, to, error);
  if (good && archive_write_close (to) != ARCHIVE_OK) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "sqfstar cannot be written to: %s",
                    archive_error_string (to));
    good = FALSE;
  }
  archive_write_free (to);
  return good;
}

static gboolean
end_sqfstar (GPid pid, int said_fd, GError **error)
{
  char said[SAID_MAX];
  gsize length = 0;
  ssize_t count;
  int status;

  while ((count = read (said_fd, said + length, sizeof said - 1 - length)) > 0)
    length += (gsize)count;
  said[length] = '\0';
  close (said_fd);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (g_spawn_check_wait_status (status, NULL))
    return TRUE;
  if (*error == NULL || strstr ((*error)->message, "sqfstar") == NULL) {
    g_clear_error (error);
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "sqfstar cannot make the image's file system: %s",
                    g_strstrip (said));
  }
  return FALSE;
}

static gboolean
make_file (ImageSource *source, const Image *image, LayerTree *tree, const char *path, GError **error)
{
  const char *argv[] = {
    "sqfstar", "-comp", "lz4", "-quiet", "-no-progress", "-root-mode", "0755", path, NULL
  };
  GError *problem = NULL;
  int input, said;
  gboolean good;
  GPid pid;

  if (!g_spawn_async_with_pipes (NULL, (char **)argv, NULL,
                                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                                 NULL, NULL, &pid, &input, NULL, &said, NULL)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot run 'sqfstar', which makes an image's file system: install squashfs-tools");
    return FALSE;
  }
  good = write_all (source, image, tree, input, &problem);
  close (input);
  if (!good && strstr (problem->message, "sqfstar") == NULL)
    kill (pid, SIGKILL); /* it would make a file of what it got so far */
  if (good) {
    good = end_sqfstar (pid, said, &problem);
  } else {
    g_autoptr (GError) last = NULL;

    end_sqfstar (pid, said, &last);
  }
  if (problem != NULL)
    g_propagate_error (error, problem);
  return good;
}

gboolean
image_layers_write (ImageSource *source, const Image *image, const char *path, GError **error)
{
  g_autoptr (LayerTree) tree = layer_tree_new ();
  void (*before) (int) = signal (SIGPIPE, SIG_IGN);
  gboolean good = TRUE;

  for (guint i = 0; good && image->manifest->layers[i] != NULL; i++)
    good = read_names (source, image, i, tree, error);
  good = good && make_file (source, image, tree, path, error);
  if (!good)
    unlink (path);
  signal (SIGPIPE, before);
  return good;
}
