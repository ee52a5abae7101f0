/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices of an xl.cfg, but for disks, as elements of a document. Options of a text that nobody asks for are
 * told like settings that nobody asks for: what is understood is taken out of the table of options, and what
 * is left has no place in the format.
 */
#include "targets/xen/xen-private.h"

#include "base/scalars.h"

#include <string.h>

#define VNC_PORT_FIRST 5900
#define PORT_MAX       65535
#define KIB_IN_MIB     1024
#define VRAM_MAX_MIB   1024

/* Takes the option. NULL: it is not said. (transfer full) */
static char *
take (GHashTable *options, const char *name)
{
  g_autofree char *key = NULL;
  char *value = NULL;

  g_hash_table_steal_extended (options, name, (gpointer *)&key, (gpointer *)&value);
  return value;
}

static gboolean
take_flag (GHashTable *options, const char *name)
{
  g_autofree char *value = take (options, name);

  return g_strcmp0 (value, "1") == 0 || g_strcmp0 (value, "") == 0;
}

static void
set_attribute (XmlElement *parent, const char *element, const char *attribute, const char *value)
{
  if (value != NULL)
    xml_element_set (xml_element_ensure (parent, element), attribute, value);
}

static void
report_left (XlImport *import, GHashTable *options, const XlValue *value, const char *setting)
{
  g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array (options, NULL);

  for (guint i = 0; names[i] != NULL; i++)
    xl_without_place (import, value->where, "%s: '%s' has no place in the format", setting, names[i]);
}

/* Each text of a list by its options. */
static void
each (XlImport *import, const char *setting, void (*read) (XlImport *, GHashTable *, const XlValue *))
{
  g_autoptr (GPtrArray) texts = xl_find_texts (import, setting);

  for (guint i = 0; texts != NULL && i < texts->len; i++) {
    const XlValue *value = g_ptr_array_index (texts, i);
    g_autoptr (GHashTable) options = xl_split_options (value->text);

    read (import, options, value);
    report_left (import, options, value, setting);
  }
}

/* "10240KB/s", "8Mb/s@20ms": KiB a second. FALSE: it is no rate. */
static gboolean
parse_rate (const char *text, guint64 *ret)
{
  static const char prefixes[] = "KMG";
  char *end;
  guint64 number = g_ascii_strtoull (text, &end, 10);
  const char *prefix = *end != '\0' ? strchr (prefixes, *end) : NULL;
  guint64 unit = 1;

  if (end == text || !g_ascii_isdigit (*text) || number > G_MAXUINT32)
    return FALSE;
  if (prefix != NULL) {
    end++;
    for (; prefix > prefixes; prefix--)
      unit *= KIB_IN_MIB;
  }
  if ((*end != 'B' && *end != 'b') || !g_str_has_prefix (end + 1, "/s") || (end[3] != '\0' && end[3] != '@'))
    return FALSE;
  *ret = number * unit / (*end == 'b' ? 8 : 1);
  return TRUE;
}

static void
read_bandwidth (XlImport *import, XmlElement *interface, const char *rate, const XlValue *value)
{
  guint64 average;
  g_autofree char *text = NULL;

  if (rate == NULL)
    return;
  if (!parse_rate (rate, &average)) {
    xl_mistake (import, value->where, "vif: rate '%s' is none: expected one such as '10MB/s' or '800Kb/s'",
                rate);
    return;
  }
  text = g_strdup_printf ("%" G_GUINT64_FORMAT, average);
  xml_element_set (xml_element_add (xml_element_add (interface, "bandwidth"), "outbound"), "average", text);
}

