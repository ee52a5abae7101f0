/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Secrets as a kind of object: they have no names, are called by their UUIDs, and no two are for the same
 * use. An ephemeral one is in memory only. What is private stays so as long as the secret is there.
 */
#include "daemon/secret/secrets.h"

#include "daemon/call/call.h"

#include <unistd.h>

static gboolean
has_usage (const SecretDef *def, int type, const char *id)
{
  return secret_def_usage_type (def) == type && g_strcmp0 (secret_def_usage_id (def), id) == 0;
}

static Secret *
find_usage (Registry *registry, int type, const char *id)
{
  g_autoptr (GPtrArray) all = registry_list (registry);

  for (guint i = 0; i < all->len && type != VIR_SECRET_USAGE_TYPE_NONE; i++) {
    Secret *secret = g_ptr_array_index (all, i);

    if (has_usage (secret->def, type, id))
      return secret;
  }
  return NULL;
}

Secret *
secrets_find_usage (Manager *manager, int type, const char *id, GError **error)
{
  Secret *secret = find_usage (manager_registry (manager, &secret_kind), type, id);

  if (secret == NULL)
    virt_error_set (error, VIR_ERR_NO_SECRET, "no secret with matching usage '%s'", id);
  return secret;
}

static void
init (Object *object)
{
  Secret *secret = (Secret *)object;

  secret->cell = secret_cell_new (object->registry->settings, object->uuid, FALSE);
}

static void
clear (Object *object)
{
  Secret *secret = (Secret *)object;

  document_unref (&secret_document, secret->def);
  secret_cell_unref (secret->cell);
}

