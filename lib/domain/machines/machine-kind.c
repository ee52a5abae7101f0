/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kinds of machine and the architectures, a row each. Everything in a row is libvirt's choice, found by
 * giving it documents that leave the choice open, because guests have come to rely on it; where QEMU could do
 * better on a young architecture, that is for the document to say.
 */

#include "domain/machines/machine-kind.h"

#include "domain/report.h"

#include <string.h>

static const MachineChoice usb_pc[] = { { NULL, "piix3-uhci" }, { NULL, NULL } };
static const MachineChoice usb_xhci[] = { { "qemu-xhci", "qemu-xhci" },
                                          { "nec-usb-xhci", "nec-xhci" },
                                          { NULL, NULL } };
static const MachineChoice usb_power[] = {
  { "qemu-xhci", "qemu-xhci" }, { "nec-usb-xhci", "nec-xhci" }, { "pci-ohci", "pci-ohci" }, { NULL, NULL }
};
static const MachineChoice usb_none[] = { { NULL, "none" }, { NULL, NULL } };

static const MachineChoice scsi_usual[] = {
  { "lsi53c895a", "lsilogic" }, { "virtio-scsi-pci", "virtio-scsi" }, { NULL, "lsilogic" }, { NULL, NULL }
};
static const MachineChoice scsi_virtio[] = { { NULL, "virtio-scsi" }, { NULL, NULL } };
static const MachineChoice scsi_power[] = { { NULL, "ibmvscsi" }, { NULL, NULL } };

static const MachineChoice interface_usual[] = {
  { "rtl8139", "rtl8139" }, { "e1000", "e1000" }, { NULL, "virtio" }, { NULL, NULL }
};
static const MachineChoice interface_virtio[] = { { NULL, "virtio" }, { NULL, NULL } };
static const MachineChoice interface_versatile[] = { { NULL, "smc91c111" }, { NULL, NULL } };
static const MachineChoice interface_arm[] = { { NULL, "lan9118" }, { NULL, NULL } };

static const MachineChoice video_usual[] = {
  { "cirrus-vga", "cirrus" }, { "VGA", "vga" }, { NULL, "virtio" }, { NULL, NULL }
};
static const MachineChoice video_vga[] = { { NULL, "vga" }, { NULL, NULL } };
static const MachineChoice video_virtio[] = { { NULL, "virtio" }, { NULL, NULL } };

#define ARM   "aarch64 armv7l armv6l"
#define X86   "x86_64 i686"
#define POWER "ppc64 ppc64le"

/* What all PCs have in common. */
#define A_PC                                                                                         \
  .architectures = X86, .virtio_address = ADDRESS_PCI, .has_ps2 = TRUE, .panic_model = PANIC_ISA,    \
  .usb_models = usb_pc, .scsi_models = scsi_usual, .interface_models = interface_usual,              \
  .video_models = video_usual, .serial_target = SERIAL_ISA, .serial_model = SERIAL_MODEL_ISA_SERIAL, \
  .tpm_model = TPM_TIS, .has_old_tpm = TRUE, .has_power_states = TRUE, .is_x86 = TRUE,               \
  .has_maximum_cpu = TRUE, .uefi_needs_acpi = TRUE, .has_acpi = TRUE, .switches_acpi = TRUE

/* What is left of a PC for one Linux that is given its kernel: virtio devices in the machine's memory. With
 * ACPI QEMU has 24 places, and whatever is at the last one never gets its interrupt: the guest hangs. */