/* "br0:5:7": behind the bridge, its VLANs. */
static void
read_bridge (XmlElement *interface, char *bridge, const char *script)
{
  g_auto (GStrv) words = g_strsplit (bridge, ":", -1);
  gboolean is_switch = script != NULL && strstr (script, "vif-openvswitch") != NULL;
  XmlElement *vlan;

  if (!is_switch) {
    set_attribute (interface, "source", "bridge", bridge);
    return;
  }
  set_attribute (interface, "source", "bridge", words[0]);
  set_attribute (interface, "virtualport", "type", "openvswitch");
  if (words[0] == NULL || words[1] == NULL)
    return;
  vlan = xml_element_add (interface, "vlan");
  if (words[2] != NULL)
    xml_element_set (vlan, "trunk", "yes");
  for (guint i = 1; words[i] != NULL; i++)
    xml_element_set (xml_element_add (vlan, "tag"), "id", words[i]);
}

static void
read_addresses (XmlElement *interface, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", " ", -1);

  for (guint i = 0; words[i] != NULL; i++) {
    XmlElement *ip;

    if (words[i][0] == '\0')
      continue;
    ip = xml_element_add (interface, "ip");
    xml_element_set (ip, "address", words[i]);
    xml_element_set (ip, "family", strchr (words[i], ':') != NULL ? "ipv6" : "ipv4");
  }
}

static void
read_interface (XlImport *import, GHashTable *options, const XlValue *value)
{
  g_autofree char *mac = take (options, "mac"), *bridge = take (options, "bridge"),
                  *model = take (options, "model");
  g_autofree char *script = take (options, "script"), *name = take (options, "vifname"),
                  *ip = take (options, "ip");
  g_autofree char *rate = take (options, "rate"), *domain = take (options, "backend"),
                  *type = take (options, "type");
  XmlElement *interface = xml_element_add (import->devices, "interface");
  guint8 bytes[MAC_BYTES];

  if (mac != NULL && !mac_parse (mac, bytes))
    xl_mistake (import, value->where, "vif: mac '%s' is no address of a card", mac);
  if (type != NULL && !g_str_equal (type, "ioemu") && !g_str_equal (type, "vif"))
    xl_without_place (import, value->where, "vif: type '%s' has no place in the format", type);
  xml_element_set (interface, "type", bridge != NULL ? "bridge" : "ethernet");
  set_attribute (interface, "mac", "address", mac);
  if (bridge != NULL)
    read_bridge (interface, bridge, script);
  read_bandwidth (import, interface, rate, value);
  read_addresses (interface, ip);
  set_attribute (interface, "script", "path", script);
  set_attribute (interface, "backenddomain", "name", domain);
  set_attribute (interface, "target", "dev", name);
  set_attribute (interface, "model", "type", model);
}

void
xl_read_interfaces (XlImport *import)
{
  each (import, "vif", read_interface);
}

/* Frees what it is given. */
static void
set_vnc (XmlElement *graphics, char *display, gboolean unused, char *listen, char *password, char *keymap)
{
  guint64 number = 0;
  gboolean has_port = display != NULL && !unused && parse_uint (display, PORT_MAX - VNC_PORT_FIRST, &number);
  g_autofree char *port =
      has_port ? g_strdup_printf ("%" G_GUINT64_FORMAT, number + VNC_PORT_FIRST) : g_strdup ("-1");

  xml_element_set (graphics, "type", "vnc");
  xml_element_set (graphics, "port", port);
  xml_element_set (graphics, "autoport", has_port ? "no" : "yes");
  if (listen != NULL)
    xml_element_set (graphics, "listen", listen);
  if (keymap != NULL)
    xml_element_set (graphics, "keymap", keymap);
  if (password != NULL && password[0] != '\0')
    xml_element_set (graphics, "passwd", password);
  g_free (display);
  g_free (listen);
  g_free (password);
  g_free (keymap);
}

static void
set_sdl (XmlElement *graphics, const char *display, const char *authority)
{
  xml_element_set (graphics, "type", "sdl");
  if (display != NULL)
    xml_element_set (graphics, "display", display);
  if (authority != NULL)
    xml_element_set (graphics, "xauth", authority);
}

