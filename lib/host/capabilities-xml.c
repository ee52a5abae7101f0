/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virConnectGetCapabilities: the host, and a <guest> for each emulator. Elements, their order and their words
 * are libvirt's; clients look machines and domain types up here before they write a document.
 */
#include "host/host-facts.h"
#include "host/xml-words.h"

#include "domain/machines/machine-kind.h"

#include <string.h>

static void
add_pages (XmlElement *parent, const HostCell *cell, gboolean with_count)
{
  for (guint i = 0; i < cell->page_count; i++) {
    XmlElement *pages = xml_element_add (parent, "pages");
    g_autofree char *count = g_strdup_printf ("%" G_GUINT64_FORMAT, cell->pages[i].count);

    xml_element_set (pages, "unit", "KiB");
    words_number (pages, "size", cell->pages[i].size);
    if (with_count)
      xml_element_set_text (pages, count);
  }
}

/* What identifies the processor. */
static void
add_identity (XmlElement *cpu, const HostFacts *host)
{
  const CpuSignature *signature = &host->signature;
  XmlElement *element;

  if (host->microcode != 0)
    words_number (xml_element_add (cpu, "microcode"), "version", host->microcode);
  if (signature->family != 0) {
    element = xml_element_add (cpu, "signature");
    words_number (element, "family", signature->family);
    words_number (element, "model", signature->model);
    words_number (element, "stepping", signature->stepping);
  }
  if (host->tsc_frequency != 0) {
    element = xml_element_add (cpu, "counter");
    xml_element_set (element, "name", "tsc");
    words_number (element, "frequency", host->tsc_frequency);
    xml_element_set (element, "scaling", host->tsc_scaling ? "yes" : "no");
  }
}

static void
add_topology (XmlElement *cpu, const HostFacts *host)
{
  XmlElement *topology = xml_element_add (cpu, "topology");

  words_number (topology, "sockets", host->sockets);
  words_number (topology, "dies", MAX (host->dies, 1));
  words_number (topology, "cores", host->cores);
  words_number (topology, "threads", host->threads);
}

static void
add_cpu (XmlElement *parent, const HostFacts *host)
{
  XmlElement *cpu = xml_element_add (parent, "cpu"), *bits;
  const GPtrArray *features = host->cpu != NULL ? host->cpu->features : NULL;

  words_text (cpu, "arch", host->arch);
  if (host->cpu != NULL)
    words_text (cpu, "model", host->cpu->model);
  if (host->cpu_vendor != NULL)
    words_text (cpu, "vendor", host->cpu_vendor);
  add_identity (cpu, host);
  if (host->sockets > 0)
    add_topology (cpu, host);
  if (host->physical_bits > 0) {
    bits = xml_element_add (cpu, "maxphysaddr");
    xml_element_set (bits, "mode", "emulate");
    words_number (bits, "bits", host->physical_bits);
  }
  for (guint i = 0; features != NULL && i < features->len; i++)
    xml_element_set (xml_element_add (cpu, "feature"), "name",
                     ((const CpuFeature *)g_ptr_array_index (features, i))->name);
  if (host->cell_count > 0)
    add_pages (cpu, &host->cells[0], FALSE);
}

static void
add_caches (XmlElement *parent, const HostFacts *host)
{
  XmlElement *caches = xml_element_add (parent, "cache");

  for (guint i = 0; i < host->cache_count; i++) {
    const HostCache *cache = &host->caches[i];
    XmlElement *bank = xml_element_add (caches, "bank");
    gboolean mebibytes = cache->size >= 1 << 20 && cache->size % (1 << 20) == 0;

    words_number (bank, "id", cache->id);
    words_number (bank, "level", cache->level);
    xml_element_set (bank, "type", cache->type);
    words_number (bank, "size", cache->size >> (mebibytes ? 20 : 10));
    xml_element_set (bank, "unit", mebibytes ? "MiB" : "KiB");
    xml_element_set (bank, "cpus", cache->cpus);
  }
}

static void
add_distances (XmlElement *parent, const HostFacts *host, const HostCell *cell)
{
  XmlElement *distances = xml_element_add (parent, "distances");

  for (guint i = 0; i < host->cell_count; i++) {
    XmlElement *sibling = xml_element_add (distances, "sibling");

    words_number (sibling, "id", host->cells[i].id);
    words_number (sibling, "value", cell->distances[i]);
  }
}

