/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/*
 * The kernel's packet filter, by libnftables in the JSON of libnftables-json(5). Every call makes a context
 * of its own in the network namespace of its thread, one call at a time in the process. Jobs' threads: a call
 * waits for the kernel and for the one before it.
 */
#define FIREWALL_MAX_LISTING (64 * 1024 * 1024) /* bytes of JSON of one table */
#define FIREWALL_MAX_VALUES  8388608            /* values in it */

/* A command as firewall_apply takes them: {@verb: {@noun: @object}}, as {"add": {"rule": {...}}}.
 * @object: (transfer full). (transfer full) */
JsonObject *firewall_command (const char *verb, const char *noun, JsonObject *object);

/*
 * Do all of @commands in one transaction of the kernel: when one of them cannot be done, none is. An empty
 * list is done at once. Errors: VIR_ERR_OPERATION_DENIED without the right to, VIR_ERR_CONFIG_UNSUPPORTED
 * where the kernel lacks something, VIR_ERR_OPERATION_FAILED with nft's words else.
 */
gboolean firewall_apply (JsonArray *commands, GError **error);

/*
 * What is in the table @table of @family ("inet", "bridge", ...): the objects of nft's list, each {"chain":
 * {...}}, {"rule": {...}} and so on with its "handle". *ret_objects: (transfer full), NULL where there is no
 * such table, which is no error. Foreign text: whoever reads it trusts no member of it to be there.
 */
gboolean firewall_list_table (const char *family, const char *table, JsonArray **ret_objects, GError **error);
/* The same of all tables of the host, those of others too: for whoever looks for rules that are in the way.
 */
gboolean firewall_list_all (JsonArray **ret_objects, GError **error);
