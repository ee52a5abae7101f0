/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices of a .vmx but for disks. Each kind counts from 0 and has a number it ends at. What kind of address
 * a network card has follows from the address itself: VMware's ranges say whether a person chose it, vCenter
 * or the host.
 */
#include "targets/vmware/vmware-private.h"

#include "base/scalars.h"
#include "domain/devices/console.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/graphics.h"
#include "domain/devices/interface.h"
#include "domain/devices/serial.h"
#include "domain/devices/sound.h"
#include "domain/devices/video.h"

#include <string.h>

#define KIB 1024

void
vmx_add_vnc (VmxWriter *writer)
{
  const DeviceGraphics *vnc = NULL;
  const GraphicsListen *listen;
  g_autofree char *port = NULL;

  DOMAIN_FOREACH_DEVICE (writer->def, graphics_kind, DeviceGraphics, graphics) {
    if (graphics->type == GRAPHICS_VNC && vnc == NULL)
      vnc = graphics;
    else
      target_lose (writer->losses, &graphics->device, NULL, "has, besides its own, one display of VNC");
  }
  if (vnc == NULL)
    return;
  listen = graphics_first_listen (vnc);
  vmx_add (writer, "true", "RemoteDisplay.vnc.enabled");
  port = vnc->port.set && vnc->port.value > 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, vnc->port.value) : NULL;
  if (port == NULL)
    target_lose (writer->losses, &vnc->device, "port=", "takes port 5900 where none is named");
  vmx_add (writer, port, "RemoteDisplay.vnc.port");
  vmx_add (writer, listen != NULL && listen->address != NULL ? listen->address : vnc->listen,
           "RemoteDisplay.vnc.ip");
  vmx_add (writer, vnc->keymap, "RemoteDisplay.vnc.keymap");
  vmx_add (writer, vnc->passwd, "RemoteDisplay.vnc.password");
}

static void
add_folder (VmxWriter *writer, const DeviceFilesystem *filesystem, guint number)
{
  vmx_add (writer, "true", "sharedFolder%u.present", number);
  vmx_add (writer, "true", "sharedFolder%u.enabled", number);
  vmx_add (writer, "true", "sharedFolder%u.readAccess", number);
  vmx_add (writer, filesystem->readonly ? "false" : "true", "sharedFolder%u.writeAccess", number);
  vmx_add (writer, filesystem->source_dir, "sharedFolder%u.hostPath", number);
  vmx_add (writer, filesystem->target, "sharedFolder%u.guestName", number);
}

void
vmx_add_folders (VmxWriter *writer)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new ();
  g_autofree char *count = NULL;

  DOMAIN_FOREACH_DEVICE (writer->def, filesystem_kind, DeviceFilesystem, filesystem) {
    gboolean fits = (filesystem->type == FILESYSTEM_MOUNT || filesystem->type == FILESYSTEM_TYPE_NONE)
                    && filesystem->driver == FILESYSTEM_DRIVER_NONE && folders->len < VMX_SHARED_FOLDERS;

    if (fits)
      g_ptr_array_add (folders, filesystem);
    else
      target_lose (writer->losses, &filesystem->device, NULL,
                   "shares up to %d directories, of the type 'mount' and without a driver",
                   VMX_SHARED_FOLDERS);
  }
  if (folders->len == 0)
    return;
  count = g_strdup_printf ("%u", folders->len);
  vmx_add (writer, "false", "isolation.tools.hgfs.disable");
  vmx_add (writer, count, "sharedFolder.maxNum");
  for (guint i = 0; i < folders->len; i++)
    add_folder (writer, g_ptr_array_index (folders, i), i);
}

/* How VMware calls a card of that address. */
static const char *
address_type (const DeviceInterface *interface, const guint8 mac[MAC_BYTES])
{
  if (interface->mac_type == 2)
    return "static";
  if (mac[0] == 0x00 && mac[1] == 0x0c && mac[2] == 0x29)
    return "generated";
  if (mac[0] == 0x00 && mac[1] == 0x50 && mac[2] == 0x56 && (mac[3] > 0x3f || interface->mac_type == 1))
    return "vpx";
  return interface->mac_type == 1 ? "generated" : "static";
}

