/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many processors a domain has, and which. In the running machine each is plugged in or taken out by
 * itself, one after the other, and what has been done stays done when a later one fails. The stored
 * definition is written aside before, and takes its place when the machine has changed.
 */
#include "daemon/domain/machine-devices.h"
#include "daemon/ops/domain/config-edit.h"
#include "daemon/ops/domain/vcpu-job.h"
#include "daemon/ops/ops.h"

#include "base/scalars.h"
#include "domain/vcpus.h"

#define AFFECT      (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define COUNT_FLAGS (AFFECT | VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_VCPU_GUEST | VIR_DOMAIN_VCPU_HOTPLUGGABLE)

/* Asking. */

static void
answer_count (Call *call, DomainDef *def)
{
  gboolean maximum = g_str_equal (call->operation->name, "DOMAIN_GET_MAX_VCPUS")
                     || (call_uint (call, 1) & VIR_DOMAIN_VCPU_MAXIMUM) != 0;

  call_answer (
      call, g_variant_new ("(i)", (int)(maximum ? domain_vcpus_maximum (def) : domain_vcpus_online (def))));
}

void
op_domain_get_vcpus_flags (Call *call)
{
  guint flags = call_uint (call, 1);
  DefinitionWhich which;

  if (!call_check_flags (call, flags, AFFECT | VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_VCPU_GUEST))
    return;
  if ((flags & AFFECT) == AFFECT)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are "
                    "mutually exclusive");
  else if (!call_check_affect (call, flags, &which))
    return;
  else if ((flags & VIR_DOMAIN_VCPU_GUEST) && (flags & VIR_DOMAIN_AFFECT_CONFIG))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "vCPU count provided by the guest agent can only be requested for live domains");
  else if (flags & VIR_DOMAIN_VCPU_GUEST)
    call_get_guest_vcpu_count (call);
  else
    call_with_definition (call, which, answer_count);
}

void
op_domain_get_max_vcpus (Call *call)
{
  DefinitionWhich which;

  if (call_check_affect (call, VIR_DOMAIN_AFFECT_LIVE, &which))
    call_with_definition (call, which, answer_count);
}

/* Changing. */

typedef struct {
  guint affect;
  gboolean live, config;
  gboolean maximum, hotpluggable;
  guint count;      /* when there is no map */
  CpuSet *map;      /* these, and no others ... */
  gboolean on;      /* ... are to be on, or off */
  ConfigEdit *edit; /* prepared; the machine changes first */
} VcpuChange;

static void
change_free (gpointer data)
{
  VcpuChange *change = data;

  config_edit_free (change->edit);
  g_clear_pointer (&change->map, cpu_set_free);
  g_free (change);
}

/* The first of @map that a machine with @maximum does not have; G_MAXUINT: it has them all. */
static guint
beyond (const CpuSet *map, guint maximum)
{
  for (guint i = maximum; i < CPU_SET_MAX; i++)
    if (cpu_set_contains (map, i))
      return i;
  return G_MAXUINT;
}

static gboolean
too_many (GError **error, guint count, const DomainDef *def, const char *which)
{
  if (count <= domain_vcpus_maximum (def))
    return FALSE;
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "requested vcpus is greater than max allowable vcpus for the %s domain: %u > %u", which,
                  count, domain_vcpus_maximum (def));
  return TRUE;
}

static gboolean
not_present (GError **error, const CpuSet *map, const DomainDef *def, const char *which)
{
  guint number = beyond (map, domain_vcpus_maximum (def));

  if (number == G_MAXUINT)
    return FALSE;
  virt_error_set (error, VIR_ERR_INVALID_ARG, "vcpu %u is not present in %s config", number, which);
  return TRUE;
}

/* The numbers to plug in or take out to come to @count, the latter from the end. NULL with @error. */
static GArray *
choose_by_count (const DomainDef *def, guint count, gboolean *ret_plug, GError **error)
{
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  guint now = domain_vcpus_online (def), maximum = domain_vcpus_maximum (def);

  *ret_plug = count > now;
  for (guint i = 0; i < maximum && now < count; i++)
    if (!domain_vcpu_is_online (def, i)) {
      g_array_append_val (numbers, i);
      now++;
    }
  for (guint i = maximum; i > 0 && now > count; i--) {
    guint number = i - 1;

    if (domain_vcpu_is_online (def, number) && !domain_vcpu_is_fixed (def, number)) {
      g_array_append_val (numbers, number);
      now--;
    }
  }
  if (now == count)
    return g_steal_pointer (&numbers);
  virt_error_set (
      error, VIR_ERR_CONFIG_UNSUPPORTED,
      "failed to find appropriate hotpluggable vcpus to reach the desired target vcpu count: %u stay", now);
  return NULL;
}