static void
read_frame_buffer (XlImport *import, GHashTable *options, const XlValue *value)
{
  g_autofree char *type = take (options, "type"), *unused = take (options, "vncunused");
  gboolean vnc = take_flag (options, "vnc"), sdl = take_flag (options, "sdl");
  g_autofree char *display = take (options, "display"), *authority = take (options, "xauthority");
  XmlElement *graphics;

  if (!vnc && !sdl && type == NULL) {
    xl_mistake (import, value->where, "vfb: expected 'vnc=1' or 'sdl=1'");
    return;
  }
  graphics = xml_element_add (import->devices, "graphics");
  if (sdl || g_strcmp0 (type, "sdl") == 0)
    set_sdl (graphics, display, authority);
  else
    set_vnc (graphics, take (options, "vncdisplay"), g_strcmp0 (unused, "1") == 0,
             take (options, "vnclisten"), take (options, "vncpasswd"), take (options, "keymap"));
}

static void
read_spice (XlImport *import)
{
  XmlElement *graphics = xml_element_add (import->devices, "graphics");
  const char *host = xl_find_text (import, "spicehost"), *password = xl_find_text (import, "spicepasswd");
  static const char *const ports[][2] = { { "spiceport", "port" }, { "spicetls_port", "tlsPort" } };
  gint64 number;

  xml_element_set (graphics, "type", "spice");
  for (guint i = 0; i < G_N_ELEMENTS (ports); i++)
    if (xl_find_number (import, ports[i][0], 0, PORT_MAX, &number) && number > 0) {
      g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);

      xml_element_set (graphics, ports[i][1], text);
    }
  xml_element_set (graphics, "autoport", "no");
  if (host != NULL)
    xml_element_set (graphics, "listen", host);
  if (password != NULL && !xl_find_flag (import, "spicedisable_ticketing", FALSE))
    xml_element_set (graphics, "passwd", password);
  xl_find_flag (import, "spicedisable_ticketing", FALSE);
  if (xl_file_find (import->file, "spiceagent_mouse") != NULL)
    set_attribute (graphics, "mouse", "mode",
                   xl_find_flag (import, "spiceagent_mouse", TRUE) ? "client" : "server");
  xl_find_flag (import, "spicevdagent", FALSE);
  if (xl_file_find (import->file, "spice_clipboard_sharing") != NULL)
    set_attribute (graphics, "clipboard", "copypaste",
                   xl_find_flag (import, "spice_clipboard_sharing", FALSE) ? "yes" : "no");
}

static gboolean
read_model_displays (XlImport *import)
{
  gboolean sdl = xl_find_flag (import, "sdl", FALSE), vnc = xl_find_flag (import, "vnc", FALSE);
  gboolean spice = xl_find_flag (import, "spice", FALSE), unused = xl_find_flag (import, "vncunused", TRUE);
  const char *names[] = { "vnclisten", "vncdisplay", "vncpasswd", "keymap", "display", "xauthority" };
  const char *values[G_N_ELEMENTS (names)];

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    values[i] = xl_find_text (import, names[i]);
  if (vnc)
    set_vnc (xml_element_add (import->devices, "graphics"), g_strdup (values[1]), unused,
             g_strdup (values[0]), g_strdup (values[2]), g_strdup (values[3]));
  if (sdl)
    set_sdl (xml_element_add (import->devices, "graphics"), values[4], values[5]);
  if (spice)
    read_spice (import);
  return sdl || vnc || spice;
}

static const char *
video_model (XlImport *import)
{
  const char *vga = xl_find_text (import, "vga");

  if (g_strcmp0 (vga, "stdvga") == 0 || (vga == NULL && xl_find_flag (import, "stdvga", FALSE)))
    return "vga";
  if (g_strcmp0 (vga, "qxl") == 0 || g_strcmp0 (vga, "none") == 0)
    return vga;
  if (vga != NULL && !g_str_equal (vga, "cirrus"))
    xl_mistake (import, xl_file_find (import->file, "vga")->where,
                "vga: '%s' is none: expected 'cirrus', 'stdvga', 'qxl' or 'none'", vga);
  return "cirrus";
}

