/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where each feature of an x86 processor is told, from the manuals of Intel and AMD, and what libvirt calls
 * it. The order of the words and bits is the order in which libvirt lists features.
 *
 * QEMU spells names with dashes where libvirt has underscores; the one other difference is pclmulqdq.
 */
#include "cpu/cpu-features.h"

#include "base/enum-table.h"

#include <string.h>

const CpuWord cpu_words[CPU_FEATURE_WORDS] = {
  { CPU_WORD_CPUID,
    0x1,
    0,
    CPU_REGISTER_EDX,
    { [0] = "fpu",      [1] = "vme",  [2] = "de",    [3] = "pse",  [4] = "tsc",    [5] = "msr",
      [6] = "pae",      [7] = "mce",  [8] = "cx8",   [9] = "apic", [11] = "sep",   [12] = "mtrr",
      [13] = "pge",     [14] = "mca", [15] = "cmov", [16] = "pat", [17] = "pse36", [18] = "pn",
      [19] = "clflush", [21] = "ds",  [22] = "acpi", [23] = "mmx", [24] = "fxsr",  [25] = "sse",
      [26] = "sse2",    [27] = "ss",  [28] = "ht",   [29] = "tm",  [30] = "ia64",  [31] = "pbe" } },
  { CPU_WORD_CPUID,
    0x1,
    0,
    CPU_REGISTER_ECX,
    { [0] = "pni",      [1] = "pclmuldq", [2] = "dtes64",        [3] = "monitor", [4] = "ds_cpl",
      [5] = "vmx",      [6] = "smx",      [7] = "est",           [8] = "tm2",     [9] = "ssse3",
      [10] = "cid",     [12] = "fma",     [13] = "cx16",         [14] = "xtpr",   [15] = "pdcm",
      [17] = "pcid",    [18] = "dca",     [19] = "sse4.1",       [20] = "sse4.2", [21] = "x2apic",
      [22] = "movbe",   [23] = "popcnt",  [24] = "tsc-deadline", [25] = "aes",    [26] = "xsave",
      [27] = "osxsave", [28] = "avx",     [29] = "f16c",         [30] = "rdrand", [31] = "hypervisor" } },
  { CPU_WORD_CPUID, 0x6, 0, CPU_REGISTER_EAX, { [2] = "arat" } },
  { CPU_WORD_CPUID,
    0x7,
    0,
    CPU_REGISTER_EBX,
    { [0] = "fsgsbase",    [1] = "tsc_adjust", [2] = "sgx",       [3] = "bmi1",        [4] = "hle",
      [5] = "avx2",        [7] = "smep",       [8] = "bmi2",      [9] = "erms",        [10] = "invpcid",
      [11] = "rtm",        [12] = "cmt",       [14] = "mpx",      [16] = "avx512f",    [17] = "avx512dq",
      [18] = "rdseed",     [19] = "adx",       [20] = "smap",     [21] = "avx512ifma", [22] = "pcommit",
      [23] = "clflushopt", [24] = "clwb",      [25] = "intel-pt", [26] = "avx512pf",   [27] = "avx512er",
      [28] = "avx512cd",   [29] = "sha-ni",    [30] = "avx512bw", [31] = "avx512vl" } },
  { CPU_WORD_CPUID,
    0x7,
    0,
    CPU_REGISTER_ECX,
    { [1] = "avx512vbmi",  [2] = "umip",          [3] = "pku",
      [4] = "ospke",       [5] = "waitpkg",       [6] = "avx512vbmi2",
      [8] = "gfni",        [9] = "vaes",          [10] = "vpclmulqdq",
      [11] = "avx512vnni", [12] = "avx512bitalg", [14] = "avx512-vpopcntdq",
      [16] = "la57",       [22] = "rdpid",        [24] = "bus-lock-detect",
      [25] = "cldemote",   [27] = "movdiri",      [28] = "movdir64b",
      [30] = "sgxlc",      [31] = "pks" } },
  { CPU_WORD_CPUID,
    0x7,
    0,
    CPU_REGISTER_EDX,
    { [2] = "avx512-4vnniw",
      [3] = "avx512-4fmaps",
      [4] = "fsrm",
      [8] = "avx512-vp2intersect",
      [10] = "md-clear",
      [14] = "serialize",
      [16] = "tsx-ldtrk",
      [18] = "pconfig",
      [19] = "arch-lbr",
      [22] = "amx-bf16",
      [23] = "avx512-fp16",
      [24] = "amx-tile",
      [25] = "amx-int8",
      [26] = "spec-ctrl",
      [27] = "stibp",
      [29] = "arch-capabilities",
      [30] = "core-capability",
      [31] = "ssbd" } },
  { CPU_WORD_CPUID, 0x7, 1, CPU_REGISTER_EAX, { [4] = "avx-vnni", [5] = "avx512-bf16" } },
  { CPU_WORD_CPUID,
    0xd,
    1,
    CPU_REGISTER_EAX,
    { [0] = "xsaveopt", [1] = "xsavec", [2] = "xgetbv1", [3] = "xsaves", [4] = "xfd" } },
  { CPU_WORD_CPUID, 0xf, 1, CPU_REGISTER_EDX, { [1] = "mbm_total", [2] = "mbm_local" } },
  { CPU_WORD_CPUID, 0x12, 0, CPU_REGISTER_EAX, { [0] = "sgx1", [1] = "sgx2" } },
  { CPU_WORD_CPUID, 0x12, 0, CPU_REGISTER_EBX, { [0] = "sgx-exinfo" } },
  { CPU_WORD_CPUID,
    0x12,
    1,
    CPU_REGISTER_EAX,
    { [1] = "sgx-debug",
      [2] = "sgx-mode64",
      [4] = "sgx-provisionkey",
      [5] = "sgx-tokenkey",
      [7] = "sgx-kss" } },
  { CPU_WORD_CPUID, 0x14, 0, CPU_REGISTER_ECX, { [31] = "intel-pt-lip" } },
  { CPU_WORD_CPUID,
    0x80000001,
    0,
    CPU_REGISTER_EDX,
    { [11] = "syscall",
      [20] = "nx",
      [22] = "mmxext",
      [25] = "fxsr_opt",
      [26] = "pdpe1gb",
      [27] = "rdtscp",
      [29] = "lm",
      [30] = "3dnowext",
      [31] = "3dnow" } },
  { CPU_WORD_CPUID,
    0x80000001,
    0,
    CPU_REGISTER_ECX,
    { [0] = "lahf_lm",  [1] = "cmp_legacy",    [2] = "svm",         [3] = "extapic",       [4] = "cr8legacy",
      [5] = "abm",      [6] = "sse4a",         [7] = "misalignsse", [8] = "3dnowprefetch", [9] = "osvw",
      [10] = "ibs",     [11] = "xop",          [12] = "skinit",     [13] = "wdt",          [15] = "lwp",
      [16] = "fma4",    [17] = "tce",          [18] = "cvt16",      [19] = "nodeid_msr",   [21] = "tbm",
      [22] = "topoext", [23] = "perfctr_core", [24] = "perfctr_nb" } },
  { CPU_WORD_CPUID, 0x80000007, 0, CPU_REGISTER_EDX, { [8] = "invtsc" } },
  { CPU_WORD_CPUID,
    0x80000008,
    0,
    CPU_REGISTER_EBX,
    { [0] = "clzero",
      [2] = "xsaveerptr",
      [9] = "wbnoinvd",
      [12] = "ibpb",
      [14] = "ibrs",
      [15] = "amd-stibp",
      [24] = "amd-ssbd",
      [25] = "virt-ssbd",
      [26] = "amd-no-ssb" } },
  { CPU_WORD_CPUID,
    0x8000000a,
    0,
    CPU_REGISTER_EDX,
    { [0] = "npt",
      [1] = "lbrv",
      [2] = "svm-lock",
      [3] = "nrip-save",
      [4] = "tsc-scale",
      [5] = "vmcb-clean",
      [6] = "flushbyasid",
      [7] = "decodeassists",
      [10] = "pause-filter",
      [12] = "pfthreshold",
      [13] = "avic",
      [15] = "v-vmsave-vmload",
      [16] = "vgif",
      [28] = "svme-addr-chk" } },
  { CPU_WORD_MSR,
    0x10a,
    0,
    CPU_REGISTER_EAX,
    { [0] = "rdctl-no",
      [1] = "ibrs-all",
      [2] = "rsba",
      [3] = "skip-l1dfl-vmentry",
      [4] = "ssb-no",
      [5] = "mds-no",
      [6] = "pschange-mc-no",
      [7] = "tsx-ctrl",
      [8] = "taa-no" } },
  { CPU_WORD_MSR, 0xcf, 0, CPU_REGISTER_EAX, { [5] = "split-lock-detect" } },
};

