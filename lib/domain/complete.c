/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Completion of a freshly read definition, in libvirt's order: first what everything else depends on (the
 * architecture, the emulator, the machine's full name), then the parts of the document, then the devices one
 * by one, and last what only all devices together show: those implied, the controllers they need, and their
 * addresses. Completing a completed definition changes nothing.
 */

#include "domain/complete-parts.h"

#include "domain/machines/machine-kind.h"

Device *
completion_add (Completion *completion, const DeviceKind *kind)
{
  Device *device = device_new (kind);

  g_clear_pointer (&completion->controllers, g_hash_table_unref); /* it may be one */
  device->implied = TRUE;
  domain_def_add_device (completion->def, device);
  return device;
}

static gboolean
is_run_by_qemu (const DomainDef *def)
{
  return def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM;
}

static void
forget_empty (char **text)
{
  if (*text != NULL && (*text)[0] == '\0')
    g_clear_pointer (text, g_free);
}

static void
complete_uuid (DomainDef *def)
{
  guint8 uuid[UUID_BYTES];
  char text[UUID_TEXT];

  if (def->uuid != NULL)
    return;
  uuid_generate (uuid);
  uuid_format (uuid, text);
  def->uuid = g_strdup (text);
}

/* <genid/> asks for one; a given one is kept in libvirt's spelling. */
static void
complete_genid (Completion *completion)
{
  DomainDef *def = completion->def;
  guint8 uuid[UUID_BYTES];
  char text[UUID_TEXT];

  if (def->genid == NULL)
    return;
  if (def->genid[0] == '\0') {
    uuid_generate (uuid);
  } else if (!uuid_parse (def->genid, uuid)) {
    completion_error_code (completion, VIR_ERR_XML_ERROR, &def->genid, def,
                           "malformed genid element '%s': expected a UUID, or nothing to have one made",
                           def->genid);
    return;
  }
  uuid_format (uuid, text);
  g_free (def->genid);
  def->genid = g_strdup (text);
}

static void
complete_emulator (Completion *completion)
{
  DomainDef *def = completion->def;
  const Platform *platform = completion->platform;
  const char *emulator;

  forget_empty (&def->emulator);
  if (def->os.arch == NULL)
    def->os.arch = g_strdup (
        platform != NULL && platform->default_arch != NULL ? platform->default_arch (platform) : "x86_64");
  if (def->emulator != NULL || platform == NULL || platform->default_emulator == NULL)
    return;
  emulator = platform->default_emulator (platform, def->os.arch);
  if (emulator == NULL)
    completion_host_error (
        completion, VIR_ERR_CONFIG_UNSUPPORTED, &def->os.arch, &def->os,
        "No emulator found for arch '%s': install the QEMU system emulator for it, or name one in "
        "<emulator>",
        def->os.arch);
  def->emulator = g_strdup (emulator);
}

/* What to write instead: the nearest name, or two that everyone knows where the emulator has them. */
static char *
offer_machine (const char *nearest, const char *const *machines)
{
  if (nearest != NULL)
    return g_strdup_printf ("did you mean '%s'?", nearest);
  if (g_strv_contains (machines, "q35") && g_strv_contains (machines, "pc"))
    return g_strdup_printf ("expected one of its %u types, such as 'q35' or 'pc'",
                            g_strv_length ((GStrv)machines));
  return g_strdup_printf ("expected one of its %u types, such as '%s'", g_strv_length ((GStrv)machines),
                          machines[0]);
}

/* The machine that was meant; NULL when that cannot be guessed. */
static const char *
report_unknown_machine (Completion *completion, const char *const *machines)
{
  DomainDef *def = completion->def;
  const char *nearest = nearest_word (def->os.machine, machines);
  g_autofree char *offer = offer_machine (nearest, machines);

  if (completion->anywhere)
    completion_warning (completion, &def->os.machine, &def->os, "machine type '%s' is not known here: %s",
                        def->os.machine, offer);
  completion_host_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &def->os.machine, &def->os,
                         "Emulator '%s' does not support machine type '%s': %s", def->emulator,
                         def->os.machine, offer);
  return nearest != NULL
             ? completion->platform->canonical_machine (completion->platform, def->emulator, nearest)
             : NULL;
}

