/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading an OVA. Its disks may come in any order, and its sums before or behind them: so each disk is a file
 * without a name until the end of the archive, when all sums are compared, and only then is it converted.
 */
#include "daemon/bundle/import-ova.h"

#include "bundle/ovf-read.h"
#include "daemon/bundle/image-tool.h"
#include "daemon/host/image.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENTS      2 /* of a bundle's head, in front of its images */
#define PLACE          "/ova/"
#define SUMS_BYTES_MAX (256 * 1024)
#define FILES_MAX      (2 * OVF_DISKS_MAX)
#define READ_BYTES     (1024 * 1024)

struct ImportOva {
  ArchiveReader *reader;
  Ovf *ovf;
  char *document_name, *text; /* the OVF document */
  char *document;             /* ours */
  char *sums;                 /* or NULL */
  int fds[OVF_DISKS_MAX];     /* of each disk; -1: it has not come */
};

void
import_ova_free (ImportOva *ova)
{
  if (ova == NULL)
    return;
  for (guint i = 0; i < OVF_DISKS_MAX; i++)
    if (ova->fds[i] >= 0)
      close (ova->fds[i]);
  ovf_free (ova->ovf);
  g_free (ova->document_name);
  g_free (ova->text);
  g_free (ova->document);
  g_free (ova->sums);
  g_free (ova);
}

ImportOva *
import_ova_new (ArchiveReader *reader, const char *name, G_GNUC_UNUSED guint64 size, GError **error)
{
  g_autoptr (ImportOva) ova = g_new0 (ImportOva, 1);
  gsize length;

  ova->reader = reader;
  for (guint i = 0; i < OVF_DISKS_MAX; i++)
    ova->fds[i] = -1;
  ova->document_name = g_strdup (name);
  ova->text = archive_reader_text (reader, OVF_BYTES_MAX, &length, error);
  ova->ovf = ova->text != NULL ? ovf_parse (ova->text, length, error) : NULL;
  return ova->ovf != NULL ? g_steal_pointer (&ova) : NULL;
}

static const OvfDisk *
disk_at (const ImportOva *ova, guint index)
{
  return g_ptr_array_index (ova->ovf->disks, index);
}

/* Where an image is said to have been: the file's own name, as a qcow2. (transfer full) */
static char *
place_of (const OvfDisk *disk)
{
  g_autofree char *base = g_path_get_basename (disk->file);
  char *dot = strrchr (base, '.');

  if (dot != NULL && dot != base)
    *dot = '\0';
  return g_strconcat (PLACE, base, ".qcow2", NULL);
}

const char *
import_ova_document (ImportOva *ova, const Platform *platform)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

  if (ova->document != NULL)
    return ova->document;
  for (guint i = 0; i < ova->ovf->disks->len; i++)
    g_ptr_array_add (paths, place_of (disk_at (ova, i)));
  ova->document = ovf_to_domain (ova->ovf, paths, platform->has_kvm (platform));
  return ova->document;
}

BundleHead *
import_ova_head (const ImportOva *ova, const char *name, const char *uuid)
{
  BundleHead *head = bundle_head_new (name, uuid, "OVF");

  bundle_head_add (head, BUNDLE_SOURCE, "source.xml");
  bundle_head_add (head, BUNDLE_DOMAIN, "domain.xml");
  for (guint i = 0; i < ova->ovf->disks->len; i++) {
    const OvfDisk *disk = disk_at (ova, i);
    BundleFile *file = bundle_head_add (head, BUNDLE_IMAGE, disk->file);

    file->path = place_of (disk);
    file->format = g_strdup ("qcow2");
    file->size = file->stored = disk->size;
  }
  return head;
}

/* The files of the archive. */

static gboolean
read_disk (ImportOva *ova, guint index, guint64 size, const Settings *settings, GError **error)
{
  const OvfDisk *disk = disk_at (ova, index);

  if (ova->fds[index] >= 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' is in the archive twice", disk->file);
    return FALSE;
  }
  if (disk->size != 0 && disk->size != size) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "'%s' in the archive has %" G_GUINT64_FORMAT
                    " bytes, and its document said %" G_GUINT64_FORMAT,
                    disk->file, size, disk->size);
    return FALSE;
  }
  ova->fds[index] = image_tool_temporary (settings->state_directory, error);
  return ova->fds[index] >= 0 && archive_reader_file (ova->reader, ova->fds[index], disk->file, size, error);
}

static gboolean
read_other (ImportOva *ova, const char *name, GError **error)
{
  gsize length;
  char *text;

  if (!g_str_has_suffix (name, ".mf") && !g_str_has_suffix (name, ".cert")) {
    g_autofree char *shown = g_strescape (name, NULL);

    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "the archive has '%s', of which its document says nothing", shown);
    return FALSE;
  }
  gboolean sums = g_str_has_suffix (name, ".mf") && ova->sums == NULL;

  text = archive_reader_text (ova->reader, SUMS_BYTES_MAX, &length, error);
  if (sums)
    ova->sums = text;
  else
    g_free (text);
  return text != NULL;
}

