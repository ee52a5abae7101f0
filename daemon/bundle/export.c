/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The export of a machine. Everything is opened before the machine is stopped, so that what cannot be is
 * found while nothing has happened. Nothing is written on this host but files without a name (a flattened
 * disk, the memory of a machine that runs), so that a crash leaves nothing to remove; and that the guest
 * stands still for it is in the machine's state, so that the next daemon lets it run on.
 */
#include "daemon/bundle/export.h"

#include "config.h"
#include "daemon/bundle/archive-writer.h"
#include "daemon/bundle/export-files.h"
#include "daemon/bundle/export-ova.h"
#include "daemon/bundle/image-tool.h"
#include "daemon/drivers/qemu/migration.h"
#include "daemon/drivers/qemu/save-image.h"

#include "domain/migratable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CREATOR "domaind " PACKAGE_VERSION

void
export_request_free (gpointer data)
{
  ExportRequest *request = data;

  if (request == NULL)
    return;
  if (request->archive >= 0)
    close (request->archive);
  if (request->signer >= 0)
    close (request->signer);
  g_clear_pointer (&request->def, domain_def_unref);
  g_clear_pointer (&request->live, domain_def_unref);
  g_clear_pointer (&request->qmp, qmp_unref);
  g_clear_pointer (&request->progress, progress_unref);
  g_clear_pointer (&request->notes, g_ptr_array_unref);
  g_free (request->managed_save);
  g_free (request);
}

/* The machine. */

static gboolean
command (ExportRequest *request, Job *job, const char *name, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  job_extend_deadline (job, request->patience);
  answer = qmp_call (request->qmp, job, name, NULL, error);
  job_extend_deadline (job, G_MAXINT32);
  return answer != NULL;
}

