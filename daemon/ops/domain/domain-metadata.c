/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Title, description and applications' own elements, in the running definition, the stored one, or both.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/domain/config-edit.h"
#include "document/metadata.h"

#include "base/xml-writer.h"

#include <string.h>

#define METADATA_KNOWN_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static GVariant *
make_element (const Call *call, gpointer metadata, GError **error)
{
  g_autofree char *text = metadata_get (metadata, call_maybe_string (call, 2), error);

  return text != NULL ? g_variant_new ("(s)", text) : NULL;
}

static void
answer_metadata (Call *call, DomainDef *def)
{
  int type = call_int (call, 1);
  const char *text = type == VIR_DOMAIN_METADATA_DESCRIPTION ? def->description : def->title;

  if (type == VIR_DOMAIN_METADATA_ELEMENT)
    call_make (call, def->metadata != NULL ? strlen (def->metadata) : 0, "metadata", make_element,
               g_strdup (def->metadata), g_free);
  else if (text == NULL)
    call_fail_with (call, VIR_ERR_NO_DOMAIN_METADATA, "Requested metadata element is not present");
  else
    call_answer (call, g_variant_new ("(s)", text));
}

static gboolean
check_type (Call *call, int type)
{
  if (type >= VIR_DOMAIN_METADATA_DESCRIPTION && type <= VIR_DOMAIN_METADATA_ELEMENT)
    return TRUE;
  call_fail_from (call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "unknown metadata type '%d'", type);
  return FALSE;
}

void
op_domain_get_metadata (Call *call)
{
  guint flags = call_uint (call, 3), both = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
  int type = call_int (call, 1);
  DefinitionWhich which;

  if (!call_check_flags (call, flags, METADATA_KNOWN_FLAGS) || !check_type (call, type))
    return;
  if ((flags & both) == both)
    call_fail_with (
        call, VIR_ERR_INVALID_ARG,
        "flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' in virDomainGetMetadata are "
        "mutually exclusive");
  else if (type == VIR_DOMAIN_METADATA_ELEMENT && call_maybe_string (call, 2) == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "uri in virDomainGetMetadata must not be NULL");
  else if (call_check_affect (call, flags, &which))
    call_with_definition (call, which, answer_metadata);
}

static void
tell (Call *call)
{
  const char *uri = call_int (call, 1) == VIR_DOMAIN_METADATA_ELEMENT ? call_maybe_string (call, 4) : NULL;

  events_domain (call->manager->events, call->domain, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                 g_variant_new ("(ims)", call_int (call, 1), uri));
}

/* What a call sets, in the definition, the running machine, or both. An application's element is put into the
 * other elements by a job before anything is changed. */
typedef struct {
  Call *call;
  DomainDef *config; /* NULL: not meant */
  gboolean live;
  char *config_was, *live_was;         /* the <metadata> of each */
  char *config_is, *live_is;           /* and with the element; NULL: none is left */
  Policy *config_policy, *live_policy; /* which they hold; NULL: none */
} MetadataChange;

static void
change_free (gpointer data)
{
  MetadataChange *change = data;

  g_clear_pointer (&change->config, domain_def_unref);
  g_free (change->config_was);
  g_free (change->live_was);
  g_free (change->config_is);
  g_free (change->live_is);
  policy_unref (change->config_policy);
  policy_unref (change->live_policy);
  g_free (change);
}

static gboolean
is_element (const Call *call)
{
  return call_int (call, 1) == VIR_DOMAIN_METADATA_ELEMENT;
}

static gboolean
make_metadata (const Call *call, const char *was, char **ret_is, Policy **ret_policy, GError **error)
{
  return metadata_set (was, call_maybe_string (call, 2), call_maybe_string (call, 3),
                       call_maybe_string (call, 4), ret_is, error)
         && policy_read (*ret_is, ret_policy, error);
}

static gpointer
make_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  MetadataChange *change = input;
  gboolean made =
      (change->config == NULL
       || make_metadata (change->call, change->config_was, &change->config_is, &change->config_policy, error))
      && (!change->live
          || make_metadata (change->call, change->live_was, &change->live_is, &change->live_policy, error));

  return made ? JOB_OK : NULL;
}

/* A copy of @def with what the call sets. @metadata, @policy: the element, if it is one. */
static DomainDef *
changed_definition (const Call *call, const DomainDef *def, const char *metadata, Policy *policy)
{
  const char *value = call_maybe_string (call, 2);
  DomainDef *changed = domain_def_copy (def);
  char **member =
      call_int (call, 1) == VIR_DOMAIN_METADATA_DESCRIPTION ? &changed->description : &changed->title;

  if (is_element (call)) {
    domain_def_set_metadata (changed, metadata, policy);
    return changed;
  }
  g_free (*member);
  *member = value != NULL && value[0] != '\0' ? g_strdup (value) : NULL;
  return changed;
}

