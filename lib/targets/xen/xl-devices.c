/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices of an xl.cfg but for disks: a text of options between commas each, or for what an HVM guest's
 * device model shows, settings of the whole machine, of which there is one each.
 */
#include "targets/xen/xen-private.h"

#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/graphics.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/serial.h"
#include "domain/devices/sound.h"
#include "domain/devices/video.h"

#include <string.h>

#define VNC_PORT_FIRST 5900
#define MIB_IN_KIB     1024
#define VRAM_DEFAULT   8192 /* KiB: of Xen's own display, a Cirrus card */

static const char *
listen_of (const DeviceGraphics *graphics)
{
  const GraphicsListen *listen = graphics_first_listen (graphics);

  return listen != NULL && listen->address != NULL ? listen->address : graphics->listen;
}

static gboolean
has_own_port (const DeviceGraphics *graphics)
{
  return graphics->port.set && graphics->port.value > 0 && graphics->autoport != TRISTATE_YES;
}

/* What a display of VNC says, by the name of the setting or option; NULL: it is not said. (transfer full) */
static char *
vnc_value (XlWriter *writer, const DeviceGraphics *graphics, const char *name)
{
  if (g_str_equal (name, "vncunused"))
    return g_strdup (has_own_port (graphics) ? "0" : "1");
  if (g_str_equal (name, "vnclisten"))
    return g_strdup (listen_of (graphics));
  if (g_str_equal (name, "vncpasswd"))
    return g_strdup (graphics->passwd);
  if (g_str_equal (name, "keymap"))
    return g_strdup (graphics->keymap);
  if (!has_own_port (graphics))
    return NULL;
  if (graphics->port.value < VNC_PORT_FIRST)
    target_refuse (writer->losses, &graphics->device, "port=",
                   "counts displays of VNC from port %d: expected one "
                   "not below it",
                   VNC_PORT_FIRST);
  return g_strdup_printf ("%" G_GINT64_FORMAT, graphics->port.value - VNC_PORT_FIRST);
}

static const char *const vnc_options[] = {
  "vncunused", "vncdisplay", "vnclisten", "vncpasswd", "keymap", NULL
};

/* A PV guest's display is a device of Xen's own. */
static void
add_frame_buffer (XlWriter *writer, GPtrArray *buffers, const DeviceGraphics *graphics)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (graphics->type == GRAPHICS_SDL) {
    g_string_append (text, "type=sdl");
    xl_append_option (writer, text, &graphics->device, "display", graphics->display);
    xl_append_option (writer, text, &graphics->device, "xauthority", graphics->xauth);
  } else if (graphics->type == GRAPHICS_VNC) {
    g_string_append (text, "type=vnc");
    for (guint i = 0; vnc_options[i] != NULL; i++) {
      g_autofree char *value = vnc_value (writer, graphics, vnc_options[i]);

      xl_append_option (writer, text, &graphics->device, vnc_options[i], value);
    }
  } else {
    target_lose (writer->losses, &graphics->device, NULL, "shows a PV or PVH guest by 'vnc' or 'sdl'");
    return;
  }
  g_ptr_array_add (buffers, g_strdup (text->str));
}

static void
add_vnc (XlWriter *writer, const DeviceGraphics *graphics)
{
  xl_add_flag (writer, "vnc", TRUE);
  for (guint i = 0; vnc_options[i] != NULL; i++) {
    g_autofree char *value = vnc_value (writer, graphics, vnc_options[i]);

    if (value != NULL && i < 2)
      xl_add_number (writer, vnc_options[i], g_ascii_strtoll (value, NULL, 10));
    else
      xl_add_text (writer, vnc_options[i], value);
  }
}

