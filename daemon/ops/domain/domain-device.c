/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices attached, detached and updated, in the running machine, in the definition, or both. The definition
 * is written by the job before the running machine changes, and takes the old one's place after it: as with
 * libvirt, a client that asks for both and is refused has changed neither.
 */
#include "daemon/domain/image-holder.h"
#include "daemon/object/change.h"
#include "daemon/ops/domain/config-edit.h"
#include "daemon/ops/domain/device-job.h"
#include "daemon/ops/domain/network-cards.h"
#include "daemon/ops/ops.h"

#define AFFECT_FLAGS   (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define UPDATE_FLAGS   (AFFECT_FLAGS | VIR_DOMAIN_DEVICE_MODIFY_FORCE)
#define REMOVAL_WAIT   5  /* seconds a guest has to let go of a device before its client is answered */
#define DEVICE_SECONDS 60 /* for the whole conversation with QEMU: a locked tray takes some */

/* The definition is written. */

static gboolean
config_check (Manager *manager, gpointer data, GError **error)
{
  DeviceRequest *request = data;
  Domain *domain = manager_find_uuid (manager, request->uuid, error);

  if (domain == NULL)
    return FALSE;
  if (domain->definition_count == request->definition_count && domain->persistent)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain '%s' was defined again meanwhile", domain->name);
  return FALSE;
}

static gboolean
config_write (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  DeviceRequest *request = data;

  return store_commit (request->edit, error);
}

static void
config_done (Manager *manager, gpointer data, const GError *error)
{
  DeviceRequest *request = data;
  Domain *domain = manager_find_uuid (manager, request->uuid, NULL);

  if (error != NULL || domain == NULL) {
    call_fail (request->call, request->live ? config_not_changed (error) : g_error_copy (error));
    return;
  }
  definition_replace (domain, request->new_config);
  call_answer_nothing (request->call);
}

static const ChangeKind config_change = { "device", config_check, config_write, config_done };

/* The running machine is as it should be. Takes @request. */
static void
finish (DeviceRequest *request)
{
  if (request->new_config != NULL) {
    change_start (request->manager, &config_change, request, device_request_free);
    return;
  }
  call_answer_nothing (request->call);
  device_request_free (request);
}

/* The wait for the guest to let go. */

static void
stop_waiting (DeviceRequest *request)
{
  if (request->timeout != 0)
    g_source_remove (request->timeout);
  request->timeout = 0;
  if (request->removal_end == REMOVAL_DONE) {
    finish (request);
    return;
  }
  if (request->removal_end == REMOVAL_REFUSED)
    call_fail_with (request->call, VIR_ERR_OPERATION_FAILED, "unplug of device was rejected by the guest");
  else
    call_fail_with (request->call, VIR_ERR_OPERATION_FAILED, "domain is not running");
  device_request_free (request);
}

void
device_removal_over (RemovalEnd end, gpointer data)
{
  DeviceRequest *request = data;

  request->removal_over = TRUE;
  request->removal_end = end;
  if (request->waiting)
    stop_waiting (request);
}

/* The guest has been asked, and may do it later: an event will tell. */
static gboolean
waited_long_enough (gpointer data)
{
  DeviceRequest *request = data;
  Domain *domain = manager_find_uuid (request->manager, request->uuid, NULL);

  request->timeout = 0;
  if (domain != NULL && domain->machine != NULL)
    machine_forget_removal (domain->machine, request);
  finish (request);
  return G_SOURCE_REMOVE;
}

static void
job_done (gpointer result, const GError *error, gpointer data)
{
  DeviceRequest *request = data;
  Domain *domain = manager_find_uuid (request->manager, request->uuid, NULL);

  if (domain != NULL)
    domain->job = NULL;
  network_cards_settle (request->manager, request->uuid);
  if (result == NULL) {
    call_fail (request->call, image_holder_explain (request->manager, error));
    device_request_free (request);
  } else if (request->removing == NULL) {
    finish (request);
  } else if (request->removal_over) {
    stop_waiting (request);
  } else {
    request->waiting = TRUE;
    request->timeout = g_timeout_add_seconds (REMOVAL_WAIT, waited_long_enough, request);
  }
}

