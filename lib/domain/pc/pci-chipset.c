/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Places on the root bus that are decided before any other: what the two chipsets have on board, what the
 * document says, and the slots libvirt keeps for a device of a certain kind because real hardware has it
 * there. With them the messages about two users of one place.
 */
#include "domain/pc/pci-chipset.h"
#include "domain/devices/disk.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/pci-connect.h"
#include "domain/devices/sound.h"
#include "domain/devices/video.h"
#include "domain/machines/machine-kind.h"
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"

#define PRIMARY_VIDEO_SLOT_Q35    0x01
#define PRIMARY_VIDEO_SLOT_I440FX 0x02
#define ICH9_SOUND_SLOT           0x1b
#define ICH9_USB_SLOT             0x1d
#define ICH9_USB_SECOND_SLOT      0x1a
#define DMI_BRIDGE_SLOT           0x1e

/* On board: there whatever the document says. */
static const struct {
  MachineChipset chipset;
  PciPlace place;
  const char *name;
} builtins[] = {
  { CHIPSET_I440FX, { 0, 0x01, 0 }, "the machine's own PIIX3 bridge" },
  { CHIPSET_I440FX, { 0, 0x01, 1 }, "the machine's own IDE controller" },
  { CHIPSET_I440FX, { 0, 0x01, 3 }, "the machine's own power management" },
  { CHIPSET_Q35, { 0, 0x1f, 0 }, "the machine's own ISA bridge" },
  { CHIPSET_Q35, { 0, 0x1f, 2 }, "the machine's own SATA controller" },
  { CHIPSET_Q35, { 0, 0x1f, 3 }, "the machine's own SMBus controller" },
};

/* Controllers of the document that are parts of the chipset, and so have one place only. */
static const struct {
  MachineChipset chipset;
  ControllerType type;
  int model; /* CONTROLLER_MODEL_NONE: any */
  PciPlace place;
  const char *rule; /* libvirt's words */
} on_board[] = {
  { CHIPSET_I440FX,
    CONTROLLER_IDE,
    CONTROLLER_MODEL_NONE,
    { 0, 0x01, 1 },
    "Primary IDE controller must have PCI address 0:0:1.1" },
  { CHIPSET_I440FX,
    CONTROLLER_USB,
    USB_PIIX3_UHCI,
    { 0, 0x01, 2 },
    "PIIX3 USB controller at index 0 must have PCI address 0:0:1.2" },
  { CHIPSET_Q35,
    CONTROLLER_SATA,
    CONTROLLER_MODEL_NONE,
    { 0, 0x1f, 2 },
    "Primary SATA controller must have PCI address 0:0:1f.2" },
};

static gboolean
is_same_place (const PciPlace *a, const PciPlace *b)
{
  return a->bus == b->bus && a->slot == b->slot && a->function == b->function;
}

static PciPlace
place_of (const Device *device)
{
  const DeviceAddress *address = &device->address;

  return (PciPlace){ (guint)address->bus.value, (guint)address->slot.value, (guint)address->function.value };
}

/* The row of on_board that @device is, or -1. */
static int
on_board_row (const DomainDef *def, const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;
  MachineChipset chipset = machine_kind_of (def)->chipset;

  if (device->kind != &controller_kind || controller->index.value != 0)
    return -1;
  for (guint i = 0; i < G_N_ELEMENTS (on_board); i++) {
    if (on_board[i].chipset == chipset && (int)on_board[i].type == controller->type
        && (on_board[i].model == CONTROLLER_MODEL_NONE || on_board[i].model == controller->model))
      return (int)i;
  }
  return -1;
}

void
pci_reserve_builtin (PciAssignment *assignment)
{
  MachineChipset chipset = machine_kind_of (assignment->completion->def)->chipset;

  for (guint i = 0; i < G_N_ELEMENTS (builtins); i++) {
    if (builtins[i].chipset == chipset)
      pci_map_take (assignment->map, &builtins[i].place, 0, (PciUser){ NULL, builtins[i].name });
  }
}

