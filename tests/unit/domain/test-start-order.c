/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who starts before whom, and who waits for himself. */

#include "cmocka-glib.h"
#include "domain/start-order.h"

typedef struct {
  const char *name, *start; /* what is in its <start> */
} Machine;

static void
unref (gpointer policy)
{
  policy_unref (policy);
}

static GHashTable *
set_of (const Machine *machines, guint count)
{
  GHashTable *set = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, unref);

  for (guint i = 0; i < count; i++) {
    g_autofree char *text = g_strdup_printf ("<metadata><policy xmlns='" POLICY_NAMESPACE
                                             "'><start>%s</start></policy></metadata>",
                                             machines[i].start);
    g_autoptr (GError) error = NULL;
    Policy *policy = NULL;

    assert_true (policy_read (text, &policy, &error));
    g_hash_table_insert (set, (gpointer)machines[i].name, policy);
  }
  return set;
}

static void
test_before (G_GNUC_UNUSED void **state)
{
  static const Machine machines[] = {
    { "web", "<after>dns</after><after>elsewhere</after><requires>db</requires><requires>dns</requires>" },
    { "db", "" },
    { "dns", "" },
  };
  g_autoptr (GHashTable) set = set_of (machines, G_N_ELEMENTS (machines));
  g_autoptr (GPtrArray) before = start_order_before (g_hash_table_lookup (set, "web"), set);
  g_autoptr (GPtrArray) none = start_order_before (NULL, set);

  assert_int_equal (before->len, 2);
  assert_string_equal (before->pdata[0], "dns");
  assert_string_equal (before->pdata[1], "db");
  assert_int_equal (none->len, 0);
}

static void
test_cycles (G_GNUC_UNUSED void **state)
{
  static const struct {
    Machine machines[4];
    const char *cycle; /* NULL: none */
  } cases[] = {
    { { { "a", "" }, { "b", "<after>a</after>" }, { "c", "<requires>a</requires><after>b</after>" } }, NULL },
    { { { "a", "<after>b</after>" }, { "b", "<requires>a</requires>" } }, "'a' → 'b' → 'a'" },
    { { { "a", "<after>b</after>" }, { "b", "<after>c</after>" }, { "c", "<after>b</after>" } },
      "'b' → 'c' → 'b'" },
    { { { "a", "<after>b</after>" }, { "b", "<after>c</after>" }, { "c", "<after>gone</after>" } }, NULL },
    { { { "a", "<after>b</after><after>c</after>" },
        { "b", "<after>d</after>" },
        { "c", "<after>d</after>" },
        { "d", "" } },
      NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint count = 0;
    g_autoptr (GHashTable) set = NULL;
    g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
    g_autofree char *cycle = NULL;

    while (count < G_N_ELEMENTS (cases[i].machines) && cases[i].machines[count].name != NULL)
      count++;
    set = set_of (cases[i].machines, count);
    cycle = start_order_find_cycle (set, names);
    if (cases[i].cycle == NULL)
      assert_null (cycle);
    else
      assert_string_equal (cycle, cases[i].cycle);
    assert_int_equal (names->len, cycle != NULL ? 2 : 0);
  }
}

/* Thousands in a row are no deep recursion. */
static void
test_long_row (G_GNUC_UNUSED void **state)
{
  enum { COUNT = 20000 };
  g_autofree Machine *machines = g_new0 (Machine, COUNT);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) set = NULL;

  for (guint i = 0; i < COUNT; i++) {
    g_ptr_array_add (texts, g_strdup_printf ("m%u", i));
    machines[i].name = texts->pdata[texts->len - 1];
    g_ptr_array_add (texts, g_strdup_printf ("<after>m%u</after>", i + 1));
    machines[i].start = texts->pdata[texts->len - 1];
  }
  set = set_of (machines, COUNT);
  assert_null (start_order_find_cycle (set, names));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_before),
    cmocka_unit_test (test_cycles),
    cmocka_unit_test (test_long_row),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
