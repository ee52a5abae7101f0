/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <filterref> of a card becomes the document of a binding, as a client could give it, and goes the same way.
 */
#include "daemon/drivers/qemu/interface-filter.h"

#include "daemon/nwfilter/filter-rules.h"

static FilterBindingDef *
binding_of (const DomainDef *def, const DeviceInterface *interface, const char *port, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autofree char *text =
      g_markup_printf_escaped ("<filterbinding><owner><name>%s</name><uuid>%s</uuid></owner>"
                               "<portdev name='%s'/><mac address='%s'/>",
                               def->name, def->uuid, port, interface->mac);
  g_autofree char *whole = g_strconcat (text, interface->filterref, "</filterbinding>", NULL);
  FilterBindingDef *binding = document_read (&filter_binding_document, whole, -1, DOCUMENT_LAX, diagnostics);

  diagnostics_check (diagnostics, binding == NULL ? error : NULL);
  return binding;
}

gboolean
interface_filter_bind (const Settings *settings, const DomainDef *def, const DeviceInterface *interface,
                       const char *port, GError **error)
{
  FilterBindingDef *binding;
  gboolean done;

  if (interface->filterref == NULL)
    return TRUE;
  binding = binding_of (def, interface, port, error);
  /* What is bound to a tap that was just made was another's of that name. */
  done = binding != NULL && filter_binding_set (settings, binding, TRUE, error);
  document_unref (&filter_binding_document, binding);
  return done;
}

static void
unref_binding (gpointer binding)
{
  document_unref (&filter_binding_document, binding);
}

/* The binding of the card's tap, if it is the card's. */
static FilterBindingDef *
find_binding (const DomainDef *def, const DeviceInterface *interface, const char *port)
{
  FilterBindingDef *binding =
      interface->filterref != NULL && port != NULL ? filter_binding_find (port) : NULL;

  if (binding != NULL && g_str_equal (binding->owner_uuid, def->uuid)
      && g_ascii_strcasecmp (binding->mac, interface->mac) == 0)
    return binding;
  unref_binding (binding);
  return NULL;
}

GPtrArray *
interface_filters_find (const DomainDef *def)
{
  GPtrArray *bindings = g_ptr_array_new_with_free_func (unref_binding);

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    FilterBindingDef *binding = find_binding (def, interface, interface->target_dev);

    if (binding != NULL)
      g_ptr_array_add (bindings, binding);
  }
  return bindings;
}

void
interface_filters_unbind (const Settings *settings, const GPtrArray *bindings)
{
  for (guint i = 0; i < bindings->len; i++) {
    g_autoptr (GError) error = NULL;
    const FilterBindingDef *binding = g_ptr_array_index (bindings, i);

    if (!filter_binding_remove (settings, binding->port, binding, &error))
      g_debug ("%s", error->message);
  }
}

void
interface_filter_unbind (const Settings *settings, const DomainDef *def, const DeviceInterface *interface,
                         const char *port)
{
  g_autoptr (GPtrArray) bindings = g_ptr_array_new_with_free_func (unref_binding);
  FilterBindingDef *binding = find_binding (def, interface, port);

  if (binding == NULL)
    return;
  g_ptr_array_add (bindings, binding);
  interface_filters_unbind (settings, bindings);
}

gboolean
interface_filter_change (const Settings *settings, const DomainDef *def, const DeviceInterface *interface,
                         const DeviceInterface *updated, GError **error)
{
  if (g_strcmp0 (interface->filterref, updated->filterref) == 0)
    return TRUE;
  if (updated->filterref != NULL)
    return interface_filter_bind (settings, def, updated, interface->target_dev, error);
  interface_filter_unbind (settings, def, interface, interface->target_dev);
  return TRUE;
}
