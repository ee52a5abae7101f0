/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virConnectGetDomainCapabilities: what a document for one emulator, machine and virt type may say. Elements,
 * order and words are libvirt's. It lists what this code makes of a document and the binary has; what is
 * still refused when translated is not listed, so that a client does not offer it.
 */
#include "host/domain-capabilities.h"
#include "host/host-facts.h"
#include "host/xml-words.h"

#include "base/virt-error.h"

#include "domain/machines/machine-kind.h"

#include <string.h>

/* A word of the format, and the QEMU type it needs; NULL: none. */
typedef struct {
  const char *word, *type;
} Choice;

typedef struct {
  const QemuCaps *caps;
  const QemuFirmware *firmware;
  const QemuMachine *machine;
  gboolean bare; /* a machine with little of what others have; PCI it has if its document says so */
  gboolean kvm;
  gboolean vfio; /* the host can give PCI devices away */
} Subject;

static gboolean
is_bare (const char *arch, const char *machine)
{
  g_autoptr (GPtrArray) devices = g_ptr_array_new ();
  const DomainDef def = { .os = { .arch = (char *)arch, .machine = (char *)machine }, .devices = devices };

  return machine_kind_of (&def)->is_bare;
}

static XmlElement *
add_enum (XmlElement *parent, const char *name)
{
  XmlElement *element = xml_element_add (parent, "enum");

  xml_element_set (element, "name", name);
  return element;
}

static void
add_choices (XmlElement *parent, const Subject *subject, const char *name, const Choice *choices, gsize count)
{
  XmlElement *element = add_enum (parent, name);

  for (gsize i = 0; i < count; i++)
    if (choices[i].type == NULL || qemu_caps_has_type (subject->caps, choices[i].type))
      words_text (element, "value", choices[i].word);
}
#define ADD_CHOICES(parent, subject, name, choices) \
  add_choices (parent, subject, name, choices, G_N_ELEMENTS (choices))

static const Choice yes_no[] = { { "yes", NULL }, { "no", NULL } };

static void
add_os (XmlElement *root, const Subject *subject)
{
  static const Choice types[] = { { "rom", NULL }, { "pflash", NULL } };
  XmlElement *os = words_supported (root, "os", TRUE), *firmware = add_enum (os, "firmware"), *loader,
             *secure;
  const char *arch = qemu_caps_arch (subject->caps), *machine = subject->machine->name;
  g_autofree const char **paths = NULL;

  if (subject->firmware != NULL)
    paths = qemu_firmware_paths (subject->firmware, arch, machine);
  if (paths != NULL && paths[0] != NULL)
    words_text (firmware, "value", "efi");
  loader = words_supported (os, "loader", TRUE);
  for (guint i = 0; paths != NULL && paths[i] != NULL; i++)
    words_text (loader, "value", paths[i]);
  add_choices (loader, subject, "type", types, subject->bare ? 1 : G_N_ELEMENTS (types));
  ADD_CHOICES (loader, subject, "readonly", yes_no);
  secure = add_enum (loader, "secure");
  if (subject->firmware != NULL && qemu_firmware_has_secure (subject->firmware, arch, machine))
    words_text (secure, "value", "yes");
  words_text (secure, "value", "no");
}

static void
add_disk (XmlElement *devices, const Subject *subject)
{
  static const Choice kinds[] = {
    { "disk", NULL }, { "cdrom", NULL }, { "floppy", "floppy" }, { "lun", "scsi-block" }
  };
  static const Choice kinds_of_bare[] = { { "disk", NULL }, { "cdrom", NULL }, { "lun", "scsi-block" } };
  static const Choice buses[] = { { "ide", "ide-hd" },      { "fdc", "floppy" },
                                  { "scsi", "scsi-hd" },    { "virtio", "virtio-blk-pci" },
                                  { "usb", "usb-storage" }, { "sata", "ich9-ahci" } };
  static const Choice models[] = { { "virtio", "virtio-blk-pci" },
                                   { "virtio-transitional", "virtio-blk-pci-transitional" },
                                   { "virtio-non-transitional", "virtio-blk-pci-non-transitional" } };
  XmlElement *disk = words_supported (devices, "disk", TRUE), *bus;
  const char *machine = subject->machine->name;
  gboolean has_ide = g_str_has_prefix (machine, "pc-") && strstr (machine, "q35") == NULL;

  if (subject->bare)
    ADD_CHOICES (disk, subject, "diskDevice", kinds_of_bare);
  else
    ADD_CHOICES (disk, subject, "diskDevice", kinds);
  bus = add_enum (disk, "bus");
  for (gsize i = 0; i < G_N_ELEMENTS (buses); i++)
    if (qemu_caps_has_type (subject->caps, buses[i].type) && (has_ide || strcmp (buses[i].word, "ide") != 0)
        && (!subject->bare || strcmp (buses[i].word, "fdc") != 0))
      words_text (bus, "value", buses[i].word);
  ADD_CHOICES (disk, subject, "model", models);
}

