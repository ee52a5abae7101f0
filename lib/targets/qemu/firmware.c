/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Firmware descriptors: read once, and one of them chosen for a machine. Descriptors are host files that
 * packages and administrators write; one that cannot be read or understood is passed over, as QEMU's rules
 * ask.
 */
#include "targets/qemu/firmware-private.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

struct QemuFirmware {
  GPtrArray *descriptors; /* FirmwareDescriptor, in order of preference */
};

static void
descriptor_free (gpointer data)
{
  FirmwareDescriptor *descriptor = data;

  g_free (descriptor->code);
  g_free (descriptor->code_format);
  g_free (descriptor->variables);
  g_free (descriptor->variables_format);
  g_ptr_array_unref (descriptor->architectures);
  g_ptr_array_unref (descriptor->machines);
  g_free (descriptor);
}

static JsonNode *
member (JsonObject *object, const char *name, JsonNodeType type)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_node_type (node) == type ? node : NULL;
}

static JsonObject *
object_member (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, JSON_NODE_OBJECT);

  return node != NULL ? json_node_get_object (node) : NULL;
}

static const char *
text_member (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, JSON_NODE_VALUE);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                          : NULL;
}

static JsonArray *
array_member (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, JSON_NODE_ARRAY);

  return node != NULL ? json_node_get_array (node) : NULL;
}

static const char *
text_element (JsonArray *array, guint index)
{
  JsonNode *node = json_array_get_element (array, index);

  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gboolean
array_has (JsonArray *array, const char *word)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    if (g_strcmp0 (text_element (array, i), word) == 0)
      return TRUE;
  return FALSE;
}

/* A machine's architecture in the document, by QEMU's name of it. */
static const char *
libvirt_arch (const char *arch)
{
  return strcmp (arch, "i386") == 0 ? "i686" : strcmp (arch, "arm") == 0 ? "armv7l" : arch;
}

static void
read_targets (FirmwareDescriptor *descriptor, JsonArray *targets)
{
  for (guint i = 0; targets != NULL && i < json_array_get_length (targets); i++) {
    JsonNode *node = json_array_get_element (targets, i);
    JsonObject *target = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    const char *arch = text_member (target, "architecture");
    JsonArray *machines = array_member (target, "machines");

    for (guint j = 0; arch != NULL && machines != NULL && j < json_array_get_length (machines); j++)
      if (text_element (machines, j) != NULL) {
        g_ptr_array_add (descriptor->architectures, g_strdup (libvirt_arch (arch)));
        g_ptr_array_add (descriptor->machines, g_strdup (text_element (machines, j)));
      }
  }
}

/* How the firmware is given to the machine. FALSE: in no way that is known. */
static gboolean
read_mapping (FirmwareDescriptor *descriptor, JsonObject *mapping)
{
  const char *device = text_member (mapping, "device"), *mode = text_member (mapping, "mode");
  JsonObject *executable = object_member (mapping, "executable"),
             *template = object_member (mapping, "nvram-template");

  if (g_strcmp0 (device, "memory") == 0) {
    descriptor->mapping = FIRMWARE_MEMORY;
    descriptor->code = g_strdup (text_member (mapping, "filename"));
    return descriptor->code != NULL;
  }
  if (g_strcmp0 (device, "flash") != 0)
    return FALSE;
  descriptor->mapping = mode == NULL || strcmp (mode, "split") == 0 ? FIRMWARE_FLASH
                        : strcmp (mode, "stateless") == 0           ? FIRMWARE_STATELESS
                                                                    : FIRMWARE_COMBINED;
  descriptor->code = g_strdup (text_member (executable, "filename"));
  descriptor->code_format = g_strdup (text_member (executable, "format"));
  descriptor->variables = g_strdup (text_member (template, "filename"));
  descriptor->variables_format = g_strdup (text_member (template, "format"));
  return descriptor->code != NULL && descriptor->code_format != NULL
         && (descriptor->mapping != FIRMWARE_FLASH
             || (descriptor->variables != NULL && descriptor->variables_format != NULL));
}

static void
read_features (FirmwareDescriptor *descriptor, JsonArray *features)
{
  descriptor->secure_boot = array_has (features, "secure-boot");
  descriptor->enrolled_keys = array_has (features, "enrolled-keys");
  descriptor->requires_smm = array_has (features, "requires-smm");
  descriptor->sleeps = array_has (features, "acpi-s3");
  descriptor->hibernates = array_has (features, "acpi-s4");
}

