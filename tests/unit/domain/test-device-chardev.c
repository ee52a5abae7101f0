/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <serial>, <parallel>, <console> and <channel>: where the bytes go, and which port it is.
 */

#include "device-harness.h"

/* clang-format off: tables of documents */
static const DeviceCase completed[] = {
  { "<serial type='tcp'><source mode='bind' host='1.2.3.4' service='4000' tls='no'/>"
    "<protocol type='telnet'/><log file='/tmp/l' append='on'/>"
    "<target type='usb-serial' port='0'/></serial>",
    "<serial type='tcp'><source mode='bind' host='1.2.3.4' service='4000' tls='no'/>"
    "<protocol type='telnet'/><log file='/tmp/l' append='on'/><target type='usb-serial' port='0'>"
    "<model name='usb-serial'/></target></serial>" },
  { "<serial type='tcp'><source host='1.2.3.4' service='4000'>"
    "<reconnect enabled='yes' timeout='3'/></source></serial>",
    "<serial type='tcp'><source mode='connect' host='1.2.3.4' service='4000'>"
    "<reconnect enabled='yes' timeout='3'/></source><protocol type='raw'/>"
    "<target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>" },
  { "<serial type='udp'><source mode='bind' host='1.2.3.4' service='4000'/>"
    "<source mode='connect' host='1' service='2'/></serial>",
    "<serial type='udp'><source mode='bind' host='1.2.3.4' service='4000'/>"
    "<source mode='connect' host='1' service='2'/><target type='isa-serial' port='0'>"
    "<model name='isa-serial'/></target></serial>" },
  { "<serial type='udp'><source host='1.2.3.4' service='4000'/></serial>",
    "<serial type='udp'><source mode='connect' host='1.2.3.4' service='4000'/>"
    "<target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>" },
  { "<serial type='unix'><source path='/tmp/x'/></serial>",
    "<serial type='unix'><source mode='connect' path='/tmp/x'/>"
    "<target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>" },
  { "<serial type='file'><source path='/x' append='off'/></serial>",
    "<serial type='file'><source path='/x' append='off'/><target type='isa-serial' port='0'>"
    "<model name='isa-serial'/></target></serial>" },
  { "<serial type='dev'><source path='/dev/x'><seclabel model='dac' relabel='no'/></source>"
    "</serial>",
    "<serial type='dev'><source path='/dev/x'><seclabel model='dac' relabel='no'/></source>"
    "<target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>" },
  { "<serial type='pty'><source path='/dev/pts/3'/></serial>",
    "<serial type='pty'><target type='isa-serial' port='0'><model name='isa-serial'/></target>"
    "</serial>" },
  { "<serial/>", "<serial type='pty'><target type='isa-serial' port='0'><model name='isa-serial'/></target>"
                 "</serial>" },
  { "<serial type='pty'><target type='pci-serial'/></serial>",
    "<serial type='pty'><target type='pci-serial' port='0'><model name='pci-serial'/></target>"
    "</serial>" },
  { "<serial type='pty'><target type='isa-debug'/></serial>",
    "<serial type='pty'><target type='isa-debug' port='0'><model name='isa-debugcon'/></target>"
    "</serial>" },
  { "<serial type='pty'><target port='3'/></serial><serial type='pty'/>",
    "<serial type='pty'><target type='isa-serial' port='3'><model name='isa-serial'/></target>"
    "</serial><serial type='pty'><target type='isa-serial' port='4'><model name='isa-serial'/>"
    "</target></serial>" },
  { "<serial type='pty'><target port='1'/></serial><serial type='pty'><target port='1'/></serial>",
    "<serial type='pty'><target type='isa-serial' port='1'><model name='isa-serial'/></target>"
    "</serial><serial type='pty'><target type='isa-serial' port='1'><model name='isa-serial'/>"
    "</target></serial>" },
  { "<serial type='qemu-vdagent'><source><clipboard copypaste='yes'/><mouse mode='client'/>"
    "</source></serial>",
    "<serial type='qemu-vdagent'><source><clipboard copypaste='yes'/><mouse mode='client'/>"
    "</source><target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>" },
  { "<serial type='dbus'><source channel='org.x'/></serial>",
    "<serial type='dbus'><source channel='org.x'/><target type='isa-serial' port='0'>"
    "<model name='isa-serial'/></target></serial>" },
  { "<serial type='nmdm'><source master='/a' slave='/b'/></serial>",
    "<serial type='nmdm'><source master='/a' slave='/b'/><target type='isa-serial' port='0'>"
    "<model name='isa-serial'/></target></serial>" },
  { "<serial type='stdio'/><serial type='vc'/><serial type='null'/><serial type='pty'/>"
    "<serial type='pty'/>",
    "<serial type='stdio'><target type='isa-serial' port='0'><model name='isa-serial'/></target>"
    "</serial><serial type='vc'><target type='isa-serial' port='1'><model name='isa-serial'/>"
    "</target></serial><serial type='null'><target type='isa-serial' port='2'>"
    "<model name='isa-serial'/></target></serial><serial type='pty'>"
    "<target type='isa-serial' port='3'><model name='isa-serial'/></target></serial>"
    "<serial type='pty'><target type='isa-serial' port='4'><model name='isa-serial'/></target>"
    "</serial>" },
  { "<console type='pty' tty='/dev/pts/1'><source path='/dev/pts/1'/>"
    "<target type='serial' port='0'/></console>",
    "<console type='pty'><target type='serial' port='0'/></console>" },
  { "<console type='pty'><target type='virtio' port='3'/></console>",
    "<console type='pty'><target type='virtio' port='0'/></console>" },
  { "<console/>", "<console type='pty'><target type='serial' port='0'/></console>" },
  { "<channel type='unix'><source mode='bind' path='/tmp/x'/>"
    "<target type='virtio' name='x' state='connected'/></channel>",
    "<channel type='unix'><source mode='bind' path='/tmp/x'/><target type='virtio' name='x'/>"
    "</channel>" },
  { "<channel type='unix'><target type='virtio'/></channel>",
    "<channel type='unix'><target type='virtio'/></channel>" },
  { "<channel type='unix'><source mode='bind' "
    "path='/var/lib/libvirt/qemu/channel/target/domain-3-x/org.qemu.guest_agent.0'/>"
    "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
    "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>" },
  { "<channel type='pty'><target type='guestfwd' address='10.0.2.1' port='4600'/></channel>",
    "<channel type='pty'><target type='guestfwd' address='10.0.2.1' port='4600'/></channel>" },
  { "<channel type='pty'><target type='virtio' name='a'/></channel><channel type='pty'>"
    "<target type='virtio' name='a'/></channel>",
    "<channel type='pty'><target type='virtio' name='a'/></channel><channel type='pty'>"
    "<target type='virtio' name='a'/></channel>" },
  { "<channel type='qemu-vdagent'><target type='virtio'/><source><clipboard copypaste='yes'/>"
    "</source></channel>",
    "<channel type='qemu-vdagent'><source><clipboard copypaste='yes'/></source>"
    "<target type='virtio'/></channel>" },
  { "<parallel type='pty'/><parallel type='file'><source path='/x'/><target port='5'/></parallel>"
    "<parallel type='null'/>",
    "<parallel type='pty'><target port='0'/></parallel><parallel type='file'><source path='/x'/>"
    "<target port='5'/></parallel><parallel type='null'><target port='6'/></parallel>" },
  DEVICE_CASES_END,
};

