/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine that is to come: its document is checked as any client's, its QEMU is started and waits for the
 * other one. It ends again with the client that prepared it, unless that one comes back to finish it.
 */
#include "daemon/domain/domain-migration.h"
#include "daemon/domain/readiness.h"
#include "daemon/drivers/qemu/migration-address.h"
#include "daemon/drivers/qemu/migration-disks.h"
#include "daemon/drivers/qemu/restore.h"
#include "daemon/host/node.h"
#include "daemon/host/ports.h"
#include "daemon/object/change.h"
#include "daemon/ops/domain/domain-start.h"
#include "daemon/ops/domain/migrate-arguments.h"
#include "daemon/ops/domain/network-cards.h"
#include "domain/seclabel.h"

#include <string.h>
#include <unistd.h>

#define ADDRESSES_OF_IPV6 "/proc/net/if_inet6"

typedef struct {
  Call *call;
  Manager *manager;
  MigrateArguments arguments;
  GVariant *cookie_bytes;
  char *uuid;
  char *name_there; /* the machine's, on the source */
  DomainDef *def;
  DomainDef *starts;       /* the same with the processor the guest has on the source */
  MigrationCookie *cookie; /* of the source */
  GPtrArray *capabilities; /* of our QEMU */
  StartRequest *request;
  MigrateIn *in;
  guint ports[2];
  char *uri; /* that the source is told; NULL: the one it has */
} Prepare;

static void
release_ports (Prepare *prepare)
{
  for (guint i = 0; i < G_N_ELEMENTS (prepare->ports); i++)
    if (prepare->ports[i] != 0)
      ports_release (prepare->ports[i]);
  prepare->ports[0] = prepare->ports[1] = 0;
}

static void
prepare_free (gpointer data)
{
  Prepare *prepare = data;

  release_ports (prepare);
  migrate_arguments_clear (&prepare->arguments);
  g_clear_pointer (&prepare->cookie_bytes, g_variant_unref);
  g_clear_pointer (&prepare->def, domain_def_unref);
  g_clear_pointer (&prepare->starts, domain_def_unref);
  g_clear_pointer (&prepare->capabilities, g_ptr_array_unref);
  migration_cookie_free (prepare->cookie);
  start_request_free (prepare->request);
  migrate_in_free (prepare->in);
  g_free (prepare->uuid);
  g_free (prepare->name_there);
  g_free (prepare->uri);
  g_free (prepare);
}

/* Reading. */

/* A guest keeps every feature that it has seen: libvirt tells it beside the document. */
static gboolean
take_processor (Prepare *prepare, GError **error)
{
  const MigrationCookie *cookie = prepare->cookie;

  prepare->starts = domain_def_copy (prepare->def);
  return restore_take_processor (prepare->starts, cookie != NULL ? cookie->processor : NULL, error);
}

static gpointer
read_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  Prepare *prepare = input;
  const Manager *manager = prepare->manager;
  const MigrateArguments *arguments = &prepare->arguments;
  g_autofree char *host = migrate_host_uuid (manager->settings);
  g_autoptr (GError) bad = NULL;
  DomainDef *def = definition_parse (manager->platform, arguments->document, FALSE, NULL, error);

  if (def == NULL)
    return NULL;
  prepare->def = def;
  domain_def_drop_chosen_seclabels (def);
  prepare->cookie = migrate_cookie_of_value (prepare->cookie_bytes, &bad);
  if (bad != NULL
      || (prepare->cookie != NULL
          && !migration_cookie_check (prepare->cookie, def->uuid, NULL, host, &bad))) {
    g_propagate_error (error, g_steal_pointer (&bad));
    return NULL;
  }
  prepare->name_there = g_strdup (prepare->cookie != NULL ? prepare->cookie->name : def->name);
  if (arguments->name != NULL) {
    g_free (def->name);
    def->name = g_strdup (arguments->name);
  }
  return take_processor (prepare, error)
                 && migration_disks_check_names (def, (const char *const *)arguments->disks, error)
             ? JOB_OK
             : NULL;
}

/* Where it listens. */

static guint
take_port (Prepare *prepare, guint index, GError **error)
{
  prepare->ports[index] = ports_take (prepare->arguments.listen, MIGRATION_PORTS_FIRST, error);
  if (prepare->ports[index] <= MIGRATION_PORTS_LAST)
    return prepare->ports[index];
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "Unable to find an unused port in range 'migration' (%u-%u)", MIGRATION_PORTS_FIRST,
                  MIGRATION_PORTS_LAST);
  return 0;
}

