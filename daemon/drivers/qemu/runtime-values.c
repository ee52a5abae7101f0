/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The values of a running machine. Those that QEMU must be told on its command line are chosen before; those
 * that only QEMU knows (the pty it got) are asked after, and only when the machine has such a thing, since
 * each byte through the monitor is dear.
 */
#include "daemon/drivers/qemu/runtime-values.h"

#include "daemon/core/blocking.h"
#include "daemon/host/endpoint.h"
#include "daemon/host/image.h"
#include "daemon/host/named-file.h"
#include "daemon/host/ports.h"
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/interface.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/serial.h"
#include "domain/devices/video.h"
#include "targets/qemu/throttle.h"

#include <errno.h>
#include <string.h>

#define LISTEN_DEFAULT "127.0.0.1"

void
live_values_clear (LiveValues *values)
{
  for (guint i = 0; values->ports != NULL && i < values->ports->len; i++)
    ports_release (g_array_index (values->ports, guint, i));
  g_clear_pointer (&values->ports, g_array_unref);
  g_clear_pointer (&values->images, g_hash_table_unref);
}

/* The byte source of a device that has one; NULL otherwise. */
static Chardev *
device_chardev (Device *device)
{
  if (device->kind == &serial_kind)
    return &((DeviceSerial *)device)->source;
  if (device->kind == &parallel_kind)
    return &((DeviceParallel *)device)->source;
  if (device->kind == &console_kind)
    return &((DeviceConsole *)device)->source;
  if (device->kind == &channel_kind)
    return &((DeviceChannel *)device)->source;
  return NULL;
}

/* Its only <source>, added when there is none. */
static ChardevSource *
chardev_ensure_source (Chardev *chardev)
{
  if (chardev_first_source (chardev) == NULL) {
    if (chardev->sources == NULL)
      chardev->sources = g_ptr_array_new ();
    g_ptr_array_add (chardev->sources, field_new (&chardev_source_table));
  }
  return chardev_first_source (chardev);
}

static void
set_text (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

/* A channel's socket is the machine's own unless the document names one. */
void
live_choose_sockets (DomainDef *def, const char *directory)
{
  DOMAIN_FOREACH_DEVICE (def, channel_kind, DeviceChannel, channel) {
    if (channel->source.type != CHARDEV_UNIX || chardev_path (&channel->source) != NULL)
      continue;
    ChardevSource *source = chardev_ensure_source (&channel->source);
    g_free (source->path);
    source->path = g_build_filename (directory, channel->device.alias, NULL);
    source->mode = CHARDEV_MODE_BIND;
  }
  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    GraphicsListen *listen = graphics_first_listen (graphics);
    if (listen == NULL || listen->type != LISTEN_SOCKET || listen->socket != NULL)
      continue;
    g_autofree char *name = g_strconcat (enum_table_name (&graphics_types, graphics->type), ".sock", NULL);
    listen->socket = g_build_filename (directory, name, NULL);
    if (graphics->type == GRAPHICS_VNC)
      set_text (&graphics->socket, listen->socket);
  }
}

static gboolean
choose_port (SignedNumber *port, const char *address, guint first, LiveValues *values, GError **error)
{
  guint taken = ports_take (address, first, error);

  if (taken == 0)
    return FALSE;
  g_array_append_val (values->ports, taken);
  *port = (SignedNumber){ TRUE, taken };
  return TRUE;
}

/* What is listened on when the document leaves it open: the host itself, as the settings of libvirt's have
 * it. */
static const char *
choose_address (DeviceGraphics *graphics)
{
  GraphicsListen *listen = graphics_first_listen (graphics);

  if (listen == NULL || listen->type != LISTEN_ADDRESS)
    return listen != NULL && listen->address != NULL ? listen->address : LISTEN_DEFAULT;
  if (listen->address == NULL)
    listen->address = g_strdup (LISTEN_DEFAULT);
  set_text (&graphics->listen, listen->address);
  return listen->address;
}

static gboolean
choose_ports (DomainDef *def, LiveValues *values, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    const GraphicsListen *listen = graphics_first_listen (graphics);
    const char *address;
    gboolean by_network = graphics->type == GRAPHICS_VNC || graphics->type == GRAPHICS_SPICE;

    if (!by_network || (listen != NULL && (listen->type == LISTEN_SOCKET || listen->type == LISTEN_NONE)))
      continue;
    address = choose_address (graphics);
    gboolean any = graphics->autoport == TRISTATE_YES || !graphics->port.set || graphics->port.value == -1;
    if (any && !choose_port (&graphics->port, address, PORTS_VNC_FIRST, values, error))
      return FALSE;
    if (graphics->websocket.set && graphics->websocket.value == -1
        && !choose_port (&graphics->websocket, address, PORTS_WEBSOCKET_FIRST, values, error))
      return FALSE;
  }
  return TRUE;
}

typedef struct {
  char *path, *format;
  DiskBacking *backing;
} ImageRequest;

