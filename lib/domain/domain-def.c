/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The definition as a whole: the walks over its table under the names the rest of the program uses.
 */

#include "domain/domain-def.h"

#include <string.h>

DomainDef *
domain_def_new (void)
{
  DomainDef *def = field_new (&domain_table);

  def->ref_count = 1;
  def->devices = device_list_new ();
  return def;
}

DomainDef *
domain_def_ref (DomainDef *def)
{
  g_atomic_int_inc (&def->ref_count);
  return def;
}

void
domain_def_unref (DomainDef *def)
{
  if (def == NULL || !g_atomic_int_dec_and_test (&def->ref_count))
    return;
  g_free (def->emulator);
  policy_unref (def->policy);
  field_free (&domain_table, def);
}

DomainDef *
domain_def_copy (const DomainDef *def)
{
  DomainDef *copy = field_copy (&domain_table, def);

  copy->emulator = g_strdup (def->emulator);
  copy->policy = def->policy != NULL ? policy_ref (def->policy) : NULL;
  copy->ref_count = 1;
  return copy;
}

void
domain_def_set_metadata (DomainDef *def, const char *metadata, Policy *policy)
{
  g_free (def->metadata);
  def->metadata = g_strdup (metadata);
  policy_unref (def->policy);
  def->policy = policy != NULL ? policy_ref (policy) : NULL;
}

gboolean
domain_def_is_q35 (const DomainDef *def)
{
  return def->os.machine != NULL
         && (g_str_equal (def->os.machine, "q35") || g_str_has_prefix (def->os.machine, "pc-q35"));
}

gboolean
domain_def_is_i440fx (const DomainDef *def)
{
  const char *machine = def->os.machine;

  return machine != NULL
         && (g_str_equal (machine, "pc") || g_str_has_prefix (machine, "pc-i440fx")
             || g_str_has_prefix (machine, "pc-0.") || g_str_has_prefix (machine, "pc-1."));
}

gboolean
domain_xml_has_secrets (const char *xml)
{
  /* Of the fields with FIELD_SECRET: of graphics, and of disks' sources. */
  static const char *const marks[] = { " passwd='", " passwdValidTo='", " connected='", "<cookies" };

  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    if (strstr (xml, marks[i]) != NULL)
      return TRUE;
  return FALSE;
}
