/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <features>: what the machine has beside its devices. Most are one element with a state; libvirt reads some
 * of them as "on" when the state is left out, which needs a field type of its own. Hyper-V's and KVM's are
 * structs so that a target can read them one by one.
 */

#include "domain/complete-parts.h"

#include "domain/machines/machine-kind.h"

#define BYTES_PER_KIB        1024
#define KIB_PER_MIB          1024
#define BYTES_PER_MIB        (BYTES_PER_KIB * KIB_PER_MIB)
#define SPINLOCK_RETRIES_MIN 4095 /* what Hyper-V's interface begins at */
#define HYPERV_VENDOR_ID_MAX 12   /* bytes of the CPUID leaf */
#define DIRTY_RING_SIZE_MIN  1024
#define DIRTY_RING_SIZE_MAX  65536

static const EnumTable ioapic_drivers = { "ioapic driver", { NULL, "qemu", "kvm" } };
static const EnumTable unknown_msrs = { "handling of unknown MSRs", { NULL, "ignore", "fault" } };
const EnumTable gic_versions = { "GIC version", { NULL, "host", "2", "3" } };
const EnumTable mitigations = { "mitigation", { NULL, "broken", "workaround", "fixed" } };
const EnumTable branch_mitigations = {
  "mitigation", { NULL, "broken", "workaround", "fixed-ibs", "fixed-ccd", "fixed-na" }
};
const EnumTable interrupt_architectures = { "interrupt architecture",
                                            { NULL, "none", "aplic", "aplic-imsic" } };
const EnumTable hpt_resizings = { "resizing", { NULL, "enabled", "disabled", "required" } };
/* Said and written in MiB where no unit is. */
static const FieldSize tseg_sizes = { BYTES_PER_MIB, BYTES_PER_KIB, "MiB", BYTES_PER_MIB };
static const EnumTable hyperv_modes = { "hyperv mode", { NULL, "custom", "passthrough", "host-model" } };

/* An element with a state: a Tristate. @detail of the field not NULL: the state must be said. */

static const char must_be_said[] = "state";

static void
state_read_attribute (FieldReader *reader, const Field *field, int *member, xmlNode *element,
                      const char *name, const EnumTable *words)
{
  g_autofree char *text = xml_node_attribute (element, name);

  if (text == NULL && field->detail == NULL) {
    *member = TRISTATE_YES;
    return;
  }
  if (text == NULL) {
    if (field_reader_has_misspelt (reader, element, name))
      return;
    diagnostics_error_from (reader->diagnostics, xml_document_node_position (reader->document, element),
                            VIR_FROM_XML, VIR_ERR_XML_ERROR,
                            "Missing required attribute '%s' in element '%s'", name,
                            (const char *)element->name);
    return;
  }
  *member = enum_table_value (words, text);
  if (*member == TRISTATE_ABSENT) {
    g_autofree char *choices = enum_table_choices (words);

    diagnostics_error_from (
        reader->diagnostics,
        xml_document_attribute_position (reader->document, xmlHasProp (element, (const xmlChar *)name)),
        VIR_FROM_XML, VIR_ERR_XML_ERROR,
        "Invalid value for attribute '%s' in element '%s': '%s' (accepted: %s)", name,
        (const char *)element->name, text, choices);
  }
}

static void
state_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  state_read_attribute (reader, field, member, element, "state", &on_off_table);
}

static void
enabled_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  state_read_attribute (reader, field, member, element, "enabled", &yes_no_table);
}

static gboolean
state_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return *(const int *)member != TRISTATE_ABSENT;
}

static void
state_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
             guint flags G_GNUC_UNUSED)
{
  xml_element_set (xml_element_ensure (parent, name), "state",
                   enum_table_name (&on_off_table, *(const int *)member));
}

static void
enabled_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
               guint flags G_GNUC_UNUSED)
{
  xml_element_set (xml_element_ensure (parent, name), "enabled",
                   enum_table_name (&yes_no_table, *(const int *)member));
}

static char *
state_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  const char *one = enum_table_name (&on_off_table, *(const int *)a);
  const char *other = enum_table_name (&on_off_table, *(const int *)b);

  if (g_strcmp0 (one, other) == 0)
    return NULL;
  return g_strdup_printf ("%s: %s and %s", field->path, one != NULL ? one : "nothing",
                          other != NULL ? other : "nothing");
}

static const FieldType field_state = {
  .size = sizeof (int),
  .read = state_read,
  .write = state_write,
  .is_set = state_is_set,
  .compare = state_compare,
  .only_attribute = "state",
};

static const FieldType field_enabled = {
  .size = sizeof (int),
  .read = enabled_read,
  .write = enabled_write,
  .is_set = state_is_set,
  .compare = state_compare,
  .only_attribute = "enabled",
};

