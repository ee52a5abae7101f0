/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine in Cloud Hypervisor, over its API: the whole config is one request, and the machine that it makes
 * waits for vm.boot. Guests are switched off by the power button; the process ends with them. Where a console
 * is a terminal, only the hypervisor knows which. What of it comes and goes while it runs is in
 * cloud-hypervisor-plug.c.
 */
#include "daemon/drivers/cloud-hypervisor/cloud-hypervisor-driver.h"

#include "daemon/drivers/cloud-hypervisor/cloud-hypervisor-plug.h"

#include "base/untrusted-json.h"
#include "daemon/drivers/api-check.h"
#include "daemon/drivers/api-machine.h"
#include "daemon/host/endpoint.h"
#include "domain/devices/console.h"
#include "domain/devices/serial.h"
#include "targets/cloud-hypervisor/cloud-hypervisor-target.h"

#include <string.h>

#define API           CLOUD_HYPERVISOR_API
#define BYTES_PER_KIB 1024

/* A name in its directory: a socket's path must not be long, and the directory's may be. */
static char **
arguments (G_GNUC_UNUSED const DomainDef *def)
{
  const char *const words[] = { "--api-socket", "path=" CLOUD_HYPERVISOR_API_SOCKET, NULL };

  return g_strdupv ((char **)words);
}

static gboolean
configure (const ApiPlace *place, Job *job, JsonObject *config, GError **error)
{
  cloud_hypervisor_forget_addresses (config);
  return api_ask (place, job, "PUT", API "vm.create", json_object_ref (config), NULL, error);
}

static gboolean
boot (const ApiPlace *place, Job *job, GError **error)
{
  return api_ask (place, job, "PUT", API "vm.boot", NULL, NULL, error);
}

static gboolean
ask_info (const ApiPlace *place, Job *job, JsonObject **ret, GError **error)
{
  if (!api_ask (place, job, "GET", API "vm.info", NULL, ret, error))
    return FALSE;
  if (*ret != NULL && untrusted_text (*ret, "state") != NULL)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s does not say its state", place->title);
  return FALSE;
}

/* The terminal it has for "serial" or "console"; not believed to be anything else. NULL: none. Part of @info.
 */
static const char *
terminal_of (JsonObject *info, const char *name)
{
  JsonObject *config = untrusted_object (info, "config");
  JsonObject *console = config != NULL ? untrusted_object (config, name) : NULL;
  const char *path = console != NULL ? untrusted_text (console, "file") : NULL;

  return path != NULL && endpoint_is_pty_path (path) ? path : NULL;
}

static void
show (Chardev *chardev, const char *path)
{
  ChardevSource *source;

  if (chardev->type != CHARDEV_PTY || path == NULL)
    return;
  source = chardev_ensure_source (chardev);
  g_free (chardev->tty);
  g_free (source->path);
  chardev->tty = g_strdup (path);
  source->path = g_strdup (path);
}

static gboolean
learn (const ApiPlace *place, Job *job, DomainDef *def, GError **error)
{
  g_autoptr (JsonObject) info = NULL;

  if (!ask_info (place, job, &info, error))
    return FALSE;
  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial)
    show (&serial->source, terminal_of (info, "serial"));
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console)
    show (&console->source, terminal_of (info, console->target == CONSOLE_SERIAL ? "serial" : "console"));
  return TRUE;
}

static const ApiMachineKind kind = { .socket = CLOUD_HYPERVISOR_API_SOCKET,
                                     .arguments = arguments,
                                     .configure = configure,
                                     .boot = boot,
                                     .learn = learn };

static StartedMachine *
start (const Driver *driver, Job *job, StartRequest *request, GError **error)
{
  return api_machine_start (&kind, driver, job, request, error);
}

static gboolean
adopt (const DriverMachine *machine, Job *job, int *ret_state, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, CLOUD_HYPERVISOR_API_SOCKET, &socket);
  g_autoptr (JsonObject) info = NULL;

  if (!ask_info (&place, job, &info, error))
    return FALSE;
  *ret_state =
      g_str_equal (untrusted_text (info, "state"), "Running") ? VIR_DOMAIN_RUNNING : VIR_DOMAIN_PAUSED;
  return TRUE;
}

static gboolean
order (const DriverMachine *machine, Job *job, const char *path, GError **error)
{
  return api_machine_order (machine, CLOUD_HYPERVISOR_API_SOCKET, job, "PUT", path, NULL, error);
}

static gboolean
suspend (const DriverMachine *machine, Job *job, GError **error)
{
  return order (machine, job, API "vm.pause", error);
}

/* One that was started paused was made, and not booted. */
static gboolean
resume (const DriverMachine *machine, Job *job, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, CLOUD_HYPERVISOR_API_SOCKET, &socket);
  g_autoptr (JsonObject) info = NULL;

  if (!ask_info (&place, job, &info, error))
    return FALSE;
  return order (machine, job,
                g_str_equal (untrusted_text (info, "state"), "Created") ? API "vm.boot" : API "vm.resume",
                error);
}

static gboolean
order_shutdown (const DriverMachine *machine, Job *job, GError **error)
{
  return order (machine, job, API "vm.power-button", error);
}

static gboolean
reset (const DriverMachine *machine, Job *job, GError **error)
{
  return order (machine, job, API "vm.reboot", error);
}

static gboolean
inject_nmi (const DriverMachine *machine, Job *job, GError **error)
{
  return order (machine, job, API "vm.nmi", error);
}

static gboolean
set_memory (const DriverMachine *machine, Job *job, guint64 kib, GError **error)
{
  guint64 whole = machine->def->memory.value;
  JsonObject *body = json_object_new ();

  json_object_set_int_member (body, "desired_balloon", (gint64)(whole - MIN (kib, whole)) * BYTES_PER_KIB);
  return api_machine_order (machine, CLOUD_HYPERVISOR_API_SOCKET, job, "PUT", API "vm.resize", body, error);
}

const Driver cloud_hypervisor_driver = {
  .program = CLOUD_HYPERVISOR_PROGRAM,
  .title = "Cloud Hypervisor",
  .target = &cloud_hypervisor_target,
  .start = start,
  .check = api_machine_check,
  .adopt = adopt,
  .suspend = suspend,
  .resume = resume,
  .shutdown = order_shutdown,
  .reset = reset,
  .inject_nmi = inject_nmi,
  .set_memory = set_memory,
  .can_plug = cloud_hypervisor_can_plug,
  .plug = cloud_hypervisor_plug,
  .unplug = cloud_hypervisor_unplug,
  .list_devices = cloud_hypervisor_list_devices,
  .device_id = cloud_hypervisor_device_id,
  .count_disks = cloud_hypervisor_count_disks,
};
