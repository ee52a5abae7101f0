/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * Where a device of the host is at the moment, by what documents say of it. @host is the directory that sys
 * and dev are in, "/" but for tests. Errors are in libvirt's words. Blocking; any thread but the main loop's.
 */
typedef struct {
  guint vendor, product; /* 0: any */
  guint bus, device;     /* 0: anywhere */
} UsbPlace;

/* Fill in where it is. FALSE when there is none, or when it could be several. With @may_miss one that is not
 * there is no error: bus and device are 0 then. */
gboolean host_usb_find (const char *host, UsbPlace *place, gboolean may_miss, GError **error);

/* The number of the generic device (/dev/sgN) of a unit behind the adapter "scsi_host3". */
gboolean host_scsi_generic (const char *host, const char *adapter, guint bus, guint target, guint64 unit,
                            guint *ret_number, GError **error);

/* The IOMMU group of the mediated device of that UUID. */
gboolean host_mdev_group (const char *host, const char *uuid, guint *ret_group, GError **error);
