/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Good documents: what a document becomes when it is completed, that a second round changes no byte, and that
 * nothing of it is lost on the way. What is expected is what Debian's libvirtd 9.0 prints for the same input.
 */

#include "cmocka-glib.h"
#include "domain/domain-def.h"
#include "model-platform.h"

#define UUID "1450ced9-d2fd-4eac-b93e-4c8460f15ec3"

static DomainDef *
parse (const char *document, guint flags)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
  DomainDef *def = domain_def_parse (document, -1, flags, &test_platform, diagnostics);
  g_autofree char *said = diagnostics_to_text (diagnostics);

  if (def == NULL)
    print_error ("%s%s", document, said);
  assert_non_null (def);
  return def;
}

/* A small machine of @type with @os in its <os> and @more beside it. */
static char *
machine (const char *type, const char *os, const char *more)
{
  return g_strdup_printf ("<domain type='%s'><name>web</name><uuid>" UUID "</uuid><memory>65536</memory>"
                          "<os><type machine='q35'>hvm</type>%s</os>%s</domain>",
                          type, os, more);
}

typedef struct {
  const char *type, *os, *more; /* of the document */
  const char *expected;         /* lines that the completed document has */
} Completed;

static const Completed completed[] = {
  /* What a document without a word gets. */
  { "qemu", "", "",
    "<domain type='qemu'>\n"
    "  <name>web</name>\n"
    "  <uuid>" UUID "</uuid>\n"
    "  <memory unit='KiB'>65536</memory>\n"
    "  <currentMemory unit='KiB'>65536</currentMemory>\n"
    "  <vcpu placement='static'>1</vcpu>\n"
    "  <os>\n"
    "    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>\n"
    "    <boot dev='hd'/>\n"
    "  </os>\n"
    "  <cpu mode='custom' match='exact' check='none'>\n"
    "    <model fallback='forbid'>qemu64</model>\n"
    "  </cpu>\n"
    "  <clock offset='utc'/>\n"
    "  <on_poweroff>destroy</on_poweroff>\n"
    "  <on_reboot>restart</on_reboot>\n"
    "  <on_crash>destroy</on_crash>\n"
    "  <devices>\n"
    "    <emulator>" TEST_EMULATOR "</emulator>\n" },

  /* Memory and vCPUs. */
  { "qemu", "", "<currentMemory unit='GiB'>1</currentMemory>",
    "  <currentMemory unit='KiB'>65536</currentMemory>\n" },
  { "qemu", "", "<maxMemory unit='GiB' slots='2'>1</maxMemory>",
    "  <maxMemory slots='2' unit='KiB'>1048576</maxMemory>\n" },
  { "qemu", "", "<vcpu cpuset='1,0' current='1'>4</vcpu>",
    "  <vcpu placement='static' cpuset='0-1' current='1'>4</vcpu>\n" },
  { "qemu", "", "<vcpu current='4'>4</vcpu>", "  <vcpu placement='static'>4</vcpu>\n" },
  { "qemu", "", "<vcpu placement='auto'>2</vcpu>",
    "  <vcpu placement='auto'>2</vcpu>\n"
    "  <numatune>\n"
    "    <memory mode='strict' placement='auto'/>\n"
    "  </numatune>\n" },
  { "qemu", "", "<iothreads>3</iothreads><iothreadids><iothread id='2'/></iothreadids>",
    "  <iothreads>3</iothreads>\n"
    "  <iothreadids>\n"
    "    <iothread id='2'/>\n"
    "    <iothread id='1'/>\n"
    "    <iothread id='3'/>\n"
    "  </iothreadids>\n" },

  /* How it boots. */
  { "qemu", "<kernel>/k</kernel><initrd>/i</initrd><cmdline>a=1 b</cmdline>", "",
    "    <kernel>/k</kernel>\n"
    "    <initrd>/i</initrd>\n"
    "    <cmdline>a=1 b</cmdline>\n"
    "    <boot dev='hd'/>\n" },
  { "qemu", "<cmdline></cmdline><kernel>/k</kernel>", "", "    <kernel>/k</kernel>\n    <boot dev='hd'/>\n" },
  { "qemu", "<boot dev='network'/><boot dev='cdrom'/><bootmenu timeout='300' enable='yes'/>", "",
    "    <boot dev='network'/>\n"
    "    <boot dev='cdrom'/>\n"
    "    <bootmenu enable='yes' timeout='300'/>\n" },
  { "qemu", "<loader>/bios.bin</loader>", "", "    <loader type='rom'>/bios.bin</loader>\n" },
  { "qemu", "<loader type='pflash' secure='yes' readonly='yes'>/x.fd</loader><nvram template='/t'>/n</nvram>",
    "<features><smm/><acpi/></features>",
    "    <loader readonly='yes' secure='yes' type='pflash'>/x.fd</loader>\n"
    "    <nvram template='/t'>/n</nvram>\n" },
  { "qemu",
    "<nvram type='network'><source name='iqn.a/6' protocol='iscsi'><host port='6' name='h'/></source></nvram>"
    "<loader readonly='yes' type='pflash'>/x.fd</loader>",
    "<features><acpi/></features>",
    "    <nvram type='network'>\n"
    "      <source name='iqn.a/6' protocol='iscsi'>\n"
    "        <host port='6' name='h'/>\n"
    "      </source>\n"
    "    </nvram>\n" },

  /* CPUs. */
  { "kvm", "", "<cpu mode='host-passthrough'><model>qemu64</model></cpu>",
    "  <cpu mode='host-passthrough' check='none' migratable='on'/>\n" },
  { "kvm", "", "<cpu mode='host-model'/>", "  <cpu mode='host-model' check='partial'/>\n" },
  { "qemu", "", "<cpu mode='maximum'/>", "  <cpu mode='maximum' check='none'/>\n" },
  { "kvm", "", "<cpu><model>Nehalem</model><feature name='vmx'/></cpu>",
    "  <cpu mode='custom' match='exact' check='partial'>\n"
    "    <model fallback='allow'>Nehalem</model>\n"
    "    <feature policy='require' name='vmx'/>\n"
    "  </cpu>\n" },
  { "qemu", "", "<cpu match='strict'><model>Nehalem</model></cpu>",
    "  <cpu mode='custom' match='strict' check='none'>\n"
    "    <model fallback='allow'>Nehalem</model>\n"
    "  </cpu>\n" },
  { "qemu", "", "<vcpu>4</vcpu><cpu><topology threads='1' cores='2' sockets='2'/></cpu>",
    "  <cpu mode='custom' match='exact' check='none'>\n"
    "    <model fallback='forbid'>qemu64</model>\n"
    "    <topology sockets='2' dies='1' clusters='1' cores='2' threads='1'/>\n"
    "  </cpu>\n" },

  /* Features. */
  { "qemu", "", "<features><vmport state='off'/><pmu/><hap/><pae/><apic eoi='on'/><acpi/></features>",
    "  <features>\n"
    "    <acpi/>\n"
    "    <apic eoi='on'/>\n"
    "    <pae/>\n"
    "    <hap state='on'/>\n"
    "    <pmu state='on'/>\n"
    "    <vmport state='off'/>\n"
    "  </features>\n" },
  { "qemu", "",
    "<features><hyperv><stimer state='on'><direct state='on'/></stimer></hyperv><kvm/></features>",
    "  <features>\n"
    "    <hyperv mode='custom'>\n"
    "      <stimer state='on'>\n"
    "        <direct state='on'/>\n"
    "      </stimer>\n"
    "    </hyperv>\n"
    "    <kvm/>\n"
    "  </features>\n" },

  /* Clocks. */
  { "qemu", "", "<clock offset='localtime' adjustment='3600'/>",
    "  <clock offset='variable' adjustment='3600' basis='localtime'/>\n" },
  { "qemu", "", "<clock offset='utc' adjustment='reset'/>", "  <clock offset='utc' adjustment='reset'/>\n" },
  { "qemu", "", "<clock offset='variable'/>", "  <clock offset='variable' adjustment='0' basis='utc'/>\n" },
  { "qemu", "",
    "<clock offset='utc'><timer name='tsc' mode='native' frequency='100'/>"
    "<timer tickpolicy='catchup' name='rtc' track='guest'><catchup limit='3' slew='2' "
    "threshold='1'/></timer></clock>",
    "  <clock offset='utc'>\n"
    "    <timer name='tsc' frequency='100' mode='native'/>\n"
    "    <timer name='rtc' tickpolicy='catchup' track='guest'>\n"
    "      <catchup threshold='1' slew='2' limit='3'/>\n"
    "    </timer>\n"
    "  </clock>\n" },

  /* What is kept: metadata as it stands, other parts in libvirt's form and place. */
  { "qemu", "", "<metadata><!-- mine --><a:b xmlns:a=\"urn:a\">x<a:c/></a:b></metadata>",
    "  <metadata>\n    <!-- mine -->\n    <a:b xmlns:a=\"urn:a\">x<a:c/></a:b>\n  </metadata>\n" },
  { "qemu", "", "<resource><partition>/m</partition></resource><cputune><shares>7</shares></cputune>",
    "  <cputune>\n"
    "    <shares>7</shares>\n"
    "  </cputune>\n"
    "  <resource>\n"
    "    <partition>/m</partition>\n"
    "  </resource>\n" },
  { "qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0", "",
    "<qemu:commandline><qemu:arg value=\"-foo\"/></qemu:commandline>",
    "  <qemu:commandline>\n"
    "    <qemu:arg value='-foo'/>\n"
    "  </qemu:commandline>\n" },
  { "qemu' xmlns:ns0='http://libvirt.org/schemas/domain/qemu/1.0", "",
    "<ns0:commandline><ns0:arg value='-foo'/></ns0:commandline>",
    "  <qemu:commandline>\n    <qemu:arg value='-foo'/>\n  </qemu:commandline>\n" },
  { "qemu", "", "<description></description><features/>", "<clock offset='utc'/>" },
};

