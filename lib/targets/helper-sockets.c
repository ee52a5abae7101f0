/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One name for each, whichever hypervisor connects: QEMU and Cloud Hypervisor speak to the same helpers.
 */
#include "targets/helper-sockets.h"

#include <glib.h>

static char *
build (const char *run_directory, const char *alias, const char *suffix)
{
  g_autofree char *name = g_strconcat (alias, suffix, NULL);

  return g_build_filename (run_directory, name, NULL);
}

char *
helper_socket_virtiofs (const char *run_directory, const char *alias)
{
  return build (run_directory, alias, "-fs.sock");
}

char *
helper_socket_tpm (const char *run_directory, const char *alias)
{
  return build (run_directory, alias, "-swtpm.sock");
}
