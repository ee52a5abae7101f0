/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bindings of filters to network devices. They have no registry: a device has one or none, and they are the
 * kernel's as much as ours. On the RPC protocol a binding is its device's name and its filter's; libvirt-dbus
 * has none.
 */
#include "daemon/ops/ops.h"

#include "daemon/nwfilter/filter-rules.h"

#include <string.h>

typedef struct {
  const Settings *settings;
  char *text, *port;
  gboolean strict;
  Call *call;
} BindingWork;

static void
work_free (gpointer data)
{
  BindingWork *work = data;

  g_free (work->text);
  g_free (work->port);
  g_free (work);
}

static GVariant *
binding_handle (const FilterBindingDef *def)
{
  return g_variant_new ("(ss)", def->port, def->reference.filter);
}

static void
unref_def (gpointer def)
{
  document_unref (&filter_binding_document, def);
}

/* The device that the binding in the arguments is of. (transfer full) */
static char *
call_port (const Call *call)
{
  char *port;

  g_variant_get_child (call->arguments, 0, "(s&s)", &port, NULL);
  return port;
}

static FilterBindingDef *
find_or_fail (Call *call, const char *port)
{
  FilterBindingDef *def = filter_binding_find (port);

  if (def == NULL)
    call_fail_with (call, VIR_ERR_NO_NWFILTER_BINDING, "no nwfilter binding for port dev '%s'", port);
  return def;
}

void
op_nwfilter_binding_lookup_by_port_dev (Call *call)
{
  FilterBindingDef *def = find_or_fail (call, call_string (call, 0));

  if (def == NULL)
    return;
  call_answer (call, g_variant_new ("(@(ss))", binding_handle (def)));
  unref_def (def);
}

void
op_nwfilter_binding_get_xml_desc (Call *call)
{
  g_autofree char *port = call_port (call), *xml = NULL;
  FilterBindingDef *def;

  if (!call_check_flags (call, call_uint (call, 1), 0) || (def = find_or_fail (call, port)) == NULL)
    return;
  xml = document_to_xml (&filter_binding_document, def, 0);
  call_answer (call, g_variant_new ("(s)", xml));
  unref_def (def);
}

static int
compare_ports (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(FilterBindingDef *const *)a)->port, (*(FilterBindingDef *const *)b)->port);
}

void
op_connect_list_all_nwfilter_bindings (Call *call)
{
  g_autoptr (GPtrArray) defs = filter_bindings_list ();
  GVariantBuilder list;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  g_ptr_array_sort (defs, compare_ports);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < defs->len && call_int (call, 0) != 0; i++)
    g_variant_builder_add_value (&list, binding_handle (g_ptr_array_index (defs, i)));
  call_answer (call, g_variant_new ("(a(ss)u)", &list, defs->len));
}

static gpointer
create_job (Job *job G_GNUC_UNUSED, gpointer data, GError **error)
{
  const BindingWork *work = data;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  FilterBindingDef *def =
      document_read (&filter_binding_document, work->text, -1, work->strict ? 0 : DOCUMENT_LAX, diagnostics);

  if (!diagnostics_check (diagnostics, error))
    return NULL;
  if (filter_binding_set (work->settings, def, FALSE, error))
    return def;
  unref_def (def);
  return NULL;
}

static void
create_done (gpointer result, const GError *error, gpointer data)
{
  BindingWork *work = data;

  if (error != NULL) {
    call_fail (work->call, g_error_copy (error));
    return;
  }
  call_answer (work->call, g_variant_new ("(@(ss))", binding_handle (result)));
  unref_def (result);
}

static BindingWork *
work_new (Call *call)
{
  BindingWork *work = g_new0 (BindingWork, 1);

  work->call = call;
  work->settings = call->manager->settings;
  return work;
}

void
op_nwfilter_binding_create_xml (Call *call)
{
  guint flags = call_uint (call, 1);
  BindingWork *work;

  if (!call_check_flags (call, flags, VIR_NWFILTER_BINDING_CREATE_VALIDATE))
    return;
  work = work_new (call);
  work->text = g_strdup (call_string (call, 0));
  work->strict = (flags & VIR_NWFILTER_BINDING_CREATE_VALIDATE) != 0;
  call_work (call, strlen (work->text), "bind", create_job, work, work_free, create_done);
}

static gpointer
delete_job (Job *job G_GNUC_UNUSED, gpointer data, GError **error)
{
  const BindingWork *work = data;

  return filter_binding_remove (work->settings, work->port, NULL, error) ? JOB_OK : NULL;
}

static void
delete_done (gpointer result G_GNUC_UNUSED, const GError *error, gpointer data)
{
  BindingWork *work = data;

  if (error != NULL)
    call_fail (work->call, g_error_copy (error));
  else
    call_answer_nothing (work->call);
}

void
op_nwfilter_binding_delete (Call *call)
{
  BindingWork *work = work_new (call);

  work->port = call_port (call);
  call_work (call, 0, "unbind", delete_job, work, work_free, delete_done);
}
