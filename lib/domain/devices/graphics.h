/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum {
  GRAPHICS_NONE,
  GRAPHICS_SDL,
  GRAPHICS_VNC,
  GRAPHICS_RDP,
  GRAPHICS_DESKTOP,
  GRAPHICS_SPICE,
  GRAPHICS_EGL_HEADLESS,
  GRAPHICS_DBUS
} GraphicsType;
typedef enum { LISTEN_UNSET, LISTEN_NONE, LISTEN_ADDRESS, LISTEN_NETWORK, LISTEN_SOCKET } ListenType;

typedef enum { SPICE_MODE_NONE, SPICE_ANY, SPICE_SECURE, SPICE_INSECURE } SpiceMode;

typedef struct {
  int type; /* ListenType */
  char *address, *network, *socket;
  int from_config; /* Tristate: live only */
} GraphicsListen;

typedef enum { CONNECTED_NONE, CONNECTED_FAIL, CONNECTED_DISCONNECT, CONNECTED_KEEP } ConnectedAction;

typedef struct {
  int name; /* see spice_channel_name */
  int mode; /* SpiceMode */
} SpiceChannel;

typedef struct {
  Device device;
  int type;                               /* GraphicsType */
  SignedNumber port, tls_port, websocket; /* -1: chosen at start */
  int autoport;                           /* Tristate */
  char *listen; /* the attribute: the first <listen>'s address, as old clients write it */
  char *socket; /* vnc: the attribute */
  char *keymap;
  int share_policy;      /* 1 allow-exclusive 2 force-shared 3 ignore */
  int power_control;     /* Tristate */
  char *passwd;          /* secret */
  char *passwd_valid_to; /* secret: "2026-01-31T12:00:00" */
  int connected;         /* ConnectedAction */
  int default_mode;      /* spice: SpiceMode */
  GPtrArray *listens;    /* GraphicsListen */
  GPtrArray *channels;   /* spice: SpiceChannel */
  char *image_compression, *jpeg_compression, *zlib_compression;
  int playback_compression; /* Tristate, on/off */
  char *streaming_mode;
  int clipboard_copypaste; /* Tristate */
  char *mouse_mode;
  int filetransfer_enable;      /* Tristate */
  int gl_enable;                /* Tristate: sdl, spice, dbus */
  char *gl_rendernode;          /* spice, egl-headless, dbus */
  Number audio_id;              /* vnc, dbus: audio/@id */
  char *display, *xauth;        /* sdl, desktop */
  int fullscreen;               /* Tristate */
  char *dbus_address;           /* dbus */
  int dbus_p2p;                 /* Tristate */
  int replace_user, multi_user; /* Tristate: rdp */
  char *username;               /* rdp */
} DeviceGraphics;

extern const DeviceKind graphics_kind;
extern const EnumTable graphics_types, listen_types;

/* The first <listen>; completion sees to it that vnc, spice and rdp have one. */
GraphicsListen *graphics_first_listen (const DeviceGraphics *graphics);
/* "main", "display": as documents and QEMU call it. */
const char *spice_channel_name (const SpiceChannel *channel);
/* Does its display need OpenGL on the host: egl-headless, or gl enable='yes'? */
gboolean graphics_wants_gl (const DeviceGraphics *graphics);
