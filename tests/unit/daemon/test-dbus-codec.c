/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules between D-Bus members and operations, each shown by a row made for it. */
#include "cmocka-glib.h"
#include "daemon/dbus/codec.h"
#include "daemon/dbus/paths.h"
#include "daemon/domain/domain-kind.h"
#include "daemon/host/threads.h"
#include "wire/shape.h"

#include <string.h>

#define UUID_VALUE \
  "[byte 0x87, 0x29, 0x1a, 0xf1, 0x13, 0x66, 0x41, 0x0c, 0xbb, 0x6e, 0xfb, 0xc6, 0xf6, 0x6f, 0xf7, 0xae]"
#define DOMAIN "('web', " UUID_VALUE ", 3)"
#define PATH   "'/org/libvirt/QEMU/domain/_87291af1_1366_410c_bb6e_fbc6f66ff7ae'"

static const OperationDBus pick = { .arguments = "D*10!0." };

static const struct {
  const char *interface, *in;
  const OperationDBus *dbus;
  const char *parameters, *arguments; /* NULL: refused with the last field */
  const char *mistake;
} calls[] = {
  { "Connect", "-", NULL, "()", "()", NULL },
  { "Domain", "D", NULL, "()", "(" DOMAIN ",)", NULL },
  { "Domain", "Du", NULL, "(uint32 5,)", "(" DOMAIN ", uint32 5)", NULL },
  { "Domain", "Du", NULL, "()", "(" DOMAIN ", uint32 0)", NULL },
  { "Connect", "su", NULL, "('<domain/>',)", "('<domain/>', uint32 0)", NULL },
  { "Domain", "Dmsu", NULL, "('', uint32 1)", "(" DOMAIN ", just '', uint32 1)", NULL },
  { "Domain", "Dmsu", &dbus_empty_is_absent, "('', uint32 1)", "(" DOMAIN ", @ms nothing, uint32 1)", NULL },
  { "Domain", "Dmsu", &dbus_empty_is_absent, "('x', uint32 1)", "(" DOMAIN ", just 'x', uint32 1)", NULL },
  { "Domain", "Di", NULL, "(true,)", "(" DOMAIN ", 1)", NULL },
  { "Domain", "Dxuu", NULL, "(uint64 7, uint32 8, uint32 0)", "(" DOMAIN ", int64 7, uint32 8, uint32 0)",
    NULL },
  { "Domain", "Dxuu", NULL, "(uint64 9223372036854775808, uint32 8, uint32 0)", NULL, "out of the range" },
  { "Domain", "Dtuu", NULL, "(uint64 1, uint64 4294967296, uint32 0)", NULL, "out of the range" },
  { "Domain", "Du", NULL, "(-1,)", NULL, "out of the range" },
  { "Connect", "U", NULL, "('87291af1-1366-410c-bb6e-fbc6f66ff7ae',)", "(" UUID_VALUE ",)", NULL },
  { "Connect", "U", NULL, "('87291af1',)", NULL, "Invalid UUID: '87291af1'" },
  { "Domain", "Duay{2048}u", NULL,
    "(uint32 1, [true, false, false, false, false, false, false, false, true], uint32 0)",
    "(" DOMAIN ", uint32 1, [byte 1, 1], uint32 0)", NULL },
  { "Domain", "Day{1}u", NULL, "([true, true, true, true, true, true, true, true, true], uint32 0)", NULL,
    "9 CPUs where at most 8 are allowed" },
  { "Domain", "Dsiu", NULL, "([true, true, false, true], 1, uint32 0)", "(" DOMAIN ", '0-1,3', 1, uint32 0)",
    NULL },
  { "Domain", "DaP{2}u", NULL, "({'a': <1>}, uint32 0)", "(" DOMAIN ", {'a': <1>}, uint32 0)", NULL },
  { "Domain", "DaP{2}u", NULL, "({'a': <<1>>}, uint32 0)", NULL, "argument 2, item 1: a value of type 'v'" },
  { "Domain", "DaP{2}u", NULL, "({'a': <1>, 'b': <2>, 'c': <3>}, uint32 0)", NULL,
    "3 items where at most 2" },
  { "Connect", "aD{16384}uu", &dbus_all_domain_stats, "(uint32 1, uint32 2)",
    "(@a(sayi) [], uint32 1, uint32 2)", NULL },
  { "Domain", "aD{16384}uu", &dbus_domain_stats, "(uint32 1, uint32 2)", "([" DOMAIN "], uint32 1, uint32 2)",
    NULL },
  { "Domain", "Diiums", &pick, "(uint32 6,)", "(" DOMAIN ", 16, 10, uint32 6, @ms nothing)", NULL },
};

