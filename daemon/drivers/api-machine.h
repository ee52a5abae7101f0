/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/api-client.h"
#include "daemon/drivers/driver.h"
#include "daemon/drivers/qemu/start.h"

/*
 * The start of a machine whose hypervisor is configured over an API socket (api-client.h), and the questions
 * to it afterwards: what Firecracker and Cloud Hypervisor have in common.
 */
typedef struct {
  const char *socket; /* its name in the machine's directory */
  /* The words behind the program's, which runs in @directory. (transfer full) */
  char **(*arguments) (const DomainDef *def);
  /* Hand it its config, of the target's one file. */
  gboolean (*configure) (const ApiPlace *place, Job *job, JsonObject *config, GError **error);
  gboolean (*boot) (const ApiPlace *place, Job *job, GError **error);
  /* What only it knows of the machine that is there now, into @def, which becomes the live one. NULL:
   * nothing. */
  gboolean (*learn) (const ApiPlace *place, Job *job, DomainDef *def, GError **error);
  /* The serial port is the process's own standard input and output, and not in the config. */
  gboolean serial_is_standard;
} ApiMachineKind;

StartedMachine *api_machine_start (const ApiMachineKind *kind, const Driver *driver, Job *job,
                                   StartRequest *request, GError **error);
/* Where its API is. @ret_socket: the path, which the caller frees after the last question. */
ApiPlace api_machine_place (const DriverMachine *machine, const char *socket_name, char **ret_socket);
/* One question without an answer that counts. */
gboolean api_machine_order (const DriverMachine *machine, const char *socket_name, Job *job,
                            const char *method, const char *path, JsonObject *body, GError **error);
