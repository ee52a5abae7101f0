/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices of bhyve's command line as elements of a document: those of "-s", each of which keeps its slot,
 * because the guest knows it by that, and those of "-l".
 */
#include "targets/bhyve/bhyve-import.h"

#include "base/scalars.h"

#include <string.h>

#define DISKS_MAX 702 /* "vdzz" */

/*
 * Devices of "-s".
 */
typedef struct {
  const char *option; /* the whole value */
  guint64 slot, function;
  const char *kind;
  char **values; /* what stands behind the kind */
} SlotOption;

static void
add_address (XmlElement *device, const SlotOption *slot)
{
  g_autofree char *number = g_strdup_printf ("0x%02x", (guint)slot->slot);
  g_autofree char *function = g_strdup_printf ("0x%x", (guint)slot->function);

  import_add (device, "address", "type", "pci", "domain", "0x0000", "bus", "0x00", "slot", number, "function",
              function, NULL);
}

/* The value of "NAME=" among those behind the kind; NULL: there is none. */
static const char *
find_value (const SlotOption *slot, const char *name)
{
  for (guint i = 0; slot->values[i] != NULL; i++)
    if (g_str_has_prefix (slot->values[i], name))
      return slot->values[i] + strlen (name);
  return NULL;
}

static gboolean
has_word (const SlotOption *slot, const char *word)
{
  return g_strv_contains ((const char *const *)slot->values, word);
}

static char *
target_name (const char *prefix, guint index)
{
  return index < 26
             ? g_strdup_printf ("%s%c", prefix, 'a' + (int)index)
             : g_strdup_printf ("%s%c%c", prefix, 'a' + (int)(index / 26) - 1, 'a' + (int)(index % 26));
}

static XmlElement *
add_disk (BhyveImport *import, const char *path, gboolean is_cdrom, const char *bus, guint *count)
{
  gboolean is_device = g_str_has_prefix (path, "/dev/");
  XmlElement *disk = import_add (import->devices, "disk", "type", is_device ? "block" : "file", "device",
                                 is_cdrom ? "cdrom" : "disk", NULL);
  g_autofree char *target =
      target_name (g_str_equal (bus, "sata") ? "sd" : "vd", MIN (*count, DISKS_MAX - 1));

  if (*count >= DISKS_MAX)
    MISTAKE (import, "the machine has more than %d disks", DISKS_MAX);
  (*count)++;
  import_add (disk, "driver", "name", "file", "type", "raw", NULL);
  if (*path != '\0')
    import_add (disk, "source", is_device ? "dev" : "file", path, NULL);
  import_add (disk, "target", "dev", target, "bus", bus, NULL);
  return disk;
}

/* What may stand behind a disk's path, and what it is in the format. */
static gboolean
is_disk_word (const char *word)
{
  static const char *const words[] = { "ro", "nocache", "direct", NULL };

  return g_strv_contains (words, word) || g_str_has_prefix (word, "ser=");
}

static void
add_disk_word (XmlElement *disk, const char *word)
{
  if (g_str_equal (word, "ro"))
    xml_element_add (disk, "readonly");
  else if (g_str_has_prefix (word, "ser="))
    import_add_text (disk, "serial", "%s", word + strlen ("ser="));
  else
    xml_element_set (xml_element_ensure (disk, "driver"), "cache",
                     g_str_equal (word, "nocache") ? "none" : "directsync");
}

/* "hd:/path" and "cd:/path" of "ahci"; of "ahci-hd" and "ahci-cd" the first word is the path alone. */
static gboolean
is_port (const SlotOption *slot, guint index)
{
  const char *word = slot->values[index];

  if (!g_str_equal (slot->kind, "ahci"))
    return index == 0;
  return g_str_has_prefix (word, "hd:") || g_str_has_prefix (word, "cd:");
}