static void
documents_are_completed_as_libvirt_completes_them (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (completed); i++) {
    g_autofree char *document = machine (completed[i].type, completed[i].os, completed[i].more);
    g_autoptr (DomainDef) def = parse (document, 0);
    g_autofree char *xml = domain_def_to_xml (def, 0);

    if (strstr (xml, completed[i].expected) == NULL)
      assert_string_equal (xml, completed[i].expected); /* fails, and shows both */
  }
}

static void
a_second_round_changes_nothing (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (completed); i++) {
    g_autofree char *document = machine (completed[i].type, completed[i].os, completed[i].more);
    g_autoptr (DomainDef) def = parse (document, 0);
    g_autofree char *first = domain_def_to_xml (def, 0);
    g_autoptr (DomainDef) again = parse (first, DOMAIN_READ_NO_SCHEMA);
    g_autofree char *second = domain_def_to_xml (again, 0);
    g_autofree char *difference = field_compare (&domain_table, def, again, 0);

    assert_string_equal (first, second);
    assert_null (difference);
  }
}

static void
a_copy_is_equal_and_stands_alone (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (completed); i++) {
    g_autofree char *document = machine (completed[i].type, completed[i].os, completed[i].more);
    DomainDef *def = parse (document, 0);
    g_autofree char *before = domain_def_to_xml (def, 0);
    g_autoptr (DomainDef) copy = domain_def_copy (def);
    g_autofree char *after = NULL;

    domain_def_unref (def);
    after = domain_def_to_xml (copy, 0);
    assert_string_equal (before, after);
  }
}