#define HYPERV_STATE(member, path) FIELD (FeaturesHyperv, member, path, field_state, must_be_said)

static const FieldTable hyperv_table = {
  sizeof (FeaturesHyperv),
  (const Field[]){
      FIELD (FeaturesHyperv, mode, "@mode", field_enum, &hyperv_modes),
      HYPERV_STATE (relaxed, "relaxed"),
      HYPERV_STATE (vapic, "vapic"),
      HYPERV_STATE (spinlocks, "spinlocks"),
      FIELD (FeaturesHyperv, spinlocks_retries, "spinlocks/@retries", field_number, NULL),
      HYPERV_STATE (vpindex, "vpindex"),
      HYPERV_STATE (runtime, "runtime"),
      HYPERV_STATE (synic, "synic"),
      HYPERV_STATE (stimer, "stimer"),
      HYPERV_STATE (stimer_direct, "stimer/direct"),
      HYPERV_STATE (reset, "reset"),
      HYPERV_STATE (vendor_id, "vendor_id"),
      FIELD (FeaturesHyperv, vendor_id_value, "vendor_id/@value", field_text, NULL),
      HYPERV_STATE (frequencies, "frequencies"),
      HYPERV_STATE (reenlightenment, "reenlightenment"),
      HYPERV_STATE (tlbflush, "tlbflush"),
      HYPERV_STATE (tlbflush_direct, "tlbflush/direct"),
      HYPERV_STATE (tlbflush_extended, "tlbflush/extended"),
      HYPERV_STATE (ipi, "ipi"),
      HYPERV_STATE (evmcs, "evmcs"),
      HYPERV_STATE (avic, "avic"),
      HYPERV_STATE (emsr_bitmap, "emsr_bitmap"),
      HYPERV_STATE (xmm_input, "xmm_input"),
      FIELD_END,
  },
};

#define KVM_STATE(member, path) FIELD (FeaturesKvm, member, path, field_state, must_be_said)

static const FieldTable kvm_table = {
  sizeof (FeaturesKvm),
  (const Field[]){
      KVM_STATE (hidden, "hidden"),
      KVM_STATE (hint_dedicated, "hint-dedicated"),
      KVM_STATE (poll_control, "poll-control"),
      KVM_STATE (pv_ipi, "pv-ipi"),
      KVM_STATE (dirty_ring, "dirty-ring"),
      FIELD (FeaturesKvm, dirty_ring_size, "dirty-ring/@size", field_number, NULL),
      FIELD_END,
  },
};

static const Field features_fields[] = {
  FIELD (DomainFeatures, acpi, "acpi", field_flag, NULL),
  FIELD (DomainFeatures, apic, "apic", field_flag, NULL),
  FIELD (DomainFeatures, apic_eoi, "apic/@eoi", field_on_off, NULL),
  FIELD (DomainFeatures, pae, "pae", field_flag, NULL),
  FIELD (DomainFeatures, hap, "hap", field_state, NULL),
  FIELD (DomainFeatures, viridian, "viridian", field_flag, NULL),
  FIELD (DomainFeatures, privnet, "privnet", field_flag, NULL),
  FIELD (DomainFeatures, hyperv, "hyperv", field_optional, &hyperv_table),
  FIELD (DomainFeatures, kvm, "kvm", field_optional, &kvm_table),
  FIELD (DomainFeatures, pvspinlock, "pvspinlock", field_state, NULL),
  FIELD (DomainFeatures, capabilities, "capabilities", field_verbatim, NULL),
  FIELD (DomainFeatures, pmu, "pmu", field_state, NULL),
  FIELD (DomainFeatures, vmport, "vmport", field_state, NULL),
  FIELD (DomainFeatures, has_gic, "gic", field_flag, NULL),
  FIELD (DomainFeatures, gic, "gic/@version", field_enum, &gic_versions),
  FIELD (DomainFeatures, smm, "smm", field_state, NULL),
  FIELD (DomainFeatures, smm_tseg, "smm/tseg", field_memory, &tseg_sizes),
  FIELD (DomainFeatures, ioapic_driver, "ioapic/@driver", field_enum, &ioapic_drivers),
  FIELD (DomainFeatures, hpt_resizing, "hpt/@resizing", field_enum, &hpt_resizings),
  FIELD (DomainFeatures, hpt_page_size, "hpt/maxpagesize", field_memory, NULL),
  FIELD (DomainFeatures, vmcoreinfo, "vmcoreinfo", field_state, NULL),
  FIELD (DomainFeatures, htm, "htm", field_state, must_be_said),
  FIELD (DomainFeatures, nested_hv, "nested-hv", field_state, must_be_said),
  FIELD (DomainFeatures, msrs_unknown, "msrs/@unknown", field_enum, &unknown_msrs),
  FIELD (DomainFeatures, ccf_assist, "ccf-assist", field_state, must_be_said),
  FIELD (DomainFeatures, xen, "xen", field_verbatim, NULL),
  FIELD (DomainFeatures, cfpc, "cfpc/@value", field_enum, &mitigations),
  FIELD (DomainFeatures, sbbc, "sbbc/@value", field_enum, &mitigations),
  FIELD (DomainFeatures, ibs, "ibs/@value", field_enum, &branch_mitigations),
  FIELD (DomainFeatures, tcg_tb_cache, "tcg/tb-cache", field_memory, NULL),
  FIELD (DomainFeatures, async_teardown, "async-teardown", field_enabled, NULL),
  FIELD (DomainFeatures, ras, "ras", field_state, must_be_said),
  FIELD (DomainFeatures, ps2, "ps2", field_state, must_be_said),
  FIELD (DomainFeatures, aia, "aia/@value", field_enum, &interrupt_architectures),
  FIELD_END,
};