/* Both spellings of every feature → index + 1. */
static gpointer
load_names (gpointer unused G_GNUC_UNUSED)
{
  GHashTable *names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < CPU_FEATURE_COUNT; i++) {
    const char *name = cpu_feature_name (i);

    if (name == NULL)
      continue;
    g_hash_table_insert (names, (gpointer)name, GUINT_TO_POINTER (i + 1));
    g_hash_table_insert (names, (gpointer)cpu_feature_qemu_name (name), GUINT_TO_POINTER (i + 1));
  }
  return names;
}

int
cpu_feature_find (const char *name)
{
  static GOnce once = G_ONCE_INIT;

  return (int)GPOINTER_TO_UINT (g_hash_table_lookup (g_once (&once, load_names, NULL), name)) - 1;
}

const char *
cpu_feature_name (guint index)
{
  return cpu_words[index / 32].names[index % 32];
}

const char *
cpu_feature_qemu_name (const char *name)
{
  g_autofree char *dashed = NULL;

  if (strcmp (name, "pclmuldq") == 0)
    return "pclmulqdq";
  if (strchr (name, '_') == NULL)
    return name;
  dashed = g_strdelimit (g_strdup (name), "_", '-');
  return g_intern_string (dashed);
}

gboolean
cpu_feature_stays_here (guint index)
{
  const char *name = cpu_feature_name (index);

  return name != NULL && (strcmp (name, "invtsc") == 0 || strcmp (name, "xsaves") == 0);
}

