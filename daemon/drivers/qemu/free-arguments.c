/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Files in a document's own words for QEMU. The words mean what they mean to QEMU alone; a path is known by
 * standing at the beginning of a word or of a value in it. What does not exist is QEMU's to complain of, or
 * to make.
 */
#include "daemon/drivers/qemu/free-arguments.h"

#include "daemon/core/blocking.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
  GStrv paths;
  Account account;
  char *name;
} Inspection;

typedef struct {
  char *problem;  /* NULL: all can be opened */
  GArray *groups; /* gid_t */
} Finding;

/* Where a path may begin: "/x", "file=/x", "unix:/x", "{\"path\":\"/x\"". Not "http://x". */
static gboolean
begins_path (const char *word, const char *at)
{
  if (*at != '/')
    return FALSE;
  return at == word || at[-1] == '=' || at[-1] == '"' || (at[-1] == ':' && at[1] != '/');
}

/* Up to a comma, of which two are one, or the quote of JSON. (transfer full) */
static char *
take_path (const char *at)
{
  GString *path = g_string_new (NULL);

  for (; *at != '\0' && *at != '"'; at++) {
    if (at[0] == ',' && at[1] != ',')
      break;
    if (at[0] == ',')
      at++;
    g_string_append_c (path, *at);
  }
  return g_string_free (path, FALSE);
}

GStrv
free_argument_paths (const DomainDef *def)
{
  const GPtrArray *arguments = def->qemu.arguments;
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  guint count = 0;

  for (guint i = 0; arguments != NULL && i < arguments->len; i++) {
    const char *word = ((const QemuArgument *)g_ptr_array_index (arguments, i))->value;

    for (const char *at = word; *at != '\0' && count < FREE_PATHS_MAX; at++)
      if (begins_path (word, at)) {
        g_autofree char *path = take_path (at);

        g_strv_builder_add (paths, path);
        count++;
      }
  }
  return g_strv_builder_end (paths);
}

static void
free_inspection (gpointer data)
{
  Inspection *inspection = data;

  g_strfreev (inspection->paths);
  g_free (inspection->name);
  g_free (inspection);
}

static void
free_finding (gpointer data)
{
  Finding *finding = data;

  g_free (finding->problem);
  g_array_unref (finding->groups);
  g_free (finding);
}

/* NULL: it can be opened, or there is no such file. (transfer full) */
static char *
inspect (const Account *account, const char *path, GArray *groups)
{
  struct stat status;
  gid_t group;

  if (stat (path, &status) != 0)
    return NULL;
  if (S_ISCHR (status.st_mode) || S_ISBLK (status.st_mode)) {
    if (account_device_group (path, &group))
      g_array_append_val (groups, group);
    return account_device_problem (account, path);
  }
  if (!S_ISREG (status.st_mode) || account_can_read (account, path))
    return NULL;
  return g_strdup_printf ("%s (mode %04o, owner %u:%u) is closed to it", path, (guint)status.st_mode & 07777,
                          status.st_uid, status.st_gid);
}

static gpointer
inspect_all (gpointer input, GError **error G_GNUC_UNUSED)
{
  const Inspection *inspection = input;
  Finding *finding = g_new0 (Finding, 1);

  finding->groups = g_array_new (FALSE, FALSE, sizeof (gid_t));
  for (guint i = 0; inspection->paths[i] != NULL && finding->problem == NULL; i++)
    finding->problem = inspect (&inspection->account, inspection->paths[i], finding->groups);
  return finding;
}

static void
take_groups (const GArray *found, gid_t *groups, guint *count, guint room)
{
  for (guint i = 0; i < found->len && *count < room; i++) {
    gid_t group = g_array_index (found, gid_t, i);
    gboolean has = FALSE;

    for (guint g = 0; g < *count; g++)
      has = has || groups[g] == group;
    if (!has)
      groups[(*count)++] = group;
  }
}

gboolean
free_arguments_check (const DomainDef *def, const Account *account, gid_t *groups, guint *count, guint room,
                      GError **error)
{
  Inspection *inspection;
  Finding *finding;
  gboolean can;

  if (def->qemu.arguments == NULL)
    return TRUE;
  inspection = g_new0 (Inspection, 1);
  inspection->paths = free_argument_paths (def);
  inspection->account = *account;
  inspection->account.name = inspection->name = g_strdup (account->name);
  finding = blocking_run (inspect_all, inspection, free_inspection, free_finding, error);
  if (finding == NULL)
    return FALSE;
  can = finding->problem == NULL;
  if (can)
    take_groups (finding->groups, groups, count, room);
  else
    virt_error_set (
        error, VIR_ERR_CONFIG_UNSUPPORTED,
        "<qemu:commandline> of domain '%s' names a file that QEMU cannot open as the user %s: %s; "
        "let that user read it, name it in an element of the document, which passes it as a "
        "descriptor, or set 'user' and 'isolate = no' in [machines] of domaind.conf",
        def->name, account->name != NULL ? account->name : "of the daemon", finding->problem);
  free_finding (finding);
  return can;
}
