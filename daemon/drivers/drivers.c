/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The drivers there are besides QEMU's. A document says which by the file name of its <emulator>, as it says
 * which QEMU: "firecracker", and with a version behind it "firecracker-v1.13.1".
 */
#include "daemon/drivers/driver.h"

#include "daemon/drivers/cloud-hypervisor/cloud-hypervisor-driver.h"
#include "daemon/drivers/firecracker/firecracker-driver.h"
#include "daemon/host/named-file.h"

#include <errno.h>
#include <sys/stat.h>

static const Driver *const drivers[] = {
  &firecracker_driver,
  &cloud_hypervisor_driver,
};

const Driver *
driver_of_program (const char *path)
{
  g_autofree char *name = path != NULL ? g_path_get_basename (path) : NULL;

  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (drivers); i++)
    if (g_str_has_prefix (name, drivers[i]->program))
      return drivers[i];
  return NULL;
}

const Driver *
driver_of (const DomainDef *def)
{
  return driver_of_program (def->emulator);
}

DriverMachine *
driver_machine_new (const Driver *driver, DomainDef *def, const char *directory)
{
  DriverMachine *machine = g_new0 (DriverMachine, 1);

  *machine = (DriverMachine){ driver, domain_def_ref (def), g_strdup (directory) };
  return machine;
}

void
driver_machine_free (gpointer data)
{
  DriverMachine *machine = data;

  domain_def_unref (machine->def);
  g_free (machine->directory);
  g_free (machine);
}

gboolean
driver_check_file (const Driver *driver, const Account *account, const char *what, const char *path,
                   gboolean writable, GError **error)
{
  struct stat status;

  if (named_file_stat (path, &status) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot access the %s '%s': %s", what, path,
                    g_strerror (errno));
    return FALSE;
  }
  if (writable ? account_can_write (account, path) : account_can_read (account, path))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "%s opens its files itself, and its account (number %u) cannot %s the %s '%s'",
                  driver->title, (guint)account->uid, writable ? "write" : "read", what, path);
  return FALSE;
}

void
driver_fail_unsupported (const Driver *driver, const char *what, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "%s has no '%s'", driver->title, what);
}
