/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recipe: steps, files and environment, in the order in which the parts of a machine add them. It
 * knows nothing of any device; what all devices share (id, bus and address) is added here, so that a device's
 * own file says only what is its own.
 */
#include "targets/qemu/recipe-lookup.h"
#include "targets/qemu/recipe-private.h"

#include "base/virt-error.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/machines/machine-kind.h"

#include <string.h>

struct Recipe {
  DomainDef *def;
  QemuCaps *caps;
  RecipeHost host;
  RecipeFiles files;
  GPtrArray *steps;        /* Step */
  GPtrArray *file_list;    /* RecipeFile */
  GPtrArray *file_names;   /* char *: what QEMU is told for each of them */
  GPtrArray *memory_files; /* RecipeMemoryFile */
  GPtrArray *directories;  /* char * */
  GPtrArray *environment;  /* "NAME=VALUE" */
  GPtrArray *warnings;     /* char *, NULL at the end */
  GPtrArray *problems;     /* problems.c */
  RecipeLookup *lookup;
};

static void
step_free (gpointer data)
{
  Step *step = data;

  g_free ((char *)step->option);
  g_free ((char *)step->value);
  g_clear_pointer (&step->properties, json_object_unref);
  g_free (step);
}

static void
file_free (gpointer data)
{
  RecipeFile *file = data;

  g_free (file->path);
  g_free (file->made_from);
  g_free (file->content);
  g_free (file->problem);
  g_free (file->secret_uuid);
  g_free (file->secret_usage);
  if (file->secret_text != NULL)
    explicit_bzero (file->secret_text, strlen (file->secret_text));
  g_free (file->secret_text);
  g_free (file);
}

static void
memory_file_free (gpointer data)
{
  RecipeMemoryFile *file = data;

  g_free (file->path);
  g_free (file);
}

Recipe *
recipe_new (const DomainDef *def, const QemuCaps *caps, const RecipeHost *host, RecipeFiles files)
{
  Recipe *recipe = g_new0 (Recipe, 1);

  recipe->def = domain_def_ref ((DomainDef *)def);
  recipe->caps = custom_caps (def, caps);
  recipe->host = *host;
  recipe->files = files;
  recipe->lookup = recipe_lookup_new ();
  recipe->steps = g_ptr_array_new_with_free_func (step_free);
  recipe->file_list = g_ptr_array_new_with_free_func (file_free);
  recipe->file_names = g_ptr_array_new_with_free_func (g_free);
  recipe->memory_files = g_ptr_array_new_with_free_func (memory_file_free);
  recipe->directories = g_ptr_array_new_with_free_func (g_free);
  recipe->environment = g_ptr_array_new_with_free_func (g_free);
  recipe->warnings = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (recipe->warnings, NULL);
  recipe->problems = recipe_problems_new ();
  return recipe;
}

void
recipe_free (Recipe *recipe)
{
  if (recipe == NULL)
    return;
  recipe_lookup_free (recipe->lookup);
  domain_def_unref (recipe->def);
  qemu_caps_unref (recipe->caps);
  g_ptr_array_unref (recipe->steps);
  g_ptr_array_unref (recipe->file_list);
  g_ptr_array_unref (recipe->file_names);
  g_ptr_array_unref (recipe->memory_files);
  g_ptr_array_unref (recipe->directories);
  g_ptr_array_unref (recipe->environment);
  g_ptr_array_unref (recipe->warnings);
  g_ptr_array_unref (recipe->problems);
  g_free (recipe);
}

RecipeLookup *
recipe_get_lookup (const Recipe *recipe)
{
  return recipe->lookup;
}

guint
recipe_first_node (const Recipe *recipe)
{
  return recipe->host.nodes_used + 1;
}

const DomainDef *
recipe_def (const Recipe *recipe)
{
  return recipe->def;
}

const QemuCaps *
recipe_caps (const Recipe *recipe)
{
  return recipe->caps;
}

const RecipeHost *
recipe_host (const Recipe *recipe)
{
  return &recipe->host;
}

GPtrArray *
recipe_problems (const Recipe *recipe)
{
  return recipe->problems;
}

gboolean
recipe_by_descriptor (const Recipe *recipe)
{
  return recipe->files == RECIPE_BY_DESCRIPTOR;
}

void
recipe_option (Recipe *recipe, const char *option, const char *value_format, ...)
{
  Step *step = g_new0 (Step, 1);
  va_list arguments;

  step->kind = STEP_OPTION;
  step->option = g_strdup (option);
  if (value_format != NULL) {
    va_start (arguments, value_format);
    step->value = g_strdup_vprintf (value_format, arguments);
    va_end (arguments);
  }
  g_ptr_array_add (recipe->steps, step);
}

