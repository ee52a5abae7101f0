/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/domain/machine.h"
#include "domain/devices/interface.h"

/*
 * What is counted while a machine runs, from the kernel (its process's threads, its taps) and from what QEMU
 * last said of its disks. None of these asks the guest.
 */
typedef struct {
  guint number;
  pid_t thread;
  guint64 time;  /* ns */
  guint64 wait;  /* ns it waited for a processor, by the scheduler's count */
  guint64 delay; /* ns it was ready to run and did not */
  int cpu;       /* the host's it last ran on */
} VcpuTime;
/* The threads QEMU names after its vCPUs, in their order. (VcpuTime) */
GArray *vcpu_times (const Process *process);
/* ns KVM polled for a halted vCPU's wake-up, in vain or not; 0 without KVM. */
void halt_poll_times (const Process *process, guint64 *ret_success, guint64 *ret_fail);

/* As @machine's hypervisor last told them, for the device of that alias. */
DiskCounters machine_disk_counters (const Machine *machine, const char *alias);
/* From the same: the offset behind the last byte written, as far as the image's format tells. @depth: of the
 * image so far below the disk's. */
guint64 disk_highest_offset (JsonNode *answer, const char *alias, guint depth);
/* From an answer to "query-block": what is inserted into the device of that alias; NULL: nothing. (borrowed)
 */
JsonObject *disk_inserted (JsonNode *answer, const char *alias);
/* From the same: its image's sizes in bytes; FALSE when not said. @ret_physical: what it
 * takes on the host. */
gboolean
disk_sizes (JsonNode *answer, const char *alias, guint depth, guint64 *ret_capacity, guint64 *ret_physical);
/* From the same: whether the device last met an error that lasts. */
virDomainDiskErrorCode disk_error (JsonNode *answer, const char *alias);

/* As the guest sees them: what the host's end sent, it received; but a macvtap counts as the guest does.
 * Bytes, packets, errors, drops. FALSE: no such interface on the host. */
typedef struct {
  guint64 received[4], sent[4];
} InterfaceCounters;
gboolean interface_counters (const DeviceInterface *interface, InterfaceCounters *ret);
