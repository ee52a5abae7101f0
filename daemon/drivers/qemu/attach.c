/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A device plugged into a running machine: the recipe that would have been its part of the command line, said
 * over the monitor instead. Files go first, as descriptors with SCM_RIGHTS into sets that carry the device's
 * alias, so that they are found again when it goes. Every step that was said is remembered, and undone last
 * first when a later one is refused.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/made-files.h"
#include "daemon/drivers/qemu/memory-files.h"
#include "daemon/drivers/qemu/running-kinds.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/host/tap.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX   65536     /* items read of one answer */
#define NUMBER_MAX (1 << 30) /* of a block node or a descriptor set: what follows it is a number as well */
#define SETS_MAX   1024      /* of one device */

void
plugging_init (Plugging *plugging, Job *job, const Hotplug *plug)
{
  *plugging = (Plugging){ .job = job, .plug = plug };
  plugging->done = g_array_new (FALSE, FALSE, sizeof (guint));
  files_init (&plugging->files);
}

void
plugging_clear (Plugging *plugging)
{
  recipe_free (plugging->recipe);
  g_clear_pointer (&plugging->caps, qemu_caps_unref);
  live_values_clear (&plugging->values);
  g_clear_pointer (&plugging->done, g_array_unref);
  files_clear (&plugging->files);
  g_free (plugging->directory);
}

gboolean
plugging_send (Plugging *plugging, const char *command, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (plugging->plug->qmp, plugging->job, command, arguments, error);

  return answer != NULL;
}

gboolean
plugging_ask_list (Plugging *plugging, const char *command, JsonObject *arguments,
                   void (*each) (JsonObject *item, gpointer data), gpointer data, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (plugging->plug->qmp, plugging->job, command, arguments, error);
  JsonArray *list;

  if (answer == NULL)
    return FALSE;
  list = untrusted_list_of (answer);
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), LIST_MAX); i++) {
    JsonObject *item = untrusted_object_of (json_array_get_element (list, i));

    if (item != NULL)
      each (item, data);
  }
  return TRUE;
}

/* "libvirt-7-format": 7. */
static void
count_node (JsonObject *item, gpointer data)
{
  static const char prefix[] = "libvirt-";
  const char *name = untrusted_text (item, "node-name");
  guint *highest = data;

  if (name != NULL && g_str_has_prefix (name, prefix)) {
    guint64 number = g_ascii_strtoull (name + strlen (prefix), NULL, 10);

    if (number <= NUMBER_MAX)
      *highest = MAX (*highest, (guint)number);
  }
}

static void
count_set (JsonObject *item, gpointer data)
{
  guint64 number = untrusted_count (item, "fdset-id");
  guint *highest = data;

  if (number <= NUMBER_MAX)
    *highest = MAX (*highest, (guint)number);
}

/* Asked of QEMU and not remembered: what a device left behind counts too. */
static gboolean
count_used (Plugging *plugging, GError **error)
{
  JsonObject *flat = props ("flat", "b", TRUE, NULL);

  return plugging_ask_list (plugging, "query-named-block-nodes", flat, count_node, &plugging->host.nodes_used,
                            error)
         && plugging_ask_list (plugging, "query-fdsets", NULL, count_set, &plugging->host.sets_used, error);
}

static const ImageInfo *
find_image (gpointer data, const char *path)
{
  return g_hash_table_lookup (((Plugging *)data)->values.images, path);
}

/* What stands behind it on the host; its descriptors wait for the recipe that asks for them. */
static gboolean
open_device (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const RunningKind *row = running_kind (device->kind);

  plugging->opened = row->open != NULL && row->open (plugging, def, device, error);
  return row->open == NULL || plugging->opened;
}

gboolean
plugging_begin (Plugging *plugging, DomainDef *def, RecipeFiles files, GError **error)
{
  const Hotplug *plug = plugging->plug;
  g_autofree char *run = store_run_directory (plug->store, def->uuid);

  plugging->directory = g_build_filename (run, START_QEMU_DIRECTORY, NULL);
  plugging->caps = caps_cache_get (plug->caps, def->emulator, error);
  if (plugging->caps == NULL)
    return FALSE;
  live_values_init (&plugging->values, plugging->directory, plug->settings->host_directory, &plugging->files);
  if (files == RECIPE_BY_DESCRIPTOR && !count_used (plugging, error))
    return FALSE;
  plugging->values.next_node = plugging->host.nodes_used + 1;
  plugging->host.run_directory = plugging->directory;
  plugging->host.state_directory = plug->settings->state_directory;
  plugging->host.monitor_fd = -1;
  plugging->host.plugging = TRUE;
  plugging->host.host_directory = plug->settings->host_directory;
  plugging->host.vhost_net = vhost_net_is_there (NULL);
  plugging->host.image = find_image;
  plugging->host.image_data = plugging;
  plugging->recipe = recipe_new (def, plugging->caps, &plugging->host, files);
  return TRUE;
}

