/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing CPUs: with the host's, or with the most that a guest can be given; what several hosts have in
 * common; and the names of the models. Each needs the emulator's capabilities, which know the models'
 * features.
 */
#include "daemon/host/host-cpu.h"
#include "daemon/ops/ops.h"

#include "host/domain-capabilities.h"

#define COMPARE_KNOWN_FLAGS  (VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE | VIR_CONNECT_COMPARE_CPU_VALIDATE_XML)
#define BASELINE_KNOWN_FLAGS (VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES | VIR_CONNECT_BASELINE_CPU_MIGRATABLE)
#define BASELINE_CPUS_MAX    256 /* of one call; what the protocol allows */

/* What the bytes of @call's documents are, which are the argument @index: one text, or a list. */
static gsize
document_bytes (const Call *call, guint index)
{
  g_autoptr (GVariant) texts = g_variant_get_child_value (call->arguments, index);

  return g_variant_get_size (texts);
}

static void
caps_free (gpointer data)
{
  qemu_caps_unref (data);
}

/* The answer is made in a job: documents are read for it. The flags are the last argument, the documents
 * are before them. */
static void
make_from (Call *call, QemuCaps *caps, CallMake make)
{
  guint documents = (guint)g_variant_n_children (call->arguments) - 2;

  call_make (call, document_bytes (call, documents), "cpu", make, qemu_caps_ref (caps), caps_free);
}

/* Compares with @host, which is taken; NULL: @problem (taken) says why it is not known. */
static GVariant *
compare_with (const QemuCaps *caps, DomainCpu *host, GError *problem, const char *text, guint flags,
              GError **error)
{
  gboolean validate = (flags & VIR_CONNECT_COMPARE_CPU_VALIDATE_XML) != 0;
  g_autoptr (CpuDocument) cpu = NULL;
  g_autofree char *reason = NULL;
  int result = VIR_CPU_COMPARE_ERROR;

  if (host == NULL) {
    g_propagate_error (error, problem);
    return NULL;
  }
  cpu = cpu_document_parse (text, validate ? CPU_DOCUMENT_VALIDATE : 0, error);
  if (cpu != NULL)
    result = cpu_compare (caps, host, cpu, &reason, error);
  field_free (&domain_cpu_table, host);
  if (result == VIR_CPU_COMPARE_ERROR)
    return NULL;
  if (result != VIR_CPU_COMPARE_INCOMPATIBLE || (flags & VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE) == 0)
    return g_variant_new ("(i)", result);
  virt_error_set (error, VIR_ERR_CPU_INCOMPATIBLE, "%s", reason);
  return NULL;
}

static GVariant *
make_comparison (const Call *call, gpointer caps, GError **error)
{
  GError *problem = NULL;
  DomainCpu *host = host_cpu_model (caps, &problem);

  return compare_with (caps, host, problem, call_string (call, 0), call_uint (call, 1), error);
}

static void
answer_compare (Call *call, QemuCaps *caps)
{
  make_from (call, caps, make_comparison);
}

void
op_connect_compare_cpu (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), COMPARE_KNOWN_FLAGS))
    call_with_caps (call, NULL, NULL, answer_compare);
}

/* The accelerator the arguments 0 to 3 name: emulator, arch, machine, virt type. */
static gboolean
choose_accelerator (const Call *call, const QemuCaps *caps, QemuAccel *ret, GError **error)
{
  const QemuMachine *machine;
  gboolean kvm;

  if (!qemu_caps_choose (caps, call_maybe_string (call, 1), call_maybe_string (call, 2),
                         call_maybe_string (call, 3), &machine, &kvm, error))
    return FALSE;
  *ret = kvm ? QEMU_ACCEL_KVM : QEMU_ACCEL_TCG;
  return TRUE;
}

static GVariant *
make_hypervisor_comparison (const Call *call, gpointer caps, GError **error)
{
  GError *problem = NULL;
  DomainCpu *most;
  QemuAccel accel;

  if (!choose_accelerator (call, caps, &accel, error))
    return NULL;
  most = cpu_host_model (caps, accel, FALSE, &problem);
  return compare_with (caps, most, problem, call_string (call, 4), call_uint (call, 5), error);
}

