/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Smartcards: in the reader that is a controller of their own.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/smartcard.h"

#define DEFAULT_DATABASE "/etc/pki/nssdb"

static gboolean
add_emulated (Recipe *recipe, const DeviceSmartcard *smartcard, GError **error)
{
  JsonObject *properties;

  if (!qemu_needs_type (recipe, &smartcard->device, "ccid-card-emulated", error))
    return FALSE;
  properties = props ("driver", "s", "ccid-card-emulated", "backend", "s",
                      smartcard->mode == SMARTCARD_HOST ? "nss-emulated" : "certificates", NULL);
  if (smartcard->mode == SMARTCARD_CERTIFICATES)
    props_add (properties, "cert1", "s", smartcard->certificates->pdata[0], "cert2", "s",
               smartcard->certificates->pdata[1], "cert3", "s", smartcard->certificates->pdata[2], "db", "s",
               smartcard->database != NULL ? smartcard->database : DEFAULT_DATABASE, NULL);
  return recipe_device (recipe, &smartcard->device, properties, error);
}

gboolean
recipe_add_smartcard (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceSmartcard *smartcard = (const DeviceSmartcard *)device;
  g_autofree char *id = g_strconcat ("char", device->alias, NULL);

  if (smartcard->mode != SMARTCARD_PASSTHROUGH)
    return add_emulated (recipe, smartcard, error);
  return qemu_needs_type (recipe, device, "ccid-card-passthru", error)
         && recipe_chardev (recipe, device, &smartcard->source, id, error)
         && recipe_device (recipe, device,
                           props ("driver", "s", "ccid-card-passthru", "chardev", "s", id, NULL), error);
}
