/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies: the disk's data goes into another image while the guest goes on. When the copy has all it follows
 * the disk, until the call that ends it says which of the two the disk is from then on. The destination is a
 * <disk> of which only the source and the format are meant.
 */
#include "daemon/ops/domain/block-job-call.h"

#include "daemon/drivers/qemu/image-nodes.h"
#include "daemon/host/image.h"
#include "daemon/host/named-file.h"
#include "daemon/ops/domain/parameters.h"
#include "domain/device-change.h"
#include "targets/qemu/throttle.h"

#include <errno.h>
#include <string.h>

typedef struct {
  Call *call;        /* while the destination is read */
  char *xml;         /* of the destination */
  DeviceDisk *given; /* the destination, once it is read */
  guint64 bytes_per_second, granularity, buffer;
  guint flags; /* VIR_DOMAIN_BLOCK_COPY_* */
} Copy;

static void
copy_free (gpointer data)
{
  Copy *copy = data;

  g_free (copy->xml);
  if (copy->given != NULL)
    device_free (&copy->given->device);
  g_free (copy);
}

static gboolean
has_flag (const Copy *copy, guint flag)
{
  return (copy->flags & flag) != 0;
}

/* A destination that is there already is what was asked for, or is not. */
static gboolean
check_destination (const Copy *copy, const char *target, const char *path, gboolean *ret_exists,
                   GError **error)
{
  struct stat status;

  *ret_exists = named_file_stat (path, &status) == 0;
  if (!*ret_exists && errno != ENOENT)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "unable to stat block copy target '%s': %s", path,
                    g_strerror (errno));
  else if (!*ret_exists && has_flag (copy, VIR_DOMAIN_BLOCK_COPY_REUSE_EXT))
    virt_error_set_plain (error, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                          "missing destination file for disk %s: %s: %s", target, path, g_strerror (ENOENT));
  else if (*ret_exists && !has_flag (copy, VIR_DOMAIN_BLOCK_COPY_REUSE_EXT) && !S_ISBLK (status.st_mode)
           && status.st_size > 0)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "external destination file for disk %s already exists and is not a block device: %s",
                    target, path);
  else
    return TRUE;
  return FALSE;
}

static gboolean
make_file (Job *thread, BlockJobRequest *request, const QemuCaps *caps, const DiskBacking *image,
           gboolean exists, GError **error)
{
  const DeviceDisk *disk = request->start.disk;
  const char *path = disk_backing_path (image);
  guint64 below = disk_index_below (disk, disk->source_index.value), size = 0;
  g_autofree char *node = qemu_image_node (caps, disk, disk->source_index.value);
  DiskImage backing = { 0 };

  if (!image_nodes_size (thread, &request->plug, node, &size, error))
    return FALSE;
  if (request->start.shallow)
    disk_image_of (disk, below, &backing);
  if (!image_file_make (path, image->format, size, backing.path,
                        backing.format != NULL ? backing.format : "raw", error)) {
    virt_error_prefix (error, "failed to create copy target: ");
    return FALSE;
  }
  if (!exists)
    request->made_file = g_strdup (path);
  return TRUE;
}

/* The file: made, or what is in it and below it read. */
static gboolean
prepare_file (Job *thread, BlockJobRequest *request, const QemuCaps *caps, DiskBacking *image, guint64 *next,
              GError **error)
{
  const Copy *copy = request->data;
  const DeviceDisk *disk = request->start.disk;
  const char *path = disk_backing_path (image);
  g_autoptr (ImageInfo) info = NULL;
  gboolean exists;

  if (!check_destination (copy, disk->target, path, &exists, error))
    return FALSE;
  if (!has_flag (copy, VIR_DOMAIN_BLOCK_COPY_REUSE_EXT)) {
    if (image->format == NULL)
      image->format = g_strdup (disk->format);
    if (request->start.shallow && g_str_equal (image->format, "raw")) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "shallow copy of disk '%s' into a raw file is not possible", disk->target);
      return FALSE;
    }
    return make_file (thread, request, caps, image, exists, error);
  }
  info = image_info_read (path, image->format, error);
  if (info == NULL)
    return FALSE;
  if (image->format == NULL)
    image->format = g_strdup (info->format);
  request->start.own_chain = request->start.shallow;
  if (request->start.shallow)
    image->backing = image_chain_below (info, next);
  return TRUE;
}

