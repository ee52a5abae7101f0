/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definitions made and unmade. A document is parsed in a job of its own, where it costs
 * nobody else anything; the change that follows is written in turn (change.h) and committed here.
 */
#include "daemon/ops/domain/domain-define.h"
#include "daemon/core/blocking.h"
#include "daemon/domain/definition.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/object/change.h"
#include "daemon/object/child-store.h"
#include "daemon/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define UNDEFINE_KNOWN_FLAGS                                                                               \
  (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA                               \
   | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM \
   | VIR_DOMAIN_UNDEFINE_TPM | VIR_DOMAIN_UNDEFINE_KEEP_TPM)

#define UNDEFINE_LOOK_SECONDS 10 /* for a file that may be on a server that is gone */

typedef struct {
  Call *call;
  const Platform *platform;
  gboolean strict;
  Author *author;
  char *uuid; /* of the domain it is to be where the document says none; NULL: a new one */
  char *source, *completed;
  char *completing; /* what is completed in place of @source, where that goes; or NULL */
  DomainDef *def;
  GPtrArray *messages;
} Define;

static void
define_free (gpointer data)
{
  Define *define = data;

  author_free (define->author);
  g_free (define->uuid);
  g_free (define->source);
  g_free (define->completed);
  g_free (define->completing);
  g_clear_pointer (&define->def, domain_def_unref);
  g_clear_pointer (&define->messages, g_ptr_array_unref);
  g_free (define);
}

/* What @source was told of holds for it as well. */
static void
complete_in_place (Define *define)
{
  DomainDef *def = definition_parse (define->platform, define->completing, define->strict, NULL, NULL);

  if (def == NULL)
    return;
  domain_def_unref (define->def);
  define->def = def;
}

static gpointer
parse_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  Define *define = input;

  define->def = definition_parse (define->platform, define->source, define->strict, define->messages, error);
  if (define->def == NULL)
    return NULL;
  if (define->completing != NULL)
    complete_in_place (define);
  if (define->uuid != NULL) {
    g_free (define->def->uuid);
    define->def->uuid = g_strdup (define->uuid);
  }
  define->completed = domain_def_to_xml (define->def, DOMAIN_WRITE_SECURE);
  return JOB_OK;
}

static gboolean
define_check (Manager *manager, gpointer data, GError **error)
{
  Define *define = data;

  return manager_check_identity (manager, define->def->name, define->def->uuid, NULL, error);
}

static gboolean
define_write (Store *store, gpointer data, GError **error)
{
  Define *define = data;

  return store_save (store, define->def->uuid, define->def->name, define->source, define->completed,
                     define->author, error);
}

static void
define_done (Manager *manager, gpointer data, const GError *error)
{
  Define *define = data;
  Domain *domain;

  if (error != NULL) {
    call_fail (define->call, g_error_copy (error));
    return;
  }
  domain = manager_commit_definition (manager, define->def, g_steal_pointer (&define->messages));
  if (g_str_equal (define->call->operation->out, "-"))
    call_answer_nothing (define->call);
  else
    call_answer (define->call, g_variant_new ("(@(sayi))", call_domain_value (domain)));
}

static const ChangeKind define_change = { "define", define_check, define_write, define_done };

static void
define_parsed (gpointer result, const GError *error, gpointer data)
{
  Define *define = data;
  Define *change;

  if (result == NULL) {
    call_fail (define->call, g_error_copy (error));
    return;
  }
  change = g_new0 (Define, 1); /* the job frees its input after this */
  *change = *define;
  *define = (Define){ 0 };
  change_start (change->call->manager, &define_change, change, define_free);
}

void
domain_define_text (Call *call, const char *text, const char *completing, const char *uuid, gboolean strict)
{
  Define *define = g_new0 (Define, 1);

  define->call = call;
  define->platform = call->manager->platform;
  define->strict = strict;
  define->author = call_author (call);
  define->uuid = g_strdup (uuid);
  define->source = g_strdup (text);
  define->completing = g_strdup (completing);
  define->messages = g_ptr_array_new_with_free_func (g_free);
  call_work (call, strlen (define->source), "define", parse_job, define, define_free, define_parsed);
}

