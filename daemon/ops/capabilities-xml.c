/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two documents about what can be run here. They say what this daemon can make with this emulator: a
 * device QEMU knows and we cannot yet describe to it is not listed.
 */
#include "daemon/host/node.h"
#include "daemon/ops/ops.h"

#include "base/enum-table.h"
#include "base/scalars.h"
#include "base/xml-writer.h"

static XmlElement *
add_text (XmlElement *parent, const char *name, const char *text)
{
  XmlElement *element = xml_element_add (parent, name);

  xml_element_set_text (element, text);
  return element;
}

static void
set_number (XmlElement *element, const char *attribute, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  xml_element_set (element, attribute, text);
}

static XmlElement *
add_supported (XmlElement *parent, const char *name, gboolean supported)
{
  XmlElement *element = xml_element_add (parent, name);

  xml_element_set (element, "supported", supported ? "yes" : "no");
  return element;
}

static void
add_cpus (XmlElement *cell)
{
  g_autofree char *online_text = node_cpus_online ();
  g_autoptr (CpuSet) online = cpu_set_parse (online_text, NULL);
  XmlElement *cpus = xml_element_add (cell, "cpus");

  if (online == NULL)
    return;
  set_number (cpus, "num", cpu_set_count (online));
  for (guint cpu = 0, left = cpu_set_count (online); left > 0 && cpu < CPU_SET_MAX; cpu++)
    if (cpu_set_contains (online, cpu)) {
      set_number (xml_element_add (cpus, "cpu"), "id", cpu);
      left--;
    }
}

static void
add_host (XmlElement *root, QemuCaps *caps)
{
  g_autofree char *uuid = node_uuid (), *vendor = node_cpu_vendor (), *memory = NULL;
  g_auto (NodeInfo) info = { 0 };
  XmlElement *host = xml_element_add (root, "host"), *cpu, *topology, *cells, *cell;

  node_info_read (&info);
  add_text (host, "uuid", uuid);
  cpu = xml_element_add (host, "cpu");
  add_text (cpu, "arch", qemu_caps_arch (caps));
  if (vendor != NULL)
    add_text (cpu, "vendor",
              g_str_equal (vendor, "GenuineIntel")   ? "Intel"
              : g_str_equal (vendor, "AuthenticAMD") ? "AMD"
                                                     : vendor);
  topology = xml_element_add (cpu, "topology");
  set_number (topology, "sockets", info.sockets);
  set_number (topology, "dies", 1);
  set_number (topology, "cores", info.cores);
  set_number (topology, "threads", info.threads);

  cells = xml_element_add (xml_element_add (host, "topology"), "cells");
  set_number (cells, "num", 1);
  cell = xml_element_add (cells, "cell");
  set_number (cell, "id", 0);
  memory = g_strdup_printf ("%" G_GUINT64_FORMAT, info.memory);
  xml_element_set (add_text (cell, "memory", memory), "unit", "KiB");
  add_cpus (cell);
}

static void
add_machine (XmlElement *arch, const char *name, const char *canonical, guint cpu_max)
{
  XmlElement *machine = add_text (arch, "machine", name);

  if (canonical != NULL)
    xml_element_set (machine, "canonical", canonical);
  set_number (machine, "maxCpus", cpu_max);
}

static void
add_guest (XmlElement *root, QemuCaps *caps)
{
  XmlElement *guest = xml_element_add (root, "guest"), *arch, *features, *feature;
  guint count;
  const QemuMachine *machines = qemu_caps_machines (caps, &count);
  static const char *const toggled[] = { "acpi", "apic" };

  add_text (guest, "os_type", "hvm");
  arch = xml_element_add (guest, "arch");
  xml_element_set (arch, "name", qemu_caps_arch (caps));
  add_text (arch, "wordsize", g_str_has_suffix (qemu_caps_arch (caps), "64") ? "64" : "32");
  add_text (arch, "emulator", qemu_caps_binary (caps));
  for (guint i = 0; i < count; i++) {
    add_machine (arch, machines[i].name, NULL, machines[i].cpu_max);
    if (machines[i].alias != NULL)
      add_machine (arch, machines[i].alias, machines[i].name, machines[i].cpu_max);
  }
  xml_element_set (xml_element_add (arch, "domain"), "type", "qemu");
  if (qemu_caps_has_kvm (caps))
    xml_element_set (xml_element_add (arch, "domain"), "type", "kvm");

  features = xml_element_add (guest, "features");
  for (gsize i = 0; i < G_N_ELEMENTS (toggled); i++) {
    feature = xml_element_add (features, toggled[i]);
    xml_element_set (feature, "default", "on");
    xml_element_set (feature, "toggle", "yes");
  }
  xml_element_add (features, "cpuselection");
  xml_element_add (features, "deviceboot");
}

