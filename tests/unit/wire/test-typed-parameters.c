/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Typed parameters: what may be one, and the form that D-Bus clients get. */
#include "cmocka-glib.h"
#include "wire/typed-parameters.h"

#include <string.h>

static const struct {
  const char *parameters;
  guint limit;
  const char *mistake; /* NULL: none */
} checks[] = {
  { "@a{sv} {}", 0, NULL },
  { "{'a': <1>, 'b': <uint32 2>, 'c': <int64 3>, 'd': <uint64 4>, 'e': <5.0>, 'f': <true>, 'g': <'text'>}", 7,
    NULL },
  { "{'same': <1>, 'same': <2>}", 2, NULL },
  { "{'a': <1>, 'b': <2>, 'c': <3>}", 2, "3 parameters where at most 2 are allowed" },
  { "{'': <1>}", 1, "a parameter's name has 1 to 79 bytes, not 0" },
  { "{'a': <byte 1>}", 1, "parameter 'a' has type 'y'" },
  { "{'a': <<1>>}", 1, "parameter 'a' has type 'v'" },
  { "{'a': <[1]>}", 1, "parameter 'a' has type 'ai'" },
  { "{'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn': <1>}", 1,
    "not 80" },
};

static void
test_check (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) parameters = g_variant_parse (NULL, checks[i].parameters, NULL, NULL, &error);

    g_assert_no_error (error);
    assert_int_equal (typed_parameters_check (parameters, checks[i].limit, &error),
                      checks[i].mistake == NULL);
    if (checks[i].mistake != NULL) {
      assert_int_equal (virt_error_code (error), VIR_ERR_INVALID_ARG);
      assert_non_null (strstr (error->message, checks[i].mistake));
    }
  }
}

static void
test_wrap (G_GNUC_UNUSED void **state)
{
  g_autoptr (GVariant) parameters =
      g_variant_parse (NULL, "{'cpu.time': <uint64 5>, 'state': <1>, 'state': <'again'>}", NULL, NULL, NULL);
  g_autoptr (GVariant) wrapped = g_variant_ref_sink (typed_parameters_wrap (parameters));
  g_autofree char *text = g_variant_print (wrapped, TRUE);

  assert_string_equal (text, "{'cpu.time': <<uint64 5>>, 'state': <<1>>, 'state': <<'again'>>}");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_check),
    cmocka_unit_test (test_wrap),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
