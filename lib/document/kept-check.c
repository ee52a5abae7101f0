/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is known of the parts that are only kept (domain/verbatim.h): the
 * attributes that hold one of a few words, those that must be there, the elements that must, and what there
 * may be one of. libvirt refuses a definition for these whether or not it is asked to use its schema, so both
 * ways of reading do. A part that gets fields leaves the table, and is checked by them.
 */

#include "document/kept-check.h"

#include "document/kept-numbers.h"

#include <string.h>

typedef struct {
  const char *element;   /* path below <domain> or <devices> */
  const char *attribute; /* NULL: the element itself must be there */
  gboolean required;     /* where its parent is */
  EnumTable words;       /* all NULL: any text */
} KeptRule;

#define WORDS(...)      \
  {                     \
    "value",            \
    {                   \
      NULL, __VA_ARGS__ \
    }                   \
  }
#define ANY \
  {         \
    NULL,   \
    {       \
      NULL  \
    }       \
  }

/* "*" is any device: what cannot be said of an attribute that is required only where its element is. */
static const KeptRule device_rules[] = {
  { "*/boot", "order", TRUE, ANY },    { "lease/key", NULL, TRUE, ANY },
  { "lease/target", NULL, TRUE, ANY }, { "lease/target", "path", TRUE, ANY },
  { NULL, NULL, FALSE, ANY },
};

static const KeptRule domain_rules[] = {
  { "launchSecurity", "type", TRUE, WORDS ("sev", "sev-snp", "s390-pv") },
  { NULL, NULL, FALSE, ANY },
};

/* Devices that a machine has one of, in libvirt's words when there is another. */
static const struct {
  const char *element;
  virErrorNumber code;
  const char *message;
} single_devices[] = {
  { "redirfilter", VIR_ERR_INTERNAL_ERROR, "only one set of redirection filter rule is supported" },
};

static gboolean
is_named (const xmlNode *node, const char *name, gsize length)
{
  return node->type == XML_ELEMENT_NODE && strlen ((const char *)node->name) == length
         && strncmp ((const char *)node->name, name, length) == 0;
}

static void
check_value (FieldReader *reader, const KeptRule *rule, xmlNode *element)
{
  xmlAttr *attribute = xmlHasProp (element, (const xmlChar *)rule->attribute);
  g_autofree char *value = xml_node_attribute (element, rule->attribute);
  g_autofree char *choices = rule->words.names[1] != NULL ? enum_table_choices (&rule->words) : NULL;
  const char *nearest;

  if (value == NULL) {
    if (rule->required && !field_reader_has_misspelt (reader, element, rule->attribute))
      diagnostics_error_from (
          reader->diagnostics, xml_document_node_position (reader->document, element), VIR_FROM_XML,
          VIR_ERR_XML_ERROR, "Missing required attribute '%s' in element '%s'%s%s", rule->attribute,
          (const char *)element->name, choices != NULL ? ": expected " : "", choices != NULL ? choices : "");
    return;
  }
  if (choices == NULL || enum_table_value (&rule->words, value) != 0)
    return;
  nearest = enum_table_nearest (&rule->words, value);
  diagnostics_error_from (
      reader->diagnostics, xml_document_attribute_position (reader->document, attribute), VIR_FROM_XML,
      VIR_ERR_XML_ERROR, "Invalid value for attribute '%s' in element '%s': '%s' (%s%s%saccepted: %s)",
      rule->attribute, (const char *)element->name, value, nearest != NULL ? "did you mean '" : "",
      nearest != NULL ? nearest : "", nearest != NULL ? "'? " : "", choices);
}

/* @part is the element that the rule's path begins with. */
static void
check_rule (FieldReader *reader, const KeptRule *rule, xmlNode *part)
{
  const char *slash = strchr (rule->element, '/');
  gboolean is_found = FALSE;

  if (slash == NULL) {
    check_value (reader, rule, part);
    return;
  }
  for (xmlNode *child = part->children; child != NULL; child = child->next) {
    if (!is_named (child, slash + 1, strlen (slash + 1)))
      continue;
    is_found = TRUE;
    if (rule->attribute != NULL)
      check_value (reader, rule, child);
  }
  if (!is_found && rule->attribute == NULL && rule->required)
    diagnostics_error (reader->diagnostics, xml_document_node_position (reader->document, part),
                       VIR_ERR_XML_ERROR, "Missing <%s> element in %s device", slash + 1,
                       (const char *)part->name);
}

static void
check_part (FieldReader *reader, const KeptRule *rules, xmlNode *part)
{
  for (const KeptRule *rule = rules; rule->element != NULL; rule++)
    if (rule->element[0] == '*' || is_named (part, rule->element, strcspn (rule->element, "/")))
      check_rule (reader, rule, part);
}

static void
check_single (FieldReader *reader, GHashTable *seen, xmlNode *device)
{
  if (g_hash_table_add (seen, (gpointer)device->name))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (single_devices); i++)
    if (is_named (device, single_devices[i].element, strlen (single_devices[i].element)))
      diagnostics_error (reader->diagnostics, xml_document_node_position (reader->document, device),
                         single_devices[i].code, "%s", single_devices[i].message);
}

static void
check_devices (FieldReader *reader, xmlNode *devices)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (xmlNode *device = devices->children; device != NULL; device = device->next) {
    if (device->type != XML_ELEMENT_NODE)
      continue;
    check_part (reader, device_rules, device);
    check_single (reader, seen, device);
  }
}

void
kept_check (FieldReader *reader, xmlNode *root)
{
  for (xmlNode *part = root->children; part != NULL; part = part->next) {
    if (part->type != XML_ELEMENT_NODE)
      continue;
    if (is_named (part, "devices", strlen ("devices")))
      check_devices (reader, part);
    else
      check_part (reader, domain_rules, part);
    if (is_named (part, "idmap", strlen ("idmap")))
      kept_check_idmap (reader, part);
  }
}
