/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job of plugging processors in and out. An unplugged one is gone when the guest has let go of it: the
 * main loop learns that from an event, and wakes the job.
 */
#include "daemon/ops/domain/vcpu-job.h"

#include "daemon/drivers/qemu/machine-tuning.h"
#include "daemon/drivers/qemu/vcpu-plug.h"
#include "domain/vcpus.h"

#define JOB_SECONDS 30 /* beside the waits for the guest */

typedef struct {
  Manager *manager;
  char *uuid;
  int id; /* of the running machine */
  Hotplug plug;
  GPid pid;
  DomainDef *def; /* as it was at the beginning: where its threads are to run */
  GArray *numbers;
  gboolean on;
  guint number; /* the one it is about now */

  GMutex lock;
  GCond woken;
  gboolean over; /* with the lock held: the wait for the guest, and how */
  RemovalEnd end;
} VcpuRequest;

static void
request_free (gpointer data)
{
  VcpuRequest *request = data;

  machine_hotplug_clear (&request->plug);
  domain_def_unref (request->def);
  g_array_unref (request->numbers);
  g_mutex_clear (&request->lock);
  g_cond_clear (&request->woken);
  g_free (request->uuid);
  g_free (request);
}

/* Main loop. */

static void
publish_added (gpointer data)
{
  VcpuRequest *request = data;
  Machine *machine = manager_find_machine (request->manager, request->uuid, request->id);

  if (machine != NULL)
    machine_vcpu_added (machine, request->number);
}

static void
removal_over (RemovalEnd end, gpointer data)
{
  VcpuRequest *request = data;

  g_mutex_lock (&request->lock);
  request->over = TRUE;
  request->end = end;
  g_cond_signal (&request->woken);
  g_mutex_unlock (&request->lock);
}

static void
expect_removal (gpointer data)
{
  VcpuRequest *request = data;
  Machine *machine = manager_find_machine (request->manager, request->uuid, request->id);
  g_autofree char *alias = domain_vcpu_alias (request->number);

  if (machine != NULL)
    machine_expect_removal (machine, alias, removal_over, request);
  else
    removal_over (REMOVAL_ENDED, request);
}

static void
forget_removal (gpointer data)
{
  VcpuRequest *request = data;
  Machine *machine = manager_find_machine (request->manager, request->uuid, request->id);

  if (machine != NULL)
    machine_forget_removal (machine, request);
}

/* The job's thread. */

static gboolean
wait_for_guest (VcpuRequest *request)
{
  gint64 deadline = g_get_monotonic_time () + VCPU_UNPLUG_SECONDS * G_USEC_PER_SEC;
  gboolean over;

  g_mutex_lock (&request->lock);
  while (!request->over && g_cond_wait_until (&request->woken, &request->lock, deadline))
    ;
  over = request->over;
  g_mutex_unlock (&request->lock);
  return over;
}

static gboolean
take_out (Job *job, VcpuRequest *request, GError **error)
{
  gboolean over;

  request->over = FALSE;
  job_in_main_loop (job, expect_removal, request);
  if (!vcpu_unplug_request (request->number, request->plug.qmp, job, error)) {
    job_in_main_loop (job, forget_removal, request);
    return FALSE;
  }
  over = wait_for_guest (request);
  job_in_main_loop (job, forget_removal, request);
  if (over && request->end == REMOVAL_DONE)
    return TRUE;
  if (!over)
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                    "vcpu unplug request timed out. Unplug result must be manually inspected in the domain");
  else if (request->end == REMOVAL_REFUSED)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "unplug of device was rejected by the guest");
  else
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain is not running");
  return FALSE;
}

static gboolean
plug_in (Job *job, VcpuRequest *request, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (!vcpu_plug (request->number, request->plug.qmp, job, error))
    return FALSE;
  if (!tuning_place_new (request->def, request->pid, THREAD_VCPU, request->number, &problem))
    g_warning ("domain '%s': vCPU %u runs, but not where it is pinned: %s", request->def->name,
               request->number, problem->message);
  job_in_main_loop (job, publish_added, request);
  return TRUE;
}

static gpointer
vcpu_job (Job *job, gpointer input, GError **error)
{
  VcpuRequest *request = input;

  for (guint i = 0; i < request->numbers->len; i++) {
    request->number = g_array_index (request->numbers, guint, i);
    if (!(request->on ? plug_in : take_out) (job, request, error))
      return NULL;
  }
  return JOB_OK;
}

Job *
vcpu_job_start (Machine *machine, GArray *numbers, gboolean plug, JobDone done, gpointer data)
{
  VcpuRequest *request = g_new0 (VcpuRequest, 1);
  Domain *domain = machine->domain;
  guint seconds = JOB_SECONDS + numbers->len * VCPU_UNPLUG_SECONDS;

  request->manager = domain->manager;
  request->uuid = g_strdup (domain->uuid);
  request->id = domain->id;
  request->numbers = numbers;
  request->pid = process_pid (machine->process);
  request->def = domain_def_ref (machine->def);
  request->on = plug;
  machine_hotplug_init (machine, &request->plug);
  g_mutex_init (&request->lock);
  g_cond_init (&request->woken);
  return job_start ("vcpus", vcpu_job, request, request_free, seconds, done, data);
}
