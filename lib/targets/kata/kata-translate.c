/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine's document as the machine in which Kata runs containers: the part [hypervisor.qemu] of its
 * configuration.toml, and the same as annotations of one container for who may not change that file. The
 * guest is Kata's own, a kernel with an image or an initrd, and its network and files are those of the
 * containers that it is started for; so a document with other disks or cards has no place in it, and says so.
 */
#include "targets/kata/kata-target.h"

#include "base/translate-mark.h"
#include "domain/devices/disk.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/iommu.h"
#include "domain/devices/rng.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define ANNOTATION_PREFIX "io.katacontainers.config.hypervisor."

#define OWN_NETWORK "gives its guest the network of the container"
#define OWN_CONSOLE "has a console of its own"

static const TargetPart parts[] = {
  NEEDLESS ("name"),
  LOST ("uuid", "makes the UUID of each machine itself"),
  CARRIED ("memory"),
  CARRIED ("currentMemory"),
  CARRIED ("maxMemory"),
  CARRIED ("memoryBacking/hugepages"),
  LOST ("memoryBacking/hugepages/page", "takes the host's default size of huge pages"),
  CARRIED ("memoryBacking/allocation@mode"),
  CARRIED ("memoryBacking/source"),
  CARRIED ("memoryBacking/access"),
  CARRIED ("vcpu"),
  LOST ("vcpu@cpuset", "pins no processors"),
  CARRIED ("os/type"),
  CARRIED ("os/kernel"),
  CARRIED ("os/initrd"),
  CARRIED ("os/cmdline"),
  CARRIED ("os/loader"),
  LOST ("os/boot", "boots a kernel, and from no device"),
  NEEDLESS ("features/acpi"),
  NEEDLESS ("features/apic"),
  CARRIED ("cpu@mode"),
  NEEDLESS ("cpu@check"),
  NEEDLESS ("cpu@migratable"),
  CARRIED ("cpu/feature"),
  LOST ("cpu/model", "shows the host's processor as it is"),
  CARRIED ("clock"),
  LOST ("clock/timer", "has no choice of timers"),
  NEEDLESS ("on_poweroff"),
  NEEDLESS ("on_reboot"),
  NEEDLESS ("on_crash"),
  CARRIED ("devices/emulator"),
  NEEDLESS ("devices/*/address"),
  NEEDLESS ("devices/controller"),
  CARRIED ("devices/disk@type"),
  CARRIED ("devices/disk@device"),
  CARRIED ("devices/disk/driver@name"),
  CARRIED ("devices/disk/driver@type"),
  CARRIED ("devices/disk/source"),
  CARRIED ("devices/disk/target"),
  CARRIED ("devices/disk/readonly"),
  CARRIED ("devices/filesystem@type"),
  NEEDLESS ("devices/filesystem@accessmode"),
  CARRIED ("devices/filesystem/driver@type"),
  CARRIED ("devices/filesystem/driver@queue"),
  CARRIED ("devices/filesystem/binary@path"),
  CARRIED ("devices/filesystem/binary/cache"),
  LOST ("devices/filesystem/source", "shares the containers' files, and no directory of the document's"),
  NEEDLESS ("devices/filesystem/target"),
  CARRIED ("devices/iommu"),
  CARRIED ("devices/rng"),
  NEEDLESS ("devices/vsock"),
  LOST ("devices/interface", OWN_NETWORK),
  LOST ("devices/serial", OWN_CONSOLE),
  LOST ("devices/console", OWN_CONSOLE),
  LOST ("devices/graphics", "has no display"),
  LOST ("devices/video", "has no display"),
  LOST ("qemu:commandline", "takes no option of QEMU's"),
  { NULL, TARGET_LOST, NULL },
};

/* One setting, on its way into both files. */
typedef struct {
  GString *toml, *names; /* names: those an annotation may set, as TOML's list */
  JsonBuilder *annotations;
} Settings;

/* A basic string of TOML. */
static void
append_string (GString *toml, const char *text)
{
  g_string_append_c (toml, '"');
  for (const char *next = text; *next != '\0'; next++) {
    guchar byte = (guchar)*next;

    if (byte == '"' || byte == '\\')
      g_string_append_c (toml, '\\');
    if (byte < 0x20 || byte == 0x7f)
      g_string_append_printf (toml, "\\u%04X", byte);
    else
      g_string_append_c (toml, *next);
  }
  g_string_append_c (toml, '"');
}

