/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine as a whole, and the order of its parts: what the command line of a cold start consists of. The
 * order is libvirt's, so that two command lines can be compared line by line.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/controller.h"
#include "domain/devices/memory.h"
#include "domain/devices/verbatim-device.h"

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

/* QEMU's i386 is libvirt's i686, and an x86_64 emulator runs it as well. */
static gboolean
runs_arch (const char *emulator_arch, const char *arch)
{
  if (strcmp (arch, "i686") == 0)
    return strcmp (emulator_arch, "i386") == 0 || strcmp (emulator_arch, "x86_64") == 0;
  return strcmp (arch, emulator_arch) == 0;
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
  if (def->os.arch != NULL && !runs_arch (qemu_caps_arch (caps), def->os.arch))
    return qemu_unsupported (NULL, error, "the emulator %s runs '%s', and the domain is for '%s'",
                             qemu_caps_binary (caps), qemu_caps_arch (caps), def->os.arch);
  if (def->type == VIRT_TYPE_KVM && recipe_by_descriptor (recipe) && !qemu_caps_has_kvm (caps))
    return qemu_unsupported (
        NULL, error,
        "KVM cannot be used on this host (see /dev/kvm), and the domain is of type 'kvm'; type "
        "'qemu' runs here, by emulation");
  return TRUE;
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
    { os->acpi_tables != NULL && os->acpi_tables->len > 0, "<os><acpi>", NULL },
    { os->shim != NULL, "<os><shim>", NULL },
    { os->root != NULL, "<os><root>", NULL },
    { os->init != NULL, "<os><init>", NULL },
    { os->nvram_type != NULL && strcmp (os->nvram_type, "file") != 0, "<nvram type=> other than 'file'",
      "<os><nvram type=>" },
    { def->on_reboot == ON_EVENT_RENAME_RESTART || def->on_poweroff == ON_EVENT_RENAME_RESTART,
      "the action 'rename-restart'",
      def->on_reboot == ON_EVENT_RENAME_RESTART ? "<on_reboot>" : "<on_poweroff>" },
    { def->features.async_teardown == TRISTATE_YES, "<async-teardown>", "<features><async-teardown>" },
    { def->features.smm_tseg != NULL, "<smm><tseg>", "<features><smm><tseg>" },
    { def->features.tcg_tb_cache.set, "<tcg><tb-cache>", "<features><tcg><tb-cache>" },
    { def->features.capabilities != NULL, "<features><capabilities>", NULL },
    { def->features.xen != NULL, "<features><xen>", NULL },
  };

  for (guint i = 0; parts != NULL && parts[i] != NULL; i++)
    recipe_refuse (recipe, NULL, parts[i], "element <%s> is not supported yet by the QEMU target", parts[i]);
  for (guint i = 0; i < G_N_ELEMENTS (unsupported); i++)
    if (unsupported[i].said)
      recipe_refuse (recipe, NULL, unsupported[i].part != NULL ? unsupported[i].part : unsupported[i].what,
                     "%s is not supported yet by the QEMU target", unsupported[i].what);
}

static void
append_switch (GString *options, const char *name, int state)
{
  if (state != TRISTATE_ABSENT)
    g_string_append_printf (options, ",%s=%s", name, state == TRISTATE_YES ? "on" : "off");
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
  g_string_append_printf (options, ",dump-guest-core=%s",
                          def->memory_dump_core == TRISTATE_YES ? "on" : "off");
  if (def->memory_backing.nosharepages)
    g_string_append (options, ",mem-merge=off");
  if (has_nvdimm (def))
    g_string_append (options, ",nvdimm=on");
  if (features->ioapic_driver != 0)
    g_string_append_printf (options, ",kernel_irqchip=%s", features->ioapic_driver == 2 ? "on" : "split");
  firmware_machine_options (recipe, options);
  clock_machine_options (recipe, options);
  if (!features->acpi)
    g_string_append (options, ",acpi=off");
  if (!recipe_has_nodes (recipe))
    g_string_append_printf (options, ",memory-backend=%s", recipe_memory_id (recipe));
  if (def->os.bios_use_serial == TRISTATE_YES)
    g_string_append (options, ",graphics=off");
  recipe_option (recipe, "-machine", "%s", options->str);

  if (def->type == VIRT_TYPE_KVM && features->kvm != NULL && features->kvm->dirty_ring == TRISTATE_YES)
    recipe_option (recipe, "-accel", "kvm,dirty-ring-size=%" G_GUINT64_FORMAT,
                   features->kvm->dirty_ring_size.value);
  else
    recipe_option (recipe, "-accel", "%s", def->type == VIRT_TYPE_KVM ? "kvm" : "tcg");
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
  const GPtrArray *all = recipe_def (recipe)->devices;

  for (guint i = 0; i < all->len; i++) {
    const Device *device = g_ptr_array_index (all, i);

    if (device_is_verbatim (device))
      recipe_add_device_part (recipe, qemu_device_kind (device->kind), device);
  }
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
  if (host->incoming != NULL)
    recipe_option (recipe, "-incoming", "%s", host->incoming);
  recipe_add_custom (recipe);
  if (host->sandbox && !qemu_caps_is_lacked (recipe_caps (recipe), "seccomp-sandbox"))
    recipe_option (recipe, "-sandbox",
                   "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  recipe_option (recipe, "-msg", "timestamp=on");
  return recipe_check (recipe, NULL, NULL, error);
}
