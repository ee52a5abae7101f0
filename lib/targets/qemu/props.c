/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON objects written as one expression: name, type, value, name, type, value, ... NULL. A device's
 * properties are a list of such triples, many of them only there when the document said something, so "leave
 * it out when it is not set" is part of the type and not an if around each line.
 */
#include "base/enum-table.h"
#include "base/scalars.h"
#include "targets/qemu/recipe.h"

#include <string.h>

static void
add_number (JsonObject *object, const char *name, const Number *number)
{
  if (number->set)
    json_object_set_int_member (object, name, (gint64)number->value);
}

static void
add_tristate (JsonObject *object, const char *name, int value, gboolean as_text)
{
  if (value == TRISTATE_ABSENT)
    return;
  if (as_text)
    json_object_set_string_member (object, name, value == TRISTATE_YES ? "on" : "off");
  else
    json_object_set_boolean_member (object, name, value == TRISTATE_YES);
}

static void
add_integer (JsonObject *object, const char *name, gint64 value, gboolean optional)
{
  if (!optional || value != 0)
    json_object_set_int_member (object, name, value);
}

static void
add_list (JsonObject *object, va_list list, const char *name)
{
  for (; name != NULL; name = va_arg (list, const char *)) {
    const char *type = va_arg (list, const char *);
    gboolean optional = *type == '?';
    gpointer pointer;
    gboolean truth;

    switch (type[optional]) {
      case 's':
        if ((pointer = va_arg (list, char *)) != NULL || !optional)
          json_object_set_string_member (object, name, pointer);
        break;
      case 'i':
        add_integer (object, name, va_arg (list, int), optional);
        break;
      case 'u':
        add_integer (object, name, va_arg (list, guint), optional);
        break;
      case 't':
        add_integer (object, name, (gint64)va_arg (list, guint64), optional);
        break;
      case 'b':
        if ((truth = va_arg (list, gboolean)) || !optional)
          json_object_set_boolean_member (object, name, truth);
        break;
      case 'o':
        if ((pointer = va_arg (list, JsonObject *)) != NULL || !optional)
          json_object_set_object_member (object, name, pointer);
        break;
      case 'a':
        if ((pointer = va_arg (list, JsonArray *)) != NULL || !optional)
          json_object_set_array_member (object, name, pointer);
        break;
      case 'n':
        json_object_set_null_member (object, name);
        break;
      case 'N':
        add_number (object, name, va_arg (list, const Number *));
        break;
      case 'T':
        add_tristate (object, name, va_arg (list, int), FALSE);
        break;
      case 'O':
        add_tristate (object, name, va_arg (list, int), TRUE);
        break;
      default:
        g_error ("props: property '%s' has the unknown type '%s'", name, type);
    }
  }
}

JsonObject *
props (const char *name, ...)
{
  JsonObject *object = json_object_new ();
  va_list list;

  va_start (list, name);
  add_list (object, list, name);
  va_end (list);
  return object;
}

void
props_add (JsonObject *object, const char *name, ...)
{
  va_list list;

  va_start (list, name);
  add_list (object, list, name);
  va_end (list);
}
