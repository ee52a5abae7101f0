/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another name for a domain that is shut off: in the registry, in both its texts, and in the files' names.
 */
#include "daemon/ops/domain/config-edit.h"

#include "base/xml-writer.h"

#include <string.h>

static void
renamed (Call *call, DomainDef *def)
{
  manager_commit_rename (call->domain, def);
  call_answer (call, g_variant_new ("(i)", 0));
}

static void
rename_with (Call *call, DomainDef *def)
{
  const char *name = call_maybe_string (call, 1);
  g_autoptr (XmlElement) element = xml_element_new ("name");
  DomainDef *changed = domain_def_copy (def);
  g_autofree char *text = NULL;

  g_free (changed->name);
  changed->name = g_strdup (name);
  xml_element_set_text (element, name);
  text = g_strchomp (xml_element_to_string (element));
  config_edit (call, changed, "name", text, renamed);
}

static void
rename_begin (Domain *domain, Call *call)
{
  const char *name = call_maybe_string (call, 1);

  if (domain_is_active (domain))
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot rename active domain");
  else if (!domain->persistent)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cannot rename a transient domain");
  else if (domain->managed_save)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain with a managed saved state can't be renamed");
  else if (g_str_equal (name, domain->name))
    call_fail_from (call, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "Can't rename domain to itself");
  else
    call_with_definition (call, DEFINITION_CONFIG, rename_with);
}

void
op_domain_rename (Call *call)
{
  const char *name = call_maybe_string (call, 1);

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (name == NULL || name[0] == '\0')
    call_fail_with (call, VIR_ERR_INVALID_ARG, "a domain's name must not be empty");
  else if (strchr (name, '/') != NULL || strchr (name, '\n') != NULL)
    call_fail_with (call, VIR_ERR_XML_ERROR, "name %s cannot contain '%s'", name,
                    strchr (name, '/') != NULL ? "/" : "\\n");
  else
    domain_lock (call->domain, "rename", call, rename_begin);
}
