/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the bytes of serial ports, consoles and channels go: a <source> as QEMU's chardev-add takes it.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/console.h"
#include "domain/devices/redirdev.h"

#include <string.h>

#define MOUSE_MODE_CLIENT  2               /* of ChardevSource.mouse_mode */
#define RECONNECT_MS_SINCE 9002000         /* QEMU 9.2: waits are said in milliseconds */
#define TLS_DIRECTORY      "/etc/pki/qemu" /* where libvirt looks too, by default */

static JsonObject *
unix_address (const char *path)
{
  return props ("type", "s", "unix", "data", "o", props ("path", "s", path, NULL), NULL);
}

static JsonObject *
inet_address (const char *host, const char *service)
{
  return props (
      "type", "s", "inet", "data", "o",
      props ("host", "s", host != NULL ? host : "", "port", "s", service != NULL ? service : "0", NULL),
      NULL);
}

static JsonObject *
file_data (Recipe *recipe, const ChardevSource *source, const Device *device)
{
  const char *path = recipe_file (recipe, source->path, TRUE, device, "character device file");

  recipe_file_output (recipe, source->append != TRISTATE_YES);
  return props ("out", "s", path, "append", "?b",
                source->append == TRISTATE_YES
                    || (recipe_by_descriptor (recipe) && source->append != TRISTATE_NO),
                NULL);
}

const char *
qemu_listening_socket (const Device *device, const char *run_directory)
{
  const Chardev *chardev = device->kind->chardev != NULL ? device->kind->chardev ((Device *)device) : NULL;
  const char *path = chardev != NULL ? chardev_path (chardev) : NULL;
  gboolean is_other_side =
      device->kind == &console_kind && ((const DeviceConsole *)device)->target != CONSOLE_VIRTIO;

  if (path == NULL || is_other_side || chardev->type != CHARDEV_UNIX
      || chardev_first_source (chardev)->mode == CHARDEV_MODE_CONNECT)
    return NULL;
  if (run_directory != NULL && g_str_has_prefix (path, run_directory) && path[strlen (run_directory)] == '/')
    return NULL;
  return path;
}

static JsonObject *
socket_address (Recipe *recipe, const Device *device, const Chardev *chardev, const ChardevSource *source)
{
  if (chardev->type != CHARDEV_UNIX)
    return inet_address (source->host, source->service);
  if (!recipe_by_descriptor (recipe)
      || qemu_listening_socket (device, recipe_host (recipe)->run_directory) != source->path)
    return unix_address (source->path);
  return props ("type", "s", "fd", "data", "o",
                props ("str", "s", recipe_passed (recipe, device, QEMU_LISTENING), NULL), NULL);
}

/* The certificates a TLS connection is made with, where the host's administrator keeps them. */
static void
add_tls (Recipe *recipe, const ChardevSource *source, const char *id, JsonObject *data)
{
  g_autofree char *name = g_strdup_printf ("obj%s_tls0", id);

  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", "tls-creds-x509", "id", "s", name, "dir", "s", TLS_DIRECTORY,
                      "endpoint", "s", source->mode == CHARDEV_MODE_CONNECT ? "client" : "server",
                      "verify-peer", "b", source->mode == CHARDEV_MODE_CONNECT, NULL));
  props_add (data, "tls-creds", "s", name, NULL);
}

static JsonObject *
socket_data (Recipe *recipe, const Device *device, const Chardev *chardev, const ChardevSource *source)
{
  gboolean server = source->mode != CHARDEV_MODE_CONNECT;
  JsonObject *address = socket_address (recipe, device, chardev, source);
  JsonObject *data = props ("addr", "o", address, "server", "b", server, NULL);

  props_add (data, "telnet", "?b", chardev->protocol == PROTOCOL_TELNET, NULL);
  if (server)
    props_add (data, "wait", "b", FALSE, NULL);
  else
    props_add_reconnect (data, recipe_caps (recipe), source->reconnect_enabled, &source->reconnect_timeout);
  return data;
}

static JsonObject *
udp_data (const Chardev *chardev)
{
  const ChardevSource *connect = chardev_source_for_mode (chardev, CHARDEV_MODE_CONNECT);
  const ChardevSource *bind = chardev_source_for_mode (chardev, CHARDEV_MODE_BIND);

  return props ("remote", "o",
                connect != NULL ? inet_address (connect->host, connect->service) : inet_address (NULL, NULL),
                "local", "o",
                bind != NULL ? inet_address (bind->host, bind->service) : inet_address (NULL, NULL), NULL);
}

