/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Image headers. Only what a start needs is read: the format, the virtual size, and for qcow2 the backing
 * file and its format. The header may have been written by a guest, so a document's "raw" is never
 * second-guessed, a backing file without a stated format is taken only if it looks raw, and nothing is
 * followed that is not a plain local file.
 */
#include "daemon/host/image.h"

#include "daemon/host/path-obstacle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_HEADER_MAX               (64 * 1024) /* bytes read from the beginning */
#define STAT_BLOCK                     512         /* bytes of one of st_blocks */
#define VPC_FOOTER                     512         /* bytes */
#define QCOW2_NAME_MAX                 1023        /* QEMU's own limit for a backing file's name */
#define QCOW2_EXTENSION_MAX            64
#define QCOW2_EXTENSION_BACKING_FORMAT 0xE2792ACAU
#define QCOW2_INCOMPATIBLE_DATA_FILE   (G_GUINT64_CONSTANT (1) << 2)
#define QCOW2_INCOMPATIBLE_EXTENDED_L2 (G_GUINT64_CONSTANT (1) << 4)
#define QCOW2_COMPATIBLE_LAZY          (G_GUINT64_CONSTANT (1) << 0)
#define QCOW2_CLUSTER_BITS_MIN         9
#define QCOW2_CLUSTER_BITS_MAX         21
#define QCOW2_HEADER_V2                72
#define QCOW2_HEADER_V3                104

typedef struct {
  ImageInfo info;
  char *path, *format;
  dev_t device;
  ino_t inode;
} Image;

/* One file's beginning. */
typedef struct {
  guint8 bytes[IMAGE_HEADER_MAX];
  gsize length;
  guint64 size; /* of the file or device */
} Header;

typedef struct {
  guint offset;
  const char *bytes;
  guint length;
  const char *format;
} Magic;

static const Magic magics[] = {
  { 0, "QFI\xfb", 4, "qcow2" }, /* version 1 is "qcow": told apart below */
  { 0, "QED\0", 4, "qed" },
  { 0, "KDMV", 4, "vmdk" },
  { 0, "COWD", 4, "vmdk" },
  { 0, "# Disk DescriptorFile", 21, "vmdk" },
  { 64, "\x7f\x10\xda\xbe", 4, "vdi" },
  { 0, "vhdxfile", 8, "vhdx" },
  { 0, "conectix", 8, "vpc" },
  { 0, "LUKS\xba\xbe", 6, "luks" },
  { 0, "WithoutFreeSpace", 16, "parallels" },
  { 0, "WithouFreSpacExt", 16, "parallels" },
  { 0, "Bochs Virtual HD Image", 22, "bochs" },
};

/* Whether @length bytes at @offset were read. Both come from the header itself: nothing is computed with them
 * before. */
static gboolean
header_holds (const Header *header, guint64 offset, guint64 length)
{
  return offset <= header->length && length <= header->length - offset;
}

/* Big-endian; what the header does not hold is 0. @bytes is at most 8. */
static guint64
read_big (const Header *header, gsize offset, guint bytes)
{
  guint64 value = 0;

  if (!header_holds (header, offset, bytes))
    return 0;
  for (guint i = 0; i < bytes; i++)
    value = value << 8 | header->bytes[offset + i];
  return value;
}

static const char *
detect_format (const Header *header)
{
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++)
    if (header_holds (header, magics[i].offset, magics[i].length)
        && memcmp (header->bytes + magics[i].offset, magics[i].bytes, magics[i].length) == 0) {
      if (g_str_equal (magics[i].format, "qcow2") && read_big (header, 4, 4) == 1)
        return "qcow";
      return magics[i].format;
    }
  return "raw";
}

static gboolean
bad_header (const char *path, const char *what, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the qcow2 header of '%s' is damaged: %s", path, what);
  return FALSE;
}

