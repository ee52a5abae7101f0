/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The completed forms of networks' documents, or what is wrong with them, by the library alone: a JSON array
 * for the files named, each {"xml"} or {"code", "domain", "text"}. With --lax they are read as from a client
 * that does not ask for the schema.
 */
#include "network/network-def.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

static void
add_refusal (JsonBuilder *builder, const Diagnostics *diagnostics)
{
  const Diagnostic *first = diagnostics_get (diagnostics, 0);
  g_autoptr (GError) error = NULL;

  virt_error_set (&error, first->code, "%s", first->message);
  json_builder_set_member_name (builder, "code");
  json_builder_add_int_value (builder, first->code);
  json_builder_set_member_name (builder, "domain");
  json_builder_add_int_value (builder, first->origin);
  json_builder_set_member_name (builder, "line");
  json_builder_add_int_value (builder, first->where.line);
  json_builder_set_member_name (builder, "text");
  json_builder_add_string_value (builder, error->message);
}

static void
add_document (JsonBuilder *builder, const char *path, guint flags)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autofree char *text = NULL, *xml = NULL;
  g_autoptr (NetworkDef) def = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    g_error ("cannot read %s", path);
  def = network_def_parse (text, -1, flags, diagnostics);
  json_builder_begin_object (builder);
  if (def == NULL)
    add_refusal (builder, diagnostics);
  else {
    xml = network_def_to_xml (def, FALSE);
    json_builder_set_member_name (builder, "xml");
    json_builder_add_string_value (builder, xml);
  }
  json_builder_end_object (builder);
}

int
main (int argc, char **argv)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  gboolean lax = argc > 1 && g_str_equal (argv[1], "--lax");

  json_builder_begin_array (builder);
  for (int i = lax ? 2 : 1; i < argc; i++)
    add_document (builder, argv[i], lax ? DOCUMENT_LAX : 0);
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  puts (text);
  return 0;
}
