/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Volumes made, copied, resized, wiped and deleted. Each waits to share its pool's lock, checks in the
 * main loop what it can, and leaves the disk to a job.
 */
#include "daemon/ops/storage/storage.h"
#include "daemon/storage/volume-work.h"

#include <string.h>

#define SHORT_SECONDS  300
#define CREATE_SECONDS (6 * 3600) /* of allocating all of a volume on a slow disk */
#define COPY_SECONDS   (48 * 3600)

#define CREATE_KNOWN_FLAGS                                                   \
  (VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA | VIR_STORAGE_VOL_CREATE_REFLINK \
   | VIR_STORAGE_VOL_CREATE_VALIDATE)

/* While it waits for the lock, as the call's own data. */
static void
def_free (gpointer data)
{
  storage_volume_def_unref (data);
}

/* A document that is read in a job. */
typedef struct {
  Call *call;
  char *text;
  gboolean strict;
  gboolean from; /* of a volume that is copied: what is not said is the other's */
  StoragePoolBegin begin;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  g_free (reading->text);
  g_free (reading);
}

static gpointer
parse (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Reading *reading = input;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (StorageVolumeDef) def = storage_volume_def_parse (
      reading->text, -1, reading->strict ? 0 : DOCUMENT_LAX, reading->from, diagnostics);

  return diagnostics_check (diagnostics, error) ? g_steal_pointer (&def) : NULL;
}

static void
parsed (gpointer result, const GError *error, gpointer data)
{
  const Reading *reading = data;
  Call *call = reading->call;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  call->user_data = result;
  call->user_free = def_free;
  if (operation_find_object (call))
    storage_pool_lock_shared (call_storage_pool (call), call, reading->begin);
}

/* @begin has the pool's lock, and the document as the call's own data. */
static void
read_document (Call *call, guint flags, gboolean from, StoragePoolBegin begin)
{
  Reading *reading = g_new0 (Reading, 1);
  gboolean strict = (flags & VIR_STORAGE_VOL_CREATE_VALIDATE) != 0;

  *reading = (Reading){ call, g_strdup (call_string (call, 1)), strict, from, begin };
  call_work (call, strlen (reading->text), "volume-document", parse, reading, reading_free, parsed);
}

static gboolean
make (Job *job, VolumeWork *work, GError **error)
{
  work->seen = storage_make (job, &work->make, error);
  return work->seen != NULL;
}

/* May a volume be made of the call's document? FALSE: @work has ended. */
static gboolean
check_new (VolumeWork *work)
{
  const StorageVolumeDef *def = work->volume;
  GError *error = NULL;

  if (!storage_pool_check_active (work->pool, &error)) {
    volume_work_refuse (work, error);
    return FALSE;
  }
  if (storage_pool_find_volume (work->pool, def->name, NULL) != NULL
      || storage_volume_is_used (work->pool, def->name))
    virt_error_set (&error, VIR_ERR_STORAGE_VOL_EXIST, "'%s'", def->name);
  else if ((work->flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA) && def->format != STORAGE_FORMAT_QCOW2)
    virt_error_set (&error, VIR_ERR_INVALID_ARG, "metadata preallocation is not supported for raw volumes");
  else if (work->pool->volumes->len >= STORAGE_VOLUMES_MAX)
    virt_error_set (&error, VIR_ERR_OPERATION_INVALID, "storage pool '%s' has %d volumes already",
                    work->pool->def->name, STORAGE_VOLUMES_MAX);
  else
    return TRUE;
  volume_work_refuse (work, error);
  return FALSE;
}

static VolumeWork *
work_of_document (StoragePool *pool, Call *call, guint flags)
{
  StorageVolumeDef *def = call->user_data;
  VolumeWork *work = volume_work_new (pool, call, def->name, make);

  work->volume = storage_volume_def_copy (def);
  work->flags = flags;
  work->makes = TRUE;
  work->make = (StorageMake){ .pool_path = work->pool_path, .volume = work->volume, .flags = flags };
  return work;
}

