/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The comparison itself is a walk over the fields (field_compare): each says in its table whether the guest
 * can see it. Here are libvirt's words for the two things that name a machine. */
#include "domain/abi.h"

#define SWAP(type, one, other) \
  do {                         \
    type kept = one;           \
    one = other;               \
    other = kept;              \
  } while (0)

static int
policy_of (const DomainCpu *cpu, const char *feature)
{
  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *each = g_ptr_array_index (cpu->features, i);

    if (g_strcmp0 (each->name, feature) == 0)
      return each->policy;
  }
  return CPU_POLICY_NONE;
}

/* Has the guest what @asked asks for? What the model brings is not among the features of @given: only what is
 * listed there can disagree. */
static gboolean
is_given (const DomainCpu *asked, const DomainCpu *given)
{
  if (given->mode != CPU_MODE_CUSTOM || given->check != CPU_CHECK_FULL || asked->check == CPU_CHECK_FULL)
    return FALSE;
  if (asked->mode != CPU_MODE_HOST_MODEL
      && (asked->mode != CPU_MODE_CUSTOM || g_strcmp0 (asked->model, given->model) != 0))
    return FALSE;
  for (guint i = 0; asked->features != NULL && i < asked->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (asked->features, i);
    gboolean wanted = feature->policy == CPU_POLICY_REQUIRE || feature->policy == CPU_POLICY_FORCE;
    int policy = policy_of (given, feature->name);

    if (wanted ? policy == CPU_POLICY_DISABLE : policy == CPU_POLICY_REQUIRE)
      return FALSE;
  }
  return TRUE;
}

void
domain_abi_take_processor (DomainDef *def, const DomainCpu *processor)
{
  DomainCpu *cpu = def->cpu, *given = field_copy (&domain_cpu_table, processor);

  cpu->mode = given->mode;
  cpu->match = given->match;
  cpu->check = given->check;
  cpu->fallback = given->fallback;
  SWAP (char *, cpu->model, given->model);
  SWAP (char *, cpu->vendor, given->vendor);
  SWAP (GPtrArray *, cpu->features, given->features);
  field_free (&domain_cpu_table, given);
}

void
domain_abi_keep_processor (DomainDef *def, const DomainDef *saved)
{
  if (def->cpu != NULL && saved->cpu != NULL && is_given (def->cpu, saved->cpu))
    domain_abi_take_processor (def, saved->cpu);
}

gboolean
domain_abi_check (const DomainDef *from, const DomainDef *to, GError **error)
{
  g_autofree char *difference = NULL;

  if (g_strcmp0 (from->uuid, to->uuid) != 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "Target domain uuid %s does not match source %s",
                    to->uuid, from->uuid);
    return FALSE;
  }
  if (g_strcmp0 (from->name, to->name) != 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "Target domain name '%s' does not match source '%s'",
                    to->name, from->name);
    return FALSE;
  }
  difference = field_compare (&domain_table, from, to, FIELD_COMPARE_ABI);
  if (difference != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "the guest would not find the machine it knows; %s",
                    difference);
  return difference == NULL;
}
