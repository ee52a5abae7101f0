/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The checks of a completed definition: what no schema can say because it lies between two parts of the
 * document, or between the document and the machine it asks for. Every mistake is reported, at the place of
 * the value that would have to change, with libvirt's error code and words.
 */

#include "domain/complete-parts.h"
#include "domain/machines/machine-limits.h"

#define NAME_MAX_BYTES  250 /* a file is named after it, with an extension */
#define TITLE_MAX_BYTES 4096

static void
validate_names (Validation *validation)
{
  const DomainDef *def = validation->def;

  if (def->name == NULL)
    return;
  if (strchr (def->name, '/') != NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &def->name, def, "name %s cannot contain '/'",
                           def->name);
  if (strchr (def->name, '\n') != NULL)
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &def->name, def,
                           "invalid char in name: a line break in '%s'", def->name);
  if (strlen (def->name) > NAME_MAX_BYTES)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &def->name, def,
                           "name is %zu bytes long: at most %d are possible", strlen (def->name),
                           NAME_MAX_BYTES);
  if (def->title != NULL && strchr (def->title, '\n') != NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &def->title, def,
                           "Domain title can't contain newlines");
  if (def->title != NULL && strlen (def->title) > TITLE_MAX_BYTES)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &def->title, def,
                           "title is %zu bytes long: at most %d are possible", strlen (def->title),
                           TITLE_MAX_BYTES);
}

static void
validate_memory (Validation *validation)
{
  const DomainDef *def = validation->def;

  if (def->memory.value == 0)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &def->memory, def,
                           "Memory size must be specified via <memory> or in the <numa> configuration");
  if (def->max_memory.set && !def->max_memory_slots.set)
    validation_error_code (
        validation, VIR_ERR_XML_ERROR, &def->max_memory, def,
        "both maximum memory size and memory slot count must be specified: 'slots' is missing");
  if (def->max_memory.set && def->max_memory.value < def->memory.value)
    validation_error_code (
        validation, VIR_ERR_XML_ERROR, &def->max_memory, def,
        "maximum memory size must be equal or greater than the actual memory size: %" G_GUINT64_FORMAT
        " KiB is less than %" G_GUINT64_FORMAT " KiB",
        def->max_memory.value, def->memory.value);
}

static void
validate_vcpus (Validation *validation)
{
  const DomainDef *def = validation->def;
  const Platform *platform = validation->platform;
  guint most = 0;

  if (def->vcpus_current.set && def->vcpus_current.value > def->vcpus.value)
    validation_error (validation, &def->vcpus_current, def,
                      "maximum vCPU count must not be less than current vCPU count: %" G_GUINT64_FORMAT
                      " is less than %" G_GUINT64_FORMAT,
                      def->vcpus.value, def->vcpus_current.value);
  if (platform != NULL && platform->max_vcpus != NULL && def->emulator != NULL && def->os.machine != NULL)
    most = platform->max_vcpus (platform, def->emulator, def->os.machine);
  if (most > 0 && def->vcpus.value > most)
    validation_host_error (validation, &def->vcpus, def,
                           "Maximum CPUs greater than specified machine type limit %u", most);
}

static void
validate_lifecycle_action (Validation *validation, const int *action, const char *event)
{
  if (*action == ON_EVENT_COREDUMP_DESTROY || *action == ON_EVENT_COREDUMP_RESTART)
    validation_error (validation, action, validation->def, "Lifecycle event '%s' doesn't support '%s' action",
                      event, *action == ON_EVENT_COREDUMP_DESTROY ? "coredump-destroy" : "coredump-restart");
}

static void
validate_host (Validation *validation)
{
  const DomainDef *def = validation->def;
  const Platform *platform = validation->platform;

  if (def->type == VIRT_TYPE_KVM && !validation->anywhere && platform != NULL && platform->has_kvm != NULL
      && !platform->has_kvm (platform))
    validation_warning (validation, &def->type, def,
                        "this host cannot run type 'kvm': the machine can be kept here, but not started");
}