const FieldTable domain_features_table = { sizeof (DomainFeatures), features_fields };

static gboolean
is_run_by_qemu (const DomainDef *def)
{
  return def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM;
}

/* What is off has no details. */
static void
complete_hyperv (FeaturesHyperv *hyperv)
{
  if (hyperv->mode == HYPERV_MODE_NONE)
    hyperv->mode = HYPERV_MODE_CUSTOM;
  if (hyperv->spinlocks != TRISTATE_YES)
    hyperv->spinlocks_retries.set = FALSE;
  if (hyperv->vendor_id != TRISTATE_YES)
    g_clear_pointer (&hyperv->vendor_id_value, g_free);
  if (hyperv->stimer != TRISTATE_YES)
    hyperv->stimer_direct = TRISTATE_ABSENT;
  if (hyperv->tlbflush != TRISTATE_YES)
    hyperv->tlbflush_direct = hyperv->tlbflush_extended = TRISTATE_ABSENT;
}

/* The newest that a guest made by emulation has always had; with KVM, what hosts of today have. */
static void
complete_gic (const DomainDef *def, DomainFeatures *features)
{
  if (machine_kind_of (def)->has_gic)
    features->has_gic = TRUE;
  if (machine_kind_of (def)->has_gic && features->gic == GIC_NONE)
    features->gic = def->type == VIRT_TYPE_KVM ? GIC_3 : GIC_2;
}

/* A machine of which libvirt has no idea that its guest could rely on: one whose document leaves its features
 * open is given what Linux finds its devices and its power button by. */
static void
complete_acpi (const DomainDef *def, DomainFeatures *features)
{
  if (machine_kind_of (def)->adds_acpi && field_table_is_empty (&domain_features_table, features))
    features->acpi = TRUE;
}

void
complete_features (Completion *completion)
{
  DomainFeatures *features = &completion->def->features;

  if (is_run_by_qemu (completion->def)) {
    complete_gic (completion->def, features);
    complete_acpi (completion->def, features);
  }
  if (features->hyperv != NULL)
    complete_hyperv (features->hyperv);
  /* The memory of a mode that is off has no size: libvirt forgets it as well. */
  if (features->smm == TRISTATE_NO)
    features->smm_tseg.set = FALSE;
}

static void
validate_hyperv (Validation *validation, const FeaturesHyperv *hyperv)
{
  if (hyperv->spinlocks == TRISTATE_YES && !hyperv->spinlocks_retries.set)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &hyperv->spinlocks, hyperv,
                           "Missing required attribute 'retries' in element 'spinlocks'");
  if (hyperv->spinlocks_retries.set && hyperv->spinlocks_retries.value < SPINLOCK_RETRIES_MIN)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &hyperv->spinlocks_retries, hyperv,
                           "HyperV spinlock retry count must be at least %d, not %" G_GUINT64_FORMAT,
                           SPINLOCK_RETRIES_MIN, hyperv->spinlocks_retries.value);
  if (hyperv->vendor_id == TRISTATE_YES && hyperv->vendor_id_value == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &hyperv->vendor_id, hyperv,
                           "missing 'value' attribute for HyperV feature 'vendor_id'");
  if (hyperv->vendor_id_value != NULL && strlen (hyperv->vendor_id_value) > HYPERV_VENDOR_ID_MAX)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &hyperv->vendor_id_value, hyperv,
                           "HyperV vendor_id value must not be more than %d characters, and '%s' is",
                           HYPERV_VENDOR_ID_MAX, hyperv->vendor_id_value);
  if (hyperv->vendor_id_value != NULL && strchr (hyperv->vendor_id_value, ',') != NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &hyperv->vendor_id_value, hyperv,
                           "HyperV vendor_id value is invalid: '%s' holds a comma", hyperv->vendor_id_value);
}

