/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/* The host: what /proc and /sys say of its processors and memory. Any thread. */
typedef struct {
  char *model;                          /* "x86_64", at most 31 characters, as virNodeInfo has it */
  guint64 memory;                       /* KiB */
  guint cpus;                           /* active logical CPUs */
  guint mhz;                            /* 0 when not known */
  guint nodes, sockets, cores, threads; /* sockets per node, cores per socket, threads per core */
} NodeInfo;
void node_info_read (NodeInfo *ret); /* clear with node_info_clear */
void node_info_clear (NodeInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NodeInfo, node_info_clear)

/* Nanoseconds since boot. @cpu: a CPU's number, or -1 for all together. */
typedef struct {
  guint64 kernel, user, idle, iowait;
} NodeCpuStats;
gboolean node_cpu_stats (int cpu, NodeCpuStats *ret, GError **error);

/* KiB. */
typedef struct {
  guint64 total, free, buffers, cached;
} NodeMemoryStats;
gboolean node_memory_stats (NodeMemoryStats *ret, GError **error);
guint64 node_free_memory (void); /* bytes */

char *node_hostname (void);      /* fully qualified when that can be told without asking the network */
char *node_cpu_model (void);     /* "model name" of /proc/cpuinfo; NULL when there is none */
char *node_cpu_microcode (void); /* its version, "0x1000065"; NULL when there is none */
/* The host's CPU maps: "0-3". present, online. */
char *node_cpus_present (void);
char *node_cpus_online (void);
char *node_uuid (void); /* of the machine, from DMI or /etc/machine-id; never NULL */
/* The first usable render node, "/dev/dri/renderD128"; NULL when the host has none. (transfer full) */
char *node_render_node (void);
/* Why /dev/kvm cannot be used; NULL when it can. (transfer full) */
char *node_kvm_problem (void);
