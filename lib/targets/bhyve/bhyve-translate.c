/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document as the command lines that start it with bhyve: the loader's, where there is one, and bhyve's
 * own, in the form and order of libvirt's bhyve driver, so that a guest finds its devices where libvirt put
 * them. The table says what of the format bhyve has.
 */
#include "targets/bhyve/bhyve-target.h"

#include "targets/bhyve/bhyve-private.h"

#include "base/xml-document.h"
#include "domain/devices/console.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/serial.h"
#include "targets/import-text.h"

#include "base/translate-mark.h"
#include <string.h>

static const TargetPart parts[] = {
  CARRIED ("name"),
  CARRIED ("uuid"),
  CARRIED ("memory"),
  LOST ("memory@dumpCore", "has no say in what a dump of its process holds"),
  CARRIED ("currentMemory"),
  CARRIED ("vcpu"),
  NEEDLESS ("vcpu@placement"),
  LOST ("vcpu@current", "adds no processors to a running machine"),
  LOST ("vcpu@cpuset", "pins no processors here"),
  CARRIED ("memoryBacking/locked"),
  LOST ("maxMemory", "adds no memory to a running machine"),
  CARRIED ("bootloader"),
  CARRIED ("bootloader_args"),
  CARRIED ("os@firmware"),
  CARRIED ("os/type"),
  NEEDLESS ("os/type@machine"),
  CARRIED ("os/boot"),
  CARRIED ("os/loader"),
  LOST ("os/loader@secure", "has no Secure Boot"),
  CARRIED ("os/nvram"),
  LOST ("os/nvram@template", "makes no copy of it"),
  LOST ("os/kernel", "boots no kernel directly: it has loaders"),
  LOST ("os/firmware", "has no choice of firmware's features"),
  CARRIED ("features/acpi"),
  CARRIED ("features/apic"),
  CARRIED ("features/msrs"),
  NEEDLESS ("features/pae"),
  LOST ("features/hyperv", "shows no interface of Hyper-V"),
  CARRIED ("cpu/topology"),
  CARRIED ("cpu@mode"),
  NEEDLESS ("cpu@check"),
  NEEDLESS ("cpu@match"),
  NEEDLESS ("cpu@migratable"),
  LOST ("cpu/model", "shows the host's processor as it is"),
  LOST ("cpu/feature", "shows the host's processor as it is"),
  CARRIED ("clock"),
  LOST ("clock/timer", "has no choice of timers"),
  CARRIED ("on_poweroff"),
  CARRIED ("on_reboot"),
  CARRIED ("on_crash"),
  LOST ("cputune", "leaves shares, quotas and pins to the host"),
  LOST ("qemu:commandline", "takes no option of QEMU's"),
  CARRIED ("bhyve:commandline"),
  NEEDLESS ("devices/emulator"),
  CARRIED ("devices/*/address"),
  CARRIED ("devices/controller"),
  LOST ("devices/controller/driver", "has no options of its controllers"),
  CARRIED ("devices/disk@type"),
  CARRIED ("devices/disk@device"),
  NEEDLESS ("devices/disk/driver@name"),
  CARRIED ("devices/disk/driver@type"),
  CARRIED ("devices/disk/driver@cache"),
  CARRIED ("devices/disk/source"),
  LOST ("devices/disk/source/encryption", "opens no encrypted image"),
  LOST ("devices/disk/encryption", "opens no encrypted image"),
  NEEDLESS ("devices/disk/source@startupPolicy"),
  LOST ("devices/disk/iotune", "limits no disk's speed"),
  CARRIED ("devices/disk/target"),
  NEEDLESS ("devices/disk/target@tray"),
  CARRIED ("devices/disk/readonly"),
  CARRIED ("devices/disk/serial"),
  CARRIED ("devices/disk/boot"),
  CARRIED ("devices/interface@type"),
  CARRIED ("devices/interface/mac"),
  CARRIED ("devices/interface/source"),
  CARRIED ("devices/interface/model"),
  CARRIED ("devices/interface/target"),
  LOST ("devices/interface/boot",
        "boots from one device only, and from no network without firmware's own choice"),
  LOST ("devices/interface/filterref", "filters no frames"),
  LOST ("devices/interface/bandwidth", "limits no card's speed"),
  CARRIED ("devices/serial"),
  LOST ("devices/serial/log", "keeps no log of a port"),
  CARRIED ("devices/console"),
  LOST ("devices/console/log", "keeps no log of a port"),
  CARRIED ("devices/graphics@type"),
  CARRIED ("devices/graphics@port"),
  CARRIED ("devices/graphics@autoport"),
  CARRIED ("devices/graphics@listen"),
  CARRIED ("devices/graphics@socket"),
  CARRIED ("devices/graphics@passwd"),
  CARRIED ("devices/graphics/listen"),
  CARRIED ("devices/video/driver@vgaconf"),
  CARRIED ("devices/video/model@type"),
  NEEDLESS ("devices/video/model@heads"),
  NEEDLESS ("devices/video/model@primary"),
  CARRIED ("devices/video/model/resolution"),
  CARRIED ("devices/input"),
  CARRIED ("devices/sound@model"),
  CARRIED ("devices/sound/audio"),
  CARRIED ("devices/audio@id"),
  CARRIED ("devices/audio@type"),
  CARRIED ("devices/audio/input@dev"),
  CARRIED ("devices/audio/output@dev"),
  CARRIED ("devices/filesystem@type"),
  NEEDLESS ("devices/filesystem@accessmode"),
  CARRIED ("devices/filesystem/driver@type"),
  CARRIED ("devices/filesystem/source"),
  CARRIED ("devices/filesystem/target"),
  CARRIED ("devices/filesystem/readonly"),
  CARRIED ("devices/hostdev@mode"),
  CARRIED ("devices/hostdev@type"),
  CARRIED ("devices/hostdev@managed"),
  CARRIED ("devices/hostdev/source"),
  CARRIED ("devices/rng@model"),
  CARRIED ("devices/rng/backend"),
  LOST ("devices/rng/rate", "limits no source of random numbers"),
  CARRIED ("devices/tpm"),
  CARRIED ("devices/memballoon"),
  { NULL, TARGET_LOST, NULL },
};

