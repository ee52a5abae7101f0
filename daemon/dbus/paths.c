/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Object paths. They are part of the interface: clients keep them, build them from a UUID they know, and take
 * the UUID out of them again. So they are made exactly as libvirt-dbus makes them, for every kind of object,
 * and nothing is remembered: a path means whatever bears its name when it is asked for.
 */
#include "daemon/dbus/paths.h"

#include "base/scalars.h"
#include "daemon/object/child.h"

#include <string.h>

char *
dbus_path_encode (const char *text)
{
  GString *encoded = g_string_new (NULL);

  for (const guchar *at = (const guchar *)text; *at != '\0'; at++) {
    if (g_ascii_isalnum (*at))
      g_string_append_c (encoded, (char)*at);
    else
      g_string_append_printf (encoded, "_%02x", *at);
  }
  return g_string_free (encoded, FALSE);
}

char *
dbus_path_decode (const char *element)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (const char *at = element; *at != '\0'; at++) {
    int high, low;

    if (*at != '_') {
      g_string_append_c (text, *at);
      continue;
    }
    high = g_ascii_xdigit_value (at[1]);
    low = high < 0 ? -1 : g_ascii_xdigit_value (at[2]);
    if (low < 0 || (high == 0 && low == 0))
      return NULL;
    g_string_append_c (text, (char)(high * 16 + low));
    at += 2;
  }
  return g_utf8_validate (text->str, (gssize)text->len, NULL) ? g_string_free (g_steal_pointer (&text), FALSE)
                                                              : NULL;
}

static char *
uuid_element (const char *uuid)
{
  return g_strdelimit (g_strconcat ("_", uuid, NULL), "-", '_');
}

/* The 16 bytes of a UUID as an element. */
static char *
uuid_bytes_element (GVariant *bytes)
{
  gsize length;
  const guint8 *data = g_variant_get_fixed_array (bytes, &length, 1);
  char text[UUID_TEXT];

  g_return_val_if_fail (length == UUID_BYTES, g_strdup ("_"));
  uuid_format (data, text);
  return uuid_element (text);
}

char *
dbus_path_of_uuid (const ObjectKind *kind, const char *uuid)
{
  g_autofree char *element = uuid_element (uuid);

  return g_strconcat (DBUS_ROOT "/", kind->path_element, "/", element, NULL);
}

/* A child's path has its owner's UUID and its own name in one element. */
static char *
path_of_child (const ObjectKind *kind, GVariant *handle)
{
  g_autoptr (GVariant) owner_handle = g_variant_get_child_value (handle, 1);
  g_autoptr (GVariant) uuid = g_variant_get_child_value (owner_handle, kind->child->owner->key);
  g_autofree char *owner = uuid_bytes_element (uuid), *name = NULL;
  const char *text;

  g_variant_get_child (handle, 0, "&s", &text);
  name = dbus_path_encode (text);
  return g_strconcat (DBUS_ROOT "/", kind->path_element, "/", owner, "_", name, NULL);
}

char *
dbus_path_of_handle (const ObjectKind *kind, GVariant *handle)
{
  g_autoptr (GVariant) key = g_variant_get_child_value (handle, kind->key);
  g_autofree char *element = NULL;

  if (kind->child != NULL)
    return path_of_child (kind, handle);

  if (!g_variant_is_of_type (key, G_VARIANT_TYPE_STRING)) {
    element = uuid_bytes_element (key);
  } else if (g_variant_get_size (key) > 1) {
    element = dbus_path_encode (g_variant_get_string (key, NULL));
  } else { /* a host's interface without a MAC address: its name */
    g_autoptr (GVariant) name = g_variant_get_child_value (handle, 0);

    element = dbus_path_encode (g_variant_get_string (name, NULL));
  }
  return g_strconcat (DBUS_ROOT "/", kind->path_element, "/", element, NULL);
}

gboolean
dbus_path_exists (const Shape *shape)
{
  const ObjectKind *kind = object_kind_of_letter (shape->letter);

  return kind != NULL && kind->path_element != NULL;
}

char *
dbus_path_of (const Shape *shape, GVariant *object)
{
  const ObjectKind *kind = object_kind_of_letter (shape->letter);

  return kind != NULL && kind->path_element != NULL ? dbus_path_of_handle (kind, object) : NULL;
}

/* "_87291af1_..._name" as "87291af1-.../name". */
static char *
child_key_of (const char *element, GError **error)
{
  gsize length = strnlen (element, UUID_TEXT);
  g_autofree char *owner = g_strndup (element, length);
  g_autofree char *uuid = dbus_path_uuid (owner, error);
  g_autofree char *name = NULL;

  if (uuid == NULL)
    return NULL;
  name = element[length] == '_' ? dbus_path_decode (element + length + 1) : NULL;
  if (name == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "'%s' in the object's path is not the UUID of an object, '_' and an encoded name",
                    element);
  return name != NULL ? g_strconcat (uuid, "/", name, NULL) : NULL;
}

char *
dbus_path_key (const ObjectKind *kind, const char *element, GError **error)
{
  char *key;

  if (kind->child != NULL)
    return child_key_of (element, error);
  if (object_key_is_uuid (kind))
    return dbus_path_uuid (element, error);
  key = dbus_path_decode (element);
  if (key == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "'%s' in the object's path is no encoded key", element);
  return key;
}

char *
dbus_path_uuid (const char *element, GError **error)
{
  guint8 bytes[UUID_BYTES];
  char text[UUID_TEXT];

  if (element[0] == '_' && strlen (element) == UUID_TEXT) {
    g_autofree char *dashed = g_strdelimit (g_strdup (element + 1), "_", '-');
    if (uuid_parse (dashed, bytes)) {
      uuid_format (bytes, text);
      return g_strdup (text);
    }
  }
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "Invalid UUID: '%s' in the object's path is not '_' and a UUID with '_' for each '-'",
                  element);
  return NULL;
}