void
recipe_step (Recipe *recipe, StepKind kind, JsonObject *properties)
{
  Step *step = g_new0 (Step, 1);

  step->kind = kind;
  step->properties = properties;
  g_ptr_array_add (recipe->steps, step);
}

/* What is part of the machine has the machine's name, whatever the document calls it. */
static const char *
machine_bus (const DomainDef *def, const DeviceController *controller)
{
  if (controller->index.value != 0)
    return NULL;
  if (controller->type == CONTROLLER_PCI)
    return controller->model == PCIE_ROOT ? "pcie.0" : controller->model == PCI_ROOT ? "pci.0" : NULL;
  if ((controller->type == CONTROLLER_SATA && machine_kind_of (def)->chipset == CHIPSET_Q35)
      || (controller->type == CONTROLLER_IDE && machine_kind_of (def)->chipset == CHIPSET_I440FX))
    return "ide";
  return NULL;
}

const char *
recipe_controller_bus (const Recipe *recipe, int type, guint64 index)
{
  const DeviceController *controller = recipe_controller (recipe, type, index);
  const char *bus = controller != NULL ? machine_bus (recipe->def, controller) : NULL;

  return bus != NULL || controller == NULL ? bus : controller->device.alias;
}

static gboolean
no_controller (const Device *device, const char *type, guint64 index, GError **error)
{
  g_autofree char *what = device_describe (device);

  virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                  "%s is on %s controller %" G_GUINT64_FORMAT ", which the machine does not have", what, type,
                  index);
  return FALSE;
}

static gboolean
add_pci_address (const Recipe *recipe, const Device *device, JsonObject *properties, GError **error)
{
  const DeviceAddress *address = &device->address;
  const DeviceController *controller = recipe_controller (recipe, CONTROLLER_PCI, address->bus.value);
  const char *bus = recipe_controller_bus (recipe, CONTROLLER_PCI, address->bus.value);
  g_autofree char *slot = NULL, *below = NULL;

  if (bus == NULL)
    return no_controller (device, "pci", address->bus.value, error);
  if (controller->model == PCI_ROOT && controller->index.value != 0) /* a further host bridge has a bus */
    bus = below = g_strconcat (bus, ".0", NULL);
  if (address->function.value != 0)
    slot = g_strdup_printf ("0x%x.0x%x", (guint)address->slot.value, (guint)address->function.value);
  else
    slot = g_strdup_printf ("0x%x", (guint)address->slot.value);
  props_add (properties, "bus", "s", bus, "multifunction", "T", address->multifunction, "addr", "s", slot,
             "acpi-index", "N", &device->acpi_index, NULL);
  return TRUE;
}

static gboolean
add_usb_address (const Recipe *recipe, const Device *device, JsonObject *properties, GError **error)
{
  const char *controller = recipe_controller_bus (recipe, CONTROLLER_USB, device->address.bus.value);
  g_autofree char *bus = NULL;

  if (controller == NULL)
    return no_controller (device, "usb", device->address.bus.value, error);
  bus = g_strconcat (controller, ".0", NULL);
  props_add (properties, "bus", "s", bus, "port", "?s", device->address.usb_port, NULL);
  return TRUE;
}

static gboolean
add_ccid_address (const Recipe *recipe, const Device *device, JsonObject *properties, GError **error)
{
  const char *controller = recipe_controller_bus (recipe, CONTROLLER_CCID, device->address.controller.value);
  g_autofree char *bus = NULL;

  if (controller == NULL)
    return no_controller (device, "ccid", device->address.controller.value, error);
  bus = g_strconcat (controller, ".0", NULL);
  props_add (properties, "bus", "s", bus, NULL);
  return TRUE;
}

static gboolean
add_virtio_serial_address (const Recipe *recipe, const Device *device, JsonObject *properties, GError **error)
{
  const DeviceAddress *address = &device->address;
  const char *controller =
      recipe_controller_bus (recipe, CONTROLLER_VIRTIO_SERIAL, address->controller.value);
  g_autofree char *bus = NULL;

  if (controller == NULL)
    return no_controller (device, "virtio-serial", address->controller.value, error);
  bus = g_strdup_printf ("%s.%u", controller, (guint)address->bus.value);
  props_add (properties, "bus", "s", bus, "nr", "N", &address->port, NULL);
  return TRUE;
}

