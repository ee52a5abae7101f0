/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loaded into a daemon that is to be killed in the midst of something: from the moment that the file $KILL_AT
 * is there, which says "before N" or "after N", commands to QEMU are counted, and the daemon is killed as it
 * sends the one of that number, or as it has sent it; where the file says "disk N", calls that change
 * directories, or make files shorter, are counted, and it is killed instead of the one of that number.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
count_disk (void)
{
  static int done;
  const char *path = getenv ("KILL_AT");
  FILE *file = path != NULL ? fopen (path, "re") : NULL;
  int number = 0;

  if (file == NULL)
    return;
  if (fscanf (file, "disk %d", &number) == 1 && ++done == number)
    kill (getpid (), SIGKILL);
  fclose (file);
}

int
rename (const char *from, const char *to)
{
  static int (*rename_it) (const char *, const char *);

  if (rename_it == NULL)
    *(void **)&rename_it = dlsym (RTLD_NEXT, "rename");
  count_disk ();
  return rename_it (from, to);
}

int
unlink (const char *path)
{
  static int (*unlink_it) (const char *);

  if (unlink_it == NULL)
    *(void **)&unlink_it = dlsym (RTLD_NEXT, "unlink");
  count_disk ();
  return unlink_it (path);
}

int
symlink (const char *target, const char *path)
{
  static int (*symlink_it) (const char *, const char *);

  if (symlink_it == NULL)
    *(void **)&symlink_it = dlsym (RTLD_NEXT, "symlink");
  count_disk ();
  return symlink_it (target, path);
}

int
ftruncate (int fd, off_t length)
{
  static int (*truncate_it) (int, off_t);

  if (truncate_it == NULL)
    *(void **)&truncate_it = dlsym (RTLD_NEXT, "ftruncate");
  count_disk ();
  return truncate_it (fd, length);
}

static int
is_command (const struct msghdr *message)
{
  static const char word[] = "\"execute\"";

  return message->msg_iovlen > 0
         && memmem (message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, word, sizeof word - 1) != NULL;
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  static ssize_t (*send_it) (int, const struct msghdr *, int);
  static int said;
  const char *path = getenv ("KILL_AT");
  FILE *file = path != NULL && is_command (message) ? fopen (path, "re") : NULL;
  char when[8] = "";
  int number = 0;
  ssize_t sent;

  if (send_it == NULL)
    *(void **)&send_it = dlsym (RTLD_NEXT, "sendmsg");
  if (file != NULL && fscanf (file, "%7s %d", when, &number) == 2)
    said++;
  if (file != NULL)
    fclose (file);
  if (number != 0 && said == number && strcmp (when, "before") == 0)
    kill (getpid (), SIGKILL);
  sent = send_it (fd, message, flags);
  if (number != 0 && said == number)
    kill (getpid (), SIGKILL);
  return sent;
}
