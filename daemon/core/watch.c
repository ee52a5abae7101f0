/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors watched by the main loop, see the header.
 */
#include "daemon/core/watch.h"

guint
watch_fd (int fd, GIOCondition condition, GUnixFDSourceFunc function, gpointer data, GDestroyNotify free_data)
{
  g_autoptr (GSource) source = g_unix_fd_source_new (fd, condition);

  g_source_set_can_recurse (source, TRUE);
  g_source_set_callback (source, G_SOURCE_FUNC (function), data, free_data);
  return g_source_attach (source, NULL);
}
