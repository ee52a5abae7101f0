/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the schemas accept, and where they say a refused document is wrong. */
#include "cmocka-glib.h"
#include "document/schema.h"

#include <string.h>

static gboolean
validate (const char *text, char **ret_lines)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);
  gboolean valid;

  assert_non_null (document);
  valid = schema_validate (document, diagnostics);
  assert_int_equal (valid, !diagnostics_has_errors (diagnostics));
  *ret_lines = diagnostics_to_text (diagnostics);
  return valid;
}

/* Each stands alone in <domain type='kvm'><name>web</name>...</domain> or in its <devices>. */
static const char *const good_parts[] = {
  "",
  "<uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid><genid/>",
  "<genid>c7a5fdbdedaf9455926ad65c16db1809</genid>",
  "<title>t</title><description>d\nd</description><metadata><x:a xmlns:x='u' b='c'><d/>e</x:a></metadata>",
  "<memory unit='GiB' dumpCore='off'>4</memory><currentMemory>1024</currentMemory>",
  "<maxMemory slots='16' unit='KiB'>1524288</maxMemory>",
  "<vcpu placement='static' cpuset='1-4,^3,6' current='1'>2</vcpu><iothreads>4</iothreads>",
  "<os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><firmware><feature enabled='no' "
  "name='secure-boot'/></firmware><boot dev='cdrom'/><boot dev='hd'/><bootmenu enable='yes' "
  "timeout='3000'/><smbios mode='sysinfo'/><bios useserial='yes' rebootTimeout='-1'/></os>",
  "<os><loader readonly='yes' secure='no' "
  "type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader><type>hvm</type><nvram template='/a' "
  "format='raw'>/b</nvram></os>",
  "<os><type>hvm</type><nvram type='file'><source file='/x'/></nvram></os>",
  "<os><type>hvm</type><kernel>/k</kernel><initrd>/i</initrd><cmdline>console=ttyS0 "
  "x='y'</cmdline><acpi><table type='slic'>/s</table></acpi></os>",
  "<features><acpi/><apic eoi='on'/><pae/><vmport state='off'/><smm state='on'><tseg "
  "unit='MiB'>48</tseg></smm><kvm><hidden state='on'/></kvm><hyperv mode='custom'><relaxed "
  "state='on'/><spinlocks state='on' retries='8191'/><stimer state='on'><direct "
  "state='on'/></stimer></hyperv><ioapic driver='kvm'/></features>",
  "<features><hyperv mode='passthrough'/><kvm/></features>",
  "<features><hap/><pmu/><capabilities policy='default'><mknod state='on'/></capabilities></features>",
  "<cpu mode='custom' match='exact' check='partial'><model "
  "fallback='forbid'>Skylake-Client</model><vendor>Intel</vendor><topology sockets='1' dies='1' cores='2' "
  "threads='1'/><feature policy='require' name='vmx'/><feature policy='disable' name='hle'/></cpu>",
  "<cpu><numa><cell id='0' cpus='0-3' memory='512000' unit='KiB'/><cell id='1' memory='1'/></numa></cpu>",
  "<cpu mode='host-passthrough' migratable='off'><cache mode='passthrough'/><maxphysaddr mode='emulate' "
  "bits='42'/></cpu>",
  "<clock offset='utc'><timer name='rtc' tickpolicy='catchup' track='guest'><catchup threshold='123' "
  "slew='120' limit='10000'/></timer><timer name='pit' tickpolicy='delay'/><timer name='hpet' "
  "present='no'/><timer name='tsc' frequency='1' mode='native'/><timer name='kvmclock' "
  "present='yes'/></clock>",
  "<clock offset='variable' adjustment='-3600' basis='localtime'/>",
  "<clock offset='timezone' timezone='Europe/Paris'/>",
  "<clock offset='absolute' start='0'/>",
  "<on_crash>coredump-restart</on_crash><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>",
  "<pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='yes'/></pm>",
  "<cputune><vcpupin vcpu='0' cpuset='1'/></cputune><memoryBacking><hugepages/></memoryBacking>",
  "<sysinfo type='smbios'><bios><entry name='vendor'>x</entry></bios></sysinfo><sysinfo type='fwcfg'/>",
  "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-x'/></q:commandline>",
};

