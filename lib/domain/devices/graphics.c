/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <graphics>: where a person sees the guest's screen. The format says where to listen twice, as attributes
 * for old clients and as <listen> elements; completion makes the two agree, as libvirt does. Ports and
 * passwords of servers are here, too; a password is written only to those who may read it.
 */

#include "domain/devices/graphics.h"
#include "base/virt-error.h"
#include "domain/device-match.h"
#include "domain/devices/audio.h"
#include "domain/report.h"

const EnumTable graphics_types = {
  "graphics type", { NULL, "sdl", "vnc", "rdp", "desktop", "spice", "egl-headless", "dbus" }
};
const EnumTable listen_types = { "listen type", { NULL, "none", "address", "network", "socket" } };

static const EnumTable share_policies = { "share policy",
                                          { NULL, "allow-exclusive", "force-shared", "ignore" } };
static const EnumTable connected_actions = { "connected action", { NULL, "fail", "disconnect", "keep" } };
/* In the order in which libvirt keeps and writes them. */
static const EnumTable spice_channels = { "channel name",
                                          { NULL, "main", "display", "inputs", "cursor", "playback", "record",
                                            "smartcard", "usbredir" } };
static const EnumTable channel_modes = { "channel mode", { NULL, "any", "secure", "insecure" } };
static const EnumTable default_modes = { "default mode", { NULL, "any", "secure", "insecure" } };

#define VNC_PASSWORD_MAX 8 /* bytes: the protocol has no more */

#define LISTEN(name) FIELD_VALUE (LISTEN_##name)

static const Field listen_fields[] = {
  FIELD_WITH (GraphicsListen, type, "@type", field_enum, &listen_types, FIELD_REQUIRED),
  FIELD_WHEN (GraphicsListen, address, "@address", field_text, NULL, type,
              LISTEN (ADDRESS) | LISTEN (NETWORK)),
  FIELD_WHEN (GraphicsListen, network, "@network", field_text, NULL, type, LISTEN (NETWORK)),
  FIELD_WHEN (GraphicsListen, socket, "@socket", field_text, NULL, type, LISTEN (SOCKET)),
  FIELD_WITH (GraphicsListen, from_config, "@fromConfig", field_yes_no, NULL, FIELD_LIVE),
  FIELD_END,
};
static const FieldTable listen_table = { sizeof (GraphicsListen), listen_fields };

static const Field channel_fields[] = {
  FIELD_WITH (SpiceChannel, name, "@name", field_enum, &spice_channels, FIELD_REQUIRED),
  FIELD_WITH (SpiceChannel, mode, "@mode", field_enum, &channel_modes, FIELD_REQUIRED),
  FIELD_END,
};
static const FieldTable channel_table = { sizeof (SpiceChannel), channel_fields };

#define TYPE(name) FIELD_VALUE (GRAPHICS_##name)
#define SERVERS    (TYPE (VNC) | TYPE (SPICE) | TYPE (RDP))
/* Where and how a screen is shown is nothing that the guest sees. */
#define OF_FLAGS(member, path, kind, detail, types, flags)                                       \
  {                                                                                              \
    (path), G_STRUCT_OFFSET (DeviceGraphics, member), &(kind), (detail), FIELD_NO_ABI | (flags), \
    {                                                                                            \
      G_STRUCT_OFFSET (DeviceGraphics, type), (types)                                            \
    }                                                                                            \
  }
#define OF(member, path, kind, detail, types)     OF_FLAGS (member, path, kind, detail, types, 0)
#define SECRET(member, path, kind, detail, types) OF_FLAGS (member, path, kind, detail, types, FIELD_SECRET)

