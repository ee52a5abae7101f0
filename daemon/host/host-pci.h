/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * The host's PCI devices, as /sys shows them: whose driver has one, which others the IOMMU cannot tell from
 * it, and how it comes to VFIO and back. @host is the directory that sys and dev are in, "/" but for tests;
 * @name is an address, "0000:06:12.5". All of it may block; any thread but the main loop's.
 */
#define HOST_PCI_DRIVER "vfio-pci"
#define HOST_PCI_WAIT   2000 /* ms that a driver may take to let go of a device, or to take it */

/* FALSE, in libvirt's words, when the host has no such device. */
gboolean host_pci_check (const char *host, const char *name, GError **error);
/* A bridge between PCI buses: it has a driver of its own, and that one does no harm to VFIO. */
gboolean host_pci_is_bridge (const char *host, const char *name);
/* The driver that has it; NULL: none. (transfer full) */
char *host_pci_driver (const char *host, const char *name);
/* Is it a driver through which QEMU can have the device, vfio-pci or one of its variants? NULL: no. */
gboolean host_pci_is_vfio (const char *driver);
/* The names of those in its IOMMU group, itself among them, and the group's number; NULL and @error when it
 * is in none: then there is no IOMMU, or it is turned off. (transfer full) */
GPtrArray *host_pci_group (const char *host, const char *name, guint *ret_group, GError **error);
/* A virtual function: of which function; NULL: it is none. (transfer full) */
char *host_pci_physical_function (const char *host, const char *name);
/* The network device of a function ("eth0"); NULL: it has none. (transfer full) */
char *host_pci_net_device (const char *host, const char *name);
/* Which of the virtual functions of @physical it is. */
gboolean
host_pci_function_number (const char *host, const char *physical, const char *name, guint *ret_number);

/* Have @driver take it from the one that has it now. On an error the host's has it back. */
gboolean host_pci_take (const char *host, const char *name, const char *driver, GError **error);
/* Have the host's own driver take it, if there is one for it. */
gboolean host_pci_give_back (const char *host, const char *name, GError **error);

/* Why nothing can be had through VFIO here, in words; NULL when it can. (transfer full) */
char *host_vfio_problem (const char *host);
/* "/dev/vfio/12" (transfer full) */
char *host_vfio_node (const char *host, guint group);
