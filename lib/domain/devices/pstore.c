/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <pstore>: a little memory that outlives a crash of the guest's kernel, with its last words. What is in it
 * is a file of the host.
 */

#include "domain/devices/pstore.h"
#include "domain/devices/pci-connect.h"
#include "domain/platform.h"
#include "domain/report.h"

#define SMALLEST 4 /* KiB: a page */

static const EnumTable pstore_backends = { "pstore backend", { NULL, "acpi-erst" } };

static const Field pstore_fields[] = {
  FIELD_WITH (DevicePstore, backend, "@backend", field_enum, &pstore_backends, FIELD_REQUIRED),
  FIELD_WITH (DevicePstore, path, "path", field_text, NULL, FIELD_NO_ABI),
  FIELD_WITH (DevicePstore, size, "size", field_memory, NULL, FIELD_REQUIRED),
  DEVICE_FIELDS (DevicePstore),
  FIELD_END,
};

static void
choose_path (const Completion *completion, DevicePstore *pstore)
{
  const Platform *platform = completion->platform;
  const char *directory =
      platform != NULL && platform->store_directory != NULL ? platform->store_directory (platform) : NULL;
  g_autofree char *name = g_strconcat (completion->def->name, "_PSTORE.raw", NULL);

  if (directory != NULL && completion->def->name != NULL)
    pstore->path = g_build_filename (directory, name, NULL);
}

static void
pstore_complete (Completion *completion, Device *device)
{
  DevicePstore *pstore = (DevicePstore *)device;

  if (pstore->path != NULL && *pstore->path == '\0')
    g_clear_pointer (&pstore->path, g_free);
  if (pstore->path == NULL)
    choose_path (completion, pstore);
}

static void
pstore_validate (Validation *validation, const Device *device)
{
  const DevicePstore *pstore = (const DevicePstore *)device;
  guint64 size = pstore->size.value;

  validation_single_device (validation, device, VIR_ERR_XML_ERROR,
                            "only a single pstore device is supported");
  if (pstore->size.set && (size < SMALLEST || (size & (size - 1)) != 0))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &pstore->size, device,
                           "invalid size of ACPI ERST pstore device: expected a power of 2, at least %d KiB",
                           SMALLEST);
}

static DevicePlace
pstore_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_PCI;
}

static guint
pstore_pci_connect (const DomainDef *def, const Device *device G_GNUC_UNUSED)
{
  return pci_connect_conventional (def);
}

const DeviceKind pstore_kind = {
  .element = "pstore",
  .table = { sizeof (DevicePstore), pstore_fields },
  .complete = pstore_complete,
  .validate = pstore_validate,
  .place = pstore_place,
  .pci_connect = pstore_pci_connect,
};
