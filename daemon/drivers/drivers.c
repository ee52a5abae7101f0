/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The drivers there are besides QEMU's. A document says which by the file name of its <emulator>, as it says
 * which QEMU: "firecracker", and with a version behind it "firecracker-v1.13.1".
 */
#include "daemon/drivers/driver.h"

#include "daemon/drivers/cloud-hypervisor/cloud-hypervisor-driver.h"
#include "daemon/drivers/firecracker/firecracker-driver.h"

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

void
driver_fail_unsupported (const Driver *driver, const char *what, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "%s has no '%s'", driver->title, what);
}
