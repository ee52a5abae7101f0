/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine as Firecracker's config file: its kernel, processors and memory. The reader behind it is strict:
 * boot-source and drives must be there, no list may be null, no member unknown; ids are letters, digits and
 * '_'. Given any boot_args it takes them instead of its own, so that what a Linux needs to be seen and to end
 * there (the serial port as console, a reboot through the keyboard controller, which ends the process) is
 * added where the document does not say otherwise.
 */
#include "targets/firecracker/firecracker-target.h"

#include "base/translate-mark.h"
#include "domain/devices/serial.h"
#include "targets/launch-json.h"

#include <inttypes.h>
#include <string.h>

static const TargetPart parts[] = {
  LAUNCH_COMMON_PARTS,
  { "uuid", TARGET_CARRIED, NULL },
  { "os/type@machine", TARGET_NEEDLESS, NULL }, /* it has one machine */
  { "genid", TARGET_LOST, "chooses the generation's id itself" },
  { "sysinfo", TARGET_LOST, "has no SMBIOS tables" },
  { "maxMemory", TARGET_CARRIED, NULL },
  { "memoryBacking/hugepages", TARGET_CARRIED, NULL },
  { "memoryBacking/access", TARGET_NEEDLESS, NULL },
  { "memoryBacking/locked", TARGET_LOST, "does not lock its memory" },
  { "memoryBacking/allocation@mode", TARGET_LOST, "takes its memory when the guest touches it" },
  { "vcpu", TARGET_CARRIED, NULL },
  { "vcpu@cpuset", TARGET_LOST, "leaves what it may take of the host to whoever starts it" },
  { "vcpus", TARGET_LOST, "has all its processors from the beginning to the end" },
  { "cputune", TARGET_LOST, "leaves what it may take of the host to whoever starts it" },
  { "numatune", TARGET_LOST, "leaves what it may take of the host to whoever starts it" },
  { "os/loader", TARGET_LOST, "boots a kernel itself, without firmware" },
  { "os/nvram", TARGET_LOST, "boots a kernel itself, without firmware" },
  { "os/firmware", TARGET_LOST, "boots a kernel itself, without firmware" },
  { "os@firmware", TARGET_LOST, "boots a kernel itself, without firmware" },
  { "os/boot", TARGET_LOST, "boots a kernel itself, and from no device" },
  { "os/smbios", TARGET_LOST, "has no SMBIOS tables" },
  { "cpu/numa", TARGET_CARRIED, NULL },
  { "cpu/cache", TARGET_LOST, "gives its guest the host's caches" },
  { "cpu/maxphysaddr", TARGET_LOST, "gives its guest the host's address width" },
  { "devices/filesystem", TARGET_LOST, "shares no directories" },
  { "devices/hostdev", TARGET_LOST, "passes no device of the host through" },
  { "devices/tpm", TARGET_LOST, "has no TPM" },
  { "devices/watchdog", TARGET_LOST, "has no watchdog" },
  { "devices/panic", TARGET_LOST, "has no panic device" },
  { "devices/iommu", TARGET_LOST, "has no IOMMU" },
  { "devices/crypto", TARGET_LOST, "has no crypto device" },
  { "devices/pstore", TARGET_LOST, "has no persistent store" },
  { "devices/disk/boot@order", TARGET_CARRIED, NULL },
  { "devices/disk/serial", TARGET_LOST, "gives its disks no serial numbers" },
  { "devices/disk/shareable", TARGET_NEEDLESS, NULL },
  { "devices/interface/driver@queues", TARGET_CARRIED, NULL },
  { "devices/interface/driver@name", TARGET_LOST, "moves packets itself" },
  { "devices/memballoon/stats", TARGET_CARRIED, NULL },
  { "devices/rng/rate", TARGET_CARRIED, NULL },
  { NULL, 0, NULL },
};

