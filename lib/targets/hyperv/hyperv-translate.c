/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document as a script that makes the machine with Hyper-V's own commands: its config is binary, and
 * whatever makes one must be asked to. A machine with UEFI is of the second generation, one with a BIOS of
 * the first. The script stops at its first error, so that no half of a machine is taken for one.
 */
#include "targets/hyperv/hyperv-target.h"

#include "base/translate-mark.h"
#include "targets/hyperv/hyperv-private.h"

#define MEMORY_STEP 2048 /* KiB */

#define OWN_DISPLAY "shows its display by VMConnect alone"

static const TargetPart parts[] = {
  CARRIED ("name"),
  LOST ("uuid", "makes the UUID itself"),
  CARRIED ("title"),
  CARRIED ("description"),
  CARRIED ("memory"),
  CARRIED ("currentMemory"),
  CARRIED ("vcpu"),
  LOST ("vcpu@current", "adds no processors to a running machine"),
  LOST ("vcpu@cpuset", "pins no processors"),
  CARRIED ("os@firmware"),
  CARRIED ("os/firmware"),
  CARRIED ("os/type"),
  NEEDLESS ("os/type@machine"),
  CARRIED ("os/loader"),
  LOST ("os/nvram", "keeps UEFI's variables itself"),
  CARRIED ("os/boot"),
  LOST ("os/kernel", "boots no kernel directly"),
  LOST ("os/initrd", "boots no kernel directly"),
  LOST ("os/cmdline", "boots no kernel directly"),
  NEEDLESS ("features/acpi"),
  NEEDLESS ("features/apic"),
  NEEDLESS ("features/pae"),
  NEEDLESS ("features/hyperv"),
  CARRIED ("features/smm"),
  CARRIED ("cpu@mode"),
  NEEDLESS ("cpu@check"),
  NEEDLESS ("cpu@match"),
  NEEDLESS ("cpu@migratable"),
  CARRIED ("cpu/topology"),
  CARRIED ("cpu/feature"),
  LOST ("cpu/model", "shows the host's processor as it is"),
  CARRIED ("clock"),
  NEEDLESS ("clock/timer"),
  CARRIED ("on_poweroff"),
  CARRIED ("on_reboot"),
  CARRIED ("on_crash"),
  NEEDLESS ("devices/emulator"),
  NEEDLESS ("devices/*/address"),
  NEEDLESS ("devices/controller"),
  CARRIED ("devices/disk@type"),
  CARRIED ("devices/disk@device"),
  NEEDLESS ("devices/disk/driver@name"),
  CARRIED ("devices/disk/driver@type"),
  CARRIED ("devices/disk/driver@cache"),
  CARRIED ("devices/disk/source"),
  CARRIED ("devices/disk/target"),
  CARRIED ("devices/disk/readonly"),
  LOST ("devices/disk/boot", "has the order of <os><boot>"),
  CARRIED ("devices/interface@type"),
  CARRIED ("devices/interface/mac"),
  CARRIED ("devices/interface/source"),
  CARRIED ("devices/interface/model"),
  CARRIED ("devices/interface/vlan"),
  CARRIED ("devices/interface/link"),
  CARRIED ("devices/serial"),
  LOST ("devices/serial/log", "keeps no log of a port"),
  CARRIED ("devices/tpm"),
  LOST ("devices/graphics", OWN_DISPLAY),
  LOST ("devices/video/model@type", "has one kind of display"),
  CARRIED ("devices/video/model/resolution"),
  LOST ("devices/filesystem", "shares no directories"),
  LOST ("devices/hostdev", "knows devices of its host by their places on Windows, which no document says"),
  LOST ("devices/vsock", "has sockets without a CID"),
  LOST ("devices/sound", "has no sound"),
  CARRIED ("devices/input"),
  LOST ("qemu:commandline", "takes no option of QEMU's"),
  { NULL, TARGET_LOST, NULL },
};

void
hyperv_add (HypervScript *script, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (script->script, format, arguments);
  va_end (arguments);
  g_string_append_c (script->script, '\n');
}

static void
check_domain (const DomainDef *def, TargetLosses *losses)
{
  if (def->os.type != OS_TYPE_HVM)
    target_refuse (losses, NULL, "<os><type>", "runs machines: <os><type>hvm</type>");
  if (def->os.arch != NULL && !g_str_equal (def->os.arch, "x86_64") && !g_str_equal (def->os.arch, "aarch64"))
    target_refuse (losses, NULL, "<os><type arch=>", "runs guests of 'x86_64' and 'aarch64' only");
  if (def->memory.value % MEMORY_STEP != 0 || def->current_memory.value % MEMORY_STEP != 0)
    target_refuse (losses, NULL, "<memory>", "has memory in steps of 2 MiB");
  if (def->clock.offset != CLOCK_LOCALTIME)
    target_lose (losses, NULL, "<clock offset=>", "shows the host's own time, 'localtime'");
  if (def->on_poweroff != ON_EVENT_DESTROY)
    target_lose (losses, NULL, "<on_poweroff>", "ends a machine that is switched off");
  if (def->on_reboot != ON_EVENT_RESTART)
    target_lose (losses, NULL, "<on_reboot>", "restarts a machine that reboots");
  if (def->on_crash != ON_EVENT_DESTROY && def->on_crash != ON_EVENT_RESTART)
    target_lose (losses, NULL, "<on_crash>", "resets a machine that crashed");
}

