/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine as a whole, and the order of its parts: what the command line of a cold start consists of. The
 * order is libvirt's, so that two command lines can be compared line by line.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/controller.h"
#include "domain/devices/iommu.h"
#include "domain/devices/memory.h"
#include "domain/machines/machine-kind.h"

#include <string.h>

#define IOTHREADS_MAX 1024
#define OLDEST_QEMU   6002000 /* the first that takes -device in JSON */

void
recipe_add_head (Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);
  const RecipeHost *host = recipe_host (recipe);
  g_autofree char *name = option_escape (def->name);
  g_autofree char *cache = g_build_filename (host->run_directory, "cache", NULL);

  recipe_environment (recipe, "LC_ALL", "C");
  recipe_environment (recipe, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
  recipe_environment (recipe, "HOME", host->run_directory);
  recipe_environment (recipe, "XDG_CACHE_HOME", cache);
  recipe_option (recipe, "-name", "guest=%s,debug-threads=on", name);
  recipe_add_deprecation (recipe);
  if (host->paused)
    recipe_option (recipe, "-S", NULL);
}

/* What cannot be run at all: then nothing more is said of it. */
static gboolean
check_target (Recipe *recipe, GError **error)
{
  const DomainDef *def = recipe_def (recipe);
  const QemuCaps *caps = recipe_caps (recipe);

  if (qemu_caps_version (caps) < OLDEST_QEMU) {
    qemu_lacks (recipe, NULL, "what a machine is made with (QEMU 6.2 or newer)", NULL, error);
    return FALSE;
  }
  if (def->type != VIRT_TYPE_QEMU && def->type != VIRT_TYPE_KVM)
    return qemu_unsupported (NULL, error, "the QEMU target runs domains of type 'kvm' or 'qemu', not '%s'",
                             enum_table_name (&virt_types, def->type));
  if (def->os.type != OS_TYPE_HVM)
    return qemu_unsupported (NULL, error, "the QEMU target runs machines of <os> type 'hvm', not '%s'",
                             enum_table_name (&os_types, def->os.type));
  if (def->os.arch != NULL && !architecture_runs_on (def->os.arch, qemu_caps_arch (caps)))
    return qemu_unsupported (NULL, error, "the emulator %s runs '%s', and the domain is for '%s'",
                             qemu_caps_binary (caps), qemu_caps_arch (caps), def->os.arch);
  if (def->type == VIRT_TYPE_KVM && recipe_by_descriptor (recipe) && !qemu_caps_has_kvm (caps))
    return qemu_unsupported (
        NULL, error,
        "KVM cannot be used on this host (see /dev/kvm), and the domain is of type 'kvm'; type "
        "'qemu' runs here, by emulation");
  return TRUE;
}

/* What the host is to do for the machine, and this daemon does not: the command line has nothing of it. */
static void
refuse_here (Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);
  const DomainResource *resource = &def->resource;
  gboolean counted = FALSE;

  for (guint i = 0; def->perf_events != NULL && i < def->perf_events->len; i++)
    counted =
        counted || ((const PerfEvent *)g_ptr_array_index (def->perf_events, i))->enabled == TRISTATE_YES;
  if (counted)
    recipe_refuse (recipe, NULL, "<perf><event>",
                   "perf events cannot be counted on this host: turn them off to start the machine");
  if (resource->partition != NULL && strcmp (resource->partition, PARTITION_DEFAULT) != 0)
    recipe_refuse (recipe, NULL, "<resource><partition>",
                   "the resource partition '%s' is not supported on this host; expected '%s'",
                   resource->partition, PARTITION_DEFAULT);
  if (resource->fibrechannel != NULL)
    recipe_refuse (recipe, NULL, "<resource><fibrechannel>",
                   "this host has no Fibre Channel fabric that could be told of an application's id");
  if (def->cputune.cachetunes != NULL || def->cputune.memorytunes != NULL)
    recipe_refuse (recipe, NULL,
                   def->cputune.cachetunes != NULL ? "<cputune><cachetune>" : "<cputune><memorytune>",
                   "Resource control is not supported on this host");
}

