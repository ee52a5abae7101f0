/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/machine-events.h"

/* The meaning of events from the inside: states and policies are in machine-events.c, what devices and
 * displays say in machine-events-devices.c. */
/* A why given before it happens, used once. */
typedef struct {
  gboolean set;
  int reason, detail;
} Expected;

struct MachineEvents {
  DomainDef *def;
  int state, reason;
  const MachineEventHandlers *handlers;
  gpointer data;
  Expected pause, run, end;
  gboolean restart_on_shutdown;
  gboolean restarting; /* between a shutdown and the RESUME of its restart */
  gboolean shutdown_seen;
};

/* Reading what QEMU says; @object may be NULL, and what is missing or of another type is "" or 0. The rest is
 * read by base/untrusted-json.h. */
const char *event_text (JsonObject *object, const char *name);
gint64 event_number (JsonObject *object, const char *name);
/* The place of @word among @words, or @otherwise. */
int event_word (const char *word, const char *const *words, guint count, int otherwise);

void machine_events_change (MachineEvents *events, int state, int reason, int event, int detail);
void machine_events_emit (MachineEvents *events, int number, GVariant *payload);

/* The handlers of machine-events-devices.c. */
void on_io_error (MachineEvents *events, JsonObject *arguments);
void on_write_threshold (MachineEvents *events, JsonObject *arguments);
void on_rtc_change (MachineEvents *events, JsonObject *arguments);
void on_balloon_change (MachineEvents *events, JsonObject *arguments);
void on_tray_moved (MachineEvents *events, JsonObject *arguments);
void on_device_deleted (MachineEvents *events, JsonObject *arguments);
void on_unplug_error (MachineEvents *events, JsonObject *arguments);
void on_acpi_ost (MachineEvents *events, JsonObject *arguments);
void on_port_change (MachineEvents *events, JsonObject *arguments);
void on_memory_failure (MachineEvents *events, JsonObject *arguments);
void on_memory_size_change (MachineEvents *events, JsonObject *arguments);
void on_graphics_connected (MachineEvents *events, JsonObject *arguments);
void on_graphics_initialized (MachineEvents *events, JsonObject *arguments);
void on_graphics_disconnected (MachineEvents *events, JsonObject *arguments);
