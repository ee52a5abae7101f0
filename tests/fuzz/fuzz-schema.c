/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any document against the schemas: one that is refused has a mistake with a place. */
#include "document/schema.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (Diagnostics) reading = diagnostics_new (NULL);
  g_autoptr (Diagnostics) checking = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse ((const char *)data, (gssize)size, reading);

  if (document == NULL)
    return 0;
  if (!schema_validate (document, checking)) {
    g_assert_true (diagnostics_has_errors (checking));
    g_assert_cmpuint (diagnostics_get (checking, 0)->where.line, >, 0);
  } else {
    g_assert_cmpuint (diagnostics_count (checking), ==, 0);
  }
  return 0;
}
