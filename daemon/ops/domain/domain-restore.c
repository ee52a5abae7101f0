/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine from a file that was saved. The file says which domain it is: the one of that name and UUID runs
 * it once with the definition in the file, and where there is none it is a transient one.
 */
#include "daemon/ops/domain/domain-start.h"
#include "daemon/ops/domain/parameters.h"

#define RESTORE_KNOWN_FLAGS                                                        \
  (VIR_DOMAIN_SAVE_BYPASS_CACHE | VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED \
   | VIR_DOMAIN_SAVE_RESET_NVRAM)

typedef struct {
  Call *call;
  const Platform *platform;
  char *path, *replacement;
  guint flags;
} RestoreCall;

static void
restore_call_free (gpointer data)
{
  RestoreCall *request = data;

  g_free (request->path);
  g_free (request->replacement);
  g_free (request);
}

static gpointer
open_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  RestoreCall *request = input;

  return restore_open (request->path, request->replacement, request->platform, error);
}

static void
opened (gpointer result, const GError *error, gpointer data)
{
  RestoreCall *request = data;
  Restore *restore = result;
  gboolean paused;

  if (restore == NULL) {
    call_fail (request->call, g_error_copy (error));
    return;
  }
  restore->drop_cache = (request->flags & VIR_DOMAIN_SAVE_BYPASS_CACHE) != 0;
  paused = (request->flags & VIR_DOMAIN_SAVE_PAUSED)
           || (!restore->image->was_running && !(request->flags & VIR_DOMAIN_SAVE_RUNNING));
  start_definition (request->call, restore->def, NULL, restore,
                    (paused ? VIR_DOMAIN_START_PAUSED : 0)
                        | (request->flags & VIR_DOMAIN_SAVE_RESET_NVRAM ? VIR_DOMAIN_START_RESET_NVRAM : 0));
}

static void
restore_begin (Call *call, const char *path, const char *replacement, guint flags)
{
  RestoreCall *request;

  if (!call_check_flags (call, flags, RESTORE_KNOWN_FLAGS))
    return;
  if ((flags & VIR_DOMAIN_SAVE_RUNNING) && (flags & VIR_DOMAIN_SAVE_PAUSED)) {
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' are mutually exclusive");
    return;
  }
  request = g_new0 (RestoreCall, 1);
  request->call = call;
  request->platform = call->manager->platform;
  request->path = g_strdup (path);
  request->replacement = g_strdup (replacement);
  request->flags = flags;
  job_start ("restore", open_job, request, restore_call_free, 0, opened, request);
}

void
op_domain_restore (Call *call)
{
  gboolean with_flags = g_variant_n_children (call->arguments) > 1;

  restore_begin (call, call_string (call, 0), with_flags ? call_maybe_string (call, 1) : NULL,
                 with_flags ? call_uint (call, 2) : 0);
}

void
op_domain_restore_params (Call *call)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 0);
  const char *path = NULL, *replacement = NULL;

  if (!call_take_strings (call, parameters,
                          (const CallString[]){ { VIR_DOMAIN_SAVE_PARAM_FILE, &path },
                                                { VIR_DOMAIN_SAVE_PARAM_DXML, &replacement },
                                                { NULL, NULL } }))
    return;
  if (path == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "missing parameter '%s': the file to restore from",
                    VIR_DOMAIN_SAVE_PARAM_FILE);
  else
    restore_begin (call, path, replacement, call_uint (call, 1));
}
