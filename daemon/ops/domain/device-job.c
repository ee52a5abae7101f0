/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One device changed, in a job. What is plugged in is published at once, device by device, since a controller
 * that came for a disk's sake is there even when the disk is then refused.
 *
 * In the definition the user's own document is edited where the device stands in it, so that it still says
 * what starts next, with all the rest of it as it was. Where that cannot be done it is replaced by the
 * completed definition, which says the same; a document changed by hand and not defined again is neither: the
 * edit would bring in, or the replacement lose, what nobody has checked, and the change is refused.
 */
#include "daemon/ops/domain/device-job.h"

#include "daemon/domain/machine-block-jobs.h"

#include "daemon/call/call.h"
#include "daemon/drivers/driver-devices.h"
#include "daemon/ops/domain/config-edit.h"
#include "daemon/ops/domain/network-cards.h"
#include "daemon/ops/domain/volume-disks.h"
#include "domain/device-change.h"
#include "domain/device-match.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface.h"
#include "domain/source-device.h"
#include "targets/qemu/recipe.h"

void
device_request_free (gpointer data)
{
  DeviceRequest *request = data;

  if (request == NULL)
    return;
  machine_hotplug_clear (&request->plug);
  g_clear_pointer (&request->driven, driver_machine_free);
  g_clear_pointer (&request->live_def, domain_def_unref);
  g_clear_pointer (&request->config_def, domain_def_unref);
  g_clear_pointer (&request->new_config, domain_def_unref);
  store_edit_free (request->edit);
  author_free (request->author);
  g_free (request->uuid);
  g_free (request->name);
  g_free (request->text);
  g_free (request->removing);
  g_free (request);
}

/* What a job says to the main loop half way. */
typedef struct {
  DeviceRequest *request;
  Device *device;
  GError *error; /* what it says against it */
} Publication;

/* A disk whose images a block job works on stays. */
static void
check_free (gpointer data)
{
  Publication *publication = data;
  const Machine *machine = manager_find_machine (publication->request->manager, publication->request->uuid,
                                                 publication->request->id);

  if (machine != NULL)
    machine_check_device_free (machine, publication->device->alias, &publication->error);
}

static void
publish_added (gpointer data)
{
  Publication *publication = data;
  DeviceRequest *request = publication->request;
  Machine *machine = manager_find_machine (request->manager, request->uuid, request->id);
  g_autoptr (GPtrArray) devices = g_ptr_array_new ();

  g_ptr_array_add (devices, publication->device);
  if (machine == NULL)
    return;
  machine_devices_added (machine, devices);
  attach_published (&request->plug, machine->def, publication->device);
}

static void
publish_updated (gpointer data)
{
  Publication *publication = data;
  Machine *machine = manager_find_machine (publication->request->manager, publication->request->uuid,
                                           publication->request->id);

  if (machine != NULL)
    machine_device_updated (machine, publication->device);
}

static void
expect_removal (gpointer data)
{
  Publication *publication = data;
  Machine *machine = manager_find_machine (publication->request->manager, publication->request->uuid,
                                           publication->request->id);

  if (machine != NULL)
    machine_expect_removal (machine, publication->device->alias, device_removal_over, publication->request);
}

static void
forget_removal (gpointer data)
{
  Publication *publication = data;
  Machine *machine = manager_find_machine (publication->request->manager, publication->request->uuid,
                                           publication->request->id);

  if (machine != NULL)
    machine_forget_removal (machine, publication->request);
}

/* There was nothing the guest had to let go of. */
static void
publish_removed (gpointer data)
{
  Publication *publication = data;
  Machine *machine = manager_find_machine (publication->request->manager, publication->request->uuid,
                                           publication->request->id);

  if (machine != NULL)
    machine_device_deleted (machine, publication->device->alias);
}

/* The definition. */

static char *
edited_source (const DeviceRequest *request, const char *source)
{
  const Device *device = request->action != DEVICE_ATTACH
                             ? g_ptr_array_index (request->config_def->devices, request->config_index)
                             : NULL;

  switch (request->action) {
    case DEVICE_ATTACH:
      return source_add_device (source, request->text);
    case DEVICE_DETACH:
      return source_remove_device (source, request->config_def, device);
    default:
      return source_replace_device (source, request->config_def, device, request->text);
  }
}

/* Both its texts, whole and on the disk but for their names. */
static gboolean
prepare_config (DeviceRequest *request, GError **error)
{
  Store *store = request->manager->store;
  g_autofree char *completed = domain_def_to_xml (request->new_config, DOMAIN_WRITE_SECURE);
  g_autofree char *source = NULL, *edited = NULL;

  if (!config_check_unchanged (store, request->uuid, request->name, error))
    return FALSE;
  source = store_load_source (store, request->name, error);
  if (source == NULL)
    return FALSE;
  edited = edited_source (request, source);
  request->edit = store_prepare (store, request->uuid, request->name, edited != NULL ? edited : completed,
                                 completed, request->author, error);
  return request->edit != NULL;
}

