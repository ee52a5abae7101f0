/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <serial> and <parallel>: ports that every machine of the last forty years knows. Which kind of serial port
 * it is follows from the machine's architecture when the document leaves it open.
 */

#include "domain/devices/serial.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

const EnumTable serial_targets = { "serial target type",
                                   { NULL, "isa-serial", "usb-serial", "pci-serial", "spapr-vio-serial",
                                     "system-serial", "sclp-serial", "isa-debug" } };
const EnumTable serial_models = { "serial target model",
                                  { NULL, "isa-serial", "usb-serial", "pci-serial", "spapr-vty", "pl011",
                                    "sclpconsole", "sclplmconsole", "16550a", "isa-debugcon" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 };

static const Field serial_fields[] = {
  CHARDEV_FIELDS (DeviceSerial),
  FIELD (DeviceSerial, target, "target/@type", field_enum, &serial_targets),
  FIELD (DeviceSerial, port, "target/@port", field_number, &range_32),
  FIELD_WITH (DeviceSerial, model, "target/model/@name", field_enum, &serial_models, FIELD_EMPTY_IS_NONE),
  DEVICE_FIELDS (DeviceSerial),
  FIELD_END,
};

static const Field parallel_fields[] = {
  CHARDEV_FIELDS (DeviceParallel),
  FIELD (DeviceParallel, port, "target/@port", field_number, &range_32),
  DEVICE_FIELDS (DeviceParallel),
  FIELD_END,
};

/* Which target each model is of; the first row of a target is its default model. */
static const struct {
  SerialTarget target;
  SerialModel model;
} target_models[] = {
  { SERIAL_ISA, SERIAL_MODEL_ISA_SERIAL },         { SERIAL_USB, SERIAL_MODEL_USB_SERIAL },
  { SERIAL_PCI, SERIAL_MODEL_PCI_SERIAL },         { SERIAL_SPAPR_VIO, SERIAL_MODEL_SPAPR_VTY },
  { SERIAL_SYSTEM, SERIAL_MODEL_PL011 },           { SERIAL_SYSTEM, SERIAL_MODEL_16550A },
  { SERIAL_SCLP, SERIAL_MODEL_SCLPCONSOLE },       { SERIAL_SCLP, SERIAL_MODEL_SCLPLMCONSOLE },
  { SERIAL_ISA_DEBUG, SERIAL_MODEL_ISA_DEBUGCON },
};

static SerialModel
default_model (SerialTarget target, const MachineKind *machine)
{
  if (target == machine->serial_target)
    return machine->serial_model;
  for (guint i = 0; i < G_N_ELEMENTS (target_models); i++) {
    if (target_models[i].target == target)
      return target_models[i].model;
  }
  return SERIAL_MODEL_NONE;
}

/* Documents of old say a PC's port where they mean the machine's own, whichever that is. */
static gboolean
is_meant_as_default (const MachineKind *machine, const DeviceSerial *serial)
{
  return serial->target == SERIAL_ISA && serial->model == SERIAL_MODEL_NONE
         && machine->serial_target != SERIAL_NONE;
}

static guint64
unsaid_port (const DomainDef *def)
{
  guint64 port = 0;

  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial) {
    if (serial->port.set && serial->port.value >= port)
      port = serial->port.value + 1;
  }
  return port;
}

static void
serial_complete (Completion *completion, Device *device)
{
  DeviceSerial *serial = (DeviceSerial *)device;
  const MachineKind *machine = machine_kind_of (completion->def);

  chardev_complete (completion, &serial->source);
  if (serial->target == SERIAL_NONE || is_meant_as_default (machine, serial))
    serial->target = machine->serial_target;
  if (serial->model == SERIAL_MODEL_NONE)
    serial->model = default_model (serial->target, machine);
  if (serial->port.set)
    return;

  /* After the highest one said, before or behind it; parallel ports count only those before. */
  if (completion->next_serial == 0)
    completion->next_serial = unsaid_port (completion->def) + 1;
  serial->port = NUMBER (completion->next_serial - 1);
  completion->next_serial++;
}

/* The address each target is found at; the others have none. */
static const struct {
  SerialTarget target;
  AddressType address;
  const char *name;
} target_addresses[] = {
  { SERIAL_ISA, ADDRESS_ISA, "isa" },
  { SERIAL_USB, ADDRESS_USB, "usb" },
  { SERIAL_PCI, ADDRESS_PCI, "pci" },
  { SERIAL_SPAPR_VIO, ADDRESS_SPAPR_VIO, "spapr-vio" },
};

