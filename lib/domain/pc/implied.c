/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices a machine has although its document says nothing of them: the chipset's controllers, a keyboard and
 * a mouse, a balloon, a video card for a display, the console that is the first serial port. They are part of
 * what the guest sees, so they are libvirt's choices and not ours.
 */
#include "domain/devices/audio.h"
#include "domain/devices/console.h"
#include "domain/devices/graphics.h"
#include "domain/devices/input.h"
#include "domain/devices/iommu.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/panic.h"
#include "domain/devices/serial.h"
#include "domain/devices/video.h"
#include "domain/devices/watchdog.h"
#include "domain/machines/machine-kind.h"
#include "domain/pc/controllers.h"

#define DEFAULT_AUDIO_ID 1

/* A device of our own is completed at once: whoever completes devices may have passed its kind already. */
static void
complete_added (Completion *completion, Device *device)
{
  if (device->kind->complete)
    device->kind->complete (completion, device);
}

/* A q35 gets a controller of today beside what libvirt means by one without a model. */
static int
implied_usb_model (const Completion *completion, const MachineKind *machine)
{
  if (machine->chipset != CHIPSET_Q35)
    return controller_default_model (completion, CONTROLLER_USB);
  if (completion_has_device (completion, "qemu-xhci"))
    return USB_QEMU_XHCI;
  if (completion_has_device (completion, "nec-usb-xhci"))
    return USB_NEC_XHCI;
  return completion_has_device (completion, "piix3-usb-uhci") ? USB_PIIX3_UHCI : CONTROLLER_MODEL_NONE;
}

static void
add_controller (Completion *completion, ControllerType type, int model)
{
  DeviceController *controller = (DeviceController *)completion_add (completion, &controller_kind);

  controller->type = type;
  controller->index = NUMBER (0);
  controller->model = model;
}

static void
add_chipset_controllers (Completion *completion, const MachineKind *machine)
{
  const DomainDef *def = completion->def;
  ControllerModel root = machine_pci_root (completion);
  int usb = machine->adds_usb ? implied_usb_model (completion, machine) : CONTROLLER_MODEL_NONE;

  if (controllers_find (def, CONTROLLER_USB, 0) == NULL && usb != CONTROLLER_MODEL_NONE)
    add_controller (completion, CONTROLLER_USB, usb);
  if (machine->adds_sata && !controllers_find (def, CONTROLLER_SATA, 0))
    add_controller (completion, CONTROLLER_SATA, CONTROLLER_MODEL_NONE);
  if (root != CONTROLLER_MODEL_NONE && !controllers_find (def, CONTROLLER_PCI, 0))
    add_controller (completion, CONTROLLER_PCI, (int)root);
}

static void
add_memballoon (Completion *completion, const MachineKind *machine)
{
  DeviceMemballoon *balloon;

  if (!machine->adds_balloon || domain_def_count_devices (completion->def, &memballoon_kind) > 0)
    return;
  balloon = (DeviceMemballoon *)completion_add (completion, &memballoon_kind);
  balloon->model = BALLOON_VIRTIO;
  complete_added (completion, &balloon->device);
}

/* A q35's chipset has a watchdog, whether a document says so or not. QEMU knows one action for all of a
 * machine's: it has that of the others. */
static void
add_watchdog (Completion *completion)
{
  int action = WATCHDOG_ACTION_UNSET;
  DeviceWatchdog *added;

  if (!domain_def_is_q35 (completion->def) || completion->live)
    return; /* a machine that runs has it or never gets it */
  DOMAIN_FOREACH_DEVICE (completion->def, watchdog_kind, const DeviceWatchdog, watchdog) {
    if (watchdog->model == WATCHDOG_ITCO)
      return;
    if (action == WATCHDOG_ACTION_UNSET)
      action = watchdog->action;
  }
  added = (DeviceWatchdog *)completion_add (completion, &watchdog_kind);
  added->model = WATCHDOG_ITCO;
  added->action = action;
  complete_added (completion, &added->device);
}

