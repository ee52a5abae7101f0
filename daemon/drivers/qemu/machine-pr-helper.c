/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * qemu-pr-helper sends the reservation commands that QEMU's account may not send by itself. It keeps the
 * right to send raw SCSI commands and gives up the others; what it is to send them to, QEMU passes it as an
 * open descriptor. Its socket is QEMU's alone.
 */
#include "daemon/drivers/qemu/machine-pr-helper.h"

#include "targets/qemu/recipe.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIT(capability) (G_GUINT64_CONSTANT (1) << (capability))
/* What it keeps, and what it needs to give up the rest. */
#define CAPABILITIES \
  (BIT (CAP_SYS_RAWIO) | BIT (CAP_SYS_ADMIN) | BIT (CAP_SETPCAP) | BIT (CAP_SETUID) | BIT (CAP_SETGID))

static char *
find_program (GError **error)
{
  char *path = g_find_program_in_path ("qemu-pr-helper");

  if (path == NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "'qemu-pr-helper' is not a suitable pr helper: it is in package qemu-system-common "
                    "(Debian 12) or qemu-system-misc (Debian 13)");
  return path;
}

gboolean
pr_helper_check (const DomainDef *def, GError **error)
{
  g_autofree char *program = domain_def_wants_pr_helper (def) ? find_program (error) : NULL;

  return program != NULL || !domain_def_wants_pr_helper (def);
}

gboolean
pr_helper_start (const DomainDef *def, const Account *account, const char *directory,
                 const char *qemu_directory, GPtrArray *helpers, Job *job, GError **error)
{
  g_autofree char *program = NULL, *socket = recipe_pr_helper_socket (qemu_directory);
  const char *const writable[] = { qemu_directory, "/dev", NULL };
  Helper *helper;

  if (!domain_def_wants_pr_helper (def))
    return TRUE;
  program = find_program (error);
  if (program == NULL)
    return FALSE;
  const char *const argv[] = { program, "-k", socket, NULL };
  const HelperPlan plan = { .name = PR_HELPER_NAME,
                            .argv = (char **)argv,
                            .capabilities = CAPABILITIES,
                            .writable = writable,
                            .ready_socket = socket };

  unlink (socket);
  helper = helper_start (&plan, directory, job, error);
  if (helper == NULL)
    return FALSE;
  g_ptr_array_add (helpers, helper);
  if (account->name == NULL || lchown (socket, account->uid, account->gid) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot give '%s' to QEMU's account: %s", socket,
                  g_strerror (errno));
  return FALSE;
}
