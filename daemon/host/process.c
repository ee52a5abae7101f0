/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One process of ours, held by a pidfd: it can be signalled and watched without ever meeting a stranger who
 * was given the same number, and its end is an event of the main loop, not a poll.
 *
 * The launch is a fork with two channels. Through the gate the parent says when the child may execute (after
 * its pid is on disk); an end of file there means that the daemon has died, and the child leaves. Through the
 * report the child says which step failed; an end of file there means that exec has happened. Between
 * fork and exec only async-signal-safe calls are made, as other threads' locks may have been copied held.
 */
#include "daemon/host/process.h"

#include "daemon/core/process-stat.h"
#include "daemon/host/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESS_MAX_FDS      1024 /* descriptors passed to one process */
#define PROCESS_MAX_GROUPS   32
#define PROCESS_FILE_UMASK   0002  /* sockets QEMU makes can be used by its group */
#define PROCESS_EXEC_TIMEOUT 20000 /* ms from fork to exec: a program on a disk that does not answer */
#define PROCESS_GONE_TIMEOUT 2000  /* ms a process has to go after a launch that failed */

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct Process {
  GPid pid;
  guint64 start_time;
  int pidfd;
  gboolean is_child; /* ours to reap */
  GMutex lock;       /* the two below: a job may wait while the main loop watches */
  gboolean reaped;
  ProcessExit how;
  guint watch;
  ProcessEnded ended;
  gpointer data;
};

/* What the child tells when it could not become the program. */
typedef struct {
  int error;
  int step; /* ChildStep */
} ChildReport;

typedef enum {
  STEP_NAMESPACES,
  STEP_SESSION,
  STEP_DESCRIPTORS,
  STEP_DIRECTORY,
  STEP_ACCOUNT,
  STEP_PRIVILEGES,
  STEP_RULESET,
  STEP_EXEC
} ChildStep;

static const char *const step_texts[] = {
  "enter its namespaces",
  "start a session",
  "take over its descriptors",
  "enter its directory",
  "change to its user",
  "drop privileges",
  "confine itself",
  "execute",
};

/* Everything the child needs, made before the fork. */
typedef struct {
  const ProcessLaunch *launch;
  char **environment;
  gboolean switch_user;
  uid_t uid;
  gid_t gid;
  gid_t groups[PROCESS_MAX_GROUPS];
  guint group_count;
  int null_fd;
  pid_t parent;
  gboolean isolated;
  int ruleset; /* -1: none */
  int gate[2];
  int report[2];
  int *moved; /* room for the descriptors on their way */
} LaunchPlan;

static int
open_pidfd (pid_t pid)
{
  return (int)syscall (SYS_pidfd_open, pid, 0);
}

static Process *
process_new (GPid pid, int pidfd, guint64 start_time, gboolean is_child)
{
  Process *process = g_new0 (Process, 1);

  process->pid = pid;
  process->pidfd = pidfd;
  process->start_time = start_time;
  process->is_child = is_child;
  g_mutex_init (&process->lock);
  return process;
}

/* In the child from here on. */

static void G_GNUC_NORETURN
child_fail (const LaunchPlan *plan, int report_fd, ChildStep step)
{
  ChildReport report = { errno, step };

  (void)plan;
  while (write (report_fd, &report, sizeof report) < 0 && errno == EINTR)
    ;
  _exit (127);
}