static void
answer_compare_hypervisor (Call *call, QemuCaps *caps)
{
  make_from (call, caps, make_hypervisor_comparison);
}

void
op_connect_compare_hypervisor_cpu (Call *call)
{
  if (call_check_flags (call, call_uint (call, 5), COMPARE_KNOWN_FLAGS))
    call_with_caps (call, call_maybe_string (call, 0), call_maybe_string (call, 1),
                    answer_compare_hypervisor);
}

/* The documents of the argument @index. NULL with @error set. (transfer full) */
static GPtrArray *
parse_documents (const Call *call, guint index, guint flags, GError **error)
{
  g_autoptr (GVariant) texts = g_variant_get_child_value (call->arguments, index);
  g_autoptr (GPtrArray) documents = g_ptr_array_new_with_free_func ((GDestroyNotify)cpu_document_free);

  for (gsize i = 0; i < MIN (g_variant_n_children (texts), BASELINE_CPUS_MAX); i++) {
    g_autoptr (GVariant) text = g_variant_get_child_value (texts, i);
    CpuDocument *document = cpu_document_parse (g_variant_get_string (text, NULL), flags, error);

    if (document == NULL)
      return NULL;
    g_ptr_array_add (documents, document);
  }
  if (documents->len > 0)
    return g_steal_pointer (&documents);
  virt_error_set_plain (error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "xmlCPUs in %s must not be NULL",
                        "virConnectBaselineCPU");
  return NULL;
}

/* @accel: NULL for the hosts' own. */
static GVariant *
make_baseline_of (const Call *call, const QemuCaps *caps, const QemuAccel *accel, GError **error)
{
  guint last = (guint)g_variant_n_children (call->arguments) - 1, flags = call_uint (call, last);
  gboolean migratable = (flags & VIR_CONNECT_BASELINE_CPU_MIGRATABLE) != 0;
  g_autoptr (GPtrArray) cpus =
      parse_documents (call, last - 1, accel == NULL ? CPU_DOCUMENT_HOST_ONLY : 0, error);
  DomainCpu *cpu = cpus != NULL ? cpu_baseline (caps, cpus, accel, migratable, error) : NULL;
  g_autofree char *xml = NULL;

  if (cpu != NULL
      && ((flags & VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES) == 0 || cpu_expand (caps, cpu, error)))
    xml = cpu_to_xml (cpu);
  field_free (&domain_cpu_table, cpu);
  return xml != NULL ? g_variant_new ("(s)", xml) : NULL;
}

static GVariant *
make_baseline (const Call *call, gpointer caps, GError **error)
{
  return make_baseline_of (call, caps, NULL, error);
}

static void
answer_baseline (Call *call, QemuCaps *caps)
{
  make_from (call, caps, make_baseline);
}

void
op_connect_baseline_cpu (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), BASELINE_KNOWN_FLAGS))
    call_with_caps (call, NULL, NULL, answer_baseline);
}

static GVariant *
make_hypervisor_baseline (const Call *call, gpointer caps, GError **error)
{
  QemuAccel accel;

  return choose_accelerator (call, caps, &accel, error) ? make_baseline_of (call, caps, &accel, error) : NULL;
}

static void
answer_baseline_hypervisor (Call *call, QemuCaps *caps)
{
  make_from (call, caps, make_hypervisor_baseline);
}

void
op_connect_baseline_hypervisor_cpu (Call *call)
{
  if (call_check_flags (call, call_uint (call, 5), BASELINE_KNOWN_FLAGS))
    call_with_caps (call, call_maybe_string (call, 0), call_maybe_string (call, 1),
                    answer_baseline_hypervisor);
}

void
op_connect_get_cpu_model_names (Call *call)
{
  g_autofree const char **names = NULL;
  GVariantBuilder builder;
  GError *error = NULL;
  int count = 0;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  names = cpu_model_names (call_string (call, 0), &error);
  if (names == NULL) {
    call_fail (call, error);
    return;
  }
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("as"));
  for (; names[count] != NULL; count++)
    if (call_int (call, 1) != 0)
      g_variant_builder_add (&builder, "s", names[count]);
  call_answer (call, g_variant_new ("(asi)", &builder, count));
}
