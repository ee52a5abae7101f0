/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/*
 * JSON from outside (QEMU, the guest's agent, a client) as one object. Any thread. The caller bounds the
 * length; here the nesting is, before a recursive parser sees it.
 */
#define UNTRUSTED_JSON_MAX_DEPTH 64 /* of brackets; no message that is meant has half of it */

/* NULL when @text is not UTF-8, nested too deep, or no JSON object. (transfer full) */
JsonObject *untrusted_json_object (const char *text, gsize length);
/* One line of it. (transfer full) */
char *json_object_text (JsonObject *object);
