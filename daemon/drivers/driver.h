/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/settings.h"
#include "daemon/host/account.h"
#include "domain/domain-def.h"
#include "targets/target.h"

/*
 * What runs a machine: QEMU, unless the document's <emulator> names another one's program. A driver is one
 * struct of functions and a row in drivers.c. A function that is NULL is something the hypervisor cannot do;
 * whoever asks for it is told so by name.
 *
 * QEMU is no row. What it alone can do (block jobs, snapshots inside of images, migration, the guest agent
 * ...) are operations of drivers/qemu, which ask for its monitor first (domain_check_monitor): a machine of
 * another driver has none, and is refused there by the hypervisor's name.
 *
 * All functions are of jobs' threads, get what is immutable, and return what the main loop commits.
 */
typedef struct Driver Driver;
typedef struct StartRequest StartRequest;
typedef struct StartedMachine StartedMachine;

/* A machine that runs, for a job. */
typedef struct {
  const Driver *driver;
  DomainDef *def;  /* live; a reference */
  char *directory; /* where its hypervisor made its sockets and files */
} DriverMachine;

/* What a disk's hypervisor counts: requests, bytes, ns. */
typedef struct {
  gboolean known;
  guint64 read_requests, read_bytes, read_time, write_requests, write_bytes, write_time, flush_requests,
      flush_time;
} DiskCounters;

struct Driver {
  const char *program; /* the beginning of its file's name: "firecracker" */
  const char *title;   /* in messages: "Firecracker" */
  const Target *target;

  /* From a completed definition to a machine that runs, or with request->paused that waits for `resume`. What
   * goes wrong undoes everything. */
  StartedMachine *(*start) (const Driver *driver, Job *job, StartRequest *request, GError **error);
  /* What would make that fail on this host, into @findings (CheckFinding): nothing is made or started. */
  void (*check) (const Driver *driver, Job *job, const StartRequest *request, GPtrArray *findings);
  /* Found again: what it says of itself now. @ret_state: virDomainState. */
  gboolean (*adopt) (const DriverMachine *machine, Job *job, int *ret_state, GError **error);

  gboolean (*suspend) (const DriverMachine *machine, Job *job, GError **error);
  gboolean (*resume) (const DriverMachine *machine, Job *job, GError **error);
  /* The guest is asked to switch itself off, to start again; it may not. */
  gboolean (*shutdown) (const DriverMachine *machine, Job *job, GError **error);
  gboolean (*reboot) (const DriverMachine *machine, Job *job, GError **error);
  /* It starts again, whether it wants to or not. */
  gboolean (*reset) (const DriverMachine *machine, Job *job, GError **error);
  gboolean (*inject_nmi) (const DriverMachine *machine, Job *job, GError **error);
  /* Leave the guest @kib of its memory. */
  gboolean (*set_memory) (const DriverMachine *machine, Job *job, guint64 kib, GError **error);

  /* Devices while the guest runs; driver-devices.h has what goes around these. Is @device one that can come
   * and go? */
  gboolean (*can_plug) (const Driver *driver, const Device *device, GError **error);
  /* Give it @device, a device of @def, the live definition with it; what it needs of the host is there.
   * @text: as the client has written it. */
  gboolean (*plug) (const DriverMachine *machine, Job *job, const DomainDef *def, const Device *device,
                    const char *text, const Settings *settings, GError **error);
  /* Ask the guest to let go of @device; that it has is told by list_devices. */
  gboolean (*unplug) (const DriverMachine *machine, Job *job, const Device *device, GError **error);
  /* Into @ids, a set of texts (owned): what it has of the kinds that can come and go, and maybe others. */
  gboolean (*list_devices) (const DriverMachine *machine, Job *job, GHashTable *ids, GError **error);
  const char *(*device_id) (const Device *device); /* as in that list */
  /* What was read and written: into @counters, alias → DiskCounters (owned). */
  gboolean (*count_disks) (const DriverMachine *machine, Job *job, GHashTable *counters, GError **error);
};

/* Of the program that @def names; NULL: QEMU. */
const Driver *driver_of (const DomainDef *def);

/* The same of a program's path; NULL is QEMU's. */
const Driver *driver_of_program (const char *path);

/* @def is referenced. */
DriverMachine *driver_machine_new (const Driver *driver, DomainDef *def, const char *directory);
void driver_machine_free (gpointer machine);

/* These hypervisors open their files by name: can @account open @path? @what names it in the message. */
gboolean driver_check_file (const Driver *driver, const Account *account, const char *what, const char *path,
                            gboolean writable, GError **error);

/* For messages: VIR_ERR_OPERATION_UNSUPPORTED, "Firecracker has no 'reset'". */
void driver_fail_unsupported (const Driver *driver, const char *what, GError **error);
