/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device-models.h"
#include "domain/domain-def.h"

/*
 * What completion and the targets must know of machines of one architecture and type. A row is one kind of
 * machine; whoever needs to tell machines apart asks for a property of the row and never for the
 * architecture, so that a new kind is a new row.
 */

/* Devices of the chipset that libvirt has had fixed places for since its beginnings. */
typedef enum { CHIPSET_NONE, CHIPSET_I440FX, CHIPSET_Q35 } MachineChipset;

/* The device QEMU has for a word of the document, if it has it: the first row with a device that is there. */
typedef struct {
  const char *device; /* NULL: always there */
  const char *model;  /* the document's word */
} MachineChoice;

typedef struct MachineKind MachineKind;
struct MachineKind {
  const char *architectures; /* "x86_64 i686", one space between */
  /* Machine types: a name, or a name and '-' with a version behind it; separated by one space. NULL: all. */
  const char *machines;
  MachineChipset chipset;
  ControllerModel pci_root; /* CONTROLLER_MODEL_NONE: it has no PCI */
  const char *pci_object;   /* without this QOM type the emulator's machine has no PCI; NULL: it always has */
  gboolean pci_is_said;     /* it has PCI when the document has a PCI controller: the row of one that has */
  gboolean many_pci_roots;  /* further host bridges can be added, and are where buses are full */
  int virtio_address;       /* AddressType of a virtio device that says none */
  /* Places for virtio devices in its memory, with ACPI and without; 0: as many as QEMU has. */
  guint mmio_places, mmio_places_without_acpi;
  gboolean has_spapr_vio; /* an address on the hypervisor's own bus, for what belongs there */
  gboolean has_zpci;      /* PCI devices have a number and an id of their own as well */

  /* Devices every one of them has. */
  gboolean adds_usb, adds_balloon, adds_sata;
  gboolean has_ps2;         /* a mouse and a keyboard at a controller of its own */
  gboolean adds_usb_inputs; /* where it has a display: a keyboard and a mouse */
  gboolean adds_acpi;       /* where the document says nothing of its features */
  int adds_panic;           /* PanicModel, 0: none */

  /* What is meant where the document does not say. */
  int panic_model;                  /* PanicModel; 0: it must be said */
  const MachineChoice *usb_models;  /* a <controller type='usb'/> */
  const MachineChoice *scsi_models; /* NULL-terminated by a row without model */
  const MachineChoice *interface_models;
  const MachineChoice *video_models;
  SerialTarget serial_target;
  SerialModel serial_model;
  int tpm_model;        /* TpmModel */
  gboolean has_old_tpm; /* version 1.2 is what old guests of it expect */

  gboolean has_virtio_inputs; /* inputs that say no bus are virtio's: it has neither PS/2 nor USB */

  /* What it can have. */
  gboolean is_bare; /* it has little of what others of its architecture have: see machine-limits.c */
  gboolean is_x86;  /* with the timers, and what guests of Microsoft's and VMware's know, of that processor */
  gboolean has_aia, has_key_wrap;
  gboolean has_gic, has_smmuv3, has_secure_boot, has_power_states, has_maximum_cpu;
  gboolean has_no_ide;       /* neither has it one, nor can one be added */
  gboolean lacks_virtio_vga; /* virtio's primary display has no VGA registers */
  gboolean says_gic;         /* its emulator is told which */
  gboolean uefi_needs_acpi, acpi_needs_uefi, has_acpi;
  gboolean switches_acpi; /* libvirt says so when a document has none, even to a QEMU that does not ask */
  /* Virtio devices in its memory have the old interface unless QEMU is told otherwise. */
  gboolean has_modern_mmio;
  gboolean switches_pci; /* QEMU is told whether it has PCI */
  /* Without KVM its guest has no clock to measure the processor's by: Linux is told the frequency. */
  gboolean needs_tsc_frequency;
  gboolean has_platform_tpm; /* QEMU's tpm-tis is its "-device" form */
  guint memory_alignment;    /* KiB; 0: any size */
};

/* The row of the definition's architecture and machine type: never NULL. */
const MachineKind *machine_kind_of (const DomainDef *def);
/* The word of the first choice that the emulator has; NULL when it has none of them. Static. */
const char *machine_choose (const Completion *completion, const MachineChoice *choices);
/* A machine's PCI root, as far as this emulator has one. */
ControllerModel machine_pci_root (const Completion *completion);

/*
 * Architectures by libvirt's name for them, and what QEMU calls the emulator and the target.
 */
typedef struct {
  const char *name;     /* "armv7l" */
  const char *emulator; /* "arm": what its program's name ends with */
  const char *target;   /* what that program says it runs */
  const char *runs_on;  /* another target whose emulator runs it as well; NULL: none */
  const char *machine;  /* the machine type libvirt takes where none is said; NULL: QEMU's own default */
} Architecture;

/* NULL: one of those that libvirt knows and QEMU has under the same name. */
const Architecture *architecture_find (const char *name);
/* Does an emulator of @target run machines of @name? */
gboolean architecture_runs_on (const char *name, const char *target);
/* libvirt's name for what the emulator at @path runs, which says it runs @target: "ppc64le" and "ppc64" are
 * one emulator by two names. */
const char *architecture_of_emulator (const char *path, const char *target);
/* The end of its program's name: "arm" for "armv7l". */
const char *architecture_emulator (const char *name);