static void
a_definition_lives_as_long_as_its_last_reference (void **state G_GNUC_UNUSED)
{
  g_autofree char *document = machine ("qemu", "", "");
  DomainDef *def = parse (document, 0);

  assert_ptr_equal (domain_def_ref (def), def);
  domain_def_unref (def);
  assert_string_equal (def->name, "web");
  domain_def_unref (def);
}

static void
what_is_chosen_is_well_formed_and_new_each_time (void **state G_GNUC_UNUSED)
{
  const char *document = "<domain type='qemu'><name>web</name><memory>65536</memory><genid/>"
                         "<os><type>hvm</type></os></domain>";
  g_autoptr (DomainDef) one = parse (document, 0);
  g_autoptr (DomainDef) other = parse (document, 0);
  guint8 bytes[UUID_BYTES];

  assert_true (uuid_parse (one->uuid, bytes));
  assert_true (uuid_parse (one->genid, bytes));
  assert_string_not_equal (one->uuid, other->uuid);
  assert_string_not_equal (one->genid, other->genid);
  assert_string_equal (one->os.machine, "pc-i440fx-7.2");
  assert_true (domain_def_is_i440fx (one));
  assert_false (domain_def_is_q35 (one));
}

static void
a_type_we_do_not_run_is_kept_as_it_is (void **state G_GNUC_UNUSED)
{
  const char *document = "<domain type='lxc'>\n"
                         "  <name>box</name>\n"
                         "  <uuid>" UUID "</uuid>\n"
                         "  <memory unit='KiB'>65536</memory>\n"
                         "  <currentMemory unit='KiB'>65536</currentMemory>\n"
                         "  <vcpu placement='static'>1</vcpu>\n"
                         "  <os>\n"
                         "    <type arch='x86_64'>exe</type>\n"
                         "    <init>/sbin/init</init>\n"
                         "    <initarg>one</initarg>\n"
                         "    <initarg>two</initarg>\n"
                         "    <initenv name='A'>b</initenv>\n"
                         "  </os>\n"
                         "  <clock offset='utc'/>\n"
                         "  <on_poweroff>destroy</on_poweroff>\n"
                         "  <on_reboot>restart</on_reboot>\n"
                         "  <on_crash>destroy</on_crash>\n"
                         "</domain>\n";
  g_autoptr (DomainDef) def = parse (document, 0);
  g_autofree char *xml = domain_def_to_xml (def, 0);

  assert_string_equal (xml, document);
}

