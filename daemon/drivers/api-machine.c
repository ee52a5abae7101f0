/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The start reads as QEMU's does (drivers/qemu/start.c), and writes down the same: translate, open, launch,
 * talk. Two things differ. These hypervisors open their files by name and with their own rights, so that what
 * the machine's account cannot reach is refused before; and their taps outlive the daemon's descriptors, and
 * have to be removed.
 *
 * The config is said over the API and not in a file, so that a refusal names the part that it is about, and a
 * machine can be there without running. The process is asked for its socket until it listens, its end or the
 * deadline: it makes the socket itself.
 */
#include "daemon/drivers/api-machine.h"

#include "daemon/drivers/api-check.h"
#include "daemon/drivers/api-config.h"
#include "daemon/drivers/qemu/control.h"
#include "daemon/drivers/qemu/interfaces.h"
#include "daemon/drivers/qemu/machine-log.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/drivers/qemu/machine-virtiofs.h"
#include "daemon/drivers/qemu/scope.h"
#include "daemon/host/account.h"
#include "daemon/host/cgroup.h"
#include "daemon/host/files.h"
#include "domain/devices/console.h"
#include "domain/devices/disk.h"
#include "domain/devices/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_PAUSE 20   /* ms between two looks whether it listens */
#define EXIT_WAIT    2000 /* ms between a hung-up API and the end of its process */
#define GROUPS_MAX   (ACCOUNT_MAX_GROUPS + 1)
#define TERMINAL_KEEP \
  3 /* the number of the terminal's own end in the process: it is open as long as that runs */

typedef struct {
  const ApiMachineKind *kind;
  const Driver *driver;
  StartRequest *request;
  Job *job;
  DomainDef *def; /* becomes the live one */
  char *run_directory, *directory, *socket, *program;
  Account *account;
  gid_t groups[GROUPS_MAX];
  guint group_count;
  JsonObject *config;
  Files files; /* taps while they are made, and the process's standard ones */
  MachineLog log;
  gboolean made_directory, made_interfaces;
  Process *process;
  MachineStatus *status;
  GPtrArray *helpers; /* Helper: started before the hypervisor, which connects to them */
} ApiStart;

/* Choose. */

static gboolean
find_program (ApiStart *start, GError **error)
{
  start->program = api_program_find (start->def, error);
  return start->program != NULL;
}

/* Everything it cannot do, with its place in the user's document. */
static gboolean
translate (ApiStart *start, GError **error)
{
  g_clear_pointer (&start->config, json_object_unref);
  start->config = api_config (start->driver, start->request, start->def, start->directory, error);
  return start->config != NULL;
}

static gboolean
choose (ApiStart *start, GError **error)
{
  const StartRequest *request = start->request;

  start->def = domain_def_copy (request->def);
  start->def->id = (SignedNumber){ TRUE, request->id };
  domain_def_assign_aliases (start->def);
  if (!find_program (start, error) || !translate (start, error))
    return FALSE;
  start->account = account_for_machine (request->settings, start->def->uuid, request->id, error);
  if (start->account == NULL)
    return FALSE;
  start->group_count = start->account->group_count;
  memcpy (start->groups, start->account->groups, start->group_count * sizeof *start->groups);
  if (account_device_group ("/dev/kvm", &start->groups[start->group_count]))
    start->group_count++;
  return api_files_check (start->driver, start->account, start->def, NULL, error);
}

/* Open. */

static gboolean
make_directory (ApiStart *start, GError **error)
{
  start->made_directory = TRUE;
  if (g_mkdir_with_parents (start->run_directory, 0711) == 0
      && (mkdir (start->directory, 0700) == 0 || errno == EEXIST)
      && (start->account->name == NULL && !start->account->own
              ? TRUE
              : lchown (start->directory, start->account->uid, start->account->gid) == 0))
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make the run directory '%s': %s", start->directory,
                  g_strerror (errno));
  return FALSE;
}

