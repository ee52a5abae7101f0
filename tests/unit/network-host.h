/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A host for the tests of running networks: a directory of the daemon's, one network, its jobs, and what is
 * on the host in words. */
#include "daemon/network/network-run.h"

#include "cmocka-glib.h"
#include "main-loop.h"
#include "temporary.h"

#include <string.h>

#define SECONDS 20
#define UUID    "11111111-2222-3333-4444-555555555555"

typedef struct {
  char *root;
  Settings *settings;
  NetworkInput input;
} Host;

static inline NetworkDef *
read_def (const char *inside)
{
  g_autofree char *text =
      g_strdup_printf ("<network><name>test</name><uuid>" UUID "</uuid>%s</network>", inside);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  NetworkDef *def = network_def_parse (text, -1, 0, diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);

  if (def == NULL)
    fail_msg ("%s", mistakes);
  return def;
}

static inline void
host_open (Host *host, const char *root, const char *inside)
{
  g_autoptr (GError) error = NULL;

  *host = (Host){ .root = g_strdup (root) };
  host->settings = settings_load (FALSE, root, NULL, &error);
  g_assert_no_error (error);
  host->input.settings = host->settings;
  host->input.directory = g_build_filename (root, "networks", UUID, NULL);
  assert_int_equal (g_mkdir_with_parents (host->input.directory, 0711), 0);
  host->input.def = read_def (inside);
}

static inline void
host_close (Host *host)
{
  settings_free (host->settings);
  g_free (host->input.directory);
  network_def_unref (host->input.def);
  g_clear_pointer (&host->input.status, network_status_unref);
  g_free (host->root);
}

/* Jobs. */

typedef enum { START, STOP, ADOPT, UPDATE, LEASES, CHECK } Act;

typedef struct {
  Act act;
  const NetworkInput *input;
  NetworkParts parts;
  gboolean done;
  gpointer result;
  GError *error;
} Work;

static inline gpointer
work (Job *job, gpointer data, GError **error)
{
  Work *todo = data;

  switch (todo->act) {
    case START:
      todo->result = network_run_start (job, todo->input, error);
      break;
    case STOP:
      todo->result = network_run_stop (job, todo->input, error) ? JOB_OK : NULL;
      break;
    case ADOPT:
      todo->result = network_run_adopt (job, todo->input, error);
      break;
    case UPDATE:
      todo->result = network_run_update (job, todo->input, todo->parts, error);
      break;
    case LEASES:
      todo->result = network_run_leases (job, todo->input, NULL, error);
      break;
    case CHECK:
      todo->result = network_run_check (job, todo->input, error);
      break;
    default:
      break;
  }
  return JOB_OK;
}

static inline void
take (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  Work *todo = data;

  todo->done = TRUE;
  todo->error = error != NULL ? g_error_copy (error) : NULL;
}

static inline gpointer
act_with (Host *host, Act what, NetworkParts parts, GError **error)
{
  Work todo = { .act = what, .input = &host->input, .parts = parts };

  job_start ("network", work, &todo, NULL, SECONDS, take, &todo);
  assert_true (run_main_loop_until (&todo.done));
  if (todo.error != NULL)
    g_propagate_error (error, todo.error);
  return todo.result;
}

static inline void
start (Host *host)
{
  g_autoptr (GError) error = NULL;

  host->input.status = act_with (host, START, 0, &error);
  g_assert_no_error (error);
  assert_non_null (host->input.status);
}

static inline void
stop (Host *host)
{
  g_autoptr (GError) error = NULL;

  assert_true (act_with (host, STOP, 0, &error) == JOB_OK);
  g_assert_no_error (error);
  g_clear_pointer (&host->input.status, network_status_unref);
}

/* What is on the host, in words. */
static inline char *
look (const char *command)
{
  g_autofree char *output = NULL;
  const char *argv[] = { "/bin/sh", "-c", command, NULL };

  assert_true (
      g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, NULL, NULL));
  return g_steal_pointer (&output);
}

#define EVERYTHING                                                                          \
  "ip -o link | cut -d' ' -f2-; ip -o -4 addr; ip -o -6 addr show scope global; ip route; " \
  "ip -6 route show proto boot; ip -6 route show proto static; nft list ruleset"

static inline char *
everything (const Host *host)
{
  g_autofree char *command = g_strdup_printf ("%s; ls -A %s", EVERYTHING, host->input.directory);

  return look (command);
}

static inline void
assert_shows (const char *command, const char *part)
{
  g_autofree char *output = look (command);

  if (strstr (output, part) == NULL)
    fail_msg ("'%s' does not say '%s' but:\n%s", command, part, output);
}

/* Not below /tmp's usual directories of 0700: dnsmasq's account has to reach its files. */
static inline int
make_root (void **state)
{
  char *root = g_strdup ("/tmp/domaind-network-XXXXXX");

  assert_non_null (g_mkdtemp_full (root, 0711));
  *state = root;
  return 0;
}

static inline int
remove_root (void **state)
{
  temporary_remove (*state);
  return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, make_root, remove_root)