static const char *const good_devices[] = {
  "<emulator>/usr/bin/qemu-system-x86_64</emulator>",
  "<disk><source file='/a'/><target dev='vda'/></disk>",
  "<disk type='file' device='cdrom'><target dev='sda' bus='sata' tray='open'/><readonly/><driver name='qemu' "
  "type='raw' cache='none' io='native' discard='unmap' iothread='1'/><boot order='1'/><alias "
  "name='ua-cd'/><address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>",
  "<disk type='block' device='lun' sgio='unfiltered'><driver name='qemu' type='raw'/><source "
  "dev='/dev/sda'><reservations managed='yes'/></source><target dev='sda' bus='scsi'/><serial>a "
  "b</serial><shareable/><wwn>0x5000c50015ea71ac</wwn><vendor>v</vendor><product>p</"
  "product><iotune><total_bytes_sec>1</total_bytes_sec></iotune></disk>",
  "<disk type='network'><driver name='qemu' type='raw'/><source protocol='nbd' name='x'><host name='h' "
  "port='1'/></source><target dev='vda' bus='virtio'/><backingStore/></disk>",
  "<controller type='pci' index='0' model='pcie-root'><pcihole64 unit='KiB'>1</pcihole64></controller>",
  "<controller type='pci' index='1' model='pcie-root-port'><model name='pcie-root-port'/><target chassis='1' "
  "port='0x10' hotplug='off'/><address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0' "
  "multifunction='on'/></controller>",
  "<controller type='usb' index='0' model='ich9-uhci1'><master startport='0'/></controller>",
  "<controller type='scsi' index='0' model='virtio-scsi'><driver queues='4' iommu='on'/></controller>",
  "<controller type='virtio-serial' index='0' ports='16' vectors='4'/><controller type='sata'/>",
  "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/><link "
  "state='down'/><backend type='passt' logFile='/l'/><portForward proto='tcp'><range start='2022' "
  "to='22'/></portForward><rom bar='off'/><alias name='net0'/><mtu size='1500'/></interface>",
  "<interface type='bridge'><source bridge='br0'/><target dev='vnet0'/><filterref "
  "filter='clean-traffic'/><vlan><tag id='42'/></vlan><bandwidth><inbound average='1000' peak='5000' "
  "burst='1024'/></bandwidth><driver name='vhost' queues='4'><host csum='off' gso='off'/><guest "
  "tso4='off'/></driver></interface>",
  "<interface type='network'><source network='default'/></interface>",
  "<interface type='ethernet'><ip address='10.0.0.1' prefix='24'/><target dev='tap0' "
  "managed='no'/></interface>",
  "<interface type='direct'><source dev='eth0' mode='bridge'/></interface><interface type='null'/>",
  "<serial type='pty'><target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>",
  "<serial type='file'><source path='/l' append='on'/><log file='/m' append='off'/></serial>",
  "<serial type='udp'><source mode='bind' host='a' service='1'/><source mode='connect' host='b' "
  "service='2'/></serial>",
  "<parallel type='tcp'><source mode='connect' host='h' service='1'><reconnect enabled='yes' "
  "timeout='1'/></source><protocol type='telnet'/><target port='0'/></parallel>",
  "<console type='pty' tty='/dev/pts/1'><target type='virtio' port='0'/></console><console/>",
  "<console tty='/dev/pts/1'/>",
  "<channel type='unix'><source mode='bind' path='/s'/><target type='virtio' name='org.qemu.guest_agent.0' "
  "state='connected'/><address type='virtio-serial' controller='0' bus='0' port='1'/></channel>",
  "<channel type='pipe'><source path='/p'/><target type='guestfwd' address='10.0.2.1' "
  "port='4600'/></channel>",
  "<input type='tablet' bus='usb'><address type='usb' bus='0' port='1.2'/></input><input type='mouse'/>",
  "<input type='passthrough' bus='virtio'><source evdev='/dev/input/event1'/></input>",
  "<input type='evdev'><source dev='/dev/input/event1' grab='all' repeat='on'/></input>",
  "<graphics type='vnc' port='-1' autoport='yes' websocket='-1' listen='127.0.0.1' passwd='x' keymap='de' "
  "sharePolicy='force-shared'><listen type='address' address='127.0.0.1'/></graphics>",
  "<graphics type='vnc' socket='/s'><listen type='socket' socket='/s'/></graphics>",
  "<graphics type='spice' tlsPort='-1' autoport='yes'><channel name='main' mode='secure'/><listen "
  "type='none'/><image compression='off'/><gl enable='yes' rendernode='/dev/dri/renderD128'/></graphics>",
  "<graphics type='sdl' display=':0'/><graphics type='egl-headless'/><graphics type='dbus' p2p='yes'/>",
  "<video><model type='virtio' heads='1' primary='yes'><acceleration accel3d='yes'/></model><address "
  "type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/></video>",
  "<video><driver name='vhostuser'/><model type='qxl' ram='65536' vram='65536' vgamem='16384' "
  "heads='1'><resolution x='800' y='600'/></model></video>",
  "<sound model='ich9'><codec type='micro'/><audio id='1'/></sound><audio id='1' type='none'/>",
  "<audio id='1' type='pulseaudio' serverName='s'><input mixingEngine='yes'><settings frequency='44100' "
  "channels='2' format='s16'/></input><output bufferLength='20'/></audio>",
  "<memballoon model='virtio' autodeflate='on' freePageReporting='on'><stats period='10'/><driver "
  "iommu='on'/></memballoon>",
  "<rng model='virtio'><backend model='random'>/dev/urandom</backend><rate bytes='1024' "
  "period='1000'/></rng>",
  "<rng model='virtio'><backend model='egd' type='udp'><source mode='bind' service='1'/></backend></rng>",
  "<rng model='virtio-transitional'><backend model='builtin'/></rng>",
  "<watchdog model='itco' action='reset'/><watchdog model='i6300esb'/>",
  "<panic model='isa'><address type='isa' iobase='0x505'/></panic><panic/>",
  "<hub type='usb'/><hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product "
  "id='0xbeef'/></source></hostdev>",
  "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio' "
  "model='mlx5_vfio_pci'/><source><address domain='0' bus='6' slot='0x12' function='5'/></source><rom "
  "bar='off'/></hostdev>",
  "<hostdev type='scsi' rawio='yes'><source><adapter name='scsi_host0'/><address bus='0' target='0' "
  "unit='0'/></source><readonly/></hostdev>",
  "<hostdev type='scsi_host' model='virtio'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>",
  "<hostdev type='mdev' model='vfio-pci' display='on' ramfb='on'><source><address "
  "uuid='53764d0e-85a0-42b4-af5c-2046b460b1dc'/></source></hostdev>",
  "<hostdev mode='capabilities' type='misc'><source><char>/dev/null</char></source></hostdev>",
  "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm><vsock model='virtio'/>",
};

