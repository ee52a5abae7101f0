/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of bhyve's command lines, the loader's among them. Options are those of getopt's string in
 * bhyve(8); each device of "-s" keeps its slot, because the guest knows it by that. What has no element in
 * the format goes whole into <bhyve:commandline>, and is told: started again the machine has it.
 */
#include "targets/bhyve/bhyve-private.h"

#include "base/scalars.h"
#include "targets/import-text.h"

#include <stdlib.h>
#include <string.h>

#define BHYVE_NAMESPACE  "http://libvirt.org/schemas/domain/bhyve/1.0"
#define FLAGS            "aAbCDehHIPSTuwWxY"
#define WITH_VALUE       "cfgGkKlmopsrU"
#define VCPUS_MAX        4096
#define DISKS_MAX        702                /* "vdzz" */
#define MEMORY_BYTES_MIN ((guint64)1 << 20) /* a plain number below is in MiB */

typedef struct {
  Diagnostics *diagnostics;
  Position where; /* of the option being read */
  char *name, *uuid, *bootloader, *loader_arguments, *firmware, *variables;
  guint64 memory; /* bytes */
  char *vcpus;
  gboolean has_topology;
  guint64 sockets, cores, threads;
  gboolean acpi, apic, utc, locked, ignores_msrs;
  XmlElement *devices;
  GPtrArray *own; /* words for <bhyve:commandline> */
  guint sata_disks, virtio_disks, sata_controllers;
} Import;

#define MISTAKE(import, ...) \
  diagnostics_error ((import)->diagnostics, (import)->where, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

static void
set_text (char **member, const char *text)
{
  g_free (*member);
  *member = g_strdup (text);
}

/* It has no element: bhyve is to get it as it stands. */
static void
keep (Import *import, const char *option, const char *value)
{
  diagnostics_warning (import->diagnostics, import->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s%s%s' has no element in the format and is kept in <bhyve:commandline>", option,
                       value != NULL ? " " : "", value != NULL ? value : "");
  g_ptr_array_add (import->own, g_strdup (option));
  if (value != NULL)
    g_ptr_array_add (import->own, g_strdup (value));
}

/*
 * Memory and processors.
 */
static void
read_memory (Import *import, const char *text)
{
  gsize digits = strspn (text, G_CSET_DIGITS);
  g_autofree char *number = g_strndup (text, digits);
  guint64 count, unit = 1;

  if (!parse_uint (number, G_MAXINT64, &count) || !size_unit (text + digits, 1, &unit) || count == 0
      || count > G_MAXINT64 / unit) {
    MISTAKE (import, "'%s' is no size of memory: expected one such as '512', '512M' or '4G'", text);
    return;
  }
  import->memory = count * unit;
  if (text[digits] == '\0' && count < MEMORY_BYTES_MIN)
    import->memory = count << 20;
}

static gboolean
read_count (Import *import, const char *text, guint64 *ret)
{
  if (parse_uint (text, VCPUS_MAX, ret) && *ret > 0)
    return TRUE;
  MISTAKE (import, "'%s' is no number of processors: expected 1 to %d", text, VCPUS_MAX);
  return FALSE;
}

static void
read_processors (Import *import, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  guint64 cpus = 0;

  import->sockets = import->cores = import->threads = 1;
  for (guint i = 0; words[i] != NULL; i++) {
    const char *equals = strchr (words[i], '=');
    const struct {
      const char *name;
      guint64 *value;
    } keys[] = { { "cpus=", &cpus },
                 { "sockets=", &import->sockets },
                 { "cores=", &import->cores },
                 { "threads=", &import->threads } };
    guint64 *value = equals == NULL ? &cpus : NULL;

    for (guint k = 0; equals != NULL && k < G_N_ELEMENTS (keys); k++)
      if (g_str_has_prefix (words[i], keys[k].name))
        value = keys[k].value;
    if (value == NULL) {
      MISTAKE (import, "'%s' is none of 'cpus=', 'sockets=', 'cores=' and 'threads='", words[i]);
      return;
    }
    import->has_topology = import->has_topology || value != &cpus;
    if (!read_count (import, equals != NULL ? equals + 1 : words[i], value))
      return;
  }
  if (cpus == 0)
    cpus = import->sockets * import->cores * import->threads;
  g_free (import->vcpus);
  import->vcpus = g_strdup_printf ("%" G_GUINT64_FORMAT, cpus);
}

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
add_disk (Import *import, const char *path, gboolean is_cdrom, const char *bus, guint *count)
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
read_ahci (Import *import, const SlotOption *slot)
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
read_virtio_disk (Import *import, const SlotOption *slot)
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
read_card (Import *import, const SlotOption *slot)
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
read_display (Import *import, const SlotOption *slot)
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
read_xhci (Import *import, const SlotOption *slot)
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
read_sound (Import *import, const SlotOption *slot)
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
read_folder (Import *import, const SlotOption *slot)
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
read_passthrough (Import *import, const SlotOption *slot)
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
read_random (Import *import, const SlotOption *slot)
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
read_lpc (Import *import, const SlotOption *slot)
{
  if (slot->slot != BHYVE_SLOT_LPC) /* otherwise it is where it always is */
    add_address (import_add (import->devices, "controller", "type", "isa", "index", "0", NULL), slot);
  return TRUE;
}

static gboolean
read_host_bridge (Import *import G_GNUC_UNUSED, const SlotOption *slot)
{
  return slot->slot == 0;
}

static const struct {
  const char *kind;
  gboolean (*read) (Import *import, const SlotOption *slot); /* FALSE: it has no element */
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
read_place (Import *import, const char *text, SlotOption *slot)
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

static void
read_slot (Import *import, const char *option)
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
        keep (import, "-s", option);
      return;
    }
  keep (import, "-s", option);
}