/* Xen's own sizes where the file says none. */
static void
add_video (XlImport *import, const char *model)
{
  XmlElement *video = xml_element_add (xml_element_add (import->devices, "video"), "model");
  gint64 mib = g_str_equal (model, "xen")      ? 4
               : g_str_equal (model, "cirrus") ? 8
               : g_str_equal (model, "vga")    ? 16
                                               : 64;
  g_autofree char *text = NULL;

  xml_element_set (video, "type", model);
  xl_find_number (import, "videoram", 1, VRAM_MAX_MIB, &mib);
  if (g_str_equal (model, "none"))
    return;
  text = g_strdup_printf ("%" G_GINT64_FORMAT, mib * KIB_IN_MIB);
  xml_element_set (video, "vram", text);
  xml_element_set (video, "heads", "1");
  xml_element_set (video, "primary", "yes");
}

void
xl_read_displays (XlImport *import)
{
  g_autoptr (GPtrArray) buffers = xl_find_texts (import, "vfb");
  gboolean shown = buffers != NULL && buffers->len > 0;
  gboolean says_vga =
      xl_file_find (import->file, "vga") != NULL || xl_file_find (import->file, "stdvga") != NULL;

  each (import, "vfb", read_frame_buffer);
  if (import->mode == XEN_HVM)
    shown = read_model_displays (import) || shown;
  if (import->mode == XEN_HVM && (shown || says_vga))
    add_video (import, video_model (import));
  else if (shown)
    add_video (import, "xen");
}

/* Sets @element's type and source; FALSE: the text is none. */
static gboolean
read_port_text (XmlElement *element, const char *text)
{
  static const char *const plain[] = { "null", "vc", "pty", "stdio", NULL };
  g_auto (GStrv) words = g_strsplit (text, ":", 2);
  char *rest = words[0] != NULL && words[1] != NULL ? words[1] : NULL, *comma, *colon;
  gboolean listens = rest != NULL && strstr (rest, ",server") != NULL, telnet;

  if (g_strv_contains (plain, text) || text[0] == '/') {
    xml_element_set (element, "type", text[0] == '/' ? "dev" : text);
    set_attribute (element, "source", "path", text[0] == '/' ? text : NULL);
    return TRUE;
  }
  if (rest == NULL)
    return FALSE;
  if (g_str_equal (words[0], "file") || g_str_equal (words[0], "pipe")) {
    xml_element_set (element, "type", words[0]);
    set_attribute (element, "source", "path", rest);
    return TRUE;
  }
  comma = strchr (rest, ',');
  if (comma != NULL)
    *comma = '\0';
  if (g_str_equal (words[0], "unix")) {
    xml_element_set (element, "type", "unix");
    set_attribute (element, "source", "mode", listens ? "bind" : "connect");
    set_attribute (element, "source", "path", rest);
    return TRUE;
  }
  telnet = g_str_equal (words[0], "telnet");
  colon = strrchr (rest, ':');
  if ((!telnet && !g_str_equal (words[0], "tcp")) || colon == NULL)
    return FALSE;
  *colon = '\0';
  xml_element_set (element, "type", "tcp");
  set_attribute (element, "source", "mode", listens ? "bind" : "connect");
  set_attribute (element, "source", "host", rest);
  set_attribute (element, "source", "service", colon + 1);
  set_attribute (element, "protocol", "type", telnet ? "telnet" : "raw");
  return TRUE;
}

/* "udp:HOST:PORT@HOST:PORT": where to, and where from. */
static gboolean
read_udp (XmlElement *element, const char *text)
{
  g_auto (GStrv) ends = g_strsplit (text + strlen ("udp:"), "@", 2);

  xml_element_set (element, "type", "udp");
  for (guint i = 0; ends[i] != NULL; i++) {
    char *colon = strrchr (ends[i], ':');
    XmlElement *source;

    if (colon == NULL)
      return FALSE;
    *colon = '\0';
    source = xml_element_add (element, "source");
    xml_element_set (source, "mode", i == 0 ? "connect" : "bind");
    if (ends[i][0] != '\0')
      xml_element_set (source, "host", ends[i]);
    xml_element_set (source, "service", colon + 1);
  }
  return ends[0] != NULL;
}

