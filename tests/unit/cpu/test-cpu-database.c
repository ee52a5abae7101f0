/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPUs: named, compared, and what several have in common, with the models of Debian 12's QEMU. The answers
 * are those of libvirt 9.0. */
#include "base/virt-error.h"
#include "cpu/cpu-database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define HOST(model, vendor, more) "<cpu><arch>x86_64</arch><model>" model "</model>" vendor more "</cpu>"
#define INTEL                     "<vendor>Intel</vendor>"
#define AMD                       "<vendor>AMD</vendor>"

static CpuDocument *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  CpuDocument *document = cpu_document_parse (text, 0, &error);

  assert_null (error);
  return document;
}

static void
test_features_have_names_and_places (void **state G_GNUC_UNUSED)
{
  CpuFeatureSet set = { 0 };
  g_autofree char *names = NULL;

  assert_int_equal (cpu_feature_find ("pclmuldq"), 32 + 1);
  assert_int_equal (cpu_feature_find ("pclmulqdq"), 32 + 1);
  assert_int_equal (cpu_feature_find ("lahf-lm"), cpu_feature_find ("lahf_lm"));
  assert_int_equal (cpu_feature_find ("no-such"), -1);
  assert_string_equal (cpu_feature_qemu_name ("tsc_adjust"), "tsc-adjust");
  assert_string_equal (cpu_feature_qemu_name ("sse4.1"), "sse4.1");
  assert_string_equal (cpu_feature_nearest ("invtcs"), "invtsc");
  assert_true (cpu_feature_stays_here ((guint)cpu_feature_find ("invtsc")));
  cpu_feature_set_apply (&set, "svm fpu avx2 no-such -avx2 rdctl-no");
  names = cpu_feature_set_names (&set, ", ");
  assert_string_equal (names, "fpu, svm, rdctl-no");
}

static void
test_each_model_is_described (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();

  for (const CpuModelFact *fact = cpu_model_facts; fact->name != NULL; fact++) {
    CpuFeatureSet set = { 0 };

    assert_true (cpu_model_features (fact, caps, &set));
    assert_true (cpu_feature_set_has (&set, (guint)cpu_feature_find ("fpu")));
    assert_false (cpu_feature_set_has (&set, (guint)cpu_feature_find ("hypervisor")));
    assert_ptr_equal (cpu_model_find (fact->name), fact);
    assert_true (fact->vendor == NULL || cpu_vendor_is_known (fact->vendor));
  }
}

static void
test_comparisons (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *host, *cpu;
    int result;
    const char *reason;
  } cases[] = {
    { HOST ("Haswell", INTEL, ""), HOST ("Haswell", INTEL, ""), VIR_CPU_COMPARE_IDENTICAL, NULL },
    { HOST ("Haswell", INTEL, ""), "<cpu><model>Nehalem</model></cpu>", VIR_CPU_COMPARE_SUPERSET, NULL },
    { HOST ("Haswell", INTEL, ""), "<cpu/>", VIR_CPU_COMPARE_SUPERSET, NULL },
    { HOST ("Haswell-noTSX", INTEL, ""), "<cpu><model>Haswell</model></cpu>", VIR_CPU_COMPARE_INCOMPATIBLE,
      "Host CPU does not provide required features: hle, rtm" },
    { HOST ("Haswell-noTSX", INTEL, ""),
      "<cpu><model>Haswell</model><feature policy='disable' name='rtm'/><feature policy='optional' "
      "name='hle'/></cpu>",
      VIR_CPU_COMPARE_IDENTICAL, NULL },
    { HOST ("Haswell", INTEL, ""), "<cpu><model>486</model><feature policy='forbid' name='avx2'/></cpu>",
      VIR_CPU_COMPARE_INCOMPATIBLE, "Host CPU provides forbidden features: avx2" },
    { HOST ("486", "", ""), "<cpu><model>486</model><feature policy='force' name='vmx'/></cpu>",
      VIR_CPU_COMPARE_IDENTICAL, NULL },
    { HOST ("486", "", "<feature name='mmx'/>"), "<cpu match='strict'><model>486</model></cpu>",
      VIR_CPU_COMPARE_INCOMPATIBLE, "Host CPU does not strictly match guest CPU: Extra features: mmx" },
    { HOST ("EPYC", AMD, ""), "<cpu><model>486</model><vendor>Intel</vendor></cpu>",
      VIR_CPU_COMPARE_INCOMPATIBLE, "host CPU vendor does not match required CPU vendor Intel" },
    { HOST ("EPYC", AMD, ""), "<cpu><arch>aarch64</arch><model>486</model></cpu>",
      VIR_CPU_COMPARE_INCOMPATIBLE, "CPU arch aarch64 does not match host arch" },
  };
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (CpuDocument) host = parse (cases[i].host), cpu = parse (cases[i].cpu);
    g_autofree char *reason = NULL;

    assert_int_equal (cpu_compare (caps, host->cpu, cpu, &reason, NULL), cases[i].result);
    if (cases[i].reason == NULL)
      assert_null (reason);
    else
      assert_string_equal (reason, cases[i].reason);
  }
}

