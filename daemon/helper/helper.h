/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/host/account.h"
#include "daemon/host/process.h"

/*
 * A process beside a machine or a network: swtpm, virtiofsd, passt, dnsmasq. It is described by a plan,
 * started before its owner as an unprivileged account with descriptors, written down in the owner's run
 * directory before it executes, found again there by a later daemon, and ended with its owner. Its output
 * goes into a pipe that holds a bounded amount: it can neither fill a disk nor be held up, and its last words
 * are in the error or the message when it dies. None is started anew by itself: most have a connection to
 * their owner that cannot be made a second time, and an owner that can do with another one starts it.
 *
 *   plan → helper_start (a job) → helper_watch (main loop) → helper_stop, helper_free
 *   helpers_find (a later daemon) → helper_watch → ...
 */
typedef struct Helper Helper;

#define HELPER_NAME_MAX   64   /* bytes of a name */
#define HELPER_LAST_WORDS 2048 /* bytes that are kept of what it says */
#define HELPER_GRACE      5000 /* ms between SIGTERM and SIGKILL */
#define HELPERS_MAX       256  /* of one owner */

typedef struct {
  const char *name;   /* a file name, its owner has no other of that name: "tpm0-swtpm" */
  char **argv;        /* argv[0] is a path */
  char **environment; /* NULL: a minimal one */
  const int *fds;     /* ours, and stay so: ... */
  const int *fds_as;  /* ... the numbers they have in the process, above 2 */
  guint fd_count;
  const Account *account;      /* NULL: the daemon's own, ... */
  guint64 capabilities;        /* ... of which it keeps these, where it is root: 1 << CAP_... */
  gboolean isolated;           /* namespaces of its own, where they can be had */
  const char *const *writable; /* the only places it can change, by Landlock; NULL: not confined */
  /* A unix socket's path: it is ready when somebody listens there. NULL: it is ready once it executes, which
   * is enough for what gets its sockets as descriptors. */
  const char *ready_socket;
  const char *ready_words; /* in what it says: then it is ready as well; NULL: it says nothing of it */
  guint early_end;         /* ms in which it ends where it cannot do its work: waited for; 0: not */
} HelperPlan;

/*
 * In a job's thread, whose deadline and cancelling hold for every wait. @directory: the owner's run
 * directory, which exists; "helper-NAME.json" and "helper-NAME.out" in it are the helper's. On failure
 * nothing is left, and the error (VIR_ERR_INTERNAL_ERROR) has the program's last words.
 */
Helper *helper_start (const HelperPlan *plan, const char *directory, Job *job, GError **error);

/* A program that does its work and ends, such as swtpm_setup: waits for its end, with success. Its words are
 * in the error otherwise. In a job's thread. */
gboolean helper_run (const HelperPlan *plan, const char *directory, Job *job, GError **error);

/* Those written down in @directory, by a daemon before; one that ended meanwhile is among them, and
 * helper_watch tells so. Main loop, waits for nothing. (transfer full), of Helper */
GPtrArray *helpers_find (const char *directory);

/* Main loop. @ended is called once when it ends other than by helper_stop, soon if it already has. */
typedef void (*HelperEnded) (Helper *helper, const char *last_words, gpointer data);
void helper_watch (Helper *helper, HelperEnded ended, gpointer data);

/* Its orderly end: SIGTERM, and SIGKILL after HELPER_GRACE. Any thread; waits for nothing. Its files go. */
void helper_stop (Helper *helper);
/* The same, waited for: it has gone when this returns. In a job's thread. */
void helper_end (Helper *helper);
/* FALSE: it has ended. Any thread. */
gboolean helper_signal (Helper *helper, int number);
/* The owner has gone, and nobody knows its helpers: those in @directory are stopped. */
void helpers_stop_in (const char *directory);
/* The same for every directory in @parent for which @owned (directory's name) is FALSE: what was started for
 * an owner that never was. */
void
helpers_stop_strays (const char *parent, gboolean (*owned) (const char *name, gpointer data), gpointer data);

/* What it said last where it has ended, or does so within @milliseconds; NULL: it runs. For an error of its
 * owner's start, in that job. (transfer full) */
char *helper_end_words (Helper *helper, guint milliseconds);

const char *helper_name (const Helper *helper);
GPid helper_pid (const Helper *helper); /* 0: it has ended */
void helper_free (Helper *helper);      /* the process goes on */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Helper, helper_free)
