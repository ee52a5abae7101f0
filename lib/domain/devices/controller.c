/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <controller>: what other devices plug into. The words for `model` belong to the controller's type, and one
 * list of all of them keeps the struct plain; a table here says which model each type may have. The numbers a
 * PCI controller shows the guest (chassis, port) are chosen when PCI addresses are.
 */

#include "domain/devices/controller.h"
#include "base/virt-error.h"
#include "domain/devices/disk.h"
#include "domain/devices/pci-connect.h"
#include "domain/iothreads.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

const EnumTable controller_types = { "controller type",
                                     { NULL, "ide", "fdc", "scsi", "sata", "virtio-serial", "ccid", "usb",
                                       "pci", "xenbus", "isa" } };

const EnumTable controller_models = { "controller model",
                                      { NULL,
                                        "pci-root",
                                        "pcie-root",
                                        "pci-bridge",
                                        "dmi-to-pci-bridge",
                                        "pcie-to-pci-bridge",
                                        "pcie-root-port",
                                        "pcie-switch-upstream-port",
                                        "pcie-switch-downstream-port",
                                        "pci-expander-bus",
                                        "pcie-expander-bus",
                                        "piix3-uhci",
                                        "piix4-uhci",
                                        "ehci",
                                        "ich9-ehci1",
                                        "ich9-uhci1",
                                        "ich9-uhci2",
                                        "ich9-uhci3",
                                        "vt82c686b-uhci",
                                        "pci-ohci",
                                        "nec-xhci",
                                        "qusb1",
                                        "qusb2",
                                        "qemu-xhci",
                                        "none",
                                        "auto",
                                        "buslogic",
                                        "lsilogic",
                                        "lsisas1068",
                                        "lsisas1078",
                                        "vmpvscsi",
                                        "ibmvscsi",
                                        "virtio-scsi",
                                        "ncr53c90",
                                        "dc390",
                                        "am53c974",
                                        "virtio",
                                        "virtio-transitional",
                                        "virtio-non-transitional",
                                        "piix3",
                                        "piix4",
                                        "ich6" } };

static const struct {
  ControllerModel first, last;
} type_models[][2] = {
  [CONTROLLER_IDE] = { { IDE_PIIX3, IDE_ICH6 } },
  [CONTROLLER_SCSI] = { { SCSI_AUTO, SCSI_AM53C974 },
                        { CONTROLLER_MODEL_VIRTIO_TRANSITIONAL, CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL } },
  [CONTROLLER_VIRTIO_SERIAL] = { { CONTROLLER_MODEL_VIRTIO, CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL } },
  [CONTROLLER_USB] = { { USB_PIIX3_UHCI, CONTROLLER_MODEL_DISABLED } },
  [CONTROLLER_PCI] = { { PCI_ROOT, PCIE_EXPANDER_BUS } },
  [CONTROLLER_ISA] = { { 0, 0 } },
};

/* Which connection a PCI controller wants above it, and which slots it gives below. */
static const struct {
  guint connect;
  guint first_slot, last_slot; /* last 0: slot 0 only, when it has a bus of devices at all */
  gboolean has_slots;
} pci_models[] = {
  [PCI_ROOT] = { 0, 1, 31, TRUE },
  [PCIE_ROOT] = { 0, 1, 31, TRUE },
  [PCI_BRIDGE] = { PCI_CONNECT_BRIDGE, 1, 31, TRUE },
  [DMI_TO_PCI_BRIDGE] = { PCI_CONNECT_DMI_TO_PCI_BRIDGE, 0, 31, TRUE },
  [PCIE_TO_PCI_BRIDGE] = { PCI_CONNECT_EXPRESS_TO_PCI_BRIDGE, 1, 31, TRUE },
  [PCIE_ROOT_PORT] = { PCI_CONNECT_ROOT_PORT | PCI_CONNECT_AGGREGATE, 0, 0, TRUE },
  [PCIE_SWITCH_UPSTREAM_PORT] = { PCI_CONNECT_UPSTREAM_PORT, 0, 31, TRUE },
  [PCIE_SWITCH_DOWNSTREAM_PORT] = { PCI_CONNECT_DOWNSTREAM_PORT, 0, 0, TRUE },
  [PCI_EXPANDER_BUS] = { PCI_CONNECT_EXPANDER, 0, 31, TRUE },
  [PCIE_EXPANDER_BUS] = { PCI_CONNECT_EXPRESS_EXPANDER, 0, 31, TRUE },
};

