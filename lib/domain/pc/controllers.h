/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/complete.h"
#include "domain/devices/controller.h"

/* Controllers of one type are numbered below this: no document makes us add them by the million. */
#define CONTROLLER_INDEX_MAX 255

/* The controller of @type with that index (for USB companions the first of them); NULL when there is none. */
DeviceController *controllers_find (const DomainDef *def, ControllerType type, guint64 index);
gboolean controllers_have (const DomainDef *def, ControllerType type);
/* The smallest index no controller of @type has. */
guint controllers_unused_index (const DomainDef *def, ControllerType type);

/* Put those that were added among the others: controller-order.c. */
void controllers_order_added (DomainDef *def);

/* Add the controller of @type with @index unless it is there already; its model, where one is needed, is the
 * one libvirt takes on this emulator. The controller, or NULL (and an error said about @because) when @index
 * is beyond the limit. */
DeviceController *
controllers_require (Completion *completion, ControllerType type, guint64 index, const Device *because);
