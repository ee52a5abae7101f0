/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/driver.h"
#include "daemon/drivers/qemu/start.h"

#include <json-glib/json-glib.h>

/*
 * The config of a machine whose hypervisor takes it over an API: of the driver's target, which makes one JSON
 * object. @directory is the machine's. Job threads.
 */

/* @def, which @request starts. What the hypervisor cannot do is refused, with its place in the user's
 * document. (transfer full) */
JsonObject *api_config (const Driver *driver, const StartRequest *request, DomainDef *def,
                        const char *directory, GError **error);
/* Of a config with @device, a device of @def, and no other: what its hypervisor would be given at the start.
 * @text is the device as the client has written it; what of it the hypervisor cannot do is refused.
 * @directory: the machine's. (transfer full) */
JsonObject *
api_config_of_device (const Driver *driver, const DomainDef *def, const Device *device, const char *text,
                      const char *directory, const Settings *settings, GError **error);
