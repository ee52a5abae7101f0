/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

#include <sys/types.h>

/*
 * A control group of its own for each machine, in every hierarchy, of version 1 or 2, that can be written:
 * CGROUP/domaind/UUID, or the scope that systemd makes. A machine without one runs as well: then nothing can
 * be limited. Any thread; every call is a few small files in the kernel.
 */
typedef enum { CGROUP_CPU, CGROUP_CPUSET, CGROUP_MEMORY, CGROUP_BLKIO, CGROUP_CONTROLLERS } CgroupController;

void cgroup_enter (const char *uuid, GPid pid);
void cgroup_remove (const char *uuid);

/* The groups a machine's process is in, as far as they are its own. */
typedef struct Cgroup Cgroup;
Cgroup *cgroup_find (const char *uuid, GPid pid);
/* The same from what /proc says: mountinfo and the process's cgroup file. */
Cgroup *cgroup_find_in (const char *mounts, const char *groups, const char *uuid);
void cgroup_free (Cgroup *cgroup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Cgroup, cgroup_free)

gboolean cgroup_has (const Cgroup *cgroup, CgroupController controller);
gboolean cgroup_is_v2 (const Cgroup *cgroup, CgroupController controller);
/* VIR_ERR_OPERATION_INVALID in libvirt's words where the machine has no such controller. */
gboolean cgroup_check (const Cgroup *cgroup, CgroupController controller, GError **error);
gboolean cgroup_has_file (const Cgroup *cgroup, CgroupController controller, const char *file);
/* @part: a group of single threads inside it, "vcpu0", "emulator" or "iothread1"; NULL: the machine's.
 * What the file says, without white space at its end; NULL when it is not there. (transfer full) */
char *cgroup_read (const Cgroup *cgroup, CgroupController controller, const char *part, const char *file);
gboolean cgroup_write (const Cgroup *cgroup, CgroupController controller, const char *part, const char *file,
                       const char *text, GError **error);
/* Makes the part, where it is not there yet, and moves the thread into it. */
gboolean cgroup_place_thread (const Cgroup *cgroup, CgroupController controller, const char *part,
                              pid_t thread, GError **error);
