/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The .vmx of a machine: what stands outside of its devices. Names and their order are those that libvirt
 * writes. The guest's system is not in a document: 'other' is what VMware calls one it knows nothing of.
 */
#include "targets/vmware/vmware-private.h"

#include "base/scalars.h"

#include <string.h>

#define HARDWARE_VERSION "13" /* of ESXi 6.5 and Workstation 14, the first with all that is written here */
#define MEMORY_STEP      (4 * 1024) /* KiB */
#define MIB_IN_KIB       1024
#define SHARES_PER_CPU   1000 /* what VMware calls normal; half of it low, twice high */
#define FILE_NAME_SUFFIX ".vmx"

void
vmx_add (VmxWriter *writer, const char *value, const char *name, ...)
{
  g_autofree char *full = NULL, *escaped = value != NULL ? vmx_escape (value) : NULL;
  va_list arguments;

  if (value == NULL)
    return;
  va_start (arguments, name);
  full = g_strdup_vprintf (name, arguments);
  va_end (arguments);
  g_string_append_printf (writer->text, "%s = \"%s\"\n", full, escaped);
}

static void
add_number (VmxWriter *writer, const char *name, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  vmx_add (writer, text, "%s", name);
}

/* "56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15" */
static void
add_uuid (VmxWriter *writer)
{
  guint8 bytes[UUID_BYTES];
  g_autoptr (GString) text = g_string_new (NULL);

  if (writer->def->uuid == NULL || !uuid_parse (writer->def->uuid, bytes))
    return;
  for (guint i = 0; i < UUID_BYTES; i++)
    g_string_append_printf (text, "%s%02x", i == 0 ? "" : i == UUID_BYTES / 2 ? "-" : " ", bytes[i]);
  vmx_add (writer, text->str, "uuid.bios");
}

static guint64
steps_of (guint64 kib)
{
  return (kib / MEMORY_STEP + (kib % MEMORY_STEP != 0)) * (MEMORY_STEP / MIB_IN_KIB);
}

static void
add_memory (VmxWriter *writer)
{
  const DomainDef *def = writer->def;

  if (def->memory.value % MEMORY_STEP != 0)
    target_lose (writer->losses, NULL, "memory",
                 "has memory in steps of 4 MiB: dropped, it is %" G_GUINT64_FORMAT " MiB",
                 steps_of (def->memory.value));
  add_number (writer, "memsize", steps_of (def->memory.value));
  if (def->current_memory.set && def->current_memory.value < def->memory.value)
    add_number (writer, "sched.mem.max", steps_of (def->current_memory.value));
  if (def->memtune.min_guarantee.set)
    add_number (writer, "sched.mem.minsize", def->memtune.min_guarantee.value / MIB_IN_KIB);
}

static void
add_affinity (VmxWriter *writer)
{
  const char *mistake = NULL;
  g_autoptr (CpuSet) set =
      writer->def->vcpu_cpuset != NULL ? cpu_set_parse (writer->def->vcpu_cpuset, &mistake) : NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; set != NULL && i < CPU_SET_MAX; i++)
    if (cpu_set_contains (set, i))
      g_string_append_printf (text, "%s%u", text->len > 0 ? "," : "", i);
  if (set != NULL)
    vmx_add (writer, text->str, "sched.cpu.affinity");
}

static void
add_shares (VmxWriter *writer)
{
  const DomainDef *def = writer->def;
  guint64 shares = def->cputune.shares.value, normal = SHARES_PER_CPU * def->vcpus.value;

  if (!def->cputune.shares.set)
    return;
  if (shares == normal / 2 || shares == normal || shares == normal * 2)
    vmx_add (writer, shares < normal ? "low" : shares == normal ? "normal" : "high", "sched.cpu.shares");
  else
    add_number (writer, "sched.cpu.shares", shares);
}

static void
add_processors (VmxWriter *writer)
{
  const DomainDef *def = writer->def;
  const CpuTopology *topology = def->cpu != NULL ? def->cpu->topology : NULL;

  if (def->vcpus_current.set && def->vcpus_current.value != def->vcpus.value)
    target_lose (writer->losses, NULL, "vcpu current=", "begins with all processors");
  add_number (writer, "numvcpus", def->vcpus.value);
  if (topology != NULL
      && (topology->threads.value > 1 || topology->dies.value > 1 || topology->clusters.value > 1))
    target_lose (writer->losses, NULL, "cpu/topology",
                 "knows sockets and cores, and no threads, dies and clusters");
  else if (topology != NULL && topology->cores.value > 0)
    add_number (writer, "cpuid.coresPerSocket", topology->cores.value);
  add_affinity (writer);
  add_shares (writer);
}

static void
add_firmware (VmxWriter *writer)
{
  const DomainOs *os = &writer->def->os;

  if (os->firmware != FIRMWARE_EFI && os->loader_type != LOADER_TYPE_PFLASH)
    return;
  vmx_add (writer, "efi", "firmware");
  if (os_firmware_feature (os, OS_FIRMWARE_SECURE_BOOT) == TRISTATE_YES || os->loader_secure == TRISTATE_YES)
    vmx_add (writer, "TRUE", "uefi.secureBoot.enabled");
}

/* Without them PCI Express devices have no slots. */
static void
add_bridges (VmxWriter *writer)
{
  vmx_add (writer, "true", "pciBridge0.present");
  for (guint i = 4; i <= 7; i++) {
    vmx_add (writer, "true", "pciBridge%u.present", i);
    vmx_add (writer, "pcieRootPort", "pciBridge%u.virtualDev", i);
    vmx_add (writer, "8", "pciBridge%u.functions", i);
  }
  vmx_add (writer, "true", "vmci0.present");
}

static gboolean
check_architecture (VmxWriter *writer)
{
  const char *arch = writer->def->os.arch;

  if (arch == NULL || g_str_equal (arch, "x86_64") || g_str_equal (arch, "i686"))
    return g_strcmp0 (arch, "i686") != 0;
  target_refuse (writer->losses, NULL, "os/type", "runs the architectures 'x86_64' and 'i686', not '%s'",
                 arch);
  return TRUE;
}

gboolean
vmx_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
               G_GNUC_UNUSED GError **error)
{
  VmxWriter writer = { request->def, losses, config, g_string_new (NULL) };
  gboolean is_64 = check_architecture (&writer);

  vmx_add (&writer, "UTF-8", ".encoding");
  vmx_add (&writer, "8", "config.version");
  vmx_add (&writer, HARDWARE_VERSION, "virtualHW.version");
  vmx_add (&writer, is_64 ? "other-64" : "other", "guestOS");
  add_uuid (&writer);
  vmx_add (&writer, request->def->name, "displayName");
  vmx_add (&writer, request->def->description, "annotation");
  add_memory (&writer);
  add_processors (&writer);
  vmx_add_vnc (&writer);
  vmx_add_disks (&writer);
  vmx_add_folders (&writer);
  vmx_add_ethernets (&writer);
  vmx_add_video (&writer);
  vmx_add_ports (&writer);
  add_firmware (&writer);
  add_bridges (&writer);
  vmx_lose_others (&writer);
  target_config_add_file (config, "machine" FILE_NAME_SUFFIX, g_string_free (writer.text, FALSE));
  return TRUE;
}
