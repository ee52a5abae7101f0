/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a document would be started with, and the documents of other hypervisors' configs. QEMU's command line
 * is what the same recipe makes as a start's, with paths in the place of the descriptors: nothing is opened,
 * made or reserved for it. All of it is reading and writing text, in a job, as texts may be long.
 */
#include "daemon/drivers/qemu/probe.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/host/dmi.h"
#include "daemon/host/host-clock.h"
#include "daemon/ops/ops.h"
#include "targets/qemu/qemu-target.h"
#include "targets/qemu/recipe.h"
#include "targets/target.h"

#include <string.h>

typedef struct {
  Call *call;
  const Target *target;
  char *text; /* a document, or the config of an import */
} Native;

static void
native_free (gpointer data)
{
  Native *native = data;

  g_free (native->text);
  g_free (native);
}

static void
append_variable (GString *text, const char *variable)
{
  const char *equals = strchr (variable, '=');
  g_autofree char *value = launch_word (equals + 1);

  g_string_append_printf (text, "%.*s=%s ", (int)(equals - variable), variable, value);
}

static void
append_word (GString *text, const char *word, const char *separator)
{
  g_autofree char *quoted = launch_word (word);

  g_string_append (text, separator);
  g_string_append (text, quoted);
}

/* The first file, or where a command is all there is, one line as a shell takes it. (transfer full) */
static char *
config_text (const TargetConfig *config)
{
  const GPtrArray *files = target_config_files (config);
  const char *const *environment = target_config_environment (config), *const *argv =
                                                                           target_config_argv (config);
  GString *text;

  if (files->len > 0)
    return g_strdup (((const TargetFile *)g_ptr_array_index (files, 0))->content);
  text = g_string_new (NULL);
  for (guint i = 0; environment != NULL && environment[i] != NULL; i++)
    append_variable (text, environment[i]);
  for (guint i = 0; argv[i] != NULL; i++)
    append_word (text, argv[i], i > 0 ? " " : "");
  return g_string_free (text, FALSE);
}

/* What the machine can be without is left out, as libvirt leaves it out: the call has no flag to ask for one
 * or the other, and its answer no room to say so. `domctl translate` refuses it. */
static void
tell_losses (const Target *target, const Diagnostics *diagnostics)
{
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *loss = diagnostics_get (diagnostics, i);

    if (loss->severity == DIAGNOSTIC_WARNING)
      g_message ("a document became a config of %s without what stands in line %u: %s", target->title,
                 loss->where.line, loss->message);
  }
}

static char *
translate_with (const Native *native, DomainDef *def, QemuCaps *caps, GError **error)
{
  Manager *manager = native->call->manager;
  g_autofree char *directory = store_run_directory (manager->store, def->uuid);
  g_autofree char *run_directory = g_build_filename (directory, START_QEMU_DIRECTORY, NULL);
  g_autoptr (Sysinfo) smbios = def->os.smbios_mode == SMBIOS_MODE_HOST ? dmi_read (NULL) : NULL;
  const TargetRequest request = { .def = def,
                                  .document = native->text,
                                  .run_directory = run_directory,
                                  .state_directory = manager->settings->state_directory,
                                  .caps = caps,
                                  .smbios = smbios,
                                  .clock_khz = host_clock_khz (def),
                                  .now = g_get_real_time () / G_USEC_PER_SEC,
                                  .sandbox = manager->settings->sandbox,
                                  .paused = TRUE };
  g_autoptr (TargetLosses) losses = target_losses_new (native->target, native->text);
  g_autoptr (TargetConfig) config = target_config_new ();
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  domain_def_assign_aliases (def);
  if (!native->target->translate (&request, config, losses, error))
    return NULL;
  target_losses_report (losses, TRUE, diagnostics);
  tell_losses (native->target, diagnostics);
  return diagnostics_check (diagnostics, error) ? config_text (config) : NULL;
}

/* FALSE when it is needed and not there. */
static gboolean
find_emulator (const Native *native, DomainDef *def, QemuCaps **ret_caps, GError **error)
{
  if (native->target != &qemu_target)
    return TRUE;
  if (def->emulator == NULL)
    def->emulator = qemu_find_emulator (def->os.arch);
  if (def->emulator == NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "no emulator for architecture '%s' is installed",
                    def->os.arch != NULL ? def->os.arch : "unknown");
  else
    *ret_caps = caps_cache_get (native->call->manager->caps, def->emulator, error);
  return *ret_caps != NULL;
}

static gpointer
translate (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Native *native = input;
  Manager *manager = native->call->manager; /* its platform, settings and store outlive every job */
  g_autoptr (DomainDef) parsed = definition_parse (manager->platform, native->text, FALSE, NULL, error);
  g_autoptr (DomainDef) def = parsed != NULL ? domain_def_copy (parsed) : NULL;
  g_autoptr (QemuCaps) caps = NULL;

  return def != NULL && find_emulator (native, def, &caps, error) ? translate_with (native, def, caps, error)
                                                                  : NULL;
}

static gpointer
import_config (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Native *native = input;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autofree char *document = native->target->import (native->text, diagnostics);

  if (diagnostics_check (diagnostics, error) && document == NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "no config of %s", native->target->title);
  return error == NULL || *error == NULL ? g_steal_pointer (&document) : NULL;
}

static void
converted (gpointer result, const GError *error, gpointer data)
{
  g_autofree char *text = result;
  Call *call = ((const Native *)data)->call;

  if (text == NULL)
    call_fail (call, g_error_copy (error));
  else
    call_answer (call, g_variant_new ("(s)", text));
}

static void
convert (Call *call, gboolean imports)
{
  const char *format = call_string (call, 0);
  const Target *target = target_find (format);
  Native *native;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (imports && (target == NULL || target->import == NULL)) {
    /* libvirt's driver of QEMU has no way in at all. */
    call_fail_from (call, VIR_FROM_DOMAIN, VIR_ERR_NO_SUPPORT, "%s", "virConnectDomainXMLFromNative");
    return;
  }
  if (!imports && (target == NULL || target->translate == NULL)) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "unsupported config type %s", format);
    return;
  }
  native = g_new0 (Native, 1);
  native->call = call;
  native->target = target;
  native->text = g_strdup (call_string (call, 1));
  call_work (call, strlen (native->text), imports ? "from-native" : "to-native",
             imports ? import_config : translate, native, native_free, converted);
}

void
op_connect_domain_xml_to_native (Call *call)
{
  convert (call, FALSE);
}

void
op_connect_domain_xml_from_native (Call *call)
{
  convert (call, TRUE);
}
