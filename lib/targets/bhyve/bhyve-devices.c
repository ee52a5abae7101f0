/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices of a machine as bhyve's options: "-s SLOT:FUNCTION,KIND,..." for those on the PCI bus, "-l
 * NAME,..." for the old ones. A comma separates what an option says and nothing can quote it, so a path or a
 * password with one cannot be said.
 */
#include "targets/bhyve/bhyve-private.h"

#include "domain/devices/audio.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/graphics.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/rng.h"
#include "domain/devices/serial.h"
#include "domain/devices/sound.h"
#include "domain/devices/tpm.h"
#include "domain/devices/video.h"

#include <string.h>

typedef struct {
  const DomainDef *def;
  const BhyveSlots *slots;
  GPtrArray *argv;
  TargetConfig *config;
  TargetLosses *losses;
} Devices;

#define LOSE(device_, part, ...) target_lose (devices->losses, &(device_)->device, part, __VA_ARGS__)

void
bhyve_add_option (GPtrArray *argv, const char *option, const char *format, ...)
{
  va_list arguments;

  g_ptr_array_add (argv, g_strdup (option));
  va_start (arguments, format);
  g_ptr_array_add (argv, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static void
add_slot (const Devices *devices, BhyvePlace place, const char *what)
{
  bhyve_add_option (devices->argv, "-s", "%u:%u,%s", place.slot, place.function, what);
}

static gboolean
can_be_said (const char *text)
{
  return text != NULL && strchr (text, ',') == NULL;
}

/*
 * Disks.
 */
char *
bhyve_disk_path (const Device *device)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;
  const char *path = disk_path (disk);

  if (path == NULL || disk->format == NULL || g_str_equal (disk->format, "raw"))
    return g_strdup (path);
  return g_strconcat (path, ".raw", NULL);
}

static gboolean
check_disk (const Devices *devices, const DeviceDisk *disk)
{
  if (disk->bus != DISK_BUS_SATA && disk->bus != DISK_BUS_VIRTIO)
    LOSE (disk, "<target bus=>", "has disks on the buses 'sata' and 'virtio' only");
  else if (disk->device_type != DISK_DEVICE_DISK && disk->device_type != DISK_DEVICE_CDROM)
    LOSE (disk, "device=", "has only 'disk' and 'cdrom'");
  else if (disk->device_type == DISK_DEVICE_CDROM && disk->bus == DISK_BUS_VIRTIO)
    LOSE (disk, "<target bus=>", "has a CD drive on the bus 'sata' only");
  else if (disk_path (disk) == NULL && disk_has_source (disk))
    LOSE (disk, "type=", "opens files and block devices only");
  else if (disk_path (disk) == NULL)
    return FALSE; /* an empty drive: libvirt leaves it out */
  else if (!can_be_said (disk_path (disk)))
    LOSE (disk, "<source>", "takes no path with a comma");
  else
    return TRUE;
  return FALSE;
}

static void
add_conversion (const Devices *devices, const DeviceDisk *disk, const char *path)
{
  const char *const argv[] = { "qemu-img", "convert",        "-f", disk->format, "-O",
                               "raw",      disk_path (disk), path, NULL };

  if (!g_str_equal (path, disk_path (disk)))
    target_config_add_step (devices->config, argv);
}

/* What stands behind the path: bhyve's own words for it. */
static void
append_disk_options (const Devices *devices, const DeviceDisk *disk, GString *option)
{
  if (disk->readonly && disk->device_type != DISK_DEVICE_CDROM)
    g_string_append (option, ",ro");
  if (disk->cache == DISK_CACHE_DISABLE)
    g_string_append (option, ",nocache");
  else if (disk->cache == DISK_CACHE_DIRECTSYNC)
    g_string_append (option, ",direct");
  else if (disk->cache != DISK_CACHE_NONE && disk->cache != DISK_CACHE_DEFAULT)
    LOSE (disk, "<driver cache=>", "caches as its host does, or with 'none' or 'directsync'");
  if (disk->serial != NULL && can_be_said (disk->serial))
    g_string_append_printf (option, ",ser=%s", disk->serial);
  else if (disk->serial != NULL)
    LOSE (disk, "<serial>", "takes no serial number with a comma");
}

static void
add_sata_controller (const Devices *devices, guint controller)
{
  g_autoptr (GString) option = g_string_new ("ahci");
  BhyvePlace place;

  if (!bhyve_slots_find_sata (devices->slots, controller, &place))
    return;
  DOMAIN_FOREACH_DEVICE (devices->def, disk_kind, DeviceDisk, disk) {
    g_autofree char *path = NULL;

    if (disk->bus != DISK_BUS_SATA || disk->device.address.controller.value != controller
        || !check_disk (devices, disk))
      continue;
    path = bhyve_disk_path (&disk->device);
    add_conversion (devices, disk, path);
    g_string_append_printf (option, ",%s:%s", disk->device_type == DISK_DEVICE_CDROM ? "cd" : "hd", path);
    append_disk_options (devices, disk, option);
  }
  if (strchr (option->str, ':') != NULL)
    add_slot (devices, place, option->str);
}

static void
add_disk (const Devices *devices, const DeviceDisk *disk)
{
  g_autoptr (GString) option = NULL;
  g_autofree char *path = NULL;
  BhyvePlace place;

  if (disk->bus == DISK_BUS_SATA && disk->device.address.controller.value < BHYVE_SATA_MAX)
    return; /* it is at its controller */
  if (disk->bus == DISK_BUS_SATA) {
    LOSE (disk, "<address controller=>", "has at most %d controllers here", BHYVE_SATA_MAX);
    return;
  }
  if (!check_disk (devices, disk) || !bhyve_slots_find (devices->slots, &disk->device, &place))
    return;
  path = bhyve_disk_path (&disk->device);
  add_conversion (devices, disk, path);
  option = g_string_new ("virtio-blk,");
  g_string_append (option, path);
  append_disk_options (devices, disk, option);
  add_slot (devices, place, option->str);
}

/*
 * Cards. bhyve opens a tap; whose bridge that is a port of, is said to the host.
 */
static void
add_interface (const Devices *devices, const DeviceInterface *interface, guint index)
{
  const char *model = interface->model != NULL ? interface->model : "virtio";
  const char *bridge = interface->bridge != NULL ? interface->bridge : interface->network;
  g_autofree char *tap =
      interface->target_dev != NULL ? g_strdup (interface->target_dev) : g_strdup_printf ("tap%u", index);
  g_autofree char *option = NULL;
  BhyvePlace place;

  if (interface->type != INTERFACE_BRIDGE && interface->type != INTERFACE_NETWORK
      && interface->type != INTERFACE_ETHERNET)
    LOSE (interface, "type=", "has taps only: 'bridge', 'network' or 'ethernet'");
  else if (!g_str_equal (model, "virtio") && !g_str_equal (model, "e1000"))
    LOSE (interface, "<model type=>", "has only 'virtio' and 'e1000'");
  else if (!can_be_said (tap))
    LOSE (interface, "<target dev=>", "takes no name with a comma");
  else if (bhyve_slots_find (devices->slots, &interface->device, &place)) {
    option = g_strdup_printf ("%s,%s,mac=%s", g_str_equal (model, "e1000") ? "e1000" : "virtio-net", tap,
                              interface->mac);
    add_slot (devices, place, option);
    if (bridge != NULL)
      target_config_warn (devices->config,
                          "make %s before, and a port of '%s': ifconfig %s create; ifconfig %s addm %s", tap,
                          bridge, tap, bridge, tap);
  }
}

/*
 * A display: VNC by bhyve's frame buffer, which firmware draws to.
 */
gboolean
bhyve_has_display (const DomainDef *def)
{
  return domain_def_count_devices (def, &graphics_kind) > 0
         && domain_def_count_devices (def, &video_kind) > 0;
}

static void
append_listen (const DeviceGraphics *graphics, GString *option)
{
  const GraphicsListen *listen = graphics_first_listen (graphics);
  const char *address = listen != NULL && listen->address != NULL ? listen->address : "127.0.0.1";
  gint64 port = graphics->port.set && graphics->port.value > 0 ? graphics->port.value : BHYVE_VNC_PORT;

  g_string_append_printf (option, strchr (address, ':') != NULL ? ",tcp=[%s]" : ",tcp=%s", address);
  g_string_append_printf (option, ":%" G_GINT64_FORMAT, port);
}

static gboolean
check_graphics (const Devices *devices, const DeviceGraphics *graphics)
{
  const GraphicsListen *listen = graphics_first_listen (graphics);

  if (graphics->type != GRAPHICS_VNC)
    LOSE (graphics, "type=", "has VNC only");
  else if (bhyve_firmware (devices->def) == NULL)
    LOSE (graphics, NULL, "has a display only with firmware: <os firmware='efi'>");
  else if (graphics->socket != NULL
           || (listen != NULL && listen->type != LISTEN_ADDRESS && listen->type != LISTEN_UNSET))
    LOSE (graphics, "<listen>", "listens at an address only");
  else if (graphics->passwd != NULL && !can_be_said (graphics->passwd))
    LOSE (graphics, "passwd=", "takes no password with a comma");
  else if (domain_def_count_devices (devices->def, &video_kind) == 0)
    LOSE (graphics, NULL, "has no display without <video>");
  else
    return TRUE;
  return FALSE;
}

static void
add_display (const Devices *devices, const DeviceGraphics *graphics, const DeviceVideo *video)
{
  static const char *const vga[] = { NULL, "io", "on", "off" };
  g_autoptr (GString) option = g_string_new ("fbuf");
  BhyvePlace place;

  if (!check_graphics (devices, graphics) || !bhyve_slots_find (devices->slots, &video->device, &place))
    return;
  if (video->model != VIDEO_GOP)
    LOSE (video, "<model type=>", "has one kind of display, 'gop'");
  append_listen (graphics, option);
  if (video->vgaconf > 0 && (guint)video->vgaconf < G_N_ELEMENTS (vga))
    g_string_append_printf (option, ",vga=%s", vga[video->vgaconf]);
  if (video->resolution_x.set && video->resolution_y.set)
    g_string_append_printf (option, ",w=%u,h=%u", (guint)video->resolution_x.value,
                            (guint)video->resolution_y.value);
  if (graphics->passwd != NULL)
    g_string_append_printf (option, ",password=%s", graphics->passwd);
  add_slot (devices, place, option->str);
}

static void
add_displays (const Devices *devices)
{
  const DeviceVideo *shown = NULL;
  gboolean done = FALSE;

  DOMAIN_FOREACH_DEVICE (devices->def, video_kind, DeviceVideo, video) {
    if (shown != NULL)
      LOSE (video, NULL, "has one display");
    else if (video->model != VIDEO_MODEL_DISABLED)
      shown = video;
  }
  DOMAIN_FOREACH_DEVICE (devices->def, graphics_kind, DeviceGraphics, graphics) {
    if (done)
      LOSE (graphics, NULL, "has one display");
    else if (shown != NULL)
      add_display (devices, graphics, shown);
    else
      check_graphics (devices, graphics);
    done = TRUE;
  }
}

/*
 * Tablet, sound, folders, random numbers, the host's devices.
 */
static void
add_inputs (const Devices *devices)
{
  BhyvePlace place;
  guint tablets = 0;

  DOMAIN_FOREACH_DEVICE (devices->def, input_kind, DeviceInput, input) {
    if (input->bus == INPUT_BUS_PS2)
      continue; /* its display has them */
    if (input->type != INPUT_TABLET || input->bus != INPUT_BUS_USB)
      LOSE (input, NULL, "has a tablet at USB, and a keyboard and a mouse at PS/2");
    else if (++tablets > 1)
      LOSE (input, NULL, "has one tablet");
  }
  if (tablets > 0 && bhyve_slots_find_xhci (devices->slots, &place))
    add_slot (devices, place, "xhci,tablet");
}

static const DeviceAudio *
find_audio (const DomainDef *def, const DeviceSound *sound)
{
  DOMAIN_FOREACH_DEVICE (def, audio_kind, DeviceAudio, audio) {
    if (!sound->audio_id.set || sound->audio_id.value == audio->id.value)
      return audio;
  }
  return NULL;
}

static void
add_sound (const Devices *devices, const DeviceSound *sound)
{
  const DeviceAudio *audio = find_audio (devices->def, sound);
  g_autoptr (GString) option = g_string_new ("hda");
  BhyvePlace place;

  if (sound->model != SOUND_ICH7) {
    LOSE (sound, "model=", "has one sound card, 'ich7'");
    return;
  }
  if (!bhyve_slots_find (devices->slots, &sound->device, &place))
    return;
  if (audio != NULL && audio->type != AUDIO_OSS && audio->type != AUDIO_NONE)
    target_lose (devices->losses, &audio->device, "type=", "plays by 'oss' only");
  else if (audio != NULL && audio->type == AUDIO_OSS) {
    if (audio->output != NULL && can_be_said (audio->output->dev))
      g_string_append_printf (option, ",play=%s", audio->output->dev);
    if (audio->input != NULL && can_be_said (audio->input->dev))
      g_string_append_printf (option, ",rec=%s", audio->input->dev);
  }
  add_slot (devices, place, option->str);
}

static void
add_filesystem (const Devices *devices, const DeviceFilesystem *filesystem)
{
  g_autofree char *option = NULL;
  BhyvePlace place;

  if (filesystem->type != FILESYSTEM_MOUNT
      || (filesystem->driver != FILESYSTEM_DRIVER_NONE && filesystem->driver != FILESYSTEM_DRIVER_PATH))
    LOSE (filesystem, NULL, "shares directories by 9p only");
  else if (!can_be_said (filesystem->source_dir) || !can_be_said (filesystem->target)
           || strchr (filesystem->target, '=') != NULL)
    LOSE (filesystem, "<source dir=>", "takes no name with a comma");
  else if (bhyve_slots_find (devices->slots, &filesystem->device, &place)) {
    option = g_strdup_printf ("virtio-9p,%s=%s%s", filesystem->target, filesystem->source_dir,
                              filesystem->readonly ? ",ro" : "");
    add_slot (devices, place, option);
  }
}

static void
add_hostdev (const Devices *devices, const DeviceHostdev *hostdev)
{
  g_autofree char *option = NULL;
  BhyvePlace place;

  if (hostdev->type != HOSTDEV_PCI || hostdev->pci.domain.value != 0)
    LOSE (hostdev, NULL, "passes devices of the host's first PCI domain only");
  else if (bhyve_slots_find (devices->slots, &hostdev->device, &place)) {
    option = g_strdup_printf ("passthru,%u/%u/%u", (guint)hostdev->pci.bus.value,
                              (guint)hostdev->pci.slot.value, (guint)hostdev->pci.function.value);
    add_slot (devices, place, option);
  }
}

static void
add_rng (const Devices *devices, const DeviceRng *rng)
{
  BhyvePlace place;

  if (rng->backend != RNG_BACKEND_RANDOM)
    LOSE (rng, "<backend model=>", "takes its random numbers from /dev/random");
  else if (bhyve_slots_find (devices->slots, &rng->device, &place))
    add_slot (devices, place, "virtio-rnd");
}

/*
 * Old devices.
 */
static void
add_port (const Devices *devices, const Device *device, const Chardev *chardev, guint64 port)
{
  const ChardevSource *source = chardev_first_source (chardev);
  g_autofree char *end = NULL;

  if (port >= BHYVE_SERIALS_MAX) {
    target_lose (devices->losses, device, "<target port=>", "has %d serial ports, 0 to %d", BHYVE_SERIALS_MAX,
                 BHYVE_SERIALS_MAX - 1);
    return;
  }
  if (chardev->type == CHARDEV_NMDM && source != NULL)
    end = g_strdup (source->master);
  else if (chardev->type == CHARDEV_DEV && source != NULL)
    end = g_strdup (source->path);
  else if (chardev->type == CHARDEV_STDIO)
    end = g_strdup ("stdio");
  else if (chardev->type == CHARDEV_TCP && source != NULL && source->mode == CHARDEV_MODE_BIND
           && (chardev->protocol == PROTOCOL_RAW || chardev->protocol == PROTOCOL_NONE))
    end = g_strdup_printf ("tcp=%s:%s", source->host != NULL ? source->host : "127.0.0.1", source->service);
  else
    target_lose (devices->losses, device,
                 "type=", "has serial ports at 'nmdm', 'dev', 'stdio' and listening 'tcp' only");
  if (end != NULL && !can_be_said (end))
    target_lose (devices->losses, device, "<source>", "takes no name with a comma");
  else if (end != NULL)
    bhyve_add_option (devices->argv, "-l", "com%u,%s", (guint)port + 1, end);
}

/* A console is the first serial port seen from the other side, and is one where there is none. */
static void
add_ports (const Devices *devices)
{
  gboolean has_serial = domain_def_count_devices (devices->def, &serial_kind) > 0;

  DOMAIN_FOREACH_DEVICE (devices->def, serial_kind, DeviceSerial, serial) {
    add_port (devices, &serial->device, &serial->source, serial->port.value);
  }
  DOMAIN_FOREACH_DEVICE (devices->def, console_kind, DeviceConsole, console) {
    if (console->target != CONSOLE_SERIAL)
      LOSE (console, "<target type=>", "has its console at a serial port only");
    else if (!has_serial)
      add_port (devices, &console->device, &console->source, console->port.value);
  }
}

static void
add_others (const Devices *devices)
{
  DOMAIN_FOREACH_DEVICE (devices->def, tpm_kind, DeviceTpm, tpm) {
    if (tpm->type != TPM_PASSTHROUGH || !can_be_said (tpm->path))
      LOSE (tpm, NULL, "has no TPM but the host's own");
    else
      bhyve_add_option (devices->argv, "-l", "tpm,passthru,%s", tpm->path);
  }
  DOMAIN_FOREACH_DEVICE (devices->def, memballoon_kind, DeviceMemballoon, balloon) {
    if (balloon->model != BALLOON_NONE)
      LOSE (balloon, NULL, "has no balloon: <memballoon model='none'/>");
  }
}

void
bhyve_add_devices (const DomainDef *def, const BhyveSlots *slots, GPtrArray *argv, TargetConfig *config,
                   TargetLosses *losses)
{
  const Devices shared = { def, slots, argv, config, losses }, *devices = &shared;
  guint index = 0;

  for (guint i = 0; i < BHYVE_SATA_MAX; i++)
    add_sata_controller (devices, i);
  add_inputs (devices);
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    add_interface (devices, interface, index++);
  }
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (disk->bus == DISK_BUS_SATA || disk->bus == DISK_BUS_VIRTIO)
      add_disk (devices, disk);
    else
      check_disk (devices, disk);
  }
  add_displays (devices);
  DOMAIN_FOREACH_DEVICE (def, sound_kind, DeviceSound, sound) {
    add_sound (devices, sound);
  }
  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, DeviceFilesystem, filesystem) {
    add_filesystem (devices, filesystem);
  }
  DOMAIN_FOREACH_DEVICE (def, rng_kind, DeviceRng, rng) {
    add_rng (devices, rng);
  }
  DOMAIN_FOREACH_DEVICE (def, hostdev_kind, DeviceHostdev, hostdev) {
    add_hostdev (devices, hostdev);
  }
  add_ports (devices);
  add_others (devices);
}