#define VCPUS_WITHOUT_IOMMU 255 /* more need interrupts that are remapped */

static void
add_iommu (Completion *completion)
{
  const DomainDef *def = completion->def;
  DeviceIommu *iommu;

  if (!domain_def_is_q35 (def) || completion->live || def->vcpus.value <= VCPUS_WITHOUT_IOMMU
      || domain_def_count_devices (def, &iommu_kind) > 0)
    return;
  iommu = (DeviceIommu *)completion_add (completion, &iommu_kind);
  iommu->model = IOMMU_INTEL;
  iommu->intremap = iommu->eim = TRISTATE_YES;
  complete_added (completion, &iommu->device);
}

/* One whose bus the document left open does not count: libvirt looks before it chooses buses. */
static gboolean
has_input (const Completion *completion, InputType type, InputBus bus)
{
  DOMAIN_FOREACH_DEVICE (completion->def, input_kind, DeviceInput, input) {
    if (input->type == (int)type && input->bus == (int)bus && !input->bus_was_open)
      return TRUE;
  }
  return FALSE;
}

static void
add_inputs_on (Completion *completion, InputBus bus, const InputType *types, guint count)
{
  for (guint i = 0; i < count; i++) {
    DeviceInput *input;

    if (has_input (completion, types[i], bus))
      continue;
    input = (DeviceInput *)completion_add (completion, &input_kind);
    input->type = (int)types[i];
    input->bus = (int)bus;
    complete_added (completion, &input->device);
  }
}

/* The two that every PC has at its keyboard controller, and others where there is something to see. */
static void
add_inputs (Completion *completion, const MachineKind *machine)
{
  static const InputType ps2[] = { INPUT_MOUSE, INPUT_KEYBOARD }, usb[] = { INPUT_KEYBOARD, INPUT_MOUSE };

  if (machine->has_ps2 && completion->def->features.ps2 != TRISTATE_NO)
    add_inputs_on (completion, INPUT_BUS_PS2, ps2, G_N_ELEMENTS (ps2));
  if (machine->adds_usb_inputs && domain_def_count_devices (completion->def, &graphics_kind) > 0)
    add_inputs_on (completion, INPUT_BUS_USB, usb, G_N_ELEMENTS (usb));
}

static void
add_panic (Completion *completion, const MachineKind *machine)
{
  DevicePanic *added;

  if (machine->adds_panic == PANIC_NONE)
    return;
  DOMAIN_FOREACH_DEVICE (completion->def, panic_kind, DevicePanic, panic) {
    if (panic->model == machine->adds_panic)
      return;
  }
  added = (DevicePanic *)completion_add (completion, &panic_kind);
  added->model = machine->adds_panic;
  complete_added (completion, &added->device);
}

/* Sound goes to the last display that has a say in it; one that shows itself on the host leaves it to QEMU.
 */
static void
add_audio (Completion *completion)
{
  const DomainDef *def = completion->def;
  int type = domain_def_count_devices (def, &graphics_kind) == 0 ? AUDIO_NONE : AUDIO_UNSET;
  DeviceAudio *audio;

  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    if (graphics->type == GRAPHICS_VNC || graphics->type == GRAPHICS_SPICE)
      type = graphics->type == GRAPHICS_SPICE ? AUDIO_SPICE : AUDIO_NONE;
  }
  if (domain_def_count_devices (def, &audio_kind) > 0 || type == AUDIO_UNSET)
    return;
  audio = (DeviceAudio *)completion_add (completion, &audio_kind);
  audio->id = NUMBER (DEFAULT_AUDIO_ID);
  audio->type = type;
  complete_added (completion, &audio->device);
}

