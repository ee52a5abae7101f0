/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What shows the guest's screen. VNC and SPICE are servers, as many as the document has; SDL, egl-headless
 * and D-Bus are QEMU's one -display, which also decides whether there is OpenGL. Video with 3D acceleration
 * needs that, so the display is decided here from graphics and video together: a document that asks for 3D
 * and names no display with OpenGL gets egl-headless.
 */
#include "targets/qemu/recipe-lookup.h"
#include "targets/qemu/recipe-private.h"

#include "domain/devices/audio.h"
#include "domain/devices/graphics.h"
#include "domain/devices/video.h"

#include <string.h>

#define FIRST_VNC_PORT 5900
#define PORTS_MAX      65535

static gboolean
is_display (const DeviceGraphics *graphics)
{
  return graphics->type == GRAPHICS_SDL || graphics->type == GRAPHICS_EGL_HEADLESS
         || graphics->type == GRAPHICS_DBUS;
}

static void
append_switch (GString *text, const char *name, int state)
{
  if (state != TRISTATE_ABSENT)
    g_string_append_printf (text, ",%s=%s", name, state == TRISTATE_YES ? "on" : "off");
}

static void
append_text (GString *text, const char *name, const char *value)
{
  g_autofree char *escaped = NULL;

  if (value == NULL)
    return;
  escaped = option_escape (value);
  g_string_append_printf (text, ",%s=%s", name, escaped);
}

static const DeviceVideo *
find_accelerated (const Recipe *recipe)
{
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), video_kind, DeviceVideo, video) {
    if (video->model == VIDEO_VIRTIO && video->accel3d == TRISTATE_YES)
      return video;
  }
  return NULL;
}

/* The render node a display draws on: the document's own, or the host's. Starting here needs one; a command
 * line for people to read does not. FALSE with @error set. */
static gboolean
choose_render_node (Recipe *recipe, const Device *device, const char *said, const char **ret, GError **error)
{
  *ret = said != NULL ? said : recipe_host (recipe)->render_node;
  if (*ret != NULL)
    return TRUE;
  if (recipe_by_descriptor (recipe))
    return qemu_unsupported (
        device, error,
        "3D acceleration needs a render node, and this host has no /dev/dri/renderD*: a graphics "
        "card with its kernel driver is missing");
  recipe_warn (
      recipe, "3D acceleration needs a render node, and this host has no /dev/dri/renderD*: the machine runs "
              "only where there is one");
  return TRUE;
}

static gboolean
add_sdl (Recipe *recipe, const DeviceGraphics *graphics)
{
  g_autoptr (GString) text = g_string_new ("sdl");

  /* SDL looks for a session bus, and libdbus would start one by a program: the sandbox kills QEMU for that.
   */
  recipe_environment (recipe, "DBUS_SESSION_BUS_ADDRESS", "disabled:");
  recipe_environment (recipe, "DISPLAY", graphics->display != NULL ? graphics->display : ":0");
  if (graphics->xauth != NULL)
    recipe_environment (recipe, "XAUTHORITY", graphics->xauth);
  if (graphics->fullscreen == TRISTATE_YES)
    recipe_option (recipe, "-full-screen", NULL);
  append_switch (text, "gl", graphics->gl_enable);
  recipe_option (recipe, "-display", "%s", text->str);
  return TRUE;
}

static gboolean
add_egl_headless (Recipe *recipe, const Device *device, const char *said, GError **error)
{
  g_autoptr (GString) text = g_string_new ("egl-headless");
  const char *node;

  if (!choose_render_node (recipe, device, said, &node, error))
    return FALSE;
  append_text (text, "rendernode", node);
  recipe_option (recipe, "-display", "%s", text->str);
  return TRUE;
}