static const FieldRange range_32 = { 0, G_MAXUINT32 };
static const FieldRange byte_range = { 0, 0xff };
static const FieldRange bus_numbers = { 1, 254 };
static const FieldRange chassis_numbers = { 1, 0xff };

#define MODELS_MAX 32 /* of one type, for the offer of a near spelling */

/* The models of @type in words, and the one that @word is nearest to. */
static char *
allowed_models (int type, const char *word)
{
  g_autoptr (GString) list = g_string_new (NULL);
  const char *words[MODELS_MAX + 1] = { NULL };
  guint count = 0;
  const char *nearest;

  for (guint i = 0; i < G_N_ELEMENTS (type_models[type]); i++) {
    for (int model = type_models[type][i].first; model != 0 && model <= (int)type_models[type][i].last;
         model++) {
      if (count < MODELS_MAX)
        words[count++] = enum_table_name (&controller_models, model);
      g_string_append_printf (list, "%s'%s'", list->len > 0 ? ", " : "",
                              enum_table_name (&controller_models, model));
    }
  }
  nearest = nearest_word (word, words);
  return g_strdup_printf ("%s%s%sa controller of type '%s' has %s%s", nearest != NULL ? "did you mean '" : "",
                          nearest != NULL ? nearest : "", nearest != NULL ? "'? " : "",
                          enum_table_name (&controller_types, type), list->len > 0 ? "models " : "no models",
                          list->str);
}

static gboolean
is_model_of (int type, int model)
{
  for (guint i = 0; i < G_N_ELEMENTS (type_models[type]); i++) {
    if (model != 0 && model >= (int)type_models[type][i].first && model <= (int)type_models[type][i].last)
      return TRUE;
  }
  return FALSE;
}

/* The model's words depend on the controller's type, which is read before it. */
static gboolean
parse_model (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  const DeviceController *controller = (gpointer)((char *)member - field->offset);
  int model = enum_table_value (&controller_models, text);

  if (controller->type == CONTROLLER_NONE)
    return TRUE;
  if (!is_model_of (controller->type, model)) {
    *ret_accepted = allowed_models (controller->type, text);
    return FALSE;
  }
  *(int *)member = model;
  return TRUE;
}

static char *
format_model (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return g_strdup (enum_table_name (&controller_models, *(const int *)member));
}

static const FieldType field_model = { .size = sizeof (int), .parse = parse_model, .format = format_model };

#define OF_PCI(member, path, kind, detail) \
  FIELD_WHEN (DeviceController, member, path, kind, detail, type, FIELD_VALUE (CONTROLLER_PCI))
#define OF_TYPES(member, path, kind, detail, types) \
  FIELD_WHEN (DeviceController, member, path, kind, detail, type, types)

static const Field controller_fields[] = {
  FIELD_WITH (DeviceController, type, "@type", field_enum, &controller_types, FIELD_REQUIRED),
  FIELD (DeviceController, index, "@index", field_number, &range_32),
  FIELD (DeviceController, model, "@model", field_model, NULL),
  OF_TYPES (ports, "@ports", field_number, &range_32,
            FIELD_VALUE (CONTROLLER_VIRTIO_SERIAL) | FIELD_VALUE (CONTROLLER_USB)),
  OF_TYPES (vectors, "@vectors", field_number, &range_32, FIELD_VALUE (CONTROLLER_VIRTIO_SERIAL)),
  OF_TYPES (max_grant_frames, "@maxGrantFrames", field_number, &range_32, FIELD_VALUE (CONTROLLER_XENBUS)),
  OF_TYPES (max_event_channels, "@maxEventChannels", field_number, &range_32,
            FIELD_VALUE (CONTROLLER_XENBUS)),

  OF_PCI (model_name, "model/@name", field_text, NULL),
  OF_PCI (chassis_nr, "target/@chassisNr", field_number, &chassis_numbers),
  OF_PCI (chassis, "target/@chassis", field_number, &byte_range),
  OF_PCI (port, "target/@port", field_hex1, &byte_range),
  OF_PCI (bus_nr, "target/@busNr", field_number, &bus_numbers),
  OF_PCI (target_index, "target/@index", field_number, &byte_range),
  OF_PCI (mem_reserve, "target/@memReserve", field_number, NULL),
  OF_PCI (hotplug, "target/@hotplug", field_on_off, NULL),
  OF_PCI (node, "target/node", field_number, &range_32),

  FIELD (DeviceController, queues, "driver/@queues", field_number, &range_32),
  FIELD (DeviceController, cmd_per_lun, "driver/@cmd_per_lun", field_number, &range_32),
  FIELD (DeviceController, max_sectors, "driver/@max_sectors", field_number, &range_32),
  FIELD (DeviceController, ioeventfd, "driver/@ioeventfd", field_on_off, NULL),
  FIELD (DeviceController, iothread, "driver/@iothread", field_number, &range_32),
  VIRTIO_FIELDS (DeviceController),
  FIELD (DeviceController, iothreads, "driver/iothreads", field_verbatim, NULL),

  DEVICE_ALIAS_FIELD (DeviceController),
  OF_TYPES (master_startport, "master/@startport", field_number, &range_32, FIELD_VALUE (CONTROLLER_USB)),
  DEVICE_ADDRESS_FIELDS (DeviceController),
  OF_PCI (pcihole64, "pcihole64", field_memory, NULL),
  FIELD_END,
};

