/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include <sys/types.h>

/*
 * The process of one machine: started, watched by pidfd, found again after the daemon was away, ended.
 * It runs in its own session, with the descriptors it was given and no others, as the user it was given.
 */
typedef struct Process Process;

/* Exit as seen by the daemon; for an adopted process (not our child) the status may not be known. */
typedef struct {
  gboolean known;
  gboolean signalled;
  int code; /* exit status, or the signal's number */
} ProcessExit;
typedef void (*ProcessEnded) (Process *process, ProcessExit how, gpointer data);

typedef struct {
  char **argv;
  char **environment; /* NULL: a minimal one is made */
  const int *fds;     /* our descriptors, ... */
  const int *fds_as;  /* ... and the numbers they have in the process */
  guint fd_count;
  int output_fd;       /* stdout and stderr */
  const char *user;    /* NULL: the daemon's own */
  uid_t uid;           /* an account without a name, when not 0; ... */
  gid_t gid;           /* ... its group; 0: the one of the same number */
  const gid_t *groups; /* supplementary ones, when @user or @uid is given */
  guint group_count;
  guint64 capabilities;  /* 1 << CAP_...: those a process of root's keeps, of those the daemon has */
  const char *directory; /* working directory; NULL: "/" */
  gboolean isolated;     /* in namespaces of its own, where they can be had: see isolation.h */
  const int *ruleset;    /* of Landlock, see isolation.h; NULL: none */
  /* Called between fork and exec: the process exists, and executes only when this returns TRUE. When the
   * daemon dies meanwhile, it never does. NULL: no such stop. */
  gboolean (*created) (GPid pid, guint64 start_time, gpointer data, GError **error);
  gpointer created_data;
} ProcessLaunch;

/* Any thread. Returns once exec has happened or failed (the error then says why, with the program's path). */
Process *process_spawn (const ProcessLaunch *launch, GError **error);
/* Any thread. A process that is what it was (pid with that start time), or NULL when it is gone. */
Process *process_adopt (GPid pid, guint64 start_time);
/* Main loop: @ended is called once, as soon as the process ends (also if it already has). */
void process_watch (Process *process, ProcessEnded ended, gpointer data);
void process_free (Process *process); /* stops watching; does not end the process */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Process, process_free)

GPid process_pid (const Process *process);
guint64 process_start_time (const Process *process); /* field 22 of /proc/PID/stat: clock ticks since boot */
gboolean process_is_alive (const Process *process);  /* a zombie is not */
/* Any thread: wait until it ends, at most so long. FALSE: it is still there. */
gboolean process_wait (Process *process, guint timeout_ms, ProcessExit *ret_how);
gboolean process_signal (Process *process, int signal); /* through the pidfd: never another process */
int process_dup_pidfd (const Process *process);         /* a descriptor of one's own, -1 on failure */
/* The daemon reaps what it starts, also where PID 1 does not. Once at start. */
void process_become_subreaper (void);
/* CPU time in ns, resident memory in KiB; FALSE when it is gone. */
gboolean process_usage (const Process *process, guint64 *ret_cpu_time, guint64 *ret_user_time,
                        guint64 *ret_system_time, guint64 *ret_resident);
