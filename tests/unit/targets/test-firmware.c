/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Firmware is chosen as libvirt 11.3 chooses it: documents with what it made of each, for the descriptors of
 * two hosts (Debian's, and one with every kind there is). The tables come from
 * tests/differential/firmware_table.py; a row is "ELEMENTS <TAB> ANSWER", the answer being <os> without
 * <boot>, with SMM's state behind it, or libvirt's error number and words.
 */
#include "cmocka-glib.h"

#include "domain/domain-def.h"
#include "targets/qemu/recipe.h"

#include <stdio.h>
#include <string.h>

static const char *const tables[] = { "debian", "mixed" };

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

static Platform *
platform_with (const char *folder)
{
  Platform *platform = qemu_platform_new (builtin_caps, NULL);
  const char *const directories[] = { folder, NULL };

  qemu_platform_set_firmware (platform, directories, "/var/lib/libvirt/qemu");
  return platform;
}

/* "<os>...</os> smm=on" (transfer full) */
static char *
answer_of (const DomainDef *def)
{
  static const char *const states[] = { "absent", "on", "off" };
  g_autofree char *xml = domain_def_to_xml (def, 0);
  char *start = strstr (xml, "  <os"), *end = strstr (xml, "</os>");
  g_auto (GStrv) lines = NULL;
  GString *text = g_string_new (NULL);

  end[strlen ("</os>")] = '\0';
  lines = g_strsplit (start, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "<boot ") == NULL)
      g_string_append (text, g_strstrip (lines[i]));
  g_string_append_printf (text, " smm=%s", states[def->features.smm]);
  return g_string_free (text, FALSE);
}

/* "67 unsupported configuration: ..." is one of the mistakes, with ours behind it. */
static gboolean
has_mistake (const Diagnostics *diagnostics, const char *expected)
{
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *mistake = diagnostics_get (diagnostics, i);
    g_autoptr (GError) error = NULL;
    g_autofree char *said = NULL;

    virt_error_set (&error, mistake->code, "%s", mistake->message);
    said = g_strdup_printf ("%d %s", (int)mistake->code, error->message);
    if (mistake->severity == DIAGNOSTIC_ERROR && g_str_has_prefix (said, expected))
      return TRUE;
  }
  return FALSE;
}

static guint
check_row (const Platform *platform, const char *elements, const char *expected)
{
  g_autofree char *text = g_strdup_printf (
      "<domain type='qemu'><name>m</name><memory unit='MiB'>64</memory>%s</domain>", elements);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def = domain_def_parse (text, -1, DOMAIN_READ_LAX, platform, diagnostics);
  g_autofree char *answer = def != NULL ? answer_of (def) : diagnostics_to_text (diagnostics);

  if (def != NULL ? g_str_equal (answer, expected) : has_mistake (diagnostics, expected))
    return 0;
  print_error ("%s\n  libvirt: %s\n  ours:    %s\n", elements, expected, answer);
  return 1;
}

static void
chosen_as_libvirt_does (void **state)
{
  const char *table = *state;
  g_autofree char *folder = g_build_filename (FIRMWARE_TABLES, table, NULL);
  g_autofree char *path = g_strconcat (folder, ".tsv", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) rows = NULL;
  Platform *platform = platform_with (folder);
  guint wrong = 0, count = 0;

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  rows = g_strsplit (text, "\n", -1);
  for (; rows[count] != NULL && rows[count][0] != '\0'; count++) {
    char *tab = strchr (rows[count], '\t');

    assert_non_null (tab);
    *tab = '\0';
    wrong += check_row (platform, rows[count], tab + 1);
  }
  qemu_platform_free (platform);
  assert_in_range (count, 100, G_MAXINT);
  assert_int_equal (wrong, 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_prestate (chosen_as_libvirt_does, (gpointer)tables[0]),
    cmocka_unit_test_prestate (chosen_as_libvirt_does, (gpointer)tables[1]),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
