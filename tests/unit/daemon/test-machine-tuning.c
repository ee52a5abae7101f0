/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much memory a machine's process has to be able to lock. */
#include "cmocka-glib.h"
#include "model-platform.h"

#include "daemon/drivers/qemu/machine-tuning.h"

#include <sys/resource.h>

#define GIB (1024 * 1024 * 1024ULL)
#define PCI(slot, more) \
  "<hostdev type='pci'><source><address bus='6' slot='" slot "' function='0'/></source>" more "</hostdev>"
#define MDEV                                                                                             \
  "<hostdev type='mdev' model='vfio-pci'><source><address uuid='53764d0e-85a0-42b4-af5c-2046b460b1dc'/>" \
  "</source></hostdev>"
#define USB "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>"

static const struct {
  const char *parts, *devices;
  guint64 bytes;
} rows[] = {
  { "", "", 0 },
  { "", USB, 0 },
  { "", PCI ("1", "<address type='unassigned'/>"), 0 },
  { "", PCI ("1", "") PCI ("2", ""), 3 * GIB },
  { "", MDEV, 3 * GIB },
  { "", "<iommu model='intel'/>" PCI ("1", "") MDEV, 5 * GIB },
  { "<memtune><hard_limit unit='GiB'>7</hard_limit></memtune>", PCI ("1", ""), 7 * GIB },
  { "<memtune><hard_limit unit='GiB'>7</hard_limit></memtune>", USB, 0 },
  { "<memoryBacking><locked/></memoryBacking>", "", RLIM_INFINITY },
  { "<memoryBacking><locked/></memoryBacking>", PCI ("1", ""), RLIM_INFINITY },
};

static void
test_memory_that_is_locked (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *xml =
        g_strdup_printf ("<domain type='qemu'><name>t</name><memory unit='GiB'>2</memory>%s<os><type "
                         "arch='x86_64' machine='q35'>hvm</type></os><devices>%s</devices></domain>",
                         rows[i].parts, rows[i].devices);
    g_autoptr (Diagnostics) diagnostics = diagnostics_new ("t");
    g_autoptr (DomainDef) def = domain_def_parse (xml, -1, 0, &test_platform, diagnostics);
    g_autofree char *mistakes = diagnostics_to_text (diagnostics);

    assert_string_equal (mistakes, "");
    assert_int_equal (tuning_lock_limit (def), rows[i].bytes);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (test_memory_that_is_locked) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
