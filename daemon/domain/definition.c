/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definitions, read when needed. Readings that are asked for while one is under way are gathered and done in
 * one job after it, so that a client that asks for a thousand documents costs one thread and not a thousand.
 */
#include "daemon/domain/definition.h"

#include "daemon/core/main-loop.h"

#define READINGS_AT_ONCE 32 /* in one job: the answers of the first wait for the last */

/* Someone who waits for a definition. */
typedef struct {
  DefinitionWhich which;
  DefinitionRead then;
  gpointer data;
  char *uuid, *name;
  guint definition_count;
  DomainDef *def; /* what was read, or */
  GError *error;
  char *message;
} Reading;

typedef struct {
  Manager *manager; /* the store and the platform outlive every job */
  GPtrArray *readings;
} Batch;

static void read_next (Manager *manager);

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  g_free (reading->uuid);
  g_free (reading->name);
  g_free (reading->message);
  g_clear_error (&reading->error);
  g_clear_pointer (&reading->def, domain_def_unref);
  g_free (reading);
}

static void
batch_free (gpointer data)
{
  Batch *batch = data;

  g_ptr_array_unref (batch->readings);
  g_free (batch);
}

DomainDef *
definition_parse (const Platform *platform, const char *text, gboolean strict, GPtrArray *messages,
                  GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def =
      domain_def_parse (text, -1, strict ? 0 : DOMAIN_READ_LAX, platform, diagnostics);

  if (!diagnostics_check (diagnostics, error))
    return NULL;
  for (guint i = 0; messages != NULL && i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    g_ptr_array_add (messages, g_strdup_printf ("line %u, column %u: %s", diagnostic->where.line,
                                                diagnostic->where.column, diagnostic->message));
  }
  return g_steal_pointer (&def);
}

/* A document that was put into the directory by hand: completed now, and kept so. */
static DomainDef *
complete_by_ourselves (Store *store, const Platform *platform, const char *uuid, const char *name,
                       GError **error)
{
  g_autofree char *source = store_load_source (store, name, error);
  g_autoptr (DomainDef) def = NULL;
  g_autofree char *completed = NULL;

  if (source == NULL)
    return NULL;
  def = definition_parse (platform, source, FALSE, NULL, error);
  if (def == NULL)
    return NULL;
  g_free (def->uuid);
  def->uuid = g_strdup (uuid);
  completed = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  return store_save (store, uuid, name, source, completed, NULL, error) ? g_steal_pointer (&def) : NULL;
}

DomainDef *
definition_read (Store *store, const Platform *platform, const char *uuid, const char *name,
                 char **ret_message, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = NULL;
  g_autoptr (GError) mistake = NULL;
  g_autoptr (DomainDef) def = NULL;
  gboolean stale = FALSE;
  g_autofree char *text = store_load_completed (store, uuid, name, &stale, &mistake);

  if (text == NULL && g_error_matches (mistake, VIRT_ERROR, VIR_ERR_NO_DOMAIN))
    return complete_by_ourselves (store, platform, uuid, name, error);
  if (text == NULL) {
    g_propagate_error (error, g_steal_pointer (&mistake));
    return NULL;
  }
  diagnostics = diagnostics_new (name);
  def = domain_def_parse (text, -1, DOMAIN_READ_NO_SCHEMA, platform, diagnostics);
  if (!diagnostics_check (diagnostics, error))
    return NULL;
  if (stale && ret_message != NULL)
    *ret_message =
        g_strdup ("the document was changed by hand; define it again for the change to take effect");
  return g_steal_pointer (&def);
}

DomainDef *
definition_in_memory (Domain *domain, DefinitionWhich which)
{
  MAIN_LOOP_ONLY ();

  if (which == DEFINITION_CURRENT && domain->machine != NULL)
    return domain->machine->def;
  return domain->persistent ? domain->config : domain->transient;
}

void
definition_forget (Domain *domain)
{
  if (domain->config != NULL)
    g_queue_unlink (&domain->manager->recent, &domain->recent);
  g_clear_pointer (&domain->config, domain_def_unref);
}

/* Into memory, as the one used last; the one not used for longest goes. */
static void
keep (Domain *domain, DomainDef *def)
{
  GQueue *recent = &domain->manager->recent;

  if (domain->summary == NULL)
    domain->summary = definition_summary_new (def);
  domain->config = domain_def_ref (def);
  domain->recent.data = domain;
  g_queue_push_head_link (recent, &domain->recent);
  if (g_queue_get_length (recent) > DEFINITIONS_IN_MEMORY)
    definition_forget (g_queue_peek_tail (recent));
}

const char *
definition_document (const Domain *domain)
{
  return domain->document;
}

static void
forget_document (Domain *domain)
{
  if (domain->document != NULL)
    domain->manager->document_bytes -= strlen (domain->document);
  g_clear_pointer (&domain->document, g_free);
}

void
definition_keep_document (Domain *domain, char *text)
{
  MAIN_LOOP_ONLY ();

  gsize length = strlen (text);

  forget_document (domain);
  if (length > DOCUMENTS_MAX_BYTES - domain->manager->document_bytes) {
    g_free (text);
    return;
  }
  domain->manager->document_bytes += length;
  domain->document = g_realloc (text, length + 1); /* what it was written into had room for more */
}

