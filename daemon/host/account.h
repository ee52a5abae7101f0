/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/settings.h"
#include <sys/types.h>

/* The unprivileged account QEMU runs as. */
typedef struct {
  char *name; /* NULL: the daemon's own account */
  uid_t uid;
  gid_t gid;
} Account;

/* settings->qemu_user: a name, or "auto": the first of domaind-qemu, libvirt-qemu and qemu that exists, else
 * nobody. A daemon that is not root runs everything as itself. */
Account *account_for_qemu (const Settings *settings, GError **error);
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
