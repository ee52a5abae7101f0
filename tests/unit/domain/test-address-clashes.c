/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is said of two devices that want one place, and of places that are none: both users, where they stand
 * in the document, and what is free instead. The devices begin on line 5 of the document. */
#include "cmocka-glib.h"

#include "domain/domain-def.h"

#define DOCUMENT                                                  \
  "<domain type='qemu'><name>test</name><memory>65536</memory>\n" \
  "<uuid>7b1fd33a-6a0c-4f29-8d27-1a4c0b6d2f10</uuid>\n"           \
  "<os><type arch='x86_64' machine='%s'>hvm</type></os>\n"        \
  "<devices><controller type='usb' model='qemu-xhci' ports='2'/>\n%s\n</devices>\n</domain>\n"

#define PCI(slot, function) "<address type='pci' bus='0' slot='" slot "' function='" function "'/>"
#define RNG(address)        "<rng model='virtio'><backend model='builtin'/>" address "</rng>\n"
#define DISK(name, address) \
  "<disk type='file'><source file='/" name "'/><target dev='" name "'/>" address "</disk>\n"
#define DRIVE(unit)  "<address type='drive' controller='0' bus='0' target='0' unit='" unit "'/>"
#define TABLET(port) "<input type='tablet' bus='usb'><address type='usb' bus='0' port='" port "'/></input>\n"
#define HOSTDEV(host, address)                                                                       \
  "<hostdev mode='subsystem' type='pci'><source><address bus='" host "' slot='0'/></source>" address \
  "</hostdev>\n"
#define CHANNEL(name, port)                                     \
  "<channel type='pty'><target type='virtio' name='" name "'/>" \
  "<address type='virtio-serial' controller='0' bus='0' port='" port "'/></channel>\n"

typedef struct {
  const char *name, *machine, *devices;
  const char *mistakes; /* all of them, as printed */
} Case;

static const Case cases[] = {
  { "two devices in one slot", "q35", RNG (PCI ("5", "0")) RNG (PCI ("5", "0")),
    "x:6:56: error: Attempted double use of PCI Address 0000:00:05.0: it is used by rng (line 5) and rng "
    "(line 6); "
    "0000:00:01.0 is free\n" },
  { "a device of the host and another", "q35", HOSTDEV ("1", PCI ("5", "0")) RNG (PCI ("5", "0")),
    "x:6:56: error: Attempted double use of PCI Address 0000:00:05.0: it is used by hostdev 'pci "
    "0000:01:00.0' (line 5) and rng (line 6); 0000:00:01.0 is free\n" },
  { "a device where the chipset is", "pc",
    "<video><model type='virtio' heads='1' primary='yes'/>" PCI ("1", "0") "</video>",
    "x:5:63: error: Attempted double use of PCI Address 0000:00:01.0: it is used by video 'virtio' (line 5) "
    "and the "
    "machine's own PIIX3 bridge; 0000:00:02.0 is free\n" },
  { "all clashes in one run", "q35", RNG (PCI ("0x1f", "0")) RNG (PCI ("0x1f", "2")) RNG (PCI ("0x1f", "3")),
    "x:5:56: error: Attempted double use of PCI Address 0000:00:1f.0: it is used by rng (line 5) and the "
    "machine's own "
    "ISA bridge; 0000:00:01.0 is free\n"
    "x:6:56: error: Attempted double use of PCI Address 0000:00:1f.2: it is used by rng (line 6) and the "
    "machine's own "
    "controller sata 0; 0000:00:01.0 is free\n"
    "x:7:56: error: Attempted double use of PCI Address 0000:00:1f.3: it is used by rng (line 7) and the "
    "machine's own "
    "SMBus controller; 0000:00:01.0 is free\n" },
  { "functions of one slot do not clash", "q35", RNG (PCI ("5", "0")) RNG (PCI ("5", "1")), "" },
  { "two disks in one place", "q35", DISK ("sda", DRIVE ("3")) DISK ("sdb", DRIVE ("3")),
    "x:6:68: error: Found duplicate drive address for disk with target name 'sdb' controller='0' bus='0' "
    "target='0' "
    "unit='3': it is used by disk 'sda' (line 5) and disk 'sdb' (line 6); bus='0' unit='0' of controller 0 "
    "is free\n" },
  { "a place taken by a name", "q35", DISK ("sda", "") DISK ("sdb", DRIVE ("0")),
    "x:6:68: error: Found duplicate drive address for disk with target name 'sdb' controller='0' bus='0' "
    "target='0' "
    "unit='0': it is used by disk 'sda' (line 5) and disk 'sdb' (line 6); bus='0' unit='1' of controller 0 "
    "is free\n" },
  { "two devices on one USB port", "q35", TABLET ("2") TABLET ("2"),
    "x:6:41: error: Duplicate USB address bus 0 port 2: it is used by input 'tablet' (line 5) and input "
    "'tablet' "
    "(line 6); port 1 of bus 0 is free\n" },
  { "a USB port behind no hub", "q35", TABLET ("1.1"),
    "x:5:41: error: there is no hub at port 1 in USB address bus: 0 port: 1.1, which input 'tablet' (line 5) "
    "asks for; "
    "port 1 of bus 0 is free\n" },
  { "two channels on one port", "q35", CHANNEL ("a", "1") CHANNEL ("b", "1"),
    "x:6:62: error: virtio serial port 1 on controller 0 is already occupied: it is used by channel 'a' "
    "(line 5) and "
    "channel 'b' (line 6); port 2 is free\n" },
};

static char *
mistakes_of (const Case *one)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("x");
  g_autofree char *text = g_strdup_printf (DOCUMENT, one->machine, one->devices);
  g_autoptr (DomainDef) def = domain_def_parse (text, -1, DOMAIN_READ_NO_SCHEMA, NULL, diagnostics);

  assert_int_equal (def == NULL, diagnostics_has_errors (diagnostics));
  return diagnostics_to_text (diagnostics);
}

static void
test_clash (void **state)
{
  const Case *one = *state;
  g_autofree char *mistakes = mistakes_of (one);

  assert_string_equal (mistakes, one->mistakes);
}

int
main (void)
{
  struct CMUnitTest tests[G_N_ELEMENTS (cases)] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    tests[i].name = cases[i].name;
    tests[i].test_func = test_clash;
    tests[i].initial_state = (void *)&cases[i];
  }
  return _cmocka_run_group_tests ("address clashes", tests, G_N_ELEMENTS (tests), NULL, NULL);
}
