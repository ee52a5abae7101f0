/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writing an OVA: a plain tar of an OVF document, the sums of all files, and a VMDK of each disk. The form of
 * VMDK that is meant for streams is not one that qemu-img can write into a stream, so each disk is a file
 * without a name first; that way its size and sum are known when the document in front of it is written.
 */
#include "daemon/bundle/export-ova.h"

#include "bundle/ovf.h"
#include "daemon/bundle/archive-writer.h"
#include "daemon/bundle/bundle-sum.h"
#include "daemon/bundle/image-tool.h"
#include "daemon/bundle/stretches.h"
#include "daemon/host/image.h"
#include "domain/devices/disk.h"
#include "domain/devices/tpm.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VMDK_OPTIONS "subformat=streamOptimized"
#define READ_BYTES   (1024 * 1024)

typedef struct {
  int fd;
  char *name; /* in the archive */
  guint64 size;
  char sum[BUNDLE_SUM_TEXT];
} OvaDisk;

static void
disk_free (gpointer data)
{
  OvaDisk *disk = data;

  if (disk->fd >= 0)
    close (disk->fd);
  g_free (disk->name);
  g_free (disk);
}

/* A machine's name as that of files. (transfer full) */
static char *
file_name (const char *name)
{
  char *text = g_strdup (name);

  for (char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("-_.", *at) == NULL)
      *at = '_';
  if (text[0] == '.')
    text[0] = '_';
  return text;
}

static gboolean
sum_file (OvaDisk *disk, Stream *stream, GError **error)
{
  g_autoptr (BundleSum) sum = bundle_sum_new ();
  g_autofree guint8 *bytes = g_malloc (READ_BYTES);
  gssize got = 0;

  for (guint64 at = 0; stream_check (stream) && (got = pread (disk->fd, bytes, READ_BYTES, (off_t)at)) > 0;
       at += (guint64)got)
    bundle_sum_add (sum, at, bytes, (gsize)got);
  if (stream->error != NULL) {
    g_propagate_error (error, g_steal_pointer (&stream->error));
    return FALSE;
  }
  if (got < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read '%s': %s", disk->name, g_strerror (errno));
    return FALSE;
  }
  bundle_sum_end (sum, disk->size, disk->sum);
  return TRUE;
}

static gboolean
make_disk (const DeviceDisk *disk, const char *name, const Settings *settings, Stream *stream, Ovf *ovf,
           GPtrArray *disks, GError **error)
{
  g_autoptr (ImageInfo) info = image_info_read_chain (disk_path (disk), disk->format, disk->backing, error);
  OvaDisk *made = g_new0 (OvaDisk, 1);
  struct stat status;

  made->fd = -1;
  made->name = g_strdup_printf ("%s-disk%u.vmdk", name, disks->len + 1);
  g_ptr_array_add (disks, made);
  if (info == NULL || (made->fd = image_tool_temporary (settings->state_directory, error)) < 0
      || !image_tool_flatten (info, made->fd, "vmdk", VMDK_OPTIONS, error))
    return FALSE;
  if (fstat (made->fd, &status) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot ask how large '%s' is: %s", made->name,
                    g_strerror (errno));
    return FALSE;
  }
  made->size = (guint64)status.st_size;
  ovf_add_disk (ovf, made->name, made->size, info->virtual_size, disk->bus == DISK_BUS_IDE);
  return sum_file (made, stream, error);
}

static gboolean
make_disks (const DomainDef *def, const char *name, const Settings *settings, Stream *stream, Ovf *ovf,
            GPtrArray *disks, GPtrArray *notes, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, const DeviceDisk, disk) {
    if (!disk_has_source (disk))
      continue;
    if (disk_path (disk) == NULL || disk->device_type != DISK_DEVICE_DISK) {
      g_ptr_array_add (notes, g_strdup_printf ("disk '%s' has no place in an OVA", disk->target));
      continue;
    }
    if (disks->len >= OVF_DISKS_MAX) {
      virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "an OVA has at most %d disks", OVF_DISKS_MAX);
      return FALSE;
    }
    if (!make_disk (disk, name, settings, stream, ovf, disks, error))
      return FALSE;
  }
  return TRUE;
}

static void
note_losses (const DomainDef *def, GPtrArray *notes)
{
  if (def->os.nvram != NULL)
    g_ptr_array_add (notes, g_strdup ("the firmware's variables have no place in an OVA"));
  if (def->os.kernel != NULL)
    g_ptr_array_add (notes, g_strdup ("a kernel beside the disks has no place in an OVA"));
  if (domain_def_count_devices (def, &tpm_kind) > 0)
    g_ptr_array_add (notes, g_strdup ("the TPM's state has no place in an OVA"));
}

static gboolean
write_ova (const char *name, const Ovf *ovf, const GPtrArray *disks, Stream *stream, GError **error)
{
  g_autoptr (ArchiveWriter) writer = archive_writer_new (ARCHIVE_PLAIN, stream, error);
  g_autofree char *document = ovf_to_xml (ovf), *document_name = g_strconcat (name, ".ovf", NULL);
  g_autofree char *sums_name = g_strconcat (name, ".mf", NULL);
  g_autofree char *document_sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, document, -1);
  g_autoptr (GString) sums = g_string_new (NULL);

  g_string_printf (sums, "SHA256(%s)= %s\n", document_name, document_sum);
  for (guint i = 0; i < disks->len; i++) {
    const OvaDisk *disk = g_ptr_array_index (disks, i);

    g_string_append_printf (sums, "SHA256(%s)= %s\n", disk->name, disk->sum);
  }
  if (writer == NULL || !archive_writer_text (writer, document_name, document, strlen (document), error)
      || !archive_writer_text (writer, sums_name, sums->str, sums->len, error))
    return FALSE;
  for (guint i = 0; i < disks->len; i++) {
    const OvaDisk *disk = g_ptr_array_index (disks, i);
    const Stretch whole = { 0, disk->size };
    g_autoptr (GArray) stretches = g_array_new (FALSE, FALSE, sizeof (Stretch));

    g_array_append_val (stretches, whole);
    if (!archive_writer_file (writer, disk->name, disk->fd, disk->name, disk->size, stretches, error))
      return FALSE;
  }
  return archive_writer_end (writer, error);
}

gboolean
export_ova (const DomainDef *def, const Settings *settings, Stream *stream, GPtrArray *notes, GError **error)
{
  g_autoptr (Ovf) ovf = ovf_new (def);
  g_autoptr (GPtrArray) disks = g_ptr_array_new_with_free_func (disk_free);
  g_autofree char *name = file_name (def->name);
  guint64 total = 0;

  note_losses (def, notes);
  if (!make_disks (def, name, settings, stream, ovf, disks, notes, error))
    return FALSE;
  for (guint i = 0; i < disks->len; i++)
    total += ((const OvaDisk *)g_ptr_array_index (disks, i))->size;
  progress_set (stream->progress, &(ProgressFigures){ .total = total, .remaining = total });
  return write_ova (name, ovf, disks, stream, error);
}
