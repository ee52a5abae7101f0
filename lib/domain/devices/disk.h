/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "domain/devices/virtio.h"

typedef enum {
  DISK_TYPE_NONE,
  DISK_TYPE_FILE,
  DISK_TYPE_BLOCK,
  DISK_TYPE_DIR,
  DISK_TYPE_NETWORK,
  DISK_TYPE_VOLUME,
  DISK_TYPE_NVME,
  DISK_TYPE_VHOST_USER,
  DISK_TYPE_VHOST_VDPA
} DiskType;
typedef enum {
  DISK_DEVICE_NONE,
  DISK_DEVICE_DISK,
  DISK_DEVICE_CDROM,
  DISK_DEVICE_FLOPPY,
  DISK_DEVICE_LUN
} DiskDevice;
typedef enum {
  DISK_BUS_NONE,
  DISK_BUS_IDE,
  DISK_BUS_FDC,
  DISK_BUS_SCSI,
  DISK_BUS_VIRTIO,
  DISK_BUS_XEN,
  DISK_BUS_USB,
  DISK_BUS_UML,
  DISK_BUS_SATA,
  DISK_BUS_SD
} DiskBus;
typedef enum {
  DISK_CACHE_NONE,
  DISK_CACHE_DEFAULT,
  DISK_CACHE_DISABLE /* "none" */,
  DISK_CACHE_WRITETHROUGH,
  DISK_CACHE_WRITEBACK,
  DISK_CACHE_DIRECTSYNC,
  DISK_CACHE_UNSAFE
} DiskCache;
typedef enum {
  DISK_ERROR_NONE,
  DISK_ERROR_STOP,
  DISK_ERROR_REPORT,
  DISK_ERROR_IGNORE,
  DISK_ERROR_ENOSPACE
} DiskErrorPolicy;
typedef enum { DISK_IO_NONE, DISK_IO_NATIVE, DISK_IO_THREADS, DISK_IO_URING } DiskIo;
typedef enum { DISK_DISCARD_NONE, DISK_DISCARD_UNMAP, DISK_DISCARD_IGNORE } DiskDiscard;
typedef enum { DETECT_ZEROES_NONE, DETECT_ZEROES_OFF, DETECT_ZEROES_ON, DETECT_ZEROES_UNMAP } DetectZeroes;
typedef enum { STARTUP_NONE, STARTUP_MANDATORY, STARTUP_REQUISITE, STARTUP_OPTIONAL } StartupPolicy;
typedef enum { TRANSLATION_UNSET, TRANSLATION_AUTO, TRANSLATION_NONE, TRANSLATION_LBA } DiskTranslation;
typedef enum { TRAY_NONE, TRAY_CLOSED, TRAY_OPEN } DiskTray;

/* One pair of limits is also said as a total; QEMU's throttling has the same members. Bytes, operations or
 * seconds. */
typedef struct {
  Number total_bytes_sec, read_bytes_sec, write_bytes_sec;
  Number total_iops_sec, read_iops_sec, write_iops_sec;
  Number total_bytes_sec_max, read_bytes_sec_max, write_bytes_sec_max;
  Number total_iops_sec_max, read_iops_sec_max, write_iops_sec_max;
  Number size_iops_sec;
  char *group_name;
  Number total_bytes_sec_max_length, read_bytes_sec_max_length, write_bytes_sec_max_length;
  Number total_iops_sec_max_length, read_iops_sec_max_length, write_iops_sec_max_length;
} DiskIotune;

/* An image below another. */
typedef struct DiskBacking DiskBacking;
struct DiskBacking {
  int type;     /* DiskType; DISK_TYPE_NONE without a file: nothing is below */
  Number index; /* live only: of its block node */
  char *format;
  char *metadata_cache; /* verbatim: inside <format> */
  char *file, *dev;
  char *slices, *encryption, *reservations, *data_store; /* verbatim: inside a file's or block's <source> */
  GPtrArray *seclabels;                                  /* verbatim, there too */
  char *source;                                          /* verbatim, for the other types */
  DiskBacking *backing;                                  /* NULL: nothing is said of what is below */
  gboolean detected; /* read from the images at the machine's start; of the first one */
};

