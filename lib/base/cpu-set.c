/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sets of CPU (or NUMA node) numbers in libvirt's spelling. Terms are taken from left to right, so "^2"
 * takes out what an earlier term put in. A plain bitmap: the largest set is 512 bytes.
 */
#include "base/scalars.h"

#define WORD_BITS 64

struct CpuSet {
  guint64 words[CPU_SET_MAX / WORD_BITS];
};

CpuSet *
cpu_set_new (void)
{
  return g_new0 (CpuSet, 1);
}

void
cpu_set_free (CpuSet *set)
{
  g_free (set);
}

void
cpu_set_add (CpuSet *set, guint cpu)
{
  g_return_if_fail (cpu < CPU_SET_MAX);
  set->words[cpu / WORD_BITS] |= G_GUINT64_CONSTANT (1) << (cpu % WORD_BITS);
}

void
cpu_set_remove (CpuSet *set, guint cpu)
{
  set->words[cpu / WORD_BITS] &= ~(G_GUINT64_CONSTANT (1) << (cpu % WORD_BITS));
}

gboolean
cpu_set_contains (const CpuSet *set, guint cpu)
{
  return cpu < CPU_SET_MAX && (set->words[cpu / WORD_BITS] >> (cpu % WORD_BITS) & 1) != 0;
}

guint
cpu_set_count (const CpuSet *set)
{
  guint count = 0;

  for (guint i = 0; i < G_N_ELEMENTS (set->words); i++)
    count += (guint)__builtin_popcountll (set->words[i]);
  return count;
}

static const char *
skip_spaces (const char *text)
{
  while (g_ascii_isspace (*text))
    text++;
  return text;
}

/* One CPU number at @text; NULL and the mistake when there is none. */
static const char *
parse_cpu (const char *text, guint *ret, const char **ret_mistake)
{
  guint cpu = 0;

  if (!g_ascii_isdigit (*text)) {
    *ret_mistake = "a number was expected";
    return NULL;
  }
  for (; g_ascii_isdigit (*text); text++) {
    cpu = cpu * 10 + (guint)(*text - '0');
    if (cpu >= CPU_SET_MAX) {
      *ret_mistake = "a number has to be below " G_STRINGIFY (CPU_SET_MAX);
      return NULL;
    }
  }
  *ret = cpu;
  return skip_spaces (text);
}

/* One term, "8", "0-3" or "^2"; what follows it, or NULL and the mistake. */
static const char *
parse_term (CpuSet *set, const char *text, const char **ret_mistake)
{
  gboolean remove = *text == '^';
  guint first, last;

  text = parse_cpu (remove ? text + 1 : text, &first, ret_mistake);
  if (text == NULL)
    return NULL;
  last = first;
  if (*text == '-') {
    if (remove) {
      *ret_mistake = "'^' takes out a single number, not a range";
      return NULL;
    }
    text = parse_cpu (skip_spaces (text + 1), &last, ret_mistake);
    if (text == NULL)
      return NULL;
    if (last < first) {
      *ret_mistake = "the range ends before it begins";
      return NULL;
    }
  }
  for (guint cpu = first; cpu <= last; cpu++) {
    if (remove)
      cpu_set_remove (set, cpu);
    else
      cpu_set_add (set, cpu);
  }
  return text;
}

CpuSet *
cpu_set_parse (const char *text, const char **ret_mistake)
{
  g_autoptr (CpuSet) set = cpu_set_new ();
  const char *ignored;

  if (ret_mistake == NULL)
    ret_mistake = &ignored;
  for (text = skip_spaces (text);; text = skip_spaces (text + 1)) {
    text = parse_term (set, text, ret_mistake);
    if (text == NULL)
      return NULL;
    if (*text == '\0')
      break;
    if (*text != ',') {
      *ret_mistake = "numbers and ranges are separated by ','";
      return NULL;
    }
  }
  if (cpu_set_count (set) == 0) {
    *ret_mistake = "nothing is left in the set";
    return NULL;
  }
  return g_steal_pointer (&set);
}

char *
cpu_set_to_string (const CpuSet *set)
{
  GString *text = g_string_new (NULL);

  for (guint first = 0; first < CPU_SET_MAX; first++) {
    guint last = first;

    if (!cpu_set_contains (set, first))
      continue;
    while (cpu_set_contains (set, last + 1))
      last++;
    g_string_append_printf (text, text->len > 0 ? ",%u" : "%u", first);
    if (last > first)
      g_string_append_printf (text, "-%u", last);
    first = last;
  }
  return g_string_free (text, FALSE);
}
