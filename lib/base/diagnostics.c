/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The mistakes of one document, kept in the order of their places whatever the order they were found in:
 * reading, the schema and the checks of the whole definition each find theirs at another time, and a
 * person works through a file from top to bottom.
 */
#include "base/diagnostics.h"

#include <stdarg.h>
#include <string.h>

#define MESSAGE_MAX 4096 /* bytes; what is longer quotes something that nobody will read to its end */

struct Diagnostics {
  char *file_name;
  GPtrArray *kept;      /* Diagnostic, by place */
  guint dropped;        /* beyond DIAGNOSTICS_MAX */
  guint dropped_errors; /* how many of those were errors */
  guint errors_told;
  Diagnostic *last; /* the one that was added last; NULL: it was not kept */
};

static void
diagnostic_free (gpointer data)
{
  Diagnostic *diagnostic = data;

  g_free (diagnostic->message);
  g_strfreev (diagnostic->accepted);
  g_free (diagnostic->nearest);
  g_free (diagnostic);
}

Diagnostics *
diagnostics_new (const char *file_name)
{
  Diagnostics *diagnostics = g_new0 (Diagnostics, 1);

  diagnostics->file_name = g_strdup (file_name != NULL ? file_name : "(document)");
  diagnostics->kept = g_ptr_array_new_with_free_func (diagnostic_free);
  return diagnostics;
}

void
diagnostics_free (Diagnostics *diagnostics)
{
  if (diagnostics == NULL)
    return;
  g_free (diagnostics->file_name);
  g_ptr_array_unref (diagnostics->kept);
  g_free (diagnostics);
}

int
position_compare (Position a, Position b)
{
  if (a.line != b.line)
    return a.line < b.line ? -1 : 1;
  if (a.column != b.column)
    return a.column < b.column ? -1 : 1;
  return 0;
}

/* Where a mistake at @where belongs: behind all that stand before it or at the same place. */
static guint
place_for (const Diagnostics *diagnostics, Position where)
{
  guint index = diagnostics->kept->len;

  while (index > 0 && position_compare (diagnostics_get (diagnostics, index - 1)->where, where) > 0)
    index--;
  return index;
}

static gboolean
is_kept (const Diagnostics *diagnostics, guint behind, Position where, const char *message)
{
  for (guint i = behind; i > 0; i--) {
    const Diagnostic *other = diagnostics_get (diagnostics, i - 1);

    if (position_compare (other->where, where) != 0)
      return FALSE;
    if (g_str_equal (other->message, message))
      return TRUE;
  }
  return FALSE;
}

/* Messages quote the document: whatever that holds, a message stays one line of readable length. */
static char *printable_message (const char *format, va_list arguments) G_GNUC_PRINTF (1, 0);