/*
 * Devices of "-l".
 */
static void
add_serial (Import *import, const char *port, const char *end)
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

static void
read_old_device (Import *import, const char *option)
{
  g_auto (GStrv) words = g_strsplit (option, ",", -1);
  guint count = g_strv_length (words);
  guint64 port;

  if (count >= 2 && count <= 3 && g_str_equal (words[0], "bootrom")) {
    set_text (&import->firmware, words[1]);
    set_text (&import->variables, words[2]);
  } else if (count == 2 && g_str_has_prefix (words[0], "com")
             && parse_uint (words[0] + 3, BHYVE_SERIALS_MAX, &port) && port > 0) {
    g_autofree char *index = g_strdup_printf ("%u", (guint)port - 1);

    add_serial (import, index, words[1]);
  } else if (count == 3 && g_str_equal (words[0], "tpm") && g_str_equal (words[1], "passthru")) {
    XmlElement *tpm = xml_element_add (import->devices, "tpm");

    import_add (import_add (tpm, "backend", "type", "passthrough", NULL), "device", "path", words[2], NULL);
  } else {
    keep (import, "-l", option);
  }
}

/*
 * The commands.
 */
static void
read_flag (Import *import, char flag)
{
  const char option[] = { '-', flag, '\0' };

  switch (flag) {
    case 'A':
      import->acpi = TRUE;
      return;
    case 'I':
      import->apic = TRUE;
      return;
    case 'u':
      import->utc = TRUE;
      return;
    case 'S':
      import->locked = TRUE;
      return;
    case 'w':
      import->ignores_msrs = TRUE;
      return;
    case 'H':
    case 'P':
      return; /* libvirt gives them to every machine */
    default:
      keep (import, option, NULL);
  }
}

static void
read_value (Import *import, char letter, const char *value)
{
  const char option[] = { '-', letter, '\0' };
  guint8 uuid[UUID_BYTES];

  switch (letter) {
    case 'c':
      read_processors (import, value);
      return;
    case 'm':
      read_memory (import, value);
      return;
    case 's':
      read_slot (import, value);
      return;
    case 'l':
      read_old_device (import, value);
      return;
    case 'U':
      if (uuid_parse (value, uuid))
        set_text (&import->uuid, value);
      else
        MISTAKE (import, "'%s' is no UUID", value);
      return;
    default:
      keep (import, option, value);
  }
}