static void
add_screen (XmlElement *devices, const Subject *subject)
{
  static const Choice graphics[] = { { "sdl", NULL },
                                     { "vnc", NULL },
                                     { "spice", "chardev-spicevmc" },
                                     { "egl-headless", "virtio-gpu-gl-device" },
                                     { "dbus", "chardev-dbus" } };
  static const Choice videos[] = { { "vga", "VGA" },
                                   { "cirrus", "cirrus-vga" },
                                   { "vmvga", "vmware-svga" },
                                   { "qxl", "qxl-vga" },
                                   { "virtio", "virtio-gpu-pci" },
                                   { "none", NULL },
                                   { "bochs", "bochs-display" },
                                   { "ramfb", "ramfb" } };

  ADD_CHOICES (words_supported (devices, "graphics", TRUE), subject, "type", graphics);
  ADD_CHOICES (words_supported (devices, "video", TRUE), subject, "modelType", videos);
}

static void
add_hostdev (XmlElement *devices, const Subject *subject)
{
  static const Choice modes[] = { { "subsystem", NULL } };
  static const Choice policies[] = {
    { "default", NULL }, { "mandatory", NULL }, { "requisite", NULL }, { "optional", NULL }
  };
  static const Choice types[] = { { "usb", NULL }, { "pci", NULL }, { "scsi", "scsi-generic" } };
  static const Choice backends[] = { { "default", "vfio-pci" }, { "vfio", "vfio-pci" } };
  XmlElement *hostdev = words_supported (devices, "hostdev", TRUE);

  ADD_CHOICES (hostdev, subject, "mode", modes);
  ADD_CHOICES (hostdev, subject, "startupPolicy", policies);
  ADD_CHOICES (hostdev, subject, "subsysType", types);
  add_enum (hostdev, "capsType");
  add_choices (hostdev, subject, "pciBackend", backends, subject->vfio ? G_N_ELEMENTS (backends) : 0);
}

static void
add_tpm (XmlElement *devices, const Subject *subject)
{
  static const Choice models[] = { { "tpm-tis", "tpm-tis" }, { "tpm-crb", "tpm-crb" } };
  static const Choice backends[] = { { "passthrough", "tpm-passthrough" },
                                     { "emulator", "tpm-emulator" },
                                     { "external", "tpm-emulator" } };
  static const Choice versions[] = { { "1.2", "tpm-emulator" }, { "2.0", "tpm-emulator" } };
  gboolean has =
      qemu_caps_has_type (subject->caps, "tpm-tis") || qemu_caps_has_type (subject->caps, "tpm-crb");
  XmlElement *tpm = words_supported (devices, "tpm", has);

  if (!has)
    return;
  ADD_CHOICES (tpm, subject, "model", models);
  ADD_CHOICES (tpm, subject, "backendModel", backends);
  ADD_CHOICES (tpm, subject, "backendVersion", versions);
}

static void
add_crypto (XmlElement *devices, const Subject *subject)
{
  static const Choice models[] = { { "virtio", "virtio-crypto-pci" } };
  static const Choice types[] = { { "qemu", "virtio-crypto-pci" } };
  static const Choice backends[] = { { "builtin", "cryptodev-backend-builtin" },
                                     { "lkcf", "cryptodev-backend-lkcf" } };
  gboolean has = qemu_caps_has_type (subject->caps, "virtio-crypto-pci");
  XmlElement *crypto = words_supported (devices, "crypto", has);

  if (!has)
    return;
  ADD_CHOICES (crypto, subject, "model", models);
  ADD_CHOICES (crypto, subject, "type", types);
  ADD_CHOICES (crypto, subject, "backendModel", backends);
}