/* The request is freed by whoever answers the call: the job's end is not always the last word. */
static void
start_device_job (DeviceRequest *request)
{
  Domain *domain = request->call->domain;

  domain->job =
      job_start (lock_name (domain->lock), device_job, request, NULL, DEVICE_SECONDS, job_done, request);
}

static DeviceAction
action_of (const Call *call)
{
  const char *name = call->operation->name;

  if (g_str_has_prefix (name, "DOMAIN_ATTACH"))
    return DEVICE_ATTACH;
  return g_str_has_prefix (name, "DOMAIN_DETACH") ? DEVICE_DETACH : DEVICE_UPDATE;
}

/* The calls without flags are about the running machine. */
static guint
flags_of (const Call *call)
{
  return g_variant_n_children (call->arguments) > 2 ? call_uint (call, 2) : VIR_DOMAIN_AFFECT_LIVE;
}

static DeviceRequest *
request_new (Call *call, gboolean live, gboolean config)
{
  DeviceRequest *request = g_new0 (DeviceRequest, 1);
  Domain *domain = call->domain;

  request->call = call;
  request->author = call_author (call);
  request->manager = call->manager;
  request->uuid = g_strdup (domain->uuid);
  request->name = g_strdup (domain->name);
  request->id = domain->id;
  request->action = action_of (call);
  request->by_alias = g_str_equal (call->operation->name, "DOMAIN_DETACH_DEVICE_ALIAS");
  request->live = live;
  request->config = config;
  request->force = (flags_of (call) & VIR_DOMAIN_DEVICE_MODIFY_FORCE) != 0;
  request->text = g_strdup (call_string (call, 1));
  if (live) {
    request->live_def = domain_def_ref (domain->machine->def);
    machine_hotplug_init (domain->machine, &request->plug);
    request->driven = domain->machine->driver != NULL ? machine_driver_view (domain->machine) : NULL;
  }
  return request;
}

static gboolean
wants_live (const Domain *domain, guint flags)
{
  return (flags & VIR_DOMAIN_AFFECT_LIVE) != 0 || ((flags & AFFECT_FLAGS) == 0 && domain_is_active (domain));
}

static void
begin_with_config (Call *call, DomainDef *def)
{
  DefinitionWhich which;
  DeviceRequest *request;

  if (!call_check_affect (call, flags_of (call) & AFFECT_FLAGS, &which))
    return; /* it has ended while its definition was read */
  request = request_new (call, (flags_of (call) & VIR_DOMAIN_AFFECT_LIVE) != 0, TRUE);
  request->config_def = domain_def_ref (def);
  request->definition_count = call->domain->definition_count;
  start_device_job (request);
}

static void
begin (Domain *domain, Call *call)
{
  guint flags = flags_of (call) & AFFECT_FLAGS;
  gboolean live = wants_live (domain, flags);
  DefinitionWhich which;
  GError *error = NULL;

  if (!call_check_affect (call, flags, &which))
    return;
  if (live && domain->machine->driver == NULL && !domain_check_monitor (domain, &error))
    call_fail (call, error);
  else if (!live || (flags & VIR_DOMAIN_AFFECT_CONFIG) != 0)
    call_with_definition (call, DEFINITION_CONFIG, begin_with_config);
  else
    start_device_job (request_new (call, TRUE, FALSE));
}

static void
queue (Call *call, const char *name, guint known)
{
  DefinitionWhich which;

  if (call_check_flags (call, flags_of (call), known)
      && call_check_affect (call, flags_of (call) & AFFECT_FLAGS, &which))
    domain_lock (call->domain, name, call, begin);
}

void
op_domain_attach_device (Call *call)
{
  queue (call, "attach", AFFECT_FLAGS);
}

void
op_domain_detach_device (Call *call)
{
  queue (call, "detach", AFFECT_FLAGS);
}

void
op_domain_update_device (Call *call)
{
  queue (call, "update", UPDATE_FLAGS);
}
