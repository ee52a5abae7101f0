/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/*
 * What a machine may take of its host: processor time and processors, memory and where it lies, disk
 * bandwidth, I/O threads. None of it is seen by the guest but <cpu><numa>.
 */

/* <cputune>. Periods and quotas are in µs; a quota below 0 is none. */
#define CPU_SHARES_MIN 2
#define CPU_SHARES_MAX 262144
#define CPU_PERIOD_MIN 1000
#define CPU_PERIOD_MAX 1000000
#define CPU_QUOTA_MIN  1000
#define CPU_QUOTA_MAX  G_GUINT64_CONSTANT (17592186044415) /* 2^64 ns / 2^20, as libvirt has it */

typedef enum {
  CPU_SCHEDULER_NONE,
  CPU_SCHEDULER_BATCH,
  CPU_SCHEDULER_IDLE,
  CPU_SCHEDULER_FIFO,
  CPU_SCHEDULER_RR
} CpuSchedulerKind;

typedef struct {
  Number id; /* of the vCPU or I/O thread */
  char *cpuset;
} CpuPin;

typedef struct {
  char *ids; /* vCPUs or I/O threads; one each once completed; absent for the emulator's */
  int kind;  /* CpuSchedulerKind */
  SignedNumber priority;
} CpuScheduler;

typedef struct {
  Number shares;
  Number period, global_period, emulator_period, iothread_period;
  SignedNumber quota, global_quota, emulator_quota, iothread_quota;
  GPtrArray *vcpu_pins, *iothread_pins; /* CpuPin */
  char *emulator_pin;
  CpuScheduler *emulator_scheduler;
  GPtrArray *vcpu_schedulers, *iothread_schedulers; /* CpuScheduler */
  GPtrArray *cachetunes, *memorytunes;              /* verbatim */
} DomainCputune;
extern const FieldTable domain_cputune_table;
/* The CPUs a thread is pinned to; NULL when it is not. */
const char *cputune_find_pin (const GPtrArray *pins, guint64 id);
/* Pins it, or with @cpuset NULL no longer. The list stays in the order of the ids. */
void cputune_set_pin (GPtrArray **pins, guint64 id, const char *cpuset);

/* Nothing is said of that I/O thread any more. */
void cputune_forget_iothread (DomainCputune *tune, guint64 id);

/* <memtune>: KiB. */
#define MEMORY_UNLIMITED G_GUINT64_CONSTANT (9007199254740991) /* VIR_DOMAIN_MEMORY_PARAM_UNLIMITED */
typedef struct {
  Number hard_limit, soft_limit, min_guarantee, swap_hard_limit;
} DomainMemtune;
extern const FieldTable domain_memtune_table;

/* <blkiotune>. A value of 0 is none. */
typedef struct {
  char *path;
  Number weight, read_iops, write_iops, read_bytes, write_bytes; /* per second */
} BlkioDevice;
typedef struct {
  Number weight;
  GPtrArray *devices; /* BlkioDevice */
} DomainBlkiotune;
extern const FieldTable domain_blkiotune_table, blkio_device_table;

/* <memoryBacking>. */
typedef enum {
  MEMORY_SOURCE_NONE,
  MEMORY_SOURCE_FILE,
  MEMORY_SOURCE_ANONYMOUS,
  MEMORY_SOURCE_MEMFD
} MemorySource;
typedef enum { MEMORY_ACCESS_NONE, MEMORY_ACCESS_SHARED, MEMORY_ACCESS_PRIVATE } MemoryAccess;
typedef enum {
  MEMORY_ALLOCATION_NONE,
  MEMORY_ALLOCATION_IMMEDIATE,
  MEMORY_ALLOCATION_ONDEMAND
} MemoryAllocation;
typedef struct {
  Number size; /* KiB once completed, and @unit says so */
  char *unit, *nodeset;
} HugePage;
typedef struct {
  gboolean hugepages, nosharepages, locked, discard;
  GPtrArray *pages;               /* HugePage */
  int source, access, allocation; /* MemorySource, MemoryAccess, MemoryAllocation */
  Number threads;
} DomainMemoryBacking;
extern const FieldTable domain_memory_backing_table;

/* <numatune>: where on the host the memory lies. The values are virDomainNumatuneMemMode's, and one. */
typedef enum {
  NUMA_MODE_NONE,
  NUMA_MODE_STRICT,
  NUMA_MODE_PREFERRED,
  NUMA_MODE_INTERLEAVE,
  NUMA_MODE_RESTRICTIVE
} NumaMode;
typedef enum { NUMA_PLACEMENT_NONE, NUMA_PLACEMENT_STATIC, NUMA_PLACEMENT_AUTO } NumaPlacement;
typedef struct {
  int mode;      /* NumaMode */
  int placement; /* NumaPlacement; not written when it is static */
  char *nodeset;
} NumaMemory;
typedef struct {
  Number cell;
  int mode; /* NumaMode */
  char *nodeset;
} NumaMemnode;
typedef struct {
  NumaMemory *memory;
  GPtrArray *memnodes; /* NumaMemnode */
} DomainNumatune;
extern const FieldTable domain_numatune_table;
NumaMemory *numatune_ensure_memory (DomainNumatune *tune); /* strict and static when it was not said */
extern const EnumTable numa_modes;

/* <cpu><numa>: the nodes the guest sees. */
typedef struct {
  Number cell, value;
} NumaSibling;
typedef struct {
  Number id;
  char *cpus;
  Number memory; /* KiB once completed */
  char *unit;
  int access;          /* MemoryAccess */
  int discard;         /* Tristate */
  GPtrArray *siblings; /* NumaSibling */
  GPtrArray *caches;   /* NumaCache; numa-hmat.h */
} NumaCell;
typedef struct {
  GPtrArray *cells; /* NumaCell, in the order of their ids once completed */
  GPtrArray *links; /* NumaLink, in the order of the document; numa-hmat.h */
} CpuNuma;
extern const FieldTable cpu_numa_table;
#define NUMA_DISTANCE_SELF   10
#define NUMA_DISTANCE_OTHERS 20
#define NUMA_DISTANCE_MAX    255

/* <resource>: the host's partition, which is a control group. */
#define PARTITION_DEFAULT "/machine"
typedef struct {
  char *partition, *fibrechannel; /* the second: its appid */
} DomainResource;
extern const FieldTable domain_resource_table;

/* <perf>: the values are places in libvirt's list of events, from 1. */
typedef struct {
  int name;
  int enabled; /* Tristate */
} PerfEvent;
extern const FieldTable perf_event_table;
extern const EnumTable perf_events;

/* <defaultiothread>. */
typedef struct {
  Number thread_pool_min, thread_pool_max;
} DefaultIothread;
extern const FieldTable default_iothread_table;
