/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Numbers of fields of /proc/PID/stat, as proc(5) counts them. */
#define PROC_STAT_UTIME     14
#define PROC_STAT_STIME     15
#define PROC_STAT_STARTTIME 22
#define PROC_STAT_RSS       24

/* The fields of those numbers (from 3), in their units. FALSE when there is no such process. Any thread. */
gboolean process_stat_read (pid_t pid, const int *numbers, guint count, guint64 *ret);
/* Clock ticks since the host's start; 0 when there is no such process. Any thread. */
guint64 process_stat_start_time (pid_t pid);
