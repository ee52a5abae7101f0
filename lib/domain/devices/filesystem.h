/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/virtio.h"

typedef enum {
  FILESYSTEM_TYPE_NONE,
  FILESYSTEM_MOUNT,
  FILESYSTEM_BLOCK,
  FILESYSTEM_FILE,
  FILESYSTEM_TEMPLATE,
  FILESYSTEM_RAM,
  FILESYSTEM_BIND,
  FILESYSTEM_VOLUME,
} FilesystemType;
typedef enum { ACCESS_MODE_NONE, ACCESS_PASSTHROUGH, ACCESS_MAPPED, ACCESS_SQUASH } FilesystemAccess;
typedef enum {
  FILESYSTEM_DRIVER_NONE,
  FILESYSTEM_DRIVER_PATH, /* 9p, served by QEMU itself */
  FILESYSTEM_DRIVER_HANDLE,
  FILESYSTEM_DRIVER_LOOP,
  FILESYSTEM_DRIVER_NBD,
  FILESYSTEM_DRIVER_PLOOP,
  FILESYSTEM_DRIVER_VIRTIOFS, /* served by virtiofsd beside it */
  FILESYSTEM_DRIVER_MTP,
} FilesystemDriver;
typedef enum {
  MULTIDEVS_NONE,
  MULTIDEVS_DEFAULT,
  MULTIDEVS_REMAP,
  MULTIDEVS_FORBID,
  MULTIDEVS_WARN
} Multidevs;
typedef enum { VIRTIOFS_CACHE_UNSET, VIRTIOFS_CACHE_NONE, VIRTIOFS_CACHE_ALWAYS } VirtiofsCache;
typedef enum { VIRTIOFS_SANDBOX_UNSET, VIRTIOFS_SANDBOX_NAMESPACE, VIRTIOFS_SANDBOX_CHROOT } VirtiofsSandbox;

/* <uid start='0' target='1000' count='10'/>: the guest's numbers, and the host's they are. */
typedef struct {
  Number start, target, count;
} IdMapping;

typedef struct {
  Device device;
  int type, access, model; /* FilesystemType, FilesystemAccess, VirtioModel */
  int multidevs;           /* Multidevs */
  Number fmode, dmode;     /* of what is made, where access is mapped */
  int driver;              /* FilesystemDriver */
  char *format;
  int wrpolicy; /* "immediate" */
  Number queue;
  VirtioOptions virtio;
  /* virtiofsd: */
  char *binary;
  int xattr, cache, sandbox, posix_lock,
      flock; /* Tristate, VirtiofsCache, VirtiofsSandbox, Tristate, Tristate */
  Number thread_pool, openfiles;
  GPtrArray *uids, *gids; /* IdMapping */
  char *source_file, *source_dev, *source_dir, *source_name, *source_socket;
  char *source_pool, *source_volume, *source_usage, *source_units;
  char *target; /* the tag by which the guest mounts it */
  gboolean readonly;
  Number hard_limit, soft_limit; /* bytes */
} DeviceFilesystem;

extern const DeviceKind filesystem_kind;
extern const EnumTable filesystem_access_modes, filesystem_multidevs;
