/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The registry of the objects of one kind. Names and UUIDs belong together: a definition may take neither
 * from another object.
 */
#include "daemon/object/registry.h"

#include "daemon/core/main-loop.h"
#include "daemon/object/child.h"

/* Those of every kind whose parent is an object of this one. */
static void
make_trees (Object *object)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->child != NULL && (*kind)->child->owner == object->kind)
      G_STRUCT_MEMBER (ChildTree *, object, (*kind)->child->tree) = child_tree_new (*kind, object);
}

static void
free_trees (Object *object)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->child != NULL && (*kind)->child->owner == object->kind)
      child_tree_free (child_tree_of (*kind, object));
}

static void
object_free (gpointer data)
{
  Object *object = data;
  g_autoptr (GError) error = NULL;

  virt_error_set (&error, object->kind->missing, "no %s with matching uuid '%s'%s%s%s", object->kind->name,
                  object->uuid, object->kind->unnamed ? "" : " (", object->kind->unnamed ? "" : object->name,
                  object->kind->unnamed ? "" : ")");
  lock_close (object->lock, error);
  if (object->kind->clear != NULL)
    object->kind->clear (object);
  free_trees (object);
  lock_unref (object->lock);
  g_free (object->name);
  g_free (object->uuid);
  g_free (object);
}

Registry *
registry_new (const ObjectKind *kind, Manager *manager, const Settings *settings, Events *events,
              GError **error)
{
  Store *store = store_new (kind, settings, error);
  Registry *registry;

  if (store == NULL)
    return NULL;
  registry = g_new0 (Registry, 1);
  registry->kind = kind;
  registry->manager = manager;
  registry->settings = settings;
  registry->events = events;
  registry->store = store;
  registry->by_uuid = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, object_free);
  registry->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return registry;
}

void
registry_free (Registry *registry)
{
  if (registry == NULL)
    return;
  g_clear_pointer (&registry->by_order, g_ptr_array_unref);
  g_hash_table_unref (registry->by_name);
  g_hash_table_unref (registry->by_uuid);
  store_free (registry->store);
  g_free (registry);
}

static Object *
find (const Registry *registry, GHashTable *index, const char *value, const char *what, GError **error)
{
  Object *object = g_hash_table_lookup (index, value);

  if (object == NULL)
    virt_error_set (error, registry->kind->missing, "no %s with matching %s '%s'", registry->kind->name, what,
                    value);
  return object;
}

Object *
registry_find_uuid (Registry *registry, const char *uuid, GError **error)
{
  MAIN_LOOP_ONLY ();

  return find (registry, registry->by_uuid, uuid, "uuid", error);
}

Object *
registry_find_name (Registry *registry, const char *name, GError **error)
{
  MAIN_LOOP_ONLY ();

  return find (registry, registry->by_name, name, "name", error);
}

guint
registry_count (const Registry *registry)
{
  return g_hash_table_size (registry->by_uuid);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 ((*(Object *const *)a)->name, (*(Object *const *)b)->name);
}

GPtrArray *
registry_list (Registry *registry)
{
  MAIN_LOOP_ONLY ();

  GHashTableIter iter;
  gpointer object;

  if (registry->by_order == NULL) {
    registry->by_order = g_ptr_array_sized_new (registry_count (registry));
    g_hash_table_iter_init (&iter, registry->by_uuid);
    while (g_hash_table_iter_next (&iter, NULL, &object))
      g_ptr_array_add (registry->by_order, object);
    g_ptr_array_sort (registry->by_order, compare_names);
  }
  return g_ptr_array_copy (registry->by_order, NULL, NULL);
}

gboolean
registry_check_identity (Registry *registry, const char *name, const char *uuid, Object **ret_object,
                         GError **error)
{
  const ObjectKind *kind = registry->kind;
  Object *same_uuid = g_hash_table_lookup (registry->by_uuid, uuid);
  Object *same_name = g_hash_table_lookup (registry->by_name, name);

  if (same_uuid != NULL && !g_str_equal (same_uuid->name, name)) {
    virt_error_set_from (error, kind->origin, VIR_ERR_OPERATION_FAILED,
                         "%s '%s' is already defined with uuid %s", kind->short_name, same_uuid->name, uuid);
    return FALSE;
  }
  if (same_name != NULL && same_name != same_uuid) {
    virt_error_set_from (error, kind->origin, VIR_ERR_OPERATION_FAILED, "%s '%s' already exists with uuid %s",
                         kind->short_name, name, same_name->uuid);
    return FALSE;
  }
  if (ret_object != NULL)
    *ret_object = same_uuid;
  return TRUE;
}

