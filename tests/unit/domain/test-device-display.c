/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <graphics>, <video> and <input>: what a person sees and types on.
 */

#include "device-harness.h"

/* clang-format off: tables of documents */
static const DeviceCase completed[] = {
  { "<graphics type='spice'/><channel type='spicevmc'><target type='virtio'/></channel>",
    "<channel type='spicevmc'><target type='virtio'/></channel><graphics type='spice'>"
    "<listen type='none'/></graphics>" },
  { "<graphics type='spice'/><channel type='spicevmc'><target type='virtio' name='foo'/>"
    "</channel>",
    "<channel type='spicevmc'><target type='virtio' name='foo'/></channel><graphics type='spice'>"
    "<listen type='none'/></graphics>" },
  { "<video/>", "<video><model type='cirrus' vram='16384' heads='1' primary='yes'/></video>" },
  { "<video><model type='vga'/></video>",
    "<video><model type='vga' vram='16384' heads='1' primary='yes'/></video>" },
  { "<video><model type='qxl' heads='4' ram='1000' vram='1000' vgamem='4096' vram64='2000'/>"
    "</video>",
    "<video><model type='qxl' ram='1024' vram='1024' vram64='2000' vgamem='4096' heads='4' "
    "primary='yes'/></video>" },
  { "<video><model type='virtio'/></video>",
    "<video><model type='virtio' heads='1' primary='yes'/></video>" },
  { "<video><model type='virtio' vram='3000'/></video>",
    "<video><model type='virtio' vram='4096' heads='1' primary='yes'/></video>" },
  { "<video><model type='bochs'/></video>",
    "<video><model type='bochs' vram='16384' heads='1' primary='yes'/></video>" },
  { "<video><model type='ramfb'/></video>", "<video><model type='ramfb' heads='1' primary='yes'/></video>" },
  { "<video><model type='none'/></video>", "<video><model type='none'/></video>" },
  { "<video><model type='cirrus'/></video>",
    "<video><model type='cirrus' vram='16384' heads='1' primary='yes'/></video>" },
  { "<video><model type='vmvga'/></video>",
    "<video><model type='vmvga' vram='16384' heads='1' primary='yes'/></video>" },
  { "<video><model type='vga' primary='no'/></video>",
    "<video><model type='vga' vram='16384' heads='1' primary='yes'/></video>" },
  { "<video><model type='vga'/></video><video><model type='qxl'/></video>",
    "<video><model type='vga' vram='16384' heads='1' primary='yes'/></video><video>"
    "<model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1'/></video>" },
  { "<video><model type='qxl'/></video><video><model type='vga' primary='yes'/></video>",
    "<video><model type='vga' vram='16384' heads='1' primary='yes'/></video><video>"
    "<model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1'/></video>" },
  { "<video><model type='qxl' heads='20'/></video>",
    "<video><model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='20' primary='yes'/>"
    "</video>" },
  { "<video><driver vgaconf='on'/><model type='vga'/></video>",
    "<video><driver vgaconf='on'/><model type='vga' vram='16384' heads='1' primary='yes'/>"
    "</video>" },
  { "<video><model type='virtio' heads='0'/></video>",
    "<video><model type='virtio' primary='yes'/></video>" },
  { "<video><model type='bochs' vram='4'/></video>",
    "<video><model type='bochs' vram='4' heads='1' primary='yes'/></video>" },
  { "<video><model type='virtio' heads='1' primary='yes'><acceleration accel3d='yes'/></model>"
    "</video>",
    "<video><model type='virtio' heads='1' primary='yes'><acceleration accel3d='yes'/></model>"
    "</video>" },
  { "<input type='tablet' bus='usb'/>", "<input type='tablet' bus='usb'/>" },
  { "<input type='mouse'/>", "<input type='mouse' bus='ps2'/>" },
  { "<input type='tablet'/>", "<input type='tablet' bus='usb'/>" },
  { "<input type='passthrough' bus='virtio'><source evdev='/dev/input/event1'/></input>",
    "<input type='passthrough' bus='virtio'><source evdev='/dev/input/event1'/></input>" },
  { "<input type='passthrough'><source evdev='/dev/input/event1'/></input>",
    "<input type='passthrough' bus='virtio'><source evdev='/dev/input/event1'/></input>" },
  { "<input type='evdev'><source dev='/dev/input/event1' grab='all' repeat='on' "
    "grabToggle='shift-shift'/></input>",
    "<input type='evdev'><source dev='/dev/input/event1' grab='all' grabToggle='shift-shift' "
    "repeat='on'/></input>" },
  { "<input type='mouse' bus='virtio' model='virtio'><driver iommu='on'/><alias name='ua-i'/>"
    "</input>",
    "<input type='mouse' bus='virtio' model='virtio'><driver iommu='on'/><alias name='ua-i'/>"
    "</input>" },
  { "<graphics type='vnc' port='5901'/>",
    "<graphics type='vnc' port='5901' autoport='no'><listen type='address'/></graphics>" },
  { "<graphics type='vnc' port='-1'/>",
    "<graphics type='vnc' port='-1' autoport='yes'><listen type='address'/></graphics>" },
  { "<graphics type='vnc' autoport='no'/>",
    "<graphics type='vnc' autoport='no'><listen type='address'/></graphics>" },
  { "<graphics type='vnc' port='5900' autoport='yes'/>",
    "<graphics type='vnc' port='-1' autoport='yes'><listen type='address'/></graphics>" },
  { "<graphics type='vnc' listen='0.0.0.0' passwd='x' passwdValidTo='2026-01-31T12:00:00' "
    "connected='keep' keymap='de' sharePolicy='ignore' websocket='-1' powerControl='yes'>"
    "<audio id='1'/></graphics><audio id='1' type='none'/>",
    "<graphics type='vnc' port='-1' autoport='yes' websocket='-1' listen='0.0.0.0' keymap='de' "
    "sharePolicy='ignore' powerControl='yes' passwd='x' passwdValidTo='2026-01-31T12:00:00' "
    "connected='keep'><listen type='address' address='0.0.0.0'/><audio id='1'/></graphics>"
    "<audio id='1' type='none'/>" },
  { "<graphics type='vnc'><listen type='address' address='1.2.3.4'/></graphics>",
    "<graphics type='vnc' port='-1' autoport='yes' listen='1.2.3.4'>"
    "<listen type='address' address='1.2.3.4'/></graphics>" },
  { "<graphics type='vnc'><listen type='network' network='default'/></graphics>",
    "<graphics type='vnc' port='-1' autoport='yes'><listen type='network' network='default'/>"
    "</graphics>" },
  { "<graphics type='vnc' socket='/tmp/x'/>",
    "<graphics type='vnc' socket='/tmp/x'><listen type='socket' socket='/tmp/x'/></graphics>" },
  { "<graphics type='vnc'><listen type='socket' socket='/tmp/y'/></graphics>",
    "<graphics type='vnc' socket='/tmp/y'><listen type='socket' socket='/tmp/y'/></graphics>" },
  { "<graphics type='vnc'><listen type='socket'/></graphics>",
    "<graphics type='vnc'><listen type='socket'/></graphics>" },
  { "<graphics type='vnc'><listen type='none'/></graphics>",
    "<graphics type='vnc'><listen type='none'/></graphics>" },
  { "<graphics type='vnc'><listen type='address' address='1.1.1.1'/>"
    "<listen type='address' address='1.1.1.2'/></graphics>",
    "<graphics type='vnc' port='-1' autoport='yes' listen='1.1.1.1'>"
    "<listen type='address' address='1.1.1.1'/><listen type='address' address='1.1.1.2'/>"
    "</graphics>" },
  { "<graphics type='vnc' port='5800'/>",
    "<graphics type='vnc' port='5800' autoport='no'><listen type='address'/></graphics>" },
  { "<graphics type='sdl'/>", "<graphics type='sdl'/>" },
  { "<graphics type='sdl' display=':0' xauth='/x' fullscreen='yes'><gl enable='yes'/></graphics>",
    "<graphics type='sdl' display=':0' xauth='/x' fullscreen='yes'><gl enable='yes'/></graphics>" },
  { "<graphics type='spice' autoport='yes' tlsPort='-1' defaultMode='secure'>"
    "<channel name='main' mode='secure'/><image compression='off'/><jpeg compression='auto'/>"
    "<zlib compression='auto'/><playback compression='on'/><streaming mode='off'/>"
    "<clipboard copypaste='no'/><mouse mode='server'/><filetransfer enable='no'/>"
    "<gl enable='yes' rendernode='/dev/dri/x'/></graphics>",
    "<graphics type='spice' autoport='yes' defaultMode='secure'><listen type='address'/>"
    "<channel name='main' mode='secure'/><image compression='off'/><jpeg compression='auto'/>"
    "<zlib compression='auto'/><playback compression='on'/><streaming mode='off'/>"
    "<mouse mode='server'/><clipboard copypaste='no'/><filetransfer enable='no'/>"
    "<gl enable='yes' rendernode='/dev/dri/x'/></graphics>" },
  { "<graphics type='spice' autoport='yes'><channel name='usbredir' mode='insecure'/>"
    "<channel name='display' mode='any'/><channel name='cursor' mode='any'/><channel name='main' "
    "mode='secure'/>"
    "<channel name='cursor' mode='insecure'/></graphics>",
    "<graphics type='spice' autoport='yes'><listen type='address'/><channel name='main' mode='secure'/>"
    "<channel name='cursor' mode='insecure'/><channel name='usbredir' mode='insecure'/></graphics>" },
  { "<graphics type='vnc' connected='fail'/>",
    "<graphics type='vnc' port='-1' autoport='yes'><listen type='address'/></graphics>" },
  { "<graphics type='egl-headless'/>", "<graphics type='egl-headless'/>" },
  { "<graphics type='egl-headless'><gl rendernode='/dev/dri/x'/></graphics>",
    "<graphics type='egl-headless'><gl rendernode='/dev/dri/x'/></graphics>" },
  { "<graphics type='dbus'/>", "<graphics type='dbus'/>" },
  { "<graphics type='dbus' p2p='yes'><gl enable='yes' rendernode='/x'/></graphics>",
    "<graphics type='dbus' p2p='yes'><gl enable='yes' rendernode='/x'/></graphics>" },
  { "<graphics type='dbus' address='unix:path=/x'/>", "<graphics type='dbus' address='unix:path=/x'/>" },
  { "<graphics type='dbus'><audio id='1'/></graphics><audio id='1' type='dbus'/>",
    "<graphics type='dbus'><audio id='1'/></graphics><audio id='1' type='dbus'/>" },
  { "<graphics type='vnc' port='5900' websocket='5700'><listen type='address'/></graphics>",
    "<graphics type='vnc' port='5900' autoport='no' websocket='5700'><listen type='address'/>"
    "</graphics>" },
  { "<graphics type='spice'/>", "<graphics type='spice'><listen type='none'/></graphics>" },
  { "<graphics type='spice' port='5900'/>",
    "<graphics type='spice' port='5900' autoport='no'><listen type='address'/></graphics>" },
  { "<graphics type='spice' port='-1'/>",
    "<graphics type='spice' port='-1' autoport='no'><listen type='address'/></graphics>" },
  { "<graphics type='spice' port='-1' tlsPort='-1'/>",
    "<graphics type='spice' autoport='yes'><listen type='address'/></graphics>" },
  { "<graphics type='spice' autoport='yes' port='5900'/>",
    "<graphics type='spice' autoport='yes'><listen type='address'/></graphics>" },
  { "<graphics type='spice' autoport='no'/>", "<graphics type='spice'><listen type='none'/></graphics>" },
  { "<graphics type='spice'><listen type='none'/></graphics>",
    "<graphics type='spice'><listen type='none'/></graphics>" },
  { "<graphics type='spice'><listen type='socket' socket='/x'/></graphics>",
    "<graphics type='spice'><listen type='socket' socket='/x'/></graphics>" },
  { "<graphics type='spice' listen='1.2.3.4' passwd='x' keymap='de' connected='keep'/>",
    "<graphics type='spice' keymap='de' passwd='x' connected='keep'><listen type='none'/>"
    "</graphics>" },
  { "<graphics type='vnc' port='0'/>",
    "<graphics type='vnc' autoport='no'><listen type='address'/></graphics>" },
  { "<graphics type='vnc' port='-1' autoport='no'/>",
    "<graphics type='vnc' autoport='no'><listen type='address'/></graphics>" },
  { "<graphics type='vnc' socket='/x' port='5901' listen='1.2.3.4'/>",
    "<graphics type='vnc' socket='/x'><listen type='socket' socket='/x'/></graphics>" },
  { "<graphics type='vnc' port='5901'><listen type='socket' socket='/y'/></graphics>",
    "<graphics type='vnc' socket='/y'><listen type='socket' socket='/y'/></graphics>" },
  { "<graphics type='vnc'><listen type='address' address=''/></graphics>",
    "<graphics type='vnc' port='-1' autoport='yes'><listen type='address'/></graphics>" },
  { "<video><model type='virtio' heads='1' primary='yes'><acceleration accel3d='yes'/></model>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/></video>",
    "<video><model type='virtio' heads='1' primary='yes'><acceleration accel3d='yes'/></model>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/></video>" },
  DEVICE_CASES_END,
};

