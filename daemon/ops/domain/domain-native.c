/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The command line that a document would be started with. It is what the same recipe makes with paths in the
 * place of the descriptors that a start opens: nothing is opened, made or reserved for it.
 */
#include "daemon/drivers/qemu/probe.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/host/dmi.h"
#include "daemon/ops/ops.h"
#include "targets/qemu/recipe.h"

#include <string.h>

#define FORMAT "qemu-argv"

typedef struct {
  Call *call;
  char *document;
} Native;

static void
native_free (gpointer data)
{
  Native *native = data;

  g_free (native->document);
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

/* One line, as a shell takes it. (transfer full) */
static char *
launch_line (const Recipe *recipe)
{
  g_auto (GStrv) environment = recipe_to_environment (recipe), argv = recipe_to_argv (recipe);
  GString *text = g_string_new (NULL);

  for (guint i = 0; environment[i] != NULL; i++)
    append_variable (text, environment[i]);
  for (guint i = 0; argv[i] != NULL; i++)
    append_word (text, argv[i], i > 0 ? " " : "");
  return g_string_free (text, FALSE);
}

static char *
launch_line_of (DomainDef *def, const char *document, QemuCaps *caps, Manager *manager, GError **error)
{
  g_autofree char *directory = store_run_directory (manager->store, def->uuid);
  g_autofree char *run_directory = g_build_filename (directory, START_QEMU_DIRECTORY, NULL);
  g_autoptr (Sysinfo) smbios = def->os.smbios_mode == SMBIOS_MODE_HOST ? dmi_read (NULL) : NULL;
  const RecipeHost host = { .run_directory = run_directory,
                            .smbios = smbios,
                            .state_directory = manager->settings->state_directory,
                            .sandbox = manager->settings->sandbox,
                            .paused = TRUE,
                            .monitor_fd = -1,
                            .now = g_get_real_time () / G_USEC_PER_SEC };
  g_autoptr (Recipe) recipe = NULL;

  domain_def_assign_aliases (def);
  recipe = recipe_new (def, caps, &host, RECIPE_BY_PATH);
  recipe_add_domain (recipe, NULL);
  return recipe_check (recipe, document, NULL, error) ? launch_line (recipe) : NULL;
}

static gpointer
translate (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Native *native = input;
  Manager *manager = native->call->manager; /* its platform, settings and store outlive every job */
  g_autoptr (DomainDef) parsed = definition_parse (manager->platform, native->document, FALSE, NULL, error);
  g_autoptr (DomainDef) def = parsed != NULL ? domain_def_copy (parsed) : NULL;
  g_autoptr (QemuCaps) caps = NULL;

  if (def == NULL)
    return NULL;
  if (def->emulator == NULL)
    def->emulator = qemu_find_emulator (def->os.arch);
  if (def->emulator == NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "no emulator for architecture '%s' is installed",
                    def->os.arch != NULL ? def->os.arch : "unknown");
    return NULL;
  }
  caps = caps_cache_get (manager->caps, def->emulator, error);
  return caps != NULL ? launch_line_of (def, native->document, caps, manager, error) : NULL;
}

static void
translated (gpointer result, const GError *error, gpointer data)
{
  g_autofree char *line = result;
  Call *call = ((const Native *)data)->call;

  if (line == NULL)
    call_fail (call, g_error_copy (error));
  else
    call_answer (call, g_variant_new ("(s)", line));
}

void
op_connect_domain_xml_to_native (Call *call)
{
  const char *format = call_string (call, 0);
  Native *native;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (!g_str_equal (format, FORMAT)) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "unsupported config type %s", format);
    return;
  }
  native = g_new0 (Native, 1);
  native->call = call;
  native->document = g_strdup (call_string (call, 1));
  call_work (call, strlen (native->document), "to-native", translate, native, native_free, translated);
}
