/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * Which of a machine's devices a client means that describes one, as libvirt understands it: a disk by its
 * target, an interface by its MAC address, a controller by type and index, any other by what is said of it.
 * Pure; any thread.
 */

/* The device of @def that @wanted describes; owned by @def. NULL with VIR_ERR_DEVICE_MISSING when there is
 * none, with VIR_ERR_OPERATION_FAILED when an interface could be several. */
Device *device_match (const DomainDef *def, const Device *wanted, GError **error);
/* The same by its alias. */
Device *device_match_alias (const DomainDef *def, const char *alias, GError **error);

/* Does everything that is said of @said hold for @device, of the same kind? NULL, or the path of the first
 * field that differs. Fields whose path is in @free_paths (NULL-terminated, may be NULL), and those that are
 * only true while a machine runs, may differ. */
const char *device_difference (const Device *said, const Device *device, const char *const *free_paths);
/* The same as an error, VIR_ERR_OPERATION_UNSUPPORTED: "cannot modify field '...' of the @what". */
gboolean device_check_difference (const Device *device, const Device *given, const char *const *free_paths,
                                  const char *what, GError **error);
/* Is @device where @wanted says? TRUE when it says nothing. */
gboolean device_has_address (const Device *device, const Device *wanted);
