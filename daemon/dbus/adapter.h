/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * How a D-Bus member differs from its operation's RPC shape, where the common rules of codec.c do not reach.
 * The rules already cover: the domain taken from the object's path, a missing last `u` (flags) that is 0,
 * numbers of another width or sign, s for an optional string or a UUID, b for an int, a list of b for a CPU
 * map, an object path for an object, a struct around several results, a result's count left out, D-Bus's
 * form of typed parameters.
 *
 * In an operations row:   DBUS_ARGUMENTS ("D*0")
 */
typedef struct OperationDBus {
  /* Where each RPC argument comes from, one character each (NULL: by the rules):
   *   D      the domain of the object's path, or a list of just that domain
   *   0..9   the D-Bus argument of that position
   *   *      as many as the answer can hold: the limit of its first list (need_results, nparams,
   * maxerrors...) 1234!  that number (digits up to the '!'; a single digit without '!' is a position) .
   * nothing: 0, "", absent, an empty list */
  const char *arguments;
  /* Which results, by position, make up the D-Bus answer. NULL: by the rules. */
  const char *results;
  /* An empty string stands for an absent optional one. libvirt-dbus hands it on as it is; this is for the
   * members where that could only ever fail. */
  gboolean empty_is_absent;
  /* What is beyond positions: makes the D-Bus answer (a tuple) of the operation's. (floating) */
  GVariant *(*answer) (GVariant *results);
} OperationDBus;

#define DBUS_ARGUMENTS(arguments_) (&(const OperationDBus){ .arguments = (arguments_) })

extern const OperationDBus
    dbus_get_metadata; /* GetMetadata, SetMetadata, GetDomainCapabilities: empty is absent */
extern const OperationDBus dbus_block_job_info;   /* GetBlockJobInfo: without "found" */
extern const OperationDBus dbus_cpu_map;          /* Connect.NodeGetCPUMap: as many b as there are CPUs */
extern const OperationDBus dbus_vcpu_pins;        /* GetVcpuPinInfo: a list of maps */
extern const OperationDBus dbus_all_domain_stats; /* Connect.GetAllDomainStats: no list means all */
extern const OperationDBus
    dbus_domain_stats; /* Domain.GetStats: just this one, its record without the name */