/* "ahci,hd:/path,ro,cd:/path": further words belong to the disk before them. */
static gboolean
read_ahci (BhyveImport *import, const SlotOption *slot)
{
  g_autofree char *index = g_strdup_printf ("%u", import->sata_controllers);
  gboolean is_alone = !g_str_equal (slot->kind, "ahci");
  XmlElement *disk = NULL;
  guint unit = 0;

  for (guint i = 0; slot->values[i] != NULL; i++)
    if (!is_port (slot, i) && (i == 0 || !is_disk_word (slot->values[i])))
      return FALSE;
  for (guint i = 0; slot->values[i] != NULL; i++) {
    const char *value = slot->values[i];
    g_autofree char *number = g_strdup_printf ("%u", unit);

    if (!is_port (slot, i)) {
      add_disk_word (disk, value);
      continue;
    }
    disk = add_disk (import, is_alone ? value : value + strlen ("hd:"),
                     is_alone ? g_str_has_suffix (slot->kind, "-cd") : value[0] == 'c', "sata",
                     &import->sata_disks);
    import_add (disk, "address", "type", "drive", "controller", index, "bus", "0", "target", "0", "unit",
                number, NULL);
    unit++;
  }
  add_address (import_add (import->devices, "controller", "type", "sata", "index", index, NULL), slot);
  import->sata_controllers++;
  return TRUE;
}

static gboolean
read_virtio_disk (BhyveImport *import, const SlotOption *slot)
{
  XmlElement *disk;

  if (slot->values[0] == NULL)
    return FALSE;
  for (guint i = 1; slot->values[i] != NULL; i++)
    if (!is_disk_word (slot->values[i]))
      return FALSE;
  disk = add_disk (import, slot->values[0], FALSE, "virtio", &import->virtio_disks);
  for (guint i = 1; slot->values[i] != NULL; i++)
    add_disk_word (disk, slot->values[i]);
  add_address (disk, slot);
  return TRUE;
}

static gboolean
read_card (BhyveImport *import, const SlotOption *slot)
{
  const char *mac = find_value (slot, "mac=");
  guint8 bytes[MAC_BYTES];
  XmlElement *card;

  if (slot->values[0] == NULL || g_strv_length (slot->values) > (mac != NULL ? 2 : 1)
      || g_str_has_prefix (slot->values[0], "slirp") || g_str_has_prefix (slot->values[0], "netgraph"))
    return FALSE;
  if (mac != NULL && !mac_parse (mac, bytes)) {
    MISTAKE (import, "'%s' is no MAC address", mac);
    return TRUE;
  }
  /* Which bridge the tap is a port of, only the host knows: libvirt's name for the one it makes. */
  card = import_add (import->devices, "interface", "type", "bridge", NULL);
  if (mac != NULL)
    import_add (card, "mac", "address", mac, NULL);
  import_add (card, "source", "bridge", "virbr0", NULL);
  import_add (card, "target", "dev", slot->values[0], NULL);
  import_add (card, "model", "type", g_str_equal (slot->kind, "e1000") ? "e1000" : "virtio", NULL);
  add_address (card, slot);
  diagnostics_warning (import->diagnostics, import->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "whose port '%s' is, is not said: the document has the bridge 'virbr0'",
                       slot->values[0]);
  return TRUE;
}

static gboolean
read_display (BhyveImport *import, const SlotOption *slot)
{
  const char *tcp = find_value (slot, "tcp="), *vga = find_value (slot, "vga=");
  const char *width = find_value (slot, "w="), *height = find_value (slot, "h=");
  const char *colon = tcp != NULL ? strrchr (tcp, ':') : NULL;
  g_autofree char *address = NULL;
  XmlElement *graphics, *video, *model;

  if (has_word (slot, "wait"))
    return FALSE;
  if (tcp != NULL && (colon == NULL || colon == tcp))
    address = g_strdup ("127.0.0.1");
  else if (tcp != NULL)
    address = tcp[0] == '[' && colon[-1] == ']' ? g_strndup (tcp + 1, (gsize)(colon - tcp) - 2)
                                                : g_strndup (tcp, (gsize)(colon - tcp));
  graphics = import_add (import->devices, "graphics", "type", "vnc", "port",
                         colon != NULL ? colon + 1
                         : tcp != NULL ? tcp
                                       : "5900",
                         "autoport", "no", "passwd", find_value (slot, "password="), NULL);
  if (address != NULL)
    import_add (graphics, "listen", "type", "address", "address", address, NULL);
  video = xml_element_add (import->devices, "video");
  if (vga != NULL)
    import_add (video, "driver", "vgaconf", vga, NULL);
  model = import_add (video, "model", "type", "gop", NULL);
  if (width != NULL && height != NULL)
    import_add (model, "resolution", "x", width, "y", height, NULL);
  add_address (video, slot);
  return TRUE;
}

