/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <memory> among the devices: memory that a machine has beside its first, to be plugged in and out, to be
 * asked for in parts (virtio-mem), or that keeps what is in it (nvdimm, virtio-pmem).
 */

#include "domain/devices/memory.h"
#include "domain/device-match.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

#include "base/virt-error.h"

#define SMALLEST_LABEL 128  /* KiB */
#define SMALLEST_BLOCK 2048 /* KiB: a transparent huge page of x86 */
#define SLOTS_MAX      256

const EnumTable memory_models = { "memory model",
                                  { NULL, "dimm", "nvdimm", "virtio-pmem", "virtio-mem", "sgx-epc" } };
static const EnumTable accesses = { "memory access", { NULL, "shared", "private" } };
static const FieldRange uint32s = { 0, G_MAXUINT32 };

#define HOST(member, path, type, detail) FIELD_WITH (DeviceMemory, member, path, type, detail, FIELD_NO_ABI)

static const Field memory_fields[] = {
  FIELD_WITH (DeviceMemory, model, "@model", field_enum, &memory_models, FIELD_REQUIRED),
  HOST (access, "@access", field_enum, &accesses),
  HOST (discard, "@discard", field_yes_no, NULL),
  FIELD (DeviceMemory, uuid, "uuid", field_uuid, NULL),
  HOST (path, "source/path", field_text, NULL),
  HOST (alignment, "source/alignsize", field_memory, NULL),
  HOST (persistent, "source/pmem", field_flag, NULL),
  HOST (nodemask, "source/nodemask", field_cpu_set, NULL),
  HOST (page_size, "source/pagesize", field_memory, NULL),
  HOST (dynamic_slots, "target/@dynamicMemslots", field_yes_no, NULL),
  FIELD_WITH (DeviceMemory, size, "target/size", field_memory, NULL, FIELD_REQUIRED),
  FIELD (DeviceMemory, node, "target/node", field_number, &uint32s),
  FIELD (DeviceMemory, block, "target/block", field_memory, NULL),
  HOST (requested, "target/requested", field_memory, NULL),
  FIELD_WITH (DeviceMemory, current, "target/current", field_memory, NULL, FIELD_LIVE | FIELD_NO_ABI),
  FIELD (DeviceMemory, label_size, "target/label/size", field_memory, NULL),
  FIELD (DeviceMemory, readonly, "target/readonly", field_flag, NULL),
  FIELD (DeviceMemory, base, "target/address/@base", field_hex1, NULL),
  DEVICE_FIELDS (DeviceMemory),
  FIELD_END,
};

gboolean
memory_is_dimm (const DeviceMemory *memory)
{
  return memory->model == MEMORY_DIMM || memory->model == MEMORY_NVDIMM;
}

guint64
memory_devices_size (const DomainDef *def)
{
  guint64 size = 0;

  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, memory)
    if (memory->size.value <= G_MAXINT64 - size)
      size += memory->size.value;
  return size;
}

/* Completion. */

static gboolean
is_slot_taken (const DomainDef *def, const DeviceMemory *but, guint64 slot)
{
  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, other)
    if (other != but && other->device.address.type == ADDRESS_DIMM
        && other->device.address.dimm_slot.value == slot)
      return TRUE;
  return FALSE;
}

static void
assign_slot (Completion *completion, DeviceMemory *memory)
{
  const DomainDef *def = completion->def;
  DeviceAddress *address = &memory->device.address;

  for (guint64 slot = 0; slot < MIN (def->max_memory_slots.value, SLOTS_MAX); slot++) {
    if (is_slot_taken (def, memory, slot))
      continue;
    address->type = ADDRESS_DIMM;
    address->dimm_slot = NUMBER (slot);
    return;
  }
  if (def->max_memory.set)
    completion_error_code (completion, VIR_ERR_INTERNAL_ERROR, memory, memory,
                           "failed to find an empty memory slot: <maxMemory> has slots='%" G_GUINT64_FORMAT
                           "'",
                           def->max_memory_slots.value);
}

static void
align_size (DomainDef *def, DeviceMemory *memory)
{
  guint64 block = machine_kind_of (def)->memory_alignment;

  if (block == 0 || memory->size.value > G_MAXINT64 - block || memory->size.value % block == 0)
    return;
  memory->size.value += block - memory->size.value % block;
  domain_def_sum_memory (def);
}

static void
memory_complete (Completion *completion, Device *device)
{
  DeviceMemory *memory = (DeviceMemory *)device;

  align_size (completion->def, memory);
  if (memory->model != MEMORY_NVDIMM)
    memory->label_size.set = FALSE; /* as libvirt: others have none */
  if (memory_is_dimm (memory) && device->address.type == ADDRESS_NONE)
    assign_slot (completion, memory);
  if (memory->model == MEMORY_VIRTIO_MEM && !memory->requested.set)
    memory->requested = NUMBER (0);
  if (!completion->live)
    memory->current.set = FALSE;
}

