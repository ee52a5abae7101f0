/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The trash for clients: what is in it, what comes back from it, what leaves it for good, which it also does
 * by itself after some time. All of it goes through the queue of changes: what is in the trash is changed by
 * one at a time, as what is defined.
 */
#include "daemon/ops/object/object-trash.h"

#include "daemon/domain/domain-kind.h"
#include "daemon/object/change.h"
#include "daemon/object/trash.h"
#include "daemon/ops/domain/domain-discard.h"
#include "daemon/ops/object/object-define.h"
#include "daemon/ops/object/object-named.h"
#include "daemon/ops/ops.h"

#define WATCH_SECONDS (60 * 60)

/* Into it. */

void
op_object_discard (Call *call)
{
  GError *error = NULL;
  Object *object = object_named (call, &error);
  guint flags = call_uint (call, 2);

  if (object == NULL) {
    call_fail (call, error);
    return;
  }
  call->object = object;
  if (object->kind != &domain_kind) {
    object_discard (call);
    return;
  }
  call->domain = (Domain *)object;
  call->domain_uuid = g_strdup (object->uuid);
  domain_discard (call, flags);
}

/* What is in it. */

typedef struct {
  Call *call; /* NULL: nobody's who would be answered */
  const Settings *settings;
  GPtrArray *entries; /* TrashEntry */
  GArray *numbers;    /* guint: those that are meant; NULL: all ... */
  gint64 before;      /* ... that were removed before; 0: whenever */
  guint removed;
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;

  g_clear_pointer (&look->entries, g_ptr_array_unref);
  g_clear_pointer (&look->numbers, g_array_unref);
  g_free (look);
}

static gboolean
nothing_to_check (G_GNUC_UNUSED Manager *manager, G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static gboolean
list_entries (G_GNUC_UNUSED Store *store, gpointer data, G_GNUC_UNUSED GError **error)
{
  Look *look = data;

  look->entries = trash_list (look->settings);
  return TRUE;
}

static void
entries_listed (G_GNUC_UNUSED Manager *manager, gpointer data, G_GNUC_UNUSED const GError *error)
{
  const Look *look = data;
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(ussxxsas)"));
  for (guint i = 0; i < look->entries->len; i++) {
    const TrashEntry *entry = g_ptr_array_index (look->entries, i);
    g_auto (GStrv) files = trash_entry_files (entry);

    g_variant_builder_add (&list, "(ussxxs^as)", entry->number, entry->kind, entry->name, entry->time,
                           entry->uid, entry->client, files);
  }
  call_answer (look->call, g_variant_new ("(a(ussxxsas))", &list));
}

static const ChangeKind list_change = { "trash", nothing_to_check, list_entries, entries_listed };

static Look *
look_new (Call *call, Manager *manager)
{
  Look *look = g_new0 (Look, 1);

  look->call = call;
  look->settings = manager->settings;
  return look;
}

void
op_trash_list (Call *call)
{
  change_start (call->manager, &list_change, look_new (call, call->manager), look_free);
}

/* Out of it for good. */

static gboolean
empty_some (const Look *look, guint *ret_removed, GError **error)
{
  for (guint i = 0; i < look->numbers->len; i++) {
    g_autoptr (TrashEntry) entry =
        trash_open (look->settings, g_array_index (look->numbers, guint, i), error);

    if (entry == NULL || !trash_remove (entry, error))
      return FALSE;
    ++*ret_removed;
  }
  return TRUE;
}

static gboolean
empty (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  Look *look = data;
  g_autoptr (GPtrArray) entries = NULL;

  if (look->numbers != NULL)
    return empty_some (look, &look->removed, error);
  entries = trash_list (look->settings);
  for (guint i = 0; i < entries->len; i++) {
    TrashEntry *entry = g_ptr_array_index (entries, i);

    if (look->before != 0 && entry->time >= look->before)
      continue;
    if (!trash_remove (entry, error))
      return FALSE;
    look->removed++;
  }
  return TRUE;
}

static void
emptied (G_GNUC_UNUSED Manager *manager, gpointer data, const GError *error)
{
  const Look *look = data;

  if (look->call == NULL && error != NULL)
    g_warning ("the trash: %s", error->message);
  else if (look->call == NULL && look->removed > 0)
    g_message ("the trash: %u of its entries were too old", look->removed);
  else if (look->call != NULL && error != NULL)
    call_fail (look->call, g_error_copy (error));
  else if (look->call != NULL)
    call_answer (look->call, g_variant_new ("(u)", look->removed));
}

static const ChangeKind empty_change = { "trash", nothing_to_check, empty, emptied };

void
op_trash_empty (Call *call)
{
  Look *look = look_new (call, call->manager);
  g_autoptr (GVariant) numbers = g_variant_get_child_value (call->arguments, 0);
  gsize count = 0;
  const guint32 *values = g_variant_get_fixed_array (numbers, &count, sizeof (guint32));

  if (count > 0) {
    look->numbers = g_array_sized_new (FALSE, FALSE, sizeof (guint), (guint)count);
    g_array_append_vals (look->numbers, values, (guint)count);
  }
  change_start (call->manager, &empty_change, look, look_free);
}

static gboolean
expire (gpointer data)
{
  Manager *manager = data;
  Look *look = look_new (NULL, manager);

  look->before = g_get_real_time () - manager->settings->trash_days * G_TIME_SPAN_DAY;
  change_start (manager, &empty_change, look, look_free);
  return G_SOURCE_CONTINUE;
}

void
trash_watch (Manager *manager)
{
  if (manager->settings->trash_days == 0)
    return;
  expire (manager);
  g_timeout_add_seconds (WATCH_SECONDS, expire, manager);
}

/* Back. */

typedef struct {
  Call *call;
  Manager *manager;
  const Platform *platform;
  guint number;
  TrashEntry *entry;
  const ObjectKind *kind;
  Registry *registry;
  gpointer def;
  GPtrArray *families; /* ChildFamily: of a machine, once its files are back */
} Return;

static void
return_free (gpointer data)
{
  Return *back = data;

  trash_entry_free (back->entry);
  if (back->def != NULL && back->kind == &domain_kind)
    domain_def_unref (back->def);
  else if (back->def != NULL)
    document_unref (back->kind->document, back->def);
  g_clear_pointer (&back->families, g_ptr_array_unref);
  g_free (back);
}

/* As it was completed then. */
static gpointer
read_entry (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Return *back = data;
  g_autoptr (Diagnostics) diagnostics = NULL;
  g_autofree char *text = NULL;

  back->entry = trash_open (back->manager->settings, back->number, error);
  back->kind = back->entry != NULL ? object_kind_named (back->entry->kind, error) : NULL;
  text = back->kind != NULL ? trash_entry_completed (back->entry, error) : NULL;
  if (text == NULL)
    return NULL;
  diagnostics = diagnostics_new (back->entry->name);
  back->def = back->kind == &domain_kind
                  ? (gpointer)domain_def_parse (text, -1, DOMAIN_READ_NO_SCHEMA, back->platform, diagnostics)
                  : document_read (back->kind->document, text, -1, DOCUMENT_LAX, diagnostics);
  return diagnostics_check (diagnostics, error) ? JOB_OK : NULL;
}

static gboolean
check_free (Manager *manager, gpointer data, GError **error)
{
  Return *back = data;
  const TrashEntry *entry = back->entry;
  Object *same;

  back->registry = manager_registry (manager, back->kind);
  if (!registry_check_identity (back->registry, entry->name, entry->uuid, &same, error))
    return FALSE;
  if (same == NULL || !same->persistent)
    return back->kind->check == NULL || back->kind->check (back->registry, same, back->def, error);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s '%s' is defined: undefine it first",
                  back->kind->short_name, entry->name);
  return FALSE;
}

