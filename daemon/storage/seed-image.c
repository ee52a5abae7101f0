/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libarchive writes the time of the writing into an image, at many places, so that two of the same files
 * differ. What they are made of is compared instead: its SHA-256 is the image's application identifier. That
 * also tells our images from a file that somebody has put there, and which is not ours to replace.
 */
#include "daemon/storage/seed-image.h"

#include "daemon/core/file.h"
#include "daemon/host/named-file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define VOLUME "cidata" /* by which cloud-init finds it */
/* Its number changes when images of the same files are to be made anew. */
#define IDENTIFIER_PREFIX "DOMAIND_SEED_1_"
#define SECTOR_BYTES      2048
/* ECMA-119, 8.4: the primary volume descriptor. */
#define DESCRIPTOR_OFFSET  (16 * SECTOR_BYTES)
#define IDENTIFIER_OFFSET  574
#define IDENTIFIER_BYTES   128
#define DESCRIPTOR_TYPE_ID "\1CD001"
#define FILE_MODE          0600 /* passwords may be in it; QEMU gets it open */
#define ENTRY_MODE         0444

typedef struct archive WrittenArchive;
typedef struct archive_entry ArchiveEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WrittenArchive, archive_write_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ArchiveEntry, archive_entry_free)

/* (transfer full) */
static char *
identifier_of (const SeedFile *files, guint count)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *sum = NULL;

  for (guint i = 0; i < count; i++) {
    g_autofree char *head = g_strdup_printf ("%s %" G_GSIZE_FORMAT "\n", files[i].name, files[i].length);

    g_checksum_update (checksum, (const guchar *)head, -1);
    g_checksum_update (checksum, (const guchar *)files[i].bytes, (gssize)files[i].length);
  }
  sum = g_ascii_strup (g_checksum_get_string (checksum), -1); /* ISO 9660 has no small letters there */
  return g_strconcat (IDENTIFIER_PREFIX, sum, NULL);
}

/* That of the image at @path; "" when it has none of ours. *@ret_there: is there any file? NULL with @error
 * when it cannot be read. (transfer full) */
static char *
read_identifier (const char *path, gboolean *ret_there, GError **error)
{
  char descriptor[SECTOR_BYTES] = "";
  int fd = named_file_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  gssize got;

  *ret_there = fd >= 0 || errno != ENOENT;
  if (fd < 0 && *ret_there) {
    store_system_error (error, errno, "open", path);
    return NULL;
  }
  if (fd < 0)
    return g_strdup ("");
  got = pread (fd, descriptor, sizeof descriptor, DESCRIPTOR_OFFSET);
  close (fd);
  if (got != sizeof descriptor || memcmp (descriptor, DESCRIPTOR_TYPE_ID, strlen (DESCRIPTOR_TYPE_ID)) != 0
      || memcmp (descriptor + IDENTIFIER_OFFSET, IDENTIFIER_PREFIX, strlen (IDENTIFIER_PREFIX)) != 0)
    return g_strdup ("");
  return g_strchomp (g_strndup (descriptor + IDENTIFIER_OFFSET, IDENTIFIER_BYTES));
}

/* (transfer full); NULL with @error when something else is there. */
static char *
identifier_there (const char *path, GError **error)
{
  gboolean there;
  g_autofree char *identifier = read_identifier (path, &there, error);

  if (identifier == NULL || !there || identifier[0] != '\0')
    return g_steal_pointer (&identifier);
  virt_error_set (
      error, VIR_ERR_OPERATION_INVALID,
      "the file is there, and is no seed that was made here, so it is not replaced: move it away, "
      "or name another <source file='...'>");
  return NULL;
}

gboolean
seed_image_check (const char *path, GError **error)
{
  g_autofree char *identifier = identifier_there (path, error);

  return identifier != NULL;
}

static la_ssize_t
write_out (G_GNUC_UNUSED struct archive *archive, void *data, const void *bytes, size_t length)
{
  g_byte_array_append (data, bytes, (guint)length);
  return (la_ssize_t)length;
}

static gboolean
add_file (struct archive *archive, const SeedFile *file)
{
  g_autoptr (ArchiveEntry) entry = archive_entry_new ();

  archive_entry_set_pathname (entry, file->name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, ENTRY_MODE);
  archive_entry_set_size (entry, (la_int64_t)file->length);
  archive_entry_set_mtime (entry, 0, 0);
  return archive_write_header (archive, entry) == ARCHIVE_OK
         && archive_write_data (archive, file->bytes, file->length) == (la_ssize_t)file->length;
}

/* In memory: it is small. (transfer full) */
static GByteArray *
make_bytes (const SeedFile *files, guint count, const char *identifier, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (WrittenArchive) archive = archive_write_new ();
  gboolean made =
      archive_write_set_format_iso9660 (archive) == ARCHIVE_OK
      && archive_write_set_format_option (archive, "iso9660", "volume-id", VOLUME) == ARCHIVE_OK
      && archive_write_set_format_option (archive, "iso9660", "application-id", identifier) == ARCHIVE_OK
      && archive_write_set_bytes_per_block (archive, SECTOR_BYTES) == ARCHIVE_OK
      && archive_write_open (archive, bytes, NULL, write_out, NULL) == ARCHIVE_OK;

  for (guint i = 0; i < count && made; i++)
    made = add_file (archive, &files[i]);
  if (made && archive_write_close (archive) == ARCHIVE_OK)
    return g_steal_pointer (&bytes);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the file system cannot be made: %s",
                  archive_error_string (archive));
  return NULL;
}

gboolean
seed_image_make (const char *path, const SeedFile *files, guint count, GError **error)
{
  g_autofree char *wanted = identifier_of (files, count);
  g_autofree char *there = identifier_there (path, error);
  g_autoptr (GByteArray) bytes = NULL;

  if (there == NULL)
    return FALSE;
  if (g_str_equal (there, wanted))
    return TRUE;
  bytes = make_bytes (files, count, wanted, error);
  return bytes != NULL
         && store_write_file (path, (const char *)bytes->data, (gssize)bytes->len, FILE_MODE, error);
}
