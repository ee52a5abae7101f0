/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of operations against the tables of facts: every procedure as libvirt's protocol has it, every
 * member of libvirt-dbus that is about the host or a domain, and no row that anybody may call by oversight.
 */
#include "daemon/call/operation.h"
#include "wire/shape.h"

#include "cmocka-glib.h"
#include "temporary.h"

/* The rows of a tab-separated table, columns by the names of its first line. */
typedef struct {
  GPtrArray *rows; /* char ** */
} Table;

static char **
split (const char *line)
{
  return g_strsplit (line, "\t", -1);
}

static Table
load (const char *file)
{
  g_autofree char *path = g_build_filename (FACTS_DIRECTORY, file, NULL), *text = NULL;
  g_auto (GStrv) lines = NULL;
  Table table = { g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev) };

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0' && **line != '#')
      g_ptr_array_add (table.rows, split (*line));
  assert_true (table.rows->len > 1);
  return table;
}

static const char *
cell (const Table *table, guint row, const char *column)
{
  char **names = g_ptr_array_index (table->rows, 0), **cells = g_ptr_array_index (table->rows, row);

  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], column))
      return cells[i];
  fail_msg ("no column '%s'", column);
  return NULL;
}

static void
test_procedures_are_libvirt_s (G_GNUC_UNUSED void **state)
{
  Table facts = load ("libvirt-rpc.tsv");
  guint compared = 0;

  for (guint row = 1; row < facts.rows->len; row++) {
    int program = g_str_equal (cell (&facts, row, "prog"), "remote") ? 0
                  : g_str_equal (cell (&facts, row, "prog"), "qemu") ? 1
                                                                     : -1;
    const Operation *operation = operation_by_procedure (program, atoi (cell (&facts, row, "num")));

    if (operation == NULL)
      continue;
    assert_string_equal (operation->name, cell (&facts, row, "name"));
    assert_string_equal (operation->in, cell (&facts, row, "args"));
    assert_string_equal (operation->out, cell (&facts, row, "reply"));
    if (g_str_equal (cell (&facts, row, "ro"), "no")
        && (operation->access == ACCESS_CONNECT || operation->access == ACCESS_READ))
      fail_msg ("%s: a read-only client may not call it", operation->name);
    compared++;
  }
  for (const Operation *operation = operations; operation->name != NULL; operation++)
    if (operation->program >= 0)
      compared--;
  assert_int_equal (compared, 0);
  g_ptr_array_unref (facts.rows);
}

static void
test_every_member_has_a_row (G_GNUC_UNUSED void **state)
{
  static const char *const served[] = { "Connect", "Domain", "StoragePool", "StorageVol", NULL };
  Table facts = load ("libvirt-dbus.tsv");

  for (guint row = 1; row < facts.rows->len; row++) {
    const char *interface = cell (&facts, row, "interface"), *member = cell (&facts, row, "member");
    const char *name = strrchr (interface, '.') + 1;
    g_autofree char *setter = g_strconcat (member, "=", NULL);

    if (g_str_equal (cell (&facts, row, "kind"), "signal") || !g_strv_contains (served, name))
      continue;
    if (operation_by_member (name, member) == NULL)
      fail_msg ("%s.%s has no row", interface, member);
    if (g_str_equal (cell (&facts, row, "access"), "readwrite") && operation_by_member (name, setter) == NULL)
      fail_msg ("%s.%s cannot be set", interface, member);
  }
  g_ptr_array_unref (facts.rows);
}

static void
test_rows_are_sound (G_GNUC_UNUSED void **state)
{
  for (const Operation *operation = operations; operation->name != NULL; operation++) {
    g_autoptr (GError) error = NULL;

    assert_non_null (shape_parse (operation->in, &error));
    assert_non_null (shape_parse (operation->out, &error));
    assert_int_not_equal (operation->access, ACCESS_NONE);
    assert_int_equal (operation->interface == NULL, operation->member == NULL);
    assert_true (operation->program >= 0 || operation->interface != NULL); /* somebody can call it */
    assert_int_equal (operation->program < 0, operation->procedure == 0);
    if (operation->program >= 0)
      assert_ptr_equal (operation_by_procedure (operation->program, operation->procedure), operation);
    if (operation->interface != NULL)
      assert_ptr_equal (operation_by_member (operation->interface, operation->member), operation);
  }
  assert_null (operation_by_procedure (0, 0));
  assert_null (operation_by_procedure (-1, 1));
  assert_null (operation_by_procedure (0, 999999));
  assert_null (operation_by_member ("Domain", "Nothing"));
}