static gboolean
read_all (ImportOva *ova, const Settings *settings, GError **error)
{
  const char *name;
  guint64 size;

  for (guint count = 0; archive_reader_next (ova->reader, &name, &size, error); count++) {
    guint index = 0;

    if (name == NULL)
      return TRUE;
    while (index < ova->ovf->disks->len && !g_str_equal (disk_at (ova, index)->file, name))
      index++;
    if (count > FILES_MAX
        || !(index < ova->ovf->disks->len ? read_disk (ova, index, size, settings, error)
                                          : read_other (ova, name, error)))
      break;
  }
  if (error != NULL && *error == NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the archive has more than %d files", FILES_MAX);
  return FALSE;
}

/* Sums. */

static char *
sum_of (int fd, GChecksumType type)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (type);
  g_autofree guchar *bytes = g_malloc (READ_BYTES);
  gssize got;

  for (off_t at = 0; (got = pread (fd, bytes, READ_BYTES, at)) > 0; at += got)
    g_checksum_update (checksum, bytes, got);
  return g_strdup (g_checksum_get_string (checksum));
}

/* "SHA256(web-disk1.vmdk)= 0123..." */
static gboolean
check_line (const ImportOva *ova, const char *line, GError **error)
{
  static const struct {
    const char *name;
    GChecksumType type;
  } kinds[] = { { "SHA1", G_CHECKSUM_SHA1 },
                { "SHA256", G_CHECKSUM_SHA256 },
                { "SHA512", G_CHECKSUM_SHA512 } };
  const char *open = strchr (line, '('), *end = open != NULL ? strchr (open, ')') : NULL;
  const char *said = end != NULL ? strchr (end, '=') : NULL;
  g_autofree char *kind = said != NULL ? g_strndup (line, (gsize)(open - line)) : NULL;
  g_autofree char *name = said != NULL ? g_strndup (open + 1, (gsize)(end - open - 1)) : NULL;
  g_autofree char *wanted = said != NULL ? g_ascii_strdown (said + 1, -1) : NULL;
  g_autofree char *found = NULL;

  for (guint i = 0; kind != NULL && found == NULL && i < G_N_ELEMENTS (kinds); i++) {
    if (!g_str_equal (g_strstrip (kind), kinds[i].name))
      continue;
    if (g_str_equal (name, ova->document_name))
      found = g_compute_checksum_for_string (kinds[i].type, ova->text, -1);
    for (guint k = 0; found == NULL && k < ova->ovf->disks->len; k++)
      if (g_str_equal (name, disk_at (ova, k)->file) && ova->fds[k] >= 0)
        found = sum_of (ova->fds[k], kinds[i].type);
  }
  if (found != NULL && g_str_equal (found, g_strstrip (wanted)))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "'%s' is damaged, or its sum in the archive's manifest is: '%s'",
                  name != NULL ? name : "a file", line);
  return FALSE;
}

static gboolean
check_sums (const ImportOva *ova, GError **error)
{
  g_auto (GStrv) lines = ova->sums != NULL ? g_strsplit (ova->sums, "\n", FILES_MAX) : NULL;

  for (guint i = 0; i < ova->ovf->disks->len; i++)
    if (ova->fds[i] < 0) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' is not in the archive", disk_at (ova, i)->file);
      return FALSE;
    }
  for (guint i = 0; lines != NULL && lines[i] != NULL; i++)
    if (g_strstrip (lines[i])[0] != '\0' && !check_line (ova, lines[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
convert (const ImportOva *ova, guint index, const char *part, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (part);
  g_autoptr (ImageHeader) header = image_header_read (ova->fds[index], disk_at (ova, index)->file, error);
  gboolean done = FALSE;
  int fd = -1;

  if (header == NULL)
    return FALSE;
  if (g_strcmp0 (header->format, "vmdk") != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' in the archive is no VMDK",
                    disk_at (ova, index)->file);
    return FALSE;
  }
  if (g_mkdir_with_parents (directory, 0711) < 0
      || (fd = g_open (part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", part, g_strerror (errno));
    return FALSE;
  }
  done = image_tool_convert (ova->fds[index], "vmdk", fd, "qcow2", error);
  if (done && fsync (fd) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s': %s", part, g_strerror (errno));
    done = FALSE;
  }
  close (fd);
  return done;
}

gboolean
import_ova_read (ImportOva *ova, const char *const *parts, const Settings *settings, GError **error)
{
  if (!read_all (ova, settings, error) || !check_sums (ova, error))
    return FALSE;
  for (guint i = 0; i < ova->ovf->disks->len; i++)
    if (!convert (ova, i, parts[DOCUMENTS + i], error))
      return FALSE;
  return TRUE;
}
