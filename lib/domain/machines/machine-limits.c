/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a machine that is little more than its processor cannot have. QEMU refuses some of it in words of its
 * own when the machine starts and leaves out the rest in silence; here it is refused where the document says
 * it, and all of it at once. What needs PCI is refused with the addresses.
 */
#include "domain/machines/machine-limits.h"

#include "domain/devices/device-kinds.h"
#include "domain/devices/disk.h"
#include "domain/devices/memory.h"
#include "domain/devices/sound.h"
#include "domain/machines/machine-kind.h"

static void
refuse (Validation *validation, gconstpointer member, gconstpointer object, const char *what,
        const char *instead)
{
  validation_error (validation, member, object, "machine '%s' has no %s: %s", validation->def->os.machine,
                    what, instead);
}

/* It boots what it is given: its firmware finds no disk. */
static void
check_kernel (Validation *validation)
{
  const DomainOs *os = &validation->def->os;

  if (os->kernel == NULL && os->loader == NULL && !os_wants_firmware (os))
    refuse (validation, &os->machine, os, "firmware that boots from a disk",
            "expected a <kernel>, or firmware made for it in a <loader type='rom'>");
  if (os->loader_type == LOADER_TYPE_PFLASH)
    refuse (validation, &os->loader_type, os, "flash memory for firmware",
            "expected <loader type='rom'>, or a <kernel> and no loader");
}

static void
check_size (Validation *validation)
{
  const DomainDef *def = validation->def;

  if (def->vcpus_current.set)
    refuse (validation, &def->vcpus_current, def, "sockets for further processors",
            "expected a <vcpu> without 'current'");
  if (def->max_memory.set)
    refuse (validation, &def->max_memory, def, "slots for further memory", "expected no <maxMemory>");
  if (def->cpu != NULL && def->cpu->numa.cells != NULL && def->cpu->numa.cells->len > 0)
    refuse (validation, &def->cpu->numa, def->cpu, "NUMA nodes", "expected no <numa>");
}

static void
check_features (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainFeatures *features = &def->features;

  if (features->vmport != TRISTATE_ABSENT)
    refuse (validation, &features->vmport, features, "port of VMware's", "expected no <vmport>");
  if (features->ps2 != TRISTATE_ABSENT)
    refuse (validation, &features->ps2, features, "PS/2 controller", "expected no <ps2>");
  if (features->smm_tseg.set)
    refuse (validation, &features->smm_tseg, features, "extended SMRAM", "expected no <tseg>");
  if (def->os.smbios_mode != 0)
    refuse (validation, &def->os.smbios_mode, &def->os, "SMBIOS tables", "expected no <smbios>");
  if (def->genid != NULL)
    refuse (validation, &def->genid, def, "generation id", "expected no <genid>");
  for (guint i = 0; def->clock.timers != NULL && i < def->clock.timers->len; i++) {
    const ClockTimer *timer = g_ptr_array_index (def->clock.timers, i);

    if (timer->name == TIMER_HPET && timer->present == TRISTATE_YES)
      refuse (validation, &timer->present, timer, "HPET", "expected present='no', or no such timer");
  }
}

static void
check_devices (Validation *validation)
{
  const DomainDef *def = validation->def;

  DOMAIN_FOREACH_DEVICE (def, disk_kind, const DeviceDisk, disk) {
    if (disk->bus == DISK_BUS_FDC)
      refuse (validation, &disk->bus, disk, "floppy drive", "expected bus='virtio' or 'scsi'");
  }
  DOMAIN_FOREACH_DEVICE (def, sound_kind, const DeviceSound, sound) {
    if (sound->model == SOUND_SB16)
      refuse (validation, &sound->model, sound, "DMA for sound 'sb16'",
              "expected another model, and <controller type='pci' model='pcie-root'/>");
  }
  DOMAIN_FOREACH_DEVICE (def, memory_kind, const DeviceMemory, memory) {
    refuse (validation, &memory->model, memory, "slots for further memory", "expected no <memory> device");
  }
}

void
validate_machine (Validation *validation)
{
  const DomainDef *def = validation->def;

  if (!machine_kind_of (def)->is_bare || validation_may_miss (validation, &def->os.machine)
      || (def->type != VIRT_TYPE_QEMU && def->type != VIRT_TYPE_KVM))
    return;
  check_kernel (validation);
  check_size (validation);
  check_features (validation);
  check_devices (validation);
}