static void
set_machine (DomainDef *def, const char *machine)
{
  if (g_strcmp0 (machine, def->os.machine) == 0)
    return;
  g_free (def->os.machine);
  def->os.machine = g_strdup (machine);
}

/* Another version than those known here, of a type that is known. */
static gboolean
is_of_known_family (const DomainDef *def)
{
  return machine_kind_of (def)->machines != NULL;
}

/* A machine's alias becomes the name of the version it means today: the guest keeps its hardware when the
 * emulator is upgraded. */
static gboolean
complete_machine (Completion *completion)
{
  DomainDef *def = completion->def;
  const Platform *platform = completion->platform;
  const char *canonical;
  const char *const *machines;

  const Architecture *architecture = architecture_find (def->os.arch);

  if (def->os.machine == NULL && architecture != NULL)
    def->os.machine = g_strdup (architecture->machine);
  if (def->emulator == NULL || platform == NULL || platform->canonical_machine == NULL)
    return TRUE;
  canonical = platform->canonical_machine (platform, def->emulator, def->os.machine);
  if (canonical == NULL) {
    /* An emulator that is not there to be asked has no list; starting the machine will tell. */
    machines = platform->machines != NULL ? platform->machines (platform, def->emulator) : NULL;
    if (def->os.machine == NULL || machines == NULL || machines[0] == NULL
        || (completion->anywhere && is_of_known_family (def)))
      return TRUE;
    canonical = report_unknown_machine (completion, machines);
    if (canonical == NULL && completion->anywhere)
      return TRUE;
  }
  if (canonical != NULL)
    set_machine (def, canonical);
  return canonical != NULL;
}

static void
complete_memory (DomainDef *def)
{
  if (!def->current_memory.set || def->current_memory.value == 0
      || def->current_memory.value > def->memory.value)
    def->current_memory = def->memory;
}

static void
complete_vcpus (DomainDef *def)
{
  if (!def->vcpus.set)
    def->vcpus = NUMBER (1);
  if (def->vcpu_placement == 0)
    def->vcpu_placement = VCPU_PLACEMENT_STATIC;
  if (def->vcpus_current.set && def->vcpus_current.value == def->vcpus.value)
    def->vcpus_current.set = FALSE;
}

static void
complete_lifecycle (DomainDef *def)
{
  if (def->on_poweroff == ON_EVENT_NONE)
    def->on_poweroff = ON_EVENT_DESTROY;
  if (def->on_reboot == ON_EVENT_NONE)
    def->on_reboot = ON_EVENT_RESTART;
  if (def->on_crash == ON_EVENT_NONE)
    def->on_crash = ON_EVENT_DESTROY;
}

static void
complete_devices (Completion *completion)
{
  /* A device's completion may add another, behind it or before it: each is completed once. */
  g_autoptr (GPtrArray) devices = g_ptr_array_new ();

  for (guint i = 0; i < completion->def->devices->len; i++)
    g_ptr_array_add (devices, g_ptr_array_index (completion->def->devices, i));
  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (device->kind->complete != NULL && !completion_is_invalid (completion, device))
      device->kind->complete (completion, device);
  }
}

/* A misspelt <os>, or in it a misspelt machine, leaves the default for what was meant. */
static gboolean
is_target_understood (const Completion *completion)
{
  const DomainOs *os = &completion->def->os;

  if (completion_is_invalid (completion, os) && source_map_find (completion->map, os, NULL).line == 0)
    return FALSE;
  return !completion_is_invalid (completion, &os->machine) && !completion_is_invalid (completion, &os->arch);
}

