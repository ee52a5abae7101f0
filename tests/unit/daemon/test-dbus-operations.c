/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of operations on D-Bus: each row fits its member by the codec's rules, read-only clients may call
 * what libvirt lets them call, and no function serves two different operations. */
#include "daemon/dbus/codec.h"
#include "daemon/dbus/private.h"
#include "daemon/ops/ops.h"
#include "facts.h"

static void
fail_row (const char *name, const char *what)
{
  fail_msg ("%s: %s", name, what);
}

static void
test_shapes (G_GNUC_UNUSED void **state)
{
  for (const Operation *operation = operations; operation->name != NULL; operation++) {
    g_autoptr (GError) error = NULL;

    if (shape_parse (operation->in, &error) == NULL || shape_parse (operation->out, &error) == NULL)
      fail_row (operation->name, error->message);
  }
}

/* What a read-only client may call is what libvirt lets it call. */
static void
compare_access (GHashTable *row, G_GNUC_UNUSED gpointer data)
{
  const char *read_only = g_hash_table_lookup (row, "ro");
  const Operation *operation;
  int program = strcmp (g_hash_table_lookup (row, "prog"), "qemu") == 0 ? 1 : 0;
  gboolean reads;

  if (strcmp (g_hash_table_lookup (row, "prog"), "lxc") == 0)
    return;
  operation = operation_by_procedure (program, atoi (g_hash_table_lookup (row, "num")));
  if (operation == NULL || strcmp (operation->name, "DOMAIN_DEL_THROTTLE_GROUP") == 0)
    return; /* libvirt forgot to refuse that one */
  reads = operation->access == ACCESS_CONNECT || operation->access == ACCESS_READ;
  if (strcmp (read_only, "no") == 0 ? reads : !reads)
    fail_row (operation->name, "its access is not what libvirt's read-only connections have");
}

static void
test_access (G_GNUC_UNUSED void **state)
{
  for (const Operation *operation = operations; operation->name != NULL; operation++)
    if (operation->interface != NULL && operation->access == ACCESS_NONE)
      fail_row (operation->name, "on D-Bus, and without an access rule");
  facts_read ("libvirt-rpc.tsv", compare_access, NULL);
}

static GDBusInterfaceInfo *
interface_of (const Operation *operation)
{
  g_autofree char *full = strchr (operation->interface, '.') != NULL
                              ? g_strdup (operation->interface)
                              : g_strconcat ("org.libvirt.", operation->interface, NULL);
  GDBusInterfaceInfo *info = NULL;

  for (guint i = 0; dbus_root_interfaces[i] != NULL; i++)
    if (strcmp (dbus_root_interfaces[i], full) == 0)
      info = dbus_interface_info (full);
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->interfaces != NULL && g_strv_contains ((*kind)->interfaces, full))
      info = dbus_interface_info (full);
  return info;
}

/* The member's arguments and answer as introspected, or FALSE when there is no such member. */
static gboolean
member_types (const Operation *operation, GVariantType **ret_in, GVariantType **ret_out)
{
  GDBusInterfaceInfo *interface = interface_of (operation);
  gboolean sets = g_str_has_suffix (operation->member, "=");
  g_autofree char *name = g_strndup (operation->member, strlen (operation->member) - (sets ? 1 : 0));
  GDBusMethodInfo *method;
  GDBusPropertyInfo *property;

  if (interface == NULL)
    return FALSE;
  method = g_dbus_interface_info_lookup_method (interface, operation->member);
  property = g_dbus_interface_info_lookup_property (interface, name);
  if (method != NULL) {
    *ret_in = dbus_arguments_type (method->in_args);
    *ret_out = dbus_arguments_type (method->out_args);
  } else if (property != NULL) {
    g_autofree char *tuple = g_strconcat ("(", property->signature, ")", NULL);
    *ret_in = g_variant_type_new (sets ? tuple : "()");
    *ret_out = g_variant_type_new (sets ? "()" : tuple);
  }
  return method != NULL || property != NULL;
}

static void
test_members (G_GNUC_UNUSED void **state)
{
  for (const Operation *operation = operations; operation->name != NULL; operation++) {
    g_autoptr (GVariantType) in = NULL, out = NULL;
    g_autoptr (GError) error = NULL;

    if (operation->interface == NULL)
      continue;
    if (!member_types (operation, &in, &out))
      fail_row (operation->name, "there is no such D-Bus member");
    else if (!dbus_codec_agrees (operation, in, out, &error))
      fail_row (operation->member, error->message);
    assert_ptr_equal (operation, operation_by_member (operation->interface, operation->member));
  }
}

