/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/*
 * The document of a secret: what it is for, whether it is kept and whether its value may be read. The value
 * itself is in no document. Pure; immutable once made, shared by reference, any thread.
 */
typedef enum { /* in virSecretUsageType's order, one behind it */
               SECRET_USAGE_ABSENT,
               SECRET_USAGE_NONE, /* after reading: absent */
               SECRET_USAGE_VOLUME,
               SECRET_USAGE_CEPH,
               SECRET_USAGE_ISCSI,
               SECRET_USAGE_TLS,
               SECRET_USAGE_VTPM
} SecretUsage;

typedef struct {
  int type;            /* SecretUsage */
  char *volume;        /* path */
  char *name, *target; /* of ceph, tls and vtpm; of iscsi */
} SecretUse;

typedef struct {
  int ephemeral; /* Tristate, after reading TRISTATE_YES or _NO: in memory only, value and definition */
  int private;   /* the same: no client is told the value */
  char *uuid, *description;
  SecretUse usage;
  gint ref_count;
} SecretDef;

extern const DocumentKind secret_document;
extern const EnumTable secret_usages;

/* virSecretUsageType. */
int secret_def_usage_type (const SecretDef *def);
/* What the value is for: a path, a name; NULL when it is for nothing. (borrowed) */
const char *secret_def_usage_id (const SecretDef *def);
