/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <controller>: models, indexes and their order, and what a type of controller cannot have.
 */

#include "device-harness.h"

/* clang-format off: tables of documents */
static const DeviceCase completed[] = {
  { "<controller type='usb'/>", "<controller type='usb' index='0' model='piix3-uhci'/>" },
  { "<controller type='scsi'/>", "<controller type='scsi' index='0' model='lsilogic'/>" },
  { "<controller type='scsi' model='auto'/>", "<controller type='scsi' index='0' model='lsilogic'/>" },
  { "<controller type='scsi' model='virtio-scsi'>"
    "<driver queues='2' cmd_per_lun='3' max_sectors='4' ioeventfd='on'/></controller>",
    "<controller type='scsi' index='0' model='virtio-scsi'>"
    "<driver queues='2' cmd_per_lun='3' max_sectors='4' ioeventfd='on'/></controller>" },
  { "<controller type='scsi' index='1' model='virtio-scsi'/><controller type='scsi'/>",
    "<controller type='scsi' index='1' model='virtio-scsi'/>"
    "<controller type='scsi' index='0' model='lsilogic'/>" },
  { "<controller type='virtio-serial' ports='16' vectors='4'/>",
    "<controller type='virtio-serial' index='0' ports='16' vectors='4'/>" },
  { "<controller type='virtio-serial' ports='16'><driver iommu='on' ats='on'/>"
    "<alias name='ua-x'/><acpi index='3'/></controller>",
    "<controller type='virtio-serial' index='0' ports='16'><driver iommu='on' ats='on'/>"
    "<alias name='ua-x'/><acpi index='3'/></controller>" },
  { "<controller type='pci' model='pcie-root'><pcihole64 unit='KiB'>1048576</pcihole64>"
    "</controller>",
    "<controller type='pci' index='0' model='pcie-root'><pcihole64 unit='KiB'>1048576</pcihole64>"
    "</controller>" },
  { "<controller type='usb' model='ich9-ehci1'/><controller type='usb' model='ich9-uhci1'>"
    "<master startport='0'/></controller>",
    "<controller type='usb' index='0' model='ich9-ehci1'/>"
    "<controller type='usb' index='0' model='ich9-uhci1'><master startport='0'/></controller>" },
  { "<controller type='usb' index='0' model='ich9-ehci1'/>"
    "<controller type='usb' index='0' model='ich9-uhci2'><master startport='2'/></controller>",
    "<controller type='usb' index='0' model='ich9-ehci1'/>"
    "<controller type='usb' index='0' model='ich9-uhci2'><master startport='2'/></controller>" },
  { "<controller type='usb' index='0' model='qemu-xhci' ports='8'/>",
    "<controller type='usb' index='0' model='qemu-xhci' ports='8'/>" },
  { "<controller type='usb' index='0' model='piix3-uhci' ports='8'/>",
    "<controller type='usb' index='0' model='piix3-uhci' ports='8'/>" },
  { "<controller type='usb' index='1' model='qemu-xhci'/>",
    "<controller type='usb' index='1' model='qemu-xhci'/>" },
  { "<controller type='usb' index='0' model='none'/>", "<controller type='usb' index='0' model='none'/>" },
  { "<controller type='sata' index='0'/><controller type='sata' index='1'/>",
    "<controller type='sata' index='0'/><controller type='sata' index='1'/>" },
  { "<controller type='fdc'/>", "<controller type='fdc' index='0'/>" },
  { "<controller type='ccid'/>", "<controller type='ccid' index='0'/>" },
  { "<controller type='sata'><driver iommu='on'/></controller>",
    "<controller type='sata' index='0'><driver iommu='on'/></controller>" },
  { "<controller type='scsi' model='virtio-non-transitional'/>",
    "<controller type='scsi' index='0' model='virtio-non-transitional'/>" },
  { "<controller type='scsi' model='lsisas1068'/><controller type='scsi' model='lsisas1078'/>"
    "<controller type='scsi' model='vmpvscsi'/>",
    "<controller type='scsi' index='0' model='lsisas1068'/>"
    "<controller type='scsi' index='1' model='lsisas1078'/>"
    "<controller type='scsi' index='2' model='vmpvscsi'/>" },
  { "<controller type='scsi' index='2' model='virtio-scsi'/><controller type='sata' index='0'/>"
    "<controller type='scsi' index='1' model='virtio-scsi'/>",
    "<controller type='scsi' index='1' model='virtio-scsi'/>"
    "<controller type='scsi' index='2' model='virtio-scsi'/><controller type='sata' index='0'/>" },
  { "<controller type='ide' model='piix3'/>", "<controller type='ide' index='0' model='piix3'/>" },
  { "<controller type='pci' index='1' model='pcie-root-port'><model name='pcie-root-port'/>"
    "<target chassis='1' port='0x8'/><address type='pci' bus='0' slot='1' function='0' "
    "multifunction='on'/></controller>",
    "<controller type='pci' index='1' model='pcie-root-port'><model name='pcie-root-port'/>"
    "<target chassis='1' port='0x8'/><address type='pci' domain='0x0000' bus='0x00' slot='0x01' "
    "function='0x0' multifunction='on'/></controller>" },
  DEVICE_CASES_END,
};

