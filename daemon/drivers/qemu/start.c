/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The start of a machine reads from top to bottom: choose, translate (start-plan.c), open, launch, talk.
 * Everything a step makes hangs on one struct, and one function undoes whatever is there; so no step cleans
 * up after another.
 *
 * The whole has one deadline, settings->start_timeout, and can be cancelled at every wait. QEMU gets its
 * files as descriptors, a listening monitor socket among them: the connection is made before QEMU runs, and
 * the greeting is simply awaited.
 */
#include "daemon/drivers/qemu/start-plan.h"

#include "daemon/core/tree.h"
#include "daemon/drivers/qemu/backup-record.h"
#include "daemon/drivers/qemu/console-watch.h"
#include "daemon/drivers/qemu/control.h"
#include "daemon/drivers/qemu/host-devices.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/drivers/qemu/listening.h"
#include "daemon/drivers/qemu/live-cpu.h"
#include "daemon/drivers/qemu/machine-log.h"
#include "daemon/drivers/qemu/machine-pr-helper.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/drivers/qemu/machine-tuning.h"
#include "daemon/drivers/qemu/machine-virtiofs.h"
#include "daemon/drivers/qemu/made-files.h"
#include "daemon/drivers/qemu/memory-files.h"
#include "daemon/drivers/qemu/monitor-socket.h"
#include "daemon/drivers/qemu/runtime-values.h"
#include "daemon/drivers/qemu/scope.h"
#include "daemon/drivers/qemu/snapshot-job.h"
#include "daemon/drivers/qemu/vcpu-plug.h"
#include "daemon/drivers/qemu/writable.h"
#include "daemon/host/account.h"
#include "daemon/host/cgroup.h"
#include "daemon/host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_EXIT_WAIT   2000 /* ms between a hung-up monitor and the end of its process */
#define START_HELPER_WAIT 100  /* ms in which a helper that QEMU lost is seen to have ended */

typedef struct {
  union {
    StartPlan plan;
    struct {
      START_PLAN_MEMBERS
    };
  };
  char **argv, **environment;
  MachineLog log;
  gboolean made_directory, made_interfaces, made_sockets, took_devices, watches_console;
  int monitor; /* our end */
  int ruleset; /* what Landlock lets QEMU change; -1: not confined */
  Process *process;
  Qmp *qmp;
  MachineStatus *status;
  GPtrArray *helpers; /* Helper: started so far */
} Start;

StartRequest *
start_request_new (DomainDef *def, int id, gboolean paused, gboolean transient, const Settings *settings,
                   Store *store, CapsCache *caps)
{
  StartRequest *request = g_new0 (StartRequest, 1);

  request->def = domain_def_ref (def);
  request->id = id;
  request->paused = paused;
  request->transient = transient;
  request->settings = settings;
  request->store = store;
  request->caps = caps;
  return request;
}

gboolean
start_request_goes_on (const StartRequest *request)
{
  return request->restore != NULL || request->incoming != NULL;
}

void
start_request_free (StartRequest *request)
{
  if (request == NULL)
    return;
  domain_def_unref (request->def);
  g_free (request->document);
  restore_free (request->restore);
  migrate_in_free (request->incoming);
  g_free (request->managed_save);
  g_free (request);
}

void
started_machine_free (StartedMachine *started)
{
  if (started == NULL)
    return;
  process_free (started->process);
  qmp_unref (started->qmp);
  g_clear_pointer (&started->def, domain_def_unref);
  g_clear_pointer (&started->helpers, g_ptr_array_unref);
  g_clear_pointer (&started->missing, g_ptr_array_unref);
  machine_status_free (started->status);
  g_free (started);
}

guint
start_job_seconds (const Settings *settings)
{
  return settings->start_timeout;
}

char *
machine_directory (Store *store, const char *uuid)
{
  g_autofree char *run = store_run_directory (store, uuid);

  return g_build_filename (run, START_QEMU_DIRECTORY, NULL);
}

void
machine_clean_up (const Settings *settings, Store *store, const char *uuid)
{
  g_autofree char *directory = machine_directory (store, uuid), *run = store_run_directory (store, uuid);

  backup_clean_up (run);
  tree_remove (directory);
  host_devices_give_back_later (settings, uuid);
  account_release (uuid);
  store_remove_status (store, uuid);
  cgroup_remove (uuid);
}

/* Open. */