/* What the document leaves open is QEMU's to choose. */
static JsonObject *
vdagent_data (const ChardevSource *source)
{
  JsonObject *data = json_object_new ();

  if (source != NULL)
    props_add (data, "clipboard", "T", source->clipboard_copypaste, NULL);
  if (source != NULL && source->mouse_mode != 0)
    props_add (data, "mouse", "b", source->mouse_mode == MOUSE_MODE_CLIENT, NULL);
  return data;
}

static gboolean
needs_path (const Device *device, const ChardevSource *source, const char *type, GError **error)
{
  if (source != NULL && source->path != NULL)
    return TRUE;
  return qemu_unsupported (device, error, "a character device of type '%s' needs a <source path=>", type);
}

/* The name of QEMU's backend and its data; NULL with @error set when there is none. */
static JsonObject *
backend_data (Recipe *recipe, const Device *device, const Chardev *chardev, const char **ret_type,
              GError **error)
{
  const ChardevSource *source = chardev_first_source (chardev);
  const char *type = enum_table_name (&chardev_types, chardev->type);

  *ret_type = type;
  switch (chardev->type) {
    case CHARDEV_NONE:
    case CHARDEV_PTY:
      *ret_type = "pty";
      return json_object_new ();
    case CHARDEV_NULL:
    case CHARDEV_VC:
    case CHARDEV_STDIO:
      return json_object_new ();
    case CHARDEV_FILE:
      return needs_path (device, source, type, error) ? file_data (recipe, source, device) : NULL;
    case CHARDEV_DEV:
      *ret_type =
          device->kind != NULL && g_strcmp0 (device->kind->element, "parallel") == 0 ? "parallel" : "serial";
      return needs_path (device, source, type, error) ? props ("device", "s", source->path, NULL) : NULL;
    case CHARDEV_PIPE:
      return needs_path (device, source, type, error) ? props ("device", "s", source->path, NULL) : NULL;
    case CHARDEV_UNIX:
      *ret_type = "socket";
      return needs_path (device, source, type, error) ? socket_data (recipe, device, chardev, source) : NULL;
    case CHARDEV_TCP:
      *ret_type = "socket";
      return socket_data (recipe, device, chardev, source);
    case CHARDEV_UDP:
      return udp_data (chardev);
    case CHARDEV_SPICEVMC:
    case CHARDEV_SPICEPORT:
      if (!qemu_needs_type (recipe, device, "chardev-spicevmc", error))
        return NULL;
      return chardev->type == CHARDEV_SPICEVMC
                 ? props ("type", "s", device->kind == &redirdev_kind ? "usbredir" : "vdagent", NULL)
                 : props ("fqdn", "s", source != NULL && source->channel != NULL ? source->channel : "",
                          NULL);
    case CHARDEV_DBUS:
      return props ("name", "s", source != NULL && source->channel != NULL ? source->channel : "", NULL);
    case CHARDEV_QEMU_VDAGENT:
      return vdagent_data (source);
    default:
      qemu_unsupported (device, error, "a character device of type '%s' is not supported by the QEMU target",
                        type);
      return NULL;
  }
}

/* One that was opened to be emptied is empty: QEMU appends to what it is given. */
static void
add_log (Recipe *recipe, const Device *device, const Chardev *chardev, JsonObject *data)
{
  const char *path = recipe_file (recipe, chardev->log_file, TRUE, device, "log file");

  recipe_file_output (recipe, chardev->log_append != TRISTATE_YES);
  props_add (data, "logfile", "s", path, NULL);
  if (recipe_by_descriptor (recipe))
    props_add (data, "logappend", "b", TRUE, NULL);
  else
    props_add (data, "logappend", "T", chardev->log_append, NULL);
}

gboolean
recipe_chardev (Recipe *recipe, const Device *device, const Chardev *chardev, const char *id, GError **error)
{
  const char *type = NULL;
  JsonObject *data = backend_data (recipe, device, chardev, &type, error);

  if (data == NULL)
    return FALSE;
  if (chardev->type == CHARDEV_TCP && chardev_first_source (chardev)->tls == TRISTATE_YES)
    add_tls (recipe, chardev_first_source (chardev), id, data);
  if (chardev->log_file != NULL)
    add_log (recipe, device, chardev, data);
  recipe_step (
      recipe, STEP_CHARDEV,
      props ("id", "s", id, "backend", "o", props ("type", "s", type, "data", "o", data, NULL), NULL));
  return TRUE;
}