static void
parts_without_meaning_here_are_listed (void **state G_GNUC_UNUSED)
{
  g_autofree char *document =
      machine ("qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0", "<kernel>/k</kernel>",
               "<cputune><shares>7</shares></cputune><bootloader>/b</bootloader>"
               "<cpu mode='host-model'><numa><cell cpus='0' memory='65536'><cache level='1' "
               "associativity='direct' policy='writeback'><size value='8' unit='KiB'/><line value='5' "
               "unit='B'/></cache></cell></numa></cpu>");
  g_autofree char *plain = machine ("qemu", "", "");
  g_autoptr (DomainDef) def = parse (document, 0);
  g_autoptr (DomainDef) whole = parse (plain, 0);
  g_auto (GStrv) parts = domain_def_unmodelled (def);
  g_auto (GStrv) none = domain_def_unmodelled (whole);
  g_autofree char *list = g_strjoinv (" ", parts);

  assert_string_equal (list, "bootloader");
  assert_int_equal (g_strv_length (none), 0);
}

static void
what_libvirt_adds_by_itself_asks_for_nothing (void **state G_GNUC_UNUSED)
{
  g_autofree char *document =
      machine ("qemu", "",
               "<resource><partition>/machine</partition></resource>"
               "<seclabel type='dynamic' model='dac' relabel='yes'><label>+64055:+64055</label></seclabel>");
  g_autofree char *asking =
      machine ("qemu", "",
               "<bootloader>/b</bootloader>"
               "<seclabel type='static' model='dac' relabel='yes'><label>+1:+1</label></seclabel>");
  g_autoptr (DomainDef) def = parse (document, 0);
  g_autoptr (DomainDef) other = parse (asking, 0);
  g_auto (GStrv) none = domain_def_unmodelled (def);
  g_auto (GStrv) parts = domain_def_unmodelled (other);
  g_autofree char *list = g_strjoinv (" ", parts);

  assert_int_equal (g_strv_length (none), 0);
  assert_string_equal (list, "bootloader");
}

#define WITH_ALIASES                                                                                         \
  "<devices><disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/><alias name='ua-mine'/>"    \
  "</disk><disk type='file'><source file='/b'/><target dev='vdb' bus='virtio'/><alias name='virtio-disk1'/>" \
  "</disk></devices>"

static void
only_the_users_aliases_are_kept_in_a_configuration (void **state G_GNUC_UNUSED)
{
  g_autofree char *document = machine ("qemu' id='7", "", WITH_ALIASES);
  g_autoptr (DomainDef) config = parse (document, 0);
  g_autofree char *xml = domain_def_to_xml (config, DOMAIN_WRITE_LIVE);

  assert_non_null (domain_def_find_alias (config, "ua-mine"));
  assert_null (domain_def_find_alias (config, "virtio-disk1"));
  assert_null (strstr (xml, "id='7'"));
}

/* Lines that only a running machine has. */
static const char *const live_lines[] = {
  "<domain type='qemu' id='7'>",
  "    <console type='pty' tty='/dev/pts/1'>\n      <source path='/dev/pts/1'/>",
  "      <source mode='bind' path='/run/libvirt/qemu/channel/7-web/org.qemu.guest_agent.0'/>",
  "    <graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1'>",
};