static void
check_modelled (Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);
  const DomainOs *os = &def->os;
  g_auto (GStrv) parts = domain_def_unmodelled (def);
  const struct {
    gboolean said;
    const char *what, *part; /* @part NULL: @what */
  } unsupported[] = {
    { os->root != NULL, "<os><root>", NULL },
    { os->nvram_type != NULL && strcmp (os->nvram_type, "file") != 0, "<nvram type=> other than 'file'",
      "<os><nvram type=>" },
    { def->on_reboot == ON_EVENT_RENAME_RESTART || def->on_poweroff == ON_EVENT_RENAME_RESTART,
      "the action 'rename-restart'",
      def->on_reboot == ON_EVENT_RENAME_RESTART ? "<on_reboot>" : "<on_poweroff>" },
  };

  if (recipe_by_descriptor (recipe))
    refuse_here (recipe);
  if (def->keywrap != NULL && def->keywrap->len > 0 && !machine_kind_of (def)->has_key_wrap)
    recipe_refuse (recipe, NULL, "<keywrap>",
                   "key wrapping configuration is not available with this QEMU binary: <keywrap>");
  for (guint i = 0; parts != NULL && parts[i] != NULL; i++)
    recipe_refuse (recipe, NULL, parts[i], "element <%s> is not supported yet by the QEMU target", parts[i]);
  for (guint i = 0; i < G_N_ELEMENTS (unsupported); i++)
    if (unsupported[i].said)
      recipe_refuse (recipe, NULL, unsupported[i].part != NULL ? unsupported[i].part : unsupported[i].what,
                     "%s is not supported yet by the QEMU target", unsupported[i].what);
}

#define KIB_PER_MIB 1024

static void
append_switch (GString *options, const char *name, int state)
{
  if (state != TRISTATE_ABSENT)
    g_string_append_printf (options, ",%s=%s", name, state == TRISTATE_YES ? "on" : "off");
}

static void
append_word (GString *options, const char *name, const EnumTable *words, int value)
{
  if (value != 0)
    g_string_append_printf (options, ",%s=%s", name, enum_table_name (words, value));
}

static gboolean
has_smmuv3 (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, iommu_kind, const DeviceIommu, iommu) {
    if (iommu->model == IOMMU_SMMUV3)
      return TRUE;
  }
  return FALSE;
}

/* What only machines of one architecture have; the document's words are QEMU's. */
static void
append_of_architecture (GString *options, const DomainDef *def)
{
  const DomainFeatures *features = &def->features;

  for (guint i = 0; def->keywrap != NULL && i < def->keywrap->len; i++) {
    const KeywrapCipher *cipher = g_ptr_array_index (def->keywrap, i);

    append_switch (options, cipher->name == 1 ? "aes-key-wrap" : "dea-key-wrap", cipher->state);
  }
  if (machine_kind_of (def)->says_gic)
    append_word (options, "gic-version", &gic_versions, features->gic);
  if (has_smmuv3 (def))
    g_string_append (options, ",iommu=smmuv3");
  append_word (options, "resize-hpt", &hpt_resizings, features->hpt_resizing);
  if (features->hpt_page_size.set)
    g_string_append_printf (options, ",cap-hpt-max-page-size=%" G_GUINT64_FORMAT "k",
                            features->hpt_page_size.value);
  append_switch (options, "cap-htm", features->htm);
  append_switch (options, "cap-nested-hv", features->nested_hv);
  append_switch (options, "cap-ccf-assist", features->ccf_assist);
  append_word (options, "cap-cfpc", &mitigations, features->cfpc);
  append_word (options, "cap-sbbc", &mitigations, features->sbbc);
  append_word (options, "cap-ibs", &branch_mitigations, features->ibs);
  append_word (options, "aia", &interrupt_architectures, features->aia);
  append_switch (options, "ras", features->ras);
}

/* An old QEMU does not say whether a machine has ACPI: there it is switched off where libvirt always did. */
static void
append_acpi (GString *options, const DomainDef *def, const QemuMachine *machine)
{
  gboolean on = def->features.acpi;

  if (machine->acpi == TRISTATE_YES)
    g_string_append_printf (options, ",acpi=%s", on ? "on" : "off");
  else if (machine->acpi == TRISTATE_ABSENT && !on && machine_kind_of (def)->switches_acpi)
    g_string_append (options, ",acpi=off");
}

