/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/*
 * JSON from outside (QEMU, the guest's agent, a client) as one object. Any thread. The caller bounds the
 * length; here the nesting and the number of values are, before a recursive parser that takes much more
 * memory than the text sees it.
 */
#define UNTRUSTED_JSON_MAX_DEPTH 64 /* of brackets; no message that is meant has half of it */
/* of brackets that open, commas and colons: query-qmp-schema, the longest that is meant, has 26,195 in
 * QEMU 7.2 */
#define UNTRUSTED_JSON_MAX_VALUES 262144

/* NULL when @text is not UTF-8, nested too deep, of too many values, or no JSON object. (transfer full) */
JsonObject *untrusted_json_object (const char *text, gsize length);
/* The same for those who are to say less: of @values at most. */
JsonObject *untrusted_json_object_of (const char *text, gsize length, guint values);
/* One line of it. (transfer full) */
char *json_object_text (JsonObject *object);
/* The text of @node; NULL where it is NULL or holds something else. Owned by the node. */
const char *untrusted_json_string (JsonNode *node);
