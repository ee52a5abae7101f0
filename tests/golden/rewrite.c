/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many documents in one process: each that comes in, ended by a zero byte, goes out completed, or as its
 * mistakes behind an exclamation mark. Completion is that of the QEMU the library has built in. With --read
 * a document is only read and written, as it was, whatever completion and the checks would say of it; so it
 * is with --kinds, of the kind its root element says. With --paths ROOT no documents come in, and the paths
 * of the field table of that kind go out, a line each.
 */

#include "document/schema.h"
#include "domain/domain-def.h"
#include "domain/verbatim.h"
#include "kinds/document-kinds.h"
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

/* A document of any kind but a domain's: read by its table and the schema, and written. */
static char *
rewrite_kind (const char *text, Diagnostics *diagnostics)
{
  const DocumentKind *kind = document_kind_of_text (text, -1, DIAGNOSTIC_ERROR, diagnostics);
  g_autoptr (XmlDocument) document = NULL;
  g_autoptr (SourceMap) map = source_map_new ();
  char *written = NULL;
  gpointer def;

  if (kind == NULL)
    return NULL;
  document = xml_document_parse (text, -1, diagnostics);
  schema_validate_as (kind->schema, document, diagnostics);
  if (kind->table == NULL)
    return diagnostics_has_errors (diagnostics) ? NULL : g_strdup (text);
  document_claim_namespaces (kind, xml_document_root (document));
  def = document_new (kind);
  field_read (&(FieldReader){ document, diagnostics, map, FALSE, NULL, NULL }, kind->table, def,
              xml_document_root (document));
  if (!diagnostics_has_errors (diagnostics))
    written = document_to_xml (kind, def, FIELD_WRITE_LIVE | FIELD_WRITE_SECURE);
  document_unref (kind, def);
  return written;
}

static void
print_result (const char *written, const Diagnostics *diagnostics)
{
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);

  if (written == NULL)
    putchar ('!');
  fputs (written != NULL ? written : mistakes, stdout);
  putchar ('\0');
}

static void
print_paths (const FieldTable *table, const char *above, GPtrArray *inside)
{
  if (g_ptr_array_find (inside, table, NULL))
    return; /* it contains itself: a data file's source has what any source has */
  g_ptr_array_add (inside, (gpointer)table);
  for (const Field *field = table->fields; field->path != NULL; field++) {
    gboolean is_text = g_str_equal (field->path, ".");
    g_autofree char *path = is_text
                                ? g_strdup (above)
                                : g_strdup_printf ("%s%s%s", above, above[0] != '\0' ? "/" : "", field->path);

    puts (path);
    if (field->detail != NULL && field->type != NULL && field->type->size == 0)
      print_paths (field->detail, path, inside);
    else if (field->type == &field_struct || field->type == &field_optional || field->type == &field_list)
      print_paths (field->detail, path, inside);
    if (field->type != NULL && field->type->only_attribute != NULL && field->type->only_attribute[0] != '\0')
      printf ("%s/@%s\n", path, field->type->only_attribute);
  }
  g_ptr_array_set_size (inside, (gint)inside->len - 1);
}

static void
rewrite (const char *text, const Platform *platform, gboolean complete)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("document");
  g_autoptr (DomainDef) def =
      complete ? domain_def_parse (text, -1, 0, platform, diagnostics) : read_only (text, diagnostics);
  g_autofree char *written =
      def != NULL ? domain_def_to_xml (def, DOMAIN_WRITE_SECURE | (complete ? 0 : DOMAIN_WRITE_LIVE)) : NULL;

  print_result (written, diagnostics);
}

int
main (int argc, char **argv)
{
  gboolean complete = argc != 2 || strcmp (argv[1], "--read") != 0;
  gboolean kinds = argc == 2 && strcmp (argv[1], "--kinds") == 0;
  Platform *platform = qemu_platform_new (builtin_caps, NULL);
  g_autoptr (GString) document = g_string_new (NULL);

  if (argc == 3 && strcmp (argv[1], "--paths") == 0) {
    g_autoptr (GPtrArray) inside = g_ptr_array_new ();

    print_paths (document_kind_of_root (argv[2])->table, "", inside);
    qemu_platform_free (platform);
    return 0;
  }
  for (int c = getchar (); c != EOF; c = getchar ()) {
    if (c != '\0') {
      g_string_append_c (document, (char)c);
      continue;
    }
    if (kinds) {
      g_autoptr (Diagnostics) diagnostics = diagnostics_new ("document");
      g_autofree char *written = rewrite_kind (document->str, diagnostics);

      print_result (written, diagnostics);
    } else {
      rewrite (document->str, platform, complete);
    }
    g_string_truncate (document, 0);
  }
  qemu_platform_free (platform);
  return 0;
}
