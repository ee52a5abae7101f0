/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The policy in a document's metadata: what it says under each way of giving it our namespace, what is meant
 * where it says nothing, and what is refused, with its place and words.
 */

#include "cmocka-glib.h"
#include "domain/domain-def.h"
#include "model-platform.h"

#define TEXT_32  "every text that is waited for is"
#define TEXT_256 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32
#define LONG     TEXT_256 TEXT_256 TEXT_256 TEXT_256 "!"

#define START \
  "<domain type='qemu'><name>web</name><memory>65536</memory><os><type machine='q35'>hvm</type></os>\n"
#define DISKS                                                                                          \
  "<devices><disk type='file'><source file='/i/web.qcow2'/><target dev='vda' bus='virtio'/></disk>"    \
  "<disk type='file' device='cdrom'><source file='/i/seed.iso'/><target dev='sda' bus='sata'/></disk>" \
  "<disk type='file' device='cdrom'><target dev='sdb' bus='sata'/></disk></devices></domain>\n"
#define NAMESPACE "xmlns='" POLICY_NAMESPACE "'"

static DomainDef *
parse (const char *document, guint flags, char **ret_said)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
  DomainDef *def = domain_def_parse (document, -1, flags, &test_platform, diagnostics);

  *ret_said = diagnostics_to_text (diagnostics);
  return def;
}

/* What all of the format says. */
static const char whole[] =
    "<policy " NAMESPACE " state='running' source='fleet'>"
    "<label name='role' value='web'/><label name='new'/>"
    "<start delay='5'><after>db</after><after>dns</after><requires>db</requires></start>"
    "<ready timeout='60'><agent/><port number='22'/><port number='80' address='::1'/>"
    "<console>login:</console><address/></ready>"
    "<restart when='on-failure' delay='2' maximumDelay='9' limit='4' interval='30'/>"
    "<shutdown action='save' timeout='90'/>"
    "<disk target='vda' format='qcow2'><size unit='GiB'>20</size>"
    "<base file='debian.qcow2' sha256='"
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' copy='yes'/></disk>"
    "<seed target='sda' hostName='web1' user='me'><sshKey>ssh-ed25519 AAAA</sshKey></seed>"
    "</policy>";

static void
test_whole (G_GNUC_UNUSED void **state)
{
  g_autofree char *document = g_strconcat (START "<metadata>", whole, "</metadata>" DISKS, NULL);
  g_autofree char *said = NULL;
  g_autoptr (DomainDef) def = parse (document, 0, &said);
  const Policy *policy;
  const PolicyDisk *disk;
  const PolicySeed *seed;

  assert_string_equal (said, "");
  policy = def->policy;
  assert_int_equal (policy_state (policy), POLICY_STATE_RUNNING);
  assert_string_equal (policy->source, "fleet");
  assert_int_equal (policy->labels->len, 2);
  assert_int_equal (policy_start_delay (policy), 5);
  assert_int_equal (policy->start.after->len, 2);
  assert_string_equal (g_ptr_array_index (policy->start.requires, 0), "db");
  assert_true (policy->ready.agent && policy->ready.address && policy_waits_ready (policy));
  assert_int_equal (policy_ready_timeout (policy), 60);
  assert_string_equal (((PolicyPort *)g_ptr_array_index (policy->ready.ports, 1))->address, "::1");
  assert_string_equal (g_ptr_array_index (policy->ready.console, 0), "login:");
  assert_int_equal (policy_restart_when (policy), RESTART_ON_FAILURE);
  assert_int_equal (policy_restart_delay (policy, 0), 2);
  assert_int_equal (policy_restart_delay (policy, 2), 8);
  assert_int_equal (policy_restart_delay (policy, 100), 9);
  assert_int_equal (policy_restart_limit (policy), 4);
  assert_int_equal (policy_restart_interval (policy), 30);
  assert_int_equal (policy->shutdown.action, SHUTDOWN_ACTION_SAVE);
  disk = g_ptr_array_index (policy->disks, 0);
  assert_int_equal (disk->size.value, G_GUINT64_CONSTANT (20) << 30);
  assert_int_equal (disk->base_copy, TRISTATE_YES);
  seed = g_ptr_array_index (policy->seeds, 0);
  assert_string_equal (seed->host_name, "web1");
  assert_string_equal (g_ptr_array_index (seed->ssh_keys, 0), "ssh-ed25519 AAAA");
}

