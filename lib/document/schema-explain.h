/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml-document.h"
#include "document/schema-pattern.h"

/*
 * Why a schema refuses @document: an error at each place where it is left, with the value that stands there
 * and what would be accepted. At least one, unless errors of the document are in @known (NULL: none are)
 * already: what only follows from those is not said. Safe in any thread.
 */
void schema_explain (const Grammar *grammar, XmlDocument *document, const Diagnostics *known,
                     Diagnostics *diagnostics);