/* One call on its way through dispatch. */
typedef struct {
  gboolean answered;
  int code;
} Heard;

static void
respond (Call *call, G_GNUC_UNUSED GVariant *answer, const GError *error)
{
  Heard *heard = call->wire_data;

  assert_false (heard->answered);
  heard->answered = TRUE;
  heard->code = error != NULL ? (int)virt_error_code (error) : VIR_ERR_OK;
}

static int
dispatch (const Operation *operation, gboolean read_only, GVariant *arguments)
{
  Client client = { read_only, 1000, 1, (char *)"test" };
  char *root = temporary_directory ();
  Settings *settings = settings_load (FALSE, root, NULL, NULL);
  Manager *manager = manager_new (settings, NULL);
  Heard heard = { FALSE, -1 };
  Call *call = g_new0 (Call, 1);

  call->operation = operation;
  call->manager = manager;
  call->client = &client;
  call->arguments = g_variant_ref_sink (arguments);
  call->respond = respond;
  call->wire_data = &heard;
  operation_dispatch (call);
  assert_true (heard.answered);
  manager_free (manager);
  settings_free (settings);
  temporary_remove (root);
  return heard.code;
}

static GVariant *
some_domain (void)
{
  static const guint8 uuid[16] = { 1 };

  return g_variant_new ("(s@ayi)", "gone",
                        g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, uuid, sizeof uuid, 1), -1);
}

static void
test_dispatch_checks_access_first (G_GNUC_UNUSED void **state)
{
  const Operation *destroy = operation_by_member ("Domain", "Destroy");
  const Operation *xml = operation_by_member ("Domain", "GetXMLDesc");
  const Operation *missing = operation_by_member ("Domain", "SendProcessSignal");

  assert_int_equal (dispatch (destroy, TRUE, g_variant_new ("(@(sayi)u)", some_domain (), 0)),
                    VIR_ERR_OPERATION_DENIED);
  assert_int_equal (dispatch (destroy, FALSE, g_variant_new ("(@(sayi)u)", some_domain (), 0)),
                    VIR_ERR_NO_DOMAIN);
  assert_int_equal (dispatch (xml, TRUE, g_variant_new ("(@(sayi)u)", some_domain (), 0)), VIR_ERR_NO_DOMAIN);
  assert_int_equal (dispatch (xml, TRUE, g_variant_new ("(@(sayi)u)", some_domain (), VIR_DOMAIN_XML_SECURE)),
                    VIR_ERR_OPERATION_DENIED);
  assert_int_equal (
      dispatch (missing, FALSE, g_variant_new ("(@(sayi)xuu)", some_domain (), (gint64)1, 9, 0)),
      VIR_ERR_NO_SUPPORT);
  assert_int_equal (dispatch (missing, TRUE, g_variant_new ("(@(sayi)xuu)", some_domain (), (gint64)1, 9, 0)),
                    VIR_ERR_OPERATION_DENIED);
}

static void
test_a_uuid_has_sixteen_bytes (G_GNUC_UNUSED void **state)
{
  const Operation *state_of = operation_by_member ("Domain", "GetState");
  GVariant *domain = g_variant_new ("(s@ayi)", "x", g_variant_new_bytestring ("short"), -1);

  assert_int_equal (dispatch (state_of, FALSE, g_variant_new ("(@(sayi)u)", domain, 0)), VIR_ERR_INVALID_ARG);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_procedures_are_libvirt_s), cmocka_unit_test (test_every_member_has_a_row),
    cmocka_unit_test (test_rows_are_sound),           cmocka_unit_test (test_dispatch_checks_access_first),
    cmocka_unit_test (test_a_uuid_has_sixteen_bytes),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
