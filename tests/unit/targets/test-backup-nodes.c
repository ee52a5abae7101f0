/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of a chain's bitmaps is one checkpoint, what becomes of them, and what QEMU is asked for a backup. */
#include "targets/qemu/backup-nodes.h"

#include "base/untrusted-json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BITMAP(name, granularity, more)                                                              \
  "{\"name\": \"" name "\", \"granularity\": " #granularity ", \"count\": 9, \"persistent\": true, " \
  "\"recording\": true" more "}"
#define BROKEN(name)        BITMAP (name, 65536, ", \"inconsistent\": true")
#define NODE(name, bitmaps) "{\"node-name\": \"" name "\", \"dirty-bitmaps\": [" bitmaps "]}"

/* The image on top has c1, c2 and a broken c3; the one below c1 alone, and the last one c2. */
static const char answer[] = "{\"return\": [" NODE (
    "top",
    BITMAP ("c1", 65536, "") "," BITMAP ("c2", 65536, "") "," BROKEN (
        "c3")) "," NODE ("middle",
                         BITMAP ("c1", 4096,
                                 "")) "," NODE ("base",
                                                BITMAP ("c2", 65536,
                                                        "")) ", 7, {\"node-name\": \"libvirt-12-format\", "
                                                             "\"dirty-bitmaps\": 5}]}";

static NodeStates *
states_of (const char *text)
{
  g_autoptr (JsonObject) object = untrusted_json_object (text, strlen (text));

  assert_non_null (object);
  return node_states_new (json_object_get_member (object, "return"));
}

static GPtrArray *
names_of (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (char **word = words; *word != NULL; word++)
    g_ptr_array_add (names, g_strdup (*word));
  return names;
}

static void
test_chains (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *name;
    guint nodes; /* 0: none */
    guint64 granularity;
  } rows[] = {
    { "c1", 2, 4096 },  /* as far as each has one */
    { "c2", 1, 65536 }, /* not what is behind a gap */
    { "c3", 0, 0 },     /* inconsistent */
    { "c4", 0, 0 },
  };
  g_autoptr (NodeStates) states = states_of (answer);
  g_autoptr (GPtrArray) chain = names_of ("top middle base");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) nodes = bitmap_chain (states, chain, rows[i].name);

    assert_int_equal (nodes != NULL ? nodes->len : 0, rows[i].nodes);
    if (nodes != NULL)
      assert_int_equal (bitmap_chain_granularity (states, nodes, rows[i].name), rows[i].granularity);
  }
  assert_int_equal (node_states_highest (states), 12);
}

/* "add copy/c1 merge copy/c1<top,middle ...". */
static char *
describe (JsonArray *actions)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (actions); i++) {
    JsonObject *action = json_array_get_object_element (actions, i);
    JsonObject *data = json_object_get_object_member (action, "data");
    JsonArray *sources = untrusted_list (data, "bitmaps");
    const char *type = strrchr (untrusted_text (action, "type"), '-') + 1;
    const char *name = untrusted_text (data, g_str_equal (type, "merge") ? "target" : "name");

    g_string_append_printf (text, "%s%s %s/%s", i > 0 ? " " : "", type, untrusted_text (data, "node"), name);
    for (guint j = 0; sources != NULL && j < json_array_get_length (sources); j++)
      g_string_append_printf (text, "%s%s", j > 0 ? "," : "<",
                              untrusted_text (json_array_get_object_element (sources, j), "node"));
  }
  json_array_unref (actions);
  return g_string_free (text, FALSE);
}

static void
assert_actions (JsonArray *actions, const char *expected)
{
  g_autofree char *said = describe (actions);

  assert_string_equal (said, expected);
}

static void
test_what_becomes_of_bitmaps (G_GNUC_UNUSED void **state)
{
  g_autoptr (NodeStates) states = states_of (answer);
  g_autoptr (GPtrArray) chain = names_of ("top middle base"), above = names_of ("top middle");
  JsonArray *overlay = json_array_new (), *whole = json_array_new (), *shallow = json_array_new ();
  JsonArray *commit = json_array_new (), *removal = json_array_new ();

  bitmap_actions_for_overlay (overlay, states, "top", "new");
  bitmap_actions_for_copy (whole, states, chain, "copy", TRUE);
  bitmap_actions_for_copy (shallow, states, chain, "copy", FALSE);
  bitmap_actions_for_commit (commit, states, above, "base");
  bitmap_actions_for_removal (removal, states, chain);
  assert_actions (removal, "merge top/c1<middle");
  assert_actions (overlay, "add new/c1 add new/c2");
  assert_actions (whole, "add copy/c1 merge copy/c1<top,middle add copy/c2 merge copy/c2<top");
  assert_actions (shallow, "add copy/c1 merge copy/c1<top add copy/c2 merge copy/c2<top");
  assert_actions (commit, "add base/c1 merge base/c1<top,middle merge base/c2<top");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_chains),
    cmocka_unit_test (test_what_becomes_of_bitmaps),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
