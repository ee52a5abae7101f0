/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* Proxmox VE: /etc/pve/qemu-server/ID.conf in, as qm.conf(5) has it, for whoever moves a machine away from
 * there. */
extern const Target proxmox_target;