static void
validate_address (Validation *validation, const DeviceSerial *serial)
{
  int address = serial->device.address.type;

  for (guint i = 0; address != ADDRESS_NONE && i < G_N_ELEMENTS (target_addresses); i++) {
    if ((int)target_addresses[i].target != serial->target || (int)target_addresses[i].address == address)
      continue;
    validation_error (validation, &serial->device.address, serial,
                      "Target type '%s' requires address type '%s'",
                      enum_table_name (&serial_targets, serial->target), target_addresses[i].name);
  }
}

static void
serial_validate (Validation *validation, const Device *device)
{
  const DeviceSerial *serial = (const DeviceSerial *)device;
  const char *model = enum_table_name (&serial_models, serial->model);

  chardev_validate (validation, device, &serial->source);
  if (serial->source.type == CHARDEV_SPICEVMC)
    validation_error (validation, &serial->source.type, device, "spicevmc device type only supports virtio");
  if (serial->source.type == CHARDEV_UNIX && chardev_path (&serial->source) == NULL)
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &serial->source.type, device,
                           "Missing source path attribute for char device");

  validate_address (validation, serial);

  for (guint i = 0; i < G_N_ELEMENTS (target_models); i++) {
    if ((int)target_models[i].model != serial->model || (int)target_models[i].target == serial->target)
      continue;
    validation_error (validation, &serial->model, device, "Target model '%s' requires target type '%s'",
                      model, enum_table_name (&serial_targets, target_models[i].target));
  }
}

static DevicePlace
serial_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  switch (((const DeviceSerial *)device)->target) {
    case SERIAL_PCI:
      return PLACE_PCI;
    case SERIAL_USB:
      return PLACE_USB;
    case SERIAL_ISA:
    case SERIAL_ISA_DEBUG:
      return PLACE_ISA;
    default:
      return PLACE_NONE;
  }
}

static guint
serial_pci_connect (const DomainDef *def, const Device *device)
{
  return ((const DeviceSerial *)device)->target == SERIAL_PCI ? pci_connect_conventional (def) : 0;
}

static char *
serial_describe (const Device *device)
{
  return g_strdup_printf ("serial port %u", (guint)((const DeviceSerial *)device)->port.value);
}

static void
parallel_complete (Completion *completion, Device *device)
{
  DeviceParallel *parallel = (DeviceParallel *)device;
  guint64 port = 0;

  chardev_complete (completion, &parallel->source);
  if (parallel->port.set)
    return;
  DOMAIN_FOREACH_DEVICE (completion->def, parallel_kind, DeviceParallel, other) {
    if (other == parallel)
      break;
    if (other->port.value >= port)
      port = other->port.value + 1;
  }
  parallel->port = NUMBER (port);
}

static void
parallel_validate (Validation *validation, const Device *device)
{
  const DeviceParallel *parallel = (const DeviceParallel *)device;

  chardev_validate (validation, device, &parallel->source);
}

static DevicePlace
parallel_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_ISA;
}

static char *
parallel_describe (const Device *device)
{
  return g_strdup_printf ("parallel port %u", (guint)((const DeviceParallel *)device)->port.value);
}

static gboolean
serial_check_names (const Device *device, const Device *other_device, DeviceChange change G_GNUC_UNUSED,
                    GError **error)
{
  const DeviceSerial *serial = (const DeviceSerial *)device, *other = (const DeviceSerial *)other_device;
  int target = serial->target != SERIAL_NONE ? serial->target : SERIAL_ISA;

  return target != other->target || !serial->port.set || serial->port.value != other->port.value
         || chardev_check_other (&serial->source, &other->source, error);
}

static Chardev *
serial_chardev (Device *device)
{
  return &((DeviceSerial *)device)->source;
}

const DeviceKind serial_kind = {
  .element = "serial",
  .table = { sizeof (DeviceSerial), serial_fields },
  .complete = serial_complete,
  .validate = serial_validate,
  .place = serial_place,
  .pci_connect = serial_pci_connect,
  .describe = serial_describe,
  .chardev = serial_chardev,
  .check_names = serial_check_names,
  .pci_order = PCI_ORDER_SERIAL,
  .attachable = TRUE,
};

static gboolean
parallel_check_names (const Device *device, const Device *other_device, DeviceChange change G_GNUC_UNUSED,
                      GError **error)
{
  const DeviceParallel *parallel = (const DeviceParallel *)device;
  const DeviceParallel *other = (const DeviceParallel *)other_device;

  return !parallel->port.set || parallel->port.value != other->port.value
         || chardev_check_other (&parallel->source, &other->source, error);
}

static Chardev *
parallel_chardev (Device *device)
{
  return &((DeviceParallel *)device)->source;
}

const DeviceKind parallel_kind = {
  .element = "parallel",
  .table = { sizeof (DeviceParallel), parallel_fields },
  .complete = parallel_complete,
  .validate = parallel_validate,
  .place = parallel_place,
  .describe = parallel_describe,
  .chardev = parallel_chardev,
  .check_names = parallel_check_names,
  .attachable = TRUE,
};
