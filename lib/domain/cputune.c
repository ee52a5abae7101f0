/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <cputune>: how much of the host's processors the machine gets, which of them, and in what turn. Pins and
 * schedulers are about single threads; completion gives each thread its own element, as libvirt does.
 */

#include "domain/complete-parts.h"

static const EnumTable schedulers = { "scheduler", { NULL, "batch", "idle", "fifo", "rr" } };
static const FieldRange ids = { 0, G_MAXUINT32 };
static const FieldRange thread_ids = { 1, G_MAXUINT32 };

static const FieldTable vcpu_pin_table = {
  sizeof (CpuPin),
  (const Field[]){
      FIELD_WITH (CpuPin, id, "@vcpu", field_number, &ids, FIELD_REQUIRED),
      FIELD_WITH (CpuPin, cpuset, "@cpuset", field_cpu_set, NULL, FIELD_REQUIRED),
      FIELD_END,
  },
};

static const FieldTable iothread_pin_table = {
  sizeof (CpuPin),
  (const Field[]){
      FIELD_WITH (CpuPin, id, "@iothread", field_number, &thread_ids, FIELD_REQUIRED),
      FIELD_WITH (CpuPin, cpuset, "@cpuset", field_cpu_set, NULL, FIELD_REQUIRED),
      FIELD_END,
  },
};

#define SCHEDULER_FIELDS                                                                  \
  FIELD_WITH (CpuScheduler, kind, "@scheduler", field_enum, &schedulers, FIELD_REQUIRED), \
      FIELD (CpuScheduler, priority, "@priority", field_signed, NULL)

static const FieldTable vcpu_scheduler_table = {
  sizeof (CpuScheduler),
  (const Field[]){
      FIELD_WITH (CpuScheduler, ids, "@vcpus", field_cpu_set, NULL, FIELD_REQUIRED),
      SCHEDULER_FIELDS,
      FIELD_END,
  },
};

static const FieldTable iothread_scheduler_table = {
  sizeof (CpuScheduler),
  (const Field[]){
      FIELD_WITH (CpuScheduler, ids, "@iothreads", field_cpu_set, NULL, FIELD_REQUIRED),
      SCHEDULER_FIELDS,
      FIELD_END,
  },
};

static const FieldTable emulator_scheduler_table = {
  sizeof (CpuScheduler),
  (const Field[]){ SCHEDULER_FIELDS, FIELD_END },
};

const FieldTable domain_cputune_table = {
  sizeof (DomainCputune),
  (const Field[]){
      FIELD (DomainCputune, shares, "shares", field_number, NULL),
      FIELD (DomainCputune, period, "period", field_number, NULL),
      FIELD (DomainCputune, quota, "quota", field_signed, NULL),
      FIELD (DomainCputune, global_period, "global_period", field_number, NULL),
      FIELD (DomainCputune, global_quota, "global_quota", field_signed, NULL),
      FIELD (DomainCputune, emulator_period, "emulator_period", field_number, NULL),
      FIELD (DomainCputune, emulator_quota, "emulator_quota", field_signed, NULL),
      FIELD (DomainCputune, iothread_period, "iothread_period", field_number, NULL),
      FIELD (DomainCputune, iothread_quota, "iothread_quota", field_signed, NULL),
      FIELD (DomainCputune, vcpu_pins, "vcpupin", field_list, &vcpu_pin_table),
      FIELD (DomainCputune, emulator_pin, "emulatorpin/@cpuset", field_cpu_set, NULL),
      FIELD (DomainCputune, iothread_pins, "iothreadpin", field_list, &iothread_pin_table),
      FIELD (DomainCputune, emulator_scheduler, "emulatorsched", field_optional, &emulator_scheduler_table),
      FIELD (DomainCputune, vcpu_schedulers, "vcpusched", field_list, &vcpu_scheduler_table),
      FIELD (DomainCputune, iothread_schedulers, "iothreadsched", field_list, &iothread_scheduler_table),
      FIELD (DomainCputune, cachetunes, "cachetune", field_verbatims, NULL),
      FIELD (DomainCputune, memorytunes, "memorytune", field_verbatims, NULL),
      FIELD_END,
  },
};

