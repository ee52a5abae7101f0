/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * Where everything is and how the daemon behaves: built-in defaults for the mode (system or session), moved
 * under --root, overridden by domaind.conf (GKeyFile). Read once at start, immutable afterwards; any thread
 * may read.
 */
typedef struct {
  guint first, last; /* both 0: none */
} AccountRange;

typedef struct {
  gboolean session;
  char *root; /* --root DIR, or NULL */
  /* places */
  char *config_directory; /* .../etc/domaind: domains/, autostart/ */
  char *state_directory;  /* .../var/lib/domaind: domains/ (completed), nvram/, save/ ... */
  char *dump_directory;   /* .../var/lib/domaind/dump: of machines whose guests have crashed */
  char *run_directory;    /* .../run/domaind: machines/UUID/ */
  char *log_directory;    /* .../var/log/domaind */
  char *cache_directory;  /* .../var/cache/domaind: capabilities */
  char *lease_directory; /* where leases are written for libvirt's modules of the name service; "": nowhere */
  char *host_directory;  /* "/": its sys and dev tell of the host's devices that guests are given */
  /* behaviour */
  char *emulator;        /* path, or NULL: found in PATH by architecture */
  char *qemu_user;       /* "auto" or a name */
  AccountRange accounts; /* numbers of users and groups that machines are given, one each */
  gboolean sandbox;
  gboolean isolate;    /* namespaces and Landlock */
  guint start_timeout; /* seconds QEMU has to open its monitor */
  guint call_timeout;  /* seconds a call to a guest's monitor has */
  guint shutdown_timeout;
  char *host_uuid;               /* this host's towards others; "": the machine's own */
  char *migration_tls_directory; /* of the certificates of encrypted migrations */
  char *on_host_shutdown;        /* what becomes of machines then: "shutdown", "save", "none" */
  guint host_shutdown_timeout;   /* seconds each has */
  char *libvirt_sockets;         /* "auto", "yes", "no" */
  char *authentication; /* of clients on the sockets: "none" (the socket's permissions decide), "polkit" */
  char *socket_group;   /* who may use the read-write socket besides root, when it is "none"; "" for nobody */
  guint max_clients;    /* of both wires and all users together: connections, senders with calls in flight */
  guint max_queued_clients;    /* connections that wait to be accepted, on each socket */
  guint max_anonymous_clients; /* connections of one user that have not logged in */
  guint max_client_requests;   /* calls of one client in flight */
  guint max_workers;           /* jobs at a time that read documents of all users but root */
  guint login_timeout;         /* seconds a connection has to log in */
  guint history_revisions;     /* documents kept of each definition; 0: none */
  guint trash_days;            /* what was removed stays so long; 0: until somebody empties the trash */
  char *log_level;             /* "error", "warning", "info", "debug" */
  char *log_format;            /* "auto", "text" or "journal" */
} Settings;

/* @config_file NULL: the mode's own, whose absence is no error. An unknown group or key, and a bad value, is
 * an error that names file, group, key, value and what would be accepted. */
Settings *settings_load (gboolean session, const char *root, const char *config_file, GError **error);
/* The keys that have other values in the two, as "[log] level". (transfer full) */
#define SETTING_LOG_LEVEL "[log] level"
GStrv settings_changed (const Settings *settings, const Settings *other);
void settings_free (Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Settings, settings_free)
