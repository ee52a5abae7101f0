/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Starting a program of the image: as whom, where, with which environment, on pipes or a terminal of its own.
 * Users and groups are read from the image's own files by the C library's readers of one file: a statically
 * linked program has no name service.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define GROUPS_MAX   64
#define NOT_FOUND    127 /* as a shell says it */
#define NOT_STARTED  126
#define NOT_PREPARED 125

typedef struct {
  uid_t uid;
  gid_t gid;
  gid_t more[GROUPS_MAX];
  size_t more_count;
  char name[256];
  char home[1024];
} Who;

static bool
number (const char *text, unsigned *ret)
{
  char *end;
  unsigned long value = strtoul (text, &end, 10);

  *ret = (unsigned)value;
  return *text >= '0' && *text <= '9' && *end == '\0' && value < UINT32_MAX;
}

/* Its entry, by name or number. What is no entry may still be a number. */
static bool
find_user (const char *word, Who *who)
{
  FILE *file = fopen ("/etc/passwd", "re");
  unsigned uid = 0;
  bool is_number = number (word, &uid);
  bool found = false;

  for (struct passwd *entry; file != NULL && !found && (entry = fgetpwent (file)) != NULL;) {
    found = strcmp (entry->pw_name, word) == 0 || (is_number && entry->pw_uid == uid);
    if (!found)
      continue;
    who->uid = entry->pw_uid;
    who->gid = entry->pw_gid;
    snprintf (who->name, sizeof who->name, "%s", entry->pw_name);
    snprintf (who->home, sizeof who->home, "%s", entry->pw_dir);
  }
  if (file != NULL)
    fclose (file);
  if (!found && is_number)
    who->uid = uid;
  return found || is_number;
}

static bool
find_group (const char *word, gid_t *ret_gid)
{
  FILE *file = fopen ("/etc/group", "re");
  unsigned gid = 0;
  bool found = number (word, &gid);

  for (struct group *entry; file != NULL && !found && (entry = fgetgrent (file)) != NULL;) {
    if (strcmp (entry->gr_name, word) == 0) {
      gid = entry->gr_gid;
      found = true;
    }
  }
  if (file != NULL)
    fclose (file);
  *ret_gid = gid;
  return found;
}

static void
find_more_groups (Who *who)
{
  FILE *file = fopen ("/etc/group", "re");

  for (struct group *entry; file != NULL && (entry = fgetgrent (file)) != NULL;) {
    for (char **member = entry->gr_mem; *member != NULL && who->more_count < GROUPS_MAX; member++) {
      if (strcmp (*member, who->name) == 0)
        who->more[who->more_count++] = entry->gr_gid;
    }
  }
  if (file != NULL)
    fclose (file);
}

/* "USER[:GROUP]" */
static const char *
find_who (const char *user, Who *who)
{
  static char why[512];
  char word[512];
  char *group;

  memset (who, 0, sizeof *who);
  snprintf (who->home, sizeof who->home, "/root");
  snprintf (word, sizeof word, "%s", user != NULL && *user != '\0' ? user : "0");
  group = strchr (word, ':');
  if (group != NULL)
    *group++ = '\0';
  if (!find_user (word, who)) {
    snprintf (why, sizeof why, "the image has no user '%.400s'", word);
    return why;
  }
  if (group != NULL && *group != '\0' && !find_group (group, &who->gid)) {
    snprintf (why, sizeof why, "the image has no group '%.400s'", group);
    return why;
  }
  if (group == NULL)
    find_more_groups (who);
  return NULL;
}

static bool
has (const Plan *plan, const char *name)
{
  for (size_t i = 0; i < plan->environment_count; i++) {
    if (strncmp (plan->environment[i], name, strlen (name)) == 0)
      return true;
  }
  return false;
}

static void
set_environment (const Plan *plan, const Who *who)
{
  clearenv ();
  setenv ("PATH", PATH_DEFAULT, 1);
  setenv ("HOME", who->home[0] != '\0' ? who->home : "/", 1);
  if (plan->hostname != NULL)
    setenv ("HOSTNAME", plan->hostname, 1);
  if (plan->terminal && !has (plan, "TERM="))
    setenv ("TERM", "xterm", 1);
  for (size_t i = 0; i < plan->environment_count; i++)
    putenv (plan->environment[i]);
}

