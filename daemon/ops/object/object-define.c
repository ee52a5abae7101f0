/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is defined, changed the same way for every kind: the document is read in a job, the row's checks are
 * made once all changes before it are done, text and completed definition are written in a job, and the
 * registry commits them. An object that is kept nowhere (an ephemeral secret) goes the same way, but what is
 * on disk of it from before is removed.
 */
#include "daemon/ops/object/object-define.h"

#include "daemon/object/change.h"
#include "daemon/object/trash.h"
#include "daemon/ops/object/object-list.h"
#include "daemon/ops/ops.h"

#include <string.h>

typedef struct {
  Call *call;
  const ObjectKind *kind;
  Registry *registry;
  Author *author;
  char *uuid, *name;
  char *same_uuid; /* of the object it is to be where the document says none; NULL: a new one */
  gpointer def;    /* of what is defined */
  char **names;    /* that its kind has looked up */
  char *source, *xml;
  char *completing; /* what is completed in place of @source, which is kept; NULL: the same */
  gpointer rest;    /* what it has besides, once all changes before it are done; NULL: nothing */
  gboolean strict, was_kept, autostart;
  gboolean discard;  /* to the trash, with ... */
  GStrv files;       /* ... what the kind says; NULL: nothing */
  TrashEntry *trash; /* once it is there */
} ObjectChange;

static void
change_free (gpointer data)
{
  ObjectChange *change = data;

  document_unref (change->kind->document, change->def);
  if (change->rest != NULL)
    change->kind->release_rest (change->rest);
  author_free (change->author);
  g_free (change->same_uuid);
  g_free (change->uuid);
  g_free (change->name);
  g_strfreev (change->names);
  g_free (change->source);
  g_free (change->completing);
  g_free (change->xml);
  g_strfreev (change->files);
  trash_entry_free (change->trash);
  g_free (change);
}

static ObjectChange *
change_new (Call *call, const ObjectKind *kind)
{
  ObjectChange *change = g_new0 (ObjectChange, 1);

  change->call = call;
  change->kind = kind;
  change->author = call_author (call);
  change->registry = manager_registry (call->manager, kind);
  if (call->object != NULL) {
    change->uuid = g_strdup (call->object->uuid);
    change->name = g_strdup (call->object->name);
  }
  return change;
}

static void
hold_rest (ObjectChange *change, Object *same)
{
  if (change->kind->hold_rest != NULL)
    change->rest = change->kind->hold_rest (change->registry, change->uuid, same);
}

static gboolean
is_kept (const ObjectChange *change)
{
  return change->kind->is_kept == NULL || change->kind->is_kept (change->def);
}

static gboolean
define_check (G_GNUC_UNUSED Manager *manager, gpointer data, GError **error)
{
  ObjectChange *change = data;
  Object *same;

  if (!registry_check_identity (change->registry, change->name, change->uuid, &same, error)
      || (change->kind->choose != NULL
          && !change->kind->choose (change->registry, same, change->def, (const char *const *)change->names,
                                    error))
      || (change->kind->check != NULL && !change->kind->check (change->registry, same, change->def, error)))
    return FALSE;
  change->was_kept = same != NULL && same->persistent;
  hold_rest (change, same);
  return TRUE;
}

/* All that is on disk. Its definition goes first: what else is left of it then means nothing, and is removed
 * at the next start if it cannot be now. */
static gboolean
remove_from_disk (const ObjectChange *change, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (!store_remove (change->registry->store, change->uuid, change->name, error))
    return FALSE;
  if (change->trash != NULL)
    trash_take (change->trash);
  if (change->rest != NULL && !change->kind->erase_rest (change->rest, &problem))
    g_warning ("%s; the next start of the daemon tries again", problem->message);
  return TRUE;
}

static gboolean
keep_or_remove (const ObjectChange *change, GError **error)
{
  const ObjectKind *kind = change->kind;

  if (is_kept (change))
    return (change->rest == NULL || kind->keep_rest (change->rest, error))
           && store_save (change->registry->store, change->uuid, change->name, change->source, change->xml,
                          change->author, error);
  return (change->rest == NULL || kind->unkeep_rest (change->rest, error))
         && (!change->was_kept || remove_from_disk (change, error));
}

static gboolean
define_write (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  ObjectChange *change = data;
  const ObjectKind *kind = change->kind;

  change->xml = document_to_xml (kind->document, change->def, FIELD_WRITE_SECURE);
  if (kind->apply != NULL && !kind->apply (change->registry, change->def, error))
    return FALSE;
  if (keep_or_remove (change, error))
    return TRUE;
  if (kind->undo != NULL)
    kind->undo (change->registry, change->def);
  /* It is what it was. */
  if (change->rest != NULL)
    (change->was_kept ? kind->keep_rest : kind->unkeep_rest) (change->rest, NULL);
  return FALSE;
}

static void
answer_defined (Call *call, const Object *object)
{
  if (g_str_equal (call->operation->out, "-"))
    call_answer_nothing (call);
  else
    object_answer (call, object, NULL);
}

static void
define_done (G_GNUC_UNUSED Manager *manager, gpointer data, const GError *error)
{
  ObjectChange *change = data;

  if (error != NULL)
    call_fail (change->call, g_error_copy (error));
  else
    answer_defined (change->call, registry_commit_definition (change->registry, change->def));
}

static const ChangeKind define_change = { "define", define_check, define_write, define_done };