static gboolean
prepare_copy (Job *thread, BlockJobRequest *request, GError **error)
{
  const Copy *copy = request->data;
  BlockJobStart *start = &request->start;
  DeviceDisk *disk = (DeviceDisk *)start->disk;
  DeviceDisk *given = (DeviceDisk *)device_copy (&copy->given->device);
  DiskBacking *image = disk_take_image (given);
  g_autoptr (QemuCaps) caps = caps_cache_get (request->plug.caps, start->def->emulator, error);
  guint64 next = 0;
  gboolean good;

  device_free (&given->device);
  g_clear_pointer (&image->backing, disk_backing_free);
  start->shallow = has_flag (copy, VIR_DOMAIN_BLOCK_COPY_SHALLOW)
                   && disk_index_below (disk, disk->source_index.value) != 0;
  good = caps != NULL && image_nodes_next (thread, &request->plug, &next, error);
  image->index = NUMBER (next);
  next++;
  if (good && disk_backing_path (image) != NULL)
    good = prepare_file (thread, request, caps, image, &next, error);
  if (!good) {
    disk_backing_free (image);
    return FALSE;
  }
  if (image->backing == NULL && !start->shallow)
    image->backing = disk_backing_new ();
  if (image->format == NULL)
    image->format = g_strdup ("raw");
  disk->mirror = disk_mirror_new (image, MIRROR_JOB_COPY);
  if (disk->mirror->type == DISK_TYPE_FILE) {
    disk->mirror->old_file = g_strdup (disk->mirror->file);
    disk->mirror->old_format = g_strdup (disk->mirror->format);
  }
  return block_job_call_prepare (request, &block_job_copy, disk->source_index.value, error);
}

static gboolean
begin_copy (Job *thread, const Hotplug *plug, BlockJobStart *start, GError **error)
{
  return block_job_start_copy (thread, plug, start, error);
}

/* What can be told before anything is looked at. */
static gboolean
check_given (const Copy *copy, GError **error)
{
  const DeviceDisk *given = copy->given;

  if (!disk_has_source (given))
    virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_NO_SOURCE, "%s", "the copy's destination");
  else if (given->type == DISK_TYPE_VOLUME || given->type == DISK_TYPE_DIR
           || given->type == DISK_TYPE_VHOST_USER || given->type == DISK_TYPE_VHOST_VDPA)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "a disk cannot be copied to a destination of type '%s'; files, block devices and network "
                    "sources are possible",
                    enum_table_name (&disk_types, given->type));
  else if (disk_path (given) == NULL && !has_flag (copy, VIR_DOMAIN_BLOCK_COPY_REUSE_EXT))
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "a copy's destination of type '%s' is not made; one that exists is possible with "
                    "VIR_DOMAIN_BLOCK_COPY_REUSE_EXT",
                    enum_table_name (&disk_types, given->type));
  else
    return TRUE;
  return FALSE;
}

