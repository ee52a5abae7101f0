/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <secret>: a UUID, and what the value is for. Each type of usage has its own element for the one thing it
 * says; libvirt reads them by hand, so its mistakes have numbers of their own.
 */
#include "secret/secret-document.h"

const EnumTable secret_usages = { "secret usage type",
                                  { NULL, "none", "volume", "ceph", "iscsi", "tls", "vtpm" } };

#define NAMED_USAGES \
  (FIELD_VALUE (SECRET_USAGE_CEPH) | FIELD_VALUE (SECRET_USAGE_TLS) | FIELD_VALUE (SECRET_USAGE_VTPM))

static const Field usage_fields[] = {
  FIELD_WITH (SecretUse, type, "@type", field_enum, &secret_usages, FIELD_REQUIRED),
  FIELD_WHEN (SecretUse, volume, "volume", field_text, NULL, type, FIELD_VALUE (SECRET_USAGE_VOLUME)),
  FIELD_WHEN (SecretUse, name, "name", field_text, NULL, type, NAMED_USAGES),
  FIELD_WHEN (SecretUse, target, "target", field_text, NULL, type, FIELD_VALUE (SECRET_USAGE_ISCSI)),
  FIELD_END,
};

static const FieldTable usage_table = { sizeof (SecretUse), usage_fields };

static const Field secret_fields[] = {
  FIELD (SecretDef, ephemeral, "@ephemeral", field_yes_no, NULL),
  FIELD (SecretDef, private, "@private", field_yes_no, NULL),
  FIELD (SecretDef, uuid, "uuid", field_uuid, NULL),
  FIELD (SecretDef, description, "description", field_text, NULL),
  FIELD (SecretDef, usage, "usage", field_struct, &usage_table),
  FIELD_END,
};

static const FieldTable secret_table = { sizeof (SecretDef), secret_fields };

static const ValueError value_errors[] = {
  { "secret", "ephemeral", VIR_ERR_XML_ERROR, VIR_FROM_SECRET },
  { "secret", "private", VIR_ERR_XML_ERROR, VIR_FROM_SECRET },
  { "uuid", NULL, VIR_ERR_INTERNAL_ERROR, VIR_FROM_SECRET },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE },
};

int
secret_def_usage_type (const SecretDef *def)
{
  return def->usage.type == SECRET_USAGE_ABSENT ? VIR_SECRET_USAGE_TYPE_NONE
                                                : def->usage.type - SECRET_USAGE_NONE;
}

const char *
secret_def_usage_id (const SecretDef *def)
{
  switch (def->usage.type) {
    case SECRET_USAGE_VOLUME:
      return def->usage.volume;
    case SECRET_USAGE_CEPH:
    case SECRET_USAGE_TLS:
    case SECRET_USAGE_VTPM:
      return def->usage.name;
    case SECRET_USAGE_ISCSI:
      return def->usage.target;
    default:
      return NULL;
  }
}

static void
validate (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  static const char *const missing[] = {
    [SECRET_USAGE_VOLUME] = "volume usage specified, but volume path is missing",
    [SECRET_USAGE_CEPH] = "Ceph usage specified, but name is missing",
    [SECRET_USAGE_ISCSI] = "iSCSI usage specified, but target is missing",
    [SECRET_USAGE_TLS] = "TLS usage specified, but name is missing",
    [SECRET_USAGE_VTPM] = "vTPM usage specified, but name is missing",
  };
  const SecretDef *def = data;
  const char *id = secret_def_usage_id (def);

  if (def->usage.type > SECRET_USAGE_NONE && (id == NULL || id[0] == '\0'))
    diagnostics_error_from (reader->diagnostics, source_map_find (reader->map, &def->usage.type, def),
                            VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "%s", missing[def->usage.type]);
}

static void
complete (gpointer data)
{
  SecretDef *def = data;

  if (def->ephemeral != TRISTATE_YES)
    def->ephemeral = TRISTATE_NO;
  if (def->private != TRISTATE_YES)
    def->private = TRISTATE_NO;
  if (def->usage.type == SECRET_USAGE_NONE)
    def->usage.type = SECRET_USAGE_ABSENT;
}

const DocumentKind secret_document = {
  .root = "secret",
  .schema = SCHEMA_SECRET,
  .table = &secret_table,
  .value_errors = value_errors,
  .ref_count = G_STRUCT_OFFSET (SecretDef, ref_count),
  .name = DOCUMENT_NO_MEMBER,
  .uuid = G_STRUCT_OFFSET (SecretDef, uuid),
  .validate = validate,
  .complete = complete,
};