static void
add_address (VmxWriter *writer, const DeviceInterface *interface, guint number)
{
  guint8 mac[MAC_BYTES];
  const char *type;
  gboolean is_own;

  if (interface->mac == NULL || !mac_parse (interface->mac, mac))
    return;
  type = address_type (interface, mac);
  is_own = mac[0] == 0x00 && ((mac[1] == 0x0c && mac[2] == 0x29) || (mac[1] == 0x50 && mac[2] == 0x56));
  vmx_add (writer, type, "ethernet%u.addressType", number);
  vmx_add (writer, interface->mac,
           g_str_equal (type, "static") ? "ethernet%u.address" : "ethernet%u.generatedAddress", number);
  if (g_str_equal (type, "generated"))
    vmx_add (writer, "0", "ethernet%u.generatedAddressOffset", number);
  if (g_str_equal (type, "static") && (!is_own || interface->mac_check == TRISTATE_NO))
    vmx_add (writer, "false", "ethernet%u.checkMACAddress", number);
}

static void
add_connection (VmxWriter *writer, const DeviceInterface *interface, guint number)
{
  if (interface->type == INTERFACE_USER) {
    vmx_add (writer, "nat", "ethernet%u.connectionType", number);
    return;
  }
  vmx_add (writer, interface->type == INTERFACE_NETWORK ? interface->network : interface->bridge,
           "ethernet%u.networkName", number);
  vmx_add (writer, interface->target_dev != NULL ? "custom" : "bridged", "ethernet%u.connectionType", number);
  vmx_add (writer, interface->target_dev, "ethernet%u.vnet", number);
}

/* A word of the document is VMware's, but for vmxnet2, which is vmxnet with features. */
static void
add_model (VmxWriter *writer, const DeviceInterface *interface, guint number)
{
  static const char *const models[] = { "vlance", "vmxnet", "vmxnet3", "e1000", "e1000e", NULL };
  const char *model = interface->model;

  if (model == NULL)
    return;
  if (g_ascii_strcasecmp (model, "vmxnet2") == 0) {
    vmx_add (writer, "vmxnet", "ethernet%u.virtualDev", number);
    vmx_add (writer, "15", "ethernet%u.features", number);
  } else if (g_strv_contains (models, model)) {
    vmx_add (writer, model, "ethernet%u.virtualDev", number);
  } else {
    target_lose (
        writer->losses, &interface->device, "<model type=>",
        "has network cards of the models 'vlance', 'vmxnet', 'vmxnet2', 'vmxnet3', 'e1000' and 'e1000e': "
        "dropped, it is 'vmxnet3'");
    vmx_add (writer, "vmxnet3", "ethernet%u.virtualDev", number);
  }
}

void
vmx_add_ethernets (VmxWriter *writer)
{
  guint number = 0;

  DOMAIN_FOREACH_DEVICE (writer->def, interface_kind, DeviceInterface, interface) {
    gboolean fits = interface->type == INTERFACE_BRIDGE || interface->type == INTERFACE_USER
                    || interface->type == INTERFACE_NETWORK;

    if (!fits || number == VMX_ETHERNETS) {
      target_lose (writer->losses, &interface->device, NULL,
                   "has up to %d network cards, of the types 'bridge', 'network' and 'user'", VMX_ETHERNETS);
      continue;
    }
    vmx_add (writer, "true", "ethernet%u.present", number);
    add_model (writer, interface, number);
    add_connection (writer, interface, number);
    add_address (writer, interface, number);
    if (interface->link == LINK_DOWN)
      vmx_add (writer, "false", "ethernet%u.startConnected", number);
    number++;
  }
}

void
vmx_add_video (VmxWriter *writer)
{
  gboolean first = TRUE;

  DOMAIN_FOREACH_DEVICE (writer->def, video_kind, DeviceVideo, video) {
    if (video->device.implied)
      continue;
    if (!first || video->model != VIDEO_VMVGA || video->heads.value > 1) {
      target_lose (writer->losses, &video->device, NULL, "has one display with one head, 'vmvga'");
    } else if (video->vram.set) {
      g_autofree char *bytes = g_strdup_printf ("%" G_GUINT64_FORMAT, video->vram.value * KIB);

      vmx_add (writer, bytes, "svga.vramSize");
    }
    first = FALSE;
  }
}