/* Every descriptor but the wanted ones is gone at exec. @report_fd is moved out of the way too. */
static int
child_arrange_descriptors (const LaunchPlan *plan, int report_fd, int *ruleset)
{
  const ProcessLaunch *launch = plan->launch;
  int highest = 2;

  if (syscall (SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    for (int fd = 3; fd < (int)sysconf (_SC_OPEN_MAX); fd++)
      fcntl (fd, F_SETFD, FD_CLOEXEC);

  for (guint i = 0; i < launch->fd_count; i++)
    highest = MAX (highest, launch->fds_as[i]);

  /* First all of them up, out of each other's way; then down to their numbers. */
  int report = fcntl (report_fd, F_DUPFD_CLOEXEC, highest + 1);
  if (report < 0)
    return -1;
  if (*ruleset >= 0 && (*ruleset = fcntl (*ruleset, F_DUPFD_CLOEXEC, highest + 1)) < 0)
    child_fail (plan, report, STEP_DESCRIPTORS);
  for (guint i = 0; i < launch->fd_count; i++) {
    plan->moved[i] = fcntl (launch->fds[i], F_DUPFD_CLOEXEC, highest + 1);
    if (plan->moved[i] < 0)
      child_fail (plan, report, STEP_DESCRIPTORS);
  }
  int output =
      fcntl (launch->output_fd >= 0 ? launch->output_fd : plan->null_fd, F_DUPFD_CLOEXEC, highest + 1);

  if (output < 0 || dup2 (plan->null_fd, 0) < 0 || dup2 (output, 1) < 0 || dup2 (output, 2) < 0)
    child_fail (plan, report, STEP_DESCRIPTORS);
  for (guint i = 0; i < launch->fd_count; i++)
    if (dup2 (plan->moved[i], launch->fds_as[i]) < 0)
      child_fail (plan, report, STEP_DESCRIPTORS);
  return report;
}

/* Only those of @kept are left in any set, also when the user is root; a container's root may lack some. */
static int
child_keep_capabilities (guint64 kept)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

  prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall (SYS_capget, &header, sets) != 0)
    return -1;
  for (guint i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
    guint32 wanted = sets[i].permitted & (guint32)(kept >> (32 * i));

    sets[i] = (struct __user_cap_data_struct){ .effective = wanted, .permitted = wanted };
  }
  return (int)syscall (SYS_capset, &header, sets);
}

static void
child_change_account (const LaunchPlan *plan, int report)
{
  gboolean privileged = geteuid () == 0;
  guint64 kept = plan->launch->capabilities;

  if (privileged)
    for (int capability = 0; prctl (PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
      if ((kept >> capability & 1) == 0 && prctl (PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
        break;
  if (plan->switch_user
      && (setgroups (plan->group_count, plan->groups) != 0 || setresgid (plan->gid, plan->gid, plan->gid) != 0
          || setresuid (plan->uid, plan->uid, plan->uid) != 0))
    child_fail (plan, report, STEP_ACCOUNT);
  if ((privileged && child_keep_capabilities (kept) != 0) || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    child_fail (plan, report, STEP_PRIVILEGES);
}

static void
child_reset_signals (void)
{
  sigset_t none;

  for (int number = 1; number < _NSIG; number++)
    signal (number, SIG_DFL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

static void G_GNUC_NORETURN
child_run (const LaunchPlan *plan)
{
  const ProcessLaunch *launch = plan->launch;
  int ruleset = plan->ruleset;
  ssize_t got;
  char go;

  /* The parent's end must be closed here, or its death would never be seen. Another machine's child that was
   * forked meanwhile may hold that end as well, and wait for ours: so the kernel tells of the death, too. */
  close (plan->gate[1]);
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid () != plan->parent)
    _exit (127);
  while ((got = read (plan->gate[0], &go, 1)) < 0 && errno == EINTR)
    ;
  if (got != 1)
    _exit (127);
  prctl (PR_SET_PDEATHSIG, 0, 0, 0, 0);

  child_reset_signals ();
  umask (PROCESS_FILE_UMASK);
  if (plan->isolated && !isolation_enter_namespaces ())
    child_fail (plan, plan->report[1], STEP_NAMESPACES);
  if (setsid () < 0)
    child_fail (plan, plan->report[1], STEP_SESSION);
  int report = child_arrange_descriptors (plan, plan->report[1], &ruleset);
  if (report < 0)
    child_fail (plan, plan->report[1], STEP_DESCRIPTORS);
  child_change_account (plan, report);
  if (chdir (launch->directory != NULL ? launch->directory : "/") != 0)
    child_fail (plan, report, STEP_DIRECTORY);
  if (ruleset >= 0 && !isolation_enter_ruleset (ruleset))
    child_fail (plan, report, STEP_RULESET);

  execve (launch->argv[0], launch->argv, plan->environment);
  child_fail (plan, report, STEP_EXEC);
}

/* In the parent again. */

static void
plan_ids (LaunchPlan *plan, uid_t uid, gid_t gid)
{
  const ProcessLaunch *launch = plan->launch;

  plan->switch_user = geteuid () == 0;
  plan->uid = uid;
  plan->gid = gid;
  plan->groups[plan->group_count++] = gid;
  for (guint i = 0; i < launch->group_count && plan->group_count < PROCESS_MAX_GROUPS; i++)
    plan->groups[plan->group_count++] = launch->groups[i];
}

static gboolean
plan_account (LaunchPlan *plan, GError **error)
{
  const ProcessLaunch *launch = plan->launch;
  struct passwd entry, *found = NULL;
  char buffer[4096];

  if (launch->uid != 0)
    plan_ids (plan, launch->uid, launch->gid != 0 ? launch->gid : launch->uid);
  if (launch->uid != 0 || launch->user == NULL)
    return TRUE;
  if (getpwnam_r (launch->user, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot run '%s' as '%s': there is no such user",
                    launch->argv[0], launch->user);
    return FALSE;
  }
  plan_ids (plan, entry.pw_uid, entry.pw_gid);
  return TRUE;
}

/* The file itself is checked here, where the error can be said best. */
static gboolean
check_launch (const ProcessLaunch *launch, GError **error)
{
  if (launch->fd_count > PROCESS_MAX_FDS) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot start '%s': it needs %u files, more than the %d a machine may have",
                    launch->argv[0], launch->fd_count, PROCESS_MAX_FDS);
    return FALSE;
  }
  if (!g_file_test (launch->argv[0], G_FILE_TEST_EXISTS)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': there is no such program",
                    launch->argv[0]);
    return FALSE;
  }
  return TRUE;
}

static void
plan_clear (LaunchPlan *plan)
{
  int fds[] = { plan->null_fd, plan->gate[0], plan->gate[1], plan->report[0], plan->report[1] };

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
  g_free (plan->moved);
}

static void
close_and_forget (int *fd)
{
  close (*fd);
  *fd = -1;
}

/* Let the child go on, and wait for exec or its report. */
static gboolean
release_child (LaunchPlan *plan, pid_t pid, guint64 start_time, GError **error)
{
  const ProcessLaunch *launch = plan->launch;
  ChildReport report = { 0, 0 };
  struct pollfd told = { plan->report[0], POLLIN, 0 };
  ssize_t got;

  close_and_forget (&plan->gate[0]);
  close_and_forget (&plan->report[1]);
  if (launch->created != NULL && !launch->created (pid, start_time, launch->created_data, error))
    return FALSE;

  if (send (plan->gate[1], "!", 1, MSG_NOSIGNAL) != 1) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot start '%s': its process was killed before it began", launch->argv[0]);
    return FALSE;
  }
  if (poll (&told, 1, PROCESS_EXEC_TIMEOUT) == 0) {
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                    "cannot start '%s': it could not be read within %d seconds", launch->argv[0],
                    PROCESS_EXEC_TIMEOUT / 1000);
    return FALSE;
  }
  while ((got = read (plan->report[0], &report, sizeof report)) < 0 && errno == EINTR)
    ;
  if (got == 0)
    return TRUE;

  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': failed to %s: %s", launch->argv[0],
                  step_texts[CLAMP (report.step, 0, STEP_EXEC)], g_strerror (report.error));
  return FALSE;
}