/* Element and place: the document begins in line 2. */
static const DeviceCase mistakes[] = {
  { "<serial type='tcp'><source host='1.2.3.4' service='4000'><reconnect enabled='yes'/></source>"
    "</serial>",
    "2:69: Missing required attribute 'timeout' in element 'reconnect'" },
  { "<serial type='tcp'/>", "2:1: Missing source service attribute for a character device of type 'tcp'" },
  { "<serial type='tcp'><source host='1.2.3.4'/></serial>",
    "2:20: Missing source service attribute for a character device of type 'tcp'" },
  { "<serial type='tcp'><source service='3'/></serial>",
    "2:20: Missing source host attribute for a character device of type 'tcp'" },
  { "<serial type='tcp'><source mode='bind' service='3'/></serial>",
    "2:28: Missing source host attribute for a character device of type 'tcp'" },
  { "<serial type='udp'><source mode='bind' host='1.2.3.4' service='4000'/></serial>",
    "2:9: Missing source service attribute for a character device of type 'udp': <source "
    "mode='connect' host=… service=…/>" },
  { "<serial type='unix'><source mode='bind'/></serial>",
    "2:9: Missing source path attribute for char device" },
  { "<serial type='unix'/>", "2:9: Missing source path attribute for char device" },
  { "<serial type='file'/>", "2:9: Missing source path attribute for a character device of type 'file'" },
  { "<serial type='foo'/>",
    "2:9: Invalid value for attribute 'type' in element 'serial': 'foo' (accepted: 'null', 'vc', "
    "'pty', 'dev', 'file', 'pipe', 'stdio', 'udp', 'tcp', 'unix', 'spicevmc', 'spiceport', "
    "'nmdm', 'qemu-vdagent' or 'dbus')" },
  { "<serial type='pty'><target type='foo'/></serial>",
    "2:28: Invalid value for attribute 'type' in element 'target': 'foo' (accepted: "
    "'isa-serial', 'usb-serial', 'pci-serial', 'spapr-vio-serial', 'system-serial', "
    "'sclp-serial' or 'isa-debug')" },
  { "<serial type='pty'><target type='isa-serial'><model name='usb-serial'/></target></serial>",
    "2:53: Target model 'usb-serial' requires target type 'usb-serial'" },
  { "<serial type='spicevmc'/>", "2:9: spicevmc device type only supports virtio" },
  { "<serial type='nmdm'><source master='/a'/></serial>",
    "2:9: Missing master or slave path attribute for nmdm device" },
  { "<serial type='pty'><address type='usb' bus='0' port='1'/></serial>",
    "2:29: Target type 'isa-serial' requires address type 'isa'" },
  { "<console type='pty'><target type='foo'/></console>",
    "2:29: Invalid value for attribute 'type' in element 'target': 'foo' (accepted: 'serial', "
    "'xen', 'uml', 'virtio', 'lxc', 'openvz', 'sclp' or 'sclplm')" },
  { "<console type='pty'/><console type='pty'/>",
    "2:22: Only the first console can be a serial port; say <target type='virtio'/>"
    " for further ones" },
  { "<channel type='pty'><target type='guestfwd' address='10.0.2.1'/></channel>",
    "2:1: Missing required attribute 'port' in element 'target' of a guestfwd channel" },
  { "<channel type='pty'/>", "2:1: Missing required attribute 'type' in element 'target'" },
  { "<channel type='pty'><target type='foo'/></channel>",
    "2:29: Invalid value for attribute 'type' in element 'target': 'foo' (accepted: 'guestfwd', "
    "'virtio' or 'xen')" },
  DEVICE_CASES_END,
};
/* clang-format on */

static void
test_completed (void **state G_GNUC_UNUSED)
{
  check_device_cases (completed);
}

static void
test_mistakes (void **state G_GNUC_UNUSED)
{
  check_device_mistakes (mistakes);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_completed),
    cmocka_unit_test (test_mistakes),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
