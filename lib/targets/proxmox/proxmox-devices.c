/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Network cards, ports, displays and the host's devices of a machine of Proxmox VE.
 */
#include "targets/proxmox/proxmox-import.h"

#include "base/scalars.h"

#include <string.h>

#define NETS_MAX     32
#define PORTS_MAX    4
#define PARALLEL_MAX 3
#define USB_MAX      15
#define HOSTPCI_MAX  16
#define VLAN_MAX     4095
#define MTU_MAX      65535
#define QUEUES_MAX   256
#define VIDEO_MAX    512   /* MiB */
#define RATE_MAX     1.0e6 /* megabytes a second */
#define HEADS_MAX    4
#define UNIT_KILO    1000

/* The setting "KEYNUMBER". */
static ProxmoxSetting *
find_numbered (ProxmoxImport *import, const char *key, guint number)
{
  g_autofree char *name = g_strdup_printf ("%s%u", key, number);

  return proxmox_find (import, name);
}

static gboolean
read_number (ProxmoxImport *import, ProxmoxSetting *setting, const char *primary, const char *name,
             guint64 max, guint64 *ret)
{
  const char *value = proxmox_option (setting, primary, name);

  if (value == NULL)
    return FALSE;
  if (parse_uint (value, max, ret))
    return TRUE;
  PROXMOX_MISTAKE (import, setting, "'%s' of '%s': expected a number up to %" G_GUINT64_FORMAT, value, name,
                   max);
  return FALSE;
}

/*
 * Network cards.
 */
/* "virtio=BC:24:11:00:00:01", or "model=virtio,macaddr=BC:24:11:00:00:01". */
static void
read_card (ProxmoxImport *import, ProxmoxSetting *setting, const char **ret_model, const char **ret_mac)
{
  static const char *const models[] = {
    "virtio",        "e1000",         "e1000e",        "rtl8139", "vmxnet3", "ne2k_pci", "ne2k_isa", "pcnet",
    "e1000-82540em", "e1000-82544gc", "e1000-82545em", "i82551",  "i82557b", "i82559er", NULL
  };

  *ret_model = proxmox_option (setting, "model", "model");
  *ret_mac = proxmox_option (setting, "model", "macaddr");
  for (guint i = 0; models[i] != NULL && *ret_model == NULL; i++) {
    *ret_mac = proxmox_option (setting, "model", models[i]);
    *ret_model = *ret_mac != NULL ? models[i] : NULL;
  }
  if (*ret_model == NULL)
    PROXMOX_MISTAKE (import, setting, "'%s' has no model that is known: expected one such as 'virtio'",
                     setting->line->key);
}

/* Megabytes a second, both ways. */
static void
add_rate (ProxmoxImport *import, ProxmoxSetting *setting, XmlElement *interface)
{
  const char *value = proxmox_option (setting, "model", "rate");
  char *end = NULL;
  double rate = value != NULL ? g_ascii_strtod (value, &end) : 0;
  XmlElement *bandwidth;
  g_autofree char *average = NULL;

  if (value == NULL)
    return;
  if (*end != '\0' || !(rate >= 0) || rate > RATE_MAX) {
    PROXMOX_MISTAKE (import, setting, "'%s' of 'rate': expected megabytes a second", value);
    return;
  }
  average = g_strdup_printf ("%.0f", rate * UNIT_KILO);
  if (g_str_equal (average, "0"))
    return;
  bandwidth = xml_element_add (interface, "bandwidth");
  import_add (bandwidth, "inbound", "average", average, NULL);
  import_add (bandwidth, "outbound", "average", average, NULL);
}

