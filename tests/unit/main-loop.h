/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Running the main loop in a test until something has happened; a test that waits in vain fails. */
#include <glib.h>

#define TEST_PATIENCE 20 /* seconds: far more than anything here takes */

static inline gboolean
test_patience_over (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

static inline gboolean
run_main_loop_until (const gboolean *happened)
{
  gboolean over = FALSE;
  guint timer = g_timeout_add_seconds (TEST_PATIENCE, test_patience_over, &over);

  while (!*happened && !over)
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (timer);
  return *happened;
}
