/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/secret-value.h"

/* Who gives a machine's start the values of the secrets that its document names. */
typedef struct {
  /* In a job: the value of the secret with that UUID, or (@uuid NULL) of that virSecretUsageType and usage;
   * NULL with @error (VIR_ERR_NO_SECRET). (transfer full) */
  SecretValue *(*fetch) (gpointer data, Job *job, const char *uuid, int usage_type, const char *usage,
                         GError **error);
  gpointer data;
} SecretSource;
