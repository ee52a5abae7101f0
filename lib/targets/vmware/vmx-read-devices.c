/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices of a .vmx, but for disks, as elements of a document.
 */
#include "targets/vmware/vmware-private.h"

#include "base/scalars.h"

#include <string.h>

#define PORT_MAX      65535
#define VNC_PORT      5900
#define KIB           1024
#define VRAM_MAX      (1024 * (guint64)1024 * 1024)
#define VRAM_DEFAULT  4194304 /* bytes */
#define VMXNET2_FLAGS "15"    /* ethernetN.features of a vmxnet that is a vmxnet2 */

static void
set_attribute (XmlElement *parent, const char *element, const char *attribute, const char *value)
{
  if (value != NULL)
    xml_element_set (xml_element_ensure (parent, element), attribute, value);
}

static gboolean
is (const char *value, const char *word)
{
  return value != NULL && g_ascii_strcasecmp (value, word) == 0;
}

static void
read_folders (VmxImport *import)
{
  vmx_find (import, "sharedFolder.maxNum");
  for (guint i = 0; i < VMX_SHARED_FOLDERS; i++) {
    const char *path, *name;
    gboolean enabled, writes;
    XmlElement *filesystem;

    if (!vmx_find_flag (import, FALSE, "sharedFolder%u.present", i))
      continue;
    enabled = vmx_find_flag (import, FALSE, "sharedFolder%u.enabled", i);
    writes = vmx_find_flag (import, FALSE, "sharedFolder%u.writeAccess", i);
    vmx_find_flag (import, FALSE, "sharedFolder%u.readAccess", i);
    path = vmx_find (import, "sharedFolder%u.hostPath", i);
    name = vmx_find (import, "sharedFolder%u.guestName", i);
    vmx_find (import, "sharedFolder%u.expiration", i);
    if (!enabled || path == NULL || name == NULL)
      continue;
    filesystem = xml_element_add (import->devices, "filesystem");
    xml_element_set (filesystem, "type", "mount");
    xml_element_set (filesystem, "accessmode", "passthrough");
    set_attribute (filesystem, "source", "dir", path);
    set_attribute (filesystem, "target", "dir", name);
    if (!writes)
      xml_element_add (filesystem, "readonly");
  }
}

static void
read_address (VmxImport *import, XmlElement *interface, guint number)
{
  const char *type = vmx_find (import, "ethernet%u.addressType", number);
  const char *chosen = vmx_find (import, "ethernet%u.address", number);
  const char *generated = vmx_find (import, "ethernet%u.generatedAddress", number);
  gboolean is_static = is (type, "static"),
           checked = vmx_find_flag (import, TRUE, "ethernet%u.checkMACAddress", number);
  const char *address = is_static ? chosen : generated;
  g_autofree char *setting =
      g_strdup_printf (is_static ? "ethernet%u.address" : "ethernet%u.generatedaddress", number);
  guint8 mac[MAC_BYTES];
  char text[MAC_TEXT];
  gboolean is_own;

  if (type != NULL && !is_static && !is (type, "generated") && !is (type, "vpx"))
    vmx_without_place (import, setting, "address type '%s' has no place in the format", type);
  if (address == NULL)
    return;
  if (!mac_parse (address, mac)) {
    vmx_mistake (import, setting, "'%s' is no address of a network card", address);
    return;
  }
  mac_format (mac, text);
  is_own = mac[0] == 0 && ((mac[1] == 0x0c && mac[2] == 0x29) || (mac[1] == 0x50 && mac[2] == 0x56));
  set_attribute (interface, "mac", "address", text);
  if (is_own)
    set_attribute (interface, "mac", "type", is_static ? "static" : "generated");
  if (!checked)
    set_attribute (interface, "mac", "check", "no");
}

static void
read_model (VmxImport *import, XmlElement *interface, guint number)
{
  static const char *const models[] = { "vlance", "vmxnet", "vmxnet3", "e1000", "e1000e", NULL };
  const char *model = vmx_find (import, "ethernet%u.virtualDev", number);
  const char *features = vmx_find (import, "ethernet%u.features", number);
  g_autofree char *setting = g_strdup_printf ("ethernet%u.virtualdev", number);
  g_autofree char *small = model != NULL ? g_ascii_strdown (model, -1) : NULL;

  if (small == NULL)
    return;
  if (!g_strv_contains (models, small)) {
    vmx_mistake (import, setting, "'%s' is none: expected vlance, vmxnet, vmxnet3, e1000 or e1000e", model);
    return;
  }
  if (g_str_equal (small, "vmxnet") && g_strcmp0 (features, VMXNET2_FLAGS) == 0)
    set_attribute (interface, "model", "type", "vmxnet2");
  else
    set_attribute (interface, "model", "type", small);
}

