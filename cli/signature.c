/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ssh-keygen as the signer: people have keys for it, agents and tokens that hold them, and lists of whom they
 * believe. It runs as the user, beside the daemon, which never sees a key.
 */
#include "cli/signature.h"

#include "cli/i18n.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static GSubprocess *
start (const char *const *words, GSubprocessFlags more, GError **error)
{
  return g_subprocess_newv (words, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE | more,
                            error);
}

/* Its output, or its own words as @error. (transfer full) */
static GBytes *
run (const char *const *words, const char *text, gsize length, GError **error)
{
  g_autoptr (GSubprocess) program = start (words, G_SUBPROCESS_FLAGS_STDOUT_PIPE, error);
  g_autoptr (GBytes) input = g_bytes_new (text, length);
  g_autoptr (GBytes) output = NULL, said = NULL;
  g_autofree char *reason = NULL;

  if (program == NULL || !g_subprocess_communicate (program, input, NULL, &output, &said, error))
    return NULL;
  if (g_subprocess_get_successful (program))
    return g_steal_pointer (&output);
  reason = g_strndup (g_bytes_get_data (said, NULL), g_bytes_get_size (said));
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "ssh-keygen: %s", g_strstrip (reason));
  return NULL;
}

char *
signature_make (const char *text, gsize length, const char *key, GError **error)
{
  const char *const words[] = { "ssh-keygen", "-Y", "sign", "-f", key, "-n", SIGNATURE_NAMESPACE, NULL };
  g_autoptr (GBytes) output = run (words, text, length, error);

  return output != NULL ? g_strndup (g_bytes_get_data (output, NULL), g_bytes_get_size (output)) : NULL;
}

gboolean
signature_check (const char *text, gsize length, const char *signature, const char *allowed,
                 const char *identity, GError **error)
{
  g_autofree char *file = NULL;
  int fd = g_file_open_tmp ("domctl-XXXXXX.sig", &file, error);
  const char *words[] = { "ssh-keygen",        "-Y", "verify", "-f", allowed, "-I", identity, "-n",
                          SIGNATURE_NAMESPACE, "-s", NULL,     NULL };
  g_autoptr (GBytes) output = NULL;

  if (fd < 0)
    return FALSE;
  close (fd);
  words[G_N_ELEMENTS (words) - 2] = file;
  if (g_file_set_contents (file, signature, -1, error))
    output = run (words, text, length, error);
  g_unlink (file);
  return output != NULL;
}