static gboolean
read_xhci (BhyveImport *import, const SlotOption *slot)
{
  if (g_strv_length (slot->values) != 1 || !has_word (slot, "tablet"))
    return FALSE;
  add_address (
      import_add (import->devices, "controller", "type", "usb", "index", "0", "model", "nec-xhci", NULL),
      slot);
  import_add (import->devices, "input", "type", "tablet", "bus", "usb", NULL);
  return TRUE;
}

static gboolean
read_sound (BhyveImport *import, const SlotOption *slot)
{
  const char *play = find_value (slot, "play="), *record = find_value (slot, "rec=");
  XmlElement *sound = import_add (import->devices, "sound", "model", "ich7", NULL), *audio;

  if (play != NULL || record != NULL) {
    import_add (sound, "audio", "id", "1", NULL);
    audio = import_add (import->devices, "audio", "id", "1", "type", "oss", NULL);
    if (record != NULL)
      import_add (audio, "input", "dev", record, NULL);
    if (play != NULL)
      import_add (audio, "output", "dev", play, NULL);
  }
  add_address (sound, slot);
  return TRUE;
}

static gboolean
read_folder (BhyveImport *import, const SlotOption *slot)
{
  const char *equals = slot->values[0] != NULL ? strchr (slot->values[0], '=') : NULL;
  g_autofree char *tag =
      equals != NULL ? g_strndup (slot->values[0], (gsize)(equals - slot->values[0])) : NULL;
  XmlElement *filesystem;

  if (tag == NULL || (slot->values[1] != NULL && !g_str_equal (slot->values[1], "ro")))
    return FALSE;
  filesystem = import_add (import->devices, "filesystem", "type", "mount", NULL);
  import_add (filesystem, "source", "dir", equals + 1, NULL);
  import_add (filesystem, "target", "dir", tag, NULL);
  if (slot->values[1] != NULL)
    xml_element_add (filesystem, "readonly");
  add_address (filesystem, slot);
  return TRUE;
}

static gboolean
read_passthrough (BhyveImport *import, const SlotOption *slot)
{
  g_auto (GStrv) place = slot->values[0] != NULL ? g_strsplit (slot->values[0], "/", -1) : NULL;
  guint64 bus, number, function;
  g_autofree char *bus_text = NULL, *slot_text = NULL, *function_text = NULL;
  XmlElement *hostdev;

  if (place == NULL || g_strv_length (place) != 3 || slot->values[1] != NULL
      || !parse_uint (place[0], 255, &bus) || !parse_uint (place[1], 31, &number)
      || !parse_uint (place[2], 7, &function))
    return FALSE;
  bus_text = g_strdup_printf ("0x%02x", (guint)bus);
  slot_text = g_strdup_printf ("0x%02x", (guint)number);
  function_text = g_strdup_printf ("0x%x", (guint)function);
  hostdev =
      import_add (import->devices, "hostdev", "mode", "subsystem", "type", "pci", "managed", "no", NULL);
  import_add (xml_element_add (hostdev, "source"), "address", "domain", "0x0000", "bus", bus_text, "slot",
              slot_text, "function", function_text, NULL);
  add_address (hostdev, slot);
  return TRUE;
}

static gboolean
read_random (BhyveImport *import, const SlotOption *slot)
{
  XmlElement *rng;

  if (slot->values[0] != NULL)
    return FALSE;
  rng = import_add (import->devices, "rng", "model", "virtio", NULL);
  import_add_text (rng, "backend", "/dev/random");
  xml_element_set (xml_element_ensure (rng, "backend"), "model", "random");
  add_address (rng, slot);
  return TRUE;
}

static gboolean
read_lpc (BhyveImport *import, const SlotOption *slot)
{
  if (slot->slot != BHYVE_SLOT_LPC) /* otherwise it is where it always is */
    add_address (import_add (import->devices, "controller", "type", "isa", "index", "0", NULL), slot);
  return TRUE;
}

static gboolean
read_host_bridge (BhyveImport *import G_GNUC_UNUSED, const SlotOption *slot)
{
  return slot->slot == 0;
}

static const struct {
  const char *kind;
  gboolean (*read) (BhyveImport *import, const SlotOption *slot); /* FALSE: it has no element */
} slot_kinds[] = {
  { "hostbridge", read_host_bridge },
  { "lpc", read_lpc },
  { "ahci", read_ahci },
  { "ahci-hd", read_ahci },
  { "ahci-cd", read_ahci },
  { "virtio-blk", read_virtio_disk },
  { "virtio-net", read_card },
  { "e1000", read_card },
  { "fbuf", read_display },
  { "xhci", read_xhci },
  { "hda", read_sound },
  { "virtio-9p", read_folder },
  { "passthru", read_passthrough },
  { "virtio-rnd", read_random },
};

