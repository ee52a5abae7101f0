/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What clients know of CPU models beyond what QEMU tells: libvirt's order, vendors and the processors sold
 * under a name, and where libvirt's idea of a model differs from QEMU's. libvirt's models are older than some
 * of QEMU's corrections and never change, so that documents keep their meaning; QEMU, asked without KVM,
 * leaves vme out of every model, as its emulator has none. The features themselves come from QEMU.
 */
#include "cpu/cpu-models.h"

#include "base/virt-error.h"
#include "cpu/cpu-document.h"

#include <stdio.h>
#include <string.h>

#define FOR_ALL    (CPU_MODEL_FOR_HOST | CPU_MODEL_FOR_GUEST)
#define FOR_HOST   CPU_MODEL_FOR_HOST
#define FOR_NOBODY 0

const CpuModelFact cpu_model_facts[] = {
  { "486", NULL, NULL, FOR_ALL, "", "vme", NULL },
  { "pentium", NULL, NULL, FOR_ALL, "", "vme -apic", NULL },
  { "pentium2", NULL, NULL, FOR_ALL, "", "vme -apic", NULL },
  { "pentium3", NULL, NULL, FOR_ALL, "", "vme -apic", NULL },
  { "pentiumpro", "pentium2", NULL, FOR_ALL, "", "sse sse2 -mca -mtrr -pse36", NULL },
  { "coreduo", NULL, "Intel", FOR_ALL, "", "vme -acpi -ss", NULL },
  { "n270", NULL, "Intel", FOR_ALL, "", "vme -acpi -lahf_lm -movbe -ss", NULL },
  { "core2duo", NULL, "Intel", FOR_ALL, "", "vme -acpi -cx16 -lahf_lm -ss", NULL },
  { "qemu32", NULL, NULL, FOR_ALL, "", "", NULL },
  { "kvm32", NULL, NULL, FOR_ALL, "", "", NULL },
  { "cpu64-rhel5", "qemu64", NULL, FOR_NOBODY, "", "-cx16 -lahf_lm -svm", NULL },
  { "cpu64-rhel6", "qemu64", NULL, FOR_NOBODY, "", "-svm", NULL },
  { "qemu64", NULL, NULL, FOR_ALL, "", "-lahf_lm", NULL },
  { "kvm64", NULL, NULL, FOR_ALL, "", "", NULL },
  { "Conroe", NULL, "Intel", FOR_ALL, "6/15 6/22", "", NULL },
  { "Penryn", NULL, "Intel", FOR_ALL, "6/23 6/29", "", NULL },
  { "Nehalem", NULL, "Intel", FOR_ALL, "6/26 6/30 6/31 6/46", "", NULL },
  { "Nehalem-IBRS", NULL, "Intel", FOR_ALL, "6/26 6/30 6/31 6/46", "", NULL },
  { "Westmere", NULL, "Intel", FOR_ALL, "6/44 6/47 6/37", "-arat -pclmuldq", NULL },
  { "Westmere-IBRS", NULL, "Intel", FOR_ALL, "6/44", "-arat -pclmuldq", NULL },
  { "SandyBridge", NULL, "Intel", FOR_ALL, "6/42 6/45", "-arat -xsaveopt", NULL },
  { "SandyBridge-IBRS", NULL, "Intel", FOR_ALL, "6/42 6/45", "-arat -xsaveopt", NULL },
  { "IvyBridge", NULL, "Intel", FOR_ALL, "6/58 6/62", "vme -arat -xsaveopt", NULL },
  { "IvyBridge-IBRS", NULL, "Intel", FOR_ALL, "6/58 6/62", "vme -arat -xsaveopt", NULL },
  { "Haswell-noTSX", NULL, "Intel", FOR_ALL, "6/60 6/63 6/69 6/70", "-abm -arat -f16c -rdrand -xsaveopt",
    NULL },
  { "Haswell-noTSX-IBRS", NULL, "Intel", FOR_ALL, "6/60 6/63 6/69 6/70", "-abm -arat -f16c -rdrand -xsaveopt",
    NULL },
  { "Haswell", NULL, "Intel", FOR_ALL, "6/60 6/63 6/69 6/70", "-abm -arat -f16c -rdrand -xsaveopt", NULL },
  { "Haswell-IBRS", NULL, "Intel", FOR_ALL, "6/60 6/63 6/69 6/70", "-abm -arat -f16c -rdrand -xsaveopt",
    NULL },
  { "Broadwell-noTSX", NULL, "Intel", FOR_ALL, "6/61 6/71 6/79 6/86", "-abm -arat -f16c -rdrand -xsaveopt",
    NULL },
  { "Broadwell-noTSX-IBRS", NULL, "Intel", FOR_ALL, "6/61 6/71 6/79 6/86",
    "-abm -arat -f16c -rdrand -xsaveopt", NULL },
  { "Broadwell", NULL, "Intel", FOR_ALL, "6/61 6/71 6/79 6/86", "-abm -arat -f16c -rdrand -xsaveopt", NULL },
  { "Broadwell-IBRS", NULL, "Intel", FOR_ALL, "6/61 6/71 6/79 6/86", "-abm -arat -f16c -rdrand -xsaveopt",
    NULL },
  { "Skylake-Client", NULL, "Intel", FOR_ALL, "6/94 6/78 6/142 6/158", "mpx vme", NULL },
  { "Skylake-Client-IBRS", NULL, "Intel", FOR_ALL, "6/94 6/78 6/142 6/158", "mpx vme", NULL },
  { "Skylake-Client-noTSX-IBRS", NULL, "Intel", FOR_HOST, "6/94 6/78 6/142 6/158", "mpx vme", NULL },
  { "Skylake-Server", NULL, "Intel", FOR_ALL, "6/85/0-4", "mpx vme -clflushopt -pku", NULL },
  { "Skylake-Server-IBRS", NULL, "Intel", FOR_ALL, "6/85/0-4", "mpx vme -pku", NULL },
  { "Skylake-Server-noTSX-IBRS", NULL, "Intel", FOR_HOST, "6/85/0-4", "mpx vme -pku", NULL },
  { "Cascadelake-Server", NULL, "Intel", FOR_ALL, "6/85/5-7", "mpx vme -pku", NULL },
  { "Cascadelake-Server-noTSX", NULL, "Intel", FOR_HOST, "6/85/5-7",
    "mpx vme -arch-capabilities -ibrs-all -mds-no -pku -rdctl-no -skip-l1dfl-vmentry", NULL },
  { "Icelake-Client", "Icelake-Server", "Intel", FOR_ALL, "6/126",
    "mpx vme -avx512bw -avx512cd -avx512dq -avx512f -avx512vl -clflushopt -clwb -la57 -pdpe1gb", "intel-pt" },
  { "Icelake-Client-noTSX", "Icelake-Server-noTSX", "Intel", FOR_HOST, "6/126",
    "mpx vme -avx512bw -avx512cd -avx512dq -avx512f -avx512vl -clflushopt -clwb -la57 -pdpe1gb", "intel-pt" },
  { "Icelake-Server", NULL, "Intel", FOR_ALL, "6/106", "mpx vme", "intel-pt" },
  { "Icelake-Server-noTSX", NULL, "Intel", FOR_HOST, "6/106", "mpx vme", "intel-pt" },
  { "Cooperlake", NULL, "Intel", FOR_ALL, "6/85/10-11", "vme", NULL },
  { "Snowridge", NULL, "Intel", FOR_ALL, "6/134", "vme -monitor -mpx", NULL },
  { "athlon", NULL, "AMD", FOR_ALL, "", "vme -mca", NULL },
  { "phenom", NULL, "AMD", FOR_ALL, "", "-abm -cx16 -lahf_lm -npt -pdpe1gb -popcnt -rdtscp -sse4a", NULL },
  { "Opteron_G1", NULL, "AMD", FOR_ALL, "15/6", "", NULL },
  { "Opteron_G2", NULL, "AMD", FOR_ALL, "15/6", "rdtscp", NULL },
  { "Opteron_G3", NULL, "AMD", FOR_ALL, "15/6", "-monitor", "monitor" },
  { "Opteron_G4", NULL, "AMD", FOR_ALL, "21/1", "-npt -nrip-save", NULL },
  { "Opteron_G5", NULL, "AMD", FOR_ALL, "21/2", "-npt -nrip-save", NULL },
  { "EPYC", NULL, "AMD", FOR_ALL, "23/1", "vme -monitor -npt -nrip-save -topoext", "monitor" },
  { "EPYC-IBPB", NULL, "AMD", FOR_ALL, "23/1", "vme -monitor -npt -nrip-save -topoext", "monitor" },
  { "EPYC-Rome", NULL, "AMD", FOR_ALL, "23/49", "vme -monitor -topoext -xsaves", NULL },
  { "EPYC-Milan", NULL, "AMD", FOR_ALL, "25/1", "vme -monitor -topoext", NULL },
  { "Dhyana", NULL, "Hygon", FOR_ALL, "24/0", "vme -monitor -npt -nrip-save -topoext", "monitor" },
  { NULL, NULL, NULL, 0, NULL, NULL, NULL },
};

