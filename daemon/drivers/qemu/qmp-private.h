/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/qmp.h"

/* A conversation from the inside: what the socket's half (qmp.c) and the askers' half (qmp-mailbox.c) share.
 */
typedef enum { QMP_GREETING, QMP_NEGOTIATING, QMP_READY, QMP_CLOSED } QmpState;

typedef struct QmpCommand {
  guint id;
  char *name;
  gboolean done, abandoned;
  gboolean whole; /* the answer is all that QEMU said, as text */
  JsonNode *answer;
  GError *error;
  /* Of qmp_ask: */
  QmpReply reply;
  gpointer data;
  guint timer;
  Qmp *qmp; /* for the timer; not a reference */
} QmpCommand;

typedef struct {
  char *text;
  gsize length, sent;
  int fd; /* to be passed with the first byte; -1 */
} QmpOutgoing;

/* Something the handlers have not been told yet, as there were none. */
typedef struct {
  char *event; /* NULL: ready */
  JsonObject *arguments;
  gint64 microseconds;
} QmpNotice;

struct Qmp {
  gint ref_count;

  /* Main loop. */
  int fd;
  guint input, output; /* sources */
  const QmpHandlers *handlers;
  gpointer data;
  GQueue notices; /* QmpNotice */
  gboolean closed_told;
  GByteArray *buffer; /* read and not yet a whole line */
  gsize scanned;      /* of the buffer, without a line's end */
  GQueue outgoing;    /* QmpOutgoing */

  /* The mailbox. */
  GMutex lock;
  GCond changed;
  QmpState state;
  guint first_id; /* of qmp_capabilities */
  guint last_id;
  GHashTable *commands; /* id → QmpCommand */
  GError *end;          /* why it is closed */
};

void qmp_command_free (gpointer command);
/* Called with the lock held; takes @answer and @error. A job's command wakes its job; an asked one is taken
 * out, to be told by the caller when the lock is free again: (transfer full). */
QmpCommand *qmp_command_settle (Qmp *qmp, QmpCommand *command, JsonNode *answer, GError *error);
/* Takes @command; NULL is fine. */
void qmp_command_tell (QmpCommand *command);
GError *qmp_hung_up_error (const Qmp *qmp, const char *command);

/* Main loop. Takes @text and @fd. Commands wait for the greeting to be done. */
void qmp_write (Qmp *qmp, char *text, int fd);
