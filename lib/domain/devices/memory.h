/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum {
  MEMORY_MODEL_NONE,
  MEMORY_DIMM,
  MEMORY_NVDIMM,
  MEMORY_VIRTIO_PMEM,
  MEMORY_VIRTIO_MEM,
  MEMORY_SGX_EPC
} MemoryModel;

/* All sizes in KiB. */
typedef struct {
  Device device;
  int model, access, discard; /* MemoryModel, MemoryAccess, Tristate */
  char *uuid;
  char *path; /* what it is made of on the host: nvdimm, virtio-pmem */
  Number alignment;
  gboolean persistent; /* the file is on persistent memory */
  char *nodemask;      /* nodes of the host */
  Number page_size;
  int dynamic_slots;                /* Tristate: virtio-mem */
  Number size, node;                /* the guest's node */
  Number block, requested, current; /* virtio-mem: what is asked of it, and what the guest has taken */
  Number label_size;                /* nvdimm */
  gboolean readonly;
  Number base; /* the guest's address of a virtio one */
} DeviceMemory;

extern const DeviceKind memory_kind;
extern const EnumTable memory_models;

gboolean memory_is_dimm (const DeviceMemory *memory); /* has a slot, and no place on PCI */
/* KiB: all that memory devices add to the machine's. */
guint64 memory_devices_size (const DomainDef *def);
