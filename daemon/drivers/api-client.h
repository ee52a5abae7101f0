/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include <json-glib/json-glib.h>

/*
 * Questions to a hypervisor whose API is HTTP/1.1 with JSON over a unix socket: each has a connection of its
 * own, bounds on what comes back, and a deadline. Job threads only. What is answered is untrusted.
 */
#define API_HEAD_MAX (16 * 1024)   /* bytes of an answer's status and headers */
#define API_BODY_MAX (1024 * 1024) /* bytes of its body: a whole config has 100 kB */
#define API_SECONDS  20 /* for one question, if the job has not less: a snapshot has the job's own */

typedef struct {
  const char *socket; /* path */
  const char *title;  /* of the hypervisor, in messages */
  guint seconds;      /* 0: API_SECONDS */
} ApiPlace;

/*
 * @method and @path as they stand in the request; @body is taken, NULL sends none. TRUE when the answer's
 * status is 2xx; then *@ret (may be NULL) is the object of its body, or NULL when it has none (transfer
 * full). VIR_ERR_OPERATION_TIMEOUT when it is silent, VIR_ERR_OPERATION_FAILED with its own words when it
 * says no or hangs up, VIR_ERR_INTERNAL_ERROR when what it says is not HTTP or too much.
 */
gboolean api_ask (const ApiPlace *place, Job *job, const char *method, const char *path, JsonObject *body,
                  JsonObject **ret, GError **error);

/* Can it be connected to? Waits for nothing. */
gboolean api_listens (const char *socket);