static gboolean
make_directories (Start *start, GError **error)
{
  start->made_directory = TRUE;
  if (g_mkdir_with_parents (start->run_directory, 0711) != 0
      || (mkdir (start->qemu_directory, 0700) != 0 && errno != EEXIST)
      || (start->account->name != NULL
          && lchown (start->qemu_directory, start->account->uid, start->account->gid) != 0)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make the run directory '%s': %s",
                    start->qemu_directory, g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

static gboolean
open_interfaces (Start *start, GError **error)
{
  const InterfacePlace place = { .job = start->job,
                                 .def = start->def,
                                 .settings = start->request->settings,
                                 .run_directory = start->run_directory,
                                 .account = start->account,
                                 .helpers = start->helpers };

  start->made_interfaces = interfaces_open (&place, start->def, &start->files, error);
  return start->made_interfaces;
}

static gboolean
open_sockets (Start *start, GError **error)
{
  start->made_sockets = TRUE;
  return listening_open (start->def, NULL, start->qemu_directory, start->account, &start->files, error);
}

static gboolean
take_host_devices (Start *start, GError **error)
{
  const Settings *settings = start->request->settings;

  start->took_devices = host_devices_take (settings, start->def, start->account, error);
  return start->took_devices
         && host_devices_offer (start->def, settings->host_directory, &start->files, error);
}

/* What goes on has written it before. */
static gboolean
watch_console (Start *start, GError **error)
{
  if (start_request_goes_on (start->request))
    return TRUE;
  start->watches_console = TRUE;
  return console_watch_begin (start->def, start->run_directory, start->job, error);
}

static void
end_console_watch (gpointer data)
{
  console_watch_end (((const Start *)data)->uuid);
}

static gboolean
open_everything (Start *start, GError **error)
{
  const Settings *settings = start->request->settings;

  if (!make_directories (start, error) || !take_host_devices (start, error) || !open_interfaces (start, error)
      || !open_sockets (start, error) || !watch_console (start, error)
      || !made_files_offer (&start->files, start->recipe, &start->request->secrets, settings, start->job,
                            error)
      || !files_open (&start->files, start->recipe, start->request->reset_nvram, error)
      || !memory_files_prepare (start->recipe, settings, start->account, start->groups, &start->group_count,
                                START_MAX_GROUPS, error)
      || !machine_log_open (&start->log, settings, start->def->name, error))
    return FALSE;
  console_watch_conceal (start->def, start->run_directory);

  if (!tpm_start (start->def, settings, start->account, start->run_directory, start->qemu_directory,
                  &start->request->secrets, start->helpers, start->job, error)
      || !virtiofs_start (start->def, start->account, start->run_directory, start->qemu_directory,
                          start->helpers, start->job, error)
      || !pr_helper_start (start->def, start->account, start->run_directory, start->qemu_directory,
                           start->helpers, start->job, error))
    return FALSE;

  int listening = monitor_socket_listen (start->run_directory, error);
  if (listening < 0)
    return FALSE;
  files_add (&start->files, listening, START_MONITOR_FD);
  if (settings->isolate)
    start->ruleset = writable_ruleset (start->def, start->recipe, start->qemu_directory);
  start->monitor = monitor_socket_connect (start->run_directory, error);
  return start->monitor >= 0;
}

/* Launch. */

static gboolean
save_status (Start *start, GError **error)
{
  g_autofree char *json = machine_status_to_json (start->status);
  g_autofree char *xml = domain_def_to_xml (start->def, DOMAIN_WRITE_LIVE | DOMAIN_WRITE_SECURE);

  return store_save_status (start->request->store, start->uuid, json, xml, error);
}

/* Between fork and exec: from here on a later daemon finds the process. */
static gboolean
write_down (GPid pid, guint64 start_time, gpointer data, GError **error)
{
  Start *start = data;
  gint64 now = g_get_real_time ();

  if (!tuning_prepare (start->def, pid, error))
    return FALSE;
  start->status = g_new0 (MachineStatus, 1);
  *start->status = (MachineStatus){
    .name = g_strdup (start->def->name),
    .uuid = g_strdup (start->uuid),
    .id = start->request->id,
    .pid = pid,
    .start_time = start_time,
    .starting = TRUE,
    .transient = start->request->transient,
    .auto_destroy = start->request->auto_destroy,
    .state = VIR_DOMAIN_PAUSED,
    .reason = start->request->incoming != NULL ? VIR_DOMAIN_PAUSED_MIGRATION : VIR_DOMAIN_PAUSED_STARTING_UP,
    .started = now,
    .state_changed = now,
  };
  start->status->restored_path = g_strdup (start->request->managed_save);
  return save_status (start, error);
}

static void
close_ruleset (Start *start)
{
  if (start->ruleset >= 0)
    close (start->ruleset);
  start->ruleset = -1;
}

static gboolean
launch (Start *start, GError **error)
{
  guint version = qemu_caps_version (start->caps);
  g_autofree char *version_text =
      g_strdup_printf ("%u.%u.%u", version / 1000000, version / 1000 % 1000, version % 1000);
  ProcessLaunch plan = {
    .argv = start->argv,
    .environment = start->environment,
    .fds = (const int *)start->files.fds->data,
    .fds_as = (const int *)start->files.fds_as->data,
    .fd_count = start->files.fds->len,
    .output_fd = start->log.fd,
    .user = start->account->own ? NULL : start->account->name,
    .uid = start->account->own ? start->account->uid : 0,
    .gid = start->account->own ? start->account->gid : 0,
    .groups = start->groups,
    .group_count = start->group_count,
    .isolated = start->request->settings->isolate,
    .ruleset = start->ruleset >= 0 ? &start->ruleset : NULL,
    .created = write_down,
    .created_data = start,
  };

  if (!job_check (start->job, error))
    return FALSE;
  machine_log_banner (&start->log, version_text, start->environment, start->argv);
  start->process = process_spawn (&plan, error);
  if (start->process == NULL)
    return FALSE;
  close_ruleset (start);
  files_clear (&start->files); /* the listening socket too: its end is then QEMU's end */
  if (!scope_enter (start->uuid, start->def->name, process_pid (start->process)))
    cgroup_enter (start->uuid, process_pid (start->process));
  return TRUE;
}

/* Talk. */

static void
open_monitor (gpointer data)
{
  Start *start = data;

  start->qmp = qmp_new (start->monitor, qmp_any_id (), NULL, NULL);
  start->monitor = -1;
}

/* A helper that has ended is why QEMU did. */
static void
add_helpers_words (const Start *start, char **words)
{
  for (guint i = 0; i < start->helpers->len; i++) {
    Helper *helper = g_ptr_array_index (start->helpers, i);
    g_autofree char *last = helper_end_words (helper, START_HELPER_WAIT), *before = *words;

    *words = last != NULL ? g_strdup_printf ("%s; its helper '%s' had ended: %s", before,
                                             helper_name (helper), *last != '\0' ? last : "it said nothing")
                          : g_steal_pointer (&before);
  }
}

/* What QEMU said last is worth more than how its monitor ended. Takes @problem. */
static void
explain (Start *start, GError *problem, GError **error)
{
  gboolean ended = process_wait (
      start->process, virt_error_code (problem) == VIR_ERR_OPERATION_FAILED ? START_EXIT_WAIT : 0, NULL);
  g_autofree char *said = machine_log_last_words (&start->log);
  g_autofree char *words = recipe_name_files (start->recipe, said);

  if (ended)
    add_helpers_words (start, &words);
  if (ended && virt_error_code (problem) != VIR_ERR_OPERATION_ABORTED)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "process exited while connecting to monitor: %s",
                    *words != '\0' ? words : "it said nothing");
  else if (virt_error_code (problem) == VIR_ERR_OPERATION_TIMEOUT)
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                    "QEMU did not get ready within %u seconds and was ended%s%s",
                    start->request->settings->start_timeout, *words != '\0' ? "; it said: " : "", words);
  else {
    g_propagate_error (error, problem);
    return;
  }
  g_error_free (problem);
}

