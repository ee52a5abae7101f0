/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <interface>: MAC addresses, models and sources, and the options only some cards have.
 */

#include "device-harness.h"

/* clang-format off: tables of documents */
static const DeviceCase completed[] = {
  { "<interface type='network' trustGuestRxFilters='yes'><alias name='ua-n'/><boot order='3'/>"
    "<rom bar='on' file='/etc/x'/><acpi index='4'/>"
    "<mac address='52:54:00:11:22:33' type='static' check='no'/>"
    "<source network='default' portgroup='pg'/><bandwidth><inbound average='1000'/></bandwidth>"
    "<vlan><tag id='42'/></vlan><target dev='foo' /><model type='virtio'/>"
    "<driver name='vhost' txmode='iothread' ioeventfd='on' event_idx='off' queues='2' "
    "rx_queue_size='256' tx_queue_size='256' rss='on' rss_hash_report='off' iommu='on' ats='on' "
    "packed='on' page_per_vq='on'><host csum='off'/><guest csum='off'/></driver>"
    "<backend tap='/dev/net/tun' vhost='/dev/vhost-net'/><teaming type='persistent'/>"
    "<filterref filter='clean-traffic'/><tune><sndbuf>1600</sndbuf></tune><link state='down'/>"
    "<mtu size='1500'/><coalesce><rx><frames max='7'/></rx></coalesce></interface>",
    "<interface type='network' trustGuestRxFilters='yes'>"
    "<mac address='52:54:00:11:22:33' type='static' check='no'/>"
    "<source network='default' portgroup='pg'/><vlan><tag id='42'/></vlan><bandwidth>"
    "<inbound average='1000'/></bandwidth><target dev='foo'/><model type='virtio'/>"
    "<driver name='vhost' txmode='iothread' ioeventfd='on' event_idx='off' queues='2' "
    "rx_queue_size='256' tx_queue_size='256' rss='on' rss_hash_report='off' iommu='on' ats='on' "
    "packed='on' page_per_vq='on'><host csum='off'/><guest csum='off'/></driver>"
    "<backend tap='/dev/net/tun' vhost='/dev/vhost-net'/><filterref filter='clean-traffic'/>"
    "<tune><sndbuf>1600</sndbuf></tune><teaming type='persistent'/><link state='down'/>"
    "<mtu size='1500'/><coalesce><rx><frames max='7'/></rx></coalesce><boot order='3'/>"
    "<alias name='ua-n'/><rom bar='on' file='/etc/x'/><acpi index='4'/></interface>" },
  { "<interface type='ethernet'><mac address='52:54:00:12:34:56'/><script path='/x'/>"
    "<downscript path='/y'/><target dev='t0' managed='no'/><source>"
    "<ip address='1.2.3.4' family='ipv4' prefix='24'/></source></interface>",
    "<interface type='ethernet'><mac address='52:54:00:12:34:56'/><source>"
    "<ip address='1.2.3.4' family='ipv4' prefix='24'/></source><script path='/x'/>"
    "<downscript path='/y'/><target dev='t0' managed='no'/><model type='rtl8139'/></interface>" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/>"
    "<ip address='172.17.2.0' prefix='24'/><link state='up'/><model type='virtio'/><tune><sndbuf>"
    "0</sndbuf></tune></interface>",
    "<interface type='user'><mac address='52:54:00:12:34:56'/>"
    "<ip address='172.17.2.0' family='ipv4' prefix='24'/><model type='virtio'/><tune><sndbuf>"
    "0</sndbuf></tune><link state='up'/></interface>" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><ip address='fe80::1' prefix='64'/>"
    "</interface>",
    "<interface type='user'><mac address='52:54:00:12:34:56'/>"
    "<ip address='fe80::1' family='ipv6' prefix='64'/><model type='rtl8139'/></interface>" },
  { "<interface type='bridge'><mac address='52:54:00:12:34:56'/><source bridge='br0'/><vlan>"
    "<tag id='3'/></vlan></interface>",
    "<interface type='bridge'><mac address='52:54:00:12:34:56'/><source bridge='br0'/><vlan>"
    "<tag id='3'/></vlan><model type='rtl8139'/></interface>" },
  { "<interface type='direct'><mac address='52:54:00:12:34:56'/><source dev='eth0'/></interface>",
    "<interface type='direct'><mac address='52:54:00:12:34:56'/><source dev='eth0' mode='vepa'/>"
    "<model type='rtl8139'/></interface>" },
  { "<interface type='internal'><mac address='52:54:00:12:34:56'/><source name='i'/></interface>",
    "<interface type='internal'><mac address='52:54:00:12:34:56'/><source name='i'/>"
    "<model type='rtl8139'/></interface>" },
  { "<interface type='udp'><mac address='52:54:00:12:34:56'/><source address='1.2.3.4' port='3'>"
    "<local address='1.2.3.5' port='4'/></source></interface>",
    "<interface type='udp'><mac address='52:54:00:12:34:56'/><source address='1.2.3.4' port='3'>"
    "<local address='1.2.3.5' port='4'/></source><model type='rtl8139'/></interface>" },
  { "<interface type='vdpa'><mac address='52:54:00:12:34:56'/><source dev='/dev/vhost-vdpa-0'/>"
    "<backenddomain name='q'/></interface>",
    "<interface type='vdpa'><mac address='52:54:00:12:34:56'/><source dev='/dev/vhost-vdpa-0'/>"
    "<backenddomain name='q'/><model type='virtio'/></interface>" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
    "<driver queues='0'/></interface>",
    "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/></interface>" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
    "<rom enabled='yes'/><mtu size='0'/></interface>",
    "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
    "<rom enabled='yes'/></interface>" },
  { "<interface type='user'><mac address='52:54:0:AA:bb:cc'/><driver/></interface>",
    "<interface type='user'><mac address='52:54:00:aa:bb:cc'/><model type='rtl8139'/></interface>" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><target dev='vnet3'/></interface>",
    "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='rtl8139'/></interface>" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
    "<driver name='qemu'/></interface>",
    "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
    "<driver name='qemu'/></interface>" },
  DEVICE_CASES_END,
};