static gboolean
put_back (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  Return *back = data;
  const ObjectKind *kind = back->kind;

  if (kind->apply != NULL && !kind->apply (back->registry, back->def, error))
    return FALSE;
  if (trash_restore (back->entry, back->registry->store, error)) {
    if (kind == &domain_kind)
      back->families = domain_read_children (back->manager->settings, back->entry->uuid);
    return TRUE;
  }
  if (kind->undo != NULL)
    kind->undo (back->registry, back->def);
  return FALSE;
}

static void
back_again (Manager *manager, gpointer data, const GError *error)
{
  Return *back = data;
  const TrashEntry *entry = back->entry;
  Object *object;

  if (error != NULL) {
    call_fail (back->call, g_error_copy (error));
    return;
  }
  if (back->kind == &domain_kind)
    object = &domain_commit_return (manager, back->def, back->families)->object;
  else
    object = registry_commit_definition (back->registry, back->def);
  object->autostart = entry->autostart;
  object->autostart_once = entry->autostart_once;
  call_answer_nothing (back->call);
}

static const ChangeKind return_change = { "trash", check_free, put_back, back_again };

static void
entry_read (gpointer result, const GError *error, gpointer data)
{
  Return *back = data;

  if (result != NULL) {
    change_start (back->manager, &return_change, back, return_free);
    return;
  }
  call_fail (back->call, g_error_copy (error));
  return_free (back);
}

void
op_trash_restore (Call *call)
{
  Return *back = g_new0 (Return, 1);

  back->call = call;
  back->manager = call->manager;
  back->platform = call->manager->platform;
  back->number = call_uint (call, 0);
  job_start ("trash", read_entry, back, NULL, 0, entry_read, back);
}
