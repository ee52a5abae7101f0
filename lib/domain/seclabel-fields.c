/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <seclabel>: read, completed and checked as libvirt does. A document that names no model means the host's
 * first one, which is "none" here, for no security driver confines machines: they are kept apart by their
 * accounts, of which the model "dac" speaks.
 */

#include "domain/seclabel.h"

#include "domain/complete-parts.h"

#include <string.h>

static const EnumTable seclabel_types = { "seclabel type", { NULL, "dynamic", "static", "none" } };

static const Field seclabel_fields[] = {
  FIELD (Seclabel, type, "@type", field_enum, &seclabel_types),
  FIELD (Seclabel, model, "@model", field_text, NULL),
  FIELD (Seclabel, relabel, "@relabel", field_yes_no, NULL),
  FIELD (Seclabel, label, "label", field_text, NULL),
  FIELD_WITH (Seclabel, imagelabel, "imagelabel", field_text, NULL, FIELD_LIVE),
  FIELD (Seclabel, baselabel, "baselabel", field_text, NULL),
  FIELD_END,
};

const FieldTable seclabel_table = { sizeof (Seclabel), seclabel_fields };

Seclabel *
domain_def_seclabel (const DomainDef *def, const char *model)
{
  for (guint i = 0; def->seclabels != NULL && i < def->seclabels->len; i++) {
    Seclabel *seclabel = g_ptr_array_index (def->seclabels, i);

    if (g_strcmp0 (seclabel->model, model) == 0)
      return seclabel;
  }
  return NULL;
}

Seclabel *
domain_def_add_seclabel (DomainDef *def, const char *model)
{
  Seclabel *seclabel = field_new (&seclabel_table);

  seclabel->type = SECLABEL_DYNAMIC;
  seclabel->model = g_strdup (model);
  seclabel->relabel = TRISTATE_YES;
  seclabel->implied = TRUE;
  if (def->seclabels == NULL)
    def->seclabels = g_ptr_array_new ();
  g_ptr_array_add (def->seclabels, seclabel);
  return seclabel;
}

void
domain_def_drop_chosen_seclabels (DomainDef *def)
{
  for (guint i = def->seclabels != NULL ? def->seclabels->len : 0; i > 0; i--) {
    Seclabel *seclabel = g_ptr_array_index (def->seclabels, i - 1);

    if (seclabel->type != SECLABEL_DYNAMIC || seclabel->baselabel != NULL)
      continue;
    field_free (&seclabel_table, seclabel);
    g_ptr_array_remove_index (def->seclabels, i - 1);
  }
}

/* Nothing but that the host's own model is meant. */
static gboolean
names_no_label (const Seclabel *seclabel)
{
  return seclabel->type == SECLABEL_OFF
         || (seclabel->type == SECLABEL_DYNAMIC && seclabel->label == NULL && seclabel->imagelabel == NULL
             && seclabel->baselabel == NULL);
}

static void
complete_one (Completion *completion, Seclabel *seclabel)
{
  if (seclabel->model == NULL && completion->def->seclabels->len == 1 && names_no_label (seclabel)) {
    if (seclabel->type == SECLABEL_DYNAMIC)
      seclabel->relabel = TRISTATE_ABSENT;
    seclabel->model = g_strdup (SECLABEL_MODEL_NONE);
    seclabel->type = SECLABEL_OFF;
  }
  if (seclabel->type == SECLABEL_TYPE_NONE)
    seclabel->type = SECLABEL_DYNAMIC;
  if (seclabel->type == SECLABEL_DYNAMIC && seclabel->relabel == TRISTATE_ABSENT)
    seclabel->relabel = TRISTATE_YES;
  if (seclabel->type == SECLABEL_STATIC && seclabel->relabel == TRISTATE_ABSENT)
    seclabel->relabel = TRISTATE_NO;
  if (seclabel->type == SECLABEL_OFF && seclabel->relabel == TRISTATE_NO)
    seclabel->relabel = TRISTATE_ABSENT;
  if (!completion->live) {
    g_clear_pointer (&seclabel->imagelabel, g_free);
    if (seclabel->type == SECLABEL_DYNAMIC)
      g_clear_pointer (&seclabel->label, g_free);
  }
}

void
complete_seclabels (Completion *completion)
{
  GPtrArray *seclabels = completion->def->seclabels;

  for (guint i = 0; seclabels != NULL && i < seclabels->len; i++)
    complete_one (completion, g_ptr_array_index (seclabels, i));
}

static void
validate_one (Validation *validation, const Seclabel *seclabel)
{
  if (seclabel->type == SECLABEL_DYNAMIC && seclabel->relabel == TRISTATE_NO)
    validation_error (validation, &seclabel->relabel, seclabel,
                      "dynamic label type must use resource relabeling");
  if (seclabel->type == SECLABEL_OFF && seclabel->relabel == TRISTATE_YES)
    validation_error (validation, &seclabel->relabel, seclabel,
                      "resource relabeling is not compatible with 'none' label type");
  if (seclabel->type == SECLABEL_STATIC && (seclabel->label == NULL || *seclabel->label == '\0'))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &seclabel->label, seclabel,
                           "security label is missing");
  if (seclabel->model == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &seclabel->model, seclabel,
                           "missing security model in domain seclabel");
  else if (domain_def_seclabel (validation->def, seclabel->model) != seclabel)
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &seclabel->model, seclabel,
                           "seclabel for model %s is already provided", seclabel->model);
}

void
validate_seclabels (Validation *validation)
{
  const GPtrArray *seclabels = validation->def->seclabels;

  for (guint i = 0; seclabels != NULL && i < seclabels->len; i++)
    validate_one (validation, g_ptr_array_index (seclabels, i));
}