static void
add_card (ProxmoxImport *import, ProxmoxSetting *setting)
{
  const char *model, *mac,
      *bridge = proxmox_option (setting, "model", "bridge"), *tag = proxmox_option (setting, "model", "tag"),
      *queues = proxmox_option (setting, "model", "queues"), *mtu = proxmox_option (setting, "model", "mtu");
  XmlElement *interface;
  guint64 number;
  guint8 bytes[MAC_BYTES];

  read_card (import, setting, &model, &mac);
  if (mac != NULL && !mac_parse (mac, bytes))
    PROXMOX_MISTAKE (import, setting, "'%s' is no address of a network card", mac);
  interface = import_add (import->devices, "interface", "type", bridge != NULL ? "bridge" : "user", NULL);
  if (mac != NULL) {
    g_autofree char *small = g_ascii_strdown (mac, -1);

    import_add (interface, "mac", "address", small, NULL);
  }
  if (bridge != NULL)
    import_add (interface, "source", "bridge", bridge, NULL);
  if (read_number (import, setting, "model", "tag", VLAN_MAX, &number))
    import_add (xml_element_add (interface, "vlan"), "tag", "id", tag, NULL);
  import_add (interface, "model", "type", model, NULL);
  if (read_number (import, setting, "model", "queues", QUEUES_MAX, &number) && number > 1)
    import_add (interface, "driver", "queues", queues, NULL);
  add_rate (import, setting, interface);
  if (proxmox_option_flag (setting, "model", "link_down", FALSE))
    import_add (interface, "link", "state", "down", NULL);
  if (read_number (import, setting, "model", "mtu", MTU_MAX, &number) && number > 1) /* 1: the bridge's */
    import_add (interface, "mtu", "size", mtu, NULL);
  proxmox_add_boot (import, setting->line->key, interface);
  if (proxmox_option_flag (setting, "model", "firewall", FALSE))
    PROXMOX_LOST (import, setting,
                  "the rules of Proxmox's firewall for '%s' are left out: write a <filterref>",
                  setting->line->key);
}

/*
 * Ports.
 */
static void
add_port (ProxmoxImport *import, const char *kind, guint number)
{
  const ProxmoxSetting *setting = find_numbered (import, kind, number);
  g_autofree char *text = g_strdup_printf ("%u", number);
  XmlElement *port;

  if (setting == NULL)
    return;
  if (!g_str_equal (setting->line->value, "socket") && setting->line->value[0] != '/') {
    PROXMOX_MISTAKE (import, setting, "'%s': expected 'socket' or a device such as '/dev/ttyS0'",
                     setting->line->value);
    return;
  }
  port = import_add (import->devices, kind, "type", setting->line->value[0] == '/' ? "dev" : "pty", NULL);
  if (setting->line->value[0] == '/')
    import_add (port, "source", "path", setting->line->value, NULL);
  import_add (port, "target", "port", text, NULL);
}

