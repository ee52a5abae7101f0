/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The capabilities of a QEMU: from a probe's answers, from our own JSON, and when either lies. */
#include "base/virt-error.h"
#include "targets/qemu/caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const char answers[] =
    "{\"query-version\":{\"qemu\":{\"major\":7,\"minor\":2,\"micro\":5},\"package\":\"x\"},"
    "\"query-target\":{\"arch\":\"x86_64\"},"
    "\"query-kvm\":{\"enabled\":true,\"present\":true},"
    "\"query-machines\":[{\"name\":\"pc-q35-7.2\",\"alias\":\"q35\",\"cpu-max\":288,\"hotpluggable-cpus\":"
    "true,"
    "\"default-cpu-type\":\"qemu64-x86_64-cpu\",\"default-ram-id\":\"pc.ram\"},{\"name\":\"isapc\",\"cpu-"
    "max\":1,\"deprecated\":true,"
    "\"is-default\":true}],"
    "\"qom-list-types\":[{\"name\":\"virtio-blk-pci\",\"parent\":\"p\"},{\"name\":\"e1000\"}],"
    "\"tcg\":{\"query-cpu-definitions\":[{\"name\":\"qemu64\",\"unavailable-features\":[]},"
    "{\"name\":\"EPYC\",\"unavailable-features\":[\"svm\",\"no-such\"],\"deprecated\":true}],"
    "\"query-cpu-model-expansion\":{\"host-cpu\":{\"model\":{\"name\":\"base\",\"props\":{\"vendor\":"
    "\"AuthenticAMD\",\"family\":15,\"model\":107,\"stepping\":1,\"svm\":true,\"avx\":false}}},"
    "\"qemu64\":{\"model\":{\"props\":{\"pclmulqdq\":true,\"lahf-lm\":true,\"vme\":7,\"x\":true}}},\"EPYC\":["
    "]}},"
    "\"kvm\":{\"query-cpu-definitions\":[{\"name\":\"EPYC\",\"unavailable-features\":[]}],"
    "\"query-cpu-model-expansion\":{\"host-cpu\":{\"model\":{\"props\":{\"avx\":true,\"invtsc\":true}}},"
    "\"migratable-host-cpu\":{\"model\":{\"props\":{\"avx\":true}}}}},"
    "\"query-command-line-options\":[{\"option\":\"sandbox\",\"parameters\":[{\"name\":\"spawn\"}]}],"
    "\"query-commands\":[{\"name\":\"set-action\"}],"
    "\"device-list-properties\":{\"virtio-blk-pci\":[{\"name\":\"queue-size\"}]}}";

static QemuCaps *
from_answers (const char *json, GError **error)
{
  g_autoptr (JsonNode) node = json_from_string (json, NULL);

  assert_non_null (node);
  return qemu_caps_from_answers ("/usr/bin/qemu", json_node_get_object (node), error);
}

static void
check_features (const CpuFeatureSet *set, const char *expected)
{
  g_autofree char *names = cpu_feature_set_names (set, " ");

  assert_string_equal (names, expected);
}

static void
check_content (const QemuCaps *caps)
{
  guint count;
  const QemuCpuModel *models = qemu_caps_cpu_models (caps, &count);

  assert_string_equal (qemu_caps_binary (caps), "/usr/bin/qemu");
  assert_string_equal (qemu_caps_arch (caps), "x86_64");
  assert_int_equal (qemu_caps_version (caps), 7002005);
  assert_true (qemu_caps_has_kvm (caps));

  assert_string_equal (qemu_caps_machine (caps, "q35")->name, "pc-q35-7.2");
  assert_ptr_equal (qemu_caps_machine (caps, "q35"), qemu_caps_machine (caps, "pc-q35-7.2"));
  assert_int_equal (qemu_caps_machine (caps, "q35")->cpu_max, 288);
  assert_true (qemu_caps_machine (caps, "q35")->hotpluggable_cpus);
  assert_false (qemu_caps_machine (caps, "q35")->is_default);
  assert_string_equal (qemu_caps_machine (caps, "q35")->default_cpu, "qemu64-x86_64-cpu");
  assert_string_equal (qemu_caps_machine (caps, "q35")->ram_id, "pc.ram");
  assert_true (qemu_caps_machine (caps, "isapc")->is_default);
  assert_true (qemu_caps_machine (caps, "isapc")->deprecated);
  assert_null (qemu_caps_machine (caps, "isapc")->alias);
  assert_null (qemu_caps_machine (caps, "pc"));

  assert_int_equal (count, 2);
  assert_true (models[0].usable[QEMU_ACCEL_TCG]);
  assert_false (models[0].usable[QEMU_ACCEL_KVM]);
  assert_false (models[1].usable[QEMU_ACCEL_TCG]);
  assert_true (models[1].usable[QEMU_ACCEL_KVM]);
  assert_true (models[1].deprecated);
  assert_ptr_equal (qemu_caps_cpu_model (caps, "EPYC"), &models[1]);
  assert_null (qemu_caps_cpu_model (caps, "Haswell"));
  assert_true (models[0].is_described);
  assert_false (models[1].is_described);
  check_features (&models[0].features, "pclmuldq lahf_lm");
  check_features (&models[1].blockers[QEMU_ACCEL_TCG], "svm");
  check_features (&models[1].blockers[QEMU_ACCEL_KVM], "");
  check_features (&qemu_caps_host_cpu (caps, QEMU_ACCEL_TCG)->features, "svm");
  check_features (&qemu_caps_host_cpu (caps, QEMU_ACCEL_TCG)->migratable, "svm");
  assert_string_equal (qemu_caps_host_cpu (caps, QEMU_ACCEL_TCG)->vendor, "AuthenticAMD");
  assert_int_equal (qemu_caps_host_cpu (caps, QEMU_ACCEL_TCG)->model, 107);
  check_features (&qemu_caps_host_cpu (caps, QEMU_ACCEL_KVM)->features, "avx invtsc");
  check_features (&qemu_caps_host_cpu (caps, QEMU_ACCEL_KVM)->migratable, "avx");

  assert_true (qemu_caps_has_type (caps, "e1000"));
  assert_false (qemu_caps_has_type (caps, "e1000e"));
  assert_true (qemu_caps_has_option (caps, "sandbox", "spawn"));
  assert_false (qemu_caps_has_option (caps, "sandbox", "queue-size"));
  assert_true (qemu_caps_has_command (caps, "set-action"));
  assert_true (qemu_caps_has_property (caps, "virtio-blk-pci", "queue-size"));
  assert_false (qemu_caps_has_property (caps, "e1000", "queue-size"));
}