static void
read_port (XlImport *import, const char *name, const XlValue *value, guint number)
{
  XmlElement *port;
  g_autofree char *text = g_strdup_printf ("%u", number);

  if (g_str_equal (value->text, "none") || value->text[0] == '\0')
    return;
  port = xml_element_add (import->devices, name);
  if (!(g_str_has_prefix (value->text, "udp:") ? read_udp (port, value->text)
                                               : read_port_text (port, value->text)))
    xl_mistake (
        import, value->where,
        "%s: '%s' is no port: expected pty, null, stdio, vc, a device's path, or one that begins with file:, "
        "pipe:, unix:, tcp:, telnet: or udp:",
        name, value->text);
  xml_element_set (xml_element_add (port, "target"), "port", text);
}

static void
read_sounds (XlImport *import)
{
  static const char *const models[] = { "sb16", "es1370", "pcspk", "ac97", "ich6", NULL };
  const char *text = xl_find_text (import, "soundhw");
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", ",", -1);

  for (guint i = 0; words[i] != NULL; i++) {
    const char *word = g_str_equal (g_strstrip (words[i]), "hda") ? "ich6" : words[i];

    if (g_strv_contains (models, word))
      xml_element_set (xml_element_add (import->devices, "sound"), "model", word);
    else if (word[0] != '\0')
      xl_without_place (import, xl_file_find (import->file, "soundhw")->where,
                        "soundhw: '%s' has no place in the format", word);
  }
}

void
xl_read_ports (XlImport *import)
{
  static const char *const names[] = { "serial", "parallel" };
  XmlElement *console;

  for (guint n = 0; n < G_N_ELEMENTS (names); n++) {
    g_autoptr (GPtrArray) texts = xl_find_texts (import, names[n]);

    for (guint i = 0; import->mode == XEN_HVM && texts != NULL && i < texts->len; i++)
      read_port (import, names[n], g_ptr_array_index (texts, i), i);
  }
  read_sounds (import);
  if (import->mode == XEN_HVM)
    return;
  console = xml_element_add (import->devices, "console");
  xml_element_set (console, "type", "pty");
  set_attribute (console, "target", "type", "xen");
  set_attribute (console, "target", "port", "0");
}

static gboolean
parse_pci (const char *text, guint ret[4])
{
  g_autoptr (GRegex) form = g_regex_new (
      "^(?:([0-9a-fA-F]{1,4}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])$", G_REGEX_OPTIMIZE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  if (!g_regex_match (form, text, 0, &match))
    return FALSE;
  for (int i = 0; i < 4; i++) {
    g_autofree char *word = g_match_info_fetch (match, i + 1);

    ret[i] = (guint)g_ascii_strtoull (word, NULL, 16);
  }
  return ret[2] < 32;
}

static void
read_pci_device (XlImport *import, GHashTable *options, const XlValue *value)
{
  g_auto (GStrv) words = g_strsplit (value->text, ",", 2);
  g_autofree char *name = g_strdup (words[0] != NULL ? g_strstrip (words[0]) : "");
  static const char *const names[] = { "domain", "bus", "slot", "function" }, *const forms[] = {
    "0x%04x", "0x%02x", "0x%02x", "0x%x"
  };
  gboolean seize = take_flag (options, "seize"), permissive = take_flag (options, "permissive");
  guint place[4];
  XmlElement *device, *source, *address;

  g_hash_table_remove (options, name);
  if (!parse_pci (name, place)) {
    xl_mistake (import, value->where, "pci: '%s' is no device: expected one such as '0000:01:00.0'", name);
    return;
  }
  device = xml_element_add (import->devices, "hostdev");
  xml_element_set (device, "mode", "subsystem");
  xml_element_set (device, "type", "pci");
  xml_element_set (device, "managed", seize ? "yes" : "no");
  source = xml_element_add (device, "source");
  if (permissive)
    xml_element_set (source, "writeFiltering", "no");
  address = xml_element_add (source, "address");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    char text[16];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    g_snprintf (text, sizeof text, forms[i], place[i]);
#pragma GCC diagnostic pop
    xml_element_set (address, names[i], text);
  }
}