/* May this host's emulator run the definition? What libvirt asks, in its order and words. */
static gboolean
check_supported (Completion *completion)
{
  const DomainDef *def = completion->def;
  const char *arch = completion->platform->emulator_arch (completion->platform, def->emulator);

  if (def->os.type != OS_TYPE_HVM && def->os.type != 0)
    completion_value_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &def->os.type, &def->os,
                            "Emulator '%s' does not support os type '%s': expected 'hvm'", def->emulator,
                            enum_table_name (&os_types, def->os.type));
  else if (arch != NULL && !architecture_runs_on (def->os.arch, arch))
    completion_value_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &def->os.arch, &def->os,
                            "Emulator '%s' does not support arch '%s': it runs '%s'", def->emulator,
                            def->os.arch, arch);
  else if (!is_run_by_qemu (def))
    completion_value_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &def->type, def,
                            "Emulator '%s' does not support virt type '%s': expected 'kvm' or 'qemu'",
                            def->emulator, enum_table_name (&virt_types, def->type));
  else
    return TRUE;
  return FALSE;
}

/* A definition of this host is one for an emulator that is here; one for any host, or one of our own, is read
 * without. */
static gboolean
check_emulator (Completion *completion)
{
  const DomainDef *def = completion->def;
  const Platform *platform = completion->platform;
  g_autoptr (GError) problem = NULL;

  if (platform == NULL || platform->check_emulator == NULL || def->emulator == NULL)
    return TRUE;
  if (platform->check_emulator (platform, def->emulator, &problem))
    return completion->kept || check_supported (completion);
  if (completion->kept) {
    completion->platform = NULL; /* nothing is left to choose, and nobody there to ask */
    return TRUE;
  }
  diagnostics_error_from (completion->diagnostics,
                          source_map_find (completion->map, &def->emulator, &def->os.arch), VIR_FROM_QEMU,
                          virt_error_code (problem), "%s", virt_error_detail (problem));
  return FALSE;
}

/* Does @completion ask whether a machine can be run here, and not only what its document means? */
static gboolean
is_for_host (const Completion *completion)
{
  return completion->platform != NULL && completion->platform->check_emulator != NULL && !completion->kept;
}

gboolean
complete_target (Completion *completion)
{
  DomainDef *def = completion->def;

  if (!check_architecture (completion) || def->type == VIRT_TYPE_NONE)
    return FALSE;
  if (!is_run_by_qemu (def) && !is_for_host (completion))
    return TRUE;
  complete_emulator (completion);
  if (def->emulator == NULL && completion->platform != NULL && completion->platform->default_emulator != NULL
      && !completion->anywhere)
    return FALSE;
  return check_emulator (completion) && complete_machine (completion) && is_target_understood (completion);
}

static void
complete_all (Completion *completion)
{
  DomainDef *def = completion->def;

  complete_sysinfo (completion);
  complete_uuid (def);
  complete_genid (completion);
  forget_empty (&def->title);
  forget_empty (&def->description);
  complete_vcpus (def);
  complete_individual_vcpus (completion);
  complete_numa (completion);
  complete_memory (def);
  complete_memory_backing (completion);
  complete_resource_limits (completion);
  complete_lifecycle (def);
  complete_iothreads (completion);
  throttle_groups_complete (completion->def);
  complete_cputune (completion);
  complete_clock (completion);
  complete_seclabels (completion);
  if (!complete_target (completion)) {
    source_map_mark_invalid (completion->map, &def->os.machine);
    return; /* without its machine nothing below means anything */
  }
  complete_os (completion);
  complete_features (completion);
  complete_cpu (completion);
  complete_hostdev_controllers (completion);
  complete_devices (completion);
  if (is_run_by_qemu (def)) {
    complete_implied_devices (completion);
    complete_controllers (completion);
    complete_addresses (completion);
  }
}

void
domain_complete (Completion *completion)
{
  complete_all (completion);
  g_clear_pointer (&completion->controllers, g_hash_table_unref);
}
