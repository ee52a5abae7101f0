/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits of a domain's memory, where its memory lies, and which events are counted, as typed parameters. A
 * running machine's limits are read from its control group, where the kernel keeps them; all else is what the
 * definition says.
 */
#include "daemon/ops/domain/domain-tuning.h"

#include "daemon/host/limits.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/domain/parameters.h"

#define AFFECT  (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define GETTING (AFFECT | VIR_TYPED_PARAM_STRING_OKAY)

/* What they share. */

void
call_live_or_config (Call *call, guint flags, guint known, DefinitionThen live, DefinitionThen config)
{
  DefinitionWhich which;

  if (!call_check_flags (call, flags, known) || !call_check_affect (call, flags, &which))
    return;
  if ((flags & AFFECT) == AFFECT)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive");
  else if (which == DEFINITION_CURRENT && domain_is_active (call->domain))
    live (call, call->domain->machine->def);
  else
    call_with_definition (call, which, config);
}

Cgroup *
call_machine_cgroup (Call *call, CgroupController controller)
{
  const Machine *machine = call->domain->machine;
  g_autoptr (Cgroup) cgroup = cgroup_find (machine->def->uuid, process_pid (machine->process));
  GError *error = NULL;

  if (cgroup_check (cgroup, controller, &error))
    return g_steal_pointer (&cgroup);
  call_fail (call, error);
  return NULL;
}

static void
set_parameters (Call *call, const ChangeRequest *request, const CallParameter *known)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 1);
  ChangeRequest change = *request;

  change.affect = call_uint (call, 2);
  change.values = list;
  change.free_values = (GDestroyNotify)g_variant_unref;
  if (!call_check_flags (call, change.affect, AFFECT) || !call_check_parameters (call, list, known))
    return;
  g_variant_ref (list);
  domain_change (call, &change);
}

/* Memory. */

static void
answer_limits (Call *call, const MemoryLimits *limits)
{
  const struct {
    const char *name;
    const Number *value;
  } rows[] = { { VIR_DOMAIN_MEMORY_HARD_LIMIT, &limits->hard },
               { VIR_DOMAIN_MEMORY_SOFT_LIMIT, &limits->soft },
               { VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, &limits->swap_hard } };
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_variant_builder_add (
        &list, "{sv}", rows[i].name,
        g_variant_new_uint64 (rows[i].value->set ? rows[i].value->value : VIR_DOMAIN_MEMORY_PARAM_UNLIMITED));
  call_answer_parameters (call, g_variant_builder_end (&list), call_int (call, 1), TRUE);
}

static void
memory_of_definition (Call *call, DomainDef *def)
{
  const DomainMemtune *tune = &def->memtune;

  answer_limits (call, &(MemoryLimits){ tune->hard_limit, tune->soft_limit, tune->swap_hard_limit });
}

static void
memory_of_machine (Call *call, G_GNUC_UNUSED DomainDef *def)
{
  g_autoptr (Cgroup) cgroup = call_machine_cgroup (call, CGROUP_MEMORY);
  MemoryLimits limits;

  if (cgroup == NULL)
    return;
  limits_get_memory (cgroup, &limits);
  answer_limits (call, &limits);
}

void
op_domain_get_memory_parameters (Call *call)
{
  call_live_or_config (call, call_uint (call, 2), GETTING, memory_of_machine, memory_of_definition);
}

static Number
limit_in (GVariant *values, const char *name)
{
  Number limit = { 0 };

  limit.set = g_variant_lookup (values, name, "t", &limit.value);
  return limit;
}

static void
take_limit (Number *limit, Number wanted)
{
  if (wanted.set)
    *limit = (Number){ wanted.value < MEMORY_UNLIMITED, wanted.value };
}

static guint64
limit_or_none (const Number *limit)
{
  return limit->set ? limit->value : MEMORY_UNLIMITED;
}

static gboolean
apply_memory_limits (DomainDef *def, G_GNUC_UNUSED const Machine *machine, gconstpointer values,
                     GError **error)
{
  DomainMemtune *tune = &def->memtune;
  Number hard = limit_in ((GVariant *)values, VIR_DOMAIN_MEMORY_HARD_LIMIT);
  Number swap = limit_in ((GVariant *)values, VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT);

  take_limit (&tune->soft_limit, limit_in ((GVariant *)values, VIR_DOMAIN_MEMORY_SOFT_LIMIT));
  take_limit (&tune->hard_limit, hard);
  take_limit (&tune->swap_hard_limit, swap);
  if ((hard.set || swap.set) && limit_or_none (&tune->hard_limit) > limit_or_none (&tune->swap_hard_limit)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "memory hard_limit tunable value must be lower than or equal to swap_hard_limit");
    return FALSE;
  }
  return TRUE;
}

