/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml-document.h"
#include <libxml/relaxng.h>

/* Add an error for each part of @document, which @schema refuses, that it refuses by itself. At least one,
 * unless errors of the document are in @known (NULL: none are) already: of a part with one of those nothing
 * is said but what can be pointed at. */
void
schema_locate (xmlRelaxNG *schema, XmlDocument *document, const Diagnostics *known, Diagnostics *diagnostics);

/* Does @schema accept @document? Nothing is said about why not. Safe in any thread. */
gboolean schema_accepts (xmlRelaxNG *schema, xmlDoc *document);
