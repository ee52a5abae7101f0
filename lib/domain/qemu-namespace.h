/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/*
 * What a document says in libvirt's namespace for QEMU, past the format: words for its command line and its
 * environment, capabilities it is taken to have or to lack, properties of its devices.
 */
#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

typedef struct {
  char *value;
} QemuArgument;

typedef struct {
  char *name, *value; /* no value: set to nothing */
} QemuVariable;

typedef struct {
  char *name;
} QemuCapability;

typedef enum {
  OVERRIDE_NONE,
  OVERRIDE_STRING,
  OVERRIDE_SIGNED,
  OVERRIDE_UNSIGNED,
  OVERRIDE_BOOL,
  OVERRIDE_REMOVE,
} QemuOverrideType;

typedef struct {
  char *name;
  int type;    /* QemuOverrideType */
  char *value; /* NULL with OVERRIDE_REMOVE only */
} QemuProperty;

/* Properties of the -device with the id @alias. */
typedef struct {
  char *alias;
  GPtrArray *properties; /* QemuProperty; NULL: none */
} QemuOverride;

/* Lists are NULL where nothing is said. */
typedef struct {
  GPtrArray *arguments;      /* QemuArgument */
  GPtrArray *environment;    /* QemuVariable */
  GPtrArray *added, *lacked; /* QemuCapability */
  GPtrArray *overrides;      /* QemuOverride */
  char *deprecation;         /* how QEMU meets what is deprecated: "omit", "reject", "crash" or "none" */
} DomainQemuNamespace;

extern const FieldTable qemu_argument_table, qemu_variable_table, qemu_capability_table, qemu_override_table;

gboolean qemu_namespace_is_empty (const DomainQemuNamespace *said);
/* "true" or "false"; FALSE when it is neither. */
gboolean qemu_override_bool (const char *text, gboolean *ret);