/* "fe.0.0001": the subsystem, the set of subchannels and the device's number. */
static void
add_channel_address (const Device *device, JsonObject *properties)
{
  const DeviceAddress *address = &device->address;
  g_autofree char *number = g_strdup_printf ("%x.%x.%04x", (guint)address->cssid.value,
                                             (guint)address->ssid.value, (guint)address->devno.value);

  props_add (properties, "devno", "s", number, NULL);
}

static gboolean
add_address (const Recipe *recipe, const Device *device, JsonObject *properties, GError **error)
{
  switch (device->address.type) {
    case ADDRESS_PCI:
      return add_pci_address (recipe, device, properties, error);
    case ADDRESS_USB:
      return add_usb_address (recipe, device, properties, error);
    case ADDRESS_VIRTIO_SERIAL:
      return add_virtio_serial_address (recipe, device, properties, error);
    case ADDRESS_CCID:
      return add_ccid_address (recipe, device, properties, error);
    case ADDRESS_SPAPR_VIO:
      props_add (properties, "reg", "N", &device->address.reg, NULL);
      return TRUE;
    case ADDRESS_CCW:
      add_channel_address (device, properties);
      return TRUE;
    case ADDRESS_ISA:
      props_add (properties, "iobase", "N", &device->address.iobase, "irq", "N", &device->address.irq, NULL);
      return TRUE;
    default:
      return TRUE; /* a drive's place is said by its own file: it depends on the controller's kind */
  }
}

/* On a mainframe a PCI device is known by its own numbers, which another device in front of it has. */
static void
add_zpci (Recipe *recipe, const Device *device)
{
  const DeviceAddress *address = &device->address;
  g_autofree char *id = NULL;

  if (address->type != ADDRESS_PCI || !address->zpci_uid.set)
    return;
  id = g_strdup_printf ("zpci%u", (guint)address->zpci_uid.value);
  recipe_step (recipe, STEP_DEVICE,
               props ("driver", "s", "zpci", "uid", "N", &address->zpci_uid, "fid", "N", &address->zpci_fid,
                      "target", "s", device->alias, "id", "s", id, NULL));
}

/* Its place in the order of boot is said by its controller. */
static gboolean
is_floppy (const Device *device)
{
  return device->kind == &disk_kind && ((const DeviceDisk *)device)->bus == DISK_BUS_FDC;
}

/* QEMU looks for the driver first and people for the id: { "driver", "id", the device's own, its place }. */
gboolean
recipe_device (Recipe *recipe, const Device *device, JsonObject *properties, GError **error)
{
  g_autoptr (JsonObject) own = properties;
  JsonObject *whole = json_object_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;
  Number boot;

  json_object_set_string_member (whole, "driver",
                                 address_driver (device, json_object_get_string_member (own, "driver")));
  if (!json_object_has_member (own, "masterbus")) /* a companion controller shares its master's name */
    props_add (whole, "id", "?s", device->alias, NULL);
  json_object_iter_init_ordered (&iter, own);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    if (strcmp (name, "driver") != 0)
      json_object_set_member (whole, name, json_node_copy (value));
  if (!add_address (recipe, device, whole, error)) {
    json_object_unref (whole);
    return FALSE;
  }
  boot = recipe_boot_index (recipe, device);
  if (!json_object_has_member (whole, "bootindex") && !is_floppy (device))
    props_add (whole, "bootindex", "N", &boot, "loadparm", "?s", device->boot_loadparm, NULL);
  add_zpci (recipe, device);
  recipe_step (recipe, STEP_DEVICE, whole);
  return TRUE;
}

static const char *
add_file (Recipe *recipe, const char *path, gboolean writable, const Device *device, const char *purpose,
          gboolean by_name)
{
  RecipeFile *file = g_new0 (RecipeFile, 1);
  char *name;

  file->fd = RECIPE_FIRST_DESCRIPTOR + (int)recipe->file_list->len;
  file->set = by_name ? 0 : recipe->host.sets_used + recipe->file_list->len + 1;
  file->path = g_strdup (path);
  file->writable = writable;
  file->by_name = by_name;
  file->device = device;
  file->purpose = purpose;
  if (recipe->files == RECIPE_BY_PATH)
    name = g_strdup (path);
  else if (by_name)
    name = g_strdup_printf ("/proc/self/fd/%d", file->fd);
  else
    name = g_strdup_printf ("/dev/fdset/%u", file->set);
  g_ptr_array_add (recipe->file_list, file);
  g_ptr_array_add (recipe->file_names, name);
  return name;
}