static gboolean
validate_rename (Validation *validation, const int *action)
{
  if (*action != ON_EVENT_RENAME_RESTART)
    return TRUE;
  validation_error (validation, action, validation->def,
                    "qemu driver doesn't support the 'rename-restart' action for "
                    "'on_reboot'/'on_poweroff'/'on_crash'");
  return FALSE;
}

/* What a machine's end may be followed by, where QEMU runs it. */
static void
validate_qemu_lifecycle (Validation *validation)
{
  const DomainDef *def = validation->def;
  const int *ends[] = { &def->on_poweroff, &def->on_reboot };

  if (!validate_rename (validation, &def->on_poweroff) || !validate_rename (validation, &def->on_reboot)
      || !validate_rename (validation, &def->on_crash))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    if (*ends[i] == ON_EVENT_PRESERVE)
      validation_error (validation, ends[i], def,
                        "qemu driver doesn't support the 'preserve' action for 'on_reboot'/'on_poweroff'");
  if (def->on_poweroff == ON_EVENT_RESTART && def->on_reboot == ON_EVENT_DESTROY)
    validation_error (
        validation, &def->on_poweroff, def,
        "qemu driver doesn't support 'onReboot' set to 'destroy and 'onPoweroff' set to 'reboot'");
}

static void
validate_lifecycle (Validation *validation)
{
  const DomainDef *def = validation->def;

  validate_lifecycle_action (validation, &def->on_poweroff, "poweroff");
  validate_lifecycle_action (validation, &def->on_reboot, "reboot");
  if (def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM)
    validate_qemu_lifecycle (validation);
}

#define PART(member) G_STRUCT_OFFSET (DomainDef, member)
#define PARTS_MAX    4

/* The checks, and the parts of the definition that each weighs against one another: with one of them not
 * understood it has nothing to say. */
static const struct {
  void (*check) (Validation *validation);
  gsize parts[PARTS_MAX]; /* 0 ends */
} checks[] = {
  { validate_names, { 0 } },
  { validate_memory, { PART (memory), PART (max_memory), PART (max_memory_slots), PART (cpu) } },
  { validate_vcpus, { PART (vcpus), PART (vcpus_current) } },
  { validate_individual_vcpus, { PART (vcpus), PART (vcpu_list) } },
  { validate_lifecycle, { 0 } },
  { validate_sysinfo, { PART (sysinfos), PART (uuid) } },
  { validate_os, { 0 } },
  { validate_features, { 0 } },
  { validate_machine, { PART (devices) } },
  { validate_cpu, { 0 } },
  { validate_iothreads, { 0 } },
  { validate_cputune, { PART (cputune), PART (vcpus), PART (iothreads), PART (iothread_ids) } },
  { validate_resource_limits, { PART (memtune), PART (blkiotune), PART (resource), PART (perf_events) } },
  { validate_memory_backing, { PART (memory_backing) } },
  { validate_numa, { PART (numatune), PART (cpu), PART (vcpus), PART (memory) } },
  { validate_launch_security, { PART (launch_security) } },
  { validate_clock, { 0 } },
  { validate_qemu_namespace, { 0 } },
  { validate_seclabels, { PART (seclabels) } },
  { validate_host, { 0 } },
  { validate_policy, { PART (devices) } },
};

static gboolean
are_understood (const Validation *validation, const gsize *parts)
{
  for (guint i = 0; i < PARTS_MAX && parts[i] != 0; i++)
    if (validation_may_miss (validation, (const char *)validation->def + parts[i]))
      return FALSE;
  return TRUE;
}

void
domain_validate (Validation *validation)
{
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    if (are_understood (validation, checks[i].parts))
      checks[i].check (validation);
  throttle_groups_validate (validation);
  domain_validate_shared (validation);
  validate_devices (validation);
  g_clear_pointer (&validation->controllers, g_hash_table_unref);
  g_clear_pointer (&validation->audios, g_hash_table_unref);
}