/* Validation. */

#define REFUSE(member, code, ...) \
  validation_error_code (validation, (code), &memory->member, &memory->device, __VA_ARGS__)
#define UNSUPPORTED(member, ...) REFUSE (member, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

static void
validate_node (Validation *validation, const DeviceMemory *memory)
{
  const CpuNuma *numa = validation->def->cpu != NULL ? &validation->def->cpu->numa : NULL;
  guint cells = numa != NULL && numa->cells != NULL ? numa->cells->len : 0;

  if (memory->model == MEMORY_VIRTIO_PMEM) {
    if (memory->node.set)
      UNSUPPORTED (node, "virtio-pmem does not support NUMA nodes");
  } else if (memory->model != MEMORY_SGX_EPC && !memory->node.set)
    UNSUPPORTED (size, "target NUMA node needs to be specified for memory device");
  else if (memory->node.set && cells > 0 && memory->node.value >= cells)
    REFUSE (node, VIR_ERR_XML_ERROR,
            "can't add memory backend for guest node '%" G_GUINT64_FORMAT
            "' as the guest has only '%u' NUMA nodes configured",
            memory->node.value, cells);
}

static void
validate_slot (Validation *validation, const DeviceMemory *memory)
{
  const Device *device = &memory->device;
  const DomainDef *def = validation->def;
  const char *model = enum_table_name (&memory_models, memory->model);

  if (!memory_is_dimm (memory)) {
    if (device->address.type != ADDRESS_NONE && device->address.type != ADDRESS_PCI
        && device->address.type != ADDRESS_CCW)
      UNSUPPORTED (device.address, "only 'pci' and 'ccw' addresses are supported for the %s device", model);
    return;
  }
  if (device->address.type != ADDRESS_DIMM) {
    if (device->address.type != ADDRESS_NONE)
      UNSUPPORTED (device.address, "only 'dimm' addresses are supported for the %s device", model);
    return;
  }
  if (device->address.dimm_slot.value >= def->max_memory_slots.value)
    UNSUPPORTED (device.address,
                 "memory device slot '%" G_GUINT64_FORMAT "' exceeds slots count '%" G_GUINT64_FORMAT "'",
                 device->address.dimm_slot.value, def->max_memory_slots.value);
  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, other) {
    if (other == memory)
      break;
    if (other->device.address.type == ADDRESS_DIMM
        && other->device.address.dimm_slot.value == device->address.dimm_slot.value) {
      UNSUPPORTED (device.address,
                   "memory device slot '%" G_GUINT64_FORMAT
                   "' is already being used by another memory device",
                   device->address.dimm_slot.value);
      break;
    }
  }
}

/* NULL: it can be asked for. */
static char *
requested_problem (const DeviceMemory *memory)
{
  guint64 block = memory->block.value, requested = memory->requested.value;

  if (requested > memory->size.value)
    return g_strdup_printf ("requested size must be smaller than or equal to @size (%" G_GUINT64_FORMAT
                            "KiB)",
                            memory->size.value);
  return block != 0 && requested % block != 0
             ? g_strdup ("requested size must be an integer multiple of block size")
             : NULL;
}

static void
validate_virtio_mem (Validation *validation, const DeviceMemory *memory)
{
  g_autofree char *problem = requested_problem (memory);
  guint64 block = memory->block.value;

  if (block == 0 || (block & (block - 1)) != 0) {
    REFUSE (block, VIR_ERR_XML_DETAIL, "block size must be a power of two");
    return;
  }
  if (block < SMALLEST_BLOCK)
    REFUSE (block, VIR_ERR_XML_DETAIL, "block size too small, must be at least %dKiB", SMALLEST_BLOCK);
  if (problem != NULL)
    REFUSE (requested, VIR_ERR_XML_DETAIL, "%s", problem);
}

static void
validate_nvdimm (Validation *validation, const DeviceMemory *memory)
{
  if (memory->discard == TRISTATE_YES)
    UNSUPPORTED (discard, "discard is not supported for nvdimms");
  if (memory->uuid != NULL)
    UNSUPPORTED (uuid, "UUID is not supported for NVDIMM device");
  if (memory->label_size.set && memory->label_size.value < SMALLEST_LABEL)
    REFUSE (label_size, VIR_ERR_XML_ERROR, "nvdimm label must be at least %dKiB", SMALLEST_LABEL);
  if (memory->label_size.set && memory->label_size.value >= memory->size.value)
    REFUSE (label_size, VIR_ERR_XML_ERROR, "label size must be smaller than NVDIMM size");
}