static const QemuMachine *
find_machine (const Recipe *recipe, GError **error)
{
  const char *name = recipe_def (recipe)->os.machine;
  const QemuMachine *machine = name != NULL ? qemu_caps_machine (recipe_caps (recipe), name) : NULL;
  g_autofree char *what = NULL;

  if (machine == NULL) {
    what = g_strdup_printf ("the machine type '%s'", name != NULL ? name : "");
    qemu_lacks (recipe, NULL, what, NULL, error);
  }
  return machine;
}

const char *
recipe_memory_id (const Recipe *recipe)
{
  const QemuMachine *machine = qemu_caps_machine (recipe_caps (recipe), recipe_def (recipe)->os.machine);

  return machine != NULL && machine->ram_id != NULL ? machine->ram_id : "ram";
}

static gboolean
has_nvdimm (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, memory_kind, const DeviceMemory, memory)
    if (memory->model == MEMORY_NVDIMM)
      return TRUE;
  return FALSE;
}

gboolean
recipe_add_machine (Recipe *recipe, GError **error)
{
  const DomainDef *def = recipe_def (recipe);
  const DomainFeatures *features = &def->features;
  const QemuMachine *machine = find_machine (recipe, error);
  g_autoptr (GString) options = NULL;

  if (machine == NULL)
    return FALSE;
  options = g_string_new (machine->name);
  g_string_append (options, ",usb=off");
  append_switch (options, "vmport", features->vmport);
  append_switch (options, "smm", features->smm);
  append_switch (options, "i8042", features->ps2);
  if (features->ioapic_driver != 0)
    g_string_append_printf (options, ",kernel_irqchip=%s",
                            features->ioapic_driver == IOAPIC_KVM ? "on" : "split");
  append_of_architecture (options, def);
  if (machine_kind_of (def)->switches_pci)
    append_switch (options, "pcie",
                   machine_kind_of (def)->pci_root == PCIE_ROOT ? TRISTATE_YES : TRISTATE_NO);
  g_string_append_printf (options, ",dump-guest-core=%s",
                          def->memory_dump_core == TRISTATE_YES ? "on" : "off");
  if (def->memory_backing.nosharepages)
    g_string_append (options, ",mem-merge=off");
  if (has_nvdimm (def))
    g_string_append (options, ",nvdimm=on");
  if (recipe_has_hmat (recipe))
    g_string_append (options, ",hmat=on");
  if (!recipe_has_nodes (recipe))
    g_string_append_printf (options, ",memory-backend=%s", recipe_memory_id (recipe));
  epc_machine_options (recipe, options);
  launch_security_machine_options (recipe, options);
  firmware_machine_options (recipe, options);
  clock_machine_options (recipe, options);
  sound_machine_options (recipe, options);
  append_acpi (options, def, machine);
  if (def->os.bios_use_serial == TRISTATE_YES)
    g_string_append (options, ",graphics=off");
  recipe_option (recipe, "-machine", "%s", options->str);

  if (def->type == VIRT_TYPE_KVM && features->kvm != NULL && features->kvm->dirty_ring == TRISTATE_YES)
    recipe_option (recipe, "-accel", "kvm,dirty-ring-size=%" G_GUINT64_FORMAT,
                   features->kvm->dirty_ring_size.value);
  else if (def->type != VIRT_TYPE_KVM && features->tcg_tb_cache.set)
    recipe_option (recipe, "-accel", "tcg,tb-size=%" G_GUINT64_FORMAT,
                   features->tcg_tb_cache.value / KIB_PER_MIB);
  else
    recipe_option (recipe, "-accel", "%s", def->type == VIRT_TYPE_KVM ? "kvm" : "tcg");
  if (machine_kind_of (def)->has_modern_mmio)
    recipe_option (recipe, "-global", "virtio-mmio.force-legacy=false");
  if (features->smm_tseg.set)
    recipe_option (recipe, "-global", "mch.extended-tseg-mbytes=%" G_GUINT64_FORMAT,
                   features->smm_tseg.value / KIB_PER_MIB);
  return TRUE;
}

