/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Interfaces of the host, listed, found and described. What libvirt's udev backend says is said here, word
 * for word; besides, an interface that was defined and is not there yet is one that is inactive. Every call
 * is a job that asks the kernel anew.
 */
#include "daemon/ops/interface/interface-call.h"

#include "daemon/ops/ops.h"

#include <string.h>

#define LIST_FLAGS (VIR_CONNECT_LIST_INTERFACES_ACTIVE | VIR_CONNECT_LIST_INTERFACES_INACTIVE)

/* By the states of the old lists: what is neither up nor down is in none of the two. */
typedef enum { SHOW_ALL, SHOW_UP, SHOW_DOWN } Show;

gboolean
interface_view_open (InterfaceView *view, const Settings *settings, GError **error)
{
  view->links = interface_links_read (error);
  view->defs = view->links != NULL ? interface_definitions_read (settings, error) : NULL;
  return view->defs != NULL;
}

void
interface_view_clear (InterfaceView *view)
{
  g_clear_pointer (&view->links, g_ptr_array_unref);
  g_clear_pointer (&view->defs, g_ptr_array_unref);
}

gboolean
interface_view_find_name (const InterfaceView *view, const char *name, InterfaceFound *ret_found,
                          GError **error)
{
  ret_found->link = interface_links_find (view->links, name);
  ret_found->def = interface_definitions_find (view->defs, name);
  if (ret_found->link != NULL || ret_found->def != NULL)
    return TRUE;
  virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_NO_INTERFACE, "couldn't find interface named '%s'",
                       name);
  return FALSE;
}

static const char *
mac_of (const InterfaceFound *found)
{
  if (found->link != NULL)
    return found->link->mac;
  return found->def->mac != NULL ? found->def->mac : "";
}

const char *
interface_found_name (const InterfaceFound *found)
{
  return found->link != NULL ? found->link->name : found->def->name;
}

GVariant *
interface_found_handle (const InterfaceFound *found)
{
  return g_variant_new ("(ss)", interface_found_name (found), mac_of (found));
}

static gboolean
is_active (const InterfaceFound *found)
{
  return found->link != NULL && interface_link_is_active (found->link);
}

/* All but taps, by name: InterfaceFound. (transfer full) */
static GArray *
list_all (const InterfaceView *view, Show show)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (InterfaceFound));

  for (guint i = 0; i < view->links->len; i++) {
    const InterfaceLink *link = g_ptr_array_index (view->links, i);
    InterfaceFound found = { link, interface_definitions_find (view->defs, link->name) };

    if (!link->is_tap
        && (show == SHOW_ALL || link->state == (show == SHOW_UP ? HOST_STATE_UP : HOST_STATE_DOWN)))
      g_array_append_val (list, found);
  }
  for (guint i = 0; i < view->defs->len && show != SHOW_UP; i++) {
    const HostInterfaceDef *def = g_ptr_array_index (view->defs, i);
    InterfaceFound found = { NULL, def };

    if (interface_links_find (view->links, def->name) == NULL)
      g_array_append_val (list, found);
  }
  return list;
}

/* An empty address is nobody's. */
static gboolean
find_mac (const InterfaceView *view, const char *mac, InterfaceFound *ret_found, GError **error)
{
  g_autoptr (GArray) list = list_all (view, SHOW_ALL);
  guint count = 0;

  for (guint i = 0; i < list->len && mac[0] != '\0'; i++) {
    const InterfaceFound *found = &g_array_index (list, InterfaceFound, i);

    if (g_ascii_strcasecmp (mac_of (found), mac) == 0 && count++ == 0)
      *ret_found = *found;
  }
  if (count == 0)
    virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_NO_INTERFACE,
                         "couldn't find interface with MAC address '%s'", mac);
  else if (count > 1)
    virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_MULTIPLE_INTERFACES,
                         "the MAC address '%s' matches multiple interfaces", mac);
  return count == 1;
}