static void
test_arguments (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++) {
    Operation operation = { 0,        1,           "ROW", calls[i].in,  "aP{16}", calls[i].interface,
                            "Member", ACCESS_READ, NULL,  calls[i].dbus };
    g_autoptr (GVariant) domain = g_variant_parse (NULL, DOMAIN, NULL, NULL, NULL);
    g_autoptr (GVariant) parameters = g_variant_parse (NULL, calls[i].parameters, NULL, NULL, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) arguments = dbus_codec_arguments (&operation, domain, parameters, &error);

    if (calls[i].arguments != NULL) {
      g_autoptr (GVariant) expected =
          g_variant_parse (shape_of (calls[i].in)->type, calls[i].arguments, NULL, NULL, NULL);
      g_assert_no_error (error);
      assert_true (g_variant_equal (arguments, expected));
    } else {
      assert_null (arguments);
      assert_int_equal (virt_error_code (error), VIR_ERR_INVALID_ARG);
      assert_non_null (strstr (error->message, calls[i].mistake));
    }
  }
}

static const struct {
  const char *out;
  const OperationDBus *dbus;
  const char *results, *type, *answer;
} answers[] = {
  { "-", NULL, "()", "()", "()" },
  { "D", NULL, "(" DOMAIN ",)", "()", "()" },
  { "D", NULL, "(" DOMAIN ",)", "(o)", "(objectpath " PATH ",)" },
  { "aD{16384}u", NULL, "([" DOMAIN "], uint32 1)", "(ao)", "([objectpath " PATH "],)" },
  { "s", NULL, "('text',)", "(s)", "('text',)" },
  { "i", NULL, "(1,)", "(b)", "(true,)" },
  { "i", NULL, "(7,)", "(u)", "(uint32 7,)" },
  { "ii", NULL, "(5, 2)", "((ii))", "((5, 2),)" },
  { "xu", NULL, "(int64 5, uint32 6)", "((tu))", "((uint64 5, uint32 6),)" },
  { "si", NULL, "('posix', 0)", "((si))", "(('posix', 0),)" },
  { "ac{257}ac{257}", NULL, "(b'none', b'0')", "((ss))", "(('none', '0'),)" },
  { "ac{257}ac{257}", NULL, "(@ay [], @ay [])", "((ss))", "(('', ''),)" },
  { "iaP{64}", NULL, "(1, {'a': <uint64 5>})", "((ia{sv}))", "((1, {'a': <<uint64 5>>}),)" },
  { "aP{16}i", NULL, "({'a': <uint64 5>}, 1)", "(a{sv})", "({'a': <<uint64 5>>},)" },
  { "a(st){16}i", NULL, "([('user', uint64 5)], 0)", "(a{st})", "({'user': uint64 5},)" },
  { "a(it){1024}", NULL, "([(6, uint64 1024)],)", "(a{it})", "({6: uint64 1024},)" },
  { "a(DaP{9}){9}", NULL, "([(" DOMAIN ", {'a': <1>})],)", "(a(sa{sv}))", "([('web', {'a': <<1>>})],)" },
  { "a(DaP{9}){9}", &dbus_domain_stats, "([(" DOMAIN ", {'a': <1>})],)", "(a{sv})", "({'a': <<1>>},)" },
  { "a(smsa(isu){2}){2}", NULL, "([('eth0', nothing, [(0, '192.0.2.1', uint32 24)])],)", "(a(ssa(isu)))",
    "([('eth0', '', [(0, '192.0.2.1', uint32 24)])],)" },
  { "a(ac{99}i){64}i", NULL, "([(b'label', 1)], 1)", "(a(sb))", "([('label', true)],)" },
  { "iittt", &dbus_block_job_info, "(1, 2, uint64 3, uint64 4, uint64 5)", "((ittt))",
    "((2, uint64 3, uint64 4, uint64 5),)" },
  { "ay{2048}ui", &dbus_cpu_map, "([byte 5], uint32 2, 3)", "(ab)", "([true, false, true],)" },
  { "a(uay{2048}){9}u", NULL, "([(uint32 1, [byte 1])], uint32 1)", "(a(uab))",
    "([(uint32 1, [true, false, false, false, false, false, false, false])],)" },
  { "Z", NULL, "(('sn.1-ä', " DOMAIN "),)", "(o)",
    "(objectpath "
    "'/org/libvirt/QEMU/domainsnapshot/_87291af1_1366_410c_bb6e_fbc6f66ff7ae_sn_2e1_2d_c3_a4',)" },
  { "V", NULL, "(('pool', 'vol', '/a b'),)", "(o)", "(objectpath '/org/libvirt/QEMU/storagevol/_2fa_20b',)" },
  { "E", NULL, "(('block_vda',),)", "(o)", "(objectpath '/org/libvirt/QEMU/nodedev/block_5fvda',)" },
  { "I", NULL, "(('eth0', '02:fc:00'),)", "(o)", "(objectpath '/org/libvirt/QEMU/interface/02_3afc_3a00',)" },
};