static gboolean
run_cpus (Start *start, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (start->qmp, start->job, "cont", NULL, error);

  return answer != NULL;
}

/* The one inside of its disks. */
static gboolean
load_snapshot (Start *start, const Restore *restore, GError **error)
{
  return snapshot_job_run (start->job, start->qmp, start->request->caps,
                           start->request->settings->call_timeout, "snapshot-load", restore->snapshot,
                           start->def, restore->targets, error);
}

/* The state the machine is in when its CPUs run: its own beginning, or a saved one. */
static gboolean
load_state (Start *start, GError **error)
{
  Restore *restore = start->request->restore;

  if (start->request->incoming != NULL)
    return migrate_in_listen (start->request->incoming, start->def, start->qmp, start->job, error);
  if (restore == NULL)
    return TRUE;
  if (restore->image == NULL
          ? !load_snapshot (start, restore, error)
          : !restore_state (restore, start->qmp, start->job, start->request->settings->call_timeout, error))
    return FALSE;
  job_extend_deadline (start->job, start->request->settings->start_timeout);
  return TRUE;
}

/* Once the machine runs, its managed save is a past that must not come back. The last of all steps: nothing
 * that can fail comes after it. */
static void
forget_image (Start *start)
{
  if (start->status->restored_path == NULL)
    return;
  if (unlink (start->status->restored_path) != 0 && errno != ENOENT)
    g_warning ("domain '%s': cannot remove its managed save '%s': %s", start->def->name,
               start->status->restored_path, g_strerror (errno));
  else
    g_clear_pointer (&start->status->restored_path, g_free);
}

static gboolean
write_end_of_start (Start *start, GError **error)
{
  g_autofree char *json = machine_status_to_json (start->status);

  return store_save_status (start->request->store, start->uuid, json, NULL, error);
}