static const Field graphics_fields[] = {
  FIELD_WITH (DeviceGraphics, type, "@type", field_enum, &graphics_types, FIELD_REQUIRED),
  OF (socket, "@socket", field_text, NULL, TYPE (VNC)),
  OF (port, "@port", field_signed, NULL, SERVERS),
  OF (tls_port, "@tlsPort", field_signed, NULL, TYPE (SPICE)),
  OF (autoport, "@autoport", field_yes_no, NULL, SERVERS),
  OF (websocket, "@websocket", field_signed, NULL, TYPE (VNC)),
  OF (replace_user, "@replaceUser", field_yes_no, NULL, TYPE (RDP)),
  OF (multi_user, "@multiUser", field_yes_no, NULL, TYPE (RDP)),
  OF (username, "@username", field_text, NULL, TYPE (RDP)),
  OF (listen, "@listen", field_text, NULL, SERVERS),
  OF (keymap, "@keymap", field_text, NULL, TYPE (VNC) | TYPE (SPICE)),
  OF (share_policy, "@sharePolicy", field_enum, &share_policies, TYPE (VNC)),
  OF (power_control, "@powerControl", field_yes_no, NULL, TYPE (VNC)),
  OF (default_mode, "@defaultMode", field_enum, &default_modes, TYPE (SPICE)),
  OF (display, "@display", field_text, NULL, TYPE (SDL) | TYPE (DESKTOP)),
  OF (xauth, "@xauth", field_text, NULL, TYPE (SDL)),
  OF (fullscreen, "@fullscreen", field_yes_no, NULL, TYPE (SDL) | TYPE (DESKTOP)),
  OF (dbus_p2p, "@p2p", field_yes_no, NULL, TYPE (DBUS)),
  OF (dbus_address, "@address", field_text, NULL, TYPE (DBUS)),
  SECRET (passwd, "@passwd", field_text, NULL, SERVERS),
  SECRET (passwd_valid_to, "@passwdValidTo", field_text, NULL, SERVERS),
  SECRET (connected, "@connected", field_enum, &connected_actions, TYPE (VNC) | TYPE (SPICE)),
  OF (listens, "listen", field_list, &listen_table, SERVERS),
  OF (channels, "channel", field_list, &channel_table, TYPE (SPICE)),
  OF (image_compression, "image/@compression", field_text, NULL, TYPE (SPICE)),
  OF (jpeg_compression, "jpeg/@compression", field_text, NULL, TYPE (SPICE)),
  OF (zlib_compression, "zlib/@compression", field_text, NULL, TYPE (SPICE)),
  OF (playback_compression, "playback/@compression", field_on_off, NULL, TYPE (SPICE)),
  OF (streaming_mode, "streaming/@mode", field_text, NULL, TYPE (SPICE)),
  OF (mouse_mode, "mouse/@mode", field_text, NULL, TYPE (SPICE)),
  OF (clipboard_copypaste, "clipboard/@copypaste", field_yes_no, NULL, TYPE (SPICE)),
  OF (filetransfer_enable, "filetransfer/@enable", field_yes_no, NULL, TYPE (SPICE)),
  OF (gl_enable, "gl/@enable", field_yes_no, NULL, TYPE (SDL) | TYPE (SPICE) | TYPE (DBUS)),
  OF (gl_rendernode, "gl/@rendernode", field_text, NULL, TYPE (SPICE) | TYPE (EGL_HEADLESS) | TYPE (DBUS)),
  OF (audio_id, "audio/@id", field_number, &audio_ids, TYPE (VNC) | TYPE (DBUS)),
  FIELD_END,
};

#define PORT_MAX 65535

GraphicsListen *
graphics_first_listen (const DeviceGraphics *graphics)
{
  return graphics->listens != NULL && graphics->listens->len > 0 ? g_ptr_array_index (graphics->listens, 0)
                                                                 : NULL;
}

gboolean
graphics_wants_gl (const DeviceGraphics *graphics)
{
  return graphics->type == GRAPHICS_EGL_HEADLESS || graphics->gl_enable == TRISTATE_YES;
}

static gboolean
is_server (const DeviceGraphics *graphics)
{
  return graphics->type == GRAPHICS_VNC || graphics->type == GRAPHICS_SPICE || graphics->type == GRAPHICS_RDP;
}

/* A first <listen> from the attributes, and the attributes from it. */
static void
complete_listens (DeviceGraphics *graphics)
{
  GraphicsListen *first = graphics_first_listen (graphics);

  if (first == NULL) {
    first = field_new (&listen_table);
    if (graphics->socket != NULL) {
      first->type = LISTEN_SOCKET;
      first->socket = g_strdup (graphics->socket);
    } else {
      first->type = LISTEN_ADDRESS;
      first->address = g_strdup (graphics->listen);
    }
    if (graphics->listens == NULL)
      graphics->listens = g_ptr_array_new ();
    g_ptr_array_add (graphics->listens, first);
  }
  if (first->address != NULL && *first->address == '\0')
    g_clear_pointer (&first->address, g_free);
  if (graphics->listen != NULL && (*graphics->listen == '\0' || first->type == LISTEN_SOCKET))
    g_clear_pointer (&graphics->listen, g_free);
  if (graphics->listen == NULL && first->type == LISTEN_ADDRESS)
    graphics->listen = g_strdup (first->address);
  if (graphics->socket == NULL && graphics->type == GRAPHICS_VNC && first->type == LISTEN_SOCKET)
    graphics->socket = g_strdup (first->socket);
}