gboolean
interface_view_find (const InterfaceView *view, const Call *call, InterfaceFound *ret_found, GError **error)
{
  const char *name, *mac;

  g_variant_get_child (call->arguments, 0, "(&s&s)", &name, &mac);
  /* A path on D-Bus has one of both. */
  return name[0] != '\0' ? interface_view_find_name (view, name, ret_found, error)
                         : find_mac (view, mac, ret_found, error);
}

void
interface_call_start (Call *call, gsize bytes, CallMake make)
{
  call_make (call, bytes, "interface", make, (gpointer)call->manager->settings, NULL);
}

/* Lists. */

static GVariant *
make_count (const Call *call G_GNUC_UNUSED, gpointer settings, Show show, GError **error)
{
  g_auto (InterfaceView) view = { NULL };
  g_autoptr (GArray) list = NULL;

  if (!interface_view_open (&view, settings, error))
    return NULL;
  list = list_all (&view, show);
  return g_variant_new ("(i)", (int)list->len);
}

static GVariant *
make_names (const Call *call, gpointer settings, Show show, GError **error)
{
  int room = call_int (call, 0);
  g_auto (InterfaceView) view = { NULL };
  g_autoptr (GArray) list = NULL;
  GVariantBuilder names;

  if (!interface_view_open (&view, settings, error))
    return NULL;
  list = list_all (&view, show);
  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < list->len && (int)i < room; i++)
    g_variant_builder_add (&names, "s", interface_found_name (&g_array_index (list, InterfaceFound, i)));
  return g_variant_new ("(as)", &names);
}

static GVariant *
make_active_count (const Call *call, gpointer settings, GError **error)
{
  return make_count (call, settings, SHOW_UP, error);
}

static GVariant *
make_inactive_count (const Call *call, gpointer settings, GError **error)
{
  return make_count (call, settings, SHOW_DOWN, error);
}

static GVariant *
make_active_names (const Call *call, gpointer settings, GError **error)
{
  return make_names (call, settings, SHOW_UP, error);
}

static GVariant *
make_inactive_names (const Call *call, gpointer settings, GError **error)
{
  return make_names (call, settings, SHOW_DOWN, error);
}

void
op_connect_num_of_interfaces (Call *call)
{
  interface_call_start (call, 0, make_active_count);
}

void
op_connect_num_of_defined_interfaces (Call *call)
{
  interface_call_start (call, 0, make_inactive_count);
}

void
op_connect_list_interfaces (Call *call)
{
  interface_call_start (call, 0, make_active_names);
}

void
op_connect_list_defined_interfaces (Call *call)
{
  interface_call_start (call, 0, make_inactive_names);
}

static gboolean
passes (guint flags, const InterfaceFound *found)
{
  return object_flag_passes (flags, VIR_CONNECT_LIST_INTERFACES_ACTIVE, VIR_CONNECT_LIST_INTERFACES_INACTIVE,
                             is_active (found));
}

static GVariant *
make_list (const Call *call, gpointer settings, GError **error)
{
  guint flags = call_uint (call, 1), count = 0;
  g_auto (InterfaceView) view = { NULL };
  g_autoptr (GArray) list = NULL;
  GVariantBuilder handles;

  if (!interface_view_open (&view, settings, error))
    return NULL;
  list = list_all (&view, SHOW_ALL);
  g_variant_builder_init (&handles, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < list->len; i++) {
    const InterfaceFound *found = &g_array_index (list, InterfaceFound, i);

    if (!passes (flags, found))
      continue;
    count++;
    if (call_int (call, 0) != 0)
      g_variant_builder_add_value (&handles, interface_found_handle (found));
  }
  return g_variant_new ("(a(ss)u)", &handles, count);
}

void
op_connect_list_all_interfaces (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), LIST_FLAGS))
    interface_call_start (call, 0, make_list);
}

