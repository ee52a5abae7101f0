/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The two operations: what would a set of documents do here, and do it. Both make the plan in a job; an apply
 * makes it anew, so that what it does is what there is to do now, and refuses where that is not what its
 * client has seen. One apply runs at a time: two that follow different directories would undo each other.
 */
#include "daemon/ops/apply/apply-run.h"
#include "daemon/ops/ops.h"
#include "daemon/storage/pools.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  Call *call;
  PlanInput *input;
  Plan *plan;
  char *digest; /* "": any plan will do */
  guint parallel;
  gboolean applies, waits;
} Planning;

static void
planning_free (gpointer data)
{
  Planning *planning = data;

  plan_free (planning->plan);
  plan_input_free (planning->input);
  g_free (planning->digest);
  g_free (planning);
}

static void
add_object (PlanInput *input, const ApplyKind *row, Object *object)
{
  PlanObject *seen = g_new0 (PlanObject, 1);

  seen->row = row;
  seen->name = g_strdup (object->name);
  seen->uuid = g_strdup (object->uuid);
  seen->active = object->active;
  seen->persistent = object->persistent;
  seen->autostart = object->autostart;
  seen->store = object->registry->store;
  if (row->rank == APPLY_RANK_DOMAIN) {
    const Domain *domain = (const Domain *)object;

    seen->active = domain_is_active (domain);
    seen->live = domain->machine != NULL ? domain_def_ref (domain->machine->def) : NULL;
  }
  g_ptr_array_add (input->objects, seen);
}

/* Those of active pools, as they were last seen. */
static void
add_volumes (PlanInput *input, const ApplyKind *row, Manager *manager)
{
  g_autoptr (GPtrArray) pools = storage_pool_list (manager);

  for (guint i = 0; i < pools->len; i++) {
    const StoragePool *pool = g_ptr_array_index (pools, i);

    for (guint v = 0; v < pool->volumes->len; v++) {
      StorageVolumeDef *volume = g_ptr_array_index (pool->volumes, v);
      PlanObject *seen = g_new0 (PlanObject, 1);

      seen->row = row;
      seen->name = g_strdup_printf ("%s/%s", pool->name, volume->name);
      seen->uuid = g_strdup (seen->name);
      seen->active = TRUE;
      seen->volume = storage_volume_def_ref (volume);
      g_ptr_array_add (input->objects, seen);
    }
  }
}

/* What there is now, for the job. */
static void
look_around (PlanInput *input, Manager *manager)
{
  input->platform = manager->platform;
  for (const ApplyKind *row = apply_kinds; row->kind != NULL; row++) {
    Registry *registry = row->rank != APPLY_RANK_VOLUME ? manager_registry (manager, row->kind) : NULL;
    g_autoptr (GPtrArray) objects = registry != NULL ? registry_list (registry) : NULL;

    if (registry == NULL) {
      add_volumes (input, row, manager);
      continue;
    }
    input->stores[row - apply_kinds] = registry->store;
    for (guint i = 0; i < objects->len; i++)
      add_object (input, row, g_ptr_array_index (objects, i));
  }
}

static gsize
take_documents (PlanInput *input, GVariant *documents)
{
  GVariantIter iter;
  const char *shown, *file, *text;
  gsize bytes = 0;

  g_variant_iter_init (&iter, documents);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &shown, &file, &text)) {
    PlanDocument *document = g_new0 (PlanDocument, 1);

    *document = (PlanDocument){ g_strdup (shown), g_strdup (file), g_strdup (text) };
    bytes += strlen (text);
    g_ptr_array_add (input->documents, document);
  }
  return bytes;
}

static gpointer
plan_job (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Planning *planning = data;

  planning->plan = plan_make (planning->input, error);
  return planning->plan != NULL ? JOB_OK : NULL;
}

/* The descriptor that came with the call, or -1. */
static int
take_progress (const Call *call)
{
  int fd = call->files != NULL && g_unix_fd_list_get_length (call->files) > 0
               ? g_unix_fd_list_get (call->files, 0, NULL)
               : -1;

  if (fd >= 0)
    fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

static gboolean
check_digest (const Planning *planning, GError **error)
{
  g_autofree char *digest = plan_digest (planning->plan);

  if (planning->digest[0] == '\0' || g_str_equal (digest, planning->digest))
    return TRUE;
  virt_error_set (
      error, VIR_ERR_OPERATION_INVALID,
      "the plan is out of date: the documents or what is defined and running here have changed since "
      "it was made; make it again");
  return FALSE;
}

static void
planned (gpointer result, const GError *error, gpointer data)
{
  Planning *planning = data;
  Call *call = planning->call;
  g_autoptr (GError) refusal = NULL;

  if (result != NULL && check_digest (planning, &refusal)) {
    if (planning->applies)
      apply_run_start (call, g_steal_pointer (&planning->input), g_steal_pointer (&planning->plan),
                       planning->parallel, planning->waits, take_progress (call));
    else
      call_answer (call, g_variant_new ("(@s)", g_variant_new_take_string (plan_to_json (planning->plan))));
    return;
  }
  if (planning->applies)
    call->manager->applying = FALSE;
  call_fail (call, refusal != NULL ? g_steal_pointer (&refusal) : g_error_copy (error));
}

static Planning *
planning_new (Call *call, gboolean applies)
{
  Planning *planning = g_new0 (Planning, 1);

  planning->call = call;
  planning->input = plan_input_new ();
  planning->input->source = call_string (call, 1)[0] != '\0' ? g_strdup (call_string (call, 1)) : NULL;
  planning->input->flags = call_uint (call, 2) & ~(guint)PLAN_WAIT;
  planning->waits = (call_uint (call, 2) & PLAN_WAIT) != 0;
  planning->digest = g_strdup (applies ? call_string (call, 4) : "");
  planning->parallel = applies ? call_uint (call, 3) : 0;
  planning->applies = applies;
  return planning;
}

static void
begin (Call *call, gboolean applies)
{
  g_autoptr (GVariant) documents = g_variant_get_child_value (call->arguments, 0);
  Planning *planning;
  gsize bytes;

  if (!call_check_flags (call, call_uint (call, 2), PLAN_PRUNE | PLAN_RESTART | (applies ? PLAN_WAIT : 0)))
    return;
  if ((call_uint (call, 2) & PLAN_PRUNE) != 0 && call_string (call, 1)[0] == '\0') {
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "pruning needs the label of a source: it removes only what carries that");
    return;
  }
  planning = planning_new (call, applies);
  bytes = take_documents (planning->input, documents);
  if (bytes > PLAN_BYTES_MAX) {
    planning_free (planning);
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "the documents have %zu bytes together: at most %d are possible", bytes, PLAN_BYTES_MAX);
    return;
  }
  look_around (planning->input, call->manager);
  call->manager->applying = call->manager->applying || applies;
  call_work (call, bytes, "plan", plan_job, planning, planning_free, planned);
}

void
op_plan_documents (Call *call)
{
  begin (call, FALSE);
}

void
op_apply_documents (Call *call)
{
  if (call->manager->applying)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID,
                    "another apply is being done: nothing was changed; try again when it is over");
  else
    begin (call, TRUE);
}