/* What is wrong, and where: the part begins at column 34 of the line (a device: at 43). */
static const struct {
  const char *part, *line;
} bad_parts[] = {
  { "<nosuch/>", "f:1:34: error: unknown element 'nosuch' in element 'domain'\n" },
  { "<vcpu>x</vcpu>",
    "f:1:34: error: <vcpu> cannot have the value 'x': accepted: a whole number from 1 to 65535\n" },
  { "<vcpu/><vcpu/>",
    "f:1:41: error: <vcpu> is there more than once in <domain>: it was said before, in line 1\n" },
  { "<uuid>c7a5</uuid>", "f:1:34: error: <uuid> cannot have the value 'c7a5': accepted: a UUID\n" },
  { "<memory unti='MiB'>1</memory>",
    "f:1:42: error: unknown attribute 'unti' in element 'memory': did you mean 'unit'?\n" },
  { "<memory>-1</memory>", NULL },
  { "<features><hyperv mode='passthrough'><vapic state='on'/></hyperv></features>", NULL },
  { "<features><acpi/><akpi/></features>", "f:1:51: error: unknown element 'akpi' in element 'features'\n" },
  { "<features><smm state='maybe'/></features>",
    "f:1:49: error: <smm> cannot have the attribute state='maybe' here: accepted: 'on' or 'off'\n" },
  { "<clock offset='utc' timezone='x'/>",
    "f:1:54: error: <clock> cannot have the attribute timezone='x' beside offset='utc'\n" },
  { "<clock offset='utc'><timer name='hpet' frequency='1'/></clock>",
    "f:1:73: error: <timer> cannot have the attribute frequency='1' beside name='hpet'\n" },
  { "<os><type>hvm</type><boot dev='disk'/></os>",
    "f:1:60: error: <boot> cannot have the attribute dev='disk' here: accepted: 'hd', 'fd', 'cdrom' or "
    "'network'\n" },
  { "<cpu mode='host'/>", "f:1:39: error: <cpu> cannot have the attribute mode='host' here: accepted: "
                          "'custom', 'host-model', 'host-passthrough' or 'maximum'\n" },
  { "<on_crash>explode</on_crash>", NULL },
  { "<vcpu>x</vcpu><iothreads>y</iothreads>",
    "f:1:34: error: <vcpu> cannot have the value 'x': accepted: a whole number from 1 to 65535\nf:1:48: "
    "error: <iothreads> cannot have the value 'y': accepted: a whole number\n" },
  { "<os><type>hvm</type><kernel></kernel><initrd>a</initrd></os>",
    "f:1:54: error: <kernel> cannot have the value '': accepted: an absolute path\nf:1:71: error: <initrd> "
    "cannot have the value 'a': accepted: an absolute path\n" },
};

