/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The encoding of a document: by its byte order mark, else by its XML declaration, else UTF-8. Only a few
 * encodings are read, those that documents really come in: the C library knows hundreds, and some of its
 * converters have hung or worse on bytes made for it.
 */
#include "base/xml-encoding.h"

#include <string.h>

#define DECLARATION_MAX 256 /* an XML declaration with an encoding is within that many bytes */

#define UTF8_MARK     "\xef\xbb\xbf"
#define UTF16_LE_MARK "\xff\xfe"
#define UTF16_BE_MARK "\xfe\xff"

static gboolean
has_mark (const char *text, gsize length, const char *mark)
{
  return length >= strlen (mark) && memcmp (text, mark, strlen (mark)) == 0;
}

/* The encoding named in <?xml ... encoding="NAME"?>, or NULL. (transfer full) */
static char *
declared_encoding (const char *text, gsize length)
{
  g_autofree char *start = g_strndup (text, MIN (length, DECLARATION_MAX));
  char *end, *name;
  char quote;

  if (!g_str_has_prefix (start, "<?xml") || (end = strstr (start, "?>")) == NULL)
    return NULL;
  *end = '\0';
  name = strstr (start, "encoding");
  if (name == NULL)
    return NULL;
  name += strlen ("encoding");
  name += strspn (name, " \t\r\n=");
  quote = *name;
  if (quote != '"' && quote != '\'')
    return NULL;
  end = strchr (name + 1, quote);
  return end != NULL ? g_strndup (name + 1, (gsize)(end - name - 1)) : NULL;
}

static gboolean
is_utf8 (const char *encoding)
{
  return g_ascii_strcasecmp (encoding, "UTF-8") == 0 || g_ascii_strcasecmp (encoding, "UTF8") == 0
         || g_ascii_strcasecmp (encoding, "US-ASCII") == 0 || g_ascii_strcasecmp (encoding, "ASCII") == 0;
}

/* ISO-8859-1 ... ISO-8859-16, windows-1250 ... windows-1258 */
static gboolean
is_single_byte (const char *encoding)
{
  static const char *const families[] = { "ISO-8859-", "windows-125" };

  for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
    gsize length = strlen (families[i]);

    if (g_ascii_strncasecmp (encoding, families[i], length) == 0 && strlen (encoding) <= length + 2
        && strspn (encoding + length, "0123456789") == strlen (encoding + length))
      return TRUE;
  }
  return FALSE;
}

static char *
convert (const char *text, gsize length, const char *encoding, gsize *ret_length, Diagnostics *diagnostics)
{
  g_autoptr (GError) error = NULL;
  char *converted = g_convert (text, (gssize)length, "UTF-8", encoding, NULL, ret_length, &error);

  if (converted == NULL)
    diagnostics_error (diagnostics, (Position){ 1, 1 }, VIR_ERR_XML_DETAIL,
                       "the document is not in its encoding %s: %s", encoding, error->message);
  return converted;
}

char *
xml_to_utf8 (const char *text, gsize length, gsize *ret_length, Diagnostics *diagnostics)
{
  g_autofree char *encoding = NULL;

  if (has_mark (text, length, UTF16_LE_MARK))
    return convert (text + 2, length - 2, "UTF-16LE", ret_length, diagnostics);
  if (has_mark (text, length, UTF16_BE_MARK))
    return convert (text + 2, length - 2, "UTF-16BE", ret_length, diagnostics);
  if (has_mark (text, length, UTF8_MARK)) {
    text += strlen (UTF8_MARK);
    length -= strlen (UTF8_MARK);
  } else {
    encoding = declared_encoding (text, length);
  }

  if (encoding == NULL || is_utf8 (encoding)) {
    char *copy = g_malloc (length + 1);

    memcpy (copy, text, length);
    copy[length] = '\0';
    *ret_length = length;
    return copy;
  }
  if (is_single_byte (encoding))
    return convert (text, length, encoding, ret_length, diagnostics);

  diagnostics_error (
      diagnostics, (Position){ 1, 1 }, VIR_ERR_XML_DETAIL,
      "the encoding '%s' is not read; save the document as UTF-8 (also read: UTF-16 with a byte "
      "order mark, ISO-8859-1 to -16, windows-1250 to -1258)",
      encoding);
  return NULL;
}