const char *
recipe_file (Recipe *recipe, const char *path, gboolean writable, const Device *device, const char *purpose)
{
  return add_file (recipe, path, writable, device, purpose, FALSE);
}

void
recipe_memory_file (Recipe *recipe, const char *path, guint64 size, const Device *device, const char *purpose)
{
  RecipeMemoryFile *file = g_new0 (RecipeMemoryFile, 1);

  file->path = g_strdup (path);
  file->size = size;
  file->device = device;
  file->purpose = purpose;
  g_ptr_array_add (recipe->memory_files, file);
}

void
recipe_directory (Recipe *recipe, const char *path)
{
  g_ptr_array_add (recipe->directories, g_strdup (path));
}

const char *
recipe_passed (Recipe *recipe, const Device *device, const char *name)
{
  RecipeFile *file = g_new0 (RecipeFile, 1);
  char *told;

  file->fd = RECIPE_FIRST_DESCRIPTOR + (int)recipe->file_list->len;
  file->passed = TRUE;
  file->path = g_strconcat (device->alias, "-", name, NULL);
  file->device = device;
  file->purpose = name;
  told = recipe->host.plugging ? g_strdup (file->path) : g_strdup_printf ("%d", file->fd);
  g_ptr_array_add (recipe->file_list, file);
  g_ptr_array_add (recipe->file_names, told);
  return told;
}

/* @by_name: QEMU opens it by a name that a set of descriptors does not give. */
static RecipeFile *
add_made_file (Recipe *recipe, const Device *device, const char *name, gboolean by_name)
{
  g_autofree char *path = recipe->files == RECIPE_BY_PATH
                              ? g_build_filename (recipe->host.run_directory, name, NULL)
                              : g_strconcat (device->alias, "-", name, NULL);
  RecipeFile *file;

  add_file (recipe, path, FALSE, device, "made file", by_name && !recipe->host.plugging);
  file = g_ptr_array_index (recipe->file_list, recipe->file_list->len - 1);
  file->made = TRUE;
  return file;
}

static const char *
last_file_name (const Recipe *recipe)
{
  return g_ptr_array_index (recipe->file_names, recipe->file_names->len - 1);
}

const char *
recipe_made_file (Recipe *recipe, const Device *device, const char *name)
{
  add_made_file (recipe, device, name, FALSE)->writable = TRUE;
  return last_file_name (recipe);
}

const char *
recipe_secret_file (Recipe *recipe, const Device *device, const char *id, const char *uuid, int usage_type,
                    const char *usage)
{
  RecipeFile *file = add_made_file (recipe, device, id, TRUE);

  file->is_secret = TRUE;
  file->secret_uuid = g_strdup (uuid);
  file->secret_usage = g_strdup (usage);
  file->secret_type = usage_type;
  return last_file_name (recipe);
}

const char *
recipe_secret_text (Recipe *recipe, const Device *device, const char *id, const char *text)
{
  RecipeFile *file = add_made_file (recipe, device, id, TRUE);

  file->is_secret = TRUE;
  file->secret_text = g_strdup (text);
  return last_file_name (recipe);
}

void
recipe_rename_file (Recipe *recipe, const RecipeFile *file, const char *name)
{
  guint index;

  if (!g_ptr_array_find (recipe->file_list, file, &index))
    return;
  for (guint i = 0; i < recipe->steps->len; i++) {
    Step *step = g_ptr_array_index (recipe->steps, i);

    if (step->kind == STEP_OBJECT
        && g_strcmp0 (json_object_get_string_member_with_default (step->properties, "file", NULL),
                      g_ptr_array_index (recipe->file_names, index))
               == 0)
      json_object_set_string_member (step->properties, "file", name);
  }
}

const char *
recipe_content (Recipe *recipe, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (recipe->host.run_directory, name, NULL);
  const char *told = add_file (recipe, path, FALSE, NULL, name, TRUE);
  RecipeFile *file = g_ptr_array_index (recipe->file_list, recipe->file_list->len - 1);

  file->content = g_strdup (text);
  return told;
}

const char *
recipe_file_by_name (Recipe *recipe, const char *path, const char *purpose)
{
  const RecipeHost *host = &recipe->host;

  if (recipe->files == RECIPE_BY_DESCRIPTOR && host->can_read != NULL
      && !host->can_read (host->can_read_data, path))
    return add_file (recipe, path, FALSE, NULL, purpose, TRUE);
  g_ptr_array_add (recipe->file_names, g_strdup (path));
  return g_ptr_array_index (recipe->file_names, recipe->file_names->len - 1);
}