static const struct {
  const char *device, *line;
} bad_devices[] = {
  { "<dsk/>", "f:1:43: error: unknown element 'dsk' in element 'devices': did you mean 'disk'?\n" },
  { "<disk><source file='/a'/><target dev='vda' bus='virtoi'/></disk>",
    "f:1:86: error: <target> cannot have the attribute bus='virtoi' here: did you mean 'virtio'? accepted: "
    "'ide', 'fdc', 'scsi', 'virtio', 'xen', 'usb', 'uml', 'sata' or 'sd'\n" },
  { "<disk><source file='/a'/></disk>", "f:1:43: error: <disk> lacks <target>\n" },
  { "<disk><source file='/a'/><target dev='vda'/><serial></serial></disk>",
    "f:1:87: error: <serial> cannot have the value '': accepted: a text of the form [A-Za-z0-9_\\.\\+\\- "
    "]+\n" },
  { "<disk type='block'><source file='/a'/><target dev='vda'/></disk>", NULL },
  { "<video><model type='virtio' haeds='1'/></video>",
    "f:1:71: error: unknown attribute 'haeds' in element 'model': did you mean 'heads'?\n" },
  { "<video><model type='virtio' ram='1'/></video>",
    "f:1:71: error: <model> cannot have the attribute ram='1' beside type='virtio'\n" },
  { "<graphics type='sdl' port='1'/>",
    "f:1:64: error: <graphics> cannot have the attribute port='1' beside type='sdl'\n" },
  { "<memballoon model='virtio'><address type='pci' slot='0x41'/></memballoon>",
    "f:1:90: error: <address> cannot have the attribute slot='0x41' here: accepted: a text of the form "
    "(0x)?[0-1]?[0-9a-fA-F] or a whole number from 0 to 31\n" },
  { "<memballoon model='virtio'><address type='pci' unit='0'/></memballoon>",
    "f:1:90: error: <address> cannot have the attribute unit='0' beside type='pci'\n" },
  { "<rng model='virtio'><backend model='random'>dev</backend></rng>", NULL },
  { "<interface type='bridge'><source bridge='a'/><mac address='zz'/></interface>", NULL },
  { "<watchdog model='itco'/><watchdog model='x'/>", NULL },
  { "<input type='keyboard' bus='ps2'><source dev='/x'/></input>", NULL },
};

static char *
with_part (const char *part)
{
  return g_strdup_printf ("<domain type='kvm'><name>w</name>%s</domain>", part);
}

static char *
with_device (const char *device)
{
  return g_strdup_printf ("<domain type='kvm'><name>w</name><devices>%s</devices></domain>", device);
}

static void
test_good (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (good_parts) + G_N_ELEMENTS (good_devices); i++) {
    g_autofree char *text = i < G_N_ELEMENTS (good_parts)
                                ? with_part (good_parts[i])
                                : with_device (good_devices[i - G_N_ELEMENTS (good_parts)]);
    g_autofree char *lines = NULL;

    if (!validate (text, &lines))
      fail_msg ("%s\n%s", text, lines);
  }
}

/* Parts and devices may come in any order, and all of them together. */
static void
test_everything_at_once (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) text = g_string_new ("<domain type='qemu' id='1'><devices>");
  g_autofree char *lines = NULL;

  for (guint i = G_N_ELEMENTS (good_devices); i > 0; i--)
    g_string_append (text, good_devices[i - 1]);
  g_string_append (text, "</devices><on_crash>destroy</on_crash><clock offset='utc'/><vcpu>1</vcpu><os><boot "
                         "dev='hd'/><type>hvm</type></os><memory>1</memory><name>web</name></domain>");
  if (!validate (text->str, &lines))
    fail_msg ("%s", lines);
}