const char *
controller_model_name (const DeviceController *controller)
{
  return enum_table_name (&controller_models, controller->model);
}

static gboolean
is_pci_model (const DeviceController *controller)
{
  return controller->type == CONTROLLER_PCI && controller->model >= PCI_ROOT
         && controller->model <= PCIE_EXPANDER_BUS;
}

gboolean
controller_pci_slots (const DeviceController *controller, guint *ret_first, guint *ret_last)
{
  if (!is_pci_model (controller) || !pci_models[controller->model].has_slots)
    return FALSE;
  *ret_first = pci_models[controller->model].first_slot;
  *ret_last = pci_models[controller->model].last_slot;
  return TRUE;
}

static gboolean
is_ich9_usb (const DeviceController *controller)
{
  return controller->type == CONTROLLER_USB && controller->model >= USB_ICH9_EHCI1
         && controller->model <= USB_ICH9_UHCI3;
}

/* Controllers by type and index: a definition may have thousands of devices, and each asks for the one it
 * sits on. */

/* Indexes are of 32 bits. */
static guint64
key_of (int type, guint64 index)
{
  return (guint64)(guint)type << 32 | index;
}

GHashTable *
controller_table_new (const DomainDef *def)
{
  GHashTable *table = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller)
    controller_table_add (table, controller);
  return table;
}

void
controller_table_add (GHashTable *table, DeviceController *controller)
{
  guint64 key = key_of (controller->type, controller->index.value);

  if (controller->index.set && !g_hash_table_contains (table, &key))
    g_hash_table_insert (table, g_memdup2 (&key, sizeof key), controller);
}

DeviceController *
controller_table_find (GHashTable *table, ControllerType type, guint64 index)
{
  guint64 key = key_of ((int)type, index);

  return index <= G_MAXUINT32 ? g_hash_table_lookup (table, &key) : NULL;
}

G_STATIC_ASSERT (REPORT_CONTROLLER_TYPES > CONTROLLER_ISA);

/* The lowest index that no controller of that type has. */
static guint64
unused_index (Completion *completion, int type)
{
  guint64 *index = &completion->next_index[type];

  if (completion->controllers == NULL)
    completion->controllers = controller_table_new (completion->def);
  while (controller_table_find (completion->controllers, (ControllerType)type, *index) != NULL)
    (*index)++;
  return *index;
}

/* The parts of one ICH9 USB 2 controller share an index: the last of them before @controller that lacks its
 * model. */
static gboolean
share_ich9_index (const DomainDef *def, DeviceController *controller)
{
  const DeviceController *previous = NULL;

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, other) {
    if (other == controller)
      break;
    if (other->type == CONTROLLER_USB)
      previous = other;
  }
  if (previous == NULL || !is_ich9_usb (previous))
    return FALSE;
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, other) {
    if (is_ich9_usb (other) && other->index.set && other->index.value == previous->index.value
        && other->model == controller->model)
      return FALSE;
  }
  controller->index = previous->index;
  return TRUE;
}

