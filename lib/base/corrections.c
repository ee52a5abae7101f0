/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What was meant by the misspelt names and words of a document. A person who reads "did you mean 'bus'?" will
 * write bus, and then the program has more to say of the device; so it says it now, of the document as it was
 * meant. A compiler goes on after a mistake in the same way.
 */

#include "base/field.h"

typedef struct {
  xmlNode *node;
  char *name, *value; /* one of them */
} Correction;

struct Corrections {
  GPtrArray *list; /* Correction */
};

static void
correction_free (gpointer data)
{
  Correction *correction = data;

  g_free (correction->name);
  g_free (correction->value);
  g_free (correction);
}

Corrections *
corrections_new (void)
{
  Corrections *corrections = g_new0 (Corrections, 1);

  corrections->list = g_ptr_array_new_with_free_func (correction_free);
  return corrections;
}

void
corrections_free (Corrections *corrections)
{
  if (corrections == NULL)
    return;
  g_ptr_array_unref (corrections->list);
  g_free (corrections);
}

static void
add (Corrections *corrections, xmlNode *node, const char *name, const char *value)
{
  Correction *correction;

  if (corrections == NULL)
    return;
  correction = g_new0 (Correction, 1);
  correction->node = node;
  correction->name = g_strdup (name);
  correction->value = g_strdup (value);
  g_ptr_array_add (corrections->list, correction);
}

void
corrections_add_name (Corrections *corrections, xmlNode *node, const char *meant)
{
  add (corrections, node, meant, NULL);
}

void
corrections_add_value (Corrections *corrections, xmlNode *node, const char *meant)
{
  add (corrections, node, NULL, meant);
}

/* An attribute's value is its child, as an element's text is. */
static void
set_value (xmlNode *node, const char *value)
{
  if (node->type == XML_ATTRIBUTE_NODE)
    xmlNodeSetContent (node->children, (const xmlChar *)value);
  else
    xmlNodeSetContent (node, (const xmlChar *)value);
}

gboolean
corrections_apply (Corrections *corrections)
{
  gboolean changed = corrections->list->len > 0;

  for (guint i = 0; i < corrections->list->len; i++) {
    const Correction *correction = g_ptr_array_index (corrections->list, i);

    if (correction->name != NULL)
      xmlNodeSetName (correction->node, (const xmlChar *)correction->name);
    else
      set_value (correction->node, correction->value);
  }
  g_ptr_array_set_size (corrections->list, 0);
  return changed;
}
