/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits and weights of a domain, as typed parameters. None is set by this daemon: memory has no limit, disks
 * have no weight, NUMA nodes are not bound, no performance event is counted; and a document that asks for one
 * is refused when it is started. So what is answered is that, and what is asked to be set is refused.
 */
#include "daemon/ops/ops.h"

#define AFFECT (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_TYPED_PARAM_STRING_OKAY)

typedef struct {
  const char *name;
  GVariant *(*make) (void);
} Parameter;

static GVariant *
unlimited (void)
{
  return g_variant_new_uint64 (VIR_DOMAIN_MEMORY_PARAM_UNLIMITED);
}

static GVariant *
zero (void)
{
  return g_variant_new_uint32 (0);
}

static GVariant *
strict_mode (void)
{
  return g_variant_new_int32 (VIR_DOMAIN_NUMATUNE_MEM_STRICT);
}

static GVariant *
nothing (void)
{
  return g_variant_new_string ("");
}

static GVariant *
off (void)
{
  return g_variant_new_boolean (FALSE);
}

static const Parameter memory[] = {
  { VIR_DOMAIN_MEMORY_HARD_LIMIT, unlimited },
  { VIR_DOMAIN_MEMORY_SOFT_LIMIT, unlimited },
  { VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, unlimited },
  { NULL, NULL },
};

static const Parameter blkio[] = {
  { VIR_DOMAIN_BLKIO_WEIGHT, zero },
  { VIR_DOMAIN_BLKIO_DEVICE_WEIGHT, nothing },
  { VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS, nothing },
  { VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS, nothing },
  { VIR_DOMAIN_BLKIO_DEVICE_READ_BPS, nothing },
  { VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS, nothing },
  { NULL, NULL },
};

static const Parameter numa[] = {
  { VIR_DOMAIN_NUMA_MODE, strict_mode },
  { VIR_DOMAIN_NUMA_NODESET, nothing },
  { NULL, NULL },
};

static const Parameter perf[] = {
  { VIR_PERF_PARAM_CMT, off },
  { VIR_PERF_PARAM_MBMT, off },
  { VIR_PERF_PARAM_MBML, off },
  { VIR_PERF_PARAM_CPU_CYCLES, off },
  { VIR_PERF_PARAM_INSTRUCTIONS, off },
  { VIR_PERF_PARAM_CACHE_REFERENCES, off },
  { VIR_PERF_PARAM_CACHE_MISSES, off },
  { VIR_PERF_PARAM_BRANCH_INSTRUCTIONS, off },
  { VIR_PERF_PARAM_BRANCH_MISSES, off },
  { VIR_PERF_PARAM_BUS_CYCLES, off },
  { VIR_PERF_PARAM_STALLED_CYCLES_FRONTEND, off },
  { VIR_PERF_PARAM_STALLED_CYCLES_BACKEND, off },
  { VIR_PERF_PARAM_REF_CPU_CYCLES, off },
  { VIR_PERF_PARAM_CPU_CLOCK, off },
  { VIR_PERF_PARAM_TASK_CLOCK, off },
  { VIR_PERF_PARAM_PAGE_FAULTS, off },
  { VIR_PERF_PARAM_CONTEXT_SWITCHES, off },
  { VIR_PERF_PARAM_CPU_MIGRATIONS, off },
  { VIR_PERF_PARAM_PAGE_FAULTS_MIN, off },
  { VIR_PERF_PARAM_PAGE_FAULTS_MAJ, off },
  { VIR_PERF_PARAM_ALIGNMENT_FAULTS, off },
  { VIR_PERF_PARAM_EMULATION_FAULTS, off },
  { NULL, NULL },
};

/* (floating) a{sv} of the first @room of them, all when it is negative; @ret_count: how many there are. */
static GVariant *
list_of (const Parameter *parameters, int room, int *ret_count)
{
  GVariantBuilder list;
  int count = 0;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (; parameters[count].name != NULL; count++)
    if (room < 0 || count < room)
      g_variant_builder_add (&list, "{sv}", parameters[count].name, parameters[count].make ());
  *ret_count = count;
  return g_variant_builder_end (&list);
}

/* A first call asks with no room how many there are. @said: what the definition says of them. */
static void
answer_parameters (Call *call, const Parameter *parameters, const char *said)
{
  int room = call_int (call, 1), count;
  GVariant *list;

  if (said != NULL) {
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED,
                    "the definition says more of this than can be told as parameters; see its document");
    return;
  }
  list = list_of (parameters, MAX (room, 0), &count);
  call_answer (call, g_variant_new ("(@a{sv}i)", list, room == 0 ? count : MIN (room, count)));
}

static void
answer_memory (Call *call, DomainDef *def)
{
  answer_parameters (call, memory, NULL);
}

static void
answer_blkio (Call *call, DomainDef *def)
{
  answer_parameters (call, blkio, NULL);
}

static void
answer_numa (Call *call, DomainDef *def)
{
  answer_parameters (call, numa, NULL);
}

static void
answer_perf (Call *call, G_GNUC_UNUSED DomainDef *def)
{
  int count;

  call_answer (call, g_variant_new ("(@a{sv})", list_of (perf, -1, &count)));
}

static void
with_definition (Call *call, guint flags, DefinitionThen then)
{
  DefinitionWhich which;

  if (call_check_flags (call, flags, AFFECT) && call_check_affect (call, flags, &which))
    call_with_definition (call, which, then);
}

void
op_domain_get_memory_parameters (Call *call)
{
  with_definition (call, call_uint (call, 2), answer_memory);
}

void
op_domain_get_blkio_parameters (Call *call)
{
  with_definition (call, call_uint (call, 2), answer_blkio);
}

void
op_domain_get_numa_parameters (Call *call)
{
  with_definition (call, call_uint (call, 2), answer_numa);
}

void
op_domain_get_perf_events (Call *call)
{
  with_definition (call, call_uint (call, 1), answer_perf);
}