static void
complete_index (Completion *completion, DeviceController *controller)
{
  if (controller->index.set || (is_ich9_usb (controller) && share_ich9_index (completion->def, controller)))
    return;
  controller->index = NUMBER (unused_index (completion, controller->type));
  controller_table_add (completion->controllers, controller);
}

int
controller_default_model (const Completion *completion, ControllerType type)
{
  const MachineKind *kind = machine_kind_of (completion->def);
  const char *model = NULL;

  if (type == CONTROLLER_USB)
    model = machine_choose (completion, kind->usb_models);
  else if (type == CONTROLLER_SCSI)
    model = machine_choose (completion, kind->scsi_models);
  return model != NULL ? enum_table_value (&controller_models, model) : CONTROLLER_MODEL_NONE;
}

/* A UHCI part of an ICH9 controller serves the slow devices of its EHCI part, from the first port on where
 * nothing else is said. */
static void
complete_master (const DomainDef *def, DeviceController *controller)
{
  if (!is_ich9_usb (controller) || controller->model == USB_ICH9_EHCI1 || controller->master_startport.set)
    return;
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, other)
    if (other->type == CONTROLLER_USB && other->model == USB_ICH9_EHCI1
        && other->index.value == controller->index.value)
      controller->master_startport = NUMBER (0);
}

static void
controller_complete (Completion *completion, Device *device)
{
  DeviceController *controller = (DeviceController *)device;

  if (controller->type == CONTROLLER_USB && controller->model == CONTROLLER_MODEL_NONE)
    controller->model = controller_default_model (completion, CONTROLLER_USB);
  if (controller->type == CONTROLLER_SCSI
      && (controller->model == CONTROLLER_MODEL_NONE || controller->model == SCSI_AUTO))
    controller->model = controller_default_model (completion, CONTROLLER_SCSI);
  complete_index (completion, controller);
  complete_master (completion->def, controller);
}

#define REFUSE(member, ...) validation_error (validation, &controller->member, controller, __VA_ARGS__)
#define REFUSE_XML(member, ...) \
  validation_error_code (validation, VIR_ERR_XML_ERROR, &controller->member, controller, __VA_ARGS__)

static void
validate_model (Validation *validation, const DeviceController *controller)
{
  if (controller->model == CONTROLLER_MODEL_NONE && controller->type == CONTROLLER_PCI)
    REFUSE_XML (model,
                "The PCI controller with index='%u' must have a model; expected one such as 'pcie-root-port'",
                (guint)controller->index.value);
}

#define XHCI_PORTS_MAX          15
#define VIRTIO_SERIAL_PORTS_MAX 511

static void
validate_usb (Validation *validation, const DeviceController *controller)
{
  gboolean is_xhci = controller->model == USB_NEC_XHCI || controller->model == USB_QEMU_XHCI;

  if (is_xhci && controller->ports.value > XHCI_PORTS_MAX)
    REFUSE (ports, "'%s' controller only supports up to '%d' ports", controller_model_name (controller),
            XHCI_PORTS_MAX);

  DOMAIN_FOREACH_DEVICE (validation->def, controller_kind, DeviceController, other) {
    if (other == controller)
      break;
    if (other->type == CONTROLLER_USB && other->index.value == controller->index.value
        && !(is_ich9_usb (other) && is_ich9_usb (controller) && other->model != controller->model))
      REFUSE_XML (index, "Duplicate USB controllers with index %u", (guint)controller->index.value);
  }
}

static void
validate_master (Validation *validation, const DeviceController *controller)
{
  if (is_ich9_usb (controller) && controller->model != USB_ICH9_EHCI1 && !controller->master_startport.set)
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &controller->model, controller,
                           "No master USB controller specified: '%s' needs an 'ich9-ehci1' of its index",
                           controller_model_name (controller));
}

static void
validate_unique (Validation *validation, const DeviceController *controller)
{
  if (controller->type == CONTROLLER_USB)
    return;
  if (!controller->index.set)
    return;
  if (validation->controllers == NULL)
    validation->controllers = controller_table_new (validation->def);
  if (controller_table_find (validation->controllers, (ControllerType)controller->type,
                             controller->index.value)
      != controller)
    REFUSE_XML (index, "Multiple '%s' controllers with index '%u'",
                enum_table_name (&controller_types, controller->type), (guint)controller->index.value);
}

