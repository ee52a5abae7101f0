/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configs of other programs come in as text: command lines, or lines of a key and a value. They are cut here,
 * each piece with its place, so that a way in says where a mistake is and knows nothing of quoting. A config
 * is as hostile as a document: its length and the number of its pieces are bounded, and a character that XML
 * cannot have is refused before anything is made of it.
 */
#include "targets/import-text.h"

#include <string.h>

#define PLAIN_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-./:,=+@%^"

static gboolean
is_xml_character (gunichar character)
{
  return character == '\t' || character == '\n' || character == '\r'
         || (character >= 0x20 && character <= 0xd7ff) || (character >= 0xe000 && character <= 0xfffd)
         || (character >= 0x10000 && character <= 0x10ffff);
}

gboolean
import_is_text (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  while (*text != '\0' && is_xml_character (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  return *text == '\0';
}

gboolean
import_check_text (const char *text, Diagnostics *diagnostics)
{
  Position where = { 1, 1 };

  if (strlen (text) > IMPORT_MAX_BYTES) {
    diagnostics_error (diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "the config is longer than %d bytes",
                       IMPORT_MAX_BYTES);
    return FALSE;
  }
  for (const char *next = text; *next != '\0'; next = g_utf8_next_char (next)) {
    gunichar character = g_utf8_get_char (next);

    if (!is_xml_character (character)) {
      diagnostics_error (diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED,
                         "the character U+%04X can stand in no document", character);
      return FALSE;
    }
    where.column++;
    if (character == '\n')
      where = (Position){ where.line + 1, 1 };
  }
  return TRUE;
}

/*
 * Words.
 */
typedef struct {
  const char *next;
  Position where;
  Diagnostics *diagnostics;
  GPtrArray *commands; /* of those that are complete */
  GPtrArray *command;  /* the words of this one */
  GString *word;       /* NULL: none has begun */
  Position word_where;
  guint words;
  gboolean failed;
} WordReader;

static void
word_free (gpointer data)
{
  ImportWord *word = data;

  g_free (word->text);
  g_free (word);
}

static GPtrArray *
command_new (void)
{
  return g_ptr_array_new_with_free_func (word_free);
}

static void
step (WordReader *reader)
{
  reader->where.column++;
  if (*reader->next == '\n')
    reader->where = (Position){ reader->where.line + 1, 1 };
  reader->next = g_utf8_next_char (reader->next);
}

static void
refuse (WordReader *reader, Position where, const char *what)
{
  diagnostics_error (reader->diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "%s", what);
  reader->failed = TRUE;
}

static void
begin_word (WordReader *reader)
{
  if (reader->word != NULL)
    return;
  reader->word = g_string_new (NULL);
  reader->word_where = reader->where;
}

static void
take_character (WordReader *reader)
{
  const char *end = g_utf8_next_char (reader->next);

  begin_word (reader);
  g_string_append_len (reader->word, reader->next, end - reader->next);
  step (reader);
}

static void
end_word (WordReader *reader)
{
  ImportWord *word;

  if (reader->word == NULL)
    return;
  if (++reader->words > IMPORT_MAX_WORDS)
    refuse (reader, reader->word_where, "the command line has too many words");
  word = g_new0 (ImportWord, 1);
  word->text = g_string_free (g_steal_pointer (&reader->word), FALSE);
  word->where = reader->word_where;
  g_ptr_array_add (reader->command, word);
}

static void
end_command (WordReader *reader)
{
  end_word (reader);
  if (reader->command->len == 0)
    return;
  g_ptr_array_add (reader->commands, reader->command);
  reader->command = command_new ();
}

static void
read_escape (WordReader *reader)
{
  step (reader);
  if (*reader->next == '\n')
    step (reader);
  else if (*reader->next != '\0')
    take_character (reader);
}

static void
read_quoted (WordReader *reader, char quote)
{
  Position begin = reader->where;

  begin_word (reader);
  step (reader);
  while (*reader->next != quote && *reader->next != '\0' && !reader->failed) {
    if (quote == '"' && (*reader->next == '$' || *reader->next == '`'))
      refuse (reader, reader->where, "what a shell would fill in here is not known: write the value itself");
    else if (quote == '"' && *reader->next == '\\' && reader->next[1] != '\0'
             && strchr ("\"\\$`\n", reader->next[1]) != NULL)
      read_escape (reader);
    else
      take_character (reader);
  }
  if (reader->failed)
    return;
  if (*reader->next == '\0')
    refuse (reader, begin, "the quote that begins here does not end");
  else
    step (reader);
}

static void
read_character (WordReader *reader)
{
  switch (*reader->next) {
    case ' ':
    case '\t':
    case '\r':
      end_word (reader);
      step (reader);
      return;
    case '\n':
    case ';':
      end_command (reader);
      step (reader);
      return;
    case '\'':
    case '"':
      read_quoted (reader, *reader->next);
      return;
    case '\\':
      read_escape (reader);
      return;
    case '#':
      if (reader->word != NULL)
        break;
      while (*reader->next != '\0' && *reader->next != '\n')
        step (reader);
      return;
    case '$':
    case '`':
      refuse (reader, reader->where, "what a shell would fill in here is not known: write the value itself");
      return;
    case '|':
    case '&':
    case '<':
    case '>':
    case '(':
    case ')':
      refuse (reader, reader->where, "one plain command is expected, and nothing else of a shell's");
      return;
    default:
      break;
  }
  take_character (reader);
}

GPtrArray *
import_read_commands (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (GPtrArray) commands = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref);
  WordReader reader = {
    .next = text, .where = { 1, 1 }, .diagnostics = diagnostics, .commands = commands, .command = NULL
  };

  if (!import_check_text (text, diagnostics))
    return NULL;
  reader.command = command_new ();
  while (*reader.next != '\0' && !reader.failed)
    read_character (&reader);
  if (!reader.failed)
    end_command (&reader);
  g_ptr_array_unref (reader.command);
  if (reader.word != NULL)
    g_string_free (reader.word, TRUE);
  return reader.failed ? NULL : g_steal_pointer (&commands);
}

void
import_append_quoted (GString *line, const char *word)
{
  if (*word != '\0' && word[strspn (word, PLAIN_CHARACTERS)] == '\0') {
    g_string_append (line, word);
    return;
  }
  g_string_append_c (line, '\'');
  for (const char *next = word; *next != '\0'; next++)
    if (*next == '\'')
      g_string_append (line, "'\\''");
    else
      g_string_append_c (line, *next);
  g_string_append_c (line, '\'');
}

/*
 * Lines.
 */
static void
line_free (gpointer data)
{
  ImportLine *line = data;

  g_free (line->key);
  g_free (line->value);
  g_free (line);
}

static const char *
skip_blanks (const char *text)
{
  return text + strspn (text, " \t\r");
}

static guint
column_of (const char *line, const char *place)
{
  return (guint)g_utf8_strlen (line, place - line) + 1;
}

static ImportLine *
line_new (const char *whole, guint number, const char *key, gsize key_length, const char *value)
{
  ImportLine *line = g_new0 (ImportLine, 1);

  value = skip_blanks (value);
  line->key = g_strchomp (g_strndup (key, key_length));
  line->value = g_strchomp (g_strdup (value));
  line->where = (Position){ number, column_of (whole, key) };
  line->value_where = (Position){ number, column_of (whole, value) };
  return line;
}

static void
read_line (GPtrArray *lines, const char *whole, guint number, char separator, Diagnostics *diagnostics)
{
  const char *key = skip_blanks (whole), *end = strchr (key, separator);

  if (*key == '\0' || *key == '#')
    return;
  if (*key == '[') {
    ImportLine *line = line_new (whole, number, key, 1, key + 1);

    line->value[strcspn (line->value, "]")] = '\0';
    g_ptr_array_add (lines, line);
  } else if (end == NULL || end == key)
    diagnostics_error (diagnostics, (Position){ number, column_of (whole, key) }, VIR_ERR_CONFIG_UNSUPPORTED,
                       "expected a line 'KEY%s%c VALUE'", separator == '=' ? " " : "", separator);
  else
    g_ptr_array_add (lines, line_new (whole, number, key, (gsize)(end - key), end + 1));
}

GPtrArray *
import_read_lines (const char *text, char separator, Diagnostics *diagnostics)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (line_free);
  guint number = 0;

  if (!import_check_text (text, diagnostics))
    return NULL;
  while (*text != '\0') {
    gsize length = strcspn (text, "\n");
    g_autofree char *whole = g_strndup (text, length);

    if (++number > IMPORT_MAX_LINES) {
      diagnostics_error (diagnostics, (Position){ number, 1 }, VIR_ERR_CONFIG_UNSUPPORTED,
                         "the config has more than %d lines", IMPORT_MAX_LINES);
      return NULL;
    }
    read_line (lines, whole, number, separator, diagnostics);
    text += length;
    text += *text == '\n';
  }
  return g_steal_pointer (&lines);
}

/*
 * Elements.
 */
XmlElement *
import_add (XmlElement *parent, const char *name, ...)
{
  XmlElement *element = xml_element_add (parent, name);
  const char *attribute;
  va_list arguments;

  va_start (arguments, name);
  while ((attribute = va_arg (arguments, const char *)) != NULL) {
    const char *value = va_arg (arguments, const char *);

    if (value != NULL)
      xml_element_set (element, attribute, value);
  }
  va_end (arguments);
  return element;
}

void
import_add_text (XmlElement *parent, const char *name, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  xml_element_set_text (xml_element_add (parent, name), text);
}

void
import_set_text (char **member, const char *text)
{
  g_free (*member);
  *member = g_strdup (text);
}
