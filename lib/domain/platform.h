/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

typedef struct DomainDef DomainDef;

/*
 * What completion must know of the target and its host, asked without knowing the target: lib/qemu answers
 * from the capabilities of the emulator the document names (or the default one). All strings are owned by
 * the platform and live as long as it does.
 */
typedef struct Platform Platform;
struct Platform {
  /* The emulator a machine of this type and architecture runs with by default; NULL when there is none. */
  const char *(*default_emulator) (const Platform *platform, const char *arch);
  const char *(*default_arch) (const Platform *platform);
  /* "q35" → "pc-q35-7.2"; NULL when the emulator has no such machine. A NULL @machine asks for the default.
   */
  const char *(*canonical_machine) (const Platform *platform, const char *emulator, const char *machine);
  /* NULL-terminated names to offer when a machine is not known. */
  const char *const *(*machines) (const Platform *platform, const char *emulator);
  /* Can the emulator make this device ("qemu-xhci", "pcie-root-port", "virtio-vga-gl")? */
  gboolean (*has_device) (const Platform *platform, const char *emulator, const char *device);
  /* Largest vCPU count of a machine; 0 when not known. */
  guint (*max_vcpus) (const Platform *platform, const char *emulator, const char *machine);
  /* The processor a machine begins with, as documents call it; NULL when nobody knows. */
  const char *(*default_cpu) (const Platform *platform, const char *emulator, const char *machine);
  gboolean (*has_kvm) (const Platform *platform); /* this host can run type='kvm' */
  /* What it runs, as QEMU calls it ("i386"); NULL when there is no such emulator. */
  const char *(*emulator_arch) (const Platform *platform, const char *emulator);
  /* Can a machine be run with this emulator here? FALSE with @error in libvirt's code and words. NULL:
   * documents are completed for any host, and one that names an emulator of another is in order. */
  gboolean (*check_emulator) (const Platform *platform, const char *emulator, GError **error);
  /* Choose firmware for <os firmware=> and <loader type='pflash'> and write it into @def. Gives NULL, or in
   * libvirt's words that none fits. (transfer full) */
  char *(*complete_firmware) (const Platform *platform, DomainDef *def);
  /* Where the files are kept that a machine's guest writes its own state to; NULL: none are chosen. */
  const char *(*store_directory) (const Platform *platform);
  /* Is the host's PCI device of that name ("0000:06:12.5") there, and a conventional one? NULL: nobody knows,
   * and all are taken for PCI Express ones. */
  gboolean (*is_conventional_pci) (const Platform *platform, const char *name);
  gpointer data;
};