static GArray *
choose_by_map (const DomainDef *def, const VcpuChange *change, GError **error)
{
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < domain_vcpus_maximum (def); i++) {
    if (i >= CPU_SET_MAX || !cpu_set_contains (change->map, i))
      continue;
    if (domain_vcpu_is_online (def, i) == change->on) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "vcpu '%u' is already in requested state", i);
      return NULL;
    }
    if (!change->on && domain_vcpu_is_fixed (def, i)) {
      virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "vcpu '%u' can't be unplugged", i);
      return NULL;
    }
    g_array_append_val (numbers, i);
  }
  return g_steal_pointer (&numbers);
}

static GArray *
choose_live (const VcpuChange *change, const DomainDef *def, gboolean *ret_plug, GError **error)
{
  *ret_plug = change->on;
  if (change->maximum) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "maximum vcpu count of a live domain can't be modified");
    return NULL;
  }
  if (change->map != NULL)
    return not_present (error, change->map, def, "live") ? NULL : choose_by_map (def, change, error);
  return too_many (error, change->count, def, "live") ? NULL
                                                      : choose_by_count (def, change->count, ret_plug, error);
}

static gboolean
fits_topology (const DomainDef *def, guint count, GError **error)
{
  const CpuTopology *topology = def->cpu != NULL ? def->cpu->topology : NULL;
  guint64 product;

  if (topology == NULL)
    return TRUE;
  product = MAX (topology->sockets.value, 1) * MAX (topology->dies.value, 1)
            * MAX (topology->clusters.value, 1) * MAX (topology->cores.value, 1)
            * MAX (topology->threads.value, 1);
  if (product == count)
    return TRUE;
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "CPU topology doesn't match the desired vcpu count: %" G_GUINT64_FORMAT " against %u",
                  product, count);
  return FALSE;
}

static gboolean
apply_map (DomainDef *def, const VcpuChange *change, GError **error)
{
  if (not_present (error, change->map, def, "persistent"))
    return FALSE;
  if (cpu_set_contains (change->map, 0)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "vCPU '0' can't be modified");
    return FALSE;
  }
  domain_vcpus_name (def, FALSE);
  domain_vcpus_forget_order (def);
  for (guint i = 0; i < MIN (domain_vcpus_maximum (def), CPU_SET_MAX); i++)
    if (cpu_set_contains (change->map, i) && change->on)
      domain_vcpu_set_online (def, i);
    else if (cpu_set_contains (change->map, i))
      domain_vcpu_set_offline (def, i);
  return TRUE;
}

/* The stored definition after the change; NULL with @error. (transfer full) */
static DomainDef *
changed_config (const VcpuChange *change, const DomainDef *before, GError **error)
{
  g_autoptr (DomainDef) def = domain_def_copy (before);

  if (change->map != NULL)
    return apply_map (def, change, error) ? g_steal_pointer (&def) : NULL;
  if (change->maximum) {
    if (!fits_topology (def, change->count, error))
      return NULL;
    domain_vcpus_forget_order (def);
    domain_vcpus_set_maximum (def, change->count);
    return g_steal_pointer (&def);
  }
  if (too_many (error, change->count, def, "persistent"))
    return NULL;
  domain_vcpus_forget_order (def);
  domain_vcpus_set_count (def, change->count, change->hotpluggable);
  return g_steal_pointer (&def);
}

static void
config_written (Call *call, DomainDef *def)
{
  definition_replace (call->domain, def);
  call_answer_nothing (call);
}

static void
live_done (gpointer result, const GError *error, gpointer data)
{
  VcpuChange *change;
  Call *call = data;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);

  if (domain != NULL)
    domain->job = NULL;
  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  change = call->user_data;
  if (change->edit == NULL)
    call_answer_nothing (call);
  else
    config_edit_commit (g_steal_pointer (&change->edit), TRUE, config_written);
}