static JsonObject *
machine_config (const DomainDef *def, TargetLosses *losses)
{
  JsonObject *machine = json_object_new ();
  const CpuTopology *topology = def->cpu != NULL ? def->cpu->topology : NULL;
  guint64 threads = topology != NULL && topology->threads.set ? topology->threads.value : 1;
  guint64 memory = launch_memory (def), page = launch_huge_page (def, losses);
  guint64 unit = page != 0 ? 2048 : 1024; /* KiB */

  if (def->vcpus.value > FIRECRACKER_MAX_VCPUS)
    target_refuse (losses, NULL, "vcpu", "has %d processors at most, and not %" PRIu64, FIRECRACKER_MAX_VCPUS,
                   def->vcpus.value);
  if (def->vcpus_current.set && def->vcpus_current.value < def->vcpus.value)
    target_lose (losses, NULL, "vcpu current=", "has all its processors from the beginning");
  if (topology != NULL
      && (topology->sockets.value > 1 || topology->dies.value > 1 || topology->clusters.value > 1))
    target_lose (losses, NULL, "cpu/topology", "has one socket, with one die");
  if (threads > 2)
    target_lose (losses, NULL, "cpu/topology", "has one or two threads a core");
  else if (threads == 2 && def->vcpus.value > 1 && def->vcpus.value % 2 != 0)
    target_refuse (losses, NULL, "vcpu", "wants an even number of processors with two threads a core");
  if (memory % unit != 0)
    target_lose (losses, NULL, "memory", "counts its memory in units of %" PRIu64 " MiB", unit / 1024);
  if (page != 0 && page != 2 * 1024 * 1024)
    target_lose (losses, NULL, "memoryBacking/hugepages/page", "has huge pages of 2 MiB alone");
  json_object_set_int_member (machine, "vcpu_count", (gint64)def->vcpus.value);
  json_object_set_int_member (machine, "mem_size_mib", (gint64)((memory + unit - 1) / unit * unit / 1024));
  json_object_set_boolean_member (machine, "smt", threads == 2);
  if (page != 0)
    json_object_set_string_member (machine, "huge_pages", "2M");
  return machine;
}

/* "root=" among the words of a kernel's command line. */
static gboolean
says (const char *cmdline, const char *word)
{
  gsize length = strlen (word);

  for (const char *at = cmdline; at != NULL && (at = strstr (at, word)) != NULL; at += length)
    if (at == cmdline || g_ascii_isspace (at[-1]))
      return TRUE;
  return FALSE;
}

gboolean
firecracker_chooses_root (const DomainDef *def)
{
  return def->os.initrd == NULL && !says (def->os.cmdline, "root=");
}

static char *
boot_arguments (const DomainDef *def)
{
  const char *cmdline = def->os.cmdline != NULL ? def->os.cmdline : "";
  gboolean has_serial = domain_def_count_devices (def, &serial_kind) > 0;
  GString *words = g_string_new (cmdline);

  if (has_serial && !says (cmdline, "console="))
    g_string_append_printf (words, "%sconsole=ttyS0", words->len > 0 ? " " : "");
  if (!says (cmdline, "reboot="))
    g_string_append_printf (words, "%sreboot=k", words->len > 0 ? " " : "");
  return g_string_free (words, FALSE);
}

static JsonObject *
boot_source (const DomainDef *def, TargetLosses *losses)
{
  JsonObject *boot = json_object_new ();
  g_autofree char *arguments = boot_arguments (def);

  if (def->os.kernel == NULL)
    target_refuse (losses, NULL, "os", "boots a kernel itself: <kernel> has to name one");
  if (strlen (arguments) > FIRECRACKER_MAX_CMDLINE)
    target_refuse (losses, NULL, "os/cmdline", "takes %d bytes at most for the kernel's command line",
                   FIRECRACKER_MAX_CMDLINE);
  json_object_set_string_member (boot, "kernel_image_path", def->os.kernel != NULL ? def->os.kernel : "");
  if (def->os.initrd != NULL)
    json_object_set_string_member (boot, "initrd_path", def->os.initrd);
  json_object_set_string_member (boot, "boot_args", arguments);
  return boot;
}

static void
lose_machine (const DomainDef *def, TargetLosses *losses)
{
  const CpuNuma *numa = def->cpu != NULL ? &def->cpu->numa : NULL;

  launch_lose_machine (def, losses);
  if (numa != NULL && numa->cells != NULL && numa->cells->len > 1)
    target_lose (losses, NULL, "cpu/numa", "has no NUMA nodes");
}

static gboolean
translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
           GError **error G_GNUC_UNUSED)
{
  const DomainDef *def = request->def;
  JsonObject *object = json_object_new ();
  g_autofree char *socket = g_build_filename (request->run_directory, FIRECRACKER_API_SOCKET, NULL);
  const char *const argv[] = { launch_program (def, FIRECRACKER_PROGRAM),
                               "--api-sock",
                               socket,
                               "--id",
                               def->uuid,
                               "--config-file",
                               FIRECRACKER_CONFIG_NAME,
                               NULL };

  lose_machine (def, losses);
  json_object_set_object_member (object, "boot-source", boot_source (def, losses));
  json_object_set_object_member (object, "machine-config", machine_config (def, losses));
  firecracker_add_devices (object, request, config, losses);
  launch_add_file (config, FIRECRACKER_CONFIG_NAME, object);
  target_config_set_command (config, NULL, g_strdupv ((char **)argv));
  return TRUE;
}

const Target firecracker_target = {
  .name = "firecracker",
  .title = "Firecracker",
  .summary = N_ ("Firecracker's config file"),
  .parts = parts,
  .translate = translate,
};
