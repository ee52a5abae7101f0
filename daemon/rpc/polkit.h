/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* polkit's word on a local peer, over the system bus. Main loop only; never waits. */
typedef enum {
  POLKIT_ALLOWED,
  POLKIT_NEEDS_AGENT, /* the user would have to be asked, and nobody there can ask */
  POLKIT_REFUSED,     /* also when polkit cannot be reached */
} PolkitAnswer;

typedef void (*PolkitChecked) (PolkitAnswer answer, gpointer data);

/* The action of libvirt's that a client of the socket needs. */
const char *polkit_action (gboolean read_only);
void polkit_check (const char *action, pid_t pid, uid_t uid, PolkitChecked answered, gpointer data);
