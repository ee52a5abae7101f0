/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Counting: this file itself is compiled without it. */
#include "steps.h"

#include <string.h>

guint64 steps;

void __sanitizer_cov_trace_pc (void);

void
__sanitizer_cov_trace_pc (void)
{
  steps++;
}

#define WRAP(type, name, parameters, ...) \
  type __real_##name parameters;          \
  type __wrap_##name parameters;          \
  type __wrap_##name parameters           \
  {                                       \
    __VA_ARGS__                           \
  }

WRAP (size_t, strlen, (const char *text), size_t length = __real_strlen (text); steps += length;
      return length;)
WRAP (char *, strchr, (const char *text, int byte), char *found = __real_strchr (text, byte);
      steps += found != NULL ? (gsize)(found - text) : __real_strlen (text); return found;)
WRAP (char *, strstr, (const char *text, const char *word), char *found = __real_strstr (text, word);
      steps += found != NULL ? (gsize)(found - text) : __real_strlen (text); return found;)
WRAP (void *, memcpy, (void *to, const void *from, size_t size), steps += size;
      return __real_memcpy (to, from, size);)
WRAP (void *, memmove, (void *to, const void *from, size_t size), steps += size;
      return __real_memmove (to, from, size);)
WRAP (int, memcmp, (const void *one, const void *other, size_t size), steps += size;
      return __real_memcmp (one, other, size);)
WRAP (char *, g_strdup, (const char *text), steps += text != NULL ? __real_strlen (text) : 0;
      return __real_g_strdup (text);)
WRAP (char *, g_strndup, (const char *text, gsize size), steps += size; return __real_g_strndup (text, size);)
WRAP (GString *, g_string_insert_len, (GString * string, gssize where, const char *text, gssize size),
      steps += where >= 0 ? string->len - (gsize)where : 0;
      return __real_g_string_insert_len (string, where, text, size);)
WRAP (GString *, g_string_erase, (GString * string, gssize where, gssize size),
      steps += string->len - (gsize)where;
      return __real_g_string_erase (string, where, size);)
WRAP (guint, g_string_replace, (GString * string, const char *from, const char *to, guint most),
      steps += string->len;
      return __real_g_string_replace (string, from, to, most);)
WRAP (gboolean, g_ptr_array_find, (GPtrArray * array, gconstpointer item, guint *ret),
      guint found = array->len;
      gboolean is_there = __real_g_ptr_array_find (array, item, &found); steps += found;
      if (is_there && ret != NULL) *ret = found; return is_there;)
WRAP (gboolean, g_ptr_array_find_with_equal_func,
      (GPtrArray * array, gconstpointer item, GEqualFunc equal, guint *ret), guint found = array->len;
      gboolean is_there = __real_g_ptr_array_find_with_equal_func (array, item, equal, &found);
      steps += found; if (is_there && ret != NULL) *ret = found; return is_there;)
WRAP (gpointer, g_ptr_array_remove_index, (GPtrArray * array, guint index), steps += array->len - index;
      return __real_g_ptr_array_remove_index (array, index);)
WRAP (gpointer, g_ptr_array_steal_index, (GPtrArray * array, guint index), steps += array->len - index;
      return __real_g_ptr_array_steal_index (array, index);)
WRAP (void, g_ptr_array_insert, (GPtrArray * array, int index, gpointer item),
      steps += index >= 0 ? array->len - (guint)index : 0;
      __real_g_ptr_array_insert (array, index, item);)
WRAP (GArray *, g_array_remove_index, (GArray * array, guint index), steps += array->len - index;
      return __real_g_array_remove_index (array, index);)
WRAP (GArray *, g_array_insert_vals, (GArray * array, guint index, gconstpointer data, guint count),
      steps += array->len - index;
      return __real_g_array_insert_vals (array, index, data, count);)
WRAP (guint, g_strv_length, (char **list), guint length = __real_g_strv_length (list); steps += length;
      return length;)
WRAP (gboolean, g_strv_contains, (const char *const *list, const char *word),
      steps += __real_g_strv_length ((char **)list);
      return __real_g_strv_contains (list, word);)
