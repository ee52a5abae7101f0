/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast a guest writes to its memory. QEMU counts for some seconds and keeps the result, which is told
 * with the domain's other statistics.
 */
#include "daemon/ops/domain/dirty-rate.h"

#include "base/untrusted-json.h"
#include "daemon/domain/machine.h"
#include "daemon/ops/ops.h"
#include "targets/qemu/recipe.h"

#define SECONDS_MIN 1
#define SECONDS_MAX 60
#define MODES                                                                       \
  (VIR_DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING | VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP \
   | VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING)

/* QEMU lists them in order; each is told once. */
static void
add_vcpus (GVariantBuilder *list, JsonArray *vcpus, guint count)
{
  gint64 next = 0;

  for (guint i = 0; vcpus != NULL && i < json_array_get_length (vcpus); i++) {
    JsonObject *item = untrusted_object_of (json_array_get_element (vcpus, i));
    g_autofree char *name = NULL;
    gint64 id, rate;

    if (!untrusted_number (item, "id", &id) || !untrusted_number (item, "dirty-rate", &rate) || id < next
        || id >= count || rate < 0)
      continue;
    name = g_strdup_printf ("dirtyrate.vcpu.%d.megabytes_per_second", (int)id);
    g_variant_builder_add (list, "{sv}", name, g_variant_new_uint64 ((guint64)rate));
    next = id + 1;
  }
}

static int
place_of (const char *word, const char *const *words, guint count)
{
  for (guint i = 0; i < count; i++)
    if (g_strcmp0 (word, words[i]) == 0)
      return (int)i;
  return 0;
}

void
dirty_rate_add (GVariantBuilder *list, JsonNode *answer, guint vcpus)
{
  static const char *const states[] = { "unstarted", "measuring", "measured" };
  static const char *const modes[] = { "page-sampling", "dirty-bitmap", "dirty-ring" };
  JsonObject *object = untrusted_object_of (answer);
  int state = place_of (untrusted_text (object, "status"), states, G_N_ELEMENTS (states));
  const char *mode = modes[place_of (untrusted_text (object, "mode"), modes, G_N_ELEMENTS (modes))];
  gint64 started = 0, period, rate;

  if (object == NULL)
    return;
  untrusted_number (object, "start-time", &started);
  period = (gint64)MIN (untrusted_count (object, "calc-time"), G_MAXINT32);
  g_variant_builder_add (list, "{sv}", "dirtyrate.calc_status", g_variant_new_int32 (state));
  g_variant_builder_add (list, "{sv}", "dirtyrate.calc_start_time", g_variant_new_int64 (started));
  g_variant_builder_add (list, "{sv}", "dirtyrate.calc_period", g_variant_new_int32 ((int)period));
  g_variant_builder_add (list, "{sv}", "dirtyrate.calc_mode", g_variant_new_string (mode));
  if (state != VIR_DOMAIN_DIRTYRATE_MEASURED || !untrusted_number (object, "dirty-rate", &rate))
    return;
  g_variant_builder_add (list, "{sv}", "dirtyrate.megabytes_per_second", g_variant_new_int64 (rate));
  add_vcpus (list, untrusted_list (object, "vcpu-dirty-rate"), vcpus);
}

/* The counting. */

static void
started (JsonNode *answer, const GError *error, gpointer data)
{
  if (answer != NULL)
    call_answer_nothing (data);
  else
    call_fail (data, g_error_copy (error));
}

/* NULL, and the call failed, for what this machine cannot count by. */
static const char *
mode_of (Call *call, guint flags)
{
  const DomainDef *def = call->domain->machine->def;
  const FeaturesKvm *kvm = def->features.kvm;

  if (flags == VIR_DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING)
    return "page-sampling";
  if (flags == VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING) {
    if (kvm != NULL && kvm->dirty_ring == TRISTATE_YES)
      return "dirty-ring";
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                    "dirty-ring calculation mode requires dirty-ring feature enabled.");
    return NULL;
  }
  if (def->type == VIRT_TYPE_KVM)
    return "dirty-bitmap";
  /* QEMU 7.2 ends at that. */
  call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                  "a machine that is emulated has no dirty bitmap to count by; page-sampling can be used");
  return NULL;
}

void
op_domain_start_dirty_rate_calc (Call *call)
{
  int seconds = call_int (call, 1);
  guint flags = call_uint (call, 2);
  const char *mode;

  if (!call_check_flags (call, flags, MODES))
    return;
  if ((flags & (flags - 1)) != 0) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "the modes of counting exclude each other");
    return;
  }
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) {
    call_fail_from (call, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                    "seconds=%d is invalid, please choose value within [%d, %d].", seconds, SECONDS_MIN,
                    SECONDS_MAX);
    return;
  }
  if (!call_check_monitor (call) || (mode = mode_of (call, flags)) == NULL)
    return;
  qmp_query (call->domain->machine->qmp, "calc-dirty-rate",
             props ("calc-time", "i", seconds, "mode", "s", mode, NULL),
             call->manager->settings->call_timeout, started, call);
}
