/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * <devices> as a field of the definition: its children are devices of the kinds in device_kinds and the
 * emulator's path, which the format keeps among them. Only for a DomainDef's `devices`.
 */
extern const FieldType field_devices;

/* Put the devices of a document where libvirt puts them among those of their kind. */
void device_list_arrange (DomainDef *def);