static void
read_ethernet (VmxImport *import, guint number)
{
  const char *connection, *network, *vnet;
  g_autofree char *setting = g_strdup_printf ("ethernet%u.connectiontype", number);
  XmlElement *interface;

  if (!vmx_find_flag (import, FALSE, "ethernet%u.present", number))
    return;
  connection = vmx_find (import, "ethernet%u.connectionType", number);
  network = vmx_find (import, "ethernet%u.networkName", number);
  vnet = vmx_find (import, "ethernet%u.vnet", number);
  vmx_find (import, "ethernet%u.wakeOnPcktRcv", number);
  interface = xml_element_add (import->devices, "interface");
  if (is (connection, "nat")) {
    xml_element_set (interface, "type", "user");
  } else {
    if (is (connection, "hostonly"))
      vmx_without_place (import, setting,
                         "a network of the host alone has no place in the format: 'vmnet1' is taken");
    else if (connection != NULL && !is (connection, "bridged") && !is (connection, "custom"))
      vmx_mistake (import, setting, "'%s' is none: expected bridged, nat, hostonly or custom", connection);
    xml_element_set (interface, "type", "bridge");
    set_attribute (interface, "source", "bridge",
                   network != NULL               ? network
                   : is (connection, "hostonly") ? "vmnet1"
                   : vnet != NULL                ? vnet
                                                 : "vmnet0");
    set_attribute (interface, "target", "dev", is (connection, "custom") ? vnet : NULL);
  }
  read_address (import, interface, number);
  read_model (import, interface, number);
  if (!vmx_find_flag (import, TRUE, "ethernet%u.startConnected", number))
    set_attribute (interface, "link", "state", "down");
}

/* "telnet://0.0.0.0:42001" */
static gboolean
read_network_port (VmxImport *import, XmlElement *port, const char *file, guint number)
{
  const char *end = vmx_find (import, "serial%u.network.endPoint", number);
  const char *service;
  g_autofree char *host = NULL;
  gboolean telnet = g_str_has_prefix (file, "telnet://");

  if (!telnet && !g_str_has_prefix (file, "tcp://"))
    return FALSE;
  file = strstr (file, "://") + strlen ("://");
  service = strrchr (file, ':');
  if (service == NULL)
    return FALSE;
  host = g_strndup (file, (gsize)(service - file));
  xml_element_set (port, "type", "tcp");
  set_attribute (port, "source", "mode", is (end, "client") ? "connect" : "bind");
  set_attribute (port, "source", "host", host);
  set_attribute (port, "source", "service", service + 1);
  set_attribute (port, "protocol", "type", telnet ? "telnet" : "raw");
  return TRUE;
}

static void
read_port (VmxImport *import, const char *kind, guint number)
{
  const char *type, *file;
  g_autofree char *setting = g_strdup_printf ("%s%u.filename", kind, number),
                  *text = g_strdup_printf ("%u", number);
  XmlElement *port;
  gboolean read = TRUE;

  if (!vmx_find_flag (import, FALSE, "%s%u.present", kind, number))
    return;
  type = vmx_find (import, "%s%u.fileType", kind, number);
  file = vmx_find (import, "%s%u.fileName", kind, number);
  vmx_find (import, "%s%u.yieldOnMsrRead", kind, number);
  vmx_find (import, "%s%u.startConnected", kind, number);
  vmx_find (import, "%s%u.pipe.endPoint", kind, number);
  vmx_find (import, "%s%u.tryNoRxLoss", kind, number);
  if (is (type, "thinprint") || file == NULL) {
    vmx_without_place (import, setting, "the port has no place in the format");
    return;
  }
  port = xml_element_add (import->devices, kind);
  if (is (type, "network"))
    read = read_network_port (import, port, file, number);
  else {
    xml_element_set (port, "type", is (type, "pipe") ? "pipe" : is (type, "file") ? "file" : "dev");
    set_attribute (port, "source", "path", file);
  }
  if (!read
      || (type != NULL && !is (type, "network") && !is (type, "pipe") && !is (type, "file")
          && !is (type, "device")))
    vmx_mistake (import, setting,
                 "no port: expected a file type of device, file, pipe, or network with tcp:// or telnet://");
  set_attribute (port, "target", "port", text);
}

static void
read_vnc (VmxImport *import)
{
  gboolean enabled = vmx_find_flag (import, FALSE, "RemoteDisplay.vnc.enabled");
  const char *listen = vmx_find (import, "RemoteDisplay.vnc.ip"),
             *keymap = vmx_find (import, "RemoteDisplay.vnc.keymap");
  const char *password = vmx_find (import, "RemoteDisplay.vnc.password");
  guint64 number = VNC_PORT;
  g_autofree char *port = NULL;
  XmlElement *graphics;

  vmx_find_number (import, PORT_MAX, &number, "RemoteDisplay.vnc.port");
  if (!enabled)
    return;
  port = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  graphics = xml_element_add (import->devices, "graphics");
  xml_element_set (graphics, "type", "vnc");
  xml_element_set (graphics, "port", port);
  xml_element_set (graphics, "autoport", "no");
  if (listen != NULL)
    xml_element_set (graphics, "listen", listen);
  if (keymap != NULL)
    xml_element_set (graphics, "keymap", keymap);
  if (password != NULL)
    xml_element_set (graphics, "passwd", password);
}

static void
read_video (VmxImport *import)
{
  guint64 bytes = VRAM_DEFAULT;
  XmlElement *video = xml_element_add (xml_element_add (import->devices, "video"), "model");
  g_autofree char *text = NULL;

  vmx_find_number (import, VRAM_MAX, &bytes, "svga.vramSize");
  text = g_strdup_printf ("%" G_GUINT64_FORMAT, (bytes + KIB - 1) / KIB);
  xml_element_set (video, "type", "vmvga");
  xml_element_set (video, "vram", text);
  xml_element_set (video, "primary", "yes");
}

void
vmx_read_devices (VmxImport *import)
{
  read_folders (import);
  for (guint i = 0; i < VMX_ETHERNETS; i++)
    read_ethernet (import, i);
  for (guint i = 0; i < VMX_SERIALS; i++)
    read_port (import, "serial", i);
  for (guint i = 0; i < VMX_PARALLELS; i++)
    read_port (import, "parallel", i);
  read_vnc (import);
  read_video (import);
}
