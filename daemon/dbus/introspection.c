/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the interfaces are: the introspection files in data/dbus, compiled into the program. They are the only
 * place where members and signatures are written down; GDBus checks every call against them before we see it,
 * and the codec makes its plans from them.
 */
#include "daemon/dbus/dbus-resources.h"
#include "daemon/dbus/private.h"

#include <string.h>

const char *const dbus_root_interfaces[] = { "org.libvirt.Connect", "org.domaind1.Connect",
                                             "org.freedesktop.DBus.ObjectManager", NULL };

static GDBusInterfaceInfo *
load (const char *name)
{
  g_autofree char *path = g_strconcat ("/org/domaind/dbus/", name, ".xml", NULL);
  g_autoptr (GBytes) bytes =
      g_resource_lookup_data (domaind_dbus_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_autoptr (GDBusNodeInfo) node = NULL;
  g_autoptr (GError) error = NULL;
  GDBusInterfaceInfo *info;

  g_assert (bytes != NULL);
  node = g_dbus_node_info_new_for_xml (g_bytes_get_data (bytes, NULL), &error);
  if (node == NULL)
    g_error ("%s: %s", path, error->message);
  info = g_dbus_interface_info_ref (g_dbus_node_info_lookup_interface (node, name));
  g_dbus_interface_info_cache_build (info);
  return info;
}

GDBusInterfaceInfo *
dbus_interface_info (const char *name)
{
  static GHashTable *known;
  GDBusInterfaceInfo *info;

  if (known == NULL)
    known = g_hash_table_new (g_str_hash, g_str_equal);
  info = g_hash_table_lookup (known, name);
  if (info == NULL) {
    info = load (name);
    g_hash_table_insert (known, info->name, info);
  }
  return info;
}

GVariantType *
dbus_arguments_type (GDBusArgInfo **arguments)
{
  g_autoptr (GString) type = g_string_new ("(");

  for (GDBusArgInfo **argument = arguments; argument != NULL && *argument != NULL; argument++)
    g_string_append (type, (*argument)->signature);
  g_string_append_c (type, ')');
  return g_variant_type_new (type->str);
}

const Operation *
dbus_operation (const char *interface, const char *member, const char *suffix)
{
  const char *prefix = "org.libvirt.";
  g_autofree char *name = g_strconcat (member, suffix, NULL);

  return operation_by_member (g_str_has_prefix (interface, prefix) ? interface + strlen (prefix) : interface,
                              name);
}
