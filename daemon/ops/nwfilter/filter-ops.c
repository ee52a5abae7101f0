/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Network filters: what is asked of them alone. */
#include "daemon/ops/ops.h"

#include "daemon/nwfilter/filters.h"
#include "daemon/ops/object/object-define.h"
#include "daemon/ops/object/object-list.h"

void
op_connect_num_of_nwfilters (Call *call)
{
  object_answer_count (call, &filter_kind, 0);
}

void
op_connect_list_nwfilters (Call *call)
{
  object_answer_names (call, &filter_kind, 0);
}

void
op_nwfilter_define_xml (Call *call)
{
  object_define (call, &filter_kind, FALSE);
}

void
op_nwfilter_define_xml_flags (Call *call)
{
  guint flags = call_uint (call, 1);

  if (call_check_flags (call, flags, VIR_NWFILTER_DEFINE_VALIDATE))
    object_define (call, &filter_kind, (flags & VIR_NWFILTER_DEFINE_VALIDATE) != 0);
}

static GVariant *
describe (const Call *call G_GNUC_UNUSED, gpointer data, GError **error G_GNUC_UNUSED)
{
  g_autofree char *xml = document_to_xml (&filter_document, data, 0);

  return g_variant_new ("(s)", xml);
}

static void
unref_def (gpointer def)
{
  document_unref (&filter_document, def);
}

/* A filter may have very many rules: written in a job. */
void
op_nwfilter_get_xml_desc (Call *call)
{
  FilterDef *def = ((const Filter *)call->object)->def;

  if (call_check_flags (call, call_uint (call, 1), 0))
    call_make (call, 0, "describe", describe, document_ref (&filter_document, def), unref_def);
}