static gboolean
needs_lpc (const DomainDef *def)
{
  return bhyve_firmware (def) != NULL || domain_def_count_devices (def, &serial_kind) > 0
         || domain_def_count_devices (def, &console_kind) > 0 || bhyve_has_display (def);
}

static void
check_domain (const DomainDef *def, TargetLosses *losses)
{
  if (def->os.arch != NULL && !g_str_equal (def->os.arch, "x86_64"))
    target_refuse (losses, NULL, "<os><type arch=>", "runs guests of 'x86_64' only");
  if (def->current_memory.set && def->current_memory.value != def->memory.value)
    target_lose (losses, NULL, "<currentMemory>", "has no balloon: a guest has all of its memory");
  if (def->on_poweroff != ON_EVENT_DESTROY)
    target_lose (losses, NULL, "<on_poweroff>", "ends when its guest does");
  if (def->on_reboot != ON_EVENT_RESTART && def->on_reboot != ON_EVENT_DESTROY)
    target_lose (losses, NULL, "<on_reboot>", "ends when its guest reboots, and is started again or not");
  if (def->on_crash != ON_EVENT_DESTROY)
    target_lose (losses, NULL, "<on_crash>", "ends when its guest does");
  if (def->cpu != NULL && def->cpu->mode != CPU_MODE_NONE && def->cpu->mode != CPU_MODE_HOST_PASSTHROUGH
      && def->cpu->mode != CPU_MODE_CUSTOM)
    target_lose (losses, NULL, "<cpu mode=>", "shows the host's processor as it is: 'host-passthrough'");
}