static void
add_spice (XlWriter *writer, const DeviceGraphics *graphics)
{
  if (!has_own_port (graphics) && !(graphics->tls_port.set && graphics->tls_port.value > 0))
    target_refuse (writer->losses, &graphics->device,
                   "port=", "chooses no port of SPICE by itself: expected a port");
  xl_add_flag (writer, "spice", TRUE);
  xl_add_text (writer, "spicehost", listen_of (graphics));
  if (has_own_port (graphics))
    xl_add_number (writer, "spiceport", graphics->port.value);
  if (graphics->tls_port.set && graphics->tls_port.value > 0)
    xl_add_number (writer, "spicetls_port", graphics->tls_port.value);
  xl_add_flag (writer, "spicedisable_ticketing", graphics->passwd == NULL);
  xl_add_text (writer, "spicepasswd", graphics->passwd);
  if (graphics->mouse_mode != NULL)
    xl_add_flag (writer, "spiceagent_mouse", g_str_equal (graphics->mouse_mode, "client"));
  if (graphics->clipboard_copypaste == TRISTATE_YES) {
    xl_add_flag (writer, "spicevdagent", TRUE);
    xl_add_flag (writer, "spice_clipboard_sharing", TRUE);
  } else if (graphics->clipboard_copypaste == TRISTATE_NO) {
    xl_add_flag (writer, "spice_clipboard_sharing", FALSE);
  }
}

static const DeviceGraphics *
find_graphics (XlWriter *writer, GraphicsType type)
{
  const DeviceGraphics *found = NULL;

  DOMAIN_FOREACH_DEVICE (writer->def, graphics_kind, DeviceGraphics, graphics)
    if (graphics->type == (int)type) {
      if (found != NULL)
        target_lose (writer->losses, &graphics->device, NULL, "has one display of each type");
      else
        found = graphics;
    }
  return found;
}

static void
add_video (XlWriter *writer)
{
  static const struct {
    VideoModel model;
    const char *word; /* NULL: it is what Xen has by itself */
  } models[] = {
    { VIDEO_CIRRUS, NULL },           { VIDEO_XEN, NULL }, { VIDEO_VGA, "stdvga" }, { VIDEO_QXL, "qxl" },
    { VIDEO_MODEL_DISABLED, "none" },
  };
  gboolean first = TRUE;

  DOMAIN_FOREACH_DEVICE (writer->def, video_kind, DeviceVideo, video) {
    guint row = 0;

    if (video->device.implied)
      continue;
    while (row < G_N_ELEMENTS (models) && video->model != (int)models[row].model)
      row++;
    if (!first || row == G_N_ELEMENTS (models)) {
      target_lose (writer->losses, &video->device, NULL,
                   first ? "has the displays 'cirrus', 'vga', 'qxl' and 'none'" : "has one display");
      continue;
    }
    first = FALSE;
    if (models[row].word == NULL && (!video->vram.set || video->vram.value == VRAM_DEFAULT))
      continue;
    if (models[row].word != NULL)
      xl_add_text (writer, "vga", models[row].word);
    if (video->vram.set && video->model != VIDEO_MODEL_DISABLED && video->model != VIDEO_XEN)
      xl_add_number (writer, "videoram", (gint64)(video->vram.value / MIB_IN_KIB));
  }
}

static void
add_model_displays (XlWriter *writer)
{
  const DeviceGraphics *sdl = find_graphics (writer, GRAPHICS_SDL),
                       *vnc = find_graphics (writer, GRAPHICS_VNC);
  const DeviceGraphics *spice = find_graphics (writer, GRAPHICS_SPICE);

  if (sdl != NULL || vnc != NULL || spice != NULL)
    xl_add_flag (writer, "sdl", sdl != NULL);
  if (vnc != NULL)
    add_vnc (writer, vnc);
  else if (sdl != NULL || spice != NULL)
    xl_add_flag (writer, "vnc", FALSE);
  if (sdl != NULL) {
    xl_add_text (writer, "display", sdl->display);
    xl_add_text (writer, "xauthority", sdl->xauth);
  }
  if (spice != NULL)
    add_spice (writer, spice);
  DOMAIN_FOREACH_DEVICE (writer->def, graphics_kind, DeviceGraphics, graphics)
    if (graphics->type != GRAPHICS_SDL && graphics->type != GRAPHICS_VNC && graphics->type != GRAPHICS_SPICE)
      target_lose (writer->losses, &graphics->device, NULL, "has the displays 'vnc', 'spice' and 'sdl'");
  add_video (writer);
}

