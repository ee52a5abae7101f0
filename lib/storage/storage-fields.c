/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Types of values that only the documents of storage have: sizes counted in bytes, where those of machines
 * are counted in KiB, and permissions, written in octal.
 */
#include "storage/storage-fields.h"

#include <string.h>

#define MODE_MAX 07777

static void
bytes_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  g_autofree char *text = xml_node_text (element);
  g_autofree char *unit = xml_node_attribute (element, "unit");
  Position where = xml_document_node_position (reader->document, element);
  const char *name = (const char *)element->name;
  guint64 value, unit_bytes;

  if (!size_unit (unit, 1, &unit_bytes))
    diagnostics_error (
        reader->diagnostics, where, VIR_ERR_INVALID_ARG,
        "unknown suffix '%s' as unit of <%s>: expected bytes, KiB, MiB, GiB, TiB, KB, MB, GB or TB", unit,
        name);
  else if (!parse_uint (text, G_MAXUINT64, &value))
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "malformed %s element '%s': expected a whole number, with the unit in an attribute",
                       name, text);
  else if (value > G_MAXINT64 / unit_bytes)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_OVERFLOW, "value '%s' of <%s> is too large", text,
                       name);
  else
    *(Number *)member = NUMBER (value * unit_bytes);
}

static gboolean
bytes_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return ((const Number *)member)->set;
}

static void
bytes_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
             guint flags G_GNUC_UNUSED)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, ((const Number *)member)->value);
  XmlElement *element = xml_element_ensure (parent, name);

  /* libvirt's one exception. */
  xml_element_set (element, "unit", g_str_equal (name, "clusterSize") ? "B" : "bytes");
  xml_element_set_text (element, text);
}

static char *
bytes_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  const Number *one = a, *other = b;

  if (!one->set == !other->set && one->value == other->value)
    return NULL;
  return g_strdup_printf ("%s: %" G_GUINT64_FORMAT " bytes and %" G_GUINT64_FORMAT " bytes", field->path,
                          one->value, other->value);
}

const FieldType field_bytes = {
  .size = sizeof (Number),
  .read = bytes_read,
  .write = bytes_write,
  .is_set = bytes_is_set,
  .compare = bytes_compare,
  .only_attribute = "unit",
};

static gboolean
mode_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  guint64 mode = 0;
  gsize digits = strspn (text, "01234567");

  for (gsize i = 0; i < digits && mode <= MODE_MAX; i++)
    mode = mode * 8 + (guint64)(text[i] - '0');
  if (digits == 0 || text[digits] != '\0' || mode > MODE_MAX) {
    *ret_accepted = g_strdup ("accepted: permission bits in octal, at most 07777");
    return FALSE;
  }
  *(Number *)member = NUMBER (mode);
  return TRUE;
}

static char *
mode_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *mode = member;

  return mode->set ? g_strdup_printf ("0%03" G_GINT64_MODIFIER "o", mode->value) : NULL;
}

const FieldType field_mode = { .size = sizeof (Number), .parse = mode_parse, .format = mode_format };

static const Field permissions_fields[] = {
  FIELD (StoragePermissions, mode, "mode", field_mode, NULL),
  FIELD (StoragePermissions, owner, "owner", field_signed, NULL),
  FIELD (StoragePermissions, group, "group", field_signed, NULL),
  FIELD (StoragePermissions, label, "label", field_text, NULL),
  FIELD_END,
};

const FieldTable storage_permissions_table = { sizeof (StoragePermissions), permissions_fields };

const char *
storage_name_mistake (const char *name)
{
  if (name[0] == '\0')
    return "is empty";
  if (strchr (name, '/') != NULL)
    return "cannot contain '/'";
  if (strchr (name, '\n') != NULL)
    return "cannot contain a line's end";
  if (g_str_equal (name, ".") || g_str_equal (name, ".."))
    return "is no name of a file but of a directory";
  if (strlen (name) > STORAGE_NAME_MAX)
    return "is longer than 255 bytes";
  return NULL;
}
