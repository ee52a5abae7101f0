/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine's I/O threads: more of them, fewer, and how each works. A running machine's QEMU is told; what
 * uses a thread keeps it from being taken away.
 */
#include "daemon/drivers/qemu/machine-tuning.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/domain/domain-tuning.h"
#include "daemon/ops/domain/parameters.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "targets/qemu/recipe.h"

#define AFFECT        (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define ELEMENTS      "iothreads", "iothreadids", "cputune"
#define IOTHREADS_MAX 1024
#define QEMU_INT_MAX  G_MAXINT32

/* FALSE unless QEMU can be told. */
static gboolean
tell (Job *job, const ChangeTarget *target, const char *command, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  if (target->qmp == NULL) {
    json_object_unref (arguments);
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT,
                    "the monitor of domain '%s' does not answer; destroy still works", target->def->name);
    return FALSE;
  }
  answer = qmp_call (target->qmp, job, command, arguments, error);
  return answer != NULL;
}

/* Adding and taking away. */

typedef struct {
  guint id;
} ThreadNumber;

static gboolean
apply_addition (DomainDef *def, G_GNUC_UNUSED const Machine *machine, gconstpointer values, GError **error)
{
  guint id = ((const ThreadNumber *)values)->id;

  if (domain_has_iothread (def, id)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "an IOThread is already using iothread_id '%u'", id);
    return FALSE;
  }
  if (domain_count_iothreads (def) >= IOTHREADS_MAX) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "a machine has at most %d I/O threads", IOTHREADS_MAX);
    return FALSE;
  }
  domain_add_iothread (def, id);
  return TRUE;
}

static gboolean
enact_addition (Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  guint id = ((const ThreadNumber *)values)->id;
  g_autofree char *name = g_strdup_printf ("iothread%u", id);

  if (!tell (job, target, "object-add", props ("qom-type", "s", "iothread", "id", "s", name, NULL), error))
    return FALSE;
  if (tuning_place_new (target->def, target->pid, THREAD_IOTHREAD, id, error))
    return TRUE;
  tell (job, target, "object-del", props ("id", "s", name, NULL), NULL);
  return FALSE;
}

static gboolean
check_unused (const DomainDef *def, guint id, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (disk->iothread.set && disk->iothread.value == id) {
      virt_error_set (error, VIR_ERR_INVALID_ARG,
                      "cannot remove IOThread %u since it is being used by disk '%s'", id, disk->target);
      return FALSE;
    }
  }
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->iothread.set && controller->iothread.value == id) {
      virt_error_set (error, VIR_ERR_INVALID_ARG,
                      "cannot remove IOThread '%u' since it is being used by controller '%u'", id,
                      (guint)controller->index.value);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
apply_removal (DomainDef *def, G_GNUC_UNUSED const Machine *machine, gconstpointer values, GError **error)
{
  guint id = ((const ThreadNumber *)values)->id;

  if (!domain_has_iothread (def, id)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot find IOThread '%u' in iothreadids list", id);
    return FALSE;
  }
  if (!check_unused (def, id, error))
    return FALSE;
  domain_remove_iothread (def, id);
  return TRUE;
}

static gboolean
enact_removal (Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  g_autofree char *name = g_strdup_printf ("iothread%u", ((const ThreadNumber *)values)->id);

  return tell (job, target, "object-del", props ("id", "s", name, NULL), error);
}

static void
change_threads (Call *call, ChangeRequest *change)
{
  guint id = call_uint (call, 1);

  change->affect = call_uint (call, 2);
  if (!call_check_flags (call, change->affect, AFFECT))
    return;
  if (id == 0) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid value of 0 for iothread_id");
    return;
  }
  change->values = g_memdup2 (&(ThreadNumber){ id }, sizeof (ThreadNumber));
  domain_change (call, change);
}

void
op_domain_add_iothread (Call *call)
{
  change_threads (call, &(ChangeRequest){ .name = "add-iothread",
                                          .apply = apply_addition,
                                          .enact = enact_addition,
                                          .elements = { ELEMENTS } });
}

