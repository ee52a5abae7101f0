/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading XML: the places of things, and documents made to hurt. */
#include "base/xml-document.h"
#include "base/xml-scan.h"
#include "cmocka-glib.h"

#include <glib/gstdio.h>
#include <libxml/xpath.h>
#include <string.h>

static xmlNode *
child (xmlNode *element, const char *name)
{
  for (xmlNode *node = element->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && g_str_equal ((const char *)node->name, name))
      return node;
  fail_msg ("no <%s> in <%s>", name, (const char *)element->name);
  return NULL;
}

static void
assert_position (Position where, guint line, guint column)
{
  assert_int_equal (where.line, line);
  assert_int_equal (where.column, column);
}

static const char places_document[] = "\xef\xbb\xbf<?xml version=\"1.0\"?>\n"
                                      "<!-- <fake a='b'> > -->\n"
                                      "<domain type='kvm' xmlns:q='u'\n"
                                      "        id = \"1>2\">\n"
                                      "  <?pi <x y='z'?><![CDATA[<no a=\"b\">]]>\r\n"
                                      "  <title>\xc3\xa9\xe2\x82\xac <b/></title> <q:c q:d='1' e='2'/>\n"
                                      "</domain>\n";

static void
test_places (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (places_document, -1, diagnostics);
  xmlNode *root, *title, *c;

  assert_non_null (document);
  assert_int_equal (diagnostics_count (diagnostics), 0);
  root = xml_document_root (document);
  title = child (root, "title");
  c = child (root, "c");
  assert_position (xml_document_node_position (document, root), 3, 1);
  assert_position (xml_document_attribute_position (document, root->properties), 3, 9);
  assert_position (xml_document_attribute_position (document, root->properties->next), 4, 9);
  assert_position (xml_document_node_position (document, title), 6, 3);
  assert_position (xml_document_node_position (document, child (title, "b")), 6, 13);
  assert_position (xml_document_node_position (document, c), 6, 26);
  assert_position (xml_document_attribute_position (document, c->properties), 6, 31);
  assert_position (xml_document_attribute_position (document, c->properties->next), 6, 39);
}

/* libxml2 takes a declaration without a prefix for an attribute. */
static void
test_places_with_odd_names (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document =
      xml_document_parse ("<a>\n<b xmlns:='u' xmlns='v' p:q='' c=''><d\ne\t= ''/></b></a>", -1, diagnostics);
  xmlNode *b;

  assert_non_null (document);
  b = child (xml_document_root (document), "b");
  for (xmlAttr *attribute = b->properties; attribute != NULL; attribute = attribute->next)
    if (g_str_equal ((const char *)attribute->name, "c"))
      assert_position (xml_document_attribute_position (document, attribute), 2, 32);
  assert_position (xml_document_node_position (document, child (b, "d")), 2, 37);
  assert_position (xml_document_attribute_position (document, child (b, "d")->properties), 3, 1);
}

static void
test_text_and_attributes (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (
      "<a x='&lt;1&#65;' xmlns:q='u' q:y='2'> t<b>no</b><![CDATA[<]]> &amp; </a>", -1, diagnostics);
  g_autofree char *text = NULL;
  g_autofree char *x = NULL;
  g_autofree char *y = NULL;

  assert_non_null (document);
  text = xml_node_text (xml_document_root (document));
  x = xml_node_attribute (xml_document_root (document), "x");
  y = xml_node_attribute (xml_document_root (document), "y");
  assert_string_equal (text, "t< &");
  assert_string_equal (x, "<1A");
  assert_null (y);
}

/* Each is refused with exactly these lines. */
static const struct {
  const char *text;
  gssize length;
  const char *lines;
} refused[] = {
  { "", -1, "f:1:1: error: the document is empty\n" },
  { "hello", -1, "f:1:1: error: Start tag expected, '<' not found\n" },
  { "<a>\n <b>\n</a>", -1, "f:3:1: error: Opening and ending tag mismatch: b line 2 and a\n" },
  { "<a>\n <b c='d", -1, "f:2:9: error: AttValue: ' expected\n" },
  { "<a>\n <b", -1, "f:2:4: error: Couldn't find end of Start Tag b line 2\n" },
  { "<a><!-- ", -1, NULL },
  { "<a><![CDATA[ ", -1, NULL },
  { "<a>&nosuch;</a>", -1, "f:1:12: error: Entity 'nosuch' not defined\n" },
  { "<a b='1' b='2'/>", -1, NULL },
  { "<a b=1/>", -1, "f:1:6: error: AttValue: \" or ' expected\n" },
  { "<a></a><b/>", -1, "f:1:8: error: Extra content at the end of the document\n" },
  { "<a>\n\xff</a>", -1,
    "f:2:1: error: the byte 0xff is not valid UTF-8; save the document as UTF-8 or declare its encoding\n" },
  { "<a>\0</a>", 8, "f:1:4: error: a NUL byte is not allowed in XML\n" },
  { "<a>\x01</a>", -1, NULL },
  { "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;&b;'>]>\n<a>&c;</a>", -1,
    "f:1:1: error: document type declarations (<!DOCTYPE>) are not accepted\n" },
  { "<?xml version='1.0'?>\n <!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a/>", -1,
    "f:2:2: error: document type declarations (<!DOCTYPE>) are not accepted\n" },
  /* What closes a comment, a section or an instruction shares no character with what opened it. */
  { "<a><!--> <b c='<d>'/> --></a>\n<x/>", -1, "f:2:1: error: Extra content at the end of the document\n" },
  { "<!--><a/>-->\n<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'>]><a>&b;</a>", -1,
    "f:2:1: error: document type declarations (<!DOCTYPE>) are not accepted\n" },
  { "<!---><a>-->\n<!DOCTYPE a><a/>", -1,
    "f:2:1: error: document type declarations (<!DOCTYPE>) are not accepted\n" },
  { "<?x?><!--><?-->\n<!DOCTYPE a><a/>", -1,
    "f:2:1: error: document type declarations (<!DOCTYPE>) are not accepted\n" },
  { "<?xml version='1.0' encoding='EBCDIC-US'?><a/>", -1, NULL },
  { "\xff\xfe<\0", 4, NULL },
};

