/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * One application's element inside a definition's <metadata>, known by its namespace. Clients give and get it
 * without the namespace; in the document it stands with their prefix. Pure; any thread.
 */

/* The element of namespace @uri, its namespace taken off; VIR_ERR_NO_DOMAIN_METADATA when there is none.
 * (transfer full) */
char *metadata_get (const char *metadata, const char *uri, GError **error);
/* @metadata with @xml in place of the element of namespace @uri, or without it (@xml NULL). *@ret is NULL
 * when nothing is left. FALSE with VIR_ERR_XML_DETAIL when @xml is no element. */
gboolean metadata_set (const char *metadata, const char *xml, const char *key, const char *uri, char **ret,
                       GError **error);
