/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which elements of two documents are the same, and what they say differently. */
#include "cmocka-glib.h"
#include "document/difference.h"

static Origins *
origins (const char *source, const char *completed)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  Origins *made = origins_new (source, completed, diagnostics);

  assert_non_null (made);
  return made;
}

/* "PATH BEFORE > AFTER" for each difference of two documents that leave nothing open. */
static char *
differences (const char *before, const char *after)
{
  g_autoptr (Origins) one = origins (before, before), other = origins (after, after);
  g_autoptr (GPtrArray) found = documents_compare (one, other);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < found->len; i++) {
    const Difference *difference = g_ptr_array_index (found, i);

    g_string_append_printf (text, "%s%s %s > %s", i > 0 ? "; " : "", difference->path,
                            difference->before != NULL ? difference->before : "-",
                            difference->after != NULL ? difference->after : "-");
  }
  return g_string_free (text, FALSE);
}

static void
test_differences (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *before, *after, *said;
  } cases[] = {
    { "<a b='1'>t</a>", "<a  b=\"1\" >t</a>", "" },
    { "<a b='1'>t</a>", "<a b='2'>u</a>", "/a/@b 1 > 2; /a t > u" },
    { "<a b='1'/>", "<a c='1'/>", "/a/@b 1 > -; /a/@c - > 1" },
    /* Order means nothing where elements have names, or are the same. */
    { "<a><b name='x' c='1'/><b name='y'/></a>", "<a><b name='y'/><b name='x' c='2'/></a>",
      "/a/b[@name='x']/@c 1 > 2" },
    { "<a><b>1</b><b>2</b></a>", "<a><b>2</b><b>1</b></a>", "" },
    { "<a><b>1</b><b>2</b></a>", "<a><b>3</b><b>1</b></a>", "/a/b[2] 2 > 3" },
    { "<a><b name='x'/></a>", "<a><b name='y'/></a>",
      "/a/b[@name='x'] <b name=\"x\"/> > -; /a/b[@name='y'] - > <b name=\"y\"/>" },
    { "<a><disk><target dev='vda'/><c/></disk></a>", "<a><disk><target dev='vda'/></disk></a>",
      "/a/disk[target/@dev='vda']/c <c/> > -" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *said = differences (cases[i].before, cases[i].after);

    assert_string_equal (said, cases[i].said);
  }
}

/* What completion chose in both is none, nor what it chose in one and might have chosen otherwise. */
static void
test_what_nobody_wrote (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *source, *completed, *other_source, *other_completed;
    guint count;
  } cases[] = {
    { "<a/>", "<a><uuid>1</uuid></a>", "<a/>", "<a><uuid>2</uuid></a>", 0 },
    { "<a/>", "<a><uuid>1</uuid></a>", "<a><uuid>2</uuid></a>", "<a><uuid>2</uuid></a>", 0 },
    { "<a/>", "<a><model>x</model></a>", "<a><model>x</model></a>", "<a><model>x</model></a>", 0 },
    { "<a/>", "<a><model>x</model></a>", "<a><model>y</model></a>", "<a><model>y</model></a>", 1 },
    { "<a><interface/></a>", "<a><interface><mac address='1'/></interface></a>", "<a><interface/></a>",
      "<a><interface><mac address='2'/></interface></a>", 0 },
    { "<a><uuid>1</uuid></a>", "<a><uuid>1</uuid></a>", "<a><uuid>2</uuid></a>", "<a><uuid>2</uuid></a>", 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Origins) one = origins (cases[i].source, cases[i].completed);
    g_autoptr (Origins) other = origins (cases[i].other_source, cases[i].other_completed);
    g_autoptr (GPtrArray) found = documents_compare (one, other);

    assert_int_equal (found->len, cases[i].count);
  }
}

static void
test_places (G_GNUC_UNUSED void **state)
{
  g_autoptr (Origins) one = origins ("<a>\n <b c='1'/>\n</a>", "<a><b c='1'/></a>");
  g_autoptr (Origins) other = origins ("<a>\n\n\n</a>", "<a/>");
  g_autoptr (GPtrArray) found = documents_compare (one, other);
  const Difference *difference = g_ptr_array_index (found, 0);

  assert_int_equal (found->len, 1);
  assert_int_equal (difference->where_before.line, 2);
  assert_int_equal (difference->where_before.column, 2);
  assert_int_equal (difference->where_after.line, 1);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_differences),
    cmocka_unit_test (test_what_nobody_wrote),
    cmocka_unit_test (test_places),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