static void
test_refused (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
    g_autoptr (XmlDocument) document = xml_document_parse (refused[i].text, refused[i].length, diagnostics);
    g_autofree char *lines = diagnostics_to_text (diagnostics);

    assert_null (document);
    assert_true (diagnostics_has_errors (diagnostics));
    if (refused[i].lines != NULL)
      assert_string_equal (lines, refused[i].lines);
  }
}

/* Columns are characters, wherever they are counted from: one long line, of every width of character. */
static void
test_columns_of_a_long_line (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) text = g_string_new ("<?x?>\n<a t='\xe2\x82\xac\xf0\x9f\x90\xa7'>");
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  guint column = 12; /* of the first <b> */

  for (guint i = 0; i < 3000; i++)
    g_string_append (text, "\xc3\xa9<b c=''/>");
  g_string_append (text, "</a>");
  g_autoptr (XmlDocument) document = xml_document_parse (text->str, (gssize)text->len, diagnostics);
  assert_non_null (document);
  for (xmlNode *node = xml_document_root (document)->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE) {
      assert_position (xml_document_node_position (document, node), 2, column);
      assert_position (xml_document_attribute_position (document, node->properties), 2, column + 3);
      column += 10;
    }
  assert_int_equal (column, 12 + 3000 * 10);
}

static void
assert_refused (const char *text, gsize length, const char *line)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
  g_autoptr (XmlDocument) document = xml_document_parse (text, (gssize)length, diagnostics);
  g_autofree char *lines = diagnostics_to_text (diagnostics);

  assert_null (document);
  assert_string_equal (lines, line);
}

static GString *
repeated (const char *before, const char *what, gsize bytes)
{
  GString *text = g_string_new (before);

  while (text->len < bytes)
    g_string_append (text, what);
  return text;
}

static void
test_nesting (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) huge = repeated ("", "<a>", 100 * 1024 * 1024);
  g_autoptr (GString) large = repeated ("", "<a>", XML_MAX_BYTES - 4);

  assert_refused (huge->str, huge->len, "f: error: the document is larger than 8 MiB\n");
  assert_refused (large->str, large->len, "f:1:385: error: elements are nested more than 128 deep\n");
}

static void
test_nodes (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) text = repeated ("<a>\n", "<b/>", 4 + 4 * (XML_MAX_NODES + 10));
  g_autofree char *line =
      g_strdup_printf ("f:2:%d: error: the document has more than 200000 elements and attributes\n",
                       4 * (XML_MAX_NODES - 1) + 1);

  assert_refused (text->str, text->len, line);
}

/* Many small sections cost what they are long, and there is an end to them. */
static void
test_sections (G_GNUC_UNUSED void **state)
{
  static const char *const sections[] = { "<![CDATA[xy]]>", "<!--xyzuvw-->x", "<?target xy?>x" };

  for (guint i = 0; i < G_N_ELEMENTS (sections); i++) {
    g_autoptr (GString) text = repeated ("<a>", sections[i], 3 + 14 * XML_MAX_SECTIONS);
    g_autoptr (GString) more = g_string_new (text->str);
    g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");

    g_string_append (text, "</a>");
    g_autoptr (XmlDocument) document = xml_document_parse (text->str, (gssize)text->len, diagnostics);
    assert_non_null (document);
    g_autofree char *content = xml_node_text (xml_document_root (document));
    assert_int_equal (strlen (content), (i == 0 ? 2 : 1) * XML_MAX_SECTIONS);

    g_string_append_printf (more, "%s</a>", sections[i]);
    assert_null (xml_document_parse (more->str, (gssize)more->len, diagnostics));
    g_autofree char *lines = diagnostics_to_text (diagnostics);
    assert_non_null (strstr (lines, ": error: the document has more than 100000 comments"));
  }
}

