/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/settings.h"

/*
 * What a machine's QEMU says: log_directory/NAME.log. Each start begins with a banner that says when, what
 * and with which arguments. Any thread.
 */
typedef struct {
  int fd;
  char *path;
  goffset begin; /* of what this QEMU says, after the banner */
} MachineLog;

gboolean machine_log_open (MachineLog *ret, const Settings *settings, const char *name, GError **error);
void machine_log_banner (MachineLog *log, const char *qemu_version, char **environment, char **argv);
void machine_log_line (MachineLog *log, const char *text);
/* The last of what this QEMU has said, at most MACHINE_LOG_LAST_WORDS bytes; "" when it said nothing.
 * (transfer full) */
#define MACHINE_LOG_LAST_WORDS 2048
char *machine_log_last_words (const MachineLog *log);
void machine_log_clear (MachineLog *log);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MachineLog, machine_log_clear)
