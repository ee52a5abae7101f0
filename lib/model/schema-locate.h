/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml-document.h"
#include <libxml/relaxng.h>

/* Add an error for each part of @document, which @schema refuses, that it refuses by itself. At least one. */
void schema_locate (xmlRelaxNG *schema, XmlDocument *document, Diagnostics *diagnostics);

/* Does @schema accept @document? Nothing is said about why not. Safe in any thread. */
gboolean schema_accepts (xmlRelaxNG *schema, xmlDoc *document);
