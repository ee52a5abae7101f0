/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a client may set of a migration beside its parameters, before it or while it runs: how fast it may be,
 * how long the guest may stand still, the cache of its compression; and the switch to post-copy. None of it
 * waits for the migration, which holds the domain's lock.
 */
#include "daemon/domain/domain-migration.h"
#include "daemon/domain/machine.h"
#include "daemon/ops/ops.h"
#include "targets/qemu/recipe.h"

#define MEBIBYTE ((guint64)1024 * 1024)

static gboolean
can_ask (Call *call)
{
  GError *error = NULL;

  if (domain_check_active (call->domain, &error) && domain_check_monitor (call->domain, &error))
    return TRUE;
  call_fail (call, error);
  return FALSE;
}

static void
was_set (JsonNode *answer, const GError *error, gpointer data)
{
  if (answer != NULL)
    call_answer_nothing (data);
  else
    call_fail (data, g_error_copy (error));
}

static void
set (Call *call, const char *parameter, guint64 value)
{
  JsonObject *arguments = json_object_new ();

  json_object_set_int_member (arguments, parameter, (gint64)MIN (value, (guint64)G_MAXINT64));
  qmp_query (call->domain->machine->qmp, "migrate-set-parameters", arguments,
             call->manager->settings->call_timeout, was_set, call);
}

/* @call->user_data is the parameter's name. */
static void
was_asked (JsonNode *answer, const GError *error, gpointer data)
{
  Call *call = data;

  if (answer != NULL)
    call_answer (call,
                 g_variant_new ("(t)", untrusted_count (untrusted_object_of (answer), call->user_data)));
  else
    call_fail (call, g_error_copy (error));
}

static void
ask (Call *call, const char *parameter)
{
  call->user_data = g_strdup (parameter);
  call->user_free = g_free;
  qmp_query (call->domain->machine->qmp, "query-migrate-parameters", NULL,
             call->manager->settings->call_timeout, was_asked, call);
}

static gboolean
is_being_sent (const Domain *domain)
{
  return domain->migration != NULL && domain->migration->phase == MIGRATION_PERFORM;
}

/* Bandwidth. */

void
op_domain_migrate_set_max_speed (Call *call)
{
  guint64 bandwidth = call_ulong (call, 1);
  guint flags = call_uint (call, 2);
  gboolean postcopy = (flags & VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY) != 0;

  if (!call_check_flags (call, flags, VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY))
    return;
  if (bandwidth > MIGRATION_BANDWIDTH_MAX) {
    call_fail_with (call, VIR_ERR_OVERFLOW, "bandwidth must be less than %" G_GUINT64_FORMAT,
                    MIGRATION_BANDWIDTH_MAX + 1);
    return;
  }
  if (postcopy && !can_ask (call))
    return;
  if (!postcopy)
    call->domain->migration_speed = bandwidth;
  if (postcopy)
    set (call, "max-postcopy-bandwidth", bandwidth * MEBIBYTE);
  else if (is_being_sent (call->domain) && call->domain->machine->qmp != NULL)
    set (call, "max-bandwidth", bandwidth == 0 ? (guint64)G_MAXINT64 : bandwidth * MEBIBYTE);
  else
    call_answer_nothing (call);
}

static void
postcopy_speed (JsonNode *answer, const GError *error, gpointer data)
{
  guint64 bytes = untrusted_count (untrusted_object_of (answer), "max-postcopy-bandwidth");

  if (answer != NULL)
    call_answer (data, g_variant_new ("(t)", bytes / MEBIBYTE));
  else
    call_fail (data, g_error_copy (error));
}

void
op_domain_migrate_get_max_speed (Call *call)
{
  guint flags = call_uint (call, 1);
  guint64 speed = call->domain->migration_speed;

  if (!call_check_flags (call, flags, VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY))
    return;
  if (!(flags & VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY))
    call_answer (call, g_variant_new ("(t)", speed != 0 ? speed : MIGRATION_BANDWIDTH_MAX));
  else if (can_ask (call))
    qmp_query (call->domain->machine->qmp, "query-migrate-parameters", NULL,
               call->manager->settings->call_timeout, postcopy_speed, call);
}

/* Downtime. */

void
op_domain_migrate_set_max_downtime (Call *call)
{
  if (call_check_flags (call, call_uint (call, 2), 0) && can_ask (call))
    set (call, "downtime-limit", call_ulong (call, 1));
}

void
op_domain_migrate_get_max_downtime (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0) && can_ask (call))
    ask (call, "downtime-limit");
}

/* The cache of XBZRLE. */

void
op_domain_migrate_set_compression_cache (Call *call)
{
  if (call_check_flags (call, call_uint (call, 2), 0) && can_ask (call))
    set (call, "xbzrle-cache-size", call_ulong (call, 1));
}

void
op_domain_migrate_get_compression_cache (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0) && can_ask (call))
    ask (call, "xbzrle-cache-size");
}

/* Post-copy. */

void
op_domain_migrate_start_post_copy (Call *call)
{
  Domain *domain = call->domain;

  if (!call_check_flags (call, call_uint (call, 1), 0) || !can_ask (call))
    return;
  if (!is_being_sent (domain)) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID,
                    "post-copy can only be started while outgoing migration is in progress");
    return;
  }
  if (!(domain->migration->flags & VIR_MIGRATE_POSTCOPY)) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID,
                    "switching to post-copy requires migration to be started with VIR_MIGRATE_POSTCOPY flag");
    return;
  }
  machine_events_expect_pause (domain->machine->events, VIR_DOMAIN_PAUSED_POSTCOPY,
                               VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY);
  qmp_query (domain->machine->qmp, "migrate-start-postcopy", NULL, call->manager->settings->call_timeout,
             was_set, call);
}