static gboolean
plan_pipes (LaunchPlan *plan, GError **error)
{
  plan->null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (plan->null_fd < 0 || socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, plan->gate) != 0
      || pipe2 (plan->report, O_CLOEXEC) != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': %s", plan->launch->argv[0],
                    g_strerror (errno));
    return FALSE;
  }
  plan->moved = g_new0 (int, MAX (plan->launch->fd_count, 1));
  return TRUE;
}

Process *
process_spawn (const ProcessLaunch *launch, GError **error)
{
  static char *minimal[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                             (char *)"LC_ALL=C", NULL };
  LaunchPlan plan = { .launch = launch,
                      .null_fd = -1,
                      .parent = getpid (),
                      .ruleset = -1,
                      .gate = { -1, -1 },
                      .report = { -1, -1 } };

  plan.environment = launch->environment != NULL ? launch->environment : minimal;
  if (!check_launch (launch, error) || !plan_account (&plan, error) || !plan_pipes (&plan, error)) {
    plan_clear (&plan);
    return NULL;
  }

  plan.isolated = launch->isolated && isolation_has_namespaces ();
  plan.ruleset = launch->ruleset != NULL ? *launch->ruleset : -1;
  pid_t pid = fork ();
  if (pid == 0)
    child_run (&plan);
  if (pid < 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': %s", launch->argv[0],
                    g_strerror (errno));
    plan_clear (&plan);
    return NULL;
  }

  /* Our own child, not yet waited for: the number is its. */
  int pidfd = open_pidfd (pid);
  if (pidfd < 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot watch process %d: %s", pid, g_strerror (errno));
    plan_clear (&plan); /* the closed gate sends it away */
    waitpid (pid, NULL, 0);
    return NULL;
  }
  g_autoptr (Process) process = process_new (pid, pidfd, process_stat_start_time (pid), TRUE);
  gboolean started = release_child (&plan, pid, process->start_time, error);
  plan_clear (&plan);
  if (started)
    return g_steal_pointer (&process);

  process_signal (process, SIGKILL);
  process_wait (process, PROCESS_GONE_TIMEOUT, NULL);
  return NULL;
}

