/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/* Who asked for the end. Copied and written with the machine's status, as the daemon may be killed before the
 * machine is. */
typedef struct {
  char *wire;      /* "D-Bus", "libvirt's RPC", or the part of the daemon that did; NULL: nobody has asked */
  char *call;      /* "DOMAIN_DESTROY_FLAGS" */
  gint64 uid, pid; /* pid 0: not known, or the daemon itself */
  gint64 at;       /* g_get_real_time */
} EndAsked;
void end_asked_clear (EndAsked *asked);
void end_asked_copy (EndAsked *asked, const EndAsked *from);

/*
 * The status file of a running machine (machines/UUID/status.json): what the daemon must know to find the
 * machine again. Read back it is untrusted: every member is checked.
 */
typedef struct {
  char *name;
  char *uuid;
  int id;
  GPid pid;
  guint64 start_time; /* of the process, see process.h */
  gboolean starting;  /* written before its CPUs were started */
  gboolean transient;
  int state, reason; /* virDomainState, virDomain*Reason */
  gint64 started;    /* g_get_real_time */
  gint64 state_changed;
  gboolean shutdown_seen;       /* QEMU has said SHUTDOWN: its end is no crash */
  gboolean restart_on_shutdown; /* a reboot by shutdown was asked for */
  gboolean tainted;             /* clients have given its QEMU commands of their own */
  gboolean auto_destroy;        /* it ends with the client that started it */
  int agent_timeout;            /* seconds, or virDomainAgentResponseTimeoutValues; not while starting */
  /* Being saved into that file, or NULL; its image has that id when it is whole. */
  char *save_path, *save_id;
  /* The managed save that is to be removed because the machine runs; or NULL. */
  char *restored_path;
  EndAsked asked; /* who asked for its end */
  /* Being migrated (domain-migration.h), or NULL: the phase, its flags (VIR_MIGRATE_*), the target's daemon
   * where the source speaks with it itself, and whether the CPUs ran. */
  char *migration_phase, *migration_peer;
  gint64 migration_flags;
  gboolean migration_ran;
} MachineStatus;

MachineStatus *machine_status_copy (const MachineStatus *status);
void machine_status_free (MachineStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MachineStatus, machine_status_free)

char *machine_status_to_json (const MachineStatus *status); /* (transfer full) */
MachineStatus *machine_status_from_json (const char *json, GError **error);
