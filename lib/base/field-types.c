/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The scalar types of fields: how one value stands as text. Each is a parse that says what it would have
 * accepted, and a format that gives libvirt's spelling; anything that is more than a text is in
 * field-elements.c.
 */

#include "base/field.h"

#include <string.h>

/* Text. */

static gboolean
text_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text,
            char **ret_accepted G_GNUC_UNUSED)
{
  char **value = member;

  g_free (*value);
  *value = g_strdup (text);
  return TRUE;
}

static char *
text_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return g_strdup (*(char *const *)member);
}

static void
text_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  g_clear_pointer ((char **)member, g_free);
}

static void
text_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  *(char **)member = g_strdup (*(char *const *)from);
}

const FieldType field_text = {
  .size = sizeof (char *),
  .may_be_empty = TRUE,
  .parse = text_parse,
  .format = text_format,
  .clear = text_clear,
  .copy = text_copy,
};

/* Words. */

static void
say_accepted (const EnumTable *table, const char *nearest, char **ret_accepted)
{
  g_autofree char *choices = enum_table_choices (table);

  *ret_accepted = nearest != NULL ? g_strdup_printf ("did you mean '%s'? accepted: %s", nearest, choices)
                                  : g_strdup_printf ("accepted: %s", choices);
}

static gboolean
word_parse (const EnumTable *table, gpointer member, const char *text, char **ret_accepted)
{
  int value = enum_table_value (table, text);

  if (value == 0) {
    say_accepted (table, enum_table_nearest (table, text), ret_accepted);
    return FALSE;
  }
  *(int *)member = value;
  return TRUE;
}

/* A switch is asked for in many ways, of which each place takes one. */
static gboolean
switch_parse (const EnumTable *table, gpointer member, const char *text, char **ret_accepted)
{
  static const char *const on_words[] = { "yes", "on", "true", "1", "enabled", "enable", NULL };
  static const char *const off_words[] = { "no", "off", "false", "0", "disabled", "disable", NULL };
  g_autofree char *word = g_ascii_strdown (text, -1);
  int value = enum_table_value (table, text);

  if (value != 0)
    *(int *)member = value;
  else if (g_strv_contains (on_words, word))
    say_accepted (table, enum_table_name (table, TRISTATE_YES), ret_accepted);
  else if (g_strv_contains (off_words, word))
    say_accepted (table, enum_table_name (table, TRISTATE_NO), ret_accepted);
  else
    say_accepted (table, enum_table_nearest (table, text), ret_accepted);
  return value != 0;
}

static gboolean
enum_parse (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  return word_parse (field->detail, member, text, ret_accepted);
}

static char *
enum_format (const Field *field, gconstpointer member)
{
  return g_strdup (enum_table_name (field->detail, *(const int *)member));
}

const FieldType field_enum = { .size = sizeof (int), .parse = enum_parse, .format = enum_format };

static gboolean
yes_no_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  return switch_parse (&yes_no_table, member, text, ret_accepted);
}

static char *
yes_no_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return g_strdup (enum_table_name (&yes_no_table, *(const int *)member));
}

const FieldType field_yes_no = { .size = sizeof (int), .parse = yes_no_parse, .format = yes_no_format };

static gboolean
on_off_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  return switch_parse (&on_off_table, member, text, ret_accepted);
}

static char *
on_off_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return g_strdup (enum_table_name (&on_off_table, *(const int *)member));
}

const FieldType field_on_off = { .size = sizeof (int), .parse = on_off_parse, .format = on_off_format };

/* Numbers. */

static FieldRange
range_of (const Field *field)
{
  return field->detail != NULL ? *(const FieldRange *)field->detail : (FieldRange){ 0, G_MAXUINT64 };
}

static gboolean
number_read (const Field *field, gpointer member, const char *text, gboolean any_base, char **ret_accepted)
{
  FieldRange range = range_of (field);
  guint64 value;
  gboolean is_number =
      any_base ? parse_uint_any_base (text, range.maximum, &value) : parse_uint (text, range.maximum, &value);

  if (!is_number || value < range.minimum) {
    if (field->detail == NULL)
      *ret_accepted = g_strdup ("expected a whole number");
    else if (any_base)
      *ret_accepted =
          g_strdup_printf ("expected a number from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER "x",
                           range.minimum, range.maximum);
    else
      *ret_accepted =
          g_strdup_printf ("expected a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                           range.minimum, range.maximum);
    return FALSE;
  }
  *(Number *)member = NUMBER (value);
  return TRUE;
}

static gboolean
number_parse (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  return number_read (field, member, text, FALSE, ret_accepted);
}

static gboolean
number_parse_any_base (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  return number_read (field, member, text, TRUE, ret_accepted);
}

static char *
number_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *number = member;

  return number->set ? g_strdup_printf ("%" G_GUINT64_FORMAT, number->value) : NULL;
}

