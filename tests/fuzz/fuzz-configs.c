/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any text as a config of each hypervisor and runtime whose configs are read: it becomes a document that is
 * well-formed, or mistakes. */
#include "base/xml-document.h"
#include "targets/target.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
import (const Target *target, const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL), mistakes = diagnostics_new (NULL);
  g_autofree char *document = target->import (text, diagnostics);
  g_autoptr (XmlDocument) read = NULL;

  g_assert_true ((document == NULL) == diagnostics_has_errors (diagnostics));
  if (document == NULL)
    return;
  read = xml_document_parse (document, -1, mistakes);
  g_assert_nonnull (read);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);

  if (strlen (text) != size || !g_utf8_validate (text, -1, NULL))
    return 0;
  for (const Target *const *target = targets_all (); *target != NULL; target++) {
    if ((*target)->recognize != NULL)
      (*target)->recognize ("config.json", text);
    if ((*target)->import != NULL)
      import (*target, text);
  }
  return 0;
}
