/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Documents of secrets: what libvirt writes of each, and what it says of mistakes. */
#include "secret/secret-document.h"

#include "cmocka-glib.h"

#include <string.h>

#define UUID "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"

static char *
read_secret (const char *text, guint flags, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  SecretDef *def = document_read (&secret_document, text, -1, flags, diagnostics);
  char *xml = def != NULL ? document_to_xml (&secret_document, def, 0) : NULL;

  diagnostics_check (diagnostics, error);
  document_unref (&secret_document, def);
  return xml;
}

static void
documents_are_written_as_libvirt_writes_them (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *given, *written; /* inside of <secret>, behind the UUID */
  } rows[] = {
    { "", "" },
    { "<usage type='volume'><volume>/a</volume></usage><description>c &amp; d</description>",
      "  <description>c &amp; d</description>\n"
      "  <usage type='volume'>\n    <volume>/a</volume>\n  </usage>\n" },
    { "<usage type='ceph'><name>n</name></usage>",
      "  <usage type='ceph'>\n    <name>n</name>\n  </usage>\n" },
    { "<usage type='iscsi'><target>t</target></usage>",
      "  <usage type='iscsi'>\n    <target>t</target>\n  </usage>\n" },
    { "<usage type='tls'><name>n</name></usage>", "  <usage type='tls'>\n    <name>n</name>\n  </usage>\n" },
    { "<usage type='vtpm'><name>n</name></usage>",
      "  <usage type='vtpm'>\n    <name>n</name>\n  </usage>\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text =
        g_strdup_printf ("<secret private='yes'><uuid>" UUID "</uuid>%s</secret>", rows[i].given);
    g_autofree char *expected = g_strdup_printf (
        "<secret ephemeral='no' private='yes'>\n  <uuid>" UUID "</uuid>\n%s</secret>\n", rows[i].written);
    g_autoptr (GError) error = NULL;
    g_autofree char *xml = read_secret (text, 0, &error);

    g_assert_no_error (error);
    assert_string_equal (xml, expected);
  }
}

static void
mistakes_have_libvirts_numbers (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text;
    int code, origin;
    const char *word;
  } rows[] = {
    { "<secret ephemeral='maybe'/>", VIR_ERR_XML_ERROR, VIR_FROM_SECRET, "maybe" },
    { "<secret private='x'/>", VIR_ERR_XML_ERROR, VIR_FROM_SECRET, "'x'" },
    { "<secret><usage type='foo'/></secret>", VIR_ERR_XML_ERROR, VIR_FROM_XML, "foo" },
    { "<secret><usage/></secret>", VIR_ERR_XML_ERROR, VIR_FROM_XML, "type" },
    { "<secret><usage type='ceph'/></secret>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_SECRET,
      "Ceph usage specified, but name is missing" },
    { "<secret><usage type='tls'><name></name></usage></secret>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_SECRET,
      "TLS usage specified, but name is missing" },
    { "<secret><usage type='vtpm'/></secret>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_SECRET,
      "vTPM usage specified, but name is missing" },
    { "<secret><usage type='iscsi'/></secret>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_SECRET,
      "iSCSI usage specified, but target is missing" },
    { "<secret><usage type='volume'/></secret>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_SECRET,
      "volume usage specified, but volume path is missing" },
    { "<secret><uuid>xyz</uuid></secret>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_SECRET, "xyz" },
    { "<pool/>", VIR_ERR_XML_ERROR, VIR_FROM_XML, "expecting root element of 'secret', not 'pool'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *xml = read_secret (rows[i].text, DOCUMENT_LAX, &error);

    assert_null (xml);
    assert_non_null (error);
    if (error->code != rows[i].code || virt_error_origin (error) != rows[i].origin
        || strstr (error->message, rows[i].word) == NULL)
      fail_msg ("%s: %d %d %s", rows[i].text, error->code, virt_error_origin (error), error->message);
  }
}

static void
the_schema_is_asked_when_wanted (G_GNUC_UNUSED void **state)
{
  static const char *const refused[] = {
    "<secret><frob/></secret>",
    "<secret><usage type='volume'><volume>relative</volume></usage></secret>",
    "<secret><usage type='ceph'><name>a/b</name></usage></secret>",
    "<secret><usage type='ceph'><target>a</target><name>b</name></usage></secret>",
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL, lax_error = NULL;
    g_autofree char *xml = read_secret (refused[i], 0, &error);
    g_autofree char *lax = read_secret (refused[i], DOCUMENT_LAX, &lax_error);

    assert_null (xml);
    assert_non_null (error);
    assert_non_null (lax);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (documents_are_written_as_libvirt_writes_them),
    cmocka_unit_test (mistakes_have_libvirts_numbers),
    cmocka_unit_test (the_schema_is_asked_when_wanted),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
