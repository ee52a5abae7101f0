/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Rules and references as types of field. The field walker knows a list of one kind of element; a filter's is
 * of two, and a rule has one of many elements, each with its protocol's attributes. So there is a type for
 * the list, whose two rows are one member, and one for the details, whose rows, one a protocol, are another.
 */
#include "nwfilter/filter-entries.h"

#define MAX_PORTS_PROTOCOLS 4

static const EnumTable actions = { "rule action",
                                   { NULL, "drop", "accept", "reject", "continue", "return" } };
static const EnumTable directions = { "rule direction", { NULL, "in", "out", "inout" } };

/* The details of a rule. */

static FilterDetails *
details_new (const FilterProtocol *protocol)
{
  FilterDetails *details = g_new0 (FilterDetails, 1);

  details->protocol = protocol;
  details->values = g_ptr_array_new_with_free_func ((GDestroyNotify)filter_value_free);
  return details;
}

static void
details_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  FilterDetails **details = member;

  if (*details != NULL)
    g_ptr_array_unref ((*details)->values);
  g_clear_pointer (details, g_free);
}

/* Each protocol's row copies the one member, which the walker has cleared before. */
static void
details_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  const FilterDetails *source = *(FilterDetails *const *)from;
  FilterDetails *copy;

  if (source == NULL)
    return;
  copy = details_new (source->protocol);
  copy->negated = source->negated;
  for (guint i = 0; i < source->values->len; i++)
    g_ptr_array_add (copy->values, filter_value_copy (g_ptr_array_index (source->values, i)));
  *(FilterDetails **)member = copy;
}

static gboolean
details_is_set (const Field *field, gconstpointer member)
{
  const FilterDetails *details = *(FilterDetails *const *)member;

  return details != NULL && g_str_equal (details->protocol->name, field->path);
}

static void
details_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
               guint flags G_GNUC_UNUSED)
{
  const FilterDetails *details = *(FilterDetails *const *)member;
  XmlElement *element = xml_element_add (parent, name);

  if (details->negated)
    xml_element_set (element, "match", "no");
  for (guint i = 0; i < details->values->len; i++) {
    const FilterValue *value = g_ptr_array_index (details->values, i);
    g_autofree char *text = filter_value_format (value);

    xml_element_set (element, value->attribute->name, text);
  }
}

static void
report_value (FieldReader *reader, xmlAttr *attribute, const char *text)
{
  diagnostics_error_from (reader->diagnostics, xml_document_attribute_position (reader->document, attribute),
                          VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR, "%s has illegal value %s",
                          (const char *)attribute->name, text);
}

