/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Texts in a stream, however it is cut. */

#include "cmocka-glib.h"
#include "daemon/core/text-finder.h"

#include <string.h>

static TextFinder *
finder_of (const char *const *texts)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (; *texts != NULL; texts++)
    g_ptr_array_add (list, (gpointer)*texts);
  return text_finder_new (list);
}

static void
test_every_cut (G_GNUC_UNUSED void **state)
{
  static const char *const texts[] = { "login:", "in: a", "x", "never", NULL };
  static const char stream[] = "log\0inlogin: a x";

  for (gsize cut = 0; cut <= sizeof stream - 1; cut++) {
    g_autoptr (TextFinder) finder = finder_of (texts);
    gboolean first = text_finder_feed (finder, stream, cut);
    gboolean second = text_finder_feed (finder, stream + cut, sizeof stream - 1 - cut);

    assert_true (first || second);
    for (guint i = 0; i < 3; i++)
      assert_true (text_finder_has (finder, i));
    assert_false (text_finder_has (finder, 3));
    assert_false (text_finder_has_all (finder));
    assert_false (text_finder_feed (finder, "login:", 6)); /* it has had it */
    assert_true (text_finder_feed (finder, "never", 5));
    assert_true (text_finder_has_all (finder));
  }
}

static void
test_byte_by_byte_and_without_end (G_GNUC_UNUSED void **state)
{
  static const char *const texts[] = { "aab", NULL };
  g_autoptr (TextFinder) finder = finder_of (texts);

  for (guint i = 0; i < 100000; i++)
    assert_false (text_finder_feed (finder, "a", 1));
  assert_false (text_finder_feed (finder, "", 0));
  assert_true (text_finder_feed (finder, "b", 1));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_cut),
    cmocka_unit_test (test_byte_by_byte_and_without_end),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