/* Disks named by pool and volume, cards on networks. */

/* The definition keeps the names of pool and volume, or of the network; the machine gets the file, or what
 * the card's port is plugged into. */
static gboolean
translate (Job *job, DeviceRequest *request, Device *device, GError **error)
{
  const Device *before = NULL;

  if (device->kind == &disk_kind)
    return volume_disk_translate (job, request->manager, (DeviceDisk *)device, error);
  if (device->kind != &interface_kind)
    return TRUE;
  if (request->action == DEVICE_UPDATE && (before = device_match (request->live_def, device, error)) == NULL)
    return FALSE;
  return network_card_resolve (job, request->manager, request->live_def, (DeviceInterface *)device,
                               (const DeviceInterface *)before, error);
}

typedef gboolean (*LiveChange) (Job *job, DeviceRequest *request, const Device *device, GError **error);

/* The update of @device was refused when its port had its new rates already. */
static void
restore_rates (Job *job, DeviceRequest *request, const Device *device)
{
  const DeviceInterface *before = (const DeviceInterface *)device_match (request->live_def, device, NULL);

  if (before != NULL)
    network_card_change_rates (job, request->manager, (const DeviceInterface *)device, before->inbound,
                               before->outbound, NULL);
}

static gboolean
with_translated (Job *job, DeviceRequest *request, const Device *device, LiveChange change, GError **error)
{
  Device *translated = device_copy (device);
  gboolean is_translated = translate (job, request, translated, error);
  gboolean good = is_translated && change (job, request, translated, error);

  if (is_translated && !good && request->action == DEVICE_UPDATE && device->kind == &interface_kind)
    restore_rates (job, request, translated);
  device_free (translated);
  return good;
}

/* The running machine's hypervisor. */

static gboolean
can_attach (const DeviceRequest *request, const Device *device, GError **error)
{
  return request->driven != NULL ? driver_can_plug (request->driven->driver, device, error)
                                 : qemu_can_attach (device, error);
}

static gboolean
can_detach (const DeviceRequest *request, const Device *device, GError **error)
{
  return request->driven != NULL ? driver_can_plug (request->driven->driver, device, error)
                                 : qemu_can_detach (request->live_def, device, error);
}

/* What comes along for the device's sake and the other hypervisors do not know (a controller) is there by
 * being written down. */
static gboolean
plug_in (Job *job, const DeviceRequest *request, DomainDef *def, Device *device, gboolean is_wanted,
         GError **error)
{
  if (request->driven == NULL)
    return attach_device (job, &request->plug, def, device, error);
  return !is_wanted
         || driver_attach (request->driven, &request->plug, job, def, device, request->text, error);
}

/* Attach. */

static gboolean
check_config_kind (const Device *device, gboolean possible, const char *verb, GError **error)
{
  if (!possible)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "persistent %s of device '%s' is not supported",
                    verb, device->kind->element);
  return possible;
}

static gboolean
attach_config (DeviceRequest *request, const Device *device, GError **error)
{
  g_autoptr (GPtrArray) added = NULL;

  if (!check_config_kind (device, device->kind->attachable, "attach", error))
    return FALSE;
  request->new_config = domain_def_with_device (request->config_def, device, DEVICE_CHANGE_CONFIG,
                                                request->manager->platform, &added, error);
  return request->new_config != NULL;
}

static gboolean
attach_live (Job *job, DeviceRequest *request, const Device *device, GError **error)
{
  g_autoptr (GPtrArray) added = NULL;
  g_autoptr (DomainDef) def = NULL;

  def = domain_def_with_device (request->live_def, device, DEVICE_CHANGE_LIVE, request->manager->platform,
                                &added, error);
  if (def == NULL || !can_attach (request, g_ptr_array_index (added, added->len - 1), error))
    return FALSE;
  for (guint i = 0; i < added->len; i++) {
    Publication publication = { request, g_ptr_array_index (added, i) };

    if (!plug_in (job, request, def, publication.device, i + 1 == added->len, error))
      return FALSE;
    job_in_main_loop (job, publish_added, &publication);
  }
  return TRUE;
}

static gboolean
attach (Job *job, DeviceRequest *request, const Device *device, GError **error)
{
  return (!request->config || (attach_config (request, device, error) && prepare_config (request, error)))
         && (!request->live || with_translated (job, request, device, attach_live, error));
}

/* Detach. */

static Device *
find (const DeviceRequest *request, const DomainDef *def, const Device *wanted, GError **error)
{
  return request->by_alias ? device_match_alias (def, request->text, error)
                           : device_match (def, wanted, error);
}

