/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * A device in the user's own document: added, taken out or exchanged, every other byte left as it is. Each
 * gives NULL where that cannot be done (an encoding the scan cannot follow, no <devices>), and no error:
 * whoever asks has a completed document that says the same. Pure; any thread.
 */

/* @xml: a client's element, as it gave it. (transfer full) */
char *source_add_device (const char *source, const char *xml);
/* Without the element that speaks of @device, a device of @def, the completed definition of @source. A device
 * that the document does not have was chosen by completion: then the document stays as it is. */
char *source_remove_device (const char *source, const DomainDef *def, const Device *device);
/* With @child, an element of the device, replaced by @replacement, added, or (NULL) taken out. NULL too when
 * the document does not have the device. */
char *source_edit_device (const char *source, const DomainDef *def, const Device *device, const char *child,
                          const char *replacement);
/* With @xml in its place, or added when the document does not have it. */
char *source_replace_device (const char *source, const DomainDef *def, const Device *device, const char *xml);
