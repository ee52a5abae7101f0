/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* To @list, a{sv}: what an answer to "query-dirty-rate" (untrusted) says, under libvirt's names. */
void dirty_rate_add (GVariantBuilder *list, JsonNode *answer);
