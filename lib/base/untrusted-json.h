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

/*
 * What an answer says under a name, if it is of the type that was asked for; a NULL @object has nothing. All
 * of it belongs to the object. A text that is longer than UNTRUSTED_TEXT_MAX is none: no name, path, word or
 * reason is.
 */
#define UNTRUSTED_TEXT_MAX 65536 /* bytes */

const char *untrusted_text (JsonObject *object, const char *name); /* or NULL */
const char *untrusted_text_of (JsonNode *node);                    /* the same of a value; NULL has none */
/* The whole number of @name in @ret, which is left alone where there is none. */
gboolean untrusted_number (JsonObject *object, const char *name, gint64 *ret);
/* One that cannot be negative: 0 where there is none, or a negative one. */
guint64 untrusted_count (JsonObject *object, const char *name);
gboolean untrusted_switch (JsonObject *object, const char *name);    /* or FALSE */
JsonObject *untrusted_object (JsonObject *object, const char *name); /* or NULL */
JsonObject *untrusted_object_of (JsonNode *node);                    /* or NULL; NULL has none */
JsonArray *untrusted_list (JsonObject *object, const char *name);    /* or NULL */
JsonArray *untrusted_list_of (JsonNode *node);                       /* or NULL; NULL has none */

/* One line of it. (transfer full) */
char *json_object_text (JsonObject *object);