static gboolean
add_dbus (Recipe *recipe, const DeviceGraphics *graphics, GError **error)
{
  g_autoptr (GString) text = g_string_new ("dbus");
  const char *node = graphics->gl_rendernode;

  if (graphics->dbus_p2p == TRISTATE_YES)
    g_string_append (text, ",p2p=on");
  else
    append_text (text, "addr", graphics->dbus_address);
  append_switch (text, "gl", graphics->gl_enable);
  if (graphics->gl_enable == TRISTATE_YES
      && !choose_render_node (recipe, &graphics->device, graphics->gl_rendernode, &node, error))
    return FALSE;
  append_text (text, "rendernode", node);
  if (graphics->audio_id.set)
    g_string_append_printf (text, ",audiodev=audio%u", (guint)graphics->audio_id.value);
  recipe_option (recipe, "-display", "%s", text->str);
  return TRUE;
}

static gboolean
add_display (Recipe *recipe, const DeviceGraphics *graphics, GError **error)
{
  switch (graphics->type) {
    case GRAPHICS_SDL:
      return add_sdl (recipe, graphics);
    case GRAPHICS_DBUS:
      return add_dbus (recipe, graphics, error);
    default:
      return add_egl_headless (recipe, &graphics->device, graphics->gl_rendernode, error);
  }
}

gboolean
recipe_add_display (Recipe *recipe, GError **error)
{
  const DeviceVideo *accelerated = find_accelerated (recipe);
  const DeviceGraphics *display = NULL;
  gboolean any = FALSE, has_gl = FALSE;

  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), graphics_kind, DeviceGraphics, graphics) {
    any = TRUE;
    has_gl = has_gl || graphics_wants_gl (graphics);
    if (is_display (graphics) && display != NULL)
      return recipe_refuse (recipe, &graphics->device, NULL,
                            "QEMU has one display beside its VNC and SPICE servers, and "
                            "there is another <graphics> for it");
    if (is_display (graphics))
      display = graphics;
  }
  if (accelerated != NULL && !qemu_needs_type (recipe, &accelerated->device, "virtio-gpu-gl-device", error))
    return recipe_keep_problem (recipe, &accelerated->device, "<model>", g_steal_pointer (error));
  if (accelerated != NULL && !has_gl && display != NULL)
    return recipe_refuse (recipe, &display->device, NULL,
                          "3D acceleration needs OpenGL on the host: add <gl enable='yes'/> "
                          "to this display, or use <graphics type='egl-headless'/>");
  if (display != NULL)
    return add_display (recipe, display, error);
  if (accelerated != NULL && !has_gl)
    return add_egl_headless (recipe, &accelerated->device, accelerated->rendernode, error);
  if (!any)
    recipe_option (recipe, "-display", "none");
  return TRUE;
}

/* "127.0.0.1", "[::1]": the address of the first listen. */
static char *
listen_address (const DeviceGraphics *graphics)
{
  const GraphicsListen *listen = graphics_first_listen (graphics);
  const char *address = listen != NULL && listen->address != NULL ? listen->address : graphics->listen;

  if (address == NULL)
    address = "127.0.0.1";
  return strchr (address, ':') != NULL ? g_strdup_printf ("[%s]", address) : g_strdup (address);
}

/* Which of the servers without a port of its own it is. */
static gint64
place_among_servers (const Recipe *recipe, const DeviceGraphics *graphics)
{
  gint64 place = 0;

  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), graphics_kind, DeviceGraphics, other) {
    if (other == graphics)
      return place;
    if (other->type == GRAPHICS_VNC || other->type == GRAPHICS_SPICE)
      place++;
  }
  return place;
}

static gboolean
out_of_range (const DeviceGraphics *graphics, GError **error)
{
  return qemu_unsupported (
      &graphics->device, error, "%s port must be in range [%d,%d], not %" G_GINT64_FORMAT,
      enum_table_name (&graphics_types, graphics->type), graphics->type == GRAPHICS_VNC ? FIRST_VNC_PORT : 1,
      PORTS_MAX, graphics->port.value);
}

/* Ports are chosen by who starts the machine, and stand in the definition by then; a command line for people
 * gets the ones a host without other machines would choose. */