/* Element and place: the document begins in line 2. */
static const DeviceCase mistakes[] = {
  { "<video><model type='vga' vram='1000' heads='2'/></video>",
    "2:38: video type 'vga' doesn't support multiple 'heads'" },
  { "<video><model type='qxl' heads='4' ram='1000' vram='1000' vgamem='3000' vram64='2000'/>"
    "</video>",
    "2:59: value for 'vgamem' must be power of two, not 3000" },
  { "<video><model type='virtio' heads='3' blob='on'>"
    "<acceleration accel3d='no' rendernode='/dev/dri/renderD128'/><resolution x='800' y='600'/>"
    "</model><alias name='ua-v'/></video>",
    "2:76: unsupported rendernode accel attribute without 'vhostuser'; the display's <gl>"
    " can name one" },
  { "<graphics type='vnc' passwd='x' connected='disconnect'/>", "2:33: VNC supports connected='keep' only" },
  { "<graphics type='spice'><channel name='sound' mode='any'/><channel name='main' mode='safe'/></graphics>",
    "2:33: Invalid value for attribute 'name' in element 'channel': 'sound' (accepted: 'main', 'display', "
    "'inputs', 'cursor', 'playback', 'record', 'smartcard' or 'usbredir')\n2:79: Invalid value for attribute "
    "'mode' in element 'channel': 'safe' (accepted: 'any', 'secure' or 'insecure')" },
  { "<video><model type='none'/></video><video><model type='vga'/></video>",
    "2:15: a 'none' video type must be the only video device defined for the domain\n2:50: "
    "video type 'vga' is only valid as primary video device" },
  { "<video><model type='xen'/></video>",
    "2:15: domain configuration does not support video model 'xen'; expected one such as "
    "'virtio', 'vga', 'qxl' or 'bochs'" },
  { "<video><model type='foo'/></video>",
    "2:15: Invalid value for attribute 'type' in element 'model': 'foo' (accepted: 'vga', "
    "'cirrus', 'vmvga', 'xen', 'vbox', 'qxl', 'parallels', 'virtio', 'gop', 'none', 'bochs' or "
    "'ramfb')" },
  { "<video><model type='vga'/></video><video><model type='virtio' primary='yes'/></video>",
    "2:15: video type 'vga' is only valid as primary video device" },
  { "<video><model type='vga' primary='yes'/></video><video><model type='virtio' primary='yes'/>"
    "</video>",
    "2:26: Only one primary video device is supported" },
  { "<video><model type='vga'><acceleration accel3d='yes'/></model></video>",
    "2:40: 3d acceleration is supported only with 'virtio' video device, not 'vga'" },
  { "<video><driver iommu='on'/><model type='vga'/></video>",
    "2:16: iommu driver option is only supported for virtio devices" },
  { "<video><driver name='qemu'/><model type='virtio'><acceleration accel2d='yes'/></model>"
    "</video>",
    "2:64: qemu does not support the accel2d setting" },
  { "<video><model type='virtio'><resolution x='0' y='600'/></model></video>",
    "2:41: Invalid value for attribute 'x' in element 'resolution': '0' (expected a whole number "
    "from 1 to 4294967295)" },
  { "<video><model type='virtio'><resolution x='800'/></model></video>",
    "2:41: Missing required attribute 'y' in element 'resolution'" },
  { "<video><model type='vga' vram='500'/></video>",
    "2:26: value for 'vram' must be at least 1 MiB (1024 KiB), not 512" },
  { "<input type='tablet' bus='ps2'/>",
    "2:22: ps2 bus does not support tablet input device; expected 'usb' or 'virtio'" },
  { "<input type='evdev' bus='usb'><source dev='/dev/input/event1'/></input>",
    "2:21: input evdev doesn't support bus element" },
  { "<input type='mouse' bus='virtio' model='virtio-transitional'/>",
    "2:34: virtio (non-)transitional models are not supported for input type=mouse" },
  { "<input type='mouse' bus='usb' model='virtio'/>",
    "2:31: only bus 'virtio' is supported for input model 'virtio'" },
  { "<input type='mouse' bus='foo'/>",
    "2:21: Invalid value for attribute 'bus' in element 'input': 'foo' (accepted: 'ps2', 'usb', "
    "'xen', 'parallels' or 'virtio')" },
  { "<input bus='usb'/>", "2:1: Missing required attribute 'type' in element 'input'" },
  { "<input type='keyboard' bus='xen'/>",
    "2:24: unsupported input bus xen; expected 'ps2', 'usb' or 'virtio'" },
  { "<graphics type='vnc' listen='1.2.3.5'><listen type='address' address='1.2.3.4'/></graphics>",
    "2:22: graphics 'listen' attribute '1.2.3.5' must match 'address' attribute of first listen "
    "element (found '1.2.3.4')" },
  { "<graphics type='vnc'><listen type='foo'/></graphics>",
    "2:30: Invalid value for attribute 'type' in element 'listen': 'foo' (accepted: 'none', "
    "'address', 'network' or 'socket')" },
  { "<graphics type='vnc' port='x'/>",
    "2:22: Invalid value for attribute 'port' in element 'graphics': 'x' (expected a whole "
    "number, which may be negative)" },
  { "<graphics type='desktop' display=':1'/>",
    "2:11: desktop graphics are not supported with this QEMU; expected 'vnc', 'spice', 'sdl', "
    "'egl-headless' or 'dbus'" },
  { "<graphics type='rdp' port='3389' multiUser='yes'/>",
    "2:11: rdp graphics are not supported with this QEMU; expected 'vnc', 'spice', 'sdl', "
    "'egl-headless' or 'dbus'" },
  { "<graphics/>", "2:1: Missing required attribute 'type' in element 'graphics'" },
  { "<graphics type='vnc' sharePolicy='foo'/>",
    "2:22: Invalid value for attribute 'sharePolicy' in element 'graphics': 'foo' (accepted: "
    "'allow-exclusive', 'force-shared' or 'ignore')" },
  { "<graphics type='vnc' passwdValidTo='foo' passwd='x'/>",
    "2:22: cannot parse password validity time 'foo', expect YYYY-MM-DDTHH:MM:SS" },
  { "<graphics type='vnc'><listen type='network'/></graphics>",
    "2:30: 'network' attribute is required for listen type 'network'" },
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
