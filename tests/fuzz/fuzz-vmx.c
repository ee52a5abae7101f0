/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any text as a .vmx: what is read is a document, or its mistakes are told. */
#include "targets/vmware/vmware-target.h"

#include "base/xml-document.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_utf8_make_valid ((const char *)data, (gssize)size);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL), reading = diagnostics_new (NULL);
  g_autofree char *document = vmware_target.import (text, diagnostics);
  g_autoptr (XmlDocument) read = document != NULL ? xml_document_parse (document, -1, reading) : NULL;

  g_assert_true ((document == NULL) == diagnostics_has_errors (diagnostics));
  g_assert_true (document == NULL || read != NULL);
  return 0;
}
