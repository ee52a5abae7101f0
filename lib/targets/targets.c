/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The targets there are: a row each, QEMU's first. A new one is a folder beside this file and its row here.
 */
#include "targets/target.h"

#include "targets/bhyve/bhyve-target.h"
#include "targets/cloud-hypervisor/cloud-hypervisor-target.h"
#include "targets/firecracker/firecracker-target.h"
#include "targets/hyperv/hyperv-target.h"
#include "targets/kata/kata-target.h"
#include "targets/lxc/lxc-target.h"
#include "targets/oci/oci-target.h"
#include "targets/proxmox/proxmox-target.h"
#include "targets/qemu/qemu-target.h"
#include "targets/vmware/vmware-target.h"
#include "targets/xen/xen-target.h"

static const Target *const targets[] = {
  &qemu_target,   &firecracker_target, &cloud_hypervisor_target,
  &bhyve_target,  &lxc_target,         &oci_target,
  &kata_target,   &hyperv_target,      &xen_target,
  &vmware_target, &proxmox_target,     NULL,
};

const Target *
target_find (const char *name)
{
  for (guint i = 0; targets[i] != NULL; i++)
    if (g_str_equal (name, targets[i]->name) || g_strcmp0 (name, targets[i]->native_name) == 0)
      return targets[i];
  return NULL;
}

const Target *
target_find_format (const Target *target, const char *name)
{
  for (guint i = 0; target->formats != NULL && target->formats[i] != NULL; i++)
    if (g_str_equal (name, target->formats[i]->name))
      return target->formats[i];
  return NULL;
}

const Target *const *
targets_all (void)
{
  return targets;
}

const Target *
target_recognize (const char *file_name, const char *text)
{
  for (guint i = 0; targets[i] != NULL; i++)
    if (targets[i]->recognize != NULL && targets[i]->recognize (file_name, text))
      return targets[i];
  return NULL;
}
