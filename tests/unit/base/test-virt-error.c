/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The numbers and words of errors are an interface: clients match both. */
#include "base/virt-error.h"
#include "cmocka-glib.h"

static const struct {
  virErrorNumber code;
  const char *detail, *message;
} messages[] = {
  { VIR_ERR_NO_DOMAIN, "no domain with matching name 'web'",
    "Domain not found: no domain with matching name 'web'" },
  { VIR_ERR_OPERATION_INVALID, "domain is not running",
    "Requested operation is not valid: domain is not running" },
  { VIR_ERR_CONFIG_UNSUPPORTED, "no such bus", "unsupported configuration: no such bus" },
  { VIR_ERR_XML_ERROR, "missing name", "XML error: missing name" },
  { VIR_ERR_XML_DETAIL, "(domain_definition):3: mismatch", "(domain_definition):3: mismatch" },
  { VIR_ERR_NO_SUPPORT, "virDomainFoo",
    "this function is not supported by the connection driver: virDomainFoo" },
  { VIR_ERR_INVALID_ARG, "", "invalid argument" },
  { VIR_ERR_INTERNAL_ERROR, "100%s", "internal error: 100%s" },
  { VIR_ERR_DOM_EXIST, "'web'", "domain 'web' exists already" },
  { VIR_ERR_OPERATION_DENIED, "read only access prevents virDomainCreate",
    "operation forbidden: read only access prevents virDomainCreate" },
  { VIR_ERR_MULTIPLE_DOMAINS, "two", "multiple matching domains found: two" },
};

static void
test_messages (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (messages); i++) {
    g_autoptr (GError) error = NULL;

    virt_error_set (&error, messages[i].code, "%s", messages[i].detail);
    assert_string_equal (error->message, messages[i].message);
    assert_int_equal (virt_error_code (error), messages[i].code);
  }
}

static void
test_every_number_has_a_text (G_GNUC_UNUSED void **state)
{
  for (int code = VIR_ERR_INTERNAL_ERROR; code <= VIR_ERR_MULTIPLE_DOMAINS; code++) {
    const char *format = virt_error_format (code);

    assert_non_null (format);
    assert_non_null (strstr (format, "%s"));
    assert_null (strchr (strchr (format, '%') + 1, '%'));
  }
  assert_null (virt_error_format (VIR_ERR_OK));
  assert_null (virt_error_format (100000));
  assert_null (virt_error_format ((virErrorNumber)-1));
}

static void
test_no_words_stand_twice (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL, outer = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "the file is damaged");
  virt_error_set (&outer, VIR_ERR_OPERATION_FAILED, "%s", error->message);
  assert_string_equal (outer->message, "operation failed: the file is damaged");
  virt_error_prefix (&outer, "in '%s': ", "a%s");
  assert_string_equal (outer->message, "operation failed: in 'a%s': the file is damaged");
  virt_error_prefix (NULL, "nobody");
}

static void
test_places_stand_behind_the_words (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *detail, *message;
  } rows[] = {
    { "/etc/a:b/x.xml:3:14: too much: 3:4: of it",
      "internal error: too much: 3:4: of it (/etc/a:b/x.xml:3:14)" },
    { "(document):1:2: one\n(document):2:3: two\n3 more",
      "internal error: one ((document):1:2)\ntwo ((document):2:3)\n3 more" },
    { "at 12:30 nothing: happened", "internal error: at 12:30 nothing: happened" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL, behind = NULL;

    virt_error_set (&error, VIR_ERR_INTERNAL_ERROR, "%s", rows[i].detail);
    behind = virt_error_places_behind (error);
    assert_string_equal (behind->message, rows[i].message);
    assert_int_equal (virt_error_code (behind), VIR_ERR_INTERNAL_ERROR);
  }
}

static void
test_codes_of_other_errors (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) foreign = g_error_new (G_FILE_ERROR, G_FILE_ERROR_NOENT, "no file");
  g_autoptr (GError) unknown = NULL;

  assert_int_equal (virt_error_code (foreign), VIR_ERR_INTERNAL_ERROR);
  assert_int_equal (virt_error_code (NULL), VIR_ERR_OK);
  virt_error_set (&unknown, 100000, "as it is");
  assert_string_equal (unknown->message, "as it is");
  virt_error_set (NULL, VIR_ERR_NO_DOMAIN, "nobody asks");
}

/* Which part of libvirt an error is from goes with it wherever it is copied to. */
static void
test_origins (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL, copy = NULL, plain = NULL, usual = NULL, foreign = NULL;

  virt_error_set_from (&error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not %s", "running");
  copy = g_error_copy (error);
  assert_string_equal (copy->message, "Requested operation is not valid: domain is not running");
  assert_int_equal (virt_error_code (copy), VIR_ERR_OPERATION_INVALID);
  assert_int_equal (virt_error_origin (copy), VIR_FROM_DOMAIN);

  virt_error_set_plain (&plain, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x)", 4);
  assert_string_equal (plain->message, "unsupported flags (0x4)");
  assert_int_equal (virt_error_origin (plain), VIR_FROM_QEMU);

  virt_error_set (&usual, VIR_ERR_NO_DOMAIN, "nobody");
  assert_int_equal (virt_error_origin (usual), -1);
  foreign = g_error_new (G_FILE_ERROR, G_FILE_ERROR_NOENT, "no file");
  assert_int_equal (virt_error_origin (foreign), -1);
  assert_int_equal (virt_error_origin (NULL), -1);
  virt_error_set_plain (NULL, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "nobody asks");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_messages),
    cmocka_unit_test (test_every_number_has_a_text),
    cmocka_unit_test (test_no_words_stand_twice),
    cmocka_unit_test (test_places_stand_behind_the_words),
    cmocka_unit_test (test_codes_of_other_errors),
    cmocka_unit_test (test_origins),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