void
recipe_add_monitor (Recipe *recipe)
{
  const RecipeHost *host = recipe_host (recipe);
  g_autofree char *path = g_build_filename (host->run_directory, "monitor.sock", NULL);
  g_autofree char *number = g_strdup_printf ("%d", host->monitor_fd);
  JsonObject *address = host->monitor_fd >= 0
                            ? props ("type", "s", "fd", "data", "o", props ("str", "s", number, NULL), NULL)
                            : props ("type", "s", "unix", "data", "o", props ("path", "s", path, NULL), NULL);

  recipe_step (
      recipe, STEP_CHARDEV,
      props ("id", "s", "charmonitor", "backend", "o",
             props ("type", "s", "socket", "data", "o",
                    props ("addr", "o", address, "server", "b", TRUE, "wait", "b", FALSE, NULL), NULL),
             NULL));
  recipe_option (recipe, "-mon", "chardev=charmonitor,id=monitor,mode=control");
}

/* <defaultiothread>: the main thread, which serves what has no I/O thread of its own. */
static gboolean
add_main_loop (Recipe *recipe, GError **error)
{
  const DefaultIothread *main_thread = &recipe_def (recipe)->default_iothread;

  if (!main_thread->thread_pool_min.set && !main_thread->thread_pool_max.set)
    return TRUE;
  if (!qemu_caps_has_type (recipe_caps (recipe), "main-loop"))
    return qemu_lacks (recipe, NULL, "<defaultiothread>", NULL, error);
  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", "main-loop", "id", "s", "main-loop", "thread-pool-min", "N",
                      &main_thread->thread_pool_min, "thread-pool-max", "N", &main_thread->thread_pool_max,
                      NULL));
  return TRUE;
}

/* Numbered from 1, or as <iothreadids> says. */
static gboolean
add_iothreads (Recipe *recipe, GError **error)
{
  const DomainDef *def = recipe_def (recipe);
  guint said = def->iothread_ids != NULL ? def->iothread_ids->len : 0;
  guint64 count = MAX (def->iothreads.value, said);

  if (count > IOTHREADS_MAX)
    return qemu_unsupported (NULL, error, "%" G_GUINT64_FORMAT " I/O threads are more than %d", count,
                             IOTHREADS_MAX);
  for (guint i = 0; i < count; i++) {
    const DomainIothread *thread = i < said ? g_ptr_array_index (def->iothread_ids, i) : NULL;
    g_autofree char *id = g_strdup_printf ("iothread%u", thread != NULL ? (guint)thread->id.value : i + 1);

    JsonObject *properties = props ("qom-type", "s", "iothread", "id", "s", id, NULL);

    if (thread != NULL)
      props_add (properties, "thread-pool-min", "N", &thread->thread_pool_min, "thread-pool-max", "N",
                 &thread->thread_pool_max, "poll-max-ns", "N", &thread->poll_max, "poll-grow", "N",
                 &thread->poll_grow, "poll-shrink", "N", &thread->poll_shrink, NULL);
    recipe_step (recipe, STEP_OBJECT, properties);
  }
  return add_main_loop (recipe, error);
}

static void
add_of_kind (const Recipe *recipe, const DeviceKind *kind, int controller_type, GPtrArray *ret)
{
  const GPtrArray *devices = recipe_def (recipe)->devices;

  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (device->kind == kind
        && (kind != &controller_kind || ((DeviceController *)device)->type == controller_type))
      g_ptr_array_add (ret, device);
  }
}

/* As they stand in the definition; controllers by type, so that buses come before what sits on them. */
static GPtrArray *
devices_of_kind (const Recipe *recipe, const DeviceKind *kind)
{
  static const int types[] = { CONTROLLER_PCI,  CONTROLLER_USB,    CONTROLLER_SCSI,
                               CONTROLLER_IDE,  CONTROLLER_SATA,   CONTROLLER_VIRTIO_SERIAL,
                               CONTROLLER_CCID, CONTROLLER_XENBUS, CONTROLLER_ISA,
                               CONTROLLER_FDC };
  GPtrArray *chosen = g_ptr_array_new ();

  for (guint i = 0; i < (kind == &controller_kind ? G_N_ELEMENTS (types) : 1); i++)
    add_of_kind (recipe, kind, types[i], chosen);
  return chosen;
}