const char *
cputune_find_pin (const GPtrArray *pins, guint64 id)
{
  for (guint i = 0; pins != NULL && i < pins->len; i++) {
    const CpuPin *pin = g_ptr_array_index (pins, i);

    if (pin->id.value == id)
      return pin->cpuset;
  }
  return NULL;
}

void
cputune_set_pin (GPtrArray **pins, guint64 id, const char *cpuset)
{
  guint place = 0;
  CpuPin *pin;

  for (; *pins != NULL && place < (*pins)->len; place++) {
    pin = g_ptr_array_index (*pins, place);
    if (pin->id.value == id) {
      g_ptr_array_remove_index (*pins, place);
      field_free (&vcpu_pin_table, pin);
      break;
    }
    if (pin->id.value > id)
      break;
  }
  if (cpuset == NULL)
    return;
  pin = field_new (&vcpu_pin_table);
  pin->id = NUMBER (id);
  pin->cpuset = g_strdup (cpuset);
  if (*pins == NULL)
    *pins = g_ptr_array_new ();
  g_ptr_array_insert (*pins, (gint)place, pin);
}

void
cputune_forget_iothread (DomainCputune *tune, guint64 id)
{
  cputune_set_pin (&tune->iothread_pins, id, NULL);
  for (guint i = tune->iothread_schedulers != NULL ? tune->iothread_schedulers->len : 0; i > 0; i--) {
    CpuScheduler *scheduler = g_ptr_array_index (tune->iothread_schedulers, i - 1);

    if (g_ascii_strtoull (scheduler->ids, NULL, 10) != id)
      continue;
    g_ptr_array_remove_index (tune->iothread_schedulers, i - 1);
    field_free (&iothread_scheduler_table, scheduler);
  }
}

/* Completion. */

/* The place of a thread in the order its element is written: vCPUs by number, I/O threads as they are
 * listed. */
static guint64
place_of (const DomainDef *def, gboolean of_iothreads, guint64 id)
{
  const GPtrArray *threads = of_iothreads ? def->iothread_ids : NULL;

  for (guint i = 0; threads != NULL && i < threads->len; i++)
    if (((const DomainIothread *)g_ptr_array_index (threads, i))->id.value == id)
      return i;
  return id;
}

typedef struct {
  const DomainDef *def;
  gboolean of_iothreads;
} Order;

static gint
compare_places (const Order *order, guint64 one, guint64 other)
{
  guint64 a = place_of (order->def, order->of_iothreads, one);
  guint64 b = place_of (order->def, order->of_iothreads, other);

  return (a > b) - (a < b);
}

static gint
compare_pins (gconstpointer a, gconstpointer b, gpointer order)
{
  const CpuPin *const *one = a, *const *other = b;

  return compare_places (order, (*one)->id.value, (*other)->id.value);
}

static gint
compare_schedulers (gconstpointer a, gconstpointer b, gpointer order)
{
  const CpuScheduler *const *one = a, *const *other = b;

  return compare_places (order, g_ascii_strtoull ((*one)->ids, NULL, 10),
                         g_ascii_strtoull ((*other)->ids, NULL, 10));
}

/* A pin of a vCPU that the machine does not have is left out, as libvirt does. */
static void
forget_surplus_pins (const DomainDef *def, GPtrArray *pins)
{
  for (guint i = pins != NULL ? pins->len : 0; i > 0; i--) {
    CpuPin *pin = g_ptr_array_index (pins, i - 1);

    if (pin->id.value < def->vcpus.value)
      continue;
    g_ptr_array_remove_index (pins, i - 1);
    field_free (&vcpu_pin_table, pin);
  }
}

