/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Helpers end when their owner does, most of them by themselves, as their connection to it ends. So only the
 * end of one under a running owner is news.
 */
#include "daemon/helper/helper-set.h"

struct HelperSet {
  char *owner;
  gboolean (*owner_lives) (gpointer data);
  gpointer data;
  GPtrArray *helpers;  /* Helper */
  GPtrArray *messages; /* char * */
};

HelperSet *
helper_set_new (const char *owner, gboolean (*owner_lives) (gpointer data), gpointer data)
{
  HelperSet *set = g_new0 (HelperSet, 1);

  set->owner = g_strdup (owner);
  set->owner_lives = owner_lives;
  set->data = data;
  set->helpers = g_ptr_array_new_with_free_func ((GDestroyNotify)helper_free);
  set->messages = g_ptr_array_new_with_free_func (g_free);
  return set;
}

void
helper_set_free (HelperSet *set)
{
  if (set == NULL)
    return;
  g_ptr_array_unref (set->helpers);
  g_ptr_array_unref (set->messages);
  g_free (set->owner);
  g_free (set);
}

static void
helper_ended (Helper *helper, const char *last_words, gpointer data)
{
  HelperSet *set = data;

  if (set->owner_lives (set->data)) {
    g_autofree char *text =
        g_strdup_printf ("helper '%s' has ended, and its owner runs without it%s%s", helper_name (helper),
                         *last_words != '\0' ? ": " : "", last_words);

    g_warning ("%s: %s", set->owner, text);
    if (set->messages->len < HELPER_MESSAGES_MAX)
      g_ptr_array_add (set->messages, g_steal_pointer (&text));
  }
  g_ptr_array_remove (set->helpers, helper);
}

void
helper_set_add (HelperSet *set, Helper *helper)
{
  g_ptr_array_add (set->helpers, helper);
  helper_watch (helper, helper_ended, set);
}

void
helper_set_add_all (HelperSet *set, GPtrArray *helpers)
{
  g_autoptr (GPtrArray) taken = helpers;

  while (taken != NULL && taken->len > 0)
    helper_set_add (set, g_ptr_array_steal_index (taken, 0));
}

void
helper_set_stop (HelperSet *set, const char *name)
{
  for (guint i = 0; i < set->helpers->len; i++) {
    Helper *helper = g_ptr_array_index (set->helpers, i);

    if (g_str_equal (helper_name (helper), name)) {
      helper_stop (helper);
      g_ptr_array_remove_index (set->helpers, i);
      return;
    }
  }
}

void
helper_set_stop_all (HelperSet *set)
{
  for (guint i = 0; i < set->helpers->len; i++)
    helper_stop (g_ptr_array_index (set->helpers, i));
  g_ptr_array_set_size (set->helpers, 0);
}

const GPtrArray *
helper_set_messages (const HelperSet *set)
{
  return set->messages;
}