static void
add_cell (XmlElement *cells, const HostFacts *host, const HostCell *cell)
{
  XmlElement *element = xml_element_add (cells, "cell"), *memory, *cpus;
  g_autofree char *kibibytes = g_strdup_printf ("%" G_GUINT64_FORMAT, cell->memory);

  words_number (element, "id", cell->id);
  memory = words_text (element, "memory", kibibytes);
  xml_element_set (memory, "unit", "KiB");
  add_pages (element, cell, TRUE);
  if (cell->distances != NULL)
    add_distances (element, host, cell);
  cpus = xml_element_add (element, "cpus");
  words_number (cpus, "num", cell->cpu_count);
  for (guint i = 0; i < cell->cpu_count; i++) {
    const HostCpu *from = &cell->cpus[i];
    XmlElement *cpu = xml_element_add (cpus, "cpu");

    words_number (cpu, "id", from->id);
    words_number (cpu, "socket_id", from->socket);
    words_number (cpu, "die_id", from->die);
    words_number (cpu, "core_id", from->core);
    if (from->siblings != NULL)
      xml_element_set (cpu, "siblings", from->siblings);
  }
}

static void
add_host (XmlElement *root, const HostFacts *host)
{
  XmlElement *element = xml_element_add (root, "host"), *cells, *security;

  words_text (element, "uuid", host->uuid);
  add_cpu (element, host);
  xml_element_add (element, "power_management"); /* clients cannot put the host to sleep */
  xml_element_set (xml_element_add (element, "iommu"), "support", host->iommu ? "yes" : "no");
  if (host->cell_count > 0) {
    cells = xml_element_add (xml_element_add (element, "topology"), "cells");
    words_number (cells, "num", host->cell_count);
    for (guint i = 0; i < host->cell_count; i++)
      add_cell (cells, host, &host->cells[i]);
  }
  if (host->cache_count > 0)
    add_caches (element, host);
  security = xml_element_add (element, "secmodel");
  words_text (security, "model", "none");
  words_text (security, "doi", "0");
}

static void
add_machine (XmlElement *arch, const QemuMachine *machine, gboolean as_alias)
{
  XmlElement *element = words_text (arch, "machine", as_alias ? machine->alias : machine->name);

  if (as_alias)
    xml_element_set (element, "canonical", machine->name);
  words_number (element, "maxCpus", machine->cpu_max);
  if (machine->deprecated)
    xml_element_set (element, "deprecated", "yes");
}

/* The default machine stands first. */
static void
add_machines (XmlElement *arch, const QemuCaps *caps)
{
  guint count;
  const QemuMachine *machines = qemu_caps_machines (caps, &count);

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < count; i++) {
      if (machines[i].is_default != (pass == 0) || strcmp (machines[i].name, "none") == 0)
        continue;
      add_machine (arch, &machines[i], FALSE);
      if (machines[i].alias != NULL)
        add_machine (arch, &machines[i], TRUE);
    }
}

static void
add_feature (XmlElement *features, const char *name, const char *toggle)
{
  XmlElement *feature = xml_element_add (features, name);

  if (toggle == NULL)
    return;
  xml_element_set (feature, "default", "on");
  xml_element_set (feature, "toggle", toggle);
}

static void
add_guest (XmlElement *root, const QemuCaps *caps)
{
  XmlElement *guest = xml_element_add (root, "guest"), *arch, *features;
  static const char *const with_acpi[] = { "i686", "x86_64", "aarch64", "loongarch64", NULL };
  static const char *const narrow[] = { "i686", "armv7l", "armv6l", "riscv32", NULL };
  const char *name = architecture_of_emulator (qemu_caps_binary (caps), qemu_caps_arch (caps));
  gboolean i686 = strcmp (name, "i686") == 0, x86 = i686 || strcmp (name, "x86_64") == 0;

  words_text (guest, "os_type", "hvm");
  arch = xml_element_add (guest, "arch");
  xml_element_set (arch, "name", name);
  words_text (arch, "wordsize", g_strv_contains (narrow, name) ? "32" : "64");
  words_text (arch, "emulator", qemu_caps_binary (caps));
  add_machines (arch, caps);
  xml_element_set (xml_element_add (arch, "domain"), "type", "qemu");
  if (qemu_caps_has_kvm (caps))
    xml_element_set (xml_element_add (arch, "domain"), "type", "kvm");

  features = xml_element_add (guest, "features");
  if (i686) {
    add_feature (features, "pae", NULL);
    add_feature (features, "nonpae", NULL);
  }
  if (g_strv_contains (with_acpi, name))
    add_feature (features, "acpi", "yes");
  if (x86)
    add_feature (features, "apic", "no");
  add_feature (features, "cpuselection", NULL);
  add_feature (features, "deviceboot", NULL);
}

char *
qemu_capabilities_to_xml (const HostFacts *host, const HostEmulator *emulators, guint count)
{
  g_autoptr (XmlElement) root = xml_element_new ("capabilities");

  add_host (root, host);
  for (guint i = 0; i < count; i++)
    add_guest (root, emulators[i].caps);
  return xml_element_to_string (root);
}
