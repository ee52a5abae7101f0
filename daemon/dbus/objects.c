/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The objects on the bus: the root, and below it one for each domain. Domains are a subtree: no object is
 * registered for any of them, a path is looked up when it is called. So ten thousand domains cost nothing
 * here, a path of a forgotten domain answers with libvirt's own error, and none can be left behind.
 */
#include "daemon/dbus/private.h"

#include <string.h>

/* One call of a method that is an operation. */
typedef struct {
  DbusClient *client;
  GDBusMethodInvocation *invocation;
} MethodCall;

static void
method_answered (GVariant *answer, GUnixFDList *descriptors, const GError *error, gpointer data)
{
  g_autofree MethodCall *call = data;

  if (answer != NULL)
    g_dbus_method_invocation_return_value_with_unix_fd_list (call->invocation, answer, descriptors);
  else
    dbus_return_error (call->invocation, error);
  dbus_client_end (call->client);
}

/* Ends @client. */
static void
call_operation (DbusClient *client, const char *uuid, const char *interface, const char *member,
                GVariant *parameters, GDBusMethodInvocation *invocation)
{
  const GDBusMethodInfo *info = g_dbus_method_invocation_get_method_info (invocation);
  const Operation *operation = dbus_operation (interface, member, "");
  g_autoptr (GVariantType) out = dbus_arguments_type (info->out_args);
  g_autoptr (GError) error = NULL;
  MethodCall *call;

  if (operation == NULL) {
    virt_error_set (&error, VIR_ERR_NO_SUPPORT, "%s.%s", interface, member);
    dbus_return_error (invocation, error);
    dbus_client_end (client);
    return;
  }
  call = g_new0 (MethodCall, 1);
  *call = (MethodCall){ client, invocation };
  dbus_call (client, operation, uuid, parameters, out, method_answered, call);
}

static DbusClient *
begin (DbusServer *server, const char *sender, GDBusMethodInvocation *invocation)
{
  DbusClient *client = dbus_client_begin (server, sender != NULL ? sender : "");

  if (client == NULL)
    g_dbus_method_invocation_return_error (
        invocation, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED,
        "%d calls of this client wait for their answers: no more until one has it", DBUS_CALLS_PER_CLIENT);
  return client;
}

static void
dispatch (DbusServer *server, const char *sender, const char *uuid, const char *interface, const char *method,
          GVariant *parameters, GDBusMethodInvocation *invocation)
{
  DbusClient *client = begin (server, sender, invocation);

  if (client == NULL)
    return;
  if (strcmp (interface, "org.freedesktop.DBus.Properties") == 0)
    dbus_properties_call (client, uuid, method, parameters, invocation);
  else if (strcmp (interface, "org.freedesktop.DBus.ObjectManager") == 0)
    dbus_managed_objects (client, invocation);
  else
    call_operation (client, uuid, interface, method, parameters, invocation);
}

static void
root_method (GDBusConnection *connection G_GNUC_UNUSED, const char *sender, const char *path G_GNUC_UNUSED,
             const char *interface, const char *method, GVariant *parameters,
             GDBusMethodInvocation *invocation, gpointer server)
{
  dispatch (server, sender, NULL, interface, method, parameters, invocation);
}

static void
domain_method (GDBusConnection *connection G_GNUC_UNUSED, const char *sender, const char *path,
               const char *interface, const char *method, GVariant *parameters,
               GDBusMethodInvocation *invocation, gpointer server)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uuid = dbus_path_uuid (strrchr (path, '/') + 1, &error);

  if (uuid == NULL)
    dbus_return_error (invocation, error);
  else
    dispatch (server, sender, uuid, interface, method, parameters, invocation);
}

/* No functions for properties: GDBus then calls the method function for them too. */
static const GDBusInterfaceVTable root_vtable = { .method_call = root_method };
static const GDBusInterfaceVTable domain_vtable = { .method_call = domain_method };

static char **
domains_enumerate (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
                   const char *path G_GNUC_UNUSED, gpointer data)
{
  DbusServer *server = data;
  g_autoptr (GPtrArray) domains = manager_list (server->manager);
  GStrvBuilder *elements = g_strv_builder_new ();
  char **result;

  for (guint i = 0; i < domains->len; i++) {
    g_autofree char *domain_path = dbus_path_of_domain (((const Domain *)domains->pdata[i])->uuid);
    g_strv_builder_add (elements, domain_path + strlen (DBUS_DOMAINS "/"));
  }
  result = g_strv_builder_end (elements);
  g_strv_builder_unref (elements);
  return result;
}

static GDBusInterfaceInfo **
domains_introspect (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
                    const char *path G_GNUC_UNUSED, const char *node, gpointer data G_GNUC_UNUSED)
{
  GDBusInterfaceInfo **infos;
  guint count = g_strv_length ((char **)dbus_domain_interfaces);

  if (node == NULL)
    return NULL;
  infos = g_new0 (GDBusInterfaceInfo *, count + 1);
  for (guint i = 0; i < count; i++)
    infos[i] = g_dbus_interface_info_ref (dbus_interface_info (dbus_domain_interfaces[i]));
  return infos;
}

static const GDBusInterfaceVTable *
domains_dispatch (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
                  const char *path G_GNUC_UNUSED, const char *interface G_GNUC_UNUSED, const char *node,
                  gpointer *ret_data, gpointer data)
{
  *ret_data = data;
  return node != NULL ? &domain_vtable : NULL;
}

static const GDBusSubtreeVTable domains_vtable = { .enumerate = domains_enumerate,
                                                   .introspect = domains_introspect,
                                                   .dispatch = domains_dispatch };

gboolean
dbus_objects_register (DbusServer *server, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (server->objects); i++) {
    server->objects[i] = g_dbus_connection_register_object (server->connection, DBUS_ROOT,
                                                            dbus_interface_info (dbus_root_interfaces[i]),
                                                            &root_vtable, server, NULL, error);
    if (server->objects[i] == 0)
      return FALSE;
  }
  server->subtree = g_dbus_connection_register_subtree (server->connection, DBUS_DOMAINS, &domains_vtable,
                                                        G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                                        server, NULL, error);
  return server->subtree != 0;
}

void
dbus_objects_unregister (DbusServer *server)
{
  for (guint i = 0; i < G_N_ELEMENTS (server->objects); i++)
    if (server->objects[i] != 0)
      g_dbus_connection_unregister_object (server->connection, server->objects[i]);
  if (server->subtree != 0)
    g_dbus_connection_unregister_subtree (server->connection, server->subtree);
  memset (server->objects, 0, sizeof server->objects);
  server->subtree = 0;
}