static void
test_attributes_and_namespaces (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) many = g_string_new ("<a");
  g_autoptr (GString) namespaces = g_string_new ("<a>");
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = NULL;

  for (guint i = 0; i < XML_MAX_ATTRIBUTES; i++)
    g_string_append_printf (many, "\na%03u=''", i);
  g_string_append (many, "/>");
  document = xml_document_parse (many->str, (gssize)many->len, diagnostics);
  assert_non_null (document);

  g_string_truncate (many, many->len - 2);
  for (guint i = 0; i < 1000000; i++)
    g_string_append (many, "\nb=''");
  assert_refused (many->str, many->len, "f:258:1: error: the element has more than 256 attributes\n");

  for (guint i = 0; i <= XML_MAX_NAMESPACES; i++)
    g_string_append_printf (namespaces, "\n<b xmlns:n%u='u'/>", i);
  assert_refused (namespaces->str, namespaces->len,
                  "f:258:4: error: the document declares more than 256 namespaces\n");
}

static void
test_encodings (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text;
    gssize length;
  } documents[] = {
    { "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", -1 },
    { "<?xml version='1.0' encoding=\"utf-8\"?><a>\xc3\xa9</a>", -1 },
    { "<?xml version='1.0' encoding='windows-1252'?><a>\xe9</a>", -1 },
    { "\xff\xfe<\0a\0>\0\xe9\0<\0/\0a\0>\0", 18 },
    { "\xfe\xff\0<\0a\0>\0\xe9\0<\0/\0a\0>", 18 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autoptr (XmlDocument) document =
        xml_document_parse (documents[i].text, documents[i].length, diagnostics);
    g_autofree char *text = NULL;

    assert_non_null (document);
    text = xml_node_text (xml_document_root (document));
    assert_string_equal (text, "\xc3\xa9");
  }
}

static void
test_undeclared_prefix_is_a_warning (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
  g_autoptr (XmlDocument) document = xml_document_parse ("<a>\n<q:b/></a>", -1, diagnostics);

  assert_non_null (document);
  assert_false (diagnostics_has_errors (diagnostics));
  assert_int_equal (diagnostics_count (diagnostics), 1);
}

/* Cut anywhere, a document is refused and nothing worse; no place is beyond its end. */
static void
test_truncated (G_GNUC_UNUSED void **state)
{
  for (gsize length = 0; length < sizeof (places_document) - 2; length++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autofree char *cut = g_memdup2 (places_document, MAX (length, 1));
    g_autoptr (XmlDocument) document = xml_document_parse (cut, (gssize)length, diagnostics);

    assert_null (document);
    assert_true (diagnostics_has_errors (diagnostics));
    assert_in_range (diagnostics_get (diagnostics, 0)->where.line, 1, 7);
  }
}

static void
test_load (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  XmlDocument *document;
  int fd = g_file_open_tmp (NULL, &path, NULL);

  assert_true (fd >= 0);
  assert_true (g_close (fd, NULL));
  assert_true (g_file_set_contents (path, "<a/>", -1, NULL));
  document = xml_document_load (path, diagnostics, &error);
  assert_non_null (document);
  xml_document_free (document);
  g_unlink (path);

  assert_null (xml_document_load (path, diagnostics, &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_SYSTEM_ERROR);
  assert_non_null (strstr (error->message, path));
  g_clear_error (&error);

  assert_null (xml_document_load ("/", diagnostics, &error));
  assert_non_null (error);
  assert_int_equal (diagnostics_count (diagnostics), 0);

  assert_null (xml_document_load ("/dev/zero", diagnostics, NULL));
  assert_int_equal (diagnostics_count (diagnostics), 1);
}

static gpointer
parse_often (G_GNUC_UNUSED gpointer data)
{
  guint parsed = 0;

  for (guint i = 0; i < 100; i++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autoptr (XmlDocument) document = xml_document_parse (places_document, -1, diagnostics);
    g_autoptr (XmlDocument) refusal = xml_document_parse ("<a>&x;</b>", -1, diagnostics);

    parsed += document != NULL && refusal == NULL && diagnostics_count (diagnostics) == 1;
  }
  return GUINT_TO_POINTER (parsed);
}

static void
test_threads (G_GNUC_UNUSED void **state)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", parse_often, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    assert_int_equal (GPOINTER_TO_UINT (g_thread_join (threads[i])), 100);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_threads),
    cmocka_unit_test (test_places),
    cmocka_unit_test (test_places_with_odd_names),
    cmocka_unit_test (test_text_and_attributes),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_columns_of_a_long_line),
    cmocka_unit_test (test_nesting),
    cmocka_unit_test (test_nodes),
    cmocka_unit_test (test_sections),
    cmocka_unit_test (test_attributes_and_namespaces),
    cmocka_unit_test (test_encodings),
    cmocka_unit_test (test_undeclared_prefix_is_a_warning),
    cmocka_unit_test (test_truncated),
    cmocka_unit_test (test_load),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
