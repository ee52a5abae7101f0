/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call.h"

/*
 * What is counted while a machine runs, from the kernel (its process's threads, its taps) and from what QEMU
 * last said of its disks. None of these asks the guest.
 */
typedef struct {
  guint number;
  guint64 time; /* ns */
  int cpu;      /* the host's it last ran on */
} VcpuTime;
/* The threads QEMU names after its vCPUs, in their order. (VcpuTime) */
GArray *vcpu_times (const Process *process);

/* read requests, bytes, ns; write requests, bytes, ns; flush requests, ns */
typedef struct {
  gboolean known;
  guint64 read_requests, read_bytes, read_time, write_requests, write_bytes, write_time, flush_requests,
      flush_time;
} DiskCounters;
/* From an answer to "query-blockstats" (untrusted), for the device of that alias. */
DiskCounters disk_counters (JsonNode *answer, const char *alias);
/* From an answer to "query-block": its image's sizes in bytes; FALSE when not said. */
gboolean disk_sizes (JsonNode *answer, const char *alias, guint64 *ret_capacity, guint64 *ret_allocation);

/* As the guest sees them: what the host's end sent, it received. Bytes, packets, errors, drops. FALSE: no
 * such interface on the host. */
typedef struct {
  guint64 received[4], sent[4];
} InterfaceCounters;
gboolean interface_counters (const char *device, InterfaceCounters *ret);