/* The completed document, and copies of its definition, have the policy as well; it is taken with the
 * metadata. */
static void
test_kept (G_GNUC_UNUSED void **state)
{
  g_autofree char *document = g_strconcat (START "<metadata>", whole, "</metadata>" DISKS, NULL);
  g_autofree char *said = NULL, *again = NULL, *completed = NULL;
  g_autoptr (DomainDef) def = parse (document, 0, &said);
  g_autoptr (DomainDef) kept = NULL, copy = NULL;

  completed = domain_def_to_xml (def, 0);
  kept = parse (completed, DOMAIN_READ_NO_SCHEMA, &again);
  copy = domain_def_copy (kept);
  assert_int_equal (policy_state (copy->policy), POLICY_STATE_RUNNING);
  domain_def_set_metadata (copy, NULL, NULL);
  assert_null (copy->policy);
  assert_non_null (kept->policy);
}

static void
test_defaults (G_GNUC_UNUSED void **state)
{
  assert_int_equal (policy_state (NULL), POLICY_STATE_AS_IS);
  assert_int_equal (policy_restart_when (NULL), RESTART_NO);
  assert_int_equal (policy_restart_delay (NULL, 1), 2);
  assert_int_equal (policy_restart_delay (NULL, 1000), 300);
  assert_int_equal (policy_ready_timeout (NULL), 300);
  assert_false (policy_waits_ready (NULL));
}

/* The namespace counts, wherever it is declared and with whatever prefix. */
static const struct {
  const char *root, *metadata;
  gboolean found;
} spellings[] = {
  { "<domain type='qemu'>", "<metadata><policy " NAMESPACE " state='running'/></metadata>", TRUE },
  { "<domain type='qemu'>", "<metadata><x:policy xmlns:x='" POLICY_NAMESPACE "' state='running'/></metadata>",
    TRUE },
  { "<domain type='qemu'>", "<metadata xmlns:x='" POLICY_NAMESPACE "'><x:policy state='running'/></metadata>",
    TRUE },
  { "<domain type='qemu' xmlns:x='" POLICY_NAMESPACE "'>", "<metadata><x:policy state='running'/></metadata>",
    TRUE },
  { "<domain type='qemu'>",
    "<metadata><domaind:policy xmlns:domaind='urn:x' state='any'/><policy " NAMESPACE
    " state='running'/></metadata>",
    TRUE },
  { "<domain type='qemu'>", "<metadata><policy state='any'/></metadata>", FALSE },
  { "<domain type='qemu'>", "<metadata><policy xmlns='urn:x' state='any'/></metadata>", FALSE },
};

static void
test_namespaces (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (spellings); i++) {
    g_autofree char *document = g_strconcat (
        spellings[i].root, "<name>web</name><memory>65536</memory><os><type machine='q35'>hvm</type></os>",
        spellings[i].metadata, "</domain>", NULL);
    g_autofree char *said = NULL;
    g_autoptr (DomainDef) def = parse (document, 0, &said);
    g_autoptr (GError) error = NULL;
    g_autoptr (Policy) again = NULL;

    assert_string_equal (said, "");
    assert_int_equal (def->policy != NULL, spellings[i].found);
    assert_true (policy_read (def->metadata, &again, &error));
    assert_int_equal (again != NULL, spellings[i].found);
  }
}

