/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Memory that machines share: a file of /dev/shm that each of them maps, or what a server at a socket hands
 * out.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/shmem.h"

#define SHARED_MEMORY "/dev/shm"

static gboolean
add_plain (Recipe *recipe, const DeviceShmem *shmem, GError **error)
{
  const Device *device = &shmem->device;
  g_autofree char *path = g_build_filename (SHARED_MEMORY, shmem->name, NULL);
  g_autofree char *id = g_strconcat ("shmmem-", device->alias, NULL);

  recipe_memory_file (recipe, path, shmem->size.value, device, "shared memory");
  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", "memory-backend-file", "id", "s", id, "mem-path", "s", path, "size",
                      "t", shmem->size.value, "share", "b", TRUE, NULL));
  return recipe_device (recipe, device,
                        props ("driver", "s", "ivshmem-plain", "memdev", "s", id, "master", "O",
                               shmem->role == SHMEM_ROLE_NONE ? TRISTATE_ABSENT
                               : shmem->role == SHMEM_MASTER  ? TRISTATE_YES
                                                              : TRISTATE_NO,
                               NULL),
                        error);
}

static gboolean
add_doorbell (Recipe *recipe, const DeviceShmem *shmem, GError **error)
{
  const Device *device = &shmem->device;
  g_autofree char *name = g_strconcat ("shmem-", shmem->name, "-sock", NULL);
  g_autofree char *usual = g_build_filename (recipe_host (recipe)->state_directory, name, NULL);
  g_autofree char *id = g_strconcat ("char", device->alias, NULL);
  ChardevSource source = { .path = shmem->server_path != NULL ? shmem->server_path : usual,
                           .mode = CHARDEV_MODE_CONNECT };
  g_autoptr (GPtrArray) sources = g_ptr_array_new ();
  const Chardev chardev = { .type = CHARDEV_UNIX, .sources = sources };

  g_ptr_array_add (sources, &source);
  if (!recipe_chardev (recipe, device, &chardev, id, error))
    return FALSE;
  return recipe_device (recipe, device,
                        props ("driver", "s", "ivshmem-doorbell", "chardev", "s", id, "vectors", "N",
                               &shmem->msi_vectors, "ioeventfd", "T", shmem->msi_ioeventfd, NULL),
                        error);
}

gboolean
recipe_add_shmem (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceShmem *shmem = (const DeviceShmem *)device;

  if (!qemu_needs_type (recipe, device, enum_table_name (&shmem_models, shmem->model), error))
    return FALSE;
  return shmem->model == SHMEM_PLAIN ? add_plain (recipe, shmem, error) : add_doorbell (recipe, shmem, error);
}