#define A_MICROVM                                                                                           \
  .architectures = X86, .machines = "microvm", .mmio_places = 23, .mmio_places_without_acpi = 8,            \
  .adds_acpi = TRUE, .panic_model = PANIC_ISA, .scsi_models = scsi_virtio,                                  \
  .interface_models = interface_virtio, .video_models = video_virtio, .serial_target = SERIAL_ISA,          \
  .serial_model = SERIAL_MODEL_ISA_SERIAL, .tpm_model = TPM_TIS, .has_virtio_inputs = TRUE, .is_x86 = TRUE, \
  .has_maximum_cpu = TRUE, .has_acpi = TRUE, .switches_acpi = TRUE, .has_no_ide = TRUE,                     \
  .lacks_virtio_vga = TRUE, .is_bare = TRUE, .has_modern_mmio = TRUE, .switches_pci = TRUE,                 \
  .needs_tsc_frequency = TRUE

/* And the machines that QEMU made up for want of a real one: nothing but PCI Express and a serial line. */
#define A_VIRT                                                                                            \
  .machines = "virt", .pci_root = PCIE_ROOT, .pci_object = "gpex-pcihost", .virtio_address = ADDRESS_PCI, \
  .interface_models = interface_virtio, .video_models = video_virtio, .serial_target = SERIAL_SYSTEM,     \
  .tpm_model = TPM_TIS, .has_platform_tpm = TRUE, .has_no_ide = TRUE, .has_maximum_cpu = TRUE,            \
  .has_acpi = TRUE

/* A board of which no more is known than that it has what QEMU says. */
#define A_BOARD .scsi_models = scsi_usual, .tpm_model = TPM_TIS, .has_maximum_cpu = TRUE
#define BOARD_CARDS                                                                         \
  .usb_models = usb_pc, .virtio_address = ADDRESS_PCI, .interface_models = interface_usual, \
  .video_models = video_usual