/* What a document may not say in its policy; each line of the messages is found in what is said. */
static const struct {
  const char *policy;
  const char *message;
} refused[] = {
  { "<policy " NAMESPACE " state='runing'/>", "web.xml:2:" },
  { "<policy " NAMESPACE " state='runing'/>", "did you mean 'running'?" },
  { "<policy " NAMESPACE "><star/></policy>", "did you mean 'start'?" },
  { "<policy " NAMESPACE "><start dely='1'/></policy>", "did you mean 'delay'?" },
  { "<policy " NAMESPACE "><start delay='-1'/></policy>", "-1" },
  { "<policy " NAMESPACE "><start><after>web</after></start></policy>",
    "<after>web</after> is the machine itself" },
  { "<policy " NAMESPACE "><start><after>a</after><after>a</after></start></policy>", "stands twice" },
  { "<policy " NAMESPACE "><ready><port number='0'/></ready></policy>", "'0'" },
  { "<policy " NAMESPACE "><ready><console>" LONG "</console></ready></policy>",
    "the text of <console> has 1025 bytes: at most 1024 are possible" },
  { "<policy " NAMESPACE "><restart/></policy>", "when" },
  { "<policy " NAMESPACE "><restart when='always' delay='9' maximumDelay='3'/></policy>",
    "is more than its maximumDelay" },
  { "<policy " NAMESPACE "><label name='a'/><label name='a'/></policy>", "label 'a' stands twice" },
  { "<policy " NAMESPACE "><disk target='vdb'><size>1</size></disk></policy>", "no disk has this target" },
  { "<policy " NAMESPACE "><disk target='sdb'><size>1</size></disk></policy>",
    "needs a <source file='...'>" },
  { "<policy " NAMESPACE "><disk target='vda'/></policy>", "needs a <size> or a <base>" },
  { "<policy " NAMESPACE "><disk target='vda'><size>0</size></disk></policy>", "is 0" },
  { "<policy " NAMESPACE "><disk target='vda'><base file='x' sha256='abc'/></disk></policy>",
    "64 hexadecimal digits" },
  { "<policy " NAMESPACE "><seed target='sda'/></policy>", "needs userData" },
  { "<policy " NAMESPACE "><seed target='sda' userData='u' user='me'/></policy>", "userData besides" },
  { "<policy " NAMESPACE "><seed target='vda' user='me'/><disk target='vda'><size>1</size></disk></policy>",
    "described twice" },
  { "<policy " NAMESPACE "/><policy " NAMESPACE "/>", "more than one <policy>" },
};

static void
test_refused (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autofree char *document =
        g_strconcat (START "<metadata>", refused[i].policy, "</metadata>" DISKS, NULL);
    g_autofree char *said = NULL;
    g_autoptr (DomainDef) def = parse (document, 0, &said);

    if (def != NULL || strstr (said, refused[i].message) == NULL)
      print_error ("%s\n%s", refused[i].policy, said);
    assert_null (def);
    assert_non_null (strstr (said, refused[i].message));
  }
}

/* Without VALIDATE, what is unknown is told and let through; a bad value is not. */
static void
test_lax (G_GNUC_UNUSED void **state)
{
  g_autofree char *said = NULL, *more = NULL;
  g_autoptr (DomainDef) def =
      parse (START "<metadata><policy " NAMESPACE " state='running'><new/></policy></metadata>" DISKS,
             DOMAIN_READ_LAX, &said);
  g_autoptr (DomainDef) bad =
      parse (START "<metadata><policy " NAMESPACE " state='x'/></metadata>" DISKS, DOMAIN_READ_LAX, &more);

  assert_non_null (def);
  assert_non_null (strstr (said, "warning"));
  assert_int_equal (policy_state (def->policy), POLICY_STATE_RUNNING);
  assert_null (bad);
}

/* What runs may have lost what its policy speaks of: it is read all the same. */
static void
test_kept_without_disks (G_GNUC_UNUSED void **state)
{
  static const char document[] =
      START "<uuid>1450ced9-d2fd-4eac-b93e-4c8460f15ec3</uuid><metadata><policy " NAMESPACE
            "><seed target='sdb' user='me'/><disk target='vdz'><size>1</size></disk>"
            "<start><after>web</after></start></policy></metadata>" DISKS;
  g_autofree char *said = NULL, *more = NULL;
  g_autoptr (DomainDef) kept = parse (document, DOMAIN_READ_NO_SCHEMA, &said);
  g_autoptr (DomainDef) lax = parse (document, DOMAIN_READ_LAX, &more);

  assert_string_equal (said, "");
  assert_non_null (kept);
  assert_non_null (lax);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_whole),
    cmocka_unit_test (test_kept),
    cmocka_unit_test (test_defaults),
    cmocka_unit_test (test_namespaces),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_lax),
    cmocka_unit_test (test_kept_without_disks),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
