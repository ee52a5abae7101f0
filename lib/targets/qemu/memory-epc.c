/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <memory model='sgx-epc'>: pages of Intel's SGX for the guest's enclaves. They are no device: a back-end of
 * their own kind, and members of -machine that say which nodes have them.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/memory.h"

#define BYTES_PER_KIB 1024

gboolean
recipe_add_epc (Recipe *recipe, const DeviceMemory *memory, GError **error)
{
  g_autofree char *id = g_strconcat ("mem", memory->device.alias, NULL);

  if (!qemu_caps_has_type (recipe_caps (recipe), "memory-backend-epc")
      || !qemu_caps_has_sgx (recipe_caps (recipe)))
    return qemu_unsupported (&memory->device, error,
                             "sgx epc isn't supported by this QEMU binary on this host: it needs KVM and a "
                             "processor with SGX");
  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", "memory-backend-epc", "id", "s", id, "prealloc", "b", TRUE, "size",
                      "t", memory->size.value * BYTES_PER_KIB, NULL));
  return TRUE;
}

void
epc_machine_options (const Recipe *recipe, GString *options)
{
  guint number = 0;

  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), memory_kind, const DeviceMemory, memory) {
    if (memory->model != MEMORY_SGX_EPC)
      continue;
    g_string_append_printf (options, ",sgx-epc.%u.memdev=mem%s", number, memory->device.alias);
    if (memory->node.set)
      g_string_append_printf (options, ",sgx-epc.%u.node=%" G_GUINT64_FORMAT, number, memory->node.value);
    number++;
  }
}
