/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What <cpu> of a document comes to by emulation with Debian 12's QEMU, and what a running machine says of
 * it. The answers are those of libvirt 9.0. */
#include "base/virt-error.h"
#include "targets/qemu/cpu-guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define EPYC                                                                                                \
  "EPYC +acpi +ss +monitor +hypervisor +erms +mpx +pcommit +clwb +umip +pku +vaes +la57 +pks +3dnowext "    \
  "+3dnow +npt "                                                                                            \
  "+vgif +svme-addr-chk -vme -rdseed -sha-ni -xsavec -fxsr_opt -misalignsse -3dnowprefetch -osvw -topoext " \
  "-nrip-save"

static DomainCpu *
parse (const char *text)
{
  g_autoptr (CpuDocument) document = cpu_document_parse (text, 0, NULL);

  assert_non_null (document);
  return g_steal_pointer (&document->cpu);
}

/* "EPYC +avx -vme": the model, and its features by what is said of them. */
static char *
describe (const DomainCpu *cpu)
{
  static const char *const signs[] = { "?", "force:", "+", "optional:", "-", "forbid:" };
  GString *text = g_string_new (cpu->model);

  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    g_string_append_printf (text, " %s%s", signs[feature->policy], feature->name);
  }
  return g_string_free (text, FALSE);
}

/* Resolved by emulation on a host that has what QEMU emulates; the error's text when it is refused. */
static char *
resolve (const char *text)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  CpuData physical = { .vendor = "AMD" };
  CpuGuest guest = { .caps = caps, .accel = QEMU_ACCEL_TCG, .physical = &physical };
  g_autoptr (GError) error = NULL;
  DomainCpu *cpu = parse (text);
  char *result;

  if (!cpu_resolve (&guest, cpu, &error))
    result = g_strdup (error->message);
  else {
    assert_true (cpu->model == NULL || cpu->fallback == CPU_FALLBACK_FORBID);
    assert_int_not_equal (cpu->mode, CPU_MODE_HOST_MODEL);
    result = describe (cpu);
  }
  field_free (&domain_cpu_table, cpu);
  return result;
}

static void
test_documents_become_models (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *text, *result;
  } cases[] = {
    { "<cpu><model>qemu64</model></cpu>", "qemu64" },
    { "<cpu mode='host-model'/>", EPYC },
    { "<cpu match='minimum'><model>Conroe</model></cpu>", EPYC },
    { "<cpu mode='host-model'><feature policy='disable' name='avx2'/><feature policy='optional' name='vmx'/>"
      "<feature policy='optional' name='aes'/></cpu>",
      EPYC " -avx2 -vmx +aes" },
    { "<cpu><model>EPYC</model><feature policy='require' name='avx512f'/></cpu>", "EPYC +avx512f -monitor" },
    { "<cpu><model>486</model><feature policy='force' name='vme'/><feature policy='forbid' name='cx16'/>"
      "<feature policy='require' name='osxsave'/></cpu>",
      "486 force:vme forbid:cx16" },
    { "<cpu><model>pentiumpro</model></cpu>", "qemu32 -pni" },
    { "<cpu><model fallback='forbid'>pentiumpro</model></cpu>",
      "unsupported configuration: CPU model pentiumpro is not supported by hypervisor" },
    { "<cpu><model>Denverton</model></cpu>", "Denverton" },
    { "<cpu><model>Opteron_G33</model></cpu>", "unsupported configuration: Unknown CPU model Opteron_G33: "
                                               "/usr/bin/qemu-system-x86_64 does not know it; did you "
                                               "mean 'Opteron_G3'?" },
    { "<cpu><model>486</model><feature policy='disable' name='invtcs'/></cpu>",
      "unsupported configuration: unknown CPU feature: invtcs; did you mean 'invtsc'?" },
    { "<cpu mode='host-model'><feature policy='disable' name='xyzzyxyzzy'/></cpu>",
      "unsupported configuration: unknown CPU feature: xyzzyxyzzy" },
    { "<cpu check='partial'><model>Nehalem</model></cpu>", "Nehalem" },
    { "<cpu check='partial'><model>486</model><feature policy='require' name='vmx'/></cpu>",
      "the CPU is incompatible with host CPU: Host CPU does not provide required features: vme, vmx" },
    { "<cpu check='partial'><model>Conroe</model><vendor>Intel</vendor></cpu>",
      "the CPU is incompatible with host CPU: host CPU vendor does not match required CPU vendor Intel" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *result = resolve (cases[i].text);

    assert_string_equal (result, cases[i].result);
  }
}

/* Resolving what was resolved changes nothing: a machine that is restored keeps its processor. */
static void
test_resolving_twice_is_resolving_once (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  CpuGuest guest = { .caps = caps, .accel = QEMU_ACCEL_TCG };
  DomainCpu *cpu = parse ("<cpu mode='host-model'/>"), *once;

  assert_true (cpu_resolve (&guest, cpu, NULL));
  once = field_copy (&domain_cpu_table, cpu);
  assert_true (cpu_resolve (&guest, cpu, NULL));
  assert_null (field_compare (&domain_cpu_table, once, cpu, 0));
  field_free (&domain_cpu_table, once);
  field_free (&domain_cpu_table, cpu);
}

static void
test_what_the_guest_got (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *text, *more, *filtered, *result;
    virErrorNumber code;
  } cases[] = {
    { "<cpu check='none'><model>486</model></cpu>", "hypervisor -vme", "vme", "486 -vme +hypervisor", 0 },
    { "<cpu check='partial'><model>486</model><feature policy='require' name='vmx'/></cpu>", "hypervisor",
      "vmx", "486 -vmx +hypervisor", 0 },
    { "<cpu check='none'><model>486</model></cpu>", "", "topoext", "486 -topoext", 0 },
    { "<cpu check='full'><model>486</model></cpu>", "", "", "486", 0 },
    { "<cpu check='full'><model>486</model></cpu>", "hypervisor npt -vme", "topoext",
      "operation failed: guest CPU doesn't match specification: extra features: hypervisor,npt, missing "
      "features: "
      "vme,topoext",
      VIR_ERR_OPERATION_FAILED },
    { "<cpu check='full'><model>486</model></cpu>", "hypervisor", "",
      "operation failed: guest CPU doesn't match specification: extra features: hypervisor",
      VIR_ERR_OPERATION_FAILED },
    { "<cpu check='none'><model>486</model><feature policy='require' name='invtsc'/></cpu>", "", "invtsc",
      "unsupported configuration: host doesn't support invariant TSC", VIR_ERR_CONFIG_UNSUPPORTED },
  };
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DomainCpu *cpu = parse (cases[i].text);
    CpuFeatureSet enabled = { 0 }, filtered = { 0 };
    g_autoptr (GError) error = NULL;
    g_autofree char *result = NULL;

    assert_true (cpu_model_features (cpu_model_find ("486"), caps, &enabled));
    cpu_feature_set_apply (&enabled, cases[i].more);
    cpu_feature_set_apply (&filtered, cases[i].filtered);
    if (cpu_update_live (caps, cpu, &enabled, &filtered, &error))
      assert_int_equal (cpu->check, CPU_CHECK_FULL);
    result = error != NULL ? g_strdup (error->message) : describe (cpu);
    assert_string_equal (result, cases[i].result);
    assert_int_equal (error != NULL ? (int)virt_error_code (error) : 0, cases[i].code);
    field_free (&domain_cpu_table, cpu);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_documents_become_models),
    cmocka_unit_test (test_resolving_twice_is_resolving_once),
    cmocka_unit_test (test_what_the_guest_got),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