static void
add_panic (XmlElement *devices, const Subject *subject)
{
  static const Choice models[] = { { "isa", "pvpanic" }, { "hyperv", NULL }, { "pvpanic", "pvpanic-pci" } };

  ADD_CHOICES (words_supported (devices, "panic", TRUE), subject, "model", models);
}

static void
add_devices (XmlElement *root, const Subject *subject)
{
  static const Choice rng_models[] = { { "virtio", "virtio-rng-pci" },
                                       { "virtio-transitional", "virtio-rng-pci-transitional" },
                                       { "virtio-non-transitional", "virtio-rng-pci-non-transitional" } };
  static const Choice rng_backends[] = { { "random", "rng-random" },
                                         { "egd", "rng-egd" },
                                         { "builtin", "rng-builtin" } };
  static const Choice channels[] = { { "pty", NULL }, { "unix", NULL }, { "spicevmc", "chardev-spicevmc" } };
  static const Choice redirdev_buses[] = { { "usb", NULL } };
  static const Choice filesystems[] = { { "path", "virtio-9p-pci" }, { "virtiofs", "vhost-user-fs-pci" } };
  static const Choice interfaces[] = { { "default", NULL }, { "passt", NULL } };
  XmlElement *devices = xml_element_add (root, "devices"), *rng, *redirdev;

  add_disk (devices, subject);
  add_screen (devices, subject);
  add_hostdev (devices, subject);
  rng = words_supported (devices, "rng", TRUE);
  ADD_CHOICES (rng, subject, "model", rng_models);
  ADD_CHOICES (rng, subject, "backendModel", rng_backends);
  ADD_CHOICES (words_supported (devices, "filesystem", TRUE), subject, "driverType", filesystems);
  add_tpm (devices, subject);
  redirdev = words_supported (devices, "redirdev", qemu_caps_has_type (subject->caps, "usb-redir"));
  if (qemu_caps_has_type (subject->caps, "usb-redir"))
    ADD_CHOICES (redirdev, subject, "bus", redirdev_buses);
  ADD_CHOICES (words_supported (devices, "channel", TRUE), subject, "type", channels);
  add_crypto (devices, subject);
  ADD_CHOICES (words_supported (devices, "interface", TRUE), subject, "backendType", interfaces);
  add_panic (devices, subject);
}

static void
add_memory (XmlElement *root, const Subject *subject)
{
  static const Choice sources[] = { { "file", "memory-backend-file" },
                                    { "anonymous", NULL },
                                    { "memfd", "memory-backend-memfd" } };

  ADD_CHOICES (words_supported (root, "memoryBacking", TRUE), subject, "sourceType", sources);
}

static void
add_hyperv (XmlElement *features, const Subject *subject)
{
  QemuAccel accel = subject->kvm ? QEMU_ACCEL_KVM : QEMU_ACCEL_TCG;
  XmlElement *hyperv, *words = NULL;

  for (guint i = 0; qemu_hyperv_features[i] != NULL; i++) {
    if (!qemu_caps_has_hyperv (subject->caps, accel, qemu_hyperv_features[i]))
      continue;
    if (words == NULL) {
      hyperv = words_supported (features, "hyperv", TRUE);
      words = add_enum (hyperv, "features");
    }
    words_text (words, "value", qemu_hyperv_features[i]);
  }
}

/* What the host's processor hides of a guest. */
static void
add_security (XmlElement *features, const Subject *subject)
{
  const QemuSev *sev = qemu_caps_sev (subject->caps);
  XmlElement *element = words_supported (features, "sev", sev != NULL);

  if (sev != NULL) {
    g_autofree char *position = g_strdup_printf ("%u", sev->c_bit_position);
    g_autofree char *bits = g_strdup_printf ("%u", sev->reduced_phys_bits);

    words_text (element, "cbitpos", position);
    words_text (element, "reducedPhysBits", bits);
  }
  words_supported (features, "sgx", qemu_caps_has_sgx (subject->caps));
}

static void
add_launch_security (XmlElement *features, const Subject *subject)
{
  static const Choice types[] = { { "sev", "sev-guest" }, { "sev-snp", "sev-snp-guest" } };
  gboolean has = qemu_caps_sev (subject->caps) != NULL;
  XmlElement *element = words_supported (features, "launchSecurity", has);

  if (has)
    ADD_CHOICES (element, subject, "sectype", types);
}

