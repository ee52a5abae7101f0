/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/ops/ops.h"

#include "domain/devices/disk.h"

#include <json-glib/json-glib.h>

/*
 * A change of a few values of a domain: told to its running machine, kept in the stored definition, or both,
 * as VIR_DOMAIN_AFFECT_* say. The stored definition is written aside first, and takes its place when QEMU has
 * agreed.
 */
#define CHANGE_MAX_ELEMENTS 3

/* The running machine, for a job: nothing of it changes meanwhile but by QEMU's own will. */
typedef struct {
  Qmp *qmp; /* NULL: its monitor is closed */
  GPid pid;
  DomainDef *def; /* as it will be */
} ChangeTarget;

typedef struct {
  const char *name; /* of who has the lock; static */
  guint affect;     /* VIR_DOMAIN_AFFECT_*: what the client asked for */
  /* FALSE and @error when it cannot be, for the running machine (@machine given) or its definition. @def may
   * be read and changed. */
  gboolean (*apply) (DomainDef *def, const Machine *machine, gconstpointer values, GError **error);
  gpointer values;            /* freed with ... */
  GDestroyNotify free_values; /* ... this; NULL: g_free */
  /* What QEMU is told, once apply has agreed; NULL: there is nothing to be told. */
  const char *(*command) (const Machine *machine, gconstpointer values, JsonObject **ret_arguments);
  /* Or a longer conversation, with QEMU or the kernel, in a job; NULL: there is none. */
  gboolean (*enact) (Job *job, const ChangeTarget *target, gconstpointer values, GError **error);
  /* The same of another hypervisor's machine, in a job; NULL: what QEMU would be told is refused there. */
  gboolean (*drive) (const DriverMachine *machine, Job *job, gconstpointer values, GError **error);
  /* The running machine has changed. May be NULL. */
  void (*changed) (Domain *domain, gconstpointer values);
  const char *elements[CHANGE_MAX_ELEMENTS + 1]; /* of the document, whose text changes */
  const char *device_element;                    /* or of its devices, wherever it is another; static */
} ChangeRequest;

/* Takes the call over, and @change->values; the struct is copied. Answers nothing. */
void domain_change (Call *call, const ChangeRequest *change);

/* domain-iotune.c: what typed parameters (a{sv}) say of limits, into @said, a new one. */
gboolean iotune_take_parameters (DiskIotune *said, GVariant *parameters, GError **error);
