/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine in Firecracker, over its API. Each part of the config is a resource of its own, so that the
 * members of the config file become requests; only then does InstanceStart run the guest. A guest that
 * reboots ends the process, and so does one that is switched off the way of the keyboard's Ctrl-Alt-Del:
 * there is no power button.
 */
#include "daemon/drivers/firecracker/firecracker-driver.h"

#include "base/untrusted-json.h"
#include "daemon/drivers/api-check.h"
#include "daemon/drivers/api-machine.h"
#include "domain/devices/memballoon.h"
#include "targets/firecracker/firecracker-target.h"

#include <string.h>

#define LOG_NAME    "firecracker.log" /* what it says itself; the guest has its standard output */
#define KIB_PER_MIB 1024

/* A member of the config, where it goes, and for a list the member that names each. In the order in which the
 * parts are wanted. */
static const struct {
  const char *member, *path, *id;
} resources[] = {
  { "machine-config", "/machine-config", NULL },
  { "boot-source", "/boot-source", NULL },
  { "drives", "/drives/", "drive_id" },
  { "pmem", "/pmem/", "id" },
  { "network-interfaces", "/network-interfaces/", "iface_id" },
  { "vsock", "/vsock", NULL },
  { "balloon", "/balloon", NULL },
  { "entropy", "/entropy", NULL },
  { "memory-hotplug", "/hotplug/memory", NULL },
};

/* Names in its directory: a socket's path must not be long, and the directory's may be. */
static char **
arguments (const DomainDef *def)
{
  const char *const words[] = {
    "--api-sock", FIRECRACKER_API_SOCKET, "--id", def->uuid, "--log-path", LOG_NAME, "--level", "Warn", NULL
  };

  return g_strdupv ((char **)words);
}

static gboolean
put_list (const ApiPlace *place, Job *job, guint resource, JsonArray *list, GError **error)
{
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *part = json_array_get_object_element (list, i);
    g_autofree char *path = g_strconcat (resources[resource].path,
                                         json_object_get_string_member (part, resources[resource].id), NULL);

    if (!api_ask (place, job, "PUT", path, json_object_ref (part), NULL, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
configure (const ApiPlace *place, Job *job, JsonObject *config, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (resources); i++) {
    JsonNode *part = json_object_get_member (config, resources[i].member);

    if (part == NULL)
      continue;
    if (resources[i].id != NULL ? !put_list (place, job, i, json_node_get_array (part), error)
                                : !api_ask (place, job, "PUT", resources[i].path,
                                            json_object_ref (json_node_get_object (part)), NULL, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
act (const ApiPlace *place, Job *job, const char *action, GError **error)
{
  JsonObject *body = json_object_new ();

  json_object_set_string_member (body, "action_type", action);
  return api_ask (place, job, "PUT", "/actions", body, NULL, error);
}

static gboolean
boot (const ApiPlace *place, Job *job, GError **error)
{
  return act (place, job, "InstanceStart", error);
}

static const ApiMachineKind kind = { .socket = FIRECRACKER_API_SOCKET,
                                     .arguments = arguments,
                                     .configure = configure,
                                     .boot = boot,
                                     .serial_is_standard = TRUE };

static StartedMachine *
start (const Driver *driver, Job *job, StartRequest *request, GError **error)
{
  return api_machine_start (&kind, driver, job, request, error);
}

/* (transfer full) "Not started", "Running" or "Paused". */
static char *
ask_state (const ApiPlace *place, Job *job, GError **error)
{
  g_autoptr (JsonObject) info = NULL;
  const char *state;

  if (!api_ask (place, job, "GET", "/", NULL, &info, error))
    return NULL;
  state = untrusted_text (info, "state");
  if (state == NULL)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s does not say its state", place->title);
  return g_strdup (state);
}

static gboolean
adopt (const DriverMachine *machine, Job *job, int *ret_state, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, FIRECRACKER_API_SOCKET, &socket);
  g_autofree char *state = ask_state (&place, job, error);

  if (state == NULL)
    return FALSE;
  *ret_state = g_str_equal (state, "Running") ? VIR_DOMAIN_RUNNING : VIR_DOMAIN_PAUSED;
  return TRUE;
}

static gboolean
patch_state (const ApiPlace *place, Job *job, const char *state, GError **error)
{
  JsonObject *body = json_object_new ();

  json_object_set_string_member (body, "state", state);
  return api_ask (place, job, "PATCH", "/vm", body, NULL, error);
}

static gboolean
suspend (const DriverMachine *machine, Job *job, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, FIRECRACKER_API_SOCKET, &socket);

  return patch_state (&place, job, "Paused", error);
}

/* One that was started paused has not begun yet. */
static gboolean
resume (const DriverMachine *machine, Job *job, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, FIRECRACKER_API_SOCKET, &socket);
  g_autofree char *state = ask_state (&place, job, error);

  if (state == NULL)
    return FALSE;
  return g_str_equal (state, "Not started") ? boot (&place, job, error)
                                            : patch_state (&place, job, "Resumed", error);
}

static gboolean
order_shutdown (const DriverMachine *machine, Job *job, GError **error)
{
  g_autofree char *socket = NULL;
  const ApiPlace place = api_machine_place (machine, FIRECRACKER_API_SOCKET, &socket);

  return act (&place, job, "SendCtrlAltDel", error);
}

static gboolean
set_memory (const DriverMachine *machine, Job *job, guint64 kib, GError **error)
{
  guint64 whole = machine->def->memory.value;
  JsonObject *body;

  if (kib > whole || (whole - kib) % KIB_PER_MIB != 0) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "%s leaves its guest less than its memory by whole MiB",
                    machine->driver->title);
    return FALSE;
  }
  body = json_object_new ();
  json_object_set_int_member (body, "amount_mib", (gint64)((whole - kib) / KIB_PER_MIB));
  return api_machine_order (machine, FIRECRACKER_API_SOCKET, job, "PATCH", "/balloon", body, error);
}

const Driver firecracker_driver = {
  .program = FIRECRACKER_PROGRAM,
  .title = "Firecracker",
  .target = &firecracker_target,
  .start = start,
  .check = api_machine_check,
  .adopt = adopt,
  .suspend = suspend,
  .resume = resume,
  .shutdown = order_shutdown,
  .set_memory = set_memory,
};
