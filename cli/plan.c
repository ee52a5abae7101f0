/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl plan` and `domctl render`. The plan itself is made by the daemon; here documents are read and
 * rendered, and what is said of their rendered lines is said of the lines of the files they came from.
 */
#include "cli/plan.h"
#include "cli/connection.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#define PLAN_FORMAT "domaind-plan-1"

char *plan_source;
gboolean plan_prunes, plan_restarts;

static char *plan_out;
static gboolean show_origins;

void
plan_request_clear (PlanRequest *request)
{
  g_clear_pointer (&request->documents, g_variant_unref);
  g_clear_pointer (&request->source, g_free);
  g_clear_pointer (&request->set, document_set_free);
  g_clear_pointer (&request->plan, json_node_unref);
  g_clear_pointer (&request->digest, g_free);
}

static GVariant *
documents_of (const DocumentSet *set)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sss)"));
  for (guint i = 0; i < set->documents->len; i++) {
    const SetDocument *document = g_ptr_array_index (set->documents, i);

    if (!document->included)
      g_variant_builder_add (&builder, "(sss)", document->shown, document->file, document->rendering->text);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* Differences have the lines of rendered texts: those of the files take their place. */
static void
place_differences (const DocumentSet *set, JsonNode *plan)
{
  JsonArray *objects = json_object_get_array_member (json_node_get_object (plan), "objects");

  for (guint i = 0; i < json_array_get_length (objects); i++) {
    JsonObject *object = json_array_get_object_element (objects, i);
    const char *shown = json_object_get_string_member_with_default (object, "file", "");
    JsonArray *differences = json_object_has_member (object, "differences")
                                 ? json_object_get_array_member (object, "differences")
                                 : NULL;

    for (guint k = 0; differences != NULL && k < json_array_get_length (differences); k++) {
      JsonObject *difference = json_array_get_object_element (differences, k);
      guint line = (guint)json_object_get_int_member (difference, "line");
      const char *file = document_set_origin (set, shown, &line);

      json_object_set_string_member (difference, "file", file);
      json_object_set_int_member (difference, "line", line);
    }
  }
}

static void
print_refusal (const DocumentSet *set, const char *message)
{
  g_autofree char *placed = set != NULL ? document_set_place (set, message) : g_strdup (message);
  gboolean has_place = strstr (placed, ": error: ") != NULL;

  fflush (stdout);
  if (has_place)
    fprintf (stderr, "%s\n", placed);
  else
    command_error ("%s", placed);
}

static gboolean
ask_plan (CommandLine *line, PlanRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  const char *text;

  if (line->connection == NULL && command_connect (line) == NULL)
    return FALSE;
  answer = connection_call (
      line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "PlanDocuments",
      g_variant_new ("(@a(sss)su)", request->documents, request->source, request->flags), &error);
  if (answer == NULL) {
    print_refusal (request->set, error->message);
    return FALSE;
  }
  g_variant_get (answer, "(&s)", &text);
  request->plan = json_from_string (text, &error);
  if (request->plan == NULL) {
    command_error ("%s", error->message);
    return FALSE;
  }
  request->digest = g_strdup (json_object_get_string_member (json_node_get_object (request->plan), "digest"));
  if (request->set != NULL)
    place_differences (request->set, request->plan);
  return TRUE;
}

gboolean
plan_request_read (CommandLine *line, char *const *words, guint count, PlanRequest *request)
{
  g_autoptr (GError) error = NULL;

  request->set = document_set_read (words, count, &error);
  if (request->set == NULL) {
    command_error ("%s", error->message);
    return FALSE;
  }
  if (document_set_print_mistakes (request->set) > 0)
    return FALSE;
  request->source = g_strdup (plan_source != NULL               ? plan_source
                              : request->set->directory != NULL ? request->set->directory
                                                                : "");
  if (plan_prunes && request->source[0] == '\0') {
    command_error (_ ("--prune needs one directory, or --source: it removes only what carries its label"));
    return FALSE;
  }
  request->flags = (plan_prunes ? 1 : 0) | (plan_restarts ? 2 : 0);
  request->documents = documents_of (request->set);
  return ask_plan (line, request);
}

guint
plan_count_changes (const PlanRequest *request)
{
  return (guint)json_object_get_int_member (json_node_get_object (request->plan), "changes");
}

/* Plans that are kept. */

static gboolean
keep_plan (const PlanRequest *request, const char *path, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  GVariantIter iter;
  const char *words[3];

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "format");
  json_builder_add_string_value (builder, PLAN_FORMAT);
  json_builder_set_member_name (builder, "source");
  json_builder_add_string_value (builder, request->source);
  json_builder_set_member_name (builder, "flags");
  json_builder_add_int_value (builder, request->flags);
  json_builder_set_member_name (builder, "documents");
  json_builder_begin_array (builder);
  g_variant_iter_init (&iter, request->documents);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &words[0], &words[1], &words[2])) {
    json_builder_begin_array (builder);
    for (guint i = 0; i < G_N_ELEMENTS (words); i++)
      json_builder_add_string_value (builder, words[i]);
    json_builder_end_array (builder);
  }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "plan");
  json_builder_add_value (builder, json_node_copy (request->plan));
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

gboolean
plan_is_kept (const char *path)
{
  char first = '\0';
  FILE *file = g_file_test (path, G_FILE_TEST_IS_REGULAR) ? fopen (path, "re") : NULL;

  if (file == NULL)
    return FALSE;
  first = (char)fgetc (file);
  fclose (file);
  return first == '{';
}

static gboolean
load_documents (JsonObject *kept, PlanRequest *request)
{
  JsonArray *documents = json_object_get_array_member (kept, "documents");
  GVariantBuilder builder;
  gboolean whole = TRUE;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sss)"));
  for (guint i = 0; i < json_array_get_length (documents) && whole; i++) {
    JsonNode *node = json_array_get_element (documents, i);
    JsonArray *words = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

    whole = words != NULL && json_array_get_length (words) == 3;
    for (guint k = 0; k < 3 && whole; k++)
      whole = json_node_get_value_type (json_array_get_element (words, k)) == G_TYPE_STRING;
    if (whole)
      g_variant_builder_add (&builder, "(sss)", json_array_get_string_element (words, 0),
                             json_array_get_string_element (words, 1),
                             json_array_get_string_element (words, 2));
  }
  request->documents = g_variant_ref_sink (g_variant_builder_end (&builder));
  return whole;
}

/* Has the object the member, of that type? */
static gboolean
has (JsonObject *object, const char *name, JsonNodeType type, GType value)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_node_type (node) == type
         && (type != JSON_NODE_VALUE || json_node_get_value_type (node) == value);
}

gboolean
plan_request_load (const char *path, PlanRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *kept;

  if (!g_file_get_contents (path, &text, NULL, &error) || (root = json_from_string (text, &error)) == NULL) {
    command_error ("%s: %s", path, error->message);
    return FALSE;
  }
  kept = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (kept == NULL || !has (kept, "format", JSON_NODE_VALUE, G_TYPE_STRING)
      || !g_str_equal (json_object_get_string_member (kept, "format"), PLAN_FORMAT)
      || !has (kept, "source", JSON_NODE_VALUE, G_TYPE_STRING)
      || !has (kept, "flags", JSON_NODE_VALUE, G_TYPE_INT64)
      || !has (kept, "documents", JSON_NODE_ARRAY, G_TYPE_NONE)
      || !has (kept, "plan", JSON_NODE_OBJECT, G_TYPE_NONE)
      || !has (json_object_get_object_member (kept, "plan"), "digest", JSON_NODE_VALUE, G_TYPE_STRING)
      || !has (json_object_get_object_member (kept, "plan"), "objects", JSON_NODE_ARRAY, G_TYPE_NONE)
      || !has (json_object_get_object_member (kept, "plan"), "changes", JSON_NODE_VALUE, G_TYPE_INT64)
      || !load_documents (kept, request)) {
    command_error (_ ("'%s' is no plan of this version of domctl"), path);
    return FALSE;
  }
  request->source = g_strdup (json_object_get_string_member (kept, "source"));
  request->flags = (guint)json_object_get_int_member (kept, "flags");
  request->plan = json_node_copy (json_object_get_member (kept, "plan"));
  request->digest = g_strdup (json_object_get_string_member (json_node_get_object (request->plan), "digest"));
  return TRUE;
}

/* The commands. */

static int
plan_run (CommandLine *line)
{
  g_auto (PlanRequest) request = { 0 };
  g_autoptr (GError) error = NULL;

  if (!plan_request_read (line, line->arguments, line->argument_count, &request))
    return PLAN_ERROR;
  if (plan_out != NULL && !keep_plan (&request, plan_out, &error))
    return command_error ("%s", error->message);
  plan_print_objects (line, request.plan);
  command_print_json (line, json_node_copy (request.plan));
  return plan_count_changes (&request) > 0 ? PLAN_CHANGES : PLAN_NO_CHANGES;
}

static void
print_rendered (const CommandLine *line, const SetDocument *document)
{
  g_auto (GStrv) lines = g_strsplit (document->rendering->text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    guint number;
    const char *file = rendering_origin (document->rendering, i + 1, &number);

    if (lines[i + 1] != NULL || lines[i][0] != '\0')
      command_print (line, "%s:%u: %s\n", file, number, lines[i]);
  }
}

static void
add_rendered (JsonBuilder *builder, const SetDocument *document)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "file");
  json_builder_add_string_value (builder, document->shown);
  json_builder_set_member_name (builder, "document");
  json_builder_add_string_value (builder, document->rendering->text);
  json_builder_set_member_name (builder, "origins");
  json_builder_begin_array (builder);
  for (guint i = 0; i < document->rendering->lines->len; i++) {
    guint number;
    const char *file = rendering_origin (document->rendering, i + 1, &number);
    g_autofree char *place = g_strdup_printf ("%s:%u", file, number);

    json_builder_add_string_value (builder, place);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static int
render_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DocumentSet) set = document_set_read (line->arguments, line->argument_count, &error);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (set == NULL)
    return command_error ("%s", error->message);
  if (document_set_print_mistakes (set) > 0)
    return EXIT_FAILED;
  json_builder_begin_array (builder);
  for (guint i = 0; i < set->documents->len; i++) {
    const SetDocument *document = g_ptr_array_index (set->documents, i);

    if (document->included)
      continue;
    add_rendered (builder, document);
    if (show_origins)
      print_rendered (line, document);
    else
      command_print (line, "%s", document->rendering->text);
  }
  json_builder_end_array (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static const GOptionEntry plan_options[] = {
  PLAN_OPTIONS,
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &plan_out, N_ ("Keep the plan in FILE, for 'domctl apply FILE'"),
    N_ ("FILE") },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry render_options[] = {
  { "origins", 0, 0, G_OPTION_ARG_NONE, &show_origins,
    N_ ("Say of each line which file and line it came from"), NULL },
  VALUES_OPTION,
  G_OPTION_ENTRY_NULL,
};

const Command plan_commands[] = {
  { "plan", "FILE|DIR...", N_ ("Show what applying documents would change"), 1, G_MAXUINT, plan_options,
    plan_run, FALSE, PLAN_ERROR },
  { "render", "FILE|DIR...", N_ ("Show documents with their values and includes"), 1, G_MAXUINT,
    render_options, render_run },
  { NULL },
};