gboolean
plugging_add (Plugging *plugging, DomainDef *def, Device *device, RecipeFiles files, GError **error)
{
  if (!plugging_begin (plugging, def, files, error))
    return FALSE;
  if (files == RECIPE_BY_DESCRIPTOR
      && (!live_choose_device (device, &plugging->values, error)
          || !open_device (plugging, def, device, error)))
    return FALSE;
  return recipe_add_device (plugging->recipe, device, error);
}

/* A file, into a set that carries the device's alias; or what was made, under the name the steps call it. */
static JsonNode *
pass_file (Plugging *plugging, const RecipeFile *file, int fd, GError **error)
{
  if (file->passed)
    return qmp_call_with_fd (plugging->plug->qmp, plugging->job, "getfd",
                             props ("fdname", "s", file->path, NULL), fd, error);
  return qmp_call_with_fd (plugging->plug->qmp, plugging->job, "add-fd",
                           props ("fdset-id", "i", (int)file->set, "opaque", "?s",
                                  file->device != NULL ? file->device->alias : NULL, NULL),
                           fd, error);
}

/* Its account is not known to QEMU's groups any more: what it may open is what it could at its start. */
static gboolean
prepare_memory (Plugging *plugging, GError **error)
{
  const Hotplug *plug = plugging->plug;
  const DomainDef *def = recipe_def (plugging->recipe);
  g_autoptr (Account) account = NULL;

  if (recipe_memory_file_count (plugging->recipe) == 0)
    return TRUE;
  account = account_for_machine (plug->settings, def->uuid, (int)def->id.value, error);
  return account != NULL
         && memory_files_prepare (plugging->recipe, plug->settings, account, NULL, NULL, 0, error);
}

/* { "fdset-id": 3, "fd": 27 }: QEMU's secrets are read by the name of the descriptor, not by that of a set.
 */
static gboolean
name_secret (Plugging *plugging, const RecipeFile *file, JsonNode *answer, GError **error)
{
  JsonObject *object = untrusted_object_of (answer);
  guint64 number = object != NULL ? untrusted_count (object, "fd") : 0;
  g_autofree char *name = g_strdup_printf ("/proc/self/fd/%" G_GUINT64_FORMAT, number);

  if (number == 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "QEMU did not say which descriptor it took");
    return FALSE;
  }
  recipe_rename_file (plugging->recipe, file, name);
  return TRUE;
}

static gboolean
pass_files (Plugging *plugging, GError **error)
{
  if (!made_files_offer (&plugging->files, plugging->recipe, &plugging->plug->secrets,
                         plugging->plug->settings, plugging->job, error)
      || !files_open (&plugging->files, plugging->recipe, FALSE, error) || !prepare_memory (plugging, error))
    return FALSE;
  for (guint i = 0; i < recipe_file_count (plugging->recipe); i++) {
    const RecipeFile *file = recipe_get_file (plugging->recipe, i);
    int fd = g_array_index (plugging->files.fds, int, i);
    g_autoptr (JsonNode) answer = NULL;

    if (file->by_name) {
      virt_error_set (
          error, VIR_ERR_OPERATION_UNSUPPORTED,
          "the file '%s' cannot be read by QEMU's account, and cannot be passed to a running QEMU",
          file->path);
      return FALSE;
    }
    answer = pass_file (plugging, file, fd, error);
    if (answer == NULL)
      return FALSE;
    plugging->sets++;
    if (file->is_secret && !name_secret (plugging, file, answer, error))
      return FALSE;
  }
  return TRUE;
}

#define BUSY_TRIES 20  /* the device behind a character device is gone a moment after QEMU says so */
#define BUSY_WAIT  100 /* ms between two of them */

static const struct {
  const char *add, *remove, *name;
} commands[] = {
  [STEP_OBJECT] = { "object-add", "object-del", "id" },
  [STEP_CHARDEV] = { "chardev-add", "chardev-remove", "id" },
  [STEP_NETDEV] = { "netdev_add", "netdev_del", "id" },
  [STEP_BLOCKDEV] = { "blockdev-add", "blockdev-del", "node-name" },
  [STEP_DEVICE] = { "device_add", "device_del", "id" },
  [STEP_AUDIODEV] = { NULL, NULL, NULL },
};

