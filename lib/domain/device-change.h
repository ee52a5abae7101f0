/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * One device more, one less, or another in its place: a definition and a device become another definition,
 * completed and checked as a whole. Definitions are never changed in place. Pure; any thread.
 */

/* A client's <disk>, <interface>...: read as the wires read documents, unknown names passed over. It is not
 * completed yet, but an interface has its MAC address. NULL and @error (VIR_ERR_XML_ERROR...) when it is no
 * device. */
Device *device_from_xml (const char *xml, GError **error);

/* @def with a copy of @device. *@ret_added: what is new in the result, which owns it: the controllers the
 * device needs and last itself. (transfer container)
 * VIR_ERR_OPERATION_INVALID when its place is taken already, VIR_ERR_INTERNAL_ERROR "No more available PCI
 * slots", or what completion and validation say. */
DomainDef *domain_def_with_device (const DomainDef *def, const Device *device, DeviceChange change,
                                   const Platform *platform, GPtrArray **ret_added, GError **error);
/* The same for devices that are complete already: copies are put in their places, nothing is checked. */
DomainDef *domain_def_with_devices (const DomainDef *def, const GPtrArray *devices);
/* @def without its device at @index. */
DomainDef *domain_def_without_device (const DomainDef *def, guint index);
/* @def with a copy of @device instead of its device at @index; alias and address stay where the new one does
 * not say them. */
DomainDef *domain_def_with_replaced (const DomainDef *def, guint index, const Device *device,
                                     DeviceChange change, const Platform *platform, GError **error);
/* The place of @device, a pointer into @def. */
guint domain_def_device_index (const DomainDef *def, const Device *device);

/*
 * What a running machine's device becomes when it is updated to @given: another medium in a drive, another
 * state of a link, another password. NULL with VIR_ERR_OPERATION_UNSUPPORTED when something else would
 * change.
 */
Device *device_updated_live (const Device *device, const Device *given, GError **error);
