/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A plan for people: an object a line, what becomes of it below, and at the end how much of everything.
 * Colours on a terminal, unless NO_COLOR asks for none.
 */
#include "cli/plan.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef enum { COLOUR_NONE, COLOUR_ADD, COLOUR_CHANGE, COLOUR_REMOVE } Colour;

static const char *
colour (Colour which)
{
  static const char *const codes[] = { "\033[0m", "\033[32m", "\033[33m", "\033[31m" };
  const char *no = g_getenv ("NO_COLOR");

  return isatty (STDOUT_FILENO) && (no == NULL || no[0] == '\0') ? codes[which] : "";
}

static const char *
text_of (JsonObject *object, const char *name)
{
  return json_object_get_string_member_with_default (object, name, NULL);
}

static void
print_value (const CommandLine *line, char sign, Colour which, const char *value)
{
  g_auto (GStrv) lines = g_strsplit (value != NULL ? value : "", "\n", -1);

  for (guint i = 0; value != NULL && lines[i] != NULL; i++)
    command_print (line, "      %s%c %s%s\n", colour (which), i == 0 ? sign : ' ', lines[i],
                   colour (COLOUR_NONE));
}

static const char *
effect_of (JsonObject *difference)
{
  const char *effect = text_of (difference, "effect");

  if (effect == NULL)
    return "";
  return g_str_equal (effect, "live")    ? _ (" (while it runs)")
         : g_str_equal (effect, "start") ? _ (" (with its next start)")
                                         : _ (" (with its next start, other hardware for its guest)");
}

static void
print_differences (const CommandLine *line, JsonObject *object)
{
  JsonArray *differences = json_object_has_member (object, "differences")
                               ? json_object_get_array_member (object, "differences")
                               : NULL;

  for (guint i = 0; differences != NULL && i < json_array_get_length (differences); i++) {
    JsonObject *difference = json_array_get_object_element (differences, i);
    gint64 number = json_object_get_int_member_with_default (difference, "line", 0);
    const char *file = text_of (difference, "file");

    command_print (line, "    %s%s", text_of (difference, "path"), effect_of (difference));
    if (file != NULL && number > 0)
      command_print (line, "  %s:%" G_GINT64_FORMAT, file, number);
    command_print (line, "\n");
    print_value (line, '-', COLOUR_REMOVE, text_of (difference, "before"));
    print_value (line, '+', COLOUR_ADD, text_of (difference, "after"));
  }
}

static const char *
run_text (const char *run)
{
  return g_str_equal (run, "start") ? _ ("starts") : g_str_equal (run, "stop") ? _ ("stops") : _ ("restarts");
}

static void
print_rest (const CommandLine *line, JsonObject *object)
{
  const char *run = text_of (object, "run");

  if (run != NULL && !g_str_equal (text_of (object, "action"), "remove"))
    command_print (line, "    %s\n", run_text (run));
  if (json_object_has_member (object, "autostart"))
    command_print (line, "    %s\n",
                   json_object_get_boolean_member (object, "autostart")
                       ? _ ("starts with the host")
                       : _ ("no longer starts with the host"));
  if (json_object_has_member (object, "relabels"))
    command_print (line, _ ("    belongs to '%s'\n"), text_of (object, "label"));
}

typedef struct {
  guint create, change, remove, start, stop, keep;
} Counts;

static void
count (Counts *counts, const char *action, const char *run, gboolean other)
{
  counts->create += g_str_equal (action, "create");
  counts->remove += g_str_equal (action, "remove");
  counts->change += g_str_equal (action, "change") || (g_str_equal (action, "keep") && other);
  counts->keep += g_str_equal (action, "keep") && !other && run == NULL;
  counts->start += g_strcmp0 (run, "start") == 0 || g_strcmp0 (run, "restart") == 0;
  counts->stop += g_strcmp0 (run, "stop") == 0 || g_strcmp0 (run, "restart") == 0;
}

static void
print_object (const CommandLine *line, JsonObject *object, Counts *counts)
{
  const char *action = text_of (object, "action"), *run = text_of (object, "run");
  const char *file = text_of (object, "file");
  gboolean other =
      json_object_has_member (object, "autostart") || json_object_has_member (object, "relabels");
  Colour which = g_str_equal (action, "create")   ? COLOUR_ADD
                 : g_str_equal (action, "remove") ? COLOUR_REMOVE
                                                  : COLOUR_CHANGE;

  count (counts, action, run, other);
  if (g_str_equal (action, "keep") && run == NULL && !other)
    return;
  command_print (line, "%s%c %s %s%s%s%s\n", colour (which),
                 which == COLOUR_ADD      ? '+'
                 : which == COLOUR_REMOVE ? '-'
                                          : '~',
                 text_of (object, "kind"), text_of (object, "name"), colour (COLOUR_NONE),
                 file != NULL ? "  " : "", file != NULL ? file : "");
  print_differences (line, object);
  print_rest (line, object);
}

void
plan_print_objects (const CommandLine *line, const JsonNode *plan)
{
  JsonObject *root = json_node_get_object ((JsonNode *)plan);
  JsonArray *objects = json_object_get_array_member (root, "objects");
  JsonArray *ignored =
      json_object_has_member (root, "ignored") ? json_object_get_array_member (root, "ignored") : NULL;
  Counts counts = { 0 };

  for (guint i = 0; ignored != NULL && !line->json && i < json_array_get_length (ignored); i++)
    fprintf (stderr, _ ("warning: %s\n"), json_array_get_string_element (ignored, i));
  for (guint i = 0; i < json_array_get_length (objects); i++)
    print_object (line, json_array_get_object_element (objects, i), &counts);
  if (json_object_get_int_member (root, "changes") == 0)
    command_print (line, _ ("No changes: %u objects are as their documents say.\n"), counts.keep);
  else
    command_print (line,
                   _ ("%u to create, %u to change, %u to remove; %u to start, %u to stop; %u as they are.\n"),
                   counts.create, counts.change, counts.remove, counts.start, counts.stop, counts.keep);
}