/* The stated format of the backing file; NULL when none is. (transfer full) */
static char *
qcow2_backing_format (const Header *header, gsize offset)
{
  for (guint i = 0; i < QCOW2_EXTENSION_MAX && header_holds (header, offset, 8); i++) {
    guint64 type = read_big (header, offset, 4);
    guint64 length = read_big (header, offset + 4, 4);
    offset += 8;
    if (type == 0 || !header_holds (header, offset, length))
      return NULL;
    if (type == QCOW2_EXTENSION_BACKING_FORMAT)
      return g_strndup ((const char *)header->bytes + offset, length);
    offset += (length + 7) / 8 * 8;
  }
  return NULL;
}

/* Size, backing file's name as it stands and its format (transfer full). */
static gboolean
read_qcow2 (const char *path, const Header *header, guint64 *ret_size, char **ret_backing, char **ret_format,
            GError **error)
{
  if (header->length < QCOW2_HEADER_V2)
    return bad_header (path, "it is cut off", error);

  guint64 version = read_big (header, 4, 4);
  guint64 name_offset = read_big (header, 8, 8);
  guint64 name_length = read_big (header, 16, 4);
  guint64 header_length = QCOW2_HEADER_V2;
  if (version != 2 && version != 3) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "'%s' is qcow2 of version %" G_GUINT64_FORMAT "; versions 2 and 3 are known", path,
                    version);
    return FALSE;
  }
  if (version == 3) {
    if (header->length < QCOW2_HEADER_V3 || (header_length = read_big (header, 100, 4)) < QCOW2_HEADER_V3
        || header_length > header->length)
      return bad_header (path, "its length is out of range", error);
    if ((read_big (header, 72, 8) & QCOW2_INCOMPATIBLE_DATA_FILE) != 0) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "'%s' keeps its data in an external data file, which is not supported", path);
      return FALSE;
    }
  }
  *ret_size = read_big (header, 24, 8);
  if (*ret_size > G_MAXINT64)
    return bad_header (path, "its virtual size is out of range", error);
  if (name_offset == 0 || name_length == 0)
    return TRUE;
  if (name_length > QCOW2_NAME_MAX || name_offset < header_length
      || !header_holds (header, name_offset, name_length)
      || memchr (header->bytes + name_offset, '\0', name_length) != NULL)
    return bad_header (path, "the name of its backing file is out of range", error);

  *ret_backing = g_strndup ((const char *)header->bytes + name_offset, name_length);
  *ret_format = qcow2_backing_format (header, header_length);
  return TRUE;
}

static int
open_image (const char *path, struct stat *ret_status, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0 || fstat (fd, ret_status) != 0) {
    const char *reason = g_strerror (errno);
    g_autofree char *obstacle = path_obstacle (path, FALSE);

    virt_error_set_from (error, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot access storage file '%s': %s%s%s", path, reason,
                         obstacle != NULL ? ": " : "", obstacle != NULL ? obstacle : "");
    if (fd >= 0)
      close (fd);
    return -1;
  }
  if (!S_ISREG (ret_status->st_mode) && !S_ISBLK (ret_status->st_mode)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Cannot access storage file '%s': it is neither a file nor a block device", path);
    close (fd);
    return -1;
  }
  return fd;
}

/* As much of the beginning as there is. FALSE with errno set. */
static gboolean
read_beginning (int fd, const struct stat *status, Header *header)
{
  ssize_t got;

  header->size = (guint64)status->st_size;
  if (S_ISBLK (status->st_mode) && ioctl (fd, BLKGETSIZE64, &header->size) != 0)
    header->size = 0; /* a drive without a medium */
  header->length = 0;
  while (header->length < sizeof header->bytes
         && (got = pread (fd, header->bytes + header->length, sizeof header->bytes - header->length,
                          (off_t)header->length))
                != 0) {
    if (got < 0 && errno != EINTR)
      return FALSE;
    header->length += got > 0 ? (gsize)got : 0;
  }
  return TRUE;
}

/* A vpc image of fixed size is raw but for its last bytes, which are what the others begin with. Looked at
 * only where somebody who is no guest has said that it is one. */