char *
host_capabilities_xml (QemuCaps *caps)
{
  g_autoptr (XmlElement) root = xml_element_new ("capabilities");

  add_host (root, caps);
  add_guest (root, caps);
  return xml_element_to_string (root);
}

/* A value of the format and the QEMU type it needs; type NULL: always there. */
typedef struct {
  const char *value, *type;
} Choice;

static void
add_choices (XmlElement *parent, QemuCaps *caps, const char *name, const Choice *choices, gsize count)
{
  XmlElement *list = xml_element_add (parent, "enum");

  xml_element_set (list, "name", name);
  for (gsize i = 0; i < count; i++)
    if (choices[i].type == NULL || qemu_caps_has_type (caps, choices[i].type))
      add_text (list, "value", choices[i].value);
}
#define ADD_CHOICES(parent, caps, name, choices) \
  add_choices (parent, caps, name, choices, G_N_ELEMENTS (choices))

static void
add_os (XmlElement *root, QemuCaps *caps)
{
  static const Choice types[] = { { "rom", NULL }, { "pflash", NULL } };
  static const Choice yes_no[] = { { "yes", NULL }, { "no", NULL } };
  XmlElement *os = add_supported (root, "os", TRUE);
  XmlElement *loader = add_supported (os, "loader", TRUE);

  ADD_CHOICES (loader, caps, "type", types);
  ADD_CHOICES (loader, caps, "readonly", yes_no);
}

static XmlElement *
add_cpu_mode (XmlElement *cpu, const char *name, gboolean supported)
{
  XmlElement *mode = xml_element_add (cpu, "mode");

  xml_element_set (mode, "name", name);
  xml_element_set (mode, "supported", supported ? "yes" : "no");
  return mode;
}

static void
add_cpu (XmlElement *root, QemuCaps *caps, gboolean kvm)
{
  XmlElement *cpu = xml_element_add (root, "cpu"), *custom;
  guint count;
  const QemuCpuModel *models = qemu_caps_cpu_models (caps, &count);

  add_cpu_mode (cpu, "host-passthrough", kvm);
  add_cpu_mode (cpu, "maximum", TRUE);
  add_cpu_mode (cpu, "host-model", FALSE);
  custom = add_cpu_mode (cpu, "custom", TRUE);
  for (guint i = 0; i < count; i++) {
    XmlElement *model = add_text (custom, "model", models[i].name);

    xml_element_set (model, "usable", models[i].usable ? "yes" : "no");
    if (models[i].deprecated)
      xml_element_set (model, "deprecated", "yes");
  }
}

static void
add_disks (XmlElement *devices, QemuCaps *caps)
{
  static const Choice kinds[] = { { "disk", NULL }, { "cdrom", NULL } };
  static const Choice buses[] = {
    { "ide", "ide-hd" },      { "scsi", "scsi-hd" }, { "virtio", "virtio-blk-pci" },
    { "usb", "usb-storage" }, { "sata", "ahci" },
  };
  static const Choice models[] = {
    { "virtio", "virtio-blk-pci" },
    { "virtio-transitional", "virtio-blk-pci-transitional" },
    { "virtio-non-transitional", "virtio-blk-pci-non-transitional" },
  };
  XmlElement *disk = add_supported (devices, "disk", TRUE);

  ADD_CHOICES (disk, caps, "diskDevice", kinds);
  ADD_CHOICES (disk, caps, "bus", buses);
  ADD_CHOICES (disk, caps, "model", models);
}

