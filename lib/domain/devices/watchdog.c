/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <watchdog>: what happens when the guest stops saying that it lives.
 */

#include "domain/devices/watchdog.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

const EnumTable watchdog_models = { "watchdog model", { NULL, "i6300esb", "ib700", "diag288", "itco" } };
const EnumTable watchdog_actions = {
  "watchdog action", { NULL, "reset", "shutdown", "poweroff", "pause", "dump", "none", "inject-nmi" }
};

static const Field watchdog_fields[] = {
  FIELD_WITH (DeviceWatchdog, model, "@model", field_enum, &watchdog_models, FIELD_REQUIRED),
  FIELD_WITH (DeviceWatchdog, action, "@action", field_enum, &watchdog_actions, FIELD_NO_ABI),
  DEVICE_FIELDS (DeviceWatchdog),
  FIELD_END,
};

static void
watchdog_complete (Completion *completion G_GNUC_UNUSED, Device *device)
{
  DeviceWatchdog *watchdog = (DeviceWatchdog *)device;

  if (watchdog->action == WATCHDOG_ACTION_UNSET)
    watchdog->action = WATCHDOG_ACTION_RESET;
}

static gboolean
is_arch (const DomainDef *def, const char *prefix)
{
  return def->os.arch != NULL && g_str_has_prefix (def->os.arch, prefix);
}

static void
watchdog_validate (Validation *validation, const Device *device)
{
  const DeviceWatchdog *watchdog = (const DeviceWatchdog *)device;
  const DomainDef *def = validation->def;
  const DeviceAddress *address = &device->address;

  if (watchdog->model == WATCHDOG_DIAG288 && !is_arch (def, "s390"))
    validation_error (
        validation, &watchdog->model, device,
        "diag288 model of watchdog is allowed for s390 and s390x only; expected 'i6300esb' or 'itco'");
  if (watchdog->model == WATCHDOG_IB700 && domain_def_is_q35 (def))
    validation_error (validation, &watchdog->model, device,
                      "ib700 model of watchdog cannot be used with this machine type: expected 'i6300esb'");
  if (watchdog->model == WATCHDOG_ITCO && !domain_def_is_q35 (def))
    validation_error (validation, &watchdog->model, device,
                      "iTCO model of watchdog is part of q35 machines only");
  if (watchdog->model == WATCHDOG_ITCO && address->type != ADDRESS_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &device->address, device,
                           "iTCO model of watchdog is a part of the chipset and has no address");

  DOMAIN_FOREACH_DEVICE (def, watchdog_kind, DeviceWatchdog, other) {
    if (other == watchdog)
      return;
    if (other->model == watchdog->model) {
      validation_error_code (validation, VIR_ERR_XML_ERROR, &watchdog->model, device,
                             "only a single watchdog of model '%s' is supported",
                             enum_table_name (&watchdog_models, watchdog->model));
      return;
    }
    if (other->action != watchdog->action) {
      validation_error_code (validation, VIR_ERR_XML_ERROR, &watchdog->action, device,
                             "all watchdogs must have the same action: '%s' and '%s'",
                             enum_table_name (&watchdog_actions, other->action),
                             enum_table_name (&watchdog_actions, watchdog->action));
      return;
    }
  }
}

static DevicePlace
watchdog_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  switch (((const DeviceWatchdog *)device)->model) {
    case WATCHDOG_I6300ESB:
      return PLACE_PCI;
    case WATCHDOG_IB700:
      return PLACE_ISA;
    default:
      return PLACE_NONE;
  }
}

static guint
watchdog_pci_connect (const DomainDef *def, const Device *device)
{
  return ((const DeviceWatchdog *)device)->model == WATCHDOG_I6300ESB ? pci_connect_conventional (def) : 0;
}

const DeviceKind watchdog_kind = {
  .element = "watchdog",
  .table = { sizeof (DeviceWatchdog), watchdog_fields },
  .complete = watchdog_complete,
  .validate = watchdog_validate,
  .place = watchdog_place,
  .pci_connect = watchdog_pci_connect,
  .pci_order = PCI_ORDER_WATCHDOG,
  .attachable = TRUE,
};