static void
read_vpc_footer (int fd, const char *format, Header *header)
{
  guint8 footer[VPC_FOOTER];

  if (g_strcmp0 (format, "vpc") != 0 || !g_str_equal (detect_format (header), "raw")
      || header->size < VPC_FOOTER
      || pread (fd, footer, VPC_FOOTER, (off_t)(header->size - VPC_FOOTER)) != VPC_FOOTER)
    return;
  memcpy (header->bytes, footer, VPC_FOOTER);
  header->length = VPC_FOOTER;
}

static gboolean
read_header (const char *path, const char *format, Header *header, struct stat *ret_status, GError **error)
{
  int fd = open_image (path, ret_status, error);

  if (fd < 0)
    return FALSE;
  /* What cannot be read looks raw, and is QEMU's to report. */
  if (read_beginning (fd, ret_status, header))
    read_vpc_footer (fd, format, header);
  close (fd);
  return TRUE;
}

/* The file @name speaks of, seen from the image @path. NULL with @error: not a local file. (transfer full) */
static char *
resolve_backing (const char *path, const char *name, GError **error)
{
  const char *local = g_str_has_prefix (name, "file:") ? name + strlen ("file:") : name;
  const char *colon = strchr (local, ':');
  const char *slash = strchr (local, '/');

  /* As QEMU sees it: a colon before any slash is a protocol. */
  if (colon != NULL && (slash == NULL || colon < slash)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "the backing file '%s' of '%s' is not a local file, which is not supported", name, path);
    return NULL;
  }
  if (g_path_is_absolute (local))
    return g_strdup (local);
  g_autofree char *directory = g_path_get_dirname (path);
  return g_build_filename (directory, local, NULL);
}

static gboolean
check_format (const char *path, const char *wanted, const char *found, GError **error)
{
  if (wanted == NULL || g_str_equal (wanted, "raw") || g_str_equal (wanted, found))
    return TRUE;
  /* An iso is raw, and there are formats that have no magic at the beginning: only the known ones are judged.
   */
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++)
    if (g_str_equal (magics[i].format, wanted)) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "'%s' is not in format '%s', as <driver type='%s'/> says: it is '%s'", path, wanted,
                      wanted, found);
      return FALSE;
    }
  return TRUE;
}

static Image *
image_new (const char *path, const char *format, const Header *header, const struct stat *status)
{
  Image *image = g_new0 (Image, 1);

  image->path = g_strdup (path);
  image->format = g_strdup (format);
  image->info = (ImageInfo){ .path = image->path,
                             .format = image->format,
                             .virtual_size = header->size,
                             .is_device = S_ISBLK (status->st_mode) };
  image->device = status->st_dev;
  image->inode = status->st_ino;
  return image;
}

static gboolean
chain_contains (const ImageInfo *top, const struct stat *status)
{
  for (; top != NULL; top = top->backing) {
    const Image *image = (const Image *)top;
    if (image->device == status->st_dev && image->inode == status->st_ino)
      return TRUE;
  }
  return FALSE;
}

/* A backing file whose format its overlay does not state. */
static gboolean
accept_probed (const char *path, const char *overlay, const char *found, GError **error)
{
  if (g_str_equal (found, "raw"))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                  "format of backing image '%s' of image '%s' was not specified in the image metadata; it "
                  "looks like '%s' "
                  "(qemu-img rebase -u -b '%s' -F %s '%s' states it)",
                  path, overlay, found, path, found, overlay);
  return FALSE;
}

/* One image, and in @ret_next, @ret_next_format what it stands on. */
static Image *
read_one (const ImageInfo *top, const char *overlay, const char *path, const char *format, char **ret_next,
          char **ret_next_format, GError **error)
{
  g_autofree Header *header = g_new (Header, 1);
  g_autofree char *name = NULL, *name_format = NULL;
  struct stat status;

  if (!read_header (path, format, header, &status, error))
    return NULL;
  if (chain_contains (top, &status)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the backing chain of '%s' comes back to '%s'",
                    top->path, path);
    return NULL;
  }
  const char *found = detect_format (header);
  if (!check_format (path, format, found, error)
      || (overlay != NULL && format == NULL && !accept_probed (path, overlay, found, error)))
    return NULL;

  g_autoptr (ImageInfo) info =
      (ImageInfo *)image_new (path, format != NULL ? format : found, header, &status);
  if (g_str_equal (info->format, "qcow2")) {
    if (!read_qcow2 (path, header, &info->virtual_size, &name, &name_format, error))
      return NULL;
    if (name != NULL && (*ret_next = resolve_backing (path, name, error)) == NULL)
      return NULL;
    *ret_next_format = g_steal_pointer (&name_format);
  }
  return (Image *)g_steal_pointer (&info);
}

