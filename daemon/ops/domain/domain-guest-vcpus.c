/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The guest's own view of its processors, by its agent: which it has, which of them it uses, and the order to
 * use more or fewer. No device comes or goes by that.
 */
#include "daemon/ops/domain/agent-call.h"

#include "base/scalars.h"
#include "domain/vcpus.h"

#define VCPUS_MAX 4096

typedef struct {
  guint id;
  gboolean online, offlinable;
} GuestVcpu;

/* (GuestVcpu), in the agent's order; NULL with @error. */
static GArray *
ask_vcpus (Agent *agent, GError **error)
{
  g_autoptr (JsonArray) list = agent_ask_list (agent, "guest-get-vcpus", VCPUS_MAX, error);
  GArray *vcpus;

  if (list == NULL)
    return NULL;
  vcpus = g_array_new (FALSE, FALSE, sizeof (GuestVcpu));
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *item = agent_item (list, i);
    gint64 id = agent_number (item, "logical-id");
    GuestVcpu vcpu = { (guint)id, untrusted_switch (item, "online"), untrusted_switch (item, "can-offline") };

    if (item != NULL && id >= 0 && id < CPU_SET_MAX)
      g_array_append_val (vcpus, vcpu);
  }
  return vcpus;
}

static guint
count_online (const GArray *vcpus)
{
  guint count = 0;

  for (guint i = 0; i < vcpus->len; i++)
    count += g_array_index (vcpus, GuestVcpu, i).online ? 1 : 0;
  return count;
}

static GVariant *
get_vcpus (Agent *agent, const AgentContext *context G_GNUC_UNUSED, GError **error)
{
  static const char *const names[] = { "vcpus", "online", "offlinable" };
  g_autoptr (GArray) vcpus = ask_vcpus (agent, error);
  GVariantBuilder parameters;

  if (vcpus == NULL)
    return NULL;
  g_variant_builder_init (&parameters, G_VARIANT_TYPE ("a{sv}"));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (CpuSet) set = cpu_set_new ();
    g_autofree char *text = NULL;

    for (guint j = 0; j < vcpus->len; j++) {
      const GuestVcpu *vcpu = &g_array_index (vcpus, GuestVcpu, j);

      if (i == 0 || (i == 1 && vcpu->online) || (i == 2 && vcpu->offlinable))
        cpu_set_add (set, vcpu->id);
    }
    text = cpu_set_to_string (set);
    g_variant_builder_add (&parameters, "{sv}", names[i], g_variant_new_string (text));
  }
  return g_variant_new ("(a{sv})", &parameters);
}

void
op_domain_get_guest_vcpus (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    agent_call_query (call, get_vcpus);
}

/* Tell the guest to use those of @vcpus where @change is set, or not to: as their `online` now says. */
static gboolean
tell_vcpus (Agent *agent, const GArray *vcpus, const gboolean *change, GError **error)
{
  g_autoptr (JsonNode) answer = NULL;
  JsonArray *list = json_array_new ();
  JsonObject *arguments = json_object_new ();
  gint64 done;
  guint asked = 0;

  for (guint i = 0; i < vcpus->len; i++) {
    const GuestVcpu *vcpu = &g_array_index (vcpus, GuestVcpu, i);
    JsonObject *item;

    if (!change[i])
      continue;
    item = json_object_new ();
    json_object_set_int_member (item, "logical-id", vcpu->id);
    json_object_set_boolean_member (item, "online", vcpu->online);
    json_array_add_object_element (list, item);
    asked++;
  }
  json_object_set_array_member (arguments, "vcpus", list);
  if (asked == 0) {
    json_object_unref (arguments);
    return TRUE;
  }
  answer = agent_call (agent, "guest-set-vcpus", arguments, error);
  if (answer == NULL)
    return FALSE;
  done = json_node_get_value_type (answer) == G_TYPE_INT64 ? json_node_get_int (answer) : 0;
  if (done == asked)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                  "failed to set state of cpu: the guest agent has changed %d of %u", (int)done, asked);
  return FALSE;
}

/* Those of @wanted that the agent does not have. NULL: none. (transfer full) */
static char *
missing_vcpus (const GArray *vcpus, const CpuSet *wanted)
{
  g_autoptr (CpuSet) has = cpu_set_new (), missing = cpu_set_new ();

  for (guint i = 0; i < vcpus->len; i++)
    cpu_set_add (has, g_array_index (vcpus, GuestVcpu, i).id);
  for (guint i = 0; i < CPU_SET_MAX; i++)
    if (cpu_set_contains (wanted, i) && !cpu_set_contains (has, i))
      cpu_set_add (missing, i);
  return cpu_set_count (missing) > 0 ? cpu_set_to_string (missing) : NULL;
}

