/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/caps.h"

/*
 * Capabilities of the emulators on this host: asked over QMP from the real binary, once for a binary's
 * identity (path, device, inode, size, mtime, ctime, and whether /dev/kvm can be used), kept in the cache
 * directory.
 */
typedef struct CapsCache CapsCache;

CapsCache *caps_cache_new (const char *directory); /* NULL: in memory only */
/* Why QEMU could not use the KVM that we can (its account may not open /dev/kvm), NULL when it could: any
 * thread. Set before the first question. (transfer full) */
typedef char *(*CapsKvmProblem) (gpointer data);
void caps_cache_set_kvm_problem (CapsCache *cache, CapsKvmProblem problem, gpointer data);
void caps_cache_free (CapsCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CapsCache, caps_cache_free)

/* Any thread; blocks while it probes (about 0.1 s the first time, PROBE_TIMEOUT at most). (transfer full) */
QemuCaps *caps_cache_get (CapsCache *cache, const char *binary, GError **error);
/* Start QEMU and ask; never cached. @use_kvm: ask under KVM where the host has it. */
#define PROBE_TIMEOUT 20 /* seconds for the whole conversation; a busy host needs one or two */
QemuCaps *qemu_probe (const char *binary, gboolean use_kvm, GError **error);
/* Why no machine can be made with KVM on this host, by making one; NULL when it can. (transfer full) */
char *probe_kvm_problem (void);
/* "/usr/bin/qemu-system-x86_64" for "x86_64": found in PATH and the usual places; NULL when not installed, or
 * @arch NULL. (transfer full) */
char *qemu_find_emulator (const char *arch);
/* The Debian package that has it. @arch may be NULL. */
const char *qemu_emulator_package (const char *arch);
