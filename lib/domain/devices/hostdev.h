/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/hostdev-source.h"

typedef enum { HOSTDEV_MODE_NONE, HOSTDEV_SUBSYSTEM, HOSTDEV_CAPABILITIES } HostdevMode;
typedef enum { SCSI_SOURCE_NONE, SCSI_SOURCE_ADAPTER, SCSI_SOURCE_ISCSI } ScsiSource;
typedef enum { MDEV_MODEL_NONE, MDEV_VFIO_PCI, MDEV_VFIO_CCW, MDEV_VFIO_AP } MdevModel;
typedef enum { GUEST_RESET_NONE, GUEST_RESET_OFF, GUEST_RESET_UNINITIALIZED, GUEST_RESET_ON } GuestReset;

typedef struct {
  char *name;
  Number port;
} HostdevIscsiHost;

typedef struct {
  Device device;
  int mode;           /* HostdevMode */
  int type;           /* HostdevType */
  int managed;        /* Tristate */
  int sgio;           /* 1 filtered 2 unfiltered */
  int rawio;          /* Tristate */
  int scsi_model;     /* VirtioModel, of a scsi_host */
  int mdev_model;     /* MdevModel */
  char *other_model;  /* of a type that has none */
  int display, ramfb; /* Tristate: of PCI and mediated devices */
  int driver;         /* HostdevDriver: of PCI */
  char *driver_model; /* a variant of vfio-pci */

  int startup_policy;  /* StartupPolicy */
  int missing;         /* Tristate; live only: the host did not have it at the start */
  int guest_reset;     /* GuestReset: of USB */
  int write_filtering; /* Tristate: of PCI */
  HostPci pci;
  HostUsb usb;

  int scsi_source; /* ScsiSource */
  char *adapter;   /* "scsi_host0" */
  Number scsi_bus, scsi_target, scsi_unit;
  Number generic; /* not in the document: of its /dev/sgN, found at the start */
  char *iscsi_name;
  GPtrArray *iscsi_hosts; /* HostdevIscsiHost; NULL: none */
  char *auth_user, *secret_type, *secret_uuid, *secret_usage, *initiator;

  int vhost_protocol; /* 1 vhost: of a scsi_host */
  char *wwpn;         /* "naa.5123456789abcde0" */
  char *uuid;         /* of a mediated device */

  char *block, *character, *net_device; /* of capabilities */
  GPtrArray *ips, *routes;              /* InterfaceIp, InterfaceRoute */

  gboolean readonly, shareable; /* SCSI */
  int teaming;                  /* InterfaceTeaming */
  char *teaming_persistent;
  int rom_enabled, rom_bar; /* Tristate */
  char *rom_file;
} DeviceHostdev;

extern const DeviceKind hostdev_kind;
extern const EnumTable hostdev_types; /* HostdevType */
extern const EnumTable mdev_models;   /* MdevModel */

/* What it is known by on the host, but for a USB device: "pci 0000:06:12.5", "mdev 53764d0e-...". (transfer
 * full) */
char *hostdev_key (const DeviceHostdev *hostdev);
