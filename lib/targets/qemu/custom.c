/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a document says to QEMU past the format (<qemu:commandline> and its like), and the words of -device
 * and -netdev, which are what it most often reaches into. A device is said in JSON, but QEMU's -set finds
 * only what was said as options: so what is named by a -set of the document, or where the document takes the
 * capability away, is said as options too. Properties of the document's own come last and win.
 */
#include "targets/qemu/recipe-private.h"

#include <stdlib.h>
#include <string.h>

#define DEVICE_JSON "device.json"
#define NETDEV_JSON "netdev.json"
#define SET_DEVICE  "device."

/* (transfer container): the names are the definition's. */
static char **
capability_names (const GPtrArray *capabilities)
{
  guint count = capabilities != NULL ? capabilities->len : 0;
  char **names = g_new0 (char *, count + 1);

  for (guint i = 0; i < count; i++)
    names[i] = ((QemuCapability *)g_ptr_array_index (capabilities, i))->name;
  return names;
}

QemuCaps *
custom_caps (const DomainDef *def, const QemuCaps *caps)
{
  const DomainQemuNamespace *said = &def->qemu;
  g_autofree char **added = capability_names (said->added);
  g_autofree char **lacked = capability_names (said->lacked);

  if (said->added == NULL && said->lacked == NULL)
    return qemu_caps_ref ((QemuCaps *)caps);
  return qemu_caps_adjust ((QemuCaps *)caps, (const char *const *)added, (const char *const *)lacked);
}

static gboolean
check_names (const GPtrArray *capabilities, GError **error)
{
  for (guint i = 0; capabilities != NULL && i < capabilities->len; i++) {
    const char *name = ((const QemuCapability *)g_ptr_array_index (capabilities, i))->name;
    const char *nearest = qemu_caps_is_name (name) ? NULL : nearest_word (name, qemu_capability_names);

    if (qemu_caps_is_name (name))
      continue;
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "invalid qemu namespace capability '%s'%s%s%s", name,
                    nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "'?" : "");
    return FALSE;
  }
  return TRUE;
}

gboolean
custom_check (Recipe *recipe, GError **error)
{
  const DomainQemuNamespace *said = &recipe_def (recipe)->qemu;

  return check_names (said->added, error) && check_names (said->lacked, error);
}

void
recipe_add_deprecation (Recipe *recipe)
{
  const char *behavior = recipe_def (recipe)->qemu.deprecation;

  if (behavior == NULL || strcmp (behavior, "none") == 0)
    return;
  if (strcmp (behavior, "omit") == 0)
    recipe_option (recipe, "-compat", "{\"deprecated-output\":\"hide\"}");
  else if (strcmp (behavior, "reject") == 0 || strcmp (behavior, "crash") == 0)
    recipe_option (recipe, "-compat", "{\"deprecated-output\":\"hide\",\"deprecated-input\":\"%s\"}",
                   behavior);
  else
    recipe_warn (recipe,
                 "<qemu:deprecation behavior='%s'> is none of 'omit', 'reject', 'crash' and 'none': it is "
                 "passed over",
                 behavior);
}

void
recipe_add_custom (Recipe *recipe)
{
  const DomainQemuNamespace *said = &recipe_def (recipe)->qemu;

  for (guint i = 0; said->environment != NULL && i < said->environment->len; i++) {
    const QemuVariable *variable = g_ptr_array_index (said->environment, i);

    recipe_environment (recipe, variable->name, variable->value != NULL ? variable->value : "");
  }
  for (guint i = 0; said->arguments != NULL && i < said->arguments->len; i++)
    recipe_option (recipe, ((const QemuArgument *)g_ptr_array_index (said->arguments, i))->value, NULL);
}

/* "-set" "device.ID.PROPERTY=VALUE" */
static gboolean
is_set_by_argument (const DomainQemuNamespace *said, const char *id)
{
  for (guint i = 0; said->arguments != NULL && i + 1 < said->arguments->len; i++) {
    const char *option = ((const QemuArgument *)g_ptr_array_index (said->arguments, i))->value;
    const char *value = ((const QemuArgument *)g_ptr_array_index (said->arguments, i + 1))->value;

    if (strcmp (option, "-set") != 0 && strcmp (option, "--set") != 0)
      continue;
    if (g_str_has_prefix (value, SET_DEVICE) && g_str_has_prefix (value + strlen (SET_DEVICE), id)
        && value[strlen (SET_DEVICE) + strlen (id)] == '.')
      return TRUE;
  }
  return FALSE;
}

static JsonNode *
property_node (const QemuProperty *property, gboolean *ret_too_large)
{
  JsonNode *node = json_node_new (JSON_NODE_VALUE);
  gboolean on = FALSE;
  guint64 number;

  switch (property->type) {
    case OVERRIDE_SIGNED:
      json_node_set_int (node, g_ascii_strtoll (property->value, NULL, 0));
      break;
    case OVERRIDE_UNSIGNED:
      number = g_ascii_strtoull (property->value, NULL, 0);
      if (number > G_MAXINT64)
        *ret_too_large = TRUE;
      if (number > G_MAXINT64)
        json_node_set_string (node, property->value);
      else
        json_node_set_int (node, (gint64)number);
      break;
    case OVERRIDE_BOOL:
      qemu_override_bool (property->value, &on);
      json_node_set_boolean (node, on);
      break;
    default:
      json_node_set_string (node, property->value);
  }
  return node;
}