void
xl_add_displays (XlWriter *writer)
{
  GPtrArray *buffers;

  if (writer->mode == XEN_HVM) {
    add_model_displays (writer);
    return;
  }
  buffers = g_ptr_array_new_with_free_func (g_free);
  DOMAIN_FOREACH_DEVICE (writer->def, graphics_kind, DeviceGraphics, graphics)
    add_frame_buffer (writer, buffers, graphics);
  xl_add_list (writer, "vfb", buffers);
}

/* "br0", and with VLANs of Open vSwitch "br0:5:7". (transfer full) */
static char *
bridge_of (const DeviceInterface *interface)
{
  GString *text;

  if (interface->bridge == NULL)
    return NULL;
  text = g_string_new (interface->bridge);
  for (guint i = 0;
       interface->vlan != NULL && interface->vlan->tags != NULL && i < interface->vlan->tags->len; i++)
    g_string_append_printf (
        text, ":%" G_GUINT64_FORMAT,
        ((const InterfaceVlanTag *)g_ptr_array_index (interface->vlan->tags, i))->id.value);
  return g_string_free (text, FALSE);
}

static char *
addresses_of (const DeviceInterface *interface)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; interface->ips != NULL && i < interface->ips->len; i++) {
    const InterfaceIp *ip = g_ptr_array_index (interface->ips, i);

    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", ip->address);
  }
  return g_string_free (text, text->len == 0);
}

static const char *
script_of (const DeviceInterface *interface)
{
  if (interface->script != NULL)
    return interface->script;
  if (interface->type != INTERFACE_BRIDGE)
    return NULL;
  return interface_is_openvswitch (interface) ? "vif-openvswitch" : "vif-bridge";
}

static const char *
model_of (XlWriter *writer, const DeviceInterface *interface)
{
  if (interface->model == NULL || !interface_is_virtio (interface))
    return interface->model;
  target_lose (writer->losses, &interface->device, "<model type=>",
               "has no virtio: dropped, it is Xen's own card, and an emulated one beside it for HVM guests");
  return NULL;
}

static gboolean
can_carry (XlWriter *writer, const DeviceInterface *interface)
{
  if (interface->type == INTERFACE_BRIDGE || interface->type == INTERFACE_ETHERNET)
    return TRUE;
  if (interface->type == INTERFACE_NETWORK) {
    target_lose (writer->losses, &interface->device, "<source network=>",
                 "knows bridges and no networks: dropped, it is on the host's first bridge");
    return TRUE;
  }
  target_lose (writer->losses, &interface->device, NULL,
               "has network cards of the types 'bridge' and 'ethernet'");
  return FALSE;
}

static void
add_interface (XlWriter *writer, GPtrArray *interfaces, const DeviceInterface *interface)
{
  const Device *device = &interface->device;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *bridge = bridge_of (interface), *addresses = addresses_of (interface);

  if (!can_carry (writer, interface))
    return;
  xl_append_option (writer, text, device, "mac", interface->mac);
  xl_append_option (writer, text, device, "bridge", bridge);
  xl_append_option (writer, text, device, "ip", addresses);
  xl_append_option (writer, text, device, "script", script_of (interface));
  xl_append_option (writer, text, device, "model", model_of (writer, interface));
  if (interface->outbound != NULL && interface->outbound->average.set)
    g_string_append_printf (text, ",rate=%" G_GUINT64_FORMAT "KB/s", interface->outbound->average.value);
  if (interface->outbound != NULL && (interface->outbound->peak.set || interface->outbound->burst.set))
    target_lose (writer->losses, device, "bandwidth/outbound",
                 "limits the average, and neither peak nor burst");
  xl_append_option (writer, text, device, "vifname", interface->target_dev);
  xl_append_option (writer, text, device, "backend", interface->backend_domain);
  g_ptr_array_add (interfaces, g_strdup (text->str));
}