void
definition_replace (Domain *domain, DomainDef *def)
{
  MAIN_LOOP_ONLY ();

  domain->definition_count++;
  forget_document (domain);
  definition_forget (domain);
  g_clear_pointer (&domain->summary, definition_summary_free);
  if (def != NULL)
    keep (domain, def);
}

/* In use again: kept longer. */
static void
touch (Domain *domain)
{
  GQueue *recent = &domain->manager->recent;

  if (domain->config == NULL || recent->head == &domain->recent)
    return;
  g_queue_unlink (recent, &domain->recent);
  g_queue_push_head_link (recent, &domain->recent);
}

static gpointer
read_job (Job *job, gpointer input, G_GNUC_UNUSED GError **error)
{
  Batch *batch = input;
  Manager *manager = batch->manager;

  for (guint i = 0; i < batch->readings->len; i++) {
    Reading *reading = g_ptr_array_index (batch->readings, i);

    if (job_check (job, &reading->error))
      reading->def = definition_read (manager->store, manager->platform, reading->uuid, reading->name,
                                      &reading->message, &reading->error);
  }
  return JOB_OK;
}

/* One reading is done: the definition is kept for the next one, and whoever waits goes on. */
static void
deliver (Manager *manager, Reading *reading)
{
  g_autoptr (GError) gone = NULL;
  g_autoptr (DomainDef) def = NULL;
  Domain *domain = manager_find_uuid (manager, reading->uuid, &gone);
  DomainDef *in_memory;

  if (domain == NULL) {
    reading->then (NULL, NULL, gone, reading->data);
    return;
  }
  if (reading->def != NULL && domain->config == NULL && domain->persistent
      && domain->definition_count == reading->definition_count) {
    keep (domain, reading->def);
    if (reading->message != NULL && domain->messages->len == 0) {
      g_warning ("domain '%s': %s", domain->name, reading->message);
      g_ptr_array_add (domain->messages, g_steal_pointer (&reading->message));
    }
  }
  in_memory = definition_in_memory (domain, reading->which);
  if (in_memory == NULL)
    in_memory = reading->def;
  def = in_memory != NULL ? domain_def_ref (in_memory) : NULL; /* what follows may cause it to be dropped */
  reading->then (domain, def, def == NULL ? reading->error : NULL, reading->data);
}

static void
read_done (G_GNUC_UNUSED gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Batch *batch = data;

  batch->manager->reading = FALSE;
  manager_trim_soon (batch->manager);
  for (guint i = 0; i < batch->readings->len; i++)
    deliver (batch->manager, g_ptr_array_index (batch->readings, i));
  read_next (batch->manager);
}

static void
read_next (Manager *manager)
{
  Batch *batch;
  Reading *reading;

  if (manager->reading || g_queue_is_empty (&manager->readings))
    return;
  batch = g_new0 (Batch, 1);
  batch->manager = manager;
  batch->readings = g_ptr_array_new_with_free_func (reading_free);
  while (batch->readings->len < READINGS_AT_ONCE && (reading = g_queue_pop_head (&manager->readings)) != NULL)
    g_ptr_array_add (batch->readings, reading);
  manager->reading = TRUE;
  job_start ("read", read_job, batch, batch_free, 0, read_done, batch);
}

void
definition_request (Domain *domain, DefinitionWhich which, DefinitionRead then, gpointer data)
{
  MAIN_LOOP_ONLY ();

  DomainDef *in_memory = definition_in_memory (domain, which);
  g_autoptr (DomainDef) def = in_memory != NULL ? domain_def_ref (in_memory) : NULL;
  g_autoptr (GError) error = NULL;
  Reading *reading;

  if (def != NULL) {
    touch (domain);
    then (domain, def, NULL, data);
    return;
  }
  if (!domain->persistent) {
    virt_error_set (&error, VIR_ERR_INTERNAL_ERROR, "domain '%s' has no definition", domain->name);
    then (domain, NULL, error, data);
    return;
  }
  reading = g_new0 (Reading, 1);
  reading->which = which;
  reading->then = then;
  reading->data = data;
  reading->uuid = g_strdup (domain->uuid);
  reading->name = g_strdup (domain->name);
  reading->definition_count = domain->definition_count;
  g_queue_push_tail (&domain->manager->readings, reading);
  read_next (domain->manager);
}

typedef struct {
  Call *call;
  DefinitionThen then;
} CallWaiting;

static void
call_goes_on (Domain *domain, DomainDef *def, const GError *error, gpointer data)
{
  g_autofree CallWaiting *waiting = data;

  waiting->call->domain = domain;
  if (def != NULL)
    waiting->then (waiting->call, def);
  else
    call_fail (waiting->call, g_error_copy (error));
}

void
call_with_definition (Call *call, DefinitionWhich which, DefinitionThen then)
{
  CallWaiting *waiting = g_new0 (CallWaiting, 1);

  waiting->call = call;
  waiting->then = then;
  definition_request (call->domain, which, call_goes_on, waiting);
}
