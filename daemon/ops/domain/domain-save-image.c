/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document inside a saved machine, shown and exchanged. All of it is files, so each call is a job; those
 * of a managed save have the domain's lock, so that no start reads the file meanwhile.
 */
#include "daemon/drivers/qemu/restore.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/ops/ops.h"

#define DEFINE_KNOWN_FLAGS (VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)

typedef struct {
  Call *call;
  const Platform *platform;
  char *path;
  char *xml; /* the new document; NULL: it is only shown, or only the running state is changed */
  gboolean define;
  guint flags;
} ImageCall;

static void
image_call_free (gpointer data)
{
  ImageCall *image = data;

  g_free (image->path);
  g_free (image->xml);
  g_free (image);
}

static gpointer
show_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  ImageCall *request = input;
  g_autoptr (Restore) restore = restore_open (request->path, NULL, request->platform, error);

  if (restore == NULL)
    return NULL;
  return domain_def_to_xml (restore->def,
                            request->flags & VIR_DOMAIN_SAVE_IMAGE_XML_SECURE ? DOMAIN_WRITE_SECURE : 0);
}

static gpointer
define_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  ImageCall *request = input;
  g_autoptr (SaveImage) image = save_image_open (request->path, TRUE, error);
  g_autoptr (DomainDef) saved = image != NULL ? restore_parse (image->xml, request->platform, error) : NULL;
  g_autoptr (DomainDef) next = NULL;
  g_autofree char *xml = NULL;
  gboolean running;

  if (saved == NULL)
    return NULL;
  if (request->xml != NULL) {
    next = restore_replacement (request->xml, saved, request->platform, error);
    if (next == NULL)
      return NULL;
    xml = domain_def_to_xml (next, DOMAIN_WRITE_SECURE);
  }
  running = (request->flags & VIR_DOMAIN_SAVE_RUNNING)
            || (image->was_running && !(request->flags & VIR_DOMAIN_SAVE_PAUSED));
  return save_image_replace (image, xml, running, error) ? JOB_OK : NULL;
}

static void
done (gpointer result, const GError *error, gpointer data)
{
  ImageCall *request = data;

  if (result == NULL)
    call_fail (request->call, g_error_copy (error));
  else if (request->define)
    call_answer_nothing (request->call);
  else {
    g_autofree char *xml = result;

    call_answer (request->call, g_variant_new ("(s)", xml));
  }
}

static void
begin (ImageCall *request)
{
  job_start ("save-image", request->define ? define_job : show_job, request, image_call_free, 0, done,
             request);
}

static ImageCall *
image_call_new (Call *call, const char *path, const char *xml, gboolean define, guint flags)
{
  ImageCall *request = g_new0 (ImageCall, 1);

  request->call = call;
  request->platform = call->manager->platform;
  request->path = g_strdup (path);
  request->xml = g_strdup (xml);
  request->define = define;
  request->flags = flags;
  return request;
}

static gboolean
check_define_flags (Call *call, guint flags)
{
  if (!call_check_flags (call, flags, DEFINE_KNOWN_FLAGS))
    return FALSE;
  if ((flags & DEFINE_KNOWN_FLAGS) == DEFINE_KNOWN_FLAGS) {
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' are mutually exclusive");
    return FALSE;
  }
  return TRUE;
}

void
op_domain_save_image_get_xml_desc (Call *call)
{
  guint flags = call_uint (call, 1);

  if (call_check_flags (call, flags, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE))
    begin (image_call_new (call, call_string (call, 0), NULL, FALSE, flags));
}

void
op_domain_save_image_define_xml (Call *call)
{
  guint flags = call_uint (call, 2);

  if (check_define_flags (call, flags))
    begin (image_call_new (call, call_string (call, 0), call_string (call, 1), TRUE, flags));
}

static void
managed_begin (Domain *domain, Call *call)
{
  gboolean define = g_str_equal (call->operation->name, "DOMAIN_MANAGED_SAVE_DEFINE_XML");
  g_autofree char *path = managed_save_path (call->manager->settings, domain->uuid);

  if (!domain->managed_save)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain does not have managed save image");
  else
    begin (image_call_new (call, path, define ? call_maybe_string (call, 1) : NULL, define,
                           call_uint (call, define ? 2 : 1)));
}

void
op_domain_managed_save_get_xml_desc (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), VIR_DOMAIN_SAVE_IMAGE_XML_SECURE))
    domain_lock (call->domain, "save-image", call, managed_begin);
}

void
op_domain_managed_save_define_xml (Call *call)
{
  if (check_define_flags (call, call_uint (call, 2)))
    domain_lock (call->domain, "save-image", call, managed_begin);
}