void
op_domain_define_xml (Call *call)
{
  guint flags = g_variant_n_children (call->arguments) > 1 ? call_uint (call, 1) : 0;

  if (call_check_flags (call, flags, VIR_DOMAIN_DEFINE_VALIDATE))
    domain_define_text (call, call_string (call, 0), NULL, NULL, (flags & VIR_DOMAIN_DEFINE_VALIDATE) != 0);
}

typedef struct {
  Call *call;
  guint flags; /* VIR_DOMAIN_UNDEFINE_... */
  char *uuid, *name, *nvram, *managed_save;
  DomainDef *def; /* of a machine with a TPM's state that may go with it; or NULL */
  gboolean runs;  /* its machine goes on */
} Undefine;

static void
undefine_free (gpointer data)
{
  Undefine *undefine = data;

  g_free (undefine->uuid);
  g_free (undefine->name);
  g_free (undefine->nvram);
  g_free (undefine->managed_save);
  g_clear_pointer (&undefine->def, domain_def_unref);
  g_free (undefine);
}

static gboolean
undefine_check (Manager *manager, gpointer data, GError **error)
{
  Undefine *undefine = data;
  Domain *domain = manager_find_uuid (manager, undefine->uuid, error);

  if (domain != NULL && !domain->persistent)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
  return domain != NULL && domain->persistent;
}

/* Like libvirt: a definition stays where its variables cannot be removed. */
static gpointer
remove_variables (gpointer input, GError **error)
{
  const char *path = input;

  if (unlink (path) == 0 || errno == ENOENT)
    return JOB_OK;
  virt_error_set_plain (error, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "failed to remove nvram: %s: %s", path,
                        g_strerror (errno));
  return NULL;
}

typedef void (*ChildrenApart) (const ObjectKind *kind, const Settings *settings, const char *uuid);

/* Of each kind whose parent is a domain. */
static void
for_children (const Undefine *undefine, ChildrenApart function)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->child != NULL)
      function (*kind, undefine->call->manager->settings, undefine->uuid);
}

static gboolean
set_children_apart (const Undefine *undefine, GError **error)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->child != NULL
        && !child_store_set_apart (*kind, undefine->call->manager->settings, undefine->uuid, error))
      return FALSE;
  return TRUE;
}

/* The image and what is known of snapshots go with the definition: what fails leaves all, and so does a
 * crash. Those of a machine that goes on without a definition stay. */
static gboolean
undefine_write (Store *store, gpointer data, GError **error)
{
  Undefine *undefine = data;
  const char *image = undefine->managed_save;

  if ((image != NULL && !managed_save_set_apart (image, error))
      || (!undefine->runs && !set_children_apart (undefine, error))) {
    if (image != NULL)
      managed_save_put_back (image);
    for_children (undefine, child_store_put_back);
    return FALSE;
  }
  if (store_remove (store, undefine->uuid, undefine->name, error)) {
    last_end_forget (undefine->call->manager->settings, undefine->uuid);
    if (undefine->def != NULL)
      tpm_forget (undefine->def, undefine->call->manager->settings,
                  (undefine->flags & VIR_DOMAIN_UNDEFINE_KEEP_TPM) != 0);
    if (image != NULL)
      managed_save_remove_apart (image);
    for_children (undefine, child_store_remove_apart);
    return TRUE;
  }
  if (image != NULL)
    managed_save_put_back (image);
  for_children (undefine, child_store_put_back);
  return FALSE;
}

static void
undefine_done (Manager *manager, gpointer data, const GError *error)
{
  Undefine *undefine = data;
  Domain *domain = manager_find_uuid (manager, undefine->uuid, NULL);

  if (error != NULL || domain == NULL) {
    call_fail (undefine->call, g_error_copy (error));
    return;
  }
  domain->managed_save = FALSE;
  manager_commit_undefine (manager, domain);
  call_answer_nothing (undefine->call);
}

