/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include <sys/types.h>

#define ACCOUNT_MAX_GROUPS 16 /* supplementary groups of one account */

/* The unprivileged account QEMU runs as. */
typedef struct {
  char *name; /* NULL: the daemon's own account */
  uid_t uid;
  gid_t gid;
  gboolean own;                     /* one machine's only: it has a number, and no name */
  gid_t groups[ACCOUNT_MAX_GROUPS]; /* of an own one: those that account_for_qemu is a member of */
  guint group_count;
} Account;

/* settings->qemu_user: a name, or "auto": the first of domaind-qemu, libvirt-qemu and qemu that exists, else
 * nobody. A daemon that is not root runs everything as itself. */
Account *account_for_qemu (const Settings *settings, GError **error);
/*
 * One of settings->accounts for machine @uuid alone, until account_release; the next in line is by @id, so
 * that a number comes back as late as can be. Where there are none (no root, a user that the settings name,
 * numbers that this host or container does not have, or all of them taken), it is account_for_qemu, which the
 * log says once. Any thread.
 */
Account *account_for_machine (const Settings *settings, const char *uuid, int id, GError **error);
void account_release (const char *uuid);
/* A machine was found again whose files are in @directory: its owner is taken. */
void account_hold (const Settings *settings, const char *uuid, const char *directory);
void account_free (Account *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Account, account_free)

/* The group through which a device node may be used ("/dev/kvm": kvm); FALSE when none is needed or none
 * helps. */
gboolean account_device_group (const char *node, gid_t *ret_group);
/* Why @account, with the device's group, could not open the device node for reading and writing; NULL when it
 * can. (transfer full) */
char *account_device_problem (const Account *account, const char *node);
/* Could @account open @path for reading, going by modes and owners along the whole path? */
gboolean account_can_read (const Account *account, const char *path);
/* And for writing, too? */
gboolean account_can_write (const Account *account, const char *path);
