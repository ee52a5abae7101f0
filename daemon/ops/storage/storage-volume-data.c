/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A volume's contents, up and down. The call is answered at once with one end of a socket, which the wire
 * takes for the stream; a job at the other end moves the bytes. That all is done, or what went wrong, goes
 * through the stream once the volume is given back (volume-work.c).
 */
#include "daemon/ops/storage/storage.h"
#include "daemon/storage/formats.h"
#include "daemon/storage/transfer.h"
#include "daemon/storage/volume-work.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static gboolean
run (Job *job, VolumeWork *work, int mode, GError **error)
{
  int file = storage_open_volume (work->pool_path, work->name, mode, error);
  gboolean done;

  if (file < 0)
    return FALSE;
  done = mode == O_RDONLY ? storage_download (job, file, work->volume->path, work->offset, work->length,
                                              work->flags != 0, work->stream, error)
                          : storage_upload (job, file, work->volume->path, work->offset, work->length,
                                            work->stream, error);
  /* A client may have filled it with an image, which is a volume of that format then. */
  if (mode != O_RDONLY)
    storage_format_forget (work->volume->path);
  close (file);
  return done;
}

static gboolean
read_job (Job *job, VolumeWork *work, GError **error)
{
  return run (job, work, O_RDONLY, error);
}

static gboolean
write_job (Job *job, VolumeWork *work, GError **error)
{
  return run (job, work, O_WRONLY, error);
}

/* The stream is there: answered with it, and the bytes can come. */
static void
begin (StoragePool *pool, Call *call, VolumeFunction function, const char *thread)
{
  VolumeWork *work = volume_work_of_call (pool, call, function);
  GError *error = NULL;
  int ends[2];

  if (work == NULL)
    return;
  if (work->volume->type == STORAGE_VOLUME_DIR)
    virt_error_set (&error, VIR_ERR_OPERATION_INVALID, "volume '%s' is a directory", work->name);
  else if (call_ulong (call, 1) > G_MAXINT64 || call_ulong (call, 2) > G_MAXINT64)
    virt_error_set (&error, VIR_ERR_OVERFLOW, "an offset or length of more than %" G_GINT64_FORMAT " bytes",
                    G_MAXINT64);
  else if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    virt_error_set (&error, VIR_ERR_SYSTEM_ERROR, "cannot make a stream: %s", g_strerror (errno));
  if (error != NULL) {
    volume_work_refuse (work, error);
    return;
  }
  work->offset = call_ulong (call, 1);
  work->length = call_ulong (call, 2);
  work->flags = call_uint (call, 3);
  work->stream = ends[1];
  work->refreshes = function == write_job;
  work->call = NULL;
  call->descriptors = g_unix_fd_list_new_from_array (ends, 1);
  volume_work_start (work, thread, 0);
  call_answer_nothing (call);
}

static void
download (StoragePool *pool, Call *call)
{
  begin (pool, call, read_job, "volume-download");
}

static void
upload (StoragePool *pool, Call *call)
{
  begin (pool, call, write_job, "volume-upload");
}

static void
lock_pool (Call *call, guint known, StoragePoolBegin transfer)
{
  StoragePool *pool;

  if (call_check_flags (call, call_uint (call, 3), known) && call_storage_volume (call, 0, &pool) != NULL)
    storage_pool_lock_shared (pool, call, transfer);
}

void
op_storage_vol_download (Call *call)
{
  lock_pool (call, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM, download);
}

void
op_storage_vol_upload (Call *call)
{
  lock_pool (call, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM, upload);
}