/* Nothing listens on a port. */
static void
clear_ports (DeviceGraphics *graphics)
{
  graphics->port.set = FALSE;
  graphics->tls_port.set = FALSE;
  graphics->websocket.set = FALSE;
  graphics->autoport = TRISTATE_ABSENT;
}

/* One port for VNC and RDP: written -1 when it is chosen at start. */
static void
complete_port (DeviceGraphics *graphics)
{
  if (graphics->autoport == TRISTATE_ABSENT)
    graphics->autoport = !graphics->port.set || graphics->port.value == -1 ? TRISTATE_YES : TRISTATE_NO;
  if (graphics->autoport == TRISTATE_YES)
    graphics->port = (SignedNumber){ TRUE, -1 };
  else if (graphics->port.value == 0 || graphics->port.value == -1)
    graphics->port.set = FALSE;
}

/* Two ports for Spice: neither is written when both are chosen at start, and without any it does not listen.
 */
static void
complete_spice_ports (DeviceGraphics *graphics, GraphicsListen *first)
{
  if (graphics->port.value == -1 && graphics->tls_port.value == -1)
    graphics->autoport = TRISTATE_YES;
  if (graphics->autoport == TRISTATE_YES) {
    graphics->port.set = FALSE;
    graphics->tls_port.set = FALSE;
    return;
  }
  graphics->autoport = TRISTATE_NO;
  if (graphics->port.value != 0 || graphics->tls_port.value != 0)
    return;
  clear_ports (graphics);
  if (first->type == LISTEN_ADDRESS) {
    first->type = LISTEN_NONE;
    g_clear_pointer (&first->address, g_free);
    g_clear_pointer (&graphics->listen, g_free);
  }
}

static SpiceChannel *
find_channel (const GPtrArray *channels, int name)
{
  for (guint i = channels->len; i > 0; i--) {
    SpiceChannel *channel = g_ptr_array_index (channels, i - 1);

    if (channel->name == name)
      return channel;
  }
  return NULL;
}

/* One of each name, the last that is said, in libvirt's order; "any" says nothing. */
static void
arrange_channels (DeviceGraphics *graphics)
{
  GPtrArray *said = graphics->channels;
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();

  for (int name = 1; said != NULL && spice_channels.names[name] != NULL; name++) {
    SpiceChannel *channel = find_channel (said, name);

    if (channel != NULL && channel->mode != SPICE_ANY)
      g_ptr_array_add (kept, field_copy (&channel_table, channel));
  }
  for (guint i = 0; said != NULL && i < said->len; i++)
    field_free (&channel_table, g_ptr_array_index (said, i));
  g_clear_pointer (&graphics->channels, g_ptr_array_unref);
  if (kept->len > 0)
    graphics->channels = g_steal_pointer (&kept);
}

const char *
spice_channel_name (const SpiceChannel *channel)
{
  return enum_table_name (&spice_channels, channel->name);
}

static void
graphics_complete (Completion *completion, Device *device)
{
  DeviceGraphics *graphics = (DeviceGraphics *)device;
  GraphicsListen *first;

  if (graphics->passwd == NULL) { /* of what there is none, nothing else is read */
    g_clear_pointer (&graphics->passwd_valid_to, g_free);
    graphics->connected = CONNECTED_NONE;
  }
  if (!is_server (graphics))
    return;
  arrange_channels (graphics);
  complete_listens (graphics);
  first = graphics_first_listen (graphics);
  if (completion->live)
    return; /* its ports are those it was started with */
  if (first->type == LISTEN_SOCKET || first->type == LISTEN_NONE)
    clear_ports (graphics);
  else if (graphics->type == GRAPHICS_SPICE)
    complete_spice_ports (graphics, first);
  else
    complete_port (graphics);
}

#define REFUSE(member, ...) validation_error (validation, &graphics->member, graphics, __VA_ARGS__)

/* libvirt takes any number for a port, and QEMU refuses it: so do we of those who do not ask for the schema.
 */
static void
validate_port (Validation *validation, const DeviceGraphics *graphics, const SignedNumber *port,
               const char *name)
{
  if (port->set && (port->value < -1 || port->value > PORT_MAX) && !validation->lax)
    validation_error (validation, port, graphics,
                      "%s %" G_GINT64_FORMAT " of %s graphics is no port; expected -1 to %d", name,
                      port->value, enum_table_name (&graphics_types, graphics->type), PORT_MAX);
}

