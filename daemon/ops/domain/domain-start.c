/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting: a defined domain, afresh or from its managed save, or a document that lives only as long as its
 * machine. The start itself is a job (daemon/drivers/qemu/start.h); what it gives is committed here.
 */
#include "daemon/ops/domain/domain-start.h"
#include "daemon/call/libvirt-names.h"
#include "daemon/domain/auto-destroy.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/image-holder.h"
#include "daemon/domain/last-end-record.h"
#include "daemon/domain/machine-asked.h"
#include "daemon/domain/machine.h"
#include "daemon/domain/readiness.h"
#include "daemon/domain/restart-policy.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/object/change.h"
#include "daemon/ops/domain/network-cards.h"
#include "daemon/ops/domain/volume-disks.h"

#define START_KNOWN_FLAGS                                                                 \
  (VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_BYPASS_CACHE \
   | VIR_DOMAIN_START_FORCE_BOOT | VIR_DOMAIN_START_RESET_NVRAM)

#define START_FROM_SNAPSHOT (1U << 31) /* beside VIR_DOMAIN_START_*: no client says it */

static void
answer_started (Call *call, Domain *domain)
{
  if (g_str_equal (call->operation->out, "-"))
    call_answer_nothing (call);
  else
    call_answer (call, g_variant_new ("(@(sayi))", call_domain_value (domain)));
}

static guint
start_flags (const Call *call)
{
  gsize count = g_variant_n_children (call->arguments);

  return count > 1 ? call_uint (call, (guint)count - 1) : 0;
}

void
start_failed (Call *call, Domain *domain, const GError *error)
{
  Manager *manager = call->manager;
  g_autofree char *uuid = g_strdup (call->domain_uuid);
  g_autoptr (GError) explained = NULL;

  if (domain != NULL) {
    g_clear_pointer (&domain->progress, progress_unref);
    g_warning ("domain '%s' could not be started: %s", domain->name, error->message);
    domain->reason = VIR_DOMAIN_SHUTOFF_FAILED;
    if (domain->persistent)
      last_end_record_failed_start (manager->settings, domain->uuid, domain->name, error);
  }
  explained = image_holder_explain (manager, error);
  /* From here on the next one has the lock, and may have done anything. */
  call_fail (call,
             call->client->compares_words ? virt_error_places_behind (explained) : g_error_copy (explained));
  domain = manager_find_uuid (manager, uuid, NULL);
  if (domain != NULL && !domain->persistent && !domain_is_active (domain) && !lock_is_held (domain->lock))
    manager_remove (manager, domain);
}

typedef struct {
  Call *call;
  Manager *manager;
  StartRequest *request;
  gboolean auto_destroy;
} Starting;

static void
starting_free (gpointer data)
{
  Starting *starting = data;

  start_request_free (starting->request);
  g_free (starting);
}

StartedMachine *
start_translated (Job *job, Manager *manager, StartRequest *request, GError **error)
{
  g_autoptr (DomainDef) with_files = volume_disks_translate (job, manager, request->def, error);
  DomainDef *translated = with_files != NULL ? network_cards_resolve (job, manager, with_files, error) : NULL;

  if (translated == NULL)
    return NULL;
  domain_def_unref (request->def);
  request->def = translated;
  if (driver_of (translated) != NULL)
    return driver_of (translated)->start (driver_of (translated), job, request, error);
  return start_job (job, request, error);
}

static gpointer
translate_and_start (Job *job, gpointer data, GError **error)
{
  const Starting *starting = data;

  return start_translated (job, starting->manager, starting->request, error);
}

