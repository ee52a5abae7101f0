/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <filesystem>: a directory of the host in the guest. QEMU serves it itself by 9p, or another process by
 * virtiofs, which then reads and writes the guest's memory: a machine whose document does not share it gets
 * shared memory for that, and its author is told.
 */

#include "domain/devices/filesystem.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

#include "base/virt-error.h"

static const EnumTable filesystem_types = {
  "filesystem type", { NULL, "mount", "block", "file", "template", "ram", "bind", "volume" }
};
const EnumTable filesystem_access_modes = { "filesystem access mode",
                                            { NULL, "passthrough", "mapped", "squash" } };
const EnumTable filesystem_multidevs = { "filesystem multidevs",
                                         { NULL, "default", "remap", "forbid", "warn" } };
static const EnumTable drivers = { "filesystem driver",
                                   { NULL, "path", "handle", "loop", "nbd", "ploop", "virtiofs", "mtp" } };
static const EnumTable wrpolicies = { "write policy", { NULL, "immediate" } };
static const EnumTable caches = { "virtiofs cache mode", { NULL, "none", "always" } };
static const EnumTable sandboxes = { "virtiofs sandbox", { NULL, "namespace", "chroot" } };
static const FieldRange modes = { 0, 0777 }, uint32s = { 0, G_MAXUINT32 };
static const FieldSize bytes = { 1, 1, "bytes", 1 };

static const FieldTable mapping_table = {
  sizeof (IdMapping),
  (const Field[]){
      FIELD_WITH (IdMapping, start, "@start", field_number, &uint32s, FIELD_REQUIRED),
      FIELD_WITH (IdMapping, target, "@target", field_number, &uint32s, FIELD_REQUIRED),
      FIELD_WITH (IdMapping, count, "@count", field_number, &uint32s, FIELD_REQUIRED),
      FIELD_END,
  },
};

/* What the guest cannot see of it is virtiofsd's, and where it lies on the host. */
#define HOST(member, path, type, detail) \
  FIELD_WITH (DeviceFilesystem, member, path, type, detail, FIELD_NO_ABI)

static const Field filesystem_fields[] = {
  FIELD (DeviceFilesystem, type, "@type", field_enum, &filesystem_types),
  FIELD (DeviceFilesystem, access, "@accessmode", field_enum, &filesystem_access_modes),
  FIELD (DeviceFilesystem, model, "@model", field_enum, &virtio_models),
  FIELD (DeviceFilesystem, multidevs, "@multidevs", field_enum, &filesystem_multidevs),
  FIELD (DeviceFilesystem, fmode, "@fmode", field_octal, &modes),
  FIELD (DeviceFilesystem, dmode, "@dmode", field_octal, &modes),
  FIELD (DeviceFilesystem, driver, "driver/@type", field_enum, &drivers),
  FIELD (DeviceFilesystem, format, "driver/@format", field_text, NULL),
  FIELD (DeviceFilesystem, wrpolicy, "driver/@wrpolicy", field_enum, &wrpolicies),
  FIELD (DeviceFilesystem, queue, "driver/@queue", field_number, &uint32s),
  VIRTIO_FIELDS (DeviceFilesystem),
  HOST (binary, "binary/@path", field_text, NULL),
  HOST (xattr, "binary/@xattr", field_on_off, NULL),
  HOST (cache, "binary/cache/@mode", field_enum, &caches),
  HOST (sandbox, "binary/sandbox/@mode", field_enum, &sandboxes),
  HOST (posix_lock, "binary/lock/@posix", field_on_off, NULL),
  HOST (flock, "binary/lock/@flock", field_on_off, NULL),
  HOST (thread_pool, "binary/thread_pool/@size", field_number, &uint32s),
  HOST (openfiles, "binary/openfiles/@max", field_number, &uint32s),
  HOST (uids, "idmap/uid", field_list, &mapping_table),
  HOST (gids, "idmap/gid", field_list, &mapping_table),
  HOST (source_file, "source/@file", field_text, NULL),
  HOST (source_dev, "source/@dev", field_text, NULL),
  HOST (source_dir, "source/@dir", field_text, NULL),
  HOST (source_name, "source/@name", field_text, NULL),
  HOST (source_pool, "source/@pool", field_text, NULL),
  HOST (source_volume, "source/@volume", field_text, NULL),
  HOST (source_socket, "source/@socket", field_text, NULL),
  HOST (source_usage, "source/@usage", field_text, NULL),
  HOST (source_units, "source/@units", field_text, NULL),
  FIELD (DeviceFilesystem, target, "target/@dir", field_text, NULL),
  FIELD (DeviceFilesystem, readonly, "readonly", field_flag, NULL),
  DEVICE_BOOT_FIELDS (DeviceFilesystem),
  DEVICE_FIELDS (DeviceFilesystem),
  HOST (hard_limit, "space_hard_limit", field_memory, &bytes),
  HOST (soft_limit, "space_soft_limit", field_memory, &bytes),
  FIELD_END,
};

/* virtiofsd maps the guest's memory. What the document says of it is left alone. */
static void
share_memory (Completion *completion, const DeviceFilesystem *filesystem)
{
  DomainMemoryBacking *backing = &completion->def->memory_backing;

  if (domain_def_shares_memory (completion->def) || completion->live || backing->access != MEMORY_ACCESS_NONE)
    return;
  backing->access = MEMORY_ACCESS_SHARED;
  if (backing->source == MEMORY_SOURCE_NONE)
    backing->source = MEMORY_SOURCE_MEMFD;
  completion_warning (
      completion, &filesystem->driver, filesystem,
      "virtiofs needs the machine's memory shared: <memoryBacking> with <access mode='shared'/> "
      "is added");
}