/* Element and place: the document begins in line 2. */
static const DeviceCase mistakes[] = {
  { "<interface type='network'/>",
    "2:1: interface type='network' requires a 'source' element with a 'network'" },
  { "<interface type='bridge'/>",
    "2:1: interface type='bridge' requires a 'source' element with a 'bridge'" },
  { "<interface type='direct'/>", "2:1: interface type='direct' requires a 'source' element with a 'dev'" },
  { "<interface type='mcast'/>", "2:1: interface type='mcast' requires a 'source' element" },
  { "<interface type='hostdev'/>", "2:1: unknown host device source address type '(null)': <source> needs an "
                                   "<address> of type 'pci' or 'usb'" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><driver iommu='on'/></interface>",
    "2:66: iommu driver option is only supported for virtio devices" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
    "<driver rx_queue_size='100'/></interface>",
    "2:88: rx_queue_size has to be a power of two, not 100" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/>"
    "<rom enabled='no' bar='on'/></interface>",
    "2:85: ROM tuning is not supported when ROM is disabled" },
  { "<interface type='user'><mac address='53:54:00:11:22:33'/></interface>",
    "2:29: expected unicast mac address, found multicast '53:54:00:11:22:33'" },
  { "<interface type='user'><mac address='xx'/></interface>",
    "2:29: Invalid value for attribute 'address' in element 'mac': 'xx' (expected six octets in "
    "hexadecimal, such as 52:54:00:12:34:56)" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='bad name'/>"
    "</interface>",
    "2:65: Model name contains invalid characters: 'bad name'; letters, digits, '-' and '_' are "
    "allowed" },
  { "<interface type='user'><mac address='52:54:00:12:34:56'/><adress type='pci'/></interface>",
    "2:58: unknown element 'adress' in element 'interface': did you mean 'address'?" },
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
