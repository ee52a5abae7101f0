/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/secret-source.h"
#include "daemon/object/registry.h"
#include "daemon/secret/secret-cell.h"
#include "secret/secret-document.h"

/*
 * Secrets: what is known of them is in their definitions, what they are about in their cells. Main loop only,
 * but for what is said to be for a job.
 */
typedef struct {
  union {
    Object object;
    struct {
      OBJECT_MEMBERS
    };
  };
  SecretDef *def;
  SecretCell *cell;
} Secret;

extern const ObjectKind secret_kind;

/* @usage_type: virSecretUsageType. NULL with VIR_ERR_NO_SECRET in libvirt's words. */
Secret *secrets_find_usage (Manager *manager, int usage_type, const char *usage_id, GError **error);

/*
 * In a job: the value of the secret that has the UUID, or (@uuid NULL) the usage, for what a machine or a
 * pool needs it for; one that is private, too. NULL with @error.
 */
SecretSource secrets_source (Manager *manager); /* the same as a machine's start and hotplug are given it */
SecretValue *secrets_fetch_value (Job *job, Manager *manager, const char *uuid, int usage_type,
                                  const char *usage_id, GError **error);