static void
start_done (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (StartedMachine) started = result;
  const Starting *starting = data;
  Call *call = starting->call;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);
  Call *destroyer;

  if (started == NULL || domain == NULL) {
    network_cards_settle (call->manager, call->domain_uuid);
    start_failed (call, domain, error);
    return;
  }
  domain->job = NULL;
  g_clear_pointer (&domain->progress, progress_unref);
  if (started->image_removed)
    domain->managed_save = FALSE;
  machine_commit_start (domain, started, started->status->state == VIR_DOMAIN_PAUSED);
  restart_policies_started (domain, call->client->who);
  readiness_machine_started (domain, started->restored);
  network_cards_settle (call->manager, call->domain_uuid);
  if (starting->auto_destroy)
    auto_destroy_bind (domain->machine, call->client);
  if (!domain->destroy_asked) {
    answer_started (call, domain);
    return;
  }
  while ((destroyer = g_queue_pop_head (&domain->destroyers)) != NULL)
    machine_answer_at_end (domain->machine, destroyer, DESTROY_SECONDS);
  machine_note_asked (domain->machine, NULL, "a destroy while it was being started");
  machine_end (domain->machine, FALSE, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
  call_fail_with (call, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed while it was being started");
}

/* @document: what @def was read from, if not the domain's own; may be NULL. @with_image: the domain's managed
 * save goes with this start. */
static void
start_with_image (Call *call, DomainDef *def, const char *document, Restore *restore, guint flags,
                  gboolean with_image)
{
  Domain *domain = call->domain;
  Manager *manager = call->manager;
  StartRequest *request;
  Starting *starting;

  if (domain->destroy_asked) {
    g_autoptr (GError) error = NULL;

    virt_error_set (&error, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed while it was being started");
    restore_free (restore);
    start_failed (call, domain, error);
    return;
  }
  request = start_request_new (def, manager_new_id (manager), (flags & VIR_DOMAIN_START_PAUSED) != 0,
                               !domain->persistent, manager->settings, manager->store, manager->caps);
  request->secrets = manager->secrets;
  request->document = g_strdup (document);
  request->restore = restore;
  request->from_snapshot = (flags & START_FROM_SNAPSHOT) != 0;
  if (with_image)
    request->managed_save = managed_save_path (manager->settings, domain->uuid);
  request->reset_nvram = (flags & VIR_DOMAIN_START_RESET_NVRAM) != 0;
  request->auto_destroy = (flags & VIR_DOMAIN_START_AUTODESTROY) != 0;
  starting = g_new0 (Starting, 1);
  *starting = (Starting){ call, manager, request, request->auto_destroy };
  if (restore != NULL)
    domain->progress = progress_ref (restore->progress);
  domain->job = job_start ("start", translate_and_start, starting, starting_free,
                           start_job_seconds (manager->settings), start_done, starting);
}

/* The domain's lock is this call's. */
static void
start_with (Call *call, DomainDef *def)
{
  start_with_image (call, def, NULL, NULL, start_flags (call), call->domain->managed_save);
}

/* A managed save that is restored from. */
typedef struct {
  Call *call;
  const Platform *platform;
  char *path;
} ManagedSave;

static void
managed_save_free (gpointer data)
{
  ManagedSave *managed = data;

  g_free (managed->path);
  g_free (managed);
}

static gpointer
managed_save_open (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  ManagedSave *managed = input;
  g_autoptr (GError) problem = NULL;
  Restore *restore;

  restore = restore_open (managed->path, NULL, managed->platform, &problem);
  if (restore == NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "%s; the machine can be started without its saved state (force boot), which is lost then",
                    virt_error_detail (problem));
  return restore;
}

static void
managed_save_opened (gpointer result, const GError *error, gpointer data)
{
  ManagedSave *managed = data;
  Call *call = managed->call;
  guint flags = start_flags (call);
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);

  if (result == NULL || domain == NULL) {
    restore_free (result);
    if (error != NULL)
      call_fail (call, g_error_copy (error));
    else
      call_fail_with (call, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s'", call->domain_uuid);
    return;
  }
  call->domain = domain;
  Restore *restore = result;
  restore->drop_cache = (flags & VIR_DOMAIN_START_BYPASS_CACHE) != 0;
  start_with_image (call, restore->def, NULL, restore,
                    flags | (restore->image->was_running ? 0 : VIR_DOMAIN_START_PAUSED), TRUE);
}

static void
start_begin (Domain *domain, Call *call)
{
  ManagedSave *managed;

  domain->destroy_asked = FALSE;
  if (domain_is_active (domain)) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is already running");
    return;
  }
  /* Where its state is not wanted, the image goes as well: with the start, not before it. */
  if (!domain->managed_save || (start_flags (call) & VIR_DOMAIN_START_FORCE_BOOT) != 0) {
    call_with_definition (call, DEFINITION_CONFIG, start_with);
    return;
  }
  managed = g_new0 (ManagedSave, 1);
  managed->call = call;
  managed->platform = call->manager->platform;
  managed->path = managed_save_path (call->manager->settings, domain->uuid);
  job_start ("managed-save", managed_save_open, managed, managed_save_free, 0, managed_save_opened, managed);
}

static gboolean
check_start_flags (Call *call, guint flags, guint known)
{
  if (!call_check_flags (call, flags, known))
    return FALSE;
  /* They would be handed to a container's init; a whole machine has none. */
  if (call_file_count (call) > 0) {
    g_autofree char *function = libvirt_public_function (call->operation->name);

    call_fail_from (call, VIR_FROM_DOMAIN, VIR_ERR_NO_SUPPORT, "%s", function);
    return FALSE;
  }
  return TRUE;
}

void
op_domain_create (Call *call)
{
  if (check_start_flags (call, start_flags (call), START_KNOWN_FLAGS))
    domain_lock (call->domain, "start", call, start_begin);
}

typedef struct {
  Call *call;
  const Platform *platform;
  char *source;
  gboolean strict;
  guint flags; /* VIR_DOMAIN_START_* */
  DomainDef *def;
  GPtrArray *messages;
  Restore *restore;
} Create;

static void
create_free (gpointer data)
{
  Create *create = data;

  g_free (create->source);
  g_clear_pointer (&create->def, domain_def_unref);
  g_clear_pointer (&create->messages, g_ptr_array_unref);
  restore_free (create->restore);
  g_free (create);
}

static gpointer
create_parse (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  Create *create = input;

  create->def = definition_parse (create->platform, create->source, create->strict, create->messages, error);
  return create->def != NULL ? JOB_OK : NULL;
}

static gboolean
create_check (Manager *manager, gpointer data, GError **error)
{
  Create *create = data;
  Domain *domain = NULL;

  if (!manager_check_identity (manager, create->def->name, create->def->uuid, &domain, error))
    return FALSE;
  if (domain != NULL && (domain_is_active (domain) || lock_is_held (domain->lock))) {
    virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain '%s' is already active",
                         domain->name);
    return FALSE;
  }
  return TRUE;
}

