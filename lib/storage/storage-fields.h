/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* What the documents of pools and of volumes have in common. Pure. */

/* A name that is one entry of a directory: no '/', no NUL, not "." or "..", at most this many bytes. */
#define STORAGE_NAME_MAX 255

/* Number of bytes; text with @unit (bytes when absent), written unit='bytes'. */
extern const FieldType field_bytes;
/* Number; the permission bits in octal, written with a leading 0 and four digits. */
extern const FieldType field_mode;

typedef struct {
  Number mode;
  SignedNumber owner, group; /* -1, and absent: whoever makes the file */
  char *label;
} StoragePermissions;

extern const FieldTable storage_permissions_table;

/* NULL when @name can be an entry of a directory; otherwise why not, as the end of a sentence that begins
 * with the name (static). */
const char *storage_name_mistake (const char *name);