static GVariant *
make_list_of_names (const Call *call, gpointer settings, GError **error)
{
  guint flags = call_uint (call, 0);
  g_auto (InterfaceView) view = { NULL };
  g_autoptr (GArray) list = NULL;
  GVariantBuilder rows;

  if (!interface_view_open (&view, settings, error))
    return NULL;
  list = list_all (&view, SHOW_ALL);
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(ssi)"));
  for (guint i = 0; i < list->len; i++) {
    const InterfaceFound *found = &g_array_index (list, InterfaceFound, i);

    if (passes (flags, found))
      g_variant_builder_add (&rows, "(ssi)", interface_found_name (found), mac_of (found),
                             is_active (found) ? 1 : 0);
  }
  return g_variant_new ("(a(ssi))", &rows);
}

void
op_interface_list_names (Call *call)
{
  if (call_check_flags (call, call_uint (call, 0), LIST_FLAGS))
    interface_call_start (call, 0, make_list_of_names);
}

/* Lookups. */

static GVariant *
make_lookup_by_name (const Call *call, gpointer settings, GError **error)
{
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;

  if (!interface_view_open (&view, settings, error)
      || !interface_view_find_name (&view, call_string (call, 0), &found, error))
    return NULL;
  return g_variant_new ("(@(ss))", interface_found_handle (&found));
}

void
op_interface_lookup_by_name (Call *call)
{
  interface_call_start (call, 0, make_lookup_by_name);
}

static GVariant *
make_lookup_by_mac (const Call *call, gpointer settings, GError **error)
{
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;

  if (!interface_view_open (&view, settings, error)
      || !find_mac (&view, call_string (call, 0), &found, error))
    return NULL;
  return g_variant_new ("(@(ss))", interface_found_handle (&found));
}

void
op_interface_lookup_by_mac_string (Call *call)
{
  interface_call_start (call, 0, make_lookup_by_mac);
}

/* One of them. */

static GVariant *
make_xml (const Call *call, gpointer settings, GError **error)
{
  gboolean inactive = (call_uint (call, 1) & VIR_INTERFACE_XML_INACTIVE) != 0;
  g_auto (InterfaceView) view = { NULL };
  g_autofree char *xml = NULL;
  InterfaceFound found;

  if (!interface_view_open (&view, settings, error) || !interface_view_find (&view, call, &found, error))
    return NULL;
  if (found.def != NULL && (inactive || found.link == NULL)) {
    xml = document_to_xml (&host_interface_document, found.def, 0);
  } else {
    HostInterfaceDef *def = interface_link_describe (view.links, found.link);

    xml = document_to_xml (&host_interface_document, def, 0);
    document_unref (&host_interface_document, def);
  }
  return g_variant_new ("(s)", xml);
}

void
op_interface_get_xml_desc (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), VIR_INTERFACE_XML_INACTIVE))
    interface_call_start (call, 0, make_xml);
}

static GVariant *
make_is_active (const Call *call, gpointer settings, GError **error)
{
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;

  if (!interface_view_open (&view, settings, error) || !interface_view_find (&view, call, &found, error))
    return NULL;
  return g_variant_new ("(i)", is_active (&found) ? 1 : 0);
}

void
op_interface_is_active (Call *call)
{
  interface_call_start (call, 0, make_is_active);
}

static GVariant *
make_name (const Call *call, gpointer settings, GError **error)
{
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;

  if (!interface_view_open (&view, settings, error) || !interface_view_find (&view, call, &found, error))
    return NULL;
  return g_variant_new ("(s)", interface_found_name (&found));
}

void
op_interface_name (Call *call)
{
  interface_call_start (call, 0, make_name);
}

static GVariant *
make_mac (const Call *call, gpointer settings, GError **error)
{
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;

  if (!interface_view_open (&view, settings, error) || !interface_view_find (&view, call, &found, error))
    return NULL;
  return g_variant_new ("(s)", mac_of (&found));
}

void
op_interface_mac (Call *call)
{
  interface_call_start (call, 0, make_mac);
}