void
xl_add_interfaces (XlWriter *writer)
{
  GPtrArray *interfaces = g_ptr_array_new_with_free_func (g_free);

  DOMAIN_FOREACH_DEVICE (writer->def, interface_kind, DeviceInterface, interface)
    add_interface (writer, interfaces, interface);
  xl_add_list (writer, "vif", interfaces);
}

void
xl_add_pci_devices (XlWriter *writer)
{
  GPtrArray *devices = g_ptr_array_new_with_free_func (g_free);

  DOMAIN_FOREACH_DEVICE (writer->def, hostdev_kind, DeviceHostdev, hostdev) {
    g_autofree char *name = NULL;

    if (hostdev->mode != HOSTDEV_SUBSYSTEM || hostdev->type != HOSTDEV_PCI) {
      if (hostdev->mode != HOSTDEV_SUBSYSTEM || hostdev->type != HOSTDEV_USB)
        target_lose (writer->losses, &hostdev->device, NULL, "takes PCI and USB devices of the host");
      continue;
    }
    name = host_pci_name (&hostdev->pci);
    g_ptr_array_add (devices,
                     g_strconcat (name, hostdev->managed == TRISTATE_YES ? ",seize=1" : "",
                                  hostdev->write_filtering == TRISTATE_NO ? ",permissive=1" : "", NULL));
  }
  xl_add_list (writer, "pci", devices);
}

/* As QEMU, the device model, takes it; NULL with a loss. (transfer full) */
static char *
port_text (XlWriter *writer, Device *device, const Chardev *chardev)
{
  const ChardevSource *source = chardev_first_source (chardev);
  const ChardevSource *bound = chardev_source_for_mode (chardev, CHARDEV_MODE_BIND);
  const ChardevSource *connected = chardev_source_for_mode (chardev, CHARDEV_MODE_CONNECT);
  const char *path = chardev_path (chardev), *word = enum_table_name (&chardev_types, chardev->type);

  switch (chardev->type) {
    case CHARDEV_NULL:
    case CHARDEV_VC:
    case CHARDEV_PTY:
    case CHARDEV_STDIO:
      return g_strdup (word);
    case CHARDEV_DEV:
      return g_strdup (path);
    case CHARDEV_FILE:
    case CHARDEV_PIPE:
      return g_strdup_printf ("%s:%s", word, path);
    case CHARDEV_UNIX:
      return g_strdup_printf ("unix:%s%s", path, bound != NULL ? ",server,nowait" : "");
    case CHARDEV_TCP:
      return g_strdup_printf ("%s:%s:%s%s", chardev->protocol == PROTOCOL_TELNET ? "telnet" : "tcp",
                              source->host != NULL ? source->host : "", source->service,
                              bound != NULL ? ",server,nowait" : "");
    case CHARDEV_UDP:
      return g_strdup_printf (
          "udp:%s:%s%s%s%s%s", connected != NULL && connected->host ? connected->host : "",
          connected != NULL && connected->service ? connected->service : "", bound != NULL ? "@" : "",
          bound != NULL && bound->host ? bound->host : "", bound != NULL ? ":" : "",
          bound != NULL && bound->service ? bound->service : "");
    default:
      target_lose (writer->losses, device, "type=", "has no ports of the type '%s'", word);
      return NULL;
  }
}

static void
add_parallel (XlWriter *writer)
{
  g_autofree char *text = NULL;

  DOMAIN_FOREACH_DEVICE (writer->def, parallel_kind, DeviceParallel, parallel) {
    if (text != NULL)
      target_lose (writer->losses, &parallel->device, NULL, "has one parallel port");
    else
      text = port_text (writer, &parallel->device, &parallel->source);
  }
  xl_add_text (writer, "parallel", text != NULL ? text : "none");
}

