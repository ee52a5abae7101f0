/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/machine-status.h"
#include "daemon/host/process.h"

/*
 * How and when a machine last ended, or failed to start: kept in state_directory/ends/UUID.json over every
 * restart, until the definition goes. While it runs there is UUID.running beside it, so that an end that
 * nobody saw is one as well: the host's own.
 */

typedef struct {
  gint64 ended, started; /* g_get_real_time; 0: not known */
  int reason;            /* virDomainShutoffReason */
  ProcessExit exit;
  gint64 pid;
  gboolean panicked; /* the guest's kernel said so */
  gboolean off;      /* the guest switched itself off */
  gboolean unseen;   /* no daemon saw it */
  gboolean host;     /* the host was restarted, or lost its power, while it ran */
  gboolean memory;   /* the kernel ended it, for the want of memory */
  EndAsked asked;
  char *words;        /* QEMU's last, or why it could not be started */
  GPtrArray *helpers; /* char *: what became of helpers before it */
} LastEnd;

LastEnd *last_end_new (void);
void last_end_free (LastEnd *end);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LastEnd, last_end_free)

#define LAST_END_MAX (64 * 1024) /* bytes of a file */
char *last_end_to_json (const LastEnd *end);
/* Untrusted. NULL with @error: damaged. */
LastEnd *last_end_from_json (const char *json, gsize length, GError **error);

/* It holds from now on for every daemon to come; for the host's own crash a little later. Any thread. */
void last_end_save (const Settings *settings, const char *uuid, const LastEnd *end);
/* The same, if it is that end still which is kept. */
void last_end_complete (const Settings *settings, const char *uuid, const LastEnd *end);
/* NULL without @error: it has not ended yet, or nobody knows. */
LastEnd *last_end_load (const Settings *settings, const char *uuid, GError **error);
/* Where it is kept. (transfer full) */
char *last_end_path (const Settings *settings, const char *uuid);
/* The definition has gone. */
void last_end_forget (const Settings *settings, const char *uuid);

/* It runs now, since @started; it does no longer. */
void last_end_mark_running (const Settings *settings, const char *uuid, gint64 started);
void last_end_unmark_running (const Settings *settings, const char *uuid);
/* Those that are marked: UUIDs. (transfer full) */
GPtrArray *last_end_list_running (const Settings *settings);
/* One that is marked and does not run: its end was not seen, or was the host's. */
void last_end_save_unseen (const Settings *settings, const char *uuid);

/* What the machine's log says since its last start, at most MACHINE_LOG_LAST_WORDS bytes. (transfer full) */
char *last_end_words (const Settings *settings, const char *name);
/* Has the kernel ended process @pid because memory was short? Looks at the kernel's messages, as far as this
 * daemon may. */
gboolean last_end_was_oom (gint64 pid);
