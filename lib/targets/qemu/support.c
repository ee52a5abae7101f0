/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that add devices to a recipe share: how a thing is refused, so that every refusal names the
 * device, the thing and what could be done, and the members all virtio devices have.
 */
#include "targets/qemu/recipe-private.h"

#include <string.h>

#define RECONNECT_MS_QEMU 9002000 /* since then a time to reconnect is said in milliseconds */

gboolean
qemu_unsupported (const Device *device, GError **error, const char *format, ...)
{
  g_autofree char *detail = NULL, *what = device != NULL ? device_describe (device) : NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (what != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "%s: %s", what, detail);
  else
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", detail);
  return FALSE;
}

gboolean
qemu_lacks (const Recipe *recipe, const Device *device, const char *what, const char *package, GError **error)
{
  const QemuCaps *caps = recipe_caps (recipe);
  guint version = qemu_caps_version (caps);

  return qemu_unsupported (device, error, "%s is not supported by QEMU %u.%u.%u (%s)%s%s", what,
                           version / 1000000, version / 1000 % 1000, version % 1000, qemu_caps_binary (caps),
                           package != NULL ? "; it may come with the package " : "",
                           package != NULL ? package : "");
}

/* Debian puts what needs a library of its own into packages of their own. */
static const char *
package_of (const char *type)
{
  if (strstr (type, "-gl") != NULL)
    return "qemu-system-gui (Debian 12) or qemu-system-modules-opengl (Debian 13)";
  if (g_str_has_prefix (type, "qxl") || g_str_has_prefix (type, "chardev-spice"))
    return "qemu-system-common (Debian 12) or qemu-system-modules-spice (Debian 13)";
  return NULL;
}

gboolean
qemu_needs_type (const Recipe *recipe, const Device *device, const char *type, GError **error)
{
  g_autofree char *what = NULL;

  if (qemu_caps_has_type (recipe_caps (recipe), type))
    return TRUE;
  what = g_strdup_printf ("the device '%s'", type);
  return qemu_lacks (recipe, device, what, package_of (type), error);
}

void
props_add_virtio (JsonObject *properties, const VirtioOptions *virtio)
{
  props_add (properties, "iommu_platform", "T", virtio->iommu, "ats", "T", virtio->ats, "packed", "T",
             virtio->packed, "page-per-vq", "T", virtio->page_per_vq, NULL);
}

void
props_add_iothread (JsonObject *properties, const Number *iothread)
{
  g_autofree char *id = NULL;

  if (!iothread->set)
    return;
  id = g_strdup_printf ("iothread%" G_GUINT64_FORMAT, iothread->value);
  props_add (properties, "iothread", "s", id, NULL);
}

void
props_add_reconnect (JsonObject *data, const QemuCaps *caps, int enabled, const Number *timeout)
{
  gboolean milliseconds = qemu_caps_version (caps) >= RECONNECT_MS_QEMU;
  guint64 value = enabled == TRISTATE_YES ? timeout->value : 0;

  if (enabled == TRISTATE_ABSENT)
    return;
  props_add (data, milliseconds ? "reconnect-ms" : "reconnect", "t", milliseconds ? value * 1000 : value,
             NULL);
}

/* "virtio-blk-pci-transitional": QEMU's word for the models that say which revision they speak. */
const char *
virtio_driver (const char *base, int model)
{
  g_autofree char *name = NULL;

  if (model != VIRTIO_MODEL_TRANSITIONAL && model != VIRTIO_MODEL_NON_TRANSITIONAL)
    return base;
  name = g_strconcat (base, model == VIRTIO_MODEL_TRANSITIONAL ? "-transitional" : "-non-transitional", NULL);
  return g_intern_string (name);
}

const char *
address_driver (const Device *device, const char *driver)
{
  static const struct {
    int address;
    const char *suffix;
  } forms[] = { { ADDRESS_CCW, "-ccw" }, { ADDRESS_VIRTIO_MMIO, "-device" } };
  g_autofree char *name = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
    if (device->address.type != forms[i].address || !g_str_has_suffix (driver, "-pci"))
      continue;
    name = g_strdup_printf ("%.*s%s", (int)(strlen (driver) - strlen ("-pci")), driver, forms[i].suffix);
    return g_intern_string (name);
  }
  return driver;
}