static void
place_on_board (PciAssignment *assignment, Device *device, int row)
{
  const PciPlace *place = &on_board[row].place;
  PciUser user = pci_map_user (assignment->map, place);
  PciPlace said = place_of (device);

  if (!pci_address_is_wanted (device)
      && (device->address.type != ADDRESS_PCI || device->address.domain.value != 0
          || !is_same_place (&said, place))) {
    address_error (assignment->completion, device, "%s", on_board[row].rule);
    assignment->failed = TRUE;
    return;
  }
  if (user.device) {
    g_array_append_val (assignment->clashes, ((PciClash){ user.device, *place }));
    assignment->failed = TRUE;
  }
  pci_assignment_fix (assignment, device, place);
}

static const char *
connector_name (guint connect)
{
  static const struct {
    guint connect;
    const char *name;
  } names[] = {
    { PCI_CONNECT_CONVENTIONAL | PCI_CONNECT_BRIDGE, "standard PCI device" },
    { PCI_CONNECT_EXPRESS, "PCI Express device" },
    { PCI_CONNECT_ROOT_PORT, "pcie-root-port" },
    { PCI_CONNECT_UPSTREAM_PORT, "pcie-switch-upstream-port" },
    { PCI_CONNECT_DOWNSTREAM_PORT, "pcie-switch-downstream-port" },
    { PCI_CONNECT_DMI_TO_PCI_BRIDGE, "dmi-to-pci-bridge" },
    { PCI_CONNECT_EXPRESS_TO_PCI_BRIDGE, "pcie-to-pci-bridge" },
    { PCI_CONNECT_EXPANDER, "pci-expander-bus" },
    { PCI_CONNECT_EXPRESS_EXPANDER, "pcie-expander-bus" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (connect & names[i].connect)
      return names[i].name;
  }
  return "device";
}

static void
reject (PciAssignment *assignment, const Device *device, const char *why)
{
  g_autofree char *user = device_describe (device);

  address_error (assignment->completion, device, "%s (%s)", why, user);
  assignment->failed = TRUE;
}

/* What is wrong with @place for @device, apart from who else is there; NULL when nothing is. (transfer full)
 */
static char *
misfit (const PciAssignment *assignment, const PciPlace *place, guint connect)
{
  g_autofree char *text = g_strdup_printf ("0000:%02x:%02x.%x", place->bus, place->slot, place->function);
  guint first, last;

  if (place->bus >= pci_map_buses (assignment->map))
    return g_strdup_printf ("Invalid PCI address %s. Only PCI buses up to %u are available", text,
                            pci_map_buses (assignment->map) - 1);
  if (!pci_map_accepts (assignment->map, place->bus, connect, TRUE))
    return g_strdup_printf (
        "The device at PCI address %s cannot be plugged into the PCI controller with index='%u'. "
        "It requires a controller that accepts a %s, which a '%s' does not",
        text, place->bus, connector_name (connect),
        enum_table_name (&controller_models, (int)pci_map_model (assignment->map, place->bus)));

  pci_map_slots (assignment->map, place->bus, &first, &last);
  if (place->slot < first)
    return g_strdup_printf ("Invalid PCI address %s. slot must be >= %u", text, first);
  if (place->slot > last)
    return g_strdup_printf ("Invalid PCI address %s. slot must be <= %u", text, last);
  if (place->function >= PCI_FUNCTIONS)
    return g_strdup_printf ("Invalid PCI address %s. function must be <= %u", text, PCI_FUNCTIONS - 1);
  return NULL;
}

/* Are the device and all buses known, so that it can be said whether they fit? */
static gboolean
is_understood (const PciAssignment *assignment, const Device *device)
{
  return !completion_is_invalid (assignment->completion, device)
         && !completion_may_miss (assignment->completion, &controller_kind);
}

void
pci_assignment_given (PciAssignment *assignment, Device *device, PciPlace *place)
{
  guint connect = pci_connect_of (assignment->completion->def, device);
  g_autofree char *why = NULL;
  PciUser user;

  if (assignment->rehearsal && place->bus < PCI_BUSES_MAX)
    pci_map_grow (assignment->map, &place->bus, connect);
  why = misfit (assignment, place, connect);
  if (why && is_understood (assignment, device)) {
    reject (assignment, device, why);
    return;
  }
  if (place->bus >= pci_map_buses (assignment->map) || place->slot >= PCI_SLOTS
      || place->function >= PCI_FUNCTIONS)
    return;

  user = pci_map_user (assignment->map, place);
  if (user.device || user.builtin) {
    g_array_append_val (assignment->clashes, ((PciClash){ device, *place }));
    assignment->failed = TRUE;
    return;
  }
  pci_map_take (assignment->map, place, connect, (PciUser){ device, NULL });
}

static void
reserve_given (PciAssignment *assignment, Device *device)
{
  PciPlace place = place_of (device);

  if (pci_connect_of (assignment->completion->def, device) == 0
      && !completion_is_invalid (assignment->completion, device)) {
    g_autofree char *user = device_describe (device);

    if (device->kind == &disk_kind || device->kind == &hostdev_kind)
      return; /* their own validation says which address their bus has */
    address_error (assignment->completion, device, "%s cannot have an address of type 'pci'", user);
    assignment->failed = TRUE;
    return;
  }
  if (device->address.domain.value != 0) {
    g_autofree char *why =
        g_strdup_printf ("Invalid PCI address %04x:%02x:%02x.%x. Only PCI domain 0 is available",
                         (guint)device->address.domain.value, place.bus, place.slot, place.function);

    reject (assignment, device, why);
    return;
  }
  pci_assignment_given (assignment, device, &place);
  if (assignment->rehearsal)
    device->address.bus = NUMBER (place.bus); /* moved behind a bridge, when only a bridge takes it */
}

void
pci_reserve_given (PciAssignment *assignment)
{
  GPtrArray *devices = assignment->completion->def->devices;

  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (pci_address_is_given (device) && on_board_row (assignment->completion->def, device) < 0)
      reserve_given (assignment, device);
  }
}