void
xl_read_pci_devices (XlImport *import)
{
  each (import, "pci", read_pci_device);
}

static void
read_usb_controller (XlImport *import, GHashTable *options, G_GNUC_UNUSED const XlValue *value)
{
  g_autofree char *version = take (options, "version"), *ports = take (options, "ports");
  g_autofree char *index = g_strdup_printf ("%u", import->usb_controllers++);
  XmlElement *controller = xml_element_add (import->devices, "controller");

  g_hash_table_remove (options, "type");
  xml_element_set (controller, "type", "usb");
  xml_element_set (controller, "index", index);
  xml_element_set (controller, "model", g_strcmp0 (version, "1") == 0 ? "qusb1" : "qusb2");
  if (ports != NULL)
    xml_element_set (controller, "ports", ports);
}

static void
read_usb_device (XlImport *import, GHashTable *options, const XlValue *value)
{
  g_autofree char *bus = take (options, "hostbus"), *address = take (options, "hostaddr");
  XmlElement *device, *place;
  guint64 ignored;

  g_hash_table_remove (options, "type");
  if (bus == NULL || address == NULL || !parse_uint (bus, G_MAXUINT16, &ignored)
      || !parse_uint (address, G_MAXUINT16, &ignored)) {
    xl_mistake (import, value->where, "usbdev: expected 'hostbus=NUMBER,hostaddr=NUMBER'");
    return;
  }
  device = xml_element_add (import->devices, "hostdev");
  xml_element_set (device, "mode", "subsystem");
  xml_element_set (device, "type", "usb");
  xml_element_set (device, "managed", "no");
  place = xml_element_add (xml_element_add (device, "source"), "address");
  xml_element_set (place, "bus", bus);
  xml_element_set (place, "device", address);
}

void
xl_read_usb (XlImport *import)
{
  static const char *const types[] = { "tablet", "mouse", "keyboard", NULL };
  g_autoptr (GPtrArray) inputs = xl_find_texts (import, "usbdevice");

  each (import, "usbctrl", read_usb_controller);
  each (import, "usbdev", read_usb_device);
  xl_find_flag (import, "usb", FALSE);
  for (guint i = 0; inputs != NULL && i < inputs->len; i++) {
    const XlValue *value = g_ptr_array_index (inputs, i);
    XmlElement *input;

    if (!g_strv_contains (types, value->text)) {
      xl_without_place (import, value->where, "usbdevice: '%s' has no place in the format", value->text);
      continue;
    }
    input = xml_element_add (import->devices, "input");
    xml_element_set (input, "type", value->text);
    xml_element_set (input, "bus", "usb");
  }
}

static void
read_channel (XlImport *import, GHashTable *options, const XlValue *value)
{
  g_autofree char *connection = take (options, "connection"), *path = take (options, "path");
  g_autofree char *name = take (options, "name");
  gboolean is_socket = g_strcmp0 (connection, "socket") == 0;
  XmlElement *channel;

  if (!is_socket && g_strcmp0 (connection, "pty") != 0) {
    xl_mistake (import, value->where, "channel: expected 'connection=pty' or 'connection=socket'");
    return;
  }
  channel = xml_element_add (import->devices, "channel");
  xml_element_set (channel, "type", is_socket ? "unix" : "pty");
  if (is_socket) {
    set_attribute (channel, "source", "mode", "bind");
    set_attribute (channel, "source", "path", path);
  }
  set_attribute (channel, "target", "type", "xen");
  set_attribute (channel, "target", "name", name);
}

void
xl_read_channels (XlImport *import)
{
  each (import, "channel", read_channel);
}
