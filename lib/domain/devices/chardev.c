/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The host's end of a character device, which serial and parallel ports, consoles and channels share. What
 * each type of end needs, is checked here; what the guest sees, is the device's own file's.
 */

#include "domain/devices/chardev.h"
#include "domain/devices/graphics.h"
#include "domain/report.h"

const EnumTable chardev_types = { "character device type",
                                  { NULL, "null", "vc", "pty", "dev", "file", "pipe", "stdio", "udp", "tcp",
                                    "unix", "spicevmc", "spiceport", "nmdm", "qemu-vdagent", "dbus" } };
const EnumTable chardev_modes = { "source mode", { NULL, "bind", "connect" } };
const EnumTable chardev_protocols = { "protocol", { NULL, "raw", "telnet", "telnets", "tls" } };

static const EnumTable mouse_modes = { "mouse mode", { NULL, "server", "client" } };
static const FieldRange range_32 = { 0, G_MAXUINT32 };

static const Field source_fields[] = {
  FIELD (ChardevSource, mode, "@mode", field_enum, &chardev_modes),
  FIELD (ChardevSource, path, "@path", field_text, NULL),
  FIELD (ChardevSource, host, "@host", field_text, NULL),
  FIELD (ChardevSource, service, "@service", field_text, NULL),
  FIELD (ChardevSource, channel, "@channel", field_text, NULL),
  FIELD (ChardevSource, master, "@master", field_text, NULL),
  FIELD (ChardevSource, slave, "@slave", field_text, NULL),
  FIELD (ChardevSource, append, "@append", field_on_off, NULL),
  FIELD (ChardevSource, tls, "@tls", field_yes_no, NULL),
  FIELD (ChardevSource, clipboard_copypaste, "clipboard/@copypaste", field_yes_no, NULL),
  FIELD (ChardevSource, mouse_mode, "mouse/@mode", field_enum, &mouse_modes),
  FIELD (ChardevSource, reconnect_enabled, "reconnect/@enabled", field_yes_no, NULL),
  FIELD (ChardevSource, reconnect_timeout, "reconnect/@timeout", field_number, &range_32),
  FIELD (ChardevSource, reconnect_delay, "reconnect/@delay", field_number, &range_32),
  FIELD (ChardevSource, seclabels, "seclabel", field_verbatims, NULL),
  FIELD_END,
};
const FieldTable chardev_source_table = { sizeof (ChardevSource), source_fields };

ChardevSource *
chardev_first_source (const Chardev *chardev)
{
  return chardev->sources != NULL && chardev->sources->len > 0 ? g_ptr_array_index (chardev->sources, 0)
                                                               : NULL;
}

ChardevSource *
chardev_source_for_mode (const Chardev *chardev, ChardevMode mode)
{
  for (guint i = 0; chardev->sources != NULL && i < chardev->sources->len; i++) {
    ChardevSource *source = g_ptr_array_index (chardev->sources, i);

    if (source->mode == (int)mode)
      return source;
  }
  return NULL;
}

const char *
chardev_path (const Chardev *chardev)
{
  const ChardevSource *source = chardev_first_source (chardev);

  return source != NULL && source->path != NULL && *source->path != '\0' ? source->path : NULL;
}

ChardevSource *
chardev_ensure_source (Chardev *chardev)
{
  if (chardev_first_source (chardev) == NULL) {
    if (chardev->sources == NULL)
      chardev->sources = g_ptr_array_new ();
    g_ptr_array_add (chardev->sources, field_new (&chardev_source_table));
  }
  return chardev_first_source (chardev);
}

void
chardev_clear_sources (Chardev *chardev)
{
  static const Field sources = FIELD (Chardev, sources, "source", field_list, &chardev_source_table);

  sources.type->clear (&sources, &chardev->sources);
}

gboolean
chardev_is_same (const Chardev *chardev, const Chardev *other)
{
  const ChardevSource *source = chardev_first_source (chardev), *others = chardev_first_source (other);

  if (chardev->type != other->type || g_strcmp0 (chardev_path (chardev), chardev_path (other)) != 0)
    return FALSE;
  if (source == NULL || others == NULL)
    return source == others || chardev_path (chardev) == NULL;
  return g_strcmp0 (source->host, others->host) == 0 && g_strcmp0 (source->service, others->service) == 0
         && g_strcmp0 (source->channel, others->channel) == 0;
}

gboolean
chardev_check_other (const Chardev *chardev, const Chardev *other, GError **error)
{
  if (!chardev_is_same (chardev, other))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "chardev already exists");
  return FALSE;
}

static void
complete_source (const Chardev *chardev, ChardevSource *source)
{
  gboolean is_socket = chardev->type == CHARDEV_TCP || chardev->type == CHARDEV_UNIX;

  if (chardev->type == CHARDEV_UDP && source->mode == CHARDEV_MODE_NONE)
    source->mode = source->host != NULL ? CHARDEV_MODE_CONNECT : CHARDEV_MODE_BIND;
  if (chardev->type == CHARDEV_TCP && source->mode == CHARDEV_MODE_NONE)
    source->mode = CHARDEV_MODE_CONNECT;
  if (is_socket && source->path != NULL && source->mode == CHARDEV_MODE_NONE)
    source->mode = CHARDEV_MODE_CONNECT;
  if (source->path != NULL && *source->path == '\0')
    g_clear_pointer (&source->path, g_free);
}

/* These have no source a document could say: what stands there is a left-over of a machine that ran. */
static gboolean
is_sourceless (int type)
{
  return type == CHARDEV_NULL || type == CHARDEV_VC || type == CHARDEV_PTY || type == CHARDEV_STDIO
         || type == CHARDEV_SPICEVMC;
}