static void
add_features (XmlElement *root, const Subject *subject)
{
  XmlElement *features = xml_element_add (root, "features");

  words_supported (features, "gic", FALSE);
  words_supported (features, "vmcoreinfo", qemu_caps_has_type (subject->caps, "vmcoreinfo"));
  words_supported (features, "genid", !subject->bare && qemu_caps_has_type (subject->caps, "vmgenid"));
  words_supported (features, "backingStoreInput", TRUE);
  words_supported (features, "backup", TRUE);
  words_supported (features, "async-teardown",
                   qemu_caps_version (subject->caps) >= QEMU_ASYNC_TEARDOWN_SINCE);
  words_supported (features, "ps2", !subject->bare);
  add_security (features, subject);
  add_hyperv (features, subject);
  add_launch_security (features, subject);
}

static const QemuMachine *
default_machine (const QemuCaps *caps)
{
  guint count;
  const QemuMachine *machines = qemu_caps_machines (caps, &count);
  const Architecture *architecture =
      architecture_find (architecture_of_emulator (qemu_caps_binary (caps), qemu_caps_arch (caps)));
  const QemuMachine *usual = architecture != NULL && architecture->machine != NULL
                                 ? qemu_caps_machine (caps, architecture->machine)
                                 : NULL;

  if (usual != NULL)
    return usual;

  for (guint i = 0; i < count; i++)
    if (machines[i].is_default)
      return &machines[i];
  return &machines[0];
}

/* Both names of a family's architectures go with an emulator of either. */
static gboolean
serves (const char *own, const char *arch)
{
  static const char *const x86[] = { "i386", "i686", "x86_64", NULL };

  return architecture_runs_on (arch, own) || (g_strv_contains (x86, own) && g_strv_contains (x86, arch));
}

gboolean
qemu_caps_choose (const QemuCaps *caps, const char *arch, const char *machine, const char *virt_type,
                  const QemuMachine **ret_machine, gboolean *ret_kvm, GError **error)
{
  const char *binary = qemu_caps_binary (caps), *own = qemu_caps_arch (caps);
  gboolean kvm = virt_type != NULL ? strcmp (virt_type, "kvm") == 0 : qemu_caps_has_kvm (caps);

  *ret_kvm = kvm;
  *ret_machine = machine != NULL ? qemu_caps_machine (caps, machine) : default_machine (caps);
  if (machine != NULL && strcmp (machine, "none") == 0) /* QEMU's name for no machine at all */
    *ret_machine = NULL;
  if (arch != NULL && !serves (own, arch))
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "architecture from emulator '%s' doesn't match given architecture '%s'", own, arch);
  else if (virt_type != NULL && !kvm && strcmp (virt_type, "qemu") != 0)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "unknown virttype: %s", virt_type);
  else if (kvm && !qemu_caps_has_kvm (caps))
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the accel 'kvm' is not supported by '%s' on this host",
                    binary);
  else if (*ret_machine == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the machine '%s' is not supported by emulator '%s'", machine,
                    binary);
  else
    return TRUE;
  return FALSE;
}

char *
qemu_domain_capabilities_to_xml (const QemuCaps *caps, const QemuFirmware *firmware, gboolean vfio,
                                 const char *arch, const char *machine, const char *virt_type, GError **error)
{
  Subject subject = { .caps = caps, .firmware = firmware, .vfio = vfio };
  g_autoptr (XmlElement) root = xml_element_new ("domainCapabilities");

  if (!qemu_caps_choose (caps, arch, machine, virt_type, &subject.machine, &subject.kvm, error))
    return NULL;
  subject.bare = is_bare (qemu_caps_arch (caps), subject.machine->name);
  words_text (root, "path", qemu_caps_binary (caps));
  words_text (root, "domain", subject.kvm ? "kvm" : "qemu");
  words_text (root, "machine", subject.machine->name);
  words_text (root, "arch", arch != NULL ? arch : qemu_caps_arch (caps));
  words_number (xml_element_add (root, "vcpu"), "max", subject.machine->cpu_max);
  words_supported (root, "iothreads", qemu_caps_has_type (caps, "iothread"));
  add_os (root, &subject);
  domain_capabilities_add_cpu (root, caps, subject.kvm);
  add_memory (root, &subject);
  add_devices (root, &subject);
  add_features (root, &subject);
  return xml_element_to_string (root);
}