/* The list has a place for each number up to the last one that is used. */
static void
add_serials (XlWriter *writer)
{
  GPtrArray *ports = g_ptr_array_new_with_free_func (g_free);

  DOMAIN_FOREACH_DEVICE (writer->def, serial_kind, DeviceSerial, serial) {
    guint64 number = serial->port.set ? serial->port.value : ports->len;

    if (number > G_MAXUINT8) {
      target_lose (writer->losses, &serial->device, NULL, "has ports up to number %d", G_MAXUINT8);
      continue;
    }
    while (ports->len <= number)
      g_ptr_array_add (ports, g_strdup ("none"));
    g_free (g_ptr_array_index (ports, number));
    g_ptr_array_index (ports, number) = port_text (writer, &serial->device, &serial->source);
    if (g_ptr_array_index (ports, number) == NULL)
      g_ptr_array_index (ports, number) = g_strdup ("none");
  }
  if (ports->len > 1) {
    xl_add_list (writer, "serial", ports);
    return;
  }
  xl_add_text (writer, "serial", ports->len == 1 ? g_ptr_array_index (ports, 0) : "none");
  g_ptr_array_unref (ports);
}

void
xl_add_ports (XlWriter *writer)
{
  g_autoptr (GString) sounds = g_string_new (NULL);

  add_parallel (writer);
  add_serials (writer);
  DOMAIN_FOREACH_DEVICE (writer->def, sound_kind, DeviceSound, sound) {
    if (sound->model == SOUND_NONE || sound->model > SOUND_ICH6)
      target_lose (writer->losses, &sound->device,
                   "model=", "has sound cards of the models 'sb16', 'es1370', 'pcspk', 'ac97' and 'ich6'");
    else /* the device model knows Intel's HD Audio by its bus */
      g_string_append_printf (sounds, "%s%s", sounds->len > 0 ? "," : "",
                              sound->model == SOUND_ICH6 ? "hda"
                                                         : enum_table_name (&sound_models, sound->model));
  }
  if (sounds->len > 0)
    xl_add_text (writer, "soundhw", sounds->str);
}

static void
add_usb_inputs (XlWriter *writer)
{
  GPtrArray *inputs = g_ptr_array_new_with_free_func (g_free);

  DOMAIN_FOREACH_DEVICE (writer->def, input_kind, DeviceInput, input) {
    if (input->device.implied || input->bus == INPUT_BUS_PS2 || input->bus == INPUT_BUS_XEN)
      continue;
    if (input->bus == INPUT_BUS_USB && writer->mode == XEN_HVM && input->type <= INPUT_KEYBOARD)
      g_ptr_array_add (inputs, g_strdup (enum_table_name (&input_types, input->type)));
    else
      target_lose (writer->losses, &input->device, NULL,
                   "has, beside its own, tablets, mice and keyboards on USB, and of HVM guests only");
  }
  if (inputs->len > 0)
    xl_add_flag (writer, "usb", TRUE);
  if (inputs->len > 1) {
    xl_add_list (writer, "usbdevice", inputs);
    return;
  }
  xl_add_text (writer, "usbdevice", inputs->len == 1 ? g_ptr_array_index (inputs, 0) : NULL);
  g_ptr_array_unref (inputs);
}

static void
add_usb_devices (XlWriter *writer)
{
  GPtrArray *devices = g_ptr_array_new_with_free_func (g_free);

  DOMAIN_FOREACH_DEVICE (writer->def, hostdev_kind, DeviceHostdev, hostdev) {
    const HostUsb *usb = &hostdev->usb;

    if (hostdev->mode != HOSTDEV_SUBSYSTEM || hostdev->type != HOSTDEV_USB)
      continue;
    if (!usb->bus.set || !usb->device.set || usb->device.value == 0)
      target_lose (writer->losses, &hostdev->device, "source/vendor",
                   "finds USB devices by <address bus= device=> and not by their ids");
    else
      g_ptr_array_add (devices, g_strdup_printf ("hostbus=%" G_GUINT64_FORMAT ",hostaddr=%" G_GUINT64_FORMAT,
                                                 usb->bus.value, usb->device.value));
  }
  xl_add_list (writer, "usbdev", devices);
}

