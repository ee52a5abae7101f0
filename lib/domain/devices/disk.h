/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "domain/devices/disk-source.h"
#include "domain/devices/virtio.h"

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
typedef enum { DISK_SGIO_NONE, DISK_SGIO_FILTERED, DISK_SGIO_UNFILTERED } DiskSgio;
typedef enum { STARTUP_NONE, STARTUP_MANDATORY, STARTUP_REQUISITE, STARTUP_OPTIONAL } StartupPolicy;
typedef enum {
  DISK_SNAPSHOT_NONE,
  DISK_SNAPSHOT_NO,
  DISK_SNAPSHOT_INTERNAL,
  DISK_SNAPSHOT_EXTERNAL,
  DISK_SNAPSHOT_MANUAL
} DiskSnapshot;
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
  Number metadata_cache; /* bytes */
  char *file, *fdgroup, *dev;
  int startup_policy;  /* StartupPolicy; without a meaning, like the next */
  Number source_index; /* live only */
  DiskSource source;
  DiskBacking *backing; /* NULL: nothing is said of what is below */
  gboolean detected;    /* read from the images at the machine's start; of the first one */
};

typedef enum { MIRROR_JOB_NONE, MIRROR_JOB_COPY, MIRROR_JOB_ACTIVE_COMMIT } MirrorJob;
typedef enum { MIRROR_READY_NONE, MIRROR_READY_YES, MIRROR_READY_ABORT, MIRROR_READY_PIVOT } MirrorReady;

/* Live only: the image that a block job will make the disk's own. Its members are those of DiskBacking. */
typedef struct {
  int type;                    /* DiskType */
  char *old_file, *old_format; /* of a copy: as documents before <source> had them */
  int job, ready;              /* MirrorJob, MirrorReady */
  char *format;
  Number metadata_cache; /* bytes */
  char *file, *fdgroup, *dev;
  int startup_policy; /* StartupPolicy; without a meaning */
  Number source_index;
  DiskSource source;
  DiskBacking *backing; /* of a copy with images of its own below, or none; NULL: those of the disk */
} DiskMirror;

/* One of the threads that serve a virtio disk, with the queues it has; none: they are dealt out. */
typedef struct {
  Number id;
} DiskQueue;
typedef struct {
  Number id;
  GPtrArray *queues; /* DiskQueue */
} DiskIothread;

/* Its requests are counted by that throttle group, before those of the next. */
typedef struct {
  char *group;
} DiskThrottleFilter;

typedef struct {
  Device device;
  int type;        /* DiskType */
  int device_type; /* DiskDevice */
  int model;       /* VirtioModel */
  int rawio, sgio; /* Tristate; DiskSgio */
  int snapshot;    /* DiskSnapshot */

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
  GPtrArray *iothreads;  /* DiskIothread */
  Number metadata_cache; /* bytes */

  /* <source> */
  char *file, *fdgroup, *dev; /* see disk_path */
  int startup_policy;         /* StartupPolicy */
  Number source_index;        /* live only */
  DiskSource source;
  DiskAuth *auth;       /* beside the source, as old documents have it; see disk_auth */
  char *backend_domain; /* verbatim */
  DiskBacking *backing; /* <backingStore> */
  DiskMirror *mirror;   /* live only */

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
  GPtrArray *throttle_filters; /* DiskThrottleFilter, from the image upwards */
  gboolean readonly, shareable, transient;
  int transient_share_backing; /* Tristate */
  char *serial, *wwn, *vendor, *product;
  DiskEncryption *encryption; /* beside the source; see disk_encryption */

  /* Of a running machine, and not in the document: the number of its first throttle filter; not set: it
   * follows those of the images. */
  Number filter_index;
  /* The same: its threshold was set by the index of its image. */
  gboolean threshold_by_index;
} DeviceDisk;

extern const DeviceKind disk_kind;
extern const EnumTable disk_devices, disk_buses, disk_caches, disk_error_policies, disk_ios, disk_discards,
    detect_zeroes_modes;

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

/* The throttle groups of a domain (DiskIotune), and the one of that name; NULL: there is none. */
extern const FieldTable throttle_group_table;
DiskIotune *domain_def_find_throttle_group (const DomainDef *def, const char *name);
/* A disk that has a filter of that group; NULL: none. */
const DeviceDisk *domain_def_find_throttled_disk (const DomainDef *def, const char *group);

/* The file or block device behind it; NULL for an empty drive and for the other types. */
const char *disk_path (const DeviceDisk *disk);
/* Is the medium of both the same one? */
gboolean disk_has_same_source (const DeviceDisk *disk, const DeviceDisk *other);
/* Has it reservations that the daemon's helper is to make? */
gboolean disk_is_reserved (const DeviceDisk *disk);
/* Has it a source, of whatever type? */
gboolean disk_has_source (const DeviceDisk *disk);
/* What a client is told of its source: a path, or the name a network source has; NULL: nothing. */
const char *disk_source_text (const DeviceDisk *disk);
/* What unlocks it, wherever the document says it; NULL: nothing is said. */
const DiskAuth *disk_auth (const DeviceDisk *disk);
const DiskEncryption *disk_encryption (const DeviceDisk *disk);
/* A medium that QEMU reads by itself (no vhost-user server, no empty drive). */
gboolean disk_has_nodes (const DeviceDisk *disk);
/* May it never be written? */
gboolean disk_is_readonly (const DeviceDisk *disk);

/* One image as it is opened, whether it is the disk's own, one below or a data file. Everything is borrowed.
 */
typedef struct {
  int type;           /* DiskType */
  const char *format; /* NULL: raw */
  const char *path;   /* of a file or block device; NULL: another source */
  const char *fdgroup;
  const DiskSource *source;
  const DiskAuth *auth;
  const DiskEncryption *encryption;
  Number metadata_cache;
} DiskImage;
DiskImage disk_image (const DeviceDisk *disk);
DiskImage disk_backing_image (const DiskBacking *backing);
DiskImage disk_data_image (const DiskDataStore *store);

/* The disk of that target, or of that file or block device; NULL: none. */
DeviceDisk *domain_def_find_disk (const DomainDef *def, const char *name);
extern const FieldTable disk_backing_table;
extern const FieldTable disk_mirror_table;
DiskBacking *disk_backing_new (void);
DiskBacking *disk_backing_copy (const DiskBacking *backing); /* NULL is fine */
void disk_backing_free (DiskBacking *backing);
gboolean disk_backing_is_end (const DiskBacking *backing);
/* Does it say where its image is? */
gboolean disk_backing_has_source (const DiskBacking *backing);
const char *disk_backing_text (const DiskBacking *backing); /* see disk_source_text */
const char *disk_backing_path (const DiskBacking *backing);
/* Of a running machine: is @index an image of the disk's chain? */
gboolean disk_has_image (const DeviceDisk *disk, guint64 index);
/* "hda" and "vda" are 0, "sdb" 1, "vdaa" 26; partitions' digits are passed over. -1: not such a name. */
int disk_target_index (const char *target);
