/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of the host's processors a machine's threads may run on: its vCPUs', its I/O threads', and all others
 * together, the emulator's. A stored definition says what will be; a running machine is asked through the
 * kernel, and never through QEMU.
 */
#include "daemon/drivers/qemu/machine-tuning.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/domain/domain-tuning.h"

#include <string.h>

#define AFFECT (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

/* Maps: a bit for each processor, from the lowest. */

#define MAP_MAX_BYTES 2048 /* the protocol's limit for one */

static void
fill_map (guint8 *map, gsize length, const CpuSet *cpus)
{
  for (guint cpu = 0; cpu < MIN (length * 8, CPU_SET_MAX); cpu++)
    if (cpu_set_contains (cpus, cpu))
      map[cpu / 8] |= (guint8)(1 << cpu % 8);
}

/* "0-1,3"; NULL when the map is empty. (transfer full) */
static char *
map_to_text (GVariant *map)
{
  g_autoptr (CpuSet) cpus = cpu_set_new ();
  gsize length;
  const guint8 *bytes = g_variant_get_fixed_array (map, &length, 1);

  for (guint cpu = 0; cpu < MIN (length * 8, CPU_SET_MAX); cpu++)
    if (bytes[cpu / 8] & (1 << cpu % 8))
      cpu_set_add (cpus, cpu);
  return cpu_set_count (cpus) > 0 ? cpu_set_to_string (cpus) : NULL;
}

/* Where the definition lets the thread run. */
static CpuSet *
cpus_of_definition (const DomainDef *def, ThreadKind kind, guint number)
{
  const char *text = tuning_cpus_of (def, kind, number);

  return text != NULL ? cpu_set_parse (text, NULL) : host_cpus ();
}

/* Where the running machine's thread may run; what the definition says where there is no such thread. */
static CpuSet *
cpus_of_thread (const DomainDef *def, const GArray *threads, ThreadKind kind, guint number)
{
  const MachineThread *thread = threads != NULL ? machine_thread_find (threads, kind, number) : NULL;
  CpuSet *cpus = thread != NULL ? thread_get_affinity (thread->id) : NULL;

  return cpus != NULL ? cpus : cpus_of_definition (def, kind, number);
}

/* The threads to look at, of a call about the running machine. */
static GArray *
live_threads (Call *call)
{
  return machine_threads (process_pid (call->domain->machine->process));
}

/* vCPUs. */

static void
answer_vcpu_pins (Call *call, const DomainDef *def, const GArray *threads)
{
  gsize length = (gsize)call_int (call, 2);
  guint count = MIN ((guint)call_int (call, 1), (guint)def->vcpus.value);
  g_autofree guint8 *maps = g_malloc0 (count * length + 1);

  for (guint i = 0; i < count; i++) {
    g_autoptr (CpuSet) cpus = cpus_of_thread (def, threads, THREAD_VCPU, i);

    fill_map (maps + i * length, length, cpus);
  }
  call_answer (call, g_variant_new ("(@ayi)",
                                    g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, maps, count * length, 1),
                                    (int)count));
}

static void
vcpu_pins_of_definition (Call *call, DomainDef *def)
{
  answer_vcpu_pins (call, def, NULL);
}

static void
vcpu_pins_of_machine (Call *call, DomainDef *def)
{
  g_autoptr (GArray) threads = live_threads (call);

  answer_vcpu_pins (call, def, threads);
}

static gboolean
check_map_length (Call *call, int length)
{
  if (length > 0 && length <= MAP_MAX_BYTES)
    return TRUE;
  call_fail_with (call, VIR_ERR_INVALID_ARG, "maplen %d: from 1 to %d", length, MAP_MAX_BYTES);
  return FALSE;
}

void
op_domain_get_vcpu_pin_info (Call *call)
{
  int count = call_int (call, 1), length = call_int (call, 2);

  if (!check_map_length (call, length))
    return;
  if (count <= 0 || count > G_MAXUINT16)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "ncpumaps %d: from 1 to %d", count, G_MAXUINT16);
  else
    call_live_or_config (call, call_uint (call, 3), AFFECT, vcpu_pins_of_machine, vcpu_pins_of_definition);
}

/* The emulator. */

