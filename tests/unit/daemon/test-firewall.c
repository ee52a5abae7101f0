/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's packet filter, in a network namespace of the test's own: what is applied whole or not at all,
 * what is read back, and the words of what cannot be. */
#include "daemon/host/firewall.h"

#include "base/untrusted-json.h"
#include "base/virt-error.h"

#include "cmocka-glib.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

static JsonArray *
commands_of (const char *text)
{
  g_autofree char *whole = g_strdup_printf ("{\"nftables\":%s}", text);
  g_autoptr (JsonObject) object = untrusted_json_object (whole, strlen (whole));

  assert_non_null (object);
  return json_array_ref (untrusted_list (object, "nftables"));
}

/* How many of @noun the table has; -1: no such table. */
static int
count (const char *noun)
{
  g_autoptr (JsonArray) objects = NULL;
  g_autoptr (GError) error = NULL;
  int found = 0;

  assert_true (firewall_list_table ("bridge", "test", &objects, &error));
  if (objects == NULL)
    return -1;
  for (guint i = 0; i < json_array_get_length (objects); i++)
    found += untrusted_object (json_array_get_object_element (objects, i), noun) != NULL;
  return found;
}

#define TABLE "{\"add\":{\"table\":{\"family\":\"bridge\",\"name\":\"test\"}}}"
#define CHAIN "{\"add\":{\"chain\":{\"family\":\"bridge\",\"table\":\"test\",\"name\":\"one\"}}}"
#define RULE(CHAIN_NAME)                                                                       \
  "{\"add\":{\"rule\":{\"family\":\"bridge\",\"table\":\"test\",\"chain\":\"" CHAIN_NAME "\"," \
  "\"expr\":[{\"drop\":null}]}}}"

static void
commands_are_done_together_or_not_at_all (void **state)
{
  g_autoptr (JsonArray) good = commands_of ("[" TABLE "," CHAIN "," RULE ("one") "]");
  g_autoptr (JsonArray) bad = commands_of ("[" RULE ("one") "," RULE ("missing") "]");
  g_autoptr (JsonArray) none = json_array_new (), gone = json_array_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *table = json_object_new ();

  (void)state;
  assert_int_equal (count ("table"), -1);
  assert_true (firewall_apply (none, &error));
  assert_true (firewall_apply (good, &error));
  assert_int_equal (count ("table"), 1);
  assert_int_equal (count ("rule"), 1);
  assert_false (firewall_apply (bad, &error));
  assert_int_equal (error->code, VIR_ERR_OPERATION_FAILED);
  assert_non_null (strstr (error->message, "cannot change the packet filter: "));
  assert_non_null (strstr (error->message, "No such file or directory"));
  assert_int_equal (count ("rule"), 1);

  json_object_set_string_member (table, "family", "bridge");
  json_object_set_string_member (table, "name", "test");
  json_array_add_object_element (gone, firewall_command ("delete", "table", table));
  g_clear_error (&error);
  assert_true (firewall_apply (gone, &error));
  assert_int_equal (count ("table"), -1);
}

static void
everything_of_the_host_is_read (void **state)
{
  g_autoptr (JsonArray) good = commands_of ("[" TABLE "," CHAIN "]"), objects = NULL;
  g_autoptr (JsonArray) gone =
      commands_of ("[{\"delete\":{\"table\":{\"family\":\"bridge\",\"name\":\"test\"}}}]");
  g_autoptr (GError) error = NULL;

  (void)state;
  assert_true (firewall_apply (good, &error));
  assert_true (firewall_list_all (&objects, &error));
  assert_int_equal (json_array_get_length (objects), 3); /* with what nft says of itself */
  assert_true (firewall_apply (gone, &error));
}

static gpointer
apply (gpointer data)
{
  GError *error = NULL;

  for (guint i = 0; i < 20 && error == NULL; i++)
    firewall_apply (data, &error);
  return error;
}

/* The threads have the namespace of who makes them. */
static void
many_jobs_may_ask_at_once (void **state)
{
  g_autoptr (JsonArray) good = commands_of ("[" TABLE "," CHAIN "," RULE ("one") "]");
  g_autoptr (JsonArray) gone =
      commands_of ("[{\"delete\":{\"table\":{\"family\":\"bridge\",\"name\":\"test\"}}}]");
  g_autoptr (GError) error = NULL;
  GThread *threads[4];

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("firewall", apply, good);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    assert_null (g_thread_join (threads[i]));
  assert_int_equal (count ("rule"), 20 * G_N_ELEMENTS (threads));
  assert_true (firewall_apply (gone, &error));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (commands_are_done_together_or_not_at_all),
    cmocka_unit_test (everything_of_the_host_is_read),
    cmocka_unit_test (many_jobs_may_ask_at_once),
  };

  if (geteuid () != 0 || unshare (CLONE_NEWNET) != 0) {
    print_message ("no network namespace of its own: skipped\n");
    return 77; /* meson: skipped */
  }
  return cmocka_run_group_tests (tests, NULL, NULL);
}