static void
report_unknown (FieldReader *reader, const FilterProtocol *protocol, xmlAttr *attribute)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *nearest;

  for (const FilterAttribute *row = protocol->attributes; row->name != NULL; row++)
    g_ptr_array_add (names, (gpointer)row->name);
  g_ptr_array_add (names, NULL);
  nearest = nearest_word ((const char *)attribute->name, (const char *const *)names->pdata);
  (reader->lax ? diagnostics_warning : diagnostics_error) (
      reader->diagnostics, xml_document_attribute_position (reader->document, attribute),
      VIR_ERR_XML_INVALID_SCHEMA, "element '%s' has no attribute '%s'%s%s%s", protocol->name,
      (const char *)attribute->name, nearest != NULL ? ": did you mean '" : "",
      nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static void
read_value (FieldReader *reader, FilterDetails *details, xmlNode *element, xmlAttr *attribute)
{
  const FilterAttribute *row = filter_protocol_attribute (details->protocol, (const char *)attribute->name);
  g_autofree char *text = xml_node_attribute (element, (const char *)attribute->name);
  FilterValue *value;

  if (g_str_equal ((const char *)attribute->name, "match")) {
    details->negated = g_str_equal (text, "no");
    return;
  }
  if (row == NULL) {
    report_unknown (reader, details->protocol, attribute);
    return;
  }
  value = filter_value_parse (row, text);
  if (value == NULL)
    report_value (reader, attribute, text);
  else
    g_ptr_array_add (details->values, value);
}

static int
compare_values (gconstpointer a, gconstpointer b)
{
  const FilterValue *const *one = a, *const *other = b;

  return ((*one)->attribute > (*other)->attribute) - ((*one)->attribute < (*other)->attribute);
}

static const FilterValue *
find (const FilterDetails *details, FilterAttributeId id)
{
  for (guint i = 0; i < details->values->len; i++) {
    const FilterValue *value = g_ptr_array_index (details->values, i);

    if (value->attribute->id == id)
      return value;
  }
  return NULL;
}

static gboolean
has_ports (guint64 protocol)
{
  static const guint64 with_ports[MAX_PORTS_PROTOCOLS] = { 6, 17, 33, 132 };

  for (guint i = 0; i < MAX_PORTS_PROTOCOLS; i++)
    if (protocol == with_ports[i])
      return TRUE;
  return FALSE;
}

/* A frame's ports are where they are only in some protocols. */
static void
check_ports (FieldReader *reader, const FilterDetails *details, xmlNode *element)
{
  const FilterValue *protocol = find (details, FILTER_IP_PROTOCOL);

  if (details->protocol->layer != FILTER_LAYER_LINK
      || (find (details, FILTER_SRC_PORT) == NULL && find (details, FILTER_DST_PORT) == NULL)
      || (protocol != NULL && (protocol->variable != NULL || has_ports (protocol->number))))
    return;
  diagnostics_error_from (reader->diagnostics, xml_document_node_position (reader->document, element),
                          VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                          "%s rule with port specification requires protocol specification with protocol to "
                          "be either one of tcp(6), udp(17), dccp(33), or sctp(132)",
                          g_str_equal (details->protocol->name, "ipv6") ? "IPv6" : "IP");
}

/* The first one in the document counts, as in libvirt. */
static void
details_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  FilterDetails *details;
  const xmlNode *before = element->prev;

  while (before != NULL
         && (before->type != XML_ELEMENT_NODE || filter_protocol_of ((const char *)before->name) == NULL))
    before = before->prev;
  if (before != NULL) {
    diagnostics_warning (reader->diagnostics, xml_document_node_position (reader->document, element),
                         VIR_ERR_XML_INVALID_SCHEMA, "a rule is of one protocol: '%s' is not looked at",
                         (const char *)element->name);
    return;
  }
  details_clear (field, member);
  details = details_new (filter_protocol_of (field->path));
  *(FilterDetails **)member = details;
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    read_value (reader, details, element, attribute);
  g_ptr_array_sort (details->values, compare_values);
  check_ports (reader, details, element);
}

static char *
details_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  g_autoptr (XmlElement) one = xml_element_new ("rule"), other = xml_element_new ("rule");
  g_autofree char *text = NULL, *other_text = NULL;

  if (details_is_set (field, a))
    details_write (field, a, one, field->path, 0);
  if (details_is_set (field, b))
    details_write (field, b, other, field->path, 0);
  text = xml_element_to_string (one);
  other_text = xml_element_to_string (other);
  return g_str_equal (text, other_text) ? NULL : g_strdup_printf ("%s differs", field->path);
}

static const FieldType field_details = {
  .size = sizeof (FilterDetails *),
  .read = details_read,
  .write = details_write,
  .is_set = details_is_set,
  .compare = details_compare,
  .clear = details_clear,
  .copy = details_copy,
};

#define DETAILS(protocol) FIELD (FilterRule, details, protocol, field_details, NULL)
static const Field rule_fields[] = {
  FIELD_WITH (FilterRule, action, "@action", field_enum, &actions, FIELD_REQUIRED),
  FIELD_WITH (FilterRule, direction, "@direction", field_enum, &directions, FIELD_REQUIRED),
  FIELD (FilterRule, priority, "@priority", field_signed, NULL),
  FIELD (FilterRule, state_match, "@statematch", field_text, NULL),
  DETAILS ("mac"),
  DETAILS ("vlan"),
  DETAILS ("stp"),
  DETAILS ("arp"),
  DETAILS ("rarp"),
  DETAILS ("ip"),
  DETAILS ("ipv6"),
  DETAILS ("tcp"),
  DETAILS ("udp"),
  DETAILS ("udplite"),
  DETAILS ("sctp"),
  DETAILS ("icmp"),
  DETAILS ("igmp"),
  DETAILS ("esp"),
  DETAILS ("ah"),
  DETAILS ("all"),
  DETAILS ("tcp-ipv6"),
  DETAILS ("udp-ipv6"),
  DETAILS ("udplite-ipv6"),
  DETAILS ("sctp-ipv6"),
  DETAILS ("icmpv6"),
  DETAILS ("esp-ipv6"),
  DETAILS ("ah-ipv6"),
  DETAILS ("all-ipv6"),
  FIELD_END,
};
static const FieldTable rule_table = { sizeof (FilterRule), rule_fields };

