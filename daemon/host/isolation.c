/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's means against a hypervisor that its guest has taken over. Namespaces need privileges and are
 * refused in many containers: whether they can be had is found out by a child that takes them and ends, as
 * each step may be refused for a reason of its own. Landlock needs none, and is what a session's machines
 * have.
 *
 * There is no network namespace: user-mode networking is the host's network. There is no namespace of process
 * numbers either. Its first process is not ended by signals of its own: as that, QEMU would survive its own
 * abort until the fault behind it, and be told of as ended by another. A first process beside it has to be a
 * program of its own, or keeps the daemon's memory; it is one more that the host may run out of memory over
 * and whose end is the machine's, and QEMU, no child of it, would have to be handed to the daemon between its
 * making and its note on disk, which is the one instant at which a daemon that is killed must not lose it.
 * What it would give, that other processes are neither seen nor signalled, is had by the mount of /proc, by
 * accounts and by Landlock, which keeps signals in from Linux 6.12 on.
 */
#include "daemon/host/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROC "/proc"
/* Of this mount alone: kernels whose mounts of /proc share their options do not know the word. */
#define PROC_OPTIONS "hidepid=ptraceable"

/* What headers older than the kernel do not have. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define SCOPE_SIGNAL (1ULL << 1) /* LANDLOCK_SCOPE_SIGNAL */

#define ABI_REFER    2
#define ABI_TRUNCATE 3
#define ABI_SCOPE    6

/* struct landlock_ruleset_attr of the newest ABI known here; an older kernel takes its beginning. */
typedef struct {
  guint64 handled_access_fs;
  guint64 handled_access_net; /* from ABI 4 */
  guint64 scoped;             /* from ABI 6 */
} RulesetAttributes;

/* All that changes a directory or a file. Reading is left to owners and modes. */
#define CHANGES                                                                                   \
  (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE \
   | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG     \
   | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK  \
   | LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Those of them that a rule about a file, and not a directory, may name. */
#define CHANGES_OF_A_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

/* Namespaces. */

gboolean
isolation_enter_namespaces (void)
{
  /* What the host mounts and unmounts is still seen, so that no machine keeps a file system busy. */
  return unshare (CLONE_NEWNS | CLONE_NEWIPC) == 0 && mount (NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0
         && mount ("proc", PROC, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, PROC_OPTIONS) == 0;
}

/* 0, or why not. */
static int
try_namespaces (void)
{
  pid_t pid = fork ();
  int status = 0;

  if (pid == 0)
    _exit (isolation_enter_namespaces () ? 0 : errno);
  if (pid < 0)
    return errno;
  while (waitpid (pid, &status, 0) < 0)
    if (errno != EINTR)
      return errno;
  return WIFEXITED (status) ? WEXITSTATUS (status) : EPERM;
}

gboolean
isolation_has_namespaces (void)
{
  static gsize once; /* 1: they can be had; 2: they cannot */

  if (g_once_init_enter (&once)) {
    int problem = try_namespaces ();

    if (problem != 0)
      g_message ("machines have no namespaces of their own here: %s", g_strerror (problem));
    g_once_init_leave (&once, problem == 0 ? 1 : 2);
  }
  return once == 1;
}

/* Landlock. */

static int
landlock_abi (void)
{
  static gsize once; /* the version and one */

  if (g_once_init_enter (&once)) {
    long version = syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1)
      g_message ("machines are not confined by Landlock: %s", g_strerror (errno));
    g_once_init_leave (&once, (gsize)MAX (version, 0) + 1);
  }
  return (int)once - 1;
}

static guint64
handled_changes (int abi)
{
  return CHANGES | (abi >= ABI_REFER ? LANDLOCK_ACCESS_FS_REFER : 0)
         | (abi >= ABI_TRUNCATE ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

/* Async-signal-safe. FALSE with errno set. */
static gboolean
allow (int ruleset, const char *path, guint64 changes)
{
  struct landlock_path_beneath_attr beneath = { .allowed_access = changes };
  struct stat status;
  gboolean allowed;
  int problem;

  beneath.parent_fd = open (path, O_PATH | O_CLOEXEC);
  if (beneath.parent_fd < 0)
    return FALSE;
  if (fstat (beneath.parent_fd, &status) == 0 && !S_ISDIR (status.st_mode))
    beneath.allowed_access &= CHANGES_OF_A_FILE;
  allowed = syscall (SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
  problem = errno;
  close (beneath.parent_fd);
  errno = problem;
  return allowed;
}

int
isolation_ruleset_new (const char *const *writable)
{
  int abi = landlock_abi ();
  RulesetAttributes attributes = { .handled_access_fs = handled_changes (abi),
                                   .scoped = abi >= ABI_SCOPE ? SCOPE_SIGNAL : 0 };
  gsize size = abi >= ABI_SCOPE ? sizeof attributes : sizeof attributes.handled_access_fs;
  int ruleset = abi > 0 ? (int)syscall (SYS_landlock_create_ruleset, &attributes, size, 0) : -1;

  if (ruleset < 0)
    return -1;
  fcntl (ruleset, F_SETFD, FD_CLOEXEC);
  for (; *writable != NULL; writable++)
    if (!allow (ruleset, *writable, attributes.handled_access_fs))
      g_debug ("%s cannot be opened for a machine: %s", *writable, g_strerror (errno));
  return ruleset;
}

gboolean
isolation_enter_ruleset (int ruleset)
{
  /* The /proc of its own namespace, in which it names its threads. */
  allow (ruleset, PROC, LANDLOCK_ACCESS_FS_WRITE_FILE);
  return syscall (SYS_landlock_restrict_self, ruleset, 0) == 0;
}