/* What a watchdog does when it expires is all that a device says as an option. */
static gboolean
say_option (Plugging *plugging, const Step *step, GError **error)
{
  if (g_str_equal (step->option, "-watchdog-action"))
    return plugging_send (plugging, "set-action", props ("watchdog", "s", step->value, NULL), error);
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                  "the device needs the option %s, which QEMU can only be given at its start", step->option);
  return FALSE;
}

static gboolean
say_step (Plugging *plugging, const Step *step, GError **error)
{
  const char *command = commands[step->kind].add;

  if (step->kind == STEP_OPTION)
    return say_option (plugging, step, error);
  if (command == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "the device needs what QEMU can only be given at its start");
    return FALSE;
  }
  return plugging_send (plugging, command, json_object_ref (step->properties), error);
}

void
plugging_pause (Plugging *plugging, guint milliseconds)
{
  GPollFD poll = { 0 };
  GCancellable *cancellable = job_cancellable (plugging->job);

  if (!g_cancellable_make_pollfd (cancellable, &poll))
    return;
  g_poll (&poll, 1, (int)milliseconds);
  g_cancellable_release_fd (cancellable);
}

gboolean
plugging_undo_step (Plugging *plugging, const Step *step, GError **error)
{
  const char *command = commands[step->kind].remove, *name = commands[step->kind].name;

  if (command == NULL)
    return TRUE;
  for (guint i = 0;; i++) {
    const char *value = json_object_get_string_member_with_default (step->properties, name, "");
    g_autoptr (GError) problem = NULL;

    if (plugging_send (plugging, command, props (name, "s", value, NULL), &problem))
      return TRUE;
    if (step->kind != STEP_CHARDEV || i + 1 == BUSY_TRIES || strstr (problem->message, "is busy") == NULL
        || !job_check (plugging->job, NULL)) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
    plugging_pause (plugging, BUSY_WAIT);
  }
}

gboolean
plugging_undo (Plugging *plugging)
{
  gboolean undone = TRUE;

  for (guint i = plugging->done->len; i > 0; i--) {
    g_autoptr (GError) problem = NULL;

    if (plugging_undo_step (plugging,
                            recipe_get_step (plugging->recipe, g_array_index (plugging->done, guint, i - 1)),
                            &problem))
      continue;
    undone = FALSE;
    g_warning ("a step of a device that could not be attached stays behind: %s", problem->message);
  }
  g_array_set_size (plugging->done, 0);
  for (guint i = 0; i < plugging->sets; i++) {
    const RecipeFile *file = recipe_get_file (plugging->recipe, i);

    /* One that a step has taken has no name any more. */
    if (file->passed)
      plugging_send (plugging, "closefd", props ("fdname", "s", file->path, NULL), NULL);
    else
      undone = plugging_send (plugging, "remove-fd", props ("fdset-id", "i", (int)file->set, NULL), NULL)
               && undone;
  }
  plugging->sets = 0;
  plugging->left_behind = !undone;
  return undone;
}

/* The file a lock is wanted of: QEMU's answers, unlike its log, do not say it. */
static const char *
image_path (const Plugging *plugging)
{
  for (guint i = 0; i < recipe_file_count (plugging->recipe); i++)
    if (recipe_get_file (plugging->recipe, i)->writable)
      return recipe_get_file (plugging->recipe, i)->path;
  return recipe_file_count (plugging->recipe) > 0 ? recipe_get_file (plugging->recipe, 0)->path : NULL;
}

static void
name_images (const Plugging *plugging, GError *error)
{
  g_autofree char *said = error->message, *named = recipe_name_files (plugging->recipe, said);
  const char *image = strstr (named, "Failed to get ") != NULL && strstr (named, " lock") != NULL
                              && strstr (named, "using the image") == NULL
                          ? image_path (plugging)
                          : NULL;

  error->message = image != NULL
                       ? g_strdup_printf ("%s: Is another process using the image [%s]?", named, image)
                       : g_steal_pointer (&named);
}

gboolean
plugging_say (Plugging *plugging, gboolean device, GError **error)
{
  gboolean good = pass_files (plugging, error);

  for (guint i = 0; good && i < recipe_step_count (plugging->recipe); i++) {
    const Step *step = recipe_get_step (plugging->recipe, i);

    if (step->kind == STEP_DEVICE && !device)
      continue;
    good = say_step (plugging, step, error);
    if (good)
      g_array_append_val (plugging->done, i);
  }
  if (good)
    return TRUE;
  if (error != NULL && *error != NULL)
    name_images (plugging, *error);
  plugging_undo (plugging);
  return FALSE;
}