static gboolean
check_same (const Secret *same, const SecretDef *def, GError **error)
{
  const char *old_id = secret_def_usage_id (same->def);

  if (!has_usage (same->def, secret_def_usage_type (def), secret_def_usage_id (def))) {
    virt_error_set_from (error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                         "a secret with UUID %s is already defined for use with %s", same->uuid,
                         old_id != NULL ? old_id : "(null)");
    return FALSE;
  }
  if (same->def->private == TRISTATE_YES && def->private != TRISTATE_YES) {
    virt_error_set_from (error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                         "cannot change private flag on existing secret");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check (Registry *registry, const Object *same, gconstpointer data, GError **error)
{
  const SecretDef *def = data;
  const char *id = secret_def_usage_id (def);
  Secret *other;

  if (same != NULL)
    return check_same ((const Secret *)same, def, error);
  other = find_usage (registry, secret_def_usage_type (def), id);
  if (other == NULL)
    return TRUE;
  virt_error_set_from (error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                       "a secret with UUID %s already defined for use with %s", other->uuid, id);
  return FALSE;
}

static gboolean
is_kept (gconstpointer data)
{
  return ((const SecretDef *)data)->ephemeral != TRISTATE_YES;
}

/* Of a new one, the cell is as its definition says; that of an old one has changed with the disk. */
static void
define (Object *object, gpointer def)
{
  Secret *secret = (Secret *)object;

  if (secret->def == NULL) {
    secret_cell_unref (secret->cell);
    secret->cell = secret_cell_new (object->registry->settings, object->uuid, is_kept (def));
  }
  document_unref (&secret_document, secret->def);
  secret->def = document_ref (&secret_document, def);
}

/* A new one has nothing to take along: what lies there is of a secret that is gone. */
static gpointer
hold_rest (Registry *registry, const char *uuid, Object *same)
{
  return same != NULL ? secret_cell_ref (((Secret *)same)->cell)
                      : secret_cell_new (registry->settings, uuid, FALSE);
}

static void
release_rest (gpointer cell)
{
  secret_cell_unref (cell);
}

static gboolean
keep_rest (gpointer cell, GError **error)
{
  return secret_cell_keep (cell, error);
}

static gboolean
unkeep_rest (gpointer cell, GError **error)
{
  return secret_cell_unkeep (cell, error);
}

static gboolean
erase_rest (gpointer cell, GError **error)
{
  return secret_cell_erase (cell, error);
}

static GStrv
state_files (const Object *object)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_autofree char *value = secret_file_path (object->registry->settings, object->uuid);

  g_strv_builder_add (paths, value);
  return g_strv_builder_end (paths);
}

/* A removal that was cut short has left a value without a document. A document that cannot be read is one. */
static void
loaded (Registry *registry, RegistrySettled settled, gpointer data)
{
  g_autoptr (GPtrArray) uuids = secret_file_list (registry->settings);

  for (guint i = 0; i < uuids->len; i++) {
    const char *uuid = g_ptr_array_index (uuids, i);
    g_autofree char *document = store_source_path (registry->store, uuid);
    g_autoptr (GError) error = NULL;

    if (access (document, F_OK) < 0 && !secret_file_remove (registry->settings, uuid, &error))
      g_warning ("%s", error->message);
  }
  settled (data);
}

static GVariant *
handle (const Object *object)
{
  const Secret *secret = (const Secret *)object;
  const char *id = secret_def_usage_id (secret->def);

  return g_variant_new ("(@ayis)", call_uuid_value (object->uuid), secret_def_usage_type (secret->def),
                        id != NULL ? id : "");
}

static gboolean
passes (const Object *object, guint flags)
{
  const SecretDef *def = ((const Secret *)object)->def;

  return object_flag_passes (flags, VIR_CONNECT_LIST_SECRETS_EPHEMERAL, VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL,
                             def->ephemeral == TRISTATE_YES)
         && object_flag_passes (flags, VIR_CONNECT_LIST_SECRETS_PRIVATE, VIR_CONNECT_LIST_SECRETS_NO_PRIVATE,
                                def->private == TRISTATE_YES);
}

static const char *const interfaces[] = { "org.libvirt.Secret", NULL };

const ObjectKind secret_kind = {
  .letter = 'K',
  .name = "secret",
  .short_name = "secret",
  .missing = VIR_ERR_NO_SECRET,
  .origin = VIR_FROM_SECRET,
  .family = EVENT_SECRET,
  .path_element = "secret",
  .interfaces = interfaces,
  .lifecycle_signal = "SecretEvent",
  .key = 0,
  .defined = VIR_SECRET_EVENT_DEFINED,
  .undefined = VIR_SECRET_EVENT_UNDEFINED,
  .folder = "secrets",
  .unnamed = TRUE,
  .document = &secret_document,
  .size = sizeof (Secret),
  .init = init,
  .clear = clear,
  .handle = handle,
  .list_flags = VIR_CONNECT_LIST_SECRETS_EPHEMERAL | VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL
                | VIR_CONNECT_LIST_SECRETS_PRIVATE | VIR_CONNECT_LIST_SECRETS_NO_PRIVATE,
  .passes = passes,
  .check = check,
  .is_kept = is_kept,
  .define = define,
  .hold_rest = hold_rest,
  .release_rest = release_rest,
  .keep_rest = keep_rest,
  .unkeep_rest = unkeep_rest,
  .erase_rest = erase_rest,
  .state_files = state_files,
  .loaded = loaded,
};

/* What a job asks the main loop. */
typedef struct {
  Manager *manager;
  const char *uuid, *usage_id;
  int usage_type;
  SecretCell *cell;
  GError *error;
} Question;

static void
answer_question (gpointer data)
{
  Question *question = data;
  Secret *secret = question->uuid != NULL ? (Secret *)registry_find_uuid (
                       manager_registry (question->manager, &secret_kind), question->uuid, &question->error)
                                          : secrets_find_usage (question->manager, question->usage_type,
                                                                question->usage_id, &question->error);

  question->cell = secret != NULL ? secret_cell_ref (secret->cell) : NULL;
}

SecretValue *
secrets_fetch_value (Job *job, Manager *manager, const char *uuid, int usage_type, const char *usage_id,
                     GError **error)
{
  Question question = { manager, uuid, usage_id, usage_type, NULL, NULL };
  g_autoptr (SecretCell) cell = NULL;

  job_in_main_loop (job, answer_question, &question);
  cell = question.cell;
  if (cell != NULL)
    return secret_cell_read (cell, error);
  g_propagate_error (error, question.error);
  return NULL;
}

static SecretValue *
fetch_for_machine (gpointer manager, Job *job, const char *uuid, int usage_type, const char *usage,
                   GError **error)
{
  return secrets_fetch_value (job, manager, uuid, usage_type, usage, error);
}

SecretSource
secrets_source (Manager *manager)
{
  return (SecretSource){ fetch_for_machine, manager };
}
