/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's processor, by the CPUID instruction: the kernel's own list of flags leaves out what it does not
 * use and names things its own way. Registers that only the kernel may read are asked of KVM, as is the
 * frequency of the time stamp counter; where there is no KVM they stay unknown.
 */
#include "daemon/host/host-cpu.h"

#include "daemon/host/node.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

#define EXTENDED_LEAVES    0x80000000u
#define LEAF_STRUCTURED    7u
#define LEAF_ADDRESS_SIZES 0x80000008u
#define KHZ                1000u

typedef struct {
  guint32 registers[4]; /* CpuRegister */
} CpuidAnswer;

/* Zeros for a leaf the processor does not have. */
static CpuidAnswer
ask_cpuid (guint32 leaf, guint32 subleaf)
{
  CpuidAnswer answer = { 0 };
  guint32 *r = answer.registers;

  if ((guint32)__get_cpuid_max (leaf & EXTENDED_LEAVES, NULL) >= leaf)
    __cpuid_count (leaf, subleaf, r[CPU_REGISTER_EAX], r[CPU_REGISTER_EBX], r[CPU_REGISTER_ECX],
                   r[CPU_REGISTER_EDX]);
  return answer;
}

/* A subleaf beyond the last would be answered with another one's content. */
static gboolean
has_subleaf (const CpuWord *word)
{
  return word->leaf != LEAF_STRUCTURED || word->subleaf == 0
         || ask_cpuid (LEAF_STRUCTURED, 0).registers[CPU_REGISTER_EAX] >= word->subleaf;
}

/* The low half of a register of the processor's model, as KVM lets guests see it; 0 when it cannot be read.
 */
static guint32
read_msr (guint32 index)
{
  g_autofree struct kvm_msrs *request = g_malloc0 (sizeof (struct kvm_msrs) + sizeof (struct kvm_msr_entry));
  int kvm = open ("/dev/kvm", O_RDWR | O_CLOEXEC);
  int count;

  request->nmsrs = 1;
  request->entries[0].index = index;
  count = kvm >= 0 ? ioctl (kvm, KVM_GET_MSRS, request) : -1;
  if (kvm >= 0)
    close (kvm);
  return count == 1 ? (guint32)request->entries[0].data : 0;
}

static void
read_features (CpuFeatureSet *set)
{
  for (guint i = 0; i < CPU_FEATURE_WORDS; i++) {
    const CpuWord *word = &cpu_words[i];

    if (word->kind == CPU_WORD_CPUID && has_subleaf (word))
      set->words[i] = ask_cpuid (word->leaf, word->subleaf).registers[word->result];
  }
  /* The processor says of these registers that it has them. */
  for (guint i = 0; i < CPU_FEATURE_WORDS; i++)
    if (cpu_words[i].kind == CPU_WORD_MSR
        && (cpu_feature_set_has (set, (guint)cpu_feature_find ("arch-capabilities"))
            || cpu_feature_set_has (set, (guint)cpu_feature_find ("core-capability"))))
      set->words[i] = read_msr (cpu_words[i].leaf);
  cpu_feature_set_keep_named (set);
}

static void
read_identity (HostCpuFacts *facts)
{
  CpuidAnswer basic = ask_cpuid (0, 0);
  guint32 signature = ask_cpuid (1, 0).registers[CPU_REGISTER_EAX];
  guint family = signature >> 8 & 0xf, model = signature >> 4 & 0xf;
  char id[13] = { 0 };

  memcpy (id, &basic.registers[CPU_REGISTER_EBX], 4);
  memcpy (id + 4, &basic.registers[CPU_REGISTER_EDX], 4);
  memcpy (id + 8, &basic.registers[CPU_REGISTER_ECX], 4);
  facts->data.vendor = cpu_vendor_from_id (id);
  facts->data.signature.family = family == 0xf ? family + (signature >> 20 & 0xff) : family;
  facts->data.signature.model =
      family == 0x6 || family == 0xf ? model + ((signature >> 16 & 0xf) << 4) : model;
  facts->data.signature.stepping = signature & 0xf;
  facts->physical_bits = ask_cpuid (LEAF_ADDRESS_SIZES, 0).registers[CPU_REGISTER_EAX] & 0xff;
}

/* A virtual CPU's counter runs as the host's does. */
static void
read_tsc (HostCpuFacts *facts)
{
  int kvm = open ("/dev/kvm", O_RDWR | O_CLOEXEC);
  int machine = kvm >= 0 ? ioctl (kvm, KVM_CREATE_VM, 0) : -1;
  int vcpu = machine >= 0 ? ioctl (machine, KVM_CREATE_VCPU, 0) : -1;
  int khz = vcpu >= 0 ? ioctl (vcpu, KVM_GET_TSC_KHZ) : 0;

  if (khz > 0) {
    facts->tsc_frequency = (guint64)khz * KHZ;
    facts->tsc_scaling = ioctl (kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0;
  }
  if (vcpu >= 0)
    close (vcpu);
  if (machine >= 0)
    close (machine);
  if (kvm >= 0)
    close (kvm);
}

static gpointer
read_everything (gpointer unused G_GNUC_UNUSED)
{
  static HostCpuFacts facts;
  g_autofree char *microcode = node_cpu_microcode ();

  read_features (&facts.data.features);
  read_identity (&facts);
  read_tsc (&facts);
  facts.microcode = microcode != NULL ? g_ascii_strtoull (microcode, NULL, 0) : 0;
  return &facts;
}
#else
static gpointer
read_everything (gpointer unused G_GNUC_UNUSED)
{
  static HostCpuFacts nothing;

  return &nothing;
}
#endif

const HostCpuFacts *
host_cpu_get (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, read_everything, NULL);
}

DomainCpu *
host_cpu_model (const QemuCaps *caps, GError **error)
{
  CpuDecode request = { .caps = caps, .data = &host_cpu_get ()->data, .is_host = TRUE };

  return cpu_decode (&request, error);
}
