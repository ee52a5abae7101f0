/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Properties. Each is an operation like any other, so reading one can take its time, and GetAll gathers as
 * many calls. GDBus hands all three methods of the Properties interface over, having checked the names and
 * the access.
 *
 * GetAll on org.libvirt's interfaces answers each value as a variant in a variant. That is an old mistake of
 * libvirt-dbus, and its clients take the values out twice; our own interfaces answer as D-Bus means it.
 */
#include "daemon/dbus/private.h"

#include <string.h>

#include "wire/typed-parameters.h"

/* One call of Get or Set. */
typedef struct {
  DbusClient *client;
  GDBusMethodInvocation *invocation;
  gboolean get;
} PropertyCall;

static void
property_answered (GVariant *answer, GUnixFDList *descriptors G_GNUC_UNUSED, const GError *error,
                   gpointer data)
{
  g_autofree PropertyCall *call = data;

  if (answer == NULL) {
    dbus_return_error (call->invocation, error);
  } else if (call->get) {
    g_autoptr (GVariant) value = g_variant_get_child_value (answer, 0);
    g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(v)", value));
  } else {
    g_dbus_method_invocation_return_value (call->invocation, NULL);
  }
  dbus_client_end (call->client);
}

static void
return_unsupported (GDBusMethodInvocation *invocation, const char *interface, const char *property)
{
  g_autoptr (GError) error = NULL;

  virt_error_set (&error, VIR_ERR_NO_SUPPORT, "%s.%s", interface, property);
  dbus_return_error (invocation, error);
}

static void
get_or_set (DbusClient *client, const DbusObject *object, gboolean get, GVariant *parameters,
            GDBusMethodInvocation *invocation)
{
  const GDBusPropertyInfo *info = g_dbus_method_invocation_get_property_info (invocation);
  g_autofree char *tuple = g_strconcat ("(", info->signature, ")", NULL);
  g_autoptr (GVariant) value = NULL, arguments = NULL;
  const char *interface, *property;
  const Operation *operation;
  PropertyCall *call;

  if (get) {
    g_variant_get (parameters, "(&s&s)", &interface, &property);
    arguments = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  } else {
    g_variant_get (parameters, "(&s&sv)", &interface, &property, &value);
    if (!g_variant_is_of_type (value, G_VARIANT_TYPE (info->signature))) {
      g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                             "Property %s is of type '%s', not '%s'", property,
                                             info->signature, g_variant_get_type_string (value));
      dbus_client_end (client);
      return;
    }
    arguments = g_variant_ref_sink (g_variant_new_tuple (&value, 1));
  }

  operation = dbus_operation (interface, property, get ? "" : "=");
  if (operation == NULL) {
    return_unsupported (invocation, interface, property);
    dbus_client_end (client);
    return;
  }
  call = g_new0 (PropertyCall, 1);
  *call = (PropertyCall){ client, invocation, get };
  dbus_call (client, operation, object, arguments, NULL, get ? G_VARIANT_TYPE (tuple) : G_VARIANT_TYPE_UNIT,
             property_answered, call);
}

/* All properties of an interface on their way. */
typedef struct {
  guint pending;     /* answers to come, and one for the asking itself */
  guint count;       /* properties of the interface */
  GVariant **values; /* in the interface's order; NULL: not had */
  GDBusInterfaceInfo *interface;
  DbusGathered gathered;
  gpointer data;
} Gathering;

typedef struct {
  Gathering *gathering;
  guint position;
} GatheringItem;

static void
gathering_step (Gathering *gathering)
{
  GVariantBuilder properties;
  g_autoptr (GVariant) all = NULL;

  if (--gathering->pending > 0)
    return;
  g_variant_builder_init (&properties, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < gathering->count; i++) {
    if (gathering->values[i] != NULL)
      g_variant_builder_add (&properties, "{sv}", gathering->interface->properties[i]->name,
                             gathering->values[i]);
    g_clear_pointer (&gathering->values[i], g_variant_unref);
  }
  all = g_variant_ref_sink (g_variant_builder_end (&properties));
  gathering->gathered (all, gathering->data);
  g_free (gathering->values);
  g_free (gathering);
}

static void
gathering_answered (GVariant *answer, GUnixFDList *descriptors G_GNUC_UNUSED,
                    const GError *error G_GNUC_UNUSED, gpointer data)
{
  g_autofree GatheringItem *item = data;

  if (answer != NULL)
    item->gathering->values[item->position] = g_variant_get_child_value (answer, 0);
  gathering_step (item->gathering);
}

void
dbus_properties_gather (DbusClient *client, const DbusObject *object, const char *interface,
                        DbusGathered gathered, gpointer data)
{
  g_autoptr (GVariant) nothing = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  Gathering *gathering = g_new0 (Gathering, 1);
  GDBusPropertyInfo **properties;

  gathering->interface = dbus_interface_info (interface);
  gathering->gathered = gathered;
  gathering->data = data;
  gathering->pending = 1;
  properties = gathering->interface->properties;
  while (properties != NULL && properties[gathering->count] != NULL)
    gathering->count++;
  gathering->values = g_new0 (GVariant *, gathering->count + 1);
  for (guint i = 0; i < gathering->count; i++) {
    const Operation *operation = dbus_operation (interface, properties[i]->name, "");
    g_autofree char *tuple = g_strconcat ("(", properties[i]->signature, ")", NULL);
    GatheringItem *item;

    if (operation == NULL)
      continue;
    item = g_new0 (GatheringItem, 1);
    *item = (GatheringItem){ gathering, i };
    gathering->pending++;
    dbus_call (client, operation, object, nothing, NULL, G_VARIANT_TYPE (tuple), gathering_answered, item);
  }
  gathering_step (gathering);
}

/* One call of GetAll. */
typedef struct {
  DbusClient *client;
  GDBusMethodInvocation *invocation;
  gboolean wrapped;
} AllCall;

static void
all_gathered (GVariant *properties, gpointer data)
{
  g_autofree AllCall *call = data;
  GVariant *answer = call->wrapped ? typed_parameters_wrap (properties) : properties;

  g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(@a{sv})", answer));
  dbus_client_end (call->client);
}

static void
get_all (DbusClient *client, const DbusObject *object, GVariant *parameters,
         GDBusMethodInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) found = NULL;
  const char *interface;
  AllCall *call;

  if (object != NULL
      && (found =
              manager_find_handle (dbus_client_server (client)->manager, object->kind, object->key, &error))
             == NULL) {
    dbus_return_error (invocation, error);
    dbus_client_end (client);
    return;
  }
  g_variant_get (parameters, "(&s)", &interface);
  call = g_new0 (AllCall, 1);
  *call = (AllCall){ client, invocation, g_str_has_prefix (interface, DBUS_NAME ".") };
  dbus_properties_gather (client, object, interface, all_gathered, call);
}

void
dbus_properties_call (DbusClient *client, const DbusObject *object, const char *method, GVariant *parameters,
                      GDBusMethodInvocation *invocation)
{
  if (strcmp (method, "GetAll") == 0)
    get_all (client, object, parameters, invocation);
  else
    get_or_set (client, object, strcmp (method, "Get") == 0, parameters, invocation);
}
