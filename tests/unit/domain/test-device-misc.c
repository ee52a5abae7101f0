/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The small kinds: sound, audio, memory balloon, random numbers, watchdog, panic, hub; and kinds
 * kept whole.
 */

#include "device-harness.h"

/* clang-format off: tables of documents */
static const DeviceCase completed[] = {
  { "<sound model='ac97'/>", "<sound model='ac97'/>" },
  { "<sound model='ich6'><codec type='duplex'/><codec type='micro'/><audio id='1'/>"
    "<alias name='ua-s'/></sound><audio id='1' type='none'/>",
    "<sound model='ich6'><codec type='duplex'/><codec type='micro'/><audio id='1'/>"
    "<alias name='ua-s'/></sound><audio id='1' type='none'/>" },
  { "<audio id='1' type='pulseaudio' serverName='/x' timerPeriod='40'>"
    "<input mixingEngine='yes' fixedSettings='yes' voices='1' bufferLength='100' name='n' "
    "streamName='s' latency='9'><settings frequency='44100' channels='2' format='s16'/></input>"
    "<output mixingEngine='no'/></audio>",
    "<audio id='1' type='pulseaudio' timerPeriod='40' serverName='/x'>"
    "<input mixingEngine='yes' fixedSettings='yes' voices='1' bufferLength='100' name='n' "
    "streamName='s' latency='9'><settings frequency='44100' channels='2' format='s16'/></input>"
    "<output mixingEngine='no'/></audio>" },
  { "<audio id='1' type='oss' tryMMap='yes' exclusive='yes' dspPolicy='3'>"
    "<input dev='/d' tryPoll='yes' bufferCount='3'/></audio>",
    "<audio id='1' type='oss' tryMMap='yes' exclusive='yes' dspPolicy='3'>"
    "<input dev='/d' bufferCount='3' tryPoll='yes'/></audio>" },
  { "<audio id='1' type='jack'><input serverName='a' clientName='b' connectPorts='c' "
    "exactName='yes'/></audio>",
    "<audio id='1' type='jack'><input serverName='a' clientName='b' connectPorts='c' "
    "exactName='yes'/></audio>" },
  { "<audio id='1' type='sdl' driver='pulseaudio'/>", "<audio id='1' type='sdl' driver='pulseaudio'/>" },
  { "<audio id='1' type='file' path='/x.wav'/>", "<audio id='1' type='file' path='/x.wav'/>" },
  { "<audio id='1' type='coreaudio'><output bufferCount='3'/></audio>",
    "<audio id='1' type='coreaudio'><output bufferCount='3'/></audio>" },
  { "<audio id='2' type='none'/><audio id='1' type='none'/>",
    "<audio id='2' type='none'/><audio id='1' type='none'/>" },
  { "<memballoon model='none'/>", "<memballoon model='none'/>" },
  { "<memballoon model='virtio' autodeflate='on' freePageReporting='off'><stats period='0'/>"
    "<driver iommu='on'/><alias name='ua-b'/></memballoon>",
    "<memballoon model='virtio' autodeflate='on' freePageReporting='off'><alias name='ua-b'/>"
    "<driver iommu='on'/></memballoon>" },
  { "<memballoon model='virtio'><stats period='5'/></memballoon>",
    "<memballoon model='virtio'><stats period='5'/></memballoon>" },
  { "<rng model='virtio'><rate bytes='1024'/><backend model='random'>/dev/hwrng</backend>"
    "<driver iommu='on'/><alias name='ua-r'/></rng>",
    "<rng model='virtio'><rate bytes='1024'/><backend model='random'>/dev/hwrng</backend>"
    "<driver iommu='on'/><alias name='ua-r'/></rng>" },
  { "<rng model='virtio'><backend model='builtin'/></rng>",
    "<rng model='virtio'><backend model='builtin'/></rng>" },
  { "<rng model='virtio'><backend model='egd' type='udp'><source mode='bind' service='1234'/>"
    "<source mode='connect' host='1.2.3.4' service='1234'/></backend></rng>",
    "<rng model='virtio'><backend model='egd' type='udp'><source mode='bind' service='1234'/>"
    "<source mode='connect' host='1.2.3.4' service='1234'/></backend></rng>" },
  { "<rng model='virtio'><backend model='egd' type='tcp'>"
    "<source mode='connect' host='1.2.3.4' service='1234'/></backend></rng>",
    "<rng model='virtio'><backend model='egd' type='tcp'>"
    "<source mode='connect' host='1.2.3.4' service='1234'/><protocol type='raw'/></backend></rng>" },
  { "<rng model='virtio'><rate bytes='0'/><backend model='random'/></rng>",
    "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>" },
  { "<rng model='virtio'><rate period='3'/><backend model='random'/></rng>",
    "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>" },
  { "<rng model='virtio'><backend model='random'>foo</backend></rng>",
    "<rng model='virtio'><backend model='random'>foo</backend></rng>" },
  { "<watchdog model='i6300esb' action='inject-nmi'/>", "<watchdog model='i6300esb' action='inject-nmi'/>" },
  { "<watchdog model='i6300esb'/>", "<watchdog model='i6300esb' action='reset'/>" },
  { "<watchdog model='i6300esb' action='none'><alias name='ua-w'/></watchdog>",
    "<watchdog model='i6300esb' action='none'><alias name='ua-w'/></watchdog>" },
  { "<panic model='isa'><address type='isa' iobase='0x505'/></panic>",
    "<panic model='isa'><address type='isa' iobase='0x505'/></panic>" },
  { "<panic model='hyperv'/>", "<panic model='hyperv'/>" },
  { "<panic model='hyperv'/><panic model='isa'/>", "<panic model='hyperv'/><panic model='isa'/>" },
  { "<hub type='usb'/>", "<hub type='usb'/>" },
  { "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
    "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>" },
  { "<tpm><backend type='emulator' debug='0' persistent_state='no'/></tpm>",
    "<tpm model='tpm-tis'><backend type='emulator' version='1.2'/></tpm>" },
  { "<tpm><backend type='passthrough'/></tpm>",
    "<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>" },
  { "<tpm model='tpm-crb'><backend type='external'><source type='unix' path='/s'/></backend></tpm>",
    "<tpm model='tpm-crb'><backend type='external'><source type='unix' mode='connect' path='/s'/></backend>"
    "</tpm>" },
  { "<tpm model='tpm-crb'><backend type='emulator' version='2.0' debug='2'><source type='dir' path='/t'/>"
    "<profile name='n' removeDisabled='check' "
    "source='s'/><active_pcr_banks><sha512/><sha1/></active_pcr_banks>"
    "<encryption secret='C7A5FDBDCDAF9455926AD65C16DB1809'/></backend></tpm>",
    "<tpm model='tpm-crb'><backend type='emulator' version='2.0' debug='2'>"
    "<encryption secret='c7a5fdbd-cdaf-9455-926a-d65c16db1809'/><active_pcr_banks><sha1/><sha512/>"
    "</active_pcr_banks><source type='dir' path='/t'/><profile source='s' removeDisabled='check' name='n'/>"
    "</backend></tpm>" },
  { "<lease><lockspace>a</lockspace><key>b</key><target path='/x' offset='1'/></lease>",
    "<lease><lockspace>a</lockspace><key>b</key><target path='/x' offset='1'/></lease>" },
  { "<redirfilter><usbdev class='8' version='2.5' allow='yes'/><usbdev vendor='-1' "
    "allow='no'/></redirfilter>",
    "<redirfilter><usbdev class='0x08' version='2.50' allow='yes'/><usbdev allow='no'/></redirfilter>" },
  DEVICE_CASES_END,
};

