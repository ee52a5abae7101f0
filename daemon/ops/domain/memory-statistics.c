/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's own statistics of its memory. QEMU keeps what the balloon's driver last said; what it never
 * said is -1. The call answers with that and with what is known without the guest: the balloon's size, and
 * what QEMU takes of the host.
 */
#include "daemon/ops/domain/memory-statistics.h"

#include "base/untrusted-json.h"
#include "daemon/ops/ops.h"
#include "targets/qemu/recipe.h"

#define STATISTICS_SECONDS 5 /* QEMU has to answer */

typedef struct {
  int tag;
  const char *qemu, *name;
  guint divisor;
} Statistic;

static const Statistic statistics[] = {
  { VIR_DOMAIN_MEMORY_STAT_SWAP_IN, "stat-swap-in", "swap_in", 1024 },
  { VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, "stat-swap-out", "swap_out", 1024 },
  { VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, "stat-major-faults", "major_fault", 1 },
  { VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, "stat-minor-faults", "minor_fault", 1 },
  { VIR_DOMAIN_MEMORY_STAT_UNUSED, "stat-free-memory", "unused", 1024 },
  { VIR_DOMAIN_MEMORY_STAT_AVAILABLE, "stat-total-memory", "available", 1024 },
  { VIR_DOMAIN_MEMORY_STAT_USABLE, "stat-available-memory", "usable", 1024 },
  { VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, NULL, "last-update", 1 }, /* seconds since the epoch */
  { VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, "stat-disk-caches", "disk_caches", 1024 },
  { VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "stat-htlb-pgalloc", "hugetlb_pgalloc", 1 },
  { VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "stat-htlb-pgfail", "hugetlb_pgfail", 1 },
};

const DeviceMemballoon *
find_balloon (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, memballoon_kind, DeviceMemballoon, balloon) {
    if (balloon->model != BALLOON_NONE && balloon->model != BALLOON_UNSET && balloon->model != BALLOON_XEN)
      return balloon;
  }
  return NULL;
}

JsonObject *
balloon_property (const DeviceMemballoon *balloon, const char *property)
{
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", balloon->device.alias);

  return props ("path", "s", path, "property", "s", property, NULL);
}

void
memory_statistics_each (JsonNode *answer,
                        void (*each) (int tag, const char *name, guint64 value, gpointer data), gpointer data)
{
  JsonObject *object = untrusted_object_of (answer), *stats = untrusted_object (object, "stats");

  for (guint i = 0; i < G_N_ELEMENTS (statistics); i++) {
    const Statistic *statistic = &statistics[i];
    JsonObject *from = statistic->qemu != NULL ? stats : object;
    gint64 value;

    if (untrusted_number (from, statistic->qemu != NULL ? statistic->qemu : "last-update", &value)
        && value >= 0)
      each (statistic->tag, statistic->name, (guint64)value / statistic->divisor, data);
  }
}

/* The call. */

typedef struct {
  GVariantBuilder list;
  guint room;
} Answer;

static void
add (int tag, G_GNUC_UNUSED const char *name, guint64 value, gpointer data)
{
  Answer *answer = data;

  if (answer->room == 0)
    return;
  g_variant_builder_add (&answer->list, "(it)", tag, value);
  answer->room--;
}

static void
answer_with (Call *call, JsonNode *said)
{
  Answer answer = { .room = call_uint (call, 1) };
  const Machine *machine = call->domain->machine;
  guint64 time, user, system, resident;

  g_variant_builder_init (&answer.list, G_VARIANT_TYPE ("a(it)"));
  if (find_balloon (machine->def) != NULL)
    add (VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, NULL, domain_memory_now (call->domain, machine->def),
         &answer);
  memory_statistics_each (said, add, &answer);
  if (process_usage (machine->process, &time, &user, &system, &resident))
    add (VIR_DOMAIN_MEMORY_STAT_RSS, NULL, resident, &answer);
  call_answer (call, g_variant_new ("(a(it))", &answer.list));
}

/* A guest that does not answer is told of without its own words. */
static void
told (JsonNode *said, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Call *call = data;

  if (call_find_domain_again (call) == NULL)
    return;
  if (call->domain->machine == NULL)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
  else
    answer_with (call, said);
}

void
op_domain_memory_stats (Call *call)
{
  const Machine *machine = call->domain->machine;
  const DeviceMemballoon *balloon;
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (!domain_check_active (call->domain, &error)) {
    call_fail (call, error);
    return;
  }
  balloon = find_balloon (machine->def);
  if (balloon == NULL || machine->qmp == NULL || machine->monitor_closed)
    answer_with (call, NULL);
  else
    qmp_query (machine->qmp, "qom-get", balloon_property (balloon, "guest-stats"), STATISTICS_SECONDS, told,
               call);
}