typedef struct {
  Device device;
  int type;        /* DiskType */
  int device_type; /* DiskDevice */
  int model;       /* VirtioModel */
  int rawio, sgio; /* Tristate; 1 filtered 2 unfiltered */
  int snapshot;    /* 1 no 2 internal 3 external 4 manual */

  /* <driver> */
  char *driver;                           /* "qemu" */
  char *format;                           /* "raw", "qcow2": driver/@type */
  int cache;                              /* DiskCache */
  int error_policy, rerror_policy;        /* DiskErrorPolicy */
  int io;                                 /* DiskIo */
  int ioeventfd, event_idx, copy_on_read; /* Tristate */
  int discard;                            /* DiskDiscard */
  Number iothread;
  int detect_zeroes;    /* DetectZeroes */
  int discard_no_unref; /* Tristate */
  Number queues, queue_size;
  VirtioOptions virtio;
  char *iothreads, *metadata_cache; /* verbatim */

  /* <source>: file and block by fields, the other types as they stand */
  char *file, *fdgroup, *dev; /* see disk_path */
  int startup_policy;         /* StartupPolicy */
  Number source_index;        /* live only */
  char *slices, *reservations, *source_encryption,
      *data_store;                      /* verbatim: inside a file's or block's <source> */
  GPtrArray *source_seclabels;          /* verbatim */
  char *source;                         /* the whole element verbatim, for the other types */
  char *auth, *backend_domain, *mirror; /* verbatim */
  DiskBacking *backing;                 /* <backingStore> */

  /* <geometry>, <blockio> */
  Number cylinders, heads, sectors;
  int translation;                                /* DiskTranslation */
  Number logical_block_size, physical_block_size; /* bytes */
  Number discard_granularity;

  /* <target> */
  char *target;         /* "vda" */
  int bus;              /* DiskBus */
  int tray;             /* DiskTray */
  int removable;        /* Tristate */
  Number rotation_rate; /* rpm; 1: not rotating */

  DiskIotune *iotune;
  char *throttle_filters; /* verbatim */
  gboolean readonly, shareable, transient;
  int transient_share_backing; /* Tristate */
  char *serial, *wwn, *vendor, *product;
  char *encryption; /* verbatim */

  /* Of a running machine, and not in the document: its threshold was set by the index of its image. */
  gboolean threshold_by_index;
} DeviceDisk;

extern const DeviceKind disk_kind;
extern const EnumTable disk_types, disk_devices, disk_buses, disk_caches, disk_error_policies, disk_ios,
    disk_discards, detect_zeroes_modes, startup_policies;

/* DiskIotune: its elements are the names of libvirt's typed parameters, in their order. */
extern const FieldTable disk_iotune_table;
/* The limit of a field of that table; NULL for the group's name. */
Number *disk_iotune_number (const DiskIotune *tune, const Field *field);
/* What is set of @said, 0 too, becomes the disk's, and that of all disks of its group; the rest stays as it
 * is.
 * @disk is one of @def. */
void domain_def_set_iotune (DomainDef *def, DeviceDisk *disk, const DiskIotune *said);
/* What @tune does not say is taken from @old. */
void disk_iotune_merge (DiskIotune *tune, const DiskIotune *old);
/* What a client says, before it is merged; in libvirt's words (VIR_ERR_INVALID_ARG and others). */
gboolean disk_iotune_check (const DiskIotune *said, GError **error);
/* What a running machine would have: QEMU knows no burst without its limit. NULL is fine. */
gboolean disk_iotune_check_bursts (const DiskIotune *tune, GError **error);

/* The file or block device behind it; NULL for an empty drive and for the types kept verbatim. */
const char *disk_path (const DeviceDisk *disk);
/* The disk of that target, or of that file or block device; NULL: none. */
DeviceDisk *domain_def_find_disk (const DomainDef *def, const char *name);
extern const FieldTable disk_backing_table;
DiskBacking *disk_backing_new (void);
DiskBacking *disk_backing_copy (const DiskBacking *backing); /* NULL is fine */
void disk_backing_free (DiskBacking *backing);
gboolean disk_backing_is_end (const DiskBacking *backing);
/* Is more said of one of the chain than its format and its path? NULL is fine. */
gboolean disk_backing_has_more (const DiskBacking *backing);
const char *disk_backing_path (const DiskBacking *backing);
/* Of a running machine: is @index an image of the disk's chain? */
gboolean disk_has_image (const DeviceDisk *disk, guint64 index);
/* "hda" and "vda" are 0, "sdb" 1, "vdaa" 26; partitions' digits are passed over. -1: not such a name. */
int disk_target_index (const char *target);
