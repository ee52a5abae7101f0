/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* To @list, a{sv}: what an answer to "query-dirty-rate" (untrusted) says, under libvirt's names;
 * @vcpus: how many the machine can have. */
void dirty_rate_add (GVariantBuilder *list, JsonNode *answer, guint vcpus);