static gboolean
is_virtio_scsi (const DeviceController *controller)
{
  return controller->type == CONTROLLER_SCSI
         && (controller->model == SCSI_VIRTIO_SCSI
             || controller->model == CONTROLLER_MODEL_VIRTIO_TRANSITIONAL
             || controller->model == CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL);
}

static void
validate_driver (Validation *validation, const DeviceController *controller)
{
  gboolean is_virtio = is_virtio_scsi (controller);

  virtio_options_validate (validation, &controller->device, &controller->virtio,
                           is_virtio || controller->type != CONTROLLER_SCSI);
  if (controller->iothread.set && !iothreads_may_miss (validation)
      && !domain_has_iothread (validation->def, controller->iothread.value))
    REFUSE (iothread, "controller iothread '%u' not defined in iothreadid: the domain has %u iothreads",
            (guint)controller->iothread.value, domain_count_iothreads (validation->def));
  if (is_virtio)
    return;
  if (controller->queues.set)
    REFUSE (queues, "'queues' is only supported by virtio-scsi controller");
  if (controller->cmd_per_lun.set)
    REFUSE (cmd_per_lun, "'cmd_per_lun' is only supported by virtio-scsi controller");
  if (controller->max_sectors.set)
    REFUSE (max_sectors, "'max_sectors' is only supported by virtio-scsi controller");
  if (controller->ioeventfd != TRISTATE_ABSENT)
    REFUSE (ioeventfd, "'ioeventfd' is only supported by virtio-scsi controller");
  if (controller->iothread.set)
    REFUSE (iothread, "'iothread' is only supported by virtio-scsi controller");
}

static void
controller_validate (Validation *validation, const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;

  if (controller->type == CONTROLLER_NONE)
    return;
  validate_model (validation, controller);
  if (controller->type == CONTROLLER_USB) {
    validate_usb (validation, controller);
    validate_master (validation, controller);
  }
  if (controller->type == CONTROLLER_VIRTIO_SERIAL && controller->ports.value > VIRTIO_SERIAL_PORTS_MAX)
    REFUSE_XML (ports, "Invalid ports: %u; a virtio-serial controller has at most %d",
                (guint)controller->ports.value, VIRTIO_SERIAL_PORTS_MAX);
  validate_unique (validation, controller);
  validate_driver (validation, controller);
}

static DevicePlace
controller_place (const DomainDef *def, const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;

  if (controller->type == CONTROLLER_CCID)
    return PLACE_USB;
  return controller_kind.pci_connect (def, device) != 0 ? PLACE_PCI : PLACE_NONE;
}

gboolean
controller_is_ich9_usb (const DeviceController *controller)
{
  return controller->type == CONTROLLER_USB && controller->model >= USB_ICH9_EHCI1
         && controller->model <= USB_ICH9_UHCI3;
}

static guint
usb_pci_connect (const DomainDef *def, const DeviceController *controller)
{
  switch (controller->model) {
    case USB_NEC_XHCI:
    case USB_QEMU_XHCI:
      return pci_connect_express (def);
    case USB_QUSB1:
    case USB_QUSB2:
    case CONTROLLER_MODEL_DISABLED:
    case CONTROLLER_MODEL_NONE:
      return 0;
    default:
      return pci_connect_conventional (def)
             | (controller_is_ich9_usb (controller) ? PCI_CONNECT_AGGREGATE : 0);
  }
}

static guint
controller_pci_connect (const DomainDef *def, const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;
  VirtioModel model = controller->model == CONTROLLER_MODEL_VIRTIO_TRANSITIONAL ? VIRTIO_MODEL_TRANSITIONAL
                                                                                : VIRTIO_MODEL_VIRTIO;

  switch (controller->type) {
    case CONTROLLER_PCI:
      return is_pci_model (controller) ? pci_models[controller->model].connect : 0;
    case CONTROLLER_USB:
      return usb_pci_connect (def, controller);
    case CONTROLLER_SCSI:
      if (is_virtio_scsi (controller))
        return pci_connect_virtio (def, model);
      return controller->model == SCSI_NCR53C90 || controller->model == SCSI_IBMVSCSI
                 ? 0
                 : pci_connect_conventional (def);
    case CONTROLLER_VIRTIO_SERIAL:
      return pci_connect_virtio (def, model);
    case CONTROLLER_IDE:
    case CONTROLLER_SATA:
      return pci_connect_conventional (def);
    default:
      return 0;
  }
}