ImageInfo *
image_info_read (const char *path, const char *format, GError **error)
{
  g_autoptr (ImageInfo) top = NULL;
  g_autofree char *next = g_strdup (path), *next_format = g_strdup (format);
  ImageInfo *last = NULL;

  for (guint depth = 0; next != NULL; depth++) {
    g_autofree char *here = g_steal_pointer (&next), *here_format = g_steal_pointer (&next_format);
    if (depth >= IMAGE_CHAIN_MAX) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the backing chain of '%s' is longer than %d images",
                      path, IMAGE_CHAIN_MAX);
      return NULL;
    }
    Image *image =
        read_one (top, last != NULL ? last->path : NULL, here, here_format, &next, &next_format, error);
    if (image == NULL) {
      if (last != NULL)
        virt_error_prefix (error, "in the backing chain of '%s': ", path);
      return NULL;
    }
    if (last != NULL)
      last->backing = &image->info;
    else
      top = &image->info;
    last = &image->info;
  }
  return g_steal_pointer (&top);
}

/* The one image, whatever its header says is below it. */
static ImageInfo *
read_alone (const ImageInfo *top, const char *path, const char *format, GError **error)
{
  g_autofree char *next = NULL, *next_format = NULL;
  Image *image = read_one (top, NULL, path, format, &next, &next_format, error);

  return image != NULL ? &image->info : NULL;
}

ImageInfo *
image_info_read_chain (const char *path, const char *format, const DiskBacking *said, GError **error)
{
  g_autoptr (ImageInfo) top = NULL;
  ImageInfo *last = NULL;

  if (said == NULL || said->detected)
    return image_info_read (path, format, error);
  top = last = read_alone (NULL, path, format, error);
  for (guint depth = 1; last != NULL && said != NULL && !disk_backing_is_end (said); depth++) {
    const char *below = disk_backing_path (said);

    if (below == NULL)
      break; /* no local file: QEMU connects to it, and nobody reads its header */
    if (depth >= IMAGE_CHAIN_MAX) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "the <backingStore> of '%s' is too long", path);
      return NULL;
    }
    last->backing = said->backing != NULL ? read_alone (top, below, said->format, error)
                                          : image_info_read (below, said->format, error);
    if (last->backing == NULL)
      return NULL;
    last = (ImageInfo *)last->backing;
    said = said->backing;
  }
  return g_steal_pointer (&top);
}

void
image_info_free (ImageInfo *info)
{
  while (info != NULL) {
    Image *image = (Image *)info;
    info = (ImageInfo *)info->backing;
    g_free (image->path);
    g_free (image->format);
    g_free (image);
  }
}

static void
read_qcow2_features (const Header *header, ImageHeader *image)
{
  guint64 cluster_bits = read_big (header, 20, 4);

  image->compat = g_strdup (read_big (header, 4, 4) == 2 ? "0.10" : "1.1");
  if (cluster_bits >= QCOW2_CLUSTER_BITS_MIN && cluster_bits <= QCOW2_CLUSTER_BITS_MAX)
    image->cluster_size = G_GUINT64_CONSTANT (1) << cluster_bits;
  if (g_str_equal (image->compat, "0.10"))
    return;
  image->lazy_refcounts = (read_big (header, 80, 8) & QCOW2_COMPATIBLE_LAZY) != 0;
  image->extended_l2 = (read_big (header, 72, 8) & QCOW2_INCOMPATIBLE_EXTENDED_L2) != 0;
}

