/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The kernel of machines that run container images, and the initrd that goes with it: our init and the
 * modules it needs of that kernel, made once and kept.
 */
typedef struct {
  char *kernel;
  char *initrd;
  gboolean has_9p, has_virtiofs; /* what volumes can be mounted by */
} GuestKernel;

void guest_kernel_free (GuestKernel *kernel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GuestKernel, guest_kernel_free)

/* @file: the kernel, whose modules are in lib/modules beside the folder it is in, or this host's; NULL: the
 * newest in /boot that has modules. Initrds are kept below @directory. Blocking. */
GuestKernel *guest_kernel_get (const char *file, const char *directory, GError **error);