/* Give @device the place it has in real hardware, if it has no other and nobody is there. */
static gboolean
prefer_slot (PciAssignment *assignment, Device *device, guint slot)
{
  PciPlace place = { 0, slot, 0 };

  if (!pci_address_is_wanted (device) || !pci_map_slot_is_free (assignment->map, 0, slot))
    return FALSE;
  pci_assignment_fix (assignment, device, &place);
  return TRUE;
}

static void
prefer_q35_controller_slots (PciAssignment *assignment)
{
  DOMAIN_FOREACH_DEVICE (assignment->completion->def, controller_kind, DeviceController, controller) {
    Device *device = &controller->device;

    if (controller->type == CONTROLLER_USB && controller->model == USB_ICH9_UHCI1) {
      if (prefer_slot (assignment, device, ICH9_USB_SLOT)
          || prefer_slot (assignment, device, ICH9_USB_SECOND_SLOT))
        device->address.multifunction = TRISTATE_YES;
    } else if (controller->type == CONTROLLER_PCI && controller->model == DMI_TO_PCI_BRIDGE) {
      prefer_slot (assignment, device, DMI_BRIDGE_SLOT);
    }
  }
}

static void
prefer_q35_sound_slot (PciAssignment *assignment)
{
  DOMAIN_FOREACH_DEVICE (assignment->completion->def, sound_kind, DeviceSound, sound) {
    if (sound->model == SOUND_ICH9 && prefer_slot (assignment, &sound->device, ICH9_SOUND_SLOT))
      return;
  }
}

static void
prefer_video_slot (PciAssignment *assignment, guint slot)
{
  DOMAIN_FOREACH_DEVICE (assignment->completion->def, video_kind, DeviceVideo, video) {
    if (pci_connect_of (assignment->completion->def, &video->device) == 0
        || !pci_address_is_wanted (&video->device))
      return;
    if (!prefer_slot (assignment, &video->device, slot))
      pci_assignment_next (assignment, &video->device, PCI_FUNCTION_ANY);
    return; /* the first one is the primary one */
  }
}