static void
set_name (Import *import, const ImportWord *word)
{
  import->where = word->where;
  if (import->name != NULL && !g_str_equal (import->name, word->text))
    MISTAKE (import, "the machine is '%s' here and '%s' before", word->text, import->name);
  else if (word->text[0] == '\0' || strpbrk (word->text, "/\n") != NULL)
    MISTAKE (import, "'%s' is no name of a machine", word->text);
  else
    set_text (&import->name, word->text);
}

/* As getopt reads it: letters together, a value in the same word or the next. */
static void
read_bhyve (Import *import, const GPtrArray *words, guint from)
{
  guint i = from;

  for (; i < words->len; i++) {
    const ImportWord *word = g_ptr_array_index (words, i);
    const char *letter = word->text;

    if (*letter != '-' || letter[1] == '\0' || g_str_equal (letter, "--"))
      break;
    import->where = word->where;
    for (letter++; *letter != '\0'; letter++) {
      if (strchr (FLAGS, *letter) != NULL) {
        read_flag (import, *letter);
        continue;
      }
      if (strchr (WITH_VALUE, *letter) == NULL) {
        MISTAKE (import, "'-%.*s' is no option of bhyve's", (int)(g_utf8_next_char (letter) - letter),
                 letter);
      } else if (letter[1] != '\0') {
        read_value (import, *letter, letter + 1);
      } else if (i + 1 < words->len) {
        read_value (import, *letter, ((const ImportWord *)g_ptr_array_index (words, ++i))->text);
      } else {
        MISTAKE (import, "'-%c' has no value", *letter);
      }
      break;
    }
  }
  if (i + 1 == words->len)
    set_name (import, g_ptr_array_index (words, i));
  else
    MISTAKE (import, "expected the machine's name, and nothing else, behind the options");
}

/* "bhyveload -m 512 -d PATH NAME" is what the document means anyway; anything else is kept. */
static gboolean
is_plain_loader (const GPtrArray *words)
{
  for (guint i = 1; i + 1 < words->len; i++) {
    const char *word = ((const ImportWord *)g_ptr_array_index (words, i))->text;

    if (g_str_equal (word, "-S"))
      continue;
    if ((!g_str_equal (word, "-m") && !g_str_equal (word, "-d")) || ++i + 1 >= words->len)
      return FALSE;
  }
  return TRUE;
}

static void
read_loader (Import *import, const GPtrArray *words)
{
  const ImportWord *program = g_ptr_array_index (words, 0);
  gboolean is_bhyveload = g_str_has_suffix (program->text, "bhyveload");
  g_autoptr (GString) arguments = g_string_new (NULL);

  import->where = program->where;
  if (is_bhyveload && is_plain_loader (words))
    return;
  for (guint i = 1; i + (is_bhyveload ? 1 : 0) < words->len; i++) {
    const ImportWord *word = g_ptr_array_index (words, i);

    if (strpbrk (word->text, " \t\n") != NULL)
      MISTAKE (import, "<bootloader_args> cannot hold the word '%s'", word->text);
    g_string_append_printf (arguments, "%s%s", arguments->len > 0 ? " " : "", word->text);
  }
  if (!is_bhyveload)
    set_text (&import->bootloader, program->text);
  set_text (&import->loader_arguments, arguments->str);
}

static gboolean
read_commands (Import *import, const GPtrArray *commands)
{
  gboolean found = FALSE;

  for (guint i = 0; i < commands->len; i++) {
    const GPtrArray *words = g_ptr_array_index (commands, i);
    const ImportWord *program = g_ptr_array_index (words, 0);
    const char *slash = strrchr (program->text, '/'), *name = slash != NULL ? slash + 1 : program->text;

    import->where = program->where;
    if (g_str_equal (name, "bhyve") && !found) {
      read_bhyve (import, words, 1);
      found = TRUE;
    } else if (!found && i + 1 < commands->len) {
      read_loader (import, words);
    } else {
      MISTAKE (import, "'%s' is not bhyve, and no loader before it", name);
    }
  }
  if (!found && !diagnostics_has_errors (import->diagnostics))
    diagnostics_error (import->diagnostics, (Position){ 1, 1 }, VIR_ERR_CONFIG_UNSUPPORTED,
                       "expected a command line of bhyve");
  return !diagnostics_has_errors (import->diagnostics);
}

