/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Addresses on the bus of a POWER hypervisor: one number, a register. Each kind of device has a number that
 * it begins at, and the next one of its kind takes the next register that nobody has.
 */
#include "domain/pc/address-assign.h"

#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/interface.h"
#include "domain/devices/nvram.h"
#include "domain/devices/serial.h"
#include "domain/devices/tpm.h"
#include "domain/machines/machine-kind.h"

#include <string.h>

#define REGISTER_STEP 0x1000

static gboolean
is_interface (const Device *device)
{
  return g_strcmp0 (((const DeviceInterface *)device)->model, "spapr-vlan") == 0;
}

static gboolean
is_controller (const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;

  return controller->type == CONTROLLER_SCSI && controller->model == SCSI_IBMVSCSI;
}

static gboolean
is_serial (const Device *device)
{
  return ((const DeviceSerial *)device)->target == SERIAL_SPAPR_VIO;
}

static gboolean
is_always (const Device *device G_GNUC_UNUSED)
{
  return TRUE;
}

static gboolean
is_tpm (const Device *device)
{
  return ((const DeviceTpm *)device)->model == TPM_SPAPR;
}

/* In the order in which libvirt gives them out. */
static const struct {
  const DeviceKind *kind;
  gboolean (*is_on_bus) (const Device *device);
  guint64 first;
} registers[] = {
  { &interface_kind, is_interface, 0x1000 },
  { &controller_kind, is_controller, 0x2000 },
  { &serial_kind, is_serial, 0x30000000 },
  { &nvram_kind, is_always, 0x3000 },
  { &tpm_kind, is_tpm, 0x4000 },
};

static void
reserve (Completion *completion, GHashTable *users, Device *device)
{
  const Device *other = g_hash_table_lookup (users, &device->address.reg.value);
  g_autofree char *one = NULL, *two = NULL;

  if (other == NULL) {
    g_hash_table_insert (users, &device->address.reg.value, device);
    return;
  }
  one = assign_describe (completion, other);
  two = assign_describe (completion, device);
  completion_value_error (completion, VIR_ERR_XML_ERROR, &device->address, device,
                          "spapr-vio address 0x%" G_GINT64_MODIFIER "x already in use: by %s and %s",
                          device->address.reg.value, one, two);
}

static void
assign (GHashTable *users, Device *device, guint64 first)
{
  DeviceAddress *address = &device->address;

  address->type = ADDRESS_SPAPR_VIO;
  for (address->reg = NUMBER (first); g_hash_table_contains (users, &address->reg.value);
       address->reg.value += REGISTER_STEP)
    ;
  g_hash_table_insert (users, &address->reg.value, device);
}

/* A console that is a serial line's other side is where the line is. */
static void
place_console (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console) {
    DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial) {
      if (console->target == CONSOLE_SERIAL && serial->device.address.type == ADDRESS_SPAPR_VIO) {
        console->device.address.type = ADDRESS_SPAPR_VIO;
        console->device.address.reg = serial->device.address.reg;
      }
      return;
    }
  }
}

void
assign_spapr_vio_addresses (Completion *completion)
{
  GPtrArray *devices = completion->def->devices;
  g_autoptr (GHashTable) users = NULL;

  if (!machine_kind_of (completion->def)->has_spapr_vio)
    return;
  users = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (device->address.type == ADDRESS_SPAPR_VIO && device->address.reg.set && device->kind != &console_kind)
      reserve (completion, users, device);
  }
  for (guint row = 0; row < G_N_ELEMENTS (registers); row++) {
    for (guint i = 0; i < devices->len; i++) {
      Device *device = g_ptr_array_index (devices, i);

      if (device->kind == registers[row].kind && registers[row].is_on_bus (device)
          && (device->address.type == ADDRESS_NONE
              || (device->address.type == ADDRESS_SPAPR_VIO && !device->address.reg.set)))
        assign (users, device, registers[row].first);
    }
  }
  place_console (completion->def);
}
