/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The objects on the bus: the root, and below it the objects of each kind that has an interface. Each kind is
 * a subtree: no object is registered for any of them, a path is looked up when it is called. So ten thousand
 * domains cost nothing here, a path of a forgotten one answers with libvirt's own error, and none can be left
 * behind.
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
call_operation (DbusClient *client, const DbusObject *object, const char *interface, const char *member,
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
  dbus_call (client, operation, object, parameters,
             g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation)), out,
             method_answered, call);
}

/* A call that waits to be known by its user. */
typedef struct {
  DbusServer *server;
  const ObjectKind *kind; /* NULL: it is about no object */
  char *key;
  GDBusMethodInvocation *invocation; /* taken */
} Arrived;

static void
arrived_free (gpointer data)
{
  Arrived *arrived = data;

  g_free (arrived->key);
  g_free (arrived);
}

/* The bus it came by is gone. */
static void
arrived_drop (gpointer data)
{
  g_object_unref (((Arrived *)data)->invocation);
  arrived_free (data);
}

static void
identified (uid_t uid, gpointer data)
{
  const Arrived *arrived = data;
  GDBusMethodInvocation *invocation = arrived->invocation;
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  const char *interface = g_dbus_method_invocation_get_interface_name (invocation);
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  GVariant *parameters = g_dbus_method_invocation_get_parameters (invocation);
  const DbusObject about = { arrived->kind, arrived->key };
  const DbusObject *object = arrived->kind != NULL ? &about : NULL;
  g_autoptr (GError) error = NULL;
  DbusClient *client = dbus_client_begin (arrived->server, sender != NULL ? sender : "", uid, &error);

  if (client == NULL)
    g_dbus_method_invocation_return_gerror (invocation, error);
  else if (strcmp (interface, "org.freedesktop.DBus.Properties") == 0)
    dbus_properties_call (client, object, method, parameters, invocation);
  else if (strcmp (interface, "org.freedesktop.DBus.ObjectManager") == 0)
    dbus_managed_objects (client, invocation);
  else
    call_operation (client, object, interface, method, parameters, invocation);
  arrived_free (data);
}

static void
dispatch (DbusServer *server, const char *sender, const DbusObject *object, GDBusMethodInvocation *invocation)
{
  Arrived *arrived = g_new0 (Arrived, 1);

  arrived->server = server;
  arrived->kind = object != NULL ? object->kind : NULL;
  arrived->key = object != NULL ? g_strdup (object->key) : NULL;
  arrived->invocation = invocation;
  dbus_identify (server, sender != NULL ? sender : "", identified, arrived_drop, arrived);
}

static void
root_method (GDBusConnection *connection G_GNUC_UNUSED, const char *sender, const char *path G_GNUC_UNUSED,
             const char *interface G_GNUC_UNUSED, const char *method G_GNUC_UNUSED,
             GVariant *parameters G_GNUC_UNUSED, GDBusMethodInvocation *invocation, gpointer server)
{
  dispatch (server, sender, NULL, invocation);
}

/* What the functions of a subtree get. */
typedef struct {
  DbusServer *server;
  const ObjectKind *kind;
} Subtree;

static void
object_method (GDBusConnection *connection G_GNUC_UNUSED, const char *sender, const char *path,
               const char *interface G_GNUC_UNUSED, const char *method G_GNUC_UNUSED,
               GVariant *parameters G_GNUC_UNUSED, GDBusMethodInvocation *invocation, gpointer data)
{
  const Subtree *subtree = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *key = dbus_path_key (subtree->kind, strrchr (path, '/') + 1, &error);
  const DbusObject object = { subtree->kind, key };

  if (key == NULL)
    dbus_return_error (invocation, error);
  else
    dispatch (subtree->server, sender, &object, invocation);
}

/* No functions for properties: GDBus then calls the method function for them too. */
static const GDBusInterfaceVTable root_vtable = { .method_call = root_method };
static const GDBusInterfaceVTable object_vtable = { .method_call = object_method };

static char **
subtree_enumerate (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
                   const char *path G_GNUC_UNUSED, gpointer data)
{
  const Subtree *subtree = data;
  g_autoptr (GPtrArray) handles = manager_list_handles (subtree->server->manager, subtree->kind);
  char **elements = g_new0 (char *, handles->len + 1);

  for (guint i = 0; i < handles->len; i++) {
    g_autofree char *object = dbus_path_of_handle (subtree->kind, g_ptr_array_index (handles, i));

    elements[i] = g_strdup (strrchr (object, '/') + 1);
  }
  return elements;
}

static GDBusInterfaceInfo **
subtree_introspect (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
                    const char *path G_GNUC_UNUSED, const char *node, gpointer data)
{
  const Subtree *subtree = data;
  const char *const *interfaces = subtree->kind->interfaces;
  GDBusInterfaceInfo **infos;
  guint count = g_strv_length ((char **)interfaces);

  if (node == NULL)
    return NULL;
  infos = g_new0 (GDBusInterfaceInfo *, count + 1);
  for (guint i = 0; i < count; i++)
    infos[i] = g_dbus_interface_info_ref (dbus_interface_info (interfaces[i]));
  return infos;
}

static const GDBusInterfaceVTable *
subtree_dispatch (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
                  const char *path G_GNUC_UNUSED, const char *interface G_GNUC_UNUSED, const char *node,
                  gpointer *ret_data, gpointer data)
{
  *ret_data = data;
  return node != NULL ? &object_vtable : NULL;
}

static const GDBusSubtreeVTable subtree_vtable = { .enumerate = subtree_enumerate,
                                                   .introspect = subtree_introspect,
                                                   .dispatch = subtree_dispatch };

static gboolean
register_subtree (DbusServer *server, const ObjectKind *kind, GError **error)
{
  const Subtree subtree = { server, kind };
  g_autofree char *path = g_strconcat (DBUS_ROOT "/", kind->path_element, NULL);
  guint id = g_dbus_connection_register_subtree (server->connection, path, &subtree_vtable,
                                                 G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                                 g_memdup2 (&subtree, sizeof subtree), g_free, error);

  if (id != 0)
    g_array_append_val (server->subtrees, id);
  return id != 0;
}

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
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->interfaces != NULL && !register_subtree (server, *kind, error))
      return FALSE;
  return TRUE;
}

void
dbus_objects_unregister (DbusServer *server)
{
  for (guint i = 0; i < G_N_ELEMENTS (server->objects); i++)
    if (server->objects[i] != 0)
      g_dbus_connection_unregister_object (server->connection, server->objects[i]);
  for (guint i = 0; i < server->subtrees->len; i++)
    g_dbus_connection_unregister_subtree (server->connection, g_array_index (server->subtrees, guint, i));
  memset (server->objects, 0, sizeof server->objects);
  g_array_set_size (server->subtrees, 0);
}