/* A defined domain keeps its definition and runs this once with another. */
static void
create_begin (Domain *domain, Call *call)
{
  Create *create = call->user_data;

  domain->destroy_asked = FALSE;
  if (!domain->persistent) {
    g_clear_pointer (&domain->transient, domain_def_unref);
    domain->transient = domain_def_ref (create->def);
    if (create->messages != NULL) {
      g_ptr_array_unref (domain->messages);
      domain->messages = g_steal_pointer (&create->messages);
    }
  }
  start_with_image (call, create->def, create->source, g_steal_pointer (&create->restore), create->flags,
                    FALSE);
}

static void
create_done (Manager *manager, gpointer data, const GError *error)
{
  Create *create = data;
  Call *call = create->call;
  Domain *domain = NULL;

  if (error != NULL) {
    call_fail (call, g_error_copy (error));
    create_free (create);
    return;
  }
  manager_check_identity (manager, create->def->name, create->def->uuid, &domain, NULL);
  if (domain == NULL)
    domain = manager_add (manager, create->def->name, create->def->uuid);
  call->domain_uuid = g_strdup (domain->uuid);
  call->user_data = create;
  call->user_free = create_free;
  domain_lock (domain, "start", call, create_begin);
}

static const ChangeKind create_change = { "create", create_check, NULL, create_done };

static void
create_parsed (gpointer result, const GError *error, gpointer data)
{
  Create *create = data;

  if (result != NULL) {
    change_start (create->call->manager, &create_change, create, NULL);
    return;
  }
  call_fail (create->call, g_error_copy (error));
  create_free (create);
}

void
op_domain_create_xml (Call *call)
{
  guint flags = call_uint (call, 1);
  Create *create;

  if (!check_start_flags (call, flags, START_KNOWN_FLAGS | VIR_DOMAIN_START_VALIDATE))
    return;
  create = g_new0 (Create, 1);
  create->call = call;
  create->platform = call->manager->platform;
  create->source = g_strdup (call_string (call, 0));
  create->flags = flags;
  create->strict = (flags & VIR_DOMAIN_START_VALIDATE) != 0;
  create->messages = g_ptr_array_new_with_free_func (g_free);
  call_work (call, strlen (create->source), "create", create_parse, create, NULL, create_parsed);
}

void
start_definition (Call *call, DomainDef *def, GPtrArray *messages, Restore *restore, guint flags)
{
  Create *create = g_new0 (Create, 1);

  create->call = call;
  create->def = domain_def_ref (def);
  create->messages = messages;
  create->restore = restore;
  create->flags = flags;
  change_start (call->manager, &create_change, create, NULL);
}

void
start_from_snapshot (Call *call, DomainDef *def, Restore *restore, gboolean paused)
{
  call->domain->destroy_asked = FALSE;
  start_with_image (call, def, NULL, restore, START_FROM_SNAPSHOT | (paused ? VIR_DOMAIN_START_PAUSED : 0),
                    FALSE);
}