static void
create (StoragePool *pool, Call *call)
{
  VolumeWork *work = work_of_document (pool, call, call_uint (call, 2));

  if (check_new (work))
    volume_work_start (work, "volume-create", CREATE_SECONDS);
}

void
op_storage_vol_create_xml (Call *call)
{
  guint flags = call_uint (call, 2);

  if (call_check_flags (call, flags, CREATE_KNOWN_FLAGS & ~(guint)VIR_STORAGE_VOL_CREATE_REFLINK))
    read_document (call, flags, FALSE, create);
}

/* What QEMU calls it. */
static int
readable_format (int format)
{
  static const char *const plain[] = { "iso", "fat", "none", "unknown", "auto", NULL };

  return g_strv_contains (plain, enum_table_name (&storage_formats, format)) ? STORAGE_FORMAT_RAW : format;
}

/* The volume that is copied, in use as long as the copying takes. FALSE: @work has ended. */
static gboolean
take_source (VolumeWork *work, Call *call)
{
  const char *pool_name, *name;
  GError *error = NULL;
  StorageVolumeDef *from = NULL;
  StoragePool *pool;

  g_variant_get_child (call->arguments, 2, "(&s&s&s)", &pool_name, &name, NULL);
  pool = storage_pool_find_name (call->manager, pool_name, &error);
  if (pool != NULL && storage_pool_check_active (pool, &error))
    from = storage_pool_find_volume (pool, name, &error);
  if (from != NULL && from->type == STORAGE_VOLUME_DIR)
    virt_error_set (&error, VIR_ERR_OPERATION_UNSUPPORTED, "'%s' is a directory, which cannot be copied",
                    name);
  else if (from != NULL && !lock_try_shared (pool->lock))
    virt_error_set (&error, VIR_ERR_INTERNAL_ERROR, "pool '%s' has asynchronous jobs running.", pool_name);
  if (error != NULL) {
    volume_work_refuse (work, error);
    return FALSE;
  }
  work->from_pool = pool;
  work->from_name = g_strdup (name);
  storage_volume_use (pool, name);
  work->make.from_path = g_strdup (from->path);
  work->make.from_format = readable_format (from->format);
  work->make.from_capacity = from->capacity.value;
  work->volume->capacity = NUMBER (MAX (work->volume->capacity.value, from->capacity.value));
  return TRUE;
}

static void
create_from (StoragePool *pool, Call *call)
{
  VolumeWork *work = work_of_document (pool, call, call_uint (call, 3));

  if (check_new (work) && take_source (work, call))
    volume_work_start (work, "volume-copy", COPY_SECONDS);
}

void
op_storage_vol_create_xml_from (Call *call)
{
  guint flags = call_uint (call, 3);

  if (call_check_flags (call, flags, CREATE_KNOWN_FLAGS))
    read_document (call, flags, TRUE, create_from);
}

