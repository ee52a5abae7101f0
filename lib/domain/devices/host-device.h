/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/hostdev-source.h"
#include "domain/report.h"

/*
 * The device of the host that a device of the guest is, whichever kind says so: a <hostdev>, or an <interface
 * type='hostdev'>.
 */
/* HOSTDEV_NONE for all others. */
HostdevType device_host_type (const Device *device);
/* Where it is on the host; NULL when it is none of that type. Parts of @device. */
const HostPci *device_host_pci (const Device *device);
const HostUsb *device_host_usb (const Device *device);
/* Does the host's driver get it back by itself, as managed='yes' says? */
gboolean device_host_is_managed (const Device *device);
/* The uuid of a mediated device; NULL for others. Part of @device. */
const char *device_host_mdev (const Device *device);

/* Can the machine's state leave it, to be saved? FALSE, in libvirt's words, with a device that has state
 * which only its host knows. PCI and mediated devices may be able to; QEMU knows. */
gboolean host_devices_can_migrate (const DomainDef *def, GError **error);
/* No two devices of the definition are the same one of the host. */
void host_devices_check_duplicates (Validation *validation);