static gpointer
read_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  ObjectChange *change = data;
  const DocumentKind *document = change->kind->document;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  change->def = document_read (document, change->completing != NULL ? change->completing : change->source, -1,
                               change->strict ? 0 : DOCUMENT_LAX, diagnostics);
  if (!diagnostics_check (diagnostics, error))
    return NULL;
  if (change->same_uuid != NULL)
    document_set_uuid (document, change->def, change->same_uuid);
  if (change->kind->look != NULL)
    change->names = change->kind->look (change->def);
  change->uuid = g_strdup (document_uuid (document, change->def));
  change->name = g_strdup (change->kind->unnamed ? change->uuid : document_name (document, change->def));
  return JOB_OK;
}

static void
read_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  ObjectChange *change = data;

  if (error == NULL) {
    change_start (change->call->manager, &define_change, change, change_free);
    return;
  }
  call_fail (change->call, g_error_copy (error));
  change_free (change);
}

void
object_define (Call *call, const ObjectKind *kind, gboolean strict)
{
  object_define_text (call, kind, call_string (call, 0), NULL, NULL, strict);
}

void
object_define_text (Call *call, const ObjectKind *kind, const char *text, const char *completing,
                    const char *uuid, gboolean strict)
{
  ObjectChange *change = change_new (call, kind);

  change->source = g_strdup (text);
  change->completing = g_strdup (completing);
  change->same_uuid = g_strdup (uuid);
  change->strict = strict;
  call_work (call, strlen (change->source), "read", read_job, change, NULL, read_done);
}

/* It must have a definition. @doing: "undefine". */
static gboolean
check_persistent (const ObjectChange *change, const Object *object, const char *doing, GError **error)
{
  if (object->persistent || change->kind->is_kept != NULL)
    return TRUE;
  if (change->kind->no_undefine != NULL && g_str_equal (doing, "undefine"))
    virt_error_set_from (error, change->kind->origin, change->kind->transient, "%s",
                         change->kind->no_undefine);
  else
    virt_error_set_from (error, change->kind->origin, change->kind->transient, "cannot %s transient %s",
                         doing, change->kind->short_name);
  return FALSE;
}

static gboolean
undefine_check (G_GNUC_UNUSED Manager *manager, gpointer data, GError **error)
{
  ObjectChange *change = data;
  Object *object = registry_find_uuid (change->registry, change->uuid, error);

  if (object == NULL
      || (change->kind->check_undefine != NULL && !change->kind->check_undefine (object, error))
      || !check_persistent (change, object, "undefine", error))
    return FALSE;
  change->was_kept = object->persistent;
  change->autostart = object->autostart;
  if (change->discard && change->kind->state_files != NULL)
    change->files = change->kind->state_files (object);
  hold_rest (change, object);
  return TRUE;
}

static gboolean
undefine_write (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  ObjectChange *change = data;
  const Registry *registry = change->registry;

  if (!change->was_kept)
    return TRUE;
  if (change->discard) {
    change->trash =
        trash_begin (registry->settings, registry->store, change->uuid, change->name, change->autostart,
                     FALSE, (const char *const *)change->files, change->author, error);
    if (change->trash == NULL)
      return FALSE;
  }
  if (remove_from_disk (change, error))
    return TRUE;
  if (change->trash != NULL)
    trash_cancel (change->trash);
  return FALSE;
}

static void
undefine_done (G_GNUC_UNUSED Manager *manager, gpointer data, const GError *error)
{
  ObjectChange *change = data;
  Object *object = registry_find_uuid (change->registry, change->uuid, NULL);

  if (error != NULL) {
    call_fail (change->call, g_error_copy (error));
    return;
  }
  if (object != NULL)
    registry_commit_undefine (object);
  if (change->discard)
    call_answer (change->call, g_variant_new ("(u)", change->trash != NULL ? change->trash->number : 0));
  else
    call_answer_nothing (change->call);
}

static const ChangeKind undefine_change = { "undefine", undefine_check, undefine_write, undefine_done };

static void
undefine_begin (Call *call)
{
  change_start (call->manager, &undefine_change, change_new (call, call->object->kind), change_free);
}

static void
discard_begin (Call *call)
{
  ObjectChange *change = change_new (call, call->object->kind);

  change->discard = TRUE;
  change_start (call->manager, &undefine_change, change, change_free);
}

void
object_discard (Call *call)
{
  call_lock (call, "discard", discard_begin);
}

/* It holds the lock: nobody starts it meanwhile. */
void
op_object_undefine (Call *call)
{
  call_lock (call, "undefine", undefine_begin);
}

static gboolean
autostart_check (G_GNUC_UNUSED Manager *manager, gpointer data, GError **error)
{
  const ObjectChange *change = data;
  const Object *object = registry_find_uuid (change->registry, change->uuid, error);

  if (object == NULL || object->persistent || change->kind->no_autostart == NULL)
    return object != NULL && check_persistent (change, object, "set autostart for", error);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s", change->kind->no_autostart);
  return FALSE;
}

static gboolean
autostart_write (G_GNUC_UNUSED Store *store, gpointer data, GError **error)
{
  ObjectChange *change = data;

  return store_set_autostart (change->registry->store, change->name, STORE_AUTOSTART, change->autostart,
                              error);
}

static void
autostart_done (G_GNUC_UNUSED Manager *manager, gpointer data, const GError *error)
{
  ObjectChange *change = data;
  Object *object = registry_find_uuid (change->registry, change->uuid, NULL);

  if (error != NULL) {
    call_fail (change->call, g_error_copy (error));
    return;
  }
  if (object != NULL)
    object->autostart = change->autostart;
  call_answer_nothing (change->call);
}

static const ChangeKind autostart_change = { "autostart", autostart_check, autostart_write, autostart_done };

void
op_object_set_autostart (Call *call)
{
  ObjectChange *change = change_new (call, call->object->kind);

  change->autostart = call_int (call, 1) != 0;
  change_start (call->manager, &autostart_change, change, change_free);
}
