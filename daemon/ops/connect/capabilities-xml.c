/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two documents about what can be run here: the facts are gathered here, lib/qemu writes them.
 */
#include "daemon/host/host-pci.h"
#include "daemon/host/host-probe.h"
#include "daemon/ops/ops.h"

#include "targets/qemu/firmware.h"

char *
host_capabilities_xml (const GPtrArray *emulators)
{
  g_autoptr (NodeFacts) facts = node_facts_read (g_ptr_array_index (emulators, emulators->len - 1));
  g_autofree HostEmulator *list = g_new0 (HostEmulator, emulators->len);

  for (guint i = 0; i < emulators->len; i++)
    list[i].caps = g_ptr_array_index (emulators, i);
  return qemu_capabilities_to_xml (node_facts_get (facts), list, emulators->len);
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
domain_capabilities_xml (QemuCaps *caps, const char *arch, const char *machine, const char *type,
                         GError **error)
{
  g_autoptr (QemuFirmware) firmware = qemu_firmware_load (NULL);
  g_autofree char *problem = host_vfio_problem ("/");

  return qemu_domain_capabilities_to_xml (caps, firmware, problem == NULL, arch, machine, type, error);
}