static void
test_unknown_names_are_refused (void **state G_GNUC_UNUSED)
{
  static const char *const cases[][2] = {
    { "<cpu><model>Foo</model></cpu>", "internal error: Unknown CPU model Foo" },
    { "<cpu><model>486</model><feature policy='require' name='invtcs'/></cpu>",
      "internal error: Unknown CPU feature invtcs; did you mean 'invtsc'?" },
  };
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (CpuDocument) host = parse (HOST ("486", "", ""));

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (CpuDocument) cpu = parse (cases[i][0]);
    g_autoptr (GError) error = NULL;
    g_autofree char *reason = NULL;

    assert_int_equal (cpu_compare (caps, host->cpu, cpu, &reason, &error), VIR_CPU_COMPARE_ERROR);
    assert_string_equal (error->message, cases[i][1]);
  }
}

/* The baseline of the CPUs; the error's text when there is none. */
static char *
baseline (const char *const *texts, guint count)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (GPtrArray) cpus = g_ptr_array_new_with_free_func ((GDestroyNotify)cpu_document_free);
  g_autoptr (GError) error = NULL;
  DomainCpu *cpu;
  char *result;

  for (guint i = 0; i < count; i++)
    g_ptr_array_add (cpus, parse (texts[i]));
  cpu = cpu_baseline (caps, cpus, NULL, FALSE, &error);
  result = cpu != NULL ? cpu_to_xml (cpu) : g_strdup (error->message);
  field_free (&domain_cpu_table, cpu);
  return result;
}

static void
test_baselines (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *cpus[2], *result;
  } cases[] = {
    { { HOST ("EPYC", AMD, ""), HOST ("EPYC", AMD, "<feature name='osxsave'/>") },
      "<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>EPYC</model>\n  <vendor>AMD</vendor>\n"
      "  <feature policy='disable' name='monitor'/>\n</cpu>\n" },
    { { HOST ("486", "", ""), HOST ("pentium", "", "") },
      "<cpu mode='custom' match='exact'>\n  <model fallback='allow'>486</model>\n</cpu>\n" },
    { { HOST ("Haswell", INTEL, ""), HOST ("EPYC", AMD, "") }, "operation failed: CPU vendors do not match" },
    { { HOST ("486", "<vendor>Cyrix</vendor>", ""), HOST ("486", "", "") },
      "operation failed: Unknown CPU vendor Cyrix" },
    { { HOST ("486", "", ""), HOST ("EPYC", INTEL, "") },
      "operation failed: CPU vendor AMD of model EPYC differs from vendor Intel" },
    { { HOST ("486", "", ""), "<cpu mode='host-passthrough'/>" },
      "invalid argument: no CPU model specified at index 1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *result = baseline (cases[i].cpus, 2);

    assert_string_equal (result, cases[i].result);
  }
}

static void
test_expanding_sorts_by_name (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (CpuDocument) document = parse ("<cpu><model>486</model><feature policy='disable' name='vme'/>"
                                            "<feature policy='require' name='avx'/></cpu>");
  g_autofree char *xml = NULL;

  assert_true (cpu_expand (caps, document->cpu, NULL));
  xml = cpu_to_xml (document->cpu);
  assert_string_equal (xml,
                       "<cpu>\n  <model>486</model>\n  <feature policy='require' name='avx'/>\n"
                       "  <feature policy='require' name='fpu'/>\n  <feature policy='require' name='pse'/>\n"
                       "  <feature policy='disable' name='vme'/>\n</cpu>\n");
}

/* A processor is named by what it was sold as, before any other measure. */
static void
test_a_processor_is_named_by_its_signature (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  CpuData data = { .vendor = "Intel", .signature = { 6, 60, 3 } };
  CpuDecode request = { .caps = caps, .data = &data, .is_host = TRUE };
  DomainCpu *cpu;

  assert_true (cpu_model_features (cpu_model_find ("Haswell"), caps, &data.features));
  cpu = cpu_decode (&request, NULL);
  assert_string_equal (cpu->model, "Haswell-noTSX"); /* its TSX is broken */
  field_free (&domain_cpu_table, cpu);

  data.signature = (CpuSignature){ 6, 63, 4 };
  cpu = cpu_decode (&request, NULL);
  assert_string_equal (cpu->model, "Haswell");
  assert_string_equal (cpu->vendor, "Intel");
  assert_null (cpu->features);
  field_free (&domain_cpu_table, cpu);
}