const CpuModelFact *
cpu_model_find (const char *name)
{
  for (const CpuModelFact *fact = cpu_model_facts; name != NULL && fact->name != NULL; fact++)
    if (strcmp (fact->name, name) == 0)
      return fact;
  return NULL;
}

gboolean
cpu_model_features (const CpuModelFact *model, const QemuCaps *caps, CpuFeatureSet *ret)
{
  const QemuCpuModel *told = qemu_caps_cpu_model (caps, model->like != NULL ? model->like : model->name);

  if (told == NULL || !told->is_described)
    return FALSE;
  *ret = told->features;
  cpu_feature_set_apply (ret, "-hypervisor"); /* of every model in QEMU, and of no processor */
  cpu_feature_set_apply (ret, model->difference);
  return TRUE;
}

gboolean
cpu_model_has_signature (const CpuModelFact *model, const CpuSignature *signature)
{
  g_auto (GStrv) words = g_strsplit (model->signatures, " ", -1);

  for (guint i = 0; words[i] != NULL; i++) {
    guint family = 0, number = 0, first = 0, last = G_MAXUINT;

    if (sscanf (words[i], "%u/%u/%u-%u", &family, &number, &first, &last) >= 2 && family == signature->family
        && number == signature->model && signature->stepping >= first && signature->stepping <= last)
      return TRUE;
  }
  return FALSE;
}

