/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processor time: shares against other machines, and how much of a period each kind of thread may use. One
 * table says where each of libvirt's parameters stands in the definition and which threads it is about.
 */
#include "daemon/drivers/qemu/machine-tuning.h"
#include "daemon/host/limits.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/domain/domain-tuning.h"
#include "daemon/ops/domain/parameters.h"

#define AFFECT (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

typedef enum { ABOUT_SHARES, ABOUT_VCPUS, ABOUT_EMULATOR, ABOUT_MACHINE, ABOUT_IOTHREADS } About;

typedef struct {
  const char *name;
  About about;
  gsize offset; /* in DomainCputune: a quota is a SignedNumber, the others are Numbers */
} SchedulerParameter;

static const SchedulerParameter parameters[] = {
  { VIR_DOMAIN_SCHEDULER_CPU_SHARES, ABOUT_SHARES, G_STRUCT_OFFSET (DomainCputune, shares) },
  { VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, ABOUT_VCPUS, G_STRUCT_OFFSET (DomainCputune, period) },
  { VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, ABOUT_VCPUS, G_STRUCT_OFFSET (DomainCputune, quota) },
  { VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD, ABOUT_EMULATOR, G_STRUCT_OFFSET (DomainCputune, emulator_period) },
  { VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA, ABOUT_EMULATOR, G_STRUCT_OFFSET (DomainCputune, emulator_quota) },
  { VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, ABOUT_MACHINE, G_STRUCT_OFFSET (DomainCputune, global_period) },
  { VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, ABOUT_MACHINE, G_STRUCT_OFFSET (DomainCputune, global_quota) },
  { VIR_DOMAIN_SCHEDULER_IOTHREAD_PERIOD, ABOUT_IOTHREADS, G_STRUCT_OFFSET (DomainCputune, iothread_period) },
  { VIR_DOMAIN_SCHEDULER_IOTHREAD_QUOTA, ABOUT_IOTHREADS, G_STRUCT_OFFSET (DomainCputune, iothread_quota) },
};

static const CallParameter known[] = {
  { VIR_DOMAIN_SCHEDULER_CPU_SHARES, 't' },     { VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, 't' },
  { VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, 'x' },     { VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD, 't' },
  { VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA, 'x' }, { VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, 't' },
  { VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, 'x' },   { VIR_DOMAIN_SCHEDULER_IOTHREAD_PERIOD, 't' },
  { VIR_DOMAIN_SCHEDULER_IOTHREAD_QUOTA, 'x' }, { NULL, 0 },
};

static gboolean
is_quota (const SchedulerParameter *parameter)
{
  return g_str_has_suffix (parameter->name, "_quota");
}

/* Reading. */

void
op_domain_get_scheduler_type (Call *call)
{
  call_answer (call, g_variant_new ("(si)", "posix", (int)G_N_ELEMENTS (parameters)));
}

static GVariant *
value_of_definition (const DomainCputune *tune, const SchedulerParameter *parameter)
{
  gconstpointer member = (const char *)tune + parameter->offset;

  return is_quota (parameter) ? g_variant_new_int64 (((const SignedNumber *)member)->value)
                              : g_variant_new_uint64 (((const Number *)member)->value);
}

/* Of threads of one kind the first stands for all: they are never given different values. */
static char *
part_of (const DomainDef *def, About about)
{
  switch (about) {
    case ABOUT_VCPUS:
      return tuning_part (THREAD_VCPU, 0);
    case ABOUT_EMULATOR:
      return tuning_part (THREAD_EMULATOR, 0);
    case ABOUT_IOTHREADS:
      return tuning_part (THREAD_IOTHREAD,
                          domain_count_iothreads (def) > 0 ? (guint)domain_iothread_id (def, 0) : 0);
    default:
      return NULL;
  }
}

static GVariant *
value_of_machine (const DomainDef *def, const Cgroup *cgroup, const SchedulerParameter *parameter)
{
  g_autofree char *part = part_of (def, parameter->about);
  guint64 period;
  gint64 quota;

  if (parameter->about == ABOUT_SHARES)
    return g_variant_new_uint64 (limits_get_shares (cgroup));
  limits_get_bandwidth (cgroup, part, &period, &quota);
  return is_quota (parameter) ? g_variant_new_int64 (quota) : g_variant_new_uint64 (period);
}

static void
answer_scheduler (Call *call, const DomainDef *def, const Cgroup *cgroup)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++)
    g_variant_builder_add (&list, "{sv}", parameters[i].name,
                           cgroup != NULL ? value_of_machine (def, cgroup, &parameters[i])
                                          : value_of_definition (&def->cputune, &parameters[i]));
  call_answer_parameters (call, g_variant_builder_end (&list), call_int (call, 1), FALSE);
}

static void
answer_config (Call *call, DomainDef *def)
{
  answer_scheduler (call, def, NULL);
}

static void
answer_live (Call *call, DomainDef *def)
{
  g_autoptr (Cgroup) cgroup = call_machine_cgroup (call, CGROUP_CPU);

  if (cgroup != NULL)
    answer_scheduler (call, def, cgroup);
}

void
op_domain_get_scheduler_parameters (Call *call)
{
  guint flags = g_variant_n_children (call->arguments) > 2 ? call_uint (call, 2) : 0;

  call_live_or_config (call, flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY, answer_live, answer_config);
}

