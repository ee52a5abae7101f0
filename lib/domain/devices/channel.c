/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <channel>: a pipe between the guest and the host with a name, such as the guest agent's. A virtio channel
 * on a unix socket needs no path: one is made at start; a path libvirt made up in its own directories is
 * taken as not said, so that a document from `dumpxml` of a running machine moves from host to host.
 */

#include "domain/devices/channel.h"
#include "domain/report.h"

#include <string.h>

const EnumTable channel_targets = { "channel target type", { NULL, "guestfwd", "virtio", "xen" } };
const EnumTable channel_states = { "channel state", { NULL, "connected", "disconnected" } };

static const FieldRange tcp_ports = { 1, 65535 };

#define TARGET(name) FIELD_VALUE (CHANNEL_##name)
#define NAMED        (TARGET (NONE) | TARGET (VIRTIO) | TARGET (XEN))

static const Field channel_fields[] = {
  CHARDEV_FIELDS (DeviceChannel),
  FIELD_WITH (DeviceChannel, target, "target/@type", field_enum, &channel_targets, FIELD_REQUIRED),
  FIELD_WHEN (DeviceChannel, forward_address, "target/@address", field_text, NULL, target, TARGET (GUESTFWD)),
  FIELD_WHEN (DeviceChannel, forward_port, "target/@port", field_number, &tcp_ports, target,
              TARGET (GUESTFWD)),
  FIELD_WHEN (DeviceChannel, name, "target/@name", field_text, NULL, target, NAMED),
  { "target/@state",
    G_STRUCT_OFFSET (DeviceChannel, state),
    &field_enum,
    &channel_states,
    FIELD_LIVE | FIELD_NO_ABI,
    { G_STRUCT_OFFSET (DeviceChannel, target), NAMED } },
  DEVICE_FIELDS (DeviceChannel),
  FIELD_END,
};

/* After "target/" or not: what libvirt writes between its directory and the channel's name. */
static gboolean
is_made_up_folder (const char *folder)
{
  gsize digits = strspn (folder, "0123456789");
  gboolean is_plain = strchr (folder, '/') == NULL;

  if (folder[0] == '\0')
    return FALSE;
  if (is_plain)
    return folder[1] != '\0' && g_str_has_suffix (folder, ".");
  if (strchr (folder, '/')[1] != '\0')
    return FALSE;
  return (g_str_has_prefix (folder, "domain-") && folder[strlen ("domain-")] != '/')
         || (digits > 0 && folder[digits] == '-' && folder[digits + 1] != '/');
}

/* One that libvirt makes for a channel of this name: .../channel/target/domain-3-web/org.example.0, or of
 * older versions. Every other path is the user's. */
static gboolean
is_made_up_path (const char *path, const char *name)
{
  static const char *const directories[] = { "/var/lib/libvirt/qemu/channel/", "/run/libvirt/qemu/channel/" };

  if (path == NULL || name == NULL || !g_str_has_suffix (path, name))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (directories); i++)
    if (g_str_has_prefix (path, directories[i]) && strlen (path) >= strlen (directories[i]) + strlen (name)) {
      const char *rest = path + strlen (directories[i]);
      g_autofree char *folder = g_strndup (rest, strlen (rest) - strlen (name));
      const char *target = g_str_has_prefix (folder, "target/") ? folder + strlen ("target/") : folder;

      return is_made_up_folder (target);
    }
  return FALSE;
}

static void
channel_complete (Completion *completion, Device *device)
{
  DeviceChannel *channel = (DeviceChannel *)device;
  Chardev *source = &channel->source;

  chardev_complete (completion, source);
  if (channel->target == CHANNEL_VIRTIO && source->type == CHARDEV_UNIX && !completion->live
      && (chardev_path (source) == NULL || is_made_up_path (chardev_path (source), channel->name)))
    chardev_clear_sources (source);
}

static void
validate_forward (Validation *validation, const DeviceChannel *channel)
{
  if (channel->forward_address == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &channel->forward_address, channel,
                           "Missing required attribute 'address' in element 'target' of a guestfwd channel");
  if (!channel->forward_port.set)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &channel->forward_port, channel,
                           "Missing required attribute 'port' in element 'target' of a guestfwd channel");
}

static void
channel_validate (Validation *validation, const Device *device)
{
  const DeviceChannel *channel = (const DeviceChannel *)device;
  const Chardev *source = &channel->source;

  chardev_validate (validation, device, source);
  if (channel->target == CHANNEL_GUESTFWD)
    validate_forward (validation, channel);
  if (source->type == CHARDEV_SPICEVMC && channel->target != CHANNEL_VIRTIO)
    validation_error (validation, &channel->target, device, "spicevmc device type only supports virtio");
  if (source->type == CHARDEV_UNIX && channel->target != CHANNEL_VIRTIO && chardev_path (source) == NULL)
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &source->type, device,
                           "Missing source path attribute for char device");
}

static DevicePlace
channel_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  return ((const DeviceChannel *)device)->target == CHANNEL_VIRTIO ? PLACE_VIRTIO_SERIAL : PLACE_NONE;
}

static char *
channel_describe (const Device *device)
{
  const DeviceChannel *channel = (const DeviceChannel *)device;

  return channel->name != NULL ? g_strdup_printf ("channel '%s'", channel->name) : g_strdup ("channel");
}

/* The socket that a running machine's channel got is told by its name. */
static gboolean
channel_check_names (const Device *device, const Device *other_device, DeviceChange change, GError **error)
{
  const DeviceChannel *channel = (const DeviceChannel *)device, *other = (const DeviceChannel *)other_device;
  gboolean got_socket = change == DEVICE_CHANGE_LIVE && channel->source.type == CHARDEV_UNIX
                        && other->source.type == CHARDEV_UNIX && chardev_path (&channel->source) == NULL;

  if (channel->target != other->target || channel->target == CHANNEL_GUESTFWD
      || g_strcmp0 (channel->name, other->name) != 0)
    return TRUE;
  return chardev_check_other (&channel->source, got_socket ? &channel->source : &other->source, error);
}

static Chardev *
channel_chardev (Device *device)
{
  return &((DeviceChannel *)device)->source;
}

const DeviceKind channel_kind = {
  .element = "channel",
  .table = { sizeof (DeviceChannel), channel_fields },
  .complete = channel_complete,
  .validate = channel_validate,
  .place = channel_place,
  .describe = channel_describe,
  .chardev = channel_chardev,
  .check_names = channel_check_names,
  .attachable = TRUE,
};