static void
test_answers (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++) {
    Operation operation = { 0,        1,        "ROW",       "-",  answers[i].out,
                            "Domain", "Member", ACCESS_READ, NULL, answers[i].dbus };
    const GVariantType *type = G_VARIANT_TYPE (answers[i].type);
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) results =
        g_variant_parse (shape_of (answers[i].out)->type, answers[i].results, NULL, NULL, &error);
    g_autoptr (GVariant) expected = g_variant_parse (type, answers[i].answer, NULL, NULL, &error);
    g_autoptr (GVariant) answer = NULL;

    g_assert_no_error (error);
    answer = dbus_codec_answer (&operation, results, type, &error);
    g_assert_no_error (error);
    assert_true (g_variant_equal (answer, expected));
  }
}

/* Maps have as many b as this host has CPUs, whatever the operation's are rounded up to. */
static void
test_maps (G_GNUC_UNUSED void **state)
{
  const struct {
    const char *out;
    const OperationDBus *dbus;
    const char *before, *behind; /* the map, in the text of the results */
    const char *type;
  } maps[] = {
    { "ay{99}i", &dbus_vcpu_pins, "(@ay b'", "', 1)", "(aab)" },
    { "ay{99}i", &dbus_emulator_pin, "(@ay b'", "', 1)", "(ab)" },
    { "a(uay{2048}){9}u", &dbus_iothreads, "([(uint32 1, @ay b'", "')], uint32 1)", "(a(uab))" },
  };
  g_autoptr (GString) ones = g_string_new (NULL);
  guint count = host_cpu_count ();

  /* A byte string's literal ends with a byte of 0, which is more than is needed. */
  for (guint i = 0; i < (count + 7) / 8; i++)
    g_string_append (ones, "\\377");
  for (guint i = 0; i < G_N_ELEMENTS (maps); i++) {
    Operation operation = {
      0, 1, "ROW", "-", maps[i].out, "Domain", "Member", ACCESS_READ, NULL, maps[i].dbus
    };
    g_autofree char *text = g_strconcat (maps[i].before, ones->str, maps[i].behind, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) results = g_variant_parse (shape_of (maps[i].out)->type, text, NULL, NULL, &error);
    g_autoptr (GVariant) answer = NULL, inner = NULL;

    g_assert_no_error (error);
    answer = dbus_codec_answer (&operation, results, G_VARIANT_TYPE (maps[i].type), &error);
    g_assert_no_error (error);
    inner = g_variant_get_child_value (answer, 0);
    while (!g_variant_is_of_type (inner, G_VARIANT_TYPE ("ab"))) {
      GVariant *deeper = g_variant_get_child_value (inner, g_variant_n_children (inner) - 1);

      g_variant_unref (inner);
      inner = deeper;
    }
    assert_int_equal (g_variant_n_children (inner), count);
    for (guint cpu = 0; cpu < count; cpu++) {
      gboolean usable;

      g_variant_get_child (inner, cpu, "b", &usable);
      assert_true (usable);
    }
  }
}