static void
test_answers_are_read (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = from_answers (answers, NULL);

  assert_non_null (caps);
  check_content (caps);
}

static void
test_json_and_back_is_the_same (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) asked = from_answers (answers, NULL);
  g_autofree char *json = qemu_caps_to_json (asked);
  g_autoptr (QemuCaps) read = qemu_caps_from_json (json, -1, NULL);
  g_autofree char *again = NULL;

  assert_non_null (read);
  check_content (read);
  again = qemu_caps_to_json (read);
  assert_string_equal (again, json);
}

static void
test_what_is_missing_is_named (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *json, *missing;
  } cases[] = {
    { "{}", "its architecture is missing" },
    { "{\"query-target\":{\"arch\":\"x86_64\"}}", "its version is missing" },
    { "{\"query-target\":{\"arch\":7}}", "its architecture is missing" },
    { "{\"query-target\":[1,2],\"query-machines\":{\"a\":1},\"qom-list-types\":\"x\"}",
      "its architecture is missing" },
    { "{\"query-target\":{\"arch\":\"a\"},\"query-version\":{\"qemu\":{\"major\":7}}}",
      "list of machines is missing" },
    { "{\"query-target\":{\"arch\":\"a\"},\"query-version\":{\"qemu\":{\"major\":7}},"
      "\"query-machines\":[1,null,{\"name\":\"m\",\"cpu-max\":-5}]}",
      "list of types is missing" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    assert_null (from_answers (cases[i].json, &error));
    assert_int_equal (virt_error_code (error), VIR_ERR_INTERNAL_ERROR);
    assert_non_null (strstr (error->message, cases[i].missing));
  }
}

static void
test_damaged_files_are_refused (void **state G_GNUC_UNUSED)
{
  static const char *const files[] = {
    "",
    "{",
    "[]",
    "null",
    "{\"format\":99}",
    "{\"format\":\"1\"}",
    "{\"format\":2}",
    "{\"format\":2,\"cpu-models\":[{\"name\":\"a\",\"features\":[1],\"tcg\":3}],\"host-cpus\":{\"kvm\":7}}",
    "{\"format\":2,\"arch\":\"x\",\"version\":-1,\"machines\":[{}],\"types\":[3]}"
  };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;

    assert_null (qemu_caps_from_json (files[i], -1, &error));
    assert_non_null (error);
  }
}

static void
test_built_in_ones_are_debians (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (QemuCaps) again = qemu_caps_builtin ();

  assert_ptr_equal (caps, again);
  assert_int_equal (qemu_caps_version (caps) / 1000, 7002);
  assert_string_equal (qemu_caps_machine (caps, "q35")->name, "pc-q35-7.2");
  assert_string_equal (qemu_caps_machine (caps, "pc")->name, "pc-i440fx-7.2");
  assert_true (qemu_caps_machine (caps, "pc")->is_default);
  assert_true (qemu_caps_has_type (caps, "virtio-gpu-gl-device"));
  assert_true (qemu_caps_has_type (caps, "qemu-xhci"));
  assert_true (qemu_caps_has_command (caps, "set-action"));
  assert_true (qemu_caps_has_property (caps, "virtio-balloon-pci", "free-page-reporting"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_answers_are_read),          cmocka_unit_test (test_json_and_back_is_the_same),
    cmocka_unit_test (test_what_is_missing_is_named),  cmocka_unit_test (test_damaged_files_are_refused),
    cmocka_unit_test (test_built_in_ones_are_debians),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
