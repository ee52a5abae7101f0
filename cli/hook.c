/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl hook install`: the checks of a repository of documents, before each commit and in CI. The hook
 * checks what is to be committed, not what lies in the directory: the two differ when only a part was added.
 */
#include "cli/command.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

static gboolean replace;
static char *ci_word;

/* By this line a hook of ours is known, and may be replaced. */
#define MARK "# Installed by 'domctl hook install'."

#define HOOK                                                                                \
  "#!/bin/sh\n" MARK "\n"                                                                   \
  "# The documents that are to be committed must be valid and formatted.\n"                 \
  "set -e\n"                                                                                \
  "staged=$(mktemp -d)\n"                                                                   \
  "trap 'rm -rf \"$staged\"' EXIT\n"                                                        \
  "git diff --cached --name-only --diff-filter=ACMR -z -- '*.xml' |\n"                      \
  "  git checkout-index --prefix=\"$staged/\" -z --stdin\n"                                 \
  "cd \"$staged\"\n"                                                                        \
  "find . -name '*.xml' -type f | grep -q . || exit 0\n"                                    \
  "status=0\n"                                                                              \
  "domctl validate . || status=1\n"                                                         \
  "domctl fmt --check . || status=1\n"                                                      \
  "[ $status = 0 ] || echo \"Not committed: see above ('domctl fmt FILE' formats).\" >&2\n" \
  "exit $status\n"

static const struct {
  const char *name, *file, *job;
} services[] = {
  { "gitlab", ".gitlab-ci.yml",
    "documents:\n"
    "  image: debian:stable\n"
    "  before_script:\n"
    "    - apt-get update && apt-get install -y domaind\n"
    "  script:\n"
    "    - domctl validate .\n"
    "    - domctl fmt --check .\n" },
  { "github", ".github/workflows/documents.yml",
    "name: documents\n"
    "on: [push, pull_request]\n"
    "jobs:\n"
    "  documents:\n"
    "    runs-on: ubuntu-latest\n"
    "    container: debian:stable\n"
    "    steps:\n"
    "      - uses: actions/checkout@v4\n"
    "      - run: apt-get update && apt-get install -y domaind\n"
    "      - run: domctl validate .\n"
    "      - run: domctl fmt --check .\n" },
};

/* Where git looks for the hook, of the repository the command is run in. (transfer full) */
static char *
hook_path (GError **error)
{
  const char *const words[] = { "git", "rev-parse", "--git-path", "hooks/pre-commit", NULL };
  g_autofree char *output = NULL, *said = NULL;
  int status;

  if (!g_spawn_sync (NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &said, &status,
                     error))
    return NULL;
  if (!g_spawn_check_wait_status (status, NULL)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", g_strstrip (said));
    return NULL;
  }
  return g_strdup (g_strchomp (output));
}

/* Somebody else's hook is not lost. */
static gboolean
may_write (const char *path)
{
  g_autofree char *there = NULL;

  return replace || !g_file_test (path, G_FILE_TEST_EXISTS)
         || (g_file_get_contents (path, &there, NULL, NULL) && strstr (there, MARK) != NULL);
}

static gboolean
write_hook (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);

  if (g_mkdir_with_parents (directory, 0777) != 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "cannot make directory '%s': %s",
                 directory, g_strerror (errno));
    return FALSE;
  }
  return g_file_set_contents_full (path, HOOK, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0777, error);
}

static JsonNode *
to_json (const char *path, guint service)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), object);

  json_object_set_string_member (object, "hook", path);
  json_object_set_string_member (object, "ci", services[service].job);
  json_object_set_string_member (object, "ci-file", services[service].file);
  json_object_unref (object);
  return node;
}

static int
hook_run (CommandLine *line)
{
  const char *wanted = ci_word != NULL ? ci_word : services[0].name;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  guint service = 0;

  if (!g_str_equal (line->arguments[0], "install"))
    return command_usage_error (line, _ ("unknown word '%s': expected 'install'"), line->arguments[0]);
  while (service < G_N_ELEMENTS (services) && !g_str_equal (services[service].name, wanted))
    service++;
  if (service == G_N_ELEMENTS (services))
    return command_usage_error (line, _ ("unknown CI system '%s': expected 'gitlab' or 'github'"), wanted);
  path = hook_path (&error);
  if (path == NULL)
    return command_error ("%s", error->message);
  if (!may_write (path))
    return command_error (_ ("'%s' is a hook already, and not one of domctl's: --replace replaces it"), path);
  if (!write_hook (path, &error))
    return command_error ("%s", error->message);
  fprintf (stderr, _ ("%s: installed; the same as a job for CI (%s):\n"), path, services[service].file);
  command_print (line, "%s", services[service].job);
  command_print_json (line, to_json (path, service));
  return EXIT_OK;
}

static const GOptionEntry hook_options[] = {
  { "replace", 0, 0, G_OPTION_ARG_NONE, &replace, N_ ("Replace a hook that is there"), NULL },
  { "ci", 0, 0, G_OPTION_ARG_STRING, &ci_word, N_ ("Whose job to print: gitlab (default) or github"),
    N_ ("SYSTEM") },
  G_OPTION_ENTRY_NULL,
};

const Command hook_commands[] = {
  { "hook", "install", N_ ("Have git check the documents of a repository before each commit"), 1, 1,
    hook_options, hook_run },
  { NULL },
};
