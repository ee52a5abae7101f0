/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which row a definition's machine is, and which emulator runs an architecture. */
#include "cmocka-glib.h"

#include "domain/machines/machine-kind.h"

static const MachineKind *
kind_of (const char *arch, const char *machine)
{
  DomainDef def = { .os = { .arch = (char *)arch, .machine = (char *)machine } };

  return machine_kind_of (&def);
}

static void
test_rows (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *arch, *machine;
    MachineChipset chipset;
    ControllerModel root;
    int virtio;
    SerialModel serial;
  } expected[] = {
    { NULL, "pc-q35-7.2", CHIPSET_Q35, PCIE_ROOT, ADDRESS_PCI, SERIAL_MODEL_ISA_SERIAL },
    { "x86_64", "q35", CHIPSET_Q35, PCIE_ROOT, ADDRESS_PCI, SERIAL_MODEL_ISA_SERIAL },
    { "i686", "pc-i440fx-7.2", CHIPSET_I440FX, PCI_ROOT, ADDRESS_PCI, SERIAL_MODEL_ISA_SERIAL },
    { "x86_64", "pc-1.2", CHIPSET_I440FX, PCI_ROOT, ADDRESS_PCI, SERIAL_MODEL_ISA_SERIAL },
    { "x86_64", "isapc", CHIPSET_NONE, CONTROLLER_MODEL_NONE, ADDRESS_PCI, SERIAL_MODEL_ISA_SERIAL },
    { "aarch64", "virt-10.0", CHIPSET_NONE, PCIE_ROOT, ADDRESS_PCI, SERIAL_MODEL_PL011 },
    { "aarch64", "virtual", CHIPSET_NONE, CONTROLLER_MODEL_NONE, ADDRESS_PCI, SERIAL_MODEL_NONE },
    { "aarch64", "q35", CHIPSET_NONE, CONTROLLER_MODEL_NONE, ADDRESS_PCI, SERIAL_MODEL_NONE },
    { "armv7l", "vexpress-a15", CHIPSET_NONE, CONTROLLER_MODEL_NONE, ADDRESS_VIRTIO_MMIO, SERIAL_MODEL_NONE },
    { "riscv64", "virt", CHIPSET_NONE, PCIE_ROOT, ADDRESS_PCI, SERIAL_MODEL_16550A },
    { "ppc64le", "pseries-7.2", CHIPSET_NONE, PCI_ROOT, ADDRESS_PCI, SERIAL_MODEL_SPAPR_VTY },
    { "s390x", "s390-ccw-virtio", CHIPSET_NONE, PCI_ROOT, ADDRESS_CCW, SERIAL_MODEL_SCLPCONSOLE },
    { "loongarch64", "virt", CHIPSET_NONE, PCIE_ROOT, ADDRESS_PCI, SERIAL_MODEL_16550A },
    { "ia64", NULL, CHIPSET_NONE, CONTROLLER_MODEL_NONE, ADDRESS_PCI, SERIAL_MODEL_NONE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    const MachineKind *kind = kind_of (expected[i].arch, expected[i].machine);

    assert_int_equal (kind->chipset, expected[i].chipset);
    assert_int_equal (kind->pci_root, expected[i].root);
    assert_int_equal (kind->virtio_address, expected[i].virtio);
    assert_int_equal (kind->serial_model, expected[i].serial);
  }
}

static void
test_architectures (void **state G_GNUC_UNUSED)
{
  assert_string_equal (architecture_emulator ("armv7l"), "arm");
  assert_string_equal (architecture_emulator ("i686"), "i386");
  assert_string_equal (architecture_emulator ("sparc"), "sparc");
  assert_true (architecture_runs_on ("i686", "x86_64"));
  assert_true (architecture_runs_on ("armv7l", "aarch64"));
  assert_true (architecture_runs_on ("ppc64le", "ppc64"));
  assert_true (architecture_runs_on ("sparc", "sparc"));
  assert_false (architecture_runs_on ("aarch64", "arm"));
  assert_false (architecture_runs_on ("x86_64", "i386"));
  assert_string_equal (architecture_of_emulator ("/usr/bin/qemu-system-ppc64le", "ppc64"), "ppc64le");
  assert_string_equal (architecture_of_emulator ("/usr/bin/qemu-system-ppc64", "ppc64"), "ppc64");
  assert_string_equal (architecture_of_emulator ("/opt/qemu-kvm", "x86_64"), "x86_64");
  assert_string_equal (architecture_of_emulator ("/usr/bin/qemu-system-arm", "arm"), "armv7l");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_rows),
    cmocka_unit_test (test_architectures),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
