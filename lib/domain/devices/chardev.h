/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

/*
 * Where the bytes of a character device go: what serial, parallel, console, channel (and the back-ends of
 * other devices) have in common.
 */
typedef enum {
  CHARDEV_NONE,
  CHARDEV_NULL,
  CHARDEV_VC,
  CHARDEV_PTY,
  CHARDEV_DEV,
  CHARDEV_FILE,
  CHARDEV_PIPE,
  CHARDEV_STDIO,
  CHARDEV_UDP,
  CHARDEV_TCP,
  CHARDEV_UNIX,
  CHARDEV_SPICEVMC,
  CHARDEV_SPICEPORT,
  CHARDEV_NMDM,
  CHARDEV_QEMU_VDAGENT,
  CHARDEV_DBUS
} ChardevType;

/* One <source>. A udp device has two: mode bind and mode connect. */
typedef struct {
  int mode;                                  /* ChardevMode */
  char *path;                                /* dev, file, pipe, pty (live), unix */
  char *host, *service;                      /* tcp, udp */
  char *channel;                             /* spiceport, dbus */
  char *master, *slave;                      /* nmdm */
  int append;                                /* Tristate, on/off: file */
  int tls;                                   /* Tristate: tcp */
  int reconnect_enabled;                     /* Tristate */
  Number reconnect_timeout, reconnect_delay; /* seconds */
  int clipboard_copypaste;                   /* Tristate: qemu-vdagent */
  int mouse_mode;                            /* 1 server 2 client */
  GPtrArray *seclabels;                      /* verbatim */
} ChardevSource;

typedef enum { CHARDEV_MODE_NONE, CHARDEV_MODE_BIND, CHARDEV_MODE_CONNECT } ChardevMode;
typedef enum { PROTOCOL_NONE, PROTOCOL_RAW, PROTOCOL_TELNET, PROTOCOL_TELNETS, PROTOCOL_TLS } ChardevProtocol;

struct Chardev {
  int type;           /* ChardevType */
  char *tty;          /* live: the pty's name, as old clients read it */
  GPtrArray *sources; /* ChardevSource */
  int protocol;       /* ChardevProtocol */
  char *log_file;
  int log_append; /* Tristate, on/off */
};

extern const EnumTable chardev_types, chardev_modes, chardev_protocols;
extern const FieldTable chardev_source_table;

/* The fields of a device with `Chardev source`, which stand before all of its own. */
#define CHARDEV_FIELDS(Struct)                                                                              \
  FIELD_WITH (Struct, source.type, "@type", field_enum, &chardev_types, FIELD_NO_ABI),                      \
      FIELD_WITH (Struct, source.tty, "@tty", field_text, NULL, FIELD_LIVE | FIELD_NO_ABI),                 \
      FIELD_WITH (Struct, source.sources, "source", field_list, &chardev_source_table, FIELD_NO_ABI),       \
      FIELD_WITH (Struct, source.protocol, "protocol/@type", field_enum, &chardev_protocols, FIELD_NO_ABI), \
      FIELD_WITH (Struct, source.log_file, "log/@file", field_text, NULL, FIELD_NO_ABI),                    \
      FIELD_WITH (Struct, source.log_append, "log/@append", field_on_off, NULL, FIELD_NO_ABI)

/* The first <source>, the one there is for every type but udp; NULL when none is said. */
ChardevSource *chardev_first_source (const Chardev *chardev);
/* The <source> of that mode; NULL when there is none. */
ChardevSource *chardev_source_for_mode (const Chardev *chardev, ChardevMode mode);
/* Its path ("" and absent are NULL). */
const char *chardev_path (const Chardev *chardev);

/* Forget every <source>. */
void chardev_clear_sources (Chardev *chardev);
void chardev_complete (Completion *completion, Chardev *chardev);
/* Its only <source>, added when there is none. */
ChardevSource *chardev_ensure_source (Chardev *chardev);
/* Do both mean the same end on the host? */
gboolean chardev_is_same (const Chardev *chardev, const Chardev *other);
/* Of a device that is to join another of its kind, which has the same name or number: FALSE and @error when
 * its end on the host is the same one too. */
gboolean chardev_check_other (const Chardev *chardev, const Chardev *other, GError **error);
void chardev_validate (Validation *validation, const Device *device, const Chardev *chardev);