static char *
controller_alias (const DomainDef *def, const Device *device, guint count G_GNUC_UNUSED)
{
  const DeviceController *controller = (const DeviceController *)device;
  guint index = (guint)controller->index.value;

  switch (controller->type) {
    case CONTROLLER_PCI:
      return g_strdup_printf ("%s.%u", controller->model == PCIE_ROOT ? "pcie" : "pci", index);
    case CONTROLLER_IDE:
      /* The chipset's own controller is part of the machine, and so is its name. */
      if (index == 0 && domain_def_is_i440fx (def))
        return g_strdup ("ide");
      break;
    case CONTROLLER_SATA:
      if (index == 0 && domain_def_is_q35 (def))
        return g_strdup ("ide");
      break;
    case CONTROLLER_USB:
      if (index == 0)
        return g_strdup ("usb");
      break;
    default:
      break;
  }
  return g_strdup_printf ("%s%u", enum_table_name (&controller_types, controller->type), index);
}

/* By index inside each type; those without one after the last, and a master before its companions. */
static guint
controller_position (const DomainDef *def, const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;
  guint end = domain_def_count_devices (def, &disk_kind), before = G_MAXUINT, after_type = G_MAXUINT;

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, other) {
    end = other_index + 1;
    if (other->type != controller->type)
      continue;
    after_type = other_index + 1;
    if (!controller->index.set || !other->index.set || before != G_MAXUINT)
      continue;
    if (other->index.value > controller->index.value
        || (other->index.value == controller->index.value && other->master_startport.set
            && !controller->master_startport.set))
      before = other_index;
  }
  if (before != G_MAXUINT)
    return before;
  return after_type != G_MAXUINT ? after_type : end;
}

static char *
controller_describe (const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;
  const char *model = controller_model_name (controller);

  return g_strdup_printf ("controller %s %u%s%s%s", enum_table_name (&controller_types, controller->type),
                          (guint)controller->index.value, model != NULL ? " (" : "",
                          model != NULL ? model : "", model != NULL ? ")" : "");
}

static Device *
controller_match (const DomainDef *def, const Device *wanted_device, GError **error)
{
  const DeviceController *wanted = (const DeviceController *)wanted_device;

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->type == wanted->type
        && (!wanted->index.set || controller->index.value == wanted->index.value))
      return &controller->device;
  }
  virt_error_set (error, VIR_ERR_DEVICE_MISSING, "controller %s:%d not found",
                  enum_table_name (&controller_types, wanted->type), (int)wanted->index.value);
  return NULL;
}

static gboolean
controller_check_names (const Device *device, const Device *other_device, DeviceChange change G_GNUC_UNUSED,
                        GError **error)
{
  const DeviceController *controller = (const DeviceController *)device;
  const DeviceController *other = (const DeviceController *)other_device;

  if (!controller->index.set || controller->type != other->type
      || controller->index.value != other->index.value)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "Target already exists");
  return FALSE;
}

static gboolean
controller_check_added (const Device *device, GError **error)
{
  const DeviceController *controller = (const DeviceController *)device;
  g_autofree char *what = NULL;

  if (controller->type == CONTROLLER_SCSI || controller->type == CONTROLLER_VIRTIO_SERIAL)
    return TRUE;
  what = device_describe (device);
  if (controller->type == CONTROLLER_PCI)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "No more available PCI slots: the machine would need %s, which cannot be added while it "
                    "runs",
                    what);
  else
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "the device needs %s, which cannot be added to a running machine", what);
  return FALSE;
}

static gboolean
controller_is_virtio (const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;

  return controller->type == CONTROLLER_VIRTIO_SERIAL || is_virtio_scsi (controller);
}

const DeviceKind controller_kind = {
  .element = "controller",
  .table = { sizeof (DeviceController), controller_fields },
  .complete = controller_complete,
  .validate = controller_validate,
  .place = controller_place,
  .pci_connect = controller_pci_connect,
  .is_virtio = controller_is_virtio,
  .alias = controller_alias,
  .position = controller_position,
  .describe = controller_describe,
  .pci_order = PCI_ORDER_CONTROLLER,
  .match = controller_match,
  .check_names = controller_check_names,
  .check_added = controller_check_added,
  .attachable = TRUE,
};