void
op_domain_del_iothread (Call *call)
{
  change_threads (call, &(ChangeRequest){ .name = "del-iothread",
                                          .apply = apply_removal,
                                          .enact = enact_removal,
                                          .elements = { ELEMENTS } });
}

/* How one works. */

typedef struct {
  guint id;
  Number poll_max, poll_grow, poll_shrink;
  SignedNumber pool_min, pool_max; /* -1: QEMU's own */
} ThreadValues;

/* Sizes of 32 or 64 bits, as the client's age has it. */
static Number
read_number (GVariant *list, const char *name)
{
  Number number = { 0 };
  guint32 small;

  if (g_variant_lookup (list, name, "u", &small))
    number = NUMBER (small);
  else
    number.set = g_variant_lookup (list, name, "t", &number.value);
  return number;
}

static SignedNumber
read_signed (GVariant *list, const char *name)
{
  gint32 value = 0;
  gboolean set = g_variant_lookup (list, name, "i", &value);

  return (SignedNumber){ set, value };
}

static gboolean
check_polling (const char *name, const Number *value, GError **error)
{
  if (!value->set || value->value <= QEMU_INT_MAX)
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "%s (%" G_GUINT64_FORMAT ") must be less than or equal to %d", name, value->value,
                  QEMU_INT_MAX);
  return FALSE;
}

static gboolean
check_values (const ThreadValues *values, GError **error)
{
  if (!check_polling ("poll-max-ns", &values->poll_max, error)
      || !check_polling ("poll-grow", &values->poll_grow, error)
      || !check_polling ("poll-shrink", &values->poll_shrink, error))
    return FALSE;
  if (values->pool_min.value < -1) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "thread_pool_min (%d) must be equal to or greater than -1", (int)values->pool_min.value);
    return FALSE;
  }
  if (values->pool_max.set && (values->pool_max.value < -1 || values->pool_max.value == 0)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "thread_pool_max (%d) must be a positive number or -1",
                    (int)values->pool_max.value);
    return FALSE;
  }
  return TRUE;
}

static gint64
pool_value (const SignedNumber *wanted, const Number *now)
{
  if (wanted->set)
    return wanted->value;
  return now->set ? (gint64)now->value : -1;
}

static gboolean
check_pool (const DomainIothread *thread, const ThreadValues *values, gboolean live, GError **error)
{
  gint64 minimum = pool_value (&values->pool_min, &thread->thread_pool_min);
  gint64 maximum = pool_value (&values->pool_max, &thread->thread_pool_max);

  if (live && values->pool_min.set && values->pool_min.value < 0)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "thread_pool_min (%d) must be equal to or greater than 0 for live change",
                    (int)values->pool_min.value);
  else if (live && values->pool_max.set && values->pool_max.value < 0)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "thread_pool_max (%d) must be equal to or greater than 0 for live change",
                    (int)values->pool_max.value);
  else if (minimum >= 0 && maximum >= 0 && minimum > maximum)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "thread_pool_min (%d) can't be greater than thread_pool_max (%d)", (int)minimum,
                    (int)maximum);
  else
    return TRUE;
  return FALSE;
}

static void
take_number (Number *member, const Number *wanted)
{
  if (wanted->set)
    *member = *wanted;
}

static void
take_pool (Number *member, const SignedNumber *wanted)
{
  if (wanted->set)
    *member = (Number){ wanted->value >= 0, wanted->value >= 0 ? (guint64)wanted->value : 0 };
}

static gboolean
apply_values (DomainDef *def, const Machine *machine, gconstpointer data, GError **error)
{
  const ThreadValues *values = data;
  DomainIothread *thread = domain_find_iothread (def, values->id);

  if (thread == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot find IOThread '%u' in iothreadids", values->id);
    return FALSE;
  }
  if (!check_pool (thread, values, machine != NULL, error))
    return FALSE;
  take_number (&thread->poll_max, &values->poll_max);
  take_number (&thread->poll_grow, &values->poll_grow);
  take_number (&thread->poll_shrink, &values->poll_shrink);
  take_pool (&thread->thread_pool_min, &values->pool_min);
  take_pool (&thread->thread_pool_max, &values->pool_max);
  return TRUE;
}

