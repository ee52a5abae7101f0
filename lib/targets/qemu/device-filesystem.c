/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Directories of the host in the guest: by 9p QEMU reads and writes them itself, by virtiofs it is another
 * process's work, at a socket beside the machine's others.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/filesystem.h"
#include "targets/helper-sockets.h"

static gboolean
add_virtiofs (Recipe *recipe, const DeviceFilesystem *filesystem, GError **error)
{
  const Device *device = &filesystem->device;
  g_autofree char *own = helper_socket_virtiofs (recipe_host (recipe)->run_directory, device->alias);
  g_autofree char *id = g_strconcat ("chr-vu-", device->alias, NULL);
  ChardevSource source = { .path = filesystem->source_socket != NULL ? filesystem->source_socket : own,
                           .mode = CHARDEV_MODE_CONNECT };
  g_autoptr (GPtrArray) sources = g_ptr_array_new ();
  const Chardev chardev = { .type = CHARDEV_UNIX, .sources = sources };
  JsonObject *properties;

  if (!qemu_needs_type (recipe, device, "vhost-user-fs-pci", error))
    return FALSE;
  g_ptr_array_add (sources, &source);
  if (!recipe_chardev (recipe, device, &chardev, id, error))
    return FALSE;
  properties = props ("driver", "s", "vhost-user-fs-pci", NULL);
  props_add_virtio (properties, &filesystem->virtio);
  props_add (properties, "chardev", "s", id, "queue-size", "N", &filesystem->queue, "tag", "s",
             filesystem->target, NULL);
  return recipe_device (recipe, device, properties, error);
}

/* The words after -fsdev: it takes no JSON. */
static char *
fsdev_option (const DeviceFilesystem *filesystem, const char *id)
{
  static const char *const security_models[] = {
    [ACCESS_PASSTHROUGH] = "passthrough", [ACCESS_MAPPED] = "mapped", [ACCESS_SQUASH] = "none"
  };
  g_autofree char *path = option_escape (filesystem->source_dir);
  GString *option = g_string_new ("local");

  g_string_append_printf (option, ",security_model=%s", security_models[filesystem->access]);
  if (filesystem->multidevs > MULTIDEVS_DEFAULT)
    g_string_append_printf (option, ",multidevs=%s",
                            enum_table_name (&filesystem_multidevs, filesystem->multidevs));
  if (filesystem->fmode.set)
    g_string_append_printf (option, ",fmode=%04o", (guint)filesystem->fmode.value);
  if (filesystem->dmode.set)
    g_string_append_printf (option, ",dmode=%04o", (guint)filesystem->dmode.value);
  if (filesystem->wrpolicy != 0)
    g_string_append (option, ",writeout=immediate");
  g_string_append_printf (option, ",id=%s,path=%s", id, path);
  if (filesystem->readonly)
    g_string_append (option, ",readonly=on");
  return g_string_free (option, FALSE);
}

gboolean
recipe_add_filesystem (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceFilesystem *filesystem = (const DeviceFilesystem *)device;
  g_autofree char *id = NULL, *option = NULL;
  const char *driver = virtio_driver ("virtio-9p-pci", filesystem->model);
  JsonObject *properties;

  if (filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS)
    return add_virtiofs (recipe, filesystem, error);
  if (filesystem->driver != FILESYSTEM_DRIVER_NONE && filesystem->driver != FILESYSTEM_DRIVER_PATH)
    return recipe_refuse (recipe, device, "<driver type>",
                          "this driver is not supported by QEMU: expected 'path' or 'virtiofs'");
  if (filesystem->source_dir == NULL)
    return recipe_refuse (recipe, device, "<source socket>",
                          "a socket is the source of virtiofs only: expected "
                          "<driver type='virtiofs'/>");
  if (!qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  id = g_strconcat ("fsdev-", device->alias, NULL);
  option = fsdev_option (filesystem, id);
  recipe_option (recipe, "-fsdev", "%s", option);
  if (!filesystem->readonly)
    recipe_directory (recipe, filesystem->source_dir);
  properties = props ("driver", "s", driver, NULL);
  props_add_virtio (properties, &filesystem->virtio);
  props_add (properties, "fsdev", "s", id, "mount_tag", "s", filesystem->target, NULL);
  return recipe_device (recipe, device, properties, error);
}

/* QEMU is given the directory of a 9p device only when it starts. */
gboolean
filesystem_can_attach (const Device *device, GError **error)
{
  if (((const DeviceFilesystem *)device)->driver == FILESYSTEM_DRIVER_VIRTIOFS)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "only virtiofs filesystems can be hotplugged");
  return FALSE;
}

gboolean
filesystem_can_detach (const DomainDef *def G_GNUC_UNUSED, const Device *device, GError **error)
{
  if (((const DeviceFilesystem *)device)->driver == FILESYSTEM_DRIVER_VIRTIOFS)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "only virtiofs filesystems can be hotplugged");
  return FALSE;
}