/* Does the topology account for all processors? */
static gboolean
check_topology (const DomainDef *def, const CpuTopology *topology, TargetLosses *losses)
{
  if ((topology->dies.set && topology->dies.value != 1)
      || (topology->clusters.set && topology->clusters.value != 1))
    target_lose (losses, NULL, "<cpu><topology>", "has one die in a socket and one cluster in a die");
  else if (topology->sockets.value * topology->cores.value * topology->threads.value != def->vcpus.value)
    target_lose (losses, NULL, "<cpu><topology>", "needs sockets, cores and threads to make up all vCPUs");
  else
    return TRUE;
  return FALSE;
}

static void
add_processors (const DomainDef *def, GPtrArray *argv, TargetLosses *losses)
{
  const CpuTopology *topology = def->cpu != NULL ? def->cpu->topology : NULL;
  guint vcpus = (guint)def->vcpus.value;

  if (topology != NULL && check_topology (def, topology, losses))
    bhyve_add_option (argv, "-c", "cpus=%u,sockets=%u,cores=%u,threads=%u", vcpus,
                      (guint)topology->sockets.value, (guint)topology->cores.value,
                      (guint)topology->threads.value);
  else
    bhyve_add_option (argv, "-c", "%u", vcpus);
}

static void
add_flag (GPtrArray *argv, const char *flag, gboolean wanted)
{
  if (wanted)
    g_ptr_array_add (argv, g_strdup (flag));
}

static gboolean
passes_devices (const DomainDef *def)
{
  return domain_def_count_devices (def, &hostdev_kind) > 0;
}

static void
add_flags (const DomainDef *def, GPtrArray *argv, TargetLosses *losses)
{
  add_flag (argv, "-S", def->memory_backing.locked || passes_devices (def));
  add_flag (argv, "-A", def->features.acpi);
  add_flag (argv, "-I", def->features.apic);
  add_flag (argv, "-w", def->features.msrs_unknown == 1);
  add_flag (argv, "-u", def->clock.offset == CLOCK_UTC);
  if (def->clock.offset != CLOCK_UTC && def->clock.offset != CLOCK_LOCALTIME)
    target_lose (losses, NULL, "<clock offset=>", "has a clock of 'utc' or 'localtime' only");
  add_flag (argv, "-H", TRUE);
  add_flag (argv, "-P", TRUE);
  /* A machine of libvirt's bhyve driver is told no UUID, and its guest may know it by bhyve's own. */
  if (def->type != VIRT_TYPE_BHYVE)
    bhyve_add_option (argv, "-U", "%s", def->uuid);
}

static void
add_firmware (const DomainDef *def, GPtrArray *argv, TargetConfig *config, TargetLosses *losses)
{
  const char *firmware = bhyve_firmware (def);
  const char *variables = def->type == VIRT_TYPE_BHYVE ? def->os.nvram : NULL;

  if (firmware == NULL)
    return;
  if (strchr (firmware, ',') != NULL || (variables != NULL && strchr (variables, ',') != NULL)) {
    target_lose (losses, NULL, "<os><loader>", "takes no path with a comma");
    return;
  }
  bhyve_add_option (argv, "-l", "bootrom,%s%s%s", firmware, variables != NULL ? "," : "",
                    variables != NULL ? variables : "");
  if (def->type != VIRT_TYPE_BHYVE && def->os.loader != NULL)
    target_config_warn (config, "the machine begins with %s: %s is another hypervisor's", firmware,
                        def->os.loader);
}

