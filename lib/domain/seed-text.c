/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The texts are YAML, and what is put into them is anybody's: so every value is a double-quoted scalar, in
 * which all that could end it or its line is escaped, and the lines are ours alone.
 */
#include "domain/seed-text.h"

/* In a double-quoted scalar these end a line, or are not printed: YAML 1.1 breaks lines at U+0085, U+2028 and
 * U+2029 as well. */
static gboolean
is_escaped (gunichar letter)
{
  return letter < 0x20 || (letter >= 0x7f && letter <= 0x9f) || letter == 0x2028 || letter == 0x2029
         || letter == 0xfeff;
}

/* @text: UTF-8, as all of a document is. */
static void
add_quoted (GString *yaml, const char *text)
{
  g_string_append_c (yaml, '"');
  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar letter = g_utf8_get_char (text);

    if (letter == '"' || letter == '\\')
      g_string_append_printf (yaml, "\\%c", (char)letter);
    else if (is_escaped (letter))
      g_string_append_printf (yaml, "\\u%04x", letter);
    else
      g_string_append_unichar (yaml, letter);
  }
  g_string_append_c (yaml, '"');
}

static void
add_value (GString *yaml, const char *key, const char *value)
{
  g_string_append_printf (yaml, "%s: ", key);
  add_quoted (yaml, value);
  g_string_append_c (yaml, '\n');
}

static void
add_keys (GString *yaml, const PolicySeed *seed, const char *indent)
{
  if (seed->ssh_keys == NULL)
    return;
  g_string_append_printf (yaml, "%sssh_authorized_keys:\n", indent);
  for (guint i = 0; i < seed->ssh_keys->len; i++) {
    g_string_append_printf (yaml, "%s  - ", indent);
    add_quoted (yaml, g_ptr_array_index (seed->ssh_keys, i));
    g_string_append_c (yaml, '\n');
  }
}

char *
seed_user_data (const PolicySeed *seed)
{
  GString *yaml = g_string_new ("#cloud-config\n");

  if (seed->user == NULL) {
    add_keys (yaml, seed, "");
    return g_string_free (yaml, FALSE);
  }
  g_string_append (yaml, "users:\n");
  add_value (yaml, "  - name", seed->user);
  /* It has no password, so it could do nothing without. */
  g_string_append (yaml, "    lock_passwd: true\n"
                         "    sudo: \"ALL=(ALL) NOPASSWD:ALL\"\n"
                         "    shell: \"/bin/bash\"\n");
  add_keys (yaml, seed, "    ");
  return g_string_free (yaml, FALSE);
}

char *
seed_meta_data (const PolicySeed *seed, const char *name, const char *uuid)
{
  GString *yaml = g_string_new (NULL);

  add_value (yaml, "instance-id", uuid);
  add_value (yaml, "local-hostname", seed->host_name != NULL ? seed->host_name : name);
  return g_string_free (yaml, FALSE);
}
