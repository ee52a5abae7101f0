/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/cgroup.h"
#include "domain/tuning.h"

/*
 * What a machine's control group limits, in libvirt's units, whichever version of the hierarchies the host
 * has. Where the controller is not there, setting fails in libvirt's words and reading gives what holds
 * without any limit. Any thread; lowering a memory limit may take the kernel seconds.
 */
#define CPU_PERIOD_DEFAULT 100000 /* µs */
#define CPU_QUOTA_NONE     (-1)

/* Version 1 has shares of 2 to 262144, version 2 weights of 1 to 10000. */
gboolean limits_set_shares (const Cgroup *cgroup, guint64 shares, GError **error);
guint64 limits_get_shares (const Cgroup *cgroup);

/* @part: as in cgroup_read. µs; 0 leaves what is, a quota below 0 is none. */
gboolean
limits_set_bandwidth (const Cgroup *cgroup, const char *part, guint64 period, gint64 quota, GError **error);
void limits_get_bandwidth (const Cgroup *cgroup, const char *part, guint64 *ret_period, gint64 *ret_quota);

/* KiB; MEMORY_UNLIMITED and above is none; what is not set stays. */
typedef struct {
  Number hard, soft, swap_hard; /* the last is of memory and swap together */
} MemoryLimits;
gboolean limits_set_memory (const Cgroup *cgroup, const MemoryLimits *limits, GError **error);
void limits_get_memory (const Cgroup *cgroup, MemoryLimits *ret);

gboolean limits_set_weight (const Cgroup *cgroup, guint64 weight, GError **error);
guint64 limits_get_weight (const Cgroup *cgroup); /* 0: the host has no scheduler that knows weights */

typedef enum {
  BLKIO_DEVICE_WEIGHT,
  BLKIO_READ_IOPS,
  BLKIO_WRITE_IOPS,
  BLKIO_READ_BYTES,
  BLKIO_WRITE_BYTES
} BlkioLimit;
/* @path: a block device; a value of 0 takes the limit away. */
gboolean
limits_set_device (const Cgroup *cgroup, BlkioLimit limit, const char *path, guint64 value, GError **error);

/* The host's nodes its memory comes from; memory it has moves along. */
gboolean limits_set_nodes (const Cgroup *cgroup, const char *nodeset, GError **error);
