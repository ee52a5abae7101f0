/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The elements of libvirt's namespace for QEMU. They are fields like any other, so that what is misspelt is
 * told with its place; what the words mean to QEMU is not looked into here. libvirt writes arguments before
 * variables and added capabilities before those taken away, in whichever order they stood.
 */

#include "domain/qemu-namespace.h"

#include "domain/complete-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const EnumTable override_types = { "property type",
                                          { NULL, "string", "signed", "unsigned", "bool", "remove" } };

const FieldTable qemu_argument_table = {
  sizeof (QemuArgument),
  (const Field[]){
      FIELD (QemuArgument, value, "@value", field_text, NULL),
      FIELD_END,
  },
};

const FieldTable qemu_variable_table = {
  sizeof (QemuVariable),
  (const Field[]){
      FIELD (QemuVariable, name, "@name", field_text, NULL),
      FIELD (QemuVariable, value, "@value", field_text, NULL),
      FIELD_END,
  },
};

const FieldTable qemu_capability_table = {
  sizeof (QemuCapability),
  (const Field[]){
      FIELD (QemuCapability, name, "@capability", field_text, NULL),
      FIELD_END,
  },
};

static const FieldTable property_table = {
  sizeof (QemuProperty),
  (const Field[]){
      FIELD (QemuProperty, name, "@name", field_text, NULL),
      FIELD_WITH (QemuProperty, type, "@type", field_enum, &override_types, FIELD_REQUIRED),
      FIELD (QemuProperty, value, "@value", field_text, NULL),
      FIELD_END,
  },
};

const FieldTable qemu_override_table = {
  sizeof (QemuOverride),
  (const Field[]){
      FIELD (QemuOverride, alias, "@alias", field_text, NULL),
      FIELD (QemuOverride, properties, "qemu:frontend/qemu:property", field_list, &property_table),
      FIELD_END,
  },
};

gboolean
qemu_namespace_is_empty (const DomainQemuNamespace *said)
{
  return said->arguments == NULL && said->environment == NULL && said->added == NULL && said->lacked == NULL
         && said->overrides == NULL && said->deprecation == NULL;
}

gboolean
qemu_override_bool (const char *text, gboolean *ret)
{
  *ret = strcmp (text, "true") == 0;
  return *ret || strcmp (text, "false") == 0;
}

static void
validate_variable (Validation *validation, const QemuVariable *variable)
{
  const char *name = variable->name;

  if (name == NULL)
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &variable->name, variable,
                           "No qemu environment name specified");
  else if (!g_ascii_isalpha (*name) && *name != '_')
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &variable->name, variable,
                           "Invalid environment name, it must begin with a letter or underscore: '%s'", name);
  else
    for (const char *at = name; *at != '\0'; at++)
      if (!g_ascii_isalnum (*at) && *at != '_') {
        validation_error_code (
            validation, VIR_ERR_INTERNAL_ERROR, &variable->name, variable,
            "Invalid environment name, it must contain only alphanumerics and underscore: '%s'", name);
        return;
      }
}

static void
validate_capabilities (Validation *validation, const GPtrArray *capabilities)
{
  for (guint i = 0; capabilities != NULL && i < capabilities->len; i++) {
    const QemuCapability *capability = g_ptr_array_index (capabilities, i);

    if (capability->name == NULL)
      validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &capability->name, capability,
                             "missing capability name");
  }
}

/* As libvirt reads numbers: any base, and a minus sign only before a signed one. */
static gboolean
is_number (const char *text, gboolean is_signed)
{
  const char *digits = text + strspn (text, " \t\r\n");
  char *end = NULL;

  errno = 0;
  if (is_signed)
    g_ascii_strtoll (text, &end, 0);
  else
    g_ascii_strtoull (text, &end, 0);
  return errno == 0 && end != text && *end == '\0' && (is_signed || *digits != '-');
}

static gboolean
is_value_of (const QemuProperty *property)
{
  gboolean value;

  switch (property->type) {
    case OVERRIDE_SIGNED:
    case OVERRIDE_UNSIGNED:
      return is_number (property->value, property->type == OVERRIDE_SIGNED);
    case OVERRIDE_BOOL:
      return qemu_override_bool (property->value, &value);
    default:
      return TRUE;
  }
}

static const char *
expected (int type)
{
  return type == OVERRIDE_BOOL     ? "'true' or 'false'"
         : type == OVERRIDE_SIGNED ? "a whole number"
                                   : "a whole number that is not negative";
}

static void
validate_property (Validation *validation, const QemuProperty *property)
{
  if (property->name == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &property->name, property,
                           "missing 'name' attribute for qemu:property");
  else if (property->type == OVERRIDE_NONE)
    return; /* told when it was read */
  else if (property->type == OVERRIDE_REMOVE && property->value != NULL)
    validation_error_code (
        validation, VIR_ERR_XML_ERROR, &property->value, property,
        "setting 'value' attribute of 'qemu:property' doesn't make sense with 'remove' type");
  else if (property->type != OVERRIDE_REMOVE && property->value == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &property->value, property,
                           "missing 'value' attribute for 'qemu:property'");
  else if (!is_value_of (property))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &property->value, property,
                           "invalid value '%s' of 'value' attribute of 'qemu:property': expected %s",
                           property->value, expected (property->type));
}

static void
validate_override (Validation *validation, const QemuOverride *override)
{
  if (override->alias == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &override->alias, override,
                           "missing 'alias' attribute for qemu:device");
  for (guint i = 0; override->properties != NULL && i < override->properties->len; i++)
    validate_property (validation, g_ptr_array_index (override->properties, i));
}

void
validate_qemu_namespace (Validation *validation)
{
  const DomainQemuNamespace *said = &validation->def->qemu;

  for (guint i = 0; said->arguments != NULL && i < said->arguments->len; i++) {
    const QemuArgument *argument = g_ptr_array_index (said->arguments, i);

    if (argument->value == NULL)
      validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &argument->value, argument,
                             "No qemu command-line argument specified");
  }
  for (guint i = 0; said->environment != NULL && i < said->environment->len; i++)
    validate_variable (validation, g_ptr_array_index (said->environment, i));
  validate_capabilities (validation, said->added);
  validate_capabilities (validation, said->lacked);
  for (guint i = 0; said->overrides != NULL && i < said->overrides->len; i++)
    validate_override (validation, g_ptr_array_index (said->overrides, i));
}