/* Where a format's header has the virtual size, and in units of how many bytes. */
static const struct {
  const char *format;
  guint offset;
  gboolean little_endian;
  guint unit;
} stated_sizes[] = {
  { "qcow", 24, FALSE, 1 }, { "vpc", 40, FALSE, 1 },   { "vdi", 368, TRUE, 1 },
  { "qed", 48, TRUE, 1 },   { "vmdk", 12, TRUE, 512 }, /* of the sparse kind only, whose magic is "KDMV" */
};

/* The virtual size as the header states it; the file's own where it states none that can be. */
static guint64
stated_size (const Header *header, const char *format)
{
  guint64 size = 0;

  for (guint i = 0; i < G_N_ELEMENTS (stated_sizes); i++)
    if (g_str_equal (format, stated_sizes[i].format)
        && (!g_str_equal (format, "vmdk") || header->bytes[0] == 'K')) {
      size = read_big (header, stated_sizes[i].offset, 8);
      if (stated_sizes[i].little_endian)
        size = GUINT64_SWAP_LE_BE (size);
      if (!g_uint64_checked_mul (&size, size, stated_sizes[i].unit))
        size = 0;
    }
  return size > 0 && size <= G_MAXINT64 ? size : header->size;
}

static gboolean
is_iso (const Header *header)
{
  const guint offset = 32769;

  return header_holds (header, offset, 5) && memcmp (header->bytes + offset, "CD001", 5) == 0;
}

/* @format: what it is said to be; may be NULL. */
static ImageHeader *
read_image_header (int fd, const char *path, const char *format, GError **error)
{
  g_autofree Header *header = g_new (Header, 1);
  g_autofree char *name = NULL;
  g_autoptr (ImageHeader) image = g_new0 (ImageHeader, 1);
  struct stat status;

  if (fstat (fd, &status) != 0 || !read_beginning (fd, &status, header)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read header '%s': %s", path, g_strerror (errno));
    return NULL;
  }
  read_vpc_footer (fd, format, header);
  image->format = g_strdup (detect_format (header));
  image->virtual_size = stated_size (header, image->format);
  if (g_str_equal (image->format, "raw") && is_iso (header)) {
    g_free (image->format);
    image->format = g_strdup ("iso");
  }
  if (!g_str_equal (image->format, "qcow2"))
    return g_steal_pointer (&image);

  image->virtual_size = header->size;
  if (!read_qcow2 (path, header, &image->virtual_size, &name, &image->backing_format, NULL)) {
    image->virtual_size = header->size;
    return g_steal_pointer (&image);
  }
  read_qcow2_features (header, image);
  if (name != NULL && (image->backing = resolve_backing (path, name, NULL)) == NULL)
    image->backing = g_strdup (name);
  image->backing_name = g_steal_pointer (&name);
  return g_steal_pointer (&image);
}

ImageHeader *
image_header_read (int fd, const char *path, GError **error)
{
  return read_image_header (fd, path, NULL, error);
}

void
image_header_free (ImageHeader *header)
{
  if (header == NULL)
    return;
  g_free (header->format);
  g_free (header->backing);
  g_free (header->backing_name);
  g_free (header->backing_format);
  g_free (header->compat);
  g_free (header);
}

gboolean
image_sizes_read (const char *path, const char *format, ImageSizes *ret, GError **error)
{
  struct stat status;
  int fd = open_image (path, &status, error);
  guint64 size;

  if (fd < 0)
    return FALSE;
  size = (guint64)status.st_size;
  if (S_ISBLK (status.st_mode) && ioctl (fd, BLKGETSIZE64, &size) != 0)
    size = 0; /* a drive without a medium */
  *ret = (ImageSizes){ S_ISBLK (status.st_mode) ? size : (guint64)status.st_blocks * STAT_BLOCK, size, size };
  if (format != NULL && !g_str_equal (format, "raw")) {
    g_autoptr (ImageHeader) header = read_image_header (fd, path, format, NULL);

    if (header != NULL && g_str_equal (header->format, format))
      ret->capacity = header->virtual_size;
  }
  close (fd);
  return TRUE;
}
