/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * What is another on the host a machine comes to: files lie elsewhere, and it may get another name or
 * identity. The same values are exchanged in the completed definition and in the user's document. Pure; any
 * thread.
 */
typedef struct {
  char *name, *uuid, *genid; /* the new ones; NULL: as before */
  GHashTable *paths;         /* char * → char *: of images, kernels, the firmware's variables */
  GHashTable *addresses;     /* char * → char *: of network cards; lower case */
} ImportValues;

/* In @def, which nobody else has yet. Block devices among the paths become files. */
void import_values_set (const ImportValues *values, DomainDef *def);
/* In the user's document, every other byte left as it is; NULL where it cannot be edited so. (transfer full)
 */
char *import_values_edit (const ImportValues *values, const char *source);
