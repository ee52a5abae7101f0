/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Documents of a plan, read. First only so far as to know whose document it is: of a directory that is
 * applied again most are the texts that are kept already, byte for byte, and nothing more is to be read of
 * them. What is new or says something else is read as a definition is, and compared with what there is: by
 * what the author says, never by what was chosen for him.
 */
#include "daemon/ops/apply/plan-private.h"
#include "document/kept-choices.h"
#include "domain/difference-effect.h"

#include <string.h>

/* Besides devices, what a running machine is given without a start of its own. */
static const char *const live_paths[] = {
  "/domain/title",         "/domain/description",   "/domain/metadata",
  "/domain/currentMemory", "/domain/vcpu/@current",
};

void
plan_mistakes_add (PlanMistakes *mistakes, const Diagnostics *diagnostics)
{
  g_autofree char *text = NULL;

  if (!diagnostics_has_errors (diagnostics))
    return;
  for (guint i = 0; i < diagnostics_count (diagnostics) && mistakes->count == 0; i++)
    if (diagnostics_get (diagnostics, i)->severity == DIAGNOSTIC_ERROR) {
      mistakes->code = diagnostics_get (diagnostics, i)->code;
      break;
    }
  mistakes->count++;
  text = diagnostics_to_text (diagnostics);
  if (mistakes->lines->len < PLAN_MISTAKES_MAX)
    g_string_append (mistakes->lines, text);
}

void
plan_mistake (PlanMistakes *mistakes, const char *shown, Position where, virErrorNumber code,
              const char *format, ...)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (shown);
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error (diagnostics, where, code, "%s", message);
  plan_mistakes_add (mistakes, diagnostics);
}

static const xmlNode *
child_named (const xmlNode *root, const char *name)
{
  for (const xmlNode *child = root->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && child->ns == NULL && xmlStrEqual (child->name, BAD_CAST name))
      return child;
  return NULL;
}

static char *
child_text (const xmlNode *root, const char *name)
{
  const xmlNode *child = child_named (root, name);

  return child != NULL ? xml_node_text (child) : NULL;
}

/* As it is kept; what is no UUID is the reading's to refuse. */
static char *
uuid_of (const xmlNode *root)
{
  g_autofree char *said = child_text (root, "uuid");
  guint8 bytes[UUID_BYTES];
  char text[UUID_TEXT];

  if (said == NULL || !uuid_parse (said, bytes))
    return NULL;
  uuid_format (bytes, text);
  return g_strdup (text);
}

static Policy *
policy_of (XmlDocument *document, const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { document, diagnostics, map, FALSE, NULL, NULL };

  return strstr (text, POLICY_NAMESPACE) != NULL
             ? policy_read_document (&reader, xml_document_root (document))
             : NULL;
}

static PlanItem *
item_new (const PlanDocument *document, const ApplyKind *row, XmlDocument *read)
{
  xmlNode *root = xml_document_root (read);
  PlanItem *item = g_new0 (PlanItem, 1);

  item->document = document;
  item->row = row;
  item->autostart = -1;
  item->uuid = uuid_of (root);
  item->name = row->kind->unnamed             ? g_strdup (item->uuid)
               : row->kind->name_is_attribute ? xml_node_attribute (root, "name")
                                              : child_text (root, "name");
  if (row->rank == APPLY_RANK_DOMAIN)
    item->policy = policy_of (read, document->text);
  return item;
}

PlanItem *
plan_read_document (const PlanDocument *document, PlanMistakes *mistakes, GPtrArray *ignored)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (document->shown);
  g_autoptr (XmlDocument) read = xml_document_parse (document->text, -1, diagnostics);
  const ApplyKind *row = NULL;

  plan_mistakes_add (mistakes, diagnostics);
  if (read == NULL)
    return NULL;
  row = apply_kind_of_root ((const char *)xml_document_root (read)->name);
  if (row == NULL) {
    g_ptr_array_add (ignored, g_strdup_printf ("%s: a <%s> is not applied", document->shown,
                                               (const char *)xml_document_root (read)->name));
    return NULL;
  }
  return item_new (document, row, read);
}

/* A definition of its kind, completed. Of a machine it is in @ret_def as well. */
static char *
complete (const PlanItem *item, const char *text, const Platform *platform, DomainDef **ret_def,
          Diagnostics *diagnostics)
{
  const DocumentKind *document = item->row->kind->document;
  char *completed;
  gpointer def;

  if (item->row->rank == APPLY_RANK_DOMAIN) {
    *ret_def = domain_def_parse (text, -1, 0, platform, diagnostics);
    return *ret_def != NULL ? domain_def_to_xml (*ret_def, DOMAIN_WRITE_SECURE) : NULL;
  }
  def = document_read (document, text, -1, 0, diagnostics);
  completed = def != NULL ? document_to_xml (document, def, FIELD_WRITE_SECURE) : NULL;
  document_unref (document, def);
  return completed;
}