static void
a_running_machines_state_keeps_what_it_was_started_with (void **state G_GNUC_UNUSED)
{
  g_autofree char *document =
      machine ("qemu' id='7", "",
               "<devices><serial type='pty'><source path='/dev/pts/1'/></serial>"
               "<console type='pty' tty='/dev/pts/1'><source path='/dev/pts/1'/></console>"
               "<channel type='unix'><source mode='bind' "
               "path='/run/libvirt/qemu/channel/7-web/org.qemu.guest_agent.0'/>"
               "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
               "<graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1'/></devices>");
  g_autoptr (DomainDef) live = parse (document, DOMAIN_READ_LIVE);
  g_autoptr (DomainDef) config = parse (document, 0);
  g_autofree char *shown = domain_def_to_xml (live, DOMAIN_WRITE_LIVE);
  g_autoptr (DomainDef) again = parse (shown, DOMAIN_READ_LIVE | DOMAIN_READ_NO_SCHEMA);
  g_autofree char *shown_again = domain_def_to_xml (again, DOMAIN_WRITE_LIVE);
  g_autofree char *inactive = domain_def_to_xml (config, DOMAIN_WRITE_LIVE);

  assert_string_equal (shown, shown_again);
  for (guint i = 0; i < G_N_ELEMENTS (live_lines); i++) {
    if (strstr (shown, live_lines[i]) == NULL)
      assert_string_equal (shown, live_lines[i]); /* fails, and shows both */
    assert_null (strstr (inactive, live_lines[i]));
  }
}

static void
a_running_machines_state_keeps_its_id_and_aliases (void **state G_GNUC_UNUSED)
{
  g_autofree char *document = machine ("qemu' id='7", "", WITH_ALIASES);
  g_autoptr (DomainDef) live = parse (document, DOMAIN_READ_LIVE);
  g_autofree char *shown = domain_def_to_xml (live, DOMAIN_WRITE_LIVE);
  g_autofree char *inactive = domain_def_to_xml (live, 0);

  assert_int_equal (live->id.value, 7);
  assert_non_null (strstr (shown, "<domain type='qemu' id='7'>"));
  assert_non_null (strstr (shown, "<alias name='virtio-disk1'/>"));
  assert_non_null (strstr (inactive, "<alias name='ua-mine'/>"));
  assert_null (strstr (inactive, "<alias name='virtio-disk1'/>"));
  assert_null (strstr (inactive, "id='7'"));
}

typedef struct {
  const char *more, *other; /* of two machines */
  guint flags;
  const char *difference; /* NULL: none */
} Compared;

static const Compared compared[] = {
  { "<title>a</title>", "<title>b</title>", 0, "title: 'a' and 'b'" },
  { "<title>a</title>", "<title>b</title>", FIELD_COMPARE_ABI, NULL },
  { "<vcpu>1</vcpu>", "<vcpu>2</vcpu>", FIELD_COMPARE_ABI, "vcpu: '1' and '2'" },
  { "", "<features><pae/></features>", FIELD_COMPARE_ABI, "features/pae is in only one of the two" },
};

static void
definitions_are_compared_by_what_the_guest_can_see (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (compared); i++) {
    g_autofree char *document = machine ("qemu", "", compared[i].more);
    g_autofree char *other_document = machine ("qemu", "", compared[i].other);
    g_autoptr (DomainDef) def = parse (document, 0);
    g_autoptr (DomainDef) other = parse (other_document, 0);
    g_autofree char *difference = field_compare (&domain_table, def, other, compared[i].flags);

    if (compared[i].difference == NULL)
      assert_null (difference);
    else
      assert_string_equal (difference, compared[i].difference);
  }
}

static void
without_a_platform_the_document_stays_as_open_as_it_was (void **state G_GNUC_UNUSED)
{
  g_autofree char *document = machine ("qemu", "", "");
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def = domain_def_parse (document, -1, 0, NULL, diagnostics);

  assert_non_null (def);
  assert_string_equal (def->os.machine, "q35");
  assert_null (def->emulator);
  assert_true (domain_def_is_q35 (def));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (documents_are_completed_as_libvirt_completes_them),
    cmocka_unit_test (a_second_round_changes_nothing),
    cmocka_unit_test (a_copy_is_equal_and_stands_alone),
    cmocka_unit_test (a_definition_lives_as_long_as_its_last_reference),
    cmocka_unit_test (what_is_chosen_is_well_formed_and_new_each_time),
    cmocka_unit_test (a_type_we_do_not_run_is_kept_as_it_is),
    cmocka_unit_test (parts_without_meaning_here_are_listed),
    cmocka_unit_test (what_libvirt_adds_by_itself_asks_for_nothing),
    cmocka_unit_test (only_the_users_aliases_are_kept_in_a_configuration),
    cmocka_unit_test (a_running_machines_state_keeps_what_it_was_started_with),
    cmocka_unit_test (a_running_machines_state_keeps_its_id_and_aliases),
    cmocka_unit_test (definitions_are_compared_by_what_the_guest_can_see),
    cmocka_unit_test (without_a_platform_the_document_stays_as_open_as_it_was),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