/* Where there is no such disk, libvirt says it in other words for each of these. */
static gboolean
explain_missing (const DeviceRequest *request, const Device *wanted, gboolean live, GError **error)
{
  const char *target =
      wanted != NULL && wanted->kind == &disk_kind ? ((const DeviceDisk *)wanted)->target : NULL;

  if (target == NULL || (request->action == DEVICE_DETACH && live))
    return FALSE;
  g_clear_error (error);
  if (request->action == DEVICE_DETACH)
    virt_error_set (error, VIR_ERR_DEVICE_MISSING, "no target device %s", target);
  else if (live)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "disk '%s' not found", target);
  else
    virt_error_set (error, VIR_ERR_INVALID_ARG, "target %s doesn't exist.", target);
  return FALSE;
}

static gboolean
detach_config (DeviceRequest *request, const Device *wanted, GError **error)
{
  const Device *device = find (request, request->config_def, wanted, error);

  if (device == NULL)
    return explain_missing (request, wanted, FALSE, error);
  if (!check_config_kind (device, device->kind->attachable, "detach", error))
    return FALSE;
  request->config_index = domain_def_device_index (request->config_def, device);
  request->new_config = domain_def_without_device (request->config_def, request->config_index);
  return TRUE;
}

static gboolean
detach_live (Job *job, DeviceRequest *request, const Device *wanted, GError **error)
{
  Device *device = find (request, request->live_def, wanted, error);
  Publication publication = { request, device, NULL };

  if (device == NULL || !can_detach (request, device, error))
    return FALSE;
  job_in_main_loop (job, check_free, &publication);
  if (publication.error != NULL) {
    g_propagate_error (error, publication.error);
    return FALSE;
  }
  /* Who names it by its alias is answered when the guest has been asked, as by libvirt: events tell the rest.
   */
  if (!request->by_alias) {
    request->removing = g_strdup (device->alias);
    job_in_main_loop (job, expect_removal, &publication);
  }
  if (request->driven != NULL ? driver_detach (request->driven, job, device, error)
                              : !qemu_has_guest_device (device)) {
    job_in_main_loop (job, publish_removed, &publication);
    return TRUE;
  }
  if (request->driven == NULL && detach_request (job, &request->plug, device, error))
    return TRUE;
  job_in_main_loop (job, forget_removal, &publication);
  return FALSE;
}

static gboolean
detach (Job *job, DeviceRequest *request, const Device *wanted, GError **error)
{
  return (!request->config || (detach_config (request, wanted, error) && prepare_config (request, error)))
         && (!request->live || detach_live (job, request, wanted, error));
}

/* Update. */

static gboolean
update_config (DeviceRequest *request, const Device *wanted, GError **error)
{
  const Device *device;

  if (!check_config_kind (wanted, wanted->kind->updatable, "update", error))
    return FALSE;
  device = device_match (request->config_def, wanted, error);
  if (device == NULL)
    return explain_missing (request, wanted, FALSE, error);
  request->config_index = domain_def_device_index (request->config_def, device);
  request->new_config = domain_def_with_replaced (request->config_def, request->config_index, wanted,
                                                  DEVICE_CHANGE_CONFIG, request->manager->platform, error);
  return request->new_config != NULL;
}

static gboolean
update_live (Job *job, DeviceRequest *request, const Device *wanted, GError **error)
{
  const Device *device = device_match (request->live_def, wanted, error);
  g_autoptr (DomainDef) def = NULL;
  Publication publication = { request, (Device *)device, NULL };
  Device *updated;
  guint index;

  if (device == NULL)
    return explain_missing (request, wanted, TRUE, error);
  if (request->driven != NULL) {
    driver_fail_unsupported (request->driven->driver, "update of a device", error);
    return FALSE;
  }
  job_in_main_loop (job, check_free, &publication);
  if (publication.error != NULL) {
    g_propagate_error (error, publication.error);
    return FALSE;
  }
  updated = device_updated_live (device, wanted, error);
  if (updated == NULL)
    return FALSE;
  def = domain_def_copy (request->live_def);
  index = domain_def_device_index (request->live_def, device);
  device_free (g_ptr_array_index (def->devices, index));
  def->devices->pdata[index] = updated;
  if (!update_device (job, &request->plug, def, device, updated, request->force, error))
    return FALSE;
  publication.device = updated;
  job_in_main_loop (job, publish_updated, &publication);
  attach_published (&request->plug, def, updated);
  return TRUE;
}

static gboolean
update (Job *job, DeviceRequest *request, const Device *wanted, GError **error)
{
  return (!request->config || (update_config (request, wanted, error) && prepare_config (request, error)))
         && (!request->live || with_translated (job, request, wanted, update_live, error));
}

gpointer
device_job (Job *job, gpointer input, GError **error)
{
  static gboolean (*const actions[]) (Job *, DeviceRequest *, const Device *, GError **) = {
    [DEVICE_ATTACH] = attach, [DEVICE_DETACH] = detach, [DEVICE_UPDATE] = update
  };
  DeviceRequest *request = input;
  Device *device = request->by_alias ? NULL : device_from_xml (request->text, error);
  gboolean good =
      (device != NULL || request->by_alias) && actions[request->action](job, request, device, error);

  device_free (device);
  return good ? JOB_OK : NULL;
}