static void
image_request_free (gpointer data)
{
  ImageRequest *request = data;

  g_free (request->path);
  g_free (request->format);
  disk_backing_free (request->backing);
  g_free (request);
}

static gpointer
read_image (gpointer input, GError **error)
{
  const ImageRequest *request = input;

  return image_info_read_chain (request->path, request->format, request->backing, error);
}

/* What its image says of itself. An optional medium that is not there leaves its drive empty. */
gboolean
live_read_image (DeviceDisk *disk, GHashTable *images, GError **error)
{
  const char *path = disk_path (disk);
  ImageRequest *request;
  struct stat status;
  ImageInfo *info;

  if (path == NULL)
    return TRUE;
  if (disk->startup_policy == STARTUP_OPTIONAL && named_file_stat (path, &status) != 0
      && errno != ETIMEDOUT) {
    g_clear_pointer (&disk->file, g_free);
    g_clear_pointer (&disk->dev, g_free);
    return TRUE;
  }
  request = g_new0 (ImageRequest, 1);
  *request = (ImageRequest){ g_strdup (path), g_strdup (disk->format != NULL ? disk->format : "raw"),
                             disk_backing_copy (disk->backing) };
  info = blocking_run (read_image, request, image_request_free, (GDestroyNotify)image_info_free, error);
  if (info == NULL) {
    g_autofree char *what = device_describe (&disk->device);
    if (error != NULL && *error != NULL) {
      g_autofree char *said = g_steal_pointer (&(*error)->message);
      (*error)->message = g_strdup_printf ("%s (%s)", said, what);
    }
    return FALSE;
  }
  g_hash_table_replace (images, g_strdup (path), info);
  return TRUE;
}

static gboolean
read_images (DomainDef *def, LiveValues *values, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (!live_read_image (disk, values->images, error))
      return FALSE;
  }
  return TRUE;
}

/* No guest has opened its end yet. */
static void
close_channels (DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, channel_kind, DeviceChannel, channel) {
    if (channel->target == CHANNEL_VIRTIO)
      channel->state = CHANNEL_STATE_DISCONNECTED;
  }
}

static DiskBacking *
backing_of (const ImageInfo *info, guint node)
{
  DiskBacking *backing = disk_backing_new ();

  if (info == NULL)
    return backing;
  backing->type = info->is_device ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
  backing->index = NUMBER (node);
  backing->format = g_strdup (info->format);
  *(info->is_device ? &backing->dev : &backing->file) = g_strdup (info->path);
  backing->backing = backing_of (info->backing, node + 1);
  return backing;
}

guint
live_number_images (DeviceDisk *disk, GHashTable *images, guint node)
{
  const char *path = disk_path (disk);
  const ImageInfo *info = path != NULL ? g_hash_table_lookup (images, path) : NULL;
  gboolean said = disk->backing != NULL && !disk->backing->detected;

  disk->source_index = (Number){ 0 };
  if (info == NULL)
    return node + 1;
  disk->source_index = NUMBER (node);
  disk_backing_free (disk->backing);
  disk->backing = backing_of (info->backing, node + 1);
  /* That nothing is below is said for good, as libvirt has it: only images that were found are live. */
  disk->backing->detected = !said && info->backing != NULL;
  for (; info != NULL; info = info->backing)
    node++;
  return node;
}

/* The numbers of the disks' block nodes, by which QEMU's events speak of them, and the images below them.
 * Counted as libvirt does: from the last disk to the first, an empty drive too. */
static void
number_images (DomainDef *def, const LiveValues *values)
{
  guint node = 1;

  for (guint i = def->devices->len; i > 0; i--) {
    Device *device = g_ptr_array_index (def->devices, i - 1);

    if (device->kind == &disk_kind)
      node = live_number_images ((DeviceDisk *)device, values->images, node);
  }
}

GHashTable *
live_images_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)image_info_free);
}

gboolean
live_choose (DomainDef *def, int id, const char *socket_directory, LiveValues *values, GError **error)
{
  values->images = live_images_new ();
  values->ports = g_array_new (FALSE, FALSE, sizeof (guint));
  def->id = (SignedNumber){ TRUE, id };
  domain_def_assign_aliases (def);
  live_choose_sockets (def, socket_directory);
  if (!read_images (def, values, error))
    return FALSE;
  number_images (def, values);
  close_channels (def);
  return choose_ports (def, values, error);
}

gboolean
live_wants_render_node (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, video_kind, DeviceVideo, video) {
    if (video->accel3d == TRISTATE_YES)
      return TRUE;
  }
  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    if (graphics_wants_gl (graphics))
      return TRUE;
  }
  return FALSE;
}

/* After the launch. */

static gboolean
has_pty (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const Chardev *chardev = device_chardev (g_ptr_array_index (def->devices, i));
    if (chardev != NULL && chardev->type == CHARDEV_PTY)
      return TRUE;
  }
  return FALSE;
}

