/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots deleted: one, one with what follows it, or only what follows it; with what is kept in the disks,
 * or only what is known of them.
 */
#include "daemon/object/child-store.h"
#include "daemon/ops/object/object-children.h"
#include "daemon/ops/ops.h"
#include "daemon/snapshot/snapshot-kind.h"

#define DELETE_KNOWN_FLAGS                                                        \
  (VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY \
   | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)

typedef struct {
  Call *call;
  char *directory;
  GPtrArray *names;   /* that go, those that follow others first */
  GPtrArray *adopted; /* SnapshotDef: of those that follow another one then */
  char *current;      /* afterwards, or NULL */
  gboolean moves;     /* it is another one than now */
} Delete;

static void
unref_def (gpointer def)
{
  document_unref (&snapshot_document, def);
}

static void
delete_free (gpointer data)
{
  Delete *delete = data;

  g_free (delete->directory);
  g_ptr_array_unref (delete->names);
  g_ptr_array_unref (delete->adopted);
  g_free (delete->current);
  g_free (delete);
}

/* Whatever comes between, each that is left follows one that is there. */
static gpointer
forget_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  const Delete *delete = data;

  if (delete->moves && !child_store_set_current (delete->directory, delete->current, error))
    return NULL;
  for (guint i = 0; i < delete->adopted->len; i++)
    if (!child_store_save (&snapshot_kind, delete->directory, g_ptr_array_index (delete->adopted, i), error))
      return NULL;
  for (guint i = 0; i < delete->names->len; i++)
    if (!child_store_remove (delete->directory, g_ptr_array_index (delete->names, i), error))
      return NULL;
  return JOB_OK;
}

static void
forgotten (gpointer result, const GError *error, gpointer data)
{
  const Delete *delete = data;
  Call *call = delete->call;
  Domain *domain;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  for (guint i = 0; i < delete->names->len; i++) {
    Child *child = child_find (domain->snapshots, g_ptr_array_index (delete->names, i), NULL);

    if (child != NULL)
      child_tree_remove (child);
  }
  if (delete->moves)
    domain->snapshots->current =
        delete->current != NULL ? child_find (domain->snapshots, delete->current, NULL) : NULL;
  call_answer_nothing (call);
}

/* Which go, and what that does to the others. */
static Delete *
delete_new (Call *call, guint flags)
{
  Child *top = call->child;
  ChildTree *tree = top->tree;
  gboolean below =
      (flags & (VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)) != 0;
  gboolean itself = (flags & VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY) == 0;
  const char *before = top->before != NULL ? top->before->name : NULL;
  Delete *delete = g_new0 (Delete, 1);

  delete->call = call;
  delete->directory = child_store_directory (&snapshot_kind, call->manager->settings, call->domain->uuid);
  delete->names = g_ptr_array_new_with_free_func (g_free);
  delete->adopted = g_ptr_array_new_with_free_func (unref_def);
  for (const Child *child = child_next (tree, top, NULL); below && child != NULL;
       child = child_next (tree, top, child))
    g_ptr_array_insert (delete->names, -1, g_strdup (child->name));
  for (guint i = 0; i < delete->names->len / 2; i++) {
    gpointer *names = delete->names->pdata, name = names[i];

    names[i] = names[delete->names->len - 1 - i];
    names[delete->names->len - 1 - i] = name;
  }
  if (itself)
    g_ptr_array_add (delete->names, g_strdup (top->name));
  for (const Child *child = top->first; itself && !below && child != NULL; child = child->next)
    g_ptr_array_add (delete->adopted, child_def_after (&snapshot_kind, child->def, before));
  delete->moves = tree->current != NULL
                  && (below ? child_is_below (tree->current, top) && (itself || tree->current != top)
                            : tree->current == top);
  if (delete->moves)
    delete->current = g_strdup (itself ? before : top->name);
  call->user_data = delete;
  call->user_free = delete_free;
  return delete;
}

static void
delete_begin (Domain *domain G_GNUC_UNUSED, Call *call)
{
  guint flags = call_uint (call, 1);
  Delete *delete;

  if (call_find_child_again (call) == NULL)
    return;
  delete = delete_new (call, flags);
  if (flags & VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
    job_start ("snapshot", forget_job, delete, NULL, 0, forgotten, delete);
  else
    call_fail_from (call, VIR_FROM_QEMU, VIR_ERR_NO_SUPPORT, "%s", "virDomainSnapshotDelete");
}

void
op_domain_snapshot_delete (Call *call)
{
  guint flags = call_uint (call, 1);
  guint both = VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY;

  if (!call_check_flags (call, flags, DELETE_KNOWN_FLAGS))
    return;
  if ((flags & both) == both)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN' and "
                    "'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY' are mutually exclusive");
  else
    domain_lock (call->domain, "snapshot-delete", call, delete_begin);
}