static void
add_agent (ProxmoxImport *import)
{
  static const char *const needless[] = { "fstrim_cloned_disks", "freeze-fs-on-backup", NULL };
  ProxmoxSetting *setting = proxmox_find (import, "agent");
  XmlElement *channel;

  if (setting == NULL)
    return;
  proxmox_ignore (setting, "enabled", needless);
  if (!proxmox_option_flag (setting, "enabled", "enabled", FALSE))
    return;
  channel = import_add (import->devices, "channel", "type", "unix", NULL);
  import_add (channel, "target", "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
}

/*
 * The host's devices.
 */
static void
add_usb_device (ProxmoxImport *import, ProxmoxSetting *setting, const char *host)
{
  g_auto (GStrv) parts = g_strsplit (host, ":", -1);
  gboolean is_id = g_strv_length (parts) == 2;
  XmlElement *source;

  for (guint i = 0; is_id && i < 2; i++)
    is_id = strlen (parts[i]) == 4 && parts[i][strspn (parts[i], "0123456789abcdefABCDEF")] == '\0';
  if (!is_id) {
    PROXMOX_LOST (import, setting,
                  "'%s' of '%s' is a port of the host: name the device by vendor and product instead", host,
                  setting->line->key);
    return;
  }
  source = xml_element_add (
      import_add (import->devices, "hostdev", "mode", "subsystem", "type", "usb", "managed", "yes", NULL),
      "source");
  for (guint i = 0; i < 2; i++) {
    g_autofree char *id = g_strconcat ("0x", parts[i], NULL), *small = g_ascii_strdown (id, -1);

    import_add (source, i == 0 ? "vendor" : "product", "id", small, NULL);
  }
}

static void
add_usb (ProxmoxImport *import, ProxmoxSetting *setting)
{
  static const char *const needless[] = { "usb3", NULL };
  const char *host = proxmox_option (setting, "host", "host"),
             *mapping = proxmox_option (setting, "host", "mapping");

  proxmox_ignore (setting, "host", needless);
  if (mapping != NULL)
    PROXMOX_LOST (import, setting, "the mapping '%s' is known to Proxmox alone, and left out", mapping);
  else if (host == NULL)
    PROXMOX_MISTAKE (import, setting, "'%s' names no device: expected 'VENDOR:PRODUCT' or 'spice'",
                     setting->line->key);
  else if (g_ascii_strcasecmp (host, "spice") == 0)
    import_add (import->devices, "redirdev", "bus", "usb", "type", "spicevmc", NULL);
  else
    add_usb_device (import, setting, host);
}

/* "0000:01:00.0", "01:00.0" and "01:00", which is all of its functions. */
static gboolean
read_pci_address (const char *text, char **ret_parts)
{
  static const gsize widths[] = { 4, 2, 2, 1 };
  g_auto (GStrv) parts = NULL;
  g_autofree char *whole =
      g_strdup_printf ("%s%s%s", strchr (text, ':') == strrchr (text, ':') ? "0000:" : "", text,
                       strchr (text, '.') == NULL ? ".0" : "");

  g_strdelimit (whole, ".", ':');
  parts = g_strsplit (whole, ":", -1);
  if (g_strv_length (parts) != G_N_ELEMENTS (widths))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    if (strlen (parts[i]) != widths[i] || parts[i][strspn (parts[i], "0123456789abcdefABCDEF")] != '\0')
      return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    ret_parts[i] = g_strconcat ("0x", parts[i], NULL);
  return TRUE;
}

static void
add_pci (ProxmoxImport *import, ProxmoxSetting *setting)
{
  static const char *const needless[] = { "pcie", NULL };
  const char *host = proxmox_option (setting, "host", "host"),
             *file = proxmox_option (setting, "host", "romfile");
  gboolean has_rom = proxmox_option_flag (setting, "host", "rombar", TRUE);
  char *parts[4] = { NULL };
  XmlElement *device;

  proxmox_ignore (setting, "host", needless);
  if (host == NULL) {
    PROXMOX_LOST (import, setting, "'%s' is left out: expected a device such as 'host=0000:01:00.0'",
                  setting->line->key);
    return;
  }
  if (!read_pci_address (host, parts)) {
    PROXMOX_MISTAKE (import, setting, "'%s' is no device: expected one such as '0000:01:00.0'", host);
    return;
  }
  if (strchr (host, '.') == NULL)
    PROXMOX_LOST (import, setting,
                  "'%s' is all functions of the device: the first is taken, write a <hostdev> for each",
                  host);
  device =
      import_add (import->devices, "hostdev", "mode", "subsystem", "type", "pci", "managed", "yes", NULL);
  import_add (xml_element_add (device, "source"), "address", "domain", parts[0], "bus", parts[1], "slot",
              parts[2], "function", parts[3], NULL);
  if (!has_rom || file != NULL)
    import_add (device, "rom", "bar", has_rom ? NULL : "off", "file", file, NULL);
  proxmox_add_boot (import, setting->line->key, device);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    g_free (parts[i]);
}

/*
 * What is seen and heard.
 */
static void
add_graphics (ProxmoxImport *import, const char *type)
{
  const char *keyboard = proxmox_value (import, "keyboard");
  XmlElement *graphics =
      import_add (import->devices, "graphics", "type", g_str_has_prefix (type, "qxl") ? "spice" : "vnc",
                  "autoport", "yes", NULL);

  if (keyboard != NULL)
    xml_element_set (graphics, "keymap", keyboard);
}

static void
add_display (ProxmoxImport *import)
{
  static const struct {
    const char *said, *model;
  } models[] = { { "std", "vga" },       { "cirrus", "cirrus" }, { "vmware", "vmvga" },
                 { "virtio", "virtio" }, { "qxl", "qxl" },       { "qxl2", "qxl" },
                 { "qxl3", "qxl" },      { "qxl4", "qxl" },      { "virtio-gl", "virtio" } };
  ProxmoxSetting *setting = proxmox_find (import, "vga");
  const char *type = setting != NULL ? proxmox_option (setting, "type", "type") : NULL, *found = NULL;
  guint64 memory;
  XmlElement *model;

  type = type != NULL ? type : "std";
  if (g_str_equal (type, "none") || g_str_has_prefix (type, "serial")) {
    import_add (xml_element_add (import->devices, "video"), "model", "type", "none", NULL);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    if (g_str_equal (models[i].said, type))
      found = models[i].model;
  if (found == NULL) {
    PROXMOX_MISTAKE (import, setting, "'%s' is no display: expected one such as 'std', 'virtio' or 'qxl'",
                     type);
    return;
  }
  add_graphics (import, type);
  model = import_add (xml_element_add (import->devices, "video"), "model", "type", found, NULL);
  if (setting != NULL && read_number (import, setting, "type", "memory", VIDEO_MAX, &memory) && memory > 0
      && !g_str_equal (found, "virtio")) {
    g_autofree char *kib = g_strdup_printf ("%" G_GUINT64_FORMAT, memory * 1024);

    xml_element_set (model, "vram", kib);
  }
  if (g_str_has_prefix (type, "qxl") && type[3] != '\0')
    xml_element_set (model, "heads", type + 3);
  if (g_str_equal (type, "virtio-gl"))
    PROXMOX_LOST (
        import, setting,
        "3D graphics of 'vga' are left out: write <acceleration accel3d='yes'/> and a display for it");
}

static void
add_sound (ProxmoxImport *import)
{
  static const char *const needless[] = { "driver", NULL };
  static const struct {
    const char *said, *model;
  } models[] = { { "ich9-intel-hda", "ich9" }, { "intel-hda", "ich6" }, { "AC97", "ac97" } };
  ProxmoxSetting *setting = proxmox_find (import, "audio0");
  const char *device = setting != NULL ? proxmox_option (setting, "device", "device") : NULL;

  if (setting == NULL)
    return;
  proxmox_ignore (setting, "device", needless);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    if (g_strcmp0 (models[i].said, device) == 0) {
      import_add (import->devices, "sound", "model", models[i].model, NULL);
      return;
    }
  PROXMOX_MISTAKE (import, setting, "'%s' is no sound card: expected ich9-intel-hda, intel-hda or AC97",
                   device != NULL ? device : setting->line->value);
}

/*
 * The rest.
 */
static void
add_rng (ProxmoxImport *import)
{
  ProxmoxSetting *setting = proxmox_find (import, "rng0");
  const char *source = setting != NULL ? proxmox_option (setting, "source", "source") : NULL;
  const char *bytes, *period;
  guint64 number;
  XmlElement *rng;

  if (setting == NULL)
    return;
  bytes = proxmox_option (setting, "source", "max_bytes");
  period = proxmox_option (setting, "source", "period");
  rng = import_add (import->devices, "rng", "model", "virtio", NULL);
  if (read_number (import, setting, "source", "max_bytes", G_MAXUINT32, &number) && number > 0) {
    XmlElement *rate = import_add (rng, "rate", "bytes", bytes, NULL);

    if (read_number (import, setting, "source", "period", G_MAXUINT32, &number))
      xml_element_set (rate, "period", period);
  }
  import_add_text (rng, "backend", "%s", source != NULL ? source : "/dev/urandom");
  xml_element_set (xml_element_ensure (rng, "backend"), "model", "random");
}

static void
add_watchdog (ProxmoxImport *import)
{
  ProxmoxSetting *setting = proxmox_find (import, "watchdog");
  const char *model, *action;
  g_autofree char *word = NULL;

  if (setting == NULL)
    return;
  model = proxmox_option (setting, "model", "model");
  action = proxmox_option (setting, "model", "action");
  word = g_strdup (action != NULL && g_str_equal (action, "debug") ? "dump" : action);
  import_add (import->devices, "watchdog", "model", model != NULL ? model : "i6300esb", "action", word, NULL);
}

static void
add_tpm (ProxmoxImport *import)
{
  static const char *const needless[] = { "size", NULL };
  ProxmoxSetting *setting = proxmox_find (import, "tpmstate0");
  const char *version = setting != NULL ? proxmox_option (setting, "file", "version") : NULL;

  if (setting == NULL)
    return;
  proxmox_ignore (setting, "file", needless);
  PROXMOX_LOST (
      import, setting,
      "the TPM's state in '%s' is not taken: the machine begins with a new one, and what was sealed "
      "by the old one needs its recovery keys",
      proxmox_option (setting, "file", "file"));
  import_add (import_add (import->devices, "tpm", "model", "tpm-tis", NULL), "backend", "type", "emulator",
              "version", g_strcmp0 (version, "v2.0") == 0 ? "2.0" : "1.2", NULL);
}

static void
add_shared_memory (ProxmoxImport *import)
{
  ProxmoxSetting *setting = proxmox_find (import, "ivshmem");
  const char *name = setting != NULL ? proxmox_option (setting, "size", "name") : NULL,
             *size = setting != NULL ? proxmox_option (setting, "size", "size") : NULL;
  guint64 number;
  XmlElement *memory;

  if (setting == NULL || !read_number (import, setting, "size", "size", G_MAXINT32, &number))
    return;
  memory = import_add (import->devices, "shmem", "name", name != NULL ? name : "proxmox", NULL);
  import_add (memory, "model", "type", "ivshmem-plain", NULL);
  import_add_text (memory, "size", "%s", size);
  xml_element_set (xml_element_ensure (memory, "size"), "unit", "M");
}

void
proxmox_add_devices (ProxmoxImport *import)
{
  guint64 balloon;
  ProxmoxSetting *setting;

  for (guint i = 0; i < NETS_MAX; i++)
    if ((setting = find_numbered (import, "net", i)) != NULL)
      add_card (import, setting);
  for (guint i = 0; i < PORTS_MAX; i++)
    add_port (import, "serial", i);
  for (guint i = 0; i < PARALLEL_MAX; i++)
    add_port (import, "parallel", i);
  add_agent (import);
  if (proxmox_flag (import, "tablet", TRUE))
    import_add (import->devices, "input", "type", "tablet", "bus", "usb", NULL);
  add_tpm (import);
  add_display (import);
  add_sound (import);
  for (guint i = 0; i < HOSTPCI_MAX; i++)
    if ((setting = find_numbered (import, "hostpci", i)) != NULL)
      add_pci (import, setting);
  for (guint i = 0; i < USB_MAX; i++)
    if ((setting = find_numbered (import, "usb", i)) != NULL)
      add_usb (import, setting);
  add_watchdog (import);
  if (proxmox_number (import, "balloon", G_MAXINT32, &balloon) && balloon == 0)
    import_add (import->devices, "memballoon", "model", "none", NULL);
  add_rng (import);
  add_shared_memory (import);
}
