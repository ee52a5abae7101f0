/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <smartcard>: a card in a reader of the guest. The card is the host's own (by NSS), made of three of the
 * host's certificates, or at the other end of a character device.
 */

#include "domain/devices/smartcard.h"

#include "domain/report.h"

const EnumTable smartcard_modes = { "smartcard mode", { NULL, "host", "host-certificates", "passthrough" } };

#define ONLY(member, path, type_, detail, flags, mode_)                             \
  {                                                                                 \
    (path), G_STRUCT_OFFSET (DeviceSmartcard, member), &(type_), (detail), (flags), \
    {                                                                               \
      G_STRUCT_OFFSET (DeviceSmartcard, mode), FIELD_VALUE (SMARTCARD_##mode_)      \
    }                                                                               \
  }
#define PASSED(member, path, type_, detail) \
  ONLY (source.member, path, type_, detail, FIELD_NO_ABI, PASSTHROUGH)

static const Field smartcard_fields[] = {
  FIELD_WITH (DeviceSmartcard, mode, "@mode", field_enum, &smartcard_modes, FIELD_REQUIRED),
  PASSED (type, "@type", field_enum, &chardev_types),
  ONLY (certificates, "certificate", field_texts, NULL, FIELD_NO_ABI, CERTIFICATES),
  ONLY (database, "database", field_text, NULL, FIELD_NO_ABI, CERTIFICATES),
  PASSED (sources, "source", field_list, &chardev_source_table),
  PASSED (protocol, "protocol/@type", field_enum, &chardev_protocols),
  PASSED (log_file, "log/@file", field_text, NULL),
  PASSED (log_append, "log/@append", field_on_off, NULL),
  DEVICE_FIELDS (DeviceSmartcard),
  FIELD_END,
};

static void
smartcard_complete (Completion *completion, Device *device)
{
  DeviceSmartcard *smartcard = (DeviceSmartcard *)device;

  if (smartcard->mode == SMARTCARD_PASSTHROUGH && smartcard->source.type != CHARDEV_NONE)
    chardev_complete (completion, &smartcard->source);
}

static void
validate_certificates (Validation *validation, const DeviceSmartcard *smartcard)
{
  const Device *device = &smartcard->device;

  if (smartcard->certificates == NULL || smartcard->certificates->len != SMARTCARD_CERTIFICATES_COUNT)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &smartcard->certificates, device,
                           "host-certificates mode needs exactly three certificates");
  if (smartcard->database != NULL && !g_path_is_absolute (smartcard->database))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &smartcard->database, device,
                           "expecting absolute path: %s", smartcard->database);
}

static void
smartcard_validate (Validation *validation, const Device *device)
{
  const DeviceSmartcard *smartcard = (const DeviceSmartcard *)device;
  const DeviceAddress *address = &device->address;

  validation_single_device (validation, device, VIR_ERR_CONFIG_UNSUPPORTED,
                            "this QEMU binary lacks multiple smartcard support");
  if (address->type == ADDRESS_CCID && (address->controller.value != 0 || address->slot.value != 0)
      && domain_def_count_devices (validation->def, &smartcard_kind) == 1)
    validation_error (validation, &device->address, device,
                      "this QEMU binary lacks multiple smartcard support");
  if (address->type != ADDRESS_NONE && address->type != ADDRESS_CCID)
    validation_error (validation, &device->address, device, "Controllers must use the 'ccid' address type");
  if (smartcard->mode == SMARTCARD_CERTIFICATES)
    validate_certificates (validation, smartcard);
  if (smartcard->mode != SMARTCARD_PASSTHROUGH)
    return;
  if (smartcard->source.type == CHARDEV_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &smartcard->source.type, device,
                           "passthrough mode requires a character device type attribute");
  else
    chardev_validate (validation, device, &smartcard->source);
}

static DevicePlace
smartcard_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_CCID;
}

static Chardev *
smartcard_chardev (Device *device)
{
  DeviceSmartcard *smartcard = (DeviceSmartcard *)device;

  return smartcard->mode == SMARTCARD_PASSTHROUGH ? &smartcard->source : NULL;
}

const DeviceKind smartcard_kind = {
  .element = "smartcard",
  .table = { sizeof (DeviceSmartcard), smartcard_fields },
  .complete = smartcard_complete,
  .validate = smartcard_validate,
  .place = smartcard_place,
  .chardev = smartcard_chardev,
};