static void
released (gpointer data)
{
  Object *object = data;

  object->kind->released (object);
}

Object *
registry_add (Registry *registry, const char *name, const char *uuid)
{
  MAIN_LOOP_ONLY ();

  const ObjectKind *kind = registry->kind;
  g_autofree char *what = g_strdup_printf ("%s '%s'", kind->name, name);
  Object *object = g_malloc0 (kind->size);

  object->kind = kind;
  object->registry = registry;
  object->manager = registry->manager;
  object->name = g_strdup (name);
  object->uuid = g_strdup (uuid);
  object->lock = lock_new (what, OBJECT_WAITING_MAX);
  if (kind->released != NULL)
    lock_set_released (object->lock, released, object);
  make_trees (object);
  if (kind->init != NULL)
    kind->init (object);
  g_hash_table_insert (registry->by_uuid, object->uuid, object);
  g_hash_table_insert (registry->by_name, object->name, object);
  g_clear_pointer (&registry->by_order, g_ptr_array_unref);
  return object;
}

void
registry_remove (Object *object)
{
  MAIN_LOOP_ONLY ();

  Registry *registry = object->registry;

  g_clear_pointer (&registry->by_order, g_ptr_array_unref);
  g_hash_table_remove (registry->by_name, object->name);
  g_hash_table_remove (registry->by_uuid, object->uuid);
}

void
registry_rename (Object *object, const char *name)
{
  MAIN_LOOP_ONLY ();

  Registry *registry = object->registry;
  g_autofree char *what = g_strdup_printf ("%s '%s'", object->kind->name, name);

  g_hash_table_remove (registry->by_name, object->name);
  g_free (object->name);
  object->name = g_strdup (name);
  lock_rename (object->lock, what);
  g_hash_table_insert (registry->by_name, object->name, object);
  g_clear_pointer (&registry->by_order, g_ptr_array_unref);
}

void
object_event (const Object *object, int number, GVariant *payload)
{
  MAIN_LOOP_ONLY ();

  g_autoptr (GVariant) handle = g_variant_ref_sink (object->kind->handle (object));
  g_autoptr (GVariant) sunk = g_variant_ref_sink (payload);
  /* Copies: a handler may cause the object to be renamed or forgotten. */
  g_autofree char *name = g_strdup (object->name), *uuid = g_strdup (object->uuid);
  Event event = { object->kind->family, number, name, uuid, -1, handle, sunk };

  events_send (object->registry->events, &event);
}

void
object_lifecycle_event (const Object *object, int event)
{
  object_event (object, EVENT_LIFECYCLE, g_variant_new ("(ii)", event, 0));
}

/* What a definition is called: its name, or its UUID where the kind has no names. */
static const char *
name_of (const ObjectKind *kind, gconstpointer def)
{
  return kind->unnamed ? document_uuid (kind->document, def) : document_name (kind->document, def);
}

Object *
registry_commit_definition (Registry *registry, gpointer def)
{
  MAIN_LOOP_ONLY ();

  const ObjectKind *kind = registry->kind;
  const char *uuid = document_uuid (kind->document, def);
  Object *object = g_hash_table_lookup (registry->by_uuid, uuid);

  if (object == NULL)
    object = registry_add (registry, name_of (kind, def), uuid);
  object->persistent = kind->is_kept == NULL || kind->is_kept (def);
  kind->define (object, def);
  object_lifecycle_event (object, kind->defined);
  return object;
}

void
registry_commit_undefine (Object *object)
{
  MAIN_LOOP_ONLY ();

  object->persistent = object->autostart = FALSE;
  object_lifecycle_event (object, object->kind->undefined);
  if (!object->active)
    registry_remove (object);
}

