/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The check of a machine of these hypervisors, as start-check.c is QEMU's: each thing is looked at for
 * itself, and one that is wrong does not hide the next. What only the hypervisor knows, it says at the start.
 */
#include "daemon/drivers/api-check.h"

#include "daemon/drivers/api-config.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/drivers/qemu/machine-virtiofs.h"
#include "daemon/host/kvm-advice.h"
#include "domain/devices/disk.h"

#define KVM_NODE "/dev/kvm"

char *
api_program_find (const DomainDef *def, GError **error)
{
  char *program = g_find_program_in_path (def->emulator);

  if (program == NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "the emulator '%s' of domain '%s' is no program",
                    def->emulator, def->name);
  return program;
}

typedef struct {
  const Driver *driver;
  const Account *account;
  GPtrArray *findings; /* NULL: the first is the error */
  gboolean good;
} FileCheck;

static void
look_at_file (FileCheck *check, const char *what, const char *path, gboolean writable, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (path == NULL || (check->findings == NULL && !check->good)
      || driver_check_file (check->driver, check->account, what, path, writable, &problem))
    return;
  check->good = FALSE;
  if (check->findings != NULL)
    check_add_error (check->findings, "files", problem);
  else
    g_propagate_error (error, g_steal_pointer (&problem));
}

gboolean
api_files_check (const Driver *driver, const Account *account, const DomainDef *def, GPtrArray *findings,
                 GError **error)
{
  FileCheck check = { driver, account, findings, TRUE };

  look_at_file (&check, "kernel", def->os.kernel, FALSE, error);
  look_at_file (&check, "initial ramdisk", def->os.initrd, FALSE, error);
  look_at_file (&check, "firmware", def->os.loader, FALSE, error);
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk)
    look_at_file (&check, "disk", disk_path (disk), !disk->readonly, error);
  return check.good;
}

/* Takes @error. */
static void
note (GPtrArray *findings, const char *name, GError *error)
{
  g_autoptr (GError) problem = error;

  if (problem != NULL)
    check_add_error (findings, name, problem);
}

static void
look_at_program (const DomainDef *def, GPtrArray *findings)
{
  GError *error = NULL;
  g_autofree char *program = api_program_find (def, &error);

  if (program == NULL)
    note (findings, "emulator", error);
}

static void
look_at_config (const Driver *driver, const StartRequest *request, DomainDef *def, GPtrArray *findings)
{
  g_autofree char *directory = machine_directory (request->store, def->uuid);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) config = api_config (driver, request, def, directory, &error);

  if (config == NULL)
    check_add_document (findings, error);
}

static void
look_at_kvm (const Driver *driver, const Account *account, GPtrArray *findings)
{
  g_autofree char *problem = account_device_problem (account, KVM_NODE);
  g_autofree char *cure = NULL;

  if (problem == NULL)
    return;
  cure = kvm_advice_here (account->name != NULL ? account->name : g_get_user_name ());
  check_add (findings, "kvm", CHECK_ERROR, cure, "%s runs only with KVM: %s", driver->title, problem);
}

static void
look_at_account (const Driver *driver, const StartRequest *request, const DomainDef *def, GPtrArray *findings)
{
  /* Not the machine's own: it may run, or be started meanwhile. */
  g_autofree char *key = g_strconcat ("check:", def->uuid, NULL);
  GError *error = NULL;
  g_autoptr (Account) account = account_for_machine (request->settings, key, request->id, &error);

  if (account != NULL) {
    look_at_kvm (driver, account, findings);
    api_files_check (driver, account, def, findings, NULL);
    account_release (key);
  }
  note (findings, "account", error);
}

static void
look_at_helpers (const DomainDef *def, GPtrArray *findings)
{
  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, const DeviceFilesystem, filesystem) {
    GError *error = NULL;

    virtiofs_check (filesystem, &error);
    note (findings, "filesystem", error);
  }
  DOMAIN_FOREACH_DEVICE (def, tpm_kind, const DeviceTpm, tpm) {
    GError *error = NULL;

    tpm_check (tpm, &error);
    note (findings, "tpm", error);
  }
}

void
api_machine_check (const Driver *driver, Job *job, const StartRequest *request, GPtrArray *findings)
{
  g_autoptr (DomainDef) def = domain_def_copy (request->def);

  domain_def_assign_aliases (def);
  look_at_program (def, findings);
  look_at_config (driver, request, def, findings);
  look_at_account (driver, request, def, findings);
  if (job_check (job, NULL))
    look_at_helpers (def, findings);
}