static void
validate_kvm (Validation *validation, const FeaturesKvm *kvm)
{
  guint64 size = kvm->dirty_ring_size.value;

  if (kvm->dirty_ring == TRISTATE_YES && !kvm->dirty_ring_size.set)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &kvm->dirty_ring, kvm,
                           "Missing required attribute 'size' in element 'dirty-ring'");
  if (kvm->dirty_ring_size.set
      && (size < DIRTY_RING_SIZE_MIN || size > DIRTY_RING_SIZE_MAX || (size & (size - 1)) != 0))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &kvm->dirty_ring_size, kvm,
                           "dirty ring must be power of 2 and ranges [%d, %d], not %" G_GUINT64_FORMAT,
                           DIRTY_RING_SIZE_MIN, DIRTY_RING_SIZE_MAX, size);
}

/* What QEMU has on machines of one kind only. */
static void
validate_machine_features (Validation *validation, const DomainFeatures *features)
{
  const DomainDef *def = validation->def;
  const MachineKind *machine = machine_kind_of (def);
  const char *arch = def->os.arch, *type = def->os.machine;
  const struct {
    gboolean is_given, is_possible;
    const char *name;
    gconstpointer member;
  } rules[] = {
    { features->hpt_resizing != 0 || features->hpt_page_size.set, machine->has_spapr_vio, "hpt",
      &features->hpt_resizing },
    { features->htm != TRISTATE_ABSENT, machine->has_spapr_vio, "htm", &features->htm },
    { features->nested_hv != TRISTATE_ABSENT, machine->has_spapr_vio, "nested-hv", &features->nested_hv },
    { features->ccf_assist != TRISTATE_ABSENT, machine->has_spapr_vio, "ccf-assist", &features->ccf_assist },
    { features->cfpc != 0, machine->has_spapr_vio, "cfpc", &features->cfpc },
    { features->sbbc != 0, machine->has_spapr_vio, "sbbc", &features->sbbc },
    { features->ibs != 0, machine->has_spapr_vio, "ibs", &features->ibs },
    { features->has_gic, machine->has_gic, "gic", &features->has_gic },
  };

  if (features->hyperv != NULL && !machine->is_x86)
    validation_error (validation, features->hyperv, features,
                      "Hyperv features are not supported for architecture '%s' or machine type '%s'",
                      arch != NULL ? arch : "x86_64", type != NULL ? type : "");
  if (features->vmport != TRISTATE_ABSENT && !machine->is_x86)
    validation_error (validation, &features->vmport, features,
                      "vmport is not available with this QEMU binary: the architecture has none");
  if (def->genid != NULL && !machine->is_x86)
    validation_error (validation, &def->genid, def, "this QEMU does not support the 'genid' capability");
  if (features->gic == GIC_3 && machine->has_gic && !machine->says_gic)
    validation_host_error (validation, &features->gic, features,
                           "gic-version option is not available with this QEMU binary: expected version='2'");
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (rules[i].is_given && !rules[i].is_possible)
      validation_error (validation, rules[i].member, features,
                        "The '%s' feature is not supported for architecture '%s' or machine type '%s'",
                        rules[i].name, arch != NULL ? arch : "x86_64", type != NULL ? type : "");
  if (features->ras != TRISTATE_ABSENT && !machine->has_gic)
    validation_error (validation, &features->ras, features,
                      "ras feature is only supported with ARM Virt machines");
  if (features->aia != 0 && !machine->has_aia)
    validation_error (validation, &features->aia, features,
                      "aia feature is only supported with RISC-V Virt machines");
}

/* What QEMU makes of them on a PC. */
static void
validate_pc (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainFeatures *features = &def->features;

  if (features->smm_tseg.set && !domain_def_is_q35 (def))
    validation_error (validation, &features->smm_tseg, features,
                      "SMM TSEG is only supported with q35 machine type");
  else if (features->smm_tseg.set && features->smm_tseg.value % KIB_PER_MIB != 0)
    validation_error (validation, &features->smm_tseg, features, "SMM TSEG size must be divisible by 1 MiB");
  if (features->tcg_tb_cache.set && def->type == VIRT_TYPE_KVM)
    validation_error (validation, &features->tcg_tb_cache, features,
                      "TCG features are incompatible with domain type 'kvm'");
}

void
validate_features (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainFeatures *features = &validation->def->features;

  if (is_run_by_qemu (validation->def) && !validation_may_miss (validation, &validation->def->os.machine))
    validate_machine_features (validation, features);
  if (features->hyperv != NULL)
    validate_hyperv (validation, features->hyperv);
  if (features->kvm != NULL)
    validate_kvm (validation, features->kvm);
  if (domain_def_is_q35 (def) || domain_def_is_i440fx (def))
    validate_pc (validation);
}