/* Element and place: the document begins in line 2. */
static const DeviceCase mistakes[] = {
  { "<controller type='pci' model='foo'/>",
    "2:24: Invalid value for attribute 'model' in element 'controller': 'foo' (a controller of "
    "type 'pci' has models 'pci-root', 'pcie-root', 'pci-bridge', 'dmi-to-pci-bridge', "
    "'pcie-to-pci-bridge', 'pcie-root-port', 'pcie-switch-upstream-port', "
    "'pcie-switch-downstream-port', 'pci-expander-bus', 'pcie-expander-bus')" },
  { "<controller type='pci'/>",
    "2:1: The PCI controller with index='0' must have a model; expected one such as "
    "'pcie-root-port'" },
  { "<controller type='usb' index='0' model='qemu-xhci' ports='30'/>",
    "2:52: 'qemu-xhci' controller only supports up to '15' ports" },
  { "<controller/>", "2:1: Missing required attribute 'type' in element 'controller'" },
  { "<controller type='sata' model='foo'/>",
    "2:25: Invalid value for attribute 'model' in element 'controller': 'foo' (a controller of "
    "type 'sata' has no models)" },
  { "<controller type='usb' model='foo'/>",
    "2:24: Invalid value for attribute 'model' in element 'controller': 'foo' (a controller of "
    "type 'usb' has models 'piix3-uhci', 'piix4-uhci', 'ehci', 'ich9-ehci1', 'ich9-uhci1', "
    "'ich9-uhci2', 'ich9-uhci3', 'vt82c686b-uhci', 'pci-ohci', 'nec-xhci', 'qusb1', 'qusb2', "
    "'qemu-xhci', 'none')" },
  { "<controller type='usb' index='0' model='nec-xhci'/>"
    "<controller type='usb' index='0' model='qemu-xhci'/>",
    "2:75: Duplicate USB controllers with index 0" },
  { "<controller type='scsi' model='lsilogic'><driver queues='2'/></controller>",
    "2:50: 'queues' is only supported by virtio-scsi controller" },
  { "<controller type='usb' index='0' model='ich9-uhci1'/>",
    "2:34: No master USB controller specified: 'ich9-uhci1' needs an 'ich9-ehci1' of its index" },
  { "<controller type='scsi' model='virtio-scsi'><driver iothread='2'/></controller>",
    "2:53: controller iothread '2' not defined in iothreadid: the domain has 0 iothreads" },
  { "<controller type='scsi' model='qemu-xhci'/>",
    "2:25: Invalid value for attribute 'model' in element 'controller': 'qemu-xhci' (a "
    "controller of type 'scsi' has models 'auto', 'buslogic', 'lsilogic', 'lsisas1068', "
    "'lsisas1078', 'vmpvscsi', 'ibmvscsi', 'virtio-scsi', 'ncr53c90', 'dc390', 'am53c974', "
    "'virtio-transitional', 'virtio-non-transitional')" },
  { "<controller type='pci' index='3' model='pcie-root-port'><target port='256'/></controller>",
    "2:65: Invalid value for attribute 'port' in element 'target': '256' (expected a number from "
    "0x0 to 0xff)" },
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
