/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"
#include <json-glib/json-glib.h>

/*
 * What QEMU's events mean in libvirt's terms. Fed with QMP events and the process's end, it calls back with
 * state changes, events for clients and things to do. It knows the live definition (policies, devices) but no
 * Domain, socket or process: what is said here can be tested with a list of events.
 */
typedef struct MachineEvents MachineEvents;

typedef enum {
  MACHINE_END,     /* the machine has finished: end its process (control_end) */
  MACHINE_RESTART, /* start over in the same process (control_restart as a job) */
  MACHINE_DUMP,    /* its guest has crashed: dump its memory, then machine_events_crash_dumped */
} MachineAction;

/* All but the first three may be NULL. */
typedef struct {
  /* @event/@detail as in virDomainEventType and its details; -1: no event */
  void (*state) (gpointer data, virDomainState state, int reason, int event, int detail);
  /* virDomainEventID with the payload in the shape of facts "libvirt-events" behind the domain; floating */
  void (*event) (gpointer data, int number, GVariant *payload);
  void (*action) (gpointer data, MachineAction action);
  void (*balloon) (gpointer data, guint64 kib);
  /* The guest has let go of the device: it leaves the live definition. The event follows. */
  void (*device_deleted) (gpointer data, const char *alias);
  /* The guest has opened or closed a virtio-serial port (the state attribute of a channel's target). */
  void (*channel) (gpointer data, const char *alias, gboolean open);
  /* A removable medium's tray (the tray attribute of a disk's target). May be NULL. */
  void (*tray) (gpointer data, const char *alias, gboolean open);
  /* QEMU has written the guest's memory into a file; @problem is what went wrong, "" nothing. May be NULL. */
  void (*dumped) (gpointer data, const char *problem);
  /* The guest does not let go of the device. The event follows. May be NULL. */
  void (*device_refused) (gpointer data, const char *alias);
  /* The guest has taken another part of a memory device: @size in KiB. */
  void (*memory) (gpointer data, const char *alias, guint64 size);
} MachineEventHandlers;

/* @def: live, referenced; machine_events_set_def after a change. @state, @reason: as they are now. */
MachineEvents *machine_events_new (DomainDef *def, int state, int reason,
                                   const MachineEventHandlers *handlers, gpointer data);
void machine_events_free (MachineEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MachineEvents, machine_events_free)
void machine_events_set_def (MachineEvents *events, DomainDef *def);
/* Found again after the daemon was away, in this state: a policy that its shutdown or crash still waits for
 * is obeyed now. */
void machine_events_found (MachineEvents *events, int state, int reason);

/* A crashed machine's memory has been dumped: the rest of its policy. */
void machine_events_crash_dumped (MachineEvents *events);

/* The why of the next STOP or RESUME, said before the command is given: virDomainPausedReason and detail of
 * VIR_DOMAIN_EVENT_SUSPENDED, virDomainRunningReason and detail of VIR_DOMAIN_EVENT_RESUMED. */
void machine_events_expect_pause (MachineEvents *events, int reason, int detail);
void machine_events_expect_run (MachineEvents *events, int reason, int detail);
/* An end was asked for: virDomainShutoffReason and detail of VIR_DOMAIN_EVENT_STOPPED. */
void machine_events_expect_end (MachineEvents *events, int reason, int detail);
/* The next shutdown of the guest is half of a reboot (virDomainReboot). */
void machine_events_restart_on_shutdown (MachineEvents *events, gboolean restart);
gboolean machine_events_will_restart (const MachineEvents *events);
gboolean machine_events_shutdown_seen (const MachineEvents *events);
void machine_events_set_shutdown_seen (MachineEvents *events); /* known from the status file */

/* An event of QMP; unknown ones are ignored. @arguments may be NULL. Untrusted. */
void machine_events_qmp (MachineEvents *events, const char *name, JsonObject *arguments);
/* The process is gone: the last state, SHUTOFF with the right reason and the STOPPED event. */
void machine_events_ended (MachineEvents *events);

/* The state QEMU's "query-status" names ("running", "prelaunch", "io-error"...); @state and @reason are read
 * too: a reason that still fits is kept. */
void machine_state_from_qemu (const char *status, int *state, int *reason);