static void
add_network_port (VmxWriter *writer, const DeviceSerial *serial, const ChardevSource *source, guint number)
{
  g_autofree char *name =
      g_strdup_printf ("%s://%s:%s", serial->source.protocol == PROTOCOL_TELNET ? "telnet" : "tcp",
                       source->host != NULL ? source->host : "", source->service);

  vmx_add (writer, "network", "serial%u.fileType", number);
  vmx_add (writer, name, "serial%u.fileName", number);
  vmx_add (writer, source->mode == CHARDEV_MODE_BIND ? "server" : "client", "serial%u.network.endPoint",
           number);
}

static gboolean
can_carry (const Chardev *chardev, gboolean is_serial)
{
  const ChardevSource *source = chardev_first_source (chardev);

  if (chardev->type == CHARDEV_TCP)
    return is_serial && source != NULL && source->service != NULL;
  return (chardev->type == CHARDEV_DEV || chardev->type == CHARDEV_FILE
          || (is_serial && chardev->type == CHARDEV_PIPE))
         && chardev_path (chardev) != NULL;
}

static void
add_serial (VmxWriter *writer, const DeviceSerial *serial, guint number)
{
  const Chardev *chardev = &serial->source;
  gboolean is_pipe = chardev->type == CHARDEV_PIPE;

  vmx_add (writer, "true", "serial%u.present", number);
  if (chardev->type == CHARDEV_TCP) {
    add_network_port (writer, serial, chardev_first_source (chardev), number);
  } else {
    vmx_add (writer,
             is_pipe                         ? "pipe"
             : chardev->type == CHARDEV_FILE ? "file"
                                             : "device",
             "serial%u.fileType", number);
    if (is_pipe) {
      vmx_add (writer, "client", "serial%u.pipe.endPoint", number);
      vmx_add (writer, "false", "serial%u.tryNoRxLoss", number);
    }
    vmx_add (writer, chardev_path (chardev), "serial%u.fileName", number);
  }
  vmx_add (writer, "true", "serial%u.yieldOnMsrRead", number);
}

void
vmx_add_ports (VmxWriter *writer)
{
  DOMAIN_FOREACH_DEVICE (writer->def, serial_kind, DeviceSerial, serial) {
    if (serial->port.value < VMX_SERIALS && can_carry (&serial->source, TRUE))
      add_serial (writer, serial, (guint)serial->port.value);
    else
      target_lose (writer->losses, &serial->device, NULL,
                   "has %d serial ports, of the types 'dev', 'file', 'pipe' and 'tcp'", VMX_SERIALS);
  }
  DOMAIN_FOREACH_DEVICE (writer->def, parallel_kind, DeviceParallel, parallel) {
    guint number = (guint)MIN (parallel->port.value, VMX_PARALLELS);

    if (number >= VMX_PARALLELS || !can_carry (&parallel->source, FALSE)) {
      target_lose (writer->losses, &parallel->device, NULL,
                   "has %d parallel ports, of the types 'dev' and 'file'", VMX_PARALLELS);
      continue;
    }
    vmx_add (writer, "true", "parallel%u.present", number);
    vmx_add (writer, parallel->source.type == CHARDEV_FILE ? "file" : "device", "parallel%u.fileType",
             number);
    vmx_add (writer, chardev_path (&parallel->source), "parallel%u.fileName", number);
  }
}

/* A console is the first serial port once more, or hardware VMware does not have. */
void
vmx_lose_others (VmxWriter *writer)
{
  DOMAIN_FOREACH_DEVICE (writer->def, console_kind, DeviceConsole, console)
    if (console->target != CONSOLE_SERIAL && console->target != CONSOLE_NONE)
      target_lose (writer->losses, &console->device, NULL, "has no consoles besides serial ports");
}