static void
add_video (Completion *completion)
{
  const DomainDef *def = completion->def;
  DeviceVideo *video;

  if (domain_def_count_devices (def, &graphics_kind) == 0 || domain_def_count_devices (def, &video_kind) > 0)
    return;
  video = (DeviceVideo *)completion_add (completion, &video_kind);
  complete_added (completion, &video->device);
}

static Device *
first_of_kind (const DomainDef *def, const DeviceKind *kind)
{
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->kind == kind)
      return device;
  }
  return NULL;
}

/* The one part that the two sides of a serial port have in common. */
typedef struct {
  Chardev source;
} SerialSide;
static const Field side_fields[] = { CHARDEV_FIELDS (SerialSide), FIELD_END };
static const FieldTable side_table = { sizeof (SerialSide), side_fields };

static void
copy_source (Chardev *to, const Chardev *from)
{
  field_clear (&side_table, to);
  field_copy_into (&side_table, to, from);
}

static gboolean
is_serial_console (const DeviceConsole *console)
{
  return console->target == CONSOLE_SERIAL || console->target == CONSOLE_NONE;
}

/* A serial port of which the console would be the other side: one the guest's firmware knows. */
static gboolean
has_console (const DeviceSerial *serial)
{
  return serial->target != SERIAL_USB && serial->target != SERIAL_PCI && serial->target != SERIAL_ISA_DEBUG;
}

static void
add_serial_for (Completion *completion, const DeviceConsole *console)
{
  DeviceSerial *serial = (DeviceSerial *)completion_add (completion, &serial_kind);

  copy_source (&serial->source, &console->source);
  serial->port = NUMBER (0);
  complete_added (completion, &serial->device);
}

/* The console comes before others of its kind, as the first serial port does. */
static DeviceConsole *
add_first_console (Completion *completion)
{
  GPtrArray *devices = completion->def->devices;
  const Device *old_first = first_of_kind (completion->def, &console_kind);
  Device *added = completion_add (completion, &console_kind);
  guint from, to;

  if (old_first && g_ptr_array_find (devices, old_first, &to) && g_ptr_array_find (devices, added, &from)) {
    g_ptr_array_steal_index (devices, from);
    g_ptr_array_insert (devices, (int)to, added);
  }
  return (DeviceConsole *)added;
}

/* The first serial port and the first console are one device seen from its two sides: where only one is said,
 * it brings the other, and where both are, the serial port is the one that counts. */
static void
match_console_with_serial (Completion *completion)
{
  const DomainDef *def = completion->def;
  DeviceConsole *console = (DeviceConsole *)first_of_kind (def, &console_kind);
  const DeviceSerial *serial;
  g_autofree char *tty = NULL;
  guint port = 0;

  if (console && is_serial_console (console) && domain_def_count_devices (def, &serial_kind) == 0)
    add_serial_for (completion, console);
  serial = (const DeviceSerial *)first_of_kind (def, &serial_kind);
  if (!serial)
    return;
  if (!console || !is_serial_console (console)) {
    if (!has_console (serial))
      return;
    console = add_first_console (completion);
    DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, other) {
      other->port = NUMBER (port++);
    }
  }
  tty = g_steal_pointer (&console->source.tty);
  copy_source (&console->source, &serial->source);
  if (completion->live && console->source.tty == NULL)
    console->source.tty = g_steal_pointer (&tty);
  complete_added (completion, &console->device);
  console->target = CONSOLE_SERIAL;
  console->port = serial->port;
  g_free (console->device.alias);
  console->device.alias = g_strdup (serial->device.alias);
}

void
complete_implied_devices (Completion *completion)
{
  const MachineKind *machine = machine_kind_of (completion->def);

  add_chipset_controllers (completion, machine);
  add_memballoon (completion, machine);
  add_inputs (completion, machine);
  add_panic (completion, machine);
  add_audio (completion);
  add_watchdog (completion);
  add_iommu (completion);
  match_console_with_serial (completion);
  add_video (completion);
}