static void
add_devices (Recipe *recipe)
{
  for (const QemuDeviceKind *row = qemu_device_kinds; row->kind != NULL; row++) {
    g_autoptr (GPtrArray) devices = devices_of_kind (recipe, row->kind);

    for (guint i = 0; i < devices->len; i++)
      recipe_add_device_part (recipe, row, g_ptr_array_index (devices, i));
  }
}

/* With -no-shutdown QEMU says SHUTDOWN and waits to be ended, so that the daemon learns of every end and its
 * reason; a reboot that is to destroy the machine is made a shutdown. */
static void
add_end_policy (Recipe *recipe)
{
  if (recipe_host (recipe)->paused)
    recipe_option (recipe, "-no-shutdown", NULL);
  if (recipe_def (recipe)->on_reboot == ON_EVENT_DESTROY)
    recipe_option (recipe, "-no-reboot", NULL);
}

/* Another process gives the memory back when QEMU has ended, as QEMU's own option asks; 10.0 has it where it
 * had its own before. */
static gboolean
add_teardown (Recipe *recipe, GError **error G_GNUC_UNUSED)
{
  int wanted = recipe_def (recipe)->features.async_teardown;
  const QemuCaps *caps = recipe_caps (recipe);

  if (wanted == TRISTATE_ABSENT)
    return TRUE;
  if (qemu_caps_version (caps) < QEMU_ASYNC_TEARDOWN_SINCE)
    return wanted == TRISTATE_NO
           || recipe_refuse (recipe, NULL, "<features><async-teardown>",
                             "asynchronous teardown is not supported with this QEMU binary");
  recipe_option (recipe, "-run-with", "async-teardown=%s", wanted == TRISTATE_YES ? "on" : "off");
  return TRUE;
}

gboolean
recipe_add_domain (Recipe *recipe, GError **error)
{
  const DomainDef *def = recipe_def (recipe);
  const RecipeHost *host = recipe_host (recipe);

  recipe_add_part (recipe, check_target, "<os><type>");
  if (recipe_problems (recipe)->len > 0)
    return recipe_check (recipe, NULL, NULL, error);
  recipe_add_part (recipe, custom_check, "<qemu:commandline>");
  check_modelled (recipe);
  recipe_add_head (recipe);
  recipe_add_part (recipe, recipe_add_firmware, "<os><loader>");
  recipe_add_part (recipe, recipe_add_machine, "<os><type machine=>");
  recipe_add_part (recipe, recipe_add_cpu, "<cpu>");
  recipe_add_part (recipe, recipe_add_memory, "<memory>");
  recipe_add_topology (recipe);
  recipe_add_part (recipe, add_iothreads, "<iothreads>");
  recipe_add_throttle_groups (recipe);
  recipe_add_part (recipe, recipe_add_nodes, "<cpu><numa>");
  recipe_option (recipe, "-uuid", "%s", def->uuid);
  recipe_add_part (recipe, recipe_add_sysinfo, "<sysinfo>");
  recipe_option (recipe, "-no-user-config", NULL);
  recipe_option (recipe, "-nodefaults", NULL);
  recipe_add_monitor (recipe);
  recipe_add_part (recipe, recipe_add_clock, "<clock>");
  add_end_policy (recipe);
  recipe_add_part (recipe, recipe_add_boot, "<os>");
  recipe_add_part (recipe, recipe_add_display, NULL);
  add_devices (recipe);
  if (def->genid != NULL)
    recipe_step (recipe, STEP_DEVICE,
                 props ("driver", "s", "vmgenid", "id", "s", "vmgenid0", "guid", "s", def->genid, NULL));
  if (def->features.vmcoreinfo == TRISTATE_YES)
    recipe_step (recipe, STEP_DEVICE, props ("driver", "s", "vmcoreinfo", NULL));
  recipe_add_part (recipe, recipe_add_launch_security, "<launchSecurity>");
  if (host->incoming != NULL)
    recipe_option (recipe, "-incoming", "%s", host->incoming);
  recipe_add_custom (recipe);
  if (host->sandbox && !qemu_caps_is_lacked (recipe_caps (recipe), "seccomp-sandbox"))
    recipe_option (recipe, "-sandbox",
                   "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  recipe_add_part (recipe, add_teardown, "<features><async-teardown>");
  recipe_option (recipe, "-msg", "timestamp=on");
  return recipe_check (recipe, NULL, NULL, error);
}
