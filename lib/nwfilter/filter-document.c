/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <filter> and <filterbinding>. Rules and references are one list, because their order is libvirt's when it
 * writes; what a rule says of its protocol is read by the protocol's own table. libvirt reads the rules by
 * hand, so a bad value has its words: "srcmacaddr has illegal value".
 */
#include "nwfilter/filter-document.h"

#include "nwfilter/filter-entries.h"

#include <string.h>

#define CHAIN_CHARACTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"
#define VARIABLE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define VALUE_CHARACTERS    VARIABLE_CHARACTERS ".:"

/* The chains that there are, with the priorities they have where none is said. */
static const struct {
  const char *name;
  int priority;
} chains[] = {
  { "mac", -800 },  { "vlan", -750 }, { "stp", 0 },     { "arp", -500 },
  { "rarp", -400 }, { "ipv4", -700 }, { "ipv6", -600 },
};

static const Field filter_fields[] = {
  FIELD (FilterDef, name, "@name", field_text, NULL),
  FIELD (FilterDef, chain, "@chain", field_text, NULL),
  FIELD (FilterDef, priority, "@priority", field_signed, NULL),
  FIELD (FilterDef, uuid, "uuid", field_uuid, NULL),
  FIELD (FilterDef, entries, "rule", field_filter_entries, NULL),
  FIELD (FilterDef, entries, "filterref", field_filter_entries, NULL),
  FIELD_END,
};
static const FieldTable filter_table = { sizeof (FilterDef), filter_fields };

static const ValueError filter_errors[] = {
  { "filter", "priority", VIR_ERR_INVALID_ARG, VIR_FROM_NWFILTER },
  { "uuid", NULL, VIR_ERR_XML_ERROR, VIR_FROM_NWFILTER },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE },
};

static int
chain_row (const char *chain)
{
  for (guint i = 0; i < G_N_ELEMENTS (chains); i++)
    if (g_str_has_prefix (chain, chains[i].name))
      return (int)i;
  return -1;
}

const char *
filter_chain_protocol (const char *chain)
{
  int row = chain_row (chain);

  if (g_str_equal (chain, FILTER_ROOT_CHAIN))
    return FILTER_ROOT_CHAIN;
  return row >= 0 ? chains[row].name : NULL;
}

static void
check_chain (const FilterDef *def, const FieldReader *reader)
{
  Position where = source_map_find (reader->map, &def->chain, def);
  const char *problem = NULL;

  if (def->chain == NULL || g_str_equal (def->chain, FILTER_ROOT_CHAIN))
    return;
  if (filter_chain_protocol (def->chain) == NULL || g_str_has_prefix (def->chain, FILTER_ROOT_CHAIN)) {
    diagnostics_error_from (reader->diagnostics, where, VIR_FROM_NWFILTER, VIR_ERR_INVALID_ARG,
                            "Invalid chain name '%s'. Please use a chain name called 'root' or any of the "
                            "following prefixes: mac, vlan, stp, arp, rarp, ipv4, ipv6",
                            def->chain);
    return;
  }
  if (strspn (def->chain, CHAIN_CHARACTERS) != strlen (def->chain))
    problem = "Chain name contains invalid characters";
  else if (strlen (def->chain) > FILTER_MAX_CHAIN_NAME)
    problem = "Name of chain is longer than " G_STRINGIFY (FILTER_MAX_CHAIN_NAME) " characters";
  if (problem != NULL)
    diagnostics_error_from (reader->diagnostics, where, VIR_FROM_NWFILTER, VIR_ERR_INVALID_ARG, "%s",
                            problem);
}

static void
require (const char *value, gconstpointer member, gconstpointer def, const FieldReader *reader,
         const char *message)
{
  if (value == NULL || value[0] == '\0')
    diagnostics_error_from (reader->diagnostics, source_map_find (reader->map, member, def),
                            VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR, "%s", message);
}

static void
validate (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  const FilterDef *def = data;

  require (def->name, &def->name, def, reader, "filter has no name");
  check_chain (def, reader);
  if (def->priority.set
      && (def->priority.value < FILTER_MIN_PRIORITY || def->priority.value > FILTER_MAX_PRIORITY))
    diagnostics_error_from (reader->diagnostics, source_map_find (reader->map, &def->priority, def),
                            VIR_FROM_NWFILTER, VIR_ERR_INVALID_ARG,
                            "Priority '%" G_GINT64_FORMAT "' is outside valid range of [%d,%d]",
                            def->priority.value, FILTER_MIN_PRIORITY, FILTER_MAX_PRIORITY);
}

static int
compare_parameters (gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
  const FilterParameter *const *one = a, *const *other = b;

  return strcmp ((*one)->name, (*other)->name);
}

static gboolean
is_parameter (const FilterParameter *parameter)
{
  return parameter->name != NULL && parameter->value != NULL && parameter->name[0] != '\0'
         && parameter->value[0] != '\0'
         && strspn (parameter->name, VARIABLE_CHARACTERS) == strlen (parameter->name)
         && strspn (parameter->value, VALUE_CHARACTERS) == strlen (parameter->value);
}

