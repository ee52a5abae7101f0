/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine's definition into the trash. Unlike undefining it needs no word about its state: variables, TPM,
 * managed save, and what is known of its snapshots and checkpoints go along, and come back with it. What a
 * machine that runs needs stays where it is, and so does what lies outside of the daemon's own places.
 */
#include "daemon/ops/domain/domain-discard.h"

#include "daemon/domain/definition.h"
#include "daemon/domain/domain-kind.h"
#include "daemon/domain/last-end.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/object/change.h"
#include "daemon/object/child-store.h"
#include "daemon/object/trash.h"

#include <unistd.h>

#define KNOWN_FLAGS                                                                                        \
  (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA                               \
   | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM \
   | VIR_DOMAIN_UNDEFINE_TPM | VIR_DOMAIN_UNDEFINE_KEEP_TPM)

typedef struct {
  Call *call;
  const Settings *settings;
  Author *author;
  char *uuid, *name;
  gboolean autostart, autostart_once;
  GStrv files;
  TrashEntry *trash;
} Discard;

static void
discard_free (gpointer data)
{
  Discard *discard = data;

  author_free (discard->author);
  g_free (discard->uuid);
  g_free (discard->name);
  g_strfreev (discard->files);
  trash_entry_free (discard->trash);
  g_free (discard);
}

static gboolean
check (Manager *manager, gpointer data, GError **error)
{
  Discard *discard = data;
  const Domain *domain = manager_find_uuid (manager, discard->uuid, error);

  if (domain != NULL && !domain->persistent)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
  if (domain == NULL || !domain->persistent)
    return FALSE;
  discard->autostart = domain->autostart;
  discard->autostart_once = domain->autostart_once;
  return TRUE;
}

static gboolean
write_both (Store *store, gpointer data, GError **error)
{
  Discard *discard = data;

  discard->trash =
      trash_begin (discard->settings, store, discard->uuid, discard->name, discard->autostart,
                   discard->autostart_once, (const char *const *)discard->files, discard->author, error);
  if (discard->trash == NULL)
    return FALSE;
  if (store_remove (store, discard->uuid, discard->name, error)) {
    trash_take (discard->trash);
    return TRUE;
  }
  trash_cancel (discard->trash);
  return FALSE;
}

static void
done (Manager *manager, gpointer data, const GError *error)
{
  Discard *discard = data;
  Domain *domain = manager_find_uuid (manager, discard->uuid, NULL);

  if (error != NULL || domain == NULL) {
    call_fail (discard->call, g_error_copy (error));
    return;
  }
  domain->managed_save = FALSE;
  manager_commit_undefine (manager, domain);
  call_answer (discard->call, g_variant_new ("(u)", discard->trash->number));
}

static const ChangeKind discard_change = { "discard", check, write_both, done };

static gboolean
is_own_variables (const Settings *settings, const char *path)
{
  g_autofree char *directory = g_strconcat (settings->state_directory, "/nvram/", NULL);
  g_autofree char *canonical = path != NULL ? g_canonicalize_filename (path, "/") : NULL;

  return canonical != NULL && g_str_has_prefix (canonical, directory) && g_str_equal (canonical, path);
}

/* Each kind whose parent is a domain has a directory of its own for them. */
static void
add_children (GStrvBuilder *paths, const Domain *domain)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->child != NULL && (*kind)->child->owner == domain->kind) {
      g_autofree char *path = child_store_directory (*kind, domain->manager->settings, domain->uuid);

      g_strv_builder_add (paths, path);
    }
}

/* Of one that does not run. */
static GStrv
state_files (const Domain *domain, const DomainDef *def, guint flags)
{
  const Settings *settings = domain->manager->settings;
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_autofree char *tpm = tpm_own_state (def, settings), *image = managed_save_path (settings, domain->uuid);
  g_autofree char *end = last_end_path (settings, domain->uuid);

  if (!(flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) && is_own_variables (settings, def->os.nvram))
    g_strv_builder_add (paths, def->os.nvram);
  if (!(flags & VIR_DOMAIN_UNDEFINE_KEEP_TPM) && tpm != NULL)
    g_strv_builder_add (paths, tpm);
  if (domain->managed_save)
    g_strv_builder_add (paths, image);
  g_strv_builder_add (paths, end);
  add_children (paths, domain);
  return g_strv_builder_end (paths);
}

static void
discard_with (Call *call, DomainDef *def)
{
  g_autofree char *tpm = tpm_own_state (def, call->manager->settings);
  const Domain *domain = call->domain;
  Discard *discard;

  if (domain->machine != NULL && tpm != NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID,
                    "domain '%s' runs, and its TPM's state would end with it: shut it down first",
                    domain->name);
    return;
  }
  discard = g_new0 (Discard, 1);
  discard->call = call;
  discard->settings = call->manager->settings;
  discard->author = call_author (call);
  discard->uuid = g_strdup (domain->uuid);
  discard->name = g_strdup (domain->name);
  if (domain->machine == NULL)
    discard->files = state_files (domain, def, GPOINTER_TO_UINT (call->user_data));
  change_start (call->manager, &discard_change, discard, discard_free);
}

static void
discard_begin (Domain *domain, Call *call)
{
  if (domain->persistent)
    call_with_definition (call, DEFINITION_CONFIG, discard_with);
  else
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
}

void
domain_discard (Call *call, guint flags)
{
  if (!call_check_flags (call, flags, KNOWN_FLAGS))
    return;
  call->user_data = GUINT_TO_POINTER (flags);
  domain_lock (call->domain, "discard", call, discard_begin);
}

GPtrArray *
domain_read_children (const Settings *settings, const char *uuid)
{
  GPtrArray *families = g_ptr_array_new_with_free_func (child_family_free);

  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->child != NULL && (*kind)->child->owner == &domain_kind)
      g_ptr_array_add (families, child_store_read (*kind, settings, uuid));
  return families;
}

Domain *
domain_commit_return (Manager *manager, DomainDef *def, const GPtrArray *families)
{
  gboolean goes_on = manager_find_uuid (manager, def->uuid, NULL) != NULL;
  Domain *domain = manager_commit_definition (manager, def, g_ptr_array_new_with_free_func (g_free));
  g_autofree char *image = managed_save_path (manager->settings, domain->uuid);

  domain->managed_save = access (image, F_OK) == 0;
  for (guint i = 0; !goes_on && i < families->len; i++) {
    const ChildFamily *family = g_ptr_array_index (families, i);

    child_tree_fill (child_tree_of (family->kind, &domain->object), family->defs, family->current);
  }
  return domain;
}