static char *
hex_format (const Number *number, int digits)
{
  return number->set ? g_strdup_printf ("0x%0*" G_GINT64_MODIFIER "x", digits, number->value) : NULL;
}

static char *
hex1_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return hex_format (member, 1);
}

static char *
hex2_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return hex_format (member, 2);
}

static char *
hex4_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return hex_format (member, 4);
}

const FieldType field_number = {
  .size = sizeof (Number), .parse = number_parse, .format = number_format, .is_number = TRUE
};
const FieldType field_hex1 = {
  .size = sizeof (Number), .parse = number_parse_any_base, .format = hex1_format, .is_number = TRUE
};
const FieldType field_hex2 = {
  .size = sizeof (Number), .parse = number_parse_any_base, .format = hex2_format, .is_number = TRUE
};
const FieldType field_hex4 = {
  .size = sizeof (Number), .parse = number_parse_any_base, .format = hex4_format, .is_number = TRUE
};

static gboolean
octal_parse (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  FieldRange range = range_of (field);
  guint64 value;

  if (!g_ascii_isdigit (*text)
      || !g_ascii_string_to_unsigned (text, 8, range.minimum, range.maximum, &value, NULL)) {
    *ret_accepted =
        g_strdup_printf ("expected octal digits, at most 0%03" G_GINT64_MODIFIER "o", range.maximum);
    return FALSE;
  }
  *(Number *)member = NUMBER (value);
  return TRUE;
}

static char *
octal_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *number = member;

  return number->set ? g_strdup_printf ("0%03" G_GINT64_MODIFIER "o", number->value) : NULL;
}

const FieldType field_octal = {
  .size = sizeof (Number), .parse = octal_parse, .format = octal_format, .is_number = TRUE
};

static gboolean
signed_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  SignedNumber *number = member;
  guint64 magnitude;
  gboolean negative = text[0] == '-';

  if (!parse_uint (negative ? text + 1 : text, G_MAXINT64, &magnitude)) {
    *ret_accepted = g_strdup ("expected a whole number, which may be negative");
    return FALSE;
  }
  *number = (SignedNumber){ TRUE, negative ? -(gint64)magnitude : (gint64)magnitude };
  return TRUE;
}

static char *
signed_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const SignedNumber *number = member;

  return number->set ? g_strdup_printf ("%" G_GINT64_FORMAT, number->value) : NULL;
}

const FieldType field_signed = {
  .size = sizeof (SignedNumber), .parse = signed_parse, .format = signed_format, .is_number = TRUE
};

/* Texts with one right spelling. */

static gboolean
take_text (gpointer member, const char *text)
{
  return text_parse (NULL, member, text, NULL);
}

static gboolean
uuid_field_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  guint8 uuid[UUID_BYTES];
  char spelling[UUID_TEXT];

  if (!uuid_parse (text, uuid)) {
    *ret_accepted = g_strdup ("expected a UUID: 32 hexadecimal digits, with dashes as 8-4-4-4-12 or without");
    return FALSE;
  }
  uuid_format (uuid, spelling);
  return take_text (member, spelling);
}

const FieldType field_uuid = {
  .size = sizeof (char *),
  .strips_space = TRUE,
  .parse = uuid_field_parse,
  .format = text_format,
  .clear = text_clear,
  .copy = text_copy,
};

static gboolean
mac_field_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  guint8 mac[MAC_BYTES];
  char spelling[MAC_TEXT];

  if (!mac_parse (text, mac)) {
    *ret_accepted = g_strdup ("expected six octets in hexadecimal, such as 52:54:00:12:34:56");
    return FALSE;
  }
  mac_format (mac, spelling);
  return take_text (member, spelling);
}

const FieldType field_mac = {
  .size = sizeof (char *),
  .strips_space = TRUE,
  .parse = mac_field_parse,
  .format = text_format,
  .clear = text_clear,
  .copy = text_copy,
};

static gboolean
cpu_set_field_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text, char **ret_accepted)
{
  const char *mistake = NULL;
  g_autoptr (CpuSet) set = cpu_set_parse (text, &mistake);

  if (set == NULL) {
    *ret_accepted = g_strdup_printf ("%s; expected CPU numbers such as 0-3,^2,8", mistake);
    return FALSE;
  }
  g_autofree char *spelling = cpu_set_to_string (set);
  return take_text (member, spelling);
}

const FieldType field_cpu_set = {
  .size = sizeof (char *),
  .strips_space = TRUE,
  .parse = cpu_set_field_parse,
  .format = text_format,
  .clear = text_clear,
  .copy = text_copy,
};