/* What cannot be a variable, libvirt forgets. Values of one name stay in their order. */
static void
complete_reference (FilterReference *reference)
{
  GPtrArray *kept;

  if (reference->parameters == NULL)
    return;
  kept = g_ptr_array_new ();
  for (guint i = 0; i < reference->parameters->len; i++) {
    FilterParameter *parameter = g_ptr_array_index (reference->parameters, i);

    if (is_parameter (parameter))
      g_ptr_array_add (kept, parameter);
    else
      field_free (&filter_parameter_table, parameter);
  }
  g_ptr_array_set_free_func (reference->parameters, NULL);
  g_ptr_array_unref (reference->parameters);
  g_ptr_array_sort_with_data (kept, compare_parameters, NULL);
  reference->parameters = kept->len > 0 ? kept : NULL;
  if (kept->len == 0)
    g_ptr_array_unref (kept);
}

static void
complete_rule (FilterRule *rule)
{
  if (!rule->priority.set || rule->priority.value < FILTER_MIN_PRIORITY
      || rule->priority.value > FILTER_MAX_PRIORITY)
    rule->priority = (SignedNumber){ TRUE, FILTER_DEFAULT_PRIORITY };
  if (rule->state_match != NULL) {
    gboolean off =
        g_str_equal (rule->state_match, "0") || g_ascii_strcasecmp (rule->state_match, "false") == 0;

    g_free (rule->state_match);
    rule->state_match = off ? g_strdup ("false") : NULL;
  }
}

static void
complete (gpointer data)
{
  FilterDef *def = data;

  if (def->chain == NULL) {
    def->chain = g_strdup (FILTER_ROOT_CHAIN);
    def->priority.set = FALSE;
  } else if (!def->priority.set && chain_row (def->chain) >= 0) {
    def->priority = (SignedNumber){ TRUE, chains[chain_row (def->chain)].priority };
  }
  if (def->priority.value == 0)
    def->priority.set = FALSE;
  for (guint i = 0; def->entries != NULL && i < def->entries->len; i++) {
    FilterEntry *entry = g_ptr_array_index (def->entries, i);

    if (entry->rule != NULL)
      complete_rule (entry->rule);
    else
      complete_reference (entry->reference);
  }
}

const FilterValue *
filter_rule_value (const FilterRule *rule, FilterAttributeId id)
{
  for (guint i = 0; rule->details != NULL && i < rule->details->values->len; i++) {
    const FilterValue *value = g_ptr_array_index (rule->details->values, i);

    if (value->attribute->id == id)
      return value;
  }
  return NULL;
}

const DocumentKind filter_document = {
  .root = "filter",
  .schema = SCHEMA_NWFILTER,
  .table = &filter_table,
  .value_errors = filter_errors,
  .ref_count = G_STRUCT_OFFSET (FilterDef, ref_count),
  .name = G_STRUCT_OFFSET (FilterDef, name),
  .uuid = G_STRUCT_OFFSET (FilterDef, uuid),
  .validate = validate,
  .complete = complete,
};

/* Bindings. */

static const Field binding_fields[] = {
  FIELD (FilterBindingDef, owner_name, "owner/name", field_text, NULL),
  FIELD (FilterBindingDef, owner_uuid, "owner/uuid", field_uuid, NULL),
  FIELD (FilterBindingDef, port, "portdev/@name", field_text, NULL),
  FIELD (FilterBindingDef, link, "linkdev/@name", field_text, NULL),
  FIELD (FilterBindingDef, mac, "mac/@address", field_mac, NULL),
  FIELD (FilterBindingDef, reference, "filterref", field_struct, &filter_reference_lax_table),
  FIELD_END,
};
static const FieldTable binding_table = { sizeof (FilterBindingDef), binding_fields };

static const ValueError binding_errors[] = {
  { "mac", "address", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER },
  { "uuid", NULL, VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE },
};

static void
validate_binding (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  const FilterBindingDef *def = data;

  require (def->port, &def->port, def, reader, "filter binding has no port dev name");
  require (def->mac, &def->mac, def, reader, "filter binding has no MAC address");
  require (def->owner_name, &def->owner_name, def, reader, "filter binding has no owner name");
  require (def->owner_uuid, &def->owner_uuid, def, reader, "filter binding has no owner UUID");
  require (def->reference.filter, &def->reference.filter, def, reader,
           "filter binding has no filter reference");
  if (def->port != NULL && (strchr (def->port, '/') != NULL || strlen (def->port) >= FILTER_MAX_DEVICE_NAME))
    diagnostics_error_from (reader->diagnostics, source_map_find (reader->map, &def->port, def),
                            VIR_FROM_NWFILTER, VIR_ERR_INVALID_ARG,
                            "'%s' cannot be the name of a network device", def->port);
}

static void
complete_binding (gpointer data)
{
  complete_reference (&((FilterBindingDef *)data)->reference);
}

const DocumentKind filter_binding_document = {
  .root = "filterbinding",
  .schema = SCHEMA_NWFILTER_BINDING,
  .table = &binding_table,
  .value_errors = binding_errors,
  .ref_count = G_STRUCT_OFFSET (FilterBindingDef, ref_count),
  .name = G_STRUCT_OFFSET (FilterBindingDef, port),
  .uuid = DOCUMENT_NO_MEMBER,
  .validate = validate_binding,
  .complete = complete_binding,
};
