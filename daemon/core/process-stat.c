/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel says of a process in /proc/PID/stat. The start time is what tells a process from a later
 * one of the same number.
 */
#include "daemon/core/process-stat.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PROC_STAT_MAX 4096 /* bytes of /proc/PID/stat */

gboolean
process_stat_read (pid_t pid, const int *numbers, guint count, guint64 *ret)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  char text[PROC_STAT_MAX];
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t length;

  if (fd < 0)
    return FALSE;
  length = read (fd, text, sizeof text - 1);
  close (fd);
  if (length <= 0)
    return FALSE;
  text[length] = '\0';

  char *after_name = strrchr (text, ')');
  if (after_name == NULL)
    return FALSE;

  g_auto (GStrv) fields = g_strsplit (after_name + 1, " ", -1); /* [0] is "", [1] field 3 */
  guint available = g_strv_length (fields);
  for (guint i = 0; i < count; i++) {
    guint index = (guint)numbers[i] - 2;
    if (index >= available)
      return FALSE;
    ret[i] = g_ascii_strtoull (fields[index], NULL, 10);
  }
  return TRUE;
}

guint64
process_stat_start_time (pid_t pid)
{
  const int field = PROC_STAT_STARTTIME;
  guint64 value = 0;

  return process_stat_read (pid, &field, 1, &value) ? value : 0;
}