static gboolean
open_interfaces (ApiStart *start, GError **error)
{
  const InterfacePlace place = { .job = start->job,
                                 .def = start->def,
                                 .settings = start->request->settings,
                                 .run_directory = start->run_directory,
                                 .account = start->account,
                                 .helpers = start->helpers };
  Files taps;
  gboolean kept;

  files_init (&taps);
  start->made_interfaces = interfaces_open (&place, start->def, &taps, error);
  kept = start->made_interfaces && interfaces_keep_taps (&place, start->def, &taps, error);
  files_clear (&taps);
  return kept;
}

/* Both see where the bytes go: the port, and the console that is the same port. */
static void
show_terminal (DomainDef *def, const char *name)
{
  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial) {
    g_free (serial->source.tty);
    serial->source.tty = g_strdup (name);
    g_free (chardev_ensure_source (&serial->source)->path);
    chardev_ensure_source (&serial->source)->path = g_strdup (name);
    break;
  }
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console) {
    if (console->target != CONSOLE_SERIAL)
      continue;
    g_free (console->source.tty);
    console->source.tty = g_strdup (name);
    g_free (chardev_ensure_source (&console->source)->path);
    chardev_ensure_source (&console->source)->path = g_strdup (name);
  }
}

/* The hypervisor has the end that a terminal emulator would have, and the other one too, so that nothing is
 * lost while nobody looks. */
static gboolean
open_terminal (ApiStart *start, GError **error)
{
  int ours, theirs;
  char name[64];

  if (openpty (&ours, &theirs, NULL, NULL, NULL) != 0 || ttyname_r (theirs, name, sizeof name) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make a terminal for the serial port: %s",
                    g_strerror (errno));
    return FALSE;
  }
  show_terminal (start->def, name);
  files_add (&start->files, fcntl (ours, F_DUPFD_CLOEXEC, 0), STDIN_FILENO);
  files_add (&start->files, ours, STDOUT_FILENO);
  files_add (&start->files, theirs, TERMINAL_KEEP);
  return TRUE;
}

static gboolean
open_output_file (ApiStart *start, const Chardev *chardev, GError **error)
{
  const char *path = chardev->type == CHARDEV_NULL ? "/dev/null" : chardev_path (chardev);
  gboolean append =
      chardev_first_source (chardev) != NULL && chardev_first_source (chardev)->append == TRISTATE_YES;
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (append ? O_APPEND : O_TRUNC), 0600);

  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s' for the serial port: %s", path,
                    g_strerror (errno));
    return FALSE;
  }
  files_add (&start->files, fd, STDOUT_FILENO);
  return TRUE;
}

static gboolean
open_serial (ApiStart *start, GError **error)
{
  if (!start->kind->serial_is_standard)
    return TRUE;
  DOMAIN_FOREACH_DEVICE (start->def, serial_kind, DeviceSerial, serial) {
    if (serial->source.type == CHARDEV_PTY)
      return open_terminal (start, error);
    if (serial->source.type == CHARDEV_FILE || serial->source.type == CHARDEV_NULL)
      return open_output_file (start, &serial->source, error);
    break;
  }
  return TRUE; /* it is in the log with what the hypervisor says itself */
}

static gboolean
start_helpers (ApiStart *start, GError **error)
{
  const StartRequest *request = start->request;

  return virtiofs_start (start->def, start->account, start->run_directory, start->directory, start->helpers,
                         start->job, error)
         && tpm_start (start->def, request->settings, start->account, start->run_directory, start->directory,
                       &request->secrets, start->helpers, start->job, error);
}

static gboolean
open_everything (ApiStart *start, GError **error)
{
  /* Once more: the names of the taps are known now. */
  return make_directory (start, error) && open_interfaces (start, error) && open_serial (start, error)
         && translate (start, error) && start_helpers (start, error)
         && machine_log_open (&start->log, start->request->settings, start->def->name, error);
}

/* Launch. */