/* What follows the domain in an event's message: "ssi" of "i(Dssi)" and "iDssi"; "i" of "ii(D)", which is the
 * reason. */
static char *
payload_of (const char *message)
{
  const char *domain = strchr (message, 'D');
  const char *open = strchr (message, '(');
  gsize nested = open != NULL && open < domain;

  if (g_str_has_prefix (message, "ii("))
    return g_strdup ("i");
  return domain[1 + nested] == '\0' ? g_strdup ("-") : g_strndup (domain + 1, strlen (domain + 1) - nested);
}

/* Each signal's row is the facts' event of that number, and makes the signal's arguments as introspected. */
static void
compare_event (GHashTable *fact, gpointer data)
{
  guint *found = data;

  if (strcmp (g_hash_table_lookup (fact, "family"), "DOMAIN") != 0)
    return;
  for (const DbusSignalRow *row = dbus_signal_rows; row->member != NULL; row++) {
    GDBusSignalInfo *signal =
        g_dbus_interface_info_lookup_signal (dbus_interface_info ("org.libvirt.Domain"), row->member);
    Operation operation = { -1,       0,           row->member, "-",  row->payload,
                            "Domain", row->member, ACCESS_READ, NULL, NULL };
    g_autoptr (GVariantType) type = NULL;
    g_autofree char *payload = NULL;
    g_autoptr (GError) error = NULL;

    if (row->family != EVENT_DOMAIN || row->number != atoi (g_hash_table_lookup (fact, "event_id")))
      continue;
    (*found)++;
    payload = payload_of (g_hash_table_lookup (fact, "payload"));
    assert_string_equal (row->payload, payload);
    assert_non_null (signal);
    type = dbus_arguments_type (signal->args);
    if (!dbus_codec_agrees (&operation, G_VARIANT_TYPE_UNIT, type, &error))
      fail_row (row->member, error->message);
  }
}

static void
test_signals (G_GNUC_UNUSED void **state)
{
  guint rows = 0, found = 0, signals = 0;

  for (const DbusSignalRow *row = dbus_signal_rows; row->member != NULL; row++) {
    const ObjectKind *kind = object_kind_of_family (row->family);

    rows += row->family == EVENT_DOMAIN;
    assert_non_null (
        g_dbus_interface_info_lookup_signal (dbus_interface_info (kind->interfaces[0]), row->member));
  }
  facts_read ("libvirt-events.tsv", compare_event, &found);
  assert_int_equal (rows, found);
  while (dbus_interface_info ("org.libvirt.Domain")->signals[signals] != NULL)
    signals++;
  assert_int_equal (rows, signals); /* every signal has its event */
}

/* The shape of arguments, with one letter for an object of any kind that has a registry, or an owner in
 * one. */
static char *
shape_of_any_kind (const Operation *operation)
{
  const ObjectKind *kind = object_kind_of_letter (operation->in[0]);
  char *shape = g_strdup (operation->in);

  if (kind != NULL && (kind->size > 0 || kind->child != NULL))
    shape[0] = '*';
  return shape;
}

/* A function serves several rows only when they are one operation with more or fewer arguments, or with
 * objects of several kinds, or all about kinds of objects there are none of. */
static gboolean
same_operation (const Operation *a, const Operation *b)
{
  g_autofree char *one = shape_of_any_kind (a), *other = shape_of_any_kind (b);

  if (a->function == op_answer_none || a->function == op_answer_empty_list
      || a->function == op_answer_empty_list_and_count || a->function == op_lookup_finds_none)
    return TRUE;
  return g_str_has_prefix (one, other) || g_str_has_prefix (other, one);
}

static void
test_functions (G_GNUC_UNUSED void **state)
{
  for (const Operation *a = operations; a->name != NULL; a++)
    for (const Operation *b = a + 1; b->name != NULL; b++)
      if (a->function != NULL && a->function == b->function && !same_operation (a, b))
        fail_msg ("%s and %s have one function and different arguments", a->name, b->name);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_shapes),    cmocka_unit_test (test_access),  cmocka_unit_test (test_members),
    cmocka_unit_test (test_functions), cmocka_unit_test (test_signals),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