void
chardev_complete (Completion *completion, Chardev *chardev)
{
  if (chardev->type == CHARDEV_NONE)
    chardev->type = CHARDEV_PTY;
  if (chardev->type == CHARDEV_TCP && chardev->protocol == PROTOCOL_NONE)
    chardev->protocol = PROTOCOL_RAW;
  if (is_sourceless (chardev->type) && !completion->live) {
    chardev_clear_sources (chardev);
    return;
  }
  for (guint i = 0; chardev->sources != NULL && i < chardev->sources->len; i++)
    complete_source (chardev, g_ptr_array_index (chardev->sources, i));
}

static void
validate_socket (Validation *validation, const Device *device, const Chardev *chardev)
{
  const ChardevSource *source = chardev_first_source (chardev);
  const char *type = enum_table_name (&chardev_types, chardev->type);

  if (source == NULL || source->service == NULL) {
    validation_error_code (validation, VIR_ERR_XML_ERROR, source, device,
                           "Missing source service attribute for a character device of type '%s'", type);
    return;
  }
  if (source->host == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, source, device,
                           "Missing source host attribute for a character device of type '%s'", type);
  if (chardev->protocol > PROTOCOL_TELNET)
    validation_error (validation, &chardev->protocol, device, "tcp chardev protocol '%s' not supported",
                      enum_table_name (&chardev_protocols, chardev->protocol));
  if (source->tls == TRISTATE_YES && chardev->type != CHARDEV_TCP)
    validation_error (validation, &source->tls, source, "tls is only supported for type 'tcp', not '%s'",
                      type);
}

static void
validate_reconnect (Validation *validation, const ChardevSource *source)
{
  if (source->reconnect_enabled != TRISTATE_ABSENT && source->mode != CHARDEV_MODE_CONNECT)
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &source->reconnect_enabled, source,
                           "chardev reconnect is possible only for connect mode");
  else if (source->reconnect_enabled == TRISTATE_YES && !source->reconnect_timeout.set
           && !source->reconnect_delay.set)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &source->reconnect_enabled, source,
                           "Missing required attribute 'timeout' in element 'reconnect'");
  else if (source->reconnect_enabled == TRISTATE_YES && source->reconnect_timeout.set
           && source->reconnect_timeout.value == 0)
    validation_error_code (validation, VIR_ERR_INVALID_ARG, &source->reconnect_timeout, source,
                           "chardev reconnect source timeout cannot be '0'");
}

static void
validate_udp (Validation *validation, const Device *device, const Chardev *chardev)
{
  const ChardevSource *target = chardev_source_for_mode (chardev, CHARDEV_MODE_CONNECT);

  if (target == NULL || target->service == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, target != NULL ? (gconstpointer)target : chardev,
                           device,
                           "Missing source service attribute for a character device of type 'udp': "
                           "<source mode='connect' host=… service=…/>");
}

static void
validate_path (Validation *validation, const Device *device, const Chardev *chardev)
{
  if (chardev_path (chardev) == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &chardev->type, device,
                           "Missing source path attribute for a character device of type '%s'",
                           enum_table_name (&chardev_types, chardev->type));
}

/* What goes through a SPICE connection goes nowhere without one. */
static void
validate_spice (Validation *validation, const Device *device, const Chardev *chardev)
{
  DOMAIN_FOREACH_DEVICE (validation->def, graphics_kind, const DeviceGraphics, graphics) {
    if (graphics->type == GRAPHICS_SPICE)
      return;
  }
  if (!validation_may_miss (validation, &graphics_kind))
    validation_error (validation, &chardev->type, device, "chardev '%s' not supported without spice graphics",
                      enum_table_name (&chardev_types, chardev->type));
}

void
chardev_validate (Validation *validation, const Device *device, const Chardev *chardev)
{
  const ChardevSource *source = chardev_first_source (chardev);

  if (chardev->type == CHARDEV_SPICEVMC || chardev->type == CHARDEV_SPICEPORT)
    validate_spice (validation, device, chardev);
  if (source != NULL && (chardev->type == CHARDEV_TCP || chardev->type == CHARDEV_UNIX))
    validate_reconnect (validation, source);
  switch (chardev->type) {
    case CHARDEV_DEV:
    case CHARDEV_FILE:
    case CHARDEV_PIPE:
      validate_path (validation, device, chardev);
      break;
    case CHARDEV_TCP:
      validate_socket (validation, device, chardev);
      break;
    case CHARDEV_DBUS:
      if (source == NULL || source->channel == NULL)
        validation_error (validation, &chardev->type, device,
                          "Missing source channel attribute for char device");
      break;
    case CHARDEV_UDP:
      validate_udp (validation, device, chardev);
      break;
    case CHARDEV_SPICEPORT:
      if (source == NULL || source->channel == NULL)
        validation_error_code (validation, VIR_ERR_XML_ERROR, &chardev->type, device,
                               "Missing source channel attribute for char device");
      break;
    case CHARDEV_NMDM:
      if (source == NULL || source->master == NULL || source->slave == NULL)
        validation_error_code (validation, VIR_ERR_XML_ERROR, &chardev->type, device,
                               "Missing master or slave path attribute for nmdm device");
      break;
    default:
      break;
  }
  if (source != NULL && chardev->type != CHARDEV_UDP && chardev->sources->len > 1)
    validation_error_code (validation, VIR_ERR_XML_ERROR, g_ptr_array_index (chardev->sources, 1), device,
                           "only one source element is allowed for a character device of type '%s'",
                           enum_table_name (&chardev_types, chardev->type));
}
