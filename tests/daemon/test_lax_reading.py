# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a definition without the flag VALIDATE accepts and what it refuses, as libvirt 11.3 answered: empty elements, blanks,
signs and stray text; and what becomes of them. With the flag each of the accepted ones is refused, with its place."""

import libvirt
import pytest

libvirt.registerErrorHandler(lambda _context, _error: None, None)

UUID = "5f0b3c1e-77aa-4d0f-8c55-19e0a4b2c301"


def document(parts="", devices="", uuid=f"<uuid>{UUID}</uuid>", memory="<memory>131072</memory>", vcpu="<vcpu>2</vcpu>",
             attributes="", more=""):
    return (f"<domain type='qemu'{attributes}><name>n</name>{uuid}{memory}{vcpu}"
            f"<os><type arch='x86_64' machine='q35'>hvm</type>{more}</os>{parts}<devices>{devices}</devices></domain>")


def disk(parts):
    return document(devices=f"<disk type='file'><source file='/x'/><target dev='vda'/>{parts}</disk>")


# (document, what the dump has, what it has not)
ACCEPTED = [
    (document(uuid="<uuid></uuid>"), "<uuid>", "<uuid></uuid>"),
    (document(uuid="<uuid> </uuid>"), "<uuid>", "<uuid> "),
    (document(attributes=" id='seven'"), "<name>n</name>", "seven"),
    (document("<currentMemory/>"), "<currentMemory unit='KiB'>131072</currentMemory>", None),
    (document("<iothreads/>"), "<name>", "<iothreads"),
    (document("<on_reboot/><on_crash></on_crash>"), "<on_reboot>restart</on_reboot>", None),
    (document("<blkiotune><weight/></blkiotune>"), "<name>", "weight"),
    (document("<cputune><quota> </quota></cputune>"), "<name>", "quota"),
    (document("<memoryBacking><source type=''/></memoryBacking>"), "<name>", "type=''"),
    (document(more="<kernel/><initrd></initrd><cmdline/>"), "<name>", "kernel"),
    (document(more="<loader type='rom'>bios.bin</loader>"), "bios.bin</loader>", None),
    (document(more="<kernel>vmlinuz</kernel>"), "<kernel>vmlinuz</kernel>", None),
    (document(vcpu="<vcpu>+2</vcpu>"), ">2</vcpu>", "+2"),
    (document("<iothreads> 3</iothreads>"), "<iothreads>3</iothreads>", None),
    (document(memory="<memory> 131072</memory>"), ">131072</memory>", None),
    (document("stray"), "<name>n</name>", "stray"),
    (disk("stray"), "vda", "stray"),
    (disk("<backingStore/>"), "<backingStore/>", None),
    (disk("<backingStore><format type='raw'/></backingStore>"), "<backingStore/>", "<format"),
    (disk("<boot order='+1'/>"), "<boot order='1'/>", None),
    (document(devices="<graphics type='vnc' passwdValidTo='2030-01-01T00:00:00'/>"), "type='vnc'", "passwdValidTo"),
    (document(devices="<channel type='unix'><source mode='bind'/><target type='virtio' name='a'/></channel>"),
     "name='a'", "<source"),
    (document(devices="<channel type='unix'><source mode='connect' path='/srv/libvirt/qemu/channel/target/domain-1-n/a'/>"
              "<target type='virtio' name='a'/></channel>"), "path='/srv/libvirt/qemu/channel/target/domain-1-n/a'", None),
    (document(devices="<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/1-n/b'/>"
              "<target type='virtio' name='a'/></channel>"), "path='/run/libvirt/qemu/channel/1-n/b'", None),
    (document(devices="<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/1-n/a'/>"
              "<target type='virtio' name='a'/></channel>"), "name='a'", "1-n"),
    (document("<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-S'/></commandline>"),
     "<qemu:arg value='-S'/>", None),
    (document("<qemu:commandline xmlns:qemu='http://example.org/'><qemu:arg value='-S'/></qemu:commandline>"),
     "<name>n</name>", "commandline"),
]

# What libvirt's schema has nothing against.
VALID = [disk("<backingStore/>"), ACCEPTED[20][0], ACCEPTED[21][0], ACCEPTED[22][0], ACCEPTED[23][0], ACCEPTED[24][0], ACCEPTED[25][0]]

XML, UNSUPPORTED, INTERNAL = libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_ERR_CONFIG_UNSUPPORTED, libvirt.VIR_ERR_INTERNAL_ERROR

REFUSED = [
    (document(memory="<memory/>"), XML, "memory"),
    (document(vcpu="<vcpu/>"), XML, "vcpu"),
    (document(vcpu="<vcpu>2 </vcpu>"), XML, "'2 '"),
    (document(vcpu="<vcpu>0x2</vcpu>"), XML, "'0x2'"),
    (document("<cpu mode=' custom'/>"), UNSUPPORTED, "' custom'"),
    (document("<on_reboot> restart </on_reboot>"), UNSUPPORTED, "' restart '"),
    (document("<cpu><numa/></cpu>"), XML, "NUMA topology defined without NUMA cells"),
    *((document(f"<{event}>preserve</{event}>"), UNSUPPORTED,
       "qemu driver doesn't support the 'preserve' action for 'on_reboot'/'on_poweroff'")
      for event in ("on_reboot", "on_poweroff")),
    *((document(f"<{event}>rename-restart</{event}>"), UNSUPPORTED,
       "qemu driver doesn't support the 'rename-restart' action") for event in ("on_reboot", "on_poweroff", "on_crash")),
    (document("<on_poweroff>restart</on_poweroff><on_reboot>destroy</on_reboot>"), UNSUPPORTED,
     "qemu driver doesn't support 'onReboot' set to 'destroy and 'onPoweroff' set to 'reboot'"),
    (document(devices="<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"), UNSUPPORTED,
     "chardev 'spicevmc' not supported without spice graphics"),
    (document(devices="<redirdev bus='usb' type='spicevmc'/>"), UNSUPPORTED,
     "chardev 'spicevmc' not supported without spice graphics"),
    (document(devices="<serial type='spiceport'><source channel='x'/></serial>"), UNSUPPORTED,
     "chardev 'spiceport' not supported without spice graphics"),
    (document(devices="<graphics type='vnc' passwd='123456789'/>"), UNSUPPORTED,
     "VNC password is 9 characters long, only 8 permitted"),
    (document(devices="<graphics type='vnc' passwd='x' passwdValidTo='2030-01-01T00:00:00Z'/>"), INTERNAL,
     "cannot parse password validity time '2030-01-01T00:00:00Z', expect YYYY-MM-DDTHH:MM:SS"),
    (document(devices="<disk type='file'><source file='/x'/><target dev='vda'/><boot order='1'/></disk>"
              "<interface type='user'><boot order='1'/></interface>"), UNSUPPORTED,
     "boot order '1' used for more than one device: interface without a MAC address is the second"),
]


@pytest.fixture
def connection(daemon):
    opened = libvirt.open(f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock")
    yield opened
    opened.close()


def test_accepted(connection):
    for text, has, has_not in ACCEPTED:
        domain = connection.defineXML(text)
        dump = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
        domain.undefine()
        assert has in dump, f"{text}\n{dump}"
        assert has_not is None or has_not not in dump, f"{text}\n{dump}"


def test_accepted_only_without_the_schema(connection):
    for text, _, _ in ACCEPTED:
        if text in VALID:
            continue
        with pytest.raises(libvirt.libvirtError) as caught:
            connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        assert "(document):1:" in caught.value.get_error_message(), text
    for text in VALID:
        connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE).undefine()


def test_refused(connection):
    for text, code, words in REFUSED:
        for flags in (0, libvirt.VIR_DOMAIN_DEFINE_VALIDATE):
            with pytest.raises(libvirt.libvirtError) as caught:
                connection.defineXMLFlags(text, flags)
            if flags == 0:
                assert caught.value.get_error_code() == code, f"{text}: {caught.value}"
                assert words in caught.value.get_error_message(), f"{text}: {caught.value}"


PCI = "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='2' function='0'/></source></hostdev>"

# Devices and parts that are only kept.
KEPT = [
    ("<tpm model='tpm-zzz'><backend type='emulator'/></tpm>", XML, "Invalid value for attribute 'model' in element 'tpm': 'tpm-zzz'"),
    ("<tpm model='tpm-tis'><backend type='frob'/></tpm>", XML, "Invalid value for attribute 'type' in element 'backend': 'frob'"),
    ("<tpm model='tpm-tis'/>", XML, "backend"),
    ("<filesystem type='mounty'><source dir='/a'/><target dir='b'/></filesystem>", XML, "did you mean 'mount'?"),
    ("<hostdev/>", XML, "Missing required attribute 'type' in element 'hostdev'"),
    ("<hostdev mode='subsystem' type='pci'/>", XML, "Missing <source> element in hostdev device"),
    ("<hostdev mode='zz' type='pci'><source/></hostdev>", XML, "Invalid value for attribute 'mode' in element 'hostdev': 'zz'"),
    ("<memory model='zz'/>", XML, "Invalid value for attribute 'model' in element 'memory': 'zz'"),
    ("<crypto model='virtio' type='zz'><backend model='builtin'/></crypto>", XML, "'zz'"),
    ("<iommu/>", XML, "Missing required attribute 'model' in element 'iommu'"),
    ("<smartcard mode='zz'/>", XML, "Invalid value for attribute 'mode' in element 'smartcard': 'zz'"),
    ("<pstore backend='acpi-erst'/>", XML, "size"),
    ("<shmem/>", XML, "shmem element must contain 'name' attribute"),
    (PCI * 2, XML, "Hostdev already exists in the domain configuration"),
    ("<vsock model='virtio'/>" * 2, XML, "only a single vsock device is supported"),
    ("<iommu model='intel'/>" * 2, XML, "only a single IOMMU device is supported"),
]


def test_what_is_wrong_in_kept_devices(connection):
    for devices, code, words in KEPT:
        for flags in (0, libvirt.VIR_DOMAIN_DEFINE_VALIDATE):
            with pytest.raises(libvirt.libvirtError) as caught:
                connection.defineXMLFlags(document(devices=devices), flags)
            assert caught.value.get_error_code() == code, f"{devices}: {caught.value}"
            assert words in caught.value.get_error_message(), f"{devices}: {caught.value}"
    for devices in (PCI, "<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>"):
        connection.defineXML(document(devices=devices)).undefine()


def typed_disk(bus, parts):
    return f"<disk type='file'><source file='/x'/><target dev='{'h' if bus == 'ide' else 's'}da' bus='{bus}'/>{parts}</disk>"


def video(attributes, inside=""):
    return f"<video><model {attributes}>{inside}</model></video>"


# What one model of a device has, said of another: taken as libvirt takes it (what the dump has, and has not), or refused.
OF_OTHER_MODELS = [
    (typed_disk("sata", "<product>a model of up to forty characters</product>"), "<product>", None),
    ("<sound model='ich9' streams='2'/>", "<sound model='ich9'", "streams"),
    ("<sound model='ich9'><driver iommu='on'/></sound>", "<sound model='ich9'", "iommu"),
    ("<input type='tablet' bus='usb'><driver iommu='on'/></input>", "iommu='on'", None),
    ("<memballoon model='none'><driver iommu='on'/></memballoon>", "iommu='on'", None),
    ("<controller type='usb' index='0' model='ich9-ehci1'/><controller type='usb' index='0' model='ich9-uhci1'/>",
     "<master startport='0'/>", None),
    (video("type='none' ram='1'"), "type='none'", " ram="), (video("type='cirrus' ram='0'"), "type='cirrus'", " ram="),
]
UNSUPPORTED = libvirt.VIR_ERR_CONFIG_UNSUPPORTED
REFUSED_OF_OTHER_MODELS = [
    (typed_disk("usb", "<product>x</product>"), UNSUPPORTED, "Only ide, sata and scsi disk supports 'product'"),
    (typed_disk("sata", "<vendor>x</vendor>"), UNSUPPORTED, "Only scsi disk supports 'vendor'"),
    (typed_disk("sata", f"<product>{'x' * 41}</product>"), UNSUPPORTED, "disk product is more than 40 characters"),
    (typed_disk("scsi", f"<product>{'x' * 17}</product>"), UNSUPPORTED, "disk product is more than 16 characters"),
    ("<controller type='usb' index='0' model='ich9-uhci1'/>", libvirt.VIR_ERR_XML_DETAIL,
     "No master USB controller specified"),
    (typed_disk("sata", "<boot/>"), XML, "Missing required attribute 'order' in element 'boot'"),
    (typed_disk("sata", "<boot loadparm='x'/>"), XML, "Missing required attribute 'order' in element 'boot'"),
    (video("type='vmvga' blob='off'"), UNSUPPORTED, "video type 'vmvga' does not support blob resources"),
    (video("type='cirrus' ram='1'"), UNSUPPORTED, "ram attribute only supported for video type qxl"),
    (video("type='vga' vram64='16384'"), UNSUPPORTED, "vram64 attribute only supported for video type qxl"),
    (video("type='vga' vgamem='16384'"), UNSUPPORTED, "vgamem attribute only supported for video type qxl"),
    ("<input type='tablet' bus='usb'><acpi index='1'/></input>", UNSUPPORTED, "ACPI index is only supported for PCI devices"),
    ("<rng model='virtio'><backend model='random'/><acpi index='0'/></rng>", XML, "'index' in element 'acpi'"),
    ("<rng model='virtio'><backend model='random'/><address type='pci'><zpci uid='0x1'/></address></rng>", UNSUPPORTED,
     "This QEMU binary doesn't support zPCI"),
]


def test_what_other_models_have(connection):
    for devices, has, has_not in OF_OTHER_MODELS:
        domain = connection.defineXML(document(devices=devices))
        dump = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        domain.undefine()
        assert has in dump and (has_not is None or has_not not in dump), f"{devices}\n{dump}"
    for devices, code, words in REFUSED_OF_OTHER_MODELS:
        with pytest.raises(libvirt.libvirtError) as caught:
            connection.defineXML(document(devices=devices))
        assert (caught.value.get_error_code(), words in caught.value.get_error_message()) == (code, True), str(caught.value)
