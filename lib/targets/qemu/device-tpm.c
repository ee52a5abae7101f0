/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A TPM in QEMU. An emulated one is swtpm's, at a socket beside the machine's others.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/tpm.h"
#include "targets/helper-sockets.h"

#define CHARDEV_ID "chrtpm"

static gboolean
add_emulator (Recipe *recipe, const DeviceTpm *tpm, const char *id, GError **error)
{
  g_autofree char *own = helper_socket_tpm (recipe_host (recipe)->run_directory, tpm->device.alias);
  ChardevSource source = { .path = tpm->type == TPM_EXTERNAL ? tpm->external_path : own,
                           .mode = CHARDEV_MODE_CONNECT };
  g_autoptr (GPtrArray) sources = g_ptr_array_new ();
  const Chardev chardev = { .type = CHARDEV_UNIX, .sources = sources };

  if (!qemu_needs_type (recipe, &tpm->device, "tpm-emulator", error))
    return FALSE;
  g_ptr_array_add (sources, &source);
  if (!recipe_chardev (recipe, &tpm->device, &chardev, CHARDEV_ID, error))
    return FALSE;
  recipe_option (recipe, "-tpmdev", "emulator,id=%s,chardev=" CHARDEV_ID, id);
  return TRUE;
}

static gboolean
add_passthrough (Recipe *recipe, const DeviceTpm *tpm, const char *id, GError **error)
{
  g_autofree char *path = NULL;

  if (!qemu_needs_type (recipe, &tpm->device, "tpm-passthrough", error))
    return FALSE;
  path = option_escape (recipe_file (recipe, tpm->path, TRUE, &tpm->device, "TPM of the host"));
  /* What ends a command that takes long, /sys/class/tpm/tpm0/device/cancel, only root may write. */
  recipe_option (recipe, "-tpmdev", "passthrough,id=%s,path=%s,cancel-path=/dev/null", id, path);
  return TRUE;
}

gboolean
recipe_add_tpm (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceTpm *tpm = (const DeviceTpm *)device;
  const char *driver = tpm_driver (recipe_def (recipe), tpm);
  g_autofree char *id = g_strconcat ("tpm-", device->alias, NULL);

  if (!qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  if (tpm->model == TPM_SPAPR_PROXY)
    return recipe_device (recipe, device,
                          props ("driver", "s", driver, "host-path", "s",
                                 recipe_file (recipe, tpm->path, TRUE, device, "TPM of the host"), NULL),
                          error);
  if (tpm->type == TPM_PASSTHROUGH ? !add_passthrough (recipe, tpm, id, error)
                                   : !add_emulator (recipe, tpm, id, error))
    return FALSE;
  return recipe_device (recipe, device, props ("driver", "s", driver, "tpmdev", "s", id, NULL), error);
}
