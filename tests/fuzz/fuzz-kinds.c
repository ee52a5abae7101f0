/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any document as one of the kind its root element says: what is accepted is written in a form that is
 * accepted again, is written the same, and does not differ from itself. */
#include "document/difference.h"
#include "domain/domain-def.h"
#include "kinds/document-kinds.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
compare_with_itself (const char *source, const char *completed)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (Origins) before = origins_new (source, completed, diagnostics);
  g_autoptr (Origins) after = origins_new (source, completed, diagnostics);
  g_autoptr (GPtrArray) differences = NULL;

  g_assert_nonnull (before);
  differences = documents_compare (before, after);
  g_assert_cmpuint (differences->len, ==, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (Diagnostics) reading = diagnostics_new (NULL), again = diagnostics_new (NULL);
  const DocumentKind *kind = document_kind_of_text (text, -1, DIAGNOSTIC_ERROR, reading);
  g_autofree char *written = NULL, *written_again = NULL;
  gpointer def, same;

  if (kind == NULL || kind == &domain_document)
    return 0;
  if (kind->table == NULL) {
    g_assert_true (document_check (kind, text, -1, reading) != diagnostics_has_errors (reading));
    return 0;
  }
  def = document_read (kind, text, -1, 0, reading);
  if (def == NULL) {
    g_assert_true (diagnostics_has_errors (reading));
    return 0;
  }
  written = document_to_xml (kind, def, FIELD_WRITE_SECURE);
  same = document_read (kind, written, -1, 0, again);
  g_assert_nonnull (same);
  written_again = document_to_xml (kind, same, FIELD_WRITE_SECURE);
  g_assert_cmpstr (written, ==, written_again);
  compare_with_itself (text, written);
  document_unref (kind, def);
  document_unref (kind, same);
  return 0;
}
