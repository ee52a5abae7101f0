/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The field walker on a small format of its own: each walk, and every kind of mistake with its place.
 */

#include "base/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SHAPE_NONE, SHAPE_ROUND, SHAPE_SQUARE };
static const EnumTable shapes = { "shape", { NULL, "round", "square" } };
static const FieldRange up_to_nine = { 0, 9 };

typedef struct {
  char *name;
  Number weight;
} Part;

static const Field part_fields[] = {
  FIELD_WITH (Part, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD (Part, weight, ".", field_number, NULL),
  FIELD_END,
};
static const FieldTable part_table = { sizeof (Part), part_fields };

typedef struct {
  int shape;
  Number corners;
  Number radius;
  char *secret, *live;
  int open;
  gboolean lit;
  Number memory;
  char *note;
  Part body;
  Part *lid;
  GPtrArray *parts, *labels;
  char *kept;
  SignedNumber offset;
} Thing;

static const Field thing_fields[] = {
  FIELD (Thing, shape, "@shape", field_enum, &shapes),
  FIELD_WHEN (Thing, corners, "size/@corners", field_number, &up_to_nine, shape, FIELD_VALUE (SHAPE_SQUARE)),
  FIELD_WHEN (Thing, radius, "size/@radius", field_hex2, NULL, shape, FIELD_VALUE (SHAPE_ROUND)),
  FIELD_WITH (Thing, secret, "lock/@code", field_text, NULL, FIELD_SECRET),
  FIELD_WITH (Thing, live, "lock/@state", field_text, NULL, FIELD_LIVE),
  FIELD (Thing, open, "lock/@open", field_yes_no, NULL),
  FIELD (Thing, lit, "lit", field_flag, NULL),
  FIELD (Thing, memory, "memory", field_memory, NULL),
  FIELD_WITH (Thing, note, "note", field_text, NULL, FIELD_NO_ABI),
  FIELD (Thing, body, "body", field_struct, &part_table),
  FIELD (Thing, lid, "lid", field_optional, &part_table),
  FIELD (Thing, parts, "parts/part", field_list, &part_table),
  FIELD (Thing, labels, "label", field_texts, NULL),
  FIELD (Thing, kept, "kept", field_verbatim, NULL),
  FIELD (Thing, offset, "offset", field_signed, NULL),
  { "@old", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } },
  FIELD_END,
};
static const FieldTable thing_table = { sizeof (Thing), thing_fields };

/* The thing, its mistakes in @ret_mistakes (without the file's name). */
static Thing *
read_thing (const char *text, gboolean lax, char **ret_mistakes)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("t");
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { document, diagnostics, map, lax };
  Thing *thing = field_new (&thing_table);

  assert_non_null (document);
  field_read (&reader, &thing_table, thing, xml_document_root (document));
  if (ret_mistakes != NULL)
    *ret_mistakes = diagnostics_to_text (diagnostics);
  else
    assert_int_equal (diagnostics_count (diagnostics), 0);
  return thing;
}

static char *
write_thing (const Thing *thing, guint flags)
{
  g_autoptr (XmlElement) element = xml_element_new ("thing");

  field_write (&thing_table, thing, element, flags);
  return xml_element_to_string (element);
}

static const char full_text[] = "<thing shape='square'>\n"
                                "  <size corners='4'/>\n"
                                "  <lock code='1234' state='shut' open='no'/>\n"
                                "  <lit/>\n"
                                "  <memory unit='KiB'>2048</memory>\n"
                                "  <note>a &lt; b</note>\n"
                                "  <body name='b'>7</body>\n"
                                "  <lid name='l'/>\n"
                                "  <parts>\n"
                                "    <part name='one'>1</part>\n"
                                "    <part name='two'/>\n"
                                "  </parts>\n"
                                "  <label>x</label>\n"
                                "  <label>y</label>\n"
                                "  <kept>\n"
                                "    <any thing='goes'/>\n"
                                "  </kept>\n"
                                "  <offset>-3</offset>\n"
                                "</thing>\n";

static void
what_is_read_is_written_again (void **state G_GNUC_UNUSED)
{
  Thing *thing = read_thing (full_text, FALSE, NULL);
  g_autofree char *all = write_thing (thing, FIELD_WRITE_LIVE | FIELD_WRITE_SECURE);
  g_autofree char *plain = write_thing (thing, 0);

  assert_string_equal (all, full_text);
  assert_null (strstr (plain, "1234"));
  assert_null (strstr (plain, "shut"));
  assert_non_null (strstr (plain, "<lock open='no'/>"));
  field_free (&thing_table, thing);
}

static void
a_copy_is_equal_and_apart (void **state G_GNUC_UNUSED)
{
  Thing *thing = read_thing (full_text, FALSE, NULL);
  Thing *copy = field_copy (&thing_table, thing);
  g_autofree char *original_text = NULL;

  assert_null (field_compare (&thing_table, thing, copy, 0));
  g_free (copy->note);
  copy->note = g_strdup ("other");
  g_autofree char *difference = field_compare (&thing_table, thing, copy, 0);
  assert_string_equal (difference, "note: 'a < b' and 'other'");
  assert_null (field_compare (&thing_table, thing, copy, FIELD_COMPARE_ABI));

  Part *part = g_ptr_array_index (copy->parts, 1);
  part->weight = NUMBER (5);
  g_autofree char *deeper = field_compare (&thing_table, thing, copy, FIELD_COMPARE_ABI);
  assert_string_equal (deeper, "parts/part/.: nothing and '5'");

  field_free (&thing_table, copy);
  original_text = write_thing (thing, FIELD_WRITE_LIVE | FIELD_WRITE_SECURE);
  assert_string_equal (original_text, full_text);
  field_free (&thing_table, thing);
}