const char *
cpu_feature_nearest (const char *name)
{
  const char *names[CPU_FEATURE_COUNT + 1];
  guint count = 0;

  for (guint i = 0; i < CPU_FEATURE_COUNT; i++)
    if (cpu_feature_name (i) != NULL)
      names[count++] = cpu_feature_name (i);
  names[count] = NULL;
  return nearest_word (name, names);
}

void
cpu_feature_set_add (CpuFeatureSet *set, guint index)
{
  set->words[index / 32] |= 1u << (index % 32);
}

void
cpu_feature_set_remove (CpuFeatureSet *set, guint index)
{
  set->words[index / 32] &= ~(1u << (index % 32));
}

gboolean
cpu_feature_set_has (const CpuFeatureSet *set, guint index)
{
  return (set->words[index / 32] & (1u << (index % 32))) != 0;
}

gboolean
cpu_feature_set_is_empty (const CpuFeatureSet *set)
{
  static const CpuFeatureSet empty;

  return cpu_feature_set_is_subset (set, &empty);
}

gboolean
cpu_feature_set_is_subset (const CpuFeatureSet *set, const CpuFeatureSet *of)
{
  for (guint i = 0; i < CPU_FEATURE_WORDS; i++)
    if ((set->words[i] & ~of->words[i]) != 0)
      return FALSE;
  return TRUE;
}

void
cpu_feature_set_intersect (CpuFeatureSet *set, const CpuFeatureSet *with)
{
  for (guint i = 0; i < CPU_FEATURE_WORDS; i++)
    set->words[i] &= with->words[i];
}

void
cpu_feature_set_unite (CpuFeatureSet *set, const CpuFeatureSet *with)
{
  for (guint i = 0; i < CPU_FEATURE_WORDS; i++)
    set->words[i] |= with->words[i];
}

void
cpu_feature_set_subtract (CpuFeatureSet *set, const CpuFeatureSet *what)
{
  for (guint i = 0; i < CPU_FEATURE_WORDS; i++)
    set->words[i] &= ~what->words[i];
}

void
cpu_feature_set_keep_named (CpuFeatureSet *set)
{
  for (guint i = 0; i < CPU_FEATURE_COUNT; i++)
    if (cpu_feature_name (i) == NULL)
      cpu_feature_set_remove (set, i);
}

char *
cpu_feature_set_names (const CpuFeatureSet *set, const char *separator)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < CPU_FEATURE_COUNT; i++)
    if (cpu_feature_set_has (set, i) && cpu_feature_name (i) != NULL)
      g_string_append_printf (text, "%s%s", text->len > 0 ? separator : "", cpu_feature_name (i));
  return g_string_free (text, FALSE);
}

void
cpu_feature_set_apply (CpuFeatureSet *set, const char *names)
{
  g_auto (GStrv) words = g_strsplit (names, " ", -1);

  for (guint i = 0; words[i] != NULL; i++) {
    gboolean take = words[i][0] == '-';
    int index = cpu_feature_find (words[i] + (take ? 1 : 0));

    if (index < 0)
      continue;
    if (take)
      cpu_feature_set_remove (set, (guint)index);
    else
      cpu_feature_set_add (set, (guint)index);
  }
}