/* The same with the other volume by its key, as libvirt-dbus has it: the call becomes the one above. */
void
op_storage_vol_create_xml_from_key (Call *call)
{
  const char *key = call_string (call, 2);
  StoragePool *pool;
  StorageVolumeDef *from = storage_volume_find_path (call->manager, key, &pool);
  GVariant *given[4];

  if (from == NULL) {
    call_fail_with (call, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching key %s", key);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    given[i] = g_variant_get_child_value (call->arguments, i);
  g_variant_unref (call->arguments);
  call->arguments = g_variant_ref_sink (
      g_variant_new ("(@(say)@s@(sss)@u)", given[0], given[1], storage_volume_value (pool, from), given[3]));
  g_variant_get_data (call->arguments); /* texts stay where they are from here on */
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    g_variant_unref (given[i]);
  op_storage_vol_create_xml_from (call);
}

static void
lock_pool (Call *call, guint flags, guint known, StoragePoolBegin begin)
{
  StoragePool *pool;

  if (call_check_flags (call, flags, known) && call_storage_volume (call, 0, &pool) != NULL)
    storage_pool_lock_shared (pool, call, begin);
}

static gboolean
remove_volume (G_GNUC_UNUSED Job *job, VolumeWork *work, GError **error)
{
  return storage_delete (work->pool_path, work->volume, error);
}

static void delete (StoragePool *pool, Call *call)
{
  VolumeWork *work = volume_work_of_call (pool, call, remove_volume);

  if (work == NULL)
    return;
  work->removes = TRUE;
  volume_work_start (work, "volume-delete", SHORT_SECONDS);
}

void
op_storage_vol_delete (Call *call)
{
  lock_pool (call, call_uint (call, 1), 0, delete);
}

static gboolean
overwrite (Job *job, VolumeWork *work, GError **error)
{
  return storage_wipe (job, work->pool_path, work->volume, error);
}

static void
wipe (StoragePool *pool, Call *call)
{
  VolumeWork *work = volume_work_of_call (pool, call, overwrite);

  if (work != NULL)
    volume_work_start (work, "volume-wipe", COPY_SECONDS);
}

void
op_storage_vol_wipe (Call *call)
{
  lock_pool (call, call_uint (call, 1), 0, wipe);
}

void
op_storage_vol_wipe_pattern (Call *call)
{
  guint algorithm = call_uint (call, 1);

  if (algorithm > VIR_STORAGE_VOL_WIPE_ALG_TRIM)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "wiping algorithm %u not supported", algorithm);
  else if (algorithm != VIR_STORAGE_VOL_WIPE_ALG_ZERO)
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                    "wiping algorithm %u is not supported; 'zero' (%d) is", algorithm,
                    VIR_STORAGE_VOL_WIPE_ALG_ZERO);
  else
    lock_pool (call, call_uint (call, 2), 0, wipe);
}

static gboolean
change_size (Job *job, VolumeWork *work, GError **error)
{
  return storage_resize (job, work->pool_path, work->volume, work->capacity, work->flags, error);
}

/* libvirt's rules, in its order and words. */
static gboolean
check_size (VolumeWork *work, guint64 asked, GError **error)
{
  const StorageVolumeDef *volume = work->volume;
  guint64 now = volume->capacity.value, capacity = asked;

  if (work->flags & VIR_STORAGE_VOL_RESIZE_DELTA)
    capacity = work->flags & VIR_STORAGE_VOL_RESIZE_SHRINK ? now - MIN (now, asked)
               : asked > G_MAXINT64 - now                  ? G_MAXUINT64
                                                           : now + asked;
  if (capacity > G_MAXINT64)
    virt_error_set (error, VIR_ERR_OVERFLOW, "a capacity of more than %" G_GINT64_FORMAT " bytes",
                    G_MAXINT64);
  else if (capacity < volume->allocation.value)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "can't shrink capacity below existing allocation");
  else if (capacity < now && !(work->flags & VIR_STORAGE_VOL_RESIZE_SHRINK))
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "Can't shrink capacity below current capacity unless shrink flag explicitly specified");
  else if (capacity > now && capacity - now > work->pool->def->available.value)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "Not enough space left in storage pool");
  else {
    work->capacity = capacity;
    return TRUE;
  }
  return FALSE;
}

static void
resize (StoragePool *pool, Call *call)
{
  VolumeWork *work = volume_work_of_call (pool, call, change_size);
  GError *error = NULL;

  if (work == NULL)
    return;
  work->flags = call_uint (call, 2);
  if (check_size (work, call_ulong (call, 1), &error))
    volume_work_start (work, "volume-resize", CREATE_SECONDS);
  else
    volume_work_refuse (work, error);
}

void
op_storage_vol_resize (Call *call)
{
  lock_pool (call, call_uint (call, 2),
             VIR_STORAGE_VOL_RESIZE_ALLOCATE | VIR_STORAGE_VOL_RESIZE_DELTA | VIR_STORAGE_VOL_RESIZE_SHRINK,
             resize);
}
