/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The platform that completion asks, answered from the capabilities of emulators. The strings it gives belong
 * to capabilities, which it keeps for as long as it lives; it may be asked from several threads.
 */
#include "targets/qemu/firmware.h"
#include "targets/qemu/recipe.h"

#include "domain/machines/machine-kind.h"

#include <string.h>
#include <sys/stat.h>

#define CONVENTIONAL_SIZE 256 /* bytes of a PCI device's configuration space */

typedef struct {
  QemuCaps *caps;        /* NULL: there is no such emulator, now */
  const char **machines; /* their names and aliases, NULL-terminated */
} Emulator;

typedef struct {
  QemuCapsLookup lookup;
  QemuEmulatorCheck check; /* NULL: documents of any host are in order */
  gpointer data;
  GMutex lock;
  GHashTable *emulators; /* path, "" for the default one → Emulator; those only that are there */
  char **firmware_directories, *variables_directory; /* NULL: none is chosen */
  char *host_directory;                              /* NULL: the host is not looked at */
} QemuPlatform;

static void
emulator_free (gpointer data)
{
  Emulator *emulator = data;

  qemu_caps_unref (emulator->caps);
  g_free (emulator->machines);
  g_free (emulator);
}

static const char **
machine_names (const QemuCaps *caps)
{
  guint count;
  const QemuMachine *machines = qemu_caps_machines (caps, &count);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < count; i++) {
    g_ptr_array_add (names, (gpointer)machines[i].name);
    if (machines[i].alias != NULL)
      g_ptr_array_add (names, (gpointer)machines[i].alias);
  }
  g_ptr_array_add (names, NULL);
  return (const char **)g_ptr_array_free (names, FALSE);
}

static const Emulator *
find (const Platform *platform, const char *path)
{
  static const Emulator none;
  QemuPlatform *own = platform->data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&own->lock);
  Emulator *emulator = g_hash_table_lookup (own->emulators, path != NULL ? path : "");
  QemuCaps *caps;

  if (emulator != NULL)
    return emulator;
  caps = own->lookup (own->data, path);
  if (caps == NULL)
    return &none; /* it may be installed by the time the next one asks */
  emulator = g_new0 (Emulator, 1);
  emulator->caps = caps;
  emulator->machines = machine_names (caps);
  g_hash_table_insert (own->emulators, g_strdup (path != NULL ? path : ""), emulator);
  return emulator;
}

static const char *
default_arch (const Platform *platform)
{
  const Emulator *emulator = find (platform, NULL);

  return emulator->caps != NULL ? qemu_caps_arch (emulator->caps) : NULL;
}

/* The default emulator's neighbour: "/usr/bin/qemu-system-x86_64" → "/usr/bin/qemu-system-i386" for i686. */
static const char *
default_emulator (const Platform *platform, const char *arch)
{
  const QemuCaps *usual = find (platform, NULL)->caps;
  const char *binary, *suffix;
  g_autofree char *path = NULL;
  const QemuCaps *other;

  if (usual == NULL)
    return NULL;
  binary = qemu_caps_binary (usual);
  if (arch == NULL || strcmp (arch, qemu_caps_arch (usual)) == 0)
    return binary;
  suffix = strrchr (binary, '-');
  if (suffix == NULL)
    return NULL;
  path = g_strdup_printf ("%.*s-%s", (int)(suffix - binary), binary, architecture_emulator (arch));
  other = find (platform, path)->caps;
  return other != NULL ? qemu_caps_binary (other) : NULL;
}

static const char *
canonical_machine (const Platform *platform, const char *path, const char *machine)
{
  const QemuCaps *caps = find (platform, path)->caps;
  const QemuMachine *found = NULL;

  if (caps == NULL)
    return NULL;
  if (machine != NULL)
    found = qemu_caps_machine (caps, machine);
  else {
    guint count;
    const QemuMachine *machines = qemu_caps_machines (caps, &count);

    for (guint i = 0; found == NULL && i < count; i++)
      if (machines[i].is_default)
        found = &machines[i];
    if (found == NULL) /* one built without its own default: libvirt's is pc */
      found = qemu_caps_machine (caps, "pc");
  }
  return found != NULL ? found->name : NULL;
}

static const char *const *
machines (const Platform *platform, const char *path)
{
  static const char *const none[] = { NULL };
  const Emulator *emulator = find (platform, path);

  return emulator->machines != NULL ? (const char *const *)emulator->machines : none;
}

/* Of an emulator that is not there the best is believed. */
static gboolean
has_device (const Platform *platform, const char *path, const char *device)
{
  const QemuCaps *caps = find (platform, path)->caps;

  return caps == NULL || qemu_caps_has_type (caps, device);
}

#define POWER "power"

/* "cortex-a15-arm-cpu" → "cortex-a15"; libvirt knows POWER's models without their revisions, and no other of
 * that architecture: "power9_v2.0-powerpc64-cpu" → "POWER9". */
