/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Network filters as a kind of object: a document that never runs by itself. A new definition is in force on
 * all devices of running machines before it is on disk, or it is refused; one that a machine needs stays.
 */
#include "daemon/nwfilter/filters.h"

#include "daemon/call/call.h"
#include "daemon/nwfilter/filter-rules.h"

static void
clear (Object *object)
{
  Filter *filter = (Filter *)object;

  if (filter->def != NULL)
    filter_rules_forget (filter->def->name);
  document_unref (&filter_document, filter->def);
}

static void
define (Object *object, gpointer def)
{
  Filter *filter = (Filter *)object;

  document_unref (&filter_document, filter->def);
  filter->def = document_ref (&filter_document, def);
  filter_rules_note (def);
}

static gboolean
apply (const Registry *registry, gpointer def, GError **error)
{
  return filter_rules_define (registry->settings, def, error);
}

static void
undo (const Registry *registry, gpointer def)
{
  filter_rules_undo_define (registry->settings, def);
}

static gboolean
check_undefine (const Object *object, GError **error)
{
  if (!filter_rules_in_use (object->name))
    return TRUE;
  virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_OPERATION_INVALID, "nwfilter is in use");
  return FALSE;
}

static GVariant *
handle (const Object *object)
{
  return g_variant_new ("(s@ay)", object->name, call_uuid_value (object->uuid));
}

static gboolean
passes (const Object *object G_GNUC_UNUSED, guint flags G_GNUC_UNUSED)
{
  return TRUE;
}

static const char *const interfaces[] = { "org.libvirt.NWFilter", NULL };

const ObjectKind filter_kind = {
  .letter = 'F',
  .name = "nwfilter",
  .short_name = "filter",
  .missing = VIR_ERR_NO_NWFILTER,
  .origin = VIR_FROM_NWFILTER,
  .path_element = "nwfilter",
  .interfaces = interfaces,
  .key = 1,
  .folder = "nwfilters",
  .name_is_attribute = TRUE,
  .document = &filter_document,
  .size = sizeof (Filter),
  .clear = clear,
  .handle = handle,
  .passes = passes,
  .define = define,
  .check_undefine = check_undefine,
  .apply = apply,
  .undo = undo,
  .loaded = filters_loaded,
};
