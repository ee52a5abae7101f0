/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bad documents: each is a good one with one line changed, and what is said about it is compared in full,
 * with its line and column and libvirt's error code. Line 2 is the name, 3 the memory, 4 the vCPUs, 5 to 7
 * <os>, 8 whatever the case adds, 9 and 10 the devices.
 */

#include "cmocka-glib.h"
#include "domain/domain-def.h"
#include "model-platform.h"

typedef struct {
  const char *label;
  const char *name, *memory, *vcpu, *type, *os, *extra, *devices; /* NULL: as in a good document */
  guint read_flags;
  virErrorNumber code;  /* of the first mistake */
  const char *mistakes; /* every line, without the file's name */
} Mistake;

#define GOOD_NAME   "<name>web</name>"
#define GOOD_MEMORY "<memory unit='MiB'>512</memory>"
#define GOOD_VCPU   "<vcpu>2</vcpu>"
#define GOOD_TYPE   "<type machine='q35'>hvm</type>"
#define DISK(file, target, more) \
  "<disk type='file'><source file='" file "'/><target dev='" target "' bus='virtio'/>" more "</disk>"

static const Mistake mistakes[] = {
  /* What has to be there. */
  { "no name", .name = "", .code = VIR_ERR_NO_NAME, .mistakes = "1:1: error: the domain needs a <name>\n" },
  { "empty name", .name = "<name/>", .code = VIR_ERR_NO_NAME,
    .mistakes = "2:3: error: the domain needs a <name>\n" },
  { "no memory", .memory = "", .code = VIR_ERR_XML_ERROR,
    .mistakes = "1:1: error: Memory size must be specified via <memory> or in the <numa> configuration\n" },
  { "memory of 0", .memory = "<memory>0</memory>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "3:3: error: Memory size must be specified via <memory> or in the <numa> configuration\n" },
  { "no OS type", .type = "", .code = VIR_ERR_XML_ERROR,
    .mistakes = "5:3: error: an os <type> must be specified\n" },

  /* Names that are nearly right. */
  { "misspelt element", .vcpu = "<vpcu>2</vpcu>", .code = VIR_ERR_XML_INVALID_SCHEMA,
    .mistakes = "4:3: error: unknown element 'vpcu' in element 'domain': did you mean 'vcpu'?\n" },
  { "misspelt attribute", .memory = "<memory unti='MiB'>512</memory>", .code = VIR_ERR_XML_INVALID_SCHEMA,
    .mistakes = "3:11: error: unknown attribute 'unti' in element 'memory': did you mean 'unit'?\n" },
  { "misspelt device", .devices = "<interfaces type='user'/>", .code = VIR_ERR_XML_INVALID_SCHEMA,
    .mistakes =
        "9:12: error: unknown element 'interfaces' in element 'devices': did you mean 'interface'?\n" },
  { "misspelt machine", .type = "<type machine='q36'>hvm</type>", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "6:11: error: Emulator '" TEST_EMULATOR
                "' does not support machine type 'q36': did you mean 'q35'?\n" },
  { "machine like none", .type = "<type machine='vax'>hvm</type>", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes =
        "6:11: error: Emulator '" TEST_EMULATOR
        "' does not support machine type 'vax': expected one of its 6 types, such as 'q35' or 'pc'\n" },
  { "architecture like none", .type = "<type arch='z80'>hvm</type>", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "6:11: error: Unknown architecture z80: expected one such as 'x86_64' or 'i686'\n" },
  { "element said twice", .extra = GOOD_VCPU, .code = VIR_ERR_XML_INVALID_SCHEMA,
    .mistakes = "8:3: error: element 'vcpu' is not expected here in element 'domain': it was said before, "
                "in line 4\n" },

  /* Values. */
  { "word", .extra = "<on_poweroff>restrat</on_poweroff>", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "8:3: error: Invalid value for element 'on_poweroff': 'restrat' (did you mean 'restart'? "
                "accepted: 'destroy', 'restart', 'preserve', 'rename-restart', 'coredump-destroy' or "
                "'coredump-restart')\n" },
  { "number", .vcpu = "<vcpu>two</vcpu>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "4:3: error: Invalid value for element 'vcpu': 'two' (expected a whole number from 1 to "
                "65535)\n" },
  { "UUID", .extra = "<uuid>1234</uuid>", .code = VIR_ERR_INTERNAL_ERROR,
    .mistakes = "8:3: error: Invalid value for element 'uuid': '1234' (expected a UUID: 32 hexadecimal "
                "digits, with dashes as 8-4-4-4-12 or without)\n" },
  { "memory unit", .memory = "<memory unit='MBB'>1</memory>", .code = VIR_ERR_INVALID_ARG,
    .mistakes = "3:11: error: unknown suffix 'MBB' as unit of <memory>: expected b, KiB, MiB, GiB, TiB, KB, "
                "MB, GB or TB\n" },
  { "state of a feature", .extra = "<features><pmu state='maybe'/></features>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:18: error: Invalid value for attribute 'state' in element 'pmu': 'maybe' (accepted: 'on' "
                "or 'off')\n" },
  { "state that must be said", .extra = "<features><hyperv><relaxed/></hyperv></features>",
    .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:21: error: Missing required attribute 'state' in element 'relaxed'\n" },
  { "users without groups", .extra = "<idmap><uid start='0' target='1000' count='10'/></idmap>",
    .code = VIR_ERR_CONFIG_UNSUPPORTED, .mistakes = "8:3: error: uid and gid should be mapped both\n" },
  { "groups without root",
    .extra = "<idmap><uid start='0' target='1' count='1'/><gid start='1' target='1' count='1'/></idmap>",
    .code = VIR_ERR_CONFIG_UNSUPPORTED, .mistakes = "8:3: error: You must map the root user of container\n" },
  { "map without end", .extra = "<idmap><uid start='0' target='1'/></idmap>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:10: error: Missing required attribute 'count' in element 'uid'\n" },
  { "throttle groups",
    .extra = "<throttlegroups><throttlegroup><group_name>a</group_name></throttlegroup>"
             "<throttlegroup><total_bytes_sec>5</total_bytes_sec><read_bytes_sec>5</read_bytes_sec>"
             "<group_name>a</group_name></throttlegroup><throttlegroup/></throttlegroups>",
    .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:91: error: total and read/write bytes_sec cannot be set at the same time\n"
                "8:161: error: duplicate group name 'a' found\n"
                "8:203: error: missing group name\n" },
  { "clock adjustment", .extra = "<clock offset='utc' adjustment='later'/>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:23: error: Invalid value for attribute 'adjustment' in element 'clock': 'later' (expected "
                "'reset' or a number of seconds, which may be negative)\n" },
  { "attribute of another form", .extra = "<clock offset='utc' timezone='Europe/Paris'/>",
    .code = VIR_ERR_XML_INVALID_SCHEMA,
    .mistakes = "8:23: error: attribute 'timezone' does not belong to this form of element 'clock': "
                "with offset='utc' it has 'offset' and 'adjustment'\n" },
  { "architecture", .type = "<type arch='x86-64'>hvm</type>", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "6:11: error: Unknown architecture x86-64: did you mean 'x86_64'?\n" },
  { "architecture without emulator", .type = "<type arch='sparc'>hvm</type>",
    .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "6:11: error: No emulator found for arch 'sparc': install the QEMU system emulator for it, "
                "or name one in <emulator>\n" },

  { "relative path", .os = "<kernel>vmlinuz</kernel>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "7:3: error: Invalid value for element 'kernel': 'vmlinuz' (expected an absolute path)\n" },

  /* Names of the machine. */
  { "slash in the name", .name = "<name>a/b</name>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "2:3: error: name a/b cannot contain '/'\n" },
  { "line break in the title", .extra = "<title>a&#10;b</title>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:3: error: Domain title can't contain newlines\n" },

  /* What does not go together. */
  { "more vCPUs than the machine has", .vcpu = "<vcpu>300</vcpu>", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "4:3: error: Maximum CPUs greater than specified machine type limit 288\n" },
  { "more vCPUs on than there are", .vcpu = "<vcpu current='3'>2</vcpu>", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes =
        "4:9: error: maximum vCPU count must not be less than current vCPU count: 2 is less than 3\n" },
  { "vCPU beyond", .extra = "<vcpus><vcpu id='0' enabled='yes'/><vcpu id='2' enabled='no'/></vcpus>",
    .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:44: error: vcpu id '2' is out of range of maximum vcpu count: from 0 to 1\n" },
  { "first vCPU off", .extra = "<vcpus><vcpu id='0' enabled='no'/><vcpu id='1' enabled='yes'/></vcpus>",
    .code = VIR_ERR_CONFIG_UNSUPPORTED, .mistakes = "8:23: error: vcpu 0 can't be offline\n" },
  { "vCPU off for ever", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .extra = "<vcpus><vcpu id='0' enabled='yes'/><vcpu id='1' enabled='no' hotpluggable='no'/></vcpus>",
    .mistakes = "8:64: error: vcpu '1' is both offline and not hotpluggable\n" },
  { "vCPU without order", .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .extra = "<vcpus><vcpu id='0' enabled='yes' order='1'/><vcpu id='1' enabled='yes'/></vcpus>",
    .mistakes = "8:54: error: all vcpus must have either set or unset order\n" },
  { "topology", .extra = "<cpu><topology sockets='1' cores='4' threads='1'/></cpu>",
    .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "8:18: error: CPU topology doesn't match maximum vcpu count: sockets × dies × clusters × "
                "cores × threads make 4, but <vcpu> says 2\n" },
  { "CPU feature twice",
    .extra = "<cpu><model>qemu64</model><feature name='vmx'/><feature name='vmx'/></cpu>",
    .code = VIR_ERR_XML_ERROR, .mistakes = "8:59: error: CPU feature 'vmx' specified more than once\n" },
  { "CPU features of no model", .extra = "<cpu><feature name='vmx'/></cpu>", .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:8: error: Non-empty feature list specified without CPU model\n" },
  { "poweroff that dumps core", .extra = "<on_poweroff>coredump-destroy</on_poweroff>",
    .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "8:3: error: Lifecycle event 'poweroff' doesn't support 'coredump-destroy' action\n" },
  { "UEFI without ACPI", .os = "<loader readonly='yes' type='pflash'>/x.fd</loader>",
    .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "7:3: error: UEFI requires ACPI on this architecture: add <acpi/> to <features>\n" },
  { "NVRAM without firmware", .os = "<nvram>/n.fd</nvram>", .code = VIR_ERR_XML_DETAIL,
    .mistakes = "7:3: error: no loader path specified and firmware auto selection disabled\n" },
  { "Hyper-V spinlocks", .extra = "<features><hyperv><spinlocks state='on' retries='9'/></hyperv></features>",
    .code = VIR_ERR_XML_ERROR,
    .mistakes = "8:43: error: HyperV spinlock retry count must be at least 4095, not 9\n" },
  { "I/O thread twice", .extra = "<iothreadids><iothread id='2'/><iothread id='2'/></iothreadids>",
    .code = VIR_ERR_XML_ERROR, .mistakes = "8:44: error: duplicate iothread id '2' found\n" },
  { "disk target twice", .devices = DISK ("/a", "vda", "") DISK ("/b", "vda", ""), .code = VIR_ERR_XML_ERROR,
    .mistakes = "9:133: error: target 'vda' duplicated for disk sources '/a' and '/b'\n" },
  { "both ways to order boots", .os = "<boot dev='hd'/>", .devices = DISK ("/a", "vda", "<boot order='1'/>"),
    .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "9:87: error: per-device boot elements cannot be used together with os/boot elements\n" },
  { "boot order twice",
    .devices = DISK ("/a", "vda", "<boot order='1'/>") DISK ("/b", "vdb", "<boot order='1'/>"),
    .code = VIR_ERR_CONFIG_UNSUPPORTED,
    .mistakes = "9:180: error: boot order '1' used for more than one device: disk 'vdb' is the second\n" },
  { "alias twice",
    .devices = DISK ("/a", "vda", "<alias name='ua-x'/>") DISK ("/b", "vdb", "<alias name='ua-x'/>"),
    .code = VIR_ERR_CONFIG_UNSUPPORTED, .mistakes = "9:184: error: non unique alias detected: ua-x\n" },
  { "MAC twice, which is allowed",
    .devices = "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
               "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>",
    .mistakes =
        "9:109: warning: MAC address 52:54:00:00:00:01 is that of another interface of this machine\n" },

  /* All of a document's mistakes at once, in its order. */
  { "three at once", .name = "<nmae>web</nmae>", .vcpu = "<vcpu>0</vcpu>",
    .extra = "<on_crash>never</on_crash>", .code = VIR_ERR_XML_INVALID_SCHEMA,
    .mistakes =
        "2:3: error: unknown element 'nmae' in element 'domain': did you mean 'name'?\n"
        "4:3: error: Invalid value for element 'vcpu': '0' (expected a whole number from 1 to 65535)\n"
        "8:3: error: Invalid value for element 'on_crash': 'never' (accepted: 'destroy', 'restart', "
        "'preserve', 'rename-restart', 'coredump-destroy' or 'coredump-restart')\n" },

  /* Unknown names are let through for old clients, bad values are not. */
  { "unknown element, lax", .extra = "<future feature='1'/>", .read_flags = DOMAIN_READ_LAX,
    .mistakes = "8:3: warning: unknown element 'future' in element 'domain'\n" },
  { "unknown device, lax", .devices = "<teleporter/>", .read_flags = DOMAIN_READ_LAX,
    .mistakes = "9:12: warning: unknown element 'teleporter' in element 'devices': there is no such kind of "
                "device\n" },
  { "bad value, lax", .vcpu = "<vcpu>two</vcpu>", .read_flags = DOMAIN_READ_LAX, .code = VIR_ERR_XML_ERROR,
    .mistakes = "4:3: error: Invalid value for element 'vcpu': 'two' (expected a whole number from 1 to "
                "65535)\n" },
};

static const char *
or_good (const char *given, const char *good)
{
  return given != NULL ? given : good;
}

static char *
document_of (const Mistake *mistake)
{
  return g_strdup_printf (
      "<domain type='qemu'>\n  %s\n  %s\n  %s\n  <os>%s%s\n  %s</os>\n  %s\n  <devices>%s\n"
      "  </devices>\n</domain>\n",
      or_good (mistake->name, GOOD_NAME), or_good (mistake->memory, GOOD_MEMORY),
      or_good (mistake->vcpu, GOOD_VCPU), or_good (mistake->type, GOOD_TYPE)[0] != '\0' ? "\n    " : "\n",
      or_good (mistake->type, GOOD_TYPE), or_good (mistake->os, ""), or_good (mistake->extra, ""),
      or_good (mistake->devices, ""));
}

/* Without "web.xml:" at each line's start. */
static char *
said_of (const Diagnostics *diagnostics)
{
  g_autofree char *text = diagnostics_to_text (diagnostics);
  g_auto (GStrv) lines = g_strsplit (text, "web.xml:", -1);

  return g_strjoinv ("", lines);
}

static void
every_mistake_is_named_with_its_place (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    const Mistake *mistake = &mistakes[i];
    g_autofree char *document = document_of (mistake);
    g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
    g_autoptr (DomainDef) def =
        domain_def_parse (document, -1, mistake->read_flags, &test_platform, diagnostics);
    g_autoptr (GError) error = NULL;
    g_autofree char *said = said_of (diagnostics);

    diagnostics_check (diagnostics, &error);
    if (!g_str_equal (said, mistake->mistakes) || (error != NULL && virt_error_code (error) != mistake->code))
      print_error ("in case '%s':\n%s", mistake->label, document);
    assert_string_equal (said, mistake->mistakes);
    assert_int_equal (error != NULL ? virt_error_code (error) : VIR_ERR_OK, mistake->code);
    assert_int_equal (def != NULL, mistake->code == VIR_ERR_OK);
  }
}

typedef struct {
  const char *label, *document;
  virErrorNumber code;
  const char *mistakes;
} WrongDocument;

static const WrongDocument wrong_documents[] = {
  { "another root", "<network/>", VIR_ERR_XML_ERROR,
    "1:1: error: expecting root element of 'domain', not 'network'\n" },
  { "unknown type", "<domain type='kvn'><name>a</name><memory>1</memory><os><type>hvm</type></os></domain>",
    VIR_ERR_CONFIG_UNSUPPORTED,
    "1:9: error: invalid domain type kvn (did you mean 'kvm'? accepted: 'qemu', 'kvm', 'kqemu', 'xen', "
    "'lxc', "
    "'uml', 'openvz', 'test', 'vmware', 'hyperv', 'vbox', 'phyp', 'vz', 'bhyve' or 'hvf')\n" },
  { "no type", "<domain><name>a</name><memory>1</memory><os><type>hvm</type></os></domain>",
    VIR_ERR_INTERNAL_ERROR, "1:1: error: Missing required attribute 'type' in element 'domain'\n" },
};

static void
documents_of_another_kind_are_refused (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong_documents); i++) {
    const WrongDocument *wrong = &wrong_documents[i];
    g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
    g_autoptr (DomainDef) def = domain_def_parse (wrong->document, -1, 0, &test_platform, diagnostics);
    g_autofree char *said = said_of (diagnostics);

    assert_null (def);
    assert_string_equal (said, wrong->mistakes);
    assert_int_equal (diagnostics_get (diagnostics, 0)->code, wrong->code);
  }
}

static void
a_document_that_is_not_well_formed_is_refused (void **state G_GNUC_UNUSED)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");

  assert_null (domain_def_parse ("<domain><name>", -1, 0, &test_platform, diagnostics));
  assert_true (diagnostics_has_errors (diagnostics));
  assert_int_equal (diagnostics_get (diagnostics, 0)->code, VIR_ERR_XML_DETAIL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (every_mistake_is_named_with_its_place),
    cmocka_unit_test (documents_of_another_kind_are_refused),
    cmocka_unit_test (a_document_that_is_not_well_formed_is_refused),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