static const struct {
  const char *id, *name;
} vendors[] = { { "GenuineIntel", "Intel" }, { "AuthenticAMD", "AMD" }, { "HygonGenuine", "Hygon" } };

const char *
cpu_vendor_from_id (const char *id)
{
  for (guint i = 0; i < G_N_ELEMENTS (vendors); i++)
    if (g_strcmp0 (id, vendors[i].id) == 0)
      return vendors[i].name;
  return NULL;
}

gboolean
cpu_vendor_is_known (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (vendors); i++)
    if (g_strcmp0 (name, vendors[i].name) == 0)
      return TRUE;
  return FALSE;
}

static const char *const power_models[] = { "POWER6",  "POWER7",        "POWER8",        "POWER9",
                                            "POWER10", "POWERPC_e5500", "POWERPC_e6500", NULL };

const char **
cpu_model_names (const char *arch, GError **error)
{
  static const char *const x86[] = { "x86_64", "i686", NULL };
  static const char *const power[] = { "ppc64", "ppc64le", NULL };
  static const char *const any[] = { "aarch64", "armv6l", "armv7b", "armv7l", "s390", "s390x", NULL };
  GPtrArray *names;

  if (!architecture_is_known (arch)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot find architecture %s", arch);
    return NULL;
  }
  if (!g_strv_contains (x86, arch) && !g_strv_contains (power, arch) && !g_strv_contains (any, arch)) {
    virt_error_set (error, VIR_ERR_NO_SUPPORT, "'%s' architecture is not supported by CPU driver", arch);
    return NULL;
  }
  names = g_ptr_array_new ();
  for (const CpuModelFact *fact = cpu_model_facts; g_strv_contains (x86, arch) && fact->name != NULL; fact++)
    g_ptr_array_add (names, (gpointer)fact->name);
  for (guint i = 0; g_strv_contains (power, arch) && power_models[i] != NULL; i++)
    g_ptr_array_add (names, (gpointer)power_models[i]);
  g_ptr_array_add (names, NULL);
  return (const char **)g_ptr_array_free (names, FALSE);
}