/* Setting. */

static gboolean
check_range (const SchedulerParameter *parameter, GVariant *value, GError **error)
{
  gboolean quota = is_quota (parameter);
  guint64 minimum = quota ? CPU_QUOTA_MIN : CPU_PERIOD_MIN, maximum = quota ? CPU_QUOTA_MAX : CPU_PERIOD_MAX;
  guint64 number;

  if (parameter->about == ABOUT_SHARES || (quota && g_variant_get_int64 (value) <= 0))
    return TRUE;
  number = quota ? (guint64)g_variant_get_int64 (value) : g_variant_get_uint64 (value);
  if (number == 0 || (number >= minimum && number <= maximum))
    return TRUE;
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "value of '%s' is out of range [%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT "]",
                  parameter->name, minimum, maximum);
  return FALSE;
}

/* A machine that runs is not told what says nothing. */
static gboolean
is_to_be_sent (const SchedulerParameter *parameter, GVariant *value)
{
  if (parameter->about == ABOUT_SHARES)
    return TRUE;
  return is_quota (parameter) ? g_variant_get_int64 (value) != 0 : g_variant_get_uint64 (value) != 0;
}

static void
set_value (DomainCputune *tune, const SchedulerParameter *parameter, GVariant *value)
{
  gpointer member = (char *)tune + parameter->offset;

  if (is_quota (parameter)) {
    gint64 quota = g_variant_get_int64 (value);
    *(SignedNumber *)member = (SignedNumber){ quota != 0, quota };
  } else {
    guint64 number = g_variant_get_uint64 (value);
    *(Number *)member = (Number){ number != 0 || parameter->about == ABOUT_SHARES, number };
  }
}

static gboolean
apply_scheduler (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++) {
    g_autoptr (GVariant) value = g_variant_lookup_value ((GVariant *)values, parameters[i].name, NULL);

    if (value == NULL)
      continue;
    if (!check_range (&parameters[i], value, error))
      return FALSE;
    if (machine == NULL || is_to_be_sent (&parameters[i], value))
      set_value (&def->cputune, &parameters[i], value);
  }
  return TRUE;
}

static gboolean
tell_threads (const SchedulerParameter *parameter, guint64 period, gint64 quota, const Cgroup *cgroup,
              const GArray *threads, GError **error)
{
  static const ThreadKind kinds[] = {
    [ABOUT_VCPUS] = THREAD_VCPU, [ABOUT_EMULATOR] = THREAD_EMULATOR, [ABOUT_IOTHREADS] = THREAD_IOTHREAD
  };

  if (parameter->about == ABOUT_MACHINE)
    return limits_set_bandwidth (cgroup, NULL, period, quota, error);
  return tuning_set_bandwidth (cgroup, threads, kinds[parameter->about], period, quota, error);
}

static gboolean
tell (const SchedulerParameter *parameter, GVariant *value, const Cgroup *cgroup, const GArray *threads,
      GError **error)
{
  if (parameter->about == ABOUT_SHARES)
    return limits_set_shares (cgroup, g_variant_get_uint64 (value), error);
  if (is_quota (parameter))
    return tell_threads (parameter, 0, g_variant_get_int64 (value), cgroup, threads, error);
  return tell_threads (parameter, g_variant_get_uint64 (value), 0, cgroup, threads, error);
}

static gboolean
enact_scheduler (G_GNUC_UNUSED Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  g_autoptr (Cgroup) cgroup = cgroup_find (target->def->uuid, target->pid);
  g_autoptr (GArray) threads = machine_threads (target->pid);

  if (!cgroup_check (cgroup, CGROUP_CPU, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++) {
    g_autoptr (GVariant) value = g_variant_lookup_value ((GVariant *)values, parameters[i].name, NULL);

    if (value != NULL && is_to_be_sent (&parameters[i], value)
        && !tell (&parameters[i], value, cgroup, threads, error))
      return FALSE;
  }
  return TRUE;
}

static void
announce_scheduler (Domain *domain, gconstpointer values)
{
  GVariantBuilder list;
  gboolean changed = FALSE;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++) {
    g_autoptr (GVariant) value = g_variant_lookup_value ((GVariant *)values, parameters[i].name, NULL);
    g_autofree char *name = g_strconcat ("cputune.", parameters[i].name, NULL);

    if (value == NULL || !is_to_be_sent (&parameters[i], value))
      continue;
    changed = TRUE;
    g_variant_builder_add (&list, "{sv}", name, value);
  }
  if (changed)
    events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_TUNABLE,
                   g_variant_new ("(a{sv})", &list));
  else
    g_variant_builder_clear (&list);
}

void
op_domain_set_scheduler_parameters (Call *call)
{
  guint flags = g_variant_n_children (call->arguments) > 2 ? call_uint (call, 2) : 0;
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 1);
  const ChangeRequest change = {
    .name = "scheduler",
    .affect = flags,
    .apply = apply_scheduler,
    .values = list,
    .free_values = (GDestroyNotify)g_variant_unref,
    .enact = enact_scheduler,
    .changed = announce_scheduler,
    .elements = { "cputune" },
  };

  if (!call_check_flags (call, flags, AFFECT) || !call_check_parameters (call, list, known))
    return;
  g_variant_ref (list);
  domain_change (call, &change);
}