static const ChangeKind undefine_change = { "undefine", undefine_check, undefine_write, undefine_done };

/* Is there a store of variables that nobody has decided about? It may be anywhere, where nobody answers. */
static gpointer
look_for_variables (gpointer input, GError **error)
{
  if (access (input, F_OK) != 0)
    return JOB_OK;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "cannot undefine domain with nvram");
  return NULL;
}

/* Before the change, which others' changes wait for. */
static gpointer
undefine_prepare (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const Undefine *undefine = input;

  return blocking_run (undefine->flags & VIR_DOMAIN_UNDEFINE_NVRAM ? remove_variables : look_for_variables,
                       g_strdup (undefine->nvram), g_free, NULL, error);
}

static void
undefine_prepared (gpointer result, const GError *error, gpointer data)
{
  Undefine *looked = data, *change;

  if (result == NULL) {
    call_fail (looked->call, g_error_copy (error));
    return;
  }
  change = g_new0 (Undefine, 1); /* the job frees its input after this */
  *change = *looked;
  *looked = (Undefine){ 0 };
  change_start (change->call->manager, &undefine_change, change, undefine_free);
}

static void
undefine_with (Call *call, const char *nvram, DomainDef *def)
{
  Undefine *undefine = g_new0 (Undefine, 1);

  undefine->call = call;
  undefine->flags = g_variant_n_children (call->arguments) > 1 ? call_uint (call, 1) : 0;
  undefine->uuid = g_strdup (call->domain->uuid);
  undefine->name = g_strdup (call->domain->name);
  undefine->runs = call->domain->machine != NULL;
  undefine->nvram = g_strdup (nvram);
  /* That of a running machine goes with the machine. */
  if (def != NULL && call->domain->machine == NULL)
    undefine->def = domain_def_ref (def);
  if (call->domain->managed_save)
    undefine->managed_save = managed_save_path (call->manager->settings, call->domain->uuid);
  if (nvram != NULL && !(undefine->flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM))
    job_start ("undefine", undefine_prepare, undefine, undefine_free, UNDEFINE_LOOK_SECONDS,
               undefine_prepared, undefine);
  else
    change_start (call->manager, &undefine_change, undefine, undefine_free);
}

static void
undefine_read (Call *call, DomainDef *def)
{
  undefine_with (call, def->os.nvram, def);
}

static void
undefine_begin (Domain *domain, Call *call)
{
  guint flags = g_variant_n_children (call->arguments) > 1 ? call_uint (call, 1) : 0;

  if (!domain->persistent)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
  else if (domain->machine == NULL && child_tree_count (domain->snapshots) > 0
           && !(flags & VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot delete inactive domain with %u snapshots",
                    child_tree_count (domain->snapshots));
  else if (domain->machine == NULL && child_tree_count (domain->checkpoints) > 0
           && !(flags & VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot delete inactive domain with %u checkpoints",
                    child_tree_count (domain->checkpoints));
  else if (domain->managed_save && !(flags & VIR_DOMAIN_UNDEFINE_MANAGED_SAVE))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID,
                    "Refusing to undefine while domain managed save image exists");
  else if (domain->summary != NULL && !tpm_has_state (call->manager->settings, domain->uuid))
    undefine_with (call, domain->summary->nvram, NULL);
  else
    call_with_definition (call, DEFINITION_CONFIG, undefine_read);
}

void
op_domain_undefine (Call *call)
{
  guint flags = g_variant_n_children (call->arguments) > 1 ? call_uint (call, 1) : 0;
  guint both = VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;
  guint both_tpm = VIR_DOMAIN_UNDEFINE_TPM | VIR_DOMAIN_UNDEFINE_KEEP_TPM;

  if (!call_check_flags (call, flags, UNDEFINE_KNOWN_FLAGS))
    return;
  if ((flags & both) == both) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot both keep and delete nvram");
    return;
  }
  if ((flags & both_tpm) == both_tpm) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot both keep and delete TPM");
    return;
  }
  domain_lock (call->domain, "undefine", call, undefine_begin);
}
