/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a check tells of the host beyond what a start refuses: why there is no KVM, whether there is memory,
 * and what can be done about a refusal. */
#include "daemon/drivers/qemu/start-check.h"
#include "daemon/host/kvm-advice.h"
#include "daemon/host/memory-room.h"

#include "cmocka-glib.h"
#include <glib/gstdio.h>
#include <string.h>

#define INTEL   "processor\t: 0\nmodel name\t: X\nflags\t\t: fpu vmx sse\n"
#define AMD     "processor\t: 0\nflags\t\t: fpu svm\n"
#define NEITHER "processor\t: 0\nflags\t\t: fpu svmlock\n"
#define GUEST   "processor\t: 0\nflags\t\t: fpu hypervisor\n"

static void
test_kvm (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *cpuinfo;
    const char *there[2]; /* below the host's root */
    const char *words;
  } rows[] = {
    { INTEL, { NULL, NULL }, "modprobe kvm_intel" },
    { AMD, { NULL, NULL }, "modprobe kvm_amd" },
    { INTEL, { "sys/module/kvm_intel", NULL }, "/dev/kvm is missing" },
    { AMD, { "sys/module/kvm_amd", "dev/kvm" }, "usermod -aG kvm ann" },
    { NEITHER, { NULL, NULL }, "firmware's setup" },
    { GUEST, { NULL, NULL }, "nested virtualization" },
    { "", { NULL, NULL }, "firmware's setup" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *host = g_dir_make_tmp ("kvm-XXXXXX", NULL), *advice = NULL;
    KvmFacts facts;

    for (guint k = 0; k < 2 && rows[i].there[k] != NULL; k++) {
      g_autofree char *path = g_build_filename (host, rows[i].there[k], NULL);

      assert_int_equal (g_mkdir_with_parents (path, 0755), 0);
    }
    kvm_facts_read (rows[i].cpuinfo, host, &facts);
    advice = kvm_advice (&facts, "ann");
    assert_non_null (strstr (advice, rows[i].words));
    for (guint k = 0; k < 2 && rows[i].there[k] != NULL; k++) {
      g_autofree char *path = g_build_filename (host, rows[i].there[k], NULL);

      while (strlen (path) > strlen (host) && g_rmdir (path) == 0) {
        char *above = g_path_get_dirname (path);

        g_free (path);
        path = above;
      }
    }
    g_rmdir (host);
  }
}

#define MEMINFO                                                                                            \
  "MemTotal:       8000 kB\nMemFree: 100 kB\nMemAvailable:   3000 kB\nSwapTotal: 2000 kB\nSwapFree: 1000 " \
  "kB\n"                                                                                                   \
  "CommitLimit:  6000 kB\nCommitted_AS: 5500 kB\nHugepagesize:       2048 kB\n"

static void
test_memory (G_GNUC_UNUSED void **state)
{
  static const struct {
    guint overcommit;
    guint64 wanted;
    MemoryRoom room;
    guint64 left;
  } rows[] = {
    { 0, 4000, MEMORY_FITS, 4000 },      { 0, 4001, MEMORY_IS_SHORT, 4000 },
    { 0, 10000, MEMORY_IS_SHORT, 4000 }, { 0, 10001, MEMORY_REFUSED, 10000 },
    { 1, 99999, MEMORY_IS_SHORT, 4000 }, { 2, 501, MEMORY_REFUSED, 500 },
    { 2, 500, MEMORY_FITS, 4000 },
  };
  guint64 left;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    assert_int_equal (memory_room (MEMINFO, rows[i].overcommit, rows[i].wanted, &left), rows[i].room);
    assert_int_equal (left, rows[i].left);
  }
  assert_int_equal (meminfo_value (MEMINFO, "Hugepagesize"), 2048);
  assert_int_equal (meminfo_value (MEMINFO, "Huge"), 0);
  assert_int_equal (meminfo_value ("", "MemTotal"), 0);
}

static void
test_cures (G_GNUC_UNUSED void **state)
{
  static const char *const rows[][2] = {
    { "Unable to find 'swtpm' binary in $PATH; it is in package swtpm", "apt install swtpm" },
    { "no emulator for architecture 'aarch64' is installed (package qemu-system-arm)",
      "apt install qemu-system-arm" },
    { "Cannot access storage file '/srv/a.qcow2': No such file or directory (disk 'vda')",
      "qemu-img create -f qcow2 '/srv/a.qcow2' SIZE makes an empty one; or correct its path" },
    { "'/a' is not in format 'qcow2', as <driver type='qcow2'/> says: it is 'raw'", "<driver type='raw'/>" },
    { "network 'lan' is not active", "domctl net-start lan" },
    { "storage pool 'fast' containing volume 'a' is not active", "virsh pool-start fast" },
    { "PCI device 0000:06:12.5 is in use by driver QEMU, domain web", "domctl shutdown web" },
    { "something nobody has heard of", NULL },
    { "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *cure = check_cure (rows[i][0]);

    if (rows[i][1] == NULL)
      assert_null (cure);
    else
      assert_string_equal (cure, rows[i][1]);
  }
}

static void
test_places (G_GNUC_UNUSED void **state)
{
  g_autoptr (GPtrArray) findings = check_findings_new ();
  g_autoptr (GError) error = NULL;
  const CheckFinding *first, *second;

  virt_error_set (&error, VIR_ERR_XML_DETAIL, "%s", "(domain):3:12: bad\n(domain):4:1: worse\nno place");
  check_add_document (findings, error);
  assert_int_equal (findings->len, 3);
  first = g_ptr_array_index (findings, 0);
  second = g_ptr_array_index (findings, 1);
  assert_int_equal (first->where.line, 3);
  assert_int_equal (first->where.column, 12);
  assert_string_equal (first->what, "bad");
  assert_int_equal (second->where.line, 4);
  check_add (findings, "files", CHECK_WARNING, NULL, "what of '%s'", "/srv/a");
  assert_true (check_mentions (findings, "/srv/a"));
  assert_false (check_mentions (findings, "/srv"));
  for (guint i = 0; i < 2 * CHECK_FINDINGS_MAX; i++)
    check_add (findings, "files", CHECK_NOTE, NULL, "%u", i);
  assert_int_equal (findings->len, CHECK_FINDINGS_MAX);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_kvm),
    cmocka_unit_test (test_memory),
    cmocka_unit_test (test_cures),
    cmocka_unit_test (test_places),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