/* @object with the document's own properties. A number that JSON has no room for here is left as its text,
 * and
 * @ret_too_large set. (transfer full) */
static JsonObject *
override (const DomainQemuNamespace *said, JsonObject *object, gboolean *ret_too_large)
{
  const char *id = json_object_get_string_member_with_default (object, "id", NULL);
  JsonObject *own = NULL;

  for (guint i = 0; id != NULL && said->overrides != NULL && i < said->overrides->len; i++) {
    const QemuOverride *row = g_ptr_array_index (said->overrides, i);

    if (strcmp (row->alias, id) != 0)
      continue;
    if (own == NULL) {
      g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
      g_autoptr (JsonNode) copy = NULL;
      g_autofree char *text = json_to_string (node, FALSE);

      copy = json_from_string (text, NULL);
      own = json_node_dup_object (copy);
    }
    for (guint p = 0; row->properties != NULL && p < row->properties->len; p++) {
      const QemuProperty *property = g_ptr_array_index (row->properties, p);

      if (json_object_has_member (own, property->name))
        json_object_remove_member (own, property->name);
      if (property->type != OVERRIDE_REMOVE)
        json_object_set_member (own, property->name, property_node (property, ret_too_large));
    }
  }
  return own != NULL ? own : json_object_ref (object);
}

static gboolean append_options (GString *text, const char *prefix, JsonObject *object, const char *first);

static gboolean
append_list (GString *text, const char *name, JsonArray *array)
{
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    const char *value = object != NULL ? json_object_get_string_member_with_default (object, "str", NULL)
                        : json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                           : NULL;
    g_autofree char *escaped = value != NULL ? option_escape (value) : NULL;

    if (escaped == NULL)
      return FALSE;
    g_string_append_printf (text, ",%s=%s", name, escaped);
  }
  return TRUE;
}

static gboolean
append_value (GString *text, const char *name, JsonNode *node)
{
  g_autofree char *escaped = NULL, *prefix = NULL;

  if (JSON_NODE_HOLDS_ARRAY (node))
    return append_list (text, name, json_node_get_array (node));
  if (JSON_NODE_HOLDS_OBJECT (node)) {
    prefix = g_strconcat (name, ".", NULL);
    return append_options (text, prefix, json_node_get_object (node), NULL);
  }
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    g_string_append_printf (text, ",%s=%s", name, json_node_get_boolean (node) ? "on" : "off");
  else if (json_node_get_value_type (node) == G_TYPE_INT64)
    g_string_append_printf (text, ",%s=%" G_GINT64_FORMAT, name, json_node_get_int (node));
  else if (json_node_get_value_type (node) == G_TYPE_STRING) {
    escaped = option_escape (json_node_get_string (node));
    g_string_append_printf (text, ",%s=%s", name, escaped);
  } else
    return FALSE;
  return TRUE;
}

/* FALSE when options have no words for it. The member @first was said. */
static gboolean
append_options (GString *text, const char *prefix, JsonObject *object, const char *first)
{
  JsonObjectIter iter;
  const char *member;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &member, &node)) {
    g_autofree char *name = g_strconcat (prefix, member, NULL);

    if (g_strcmp0 (member, first) != 0 && !append_value (text, name, node))
      return FALSE;
  }
  return TRUE;
}

/* "virtio-net-pci,netdev=hostnet0,id=net0"; NULL when it can only be said in JSON. */
static char *
to_options (JsonObject *object, const char *first)
{
  g_autoptr (GString) text = g_string_new (json_object_get_string_member_with_default (object, first, ""));

  if (!append_options (text, "", object, first))
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
to_json (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  return json_to_string (node, FALSE);
}

char *
custom_device (const Recipe *recipe, JsonObject *properties)
{
  const DomainQemuNamespace *said = &recipe_def (recipe)->qemu;
  gboolean too_large = FALSE;
  g_autoptr (JsonObject) object = override (said, properties, &too_large);
  const char *id = json_object_get_string_member_with_default (object, "id", NULL);
  char *options = NULL;

  if (too_large || qemu_caps_is_lacked (recipe_caps (recipe), DEVICE_JSON)
      || (id != NULL && is_set_by_argument (said, id)))
    options = to_options (object, "driver");
  return options != NULL ? options : to_json (object);
}

char *
custom_netdev (const Recipe *recipe, JsonObject *properties)
{
  char *options = NULL;

  if (qemu_caps_is_lacked (recipe_caps (recipe), NETDEV_JSON))
    options = to_options (properties, "type");
  return options != NULL ? options : to_json (properties);
}
