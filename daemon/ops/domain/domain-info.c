/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of a domain, answered from its definition and its last known state: no guest is asked.
 */
#include "daemon/domain/definition.h"
#include "daemon/domain/readiness.h"
#include "daemon/domain/restart-policy.h"
#include "daemon/drivers/qemu/taint.h"
#include "daemon/ops/ops.h"

#include "domain/migratable.h"
#include "domain/vcpus.h"

#define XML_KNOWN_FLAGS \
  (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_UPDATE_CPU | VIR_DOMAIN_XML_MIGRATABLE)

void
op_domain_name (Call *call)
{
  call_answer (call, g_variant_new ("(s)", call->domain->name));
}

void
op_domain_uuid (Call *call)
{
  call_answer (call, g_variant_new ("(s)", call->domain->uuid));
}

/* 0 for an inactive one, as libvirt-dbus has it. */
void
op_domain_id (Call *call)
{
  call_answer (call, g_variant_new ("(u)", (guint)MAX (call->domain->id, 0)));
}

static void
answer_truth (Call *call, gboolean truth)
{
  call_answer (call, g_variant_new ("(i)", truth ? 1 : 0));
}

void
op_domain_is_updated (Call *call)
{
  answer_truth (call, call->domain->updated);
}

void
op_domain_has_managed_save_image (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    answer_truth (call, call->domain->managed_save);
}

void
op_domain_get_state (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    call_answer (call, g_variant_new ("(ii)", (int)call->domain->state, call->domain->reason));
}

guint64
domain_memory_now (const Domain *domain, const DomainDef *def)
{
  if (domain->machine != NULL && domain->machine->balloon_kib != 0)
    return domain->machine->balloon_kib;
  return def->current_memory.set ? def->current_memory.value : def->memory.value;
}

static void
answer_info (Call *call, DomainDef *def)
{
  Domain *domain = call->domain;
  guint64 cpu_time = 0, user, system, resident;

  if (domain->machine != NULL
      && !process_usage (domain->machine->process, &cpu_time, &user, &system, &resident))
    cpu_time = 0;
  call_answer (call,
               g_variant_new ("(yttqt)", (guchar)domain->state, def->memory.value,
                              domain_memory_now (domain, def), (guint16)domain_vcpus_online (def), cpu_time));
}

void
op_domain_get_info (Call *call)
{
  const DefinitionSummary *summary = call->domain->summary;

  if (!domain_is_active (call->domain) && summary != NULL)
    call_answer (call, g_variant_new ("(yttqt)", (guchar)call->domain->state, summary->memory,
                                      summary->current_memory, (guint16)MIN (summary->vcpus, G_MAXUINT16),
                                      (guint64)0));
  else
    call_with_definition (call, DEFINITION_CURRENT, answer_info);
}

void
op_domain_get_control_info (Call *call)
{
  Domain *domain = call->domain;
  GError *error = NULL;
  guint state = VIR_DOMAIN_CONTROL_OK, details = 0;
  guint64 since = 0;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  if (!domain_check_active (domain, &error)) {
    call_fail (call, error);
    return;
  }
  if (domain->machine->monitor_closed) {
    state = VIR_DOMAIN_CONTROL_ERROR;
    details = VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR;
  } else if (lock_is_held (domain->lock)) {
    state = VIR_DOMAIN_CONTROL_JOB;
    since = (guint64)(g_get_monotonic_time () - lock_since (domain->lock)) / 1000;
  }
  call_answer (call, g_variant_new ("(uut)", state, details, since));
}

static void
answer_max_memory (Call *call, DomainDef *def)
{
  call_answer (call, g_variant_new ("(t)", def->memory.value));
}

void
op_domain_get_max_memory (Call *call)
{
  call_with_definition (call, DEFINITION_CURRENT, answer_max_memory);
}

static void
answer_os_type (Call *call, DomainDef *def)
{
  call_answer (call, g_variant_new ("(s)", enum_table_name (&os_types, def->os.type)));
}

void
op_domain_get_os_type (Call *call)
{
  const DefinitionSummary *summary = call->domain->summary;

  if (!domain_is_active (call->domain) && summary != NULL)
    call_answer (call, g_variant_new ("(s)", enum_table_name (&os_types, summary->os_type)));
  else
    call_with_definition (call, DEFINITION_CURRENT, answer_os_type);
}

gboolean
call_check_affect (Call *call, guint flags, DefinitionWhich *ret_which)
{
  Domain *domain = call->domain;
  gboolean live = (flags & VIR_DOMAIN_AFFECT_LIVE) != 0, config = (flags & VIR_DOMAIN_AFFECT_CONFIG) != 0;
  GError *error = NULL;

  if (live && !domain_check_active (domain, &error)) {
    call_fail (call, error);
    return FALSE;
  }
  if (config && !domain->persistent) {
    call_fail_from (call, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                    "transient domains do not have any persistent config");
    return FALSE;
  }
  *ret_which = config && !live ? DEFINITION_CONFIG : DEFINITION_CURRENT;
  return TRUE;
}

/* The scheduler of the host's cgroups; no cgroup controls are offered yet. */
/* The persistent definition without secrets: what is asked for most, and kept as text. */
static gboolean
asks_document (const Domain *domain, guint flags)
{
  return domain->persistent && (flags & (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE)) == 0
         && ((flags & VIR_DOMAIN_XML_INACTIVE) != 0 || !domain_is_active (domain));
}