static char *
printable_message (const char *format, va_list arguments)
{
  g_autofree char *raw = g_strdup_vprintf (format, arguments);
  g_autofree char *cut = NULL;
  char *message;

  if (strlen (raw) > MESSAGE_MAX)
    cut = g_strdup_printf ("%.*s...", MESSAGE_MAX, raw);
  message = g_utf8_make_valid (cut != NULL ? cut : raw, -1);
  for (char *at = message; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return message;
}

#define ORIGIN_BY_CODE -1

static void
diagnostics_add (Diagnostics *diagnostics, DiagnosticSeverity severity, Position where, int origin,
                 virErrorNumber code, const char *format, va_list arguments) G_GNUC_PRINTF (6, 0);

static void
diagnostics_add (Diagnostics *diagnostics, DiagnosticSeverity severity, Position where, int origin,
                 virErrorNumber code, const char *format, va_list arguments)
{
  g_autofree char *message = printable_message (format, arguments);
  guint index = place_for (diagnostics, where);
  Diagnostic *diagnostic;

  diagnostics->errors_told += severity == DIAGNOSTIC_ERROR;
  diagnostics->last = NULL;
  if (is_kept (diagnostics, index, where, message))
    return;
  if (diagnostics->kept->len >= DIAGNOSTICS_MAX) {
    diagnostics->dropped++;
    diagnostics->dropped_errors += severity == DIAGNOSTIC_ERROR;
    return;
  }

  diagnostic = g_new0 (Diagnostic, 1);
  diagnostic->severity = severity;
  diagnostic->where = where;
  diagnostic->origin = origin;
  diagnostic->code = code;
  diagnostic->message = g_steal_pointer (&message);
  g_ptr_array_insert (diagnostics->kept, (int)index, diagnostic);
  diagnostics->last = diagnostic;
}

void
diagnostics_offer (Diagnostics *diagnostics, const char *const *accepted, const char *nearest)
{
  Diagnostic *diagnostic = diagnostics->last;

  if (diagnostic == NULL)
    return;
  g_strfreev (diagnostic->accepted);
  g_free (diagnostic->nearest);
  diagnostic->accepted = g_strdupv ((char **)accepted);
  diagnostic->nearest = g_strdup (nearest);
}

void
diagnostics_error (Diagnostics *diagnostics, Position where, virErrorNumber code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  diagnostics_add (diagnostics, DIAGNOSTIC_ERROR, where, ORIGIN_BY_CODE, code, format, arguments);
  va_end (arguments);
}

void
diagnostics_error_from (Diagnostics *diagnostics, Position where, virErrorDomain origin, virErrorNumber code,
                        const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  diagnostics_add (diagnostics, DIAGNOSTIC_ERROR, where, (int)origin, code, format, arguments);
  va_end (arguments);
}

void
diagnostics_warning (Diagnostics *diagnostics, Position where, virErrorNumber code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  diagnostics_add (diagnostics, DIAGNOSTIC_WARNING, where, ORIGIN_BY_CODE, code, format, arguments);
  va_end (arguments);
}

guint
diagnostics_count (const Diagnostics *diagnostics)
{
  return diagnostics->kept->len;
}

const Diagnostic *
diagnostics_get (const Diagnostics *diagnostics, guint index)
{
  return g_ptr_array_index (diagnostics->kept, index);
}

const char *
diagnostics_file_name (const Diagnostics *diagnostics)
{
  return diagnostics->file_name;
}

gboolean
diagnostics_has_errors (const Diagnostics *diagnostics)
{
  for (guint i = 0; i < diagnostics->kept->len; i++)
    if (diagnostics_get (diagnostics, i)->severity == DIAGNOSTIC_ERROR)
      return TRUE;
  return diagnostics->dropped_errors > 0;
}

guint
diagnostics_errors_reported (const Diagnostics *diagnostics)
{
  return diagnostics->errors_told;
}

gboolean
diagnostics_has_error_at (const Diagnostics *diagnostics, Position where)
{
  for (guint i = 0; i < diagnostics->kept->len; i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    if (diagnostic->severity == DIAGNOSTIC_ERROR && position_compare (diagnostic->where, where) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
add_again (Diagnostics *diagnostics, const Diagnostic *mistake, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
add_again (Diagnostics *diagnostics, const Diagnostic *mistake, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  diagnostics_add (diagnostics, mistake->severity, mistake->where, mistake->origin, mistake->code, format,
                   arguments);
  va_end (arguments);
}

void
diagnostics_add_further (Diagnostics *diagnostics, const Diagnostics *further)
{
  g_autoptr (GPtrArray) wanted = g_ptr_array_new ();

  for (guint i = 0; i < further->kept->len; i++) {
    const Diagnostic *mistake = diagnostics_get (further, i);

    if (mistake->severity == DIAGNOSTIC_WARNING || !diagnostics_has_error_at (diagnostics, mistake->where))
      g_ptr_array_add (wanted, (gpointer)mistake);
  }
  for (guint i = 0; i < wanted->len; i++) {
    const Diagnostic *mistake = g_ptr_array_index (wanted, i);

    add_again (diagnostics, mistake, "%s", mistake->message);
    diagnostics_offer (diagnostics, (const char *const *)mistake->accepted, mistake->nearest);
  }
}

void
diagnostics_mark_vague (Diagnostics *diagnostics)
{
  if (diagnostics->last != NULL)
    diagnostics->last->vague = TRUE;
}

/* What is told of @where and vague; NULL: nothing. In @ret_on_line: is anything told of its line? */
static Diagnostic *
find_vague (const Diagnostics *diagnostics, Position where, gboolean *ret_on_line)
{
  Diagnostic *found = NULL;

  *ret_on_line = FALSE;
  for (guint i = 0; i < diagnostics->kept->len; i++) {
    Diagnostic *told = g_ptr_array_index (diagnostics->kept, i);

    if (told->severity != DIAGNOSTIC_ERROR || told->where.line != where.line)
      continue;
    *ret_on_line = TRUE;
    if (told->vague && told->where.column == where.column)
      found = told;
  }
  return found;
}

void
diagnostics_explain (Diagnostics *diagnostics, const Diagnostics *refusals)
{
  for (guint i = 0; i < refusals->kept->len; i++) {
    const Diagnostic *refusal = diagnostics_get (refusals, i);
    gboolean on_line;
    Diagnostic *vague = find_vague (diagnostics, refusal->where, &on_line);

    if (refusal->severity != DIAGNOSTIC_ERROR)
      continue;
    if (vague != NULL) {
      g_free (vague->message);
      vague->message = g_strdup (refusal->message);
      vague->vague = FALSE;
      diagnostics->last = vague;
    } else if (!on_line) {
      add_again (diagnostics, refusal, "%s", refusal->message);
    } else {
      continue;
    }
    diagnostics_offer (diagnostics, (const char *const *)refusal->accepted, refusal->nearest);
  }
}

/* "FILE:LINE:COL: ", or without the numbers where the place is not known. */
static void
append_place (GString *text, const Diagnostics *diagnostics, Position where)
{
  g_string_append (text, diagnostics->file_name);
  if (where.line > 0)
    g_string_append_printf (text, ":%u:%u", where.line, MAX (where.column, 1));
  g_string_append (text, ": ");
}

/* A long line is shown from somewhat before the place. */
#define SHOWN_WIDTH  100 /* characters */
#define SHOWN_BEFORE 60  /* of them before the place, at most */

/* The line that begins at @line, and a caret below its @column-th character. Both lines have the same tabs,
 * so that the caret stands where it should however wide they are shown. */
static void
append_marked_line (GString *text, const char *line, guint column)
{
  glong length = g_utf8_strlen (line, (gssize)strcspn (line, "\r\n"));
  glong place = MIN ((glong)MAX (column, 1) - 1, length);
  glong start = place > SHOWN_BEFORE ? place - SHOWN_BEFORE : 0;
  const char *from = g_utf8_offset_to_pointer (line, start);
  const char *mark = g_utf8_offset_to_pointer (line, place);
  const char *to = g_utf8_offset_to_pointer (line, MIN (length, start + SHOWN_WIDTH));

  g_string_append (text, "  ");
  for (const char *at = from; at < to; at = g_utf8_next_char (at)) {
    gunichar character = g_utf8_get_char (at);

    /* What a terminal would act on is not shown to it. */
    g_string_append_unichar (text, character == '\t' || g_unichar_isprint (character) ? character : '?');
  }
  g_string_append (text, "\n  ");
  for (const char *at = from; at < mark; at = g_utf8_next_char (at))
    g_string_append_c (text, *at == '\t' ? '\t' : ' ');
  g_string_append (text, "^\n");
}

/* The beginning of each line of @source, from number 1 on. */
static GPtrArray *
line_starts (const char *source)
{
  GPtrArray *lines = g_ptr_array_new ();

  g_ptr_array_add (lines, NULL);
  for (const char *line = source; line != NULL;) {
    g_ptr_array_add (lines, (gpointer)line);
    line = strchr (line, '\n');
    line = line != NULL ? line + 1 : NULL;
  }
  return lines;
}

char *
diagnostics_to_marked_text (const Diagnostics *diagnostics, const char *source)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GPtrArray) lines =
      source != NULL && g_utf8_validate (source, -1, NULL) ? line_starts (source) : g_ptr_array_new ();

  for (guint i = 0; i < diagnostics->kept->len; i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    append_place (text, diagnostics, diagnostic->where);
    g_string_append_printf (text, "%s: %s\n", diagnostic->severity == DIAGNOSTIC_ERROR ? "error" : "warning",
                            diagnostic->message);
    if (diagnostic->where.line > 0 && diagnostic->where.line < lines->len)
      append_marked_line (text, g_ptr_array_index (lines, diagnostic->where.line), diagnostic->where.column);
  }
  if (diagnostics->dropped > 0)
    g_string_append_printf (text, "%s: %s: %u more mistakes are not shown\n", diagnostics->file_name,
                            diagnostics->dropped_errors > 0 ? "error" : "warning", diagnostics->dropped);
  return g_string_free (text, FALSE);
}

char *
diagnostics_to_text (const Diagnostics *diagnostics)
{
  return diagnostics_to_marked_text (diagnostics, NULL);
}

guint
diagnostics_dropped (const Diagnostics *diagnostics)
{
  return diagnostics->dropped;
}

gboolean
diagnostics_check (const Diagnostics *diagnostics, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  virErrorNumber code = VIR_ERR_XML_ERROR;
  int origin = ORIGIN_BY_CODE;
  guint errors = 0;

  if (!diagnostics_has_errors (diagnostics))
    return TRUE;

  for (guint i = 0; i < diagnostics->kept->len; i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    if (diagnostic->severity != DIAGNOSTIC_ERROR)
      continue;
    if (errors++ == 0) {
      code = diagnostic->code;
      origin = diagnostic->origin;
    } else {
      g_string_append_c (text, '\n');
    }
    if (diagnostic->where.line > 0)
      append_place (text, diagnostics, diagnostic->where);
    g_string_append (text, diagnostic->message);
  }
  if (diagnostics->dropped_errors > 0)
    g_string_append_printf (text, "%s%u more mistakes are not shown", errors > 0 ? "\n" : "",
                            diagnostics->dropped_errors);

  if (origin == ORIGIN_BY_CODE)
    virt_error_set (error, code, "%s", text->str);
  else
    virt_error_set_from (error, (virErrorDomain)origin, code, "%s", text->str);
  return FALSE;
}
