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
  /* Of qmp_query: */
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

#define QMP_EVENTS_A_SECOND    256 /* handed on at once; more wait, and the later overtake the earlier */
#define QMP_FLOOD_MILLISECONDS 1000

/* Something the handlers have not been told yet, as there were none, or too much of it. */
typedef struct {
  char *event; /* NULL: ready */
  char *key;   /* in by_key; NULL: not there */
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
  GQueue notices;     /* QmpNotice */
  GHashTable *by_key; /* char * → its place among those that wait; NULL: none has waited yet */
  gint64 second_began;
  guint events_in_second;
  guint flood_timer; /* source: until then events wait */
  guint dropped;
  guint more; /* source: whole lines are in the buffer */
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
void qmp_command_notify (QmpCommand *command);
GError *qmp_hung_up_error (const Qmp *qmp, const char *command);

/* Main loop. An event, or with NULL that the conversation is ready, for the handlers. Takes @arguments. */
void qmp_notice (Qmp *qmp, const char *event, JsonObject *arguments, gint64 microseconds);
/* All that waits, now, if anybody listens. */
void qmp_notices_flush (Qmp *qmp);
void qmp_notices_clear (Qmp *qmp);

/* Main loop. Takes @text and @fd. Commands wait for the greeting to be done. */
void qmp_write (Qmp *qmp, char *text, int fd);
