/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The capabilities of one QEMU binary: sets of names, a list of machines and a list of CPU models.
 *
 * There are two ways in, the raw answers of a probe and our own compact JSON, and both fill the same maps, so
 * that what was read from the cache cannot differ from what was asked. Both are untrusted: a cache file may
 * be damaged and a QEMU may say anything, so every member is checked for its type and every list for its
 * length. Names are kept once in a string chunk; a lookup is one hash and copies nothing.
 */
#include "targets/qemu/caps-private.h"

#include "base/enum-table.h"
#include "base/virt-error.h"

#include <string.h>

#define CAPS_FORMAT 2 /* of the compact JSON; another one is not read */

const char *const qemu_caps_commands[] = { "query-version",
                                           "query-target",
                                           "query-machines",
                                           "qom-list-types",
                                           "query-kvm",
                                           "query-command-line-options",
                                           "query-commands",
                                           "query-sev-capabilities",
                                           "query-sgx-capabilities",
                                           NULL };

/* Only those whose properties differ between the versions and builds that are met. */
const char *const qemu_caps_devices[] = { "virtio-blk-pci",
                                          "virtio-net-pci",
                                          "virtio-gpu-pci",
                                          "virtio-balloon-pci",
                                          "virtio-scsi-pci",
                                          "scsi-hd",
                                          "ide-hd",
                                          "usb-storage",
                                          "VGA",
                                          "qxl",
                                          "pcie-root-port",
                                          "ICH9-LPC",
                                          "PIIX4_PM",
                                          NULL };

static QemuCaps *
caps_new (void)
{
  QemuCaps *caps = g_new0 (QemuCaps, 1);

  g_atomic_ref_count_init (&caps->ref_count);
  caps->strings = g_string_chunk_new (4096);
  caps->machines = g_array_new (FALSE, TRUE, sizeof (QemuMachine));
  caps->cpu_models = g_array_new (FALSE, TRUE, sizeof (QemuCpuModel));
  caps->cpu_model_by_name = g_hash_table_new (g_str_hash, g_str_equal);
  caps->machine_by_name = g_hash_table_new (g_str_hash, g_str_equal);
  caps->types = g_hash_table_new (g_str_hash, g_str_equal);
  caps->commands = g_hash_table_new (g_str_hash, g_str_equal);
  caps->options = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_hash_table_unref);
  caps->properties =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_hash_table_unref);
  return caps;
}

QemuCaps *
qemu_caps_ref (QemuCaps *caps)
{
  g_atomic_ref_count_inc (&caps->ref_count);
  return caps;
}

void
qemu_caps_unref (QemuCaps *caps)
{
  if (caps == NULL || !g_atomic_ref_count_dec (&caps->ref_count))
    return;
  if (caps->base != NULL) {
    g_hash_table_unref (caps->added);
    g_hash_table_unref (caps->lacked);
    qemu_caps_unref (caps->base);
    g_free (caps);
    return;
  }
  g_hash_table_unref (caps->cpu_model_by_name);
  g_hash_table_unref (caps->machine_by_name);
  g_hash_table_unref (caps->types);
  g_hash_table_unref (caps->commands);
  g_hash_table_unref (caps->options);
  g_hash_table_unref (caps->properties);
  g_array_unref (caps->machines);
  g_array_unref (caps->cpu_models);
  g_string_chunk_free (caps->strings);
  g_free (caps);
}

/* Reading JSON that may be anything: a member of the right type, or nothing. */

const char *
caps_string_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  const char *text;

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  text = json_node_get_string (node);
  return strlen (text) <= CAPS_MAX_NAME ? text : NULL;
}

gint64
caps_int_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : 0;
}

gboolean
caps_boolean_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN && json_node_get_boolean (node);
}

JsonObject *
caps_object_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
caps_array_of_node (JsonNode *node)
{
  JsonArray *array = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  return array != NULL && json_array_get_length (array) <= CAPS_MAX_ITEMS ? array : NULL;
}

const char *
caps_keep (QemuCaps *caps, const char *text)
{
  return text != NULL ? g_string_chunk_insert_const (caps->strings, text) : NULL;
}

/* Add to @set the names in @array: strings, or objects with a member @key that is one. */
static void
add_names (QemuCaps *caps, GHashTable *set, JsonArray *array, const char *key)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    const char *name = NULL;

    if (JSON_NODE_HOLDS_OBJECT (node))
      name = key != NULL ? caps_string_member (json_node_get_object (node), key) : NULL;
    else if (json_node_get_value_type (node) == G_TYPE_STRING)
      name = json_node_get_string (node);
    if (name != NULL && strlen (name) <= CAPS_MAX_NAME)
      g_hash_table_add (set, (gpointer)caps_keep (caps, name));
  }
}

