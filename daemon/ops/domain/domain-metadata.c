/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Title, description and applications' own elements, in the running definition, the stored one, or both.
 */
#include "daemon/domain/machine.h"
#include "document/metadata.h"
#include "daemon/ops/domain/config-edit.h"

#include "base/xml-writer.h"

#include <string.h>

#define METADATA_KNOWN_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static void
answer_metadata (Call *call, DomainDef *def)
{
  int type = call_int (call, 1);
  GError *error = NULL;
  g_autofree char *text = NULL;

  if (type == VIR_DOMAIN_METADATA_DESCRIPTION)
    text = g_strdup (def->description);
  else if (type == VIR_DOMAIN_METADATA_TITLE)
    text = g_strdup (def->title);
  else
    text = metadata_get (def->metadata, call_maybe_string (call, 2), &error);
  if (text == NULL && error == NULL)
    virt_error_set (&error, VIR_ERR_NO_DOMAIN_METADATA, "Requested metadata element is not present");
  if (error != NULL)
    call_fail (call, error);
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

/* A copy of @def with what the call sets; NULL and @error when it cannot be set. */
static DomainDef *
changed_definition (Call *call, const DomainDef *def, GError **error)
{
  const char *value = call_maybe_string (call, 2);
  g_autoptr (DomainDef) changed = domain_def_copy (def);
  char **member =
      call_int (call, 1) == VIR_DOMAIN_METADATA_DESCRIPTION ? &changed->description : &changed->title;
  g_autofree char *metadata = NULL;

  if (call_int (call, 1) == VIR_DOMAIN_METADATA_ELEMENT) {
    if (!metadata_set (def->metadata, value, call_maybe_string (call, 3), call_maybe_string (call, 4),
                       &metadata, error))
      return NULL;
    g_free (changed->metadata);
    changed->metadata = g_steal_pointer (&metadata);
  } else {
    g_free (*member);
    *member = value != NULL && value[0] != '\0' ? g_strdup (value) : NULL;
  }
  return g_steal_pointer (&changed);
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

static gboolean
set_live (Call *call, GError **error)
{
  DomainDef *changed = changed_definition (call, call->domain->machine->def, error);

  if (changed != NULL)
    machine_replace_def (call->domain->machine, changed);
  return changed != NULL;
}

/* The definition is safe; the running machine follows, if it was meant as well. */
static void
config_set (Call *call, DomainDef *def)
{
  gboolean live = (call_uint (call, 5) & VIR_DOMAIN_AFFECT_LIVE) != 0;
  GError *error = NULL;

  definition_replace (call->domain, def);
  if (live && call->domain->machine != NULL && !set_live (call, &error)) {
    call_fail (call, error);
    return;
  }
  tell (call);
  call_answer_nothing (call);
}

static void
set_config (Call *call, DomainDef *def)
{
  GError *error = NULL;
  DomainDef *changed = changed_definition (call, def, &error);
  const char *name;
  g_autofree char *element = NULL;

  if (changed == NULL) {
    call_fail (call, error);
    return;
  }
  element = changed_element (call, changed, &name);
  config_edit (call, changed, name, element, config_set);
}

static void
set_begin (Domain *domain, Call *call)
{
  guint flags = call_uint (call, 5);
  gboolean config = (flags & VIR_DOMAIN_AFFECT_CONFIG) != 0;
  gboolean live = (flags & VIR_DOMAIN_AFFECT_LIVE) != 0 || (!config && domain_is_active (domain));
  DefinitionWhich which;
  GError *error = NULL;

  /* What was true when the call came may not be any more. */
  if (!call_check_affect (call, flags, &which))
    return;
  if (config || !live) {
    call_with_definition (call, DEFINITION_CONFIG, set_config);
  } else if (set_live (call, &error)) {
    tell (call);
    call_answer_nothing (call);
  } else {
    call_fail (call, error);
  }
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
    domain_queue (call->domain, "metadata", call, set_begin);
}
