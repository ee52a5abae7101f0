/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A file is opened again by its descriptor's path in /proc, and that asks for the right to the file itself:
 * so an account without rights is not enough, and CAP_DAC_OVERRIDE with Landlock is: every file of the host
 * may be opened as far as owners and modes go, and none but those here as far as Landlock goes. Neither of
 * them hinders a connection to the socket of some service; that sockets cannot be made does.
 */
#include "daemon/host/confinement.h"

#include "daemon/host/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY      65534 /* of every Linux: who has no number of their own */
#define EXIT_CAGE   127   /* of a child that cannot be confined */
#define X32_SYSCALL 0x40000000

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#endif

/* What headers older than the kernel do not have. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define SCOPES       3ULL /* abstract sockets and signals */
#define ABI_TRUNCATE 3
#define ABI_SCOPES   6

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define CHANGES                                                                                  \
  (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR \
   | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK    \
   | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct Confinement {
  gboolean root, namespaces;
  int ruleset; /* -1: the kernel has no Landlock */
};

/* struct landlock_ruleset_attr of the newest ABI known here; an older kernel takes its beginning. */
typedef struct {
  guint64 handled_access_fs, handled_access_net, scoped;
} RulesetAttributes;

static void
allow (int ruleset, int fd, guint64 access)
{
  struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = fd };

  if (syscall (SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
    g_debug ("a file cannot be opened for a confined program: %s", g_strerror (errno));
}

/* What is not there need not be allowed. */
static void
allow_path (int ruleset, const char *path, guint64 access)
{
  int fd = open (path, O_PATH | O_CLOEXEC);
  struct stat status;

  if (fd < 0)
    return;
  if (fstat (fd, &status) == 0 && !S_ISDIR (status.st_mode))
    access &= ~LANDLOCK_ACCESS_FS_READ_DIR;
  allow (ruleset, fd, access);
  close (fd);
}

/* What every program needs. */
static void
allow_programs (int ruleset, const char *program)
{
  static const char *const programs[] = { "/usr", "/lib", "/lib64", "/bin", NULL };
  static const char *const readable[] = { "/etc/ld.so.cache", "/dev/zero", "/dev/urandom", "/sys", NULL };

  for (guint i = 0; programs[i] != NULL; i++)
    allow_path (ruleset, programs[i], READING | LANDLOCK_ACCESS_FS_EXECUTE);
  for (guint i = 0; readable[i] != NULL; i++)
    allow_path (ruleset, readable[i], READING);
  allow_path (ruleset, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
  allow_path (ruleset, program, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
}

/* As it is open: for reading, for writing, or both. */
static void
allow_file (int ruleset, int fd, guint64 truncate)
{
  int mode = fcntl (fd, F_GETFL) & O_ACCMODE;
  guint64 access = (mode != O_WRONLY ? LANDLOCK_ACCESS_FS_READ_FILE : 0)
                   | (mode != O_RDONLY ? LANDLOCK_ACCESS_FS_WRITE_FILE | truncate : 0);

  allow (ruleset, fd, access);
}

static int
make_ruleset (const char *program, const int *files, guint count)
{
  long abi = syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  guint64 truncate = abi >= ABI_TRUNCATE ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
  RulesetAttributes attributes = { .handled_access_fs = READING | LANDLOCK_ACCESS_FS_EXECUTE
                                                        | LANDLOCK_ACCESS_FS_WRITE_FILE | CHANGES | truncate,
                                   .scoped = SCOPES };
  gsize size = abi >= ABI_SCOPES ? sizeof attributes : sizeof attributes.handled_access_fs;
  int ruleset = abi > 0 ? (int)syscall (SYS_landlock_create_ruleset, &attributes, size, 0) : -1;

  if (ruleset < 0)
    return -1;
  fcntl (ruleset, F_SETFD, FD_CLOEXEC);
  allow_programs (ruleset, program);
  for (guint i = 0; i < count; i++)
    allow_file (ruleset, files[i], truncate);
  return ruleset;
}

Confinement *
confinement_new (const char *program, const int *files, guint count)
{
  Confinement *confinement = g_new0 (Confinement, 1);

  confinement->root = geteuid () == 0;
  confinement->namespaces = confinement->root && isolation_has_namespaces ();
  confinement->ruleset = make_ruleset (program, files, count);
  return confinement;
}

void
confinement_free (Confinement *confinement)
{
  if (confinement == NULL)
    return;
  if (confinement->ruleset >= 0)
    close (confinement->ruleset);
  g_free (confinement);
}

/* In the child from here on. */

/* Where numbers of accounts are not to be had, as in a container with few, root without its rights is what
 * remains. FALSE when the rights stay. */
static gboolean
change_account (void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  const guint32 open_files = 1u << CAP_DAC_OVERRIDE;
  struct __user_cap_data_struct rights[2] = { { open_files, open_files, open_files }, { 0, 0, 0 } };

  for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
    if (capability != CAP_DAC_OVERRIDE)
      prctl (PR_CAPBSET_DROP, capability, 0, 0, 0);
  prctl (PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (syscall (SYS_setgroups, 0, NULL) != 0 || syscall (SYS_setresgid, NOBODY, NOBODY, NOBODY) != 0
      || syscall (SYS_setresuid, NOBODY, NOBODY, NOBODY) != 0)
    errno = 0;
  return syscall (SYS_capset, &header, rights) == 0
         && prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0) == 0;
}

/* Neither by socket nor by way of a ring. */
static gboolean
forbid_sockets (void)
{
#ifdef NATIVE_ARCH
  static struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, arch)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 5),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JGE | BPF_K, X32_SYSCALL, 3, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 3, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 2, 0),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
  };
  static const struct sock_fprog program = { G_N_ELEMENTS (filter), filter };

  return prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
#else
  return TRUE;
#endif
}

void
confinement_enter (gpointer data)
{
  const Confinement *confinement = data;

  if (confinement->root)
    unshare (CLONE_NEWNET); /* a container may forbid it to root */
  if ((confinement->namespaces && !isolation_enter_namespaces ()) || (confinement->root && !change_account ())
      || prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
      || (confinement->ruleset >= 0 && syscall (SYS_landlock_restrict_self, confinement->ruleset, 0) != 0)
      || !forbid_sockets ())
    _exit (EXIT_CAGE);
}