GHashTable *
caps_new_set (QemuCaps *caps, GHashTable *sets, const char *name)
{
  GHashTable *set = g_hash_table_new (g_str_hash, g_str_equal);

  g_hash_table_insert (sets, (gpointer)caps_keep (caps, name), set);
  return set;
}

/* Machines and CPU models are spelled alike in QEMU's answers and in our JSON. */
static void
add_machines (QemuCaps *caps, JsonArray *array)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    QemuMachine machine = { 0 };

    if (object == NULL || (machine.name = caps_keep (caps, caps_string_member (object, "name"))) == NULL)
      continue;
    machine.alias = caps_keep (caps, caps_string_member (object, "alias"));
    machine.cpu_max = CLAMP (caps_int_member (object, "cpu-max"), 0, G_MAXINT);
    machine.is_default = caps_boolean_member (object, "is-default");
    machine.hotpluggable_cpus = caps_boolean_member (object, "hotpluggable-cpus");
    machine.deprecated = caps_boolean_member (object, "deprecated");
    if (json_object_has_member (object, "acpi"))
      machine.acpi = caps_boolean_member (object, "acpi") ? TRISTATE_YES : TRISTATE_NO;
    machine.default_cpu = caps_keep (caps, caps_string_member (object, "default-cpu-type"));
    machine.ram_id = caps_keep (caps, caps_string_member (object, "default-ram-id"));
    g_array_append_val (caps->machines, machine);
    g_hash_table_insert (caps->machine_by_name, (gpointer)machine.name,
                         GUINT_TO_POINTER (caps->machines->len));
    if (machine.alias != NULL)
      g_hash_table_insert (caps->machine_by_name, (gpointer)machine.alias,
                           GUINT_TO_POINTER (caps->machines->len));
  }
}

static gboolean
check_usable (const QemuCaps *caps, const char *what, GError **error)
{
  if (caps->arch != NULL && caps->version != 0 && caps->machines->len > 0
      && g_hash_table_size (caps->types) > 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s says too little of QEMU '%s': its %s is missing", what,
                  caps->binary,
                  caps->arch == NULL         ? "architecture"
                  : caps->version == 0       ? "version"
                  : caps->machines->len == 0 ? "list of machines"
                                             : "list of types");
  return FALSE;
}

static guint
version_from_answer (JsonObject *answer)
{
  JsonObject *qemu = answer != NULL ? caps_object_member (answer, "qemu") : NULL;

  if (qemu == NULL)
    return 0;
  return (guint)(CLAMP (caps_int_member (qemu, "major"), 0, 4000) * 1000000
                 + CLAMP (caps_int_member (qemu, "minor"), 0, 999) * 1000
                 + CLAMP (caps_int_member (qemu, "micro"), 0, 999));
}

QemuCaps *
qemu_caps_from_answers (const char *binary, JsonObject *answers, GError **error)
{
  g_autoptr (QemuCaps) caps = caps_new ();
  JsonObject *target = caps_object_member (answers, "query-target");
  JsonObject *kvm = caps_object_member (answers, "query-kvm");
  JsonObject *devices = caps_object_member (answers, "device-list-properties");
  JsonArray *options = caps_array_of_node (json_object_get_member (answers, "query-command-line-options"));

  caps->binary = caps_keep (caps, binary);
  caps->arch = target != NULL ? caps_keep (caps, caps_string_member (target, "arch")) : NULL;
  caps->version = version_from_answer (caps_object_member (answers, "query-version"));
  caps->kvm = kvm != NULL && caps_boolean_member (kvm, "enabled");
  add_machines (caps, caps_array_of_node (json_object_get_member (answers, "query-machines")));
  caps_add_cpu_answers (caps, answers);
  caps_add_security_answers (caps, answers);
  add_names (caps, caps->types, caps_array_of_node (json_object_get_member (answers, "qom-list-types")),
             "name");
  add_names (caps, caps->commands, caps_array_of_node (json_object_get_member (answers, "query-commands")),
             "name");

  for (guint i = 0; options != NULL && i < json_array_get_length (options); i++) {
    JsonNode *node = json_array_get_element (options, i);
    JsonObject *option = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    const char *name = option != NULL ? caps_string_member (option, "option") : NULL;

    if (name != NULL)
      add_names (caps, caps_new_set (caps, caps->options, name),
                 caps_array_of_node (json_object_get_member (option, "parameters")), "name");
  }
  for (guint i = 0; devices != NULL && qemu_caps_devices[i] != NULL; i++) {
    JsonArray *properties = caps_array_of_node (json_object_get_member (devices, qemu_caps_devices[i]));

    if (properties != NULL)
      add_names (caps, caps_new_set (caps, caps->properties, qemu_caps_devices[i]), properties, "name");
  }
  return check_usable (caps, "the answer to a probe", error) ? g_steal_pointer (&caps) : NULL;
}