static void
set_annotation (Settings *settings, const char *name, const char *value)
{
  g_autofree char *whole = g_strconcat (ANNOTATION_PREFIX, name, NULL);

  json_builder_set_member_name (settings->annotations, whole);
  json_builder_add_string_value (settings->annotations, value);
  g_string_append_printf (settings->names, "%s\"%s\"", settings->names->len > 0 ? ", " : "", name);
}

static void
set_text (Settings *settings, const char *name, const char *value)
{
  if (value == NULL)
    return;
  g_string_append_printf (settings->toml, "%s = ", name);
  append_string (settings->toml, value);
  g_string_append_c (settings->toml, '\n');
  set_annotation (settings, name, value);
}

static void
set_number (Settings *settings, const char *name, guint64 value)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, value);

  g_string_append_printf (settings->toml, "%s = %s\n", name, text);
  set_annotation (settings, name, text);
}

static void
set_flag (Settings *settings, const char *name, gboolean value)
{
  g_string_append_printf (settings->toml, "%s = %s\n", name, value ? "true" : "false");
  set_annotation (settings, name, value ? "true" : "false");
}

/*
 * What the document says.
 */
static void
check_domain (const DomainDef *def, TargetLosses *losses)
{
  if (def->type != VIRT_TYPE_KVM)
    target_lose (losses, NULL, "type=", "runs its machines with KVM only: type='kvm'");
  if (def->os.type != OS_TYPE_HVM)
    target_refuse (losses, NULL, "<os><type>", "runs machines: <os><type>hvm</type>");
  else if (def->os.kernel == NULL)
    target_refuse (losses, NULL, "<os>", "boots a kernel, which it has to know: <kernel>");
  if (def->memory.value % 1024 != 0)
    target_refuse (losses, NULL, "<memory>", "has memory in whole MiB");
  if (def->cpu != NULL && def->cpu->mode != CPU_MODE_HOST_PASSTHROUGH && def->cpu->mode != CPU_MODE_NONE)
    target_lose (losses, NULL, "<cpu mode=>", "shows the host's processor as it is: 'host-passthrough'");
  if (def->clock.offset != CLOCK_UTC)
    target_lose (losses, NULL, "<clock offset=>", "has a clock of 'utc'");
  if (def->current_memory.value != def->memory.value)
    target_lose (losses, NULL, "<currentMemory>", "has no balloon: a guest begins with all of <memory>");
}

/* The guest's root: the one read-only image, where there is no initrd. */
static void
set_image (Settings *settings, const DomainDef *def, TargetLosses *losses)
{
  gboolean has_image = def->os.initrd != NULL;

  set_text (settings, "initrd", def->os.initrd);
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (has_image)
      target_lose (losses, &disk->device, NULL, "has one image or an initrd, and the containers' own disks");
    else if (disk->type != DISK_TYPE_FILE || disk->file == NULL || !disk->readonly
             || g_strcmp0 (disk->format, "raw") != 0 || disk->device_type != DISK_DEVICE_DISK)
      target_lose (losses, &disk->device, NULL, "starts its guest from a raw image file that is <readonly/>");
    else {
      set_text (settings, "image", disk->file);
      has_image = TRUE;
    }
  }
  if (!has_image)
    target_refuse (losses, NULL, "<os>", "needs the guest's <initrd>, or a disk that is its image");
}

/* "q35", and not what that means today. */
static char *
machine_of (const DomainDef *def)
{
  if (def->os.machine == NULL)
    return NULL;
  if (domain_def_is_q35 (def))
    return g_strdup ("q35");
  return g_strdup (def->os.machine);
}

static void
set_processors (Settings *settings, const DomainDef *def, TargetLosses *losses)
{
  g_autoptr (GString) features = g_string_new (NULL);

  set_number (settings, "default_vcpus",
              def->vcpus_current.set ? def->vcpus_current.value : def->vcpus.value);
  set_number (settings, "default_maxvcpus", def->vcpus.value);
  for (guint i = 0; def->cpu != NULL && def->cpu->features != NULL && i < def->cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (def->cpu->features, i);
    gboolean is_off = feature->policy == CPU_POLICY_DISABLE || feature->policy == CPU_POLICY_FORBID;

    if (strpbrk (feature->name, ",= ") != NULL)
      target_lose (losses, NULL, "<cpu><feature>", "has no feature '%s'", feature->name);
    else
      g_string_append_printf (features, "%s%s=%s", features->len > 0 ? "," : "", feature->name,
                              is_off ? "off" : "on");
  }
  if (features->len > 0)
    set_text (settings, "cpu_features", features->str);
}