static void
filesystem_complete (Completion *completion, Device *device)
{
  DeviceFilesystem *filesystem = (DeviceFilesystem *)device;

  if (filesystem->type == FILESYSTEM_TYPE_NONE)
    filesystem->type = FILESYSTEM_MOUNT;
  if (filesystem->access == ACCESS_MODE_NONE && filesystem->source_socket == NULL)
    filesystem->access = ACCESS_PASSTHROUGH;
  if (filesystem->queue.value == 0)
    filesystem->queue.set = FALSE;
  if (filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS)
    share_memory (completion, filesystem);
}

#define REFUSE(member, ...) \
  validation_error (validation, &filesystem->member, &filesystem->device, __VA_ARGS__)

static void
validate_virtiofs (Validation *validation, const DeviceFilesystem *filesystem)
{
  if (!domain_def_shares_memory (validation->def))
    REFUSE (driver, "'virtiofs' requires shared memory: the machine needs <memoryBacking> with "
                    "<access mode='shared'/>");
  if (filesystem->access != ACCESS_MODE_NONE && filesystem->access != ACCESS_PASSTHROUGH)
    REFUSE (access, "virtiofs only supports passthrough accessmode");
  if (filesystem->wrpolicy != 0)
    REFUSE (wrpolicy, "virtiofs does not support wrpolicy");
  if (filesystem->model != VIRTIO_MODEL_NONE)
    REFUSE (model, "virtiofs does not support model");
  if (filesystem->format != NULL)
    REFUSE (format, "virtiofs does not support format");
  if (filesystem->multidevs != MULTIDEVS_NONE)
    REFUSE (multidevs, "virtiofs does not support multidevs");
  if (filesystem->source_socket != NULL && filesystem->source_dir != NULL)
    REFUSE (source_dir, "a virtiofs source is a directory or a socket, not both");
}

static void
validate_source (Validation *validation, const DeviceFilesystem *filesystem)
{
  const Device *device = &filesystem->device;

  if (filesystem->source_dir == NULL && filesystem->source_socket == NULL)
    validation_error_code (validation, VIR_ERR_NO_SOURCE, &filesystem->source_dir, device,
                           "missing source information for device %s",
                           filesystem->target != NULL ? filesystem->target : "");
  else if (filesystem->target == NULL)
    validation_error_code (validation, VIR_ERR_NO_TARGET, &filesystem->target, device,
                           "missing target information for device %s",
                           filesystem->source_dir != NULL ? filesystem->source_dir
                                                          : filesystem->source_socket);
}

static void
filesystem_validate (Validation *validation, const Device *device)
{
  const DeviceFilesystem *filesystem = (const DeviceFilesystem *)device;

  if (filesystem->type != FILESYSTEM_MOUNT) {
    REFUSE (type, "only supports mount filesystem type");
    return;
  }
  validate_source (validation, filesystem);
  if ((filesystem->fmode.set || filesystem->dmode.set) && filesystem->access != ACCESS_MAPPED)
    REFUSE (access, "fmode and dmode must be used with accessmode=mapped");
  if (filesystem->hard_limit.set || filesystem->soft_limit.set)
    REFUSE (hard_limit, "filesystem usage limits are not supported with QEMU");
  if (filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS)
    validate_virtiofs (validation, filesystem);
  else if (device->boot_order.set)
    validation_error (validation, &device->boot_order, device, "boot order is only supported for virtiofs");
  virtio_options_validate (validation, device, &filesystem->virtio, TRUE);
}

static DevicePlace
filesystem_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_PCI;
}

static guint
filesystem_pci_connect (const DomainDef *def, const Device *device)
{
  return pci_connect_virtio (def, ((const DeviceFilesystem *)device)->model);
}

static char *
filesystem_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index)
{
  return g_strdup_printf ("fs%u", index);
}

static char *
filesystem_describe (const Device *device)
{
  const DeviceFilesystem *filesystem = (const DeviceFilesystem *)device;

  return g_strdup_printf ("filesystem '%s'", filesystem->target != NULL ? filesystem->target : "");
}

/* The tag is what one is known by. */
static Device *
filesystem_match (const DomainDef *def, const Device *wanted, GError **error)
{
  const char *target = ((const DeviceFilesystem *)wanted)->target;

  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, DeviceFilesystem, filesystem)
    if (g_strcmp0 (filesystem->target, target) == 0)
      return &filesystem->device;
  virt_error_set (error, VIR_ERR_DEVICE_MISSING, "matching filesystem device was not found");
  return NULL;
}

static gboolean
filesystem_check_names (const Device *device, const Device *other, DeviceChange change G_GNUC_UNUSED,
                        GError **error)
{
  const char *target = ((const DeviceFilesystem *)device)->target;

  if (g_strcmp0 (target, ((const DeviceFilesystem *)other)->target) != 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "filesystem already exists: a device has the target '%s'",
                  target);
  return FALSE;
}

static gboolean
filesystem_is_virtio (const Device *device G_GNUC_UNUSED)
{
  return TRUE;
}

const DeviceKind filesystem_kind = {
  .element = "filesystem",
  .skips_user_aliases = TRUE,
  .table = { sizeof (DeviceFilesystem), filesystem_fields },
  .complete = filesystem_complete,
  .validate = filesystem_validate,
  .place = filesystem_place,
  .pci_connect = filesystem_pci_connect,
  .is_virtio = filesystem_is_virtio,
  .alias = filesystem_alias,
  .describe = filesystem_describe,
  .match = filesystem_match,
  .check_names = filesystem_check_names,
  .pci_order = PCI_ORDER_FILESYSTEM,
  .attachable = TRUE,
};
