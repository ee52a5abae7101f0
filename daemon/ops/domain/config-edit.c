/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing one element of a stored definition: both texts are written in the change's job, and the caller
 * commits in the main loop.
 */
#include "daemon/ops/domain/config-edit.h"

#include "base/xml-document.h"
#include "base/xml-writer.h"
#include "daemon/object/change.h"
#include "document/source-edit.h"
#include "domain/source-device.h"

#define CONFIG_EDIT_MAX 4 /* elements of one change */

struct ConfigEdit {
  Call *call;
  Author *author;
  DomainDef *def;
  char *uuid, *old_name, *completed;
  char *elements[CONFIG_EDIT_MAX], *replacements[CONFIG_EDIT_MAX]; /* NULL: to be as in @def, or to go */
  guint count;
  gboolean from_def;          /* the replacements are the elements of @def */
  DomainDef *before;          /* devices are changed; NULL: elements of the domain */
  const char *device_element; /* static */
  guint definition_count;
  StoreEdit *texts; /* once they are prepared */
  gboolean after_machine;
  void (*prepared) (Call *call, ConfigEdit *edit);
  void (*done) (Call *call, DomainDef *def);
};

void
config_edit_free (ConfigEdit *edit)
{
  if (edit == NULL)
    return;
  store_edit_free (edit->texts);
  author_free (edit->author);
  domain_def_unref (edit->def);
  g_clear_pointer (&edit->before, domain_def_unref);
  g_free (edit->uuid);
  g_free (edit->old_name);
  for (guint i = 0; i < edit->count; i++) {
    g_free (edit->elements[i]);
    g_free (edit->replacements[i]);
  }
  g_free (edit->completed);
  g_free (edit);
}

static void
edit_free (gpointer data)
{
  config_edit_free (data);
}

static gboolean
edit_check (Manager *manager, gpointer data, GError **error)
{
  ConfigEdit *edit = data;
  Domain *domain = manager_find_uuid (manager, edit->uuid, error);

  if (domain == NULL)
    return FALSE;
  if (domain->definition_count != edit->definition_count) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain '%s' was defined again meanwhile", domain->name);
    return FALSE;
  }
  if (g_str_equal (edit->def->name, domain->name))
    return TRUE;
  domain = manager_find_name (manager, edit->def->name, NULL);
  if (domain != NULL)
    virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                         "domain with name '%s' already exists", edit->def->name);
  return domain == NULL;
}

/* The element of a device, as it is written; NULL when it has none. (transfer full) */
static char *
element_of_device (const Device *device, const char *name)
{
  g_autoptr (XmlElement) root = xml_element_new ("devices");
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = NULL;
  g_autofree char *xml = NULL, *verbatim = NULL;

  device_write (device, root, FIELD_WRITE_SECURE);
  xml = xml_element_to_string (root);
  document = xml_document_parse (xml, -1, diagnostics);
  if (document == NULL)
    return NULL;
  for (xmlNode *node = xml_document_root (document)->children->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && g_str_equal (node->name, name)) {
      verbatim = xml_document_verbatim (document, node);
      return g_strchomp (xml_normalize (verbatim));
    }
  return NULL;
}

/* One that completion has chosen comes into the document as a whole. */
static char *
add_device (const ConfigEdit *edit, const char *source, const Device *old, const Device *device)
{
  g_autoptr (XmlElement) root = xml_element_new ("devices");
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = NULL;
  g_autofree char *xml = NULL, *verbatim = NULL, *element = NULL;

  device_write (device, root, FIELD_WRITE_SECURE);
  xml = xml_element_to_string (root);
  document = xml_document_parse (xml, -1, diagnostics);
  if (document == NULL)
    return NULL;
  for (xmlNode *node = xml_document_root (document)->children; node != NULL && element == NULL;
       node = node->next)
    if (node->type == XML_ELEMENT_NODE) {
      verbatim = xml_document_verbatim (document, node);
      element = g_strchomp (xml_normalize (verbatim));
    }
  return element != NULL ? source_replace_device (source, edit->before, old, element) : NULL;
}

/* NULL where the document cannot be edited so: the completed one takes its place. */
static char *
edit_devices (const ConfigEdit *edit, const char *source)
{
  g_autofree char *text = g_strdup (source);

  for (guint i = 0; text != NULL && i < edit->before->devices->len; i++) {
    const Device *old = g_ptr_array_index (edit->before->devices, i);
    g_autofree char *was = element_of_device (old, edit->device_element);
    g_autofree char *is = element_of_device (g_ptr_array_index (edit->def->devices, i), edit->device_element);
    g_autofree char *previous = NULL;

    if (g_strcmp0 (was, is) == 0)
      continue;
    previous = g_steal_pointer (&text);
    text = source_edit_device (previous, edit->before, old, edit->device_element, is);
    if (text == NULL)
      text = add_device (edit, previous, old, g_ptr_array_index (edit->def->devices, i));
  }
  return g_steal_pointer (&text);
}

/* An element as @document, which is ours and well-formed, has it; NULL when it has none. (transfer full) */
static char *
element_of (XmlDocument *document, const char *name)
{
  for (xmlNode *node = xml_document_root (document)->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && g_str_equal (node->name, name)) {
      g_autofree char *verbatim = xml_document_verbatim (document, node);

      return g_strchomp (xml_normalize (verbatim));
    }
  return NULL;
}

static void
take_replacements (ConfigEdit *edit)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (edit->completed, -1, diagnostics);

  for (guint i = 0; document != NULL && i < edit->count; i++)
    edit->replacements[i] = element_of (document, edit->elements[i]);
}

