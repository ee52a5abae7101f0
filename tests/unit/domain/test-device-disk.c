/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <disk>: what a document says becomes what libvirt makes of it, and what libvirt refuses is
 * refused.
 */

#include "device-harness.h"

/* clang-format off: tables of documents */
static const DeviceCase completed[] = {
  { "<disk><source file='/a'/><target dev='xvda'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='xvda' bus='xen'/></disk>" },
  { "<disk><source file='/a'/><target dev='ubda'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='ubda' bus='uml'/></disk>" },
  { "<disk device='cdrom'><source file=''/><target dev='sda'/></disk>",
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
    "<target dev='sda' bus='scsi'/><readonly/></disk>" },
  { "<disk device='lun' type='block'><source dev='/dev/a'/><target dev='sda'/></disk>",
    "<disk type='block' device='lun'><driver name='qemu' type='raw'/><source dev='/dev/a'/>"
    "<target dev='sda' bus='scsi'/></disk>" },
  { "<disk type='network'><source protocol='rbd' name='x/y'/><target dev='sda' bus='virtio'/>"
    "</disk>",
    "<disk type='network' device='disk'><driver name='qemu' type='raw'/>"
    "<source protocol='rbd' name='x/y'/><target dev='sda' bus='virtio'/></disk>" },
  { "<disk type='volume'><source pool='x' volume='y'/><target dev='sda' bus='virtio'/></disk>",
    "<disk type='volume' device='disk'><driver name='qemu'/><source pool='x' volume='y'/>"
    "<target dev='sda' bus='virtio'/></disk>" },
  { "<disk><driver type='qcow2' cache='directsync' io='native'/><source file='/a'/>"
    "<target dev='sda' bus='virtio'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='directsync' "
    "io='native'/><source file='/a'/><target dev='sda' bus='virtio'/></disk>" },
  { "<disk><driver type='aio'/><source file='/a'/><target dev='sda' bus='virtio'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='virtio'/></disk>" },
  { "<disk><driver queues='0'/><source file='/a'/><target dev='vda'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/></disk>" },
  { "<disk><driver detect_zeroes='unmap'/><source file='/a'/><target dev='vda'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw' detect_zeroes='unmap'/>"
    "<source file='/a'/><target dev='vda' bus='virtio'/></disk>" },
  { "<disk><driver detect_zeroes='unmap' discard='unmap'/><source file='/a'/><target dev='vda'/>"
    "</disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw' discard='unmap' "
    "detect_zeroes='unmap'/><source file='/a'/><target dev='vda' bus='virtio'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' removable='on'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi' removable='on'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda' bus='xen'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='xen'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='scsi' rotation_rate='0'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='scsi' rotation_rate='2'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi' rotation_rate='2'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='scsi' rotation_rate='7200'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi' rotation_rate='7200'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda'/><vendor>abc</vendor><product>def</product>"
    "</disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi'/><vendor>abc</vendor><product>def</product></disk>" },
  { "<disk><source file='/a'/><target dev='sda'/><wwn>0x5000C50015ea71ad</wwn></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi'/><wwn>0x5000C50015ea71ad</wwn></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><serial>a b</serial></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><serial>a b</serial></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><serial></serial></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><transient/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><transient/></disk>" },
  { "<disk><source file='/a' startupPolicy='optional'/><target dev='vda'/><shareable/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
    "<source file='/a' startupPolicy='optional'/><target dev='vda' bus='virtio'/><shareable/>"
    "</disk>" },
  { "<disk type='network'><source protocol='nbd'><host name='a'/>"
    "</source><target dev='vda'/></disk>",
    "<disk type='network' device='disk'><driver name='qemu' type='raw'/>"
    "<source protocol='nbd'><host name='a' port='10809'/></source>"
    "<target dev='vda' bus='virtio'/></disk>" },
  { "<disk device='floppy'><target dev='fda'/><readonly/></disk>",
    "<disk type='file' device='floppy'><driver name='qemu' type='raw'/>"
    "<target dev='fda' bus='fdc'/><readonly/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><iotune><total_bytes_sec>0</total_bytes_sec>"
    "</iotune></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><blockio logical_block_size='513'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<blockio logical_block_size='513'/><target dev='vda' bus='virtio'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><iotune><total_bytes_sec_max>"
    "3</total_bytes_sec_max></iotune></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><iotune><total_bytes_sec_max>3</total_bytes_sec_max>"
    "</iotune></disk>" },
  { "<disk device='cdrom'><source file='/a'/><target dev='sda' bus='usb'/></disk>",
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='usb'/><readonly/></disk>" },
  { "<disk device='cdrom'><source file='/a'/><target dev='sda' bus='scsi'/><shareable/></disk>",
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi'/><readonly/><shareable/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='sd'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='sd'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><backingStore/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<backingStore/><target dev='vda' bus='virtio'/></disk>" },
  { "<disk snapshot='external'><source file='/a'/><target dev='vda'/></disk>",
    "<disk type='file' device='disk' snapshot='external'><driver name='qemu' type='raw'/>"
    "<source file='/a'/><target dev='vda' bus='virtio'/></disk>" },
  { "<disk snapshot='manual'><source file='/a'/><target dev='vda'/></disk>",
    "<disk type='file' device='disk' snapshot='manual'><driver name='qemu' type='raw'/>"
    "<source file='/a'/><target dev='vda' bus='virtio'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><boot order='1'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><boot order='1'/></disk>" },
  { "<disk><source file='rel'/><target dev='vda'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='rel'/>"
    "<target dev='vda' bus='virtio'/></disk>" },
  { "<disk><driver cache='default' io='threads'/><source file='/rel'/><target dev='vda'/>"
    "<shareable/><readonly/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw' io='threads'/>"
    "<source file='/rel'/><target dev='vda' bus='virtio'/><readonly/><shareable/></disk>" },
  { "<disk><driver type='qcow2' error_policy='enospace' rerror_policy='stop'/>"
    "<source file='/rel'/><target dev='vda'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2' error_policy='enospace' "
    "rerror_policy='stop'/><source file='/rel'/><target dev='vda' bus='virtio'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda'/><wwn>0x5000C50015ea71ad</wwn><serial/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi'/><wwn>0x5000C50015ea71ad</wwn></disk>" },
  { "<disk device='cdrom'><source file='/a'/><target dev='sda' bus='scsi' tray='closed'/>"
    "<shareable/></disk>",
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='scsi'/><readonly/><shareable/></disk>" },
  { "<disk device='cdrom'><driver name='qemu'/><source startupPolicy='optional'/>"
    "<target dev='sda' bus='scsi' tray='open'/></disk>",
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
    "<source startupPolicy='optional'/><target dev='sda' bus='scsi' tray='open'/><readonly/>"
    "</disk>" },
  { "<disk device='lun' type='block' rawio='yes' sgio='filtered'><source dev='/dev/a'/>"
    "<target dev='sda'/></disk>",
    "<disk type='block' device='lun' rawio='yes' sgio='filtered'><driver name='qemu' type='raw'/>"
    "<source dev='/dev/a'/><target dev='sda' bus='scsi'/></disk>" },
  { "<disk device='lun' type='block' rawio='yes'><source dev='/dev/a'>"
    "<reservations managed='yes'/></source><target dev='sda'/></disk>",
    "<disk type='block' device='lun' rawio='yes'><driver name='qemu' type='raw'/>"
    "<source dev='/dev/a'><reservations managed='yes'/></source><target dev='sda' bus='scsi'/>"
    "</disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='sata'/>"
    "<geometry cyls='1' heads='2' secs='3'/><vendor/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<geometry cyls='1' heads='2' secs='3'/><target dev='sda' bus='sata'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='sata'/>"
    "<driver cache='default' discard='ignore' detect_zeroes='off' copy_on_read='off'/>"
    "<boot order='2'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw' copy_on_read='off' "
    "discard='ignore' detect_zeroes='off'/><source file='/a'/><target dev='sda' bus='sata'/>"
    "<boot order='2'/></disk>" },
  { "<disk type='nvme'><source type='pci' managed='yes' namespace='1'>"
    "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source><target dev='vda'/>"
    "</disk>",
    "<disk type='nvme' device='disk'><driver name='qemu' type='raw'/>"
    "<source type='pci' managed='yes' namespace='1'>"
    "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>"
    "<target dev='vda' bus='virtio'/></disk>" },
  { "<disk type='network'><auth username='u'><secret type='ceph' "
    "uuid='f52a81b2-424e-490c-823d-6bd4235bc572'/></auth><source protocol='rbd' name='x/y'/>"
    "<target dev='sda' bus='virtio'/></disk>",
    "<disk type='network' device='disk'><driver name='qemu' type='raw'/><auth username='u'>"
    "<secret type='ceph' uuid='f52a81b2-424e-490c-823d-6bd4235bc572'/></auth>"
    "<source protocol='rbd' name='x/y'/><target dev='sda' bus='virtio'/></disk>" },
  { "<disk><encryption format='luks' engine='qemu'>"
    "<secret type='passphrase' uuid='f52a81b2-424e-490c-823d-6bd4235bc572'/></encryption>"
    "<driver type='qcow2'/><source file='/a'/><target dev='vda'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><encryption format='luks' engine='qemu'>"
    "<secret type='passphrase' uuid='f52a81b2-424e-490c-823d-6bd4235bc572'/></encryption></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><address type='pci'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><address type='pci'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><address type='virtio-mmio'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><address type='virtio-mmio'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='sata'/><address type='drive' unit='3'/>"
    "</disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='sata'/><address type='drive' controller='0' bus='0' target='0' "
    "unit='3'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/>"
    "<address type='pci' bus='0' slot='3' multifunction='on'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><address type='pci' domain='0x0000' bus='0x00' slot='0x03' "
    "function='0x0' multifunction='on'/></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><iotune><read_bytes_sec>1</read_bytes_sec>"
    "<total_iops_sec>2</total_iops_sec><total_bytes_sec_max>3</total_bytes_sec_max>"
    "<total_iops_sec_max>33</total_iops_sec_max></iotune></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><iotune><read_bytes_sec>1</read_bytes_sec><total_iops_sec>"
    "2</total_iops_sec><total_bytes_sec_max>3</total_bytes_sec_max><total_iops_sec_max>"
    "33</total_iops_sec_max></iotune></disk>" },
  { "<disk><source file='/a'/><target dev='vda'/><iotune><total_iops_sec_max_length>"
    "33</total_iops_sec_max_length></iotune></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/><iotune><total_iops_sec_max_length>"
    "33</total_iops_sec_max_length></iotune></disk>" },
  { "<disk model='virtio-transitional'><source file='/a'/><target dev='vda'/><driver iommu='on'/>"
    "</disk>",
    "<disk type='file' device='disk' model='virtio-transitional'>"
    "<driver name='qemu' type='raw' iommu='on'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/></disk>" },
  { "<disk><source file='/a'/><target dev='sda' bus='uml'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sda' bus='uml'/></disk>" },
  { "<disk><source file='/a'/><target dev='vdaa'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vdaa' bus='virtio'/></disk>" },
  { "<disk type='file'><source file='/a'/><target dev='vdb'/></disk><disk type='file'>"
    "<source file='/a'/><target dev='vda'/></disk><disk type='file'><source file='/a'/>"
    "<target dev='sdc' bus='usb'/></disk><disk device='cdrom'><target dev='sdb' bus='sata'/>"
    "</disk><disk device='cdrom'><target dev='sda' bus='sata'/></disk>",
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='vda' bus='virtio'/></disk><disk type='file' device='disk'>"
    "<driver name='qemu' type='raw'/><source file='/a'/><target dev='vdb' bus='virtio'/></disk>"
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
    "<target dev='sdc' bus='usb'/></disk><disk type='file' device='cdrom'>"
    "<driver name='qemu' type='raw'/><target dev='sda' bus='sata'/><readonly/></disk>"
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
    "<target dev='sdb' bus='sata'/><readonly/></disk>" },
  { "<disk device='disk' type='file' snapshot='no'> <transient shareBacking='yes'/> <iotune>"
    "<total_bytes_sec>10000000</total_bytes_sec><read_iops_sec>3</read_iops_sec><write_iops_sec>"
    "4</write_iops_sec><group_name>g</group_name><write_iops_sec_max>400</write_iops_sec_max>"
    "<write_iops_sec_max_length>3</write_iops_sec_max_length><size_iops_sec>4096</size_iops_sec>"
    "</iotune> <blockio logical_block_size='512' physical_block_size='4096'/>"
    " <target dev='vda' bus='virtio'/> <driver name='qemu' type='qcow2' cache='writeback' "
    "io='threads' error_policy='stop' rerror_policy='report' ioeventfd='on' event_idx='on' "
    "copy_on_read='on' discard='unmap' detect_zeroes='unmap' queues='2' queue_size='64' "
    "iommu='on' ats='on' packed='on' page_per_vq='on'><metadata_cache><max_size unit='bytes'>"
    "4194304</max_size></metadata_cache></driver>"
    " <source file='/tmp/q.qcow2' startupPolicy='optional'><slices>"
    "<slice type='storage' offset='1' size='2'/></slices><seclabel model='dac' relabel='no'/>"
    "<encryption format='luks' engine='qemu'><secret type='passphrase' "
    "uuid='f52a81b2-424e-490c-823d-6bd4235bc572'/></encryption></source>"
    " <backingStore type='file'><format type='raw'/><source file='/tmp/base'/><backingStore/>"
    "</backingStore></disk>",
    "<disk type='file' device='disk' snapshot='no'>"
    "<driver name='qemu' type='qcow2' cache='writeback' error_policy='stop' "
    "rerror_policy='report' io='threads' ioeventfd='on' event_idx='on' copy_on_read='on' "
    "discard='unmap' detect_zeroes='unmap' queues='2' queue_size='64' iommu='on' ats='on' "
    "packed='on' page_per_vq='on'><metadata_cache><max_size unit='bytes'>4194304</max_size>"
    "</metadata_cache></driver><source file='/tmp/q.qcow2' startupPolicy='optional'><slices>"
    "<slice type='storage' offset='1' size='2'/></slices><seclabel model='dac' relabel='no'/>"
    "<encryption format='luks' engine='qemu'><secret type='passphrase' "
    "uuid='f52a81b2-424e-490c-823d-6bd4235bc572'/></encryption></source>"
    "<backingStore type='file'><format type='raw'/><source file='/tmp/base'/><backingStore/>"
    "</backingStore><blockio logical_block_size='512' physical_block_size='4096'/>"
    "<target dev='vda' bus='virtio'/><iotune><total_bytes_sec>10000000</total_bytes_sec>"
    "<read_iops_sec>3</read_iops_sec><write_iops_sec>4</write_iops_sec><write_iops_sec_max>"
    "400</write_iops_sec_max><size_iops_sec>4096</size_iops_sec><group_name>g</group_name>"
    "<write_iops_sec_max_length>3</write_iops_sec_max_length></iotune>"
    "<transient shareBacking='yes'/></disk>" },
  DEVICE_CASES_END,
};

/* Element and place: the document begins in line 2. */
static const DeviceCase mistakes[] = {
  { "<disk><source file='/a'/><target dev='vda'/><backingStore type='file'><format type='auto'/>"
    "<source file='/b'/></backingStore></disk>",
    "2:79: unknown storage source format 'auto'; expected one such as 'raw' or 'qcow2'" },
  { "<disk><source file='/a'/><target dev='foo'/></disk>",
    "2:34: Unknown disk name 'foo' and no address specified; expected one such as 'vda', 'sda' "
    "or 'hda'" },
  { "<disk><source file='/a'/><target dev='vda1'/></disk>",
    "2:34: invalid disk target 'vda1', partitions can't appear in disk targets" },
  { "<disk><source file='/a'/></disk>", "2:1: /a: the disk needs <target dev=…/>" },
  { "<disk><source file='/a'/><target bus='virtio'/></disk>", "2:1: /a: the disk needs <target dev=…/>" },
  { "<disk><target dev='vda'/></disk>",
    "2:1: vda: the disk needs a <source>; only cdrom and floppy drives may be empty" },
  { "<disk device='cdrom'><target dev='vda'/></disk>",
    "2:1: disk type of 'vda' does not support ejectable media; use bus 'sata', 'scsi' or 'usb'" },
  { "<disk device='floppy'><target dev='vda'/></disk>",
    "2:1: Invalid bus type 'virtio' for floppy disk; expected 'fdc'\n2:31: Invalid floppy "
    "device name: vda; a floppy's begins with 'fd'" },
  { "<disk device='floppy'><target dev='vda' bus='fdc'/></disk>",
    "2:31: Invalid floppy device name: vda; a floppy's begins with 'fd'" },
  { "<disk device='disk'><source file='/a'/><target dev='fda' /></disk>",
    "2:1: Invalid bus type 'fdc' for disk; 'fdc' is for floppies\n2:48: Invalid harddisk device "
    "name: fda; 'fd…' is for floppies" },
  { "<disk device='lun'><source file='/a'/><target dev='sda'/></disk>",
    "2:1: disk device='lun' is only valid for block type disk source" },
  { "<disk device='lun' type='block'><source dev='/dev/a'/><target dev='sda' bus='ide'/></disk>",
    "2:73: disk device='lun' is not supported for bus='ide'; expected 'scsi' or 'virtio'" },
  { "<disk device='lun' type='block'><driver type='qcow2'/><source dev='/dev/a'/>"
    "<target dev='sda'/></disk>",
    "2:41: disk device 'lun' using target 'sda' must use 'raw' format, not 'qcow2'" },
  { "<disk><driver type='qcow2'/><source file='/a'/><target dev='vda'/><shareable/></disk>",
    "2:67: shared access for disk 'vda' requires use of supported storage format: 'raw', not 'qcow2'" },
  { "<disk type='dir'><source dir='/x'/><target dev='sda' bus='virtio'/></disk>",
    "2:1: storage type 'dir' requires use of storage format 'fat', not 'raw'" },
  { "<disk><driver io='native'/><source file='/a'/><target dev='sda' bus='virtio'/></disk>",
    "2:15: io='native' needs either no disk cache or directsync cache mode: say cache='none' or "
    "cache='directsync'" },
  { "<disk><driver name='foo'/><source file='/a'/><target dev='sda' bus='virtio'/></disk>",
    "2:15: unsupported driver name 'foo' for disk 'sda'; expected 'qemu'" },
  { "<disk><driver type='foo'/><source file='/a'/><target dev='sda' bus='virtio'/></disk>",
    "2:15: unknown driver format value 'foo'; expected one such as 'raw' or 'qcow2'" },
  { "<disk><driver cache='foo'/><source file='/a'/><target dev='sda' bus='virtio'/></disk>",
    "2:15: Invalid value for attribute 'cache' in element 'driver': 'foo' (accepted: 'default', "
    "'none', 'writethrough', 'writeback', 'directsync' or 'unsafe')" },
  { "<disk><driver iothread='1'/><source file='/a'/><target dev='sda' bus='virtio'/></disk>",
    "2:15: Disk iothread '1' not defined in iothreadid: the domain has 0 iothreads" },
  { "<disk><driver queues='1'/><source file='/a'/><target dev='sda'/></disk>",
    "2:15: queues attribute in disk driver element is only supported by virtio-blk" },
  { "<disk><driver copy_on_read='on'/><readonly/><source file='/a'/><target dev='vda'/></disk>",
    "2:15: copy_on_read is not compatible with read-only disk 'vda'" },
  { "<disk><source file='/a'/><target dev='vda' removable='on'/></disk>",
    "2:44: removable is only valid for usb or scsi disks, 'vda' is on bus 'virtio'" },
  { "<disk><source file='/a'/><target dev='vda' tray='open'/></disk>",
    "2:44: tray is only valid for cdrom and floppy" },
  { "<disk><source file='/a'/><target dev='vda' rotation_rate='1'/></disk>",
    "2:44: rotation rate is only valid for SCSI/IDE/SATA bus, 'vda' is on bus 'virtio'" },
  { "<disk><source file='/a'/><target dev='sda' bus='scsi' rotation_rate='70000'/></disk>",
    "2:55: Invalid value for attribute 'rotation_rate' in element 'target': '70000' (expected a "
    "whole number from 0 to 65535)" },
  { "<disk><source file='/a'/><target dev='vda'/><vendor>toolongvendor</vendor></disk>",
    "2:45: disk vendor is more than 8 characters\n2:45: Only scsi disk supports 'vendor'" },
  { "<disk><source file='/a'/><target dev='vda'/><vendor>abc</vendor></disk>",
    "2:45: Only scsi disk supports 'vendor'" },
  { "<disk><source file='/a'/><target dev='sda'/><product>12345678901234567</product></disk>",
    "2:45: disk product is more than 16 characters" },
  { "<disk><source file='/a'/><target dev='vda'/><wwn>123</wwn></disk>",
    "2:45: Malformed wwn: 123; expected 16 hexadecimal digits" },
  { "<disk><source file='/a'/><target dev='vda'/><wwn>0x5000c50015ea71ad</wwn></disk>",
    "2:45: Only ide and scsi disk support wwn" },
  { "<disk><source file='/a'/><target dev='sda' bus='sata'/><wwn>0x5000c50015ea71ad</wwn></disk>",
    "2:56: Only ide and scsi disk support wwn" },
  { "<disk><source file='/a'/><target dev='vda'/><serial>a/b</serial></disk>",
    "2:45: driver serial 'a/b' contains unsafe characters; letters, digits, '_-.+' and space are "
    "allowed" },
  { "<disk type='block'><source dev='/a' startupPolicy='requisite'/><target dev='vda'/></disk>",
    "2:37: disk startupPolicy 'requisite' is allowed only for cdrom or floppy" },
  { "<disk><source file='/a'/><target dev='vda'/><iotune><total_bytes_sec>1</total_bytes_sec>"
    "<read_bytes_sec>2</read_bytes_sec></iotune></disk>",
    "2:53: total and read/write bytes_sec cannot be set at the same time" },
  { "<disk sgio='filtered'><source file='/a'/><target dev='vda'/></disk>",
    "2:7: sgio can be used only with device='lun'" },
  { "<disk rawio='yes'><source file='/a'/><target dev='vda'/></disk>",
    "2:7: rawio can be used only with device='lun'" },
  { "<disk snapshot='external'><source file='/a'/><target dev='vda'/><boot order='0'/></disk>",
    "2:71: Invalid value for attribute 'order' in element 'boot': '0' (expected a whole number "
    "from 1 to 4294967295)" },
  { "<disk><driver type='qcow2' error_policy='enospace' rerror_policy='enospace'/>"
    "<source file='/rel'/><target dev='vda'/><shareable/></disk>",
    "2:52: Invalid disk read error policy: 'enospace'; expected 'stop', 'report' or 'ignore'" },
  { "<disk><source file='/a'/><target dev='vda'/><address type='drive'/></disk>",
    "2:54: Invalid address type for the disk 'vda' with the bus type 'virtio': drive 0:0:0:0" },
  { "<disk><source file='/a'/><target dev='sda' bus='sata'/><address type='pci' slot='3'/></disk>",
    "2:65: Invalid address type for the disk 'sda' with the bus type 'sata': 0000:00:03.0" },
  { "<disk><source file='/a'/><target dev='sda' bus='usb'/>"
    "<address type='usb' bus='0' port='3.1.2.3.4'/></disk>",
    "2:83: Invalid value for attribute 'port' in element 'address': '3.1.2.3.4' (up to 4 port "
    "numbers with dots between, such as '1' or '2.4')" },
  { "<disk><source file='/a'/><target dev='vda'/><address type='pci' slot='33'/></disk>",
    "2:65: Invalid value for attribute 'slot' in element 'address': '33' (expected a number from "
    "0x0 to 0x1f)" },
  { "<disk><source file='/a'/><target dev='vda'/><address type='foo'/></disk>",
    "2:54: Invalid value for attribute 'type' in element 'address': 'foo' (accepted: 'pci', "
    "'drive', 'virtio-serial', 'ccid', 'usb', 'spapr-vio', 'virtio-s390', 'ccw', 'virtio-mmio', "
    "'isa', 'dimm' or 'unassigned')" },
  { "<disk><source file='/a'/><target dev='vda'/><address /></disk>",
    "2:45: Missing required attribute 'type' in element 'address'" },
  { "<disk type='file' device='floppy'><source file='/a'/><target dev='fda' bus='usb'/></disk>",
    "2:72: Invalid bus type 'usb' for floppy disk; expected 'fdc'" },
  { "<disk type='file' device='cdrom'><source file='/a'/><target dev='vda' bus='virtio'/></disk>",
    "2:71: disk type of 'vda' does not support ejectable media; use bus 'sata', 'scsi' or 'usb'" },
  { "<disk type='file'><source file='/a'/><target dev='fda' bus='virtio'/></disk>",
    "2:46: Invalid harddisk device name: fda; 'fd…' is for floppies" },
  { "<disk type='file'><source file='/a'/><target dev='hda' bus='fdc'/></disk>",
    "2:56: Invalid bus type 'fdc' for disk; 'fdc' is for floppies" },
  { "<disk model='virtio'><source file='/a'/><target dev='sda'/></disk>",
    "2:7: disk model 'virtio' not supported for bus 'scsi'" },
  { "<disk><source file='/a'/><target dev='sda'/><driver iommu='on'/></disk>",
    "2:53: iommu driver option is only supported for virtio devices" },
  { "<disk><source file='/a'/><target dev='sda'/><driver ioeventfd='on'/></disk>",
    "2:53: disk ioeventfd mode supported only for virtio bus" },
  { "<disk><source file='/a'/><target dev='vd'/></disk>",
    "2:34: Unknown disk name 'vd' and no address specified; expected one such as 'vda', 'sda' or "
    "'hda'" },
  { "<disk><source file='/a'/><target dev='vdA'/></disk>",
    "2:34: Unknown disk name 'vdA' and no address specified; expected one such as 'vda', 'sda' "
    "or 'hda'" },
  { "<disk type='fiel'><source file='/a'/><target dev='vda'/></disk>",
    "2:7: Invalid value for attribute 'type' in element 'disk': 'fiel' (did you mean 'file'? "
    "accepted: 'file', 'block', 'dir', 'network', 'volume', 'nvme', 'vhostuser' or 'vhostvdpa')" },
  { "<disk><source flie='/a'/><target dev='vda'/></disk>",
    "2:15: unknown attribute 'flie' in element 'source': did you mean 'file'?" },
  { "<disk><source file='/a'/><target dev='vda' buss='virtio'/></disk>",
    "2:44: unknown attribute 'buss' in element 'target': did you mean 'bus'?" },
  { "<disk><driver type='qcow'/><driver type='qcow2'/><source file='/a'/><target dev='vda'/>"
    "</disk>",
    "2:28: element 'driver' is not expected here in element 'disk': it was said before, in "
    "line 2" },
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