static void
add_memory (HypervScript *script)
{
  const DomainDef *def = script->def;
  guint64 most = def->memory.value * 1024, now = def->current_memory.value * 1024;

  if (now == most)
    hyperv_add (script,
                "Set-VMMemory -VMName %s -DynamicMemoryEnabled $false -StartupBytes %" G_GUINT64_FORMAT,
                script->name, most);
  else
    hyperv_add (script,
                "Set-VMMemory -VMName %s -DynamicMemoryEnabled $true -StartupBytes %" G_GUINT64_FORMAT
                " -MaximumBytes %" G_GUINT64_FORMAT,
                script->name, now, most);
}

/* May the guest run machines itself? So says the feature that they need. */
static gboolean
is_nested (const DomainCpu *cpu)
{
  for (guint i = 0; cpu != NULL && cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if ((g_str_equal (feature->name, "vmx") || g_str_equal (feature->name, "svm"))
        && (feature->policy == CPU_POLICY_REQUIRE || feature->policy == CPU_POLICY_FORCE
            || feature->policy == CPU_POLICY_NONE))
      return TRUE;
  }
  return FALSE;
}

static void
check_processors (const HypervScript *script)
{
  const DomainCpu *cpu = script->def->cpu;
  const CpuTopology *topology = cpu != NULL ? cpu->topology : NULL;

  if (cpu == NULL)
    return;
  if (cpu->mode != CPU_MODE_NONE && cpu->mode != CPU_MODE_HOST_PASSTHROUGH && cpu->mode != CPU_MODE_CUSTOM)
    target_lose (script->losses, NULL, "<cpu mode=>",
                 "shows the host's processor as it is: 'host-passthrough'");
  if (topology != NULL && topology->sockets.value > 1)
    target_lose (script->losses, NULL, "<cpu><topology sockets=>", "gives sockets as its host has them");
  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if (!g_str_equal (feature->name, "vmx") && !g_str_equal (feature->name, "svm"))
      target_lose (script->losses, NULL, "<cpu><feature>",
                   "has no choice of the processor's features but 'vmx'");
  }
}

static void
add_processors (HypervScript *script)
{
  const DomainCpu *cpu = script->def->cpu;
  const CpuTopology *topology = cpu != NULL ? cpu->topology : NULL;
  g_autofree char *threads = NULL;

  check_processors (script);
  if (topology != NULL && topology->threads.set && topology->threads.value > 1)
    threads = g_strdup_printf (" -HwThreadCountPerCore %" G_GUINT64_FORMAT, topology->threads.value);
  hyperv_add (script, "Set-VMProcessor -VMName %s -Count %" G_GUINT64_FORMAT "%s%s", script->name,
              script->def->vcpus.value, threads != NULL ? threads : "",
              is_nested (cpu) ? " -ExposeVirtualizationExtensions $true" : "");
}

/* Windows' own certificates, or with the keys left to the guest none. */
static void
add_firmware (HypervScript *script)
{
  const DomainOs *os = &script->def->os;
  gboolean is_secure = os->loader_secure == TRISTATE_YES
                       || os_firmware_feature (os, OS_FIRMWARE_SECURE_BOOT) == TRISTATE_YES
                       || os_firmware_feature (os, OS_FIRMWARE_ENROLLED_KEYS) == TRISTATE_YES;

  if (script->generation == 1)
    return;
  if (is_secure)
    hyperv_add (script,
                "Set-VMFirmware -VMName %s -EnableSecureBoot On -SecureBootTemplate "
                "'MicrosoftUEFICertificateAuthority'",
                script->name);
  else
    hyperv_add (script, "Set-VMFirmware -VMName %s -EnableSecureBoot Off", script->name);
}

static void
add_notes (HypervScript *script)
{
  const DomainDef *def = script->def;
  g_autofree char *text = NULL, *quoted = NULL;

  if (def->title == NULL && def->description == NULL)
    return;
  text = g_strdup_printf ("%s%s%s", def->title != NULL ? def->title : "",
                          def->title != NULL && def->description != NULL ? "\n\n" : "",
                          def->description != NULL ? def->description : "");
  quoted = hyperv_quote (text);
  hyperv_add (script, "Set-VM -Name %s -Notes %s", script->name, quoted);
}

static gboolean
hyperv_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
                  GError **error G_GNUC_UNUSED)
{
  const DomainDef *def = request->def;
  g_autofree char *name = hyperv_quote (def->name);
  HypervScript script = { .def = def,
                          .name = "$machine",
                          .generation =
                              os_wants_firmware (&def->os) && def->os.firmware != FIRMWARE_BIOS ? 2 : 1,
                          .script = g_string_new (NULL),
                          .config = config,
                          .losses = losses };

  check_domain (def, losses);
  hyperv_add (&script, "$ErrorActionPreference = 'Stop'");
  hyperv_add (&script, "%s = %s", script.name, name);
  hyperv_add (&script, "New-VM -Name %s -Generation %u -MemoryStartupBytes %" G_GUINT64_FORMAT " -NoVHD",
              script.name, script.generation, def->current_memory.value * 1024);
  add_notes (&script);
  add_processors (&script);
  add_memory (&script);
  add_firmware (&script);
  hyperv_add_devices (&script); /* cards before the order of what it starts from */
  hyperv_add_disks (&script);
  target_config_add_file (config, "machine.ps1", g_string_free (script.script, FALSE));
  return TRUE;
}

const Target hyperv_target = {
  .name = "hyperv",
  .title = "Hyper-V",
  .summary = N_ ("a script of PowerShell that makes the machine on Windows"),
  .parts = parts,
  .translate = hyperv_translate,
};
