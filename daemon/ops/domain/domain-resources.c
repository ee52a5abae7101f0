/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much memory a domain has, and what becomes of it when it ends. A running machine's memory is its
 * balloon's.
 */
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/domain/memory-statistics.h"

#include "targets/qemu/recipe.h"

#define AFFECT          (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define KIB_MAX         (G_MAXINT64 / 1024)
#define MEMORY_ELEMENTS "memory", "currentMemory"

static guint
last_flags (const Call *call)
{
  gsize count = g_variant_n_children (call->arguments);

  return call_uint (call, (guint)count - 1);
}

/* Memory. */

typedef struct {
  guint64 kib;
} MemorySize;

static gboolean
apply_memory (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const MemorySize *size = values;

  if (size->kib > def->memory.value) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot set memory higher than max memory");
    return FALSE;
  }
  if (machine != NULL && find_balloon (def) == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "Unable to change memory of active domain without the balloon device and guest OS "
                    "balloon driver");
    return FALSE;
  }
  def->current_memory = (Number){ .set = TRUE, .value = size->kib };
  return TRUE;
}

static const char *
balloon_command (const Machine *machine, gconstpointer values, JsonObject **ret_arguments)
{
  const MemorySize *size = values;

  (void)machine;
  *ret_arguments = props ("value", "t", size->kib * 1024, NULL);
  return "balloon";
}

static gboolean
drive_memory (const DriverMachine *machine, Job *job, gconstpointer values, GError **error)
{
  const MemorySize *size = values;

  if (machine->driver->set_memory != NULL)
    return machine->driver->set_memory (machine, job, size->kib, error);
  driver_fail_unsupported (machine->driver, "memory", error);
  return FALSE;
}

static gboolean
apply_maximum (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const MemorySize *size = values;

  if (machine != NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "cannot resize the maximum memory on an active domain");
    return FALSE;
  }
  if (def->cpu != NULL && def->cpu->numa.cells != NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "initial memory size of a domain with NUMA nodes cannot be modified with this API");
    return FALSE;
  }
  def->memory = (Number){ .set = TRUE, .value = size->kib };
  if (def->current_memory.set && def->current_memory.value > size->kib)
    def->current_memory.value = size->kib;
  return TRUE;
}

static void
set_memory (Call *call, guint64 kib, guint flags)
{
  gboolean maximum = (flags & VIR_DOMAIN_MEM_MAXIMUM) != 0;
  ChangeRequest change = {
    .name = "memory",
    .affect = flags & AFFECT,
    .apply = maximum ? apply_maximum : apply_memory,
    .command = maximum ? NULL : balloon_command,
    .drive = maximum ? NULL : drive_memory,
    .elements = { MEMORY_ELEMENTS },
  };

  if (!call_check_flags (call, flags, AFFECT | VIR_DOMAIN_MEM_MAXIMUM))
    return;
  if (kib == 0 || kib > KIB_MAX) {
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "memory in virDomainSetMemory must be from 1 to %" G_GINT64_FORMAT " KiB",
                    (gint64)KIB_MAX);
    return;
  }
  change.values = g_memdup2 (&(MemorySize){ kib }, sizeof (MemorySize));
  domain_change (call, &change);
}

/* The calls without flags are about the running machine. */
void
op_domain_set_memory (Call *call)
{
  gboolean with_flags = g_variant_n_children (call->arguments) > 2;

  set_memory (call, call_ulong (call, 1), with_flags ? call_uint (call, 2) : VIR_DOMAIN_AFFECT_LIVE);
}

void
op_domain_set_max_memory (Call *call)
{
  set_memory (call, call_ulong (call, 1), VIR_DOMAIN_MEM_MAXIMUM);
}

/* How often the balloon tells what the guest's memory is used for. */

typedef struct {
  int seconds;
} StatsPeriod;

static gboolean
apply_period (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const StatsPeriod *period = values;
  DeviceMemballoon *balloon = (DeviceMemballoon *)find_balloon (def);

  (void)machine;
  if (balloon == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "Memory balloon model must be virtio to set the collection period");
    return FALSE;
  }
  balloon->stats_period = (Number){ .set = period->seconds > 0, .value = (guint64)period->seconds };
  return TRUE;
}

static const char *
period_command (const Machine *machine, gconstpointer values, JsonObject **ret_arguments)
{
  const StatsPeriod *period = values;

  *ret_arguments = balloon_property (find_balloon (machine->def), "guest-stats-polling-interval");
  json_object_set_int_member (*ret_arguments, "value", period->seconds);
  return "qom-set";
}

void
op_domain_set_memory_stats_period (Call *call)
{
  guint flags = call_uint (call, 2);
  ChangeRequest change = {
    .name = "memory-stats",
    .affect = flags,
    .apply = apply_period,
    .command = period_command,
    .device_element = "stats",
  };

  if (!call_check_flags (call, flags, AFFECT))
    return;
  if (call_int (call, 1) < 0) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "the period must be 0 seconds or more, not %d",
                    call_int (call, 1));
    return;
  }
  change.values = g_memdup2 (&(StatsPeriod){ call_int (call, 1) }, sizeof (StatsPeriod));
  domain_change (call, &change);
}

/* What becomes of it. */

typedef struct {
  virDomainLifecycle type;
  OnEvent action;
} LifecycleAction;

static gboolean
apply_action (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const LifecycleAction *lifecycle = values;

  (void)machine;
  (void)error;
  if (lifecycle->type == VIR_DOMAIN_LIFECYCLE_POWEROFF)
    def->on_poweroff = lifecycle->action;
  else if (lifecycle->type == VIR_DOMAIN_LIFECYCLE_REBOOT)
    def->on_reboot = lifecycle->action;
  else
    def->on_crash = lifecycle->action;
  return TRUE;
}

void
op_domain_set_lifecycle_action (Call *call)
{
  static const char *const elements[] = { "on_poweroff", "on_reboot", "on_crash" };
  static const OnEvent actions[] = {
    [VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY] = ON_EVENT_DESTROY,
    [VIR_DOMAIN_LIFECYCLE_ACTION_RESTART] = ON_EVENT_RESTART,
    [VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME] = ON_EVENT_RENAME_RESTART,
    [VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE] = ON_EVENT_PRESERVE,
    [VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY] = ON_EVENT_COREDUMP_DESTROY,
    [VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART] = ON_EVENT_COREDUMP_RESTART,
  };
  guint type = call_uint (call, 1), action = call_uint (call, 2), flags = last_flags (call);
  ChangeRequest change = { .name = "lifecycle-action", .affect = flags, .apply = apply_action };

  if (!call_check_flags (call, flags, AFFECT))
    return;
  if (type >= G_N_ELEMENTS (elements) || action >= G_N_ELEMENTS (actions)) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "lifecycle event %u or action %u is not known", type, action);
  } else if (type != VIR_DOMAIN_LIFECYCLE_CRASH && action >= VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY) {
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED, "'%s' can't have a core dump as its action",
                    elements[type]);
  } else {
    change.elements[0] = elements[type];
    change.values =
        g_memdup2 (&(LifecycleAction){ (virDomainLifecycle)type, actions[action] }, sizeof (LifecycleAction));
    domain_change (call, &change);
  }
}
