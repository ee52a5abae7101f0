/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An account for each machine, so that one that its guest has broken out of can do nothing to its neighbours:
 * the kernel keeps accounts from each other. They are numbers without names, from a range that nobody else
 * gives out; which machine has which is kept in memory, and on disk as the owner of the machine's run
 * directory, which is where a later daemon finds it.
 */
#include "daemon/host/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_LINES_MAX 340 /* of a user namespace's map: user_namespaces(7) */

static GMutex lock;
static GHashTable *uid_of; /* machine's UUID → number of its user */
static GHashTable *taken;  /* numbers of users */

/* Does the user namespace we are in have all of the range? */
static gboolean
map_has (const char *path, const AccountRange *range)
{
  FILE *map = fopen (path, "re");
  guint first, outside, count;
  gboolean has = FALSE;

  for (guint i = 0;
       map != NULL && !has && i < MAP_LINES_MAX && fscanf (map, "%u %u %u", &first, &outside, &count) == 3;
       i++)
    has = first <= range->first && (guint64)first + count > range->last;
  if (map != NULL)
    fclose (map);
  return has;
}

/* NULL: the range can be given out. (transfer full) */
static char *
range_problem (const AccountRange *range)
{
  const uid_t ends[] = { range->first, range->last };
  struct passwd entry, *found = NULL;
  char buffer[4096];

  if (!map_has ("/proc/self/uid_map", range) || !map_has ("/proc/self/gid_map", range))
    return g_strdup_printf ("this user namespace does not have the numbers %u-%u", range->first, range->last);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    if (getpwuid_r (ends[i], &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
      return g_strdup_printf ("number %u is the user '%s'", ends[i], found->pw_name);
  return NULL;
}

static gboolean
has_range (const Settings *settings)
{
  static gsize once; /* 1: it can be given out; 2: it cannot */

  if (settings->session || geteuid () != 0 || settings->accounts.first == 0
      || g_strcmp0 (settings->qemu_user, "auto") != 0)
    return FALSE;
  if (g_once_init_enter (&once)) {
    g_autofree char *problem = range_problem (&settings->accounts);

    if (problem != NULL)
      g_message ("machines have no accounts of their own here: %s", problem);
    g_once_init_leave (&once, problem == NULL ? 1 : 2);
  }
  return once == 1;
}

/* Called locked. */
static void
remember (const char *uuid, guint uid)
{
  if (uid_of == NULL) {
    uid_of = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    taken = g_hash_table_new (NULL, NULL);
  }
  g_hash_table_insert (uid_of, g_strdup (uuid), GUINT_TO_POINTER (uid));
  g_hash_table_add (taken, GUINT_TO_POINTER (uid));
}

/* Called locked. 0: all are taken. */
static guint
choose (const AccountRange *range, const char *uuid, int id)
{
  guint count = range->last - range->first + 1;
  guint had = uid_of != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (uid_of, uuid)) : 0;

  if (had != 0)
    return had;
  for (guint i = 0; i < count; i++) {
    guint uid = range->first + ((guint)id + i) % count;

    if (taken == NULL || !g_hash_table_contains (taken, GUINT_TO_POINTER (uid)))
      return uid;
  }
  return 0;
}

/* What the host's administrator lets emulators use is for all of them; the group of that account itself is
 * not, as what one machine makes would be another's. */
static void
add_groups (Account *own, const Account *common)
{
  gid_t groups[ACCOUNT_MAX_GROUPS];
  int count = ACCOUNT_MAX_GROUPS;

  if (common->name == NULL || getgrouplist (common->name, common->gid, groups, &count) < 0)
    return;
  for (int i = 0; i < count; i++)
    if (groups[i] != common->gid)
      own->groups[own->group_count++] = groups[i];
}

Account *
account_for_machine (const Settings *settings, const char *uuid, int id, GError **error)
{
  g_autoptr (Account) common = account_for_qemu (settings, error);
  Account *own;
  guint uid = 0;

  if (common == NULL || !has_range (settings))
    return g_steal_pointer (&common);
  g_mutex_lock (&lock);
  uid = choose (&settings->accounts, uuid, id);
  if (uid != 0)
    remember (uuid, uid);
  g_mutex_unlock (&lock);
  if (uid == 0) {
    g_warning ("all accounts of machines are taken; %s shares one", uuid);
    return g_steal_pointer (&common);
  }
  own = g_new0 (Account, 1);
  own->name = g_strdup_printf ("%u", uid);
  own->uid = uid;
  own->gid = uid;
  own->own = TRUE;
  add_groups (own, common);
  return own;
}

void
account_release (const char *uuid)
{
  g_mutex_lock (&lock);
  if (uid_of != NULL) {
    g_hash_table_remove (taken, g_hash_table_lookup (uid_of, uuid));
    g_hash_table_remove (uid_of, uuid);
  }
  if (uid_of != NULL && g_hash_table_size (uid_of) == 0) {
    g_clear_pointer (&uid_of, g_hash_table_unref);
    g_clear_pointer (&taken, g_hash_table_unref);
  }
  g_mutex_unlock (&lock);
}

void
account_hold (const Settings *settings, const char *uuid, const char *directory)
{
  struct stat status;

  if (lstat (directory, &status) != 0 || status.st_uid < settings->accounts.first
      || status.st_uid > settings->accounts.last || status.st_uid == 0)
    return;
  g_mutex_lock (&lock);
  remember (uuid, status.st_uid);
  g_mutex_unlock (&lock);
}