static gboolean
talk (Start *start, GError **error)
{
  GError *problem = NULL;
  gboolean paused = start->request->paused;

  job_in_main_loop (start->job, open_monitor, start);
  if (!qmp_wait_ready (start->qmp, start->job, &problem)
      || !vcpus_plug_all (start->def, start->qmp, start->job, &problem) || !load_state (start, &problem)
      || !live_first_conversation (start->def, start->qmp, start->job, &problem)) {
    explain (start, problem, error);
    return FALSE;
  }

  if (!live_ask_cpu (start->def, start->caps,
                     start->request->restore == NULL ? (const char *const *)start->argv : NULL, start->qmp,
                     start->job, error))
    return FALSE;

  /* Everything is known: written down before the guest's first instruction. */
  if (!tuning_apply (start->def, process_pid (start->process), error) || !save_status (start, error))
    return FALSE;
  if (start->request->incoming != NULL)
    return TRUE;
  if (!paused && !run_cpus (start, &problem)) {
    explain (start, problem, error);
    return FALSE;
  }
  start->status->starting = FALSE;
  start->status->state = paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
  start->status->reason = paused ? (int)VIR_DOMAIN_PAUSED_USER : (int)VIR_DOMAIN_RUNNING_BOOTED;
  start->status->state_changed = g_get_real_time ();
  if (!write_end_of_start (start, &problem) && paused) {
    g_propagate_error (error, problem);
    return FALSE;
  }
  /* What runs is not ended for the want of a note: QEMU itself says that it runs. */
  if (problem != NULL)
    g_warning ("domain '%s': %s", start->def->name, problem->message);
  g_clear_error (&problem);
  if (start->status->restored_path != NULL)
    forget_image (start);
  return TRUE;
}

/* The whole. */

static void
close_monitor (gpointer data)
{
  qmp_close (data);
}

static void
undo (Start *start)
{
  if (start->process != NULL) {
    control_kill_and_wait (start->process);
    machine_log_line (&start->log, "the start has failed; the process was ended");
  }
  for (guint i = 0; i < start->helpers->len; i++)
    helper_stop (g_ptr_array_index (start->helpers, i));
  if (start->qmp != NULL)
    job_in_main_loop (start->job, close_monitor, start->qmp);
  if (start->watches_console)
    job_in_main_loop (start->job, end_console_watch, start);
  if (start->took_devices)
    host_devices_give_back_later (start->request->settings, start->uuid);
  if (start->made_interfaces)
    interfaces_close_later (start->request->settings, start->def);
  if (start->made_sockets)
    listening_close_later (start->def, start->qemu_directory);
  if (start->made_directory)
    machine_clean_up (start->request->settings, start->request->store, start->uuid);
  else
    start_plan_release (&start->plan);
}

static StartedMachine *
finish (Start *start)
{
  StartedMachine *started = g_new0 (StartedMachine, 1);

  started->process = g_steal_pointer (&start->process);
  started->qmp = g_steal_pointer (&start->qmp);
  started->def = g_steal_pointer (&start->def);
  started->status = g_steal_pointer (&start->status);
  started->helpers = g_steal_pointer (&start->helpers);
  started->missing = g_steal_pointer (&start->missing);
  started->restored = start->request->restore != NULL;
  started->incoming = start->request->incoming != NULL;
  started->from_snapshot = start->request->from_snapshot;
  started->image_removed = start->request->managed_save != NULL && started->status->restored_path == NULL;
  return started;
}

static void
start_clear (Start *start)
{
  start_plan_clear (&start->plan);
  machine_log_clear (&start->log);
  if (start->monitor >= 0)
    close (start->monitor);
  close_ruleset (start);
  process_free (start->process);
  qmp_unref (start->qmp);
  machine_status_free (start->status);
  g_clear_pointer (&start->helpers, g_ptr_array_unref);
  g_strfreev (start->argv);
  g_strfreev (start->environment);
}

static gboolean
translate (Start *start, GError **error)
{
  if (!start_request_goes_on (start->request))
    console_watch_prepare (start->def, start->run_directory);
  if (!start_plan_translate (&start->plan, error))
    return FALSE;
  for (const char *const *warning = recipe_warnings (start->recipe); *warning != NULL; warning++)
    g_message ("domain '%s': %s", start->def->name, *warning);
  start->argv = recipe_to_argv (start->recipe);
  start->environment = recipe_to_environment (start->recipe);
  return TRUE;
}

gpointer
start_job (Job *job, gpointer request, GError **error)
{
  Start start = { .monitor = -1, .ruleset = -1, .log = { .fd = -1, .reader = -1 } };
  StartedMachine *started = NULL;

  start_plan_init (&start.plan, request, job);
  start.helpers = g_ptr_array_new_with_free_func ((GDestroyNotify)helper_free);
  if (start_plan_choose (&start.plan, error) && translate (&start, error) && open_everything (&start, error)
      && launch (&start, error) && talk (&start, error))
    started = finish (&start);
  else
    undo (&start);
  start_clear (&start);
  return started;
}