static const char *
listen_address (const Prepare *prepare)
{
  if (prepare->arguments.listen != NULL)
    return prepare->arguments.listen;
  return access (ADDRESSES_OF_IPV6, F_OK) == 0 ? "::" : "0.0.0.0";
}

static gboolean
choose_tcp (Prepare *prepare, MigrationAddress *address, GError **error)
{
  MigrationAddress here = { .host = (char *)listen_address (prepare), .port = address->port };
  gboolean said = address->host != NULL && address->port != 0;

  if (address->host == NULL)
    address->host = node_hostname ();
  if (prepare->arguments.uri == NULL && g_str_has_prefix (address->host, "localhost")) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "hostname on destination resolved to localhost, but migration requires an FQDN");
    return FALSE;
  }
  if (address->port == 0)
    address->port = here.port = take_port (prepare, 0, error);
  if (address->port == 0)
    return FALSE;
  prepare->in->listen = migration_address_to_qemu (&here);
  prepare->uri = said ? NULL : migration_address_to_uri (address);
  return TRUE;
}

static gboolean
choose_disks (Prepare *prepare, GError **error)
{
  const MigrateArguments *arguments = &prepare->arguments;
  MigrateIn *in = prepare->in;
  g_auto (MigrationAddress) address = { 0 };

  if (!(arguments->flags & (VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC)))
    return TRUE;
  if (arguments->disks_uri != NULL && !migration_address_parse (arguments->disks_uri, &address, error))
    return FALSE;
  in->serves_disks = TRUE;
  in->disks = g_strdupv (arguments->disks);
  in->disks_socket = g_strdup (address.path);
  in->disks_address =
      g_strdup (address.host != NULL && arguments->listen == NULL ? address.host : listen_address (prepare));
  in->disks_port = address.port != 0 ? address.port : arguments->disks_port;
  if (in->disks_socket == NULL && in->disks_port == 0)
    in->disks_port = take_port (prepare, 1, error);
  return in->disks_socket != NULL || in->disks_port != 0;
}

static gboolean
choose_places (Prepare *prepare, GError **error)
{
  const Manager *manager = prepare->manager;
  g_autofree char *directory = machine_directory (manager->store, prepare->uuid);
  g_auto (MigrationAddress) address = { 0 };

  prepare->in = migrate_in_new (&prepare->arguments.settings, manager->settings->call_timeout);
  if (prepare->arguments.uri != NULL && !migration_address_parse (prepare->arguments.uri, &address, error))
    return FALSE;
  if (address.path != NULL) {
    prepare->in->listen = g_strdup_printf ("unix:%s/" MIGRATE_IN_SOCKET, directory);
    prepare->in->link = g_steal_pointer (&address.path);
  } else if (!choose_tcp (prepare, &address, error)) {
    return FALSE;
  }
  return choose_disks (prepare, error);
}

/* Starting. */

static gpointer
start_incoming (Job *job, gpointer data, GError **error)
{
  Prepare *prepare = data;
  StartedMachine *started = NULL;

  if (choose_places (prepare, error)) {
    prepare->request->incoming = g_steal_pointer (&prepare->in);
    started = start_translated (job, prepare->manager, prepare->request, error);
  }
  release_ports (prepare);
  if (started != NULL)
    prepare->capabilities = migration_capabilities (started->qmp, job, NULL);
  return started;
}

static void
answer (Prepare *prepare, const Migration *migration)
{
  Call *call = prepare->call;
  g_autoptr (MigrationCookie) cookie =
      migrate_cookie_new (prepare->manager->settings, migration->name_there, migration->domain->uuid);

  cookie->capabilities = g_steal_pointer (&prepare->capabilities);
  if (migration->in != NULL && migration->in->serves_disks) {
    cookie->has_nbd = TRUE;
    cookie->nbd_port = migration->in->disks_socket == NULL ? migration->in->disks_port : 0;
  }
  call_answer (call, g_variant_new ("(@ayms)", migrate_cookie_value (cookie), prepare->uri));
}