/* The first row that fits is taken. */
static const MachineKind kinds[] = {
  { A_PC, .machines = "q35 pc-q35", .chipset = CHIPSET_Q35, .pci_root = PCIE_ROOT, .adds_usb = TRUE,
    .adds_balloon = TRUE, .adds_sata = TRUE, .has_no_ide = TRUE, .has_secure_boot = TRUE },
  { A_PC,
    .machines = "pc-i440fx pc-0.10 pc-0.11 pc-0.12 pc-0.13 pc-0.14 pc-0.15 pc-1.0 pc-1.1 pc-1.2 pc-1.3 pc",
    .chipset = CHIPSET_I440FX, .pci_root = PCI_ROOT, .adds_usb = TRUE, .adds_balloon = TRUE },
  { A_MICROVM, .pci_is_said = TRUE, .pci_root = PCIE_ROOT, .virtio_address = ADDRESS_PCI,
    .usb_models = usb_xhci },
  { A_MICROVM, .virtio_address = ADDRESS_VIRTIO_MMIO, .usb_models = usb_none },
  { A_PC },
  { A_VIRT, .architectures = "aarch64", .says_gic = TRUE, .usb_models = usb_xhci, .scsi_models = scsi_usual,
    .serial_model = SERIAL_MODEL_PL011, .panic_model = PANIC_PVPANIC, .has_gic = TRUE,
    .lacks_virtio_vga = TRUE, .has_smmuv3 = TRUE, .switches_acpi = TRUE, .acpi_needs_uefi = TRUE },
  { A_VIRT, .architectures = "armv7l armv6l", .usb_models = usb_pc, .scsi_models = scsi_usual,
    .serial_model = SERIAL_MODEL_PL011, .panic_model = PANIC_PVPANIC, .has_gic = TRUE,
    .lacks_virtio_vga = TRUE, .has_smmuv3 = TRUE, .switches_acpi = TRUE },
  { A_VIRT, .architectures = "riscv64 riscv32", .has_aia = TRUE, .adds_balloon = TRUE, .usb_models = usb_pc,
    .scsi_models = scsi_usual, .serial_model = SERIAL_MODEL_16550A },
  { A_VIRT, .architectures = "loongarch64", .usb_models = usb_xhci, .scsi_models = scsi_virtio,
    .serial_model = SERIAL_MODEL_16550A },
  { .architectures = POWER,
    .machines = "pseries",
    .pci_root = PCI_ROOT,
    .many_pci_roots = TRUE,
    .virtio_address = ADDRESS_PCI,
    .has_spapr_vio = TRUE,
    .has_no_ide = TRUE,
    .adds_usb = TRUE,
    .adds_balloon = TRUE,
    .adds_usb_inputs = TRUE,
    .adds_panic = PANIC_PSERIES,
    .panic_model = PANIC_PSERIES,
    .usb_models = usb_power,
    .scsi_models = scsi_power,
    .interface_models = interface_usual,
    .video_models = video_vga,
    .serial_target = SERIAL_SPAPR_VIO,
    .serial_model = SERIAL_MODEL_SPAPR_VTY,
    .tpm_model = TPM_SPAPR,
    .memory_alignment = 256 * 1024 },
  { A_BOARD, .architectures = POWER, .pci_root = PCI_ROOT, .virtio_address = ADDRESS_PCI, .adds_usb = TRUE,
    .adds_balloon = TRUE, .adds_usb_inputs = TRUE, .usb_models = usb_power,
    .interface_models = interface_usual, .video_models = video_vga },
  { .architectures = "s390x s390",
    .pci_root = PCI_ROOT,
    .pci_object = "zpci",
    .virtio_address = ADDRESS_CCW,
    .has_zpci = TRUE,
    .has_key_wrap = TRUE,
    .has_no_ide = TRUE,
    .adds_balloon = TRUE,
    .adds_panic = PANIC_S390,
    .panic_model = PANIC_S390,
    .has_virtio_inputs = TRUE,
    .usb_models = usb_none,
    .scsi_models = scsi_virtio,
    .interface_models = interface_virtio,
    .video_models = video_virtio,
    .serial_target = SERIAL_SCLP,
    .serial_model = SERIAL_MODEL_SCLPCONSOLE,
    .tpm_model = TPM_TIS,
    .has_maximum_cpu = TRUE },
  { A_BOARD, .architectures = ARM, .machines = "versatilepb", .pci_root = PCI_ROOT,
    .virtio_address = ADDRESS_PCI, .usb_models = usb_pc, .lacks_virtio_vga = TRUE,
    .interface_models = interface_versatile, .video_models = video_usual },
  { A_BOARD, .architectures = ARM, .machines = "vexpress", .virtio_address = ADDRESS_VIRTIO_MMIO,
    .usb_models = usb_pc, .lacks_virtio_vga = TRUE, .interface_models = interface_arm,
    .video_models = video_usual },
  { A_BOARD, .architectures = ARM, .virtio_address = ADDRESS_PCI, .usb_models = usb_pc,
    .lacks_virtio_vga = TRUE, .interface_models = interface_arm, .video_models = video_usual },
  { A_BOARD, BOARD_CARDS, .architectures = "riscv64 riscv32", .adds_balloon = TRUE },
  { A_BOARD, BOARD_CARDS, .architectures = "loongarch64" },
  { A_BOARD, BOARD_CARDS,
    .architectures = "alpha ppc ppcemb sh4 sh4eb sparc sparc64 mips mipsel mips64 mips64el",
    .pci_root = PCI_ROOT, .adds_usb = TRUE, .adds_balloon = TRUE },
  { A_BOARD, BOARD_CARDS },
};

static const Architecture architectures[] = {
  { "x86_64", "x86_64", "x86_64", NULL, NULL },
  { "i686", "i386", "i386", "x86_64", NULL },
  { "aarch64", "aarch64", "aarch64", NULL, "virt" },
  { "armv7l", "arm", "arm", "aarch64", "virt" },
  { "armv6l", "arm", "arm", NULL, NULL },
  { "riscv64", "riscv64", "riscv64", NULL, "virt" },
  { "riscv32", "riscv32", "riscv32", NULL, "virt" },
  { "loongarch64", "loongarch64", "loongarch64", NULL, "virt" },
  { "ppc64", "ppc64", "ppc64", NULL, "pseries" },
  { "ppc64le", "ppc64le", "ppc64", NULL, "pseries" },
  { "s390x", "s390x", "s390x", NULL, "s390-ccw-virtio" },
};