static gboolean
save_status (ApiStart *start, GError **error)
{
  g_autofree char *json = machine_status_to_json (start->status);
  g_autofree char *xml = domain_def_to_xml (start->def, DOMAIN_WRITE_LIVE | DOMAIN_WRITE_SECURE);

  return store_save_status (start->request->store, start->def->uuid, json, xml, error);
}

/* Between fork and exec: from here on a later daemon finds the process. */
static gboolean
write_down (GPid pid, guint64 start_time, gpointer data, GError **error)
{
  ApiStart *start = data;
  gint64 now = g_get_real_time ();

  start->status = g_new0 (MachineStatus, 1);
  *start->status = (MachineStatus){
    .name = g_strdup (start->def->name),
    .uuid = g_strdup (start->def->uuid),
    .id = start->request->id,
    .pid = pid,
    .start_time = start_time,
    .starting = TRUE,
    .transient = start->request->transient,
    .auto_destroy = start->request->auto_destroy,
    .state = VIR_DOMAIN_PAUSED,
    .reason = VIR_DOMAIN_PAUSED_STARTING_UP,
    .started = now,
    .state_changed = now,
  };
  return save_status (start, error);
}

/* (transfer full) */
static char **
command (const ApiStart *start)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  g_auto (GStrv) arguments = start->kind->arguments (start->def);

  g_strv_builder_add (words, start->program);
  g_strv_builder_addv (words, (const char **)arguments);
  return g_strv_builder_end (words);
}

static gboolean
launch (ApiStart *start, GError **error)
{
  g_auto (GStrv) argv = command (start);
  const Account *account = start->account;
  const ProcessLaunch plan = {
    .argv = argv,
    .fds = (const int *)start->files.fds->data,
    .fds_as = (const int *)start->files.fds_as->data,
    .fd_count = start->files.fds->len,
    .output_fd = start->log.fd,
    .user = account->own ? NULL : account->name,
    .uid = account->own ? account->uid : 0,
    .gid = account->own ? account->gid : 0,
    .groups = start->groups,
    .group_count = start->group_count,
    .directory = start->directory,
    .isolated = start->request->settings->isolate,
    .created = write_down,
    .created_data = start,
  };

  if (!job_check (start->job, error))
    return FALSE;
  machine_log_banner (&start->log, start->driver->title, NULL, argv);
  start->process = process_spawn (&plan, error);
  if (start->process == NULL)
    return FALSE;
  files_clear (&start->files);
  if (!scope_enter (start->def->uuid, start->def->name, process_pid (start->process)))
    cgroup_enter (start->def->uuid, process_pid (start->process));
  return TRUE;
}

/* Talk. */

/* What it said last is worth more than how its API ended. Takes @problem. */
static void
explain (ApiStart *start, GError *problem, GError **error)
{
  gboolean ended = process_wait (start->process,
                                 virt_error_code (problem) == VIR_ERR_OPERATION_FAILED ? EXIT_WAIT : 0, NULL);
  g_autofree char *said = machine_log_last_words (&start->log);

  if (!ended || virt_error_code (problem) == VIR_ERR_OPERATION_ABORTED) {
    g_propagate_error (error, problem);
    return;
  }
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s ended while it was started: %s", start->driver->title,
                  *said != '\0' ? said : "it said nothing");
  g_error_free (problem);
}