/* As it goes to another host. @def is the persistent definition, from which what runs was started. */
static char *
migratable_xml (Domain *domain, DomainDef *def, guint flags)
{
  gboolean live = domain_is_active (domain) && (flags & VIR_DOMAIN_XML_INACTIVE) == 0;
  g_autofree char *run_directory = store_run_directory (domain->manager->store, domain->uuid);
  g_autoptr (DomainDef) migratable =
      domain_def_migratable (live ? domain->machine->def : def, def, run_directory);

  return domain_def_to_xml (migratable, DOMAIN_WRITE_SECURE);
}

static void
answer_xml (Call *call, DomainDef *def)
{
  Domain *domain = call->domain;
  guint flags = call_uint (call, 1), write = 0;
  g_autofree char *xml = NULL;

  if (domain_is_active (call->domain) && !(flags & VIR_DOMAIN_XML_INACTIVE))
    write |= DOMAIN_WRITE_LIVE;
  if (flags & VIR_DOMAIN_XML_SECURE)
    write |= DOMAIN_WRITE_SECURE;
  xml = flags & VIR_DOMAIN_XML_MIGRATABLE ? migratable_xml (domain, def, flags)
                                          : domain_def_to_xml (def, write);
  call_answer (call, g_variant_new ("(s)", xml));
  if (asks_document (domain, flags) && def == definition_in_memory (domain, DEFINITION_CONFIG))
    definition_keep_document (domain, g_steal_pointer (&xml));
}

void
op_domain_get_xml_desc (Call *call)
{
  guint flags = call_uint (call, 1);

  if (!call_check_flags (call, flags, XML_KNOWN_FLAGS))
    return;
  if (asks_document (call->domain, flags) && definition_document (call->domain) != NULL)
    call_answer (call, g_variant_new ("(s)", definition_document (call->domain)));
  else
    call_with_definition (call,
                          flags & (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_MIGRATABLE) ? DEFINITION_CONFIG
                                                                                        : DEFINITION_CURRENT,
                          answer_xml);
}

typedef struct {
  Call *call;
  Store *store;
  char *name;
} SourceRequest;

static void
source_request_free (gpointer data)
{
  SourceRequest *request = data;

  g_free (request->name);
  g_free (request);
}

static gpointer
load_source (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  SourceRequest *request = input;

  return store_load_source (request->store, request->name, error);
}

static void
answer_source (gpointer result, const GError *error, gpointer data)
{
  SourceRequest *request = data;
  g_autofree char *source = result;

  if (source == NULL)
    call_fail (request->call, g_error_copy (error));
  else if (!g_utf8_validate (source, -1, NULL))
    call_fail_with (request->call, VIR_ERR_INTERNAL_ERROR, "the document of '%s' is not UTF-8",
                    request->name);
  else
    call_answer (request->call, g_variant_new ("(s)", source));
}

void
op_domain_get_source (Call *call)
{
  SourceRequest *request;

  if (!call->domain->persistent) {
    call_fail_from (call, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                    "transient domains do not have any persistent config");
    return;
  }
  request = g_new0 (SourceRequest, 1);
  request->call = call;
  request->store = call->manager->store;
  request->name = g_strdup (call->domain->name);
  job_start ("source", load_source, request, source_request_free, 0, answer_source, request);
}

static void
append_messages (Call *call, GVariantBuilder *list, gboolean taints)
{
  const Machine *machine = taints ? call->domain->machine : NULL;
  const GPtrArray *dead =
      call->domain->machine != NULL ? helper_set_messages (call->domain->machine->helpers) : NULL;
  g_autoptr (GPtrArray) tainted =
      machine != NULL ? taint_list (machine->def, call->domain->tainted) : g_ptr_array_new ();
  g_autofree char *restarts = restart_policies_message (call->domain);
  g_autofree char *unready = readiness_missing (call->domain);

  for (guint i = 0; i < tainted->len; i++) {
    g_autofree char *text =
        g_strconcat ("tainted: ", ((const Taint *)g_ptr_array_index (tainted, i))->message, NULL);

    g_variant_builder_add (list, "s", text);
  }
  for (guint i = 0; dead != NULL && i < dead->len; i++)
    g_variant_builder_add (list, "s", (const char *)g_ptr_array_index (dead, i));
  if (restarts != NULL)
    g_variant_builder_add (list, "s", restarts);
  if (unready != NULL)
    g_variant_builder_add (list, "s", unready);
  for (guint i = 0; i < call->domain->messages->len; i++)
    g_variant_builder_add (list, "s", (const char *)g_ptr_array_index (call->domain->messages, i));
}

void
op_domain_messages (Call *call)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("as"));
  append_messages (call, &list, TRUE);
  call_answer (call, g_variant_new ("(as)", &list));
}

/* libvirt tells deprecations and taints apart; what a define said of unknown parts is neither, and told with
 * both. */
void
op_domain_get_messages (Call *call)
{
  guint32 flags = call_uint (call, 1);
  GVariantBuilder list;

  if (!call_check_flags (call, flags, VIR_DOMAIN_MESSAGE_DEPRECATION | VIR_DOMAIN_MESSAGE_TAINTING))
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("as"));
  append_messages (call, &list, flags == 0 || (flags & VIR_DOMAIN_MESSAGE_TAINTING) != 0);
  call_answer (call, g_variant_new ("(as)", &list));
}