static void
validate_listens (Validation *validation, const DeviceGraphics *graphics)
{
  const GraphicsListen *first = graphics_first_listen (graphics);

  if (first != NULL && first->type == LISTEN_ADDRESS && graphics->listen != NULL
      && g_strcmp0 (graphics->listen, first->address) != 0)
    REFUSE (listen,
            "graphics 'listen' attribute '%s' must match 'address' attribute of first listen element (found "
            "'%s')",
            graphics->listen, first->address != NULL ? first->address : "none");

  for (guint i = 0; graphics->listens != NULL && i < graphics->listens->len; i++) {
    const GraphicsListen *listen = g_ptr_array_index (graphics->listens, i);

    if (listen->type == LISTEN_NETWORK && listen->network == NULL)
      validation_error_code (validation, VIR_ERR_XML_ERROR, listen, graphics,
                             "'network' attribute is required for listen type 'network'");
    if (listen->type == LISTEN_SOCKET && listen->socket != NULL && !g_path_is_absolute (listen->socket)
        && !validation->lax)
      validation_error (validation, &listen->socket, graphics, "the socket '%s' is not an absolute path",
                        listen->socket);
  }
}

/* "2026-01-31T12:00:00", in UTC. */
static gboolean
is_time (const char *text)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, utc);

  return time != NULL && strlen (text) == strlen ("2026-01-31T12:00:00") && text[10] == 'T';
}

static void
graphics_validate (Validation *validation, const Device *device)
{
  const DeviceGraphics *graphics = (const DeviceGraphics *)device;

  if (graphics->type == GRAPHICS_DESKTOP || graphics->type == GRAPHICS_RDP)
    REFUSE (type,
            "%s graphics are not supported with this QEMU; expected 'vnc', 'spice', 'sdl', 'egl-headless' or "
            "'dbus'",
            enum_table_name (&graphics_types, graphics->type));
  validate_port (validation, graphics, &graphics->port, "port");
  validate_port (validation, graphics, &graphics->tls_port, "tlsPort");
  validate_port (validation, graphics, &graphics->websocket, "websocket");
  validate_listens (validation, graphics);
  if (graphics->type == GRAPHICS_VNC && graphics->passwd != NULL
      && strlen (graphics->passwd) > VNC_PASSWORD_MAX)
    REFUSE (passwd, "VNC password is %zu characters long, only %d permitted", strlen (graphics->passwd),
            VNC_PASSWORD_MAX);
  if (graphics->type == GRAPHICS_VNC && graphics->connected != CONNECTED_NONE
      && graphics->connected != CONNECTED_KEEP)
    REFUSE (connected, "VNC supports connected='keep' only");
  audio_validate_reference (validation, device, &graphics->audio_id);
  if (graphics->passwd_valid_to != NULL && !is_time (graphics->passwd_valid_to))
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &graphics->passwd_valid_to, device,
                           "cannot parse password validity time '%s', expect YYYY-MM-DDTHH:MM:SS",
                           graphics->passwd_valid_to);
}

static char *
no_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index G_GNUC_UNUSED)
{
  return NULL;
}

static char *
graphics_describe (const Device *device)
{
  return g_strdup_printf ("graphics '%s'",
                          enum_table_name (&graphics_types, ((const DeviceGraphics *)device)->type));
}

/* A machine has one display of a type, whatever its passwords and ports. */
static Device *
graphics_match (const DomainDef *def, const Device *wanted, GError **error)
{
  int type = ((const DeviceGraphics *)wanted)->type;

  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    if (graphics->type == type)
      return &graphics->device;
  }
  virt_error_set (error, VIR_ERR_DEVICE_MISSING,
                  "cannot find existing graphics device of type '%s' to modify",
                  enum_table_name (&graphics_types, type));
  return NULL;
}

static void
take_text (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

static Device *
graphics_update (const Device *device, const Device *given_device, GError **error)
{
  static const char *const password_fields[] = { "@passwd",    "@passwdValidTo", "@connected", "@port",
                                                 "@websocket", "@tlsPort",       NULL };
  const DeviceGraphics *given = (const DeviceGraphics *)given_device;
  DeviceGraphics *updated;

  if (!device_check_difference (device, given_device, password_fields, "graphics device", error))
    return NULL;
  updated = (DeviceGraphics *)device_copy (device);
  take_text (&updated->passwd, given->passwd);
  take_text (&updated->passwd_valid_to, given->passwd_valid_to);
  return &updated->device;
}

const DeviceKind graphics_kind = {
  .element = "graphics",
  .table = { sizeof (DeviceGraphics), graphics_fields },
  .complete = graphics_complete,
  .validate = graphics_validate,
  .alias = no_alias,
  .describe = graphics_describe,
  .match = graphics_match,
  .update = graphics_update,
  .updatable = TRUE,
};