void
pci_reserve_chipset_places (PciAssignment *assignment)
{
  const DomainDef *def = assignment->completion->def;
  MachineChipset chipset = machine_kind_of (def)->chipset;

  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);
    int row = on_board_row (def, device);

    if (row >= 0)
      place_on_board (assignment, device, row);
  }
  if (chipset == CHIPSET_Q35) {
    prefer_q35_controller_slots (assignment);
    prefer_video_slot (assignment, PRIMARY_VIDEO_SLOT_Q35);
    prefer_q35_sound_slot (assignment);
  } else if (chipset == CHIPSET_I440FX) {
    prefer_video_slot (assignment, PRIMARY_VIDEO_SLOT_I440FX);
  }
}

/* Both users of a place: of two devices the one that has it first, of a device and the machine the device. */
static char *
describe_users (const PciAssignment *assignment, const PciClash *clash)
{
  PciUser user = pci_map_user (assignment->map, &clash->place);
  g_autofree char *device = assign_describe (assignment->completion, clash->device);
  g_autofree char *other =
      user.device ? assign_describe (assignment->completion, user.device) : g_strdup (user.builtin);
  gboolean other_first = user.device && !user.device->implied;

  return g_strdup_printf ("%s and %s", other_first ? other : device, other_first ? device : other);
}

/* The place to take instead, as text to say. */
static char *
free_place (const PciAssignment *assignment, const Device *device)
{
  guint connect = pci_connect_of (assignment->completion->def, device);
  PciPlace place;

  if (connect == 0) /* it was not understood */
    connect = pci_connect_express (assignment->completion->def);
  if (!pci_map_find (assignment->map, connect, PCI_FUNCTION_ANY, TRUE, &place))
    return g_strdup ("no slot is free");
  return g_strdup_printf ("0000:%02x:%02x.%x is free", place.bus, place.slot, place.function);
}

/* The other user is a device that the machine has unless the document says another, which may be there but
 * was not understood. */
static gboolean
is_consequence (const PciAssignment *assignment, const PciClash *clash)
{
  const Device *other = pci_map_user (assignment->map, &clash->place).device;

  return other != NULL && other->implied && completion_may_miss (assignment->completion, other->kind);
}

void
pci_report_clashes (PciAssignment *assignment)
{
  for (guint i = 0; i < assignment->clashes->len; i++) {
    const PciClash *clash = &g_array_index (assignment->clashes, PciClash, i);
    const PciPlace *place = &clash->place;
    g_autofree char *users = describe_users (assignment, clash);
    g_autofree char *instead = free_place (assignment, clash->device);

    if (is_consequence (assignment, clash))
      continue;
    address_clash (assignment->completion, clash->device,
                   "Attempted double use of PCI Address 0000:%02x:%02x.%x: it is used by %s; %s", place->bus,
                   place->slot, place->function, users, instead);
  }
  g_array_set_size (assignment->clashes, 0);
}

/* A controller that was added for a disk is the disk's doing. */
static const Device *
answers_for (const DomainDef *def, const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;

  for (guint i = 0; device->implied && device->kind == &controller_kind && i < def->devices->len; i++) {
    const Device *other = g_ptr_array_index (def->devices, i);

    if (other->address.type == ADDRESS_DRIVE && other->kind->drive_controller != NULL
        && other->kind->drive_controller (other) == controller->type
        && other->address.controller.value == controller->index.value)
      return other;
  }
  return device;
}

void
pci_report_no_buses (Completion *completion)
{
  if (completion_may_miss (completion, &controller_kind))
    return;
  for (guint i = 0; i < completion->def->devices->len; i++) {
    const Device *device = g_ptr_array_index (completion->def->devices, i);
    gboolean needs_pci = device->kind->place && device->kind->place (completion->def, device) == PLACE_PCI
                         && (device->address.type == ADDRESS_NONE || device->address.type == ADDRESS_PCI);

    if (needs_pci) {
      const Device *said = answers_for (completion->def, device);
      g_autofree char *user = device_describe (said);

      address_error (completion, said, "No PCI buses available on machine '%s' for %s%s",
                     completion->def->os.machine ? completion->def->os.machine : "", user,
                     machine_kind_of (completion->def)->switches_pci
                         ? "; <controller type='pci' model='pcie-root'/> gives it PCI"
                         : "");
    }
  }
}
