/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A network made to run, and to run no longer. Each is a job that has the network's lock: the call's, or
 * where nobody asked (the host's start, an adoption, something that broke) the network's own.
 */
#include "daemon/network/network-files.h"
#include "daemon/network/networks.h"

#define NETWORK_JOB_SECONDS 60

/* One job about a network, from its begin to its done. */
typedef struct {
  Network *network; /* main loop only; not freed while the lock is held */
  Call *call;       /* NULL: nobody asked */
  GVariant *answer; /* NULL: "()" */
  NetworkInput *input;
  NetworkParts parts;
  gboolean is_gone; /* an adoption found nothing; after a stop nothing is left of it */
  void (*done) (gpointer data);
  gpointer data;
} NetworkWork;

static void
work_free (gpointer data)
{
  NetworkWork *work = data;

  g_clear_pointer (&work->answer, g_variant_unref);
  network_input_free (work->input);
  g_free (work);
}

static NetworkWork *
work_new (Network *network, Call *call)
{
  NetworkWork *work = g_new0 (NetworkWork, 1);

  work->network = network;
  work->call = call;
  work->input = network_input_new (network, network->def);
  return work;
}

/* The lock is given back: the call's by its answer. The network may be gone by now; @lock is a reference. */
static void
finish (NetworkWork *work, Lock *lock, const GError *error)
{
  gpointer holder = work->network;

  if (work->call == NULL)
    lock_release (lock, holder);
  else if (error != NULL)
    call_fail (work->call, g_error_copy (error));
  else if (work->answer != NULL)
    call_answer (work->call, work->answer);
  else
    call_answer_nothing (work->call);
  lock_unref (lock);
  if (work->done != NULL)
    work->done (work->data);
}

static gpointer
start_job (Job *job, gpointer data, GError **error)
{
  const NetworkInput *input = ((NetworkWork *)data)->input;
  NetworkStatus *status = NULL;

  if (network_files_save_live (input->directory, input->def, error))
    status = network_run_start (job, input, error);
  if (status == NULL)
    network_files_remove (input->directory);
  return status;
}

static void
start_done (gpointer result, const GError *error, gpointer data)
{
  NetworkWork *work = data;
  Network *network = work->network;
  Lock *lock = lock_ref (network->lock);

  if (error == NULL)
    network_started (network, result);
  else {
    if (work->call == NULL)
      g_warning ("network '%s' does not start: %s", network->name, error->message);
    network_start_failed (network);
  }
  finish (work, lock, error);
}

static void
start (NetworkWork *work)
{
  work->network->starting = TRUE;
  job_start ("net-start", start_job, work, work_free, NETWORK_JOB_SECONDS, start_done, work);
}

void
network_start (Network *network, Call *call, GVariant *answer)
{
  NetworkWork *work = work_new (network, call);

  work->answer = answer != NULL ? g_variant_ref_sink (answer) : NULL;
  start (work);
}

static gpointer
stop_job (Job *job, gpointer data, GError **error)
{
  const NetworkWork *work = data;
  const NetworkInput *input = work->input;
  gboolean stopped = network_run_stop (job, input, error);

  network_files_remove (input->directory);
  if (work->is_gone)
    network_run_forget (input->settings, input->def->uuid);
  return stopped ? JOB_OK : NULL;
}

/* Whatever could not be undone: it does not run any more. */
static void
stop_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  NetworkWork *work = data;
  Lock *lock = lock_ref (work->network->lock);

  if (error != NULL)
    g_warning ("network '%s' was stopped, but: %s", work->network->name, error->message);
  network_stopped (work->network);
  finish (work, lock, NULL);
}

void
network_destroy (Network *network, Call *call)
{
  NetworkWork *work = work_new (network, call);

  g_clear_pointer (&network->watch, network_watch_free);
  work->is_gone = !network->persistent;
  job_start ("net-stop", stop_job, work, work_free, NETWORK_JOB_SECONDS, stop_done, work);
}

/* NULL, and @done called, when somebody else has the lock. */
static NetworkWork *
work_alone (Network *network, const char *name, void (*done) (gpointer data), gpointer data)
{
  NetworkWork *work;

  if (!lock_try (network->lock, name, network)) {
    if (done != NULL)
      done (data);
    return NULL;
  }
  work = work_new (network, NULL);
  work->done = done;
  work->data = data;
  return work;
}

void
network_start_alone (Network *network, void (*done) (gpointer data), gpointer data)
{
  NetworkWork *work = work_alone (network, "start", done, data);

  if (work != NULL)
    start (work);
}

static gpointer
adopt_job (Job *job, gpointer data, GError **error)
{
  NetworkWork *work = data;
  g_autoptr (GError) problem = NULL;
  NetworkStatus *status = network_run_adopt (job, work->input, &problem);

  if (status != NULL)
    return status;
  network_files_remove (work->input->directory);
  work->is_gone = problem == NULL;
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  return JOB_OK;
}

static void
adopt_done (gpointer result, const GError *error, gpointer data)
{
  NetworkWork *work = data;
  Network *network = work->network;
  Lock *lock = lock_ref (network->lock);

  if (error == NULL && !work->is_gone)
    network_started (network, result);
  else {
    g_message ("network '%s' does not run any more%s%s", network->name, error != NULL ? ": " : "",
               error != NULL ? error->message : "");
    network_start_failed (network);
  }
  finish (work, lock, NULL);
}

void
network_adopt_alone (Network *network, void (*done) (gpointer data), gpointer data)
{
  NetworkWork *work = work_alone (network, "adopt", done, data);

  if (work == NULL)
    return;
  network->starting = TRUE;
  job_start ("net-adopt", adopt_job, work, work_free, NETWORK_JOB_SECONDS, adopt_done, work);
}

/* Mending. */

static gpointer
mend_job (Job *job, gpointer data, GError **error)
{
  NetworkWork *work = data;

  return network_run_update (job, work->input, work->parts, error);
}

static void
mend_done (gpointer result, const GError *error, gpointer data)
{
  NetworkWork *work = data;
  Network *network = work->network;

  if (error == NULL)
    network_commit_live (network, network_def_ref (network->def), result);
  else
    g_warning ("network '%s' cannot be mended: %s", network->name, error->message);
  finish (work, lock_ref (network->lock), NULL);
}

static void
mend_begin (gpointer data)
{
  Network *network = data;
  NetworkWork *work;

  if (!network->active || network->broken == 0) {
    lock_release (network->lock, network);
    return;
  }
  work = work_new (network, NULL);
  work->parts = network->broken;
  network->broken = 0;
  job_start ("net-mend", mend_job, work, work_free, NETWORK_JOB_SECONDS, mend_done, work);
}

static void
mend_fail (G_GNUC_UNUSED gpointer data, GError *error)
{
  g_error_free (error); /* the network is gone */
}

void
network_mend (Network *network, NetworkParts parts)
{
  const LockRequest request = {
    .name = "mend", .holder = network, .begin = mend_begin, .fail = mend_fail, .data = network
  };
  gboolean is_waiting = network->broken != 0;

  network->broken |= parts;
  if (!is_waiting)
    lock_acquire (network->lock, &request);
}