/* The memory of the machine, which stands still, in a file like a managed save. -1 with @error. */
static int
write_memory (ExportRequest *request, Job *job, GError **error)
{
  int fd = image_tool_temporary (request->settings->state_directory, error);
  g_autoptr (DomainDef) def = domain_def_off_networks (request->live);
  g_autofree char *xml = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  g_autofree char *id = g_uuid_string_random ();
  g_autoptr (SaveImage) image =
      fd >= 0 ? save_image_begin (fd, "memory", id, request->running, xml, error) : NULL;

  if (image != NULL && migration_write (request->qmp, job, fd, request->progress, request->patience, error)
      && save_image_finish (image, error))
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

static gboolean
add_memory (ExportRequest *request, ExportFiles *files, Job *job, GError **error)
{
  int fd;

  if (request->managed_save != NULL) {
    fd = open (request->managed_save, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s': %s", request->managed_save,
                      g_strerror (errno));
  } else if ((request->flags & EXPORT_MEMORY) && request->live != NULL) {
    fd = write_memory (request, job, error);
  } else {
    return TRUE;
  }
  if (fd >= 0)
    export_files_add_file (files, BUNDLE_MEMORY, "memory", fd, "memory");
  return fd >= 0;
}

/* The signature. */

/* What whoever signs makes of the manifest; "" when nothing. (transfer full) */
static char *
ask_for_signature (ExportRequest *request, Job *job, const char *manifest, gsize length, GError **error)
{
  g_auto (Stream) stream = { .fd = -1 };
  g_autofree char *text = g_malloc0 (BUNDLE_SIGNATURE_MAX + 1);
  gsize got = 0;
  gssize more;

  stream_init (&stream, request->signer, TRUE, job, request->progress);
  request->signer = -1;
  job_extend_deadline (job, request->patience);
  more = stream_write (&stream, manifest, length);
  shutdown (stream.fd, SHUT_WR);
  while (more >= 0 && got < BUNDLE_SIGNATURE_MAX
         && (more = stream_read (&stream, text + got, BUNDLE_SIGNATURE_MAX - got)) > 0)
    got += (gsize)more;
  job_extend_deadline (job, G_MAXINT32);
  if (more < 0) {
    g_propagate_error (error, g_steal_pointer (&stream.error));
    return NULL;
  }
  if (got == 0) {
    virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the archive was not signed");
    return NULL;
  }
  return g_steal_pointer (&text);
}

static gboolean
write_manifest (ExportRequest *request, ArchiveWriter *writer, Job *job, GError **error)
{
  g_autofree char *manifest = bundle_manifest_to_json (archive_writer_manifest (writer));
  gsize length = strlen (manifest);
  g_autofree char *signature = NULL;

  if (!archive_writer_text (writer, BUNDLE_MANIFEST_NAME, manifest, length, error))
    return FALSE;
  if (request->signer < 0)
    return TRUE;
  signature = ask_for_signature (request, job, manifest, length, error);
  return signature != NULL
         && archive_writer_text (writer, BUNDLE_SIGNATURE_NAME, signature, strlen (signature), error);
}

/* The archive. */

static gboolean
write_file (ArchiveWriter *writer, const BundleFile *said, const ExportFile *file, GError **error)
{
  if (file->fd < 0)
    return archive_writer_text (writer, said->name, file->text, file->length, error);
  return archive_writer_file (writer, said->name, file->fd, file->path, said->size, file->stretches, error);
}

static gboolean
write_archive (ExportRequest *request, ExportFiles *files, Stream *stream, Job *job, GError **error)
{
  g_autoptr (ArchiveWriter) writer = archive_writer_new (ARCHIVE_BUNDLE, stream, error);
  g_autofree char *head = bundle_head_to_json (files->head);

  progress_set (request->progress, &(ProgressFigures){ .total = bundle_head_stored (files->head),
                                                       .remaining = bundle_head_stored (files->head) });
  if (writer == NULL || !archive_writer_text (writer, BUNDLE_HEAD_NAME, head, strlen (head), error))
    return FALSE;
  for (guint i = 0; i < files->files->len; i++)
    if (!write_file (writer, g_ptr_array_index (files->head->files, i), g_ptr_array_index (files->files, i),
                     error))
      return FALSE;
  return write_manifest (request, writer, job, error) && archive_writer_end (writer, error);
}

/* Everything that there is to take while the machine stands still. */
static gboolean
export_still (ExportRequest *request, ExportFiles *files, Stream *stream, Job *job, GError **error)
{
  return export_files_add_state (files, request->def, request->settings, error)
         && export_files_add_snapshots (files, request->def, (request->flags & EXPORT_FLATTEN) != 0,
                                        request->settings, error)
         && add_memory (request, files, job, error) && export_files_measure (files, error)
         && write_archive (request, files, stream, job, error);
}

static gboolean
add_documents (ExportRequest *request, ExportFiles *files, GError **error)
{
  char *completed = domain_def_to_xml (request->def, DOMAIN_WRITE_SECURE);
  char *source = request->store != NULL ? store_load_source (request->store, request->def->name, error)
                                        : g_strdup (completed);

  if (source == NULL) {
    g_free (completed);
    return FALSE;
  }
  export_files_add_text (files, BUNDLE_SOURCE, "source.xml", source, strlen (source));
  export_files_add_text (files, BUNDLE_DOMAIN, "domain.xml", completed, strlen (completed));
  return TRUE;
}

static gboolean
export_bundle (ExportRequest *request, Stream *stream, Job *job, GError **error)
{
  g_autoptr (ExportFiles) files = export_files_new (request->def, CREATOR);
  gboolean ova = (request->flags & EXPORT_OVA) != 0;
  gboolean flatten = ova || (request->flags & EXPORT_FLATTEN) != 0;
  gboolean done;

  if (!add_documents (request, files, error))
    return FALSE;
  if ((request->flags & EXPORT_MEMORY) && request->live != NULL
      && !migration_check (request->qmp, job, error))
    return FALSE;
  /* A flattened disk is made while the machine stands still. */
  if (!flatten && !export_files_add_images (files, request->def, FALSE, request->settings, error))
    return FALSE;
  if (request->running && !command (request, job, "stop", error))
    return FALSE;
  if (ova)
    done = export_ova (request->def, request->settings, stream, files->notes, error);
  else
    done = (!flatten || export_files_add_images (files, request->def, TRUE, request->settings, error))
           && export_still (request, files, stream, job, error);
  if (request->running && !command (request, job, "cont", done ? error : NULL))
    done = FALSE;
  request->notes = g_ptr_array_ref (files->notes);
  return done;
}

gpointer
export_job (Job *job, gpointer data, GError **error)
{
  ExportRequest *request = data;
  g_auto (Stream) stream = { .fd = -1 };
  gboolean done;

  job_extend_deadline (job, G_MAXINT32);
  stream_init (&stream, request->archive, TRUE, job, request->progress);
  request->archive = -1;
  done = export_bundle (request, &stream, job, error);
  return done ? JOB_OK : NULL;
}