static gboolean
set_property (Job *job, const ChangeTarget *target, guint id, const char *property, guint64 value,
              GError **error)
{
  g_autofree char *path = g_strdup_printf ("/objects/iothread%u", id);

  return tell (job, target, "qom-set",
               props ("path", "s", path, "property", "s", property, "value", "t", value, NULL), error);
}

/* QEMU never lets the lower bound be above the upper one, so the order depends on where they were: the lower
 * one goes down first and up last. */
static gboolean
set_pool (Job *job, const ChangeTarget *target, const ThreadValues *values, GError **error)
{
  const SignedNumber *minimum = &values->pool_min, *maximum = &values->pool_max;

  if (minimum->set && maximum->set && !set_property (job, target, values->id, "thread-pool-min", 0, error))
    return FALSE;
  if (maximum->set
      && !set_property (job, target, values->id, "thread-pool-max", (guint64)maximum->value, error))
    return FALSE;
  return !minimum->set
         || set_property (job, target, values->id, "thread-pool-min", (guint64)minimum->value, error);
}

static gboolean
enact_values (Job *job, const ChangeTarget *target, gconstpointer data, GError **error)
{
  const ThreadValues *values = data;
  const struct {
    const char *property;
    const Number *value;
  } polling[] = { { "poll-max-ns", &values->poll_max },
                  { "poll-grow", &values->poll_grow },
                  { "poll-shrink", &values->poll_shrink } };

  for (guint i = 0; i < G_N_ELEMENTS (polling); i++)
    if (polling[i].value->set
        && !set_property (job, target, values->id, polling[i].property, polling[i].value->value, error))
      return FALSE;
  return set_pool (job, target, values, error);
}

/* 64 bits for the two factors is what newer clients send. */
static gboolean
check_parameters (Call *call, GVariant *list)
{
  CallParameter known[] = {
    { VIR_DOMAIN_IOTHREAD_POLL_MAX_NS, 't' },     { VIR_DOMAIN_IOTHREAD_POLL_GROW, 'u' },
    { VIR_DOMAIN_IOTHREAD_POLL_SHRINK, 'u' },     { VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN, 'i' },
    { VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX, 'i' }, { NULL, 0 }
  };

  for (guint i = 1; i <= 2; i++) {
    g_autoptr (GVariant) wide = g_variant_lookup_value (list, known[i].name, G_VARIANT_TYPE_UINT64);

    if (wide != NULL)
      known[i].type = 't';
  }
  return call_check_parameters (call, list, known);
}

void
op_domain_set_iothread_params (Call *call)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 2);
  ThreadValues values = { .id = call_uint (call, 1) };
  GError *error = NULL;
  ChangeRequest change = {
    .name = "set-iothread",
    .affect = call_uint (call, 3),
    .apply = apply_values,
    .enact = enact_values,
    .elements = { ELEMENTS },
  };

  if (!call_check_flags (call, change.affect, AFFECT))
    return;
  if (values.id == 0) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "invalid value of 0 for iothread_id");
    return;
  }
  if (!check_parameters (call, list))
    return;
  values.poll_max = read_number (list, VIR_DOMAIN_IOTHREAD_POLL_MAX_NS);
  values.poll_grow = read_number (list, VIR_DOMAIN_IOTHREAD_POLL_GROW);
  values.poll_shrink = read_number (list, VIR_DOMAIN_IOTHREAD_POLL_SHRINK);
  values.pool_min = read_signed (list, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN);
  values.pool_max = read_signed (list, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX);
  if (!check_values (&values, &error)) {
    call_fail (call, error);
    return;
  }
  change.values = g_memdup2 (&values, sizeof values);
  domain_change (call, &change);
}