/* Is @word one of @list, or one of them with a version behind it? */
static gboolean
is_listed (const char *list, const char *word, gboolean versioned)
{
  gsize length = strlen (word);

  for (const char *item = list; item != NULL; item = strchr (item, ' ')) {
    gsize size;

    item += *item == ' ';
    size = strcspn (item, " ");
    if (size <= length && strncmp (item, word, size) == 0
        && (word[size] == '\0' || (versioned && word[size] == '-')))
      return TRUE;
  }
  return FALSE;
}

/* <controller type='pci'>, by the words of the document: controllers, like all devices, ask for machines and
 * not the other way round. */
static gboolean
is_pci_controller (const Device *device)
{
  const Field *field = device->kind->table.fields;
  g_autofree char *type = NULL;

  if (strcmp (device->kind->element, "controller") != 0)
    return FALSE;
  while (field->path != NULL && strcmp (field->path, "@type") != 0)
    field++;
  if (field->path != NULL)
    type = field->type->format (field, (const char *)device + field->offset);
  return g_strcmp0 (type, "pci") == 0;
}

static gboolean
says_pci (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++)
    if (is_pci_controller (g_ptr_array_index (def->devices, i)))
      return TRUE;
  return FALSE;
}

static gboolean
fits (const MachineKind *kind, const DomainDef *def)
{
  const char *arch = def->os.arch != NULL ? def->os.arch : "x86_64", *machine = def->os.machine;

  if (kind->architectures != NULL && !is_listed (kind->architectures, arch, FALSE))
    return FALSE;
  if (kind->machines != NULL && (machine == NULL || !is_listed (kind->machines, machine, TRUE)))
    return FALSE;
  return !kind->pci_is_said || says_pci (def);
}

const MachineKind *
machine_kind_of (const DomainDef *def)
{
  guint i = 0;

  while (i + 1 < G_N_ELEMENTS (kinds) && !fits (&kinds[i], def))
    i++;
  return &kinds[i];
}

const char *
machine_choose (const Completion *completion, const MachineChoice *choices)
{
  for (; choices != NULL && choices->model != NULL; choices++)
    if (choices->device == NULL || completion_has_device (completion, choices->device))
      return choices->model;
  return NULL;
}

ControllerModel
machine_pci_root (const Completion *completion)
{
  const MachineKind *kind = machine_kind_of (completion->def);

  if (kind->pci_object != NULL && !completion_has_device (completion, kind->pci_object))
    return CONTROLLER_MODEL_NONE;
  return kind->pci_root;
}

const Architecture *
architecture_find (const char *name)
{
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (architectures); i++)
    if (strcmp (architectures[i].name, name) == 0)
      return &architectures[i];
  return NULL;
}

gboolean
architecture_runs_on (const char *name, const char *target)
{
  const Architecture *architecture = architecture_find (name);

  if (architecture == NULL)
    return g_strcmp0 (name, target) == 0;
  return g_strcmp0 (architecture->target, target) == 0 || g_strcmp0 (architecture->runs_on, target) == 0;
}

const char *
architecture_of_emulator (const char *path, const char *target)
{
  const char *name = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (architectures); i++) {
    if (g_strcmp0 (architectures[i].target, target) != 0)
      continue;
    if (path != NULL && g_str_has_suffix (path, architectures[i].emulator))
      return architectures[i].name;
    if (name == NULL)
      name = architectures[i].name;
  }
  return name != NULL ? name : target;
}

const char *
architecture_emulator (const char *name)
{
  const Architecture *architecture = architecture_find (name);

  return architecture != NULL ? architecture->emulator : name;
}