static gboolean
find_port (const Recipe *recipe, const DeviceGraphics *graphics, gint64 *ret, GError **error)
{
  gboolean chosen = graphics->port.set && graphics->port.value > 0;

  if (graphics->port.value < -1 || graphics->port.value > PORTS_MAX)
    return out_of_range (graphics, error);
  *ret = chosen ? graphics->port.value : FIRST_VNC_PORT + place_among_servers (recipe, graphics);
  if (recipe_by_descriptor (recipe) && !chosen)
    return qemu_unsupported (&graphics->device, error, "no port has been chosen for it");
  return TRUE;
}

static char *
socket_path (const Recipe *recipe, const DeviceGraphics *graphics, const char *name)
{
  const GraphicsListen *listen = graphics_first_listen (graphics);

  if (listen != NULL && listen->type == LISTEN_SOCKET)
    return listen->socket != NULL ? g_strdup (listen->socket)
                                  : g_build_filename (recipe_host (recipe)->run_directory, name, NULL);
  return graphics->socket != NULL ? g_strdup (graphics->socket) : NULL;
}

static gboolean
check_listen (const DeviceGraphics *graphics, GError **error)
{
  const GraphicsListen *listen = graphics_first_listen (graphics);

  if (graphics->listens != NULL && graphics->listens->len > 1)
    return qemu_unsupported (&graphics->device, error,
                             "QEMU does not support multiple listens for one graphics device.");
  if (listen != NULL && listen->type == LISTEN_NETWORK && listen->address == NULL)
    return qemu_unsupported (&graphics->device, error,
                             "<listen type='network'> is not supported yet by the QEMU target");
  return TRUE;
}

static gboolean
recipe_add_vnc (Recipe *recipe, const DeviceGraphics *graphics, GError **error)
{
  static const char *const share_policies[] = { NULL, "allow-exclusive", "force-shared", "ignore" };
  const GraphicsListen *listen = graphics_first_listen (graphics);
  const DeviceAudio *audio = recipe_audio (recipe, &graphics->audio_id);
  g_autofree char *path = socket_path (recipe, graphics, "vnc.sock"), *address = NULL, *escaped = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  gint64 port;

  if (path != NULL) {
    escaped = option_escape (path);
    g_string_append_printf (text, "vnc=unix:%s", escaped);
  } else if (listen != NULL && listen->type == LISTEN_NONE)
    g_string_append (text, "none");
  else {
    if (!find_port (recipe, graphics, &port, error))
      return FALSE;
    if (port < FIRST_VNC_PORT)
      return out_of_range (graphics, error);
    address = listen_address (graphics);
    g_string_append_printf (text, "%s:%d", address, (int)(port - FIRST_VNC_PORT));
    if (graphics->websocket.set && graphics->websocket.value > 0)
      g_string_append_printf (text, ",websocket=%d", (int)graphics->websocket.value);
  }
  append_text (text, "share", share_policies[CLAMP (graphics->share_policy, 0, 3)]);
  if (graphics->passwd != NULL)
    g_string_append (text, ",password=on");
  append_switch (text, "power-control", graphics->power_control);
  if (audio != NULL)
    g_string_append_printf (text, ",audiodev=audio%u", (guint)audio->id.value);
  recipe_option (recipe, "-vnc", "%s", text->str);
  if (graphics->keymap != NULL)
    recipe_option (recipe, "-k", "%s", graphics->keymap);
  return TRUE;
}

static void
append_spice_details (GString *text, const DeviceGraphics *graphics)
{
  for (guint i = 0; graphics->channels != NULL && i < graphics->channels->len; i++) {
    const SpiceChannel *channel = g_ptr_array_index (graphics->channels, i);

    append_text (text, channel->mode == SPICE_SECURE ? "tls-channel" : "plaintext-channel",
                 spice_channel_name (channel));
  }
  append_text (text, "image-compression", graphics->image_compression);
  append_text (text, "jpeg-wan-compression", graphics->jpeg_compression);
  append_text (text, "zlib-glz-wan-compression", graphics->zlib_compression);
  append_switch (text, "playback-compression", graphics->playback_compression);
  append_text (text, "streaming-video", graphics->streaming_mode);
  if (graphics->mouse_mode != NULL)
    g_string_append_printf (text, ",agent-mouse=%s",
                            strcmp (graphics->mouse_mode, "client") == 0 ? "on" : "off");
  if (graphics->clipboard_copypaste == TRISTATE_NO)
    g_string_append (text, ",disable-copy-paste=on");
  if (graphics->filetransfer_enable == TRISTATE_NO)
    g_string_append (text, ",disable-agent-file-xfer=on");
}