static void
answer_emulator_pin (Call *call, const DomainDef *def, const GArray *threads)
{
  gsize length = (gsize)call_int (call, 1);
  g_autofree guint8 *map = g_malloc0 (length);
  g_autoptr (CpuSet) cpus = cpus_of_thread (def, threads, THREAD_EMULATOR, 0);

  fill_map (map, length, cpus);
  call_answer (call,
               g_variant_new ("(@ayi)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, map, length, 1), 1));
}

static void
emulator_pin_of_definition (Call *call, DomainDef *def)
{
  answer_emulator_pin (call, def, NULL);
}

static void
emulator_pin_of_machine (Call *call, DomainDef *def)
{
  g_autoptr (GArray) threads = live_threads (call);

  answer_emulator_pin (call, def, threads);
}

void
op_domain_get_emulator_pin_info (Call *call)
{
  if (check_map_length (call, call_int (call, 1)))
    call_live_or_config (call, call_uint (call, 2), AFFECT, emulator_pin_of_machine,
                         emulator_pin_of_definition);
}

/* I/O threads. */

static void
answer_iothreads (Call *call, const DomainDef *def, const GArray *threads)
{
  gsize length = (host_cpu_count () + 7) / 8;
  guint count = domain_count_iothreads (def);
  g_autofree guint8 *map = g_malloc (length);
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(uay)"));
  for (guint i = 0; i < count; i++) {
    guint id = (guint)domain_iothread_id (def, i);
    g_autoptr (CpuSet) cpus = cpus_of_thread (def, threads, THREAD_IOTHREAD, id);

    memset (map, 0, length);
    fill_map (map, length, cpus);
    g_variant_builder_add (&list, "(u@ay)", id,
                           g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, map, length, 1));
  }
  call_answer (call, g_variant_new ("(a(uay)u)", &list, count));
}

static void
iothreads_of_definition (Call *call, DomainDef *def)
{
  answer_iothreads (call, def, NULL);
}

static void
iothreads_of_machine (Call *call, DomainDef *def)
{
  g_autoptr (GArray) threads = live_threads (call);

  answer_iothreads (call, def, threads);
}

void
op_domain_get_iothread_info (Call *call)
{
  call_live_or_config (call, call_uint (call, 1), AFFECT, iothreads_of_machine, iothreads_of_definition);
}

/* Pinning. */

typedef struct {
  ThreadKind kind;
  guint number;
  char *cpuset;
} Pin;

static void
pin_free (gpointer data)
{
  Pin *pin = data;

  g_free (pin->cpuset);
  g_free (pin);
}

static gboolean
check_thread (const DomainDef *def, const Pin *pin, gboolean live, GError **error)
{
  if (pin->kind == THREAD_VCPU && pin->number >= def->vcpus.value) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "vcpu %u is out of range of %s cpu count %" G_GUINT64_FORMAT,
                    pin->number, live ? "live" : "persistent", def->vcpus.value);
    return FALSE;
  }
  if (pin->kind == THREAD_IOTHREAD && !domain_has_iothread (def, pin->number)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, live ? "iothread %u not found" : "iothreadid %u not found",
                    pin->number);
    return FALSE;
  }
  return TRUE;
}

static gboolean
apply_pin (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const Pin *pin = values;
  DomainCputune *tune = &def->cputune;

  if (!check_thread (def, pin, machine != NULL, error))
    return FALSE;
  if (pin->kind == THREAD_VCPU)
    cputune_set_pin (&tune->vcpu_pins, pin->number, pin->cpuset);
  else if (pin->kind == THREAD_IOTHREAD)
    cputune_set_pin (&tune->iothread_pins, pin->number, pin->cpuset);
  else {
    g_free (tune->emulator_pin);
    tune->emulator_pin = g_strdup (pin->cpuset);
  }
  return TRUE;
}

/* A vCPU that is not plugged in has no thread yet: it gets its place with it. */
static gboolean
enact_pin (G_GNUC_UNUSED Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  const Pin *pin = values;
  g_autoptr (GArray) threads = machine_threads (target->pid);

  if (pin->kind == THREAD_VCPU && machine_thread_find (threads, pin->kind, pin->number) == NULL)
    return TRUE;
  return tuning_pin (target->pid, pin->kind, pin->number, pin->cpuset, error);
}

static void
announce_pin (Domain *domain, gconstpointer values)
{
  const Pin *pin = values;
  g_autofree char *name = NULL;
  GVariantBuilder list;

  if (pin->kind == THREAD_EMULATOR)
    name = g_strdup (VIR_DOMAIN_TUNABLE_CPU_EMULATORPIN);
  else
    name = g_strdup_printf (pin->kind == THREAD_VCPU ? VIR_DOMAIN_TUNABLE_CPU_VCPUPIN
                                                     : VIR_DOMAIN_TUNABLE_CPU_IOTHREADSPIN,
                            pin->number);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&list, "{sv}", name, g_variant_new_string (pin->cpuset));
  events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_TUNABLE,
                 g_variant_new ("(a{sv})", &list));
}

static void
pin_thread (Call *call, ThreadKind kind, guint number, guint map_index, guint flags)
{
  g_autoptr (GVariant) map = g_variant_get_child_value (call->arguments, map_index);
  g_autofree char *cpuset = map_to_text (map);
  ChangeRequest change = {
    .name = "pin",
    .affect = flags,
    .apply = apply_pin,
    .free_values = pin_free,
    .enact = enact_pin,
    .changed = announce_pin,
    .elements = { "cputune" },
  };

  if (!call_check_flags (call, flags, AFFECT))
    return;
  if (cpuset == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    kind == THREAD_IOTHREAD ? "Empty iothread cpumap list for pinning"
                                            : "Empty cpu list for pinning");
    return;
  }
  change.values = g_memdup2 (&(Pin){ kind, number, g_steal_pointer (&cpuset) }, sizeof (Pin));
  domain_change (call, &change);
}

/* The call without flags is about the running machine. */
void
op_domain_pin_vcpu (Call *call)
{
  gboolean with_flags = g_variant_n_children (call->arguments) > 3;

  pin_thread (call, THREAD_VCPU, call_uint (call, 1), 2,
              with_flags ? call_uint (call, 3) : VIR_DOMAIN_AFFECT_LIVE);
}

void
op_domain_pin_emulator (Call *call)
{
  pin_thread (call, THREAD_EMULATOR, 0, 1, call_uint (call, 2));
}

void
op_domain_pin_iothread (Call *call)
{
  pin_thread (call, THREAD_IOTHREAD, call_uint (call, 1), 2, call_uint (call, 3));
}