static void
copy_begin (Call *call, Machine *machine, const DeviceDisk *disk, gpointer data)
{
  const Copy *copy = data;
  BlockJobRequest *request;

  /* As libvirt has it: a client says that it knows the job ends with the machine. */
  if (call->domain->persistent && !has_flag (copy, VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not transient");
    return;
  }
  request = block_job_call_request (call, disk);
  request->prepare = prepare_copy;
  request->begin = begin_copy;
  request->start.bytes_per_second = copy->bytes_per_second;
  request->start.granularity = copy->granularity;
  request->start.buffer = copy->buffer;
  request->start.synchronous = has_flag (copy, VIR_DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES);
  machine_block_job_begin (machine, request);
}

/* Reading a client's XML is no work for the main loop. */
static gpointer
read_given (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Copy *copy = data;
  Device *device = device_from_xml (copy->xml, error);

  if (device == NULL)
    return NULL;
  if (device->kind == &disk_kind) {
    copy->given = (DeviceDisk *)device;
    return check_given (copy, error) ? JOB_OK : NULL;
  }
  virt_error_set (error, VIR_ERR_XML_ERROR, "the destination of a copy is a <disk>, not a <%s>",
                  device->kind->element);
  device_free (device);
  return NULL;
}

static void
given_read (gpointer result, const GError *error, gpointer data)
{
  Copy *copy = data;
  Call *call = copy->call;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  call->domain = call_find_domain_again (call);
  if (call->domain == NULL)
    return;
  call->user_data = NULL;
  call->user_free = NULL;
  block_job_call (call, "block-copy", copy_begin, copy, copy_free);
}

static gboolean
take_parameters (Call *call, Copy *copy)
{
  static const CallParameter known[] = { { VIR_DOMAIN_BLOCK_COPY_BANDWIDTH, 't' },
                                         { VIR_DOMAIN_BLOCK_COPY_GRANULARITY, 'u' },
                                         { VIR_DOMAIN_BLOCK_COPY_BUF_SIZE, 't' },
                                         { NULL, 0 } };
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 3);
  guint granularity = 0;

  if (!call_check_parameters (call, parameters, known))
    return FALSE;
  g_variant_lookup (parameters, VIR_DOMAIN_BLOCK_COPY_BANDWIDTH, "t", &copy->bytes_per_second);
  g_variant_lookup (parameters, VIR_DOMAIN_BLOCK_COPY_GRANULARITY, "u", &granularity);
  g_variant_lookup (parameters, VIR_DOMAIN_BLOCK_COPY_BUF_SIZE, "t", &copy->buffer);
  copy->granularity = granularity;
  if ((granularity & (granularity - 1)) != 0) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "granularity must be power of 2");
    return FALSE;
  }
  return block_job_call_speed (call, copy->bytes_per_second, TRUE, &copy->bytes_per_second)
         && block_job_call_speed (call, copy->buffer, TRUE, &copy->buffer);
}

void
op_domain_block_copy (Call *call)
{
  guint flags = call_uint (call, 4);
  const char *xml = call_string (call, 2);
  Copy *copy;

  if (!call_check_flags (call, flags,
                         VIR_DOMAIN_BLOCK_COPY_SHALLOW | VIR_DOMAIN_BLOCK_COPY_REUSE_EXT
                             | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
                             | VIR_DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES))
    return;
  copy = g_new0 (Copy, 1);
  call->user_data = copy;
  call->user_free = copy_free;
  copy->flags = flags;
  if (!take_parameters (call, copy))
    return;
  copy->call = call;
  copy->xml = g_strdup (xml);
  call_work (call, strlen (xml), "block-copy", read_given, copy, NULL, given_read);
}

void
block_copy_of_rebase (Call *call)
{
  guint flags = call_uint (call, 4);
  const char *to = call_maybe_string (call, 2);
  gboolean is_device = (flags & VIR_DOMAIN_BLOCK_REBASE_COPY_DEV) != 0;
  guint64 speed;
  Copy *copy;

  if (to == NULL || *to == '\0') {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "base in virDomainBlockRebase must not be NULL");
    return;
  }
  if (!block_job_call_speed (call, call_ulong (call, 3),
                             (flags & VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES) != 0, &speed))
    return;
  if (!g_path_is_absolute (to)) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "the destination '%s' of a copy is no absolute path", to);
    return;
  }
  copy = g_new0 (Copy, 1);
  copy->given = (DeviceDisk *)device_new (&disk_kind);
  copy->given->type = is_device ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
  *(is_device ? &copy->given->dev : &copy->given->file) = g_strdup (to);
  copy->given->format = (flags & VIR_DOMAIN_BLOCK_REBASE_COPY_RAW) ? g_strdup ("raw") : NULL;
  copy->bytes_per_second = speed;
  copy->flags = ((flags & VIR_DOMAIN_BLOCK_REBASE_SHALLOW) ? VIR_DOMAIN_BLOCK_COPY_SHALLOW : 0)
                | ((flags & VIR_DOMAIN_BLOCK_REBASE_REUSE_EXT) ? VIR_DOMAIN_BLOCK_COPY_REUSE_EXT : 0);
  block_job_call (call, "block-copy", copy_begin, copy, copy_free);
}
