/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"
#include "base/virt-error.h"
#include "domain/tuning.h"

#include <sys/types.h>

/*
 * The threads of a machine's process, and where and when the kernel lets them run. QEMU names them ("-name
 * debug-threads=on"), so nobody has to be asked which is which. Any thread.
 */
typedef enum { THREAD_EMULATOR, THREAD_VCPU, THREAD_IOTHREAD } ThreadKind;
typedef struct {
  pid_t id;
  ThreadKind kind;
  guint number; /* of the vCPU or I/O thread; 0 for the emulator's */
} MachineThread;

/* Ordered by kind and number. (MachineThread) */
GArray *machine_threads (GPid pid);
/* NULL when there is none such. */
const MachineThread *machine_thread_find (const GArray *threads, ThreadKind kind, guint number);

/* The host's processors that can be used now. (transfer full) */
CpuSet *host_cpus (void);
guint host_cpu_count (void); /* one above the highest number the host can have */

/* NULL when the thread is gone. (transfer full) */
CpuSet *thread_get_affinity (pid_t thread);
gboolean thread_set_affinity (pid_t thread, const CpuSet *cpus, GError **error);
gboolean thread_set_scheduler (pid_t thread, const CpuScheduler *scheduler, GError **error);
