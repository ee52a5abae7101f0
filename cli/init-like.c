/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine's document made another's, in the text itself, so that what people wrote in it stays. Comments
 * are passed over: what is commented out is nobody's.
 */
#include "cli/init-like.h"

#include "cli/i18n.h"

#include <string.h>

typedef struct {
  const char *old, *name;
  GPtrArray *notes;
} Renaming;

/* "/srv/old.qcow2" is named after the old machine: the new one's is "/srv/new.qcow2". */
static gboolean
rename_file (const GMatchInfo *match, GString *result, gpointer data)
{
  const Renaming *renaming = data;
  g_autofree char *before = g_match_info_fetch (match, 1), *path = g_match_info_fetch (match, 2);
  g_autofree char *after = g_match_info_fetch (match, 3), *base = g_path_get_basename (path);
  g_autofree char *directory = g_path_get_dirname (path);
  gboolean is_own = g_str_has_prefix (base, renaming->old);
  g_autofree char *file =
      is_own ? g_strconcat (renaming->name, base + strlen (renaming->old), NULL) : g_strdup (base);
  g_autofree char *renamed = is_own ? g_build_filename (directory, file, NULL) : g_strdup (path);

  g_string_append_printf (result, "%s%s%s", before, renamed, after);
  if (is_own)
    g_ptr_array_add (renaming->notes, g_strdup_printf (_ ("%s: becomes %s"), path, renamed));
  else
    g_ptr_array_add (renaming->notes,
                     g_strdup_printf (_ ("%s: kept; two machines must not write to it"), path));
  return FALSE;
}

static char *
remove_parts (char *text, const char *pattern, const char *note, GPtrArray *notes)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_DOTALL, 0, NULL);
  g_autofree char *before = text;

  if (g_regex_match (regex, before, 0, NULL))
    g_ptr_array_add (notes, g_strdup (note));
  return g_regex_replace_literal (regex, before, -1, 0, "", 0, NULL);
}

/* What lies between two comments. Takes @text. */
static char *
change (char *text, Renaming *renaming)
{
  g_autoptr (GRegex) files = g_regex_new ("(<source\\s+file\\s*=\\s*['\"])([^'\"]*)(['\"])", 0, 0, NULL);
  g_autofree char *escaped = g_markup_escape_text (renaming->old, -1);
  g_autofree char *own = g_strdup_printf ("<name>%s</name>", escaped);
  char *place = strstr (text, own);

  if (place != NULL) {
    g_autofree char *new_name = g_markup_escape_text (renaming->name, -1), *whole = text;

    text = g_strdup_printf ("%.*s<name>%s</name>%s", (int)(place - whole), whole, new_name,
                            place + strlen (own));
  }
  text = remove_parts (text, "[ \t]*<uuid>[^<]*</uuid>\n?", _ ("uuid: a new one is chosen"), renaming->notes);
  text = remove_parts (text, "[ \t]*<mac\\s+address[^>]*/>\n?", _ ("MAC addresses: new ones are chosen"),
                       renaming->notes);
  text = remove_parts (text, "[ \t]*<nvram[^>]*/>\n?|[ \t]*<nvram[^>]*>[^<]*</nvram>\n?",
                       _ ("the firmware's variables: of its own"), renaming->notes);
  {
    g_autofree char *before = text;

    return g_regex_replace_eval (files, before, -1, 0, 0, rename_file, renaming, NULL);
  }
}

char *
init_like (const char *source, const char *old, const char *name, GPtrArray *notes)
{
  Renaming renaming = { old, name, notes };
  GString *result = g_string_new (NULL);

  while (*source != '\0') {
    const char *comment = strstr (source, "<!--");
    const char *end = comment != NULL ? strstr (comment, "-->") : NULL;
    gsize length = comment != NULL ? (gsize)(comment - source) : strlen (source);
    g_autofree char *changed = change (g_strndup (source, length), &renaming);

    g_string_append (result, changed);
    source += length;
    if (comment == NULL)
      break;
    end = end != NULL ? end + strlen ("-->") : comment + strlen (comment);
    g_string_append_len (result, comment, end - comment);
    source = end;
  }
  return g_string_free (result, FALSE);
}
