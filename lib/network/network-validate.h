/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* What the tables cannot say of a NetworkDef; mistakes go to the reader's diagnostics, in libvirt's words.
 * Pure. */
void network_validate (gconstpointer def, const FieldReader *reader, guint flags);
