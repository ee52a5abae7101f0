/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cards, serial ports, the TPM and the display of a machine of Hyper-V.
 */
#include "targets/hyperv/hyperv-private.h"

#include "domain/devices/interface.h"
#include "domain/devices/serial.h"
#include "domain/devices/tpm.h"
#include "domain/devices/video.h"

#include <string.h>

#define PORTS_MAX   2
#define PIPE_PREFIX "\\\\.\\pipe\\"

static void
add_vlan (HypervScript *script, const DeviceInterface *interface, const char *name)
{
  const InterfaceVlan *vlan = interface->vlan;

  if (vlan == NULL)
    return;
  if (vlan->tags == NULL || vlan->tags->len != 1) {
    target_lose (script->losses, &interface->device, "<vlan>", "gives a card one VLAN here");
    return;
  }
  hyperv_add (script, "Set-VMNetworkAdapterVlan -VMName %s -VMNetworkAdapterName %s -Access -VlanId %u",
              script->name, name,
              (guint)((const InterfaceVlanTag *)g_ptr_array_index (vlan->tags, 0))->id.value);
}

/* The card's name in Hyper-V is ours; its switch is called like the network or the bridge. */
static void
add_card (HypervScript *script, const DeviceInterface *interface, guint index)
{
  const char *wire = interface->network != NULL ? interface->network : interface->bridge;
  g_autofree char *name = g_strdup_printf ("'net%u'", index), *mac = NULL, *connected = NULL;
  guint8 bytes[MAC_BYTES];

  if (interface->type != INTERFACE_NETWORK && interface->type != INTERFACE_BRIDGE) {
    target_lose (script->losses, &interface->device, "type=", "has switches: 'network' or 'bridge'");
    return;
  }
  if (g_strcmp0 (interface->model, "netvsc") != 0)
    target_lose (script->losses, &interface->device, "<model type=>", "has one kind of card, 'netvsc'");
  if (mac_parse (interface->mac, bytes))
    mac = g_strdup_printf ("%02X%02X%02X%02X%02X%02X", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                           bytes[5]);
  if (interface->link != LINK_DOWN && wire != NULL) {
    g_autofree char *quoted = hyperv_quote (wire);

    connected = g_strconcat (" -SwitchName ", quoted, NULL);
  }
  hyperv_add (script, "Add-VMNetworkAdapter -VMName %s -Name %s%s -StaticMacAddress '%s'", script->name, name,
              connected != NULL ? connected : "", mac);
  add_vlan (script, interface, name);
}

static void
add_cards (HypervScript *script)
{
  guint index = 0;

  hyperv_add (script, "Get-VMNetworkAdapter -VMName %s | Remove-VMNetworkAdapter", script->name);
  DOMAIN_FOREACH_DEVICE (script->def, interface_kind, DeviceInterface, interface) {
    add_card (script, interface, index++);
  }
}

static void
add_port (HypervScript *script, const DeviceSerial *serial)
{
  const char *path = chardev_path (&serial->source), *slash = path != NULL ? strrchr (path, '/') : NULL;
  g_autofree char *pipe = NULL, *quoted = NULL;

  if (serial->source.type != CHARDEV_PIPE || path == NULL) {
    target_lose (script->losses, &serial->device, "type=", "has serial ports at named pipes only: 'pipe'");
    return;
  }
  if (serial->port.value >= PORTS_MAX) {
    target_lose (script->losses, &serial->device, "<target port=>", "has two serial ports");
    return;
  }
  pipe = g_str_has_prefix (path, PIPE_PREFIX)
             ? g_strdup (path)
             : g_strconcat (PIPE_PREFIX, slash != NULL ? slash + 1 : path, NULL);
  quoted = hyperv_quote (pipe);
  hyperv_add (script, "Set-VMComPort -VMName %s -Number %u -Path %s", script->name,
              (guint)serial->port.value + 1, quoted);
}

static void
add_tpm (HypervScript *script, const DeviceTpm *tpm)
{
  if (tpm->type != TPM_EMULATOR || tpm->version == TPM_1_2) {
    target_lose (script->losses, &tpm->device, NULL,
                 "emulates a TPM of version 2.0, and passes none through");
  } else if (script->generation == 1) {
    target_lose (script->losses, &tpm->device, NULL, "has a TPM only with UEFI");
  } else {
    hyperv_add (script, "Set-VMKeyProtector -VMName %s -NewLocalKeyProtector", script->name);
    hyperv_add (script, "Enable-VMTPM -VMName %s", script->name);
  }
}

void
hyperv_add_devices (HypervScript *script)
{
  add_cards (script);
  DOMAIN_FOREACH_DEVICE (script->def, serial_kind, DeviceSerial, serial) {
    add_port (script, serial);
  }
  DOMAIN_FOREACH_DEVICE (script->def, tpm_kind, DeviceTpm, tpm) {
    add_tpm (script, tpm);
  }
  DOMAIN_FOREACH_DEVICE (script->def, video_kind, DeviceVideo, video) {
    if (video->resolution_x.set && video->resolution_y.set)
      hyperv_add (
          script,
          "Set-VMVideo -VMName %s -ResolutionType Single -HorizontalResolution %u -VerticalResolution %u",
          script->name, (guint)video->resolution_x.value, (guint)video->resolution_y.value);
  }
}