/* { "name": ["a", "b"], ... } → sets */
static void
add_sets (QemuCaps *caps, GHashTable *sets, JsonObject *object)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (object == NULL || json_object_get_size (object) > CAPS_MAX_ITEMS)
    return;
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    if (strlen (name) <= CAPS_MAX_NAME)
      add_names (caps, caps_new_set (caps, sets, name), caps_array_of_node (node), NULL);
}

QemuCaps *
qemu_caps_from_json (const char *json, gssize length, GError **error)
{
  g_autoptr (QemuCaps) caps = caps_new ();
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) mistake = NULL;
  JsonNode *root;
  JsonObject *object;

  if (!json_parser_load_from_data (parser, json, length, &mistake)) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "saved QEMU capabilities are not JSON: %s",
                    mistake->message);
    return NULL;
  }
  root = json_parser_get_root (parser);
  object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (object == NULL || caps_int_member (object, "format") != CAPS_FORMAT) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "saved QEMU capabilities are not of format %d",
                    CAPS_FORMAT);
    return NULL;
  }
  caps->binary = caps_keep (caps, caps_string_member (object, "binary"));
  caps->arch = caps_keep (caps, caps_string_member (object, "arch"));
  caps->version = CLAMP (caps_int_member (object, "version"), 0, G_MAXINT);
  caps->kvm = caps_boolean_member (object, "kvm");
  add_machines (caps, caps_array_of_node (json_object_get_member (object, "machines")));
  caps_add_cpus_from_json (caps, object);
  caps_add_security_from_json (caps, object);
  add_names (caps, caps->types, caps_array_of_node (json_object_get_member (object, "types")), NULL);
  add_names (caps, caps->commands, caps_array_of_node (json_object_get_member (object, "commands")), NULL);
  add_sets (caps, caps->options, caps_object_member (object, "options"));
  add_sets (caps, caps->properties, caps_object_member (object, "properties"));
  if (caps->binary == NULL)
    caps->binary = "";
  return check_usable (caps, "a saved answer", error) ? g_steal_pointer (&caps) : NULL;
}

static JsonArray *
set_to_json (GHashTable *set)
{
  JsonArray *array = json_array_new ();
  GList *names = g_list_sort (g_hash_table_get_keys (set), (GCompareFunc)strcmp);

  for (GList *name = names; name != NULL; name = name->next)
    json_array_add_string_element (array, name->data);
  g_list_free (names);
  return array;
}

static JsonObject *
sets_to_json (GHashTable *sets)
{
  JsonObject *object = json_object_new ();
  GList *names = g_list_sort (g_hash_table_get_keys (sets), (GCompareFunc)strcmp);

  for (GList *name = names; name != NULL; name = name->next)
    json_object_set_array_member (object, name->data, set_to_json (g_hash_table_lookup (sets, name->data)));
  g_list_free (names);
  return object;
}

static void
set_if_true (JsonObject *object, const char *name, gboolean value)
{
  if (value)
    json_object_set_boolean_member (object, name, TRUE);
}

static JsonArray *
machines_to_json (const QemuCaps *caps)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < caps->machines->len; i++) {
    const QemuMachine *machine = &g_array_index (caps->machines, QemuMachine, i);
    JsonObject *object = json_object_new ();

    json_object_set_string_member (object, "name", machine->name);
    if (machine->alias != NULL)
      json_object_set_string_member (object, "alias", machine->alias);
    json_object_set_int_member (object, "cpu-max", machine->cpu_max);
    set_if_true (object, "is-default", machine->is_default);
    set_if_true (object, "hotpluggable-cpus", machine->hotpluggable_cpus);
    set_if_true (object, "deprecated", machine->deprecated);
    if (machine->acpi != TRISTATE_ABSENT)
      json_object_set_boolean_member (object, "acpi", machine->acpi == TRISTATE_YES);
    if (machine->default_cpu != NULL)
      json_object_set_string_member (object, "default-cpu-type", machine->default_cpu);
    if (machine->ram_id != NULL)
      json_object_set_string_member (object, "default-ram-id", machine->ram_id);
    json_array_add_object_element (array, object);
  }
  return array;
}