static void
assert_refused (const char *text, const char *expected)
{
  g_autofree char *lines = NULL;

  if (validate (text, &lines))
    fail_msg ("accepted: %s", text);
  if (expected != NULL)
    assert_string_equal (lines, expected);
}

static void
test_bad (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_parts); i++) {
    g_autofree char *text = with_part (bad_parts[i].part);

    assert_refused (text, bad_parts[i].line);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad_devices); i++) {
    g_autofree char *text = with_device (bad_devices[i].device);

    assert_refused (text, bad_devices[i].line);
  }
}

static void
test_root (G_GNUC_UNUSED void **state)
{
  assert_refused ("<network/>", "f:1:1: error: <network> is not what the schema allows\n");
  assert_refused ("<domain type='kvm'/>", "f:1:1: error: <domain> lacks <name>\n");
  assert_refused ("<domain><name>a</name></domain>", "f:1:1: error: <domain> lacks the attribute 'type'\n");
  assert_refused ("<domain type='kvn'><name>a</name></domain>", NULL);
  assert_refused ("<domain type='kvm' x='y'><name>a</name></domain>",
                  "f:1:20: error: unknown attribute 'x' in element 'domain': it has 'id'\n");
  assert_refused ("<domain type='kvm' xmlns='urn:x'><name>a</name></domain>", NULL);
}

/* Documents as wide as they may be, and one wider. */
static void
test_wide (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) text = g_string_new ("<domain type='kvm'><name>w</name><devices>\n");
  g_autofree char *lines = NULL;

  for (guint i = 0; i < 2048; i++)
    g_string_append (text, "<panic/>\n");
  g_string_append (text, "</devices></domain>");
  assert_true (validate (text->str, &lines));
  g_string_insert (text, (gssize)(text->len - strlen ("</devices></domain>")), "<panic/>");
  assert_refused (text->str, "f:2050:1: error: <devices> has more than 2048 children\n");
}

/* The search for the mistake ends before it has taken everything away in turn. */
static void
test_search_is_bounded (G_GNUC_UNUSED void **state)
{
  g_autoptr (GString) text =
      g_string_new ("<domain type='kvm'><name>w</name><devices><disk><target dev='vda'/><backenddomain>");

  for (guint i = 0; i < 30; i++) {
    g_string_append (text, "<a>");
    for (guint j = 0; j < 1000; j++)
      g_string_append (text, "<b c='d'/>");
    g_string_append (text, "</a>");
  }
  g_string_append (text, "</backenddomain><nosuch/></disk></devices></domain>");
  assert_refused (text->str, "f:1:300309: error: unknown element 'nosuch' in element 'disk'\n");
}

static void
test_texts (G_GNUC_UNUSED void **state)
{
  const char *const *names = schema_names ();

  assert_true (g_strv_contains (names, "domain.rng"));
  for (; *names != NULL; names++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (*names);
    g_autoptr (XmlDocument) document = xml_document_parse (schema_text (*names), -1, diagnostics);

    assert_non_null (document);
  }
  assert_null (schema_text ("nosuch.rng"));
}

static gpointer
validate_often (G_GNUC_UNUSED gpointer data)
{
  guint right = 0;

  for (guint i = 0; i < 50; i++) {
    g_autofree char *good = with_device (good_devices[i % G_N_ELEMENTS (good_devices)]);
    g_autofree char *bad = with_device (bad_devices[i % G_N_ELEMENTS (bad_devices)].device);
    g_autofree char *good_lines = NULL, *bad_lines = NULL;

    right += validate (good, &good_lines) && !validate (bad, &bad_lines);
  }
  return GUINT_TO_POINTER (right);
}

/* First of all tests: the schema is compiled while several threads ask for it. */
static void
test_threads (G_GNUC_UNUSED void **state)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("validator", validate_often, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    assert_int_equal (GPOINTER_TO_UINT (g_thread_join (threads[i])), 50);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_threads),
    cmocka_unit_test (test_good),
    cmocka_unit_test (test_everything_at_once),
    cmocka_unit_test (test_bad),
    cmocka_unit_test (test_root),
    cmocka_unit_test (test_wide),
    cmocka_unit_test (test_search_is_bounded),
    cmocka_unit_test (test_texts),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