static gboolean
begins (const char *path, const char *above)
{
  gsize length = strlen (above);

  return strncmp (path, above, length) == 0 && strchr ("/[", path[length]) != NULL;
}

/* What is judged to change in a running machine, but is not done by an apply, changes with its next start. */
static void
judge (PlanItem *item)
{
  if (item->def == NULL || item->was == NULL) {
    for (guint i = 0; i < item->differences->len; i++)
      ((Difference *)g_ptr_array_index (item->differences, i))->effect = DIFFERENCE_START;
    return;
  }
  domain_differences_judge (item->differences, item->was, item->def);
  for (guint i = 0; i < item->differences->len; i++) {
    Difference *difference = g_ptr_array_index (item->differences, i);
    gboolean live = begins (difference->path, "/domain/devices");

    for (guint k = 0; k < G_N_ELEMENTS (live_paths) && !live; k++)
      live = begins (difference->path, live_paths[k]);
    if (difference->effect == DIFFERENCE_LIVE && !live)
      difference->effect = DIFFERENCE_START;
  }
}

static void
keep_uuid (PlanItem *item)
{
  if (item->def == NULL)
    return;
  g_free (item->def->uuid);
  item->def->uuid = g_strdup (item->uuid);
  g_free (item->completed);
  item->completed = domain_def_to_xml (item->def, DOMAIN_WRITE_SECURE);
}

/* With what was chosen before; where that does not go together with what the document says now, its UUID is
 * all it keeps. */
static void
complete_again (PlanItem *item, const char *old_source, const char *old_completed, const Platform *platform)
{
  g_autoptr (Diagnostics) unsaid = diagnostics_new (NULL);
  g_autofree char *completing = choices_keep (item->document->text, old_source, old_completed, unsaid);
  g_autofree char *completed = NULL;
  DomainDef *def = NULL;

  completed = completing != NULL ? complete (item, completing, platform, &def, unsaid) : NULL;
  if (completed == NULL) {
    keep_uuid (item);
    return;
  }
  domain_def_unref (item->def);
  item->def = def;
  g_free (item->completed);
  item->completed = g_steal_pointer (&completed);
  item->completing = g_steal_pointer (&completing);
}

static void
compare (PlanItem *item, const PlanObject *object, const char *old_source, const Platform *platform,
         PlanMistakes *mistakes)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (item->document->shown);
  g_autofree char *old_completed =
      store_load_completed (object->store, object->uuid, object->name, NULL, NULL);
  g_autoptr (Origins) before = NULL, after = NULL;

  if (old_completed == NULL)
    old_completed = g_strdup (old_source);
  if (item->row->rank == APPLY_RANK_DOMAIN)
    item->was = domain_def_parse (old_completed, -1, DOMAIN_READ_NO_SCHEMA, platform, diagnostics);
  complete_again (item, old_source, old_completed, platform);
  before = origins_new (old_source, old_completed, diagnostics);
  after = before != NULL ? origins_new (item->document->text, item->completed, diagnostics) : NULL;
  plan_mistakes_add (mistakes, diagnostics);
  if (after == NULL)
    return;
  item->differences = documents_compare (before, after);
  judge (item);
  item->action = item->differences->len > 0 ? PLAN_CHANGE : PLAN_KEEP;
  item->rewrites = item->differences->len == 0;
}

void
plan_read_definition (PlanItem *item, const PlanObject *object, const Platform *platform,
                      PlanMistakes *mistakes)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (item->document->shown);
  g_autofree char *old_source =
      object != NULL && object->persistent ? store_load_source (object->store, object->name, NULL) : NULL;

  if (old_source != NULL && g_str_equal (old_source, item->document->text))
    return;
  item->completed = complete (item, item->document->text, platform, &item->def, diagnostics);
  plan_mistakes_add (mistakes, diagnostics);
  if (item->completed == NULL)
    return;
  if (old_source != NULL)
    compare (item, object, old_source, platform, mistakes);
  else
    item->action = PLAN_CREATE;
}

gboolean
plan_is_pending (const PlanObject *object)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autofree char *source = store_load_source (object->store, object->name, NULL);
  g_autofree char *config = store_load_completed (object->store, object->uuid, object->name, NULL, NULL);
  g_autofree char *live = domain_def_to_xml (object->live, DOMAIN_WRITE_SECURE);
  g_autoptr (Origins) before = NULL, after = NULL;
  g_autoptr (GPtrArray) differences = NULL;

  if (source == NULL || config == NULL)
    return FALSE;
  before = origins_new (source, live, diagnostics);
  after = before != NULL ? origins_new (source, config, diagnostics) : NULL;
  differences = after != NULL ? documents_compare (before, after) : NULL;
  return differences != NULL && differences->len > 0;
}