/* One element for each thread. Two about one thread are left for the validation. */
static void
split_schedulers (GPtrArray **list, const FieldTable *table)
{
  GPtrArray *split;

  if (*list == NULL)
    return;
  split = g_ptr_array_new ();
  for (guint i = 0; i < (*list)->len; i++) {
    CpuScheduler *scheduler = g_ptr_array_index (*list, i);
    g_autoptr (CpuSet) set = scheduler->ids != NULL ? cpu_set_parse (scheduler->ids, NULL) : NULL;
    gboolean kept = FALSE;

    for (guint id = 0; set != NULL && id < CPU_SET_MAX; id++) {
      CpuScheduler *single;

      if (!cpu_set_contains (set, id))
        continue;
      single = kept ? field_copy (table, scheduler) : scheduler; /* the first keeps its place */
      kept = TRUE;
      g_free (single->ids);
      single->ids = g_strdup_printf ("%u", id);
      g_ptr_array_add (split, single);
    }
    if (!kept)
      field_free (table, scheduler);
  }
  g_ptr_array_unref (*list);
  *list = split;
}

static void
forget_priority (CpuScheduler *scheduler)
{
  if (scheduler->kind == CPU_SCHEDULER_BATCH || scheduler->kind == CPU_SCHEDULER_IDLE)
    scheduler->priority = (SignedNumber){ 0 };
}

static void
forget_zero (Number *period, SignedNumber *quota)
{
  if (period->value == 0)
    *period = (Number){ 0 };
  if (quota->value == 0)
    *quota = (SignedNumber){ 0 };
}

static void
complete_schedulers (DomainCputune *tune)
{
  if (tune->emulator_scheduler != NULL)
    forget_priority (tune->emulator_scheduler);
  split_schedulers (&tune->vcpu_schedulers, &vcpu_scheduler_table);
  split_schedulers (&tune->iothread_schedulers, &iothread_scheduler_table);
  for (guint i = 0; tune->vcpu_schedulers != NULL && i < tune->vcpu_schedulers->len; i++)
    forget_priority (g_ptr_array_index (tune->vcpu_schedulers, i));
  for (guint i = 0; tune->iothread_schedulers != NULL && i < tune->iothread_schedulers->len; i++)
    forget_priority (g_ptr_array_index (tune->iothread_schedulers, i));
}

void
complete_cputune (Completion *completion)
{
  DomainDef *def = completion->def;
  DomainCputune *tune = &def->cputune;
  Order vcpus = { def, FALSE }, threads = { def, TRUE };

  forget_zero (&tune->period, &tune->quota);
  forget_zero (&tune->global_period, &tune->global_quota);
  forget_zero (&tune->emulator_period, &tune->emulator_quota);
  forget_zero (&tune->iothread_period, &tune->iothread_quota);
  forget_surplus_pins (def, tune->vcpu_pins);
  complete_schedulers (tune);
  if (tune->vcpu_pins != NULL)
    g_ptr_array_sort_with_data (tune->vcpu_pins, compare_pins, &vcpus);
  if (tune->iothread_pins != NULL)
    g_ptr_array_sort_with_data (tune->iothread_pins, compare_pins, &threads);
  if (tune->vcpu_schedulers != NULL)
    g_ptr_array_sort_with_data (tune->vcpu_schedulers, compare_schedulers, &vcpus);
  if (tune->iothread_schedulers != NULL)
    g_ptr_array_sort_with_data (tune->iothread_schedulers, compare_schedulers, &threads);
}

/* Validation. */

static void
validate_range (Validation *validation, gconstpointer member, const char *name, gboolean good,
                guint64 minimum, guint64 maximum)
{
  if (!good)
    validation_error (validation, member, validation->def,
                      "Value of cputune '%s' must be in range [%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT "]",
                      name, minimum, maximum);
}

static void
validate_bandwidth (Validation *validation, const char *prefix, const Number *period,
                    const SignedNumber *quota)
{
  g_autofree char *period_name = g_strconcat (prefix, "period", NULL);
  g_autofree char *quota_name = g_strconcat (prefix, "quota", NULL);

  validate_range (validation, period, period_name,
                  !period->set || (period->value >= CPU_PERIOD_MIN && period->value <= CPU_PERIOD_MAX),
                  CPU_PERIOD_MIN, CPU_PERIOD_MAX);
  validate_range (validation, quota, quota_name,
                  quota->value <= 0
                      || (quota->value >= CPU_QUOTA_MIN && (guint64)quota->value <= CPU_QUOTA_MAX),
                  CPU_QUOTA_MIN, CPU_QUOTA_MAX);
}

