/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"
#include "daemon/drivers/qemu/start.h"

/*
 * Everything that would make a start fail on this host, before anything is begun: all of it at once, each
 * with what can be done about it. Nothing is made, taken, emptied or started.
 */
typedef enum {
  CHECK_NOTE,    /* no trouble */
  CHECK_WARNING, /* it starts, and something will not be as it should */
  CHECK_ERROR,   /* it does not start */
} CheckSeverity;

typedef struct {
  char *check; /* "files": the row's name */
  CheckSeverity severity;
  Position where; /* in the document; line 0: none */
  char *what;     /* "Cannot access storage file '/srv/a.qcow2': No such file or directory (disk vda)" */
  char *cure;     /* a line for the host's shell, or a sentence; NULL: none is known */
} CheckFinding;

#define CHECK_FINDINGS_MAX 256 /* further ones are left out */

GPtrArray *check_findings_new (void); /* of CheckFinding */
/* @error and what can be done about it (start-cures.c). */
void check_add_error (GPtrArray *findings, const char *check, const GError *error);
void check_add (GPtrArray *findings, const char *check, CheckSeverity severity, const char *cure,
                const char *format, ...) G_GNUC_PRINTF (5, 6);
/* Each line of the daemon's refusal of a document, with its place. */
void check_add_document (GPtrArray *findings, const GError *error);
gboolean check_mentions (const GPtrArray *findings, const char *path);

/* In a job. @request: as for a start, with is_check; its volumes are files and its cards plugged already.
 * Adds to @findings. */
void start_check (Job *job, const StartRequest *request, GPtrArray *findings);

/* start-cures.c: what can be done about it, by the words of the refusal; NULL: nothing is known. (transfer
 * full) */
char *check_cure (const char *message);
