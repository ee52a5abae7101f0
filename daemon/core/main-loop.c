/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which thread the main loop runs in. It is set once, before there are others, and only read from then on, so
 * that asking costs a comparison. The parser of documents is of the library, which knows no threads: it calls
 * back.
 */
#include "daemon/core/main-loop.h"

#include "base/xml-document.h"

static GThread *main_thread; /* NULL: nobody has claimed it */

static void
stay_off_main_loop (void)
{
  if (main_loop_is_here ())
    g_critical ("a document is read in the main loop");
}

void
main_loop_claim (void)
{
  main_thread = g_thread_self ();
  xml_document_set_guard (stay_off_main_loop);
}

gboolean
main_loop_is_here (void)
{
  return main_thread != NULL && g_thread_self () == main_thread;
}

void
main_loop_check (const char *function)
{
  if (main_thread != NULL && g_thread_self () != main_thread)
    g_critical ("%s is called outside of the main loop", function);
}