/* "[0:]SLOT[:FUNCTION]". */
static gboolean
read_place (BhyveImport *import, const char *text, SlotOption *slot)
{
  g_auto (GStrv) numbers = g_strsplit (text, ":", -1);
  guint count = g_strv_length (numbers);
  const char *number = count == 3 ? numbers[1] : numbers[0];
  const char *function = count == 3 ? numbers[2] : count == 2 ? numbers[1] : "0";

  if (count >= 1 && count <= 3 && (count < 3 || g_str_equal (numbers[0], "0"))
      && parse_uint (number, BHYVE_SLOTS - 1, &slot->slot) && parse_uint (function, 7, &slot->function))
    return TRUE;
  MISTAKE (import, "'%s' is no slot: expected one such as '2:0', 0 to %d and 0 to 7, on bus 0", text,
           BHYVE_SLOTS - 1);
  return FALSE;
}

void
bhyve_import_slot (BhyveImport *import, const char *option)
{
  g_auto (GStrv) words = g_strsplit (option, ",", -1);
  SlotOption slot = { .option = option };

  if (g_strv_length (words) < 2) {
    MISTAKE (import, "'-s %s' is no device: expected 'SLOT,KIND,...'", option);
    return;
  }
  if (!read_place (import, words[0], &slot))
    return;
  slot.kind = words[1];
  slot.values = words + 2;
  for (guint i = 0; i < G_N_ELEMENTS (slot_kinds); i++)
    if (g_str_equal (slot.kind, slot_kinds[i].kind)) {
      if (!slot_kinds[i].read (import, &slot))
        bhyve_import_keep (import, "-s", option);
      return;
    }
  bhyve_import_keep (import, "-s", option);
}

/*
 * Devices of "-l".
 */
static void
add_serial (BhyveImport *import, const char *port, const char *end)
{
  XmlElement *serial;
  const char *colon;

  if (g_str_equal (end, "stdio"))
    serial = import_add (import->devices, "serial", "type", "stdio", NULL);
  else if (g_str_has_prefix (end, "/dev/nmdm") && g_str_has_suffix (end, "A")) {
    g_autofree char *slave = g_strdup (end);

    slave[strlen (slave) - 1] = 'B';
    serial = import_add (import->devices, "serial", "type", "nmdm", NULL);
    import_add (serial, "source", "master", end, "slave", slave, NULL);
  } else if (g_str_has_prefix (end, "tcp=") && (colon = strrchr (end, ':')) != NULL) {
    g_autofree char *host = g_strndup (end + strlen ("tcp="), (gsize)(colon - end) - strlen ("tcp="));

    serial = import_add (import->devices, "serial", "type", "tcp", NULL);
    import_add (serial, "source", "mode", "bind", "host", host, "service", colon + 1, NULL);
    import_add (serial, "protocol", "type", "raw", NULL);
  } else {
    serial = import_add (import->devices, "serial", "type", "dev", NULL);
    import_add (serial, "source", "path", end, NULL);
  }
  import_add (serial, "target", "port", port, NULL);
}

void
bhyve_import_old_device (BhyveImport *import, const char *option)
{
  g_auto (GStrv) words = g_strsplit (option, ",", -1);
  guint count = g_strv_length (words);
  guint64 port;

  if (count >= 2 && count <= 3 && g_str_equal (words[0], "bootrom")) {
    import_set_text (&import->firmware, words[1]);
    import_set_text (&import->variables, words[2]);
  } else if (count == 2 && g_str_has_prefix (words[0], "com")
             && parse_uint (words[0] + 3, BHYVE_SERIALS_MAX, &port) && port > 0) {
    g_autofree char *index = g_strdup_printf ("%u", (guint)port - 1);

    add_serial (import, index, words[1]);
  } else if (count == 3 && g_str_equal (words[0], "tpm") && g_str_equal (words[1], "passthru")) {
    XmlElement *tpm = xml_element_add (import->devices, "tpm");

    import_add (import_add (tpm, "backend", "type", "passthrough", NULL), "device", "path", words[2], NULL);
  } else {
    bhyve_import_keep (import, "-l", option);
  }
}