static void
test_wrong_results (G_GNUC_UNUSED void **state)
{
  Operation operation = { 0, 1, "ROW", "-", "xu", "Domain", "Member", ACCESS_READ, NULL, NULL };
  g_autoptr (GVariant) negative = g_variant_ref_sink (g_variant_new ("(xu)", G_GINT64_CONSTANT (-1), 0));
  g_autoptr (GVariant) other = g_variant_ref_sink (g_variant_new ("(s)", "text"));
  GError *error = NULL;

  assert_null (dbus_codec_answer (&operation, negative, G_VARIANT_TYPE ("((tu))"), &error));
  assert_non_null (strstr (error->message, "-1 is out of the range"));
  g_clear_error (&error);
  assert_null (dbus_codec_answer (&operation, other, G_VARIANT_TYPE ("((tu))"), &error));
  assert_non_null (strstr (error->message, "ROW answered '(s)' where its shape is 'xu'"));
  g_clear_error (&error);
}

static const struct {
  const char *in, *out, *dbus_in, *dbus_out, *mistake;
} disagreements[] = {
  { "Du", "-", "(s)", "()", "nothing to make of the client's argument 2" },
  { "Du", "-", "(uu)", "()", "nothing takes the client's argument 2" },
  { "Dsu", "-", "()", "()", "the client does not give argument 2" },
  { "Du", "s", "(u)", "(u)", "the results do not make up" },
  { "Du", "st", "(u)", "(s)", "the results do not make up" },
};

static void
test_disagreements (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (disagreements); i++) {
    Operation operation = {
      0, 1, "ROW", disagreements[i].in, disagreements[i].out, "Domain", "Member", ACCESS_READ, NULL, NULL
    };
    g_autoptr (GError) error = NULL;

    assert_false (dbus_codec_agrees (&operation, G_VARIANT_TYPE (disagreements[i].dbus_in),
                                     G_VARIANT_TYPE (disagreements[i].dbus_out), &error));
    assert_non_null (strstr (error->message, disagreements[i].mistake));
  }
}

static void
test_payload (G_GNUC_UNUSED void **state)
{
  g_autoptr (GVariant) payload =
      g_variant_parse (G_VARIANT_TYPE ("(msmssi)"), "(nothing, just '/b', 'virtio0', 1)", NULL, NULL, NULL);
  g_autoptr (GVariant) arguments = dbus_codec_payload ("msmssi", payload, G_VARIANT_TYPE ("(sssi)"), NULL);
  g_autofree char *text = g_variant_print (arguments, FALSE);

  assert_string_equal (text, "('', '/b', 'virtio0', 1)");
}

static void
test_paths (G_GNUC_UNUSED void **state)
{
  static const char *const bad[] = { "",
                                     "_",
                                     "87291af1_1366_410c_bb6e_fbc6f66ff7ae",
                                     "_87291af1_1366_410c_bb6e_fbc6f66ff7a",
                                     "_87291af1_1366_410c_bb6e_fbc6f66ff7aeX",
                                     "_z7291af1_1366_410c_bb6e_fbc6f66ff7ae" };
  g_autofree char *uuid = dbus_path_uuid ("_87291af1_1366_410c_bb6e_fbc6f66ff7ae", NULL);
  g_autofree char *path = dbus_path_of_uuid (&domain_kind, "87291af1-1366-410c-bb6e-fbc6f66ff7ae");

  assert_string_equal (uuid, "87291af1-1366-410c-bb6e-fbc6f66ff7ae");
  assert_string_equal (path, "/org/libvirt/QEMU/domain/_87291af1_1366_410c_bb6e_fbc6f66ff7ae");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    assert_null (dbus_path_uuid (bad[i], &error));
    assert_non_null (strstr (error->message, "Invalid UUID"));
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_arguments),     cmocka_unit_test (test_answers),
    cmocka_unit_test (test_maps),          cmocka_unit_test (test_wrong_results),
    cmocka_unit_test (test_disagreements), cmocka_unit_test (test_payload),
    cmocka_unit_test (test_paths),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
