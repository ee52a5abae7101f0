/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

#include <gio/gunixfdlist.h>

/*
 * One call of one operation, from whichever wire: decoded arguments in, answered exactly once, now or later.
 * Main loop only. An unanswered call that is freed answers with VIR_ERR_INTERNAL_ERROR.
 */
typedef struct Operation Operation;

/* Who asks. Owned by its wire. */
typedef struct Client Client;
struct Client {
  gboolean read_only;
  uid_t uid;
  pid_t pid;
  char *who; /* ":1.42" or "unix:17", for the log */
  char *id;  /* no other client ever has it while the daemon runs; NULL: ourselves */
  gboolean ended;
  /* From now on its end has to be told to auto_destroy_client_ended; NULL: it is in any case. */
  void (*watch) (Client *client);
  gboolean compares_words; /* it is a client of libvirt's: of a start, libvirt's words come before a place */
};

/* An answer that is given again until what it tells of changes: it is encoded once. */
typedef struct {
  GVariant *value;
  GByteArray *encoded; /* as it stands on RPC; NULL: it was not asked for there yet */
} KeptAnswer;

struct Call {
  const Operation *operation;
  Manager *manager;
  Client *client;
  GVariant *arguments; /* a tuple in the operation's RPC shape; a domain is (sayi) */
  Object *object;      /* the first argument when it is one that a registry has: the same */
  Domain *domain;      /* the first argument when it is a domain: looked up before the function runs */
  char *domain_uuid;   /* the same, to find it again after a wait */
  Child *child; /* the first argument when its parent is an object: object, domain and domain_uuid are its
                   parent */
  /* The wire's half. */
  void (*respond) (Call *call, GVariant *answer, const GError *error);
  gpointer wire_data;
  GDestroyNotify wire_free;
  GUnixFDList *files;       /* descriptors that came with the call; NULL: none */
  GUnixFDList *descriptors; /* goes with the answer; NULL: none. On RPC, a stream that follows it, unless: */
  gboolean descriptors_in_answer; /* on RPC too */
  char *terminal;   /* what the stream is of, when only one client may have it at a time: see terminal.h */
  KeptAnswer *kept; /* what it is answered with, while it is; NULL: an answer of its own */
  gboolean answered;
  Lock *lock;         /* it has the lock of its object, and gives it back when answered; NULL: none */
  gpointer user_data; /* the operation's own, between steps */
  GDestroyNotify user_free;
};

void
call_answer (Call *call, GVariant *answer); /* sinks; a tuple in the operation's reply shape; frees @call */
void call_answer_nothing (Call *call);      /* "()" */
KeptAnswer *kept_answer_new (GVariant *value); /* sinks; as for call_answer */
void kept_answer_free (KeptAnswer *kept);
void call_answer_kept (Call *call, KeptAnswer *kept);
void call_fail (Call *call, GError *error); /* takes @error; frees @call */
void call_fail_with (Call *call, virErrorNumber code, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* As virt_error_set_from and virt_error_set_plain. */
void call_fail_from (Call *call, virErrorDomain origin, virErrorNumber code, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
void call_fail_plain (Call *call, virErrorDomain origin, virErrorNumber code, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* A call that ends without an answer (a queue or a job dropped at the daemon's end): answered with an error.
 */
void call_free (Call *call);
/* The call's domain after a wait: found again by UUID; answers the call and returns NULL when it is gone. */
Domain *call_find_domain_again (Call *call);
/* Has the lock of its object when @begin runs, perhaps at once, and gives it back when it is answered. @name
 * is static. A wait longer than the call timeout fails the call. */
void call_lock (Call *call, const char *name, void (*begin) (Call *call));
/* 16 bytes, as UUIDs stand in answers. */
GVariant *call_uuid_value (const char *uuid);
/* Who asks, for the history of what is defined. (transfer full) */
Author *call_author (const Call *call);
/* Every domain as it stands in answers: (sayi). (borrowed) */
GVariant *call_domain_value (Domain *domain);

/*
 * The part of a call that takes time and nothing of what the main loop owns: reading a document, writing one,
 * comparing. It is done in a job in its client's share (core/work.h); @bytes are those of the documents.
 * @done has @input as its data.
 */
void call_work (Call *call, gsize bytes, const char *name, JobFunction function, gpointer input,
                GDestroyNotify free_input, JobDone done);
/* The same for a call whose answer is all there is to make. @make runs in a job and looks at nothing of the
 * call but its arguments; its answer may be floating. @data is freed in the main loop. */
typedef GVariant *(*CallMake) (const Call *call, gpointer data, GError **error);
void
call_make (Call *call, gsize bytes, const char *name, CallMake make, gpointer data, GDestroyNotify free_data);

/* Arguments by position in the tuple. */
guint32 call_uint (const Call *call, guint index);
gint32 call_int (const Call *call, guint index);
guint64 call_ulong (const Call *call, guint index);
const char *call_string (const Call *call, guint index);
/* A UUID as a text; NULL when it is not 16 bytes. (transfer full) */
char *call_uuid (const Call *call, guint index);
const char *call_maybe_string (const Call *call, guint index); /* NULL when absent */
guint call_file_count (const Call *call);                      /* descriptors that came with it */
/* Fails the call (VIR_ERR_INVALID_ARG, in libvirt's words) and returns FALSE when @flags has bits outside
 * @known. */
gboolean call_check_flags (Call *call, guint32 flags, guint32 known);
