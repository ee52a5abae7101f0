/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Saving: a file aside, the CPUs stopped, the state written, the header in front of it, the file's name. The
 * daemon opens the file; QEMU gets a descriptor and needs no right to the place. Until the file has its name
 * the machine is the one that counts, and is put back as it was; from then on the file is.
 */
#include "daemon/drivers/qemu/save.h"

#include "daemon/core/atomic-file.h"
#include "daemon/drivers/qemu/migration.h"
#include "daemon/drivers/qemu/save-image.h"
#include "domain/devices/host-device.h"
#include "domain/migratable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANAGED_DIRECTORY "save"
#define MANAGED_SUFFIX    ".save"
#define LEAVING_SUFFIX    ".leaving" /* follows it while the definition is being removed */

SaveRequest *
save_request_new (Qmp *qmp, const char *path, DomainDef *def, Progress *progress, guint patience)
{
  SaveRequest *request = g_new0 (SaveRequest, 1);

  request->qmp = qmp_ref (qmp);
  request->path = g_strdup (path);
  request->id = g_uuid_string_random ();
  request->def = domain_def_ref (def);
  request->progress = progress_ref (progress);
  request->patience = patience;
  return request;
}

void
save_request_free (gpointer data)
{
  SaveRequest *request = data;

  if (request == NULL)
    return;
  qmp_unref (request->qmp);
  domain_def_unref (request->def);
  progress_unref (request->progress);
  g_free (request->path);
  g_free (request->id);
  g_free (request);
}

char *
managed_save_path (const Settings *settings, const char *uuid)
{
  g_autofree char *name = g_strconcat (uuid, MANAGED_SUFFIX, NULL);

  return g_build_filename (settings->state_directory, MANAGED_DIRECTORY, name, NULL);
}

gboolean
managed_save_remove (const char *path, GError **error)
{
  if (unlink (path) == 0 || errno == ENOENT)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to remove managed save file '%s': %s", path,
                  g_strerror (errno));
  return FALSE;
}

gboolean
managed_save_set_apart (const char *path, GError **error)
{
  g_autofree char *leaving = g_strconcat (path, LEAVING_SUFFIX, NULL);

  if (rename (path, leaving) == 0 || errno == ENOENT)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to remove managed save file '%s': %s", path,
                  g_strerror (errno));
  return FALSE;
}

void
managed_save_put_back (const char *path)
{
  g_autofree char *leaving = g_strconcat (path, LEAVING_SUFFIX, NULL);

  if (rename (leaving, path) < 0 && errno != ENOENT)
    g_warning ("the managed save '%s' cannot be given its name back: %s", leaving, g_strerror (errno));
}

void
managed_save_remove_apart (const char *path)
{
  g_autofree char *leaving = g_strconcat (path, LEAVING_SUFFIX, NULL);

  if (unlink (leaving) < 0 && errno != ENOENT)
    g_warning ("cannot remove '%s': %s", leaving, g_strerror (errno));
}

static GPtrArray *
list_with_suffix (const Settings *settings, const char *suffix)
{
  GPtrArray *uuids = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_build_filename (settings->state_directory, MANAGED_DIRECTORY, NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, suffix))
      g_ptr_array_add (uuids, g_strndup (name, strlen (name) - strlen (suffix)));
  return uuids;
}

void
managed_save_recover (const Settings *settings, gboolean (*is_defined) (const char *uuid, gpointer data),
                      gpointer data)
{
  g_autoptr (GPtrArray) uuids = list_with_suffix (settings, MANAGED_SUFFIX LEAVING_SUFFIX);

  for (guint i = 0; i < uuids->len; i++) {
    g_autofree char *path = managed_save_path (settings, g_ptr_array_index (uuids, i));

    if (is_defined (g_ptr_array_index (uuids, i), data))
      managed_save_put_back (path);
    else
      managed_save_remove_apart (path);
  }
}

GPtrArray *
managed_save_list (const Settings *settings)
{
  return list_with_suffix (settings, MANAGED_SUFFIX);
}

static gboolean
tell (SaveRequest *request, Job *job, const char *command, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  job_extend_deadline (job, request->patience);
  answer = qmp_call (request->qmp, job, command, NULL, error);
  return answer != NULL;
}

static gboolean
write_state (SaveRequest *request, Job *job, AtomicFile *aside, SaveImage *image, GError **error)
{
  if (!migration_write (request->qmp, job, aside->fd, request->progress, request->patience, error)
      || !save_image_finish (image, error))
    return FALSE;
  if (request->drop_cache)
    posix_fadvise (aside->fd, 0, 0, POSIX_FADV_DONTNEED);
  return atomic_file_commit (aside, error);
}

gpointer
save_job (Job *job, gpointer data, GError **error)
{
  SaveRequest *request = data;
  g_autoptr (DomainDef) def = domain_def_off_networks (request->def);
  g_autofree char *xml = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  g_autofree char *directory = g_path_get_dirname (request->path);

  job_extend_deadline (job, request->patience);
  if (!host_devices_can_migrate (request->def, error) || !migration_check (request->qmp, job, error))
    return NULL;
  if (request->managed)
    g_mkdir_with_parents (directory, 0700);
  g_autoptr (AtomicFile) aside = atomic_file_open (request->path, error);
  g_autoptr (SaveImage) image =
      aside != NULL ? save_image_begin (aside->fd, request->path, request->id, request->run_again, xml, error)
                    : NULL;

  if (image == NULL || (request->running && !tell (request, job, "stop", error)))
    return NULL;
  if (request->running)
    progress_tell_stopped (request->progress);
  if (write_state (request, job, aside, image, error))
    return JOB_OK;
  /* The machine's own end needs no more of us: its monitor is gone, and this fails at once. */
  if (request->running)
    tell (request, job, "cont", NULL);
  return NULL;
}
