/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/platform.h"

/* A platform for tests of the model: QEMU 7.2 as far as completion asks, without a QEMU. */
#define TEST_EMULATOR "/usr/bin/qemu-system-x86_64"

static const char *const test_machines[] = { "q35",  "pc",      "pc-q35-7.2", "pc-i440fx-7.2",
                                             "none", "microvm", NULL };

static const char *
test_default_emulator (const Platform *platform G_GNUC_UNUSED, const char *arch)
{
  return g_strcmp0 (arch, "x86_64") == 0 ? TEST_EMULATOR : NULL;
}

static const char *
test_default_arch (const Platform *platform G_GNUC_UNUSED)
{
  return "x86_64";
}

static const char *
test_canonical_machine (const Platform *platform G_GNUC_UNUSED, const char *emulator, const char *machine)
{
  if (g_strcmp0 (emulator, TEST_EMULATOR) != 0)
    return NULL;
  if (machine == NULL || g_str_equal (machine, "pc"))
    return "pc-i440fx-7.2";
  if (g_str_equal (machine, "q35"))
    return "pc-q35-7.2";
  return g_strv_contains (test_machines, machine) ? machine : NULL;
}

static const char *const *
test_list_machines (const Platform *platform G_GNUC_UNUSED, const char *emulator)
{
  return g_strcmp0 (emulator, TEST_EMULATOR) == 0 ? test_machines : NULL;
}

static gboolean
test_has_device (const Platform *platform G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED,
                 const char *device G_GNUC_UNUSED)
{
  return TRUE;
}

static guint
test_max_vcpus (const Platform *platform G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED,
                const char *machine)
{
  return g_str_has_prefix (machine, "pc-q35") ? 288 : 255;
}

static gboolean
test_has_kvm (const Platform *platform G_GNUC_UNUSED)
{
  return TRUE;
}

static const Platform test_platform = {
  .default_emulator = test_default_emulator,
  .default_arch = test_default_arch,
  .canonical_machine = test_canonical_machine,
  .machines = test_list_machines,
  .has_device = test_has_device,
  .max_vcpus = test_max_vcpus,
  .has_kvm = test_has_kvm,
};