/* Element and place: the document begins in line 2. */
static const DeviceCase mistakes[] = {
  { "<sound model='ich9'><audio id='3'/></sound>", "2:28: no audio device with ID 3" },
  { "<sound/>", "2:1: Missing required attribute 'model' in element 'sound'" },
  { "<sound model='foo'/>",
    "2:8: Invalid value for attribute 'model' in element 'sound': 'foo' (accepted: 'sb16', "
    "'es1370', 'pcspk', 'ac97', 'ich6', 'ich9', 'usb', 'ich7' or 'virtio')" },
  { "<sound model='ich6'><codec type='foo'/></sound>",
    "2:28: Invalid value for attribute 'type' in element 'codec': 'foo' (accepted: 'duplex', "
    "'micro' or 'output')" },
  { "<audio type='none'/>", "2:1: Missing required attribute 'id' in element 'audio'" },
  { "<audio id='0' type='none'/>",
    "2:8: Invalid value for attribute 'id' in element 'audio': '0' (expected a whole number from "
    "1 to 4294967295)" },
  { "<audio id='1'/>", "2:1: Missing required attribute 'type' in element 'audio'" },
  { "<audio id='1' type='none'/><audio id='1' type='none'/>", "2:35: audio ID 1 is used multiple times" },
  { "<memballoon model='xen'/>",
    "2:13: Memory balloon device type 'xen' is not supported by this version of qemu; expected "
    "'virtio' or 'none'" },
  { "<memballoon/>", "2:1: Missing required attribute 'model' in element 'memballoon'" },
  { "<memballoon model='virtio'/><memballoon model='virtio'/>",
    "2:1: only a single memory balloon device may be defined\n2:29: only a single memory "
    "balloon device may be defined" },
  { "<rng model='virtio'/>", "2:1: missing RNG device backend model; expected 'random', 'builtin' or 'egd'" },
  { "<rng><backend model='random'/></rng>", "2:1: Missing required attribute 'model' in element 'rng'" },
  { "<rng model='virtio'><backend/></rng>",
    "2:1: missing RNG device backend model; expected 'random', 'builtin' or 'egd'" },
  { "<rng model='virtio'><backend model='egd'/></rng>", "2:1: missing EGD backend type" },
  { "<watchdog model='diag288'/>",
    "2:11: diag288 model of watchdog is allowed for s390 and s390x only; expected 'i6300esb' or "
    "'itco'" },
  { "<watchdog/>", "2:1: Missing required attribute 'model' in element 'watchdog'" },
  { "<watchdog model='foo'/>",
    "2:11: Invalid value for attribute 'model' in element 'watchdog': 'foo' (accepted: "
    "'i6300esb', 'ib700', 'diag288' or 'itco')" },
  { "<panic model='pseries'/>", "2:8: only pSeries guests support panic device of model 'pseries'" },
  { "<panic/><panic/>", "2:9: Multiple panic devices with model 'isa'" },
  { "<panic model='hyperv'><address type='isa' iobase='0x505'/></panic>",
    "2:32: setting the panic device address is not supported for model 'hyperv'" },
  { "<hub/>", "2:1: Missing required attribute 'type' in element 'hub'" },
  { "<hub type='x'/>", "2:6: Invalid value for attribute 'type' in element 'hub': 'x' (accepted: 'usb')" },
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
