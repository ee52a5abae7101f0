/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <redirfilter>: the rules for what may be plugged into the machine's redirected USB ports. It is no device
 * of the guest's; the ports are told of it.
 */

#include "domain/devices/redirfilter.h"

#include "domain/report.h"

#include <string.h>

#define CLASS_MAX    0xFF
#define VERSION_PART 99 /* both halves of a version have two digits */
#define ANY          "-1"

/* Numbers in any base; -1 stands for what is left out. */

static gboolean
or_any_parse (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  return strcmp (text, ANY) == 0 || field_hex1.parse (field, member, text, ret_accepted);
}

static char *
class_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *number = member;

  return number->set ? g_strdup_printf ("0x%02X", (guint)number->value) : NULL;
}

static char *
id_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *number = member;

  return number->set ? g_strdup_printf ("0x%04X", (guint)number->value) : NULL;
}

static guint
to_bcd (guint64 value)
{
  return (guint)(value / 10 * 16 + value % 10);
}

static guint
from_bcd (guint value)
{
  return value / 16 * 10 + value % 16;
}

/* "2.5" is 2.50, "2.56", "10.2". */
static gboolean
version_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  g_auto (GStrv) parts = g_strsplit (text, ".", 3);
  guint64 major, minor;

  if (strcmp (text, ANY) == 0)
    return TRUE;
  if (g_strv_length (parts) != 2 || !g_ascii_string_to_unsigned (parts[0], 10, 0, VERSION_PART, &major, NULL)
      || !g_ascii_string_to_unsigned (parts[1], 10, 0, VERSION_PART, &minor, NULL)) {
    *ret_accepted = g_strdup ("a version of at most two digits on both sides of the dot, as '2.56', or '-1'");
    return FALSE;
  }
  if (strlen (parts[1]) == 1)
    minor *= 10;
  *(Number *)member = NUMBER (to_bcd (major) << 8 | to_bcd (minor));
  return TRUE;
}

static char *
version_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *version = member;

  return version->set ? g_strdup_printf ("%u.%02u", from_bcd ((guint)version->value >> 8),
                                         from_bcd ((guint)version->value & 0xFF))
                      : NULL;
}

static const FieldType field_class = { .size = sizeof (Number),
                                       .parse = or_any_parse,
                                       .format = class_format };
static const FieldType field_id = { .size = sizeof (Number), .parse = or_any_parse, .format = id_format };
static const FieldType field_version = { .size = sizeof (Number),
                                         .parse = version_parse,
                                         .format = version_format };
static const FieldRange uint32s = { 0, G_MAXUINT32 };

static const FieldTable rule_table = {
  sizeof (RedirfilterRule),
  (const Field[]){
      FIELD (RedirfilterRule, class_code, "@class", field_class, &uint32s),
      FIELD (RedirfilterRule, vendor, "@vendor", field_id, &uint32s),
      FIELD (RedirfilterRule, product, "@product", field_id, &uint32s),
      FIELD (RedirfilterRule, version, "@version", field_version, NULL),
      FIELD_WITH (RedirfilterRule, allow, "@allow", field_yes_no, NULL, FIELD_REQUIRED),
      FIELD_END,
  },
};

static const Field redirfilter_fields[] = {
  FIELD_WITH (DeviceRedirfilter, rules, "usbdev", field_list, &rule_table, FIELD_NO_ABI),
  FIELD_END,
};

static void
redirfilter_validate (Validation *validation, const Device *device)
{
  const DeviceRedirfilter *filter = (const DeviceRedirfilter *)device;

  validation_single_device (validation, device, VIR_ERR_XML_ERROR,
                            "only one set of redirection filter rule is supported");
  for (guint i = 0; filter->rules != NULL && i < filter->rules->len; i++) {
    const RedirfilterRule *rule = g_ptr_array_index (filter->rules, i);

    if (rule->class_code.set && rule->class_code.value > CLASS_MAX)
      validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &rule->class_code, rule,
                             "Invalid USB Class code 0x%x", (guint)rule->class_code.value);
  }
}

static char *
no_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index G_GNUC_UNUSED)
{
  return NULL;
}

const DeviceKind redirfilter_kind = {
  .element = "redirfilter",
  .table = { sizeof (DeviceRedirfilter), redirfilter_fields },
  .validate = redirfilter_validate,
  .alias = no_alias,
};
