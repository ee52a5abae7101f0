/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Why KVM cannot be used, from what the kernel shows without asking for it: the processor's flags (which the
 * kernel takes away where the firmware has locked Intel's), the modules, the device. The order is the one in
 * which each of them needs the one before.
 */
#include "daemon/host/kvm-advice.h"

#include <string.h>

#define CPUINFO "/proc/cpuinfo"

/* Is @word among the flags of the first processor? */
static gboolean
has_flag (const char *cpuinfo, const char *word)
{
  const char *line = strstr (cpuinfo, "\nflags");
  gsize length = line != NULL ? strcspn (line + 1, "\n") : 0;
  g_autofree char *flags = line != NULL ? g_strndup (line + 1, length) : g_strdup ("");
  g_auto (GStrv) words = g_strsplit_set (flags, " \t:", -1);

  return g_strv_contains ((const char *const *)words, word);
}

void
kvm_facts_read (const char *cpuinfo, const char *host, KvmFacts *ret)
{
  g_autofree char *device = g_build_filename (host, "dev/kvm", NULL), *module = NULL;

  *ret = (KvmFacts){ .vendor_module = has_flag (cpuinfo, "vmx")   ? "kvm_intel"
                                      : has_flag (cpuinfo, "svm") ? "kvm_amd"
                                                                  : NULL,
                     .is_guest = has_flag (cpuinfo, "hypervisor"),
                     .device_there = g_file_test (device, G_FILE_TEST_EXISTS) };
  module =
      g_build_filename (host, "sys/module", ret->vendor_module != NULL ? ret->vendor_module : "kvm", NULL);
  ret->module_loaded = g_file_test (module, G_FILE_TEST_IS_DIR);
}

char *
kvm_advice (const KvmFacts *facts, const char *account)
{
  if (facts->device_there)
    return g_strdup_printf ("/dev/kvm is there, and is closed to '%s': usermod -aG kvm %s, and log in again",
                            account, account);
  if (facts->vendor_module == NULL && facts->is_guest)
    return g_strdup (
        "this host is a virtual machine whose processor has neither the flag vmx nor svm: its own "
        "host has to switch nested virtualization on (<cpu mode='host-passthrough'/> there)");
  if (facts->vendor_module == NULL)
    return g_strdup (
        "the processor shows neither the flag vmx nor svm: switch Intel VT-x or AMD SVM on in the "
        "firmware's setup; without such a switch it has no hardware virtualization");
  if (!facts->module_loaded)
    return g_strdup_printf ("modprobe %s; where that says 'Operation not supported', the switch in the "
                            "firmware's setup (Intel VT-x, AMD SVM) is off",
                            facts->vendor_module);
  return g_strdup ("the module is loaded and /dev/kvm is missing: in a container it has to be passed in; "
                   "elsewhere 'modprobe -r kvm_intel kvm_amd kvm' and 'modprobe kvm' make it anew");
}

char *
kvm_advice_here (const char *account)
{
  g_autofree char *cpuinfo = NULL;
  KvmFacts facts;

  if (!g_file_get_contents (CPUINFO, &cpuinfo, NULL, NULL))
    cpuinfo = g_strdup ("");
  kvm_facts_read (cpuinfo, "/", &facts);
  return kvm_advice (&facts, account);
}