static gboolean
enact_memory_limits (G_GNUC_UNUSED Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  g_autoptr (Cgroup) cgroup = cgroup_find (target->def->uuid, target->pid);
  const MemoryLimits limits = { limit_in ((GVariant *)values, VIR_DOMAIN_MEMORY_HARD_LIMIT),
                                limit_in ((GVariant *)values, VIR_DOMAIN_MEMORY_SOFT_LIMIT),
                                limit_in ((GVariant *)values, VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT) };

  return cgroup_check (cgroup, CGROUP_MEMORY, error) && limits_set_memory (cgroup, &limits, error);
}

void
op_domain_set_memory_parameters (Call *call)
{
  static const CallParameter known[] = { { VIR_DOMAIN_MEMORY_HARD_LIMIT, 't' },
                                         { VIR_DOMAIN_MEMORY_SOFT_LIMIT, 't' },
                                         { VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, 't' },
                                         { NULL, 0 } };

  set_parameters (call,
                  &(ChangeRequest){ .name = "memory-limits",
                                    .apply = apply_memory_limits,
                                    .enact = enact_memory_limits,
                                    .elements = { "memtune" } },
                  known);
}

/* Nodes. libvirt's modes are ours less one: 0 is "strict" there, and "not said" here. */

static void
answer_numa (Call *call, DomainDef *def)
{
  const NumaMemory *memory = def->numatune.memory;
  const char *nodeset = memory != NULL && memory->nodeset != NULL ? memory->nodeset : "";
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&list, "{sv}", VIR_DOMAIN_NUMA_MODE,
                         g_variant_new_int32 (memory != NULL ? memory->mode - NUMA_MODE_STRICT
                                                             : VIR_DOMAIN_NUMATUNE_MEM_STRICT));
  g_variant_builder_add (&list, "{sv}", VIR_DOMAIN_NUMA_NODESET, g_variant_new_string (nodeset));
  call_answer_parameters (call, g_variant_builder_end (&list), call_int (call, 1), TRUE);
}

void
op_domain_get_numa_parameters (Call *call)
{
  call_live_or_config (call, call_uint (call, 2), GETTING, answer_numa, answer_numa);
}

/* A running machine's memory is where it is; only its control group can still move it. */
static gboolean
check_running_numa (const Machine *machine, int mode, const char *nodeset, GError **error)
{
  const NumaMemory *memory = machine->def->numatune.memory;
  g_autoptr (Cgroup) cgroup = cgroup_find (machine->def->uuid, process_pid (machine->process));
  const char *problem = NULL;

  if (!cgroup_check (cgroup, CGROUP_CPUSET, error))
    return FALSE;
  if (mode != NUMA_MODE_NONE && memory != NULL && memory->mode != mode)
    problem = "can't change numatune mode for running domain";
  else if (nodeset != NULL && mode == NUMA_MODE_STRICT)
    problem = "can't change nodeset for strict mode for running domain";
  else if (nodeset != NULL && memory != NULL && memory->mode != NUMA_MODE_RESTRICTIVE)
    problem = "change of nodeset for running domain requires restrictive numa mode";
  if (problem != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "%s", problem);
  return problem == NULL;
}

static gboolean
read_numa (GVariant *values, int *ret_mode, char **ret_nodeset, GError **error)
{
  g_autofree char *text = NULL;
  gint32 mode;

  *ret_mode = NUMA_MODE_NONE;
  if (g_variant_lookup (values, VIR_DOMAIN_NUMA_MODE, "i", &mode)) {
    if (mode < 0 || mode > NUMA_MODE_RESTRICTIVE - NUMA_MODE_STRICT) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "unsupported numatune mode: '%d'", mode);
      return FALSE;
    }
    *ret_mode = mode + NUMA_MODE_STRICT;
  }
  if (g_variant_lookup (values, VIR_DOMAIN_NUMA_NODESET, "s", &text)) {
    g_autoptr (CpuSet) nodes = cpu_set_parse (text, NULL);

    if (nodes == NULL) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", text);
      return FALSE;
    }
    *ret_nodeset = cpu_set_to_string (nodes);
  }
  return TRUE;
}