gboolean
plugging_write_down (const Hotplug *plug, DomainDef *def, const Device *device, GError **error)
{
  g_autofree char *xml = domain_def_to_xml (def, DOMAIN_WRITE_LIVE | DOMAIN_WRITE_SECURE);

  return device->alias == NULL || store_save_hotplug (plug->store, def->uuid, device->alias, xml, error);
}

gboolean
attach_finish (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, GError **error)
{
  return live_device_conversation (def, device, plug->qmp, job, error);
}

static gboolean
attach_steps (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const Hotplug *plug = plugging->plug;

  if (!plugging_add (plugging, def, device, RECIPE_BY_DESCRIPTOR, error)
      || !plugging_write_down (plug, def, device, error))
    return FALSE;
  if (plugging_say (plugging, TRUE, error)) {
    if (live_device_conversation (def, device, plug->qmp, plugging->job, error))
      return TRUE;
    plugging_undo (plugging);
  }
  if (!plugging->left_behind)
    attach_published (plug, def, device);
  return FALSE;
}

gboolean
attach_device (Job *job, const Hotplug *plug, DomainDef *def, Device *device, GError **error)
{
  g_auto (Plugging) plugging = { 0 };

  if (!qemu_can_attach (device, error))
    return FALSE;
  plugging_init (&plugging, job, plug);
  if (attach_steps (&plugging, def, device, error))
    return TRUE;
  if (plugging.opened && !plugging.left_behind)
    running_kind (device->kind)->close (&plugging, def, device);
  return FALSE;
}

void
attach_published (const Hotplug *plug, const DomainDef *def, const Device *device)
{
  if (device->alias != NULL)
    store_remove_hotplug (plug->store, def->uuid, device->alias);
}

gboolean
update_device (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, Device *updated,
               gboolean force, GError **error)
{
  const RunningKind *row = running_kind (device->kind);

  return row->update == NULL || row->update (job, plug, def, device, updated, force, error);
}

/* Sets of an alias: see attach-private.h. */
typedef struct {
  const char *alias;
  GArray *sets;
} SetSearch;

/* "virtio-disk0", or "virtio-disk0 write": the alias, and perhaps what the descriptor is for. */
static gboolean
is_owned_by (const char *opaque, const char *alias)
{
  gsize length = strlen (alias);

  return opaque != NULL && strncmp (opaque, alias, length) == 0
         && (opaque[length] == '\0' || opaque[length] == ' ');
}

static void
match_set (JsonObject *item, gpointer data)
{
  SetSearch *search = data;
  JsonArray *list = untrusted_list (item, "fds");
  gint64 number = (gint64)untrusted_count (item, "fdset-id");

  if (number > NUMBER_MAX || search->sets->len >= SETS_MAX)
    return;
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *entry = untrusted_object_of (json_array_get_element (list, i));

    if (is_owned_by (untrusted_text (entry, "opaque"), search->alias)) {
      g_array_append_val (search->sets, number);
      return;
    }
  }
}

GArray *
plugging_sets_of (Plugging *plugging, const char *alias, GError **error)
{
  g_autoptr (GArray) sets = g_array_new (FALSE, FALSE, sizeof (gint64));
  SetSearch search = { alias, sets };

  if (!plugging_ask_list (plugging, "query-fdsets", NULL, match_set, &search, error))
    return NULL;
  return g_steal_pointer (&sets);
}

void
plugging_remove_sets (Plugging *plugging, const GArray *sets)
{
  for (guint i = 0; i < sets->len; i++)
    plugging_send (plugging, "remove-fd", props ("fdset-id", "i", (int)g_array_index (sets, gint64, i), NULL),
                   NULL);
}

/* Helpers of plugged devices. */

typedef struct {
  HelperSet *set;
  Helper *helper;
  const char *name;
} HelperChange;

static void
add_to_set (gpointer data)
{
  HelperChange *change = data;

  helper_set_add (change->set, change->helper);
}

static void
stop_in_set (gpointer data)
{
  HelperChange *change = data;

  helper_set_stop (change->set, change->name);
}

void
plugging_add_helper (Plugging *plugging, Helper *helper)
{
  HelperChange change = { .set = plugging->plug->helpers, .helper = helper };

  job_in_main_loop (plugging->job, add_to_set, &change);
}

void
plugging_stop_helper (const Plugging *plugging, const char *name)
{
  HelperChange change = { .set = plugging->plug->helpers, .name = name };

  if (change.set != NULL)
    job_in_main_loop (plugging->job, stop_in_set, &change);
}