static void
memory_validate (Validation *validation, const Device *device)
{
  const DeviceMemory *memory = (const DeviceMemory *)device;
  gboolean is_file = memory->model == MEMORY_NVDIMM || memory->model == MEMORY_VIRTIO_PMEM;

  if (!validation->def->max_memory.set)
    UNSUPPORTED (size, "cannot use/hotplug a memory device when domain 'maxMemory' is not defined");
  if (is_file && memory->path == NULL)
    REFUSE (path, VIR_ERR_XML_DETAIL, "path is required for model '%s'",
            enum_table_name (&memory_models, memory->model));
  validate_node (validation, memory);
  validate_slot (validation, memory);
  if (memory->model == MEMORY_VIRTIO_MEM)
    validate_virtio_mem (validation, memory);
  if (memory->model == MEMORY_NVDIMM)
    validate_nvdimm (validation, memory);
}

/* What it is among the others. */

static DevicePlace
memory_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  const DeviceMemory *memory = (const DeviceMemory *)device;

  return memory->model == MEMORY_VIRTIO_PMEM || memory->model == MEMORY_VIRTIO_MEM ? PLACE_PCI : PLACE_NONE;
}

static guint
memory_pci_connect (const DomainDef *def, const Device *device)
{
  return memory_place (def, device) == PLACE_PCI ? pci_connect_express (def) : 0;
}

/* A DIMM is called by its slot; the others are counted by their model. */
static char *
memory_alias (const DomainDef *def, const Device *device, guint index)
{
  static const char *const prefixes[] = { [MEMORY_DIMM] = "dimm",
                                          [MEMORY_NVDIMM] = "nvdimm",
                                          [MEMORY_VIRTIO_PMEM] = "virtiopmem",
                                          [MEMORY_VIRTIO_MEM] = "virtiomem",
                                          [MEMORY_SGX_EPC] = "epc" };
  const DeviceMemory *memory = (const DeviceMemory *)device;
  guint number = 0;

  if (memory->model == MEMORY_MODEL_NONE)
    return NULL;
  if (memory_is_dimm (memory))
    return g_strdup_printf ("%s%" G_GUINT64_FORMAT, prefixes[memory->model],
                            device->address.type == ADDRESS_DIMM ? device->address.dimm_slot.value : index);
  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, other) {
    if (other == memory)
      break;
    number += other->model == memory->model;
  }
  return g_strdup_printf ("%s%u", prefixes[memory->model], number);
}

static char *
memory_describe (const Device *device)
{
  const DeviceMemory *memory = (const DeviceMemory *)device;

  return g_strdup_printf ("%s memory device", memory->model != MEMORY_MODEL_NONE
                                                  ? enum_table_name (&memory_models, memory->model)
                                                  : "unknown");
}

/* How much of it the guest is to take is all that changes, and no name of the device. */
static const char *const free_paths[] = { "target/requested", NULL };

static Device *
memory_match (const DomainDef *def, const Device *wanted, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, memory)
    if (device_difference (wanted, &memory->device, free_paths) == NULL)
      return &memory->device;
  virt_error_set (error, VIR_ERR_DEVICE_MISSING, "matching memory device was not found");
  return NULL;
}

static Device *
memory_update (const Device *device, const Device *given, GError **error)
{
  const DeviceMemory *old = (const DeviceMemory *)device, *new = (const DeviceMemory *)given;
  g_autofree char *problem = NULL;
  DeviceMemory *updated;

  if (old->model != MEMORY_VIRTIO_MEM) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "updating of a memory device of type '%s' is not supported",
                    enum_table_name (&memory_models, old->model));
    return NULL;
  }
  if (!device_check_difference (device, given, free_paths, "virtio-mem device", error))
    return NULL;
  updated = (DeviceMemory *)device_copy (device);
  updated->requested = new->requested;
  problem = requested_problem (updated);
  if (problem == NULL)
    return &updated->device;
  virt_error_set (error, VIR_ERR_XML_DETAIL, "%s", problem);
  device_free (&updated->device);
  return NULL;
}

static gboolean
memory_is_virtio (const Device *device)
{
  int model = ((const DeviceMemory *)device)->model;

  return model == MEMORY_VIRTIO_MEM || model == MEMORY_VIRTIO_PMEM;
}

const DeviceKind memory_kind = {
  .element = "memory",
  .table = { sizeof (DeviceMemory), memory_fields },
  .complete = memory_complete,
  .validate = memory_validate,
  .place = memory_place,
  .pci_connect = memory_pci_connect,
  .is_virtio = memory_is_virtio,
  .alias = memory_alias,
  .describe = memory_describe,
  .pci_order = PCI_ORDER_MEMORY,
  .attachable = TRUE,
  .updatable = TRUE,
  .match = memory_match,
  .update = memory_update,
};
