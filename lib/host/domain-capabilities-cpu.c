/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <cpu> of the domain capabilities: the modes, what host-model stands for, and the models a document may
 * name.
 */
#include "host/domain-capabilities.h"

#include "cpu/cpu-database.h"

#include <string.h>

static XmlElement *
add_mode (XmlElement *cpu, const char *name, gboolean supported)
{
  XmlElement *mode = xml_element_add (cpu, "mode");

  xml_element_set (mode, "name", name);
  xml_element_set (mode, "supported", supported ? "yes" : "no");
  return mode;
}

static void
add_migratable (XmlElement *mode, const char *name)
{
  XmlElement *choices = xml_element_add (mode, "enum");

  xml_element_set (choices, "name", name);
  words_text (choices, "value", "on");
  words_text (choices, "value", "off");
}

static void
add_host_model (XmlElement *cpu, const QemuCaps *caps, QemuAccel accel)
{
  DomainCpu *model = cpu_host_model (caps, accel, FALSE, NULL);

  /* Said to be supported even where the model cannot be named: such a guest gets the host's CPU as it is. */
  XmlElement *mode = add_mode (cpu, "host-model", TRUE);

  if (model != NULL)
    field_write (&domain_cpu_table, model, mode, 0);
  field_free (&domain_cpu_table, model);
}

static void
add_models (XmlElement *mode, const QemuCaps *caps, QemuAccel accel)
{
  gboolean is_asked = qemu_caps_host_cpu (caps, accel)->is_known;
  guint count;
  const QemuCpuModel *models = qemu_caps_cpu_models (caps, &count);

  for (guint i = 0; i < count; i++) {
    const CpuModelFact *fact = cpu_model_find (models[i].name);
    XmlElement *model;

    if (fact == NULL)
      continue;
    model = words_text (mode, "model", models[i].name);
    xml_element_set (model, "usable", !is_asked ? "unknown" : models[i].usable[accel] ? "yes" : "no");
    if (models[i].deprecated)
      xml_element_set (model, "deprecated", "yes");
    xml_element_set (model, "vendor", fact->vendor != NULL ? fact->vendor : "unknown");
  }
}

void
domain_capabilities_add_cpu (XmlElement *root, const QemuCaps *caps, gboolean kvm)
{
  XmlElement *cpu = xml_element_add (root, "cpu"), *mode;
  QemuAccel accel = kvm ? QEMU_ACCEL_KVM : QEMU_ACCEL_TCG;

  mode = add_mode (cpu, "host-passthrough", kvm);
  if (kvm)
    add_migratable (mode, "hostPassthroughMigratable");
  add_migratable (add_mode (cpu, "maximum", TRUE), "maximumMigratable");
  add_host_model (cpu, caps, accel);
  add_models (add_mode (cpu, "custom", TRUE), caps, accel);
}
