/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The host's SMBIOS tables, as the kernel has read them, so that no other program is asked. Serial numbers
 * are readable by root only; what cannot be read is left out.
 */
#include "daemon/host/dmi.h"

static char *
read_entry (const char *file, gpointer directory)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, NULL) || length > DMI_TEXT_MAX)
    return NULL;
  return g_steal_pointer (&text);
}

Sysinfo *
dmi_read (const char *directory)
{
  return sysinfo_of_host (read_entry, (gpointer)(directory != NULL ? directory : DMI_DIRECTORY));
}