static void
test_the_host_model_of_the_emulator (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  DomainCpu *cpu = cpu_host_model (caps, QEMU_ACCEL_TCG, TRUE, NULL);
  g_autoptr (GError) error = NULL;

  assert_string_equal (cpu->model, "EPYC");
  assert_string_equal (cpu->vendor, "AMD");
  assert_int_equal (cpu->fallback, CPU_FALLBACK_FORBID);
  assert_int_equal (cpu->features->len, 28);
  field_free (&domain_cpu_table, cpu);
  assert_null (cpu_host_model (caps, QEMU_ACCEL_KVM, TRUE, &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_OPERATION_UNSUPPORTED);
}

static void
test_documents_that_are_refused (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *text;
    guint flags;
    virErrorNumber code;
    const char *message;
  } cases[] = {
    { "<cpu", 0, VIR_ERR_XML_DETAIL, "(CPU_definition):1" },
    { "<foo/>", 0, VIR_ERR_XML_ERROR, "XML does not contain expected 'cpu' element" },
    { "<cpu><arch>x86_64</arch></cpu>", 0, VIR_ERR_XML_ERROR, "Missing CPU model name" },
    { "<cpu><arch>foo</arch><model>486</model></cpu>", 0, VIR_ERR_CONFIG_UNSUPPORTED,
      "Unknown architecture foo" },
    { "<cpu match='exact'><arch>x86_64</arch><model>486</model></cpu>", 0, VIR_ERR_XML_ERROR,
      "'arch' element cannot be used" },
    { "<cpu mode='custom'><arch>x86_64</arch><model>486</model></cpu>", 0, VIR_ERR_CONFIG_UNSUPPORTED,
      "Attribute mode is only allowed for guest CPU" },
    { "<cpu><model>486</model></cpu>", CPU_DOCUMENT_HOST_ONLY, VIR_ERR_XML_ERROR,
      "Missing CPU architecture" },
    { "<cpu><vendor>AMD</vendor></cpu>", 0, VIR_ERR_XML_ERROR, "CPU vendor specified without CPU model" },
    { "<cpu><feature name='vme'/></cpu>", 0, VIR_ERR_XML_ERROR, "Non-empty feature list specified without" },
    { "<cpu><model>486</model><feature name='vme'/><feature name='vme'/></cpu>", 0, VIR_ERR_XML_ERROR,
      "CPU feature 'vme' specified more than once" },
    { "<cpu><model>486</model><feature name=''/></cpu>", 0, VIR_ERR_XML_ERROR, "Invalid CPU feature name" },
    { "<cpu><model vendor_id='foo'>486</model></cpu>", 0, VIR_ERR_XML_ERROR, "vendor_id must be exactly 12" },
    { "<cpu><model>486</model><foo/></cpu>", CPU_DOCUMENT_VALIDATE, VIR_ERR_XML_INVALID_SCHEMA, "cpu" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    assert_null (cpu_document_parse (cases[i].text, cases[i].flags, &error));
    assert_int_equal (virt_error_code (error), cases[i].code);
    assert_non_null (strstr (error->message, cases[i].message));
  }
}

static void
test_a_host_s_document_fits_the_schema (void **state G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CpuDocument) document = cpu_document_parse (
      "<cpu><arch>x86_64</arch><model>486</model><microcode version='1'/><signature family='6' model='1' "
      "stepping='2'/>"
      "<counter name='tsc' frequency='2596120000' scaling='no'/><topology sockets='1' dies='1' cores='2' "
      "threads='1'/>"
      "<maxphysaddr mode='emulate' bits='48'/><feature name='vme'/><pages unit='KiB' size='4'/></cpu>",
      CPU_DOCUMENT_VALIDATE, &error);

  assert_null (error);
  assert_true (document->is_host);
  assert_string_equal (document->arch, "x86_64");
}

static void
test_names_of_models (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *arch;
    guint count;
    int code;
  } cases[] = { { "x86_64", 58, 0 },
                { "i686", 58, 0 },
                { "ppc64", 7, 0 },
                { "aarch64", 0, 0 },
                { "riscv64", 0, VIR_ERR_NO_SUPPORT },
                { "foo", 0, VIR_ERR_INVALID_ARG } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree const char **names = cpu_model_names (cases[i].arch, &error);

    assert_int_equal (names == NULL ? (int)virt_error_code (error) : 0, cases[i].code);
    if (names != NULL)
      assert_int_equal (g_strv_length ((char **)names), cases[i].count);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_features_have_names_and_places),
    cmocka_unit_test (test_each_model_is_described),
    cmocka_unit_test (test_comparisons),
    cmocka_unit_test (test_unknown_names_are_refused),
    cmocka_unit_test (test_baselines),
    cmocka_unit_test (test_expanding_sorts_by_name),
    cmocka_unit_test (test_a_processor_is_named_by_its_signature),
    cmocka_unit_test (test_the_host_model_of_the_emulator),
    cmocka_unit_test (test_documents_that_are_refused),
    cmocka_unit_test (test_a_host_s_document_fits_the_schema),
    cmocka_unit_test (test_names_of_models),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
