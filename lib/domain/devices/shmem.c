/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <shmem>: memory that the machines of a host share by its name, as viewers of a passed-through screen
 * (Looking Glass) use it. A plain one is memory and nothing else; with a server they can also ring each
 * other.
 */

#include "domain/devices/shmem.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

#include <string.h>

#define BYTES_PER_MIB (1024 * 1024)
#define DEFAULT_SIZE  (4 * BYTES_PER_MIB)

const EnumTable shmem_models = { "shmem model", { NULL, "ivshmem", "ivshmem-plain", "ivshmem-doorbell" } };
const EnumTable shmem_roles = { "shmem role", { NULL, "master", "peer" } };

static const FieldSize shmem_size = { 1, 1, "M", BYTES_PER_MIB };
static const FieldRange vectors = { 0, G_MAXUINT32 };

static const Field shmem_fields[] = {
  FIELD (DeviceShmem, name, "@name", field_text, NULL),
  FIELD (DeviceShmem, role, "@role", field_enum, &shmem_roles),
  FIELD (DeviceShmem, model, "model/@type", field_enum, &shmem_models),
  FIELD (DeviceShmem, size, "size", field_memory, &shmem_size),
  FIELD (DeviceShmem, server, "server", field_flag, NULL),
  FIELD_WITH (DeviceShmem, server_path, "server/@path", field_text, NULL, FIELD_NO_ABI),
  FIELD (DeviceShmem, msi, "msi", field_flag, NULL),
  FIELD (DeviceShmem, msi_vectors, "msi/@vectors", field_number, &vectors),
  FIELD (DeviceShmem, msi_ioeventfd, "msi/@ioeventfd", field_on_off, NULL),
  DEVICE_FIELDS (DeviceShmem),
  FIELD_END,
};

static void
shmem_complete (Completion *completion G_GNUC_UNUSED, Device *device)
{
  DeviceShmem *shmem = (DeviceShmem *)device;

  if (shmem->model == 0)
    shmem->model = SHMEM_IVSHMEM;
  if (shmem->size.value == 0)
    shmem->size.set = FALSE;
  if (shmem->model == SHMEM_PLAIN && !shmem->size.set)
    shmem->size = NUMBER (DEFAULT_SIZE);
  if (shmem->model == SHMEM_DOORBELL) {
    shmem->msi = TRUE;
    if (shmem->msi_ioeventfd == TRISTATE_ABSENT)
      shmem->msi_ioeventfd = TRISTATE_YES;
  }
}

/* What the name becomes is a file of /dev/shm, or a part of a socket's name. */
static void
validate_name (Validation *validation, const DeviceShmem *shmem)
{
  const Device *device = &shmem->device;

  if (shmem->name == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &shmem->name, device,
                           "shmem element must contain 'name' attribute");
  else if (strchr (shmem->name, '/') != NULL)
    validation_error (validation, &shmem->name, device, "shmem name cannot include '/' character");
  else if (*shmem->name == '\0')
    validation_error (validation, &shmem->name, device, "shmem name cannot be empty");
  else if (g_str_equal (shmem->name, ".") || g_str_equal (shmem->name, ".."))
    validation_error (validation, &shmem->name, device, "shmem name cannot be equal to '%s'", shmem->name);
}

static void
shmem_validate (Validation *validation, const Device *device)
{
  const DeviceShmem *shmem = (const DeviceShmem *)device;
  const char *model = enum_table_name (&shmem_models, shmem->model);
  guint64 size = shmem->size.value;

  validate_name (validation, shmem);
  if (shmem->size.set && (size < BYTES_PER_MIB || (size & (size - 1)) != 0))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &shmem->size, device,
                           "shmem size must be a power of 2 and at least 1 MiB (1024 KiB)");
  if (shmem->model == SHMEM_IVSHMEM)
    validation_error (validation, &shmem->model, device,
                      "shmem model 'ivshmem' is no longer supported; expected 'ivshmem-plain' or "
                      "'ivshmem-doorbell'");
  else if (shmem->model == SHMEM_PLAIN && shmem->server)
    validation_error (validation, &shmem->server, device,
                      "shmem model '%s' is supported only with server option disabled", model);
  else if (shmem->model == SHMEM_DOORBELL && !shmem->server)
    validation_error (validation, &shmem->model, device,
                      "shmem model '%s' is supported only with server option enabled", model);
  else if (shmem->model == SHMEM_DOORBELL && shmem->size.set)
    validation_error (validation, &shmem->size, device, "shmem model '%s' does not support size setting",
                      model);
  if (shmem->msi && !shmem->server && shmem->model != SHMEM_DOORBELL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &shmem->msi, device,
                           "msi option is only supported with a server");
}

static DevicePlace
shmem_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_PCI;
}

static guint
shmem_pci_connect (const DomainDef *def, const Device *device G_GNUC_UNUSED)
{
  return pci_connect_conventional (def);
}

static char *
shmem_describe (const Device *device)
{
  const DeviceShmem *shmem = (const DeviceShmem *)device;

  return g_strdup_printf ("shared memory '%s'", shmem->name != NULL ? shmem->name : "");
}

const DeviceKind shmem_kind = {
  .element = "shmem",
  .table = { sizeof (DeviceShmem), shmem_fields },
  .complete = shmem_complete,
  .validate = shmem_validate,
  .place = shmem_place,
  .pci_connect = shmem_pci_connect,
  .describe = shmem_describe,
  .pci_order = PCI_ORDER_SHMEM,
  .attachable = TRUE,
  .missing = "matching shared memory device was not found",
};