static void
nothing_said_is_nothing_written (void **state G_GNUC_UNUSED)
{
  Thing *thing = read_thing ("<thing old='1'/>", FALSE, NULL);
  g_autofree char *text = write_thing (thing, 0);

  assert_true (field_table_is_empty (&thing_table, thing));
  assert_string_equal (text, "<thing/>\n");
  field_free (&thing_table, thing);
}

static void
every_mistake_has_its_place_and_words (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *document, *mistake;
  } table[] = {
    { "<thing shape='sqare'/>", "t:1:8: error: Invalid value for attribute 'shape' in element "
                                "'thing': 'sqare' (did you mean 'square'? "
                                "accepted: 'round' or 'square')\n" },
    { "<thing>\n  <memroy>1</memroy>\n</thing>",
      "t:2:3: error: unknown element 'memroy' in element 'thing': did you mean 'memory'?\n" },
    { "<thing><lock opn='yes'/></thing>",
      "t:1:14: error: unknown attribute 'opn' in element 'lock': did you mean 'open'?\n" },
    { "<thing shape='square'><size corners='12'/></thing>",
      "t:1:29: error: Invalid value for attribute 'corners' in element 'size': '12' (expected a "
      "whole number "
      "from 0 to 9)\n" },
    { "<thing shape='round'><size corners='4'/></thing>",
      "t:1:28: error: attribute 'corners' does not belong to this form of element 'size': with "
      "shape='round' it has 'radius'\n" },
    { "<thing><parts><part/></parts></thing>",
      "t:1:15: error: Missing required attribute 'name' in element 'part'\n" },
    { "<thing><memory unit='furlong'>3</memory></thing>",
      "t:1:16: error: unknown suffix 'furlong' as unit of <memory>: expected b, KiB, MiB, "
      "GiB, TiB, KB, "
      "MB, GB or TB\n" },
    { "<thing><note>a</note><note>b</note></thing>",
      "t:1:22: error: element 'note' is not expected here in element 'thing': it was said before, "
      "in line 1\n" },
    { "<thing>words</thing>", "t:1:1: error: element 'thing' holds text, but takes none; it has 'shape'\n" },
    { "<thing><zzzzzz/></thing>", "t:1:8: error: unknown element 'zzzzzz' in element 'thing'\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *mistakes = NULL;
    Thing *thing = read_thing (table[i].document, FALSE, &mistakes);

    assert_string_equal (mistakes, table[i].mistake);
    field_free (&thing_table, thing);
  }
}

static void
all_mistakes_come_in_one_reading (void **state G_GNUC_UNUSED)
{
  g_autofree char *mistakes = NULL;
  Thing *thing = read_thing (
      "<thing shape='x'>\n<lock open='maybe'/>\n<offset>1.5</offset>\n<colour/>\n</thing>", FALSE, &mistakes);

  assert_non_null (strstr (mistakes, "t:1:8: "));
  assert_non_null (strstr (mistakes, "t:2:7: "));
  assert_non_null (strstr (mistakes, "t:3:1: "));
  assert_non_null (strstr (mistakes, "t:4:1: "));
  field_free (&thing_table, thing);
}

static void
lax_reading_warns_of_unknown_names_only (void **state G_GNUC_UNUSED)
{
  g_autofree char *mistakes = NULL;
  Thing *thing = read_thing ("<thing shape='x'>\n<colour/>\n</thing>", TRUE, &mistakes);

  assert_non_null (strstr (mistakes, "t:1:8: error: "));
  assert_non_null (strstr (mistakes, "t:2:1: warning: "));
  field_free (&thing_table, thing);
}

static void
places_are_found_by_member (void **state G_GNUC_UNUSED)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document =
      xml_document_parse ("<thing>\n <lock\n  open='yes'/>\n</thing>", -1, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { document, diagnostics, map, FALSE };
  Thing *thing = field_new (&thing_table);
  Position where;

  field_read (&reader, &thing_table, thing, xml_document_root (document));
  where = source_map_find (map, &thing->open, thing);
  assert_int_equal (where.line, 3);
  assert_int_equal (where.column, 3);
  where = source_map_find (map, &thing->note, thing);
  assert_int_equal (where.line, 1);
  field_free (&thing_table, thing);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (what_is_read_is_written_again),
    cmocka_unit_test (a_copy_is_equal_and_apart),
    cmocka_unit_test (nothing_said_is_nothing_written),
    cmocka_unit_test (every_mistake_has_its_place_and_words),
    cmocka_unit_test (all_mistakes_come_in_one_reading),
    cmocka_unit_test (lax_reading_warns_of_unknown_names_only),
    cmocka_unit_test (places_are_found_by_member),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
