/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Would it start here? The way of a start (domain-start.c) with nothing begun: the document is read, volumes
 * become files and cards are plugged in thought, and the driver looks at the rest (start-check.h). What only
 * the registry knows, names that are taken and which machine has an image, is asked in the main loop.
 * Nobody's lock is taken: a check says how things are now.
 */
#include "daemon/domain/definition.h"
#include "daemon/domain/image-holder.h"
#include "daemon/drivers/qemu/start-check.h"
#include "daemon/ops/domain/network-cards.h"
#include "daemon/ops/domain/volume-disks.h"
#include "daemon/ops/ops.h"
#include "domain/devices/disk.h"
#include "network/firewall-check.h"

#include <string.h>

#define CHECK_SECONDS 60

typedef struct {
  Call *call;
  Manager *manager;
  char *document; /* what it was given; NULL: a defined domain's */
  DomainDef *def;
  gboolean runs; /* it has what it needs */
  GPtrArray *findings;
} Checking;

static void
checking_free (gpointer data)
{
  Checking *checking = data;

  g_free (checking->document);
  g_clear_pointer (&checking->def, domain_def_unref);
  g_ptr_array_unref (checking->findings);
  g_free (checking);
}

static Checking *
checking_new (Call *call)
{
  Checking *checking = g_new0 (Checking, 1);

  checking->call = call;
  checking->manager = call->manager;
  checking->findings = check_findings_new ();
  return checking;
}

/* In the job. */

static void
look_at_volumes (Job *job, Checking *checking, DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    g_autoptr (GError) error = NULL;

    if (!volume_disk_translate (job, checking->manager, disk, &error))
      check_add_error (checking->findings, "volume", error);
  }
}

static void
add_obstacles (Checking *checking, const char *network, const GPtrArray *obstacles)
{
  for (guint i = 0; obstacles != NULL && i < obstacles->len; i++) {
    const FirewallFinding *obstacle = g_ptr_array_index (obstacles, i);

    check_add (checking->findings, "network", CHECK_WARNING, obstacle->cure, "network '%s': %s", network,
               obstacle->what);
  }
}

static void
look_at_networks (Job *job, Checking *checking, DomainDef *def)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    g_autofree char *network = interface->type == INTERFACE_NETWORK ? g_strdup (interface->network) : NULL;
    g_autoptr (GPtrArray) obstacles = NULL;
    g_autoptr (GError) error = NULL;

    if (network == NULL)
      continue;
    if (!network_card_preview (job, checking->manager, def, interface,
                               g_hash_table_contains (seen, network) ? NULL : &obstacles, &error))
      check_add_error (checking->findings, "network", error);
    add_obstacles (checking, network, obstacles);
    g_hash_table_add (seen, g_strdup (network));
  }
}

static void
leave_out_volumes (DomainDef *def)
{
  /* One that is no file yet was told of: the rest of the machine is looked at without it. */
  for (guint i = def->devices->len; i > 0; i--) {
    const Device *device = g_ptr_array_index (def->devices, i - 1);

    if (device->kind == &disk_kind && ((const DeviceDisk *)device)->type == DISK_TYPE_VOLUME)
      g_ptr_array_remove_index (def->devices, i - 1);
  }
}

static void
check_host (Job *job, Checking *checking)
{
  Manager *manager = checking->manager;
  g_autoptr (DomainDef) def = domain_def_copy (checking->def);
  StartRequest *request;

  look_at_volumes (job, checking, def);
  leave_out_volumes (def);
  look_at_networks (job, checking, def);
  request = start_request_new (def, 0, FALSE, FALSE, manager->settings, manager->store, manager->caps);
  request->is_check = TRUE;
  request->secrets = manager->secrets;
  request->document = g_strdup (checking->document);
  if (driver_of (def) != NULL)
    driver_of (def)->check (driver_of (def), job, request, checking->findings);
  else
    start_check (job, request, checking->findings);
  start_request_free (request);
}

static gpointer
check_job (Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  Checking *checking = data;

  check_host (job, checking);
  return JOB_OK;
}

/* In the main loop. */

/* Of a locked image, which machine has it. */
static const char *
name_holder (Manager *manager, CheckFinding *finding, GError **place)
{
  g_autoptr (GError) said = NULL;

  if (!g_str_equal (finding->check, "image-lock"))
    return finding->what;
  virt_error_set_plain (&said, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s", finding->what);
  *place = image_holder_explain (manager, said);
  return (*place)->message;
}

static void
answer (Call *call, const char *name, GPtrArray *findings)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(suuuss)"));
  for (guint i = 0; i < findings->len; i++) {
    CheckFinding *finding = g_ptr_array_index (findings, i);
    g_autoptr (GError) explained = NULL;

    g_variant_builder_add (&list, "(suuuss)", finding->check, (guint32)finding->severity, finding->where.line,
                           finding->where.column, name_holder (call->manager, finding, &explained),
                           finding->cure != NULL ? finding->cure : "");
  }
  call_answer (call, g_variant_new ("(sa(suuuss))", name, &list));
}

static void
checked (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Checking *checking = data;

  if (error != NULL)
    call_fail (checking->call, g_error_copy (error));
  else
    answer (checking->call, checking->def->name, checking->findings);
}

/* What a start would be refused for before it began. */
static void
look_at_identity (Checking *checking)
{
  Domain *domain = NULL;
  g_autoptr (GError) error = NULL;

  if (!manager_check_identity (checking->manager, checking->def->name, checking->def->uuid, &domain, &error))
    check_add_error (checking->findings, "name", error);
  checking->runs = domain != NULL && domain_is_active (domain);
}

static void
begin (Checking *checking)
{
  look_at_identity (checking);
  if (!checking->runs) {
    job_start ("check", check_job, checking, checking_free, CHECK_SECONDS, checked, checking);
    return;
  }
  check_add (checking->findings, "running", CHECK_NOTE, NULL,
             "it runs: what it needs it has, and was not looked at");
  answer (checking->call, checking->def->name, checking->findings);
  checking_free (checking);
}

static void
check_definition (Call *call, DomainDef *def)
{
  Checking *checking = checking_new (call);

  checking->def = domain_def_ref (def);
  begin (checking);
}

void
op_domain_check (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    call_with_definition (call, DEFINITION_CONFIG, check_definition);
}

/* A document. */

static gpointer
parse (G_GNUC_UNUSED Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  Checking *checking = data;
  g_autoptr (GError) problem = NULL;

  checking->def = definition_parse (checking->manager->platform, checking->document, TRUE, NULL, &problem);
  if (problem != NULL)
    check_add_document (checking->findings, problem);
  return JOB_OK;
}

static void
parsed (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Checking *checking = data;

  if (error == NULL && checking->def != NULL) {
    begin (checking);
    return;
  }
  if (error != NULL)
    call_fail (checking->call, g_error_copy (error));
  else
    answer (checking->call, "", checking->findings);
  checking_free (checking);
}

void
op_connect_check_domain_xml (Call *call)
{
  Checking *checking;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  checking = checking_new (call);
  checking->document = g_strdup (call_string (call, 0));
  call_work (call, strlen (checking->document), "check", parse, checking, NULL, parsed);
}
