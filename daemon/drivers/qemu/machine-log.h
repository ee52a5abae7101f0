/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"

/*
 * What a machine's QEMU says: log_directory/NAME.log. Each start begins with a banner that says when, what
 * and with which arguments. Any thread.
 */
typedef struct {
  int fd;     /* for appending only: QEMU has it too */
  int reader; /* the same file */
  char *path;
  goffset begin;  /* of what this QEMU says, after the banner */
  guint64 backup; /* which file NAME.log.0 was then; another one: the log was emptied since */
} MachineLog;

gboolean machine_log_open (MachineLog *ret, const Settings *settings, const char *name, GError **error);
/*
 * A log that has grown past MACHINE_LOG_MAX becomes NAME.log.0, the older ones .1 and .2, and the oldest
 * goes. At a start the file is renamed; under a running machine, which has it open, it is copied and emptied.
 */
#define MACHINE_LOG_MAX     (2 * 1024 * 1024) /* bytes */
#define MACHINE_LOG_BACKUPS 3
#define MACHINE_LOG_SECONDS 30 /* between two looks at the logs of running machines */
/* All logs in @directory. May wait for the disk: not in the main loop. */
void machine_logs_rotate (const char *directory);

void machine_log_banner (MachineLog *log, const char *qemu_version, char **environment, char **argv);
void machine_log_line (MachineLog *log, const char *text);
/* The last of what this QEMU has said, at most MACHINE_LOG_LAST_WORDS bytes; "" when it said nothing.
 * (transfer full) */
#define MACHINE_LOG_LAST_WORDS 2048
char *machine_log_last_words (const MachineLog *log);
void machine_log_clear (MachineLog *log);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MachineLog, machine_log_clear)
