/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/connection.h"

/*
 * Another daemon's process at a place where libvirt's clients look by default: a name on the bus or a socket.
 * The clients that look there do not see domaind's machines.
 */
typedef struct {
  char *place;   /* "org.libvirt", "/run/libvirt/libvirt-sock" */
  char *program; /* "libvirtd"; "?" when the process does not say */
  guint32 pid;
} Neighbour;

/* Neighbour; empty where all places are domaind's own or nobody's. (transfer full) */
GPtrArray *beside_find (Connection *connection);