static void
set_memory (Settings *settings, const DomainDef *def)
{
  set_number (settings, "default_memory", def->memory.value / 1024);
  if (def->max_memory.set)
    set_number (settings, "default_maxmemory", def->max_memory.value / 1024);
  if (def->max_memory_slots.set)
    set_number (settings, "memory_slots", def->max_memory_slots.value);
  if (def->memory_backing.hugepages)
    set_flag (settings, "enable_hugepages", TRUE);
  if (def->memory_backing.allocation == MEMORY_ALLOCATION_IMMEDIATE)
    set_flag (settings, "enable_mem_prealloc", TRUE);
}

static void
set_sharing (Settings *settings, const DomainDef *def, TargetLosses *losses)
{
  static const char *const caches[] = { NULL, "never", "always" };
  gboolean has_one = FALSE;

  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, DeviceFilesystem, filesystem) {
    gboolean is_virtiofs = filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS;

    if (has_one) {
      target_lose (losses, &filesystem->device, NULL, "shares files in one way");
      continue;
    }
    has_one = TRUE;
    set_text (settings, "shared_fs", is_virtiofs ? "virtio-fs" : "virtio-9p");
    if (!is_virtiofs)
      continue;
    set_text (settings, "virtio_fs_daemon", filesystem->binary);
    if (filesystem->cache > 0 && (guint)filesystem->cache < G_N_ELEMENTS (caches))
      set_text (settings, "virtio_fs_cache", caches[filesystem->cache]);
    if (filesystem->queue.set)
      set_number (settings, "virtio_fs_queue_size", filesystem->queue.value);
  }
  if (!has_one)
    set_text (settings, "shared_fs", "none");
}

static void
set_devices (Settings *settings, const DomainDef *def, TargetLosses *losses)
{
  if (domain_def_count_devices (def, &iommu_kind) > 0)
    set_flag (settings, "enable_iommu", TRUE);
  DOMAIN_FOREACH_DEVICE (def, rng_kind, DeviceRng, rng) {
    if (rng->backend == RNG_BACKEND_RANDOM && rng->path != NULL)
      set_text (settings, "entropy_source", rng->path);
    else
      target_lose (losses, &rng->device, "<backend model=>", "takes its random numbers from a file");
  }
}

static char *
print_annotations (JsonBuilder *json)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  JsonNode *root = json_builder_get_root (json);
  g_autofree char *text = NULL;

  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  json_node_unref (root);
  return g_strconcat (text, "\n", NULL);
}

static gboolean
kata_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
                GError **error G_GNUC_UNUSED)
{
  const DomainDef *def = request->def;
  g_autofree char *machine = machine_of (def);
  g_autoptr (JsonBuilder) annotations = json_builder_new ();
  g_autoptr (GString) names = g_string_new (NULL);
  Settings settings = { g_string_new ("[hypervisor.qemu]\n"), names, annotations };

  check_domain (def, losses);
  json_builder_begin_object (annotations);
  set_text (&settings, "path", def->emulator);
  set_text (&settings, "machine_type", machine);
  set_text (&settings, "kernel", def->os.kernel);
  set_image (&settings, def, losses);
  set_text (&settings, "kernel_params", def->os.cmdline);
  set_text (&settings, "firmware", def->os.loader);
  set_processors (&settings, def, losses);
  set_memory (&settings, def);
  set_sharing (&settings, def, losses);
  set_devices (&settings, def, losses);
  json_builder_end_object (annotations);
  g_string_append_printf (settings.toml, "enable_annotations = [%s]\n\n[agent.kata]\n\n[runtime]\n",
                          names->str);
  target_config_add_file (config, "configuration.toml", g_string_free (settings.toml, FALSE));
  target_config_add_file (config, "annotations.json", print_annotations (annotations));
  return TRUE;
}

const Target kata_target = {
  .name = "kata",
  .title = "Kata",
  .summary = N_ ("configuration.toml of Kata Containers, and the same as annotations"),
  .parts = parts,
  .translate = kata_translate,
};
