/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * A program that reads what somebody else wrote (qemu-img and an image) and has no business but with a few
 * files that were opened for it. It may open these and what programs are made of, each as its descriptor was
 * opened; it has no sockets, no network, no new privileges, mounts and IPC of its own, and where the daemon
 * is root another account, with one capability: to open its files whoever's they are. Landlock says which
 * those are; where the kernel has none, that is what cannot be had.
 */
typedef struct Confinement Confinement;

/* Any thread. @program: its path; @files: descriptors that stay the caller's. */
Confinement *confinement_new (const char *program, const int *files, guint count);
void confinement_free (Confinement *confinement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Confinement, confinement_free)

/* In the child, between fork and exec: only async-signal-safe calls. Ends the child where what must be had
 * cannot. @confinement: a Confinement. */
void confinement_enter (gpointer confinement);
