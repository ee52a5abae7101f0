/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Documents made of values and parts: what they become, where each line came from, and what is refused.
 */
#include "cmocka-glib.h"
#include "document/template.h"

#define XI "xmlns:xi='http://www.w3.org/2001/XInclude'"

/* The files there are. */
static const char *const files[][2] = {
  { "base.xml", "<base>\n  <one a='1'/>\n  <two>\n    <deep/>\n  </two>\n</base>\n" },
  { "outer.xml", "<base " XI ">\n  <xi:include href='base.xml' xpointer='xpointer(/base/one)'/>\n</base>\n" },
  { "round.xml", "<base " XI "><xi:include href='round.xml'/></base>" },
  { "bad.xml", "<base>\n  <one>\n</base>" },
  { "key.pub", "ssh-ed25519 A&B me@here\n" },
};

static char *
load (G_GNUC_UNUSED const char *file, const char *href, char **ret_file, G_GNUC_UNUSED gpointer data,
      GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (g_str_equal (files[i][0], href)) {
      *ret_file = g_strdup (href);
      return g_strdup (files[i][1]);
    }
  g_set_error (error, VIRT_ERROR, VIR_ERR_XML_ERROR, "'%s' does not exist", href);
  return NULL;
}

static const char *
value (const char *name, G_GNUC_UNUSED gpointer data)
{
  return g_str_equal (name, "NAME")      ? "a<b"
         : g_str_equal (name, "LINES")   ? "a\nb"
         : g_str_equal (name, "x.y-z_1") ? "odd"
                                         : NULL;
}

static const TemplateSource source = { value, load, NULL };

static const struct {
  const char *text, *rendered;
  const char *origins; /* FILE:LINE of each line of it */
} rendered[] = {
  { "<d>\r\n <!-- ${NOT} -->\n</d>", "<d>\r\n <!-- ${NOT} -->\n</d>", "d:1 d:2 d:3 " },
  { "<d n='${NAME}'>${x.y-z_1}${NOT:-}${NOT:-<e/>}</d>", "<d n='a&lt;b'>odd<e/></d>", "d:1 " },
  { "<d>$${NAME} $NAME $$ {}</d>", "<d>${NAME} $NAME $$ {}</d>", "d:1 " },
  { "<d " XI ">\n<xi:include href='base.xml'/>\n<e/>\n</d>\n",
    "<d " XI ">\n<base>\n  <one a='1'/>\n  <two>\n    <deep/>\n  </two>\n</base>\n<e/>\n</d>\n",
    "d:1 base.xml:1 base.xml:2 base.xml:3 base.xml:4 base.xml:5 base.xml:6 d:3 d:4 d:5 " },
  { "<d " XI ">\n  <xi:include\n href='base.xml' xpointer='xpointer(/base/*)'/>\n  <e/></d>",
    "<d " XI ">\n  <one a='1'/>\n<two>\n    <deep/>\n  </two>\n  <e/></d>",
    "d:1 base.xml:2 base.xml:3 base.xml:4 base.xml:5 d:4 " },
  { "<d " XI "><xi:include href='outer.xml' xpointer='xpointer(/*/one)'/></d>", "<d " XI "><one a='1'/></d>",
    "d:1 " },
  { "<d " XI "><xi:include href='key.pub' parse='text'/></d>", "<d " XI ">ssh-ed25519 A&amp;B me@here</d>",
    "d:1 " },
};

static void
test_rendered (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (rendered); i++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new ("d");
    g_autoptr (Rendering) rendering = template_render (&source, "d", rendered[i].text, diagnostics);
    g_autofree char *said = diagnostics_to_text (diagnostics);
    g_autoptr (GString) origins = g_string_new (NULL);

    assert_string_equal (said, "");
    assert_string_equal (rendering->text, rendered[i].rendered);
    for (guint line = 1; line <= rendering->lines->len; line++) {
      guint number;
      const char *file = rendering_origin (rendering, line, &number);

      g_string_append_printf (origins, "%s:%u ", file, number);
    }
    assert_string_equal (origins->str, rendered[i].origins);
  }
}

static const struct {
  const char *text, *message;
} refused[] = {
  { "<d>\n  ${NOT}</d>", "d:2:3: error: the value 'NOT' is not set" },
  { "<d>${}</d>", "'' is no name of a value" },
  { "<d>${1}</d>", "'1' is no name of a value" },
  { "<d>${NAME</d>", "without a '}'" },
  { "<d>${LINES}</d>", "is not one line of text" },
  { "<d " XI "><xi:include/></d>", "needs an 'href'" },
  { "<d " XI ">\n<xi:include href='no.xml'/></d>", "d:2:1: error: 'no.xml' does not exist" },
  { "<d " XI "><xi:include href='round.xml'/></d>", "16 in one another" },
  { "<d " XI "><xi:include href='bad.xml'/></d>", "bad.xml:3:" },
  { "<d " XI "><xi:include href='base.xml' xpointer='xpointer(/base/three)'/></d>", "names nothing here" },
  { "<d " XI "><xi:include href='base.xml' xpointer='element(/1/2)'/></d>", "names nothing here" },
  { "<d " XI "><xi:include href='base.xml' xpointer='xpointer(//one)'/></d>", "names nothing here" },
  { "<d " XI "><xi:include href='base.xml'>", "d:1:" },
};

static void
test_refused (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new ("d");
    g_autoptr (Rendering) rendering = template_render (&source, "d", refused[i].text, diagnostics);
    g_autofree char *said = diagnostics_to_text (diagnostics);

    assert_null (rendering);
    if (strstr (said, refused[i].message) == NULL)
      print_error ("%s\n%s", refused[i].text, said);
    assert_non_null (strstr (said, refused[i].message));
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_rendered),
    cmocka_unit_test (test_refused),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
