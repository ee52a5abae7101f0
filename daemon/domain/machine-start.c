/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a start has made becomes the domain's machine: its state, and the events that clients of libvirt see,
 * in libvirt's order, which differs by where the machine comes from: booted, restored, a snapshot, a
 * migration.
 */
#include "daemon/domain/machine.h"

#include "daemon/core/main-loop.h"
#include "daemon/domain/last-end-record.h"
#include "daemon/drivers/qemu/missing-disks.h"
#include "daemon/drivers/qemu/taint.h"
#include "domain/devices/channel.h"

static int
start_reason (const StartedMachine *started, gboolean paused)
{
  gboolean restored = started->restored;

  if (started->incoming)
    return VIR_DOMAIN_PAUSED_MIGRATION;
  if (started->from_snapshot && restored)
    return paused ? (int)VIR_DOMAIN_PAUSED_FROM_SNAPSHOT : (int)VIR_DOMAIN_RUNNING_FROM_SNAPSHOT;
  if (paused)
    return restored ? (int)VIR_DOMAIN_PAUSED_MIGRATION : (int)VIR_DOMAIN_PAUSED_USER;
  return restored ? (int)VIR_DOMAIN_RUNNING_RESTORED : (int)VIR_DOMAIN_RUNNING_BOOTED;
}

static void
notify_missing (Domain *domain, const GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++) {
    const MissingDisk *missing = g_ptr_array_index (list, i);

    g_message ("domain '%s' starts without '%s' of disk '%s', which is not there", domain->name,
               missing->path, missing->alias);
    events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_DISK_CHANGE,
                   g_variant_new ("(msmssi)", missing->path, NULL, missing->alias, missing->reason));
  }
}

/* As nothing in the guest has opened its end yet. */
static void
notify_agent (Domain *domain)
{
  DOMAIN_FOREACH_DEVICE (domain->machine->def, channel_kind, DeviceChannel, channel) {
    if (g_strcmp0 (channel->name, CHANNEL_OF_AGENT) == 0)
      events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                     g_variant_new ("(ii)", VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                                    VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED));
  }
}

/* In the order libvirt's clients see: resumed, then started; a paused one is started, then suspended. */
static void
notify_booted (Domain *domain, gboolean paused)
{
  if (!paused)
    domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
  if (paused)
    domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
}

/* The memory is what it was: of a save, or of a snapshot. */
static void
notify_resumed (Domain *domain, gboolean from_snapshot, gboolean paused)
{
  domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_STARTED,
                          from_snapshot ? (int)VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT
                                        : (int)VIR_DOMAIN_EVENT_STARTED_RESTORED);
  if (paused)
    domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_SUSPENDED,
                            from_snapshot ? (int)VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT
                                          : (int)VIR_DOMAIN_EVENT_SUSPENDED_RESTORED);
  else
    domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT);
}

void
machine_commit_start (Domain *domain, StartedMachine *started, gboolean paused)
{
  MAIN_LOOP_ONLY ();

  int state = paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
  int reason = start_reason (started, paused);
  gboolean restored = started->restored, incoming = started->incoming;
  Machine *machine = machine_new (domain, g_steal_pointer (&started->process),
                                  g_steal_pointer (&started->def), state, reason);

  machine->qmp = g_steal_pointer (&started->qmp);
  machine->started = g_get_real_time ();
  last_end_mark_running (domain->manager->settings, domain->uuid, machine->started);
  machine->starting = incoming;
  manager_set_id (domain->manager, domain, started->status->id);
  domain_set_state (domain, state, reason, -1, 0);
  notify_missing (domain, started->missing);
  notify_agent (domain);
  if (incoming)
    domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_MIGRATED);
  else if (started->from_snapshot || restored)
    notify_resumed (domain, started->from_snapshot, paused);
  else
    notify_booted (domain, paused);
  helper_set_add_all (machine->helpers, g_steal_pointer (&started->helpers));
  taint_warn (machine->def, domain->id);
  machine_watch_process (machine);
  machine_watch_monitor (machine);
}
