/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON objects in one expression: every type, and what is left out. */
#include "targets/qemu/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
assert_json (JsonObject *object, const char *expected)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  g_autofree char *json = json_to_string (node, FALSE);

  assert_string_equal (json, expected);
  json_object_unref (object);
}

static void
test_each_type (void **state G_GNUC_UNUSED)
{
  JsonArray *array = json_array_new ();

  json_array_add_int_element (array, 5);
  assert_json (
      props ("driver", "s", "virtio-rng-pci", "int", "i", -3, "uint", "u", 4000000000u, "big", "t",
             G_GUINT64_CONSTANT (1) << 40, "yes", "b", TRUE, "no", "b", FALSE, "object", "o",
             props ("a", "i", 1, NULL), "array", "a", array, "nothing", "n", NULL),
      "{\"driver\":\"virtio-rng-pci\",\"int\":-3,\"uint\":4000000000,\"big\":1099511627776,\"yes\":true,"
      "\"no\":false,\"object\":{\"a\":1},\"array\":[5],\"nothing\":null}");
}

static void
test_what_is_not_said_is_left_out (void **state G_GNUC_UNUSED)
{
  const Number absent = { FALSE, 7 }, zero = NUMBER (0);

  assert_json (props ("a", "?s", NULL, "b", "?i", 0, "c", "?b", FALSE, "d", "?o", NULL, "e", "?a", NULL, "f",
                      "N", &absent, "g", "T", TRISTATE_ABSENT, "h", "O", TRISTATE_ABSENT, "i", "?t",
                      (guint64)0, NULL),
               "{}");
  assert_json (props ("a", "?s", "", "b", "?i", 1, "f", "N", &zero, "g", "T", TRISTATE_NO, "h", "O",
                      TRISTATE_YES, NULL),
               "{\"a\":\"\",\"b\":1,\"f\":0,\"g\":false,\"h\":\"on\"}");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_each_type),
    cmocka_unit_test (test_what_is_not_said_is_left_out),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
