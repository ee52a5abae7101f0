/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/cgroup.h"
#include "daemon/host/threads.h"
#include "domain/domain-def.h"

/*
 * What a definition says of the host's resources, made true of a running machine: limits in its control
 * group, places and turns of its threads. Any thread (a job's, for it may take time).
 */

/* Before exec: what a process has from its birth, and whether the host has the nodes asked for. */
gboolean tuning_prepare (const DomainDef *def, GPid pid, GError **error);
/* Bytes that it has to be able to lock, as libvirt counts: what the document limits, or for devices by VFIO
 * the memory and 1 GiB; RLIM_INFINITY: all; 0: none. */
guint64 tuning_lock_limit (const DomainDef *def);
/* How much memory it may lock, where the definition needs it: <locked/>, or a device by VFIO. */
gboolean tuning_allow_locking (const DomainDef *def, GPid pid, GError **error);
/* Once QEMU has its threads, before the guest's first instruction: all of it. VIR_ERR_CONFIG_UNSUPPORTED, in
 * libvirt's words, where the definition asks for what the host has no controller for. */
gboolean tuning_apply (const DomainDef *def, GPid pid, GError **error);

/* The bandwidth of every thread of a kind: vCPUs, I/O threads, or the emulator's. */
gboolean tuning_set_bandwidth (const Cgroup *cgroup, const GArray *threads, ThreadKind kind, guint64 period,
                               gint64 quota, GError **error);
/* The group of that thread, as in cgroup_read. (transfer full) */
char *tuning_part (ThreadKind kind, guint number);

/* Where the definition lets it run: its own pin, or all of the machine's place; NULL: anywhere. */
const char *tuning_cpus_of (const DomainDef *def, ThreadKind kind, guint64 number);
/* Pins every thread of that kind and number. VIR_ERR_OPERATION_FAILED when there is none. */
gboolean tuning_pin (GPid pid, ThreadKind kind, guint number, const char *cpuset, GError **error);
/* A thread that was just made, of a vCPU or an I/O thread: it does not stay where the thread that made it
 * runs. */
gboolean tuning_place_new (const DomainDef *def, GPid pid, ThreadKind kind, guint number, GError **error);