gboolean
config_check_unchanged (Store *store, const char *uuid, const char *name, GError **error)
{
  gboolean stale = FALSE;
  g_autofree char *completed = store_load_completed (store, uuid, name, &stale, error);

  if (stale)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "the document of domain '%s' was changed by hand; define it again first", name);
  return completed != NULL && !stale;
}

/* The user's text as it will be; the completed one is @edit's. NULL with @error. (transfer full) */
static char *
edit_text (Store *store, ConfigEdit *edit, GError **error)
{
  g_autofree char *source = NULL, *edited = NULL;

  if (!config_check_unchanged (store, edit->uuid, edit->old_name, error))
    return NULL;
  source = store_load_source (store, edit->old_name, error);
  edited = g_strdup (source);
  edit->completed = domain_def_to_xml (edit->def, DOMAIN_WRITE_SECURE);
  if (edit->from_def)
    take_replacements (edit);
  for (guint i = 0; i < edit->count && edited != NULL; i++) {
    g_autofree char *before = edited;

    edited = source_edit (before, edit->elements[i], edit->replacements[i], error);
  }

  if (edited == NULL)
    return NULL;
  if (edit->before != NULL) {
    g_free (edited);
    edited = edit_devices (edit, source);
    if (edited == NULL)
      edited = g_strdup (edit->completed);
  }
  return g_steal_pointer (&edited);
}

static gboolean
edit_prepare (Store *store, gpointer data, GError **error)
{
  ConfigEdit *edit = data;
  g_autofree char *edited = edit_text (store, edit, error);

  if (edited != NULL)
    edit->texts =
        store_prepare (store, edit->uuid, edit->old_name, edited, edit->completed, edit->author, error);
  return edit->texts != NULL;
}

static gboolean
edit_write (Store *store, gpointer data, GError **error)
{
  ConfigEdit *edit = data;
  g_autofree char *edited = NULL;

  if (g_str_equal (edit->old_name, edit->def->name))
    return (edit->texts != NULL || edit_prepare (store, edit, error)) && store_commit (edit->texts, error);
  edited = edit_text (store, edit, error);
  return edited != NULL
         && store_rename (store, edit->uuid, edit->old_name, edit->def->name, edited, edit->completed,
                          edit->author, error);
}

GError *
config_not_changed (const GError *error)
{
  GError *whole = NULL;

  virt_error_set (&whole, virt_error_code (error),
                  "the running machine has changed, and its stored definition has not: %s",
                  virt_error_detail (error));
  return whole;
}

static void
edit_prepared (Manager *manager, gpointer data, const GError *error)
{
  ConfigEdit *edit = data;

  if (error != NULL) {
    call_fail (edit->call, g_error_copy (error));
    config_edit_free (edit);
    return;
  }
  edit->call->domain = manager_find_uuid (manager, edit->uuid, NULL);
  edit->prepared (edit->call, edit);
}

static const ChangeKind prepare_change = { "edit", edit_check, edit_prepare, edit_prepared };

static void
edit_done (Manager *manager, gpointer data, const GError *error)
{
  ConfigEdit *edit = data;

  if (error != NULL) {
    call_fail (edit->call, edit->after_machine ? config_not_changed (error) : g_error_copy (error));
    return;
  }
  edit->call->domain = manager_find_uuid (manager, edit->uuid, NULL);
  edit->done (edit->call, edit->def);
}

static const ChangeKind edit_change = { "edit", edit_check, edit_write, edit_done };

static ConfigEdit *
edit_new (Call *call, DomainDef *def)
{
  ConfigEdit *edit = g_new0 (ConfigEdit, 1);

  edit->call = call;
  edit->author = call_author (call);
  edit->def = def;
  edit->uuid = g_strdup (call->domain->uuid);
  edit->old_name = g_strdup (call->domain->name);
  edit->definition_count = call->domain->definition_count;
  return edit;
}

static void
edit_add (ConfigEdit *edit, const char *element, const char *replacement)
{
  g_return_if_fail (edit->count < CONFIG_EDIT_MAX);
  edit->elements[edit->count] = g_strdup (element);
  edit->replacements[edit->count++] = g_strdup (replacement);
}

ConfigEdit *
config_edit_of_elements (Call *call, DomainDef *def, const char *const *elements)
{
  ConfigEdit *edit = edit_new (call, def);

  edit->from_def = TRUE;
  for (; *elements != NULL; elements++)
    edit_add (edit, *elements, NULL);
  return edit;
}

ConfigEdit *
config_edit_of_devices (Call *call, DomainDef *before, DomainDef *def, const char *element)
{
  ConfigEdit *edit = edit_new (call, def);

  edit->before = domain_def_ref (before);
  edit->device_element = element;
  return edit;
}

void
config_edit_prepare (ConfigEdit *edit, void (*prepared) (Call *call, ConfigEdit *edit))
{
  edit->prepared = prepared;
  change_start (edit->call->manager, &prepare_change, edit, NULL);
}

void
config_edit_commit (ConfigEdit *edit, gboolean after_machine, void (*done) (Call *call, DomainDef *def))
{
  edit->after_machine = after_machine;
  edit->done = done;
  change_start (edit->call->manager, &edit_change, edit, edit_free);
}

void
config_edit (Call *call, DomainDef *def, const char *element, const char *replacement,
             void (*done) (Call *call, DomainDef *def))
{
  ConfigEdit *edit = edit_new (call, def);

  edit_add (edit, element, replacement);
  config_edit_commit (edit, FALSE, done);
}