/*
 * The document.
 */
static void
add_features (const Import *import, XmlElement *domain)
{
  XmlElement *features;

  if (!import->acpi && !import->apic && !import->ignores_msrs)
    return;
  features = xml_element_add (domain, "features");
  if (import->acpi)
    xml_element_add (features, "acpi");
  if (import->apic)
    xml_element_add (features, "apic");
  if (import->ignores_msrs)
    import_add (features, "msrs", "unknown", "ignore", NULL);
}

static void
add_topology (const Import *import, XmlElement *domain)
{
  g_autofree char *sockets = g_strdup_printf ("%" G_GUINT64_FORMAT, import->sockets);
  g_autofree char *cores = g_strdup_printf ("%" G_GUINT64_FORMAT, import->cores);
  g_autofree char *threads = g_strdup_printf ("%" G_GUINT64_FORMAT, import->threads);

  if (import->has_topology)
    import_add (xml_element_add (domain, "cpu"), "topology", "sockets", sockets, "cores", cores, "threads",
                threads, NULL);
}

static void
add_own (const Import *import, XmlElement *domain)
{
  XmlElement *own;

  if (import->own->len == 0)
    return;
  xml_element_set (domain, "xmlns:bhyve", BHYVE_NAMESPACE);
  own = xml_element_add (domain, "bhyve:commandline");
  for (guint i = 0; i < import->own->len; i++)
    import_add (own, "bhyve:arg", "value", g_ptr_array_index (import->own, i), NULL);
}

static char *
write_document (Import *import)
{
  g_autoptr (XmlElement) domain = xml_element_new ("domain");
  g_autofree char *devices = NULL;
  XmlElement *os;

  xml_element_set (domain, "type", "bhyve");
  import_add_text (domain, "name", "%s", import->name);
  if (import->uuid != NULL)
    import_add_text (domain, "uuid", "%s", import->uuid);
  import_add_text (domain, "memory", "%" G_GUINT64_FORMAT, MAX (import->memory >> 10, 1));
  if (import->locked)
    xml_element_add (xml_element_add (domain, "memoryBacking"), "locked");
  import_add_text (domain, "vcpu", "%s", import->vcpus != NULL ? import->vcpus : "1");
  if (import->bootloader != NULL)
    import_add_text (domain, "bootloader", "%s", import->bootloader);
  if (import->loader_arguments != NULL)
    import_add_text (domain, "bootloader_args", "%s", import->loader_arguments);
  os = xml_element_add (domain, "os");
  import_add_text (os, "type", "hvm");
  xml_element_set (xml_element_ensure (os, "type"), "arch", "x86_64");
  if (import->firmware != NULL) {
    import_add_text (os, "loader", "%s", import->firmware);
    xml_element_set (xml_element_ensure (os, "loader"), "readonly", "yes");
    xml_element_set (xml_element_ensure (os, "loader"), "type", "pflash");
  }
  if (import->variables != NULL)
    import_add_text (os, "nvram", "%s", import->variables);
  add_features (import, domain);
  add_topology (import, domain);
  import_add (domain, "clock", "offset", import->utc ? "utc" : "localtime", NULL);
  devices = xml_element_to_string (import->devices);
  xml_element_add_parsed (domain, devices);
  add_own (import, domain);
  return xml_element_to_string (domain);
}

static void
import_clear (Import *import)
{
  g_free (import->name);
  g_free (import->uuid);
  g_free (import->bootloader);
  g_free (import->loader_arguments);
  g_free (import->firmware);
  g_free (import->variables);
  g_free (import->vcpus);
  g_ptr_array_unref (import->own);
  xml_element_free (import->devices);
}

char *
bhyve_import (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (GPtrArray) commands = NULL;
  Import import = { .diagnostics = diagnostics };
  char *document = NULL;

  if (!import_check_text (text, diagnostics))
    return NULL;
  commands = import_read_commands (text, diagnostics);
  if (commands == NULL)
    return NULL;
  import.devices = xml_element_new ("devices");
  import.own = g_ptr_array_new_with_free_func (g_free);
  if (read_commands (&import, commands))
    document = write_document (&import);
  import_clear (&import);
  return document;
}