static void
change_live (Call *call)
{
  const VcpuChange *change = call->user_data;
  Machine *machine = call->domain->machine;
  GError *error = NULL;
  gboolean plug = FALSE;
  GArray *numbers = choose_live (change, machine->def, &plug, &error);

  if (numbers == NULL)
    call_fail (call, error);
  else if (call_check_monitor (call))
    call->domain->job = vcpu_job_start (machine, g_steal_pointer (&numbers), plug, live_done, call);
  g_clear_pointer (&numbers, g_array_unref);
}

static void
config_prepared (Call *call, ConfigEdit *edit)
{
  VcpuChange *change = call->user_data;
  DefinitionWhich which;

  change->edit = edit;
  if (call_find_domain_again (call) != NULL && call_check_affect (call, change->affect, &which))
    change_live (call);
}

/* The definition is known: whether it could be changed is found out before the machine is. */
static void
try_config (Call *call, DomainDef *before)
{
  const VcpuChange *change = call->user_data;
  GError *error = NULL;
  static const char *const elements[] = { "vcpu", "vcpus", NULL };
  DomainDef *changed;
  ConfigEdit *edit;
  g_autoptr (GArray) numbers = NULL;
  DefinitionWhich which;
  gboolean plug;

  if (!call_check_affect (call, change->affect, &which))
    return; /* it has ended meanwhile */
  if (change->live && (numbers = choose_live (change, call->domain->machine->def, &plug, &error)) == NULL) {
    call_fail (call, error);
    return;
  }
  changed = changed_config (change, before, &error);
  if (changed == NULL) {
    call_fail (call, error);
    return;
  }
  edit = config_edit_of_elements (call, changed, elements);
  if (change->live)
    config_edit_prepare (edit, config_prepared);
  else
    config_edit_commit (edit, FALSE, config_written);
}

static void
begin (Domain *domain, Call *call)
{
  VcpuChange *change = call->user_data;
  DefinitionWhich which;

  if (!call_check_affect (call, change->affect, &which))
    return;
  change->config = (change->affect & VIR_DOMAIN_AFFECT_CONFIG) != 0;
  change->live =
      (change->affect & VIR_DOMAIN_AFFECT_LIVE) != 0 || (!change->config && domain_is_active (domain));
  change->config = change->config || !change->live;
  if (change->config)
    call_with_definition (call, DEFINITION_CONFIG, try_config);
  else
    change_live (call);
}

/* Takes @change. */
static void
queue (Call *call, VcpuChange *change)
{
  DefinitionWhich which;

  call->user_data = change;
  call->user_free = change_free;
  if (call_check_affect (call, change->affect, &which))
    domain_lock (call->domain, "vcpus", call, begin);
}

/* The call without flags is about the running machine. */
void
op_domain_set_vcpus (Call *call)
{
  gboolean with_flags = g_variant_n_children (call->arguments) > 2;
  guint flags = with_flags ? call_uint (call, 2) : VIR_DOMAIN_AFFECT_LIVE, count = call_uint (call, 1);
  VcpuChange *change;

  if (!call_check_flags (call, flags, COUNT_FLAGS))
    return;
  if (count == 0 || count > G_MAXUINT16) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "argument out of range: %u vcpus (1 to %d)", count,
                    (int)G_MAXUINT16);
    return;
  }
  if (flags & VIR_DOMAIN_VCPU_GUEST) {
    call_set_guest_vcpu_count (call);
    return;
  }
  change = g_new0 (VcpuChange, 1);
  change->affect = flags & AFFECT;
  change->maximum = (flags & VIR_DOMAIN_VCPU_MAXIMUM) != 0;
  change->hotpluggable = (flags & VIR_DOMAIN_VCPU_HOTPLUGGABLE) != 0;
  change->count = count;
  queue (call, change);
}

void
op_domain_set_vcpu (Call *call)
{
  const char *text = call_string (call, 1), *mistake;
  int state = call_int (call, 2);
  guint flags = call_uint (call, 3);
  g_autoptr (CpuSet) map = NULL;
  VcpuChange *change;

  if (!call_check_flags (call, flags, AFFECT))
    return;
  if (state != 0 && state != 1) {
    call_fail_plain (call, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unsupported state value");
    return;
  }
  map = cpu_set_parse (text, &mistake);
  if (map == NULL) {
    call_fail_from (call, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", text);
    return;
  }
  if (cpu_set_count (map) == 0) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "no vcpus selected for modification");
    return;
  }
  change = g_new0 (VcpuChange, 1);
  change->affect = flags;
  change->map = g_steal_pointer (&map);
  change->on = state == 1;
  queue (call, change);
}