static void
started_incoming (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (StartedMachine) started = result;
  Prepare *prepare = data;
  Call *call = prepare->call;
  Domain *domain = manager_find_uuid (prepare->manager, prepare->uuid, NULL);
  Migration *migration;

  network_cards_settle (prepare->manager, prepare->uuid);
  if (started == NULL || domain == NULL) {
    start_failed (call, domain, error);
    return;
  }
  domain->job = NULL;
  machine_commit_start (domain, started, TRUE);
  readiness_machine_started (domain, TRUE);
  migration = migration_new (domain, call, MIGRATION_PREPARED, prepare->arguments.flags);
  migration->in = g_steal_pointer (&prepare->request->incoming);
  migration->name_there = g_strdup (prepare->name_there);
  migration_bind (migration, call->client);
  progress_unref (domain->progress);
  domain->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN);
  if (!domain->destroy_asked && !call->client->ended) {
    answer (prepare, migration);
    return;
  }
  machine_end (domain->machine, FALSE, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
  call_fail_with (call, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed while it was being started");
}

static void
begin (Domain *domain, Call *call)
{
  Prepare *prepare = call->user_data;
  Manager *manager = prepare->manager;
  StartRequest *request;

  domain->destroy_asked = FALSE;
  if (domain_is_active (domain)) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain '%s' is already active", domain->name);
    return;
  }
  if (!domain->persistent) {
    g_clear_pointer (&domain->transient, domain_def_unref);
    domain->transient = domain_def_ref (prepare->def);
  }
  if (prepare->arguments.flags & VIR_MIGRATE_OFFLINE) {
    Migration *migration = migration_new (domain, call, MIGRATION_PREPARED, prepare->arguments.flags);

    migration->offline = domain_def_ref (prepare->def);
    migration->name_there = g_strdup (prepare->name_there);
    migration_bind (migration, call->client);
    answer (prepare, migration);
    return;
  }
  request = start_request_new (prepare->starts, manager_new_id (manager), TRUE, !domain->persistent,
                               manager->settings, manager->store, manager->caps);
  request->secrets = manager->secrets;
  request->document = g_strdup (prepare->arguments.document);
  prepare->request = request;
  domain->job = job_start ("migrate-prepare", start_incoming, prepare, NULL,
                           start_job_seconds (manager->settings), started_incoming, prepare);
}

static gboolean
check (Manager *manager, gpointer data, GError **error)
{
  const Prepare *prepare = data;
  Domain *domain = NULL;

  if (!manager_check_identity (manager, prepare->def->name, prepare->def->uuid, &domain, error))
    return FALSE;
  if (domain != NULL && (domain_is_active (domain) || lock_is_held (domain->lock))) {
    virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain '%s' is already active",
                         domain->name);
    return FALSE;
  }
  return TRUE;
}

static void
checked (Manager *manager, gpointer data, const GError *error)
{
  Prepare *prepare = data;
  Call *call = prepare->call;
  Domain *domain = NULL;

  if (error != NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  manager_check_identity (manager, prepare->def->name, prepare->def->uuid, &domain, NULL);
  if (domain == NULL)
    domain = manager_add (manager, prepare->def->name, prepare->def->uuid);
  prepare->uuid = g_strdup (domain->uuid);
  call->domain_uuid = g_strdup (domain->uuid);
  domain_lock (domain, "migration", call, begin);
}

static const ChangeKind prepare_change = { "migrate-prepare", check, NULL, checked };

static void
have_read (gpointer result, const GError *error, gpointer data)
{
  Prepare *prepare = data;

  if (result != NULL)
    change_start (prepare->manager, &prepare_change, prepare, NULL);
  else
    call_fail (prepare->call, g_error_copy (error));
}

static void
prepare (Call *call, gboolean read, MigrateArguments *arguments, guint cookie, GError *error)
{
  Prepare *prepare;

  if (read && arguments->document == NULL)
    virt_error_set (&error, VIR_ERR_INVALID_ARG, "no document of the machine is given (parameter '%s')",
                    VIR_MIGRATE_PARAM_DEST_XML);
  if (error != NULL) {
    call_fail (call, error);
    migrate_arguments_clear (arguments);
    return;
  }
  prepare = g_new0 (Prepare, 1);
  prepare->call = call;
  prepare->manager = call->manager;
  prepare->arguments = *arguments;
  prepare->cookie_bytes = g_variant_get_child_value (call->arguments, cookie);
  call->user_data = prepare;
  call->user_free = prepare_free;
  call_work (call, strlen (prepare->arguments.document), "migrate-read", read_job, prepare, NULL, have_read);
}

void
op_domain_migrate_prepare3_params (Call *call)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 0);
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  gboolean read =
      migrate_arguments_read (&arguments, parameters, call_uint (call, 2), call->manager->settings, &error);

  prepare (call, read, &arguments, 1, error);
}

void
op_domain_migrate_prepare3 (Call *call)
{
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  gboolean read = migrate_arguments_read_plain (
      &arguments, call_maybe_string (call, 3), call_maybe_string (call, 1), call_string (call, 5),
      call_ulong (call, 2), call_ulong (call, 4), call->manager->settings, &error);

  prepare (call, read, &arguments, 0, error);
}