static gboolean
apply_numa (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  g_autofree char *nodeset = NULL;
  NumaMemory *memory;
  int mode;

  if (!read_numa ((GVariant *)values, &mode, &nodeset, error)
      || (machine != NULL && !check_running_numa (machine, mode, nodeset, error)))
    return FALSE;
  memory = numatune_ensure_memory (&def->numatune);
  if (mode != NUMA_MODE_NONE)
    memory->mode = mode;
  if (nodeset != NULL) {
    memory->placement = NUMA_PLACEMENT_STATIC;
    g_free (memory->nodeset);
    memory->nodeset = g_steal_pointer (&nodeset);
  }
  if (memory->nodeset != NULL || memory->placement == NUMA_PLACEMENT_AUTO)
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "nodeset for NUMA memory tuning must be set if 'placement' is 'static'");
  return FALSE;
}

static gboolean
enact_numa (G_GNUC_UNUSED Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  g_autoptr (Cgroup) cgroup = cgroup_find (target->def->uuid, target->pid);
  const char *nodeset;

  return !g_variant_lookup ((GVariant *)values, VIR_DOMAIN_NUMA_NODESET, "&s", &nodeset)
         || limits_set_nodes (cgroup, target->def->numatune.memory->nodeset, error);
}

void
op_domain_set_numa_parameters (Call *call)
{
  static const CallParameter known[] = { { VIR_DOMAIN_NUMA_MODE, 'i' },
                                         { VIR_DOMAIN_NUMA_NODESET, 's' },
                                         { NULL, 0 } };

  set_parameters (call,
                  &(ChangeRequest){
                      .name = "numa", .apply = apply_numa, .enact = enact_numa, .elements = { "numatune" } },
                  known);
}

/* Counted events. */

static PerfEvent *
find_event (const DomainDef *def, int name)
{
  for (guint i = 0; def->perf_events != NULL && i < def->perf_events->len; i++) {
    PerfEvent *event = g_ptr_array_index (def->perf_events, i);

    if (event->name == name)
      return event;
  }
  return NULL;
}

static void
answer_events (Call *call, DomainDef *def)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (int name = 1; name < ENUM_TABLE_MAX && perf_events.names[name] != NULL; name++) {
    const PerfEvent *event = find_event (def, name);

    g_variant_builder_add (&list, "{sv}", perf_events.names[name],
                           g_variant_new_boolean (event != NULL && event->enabled == TRISTATE_YES));
  }
  call_answer (call, g_variant_new ("(a{sv})", &list));
}

void
op_domain_get_perf_events (Call *call)
{
  call_live_or_config (call, call_uint (call, 1), GETTING, answer_events, answer_events);
}

static gint
compare_events (gconstpointer a, gconstpointer b)
{
  const PerfEvent *const *one = a, *const *other = b;

  return (*one)->name - (*other)->name;
}

static void
set_event (DomainDef *def, int name, gboolean enabled)
{
  PerfEvent *event = find_event (def, name);

  if (event == NULL) {
    event = field_new (&perf_event_table);
    event->name = name;
    if (def->perf_events == NULL)
      def->perf_events = g_ptr_array_new ();
    g_ptr_array_add (def->perf_events, event);
    g_ptr_array_sort (def->perf_events, compare_events);
  }
  event->enabled = enabled ? TRISTATE_YES : TRISTATE_NO;
}

/* No counter of the kernel's is opened here, so none can be switched on while the machine runs. */
static gboolean
apply_events (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  for (int name = 1; name < ENUM_TABLE_MAX && perf_events.names[name] != NULL; name++) {
    gboolean enabled;

    if (!g_variant_lookup ((GVariant *)values, perf_events.names[name], "b", &enabled))
      continue;
    if (machine != NULL && enabled) {
      virt_error_set (error, VIR_ERR_ARGUMENT_UNSUPPORTED, "unable to enable host cpu perf event for %s",
                      perf_events.names[name]);
      return FALSE;
    }
    set_event (def, name, enabled);
  }
  return TRUE;
}

void
op_domain_set_perf_events (Call *call)
{
  CallParameter known[ENUM_TABLE_MAX] = { { NULL, 0 } };

  for (int name = 1; name < ENUM_TABLE_MAX && perf_events.names[name] != NULL; name++)
    known[name - 1] = (CallParameter){ perf_events.names[name], 'b' };
  set_parameters (
      call, &(ChangeRequest){ .name = "perf-events", .apply = apply_events, .elements = { "perf" } }, known);
}