static void
validate_pins (Validation *validation, const GPtrArray *pins, const char *what, gboolean of_iothreads)
{
  for (guint i = 0; pins != NULL && i < pins->len; i++) {
    const CpuPin *pin = g_ptr_array_index (pins, i);
    const CpuPin *next = i + 1 < pins->len ? g_ptr_array_index (pins, i + 1) : NULL;

    if (next != NULL && next->id.value == pin->id.value)
      validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &next->id, next,
                             of_iothreads ? "duplicate %s for same iothread '%" G_GUINT64_FORMAT "'"
                                          : "duplicate %s for vcpu '%" G_GUINT64_FORMAT "'",
                             what, next->id.value);
    if (of_iothreads && !domain_has_iothread (validation->def, pin->id.value))
      validation_error (validation, &pin->id, pin, "Cannot find 'iothread' : %" G_GUINT64_FORMAT,
                        pin->id.value);
  }
}

static void
validate_scheduler (Validation *validation, const CpuScheduler *scheduler, const char *element)
{
  gboolean real_time = scheduler->kind == CPU_SCHEDULER_FIFO || scheduler->kind == CPU_SCHEDULER_RR;

  if (real_time && !scheduler->priority.set)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &scheduler->kind, scheduler,
                           "Missing required attribute 'priority' in element '%s'", element);
}

static void
validate_schedulers (Validation *validation, const GPtrArray *list, const char *element,
                     const char *attribute, gboolean of_iothreads)
{
  const DomainDef *def = validation->def;

  for (guint i = 0; list != NULL && i < list->len; i++) {
    const CpuScheduler *scheduler = g_ptr_array_index (list, i);
    const CpuScheduler *next = i + 1 < list->len ? g_ptr_array_index (list, i + 1) : NULL;
    guint64 id = scheduler->ids != NULL ? g_ascii_strtoull (scheduler->ids, NULL, 10) : 0;

    if (scheduler->ids == NULL)
      continue; /* the reader has said so */
    if (next != NULL && g_strcmp0 (next->ids, scheduler->ids) == 0)
      validation_error_code (validation, VIR_ERR_XML_DETAIL, &next->ids, next,
                             "'%s' attributes '%s' must not overlap", element, attribute);
    if (of_iothreads ? !domain_has_iothread (def, id) : id >= def->vcpus.value)
      validation_error (validation, &scheduler->ids, scheduler,
                        of_iothreads ? "Cannot find 'iothread' : %s"
                                     : "vCPU '%s' is not present in domain definition",
                        scheduler->ids);
    validate_scheduler (validation, scheduler, element);
  }
}

void
validate_cputune (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainCputune *tune = &def->cputune;

  validate_range (validation, &tune->shares, "shares",
                  tune->shares.value == 0
                      || (tune->shares.value >= CPU_SHARES_MIN && tune->shares.value <= CPU_SHARES_MAX),
                  CPU_SHARES_MIN, CPU_SHARES_MAX);
  validate_bandwidth (validation, "", &tune->period, &tune->quota);
  validate_bandwidth (validation, "global_", &tune->global_period, &tune->global_quota);
  validate_bandwidth (validation, "emulator_", &tune->emulator_period, &tune->emulator_quota);
  validate_bandwidth (validation, "iothread_", &tune->iothread_period, &tune->iothread_quota);
  validate_pins (validation, tune->vcpu_pins, "vcpupin", FALSE);
  validate_pins (validation, tune->iothread_pins, "iothreadpin", TRUE);
  if (tune->emulator_scheduler != NULL)
    validate_scheduler (validation, tune->emulator_scheduler, "emulatorsched");
  validate_schedulers (validation, tune->vcpu_schedulers, "vcpusched", "vcpus", FALSE);
  validate_schedulers (validation, tune->iothread_schedulers, "iothreadsched", "iothreads", TRUE);
  if (tune->cachetunes != NULL && def->type == VIRT_TYPE_QEMU)
    validation_error (validation, &tune->cachetunes, def, "cachetune is only supported for KVM domains");
  else if (tune->memorytunes != NULL && def->type == VIRT_TYPE_QEMU)
    validation_error (validation, &tune->memorytunes, def, "memorytune is only supported for KVM domains");
}