char *
qemu_caps_to_json (const QemuCaps *caps)
{
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (root, object);
  json_object_set_int_member (object, "format", CAPS_FORMAT);
  json_object_set_string_member (object, "binary", caps->binary);
  json_object_set_string_member (object, "arch", caps->arch);
  json_object_set_int_member (object, "version", caps->version);
  json_object_set_boolean_member (object, "kvm", caps->kvm);
  json_object_set_array_member (object, "machines", machines_to_json (caps));
  caps_cpus_to_json (caps, object);
  caps_security_to_json (caps, object);
  json_object_set_array_member (object, "types", set_to_json (caps->types));
  json_object_set_array_member (object, "commands", set_to_json (caps->commands));
  json_object_set_object_member (object, "options", sets_to_json (caps->options));
  json_object_set_object_member (object, "properties", sets_to_json (caps->properties));
  return json_to_string (root, FALSE);
}

extern const char qemu_caps_builtin_json[];

static gpointer
load_builtin (gpointer unused G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  QemuCaps *caps = qemu_caps_from_json (qemu_caps_builtin_json, -1, &error);

  if (caps == NULL)
    g_error ("the built-in QEMU capabilities cannot be read: %s", error->message);
  caps->kvm = TRUE; /* the recorded binary has it; no host is meant */
  return caps;
}

QemuCaps *
qemu_caps_builtin (void)
{
  static GOnce once = G_ONCE_INIT;

  return qemu_caps_ref (g_once (&once, load_builtin, NULL));
}

const char *
qemu_caps_binary (const QemuCaps *caps)
{
  return caps->binary;
}

const char *
qemu_caps_arch (const QemuCaps *caps)
{
  return caps->arch;
}

guint
qemu_caps_version (const QemuCaps *caps)
{
  return caps->version;
}

gboolean
qemu_caps_has_kvm (const QemuCaps *caps)
{
  return caps->kvm;
}

static GHashTable *
names_new (const char *const *names)
{
  GHashTable *set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (; *names != NULL; names++)
    g_hash_table_add (set, g_strdup (*names));
  return set;
}

QemuCaps *
qemu_caps_adjust (QemuCaps *caps, const char *const *added, const char *const *lacked)
{
  QemuCaps *adjusted;

  g_return_val_if_fail (caps->base == NULL, NULL);
  adjusted = g_new0 (QemuCaps, 1);
  *adjusted = *caps;
  g_atomic_ref_count_init (&adjusted->ref_count);
  adjusted->base = qemu_caps_ref (caps);
  adjusted->added = names_new (added);
  adjusted->lacked = names_new (lacked);
  return adjusted;
}

gboolean
qemu_caps_is_lacked (const QemuCaps *caps, const char *name)
{
  return caps->lacked != NULL && g_hash_table_contains (caps->lacked, name);
}

/* What is taken away wins, as it is done last. */
static gboolean
adjusted (const QemuCaps *caps, const char *name, gboolean has)
{
  if (caps->base == NULL)
    return has;
  return !qemu_caps_is_lacked (caps, name) && (has || g_hash_table_contains (caps->added, name));
}

gboolean
qemu_caps_has_type (const QemuCaps *caps, const char *qom_type)
{
  return adjusted (caps, qom_type, g_hash_table_contains (caps->types, qom_type));
}

static gboolean
sets_contain (GHashTable *sets, const char *name, const char *member)
{
  GHashTable *set = g_hash_table_lookup (sets, name);

  return set != NULL && g_hash_table_contains (set, member);
}

/* "virtio-blk-pci.scsi" */
static gboolean
member_adjusted (const QemuCaps *caps, const char *owner, const char *member, gboolean has)
{
  g_autofree char *name = caps->base != NULL ? g_strconcat (owner, ".", member, NULL) : NULL;

  return name != NULL ? adjusted (caps, name, has) : has;
}

gboolean
qemu_caps_has_property (const QemuCaps *caps, const char *device, const char *property)
{
  return member_adjusted (caps, device, property, sets_contain (caps->properties, device, property));
}

gboolean
qemu_caps_has_option (const QemuCaps *caps, const char *option, const char *parameter)
{
  return member_adjusted (caps, option, parameter, sets_contain (caps->options, option, parameter));
}

gboolean
qemu_caps_has_command (const QemuCaps *caps, const char *command)
{
  return adjusted (caps, command, g_hash_table_contains (caps->commands, command));
}

const QemuMachine *
qemu_caps_machine (const QemuCaps *caps, const char *name_or_alias)
{
  guint index = GPOINTER_TO_UINT (g_hash_table_lookup (caps->machine_by_name, name_or_alias));

  return index > 0 ? &g_array_index (caps->machines, QemuMachine, index - 1) : NULL;
}

const QemuMachine *
qemu_caps_machines (const QemuCaps *caps, guint *ret_count)
{
  *ret_count = caps->machines->len;
  return (const QemuMachine *)(gpointer)caps->machines->data;
}
