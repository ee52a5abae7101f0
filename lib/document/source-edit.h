/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * A change inside the user's own document: one child element of <domain> replaced, added or taken out, every
 * other byte left as it is. Pure; any thread.
 */

/* @replacement: the whole new element, NULL to take it out. Where there is none yet it is put behind those
 * that come before it in libvirt's order (name, uuid, ... on_crash).
 * VIR_ERR_OPERATION_FAILED when the document cannot be edited so. (transfer full) */
char *source_edit (const char *source, const char *element, const char *replacement, GError **error);