/* References. */

static const Field parameter_fields[] = {
  FIELD (FilterParameter, name, "@name", field_text, NULL),
  FIELD (FilterParameter, value, "@value", field_text, NULL),
  FIELD_END,
};
const FieldTable filter_parameter_table = { sizeof (FilterParameter), parameter_fields };

static const Field reference_fields[] = {
  FIELD_WITH (FilterReference, filter, "@filter", field_text, NULL, FIELD_REQUIRED),
  FIELD (FilterReference, parameters, "parameter", field_list, &filter_parameter_table),
  FIELD_END,
};
static const FieldTable reference_table = { sizeof (FilterReference), reference_fields };

static const Field reference_lax_fields[] = {
  FIELD (FilterReference, filter, "@filter", field_text, NULL),
  FIELD (FilterReference, parameters, "parameter", field_list, &filter_parameter_table),
  FIELD_END,
};
const FieldTable filter_reference_lax_table = { sizeof (FilterReference), reference_lax_fields };

/* The list of both. */

static void
entry_free (gpointer data)
{
  FilterEntry *entry = data;

  field_free (&rule_table, entry->rule);
  field_free (&reference_table, entry->reference);
  g_free (entry);
}

static void
entries_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  g_clear_pointer ((GPtrArray **)member, g_ptr_array_unref);
}

static void
entries_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  const GPtrArray *source = *(GPtrArray *const *)from;
  GPtrArray **entries = member;

  if (source == NULL || *entries != NULL)
    return;
  *entries = g_ptr_array_new_with_free_func (entry_free);
  for (guint i = 0; i < source->len; i++) {
    const FilterEntry *entry = g_ptr_array_index (source, i);
    FilterEntry *copy = g_new0 (FilterEntry, 1);

    copy->rule = entry->rule != NULL ? field_copy (&rule_table, entry->rule) : NULL;
    copy->reference = entry->reference != NULL ? field_copy (&reference_table, entry->reference) : NULL;
    g_ptr_array_add (*entries, copy);
  }
}

/* The first row that finds one reads all of both kinds. */
static void
entries_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  GPtrArray **entries = member;

  if (*entries != NULL)
    return;
  *entries = g_ptr_array_new_with_free_func (entry_free);
  for (xmlNode *child = element->parent->children; child != NULL; child = child->next) {
    gboolean is_rule = child->type == XML_ELEMENT_NODE && g_str_equal ((const char *)child->name, "rule");
    FilterEntry *entry;

    if (!is_rule
        && (child->type != XML_ELEMENT_NODE || !g_str_equal ((const char *)child->name, "filterref")))
      continue;
    entry = g_new0 (FilterEntry, 1);
    g_ptr_array_add (*entries, entry);
    if (is_rule)
      field_read (reader, &rule_table, entry->rule = field_new (&rule_table), child);
    else
      field_read (reader, &reference_table, entry->reference = field_new (&reference_table), child);
  }
}

/* The row of the rules writes both. */
static gboolean
entries_is_set (const Field *field, gconstpointer member)
{
  return *(GPtrArray *const *)member != NULL && g_str_equal (field->path, "rule");
}

static void
entries_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent,
               const char *name G_GNUC_UNUSED, guint flags)
{
  const GPtrArray *entries = *(GPtrArray *const *)member;

  for (guint i = 0; i < entries->len; i++) {
    const FilterEntry *entry = g_ptr_array_index (entries, i);

    if (entry->rule != NULL)
      field_write (&rule_table, entry->rule, xml_element_add (parent, "rule"), flags);
    else
      field_write (&reference_table, entry->reference, xml_element_add (parent, "filterref"), flags);
  }
}

static char *
entries_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  g_autoptr (XmlElement) one = xml_element_new ("filter"), other = xml_element_new ("filter");
  g_autofree char *text = NULL, *other_text = NULL;

  if (entries_is_set (field, a))
    entries_write (field, a, one, field->path, flags);
  if (entries_is_set (field, b))
    entries_write (field, b, other, field->path, flags);
  text = xml_element_to_string (one);
  other_text = xml_element_to_string (other);
  return g_str_equal (text, other_text) ? NULL : g_strdup ("the rules differ");
}

const FieldType field_filter_entries = {
  .size = sizeof (GPtrArray *),
  .read = entries_read,
  .write = entries_write,
  .is_set = entries_is_set,
  .compare = entries_compare,
  .repeats = TRUE,
  .clear = entries_clear,
  .copy = entries_copy,
};
