/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is translated is the completed definition; what is lost is what the user's own document says, so that
 * a device that completion chose is in nobody's way.
 */
#include "daemon/drivers/api-config.h"

#include "base/untrusted-json.h"

#include <string.h>

/* (transfer full) */
static char *
find_document (const StartRequest *request)
{
  if (request->document != NULL)
    return g_strdup (request->document);
  return request->transient ? NULL : store_load_source (request->store, request->def->name, NULL);
}

/* @def as @driver's config, of which its target makes one object. What it cannot do is in @diagnostics, by
 * the places of @document. (transfer full) */
static JsonObject *
config_of (const Driver *driver, DomainDef *def, const char *document, const char *directory,
           const Settings *settings, Diagnostics *diagnostics, GError **error)
{
  const TargetRequest wanted = {
    .def = def, .document = document, .run_directory = directory, .state_directory = settings->state_directory
  };
  g_autoptr (TargetLosses) losses = target_losses_new (driver->target, document);
  g_autoptr (TargetConfig) config = target_config_new ();
  const TargetFile *file;

  if (!driver->target->translate (&wanted, config, losses, error))
    return NULL;
  target_losses_report (losses, FALSE, diagnostics);
  file = g_ptr_array_index (target_config_files (config), 0);
  return untrusted_json_object (file->content, strlen (file->content));
}

/* Without places: what the client has written is one device, and no document with lines. */
static gboolean
check_device (const Diagnostics *diagnostics, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *one = diagnostics_get (diagnostics, i);

    if (one->severity == DIAGNOSTIC_ERROR)
      g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", one->message);
  }
  if (text->len == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text->str);
  return FALSE;
}

JsonObject *
api_config_of_device (const Driver *driver, const DomainDef *def, const Device *device, const char *text,
                      const char *directory, const Settings *settings, GError **error)
{
  g_autoptr (DomainDef) alone = domain_def_copy (def);
  g_autofree char *document = g_strdup_printf ("<domain><devices>%s</devices></domain>", text);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (JsonObject) config = NULL;

  for (guint i = def->devices->len; i > 0; i--)
    if (g_ptr_array_index (def->devices, i - 1) != device)
      g_ptr_array_remove_index (alone->devices, i - 1);
  config = config_of (driver, alone, document, directory, settings, diagnostics, error);
  return config != NULL && check_device (diagnostics, error) ? g_steal_pointer (&config) : NULL;
}

JsonObject *
api_config (const Driver *driver, const StartRequest *request, DomainDef *def, const char *directory,
            GError **error)
{
  g_autofree char *stored = find_document (request);
  g_autofree char *completed = stored == NULL ? domain_def_to_xml (def, 0) : NULL;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (JsonObject) config = config_of (driver, def, stored != NULL ? stored : completed, directory,
                                             request->settings, diagnostics, error);

  return config != NULL && diagnostics_check (diagnostics, error) ? g_steal_pointer (&config) : NULL;
}