/* <bhyve:commandline>: options and environment as they stand. */
static void
add_own_options (const DomainDef *def, GPtrArray *argv, GPtrArray *environment)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document =
      def->verbatim.bhyve_commandline != NULL
          ? xml_document_parse (def->verbatim.bhyve_commandline, -1, diagnostics)
          : NULL;
  xmlNode *root = document != NULL ? xml_document_root (document) : NULL;

  for (xmlNode *child = root != NULL ? root->children : NULL; child != NULL; child = child->next) {
    g_autofree char *value = NULL, *name = NULL;

    if (child->type != XML_ELEMENT_NODE)
      continue;
    value = xml_node_attribute (child, "value");
    name = xml_node_attribute (child, "name");
    if (xmlStrEqual (child->name, BAD_CAST "arg") && value != NULL)
      g_ptr_array_add (argv, g_steal_pointer (&value));
    else if (xmlStrEqual (child->name, BAD_CAST "env") && name != NULL)
      g_ptr_array_add (environment, g_strdup_printf ("%s=%s", name, value != NULL ? value : ""));
  }
}

static void
append_command (GString *text, const GPtrArray *words)
{
  for (guint i = 0; i < words->len; i++) {
    if (i > 0)
      g_string_append_c (text, ' ');
    import_append_quoted (text, g_ptr_array_index (words, i));
  }
}

/* As libvirt prints them: the loader's command and bhyve's, a line each. */
static char *
print_commands (const GPtrArray *loader, const GPtrArray *environment, const GPtrArray *argv)
{
  GString *text = g_string_new (NULL);

  if (loader != NULL) {
    append_command (text, loader);
    g_string_append_c (text, '\n');
  }
  append_command (text, environment);
  if (environment->len > 0)
    g_string_append_c (text, ' ');
  append_command (text, argv);
  g_string_append_c (text, '\n');
  return g_string_free (text, FALSE);
}

gboolean
bhyve_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
                 GError **error G_GNUC_UNUSED)
{
  const DomainDef *def = request->def;
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) environment = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (BhyveSlots) slots = bhyve_slots_new (def, needs_lpc (def), losses);
  g_autoptr (GPtrArray) loader = NULL;
  char *map = NULL;

  check_domain (def, losses);
  g_ptr_array_add (argv, g_strdup (BHYVE_PROGRAM));
  add_processors (def, argv, losses);
  bhyve_add_option (argv, "-m", "%" G_GUINT64_FORMAT, (def->memory.value + 1023) / 1024);
  add_flags (def, argv, losses);
  bhyve_add_option (argv, "-s", "0:0,hostbridge");
  if (bhyve_slots_lpc (slots).slot > 0)
    bhyve_add_option (argv, "-s", "%u:%u,lpc", bhyve_slots_lpc (slots).slot,
                      bhyve_slots_lpc (slots).function);
  add_firmware (def, argv, config, losses);
  bhyve_add_devices (def, slots, argv, config, losses);
  add_own_options (def, argv, environment);
  g_ptr_array_add (argv, g_strdup (def->name));
  loader = bhyve_loader (def, &map, losses);
  target_config_add_file (config, "bhyve.sh", print_commands (loader, environment, argv));
  if (map != NULL)
    target_config_add_file (config, "device.map", map);
  return TRUE;
}

/* A command of its own at the beginning of a line: people keep them in scripts. */
static gboolean
bhyve_recognize (const char *file_name G_GNUC_UNUSED, const char *text)
{
  static const char *const programs[] = { BHYVE_PROGRAM, BHYVE_GRUB, "bhyve ", "bhyveload " };

  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    g_autofree char *in_line = g_strconcat ("\n", programs[i], NULL);

    if (g_str_has_prefix (text, programs[i]) || strstr (text, in_line) != NULL)
      return TRUE;
  }
  return FALSE;
}

const Target bhyve_target = {
  .name = "bhyve",
  .native_name = "bhyve-argv",
  .title = "bhyve",
  .summary = N_ ("the command lines of bhyve and its loader, to be run on FreeBSD"),
  .parts = parts,
  .translate = bhyve_translate,
  .recognize = bhyve_recognize,
  .import = bhyve_import,
};