/* NULL when it is none we can use: not JSON, or loaded in a way that is not known. */
static FirmwareDescriptor *
read_descriptor (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  FirmwareDescriptor *descriptor;
  JsonArray *interfaces;
  JsonObject *root;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, NULL) || length > FIRMWARE_MAX_BYTES
      || !json_parser_load_from_data (parser, text, (gssize)length, NULL)
      || json_parser_get_root (parser) == NULL || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return NULL;
  root = json_node_get_object (json_parser_get_root (parser));
  interfaces = array_member (root, "interface-types");

  descriptor = g_new0 (FirmwareDescriptor, 1);
  descriptor->bios = array_has (interfaces, "bios");
  descriptor->uefi = array_has (interfaces, "uefi");
  descriptor->architectures = g_ptr_array_new_with_free_func (g_free);
  descriptor->machines = g_ptr_array_new_with_free_func (g_free);
  read_features (descriptor, array_member (root, "features"));
  read_targets (descriptor, array_member (root, "targets"));
  if (!read_mapping (descriptor, object_member (root, "mapping")))
    g_clear_pointer (&descriptor, descriptor_free);
  return descriptor;
}

/* File name → path; a later directory's file replaces an earlier one's, and an empty one hides it. */
static void
list_directory (GHashTable *paths, const char *directory)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL
         && g_hash_table_size (paths) < FIRMWARE_MAX_FILES)
    if (g_str_has_suffix (name, ".json"))
      g_hash_table_insert (paths, g_strdup (name), g_build_filename (directory, name, NULL));
  if (dir != NULL)
    g_dir_close (dir);
}

QemuFirmware *
qemu_firmware_load (const char *const *directories)
{
  g_autofree char *own = g_build_filename (g_get_user_config_dir (), "qemu", "firmware", NULL);
  /* Root's own are for nobody: libvirt leaves them out as well. */
  const char *const usual[] = { "/usr/share/qemu/firmware", "/etc/qemu/firmware",
                                geteuid () != 0 ? own : NULL, NULL };
  g_autoptr (GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  QemuFirmware *firmware = g_new0 (QemuFirmware, 1);
  GList *names;

  firmware->descriptors = g_ptr_array_new_with_free_func (descriptor_free);
  if (directories == NULL)
    directories = usual;
  for (guint i = 0; directories[i] != NULL; i++)
    list_directory (paths, directories[i]);
  names = g_list_sort (g_hash_table_get_keys (paths), (GCompareFunc)strcmp);
  for (GList *name = names; name != NULL; name = name->next) {
    FirmwareDescriptor *descriptor = read_descriptor (g_hash_table_lookup (paths, name->data));

    if (descriptor != NULL)
      g_ptr_array_add (firmware->descriptors, descriptor);
  }
  g_list_free (names);
  return firmware;
}

void
qemu_firmware_free (QemuFirmware *firmware)
{
  if (firmware == NULL)
    return;
  g_ptr_array_unref (firmware->descriptors);
  g_free (firmware);
}

gboolean
firmware_descriptor_is_for (const FirmwareDescriptor *descriptor, const char *arch, const char *machine)
{
  for (guint i = 0; i < descriptor->machines->len; i++)
    if (strcmp (g_ptr_array_index (descriptor->architectures, i), arch) == 0
        && g_pattern_match_simple (g_ptr_array_index (descriptor->machines, i), machine))
      return TRUE;
  return FALSE;
}

const GPtrArray *
firmware_descriptors (const QemuFirmware *firmware)
{
  return firmware->descriptors;
}

const char **
qemu_firmware_paths (const QemuFirmware *firmware, const char *arch, const char *machine)
{
  GPtrArray *paths = g_ptr_array_new ();

  for (guint i = 0; i < firmware->descriptors->len; i++) {
    const FirmwareDescriptor *descriptor = g_ptr_array_index (firmware->descriptors, i);

    if (descriptor->uefi && descriptor->mapping != FIRMWARE_MEMORY
        && firmware_descriptor_is_for (descriptor, arch, machine))
      g_ptr_array_add (paths, descriptor->code);
  }
  g_ptr_array_add (paths, NULL);
  return (const char **)g_ptr_array_free (paths, FALSE);
}

gboolean
qemu_firmware_has_secure (const QemuFirmware *firmware, const char *arch, const char *machine)
{
  for (guint i = 0; i < firmware->descriptors->len; i++) {
    const FirmwareDescriptor *descriptor = g_ptr_array_index (firmware->descriptors, i);

    if (descriptor->secure_boot && firmware_descriptor_is_for (descriptor, arch, machine))
      return TRUE;
  }
  return FALSE;
}