static void
set_pty (DomainDef *def, const char *label, const char *path)
{
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);
    Chardev *chardev = device_chardev (device);
    if (chardev == NULL || chardev->type != CHARDEV_PTY || g_strcmp0 (device->alias, label) != 0)
      continue;
    set_text (&chardev_ensure_source (chardev)->path, path);
    /* Old clients read it as an attribute of a console. */
    if (device->kind == &console_kind)
      set_text (&chardev->tty, path);
  }
}

static const char *
string_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                          : NULL;
}

/* query-chardev: [{ "label": "charserial0", "filename": "pty:/dev/pts/3" }, ...] */
gboolean
live_ask_ptys (DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = has_pty (def) ? qmp_call (qmp, job, "query-chardev", NULL, error) : NULL;

  if (answer == NULL)
    return !has_pty (def);
  if (!JSON_NODE_HOLDS_ARRAY (answer))
    return TRUE;
  JsonArray *list = json_node_get_array (answer);
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonNode *element = json_array_get_element (list, i);
    const char *label =
        JSON_NODE_HOLDS_OBJECT (element) ? string_member (json_node_get_object (element), "label") : NULL;
    const char *name = label != NULL ? string_member (json_node_get_object (element), "filename") : NULL;
    if (name != NULL && g_str_has_prefix (label, "char") && g_str_has_prefix (name, "pty:")
        && endpoint_is_pty_path (name + strlen ("pty:")))
      set_pty (def, label + strlen ("char"), name + strlen ("pty:"));
  }
  return TRUE;
}

static gboolean
tell (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, command, arguments, error);

  return answer != NULL;
}

/* When a password ends, as QEMU takes it: seconds since the epoch. */
static char *
password_end (const char *valid_to)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) end = g_date_time_new_from_iso8601 (valid_to, utc);

  return end != NULL ? g_strdup_printf ("%" G_GINT64_FORMAT, g_date_time_to_unix (end)) : NULL;
}

gboolean
live_tell_passwords (const DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    const char *protocol = graphics->type == GRAPHICS_SPICE ? "spice" : "vnc";
    if (graphics->passwd == NULL || (graphics->type != GRAPHICS_VNC && graphics->type != GRAPHICS_SPICE))
      continue;
    JsonObject *password = json_object_new ();
    json_object_set_string_member (password, "protocol", protocol);
    json_object_set_string_member (password, "password", graphics->passwd);
    if (!tell (qmp, job, "set_password", password, error))
      return FALSE;

    g_autofree char *end =
        graphics->passwd_valid_to != NULL ? password_end (graphics->passwd_valid_to) : NULL;
    if (end == NULL)
      continue;
    JsonObject *expiry = json_object_new ();
    json_object_set_string_member (expiry, "protocol", protocol);
    json_object_set_string_member (expiry, "time", end);
    if (!tell (qmp, job, "expire_password", expiry, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
live_tell_limits (const DeviceDisk *disk, Qmp *qmp, Job *job, GError **error)
{
  return disk->iotune == NULL || disk_path (disk) == NULL
         || tell (qmp, job, "block_set_io_throttle", qemu_throttle_arguments (disk), error);
}

static gboolean
tell_limits (const DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (!live_tell_limits (disk, qmp, job, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
tell_links (const DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    if (interface->link != LINK_DOWN)
      continue;
    JsonObject *link = json_object_new ();
    json_object_set_string_member (link, "name", interface->device.alias);
    json_object_set_boolean_member (link, "up", FALSE);
    if (!tell (qmp, job, "set_link", link, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
tell_size (const DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  JsonObject *size = json_object_new ();

  json_object_set_int_member (size, "value", (gint64)(def->current_memory.value * 1024));
  return tell (qmp, job, "balloon", size, error);
}

static gboolean
tell_period (const DeviceMemballoon *balloon, Qmp *qmp, Job *job, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", balloon->device.alias);
  JsonObject *period = json_object_new ();

  json_object_set_string_member (period, "path", path);
  json_object_set_string_member (period, "property", "guest-stats-polling-interval");
  json_object_set_int_member (period, "value", (gint64)balloon->stats_period.value);
  return tell (qmp, job, "qom-set", period, error);
}

static gboolean
tell_balloon (const DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  gboolean smaller =
      def->current_memory.set && def->memory.set && def->current_memory.value < def->memory.value;

  DOMAIN_FOREACH_DEVICE (def, memballoon_kind, DeviceMemballoon, balloon) {
    if (balloon->model == BALLOON_NONE || balloon->model == BALLOON_UNSET || balloon->model == BALLOON_XEN)
      continue;
    return (!smaller || tell_size (def, qmp, job, error))
           && (balloon->stats_period.value == 0 || tell_period (balloon, qmp, job, error));
  }
  return TRUE;
}

gboolean
live_first_conversation (DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  return live_ask_ptys (def, qmp, job, error) && live_tell_passwords (def, qmp, job, error)
         && tell_limits (def, qmp, job, error) && tell_links (def, qmp, job, error)
         && tell_balloon (def, qmp, job, error);
}