static gboolean
wait_for_socket (ApiStart *start, GError **error)
{
  while (!api_listens (start->socket)) {
    if (!job_check (start->job, error))
      return FALSE;
    if (process_wait (start->process, SOCKET_PAUSE, NULL)) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s ended", start->driver->title);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
talk (ApiStart *start, GError **error)
{
  const ApiPlace place = { start->socket, start->driver->title, 0 };
  gboolean paused = start->request->paused;
  GError *problem = NULL;

  if (!wait_for_socket (start, &problem)
      || !start->kind->configure (&place, start->job, start->config, &problem)
      || (!paused && !start->kind->boot (&place, start->job, &problem))
      || (start->kind->learn != NULL && !start->kind->learn (&place, start->job, start->def, &problem))) {
    explain (start, problem, error);
    return FALSE;
  }
  start->status->starting = FALSE;
  start->status->state = paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
  start->status->reason = paused ? (int)VIR_DOMAIN_PAUSED_USER : (int)VIR_DOMAIN_RUNNING_BOOTED;
  start->status->state_changed = g_get_real_time ();
  /* What runs is not ended for the want of a note: it says itself that it runs. */
  if (!save_status (start, &problem))
    g_warning ("domain '%s': %s", start->def->name, problem->message);
  g_clear_error (&problem);
  return TRUE;
}

/* The whole. */

static void
undo (ApiStart *start)
{
  if (start->process != NULL) {
    control_kill_and_wait (start->process);
    machine_log_line (&start->log, "the start has failed; the process was ended");
  }
  for (guint i = 0; i < start->helpers->len; i++)
    helper_stop (g_ptr_array_index (start->helpers, i));
  if (start->made_interfaces)
    interfaces_close_later (start->request->settings, start->def);
  if (start->made_directory)
    machine_clean_up (start->request->settings, start->request->store, start->request->def->uuid);
  else
    account_release (start->request->def->uuid);
}

static StartedMachine *
finish (ApiStart *start)
{
  StartedMachine *started = g_new0 (StartedMachine, 1);

  started->process = g_steal_pointer (&start->process);
  started->def = g_steal_pointer (&start->def);
  started->status = g_steal_pointer (&start->status);
  started->helpers = g_steal_pointer (&start->helpers);
  started->missing = g_ptr_array_new ();
  return started;
}

static void
api_start_clear (ApiStart *start)
{
  files_clear (&start->files);
  machine_log_clear (&start->log);
  process_free (start->process);
  machine_status_free (start->status);
  account_free (start->account);
  g_clear_pointer (&start->def, domain_def_unref);
  g_clear_pointer (&start->config, json_object_unref);
  g_clear_pointer (&start->helpers, g_ptr_array_unref);
  g_free (start->run_directory);
  g_free (start->directory);
  g_free (start->socket);
  g_free (start->program);
}

static gboolean
check_request (const ApiStart *start, GError **error)
{
  const StartRequest *request = start->request;

  if (!start_request_goes_on (request) && !request->from_snapshot)
    return TRUE;
  driver_fail_unsupported (start->driver, "saved state", error);
  return FALSE;
}

StartedMachine *
api_machine_start (const ApiMachineKind *kind, const Driver *driver, Job *job, StartRequest *request,
                   GError **error)
{
  ApiStart start = { .kind = kind,
                     .driver = driver,
                     .request = request,
                     .job = job,
                     .log = { .fd = -1, .reader = -1 },
                     .helpers = g_ptr_array_new_with_free_func ((GDestroyNotify)helper_free) };
  StartedMachine *started = NULL;

  files_init (&start.files);
  start.run_directory = store_run_directory (request->store, request->def->uuid);
  start.directory = machine_directory (request->store, request->def->uuid);
  start.socket = g_build_filename (start.directory, kind->socket, NULL);
  if (check_request (&start, error) && choose (&start, error) && open_everything (&start, error)
      && launch (&start, error) && talk (&start, error))
    started = finish (&start);
  else
    undo (&start);
  api_start_clear (&start);
  return started;
}

ApiPlace
api_machine_place (const DriverMachine *machine, const char *socket_name, char **ret_socket)
{
  *ret_socket = g_build_filename (machine->directory, socket_name, NULL);
  return (ApiPlace){ *ret_socket, machine->driver->title, 0 };
}

gboolean
api_machine_order (const DriverMachine *machine, const char *socket_name, Job *job, const char *method,
                   const char *path, JsonObject *body, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, socket_name, &socket);

  return api_ask (&place, job, method, path, body, NULL, error);
}
