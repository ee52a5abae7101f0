/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * What a pass over a definition has at hand, and how it reports a mistake with its place. The kinds of device
 * and the parts of the document need no more of completion and validation than this.
 */
#define REPORT_CONTROLLER_TYPES 16 /* more than ControllerType has */

struct Completion {
  DomainDef *def;
  const Platform *platform;
  Diagnostics *diagnostics;
  SourceMap *map;
  gboolean live;     /* a running machine's state: paths and ports given at its start stay */
  gboolean lax;      /* what libvirt takes without its schema is taken */
  gboolean kept;     /* our own completed document: it is read although its emulator may be gone by now */
  gboolean anywhere; /* the document alone is judged: what one host or hypervisor lacks is no mistake of it */
  GHashTable *controllers; /* by type and index, once one has been looked for: domain/devices/controller.h */
  guint64 next_index[REPORT_CONTROLLER_TYPES]; /* of each type: no lower one is free */
  guint64 next_serial; /* the port of the next serial line that says none, and one; 0: not known yet */
};

struct Validation {
  const DomainDef *def;
  const Platform *platform;
  Diagnostics *diagnostics;
  const SourceMap *map;
  gboolean lax; /* what libvirt takes without its schema is taken */
  gboolean anywhere;
  /* Made when they are first asked for. */
  GHashTable *controllers; /* by type and index: domain/devices/controller.h */
  GHashTable *audios;      /* by id, the first of each */
};

/* Can the definition's emulator make this device? TRUE when no platform is there to ask. */
gboolean completion_has_device (const Completion *completion, const char *qemu_device);
/*
 * A definition may have been read from a document with mistakes. Then it is completed and checked all the
 * same, to find the others, and thrown away. What is true of it only because something was not understood
 * must not be reported, which is why there are three ways to tell a mistake:
 *
 *   ..._error, ..._error_code   of @object as a whole: silent when something in it was not understood
 *   ..._value_error             of the value of @member, whatever else is wrong with @object, such as two
 *                               devices that say the same address: silent only when the value was not
 * understood
 *   ..._may_miss                asked before something is reported to be missing or too much: might what is
 * missing be what was not understood? @what: a DeviceKind, or the address of a member
 */

/* A mistake at @member (the address of a field) of @object, whichever of them the document said. Code
 * VIR_ERR_CONFIG_UNSUPPORTED; use completion_error_code for others. */
void completion_error (Completion *completion, gconstpointer member, gconstpointer object, const char *format,
                       ...) G_GNUC_PRINTF (4, 5);
void completion_error_code (Completion *completion, virErrorNumber code, gconstpointer member,
                            gconstpointer object, const char *format, ...) G_GNUC_PRINTF (5, 6);
void completion_value_error (Completion *completion, virErrorNumber code, gconstpointer member,
                             gconstpointer object, const char *format, ...) G_GNUC_PRINTF (5, 6);
/* What was added or chosen, of which its author should know. */
void completion_warning (Completion *completion, gconstpointer member, gconstpointer object,
                         const char *format, ...) G_GNUC_PRINTF (4, 5);
/* completion_value_error of what this host's emulator cannot do, and another's may. */
void completion_host_error (Completion *completion, virErrorNumber code, gconstpointer member,
                            gconstpointer object, const char *format, ...) G_GNUC_PRINTF (5, 6);
gboolean completion_may_miss (const Completion *completion, gconstpointer what);
/* Was something in @object (a device, a struct, a member) not understood? */
gboolean completion_is_invalid (const Completion *completion, gconstpointer object);

/* VIR_ERR_CONFIG_UNSUPPORTED; use validation_error_code for others */
void validation_error (Validation *validation, gconstpointer member, gconstpointer object, const char *format,
                       ...) G_GNUC_PRINTF (4, 5);
void validation_error_code (Validation *validation, virErrorNumber code, gconstpointer member,
                            gconstpointer object, const char *format, ...) G_GNUC_PRINTF (5, 6);

void validation_value_error (Validation *validation, virErrorNumber code, gconstpointer member,
                             gconstpointer object, const char *format, ...) G_GNUC_PRINTF (5, 6);
/* validation_error of what QEMU, or this host's, cannot do, and another hypervisor may. */
void validation_host_error (Validation *validation, gconstpointer member, gconstpointer object,
                            const char *format, ...) G_GNUC_PRINTF (4, 5);
gboolean validation_may_miss (const Validation *validation, gconstpointer what);

/* A machine has one device of that kind: a mistake, in @message, of each but the first. */
void validation_single_device (Validation *validation, const Device *device, virErrorNumber code,
                               const char *message);

/* What the machine can do all the same, but its author should know. */
void validation_warning (Validation *validation, gconstpointer member, gconstpointer object,
                         const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Of which kind a device was meant to be, was not understood: every kind may miss one. A key of the source
 * map as a DeviceKind is. */
extern const char any_device_kind;
#define ANY_KIND ((gconstpointer)&any_device_kind)