static void
report_broken (const char *path, const GError *error, G_GNUC_UNUSED gpointer data)
{
  g_warning ("%s is skipped: %s", path, error->message);
}

static gpointer
read_text (const Registry *registry, const char *text, const char *path, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  const DocumentKind *document = registry->kind->document;
  gpointer def = document_read (document, text, -1, DOCUMENT_LAX, diagnostics);

  if (diagnostics_check (diagnostics, error))
    return def;
  document_unref (document, def);
  return NULL;
}

/* The completed definition; of a document that was put there or changed by hand, one is made from it now. */
static gpointer
load_definition (Registry *registry, const StoreEntry *entry, GError **error)
{
  const DocumentKind *document = registry->kind->document;
  g_autofree char *path = store_source_path (registry->store, entry->name);
  gboolean stale = FALSE;
  g_autofree char *completed = store_load_completed (registry->store, entry->uuid, entry->name, &stale, NULL);
  g_autofree char *source = NULL, *xml = NULL;
  gpointer def;

  if (completed != NULL && !stale)
    return read_text (registry, completed, path, error);
  source = store_load_source (registry->store, entry->name, error);
  def = source != NULL ? read_text (registry, source, path, error) : NULL;
  if (def == NULL)
    return NULL;
  document_set_uuid (document, def, entry->uuid);
  xml = document_to_xml (document, def, FIELD_WRITE_SECURE);
  if (store_save (registry->store, entry->uuid, entry->name, source, xml, NULL, error))
    return def;
  document_unref (document, def);
  return NULL;
}

/* A definition on its way from the disk into the registry. */
typedef struct {
  const DocumentKind *document;
  StoreEntry *entry;
  gpointer def; /* NULL with @error, and of a kind that is read when it is needed */
  GError *error;
} Loaded;

static void
loaded_free (gpointer data)
{
  Loaded *loaded = data;

  if (loaded->def != NULL)
    document_unref (loaded->document, loaded->def);
  store_entry_free (loaded->entry);
  g_clear_error (&loaded->error);
  g_free (loaded);
}

GPtrArray *
registry_read (Registry *registry)
{
  GPtrArray *contents = g_ptr_array_new_with_free_func (loaded_free);
  GPtrArray *entries;

  entries = store_list (registry->store, report_broken, NULL);
  g_ptr_array_set_free_func (entries, NULL);
  for (guint i = 0; i < entries->len; i++) {
    Loaded *loaded = g_new0 (Loaded, 1);

    loaded->document = registry->kind->document;
    loaded->entry = g_ptr_array_index (entries, i);
    if (!registry->kind->lazy)
      loaded->def = load_definition (registry, loaded->entry, &loaded->error);
    g_ptr_array_add (contents, loaded);
  }
  g_ptr_array_unref (entries);
  return contents;
}

void
registry_add_uuids (const GPtrArray *contents, GHashTable *uuids)
{
  for (guint i = 0; i < contents->len; i++)
    g_hash_table_insert (uuids, ((const Loaded *)g_ptr_array_index (contents, i))->entry->uuid,
                         ((const Loaded *)g_ptr_array_index (contents, i))->entry->name);
}

static void
take (Registry *registry, Loaded *loaded)
{
  const ObjectKind *kind = registry->kind;
  const StoreEntry *entry = loaded->entry;
  g_autofree char *path = store_source_path (registry->store, entry->name);
  Object *object;

  if (kind->lazy
      || (loaded->def != NULL
          && (kind->check == NULL || kind->check (registry, NULL, loaded->def, &loaded->error)))) {
    object = registry_add (registry, entry->name, entry->uuid);
    object->persistent = TRUE;
    object->autostart = entry->autostart;
    object->autostart_once = entry->autostart_once;
    if (loaded->def != NULL)
      kind->define (object, loaded->def);
  }
  if (loaded->error != NULL)
    report_broken (path, loaded->error, NULL);
}

void
registry_take (Registry *registry, GPtrArray *contents)
{
  MAIN_LOOP_ONLY ();

  for (guint i = 0; i < contents->len; i++)
    take (registry, g_ptr_array_index (contents, i));
  g_ptr_array_unref (contents);
}