/* The whole element as it is to stand in the document; NULL when it goes. */
static char *
changed_element (const Call *call, const DomainDef *changed, const char **ret_name)
{
  int type = call_int (call, 1);
  const char *text = type == VIR_DOMAIN_METADATA_DESCRIPTION ? changed->description : changed->title;
  g_autoptr (XmlElement) element = NULL;

  *ret_name = type == VIR_DOMAIN_METADATA_ELEMENT       ? "metadata"
              : type == VIR_DOMAIN_METADATA_DESCRIPTION ? "description"
                                                        : "title";
  if (type == VIR_DOMAIN_METADATA_ELEMENT)
    return g_strdup (changed->metadata);
  if (text == NULL)
    return NULL;
  element = xml_element_new (*ret_name);
  xml_element_set_text (element, text);
  return g_strchomp (xml_element_to_string (element));
}

static void
set_live (const MetadataChange *change)
{
  Call *call = change->call;
  Machine *machine = call->domain->machine;

  if (machine != NULL)
    machine_replace_def (machine,
                         changed_definition (call, machine->def, change->live_is, change->live_policy));
}

/* The definition is safe; the running machine follows, if it was meant as well. */
static void
config_set (Call *call, DomainDef *def)
{
  const MetadataChange *change = call->user_data;

  definition_replace (call->domain, def);
  if (change->live)
    set_live (change);
  tell (call);
  call_answer_nothing (call);
}

static void
set_made (const MetadataChange *change)
{
  Call *call = change->call;
  g_autofree char *element = NULL;
  DomainDef *changed;
  const char *name;

  if (change->config != NULL) {
    changed = changed_definition (call, change->config, change->config_is, change->config_policy);
    element = changed_element (call, changed, &name);
    config_edit (call, changed, name, element, config_set);
  } else if (call->domain->machine == NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
  } else {
    set_live (change);
    tell (call);
    call_answer_nothing (call);
  }
}

static void
element_made (gpointer result, const GError *error, gpointer data)
{
  const MetadataChange *change = data;
  Call *call = change->call;

  if (result == NULL)
    call_fail (call, g_error_copy (error));
  else if (call_find_domain_again (call) != NULL)
    set_made (change);
}

/* The change is the call's own data; @config: NULL when the definition is not meant. */
static void
set_with (Call *call, DomainDef *config)
{
  MetadataChange *change = call->user_data;
  Machine *machine = call->domain->machine;
  gsize bytes = strlen (call_maybe_string (call, 2) != NULL ? call_maybe_string (call, 2) : "");

  change->config = config != NULL ? domain_def_ref (config) : NULL;
  change->live = change->live && machine != NULL;
  if (!is_element (call)) {
    set_made (change);
    return;
  }
  change->config_was = config != NULL ? g_strdup (config->metadata) : NULL;
  change->live_was = change->live ? g_strdup (machine->def->metadata) : NULL;
  call_work (call, bytes, "metadata", make_job, change, NULL, element_made);
}

static void
set_begin (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 5);
  gboolean config = (flags & VIR_DOMAIN_AFFECT_CONFIG) != 0;
  MetadataChange *change;
  DefinitionWhich which;

  /* What was true when the call came may not be any more. */
  if (!call_check_affect (call, flags, &which))
    return;
  change = g_new0 (MetadataChange, 1);
  change->call = call;
  change->live = (flags & VIR_DOMAIN_AFFECT_LIVE) != 0 || (!config && domain_is_active (domain));
  call->user_data = change;
  call->user_free = change_free;
  if (config || !change->live)
    call_with_definition (call, DEFINITION_CONFIG, set_with);
  else
    set_with (call, NULL);
}

void
op_domain_set_metadata (Call *call)
{
  int type = call_int (call, 1);
  const char *value = call_maybe_string (call, 2);
  const char *missing = NULL;

  if (!call_check_flags (call, call_uint (call, 5), METADATA_KNOWN_FLAGS) || !check_type (call, type))
    return;
  if (type == VIR_DOMAIN_METADATA_TITLE && value != NULL && strchr (value, '\n') != NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "metadata title can't contain newlines");
    return;
  }
  if (type == VIR_DOMAIN_METADATA_ELEMENT) {
    if (call_maybe_string (call, 4) == NULL)
      missing = "uri";
    else if (value != NULL && call_maybe_string (call, 3) == NULL)
      missing = "key";
  }
  if (missing != NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "%s in virDomainSetMetadata must not be NULL", missing);
  else
    domain_lock (call->domain, "metadata", call, set_begin);
}
