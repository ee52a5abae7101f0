/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The comparison itself is a walk over the fields (field_compare): each says in its table whether the guest
 * can see it. Here are libvirt's words for the two things that name a machine. */
#include "model/abi.h"

gboolean
domain_abi_check (const DomainDef *from, const DomainDef *to, GError **error)
{
  g_autofree char *difference = NULL;

  if (g_strcmp0 (from->uuid, to->uuid) != 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "Target domain uuid %s does not match source %s",
                    to->uuid, from->uuid);
    return FALSE;
  }
  if (g_strcmp0 (from->name, to->name) != 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "Target domain name '%s' does not match source '%s'",
                    to->name, from->name);
    return FALSE;
  }
  difference = field_compare (&domain_table, from, to, FIELD_COMPARE_ABI);
  if (difference != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "the guest would not find the machine it knows; %s",
                    difference);
  return difference == NULL;
}