static GVariant *
set_vcpus (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (CpuSet) wanted = NULL;
  g_autoptr (GArray) vcpus = NULL;
  g_autofree char *missing = NULL;
  g_autofree gboolean *change = NULL;
  const char *map, *mistake;
  gint32 online;

  g_variant_get (context->arguments, "(@(sayi)&siu)", NULL, &map, &online, NULL);
  wanted = cpu_set_parse (map, &mistake);
  if (wanted == NULL) {
    virt_error_set_from (error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", map);
    return NULL;
  }
  vcpus = ask_vcpus (agent, error);
  if (vcpus == NULL)
    return NULL;
  missing = missing_vcpus (vcpus, wanted);
  if (missing != NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "guest is missing vCPUs '%s'", missing);
    return NULL;
  }
  change = g_new0 (gboolean, vcpus->len + 1);
  for (guint i = 0; i < vcpus->len; i++) {
    GuestVcpu *vcpu = &g_array_index (vcpus, GuestVcpu, i);

    change[i] = cpu_set_contains (wanted, vcpu->id) && vcpu->online != (online != 0);
    if (change[i] && online == 0 && !vcpu->offlinable) {
      virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "vCPU '%u' is not offlinable", vcpu->id);
      return NULL;
    }
    vcpu->online = change[i] ? online != 0 : vcpu->online;
  }
  return tell_vcpus (agent, vcpus, change, error) ? g_variant_new ("()") : NULL;
}

void
op_domain_set_guest_vcpus (Call *call)
{
  gint32 state = call_int (call, 2);

  if (!call_check_flags (call, call_uint (call, 3), 0))
    return;
  if (state != 0 && state != 1)
    call_fail_plain (call, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unsupported state value");
  else
    agent_call_query (call, set_vcpus);
}

/* Counts: VIR_DOMAIN_VCPU_GUEST of the calls about all processors. */

static GVariant *
get_count (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (GArray) vcpus = ask_vcpus (agent, error);
  guint32 flags;

  if (vcpus == NULL)
    return NULL;
  g_variant_get_child (context->arguments, 1, "u", &flags);
  return g_variant_new ("(i)",
                        (gint32)((flags & VIR_DOMAIN_VCPU_MAXIMUM) ? vcpus->len : count_online (vcpus)));
}

void
call_get_guest_vcpu_count (Call *call)
{
  if (!domain_is_active (call->domain))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "vCPU count provided by the guest agent can only be requested for live domains");
  else
    agent_call_query (call, get_count);
}

static GVariant *
set_count (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (GArray) vcpus = ask_vcpus (agent, error);
  g_autofree gboolean *change = NULL;
  guint32 count;
  guint online;

  if (vcpus == NULL)
    return NULL;
  g_variant_get_child (context->arguments, 1, "u", &count);
  online = count_online (vcpus);
  change = g_new0 (gboolean, vcpus->len + 1);
  for (guint i = 0; i < vcpus->len && online < count; i++)
    if (!g_array_index (vcpus, GuestVcpu, i).online) {
      g_array_index (vcpus, GuestVcpu, i).online = change[i] = TRUE;
      online++;
    }
  for (guint i = vcpus->len; i > 0 && online > count; i--) {
    GuestVcpu *vcpu = &g_array_index (vcpus, GuestVcpu, i - 1);

    if (vcpu->online && vcpu->offlinable) {
      vcpu->online = FALSE;
      change[i - 1] = TRUE;
      online--;
    }
  }
  if (online != count) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s",
                    online < count ? "guest agent reports less cpu than requested"
                                   : "Cannot offline enough CPUs");
    return NULL;
  }
  return tell_vcpus (agent, vcpus, change, error) ? g_variant_new ("()") : NULL;
}

void
call_set_guest_vcpu_count (Call *call)
{
  guint count = call_uint (call, 1);

  if (domain_is_active (call->domain) && count > domain_vcpus_online (call->domain->machine->def))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "requested vcpu count is greater than the count of enabled vcpus in the domain: %u > %u",
                    count, domain_vcpus_online (call->domain->machine->def));
  else
    agent_call_query (call, set_count);
}
