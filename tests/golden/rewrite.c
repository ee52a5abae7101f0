/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many documents in one process: each that comes in, ended by a zero byte, goes out completed, or as its
 * mistakes behind an exclamation mark. Completion is that of the QEMU the library has built in. With --read
 * a document is only read and written, as it was, whatever completion and the checks would say of it.
 */

#include "document/schema.h"
#include "domain/domain-def.h"
#include "domain/verbatim.h"
#include "targets/qemu/recipe.h"

#include <stdio.h>
#include <string.h>

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

/* What the fields of the format make of @text, and the schema allows: NULL when it is not all understood. */
static DomainDef *
read_only (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  g_autoptr (Corrections) corrections = corrections_new ();
  FieldReader reader = { document, diagnostics, map, FALSE, NULL, corrections };
  g_autoptr (DomainDef) def = domain_def_new ();

  if (document == NULL)
    return NULL;
  verbatim_claim_namespaces (xml_document_root (document));
  field_read (&reader, &domain_table, def, xml_document_root (document));
  if (!diagnostics_has_errors (diagnostics))
    schema_validate (document, diagnostics);
  return diagnostics_has_errors (diagnostics) ? NULL : g_steal_pointer (&def);
}

static void
rewrite (const char *text, const Platform *platform, gboolean complete)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("document");
  g_autoptr (DomainDef) def =
      complete ? domain_def_parse (text, -1, 0, platform, diagnostics) : read_only (text, diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);
  g_autofree char *written =
      def != NULL ? domain_def_to_xml (def, DOMAIN_WRITE_SECURE | (complete ? 0 : DOMAIN_WRITE_LIVE)) : NULL;

  if (written == NULL)
    putchar ('!');
  fputs (written != NULL ? written : mistakes, stdout);
  putchar ('\0');
}

int
main (int argc, char **argv)
{
  gboolean complete = argc != 2 || strcmp (argv[1], "--read") != 0;
  Platform *platform = qemu_platform_new (builtin_caps, NULL);
  g_autoptr (GString) document = g_string_new (NULL);

  for (int c = getchar (); c != EOF; c = getchar ()) {
    if (c != '\0') {
      g_string_append_c (document, (char)c);
      continue;
    }
    rewrite (document->str, platform, complete);
    g_string_truncate (document, 0);
  }
  qemu_platform_free (platform);
  return 0;
}
