/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The conversations with a hypervisor that is not QEMU: one job each, with the driver's function in it. There
 * are no events from these hypervisors but the end of the process, so that what a job was told is what is so
 * now.
 */
#include "daemon/drivers/driver-job.h"

#include "daemon/drivers/driver-devices.h"

typedef struct {
  DriverMachine *machine;
  DriverOrder order;
  Hotplug plug;
  const Platform *platform;
  gboolean starting;
  int state, reason;
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  driver_machine_free (asking->machine);
  g_free (asking);
}

static gpointer
run_order (Job *job, gpointer input, GError **error)
{
  const Asking *asking = input;

  return asking->order (asking->machine, job, error) ? JOB_OK : NULL;
}

Job *
driver_job_order (DriverMachine *machine, const char *what, DriverOrder order, guint seconds, JobDone done,
                  gpointer data, GError **error)
{
  Asking *asking;

  if (order == NULL) {
    driver_fail_unsupported (machine->driver, what, error);
    driver_machine_free (machine);
    return NULL;
  }
  asking = g_new0 (Asking, 1);
  *asking = (Asking){ .machine = machine, .order = order };
  return job_start (what, run_order, asking, asking_free, seconds, done, data);
}

static gpointer
adopt (Job *job, gpointer input, GError **error)
{
  const Asking *asking = input;
  g_autoptr (AdoptedMachine) adopted = adopted_machine_new ();

  adopted->half_started = asking->starting;
  if (adopted->half_started)
    return g_steal_pointer (&adopted);
  if (!asking->machine->driver->adopt (asking->machine, job, &adopted->state, error)
      || !driver_adopt_devices (asking->machine, &asking->plug, asking->platform, job, adopted, error))
    return NULL;
  if (adopted->state == asking->state)
    adopted->reason = asking->reason;
  else
    adopted->reason =
        adopted->state == VIR_DOMAIN_PAUSED ? (int)VIR_DOMAIN_PAUSED_USER : (int)VIR_DOMAIN_RUNNING_UNPAUSED;
  return g_steal_pointer (&adopted);
}

Job *
driver_job_adopt (DriverMachine *machine, const Hotplug *plug, const Platform *platform, gboolean starting,
                  int state, int reason, guint seconds, JobDone done, gpointer data)
{
  Asking *asking = g_new0 (Asking, 1);

  *asking = (Asking){ .machine = machine,
                      .plug = *plug,
                      .platform = platform,
                      .starting = starting,
                      .state = state,
                      .reason = reason };
  return job_start ("adopt", adopt, asking, asking_free, seconds, done, data);
}