void
recipe_file_output (Recipe *recipe, gboolean truncate)
{
  RecipeFile *file = g_ptr_array_index (recipe->file_list, recipe->file_list->len - 1);

  file->output = TRUE;
  file->truncate = truncate;
}

void
recipe_file_made_from (Recipe *recipe, const char *template)
{
  RecipeFile *file = g_ptr_array_index (recipe->file_list, recipe->file_list->len - 1);

  g_free (file->made_from);
  file->is_store = TRUE;
  file->made_from = g_strdup (template);
}

void
recipe_file_not_made (Recipe *recipe, virErrorNumber code, const char *format, ...)
{
  RecipeFile *file = g_ptr_array_index (recipe->file_list, recipe->file_list->len - 1);
  va_list arguments;

  va_start (arguments, format);
  file->is_store = TRUE;
  file->problem_code = code;
  file->problem = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

void
recipe_environment (Recipe *recipe, const char *name, const char *value)
{
  g_autofree char *prefix = g_strconcat (name, "=", NULL);

  for (guint i = 0; i < recipe->environment->len; i++)
    if (g_str_has_prefix (g_ptr_array_index (recipe->environment, i), prefix)) {
      g_ptr_array_remove_index (recipe->environment, i);
      break;
    }
  g_ptr_array_add (recipe->environment, g_strconcat (prefix, value, NULL));
}

char **
recipe_to_environment (const Recipe *recipe)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < recipe->environment->len; i++)
    g_ptr_array_add (list, g_strdup (g_ptr_array_index (recipe->environment, i)));
  g_ptr_array_add (list, NULL);
  return (char **)g_ptr_array_free (list, FALSE);
}

void
recipe_warn (Recipe *recipe, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_insert (recipe->warnings, (gint)recipe->warnings->len - 1,
                      g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

const char *const *
recipe_warnings (const Recipe *recipe)
{
  return (const char *const *)recipe->warnings->pdata;
}

guint
recipe_disk_nodes (const Recipe *recipe)
{
  guint number = recipe->host.nodes_used;

  DOMAIN_FOREACH_DEVICE (recipe->def, disk_kind, const DeviceDisk, disk)
    number += disk_count_nodes (recipe, disk);
  return number;
}

const ImageInfo *
recipe_image (const Recipe *recipe, const char *path)
{
  return recipe->host.image != NULL ? recipe->host.image (recipe->host.image_data, path) : NULL;
}

guint
recipe_step_count (const Recipe *recipe)
{
  return recipe->steps->len;
}

const Step *
recipe_get_step (const Recipe *recipe, guint index)
{
  return g_ptr_array_index (recipe->steps, index);
}

static gboolean
name_file (const GMatchInfo *match, GString *result, gpointer data)
{
  const Recipe *recipe = data;
  g_autofree char *whole = g_match_info_fetch (match, 0), *number = g_match_info_fetch (match, 1);
  guint64 set = g_ascii_strtoull (number, NULL, 10);

  for (guint i = 0; i < recipe->file_list->len; i++) {
    const RecipeFile *file = g_ptr_array_index (recipe->file_list, i);

    if (file->set != 0 && file->set == set) {
      g_string_append (result, file->path);
      return FALSE;
    }
  }
  g_string_append (result, whole);
  return FALSE;
}

char *
recipe_name_files (const Recipe *recipe, const char *text)
{
  g_autoptr (GRegex) set = g_regex_new ("/dev/fdset/([0-9]+)", G_REGEX_RAW, 0, NULL);
  char *named = g_regex_replace_eval (set, text, -1, 0, 0, name_file, (gpointer)recipe, NULL);

  return named != NULL ? named : g_strdup (text);
}

guint
recipe_file_count (const Recipe *recipe)
{
  return recipe->file_list->len;
}

guint
recipe_memory_file_count (const Recipe *recipe)
{
  return recipe->memory_files->len;
}

const RecipeMemoryFile *
recipe_get_memory_file (const Recipe *recipe, guint index)
{
  return g_ptr_array_index (recipe->memory_files, index);
}

const GPtrArray *
recipe_directories (const Recipe *recipe)
{
  return recipe->directories;
}

const RecipeFile *
recipe_get_file (const Recipe *recipe, guint index)
{
  return g_ptr_array_index (recipe->file_list, index);
}