Process *
process_adopt (GPid pid, guint64 start_time)
{
  if (pid <= 1 || start_time == 0)
    return NULL;

  int pidfd = open_pidfd (pid);
  if (pidfd < 0)
    return NULL;

  /* Looked at after the pidfd was opened: from here on it cannot become another. */
  g_autoptr (Process) process = process_new (pid, pidfd, start_time, FALSE);
  if (process_stat_start_time (pid) != start_time || !process_is_alive (process))
    return NULL;
  return g_steal_pointer (&process);
}

/* Take the exit status, once. Called when the pidfd says it has ended. */
static ProcessExit
process_reap (Process *process)
{
  siginfo_t info = { 0 };

  g_mutex_lock (&process->lock);
  if (!process->reaped) {
    process->reaped = TRUE;
    if (waitid (P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG) == 0
        && info.si_pid == process->pid) {
      process->how.known = TRUE;
      process->how.signalled = info.si_code != CLD_EXITED;
      process->how.code = info.si_status;
    }
  }
  ProcessExit how = process->how;
  g_mutex_unlock (&process->lock);
  return how;
}

static gboolean
process_on_end (int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Process *process = data;
  ProcessExit how = process_reap (process);

  process->watch = 0;
  if (process->ended != NULL)
    process->ended (process, how, process->data);
  return G_SOURCE_REMOVE;
}

void
process_watch (Process *process, ProcessEnded ended, gpointer data)
{
  g_return_if_fail (process->watch == 0);
  process->ended = ended;
  process->data = data;
  process->watch = g_unix_fd_add (process->pidfd, G_IO_IN, process_on_end, process);
}

void
process_free (Process *process)
{
  if (process == NULL)
    return;
  if (process->watch != 0)
    g_source_remove (process->watch);
  if (process->is_child && !process_is_alive (process))
    process_reap (process);
  close (process->pidfd);
  g_mutex_clear (&process->lock);
  g_free (process);
}

GPid
process_pid (const Process *process)
{
  return process->pid;
}

guint64
process_start_time (const Process *process)
{
  return process->start_time;
}

gboolean
process_is_alive (const Process *process)
{
  struct pollfd end = { process->pidfd, POLLIN, 0 };

  return poll (&end, 1, 0) == 0;
}

gboolean
process_wait (Process *process, guint timeout_ms, ProcessExit *ret_how)
{
  struct pollfd end = { process->pidfd, POLLIN, 0 };
  gint64 until = g_get_monotonic_time () + (gint64)timeout_ms * 1000;
  int ready;

  do {
    gint64 left = MAX (until - g_get_monotonic_time (), 0) / 1000;
    ready = poll (&end, 1, (int)MIN (left, G_MAXINT));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0)
    return FALSE;

  ProcessExit how = process_reap (process);
  if (ret_how != NULL)
    *ret_how = how;
  return TRUE;
}

gboolean
process_signal (Process *process, int signal_number)
{
  return syscall (SYS_pidfd_send_signal, process->pidfd, signal_number, NULL, 0) == 0;
}

int
process_dup_pidfd (const Process *process)
{
  return fcntl (process->pidfd, F_DUPFD_CLOEXEC, 0);
}

void
process_become_subreaper (void)
{
  prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

gboolean
process_usage (const Process *process, guint64 *ret_cpu_time, guint64 *ret_user_time,
               guint64 *ret_system_time, guint64 *ret_resident)
{
  static const int numbers[] = { PROC_STAT_UTIME, PROC_STAT_STIME, PROC_STAT_RSS, PROC_STAT_STARTTIME };
  guint64 values[G_N_ELEMENTS (numbers)];
  guint64 tick = 1000000000 / (guint64)sysconf (_SC_CLK_TCK);

  if (!process_stat_read (process->pid, numbers, G_N_ELEMENTS (numbers), values)
      || values[3] != process->start_time)
    return FALSE;

  *ret_user_time = values[0] * tick;
  *ret_system_time = values[1] * tick;
  *ret_cpu_time = (values[0] + values[1]) * tick;
  *ret_resident = values[2] * ((guint64)sysconf (_SC_PAGESIZE) / 1024);
  return TRUE;
}