static gboolean
append_spice_place (Recipe *recipe, GString *text, const DeviceGraphics *graphics, GError **error)
{
  const GraphicsListen *listen = graphics_first_listen (graphics);
  g_autofree char *path = socket_path (recipe, graphics, "spice.sock"), *address = NULL;
  gint64 port;

  if (path != NULL) {
    g_string_append (text, "unix=on");
    append_text (text, "addr", path);
    return TRUE;
  }
  if (listen != NULL && listen->type == LISTEN_NONE) {
    g_string_append (text, "port=0");
    return TRUE;
  }
  if (!find_port (recipe, graphics, &port, error))
    return FALSE;
  address = listen_address (graphics);
  g_string_append_printf (text, "port=%d,addr=%s", (int)port, address);
  return TRUE;
}

/* Must something be encrypted? */
static gboolean
needs_tls (const DeviceGraphics *graphics)
{
  for (guint i = 0; graphics->channels != NULL && i < graphics->channels->len; i++)
    if (((const SpiceChannel *)g_ptr_array_index (graphics->channels, i))->mode == SPICE_SECURE)
      return TRUE;
  return graphics->default_mode == SPICE_SECURE;
}

static gboolean
recipe_add_spice (Recipe *recipe, const DeviceGraphics *graphics, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *node = NULL;

  if (!qemu_needs_type (recipe, &graphics->device, "chardev-spicevmc", error))
    return FALSE;
  if (graphics->tls_port.set && graphics->tls_port.value > 0)
    return qemu_unsupported (&graphics->device, error,
                             "spice TLS port set in XML configuration, but TLS is disabled: tlsPort='%d'",
                             (int)graphics->tls_port.value);
  if (needs_tls (graphics))
    return qemu_unsupported (
        &graphics->device, error,
        graphics->autoport == TRISTATE_YES
            ? "Auto allocation of spice TLS port requested but spice TLS is disabled: a channel or the "
              "default mode is 'secure'"
            : "spice secure channels set in XML configuration, but TLS port is not provided: TLS is "
              "disabled");
  if (!append_spice_place (recipe, text, graphics, error))
    return FALSE;
  if (graphics->passwd == NULL)
    g_string_append (text, ",disable-ticketing=on");
  append_spice_details (text, graphics);
  if (graphics->gl_enable == TRISTATE_YES) {
    if (!choose_render_node (recipe, &graphics->device, graphics->gl_rendernode, &node, error))
      return FALSE;
    g_string_append (text, ",gl=on");
    append_text (text, "rendernode", node);
  }
  g_string_append (text, ",seamless-migration=on");
  recipe_option (recipe, "-spice", "%s", text->str);
  if (graphics->keymap != NULL)
    recipe_option (recipe, "-k", "%s", graphics->keymap);
  return TRUE;
}

gboolean
recipe_add_graphics (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceGraphics *graphics = (const DeviceGraphics *)device;

  if (!check_listen (graphics, error))
    return FALSE;
  switch (graphics->type) {
    case GRAPHICS_VNC:
      return recipe_add_vnc (recipe, graphics, error);
    case GRAPHICS_SPICE:
      return recipe_add_spice (recipe, graphics, error);
    case GRAPHICS_SDL:
    case GRAPHICS_EGL_HEADLESS:
    case GRAPHICS_DBUS:
      return TRUE; /* the display: recipe_add_display */
    default:
      return qemu_unsupported (device, error, "graphics of type '%s' are not supported by the QEMU target",
                               enum_table_name (&graphics_types, graphics->type));
  }
}