/* In the child: becomes the program, or says to @report why not. */
static void
become (const Plan *plan, const Who *who, int report)
{
  sigset_t none;
  const char *directory = plan->directory != NULL ? plan->directory : "/";

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  set_environment (plan, who);
  if (setgroups (who->more_count, who->more) == 0 && setgid (who->gid) == 0 && setuid (who->uid) == 0
      && chdir (directory) == 0)
    execvp (plan->arguments[0], plan->arguments);
  if (write (report, &errno, sizeof errno) < 0)
    _exit (NOT_PREPARED);
  _exit (NOT_STARTED);
}

/* The working directory is made where it is missing, as other runners of images do. */
static void
make_directory (const Plan *plan)
{
  char path[4096];

  snprintf (path, sizeof path, "%s", plan->directory != NULL ? plan->directory : "/");
  for (char *at = path + 1; *at != '\0'; at++) {
    if (*at != '/')
      continue;
    *at = '\0';
    mkdir (path, 0755);
    *at = '/';
  }
  mkdir (path, 0755);
}

static void
hear_why (const Plan *plan, int report, Process *process)
{
  static char why[1024];
  int problem = 0;

  if (read (report, &problem, sizeof problem) != sizeof problem)
    return;
  snprintf (why, sizeof why, "cannot run '%.400s' in '%.400s': %s", plan->arguments[0],
            plan->directory != NULL ? plan->directory : "/", strerror (problem));
  process->why = why;
  process->status = problem == ENOENT ? NOT_FOUND : NOT_STARTED;
}

typedef struct {
  int input[2], output[2], errors[2], report[2];
} Pipes;

static void
use_pipes (const Plan *plan, const Pipes *pipes)
{
  int input = plan->input ? pipes->input[0] : open ("/dev/null", O_RDONLY);

  setsid ();
  dup2 (input, STDIN_FILENO);
  dup2 (pipes->output[1], STDOUT_FILENO);
  dup2 (pipes->errors[1], STDERR_FILENO);
}

void
process_start (const Plan *plan, Process *process)
{
  Pipes pipes;
  Who who;
  int terminal = -1;

  *process = (Process){ .pid = -1, .input = -1, .output = -1, .errors = -1, .status = NOT_PREPARED };
  process->why = find_who (plan->user, &who);
  if (process->why != NULL)
    return;
  make_directory (plan);
  if (pipe2 (pipes.input, O_CLOEXEC) < 0 || pipe2 (pipes.output, O_CLOEXEC) < 0
      || pipe2 (pipes.errors, O_CLOEXEC) < 0 || pipe2 (pipes.report, O_CLOEXEC) < 0) {
    process->why = "no pipes";
    return;
  }
  process->pid = plan->terminal ? forkpty (&terminal, NULL, NULL, NULL) : fork ();
  if (process->pid == 0) {
    if (!plan->terminal)
      use_pipes (plan, &pipes);
    else if (fchown (STDIN_FILENO, who.uid, (gid_t)-1) < 0)
      say ("the terminal stays root's: %s", strerror (errno));
    become (plan, &who, pipes.report[1]);
  }
  close (pipes.input[0]);
  close (pipes.output[1]);
  close (pipes.errors[1]);
  close (pipes.report[1]);
  if (plan->terminal) {
    close (pipes.input[1]);
    close (pipes.output[0]);
    close (pipes.errors[0]);
    fcntl (terminal, F_SETFD, FD_CLOEXEC);
    process->input = process->output = terminal;
  } else {
    process->input = pipes.input[1];
    process->output = pipes.output[0];
    process->errors = pipes.errors[0];
  }
  if (process->pid < 0)
    process->why = strerror (errno);
  else
    hear_why (plan, pipes.report[0], process);
  close (pipes.report[0]);
}
