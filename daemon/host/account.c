/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which account QEMU runs as, and what that account may use by itself. The daemon opens a machine's files and
 * passes descriptors, so the account needs no rights on them; what is left are device nodes (by their group)
 * and the few files that QEMU opens by name.
 */
#include "daemon/host/account.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCOUNT_BUFFER 4096

static Account *
account_by_name (const char *name)
{
  struct passwd entry, *found = NULL;
  char buffer[ACCOUNT_BUFFER];

  if (getpwnam_r (name, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
    return NULL;

  Account *account = g_new0 (Account, 1);
  account->name = g_strdup (name);
  account->uid = entry.pw_uid;
  account->gid = entry.pw_gid;
  return account;
}

Account *
account_for_qemu (const Settings *settings, GError **error)
{
  static const char *const candidates[] = { "domaind-qemu", "libvirt-qemu", "qemu", "nobody" };
  Account *account = NULL;

  if (settings->session || geteuid () != 0) {
    account = g_new0 (Account, 1);
    account->uid = geteuid ();
    account->gid = getegid ();
    return account;
  }

  if (g_strcmp0 (settings->qemu_user, "auto") != 0) {
    account = account_by_name (settings->qemu_user);
    if (account == NULL)
      virt_error_set (error, VIR_ERR_CONF_SYNTAX, "the QEMU user '%s' of the settings does not exist",
                      settings->qemu_user);
    return account;
  }

  for (guint i = 0; i < G_N_ELEMENTS (candidates) && account == NULL; i++)
    account = account_by_name (candidates[i]);
  if (account == NULL)
    virt_error_set (error, VIR_ERR_CONF_SYNTAX,
                    "there is no user to run QEMU as: none of domaind-qemu, libvirt-qemu, "
                    "qemu and nobody exists");
  return account;
}

void
account_free (Account *account)
{
  if (account == NULL)
    return;
  g_free (account->name);
  g_free (account);
}

gboolean
account_device_group (const char *node, gid_t *ret_group)
{
  struct stat status;

  /* The group root is no device's: whoever is in it may do more than use one. */
  if (stat (node, &status) != 0 || status.st_gid == 0
      || (status.st_mode & (S_IRGRP | S_IWGRP)) != (S_IRGRP | S_IWGRP))
    return FALSE;
  *ret_group = status.st_gid;
  return TRUE;
}

char *
account_device_problem (const Account *account, const char *node)
{
  struct stat status;
  gid_t group;

  if (stat (node, &status) != 0)
    return g_strdup_printf ("%s: %s", node, g_strerror (errno));
  if (account->name == NULL)
    return access (node, R_OK | W_OK) == 0 ? NULL : g_strdup_printf ("%s: %s", node, g_strerror (errno));
  if (account->uid == 0 || (status.st_mode & (S_IROTH | S_IWOTH)) == (S_IROTH | S_IWOTH)
      || (status.st_uid == account->uid && (status.st_mode & (S_IRUSR | S_IWUSR)) == (S_IRUSR | S_IWUSR))
      || account_device_group (node, &group))
    return NULL;
  return g_strdup_printf (
      "%s (mode %04o, owner %u:%u) is closed to the QEMU user '%s'; as a rule it belongs to a group "
      "of its own, with mode 0660",
      node, (guint)status.st_mode & 07777, status.st_uid, status.st_gid, account->name);
}

/* @rights: of S_IROTH, S_IWOTH and S_IXOTH, all of which it has to have. */
static gboolean
account_may (const Account *account, const char *path, mode_t rights)
{
  struct stat status;

  if (stat (path, &status) != 0)
    return FALSE;
  if (status.st_uid == account->uid)
    return (status.st_mode & (rights << 6)) == rights << 6;
  if (status.st_gid == account->gid)
    return (status.st_mode & (rights << 3)) == rights << 3;
  return (status.st_mode & rights) == rights;
}

/* Every directory above @path lets the account through. */
static gboolean
account_may_reach (const Account *account, const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);

  while (account_may (account, directory, S_IXOTH)) {
    if (g_str_equal (directory, "/"))
      return TRUE;
    char *parent = g_path_get_dirname (directory);
    g_free (directory);
    directory = parent;
  }
  return FALSE;
}

/* @rights: S_IROTH, and S_IWOTH. */
static gboolean
account_can (const Account *account, const char *path, mode_t rights)
{
  g_autofree char *spelled = g_canonicalize_filename (path, "/");
  char *resolved;
  gboolean can;

  if (account->name == NULL)
    return access (path, (rights & S_IWOTH) != 0 ? R_OK | W_OK : R_OK) == 0;
  if (!account_may (account, path, rights) || !account_may_reach (account, spelled))
    return FALSE;

  /* Where links lead is on the way as well. */
  resolved = realpath (path, NULL);
  can = resolved != NULL && account_may_reach (account, resolved);
  free (resolved);
  return can;
}

gboolean
account_can_read (const Account *account, const char *path)
{
  return account_can (account, path, S_IROTH);
}

gboolean
account_can_write (const Account *account, const char *path)
{
  return account_can (account, path, S_IROTH | S_IWOTH);
}
