/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/attach.h"

/*
 * The devices of a running machine, as they come and go. Main loop only.
 */

/* What a job needs to talk about this machine's devices; the reference to the monitor is released by
 * machine_hotplug_clear. */
void machine_hotplug_init (Machine *machine, Hotplug *plug);
void machine_hotplug_clear (Hotplug *plug);

/* Plugged in: copies of the devices (of Device) join the live definition, and clients are told. */
void machine_devices_added (Machine *machine, const GPtrArray *devices);
/* A copy of @device takes the place of the one of its alias. */
void machine_device_updated (Machine *machine, const Device *device);

/* Those it has (guint64: numbers), whatever was known of them. */
void machine_iothreads_found (Machine *machine, const GArray *ids);

/* A vCPU was plugged in; one that was taken out is told by machine_device_deleted. */
void machine_vcpu_added (Machine *machine, guint number);

typedef enum {
  REMOVAL_DONE,    /* the device is gone, and all that was behind it */
  REMOVAL_REFUSED, /* by the guest */
  REMOVAL_ENDED,   /* the machine has ended */
} RemovalEnd;
/* @end is told once how the removal of @alias went. Said before QEMU is asked, for the answer may come first.
 */
typedef void (*RemovalDone) (RemovalEnd end, gpointer data);
void machine_expect_removal (Machine *machine, const char *alias, RemovalDone end, gpointer data);
/* Nobody waits any more: @end is not called. */
void machine_forget_removal (Machine *machine, gpointer data);

/* What the machine's events say. */
void machine_device_deleted (Machine *machine, const char *alias);
void machine_device_refused (Machine *machine, const char *alias);
void machine_tray_moved (Machine *machine, const char *alias, gboolean open);
/* The machine is over: everyone who waits is told. */
void machine_removals_end (Machine *machine);
