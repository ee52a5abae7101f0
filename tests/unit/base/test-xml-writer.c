/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The form of what is written: libvirt's, to the byte. */
#include "base/xml-document.h"
#include "base/xml-writer.h"
#include "cmocka-glib.h"

static void
test_form (G_GNUC_UNUSED void **state)
{
  g_autoptr (XmlElement) domain = xml_element_new ("domain");
  g_autofree char *text = NULL;
  XmlElement *disk;

  xml_element_set (domain, "type", "kvm");
  xml_element_set (domain, "id", NULL);
  xml_element_set_text (xml_element_add (domain, "name"), "web");
  disk = xml_element_add (xml_element_add (domain, "devices"), "disk");
  xml_element_set (xml_element_ensure (disk, "source"), "file", "/a");
  xml_element_set (xml_element_ensure (disk, "target"), "dev", "vda");
  xml_element_set (xml_element_ensure (disk, "source"), "startupPolicy", "optional");
  xml_element_set (xml_element_ensure (disk, "target"), "dev", "vdb");
  xml_element_set_text (xml_element_add (domain, "title"), "");

  text = xml_element_to_string (domain);
  assert_string_equal (text, "<domain type='kvm'>\n"
                             "  <name>web</name>\n"
                             "  <devices>\n"
                             "    <disk>\n"
                             "      <source file='/a' startupPolicy='optional'/>\n"
                             "      <target dev='vdb'/>\n"
                             "    </disk>\n"
                             "  </devices>\n"
                             "  <title></title>\n"
                             "</domain>\n");
}

static void
test_escapes_and_empty (G_GNUC_UNUSED void **state)
{
  g_autoptr (XmlElement) element = xml_element_new ("a");
  g_autofree char *text = NULL;

  assert_true (xml_element_is_empty (element));
  xml_element_set (element, "b", "<&>\"'\n\t\x01\xc3\xa9");
  assert_false (xml_element_is_empty (element));
  xml_element_set_text (element, "<&>\"'\n\t\r\x02\xc3\xa9");
  text = xml_element_to_string (element);
  assert_string_equal (text, "<a b='&lt;&amp;&gt;&quot;&apos;&#10;&#9;\xc3\xa9'>"
                             "&lt;&amp;&gt;&quot;&apos;\n\t&#13;\xc3\xa9</a>\n");
}

/* Seen with virsh define and dumpxml of libvirt 9.0. */
static const char metadata_document[] =
    "<domain xmlns:app='http://app'>\n"
    "  <metadata>\n"
    "    <app:foo attr='single \"dq\"' b=\"x &gt; y\">text \xc3\xa9 &amp; &gt; <b/>\n"
    "  more</app:foo>\n"
    "      <x:bar xmlns:x='urn:x'><!-- c --><x:baz/><x:q>\n"
    "\n"
    "</x:q>\n"
    "\n"
    "  <x:z><![CDATA[<raw>]]></x:z></x:bar>\n"
    "  </metadata>\n"
    "</domain>\n";
static const char metadata_written[] =
    "<domain>\n"
    "  <metadata xmlns:app=\"http://app\">\n"
    "    <app:foo attr=\"single &quot;dq&quot;\" b=\"x &gt; y\">text \xc3\xa9 &amp; &gt; <b/>\n"
    "  more</app:foo>\n"
    "    <x:bar xmlns:x=\"urn:x\">\n"
    "      <!-- c -->\n"
    "      <x:baz/>\n"
    "      <x:q>\n"
    "\n"
    "</x:q>\n"
    "      <x:z><![CDATA[<raw>]]></x:z>\n"
    "    </x:bar>\n"
    "  </metadata>\n"
    "</domain>\n";

static void
test_verbatim_as_libvirt_writes_it (G_GNUC_UNUSED void **state)
{
  const char *source = metadata_document;

  /* What was written is read and written again: the form is stable. */
  for (guint round = 0; round < 2; round++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autoptr (XmlDocument) document = xml_document_parse (source, -1, diagnostics);
    g_autoptr (XmlElement) domain = xml_element_new ("domain");
    g_autofree char *verbatim = NULL;
    g_autofree char *text = NULL;

    assert_non_null (document);
    verbatim = xml_document_verbatim (document, xmlFirstElementChild (xml_document_root (document)));
    xml_element_add_verbatim (domain, verbatim);
    text = xml_element_to_string (domain);
    assert_string_equal (text, metadata_written);
    source = metadata_written;
  }
}

static void
test_verbatim_that_is_no_xml_is_kept (G_GNUC_UNUSED void **state)
{
  g_autoptr (XmlElement) element = xml_element_new ("a");
  g_autofree char *text = NULL;

  xml_element_add_verbatim (element, "<b>");
  assert_false (xml_element_is_empty (element));
  text = xml_element_to_string (element);
  assert_non_null (strstr (text, "<b"));
}

/* What is indented without being read is what it would be when it is read. */
static void
test_written_as_when_read_again (G_GNUC_UNUSED void **state)
{
  static const char *const documents[] = {
    "<a/>",
    "<a b='1'/>",
    "<a><b/></a>",
    "<a><b><c>text</c></b><d e='f'/></a>",
    "<a><b>two\n  lines</b><c/></a>",
    "<a><b>two\nlines\n</b><c/></a>",
    "<a><b>\n  text</b></a>",
    "<a><b> </b><c>\n</c><d>\n  </d></a>",
    "<a>text<b/></a>",
    "<a>text\nand more<b><c/></b></a>",
    "<a b='x&#10;  y &gt; &lt;z/&gt;'><c>&lt;d/&gt;\n  &lt;e/&gt;</c><f/></a>",
    "<a xmlns:q='http://q'><q:b><q:c d='e'/></q:b></a>",
  };

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autofree char *written = xml_normalize (documents[i]);
    g_autoptr (XmlElement) one = xml_element_new ("top"), other = xml_element_new ("top");
    g_autofree char *text = NULL, *again = NULL;

    xml_element_add_written (xml_element_add (one, "below"), written);
    xml_element_add_parsed (xml_element_add (other, "below"), written);
    text = xml_element_to_string (one);
    again = xml_element_to_string (other);
    assert_string_equal (text, again);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_form),
    cmocka_unit_test (test_escapes_and_empty),
    cmocka_unit_test (test_verbatim_as_libvirt_writes_it),
    cmocka_unit_test (test_verbatim_that_is_no_xml_is_kept),
    cmocka_unit_test (test_written_as_when_read_again),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
