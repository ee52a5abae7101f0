/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding domains by their number, which only they have, and the old lists.
 */
#include "daemon/domain/domain-kind.h"
#include "daemon/ops/object/object-list.h"
#include "daemon/ops/ops.h"

void
op_domain_lookup_by_id (Call *call)
{
  GError *error = NULL;
  Domain *domain = manager_find_id (call->manager, call_int (call, 0), &error);

  object_answer (call, domain != NULL ? &domain->object : NULL, error);
}

void
op_connect_num_of_domains (Call *call)
{
  object_answer_count (call, &domain_kind, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
}

void
op_connect_num_of_defined_domains (Call *call)
{
  object_answer_count (call, &domain_kind, VIR_CONNECT_LIST_DOMAINS_INACTIVE);
}

void
op_connect_list_defined_domains (Call *call)
{
  object_answer_names (call, &domain_kind, VIR_CONNECT_LIST_DOMAINS_INACTIVE);
}

void
op_connect_list_domains (Call *call)
{
  g_autoptr (GPtrArray) domains = manager_list (call->manager);
  int room = call_int (call, 0);
  GVariantBuilder ids;

  g_variant_builder_init (&ids, G_VARIANT_TYPE ("ai"));
  for (guint i = 0; i < domains->len && room > 0; i++) {
    const Domain *domain = g_ptr_array_index (domains, i);

    if (domain->id < 0)
      continue;
    g_variant_builder_add (&ids, "i", domain->id);
    room--;
  }
  call_answer (call, g_variant_new ("(ai)", &ids));
}
