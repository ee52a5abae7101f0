/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/bundle/stream.h"
#include "daemon/core/settings.h"
#include "domain/domain-def.h"

/* The disks of a machine, which stands still, as an OVA that other hypervisors read: what has no place in one
 * is added to @notes (char *). Job's thread. */
gboolean
export_ova (const DomainDef *def, const Settings *settings, Stream *stream, GPtrArray *notes, GError **error);