/* Controllers of Xen's own bus are numbers of the machine, those of USB devices with numbers of their own. */
void
xl_add_usb (XlWriter *writer)
{
  GPtrArray *controllers = g_ptr_array_new_with_free_func (g_free);

  add_usb_inputs (writer);
  add_usb_devices (writer);
  DOMAIN_FOREACH_DEVICE (writer->def, controller_kind, DeviceController, controller) {
    if (controller->type == CONTROLLER_XENBUS) {
      if (controller->max_event_channels.set)
        xl_add_number (writer, "max_event_channels", (gint64)controller->max_event_channels.value);
      if (controller->max_grant_frames.set)
        xl_add_number (writer, "max_grant_frames", (gint64)controller->max_grant_frames.value);
      continue;
    }
    if (controller->type == CONTROLLER_USB
        && (controller->model == USB_QUSB1 || controller->model == USB_QUSB2)) {
      g_autoptr (GString) text = g_string_new ("type=qusb");

      g_string_append_printf (text, ",version=%d", controller->model == USB_QUSB1 ? 1 : 2);
      if (controller->ports.set)
        g_string_append_printf (text, ",ports=%" G_GUINT64_FORMAT, controller->ports.value);
      g_ptr_array_add (controllers, g_strdup (text->str));
    } else if (controller->type != CONTROLLER_IDE && controller->type != CONTROLLER_SCSI) {
      target_lose (writer->losses, &controller->device, NULL,
                   "has its own bus, IDE and SCSI, and USB controllers of the models 'qusb1' and 'qusb2'");
    }
  }
  xl_add_list (writer, "usbctrl", controllers);
}

static gboolean
can_carry_console (const XlWriter *writer, const DeviceConsole *console)
{
  if (writer->mode == XEN_HVM)
    return console->target == CONSOLE_SERIAL || console->target == CONSOLE_NONE;
  return console->source.type == CHARDEV_PTY
         && (console->target == CONSOLE_XEN || console->target == CONSOLE_NONE
             || console->target == CONSOLE_SERIAL);
}

void
xl_add_channels (XlWriter *writer)
{
  GPtrArray *channels = g_ptr_array_new_with_free_func (g_free);

  DOMAIN_FOREACH_DEVICE (writer->def, channel_kind, DeviceChannel, channel) {
    g_autoptr (GString) text = g_string_new (NULL);
    gboolean is_socket = channel->source.type == CHARDEV_UNIX;

    if (channel->target != CHANNEL_XEN || (!is_socket && channel->source.type != CHARDEV_PTY)) {
      target_lose (writer->losses, &channel->device, NULL,
                   "has channels with the target 'xen', to a pty or a socket");
      continue;
    }
    g_string_append (text, is_socket ? "connection=socket" : "connection=pty");
    xl_append_option (writer, text, &channel->device, "path",
                      is_socket ? chardev_path (&channel->source) : NULL);
    xl_append_option (writer, text, &channel->device, "name", channel->name);
    g_ptr_array_add (channels, g_strdup (text->str));
  }
  xl_add_list (writer, "channel", channels);
  DOMAIN_FOREACH_DEVICE (writer->def, console_kind, DeviceConsole, console)
    if (!can_carry_console (writer, console))
      target_lose (writer->losses, &console->device, NULL,
                   "has one console: a pty for PV and PVH guests, the first serial port of HVM guests");
  if (writer->mode == XEN_HVM)
    return;
  DOMAIN_FOREACH_DEVICE (writer->def, serial_kind, DeviceSerial, serial)
    target_lose (writer->losses, &serial->device, NULL, "has no serial ports for PV and PVH guests");
  DOMAIN_FOREACH_DEVICE (writer->def, sound_kind, DeviceSound, sound)
    target_lose (writer->losses, &sound->device, NULL, "has no sound for PV and PVH guests");
}