static const char *
default_cpu (const Platform *platform, const char *path, const char *name)
{
  const QemuCaps *caps = find (platform, path)->caps;
  const QemuMachine *machine = caps != NULL ? qemu_caps_machine (caps, name) : NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *model = NULL;
  guint count;

  if (machine == NULL || machine->default_cpu == NULL)
    return NULL;
  parts = g_strsplit (machine->default_cpu, "-", -1);
  count = g_strv_length (parts);
  if (count < 3)
    return NULL;
  g_clear_pointer (&parts[count - 2], g_free); /* and the architecture's and "cpu" behind it */
  g_free (parts[count - 1]);
  model = g_strjoinv ("-", parts);
  if (strcmp (qemu_caps_arch (caps), "ppc64") != 0)
    return g_intern_string (model);
  if (!g_str_has_prefix (model, POWER))
    return NULL;
  for (char *c = model; *c != '\0'; c++)
    *c = *c == '_' ? '\0' : g_ascii_toupper (*c);
  return g_intern_string (model);
}

static guint
max_vcpus (const Platform *platform, const char *path, const char *name)
{
  const QemuCaps *caps = find (platform, path)->caps;
  const QemuMachine *machine = caps != NULL ? qemu_caps_machine (caps, name) : NULL;

  return machine != NULL ? machine->cpu_max : 0;
}

static gboolean
has_kvm (const Platform *platform)
{
  const QemuCaps *caps = find (platform, NULL)->caps;

  return caps != NULL && qemu_caps_has_kvm (caps);
}

static const char *
emulator_arch (const Platform *platform, const char *path)
{
  const QemuCaps *caps = find (platform, path)->caps;

  return caps != NULL ? qemu_caps_arch (caps) : NULL;
}

static gboolean
check_emulator (const Platform *platform, const char *path, GError **error)
{
  const QemuPlatform *own = platform->data;

  return own->check (own->data, path, error);
}

void
qemu_platform_set_check (Platform *platform, QemuEmulatorCheck check)
{
  QemuPlatform *own = platform->data;

  own->check = check;
  platform->check_emulator = check_emulator;
}

/* Read anew each time, as firmware comes and goes with packages: a few small files. */
static char *
complete_firmware (const Platform *platform, DomainDef *def)
{
  const QemuPlatform *own = platform->data;
  g_autoptr (QemuFirmware) firmware = NULL;

  if (own->variables_directory == NULL || !os_wants_firmware (&def->os))
    return NULL;
  firmware = qemu_firmware_load ((const char *const *)own->firmware_directories);
  return qemu_firmware_complete (firmware, def, own->variables_directory);
}

static const char *
store_directory (const Platform *platform)
{
  return ((const QemuPlatform *)platform->data)->variables_directory;
}

void
qemu_platform_set_firmware (Platform *platform, const char *const *directories, const char *state_directory)
{
  QemuPlatform *own = platform->data;

  own->firmware_directories = g_strdupv ((GStrv)directories);
  own->variables_directory = g_build_filename (state_directory, "nvram", NULL);
}

/* What the host's kernel can read of it tells: PCI Express has more configuration space. */
static gboolean
is_conventional_pci (const Platform *platform, const char *name)
{
  const QemuPlatform *own = platform->data;
  g_autofree char *path = g_build_filename (own->host_directory, "sys/bus/pci/devices", name, "config", NULL);
  struct stat status;

  return stat (path, &status) == 0 && status.st_size > 0 && status.st_size <= CONVENTIONAL_SIZE;
}

void
qemu_platform_set_host (Platform *platform, const char *host_directory)
{
  QemuPlatform *own = platform->data;

  own->host_directory = g_strdup (host_directory);
  platform->is_conventional_pci = is_conventional_pci;
}

Platform *
qemu_platform_new (QemuCapsLookup lookup, gpointer data)
{
  Platform *platform = g_new0 (Platform, 1);
  QemuPlatform *own = g_new0 (QemuPlatform, 1);

  own->lookup = lookup;
  own->data = data;
  g_mutex_init (&own->lock);
  own->emulators = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, emulator_free);
  *platform = (Platform){ .default_emulator = default_emulator,
                          .default_arch = default_arch,
                          .canonical_machine = canonical_machine,
                          .machines = machines,
                          .has_device = has_device,
                          .max_vcpus = max_vcpus,
                          .default_cpu = default_cpu,
                          .has_kvm = has_kvm,
                          .emulator_arch = emulator_arch,
                          .complete_firmware = complete_firmware,
                          .store_directory = store_directory,
                          .data = own };
  return platform;
}

void
qemu_platform_free (Platform *platform)
{
  QemuPlatform *own;

  if (platform == NULL)
    return;
  own = platform->data;
  g_hash_table_unref (own->emulators);
  g_strfreev (own->firmware_directories);
  g_free (own->variables_directory);
  g_free (own->host_directory);
  g_mutex_clear (&own->lock);
  g_free (own);
  g_free (platform);
}