static void
add_displays (XmlElement *devices, QemuCaps *caps)
{
  static const Choice graphics[] = { { "vnc", NULL } };
  static const Choice videos[] = {
    { "vga", "VGA" },
    { "cirrus", "cirrus-vga" },
    { "vmvga", "vmware-svga" },
    { "qxl", "qxl-vga" },
    { "virtio", "virtio-gpu-pci" },
    { "none", NULL },
    { "bochs", "bochs-display" },
    { "ramfb", "ramfb" },
  };

  ADD_CHOICES (add_supported (devices, "graphics", TRUE), caps, "type", graphics);
  ADD_CHOICES (add_supported (devices, "video", TRUE), caps, "modelType", videos);
}

static void
add_devices (XmlElement *root, QemuCaps *caps)
{
  static const Choice rng_models[] = {
    { "virtio", "virtio-rng-pci" },
    { "virtio-transitional", "virtio-rng-pci-transitional" },
    { "virtio-non-transitional", "virtio-rng-pci-non-transitional" },
  };
  static const Choice rng_backends[] = { { "random", "rng-random" }, { "builtin", "rng-builtin" } };
  static const Choice channels[] = { { "pty", NULL }, { "unix", NULL } };
  static const char *const absent[] = { "hostdev", "filesystem", "tpm", "redirdev" };
  XmlElement *devices = xml_element_add (root, "devices"), *rng;

  add_disks (devices, caps);
  add_displays (devices, caps);
  rng = add_supported (devices, "rng", TRUE);
  ADD_CHOICES (rng, caps, "model", rng_models);
  ADD_CHOICES (rng, caps, "backendModel", rng_backends);
  ADD_CHOICES (add_supported (devices, "channel", TRUE), caps, "type", channels);
  for (gsize i = 0; i < G_N_ELEMENTS (absent); i++)
    add_supported (devices, absent[i], FALSE);
}

const QemuMachine *
caps_machine_or_default (QemuCaps *caps, const char *name)
{
  guint count;
  const QemuMachine *machines = qemu_caps_machines (caps, &count);

  if (name != NULL)
    return qemu_caps_machine (caps, name);
  for (guint i = 0; i < count; i++)
    if (machines[i].is_default)
      return &machines[i];
  return count > 0 ? &machines[0] : NULL;
}

char *
domain_capabilities_xml (QemuCaps *caps, const char *machine_name, const char *type, GError **error)
{
  const QemuMachine *machine = caps_machine_or_default (caps, machine_name);
  gboolean kvm = type != NULL ? g_str_equal (type, "kvm") : qemu_caps_has_kvm (caps);
  g_autoptr (XmlElement) root = xml_element_new ("domainCapabilities");

  if (type != NULL && !g_str_equal (type, "qemu") && !(kvm && qemu_caps_has_kvm (caps))) {
    if (kvm)
      virt_error_set (error, VIR_ERR_INVALID_ARG, "KVM is not supported by '%s' on this host",
                      qemu_caps_binary (caps));
    else
      virt_error_set (error, VIR_ERR_INVALID_ARG, "unknown virttype: %s", type);
    return NULL;
  }
  if (machine == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the machine '%s' is not supported by emulator '%s'",
                    machine_name != NULL ? machine_name : "", qemu_caps_binary (caps));
    return NULL;
  }
  add_text (root, "path", qemu_caps_binary (caps));
  add_text (root, "domain", kvm ? "kvm" : "qemu");
  add_text (root, "machine", machine->name);
  add_text (root, "arch", qemu_caps_arch (caps));
  set_number (xml_element_add (root, "vcpu"), "max", machine->cpu_max);
  add_supported (root, "iothreads", qemu_caps_has_type (caps, "iothread"));
  add_os (root, caps);
  add_cpu (root, caps, kvm);
  add_supported (root, "memoryBacking", FALSE);
  add_devices (root, caps);
  return xml_element_to_string (root);
}
